//! The chart, where `STATIONBILL_HELM` names a Helm: what it renders, the API server takes.

use std::path::Path;
use std::process::Command;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{Stage, read};

/// The values that are tried: the chart's own, and every file of the examples.
const VALUES: [&str; 5] = [
    "",
    "examples/kubernetes/values-sandbox.yaml",
    "examples/kubernetes/values-irsa.yaml",
    "examples/kubernetes/values-teams.yaml",
    "examples/kubernetes/values-one-namespace.yaml",
];

#[expect(clippy::disallowed_methods, reason = "the switch of these tests")]
fn helm(line: &[&str]) -> Option<(bool, String)> {
    let helm = std::env::var("STATIONBILL_HELM").ok()?;
    let output = Command::new(helm).args(line).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    Some((output.status.success(), text))
}

fn rendered(values: &str) -> Option<String> {
    let mut line = vec![
        "template",
        "stationbill",
        "charts/stationbill",
        "--namespace",
        "stationbill",
    ];
    if !values.is_empty() {
        line.extend(["--values", values]);
    }
    let (well, text) = helm(&line)?;
    assert!(well, "{values}: {text}");
    Some(text)
}

#[test]
fn the_plain_manifest_is_what_the_chart_renders() {
    let Some(text) = rendered("") else { return };
    let head = "# What charts/stationbill makes with its own values, for whoever has no Helm:\n\
                # kubectl create namespace stationbill && kubectl apply --server-side --filename operator.yaml\n";
    // The definitions are in crds/.
    let parts = text
        .split("\n---")
        .filter(|part| !part.contains("kind: CustomResourceDefinition"));
    let parts: Vec<&str> = parts.filter(|part| part.contains("\nkind: ")).collect();
    let text = format!(
        "{head}---{}\n",
        parts.join("\n---").trim_start_matches("---")
    );
    let path = Path::new("examples/kubernetes/operator.yaml");
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that writes generated files"
    )]
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == text, "stale: run it with UPDATE_GENERATED=1");
}

#[test]
fn the_chart_has_no_faults() {
    let Some((well, text)) = helm(&["lint", "--strict", "charts/stationbill"]) else {
        return;
    };
    assert!(well, "{text}");
    for wrong in [
        "replicas=-1",
        "shards=0",
        "colour=red",
        "limits[0].names=x",
        "git.protocols={file}",
    ] {
        let line = [
            "template",
            "stationbill",
            "charts/stationbill",
            "--set",
            wrong,
        ];
        let (well, text) = helm(&line).unwrap();
        assert!(!well, "{wrong} is taken: {text}");
    }
}

#[test]
fn the_api_server_takes_what_the_chart_renders() {
    let Some(stage) = Stage::open(1) else { return };
    for values in VALUES {
        let Some(text) = rendered(values) else { return };
        let file = stage.folder.path().join("rendered.yaml");
        std::fs::write(&file, text).unwrap();
        let documents = read(&file);
        assert!(documents.len() > 4);
        stage.runtime.block_on(async {
            for name in ["stationbill", "my-team"] {
                namespace(&stage.client, name).await;
            }
            for document in documents {
                if document["apiVersion"] == "monitoring.coreos.com/v1" {
                    // Nobody knows that kind here.
                    continue;
                }
                let sent = send(&stage.client, &document).await;
                let what = format!(
                    "{values}: {} {}",
                    document["kind"], document["metadata"]["name"]
                );
                assert!(sent.is_ok(), "{what}: {:?}", sent.err());
            }
        });
    }
}

async fn namespace(client: &Client, name: &str) {
    let all: Api<Namespace> = Api::all(client.clone());
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let params = PatchParams::apply("people").force();
    all.patch(name, &params, &Patch::Apply(namespace))
        .await
        .unwrap();
}

/// Sends a document as a dry run, to wherever it belongs.
async fn send(client: &Client, document: &Value) -> Result<(), kube::Error> {
    let text = |at: &str| {
        document
            .pointer(at)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let root = match text("/apiVersion") {
        "v1" => "/api/v1".to_owned(),
        version => format!("/apis/{version}"),
    };
    let plural = match text("/kind") {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    let within = match text("/metadata/namespace") {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    let path = format!(
        "{root}{within}/{plural}/{}?dryRun=All&fieldManager=people&force=true&fieldValidation=Strict",
        text("/metadata/name")
    );
    let request = http::Request::patch(path)
        .header("content-type", "application/apply-patch+yaml")
        .body(serde_json::to_vec(document).unwrap())
        .unwrap();
    client.request::<Value>(request).await.map(drop)
}
