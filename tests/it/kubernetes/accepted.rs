//! The API server takes the documents that the command line takes, and refuses those that it refuses, as far as a schema
//! and CEL can say.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stationbill::kinds::KINDS;

use super::{Stage, command, document, for_cluster, read, read_all, stack};

/// Documents A and B of every kind, and what they need, as `tests/it/fields` has them.
fn fields() -> Vec<(PathBuf, Value)> {
    KINDS
        .iter()
        .flat_map(|kind| read(Path::new(&format!("tests/it/fields/{}.yaml", kind.kind()))))
        .filter(|document| document["apiVersion"].is_string())
        .map(|document| (PathBuf::from("."), document))
        .collect()
}

/// What the environment holds elsewhere is in a Secret here.
fn no_environment(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("fromEnv").cloned() {
                *value = json!({ "fromSecret": { "name": "people", "key": name } });
                return;
            }
            map.values_mut().for_each(no_environment);
        }
        Value::Array(list) => list.iter_mut().for_each(no_environment),
        _ => {}
    }
}

#[test]
fn what_the_command_line_takes_the_api_server_takes() {
    let Some(stage) = Stage::open(1) else { return };
    let folders = ["examples/kinds", "examples/banana-stand", "examples/fleet"];
    let mut all: Vec<(PathBuf, Value)> = folders
        .iter()
        .flat_map(|f| read_all(Path::new(f)))
        .collect();
    all.extend(fields());
    assert!(all.len() > 100, "{}", all.len());
    let mut documents = for_cluster(all);
    documents.iter_mut().for_each(no_environment);
    let mut refused = Vec::new();
    stage.runtime.block_on(async {
        for (index, document) in documents.iter_mut().enumerate() {
            // Several of one name are different tries at one object: each is new here.
            document["metadata"]["name"] = format!(
                "{}-{index}",
                document["kind"].as_str().unwrap().to_lowercase()
            )
            .into();
            // Labels and annotations of the tests' own need not be those of Kubernetes.
            let metadata = document["metadata"].as_object_mut().unwrap();
            metadata.retain(|key, _| key == "name");
            if let Err(error) = stage.send(stage.namespace(), document, true).await {
                refused.push(format!("{document}: {error}"));
            }
        }
    });
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn what_the_schema_refuses_the_api_server_refuses() {
    let Some(stage) = Stage::open(1) else { return };
    let contact = |channel: Value| {
        document(
            "Contact",
            "kayoko",
            &json!({ "displayName": "K", "channels": { "a": channel } }),
        )
    };
    let wrong = [
        // An unknown field.
        document(
            "Dashboard",
            "a",
            &json!({ "name": "a", "body": "{}", "colour": "red" }),
        ),
        // A wrong type.
        document("Rotation", "a", &json!({ "contacts": "kayoko" })),
        // No word of the choice.
        contact(json!({ "type": "PIGEON", "address": { "fromParameter": "/a" } })),
        // Two sources of one value.
        contact(
            json!({ "type": "SMS", "address": { "fromParameter": "/a", "value": "+12065550100" } }),
        ),
        // What only a machine can read.
        contact(json!({ "type": "SMS", "address": { "fromEnv": "TELEPHONE" } })),
        contact(json!({ "type": "SMS", "address": { "fromFile": "telephone" } })),
        // A file beside no document.
        document(
            "Dashboard",
            "a",
            &json!({ "name": "a", "bodyFrom": { "file": "a.json" } }),
        ),
        // Out of bounds, or against the pattern.
        document("Target", "a", &json!({ "accounts": ["12"] })),
        document("Target", "a", &json!({ "concurrency": 0 })),
        document(
            "Document",
            "a",
            &json!({ "name": "?", "documentType": "Command", "content": {} }),
        ),
        // No such mode.
        stack("a", &json!({ "mode": "perhaps" })),
        // A required field is missing.
        contact(json!({ "address": { "fromParameter": "/a" } })),
    ];
    let mut taken = Vec::new();
    stage.runtime.block_on(async {
        for document in wrong {
            match stage.send(stage.namespace(), &document, true).await {
                Ok(_) => taken.push(document.to_string()),
                // What does not fit the schema at all is no "invalid object" in a server-side apply.
                Err(kube::Error::Api(status))
                    if matches!(status.code, 400 | 422)
                        || status
                            .message
                            .starts_with("failed to create typed patch object") => {}
                Err(error) => taken.push(format!("{document}: {error}")),
            }
        }
    });
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

#[test]
fn a_field_of_what_is_never_replaced_cannot_be_changed() {
    let Some(stage) = Stage::open(1) else { return };
    stage.runtime.block_on(async {
        let set = |region: &str| {
            document(
                "Contact",
                "kayoko",
                &json!({ "name": region, "channels": {} }),
            )
        };
        stage.apply(stage.namespace(), &set("one")).await.unwrap();
        let changed = stage
            .apply(stage.namespace(), &set("two"))
            .await
            .unwrap_err();
        assert!(
            changed.to_string().contains("cannot be changed"),
            "{changed}"
        );
        // What may be replaced may change.
        let mut other = command("say", "hello");
        stage.apply(stage.namespace(), &other).await.unwrap();
        other["spec"]["name"] = "say-more".into();
        stage.apply(stage.namespace(), &other).await.unwrap();
    });
}

/// What the loader finds in the folder of mistakes and neither a schema nor CEL can say is found by the operator: the
/// object is `Invalid` then. Everything else, the API server says at once.
#[test]
fn of_the_folder_of_mistakes_the_api_server_takes_only_what_needs_the_other_documents() {
    let Some(stage) = Stage::open(1) else { return };
    let mut taken = Vec::new();
    let folder = Path::new("tests/it/fixtures/thirty-mistakes/in");
    stage.runtime.block_on(async {
        for file in [
            "dashboards/impact.yaml",
            "fleet/patching.yaml",
            "on-call/plans.yaml",
            "on-call/rotations.yaml",
            "people/others.yml",
            "stack.yaml",
        ] {
            for document in documents_that_parse(&folder.join(file)) {
                let name = document["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                if stage.send(stage.namespace(), &document, true).await.is_ok() {
                    taken.push(format!(
                        "{file} {}/{name}",
                        document["kind"].as_str().unwrap_or_default()
                    ));
                }
            }
        }
    });
    insta::assert_snapshot!("taken_by_the_api_server", taken.join("\n"));
}

/// Reads the documents of a file that are YAML at all.
fn documents_that_parse(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let parts = text.split("\n---");
    let values = parts.filter_map(|part| serde_yaml::from_str::<Value>(part).ok());
    values.filter(Value::is_object).collect()
}
