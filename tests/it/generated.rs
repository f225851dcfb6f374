//! Generated files are committed and fresh. `UPDATE_GENERATED=1 cargo test` writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stationbill::operator::{crd, resource};

use crate::docs;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fresh(path: &Path, text: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that writes generated files"
    )]
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is stale: run `UPDATE_GENERATED=1 cargo test`",
        path.display()
    );
}

#[test]
fn crds_are_fresh() {
    for folder in ["crds", "charts/stationbill/files/crds"] {
        let folder = root().join(folder);
        let mut wanted = BTreeSet::new();
        for kind in resource::kinds() {
            let text = serde_yaml::to_string(&crd::crd(kind).unwrap()).unwrap();
            wanted.insert(crd::file_name(kind));
            fresh(&folder.join(crd::file_name(kind)), &text);
        }
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                wanted.contains(&name),
                "{name} in {} belongs to no kind",
                folder.display()
            );
        }
    }
}

/// What an API server asks of a schema: <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/>.
#[test]
fn crds_are_structural() {
    for kind in resource::kinds() {
        let crd = serde_json::to_value(crd::crd(kind).unwrap()).unwrap();
        let mut wrong = Vec::new();
        unstructured(
            &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            "",
            false,
            &mut wrong,
        );
        assert!(wrong.is_empty(), "{}: {wrong:?}", kind.kind());
    }
}

fn unstructured(schema: &serde_json::Value, at: &str, inside: bool, wrong: &mut Vec<String>) {
    let forbidden: &[&str] = if inside {
        &[
            "type",
            "description",
            "nullable",
            "default",
            "additionalProperties",
        ]
    } else {
        &[]
    };
    let never = ["$ref", "$defs", "definitions", "const"];
    for key in forbidden.iter().chain(&never) {
        if schema.get(key).is_some() {
            wrong.push(format!("{at}: {key}"));
        }
    }
    if schema["uniqueItems"] == true {
        wrong.push(format!("{at}: uniqueItems"));
    }
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_some() {
        wrong.push(format!("{at}: properties and additionalProperties"));
    }
    let open = schema.get("x-kubernetes-preserve-unknown-fields").is_some();
    if !inside && !open && schema.get("type").is_none() {
        wrong.push(format!("{at}: no type"));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        unstructured(property, &format!("{at}/{name}"), inside, wrong);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            unstructured(&schema[key], &format!("{at}/{key}"), inside, wrong);
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for one in schema[key].as_array().into_iter().flatten() {
            unstructured(one, &format!("{at}/{key}"), true, wrong);
        }
    }
}

#[test]
fn pages_are_fresh() {
    let folder = root().join("docs");
    fresh(&folder.join("kinds.md"), &docs::kinds::page());
    fresh(&folder.join("diagnostics.md"), &docs::diagnostics::page());
    fresh(&folder.join("cli.md"), &docs::cli::page());
}

#[test]
fn every_field_of_every_kind_is_described() {
    for kind in resource::kinds() {
        let crd = serde_json::to_value(crd::crd(kind).unwrap()).unwrap();
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut bare = Vec::new();
        undescribed(spec, "", &mut bare);
        assert!(
            bare.is_empty(),
            "{}: no description for {bare:?}",
            kind.kind()
        );
    }
}

fn undescribed(schema: &serde_json::Value, at: &str, bare: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        if property["description"].as_str().is_none_or(str::is_empty) {
            bare.push(at.clone());
        }
        undescribed(property, &at, bare);
        undescribed(&property["items"], &at, bare);
        undescribed(&property["additionalProperties"], &at, bare);
    }
}
