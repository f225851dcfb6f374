//! `examples/banana-stand` as objects of a cluster, with the chart's rights: the same as the command line makes of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stationbill::aws::{Connector, connect};
use stationbill::engine::fleet::{Fleet, Selection};
use stationbill::engine::run::{digest, look, stack_name, wish};
use stationbill::engine::secrets::Sources;
use stationbill::engine::{Patience, run};
use stationbill::model::plan::{Plan, Wish};
use stationbill::model::stamp::Tags;
use stationbill::{kinds, load};

use super::{PATIENCE, Stage, command, for_cluster, measured, read_all, stack};
use crate::support::{STACK, Scene, example, number, told};

/// The operator, in the account that the simulated AWS gives to whoever names none.
const KEY: &str = "OPERATOR";

/// The hash of the plan that the command line makes of the folder in mode `report`, before anything is there.
pub(super) async fn planned(stage: &Stage) -> String {
    let loaded = load::load(&[example(STACK)], &kinds::specs()).unwrap();
    let connector = Connector {
        sandbox: Some(stage.sandbox.clone()),
        ..Connector::default()
    };
    let connection = connect(&connector).await.unwrap();
    let fleet = Fleet::find(&connection, &loaded, &Selection::default())
        .await
        .unwrap();
    let world = fleet.world(Patience::default());
    let sources = Sources::Machine(Arc::new(|_| None));
    let desired = fleet.desired(&stack_name(&loaded), &loaded, &sources).await;
    let mut wish = wish(&loaded, "2031-01-01".to_owned());
    wish.report_only = true;
    let plan = look(&fleet, &world, &desired, &wish, &|_| {}).await;
    run::digest(&plan)
}

