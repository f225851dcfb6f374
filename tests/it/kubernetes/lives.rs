//! Objects and Stacks that are deleted, in every order; what is broken beside what is not; and what holds for ever
//! nothing.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use stationbill::aws::{Connector, connect};
use stationbill::kinds::{self, Select};
use stationbill::operator::resource::{ADOPT, LET_GO, RECONCILE};

use super::{PATIENCE, Stage, command, document, stack};
use crate::support::Scene;

const KEY: &str = "OPERATOR";

/// The names of the documents that are in AWS.
pub(super) async fn there(stage: &Stage) -> Vec<String> {
    let scene = Scene::of(stage.sandbox.clone()).await;
    let everything = scene.everything().await.into_iter();
    let documents = everything.filter(|((kind, _), _)| kind == "Document");
    documents.map(|(_, live)| live.name).collect()
}

pub(super) async fn gone(stage: &Stage, kind: &str, name: &str) {
    let began = Instant::now();
    while let Some(object) = stage.get(kind, name).await {
        assert!(
            began.elapsed() < PATIENCE,
            "{object:#?}\n{}",
            stage.log(KEY)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) fn with(mut document: Value, lifecycle: Value) -> Value {
    document["spec"]["lifecycle"] = lifecycle;
    document
}

#[test]
fn deleting_in_aws_is_asked_for() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = stack("deletes", &json!({}));
        let all = [
            command("plain", "a"),
            with(command("retained", "b"), json!({ "onDelete": "retain" })),
            with(command("deleted", "c"), json!({ "onDelete": "delete" })),
            with(
                command("protected", "d"),
                json!({ "onDelete": "delete", "protect": true }),
            ),
            command("pruned", "e"),
        ];
        stage.apply_all(namespace, &all).await;
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;
        assert_eq!(there(&stage).await.len(), 5);

        for name in ["plain", "retained", "deleted"] {
            stage.delete(namespace, "Document", name).await;
            gone(&stage, "Document", name).await;
        }
        assert_eq!(
            there(&stage).await,
            ["plain", "protected", "pruned", "retained"]
        );

        // What may not be deleted stays, says why, and goes when it is told to.
        stage.delete(namespace, "Document", "protected").await;
        stage
            .becomes("Document", "protected", "Deleting", KEY)
            .await;
        let object = stage.get("Document", "protected").await.unwrap();
        let status = object.data["status"].to_string();
        assert!(
            status.contains("`lifecycle.protect` forbids") && status.contains(LET_GO),
            "{status}"
        );
        stage
            .annotate("Document", "protected", LET_GO, "true")
            .await;
        gone(&stage, "Document", "protected").await;
        assert_eq!(
            there(&stage).await,
            ["plain", "protected", "pruned", "retained"]
        );

        // A Stack that prunes deletes what does not say otherwise, also what was left behind before.
        shop["spec"] = json!({ "prune": true });
        stage.apply(namespace, &shop).await.unwrap();
        stage.delete(namespace, "Document", "pruned").await;
        gone(&stage, "Document", "pruned").await;
        let began = Instant::now();
        while there(&stage).await != ["retained"] {
            assert!(
                began.elapsed() < PATIENCE,
                "{:?}\n{}",
                there(&stage).await,
                stage.log(KEY)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn a_stack_waits_for_its_objects_and_a_namespace_for_nobody() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let deleted = json!({ "onDelete": "delete" });
        stage
            .apply(namespace, &with(command("one", "a"), deleted.clone()))
            .await
            .unwrap();
        stage
            .apply(namespace, &with(command("two", "b"), deleted))
            .await
            .unwrap();
        stage
            .apply(namespace, &stack("waits", &json!({})))
            .await
            .unwrap();
        stage.settled(namespace, KEY).await;

        // The Stack first: it stays until its objects have gone, and changes nothing else.
        stage.delete(namespace, "Stack", "waits").await;
        stage.becomes("Stack", "waits", "Deleting", KEY).await;
        stage
            .apply(
                namespace,
                &with(command("two", "changed"), json!({ "onDelete": "delete" })),
            )
            .await
            .unwrap();
        stage.delete(namespace, "Document", "one").await;
        gone(&stage, "Document", "one").await;
        assert_eq!(there(&stage).await, ["two"]);
        assert!(!stage.aws().to_string().contains("changed"));

        // The whole namespace: its controller deletes everything that is in it. There is none here, so we do.
        let all: Api<Namespace> = Api::all(stage.client.clone());
        all.delete(namespace, &DeleteParams::default())
            .await
            .unwrap();
        stage.delete(namespace, "Document", "two").await;
        gone(&stage, "Document", "two").await;
        gone(&stage, "Stack", "waits").await;
        assert!(there(&stage).await.is_empty());
    });
}

/// The names of the documents that are in an account.
async fn in_account(stage: &Stage, account: &str) -> Vec<String> {
    let connector = Connector {
        sandbox: Some(stage.sandbox.clone()),
        sandbox_account: Some(account.to_owned()),
        ..Connector::default()
    };
    let aws = connect(&connector).await.unwrap().aws;
    let kind = kinds::find("Document").unwrap();
    let all = kind.list(&aws, &Select::Everything).await.unwrap();
    all.into_iter().map(|live| live.name).collect()
}

const OTHER: &str = "444455556666";

fn target(name: &str, account: &str) -> Value {
    let spec =
        json!({ "accounts": [account], "regions": ["ap-northeast-1"], "role": { "name": "ops" } });
    document("Target", name, &spec)
}

#[test]
fn nothing_is_left_behind_because_its_target_went_first() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let deleted = json!({ "onDelete": "delete" });
        let all = [target("there", OTHER), with(command("one", "a"), deleted)];
        stage.apply_all(namespace, &all).await;
        let shop = stack("far", &json!({}));
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;
        assert_eq!(in_account(&stage, OTHER).await, ["one"]);

        // The only Target: it stays, and nothing is made at home instead.
        stage.delete(namespace, "Target", "there").await;
        stage.becomes("Target", "there", "Deleting", KEY).await;
        stage.annotate("Stack", "far", RECONCILE, "1").await;
        stage.settled(namespace, KEY).await;
        assert_eq!(there(&stage).await, [""; 0]);
        assert_eq!(in_account(&stage, OTHER).await, ["one"]);

        // Another one leads to the same place: the first goes.
        stage
            .apply(namespace, &target("again", OTHER))
            .await
            .unwrap();
        gone(&stage, "Target", "there").await;
        stage.settled(namespace, KEY).await;
        assert_eq!(in_account(&stage, OTHER).await, ["one"]);

        // All of the folder, the Target first.
        for (kind, name) in [("Target", "again"), ("Stack", "far"), ("Document", "one")] {
            stage.delete(namespace, kind, name).await;
        }
        for (kind, name) in [("Document", "one"), ("Stack", "far"), ("Target", "again")] {
            gone(&stage, kind, name).await;
        }
        assert_eq!(in_account(&stage, OTHER).await, [""; 0]);
    });
}

