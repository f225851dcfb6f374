//! The chart, where `STATIONBILL_HELM` names a Helm: what it renders, the API server takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use stationbill::operator::resource;

use super::server::ADMIN;
use super::{Stage, copy, document, read, stack};

/// The values that are tried: the chart's own, and every file of the examples.
const VALUES: [&str; 6] = [
    "",
    "examples/kubernetes/values-sandbox.yaml",
    "examples/kubernetes/values-irsa.yaml",
    "examples/kubernetes/values-teams.yaml",
    "examples/kubernetes/values-proxy.yaml",
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

#[test]
fn an_upgrade_and_a_removal_leave_all_objects_there() {
    let Some(stage) = Stage::open(1) else { return };
    let home = stage.namespace();
    let kubeconfig = stage.folder.path().join("admin");
    fs::write(&kubeconfig, stage.server.kubeconfig(ADMIN, home)).unwrap();
    let release = |line: &[&str]| {
        let way = ["--kubeconfig", kubeconfig.to_str().unwrap()];
        helm(&[line, &["--namespace", home], &way].concat())
    };
    // The tests have put the definitions there already.
    let install = ["install", "shop", "charts/stationbill", "--take-ownership"];
    let Some((well, text)) = release(&[&install[..], &["--force-conflicts"]].concat()) else {
        return;
    };
    assert!(well, "{text}");
    let baseline = json!({ "operatingSystem": "AMAZON_LINUX_2023", "approvedPatches": ["kernel"] });
    let objects = [
        stack("chart", &json!({})),
        document("PatchBaseline", "chart", &baseline),
    ];
    let (all, before) = stage.runtime.block_on(async {
        stage.apply_all(home, &objects).await;
        (stage.client.clone(), there(&stage).await)
    });
    assert_eq!(before.len(), 2 + resource::kinds().len());

    // The next version of the chart, with other values.
    let next = stage.folder.path().join("next");
    copy(Path::new("charts/stationbill"), &next);
    let about = fs::read_to_string(next.join("Chart.yaml")).unwrap();
    let about = about.replace("\nversion: 0.1.0", "\nversion: 0.2.0");
    fs::write(next.join("Chart.yaml"), about).unwrap();
    let upgrade = ["upgrade", "shop", next.to_str().unwrap()];
    let (well, text) =
        release(&[&upgrade[..], &["--set", "replicas=3,shards=6"]].concat()).unwrap();
    assert!(well, "{text}");
    let deployments: Api<Deployment> = Api::namespaced(all, home);
    let running = stage.runtime.block_on(deployments.get("shop")).unwrap();
    assert_eq!(running.spec.replicas, Some(3));
    assert_eq!(stage.runtime.block_on(there(&stage)), before);

    let (well, text) = release(&["uninstall", "shop"]).unwrap();
    assert!(well, "{text}");
    assert_eq!(stage.runtime.block_on(there(&stage)), before);
}

/// Returns what tells every object from one that was made anew, and every definition.
async fn there(stage: &Stage) -> Vec<String> {
    let mut uids = Vec::new();
    for kind in ["PatchBaseline", "Stack"] {
        let objects = stage.list(stage.namespace(), kind).await.into_iter();
        uids.extend(objects.filter_map(|object| object.metadata.uid));
    }
    let definitions: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    let definitions = definitions.list(&ListParams::default()).await.unwrap();
    let ours = definitions.items.into_iter().filter(|one| {
        one.spec.group == resource::GROUP && one.metadata.deletion_timestamp.is_none()
    });
    uids.extend(ours.filter_map(|one| one.metadata.uid));
    uids
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