#[test]
fn the_stand_in_a_cluster_is_the_stand_of_the_folder() {
    let Some(stage) = Stage::open(1) else { return };
    let mut documents = for_cluster(read_all(Path::new("examples/banana-stand")));
    let at = documents
        .iter()
        .position(|document| document["kind"] == "Stack")
        .unwrap();
    let mut stand = documents.remove(at);
    let expected = stage.runtime.block_on(planned(&stage));
    assert_ne!(expected, digest(&Plan::default()));
    let before = stage.aws();

    // Only reported: the same plan, and nothing written.
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        stand["spec"]["mode"] = "report".into();
        stage.apply_all(stage.namespace(), &documents).await;
        stage.apply(stage.namespace(), &stand).await.unwrap();
        let began = Instant::now();
        loop {
            let stack = stage.get("Stack", STACK).await.unwrap();
            if stack.data["status"]["plan"] == expected.as_str() {
                break;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{expected} {:#?}\n{}",
                stack.data["status"],
                stage.log(KEY)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert_eq!(stage.aws()["accounts"], before["accounts"]);

    // Enforced: everything is ready, and AWS is as the folder makes it.
    stage.runtime.block_on(async {
        stand["spec"]["mode"] = "enforce".into();
        stage.apply(stage.namespace(), &stand).await.unwrap();
        stage.settled(stage.namespace(), KEY).await;
    });
    stage.runtime.block_on(async {
        let loaded = load::load(&[example(STACK)], &kinds::specs()).unwrap();
        let folder = Scene::new(7).await;
        let (plan, _) = folder.converge(&loaded.objects, &Wish::default(), 3).await;
        assert!(plan.is_empty(), "{}", told(&plan));
        let cluster = stage.is_as_declared(&loaded.objects).await;
        assert_eq!(stamps(&cluster).await, stamps(&folder).await);
    });
}

/// What stamps there are: they hold hashes of all that was applied.
async fn stamps(scene: &Scene) -> BTreeSet<(String, String, Tags)> {
    let all = scene.everything().await.into_iter();
    all.map(|((kind, _), live)| (kind, live.name, live.tags))
        .collect()
}

#[test]
fn a_steady_stack_costs_no_writes_and_an_edit_is_in_aws_at_once() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        stage
            .apply(namespace, &command("say", "first"))
            .await
            .unwrap();
        let shop = stack("steady", &json!({ "interval": "1s" }));
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;

        // Several looks that find nothing new.
        let versions = || async {
            let (stack, object) = (
                stage.get("Stack", "steady").await,
                stage.get("Document", "say").await,
            );
            [stack, object].map(|object| object.unwrap().metadata.resource_version)
        };
        let (before, from) = (versions().await, stage.count());
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(versions().await, before);
        assert_eq!(stage.writes(from).len(), 0);
        let lists = stage.count() - from;
        assert!(
            (3..=40).contains(&lists),
            "{lists} calls in five looks or so"
        );

        let mut times = Vec::new();
        let edits = number("STATIONBILL_EDITS").unwrap_or(10);
        for edit in 0..edits {
            let began = Instant::now();
            let text = format!("edit {edit}");
            stage
                .apply(namespace, &command("say", &text))
                .await
                .unwrap();
            while !stage.aws().to_string().contains(&text) {
                assert!(began.elapsed() < PATIENCE, "{}", stage.log(KEY));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            times.push(began.elapsed());
        }
        times.sort();
        let what = format!("an edit is in AWS (median of {edits})");
        measured(&what, times[times.len() / 2]);
    });
}

#[test]
fn drift_is_repaired_or_only_reported() {
    let Some(stage) = Stage::open(1) else { return };
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = stack("drifting", &json!({ "interval": "1s" }));
        stage
            .apply(namespace, &command("say", "as declared"))
            .await
            .unwrap();
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;
        behind_our_back(&stage, "changed by somebody").await;
        let began = Instant::now();
        while latest(&stage).await != "as declared" {
            assert!(began.elapsed() < PATIENCE, "{}", stage.log(KEY));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let began = Instant::now();
        loop {
            let object = stage.get("Document", "say").await.unwrap();
            if object.data["status"]["lastDrift"].is_string() {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{:#}", object.data["status"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        shop["spec"]["mode"] = "report".into();
        stage.apply(namespace, &shop).await.unwrap();
        stage.becomes("Stack", "drifting", "InSync", KEY).await;
        let from = stage.count();
        behind_our_back(&stage, "changed once more").await;
        stage.becomes("Document", "say", "Differs", KEY).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(latest(&stage).await, "changed once more");
        let writes = stage.writes(from);
        assert!(writes.iter().all(|call| call.key != KEY), "{writes:?}");

        // Suspended: not even looked at.
        shop["spec"]["suspend"] = true.into();
        stage.apply(namespace, &shop).await.unwrap();
        stage.becomes("Stack", "drifting", "Suspended", KEY).await;
        let from = stage.count();
        stage
            .apply(namespace, &command("say", "not yet"))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(stage.count(), from);
        shop["spec"] = json!({});
        stage.apply(namespace, &shop).await.unwrap();
        stage.settled(namespace, KEY).await;
        assert_eq!(latest(&stage).await, "not yet");
    });
}

/// The description in the newest version of the document.
pub(super) async fn latest(stage: &Stage) -> String {
    let scene = Scene::of(stage.sandbox.clone()).await;
    let answer = scene
        .aws
        .ssm
        .get_document()
        .name("say")
        .send()
        .await
        .unwrap();
    let content: Value = serde_json::from_str(&answer.content.unwrap()).unwrap();
    content["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Somebody changes the document with a client of their own.
pub(super) async fn behind_our_back(stage: &Stage, text: &str) {
    let scene = Scene::of(stage.sandbox.clone()).await;
    let content = command("say", text)["spec"]["content"].to_string();
    let update = scene
        .aws
        .ssm
        .update_document()
        .name("say")
        .content(content)
        .document_version("$LATEST");
    let version = update
        .send()
        .await
        .unwrap()
        .document_description
        .unwrap()
        .document_version
        .unwrap();
    let default = scene
        .aws
        .ssm
        .update_document_default_version()
        .name("say")
        .document_version(version);
    default.send().await.unwrap();
}