#[test]
fn an_object_goes_from_where_it_alone_was() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut far = with(command("far", "a"), json!({ "onDelete": "delete" }));
        far["spec"]["targets"] = json!(["there"]);
        let all = [
            target("here", "111122223333"),
            target("there", OTHER),
            command("near", "b"),
            far,
        ];
        stage.apply_all(namespace, &all).await;
        let shop = stack("both", &json!({ "targets": ["here"] }));
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;
        assert_eq!(in_account(&stage, OTHER).await, ["far"]);
        assert_eq!(there(&stage).await, ["near"]);

        stage.delete(namespace, "Document", "far").await;
        gone(&stage, "Document", "far").await;
        assert_eq!(in_account(&stage, OTHER).await, [""; 0]);
    });
}

#[test]
fn without_credentials_nothing_is_held_for_ever() {
    let Some(stage) = Stage::open(1) else { return };
    let operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        stage
            .apply(
                namespace,
                &with(command("one", "a"), json!({ "onDelete": "delete" })),
            )
            .await
            .unwrap();
        stage.apply(namespace, &command("two", "b")).await.unwrap();
        stage
            .apply(namespace, &stack("poor", &json!({})))
            .await
            .unwrap();
        stage.settled(namespace, KEY).await;
    });
    operator.stop();
    // Its AWS is nowhere now.
    let mut lost = Stage {
        url: "http://127.0.0.1:9".to_owned(),
        ..stage
    };
    let _operator = lost.operator(KEY, &[]);
    lost.url.clear();
    lost.runtime.block_on(async {
        let namespace = lost.namespace();
        // What stays in AWS needs none of it.
        lost.delete(namespace, "Document", "two").await;
        gone(&lost, "Document", "two").await;
        lost.delete(namespace, "Document", "one").await;
        lost.becomes("Document", "one", "Deleting", KEY).await;
        let object = lost.get("Document", "one").await.unwrap();
        assert!(
            object.data["status"].to_string().contains(LET_GO),
            "{:#}",
            object.data["status"]
        );
        lost.annotate("Document", "one", LET_GO, "true").await;
        gone(&lost, "Document", "one").await;
        lost.delete(namespace, "Stack", "poor").await;
        gone(&lost, "Stack", "poor").await;
    });
}

#[test]
fn one_that_is_broken_is_invalid_and_the_others_go_on() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        // Objects before their Stack.
        stage.apply(namespace, &command("good", "a")).await.unwrap();
        stage.becomes("Document", "good", "NoStack", KEY).await;
        // Only the loader can tell that this is wrong: its text is no YAML.
        let mut bad = command("bad", "b");
        bad["spec"]["content"] = "a: [".into();
        stage.apply(namespace, &bad).await.unwrap();
        let waits = json!({ "displayName": "Waits", "stages": [
            { "durationMinutes": 1, "engage": [{ "contact": { "ref": "nobody" } }] },
        ] });
        stage
            .apply(namespace, &document("EscalationPlan", "waits", &waits))
            .await
            .unwrap();
        stage
            .apply(namespace, &stack("broken", &json!({ "prune": true })))
            .await
            .unwrap();
        stage.becomes("Document", "bad", "Invalid", KEY).await;
        stage
            .becomes("EscalationPlan", "waits", "Invalid", KEY)
            .await;
        stage.becomes("Document", "good", "InSync", KEY).await;
        let plan = stage.get("EscalationPlan", "waits").await.unwrap();
        let status = plan.data["status"].to_string();
        assert!(
            status.contains("no Contact named `nobody`") && status.contains("Stalled"),
            "{status}"
        );

        // One that was good and is broken now stays as it was, though the Stack prunes.
        stage.apply(namespace, &command("bad", "b")).await.unwrap();
        stage.becomes("Document", "bad", "InSync", KEY).await;
        stage.apply(namespace, &bad).await.unwrap();
        stage.becomes("Document", "bad", "Invalid", KEY).await;
        assert_eq!(there(&stage).await, ["bad", "good"]);

        // A second Stack does not count, and a look is to be had at once.
        stage
            .apply(namespace, &stack("second", &json!({})))
            .await
            .unwrap();
        stage.becomes("Stack", "second", "Blocked", KEY).await;
        let from = stage.count();
        stage.annotate("Stack", "broken", RECONCILE, "now").await;
        let began = Instant::now();
        while stage.count() == from {
            assert!(began.elapsed() < PATIENCE, "{}", stage.log(KEY));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn what_nobody_owns_is_taken_over_when_an_annotation_says_so() {
    let Some(stage) = Stage::open(1) else { return };
    stage.runtime.block_on(async {
        let scene = Scene::of(stage.sandbox.clone()).await;
        let content = command("say", "by hand")["spec"]["content"].to_string();
        let create = scene.aws.ssm.create_document().name("say").content(content);
        let kind = aws_sdk_ssm::types::DocumentType::Command;
        let format = aws_sdk_ssm::types::DocumentFormat::Json;
        create
            .document_type(kind)
            .document_format(format)
            .send()
            .await
            .unwrap();
    });
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        stage
            .apply(namespace, &command("say", "by the cluster"))
            .await
            .unwrap();
        stage
            .apply(namespace, &stack("adopts", &json!({})))
            .await
            .unwrap();
        stage.becomes("Document", "say", "Unowned", KEY).await;
        stage.annotate("Document", "say", ADOPT, "true").await;
        stage.settled(namespace, KEY).await;
        assert!(stage.aws().to_string().contains("by the cluster"));
    });
}

#[test]
fn a_namespace_reaches_no_account_that_it_may_not_use() {
    let Some(stage) = Stage::open(2) else { return };
    let limits = stage.folder.path().join("limits.yaml");
    let one = &stage.namespaces[0];
    let text = format!(
        "namespaces:\n- names: [{one}]\n  allow:\n    accounts: ['444455556666']\n    roles: ['arn:aws:iam::*:role/stationbill']\n"
    );
    std::fs::write(&limits, text).unwrap();
    let limits = limits.to_str().unwrap();
    let _operator = stage.operator(KEY, &["--limits", limits]);
    stage.runtime.block_on(async {
        let target = |account: &str, role: &str| {
            document(
                "Target",
                "there",
                &json!({ "accounts": [account], "role": { "name": role } }),
            )
        };
        let namespace = stage.namespace();
        stage.apply(namespace, &command("say", "a")).await.unwrap();
        stage
            .apply(namespace, &target("777788889999", "stationbill"))
            .await
            .unwrap();
        stage
            .apply(namespace, &stack("fenced", &json!({})))
            .await
            .unwrap();
        stage.becomes("Stack", "fenced", "Invalid", KEY).await;
        stage
            .apply(namespace, &target("444455556666", "administrator"))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        stage.becomes("Stack", "fenced", "Invalid", KEY).await;
        let asked = stage
            .calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| call.operation != "GetCallerIdentity")
            .count();
        assert_eq!(asked, 0, "nothing was asked of AWS");
        stage
            .apply(namespace, &target("444455556666", "stationbill"))
            .await
            .unwrap();
        stage.settled(namespace, KEY).await;

        // A namespace that no entry names may use nothing, not even the account of the credentials at hand.
        let other = &stage.namespaces[1];
        stage
            .apply(other, &stack("unnamed", &json!({})))
            .await
            .unwrap();
        let began = Instant::now();
        loop {
            let stack = stage.api(other, "Stack").get("unnamed").await.unwrap();
            if stack.data["status"]["state"] == "Invalid" {
                let status = stack.data["status"].to_string();
                assert!(
                    status.contains("not one that this namespace may use"),
                    "{status}"
                );
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{}", stage.log(KEY));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn addresses_stay_in_their_secrets() {
    const ADDRESS: &str = "kayoko.never-seen@example.com";
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "people" },
            "stringData": { "kayoko": ADDRESS, "broken": format!("{ADDRESS} and more") },
        });
        stage.apply(namespace, &secret).await.unwrap();
        let set = json!({ "regions": [{ "name": "ap-northeast-1" }] });
        stage.apply(namespace, &document("ReplicationSet", "incidents", &set)).await.unwrap();
        let contact = |name: &str, key: &str| {
            document("Contact", name, &json!({ "displayName": name, "channels": {
                "mail": { "type": "EMAIL", "address": { "fromSecret": { "name": "people", "key": key } } },
            } }))
        };
        stage.apply(namespace, &contact("kayoko", "kayoko")).await.unwrap();
        stage.apply(namespace, &contact("mei", "missing")).await.unwrap();
        stage.apply(namespace, &contact("taro", "broken")).await.unwrap();
        stage.apply(namespace, &stack("people", &json!({}))).await.unwrap();
        stage.becomes("Contact", "kayoko", "InSync", KEY).await;
        stage.becomes("Contact", "mei", "Blocked", KEY).await;
        let mei = stage.get("Contact", "mei").await.unwrap().data.to_string();
        assert!(mei.contains("key `missing` of Secret `people` cannot be read"), "{mei}");
        assert!(stage.aws().to_string().contains(ADDRESS));

        let mut said = stage.log(KEY);
        for kind in ["Contact", "Stack", "ReplicationSet"] {
            for object in stage.list(namespace, kind).await {
                said.push_str(&object.data.to_string());
            }
        }
        let events: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(stage.client.clone(), namespace);
        let events = events.list(&kube::api::ListParams::default()).await.unwrap();
        assert!(!events.items.is_empty());
        said.push_str(&serde_json::to_string(&events.items).unwrap());
        assert!(!said.contains("kayoko.never-seen"), "{said}");
    });
}

#[test]
fn a_change_of_what_documents_refer_to_is_noticed() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let text = |description: &str| command("say", description)["spec"]["content"].to_string();
        let map = |text: String| {
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "texts" }, "data": { "say": text } })
        };
        let secret = |address: &str| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "people" },
                "stringData": { "kayoko": address },
            })
        };
        stage.apply(namespace, &map(text("first"))).await.unwrap();
        stage.apply(namespace, &secret("first@example.com")).await.unwrap();
        let set = json!({ "regions": [{ "name": "ap-northeast-1" }] });
        stage.apply(namespace, &document("ReplicationSet", "incidents", &set)).await.unwrap();
        let kayoko = json!({ "displayName": "Kayoko", "channels": {
            "mail": { "type": "EMAIL", "address": { "fromSecret": { "name": "people", "key": "kayoko" } } },
        } });
        stage.apply(namespace, &document("Contact", "kayoko", &kayoko)).await.unwrap();
        let mut say = command("say", "");
        let spec = say["spec"].as_object_mut().unwrap();
        spec.remove("content");
        spec.insert("contentFrom".to_owned(), json!({ "configMap": { "name": "texts", "key": "say" } }));
        stage.apply(namespace, &say).await.unwrap();
        let shop = stack("refers", &json!({ "interval": "10h" }));
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;

        let arrives = async |text: &str| {
            let began = Instant::now();
            while !stage.aws().to_string().contains(text) {
                assert!(began.elapsed() < PATIENCE, "{text}\n{}", stage.log(KEY));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        stage.apply(namespace, &map(text("second"))).await.unwrap();
        arrives("second").await;
        stage.apply(namespace, &secret("third@example.com")).await.unwrap();
        arrives("third@example.com").await;
        stage.settled(namespace, KEY).await;
    });
}
