//! What is at hand from an earlier look is not read again, and nothing that changed since goes unseen.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatch::types::Tag;
use stationbill::aws::{Connection, Connector, Owners, connect};
use stationbill::kinds;
use stationbill::load::{Declared, load};
use stationbill::model::plan::{Action, Because, Plan, Wish};
use stationbill::model::stamp;

use crate::support::{STACK, Scene, told};

const DOCUMENTS: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: Runbook
metadata: { name: repair }
spec:
  content: |
    schemaVersion: '0.3'
    mainSteps: [{ name: wait, action: aws:sleep, inputs: { Duration: PT1S } }]
---
apiVersion: stationbill.dev/v1alpha1
kind: Document
metadata: { name: hello }
spec:
  documentType: Command
  content: |
    schemaVersion: '2.2'
    mainSteps: [{ name: hello, action: aws:runShellScript, inputs: { runCommand: [echo hello] } }]
---
apiVersion: stationbill.dev/v1alpha1
kind: Dashboard
metadata: { name: shop }
spec:
  tags: { team: shop }
  body: { widgets: [{ type: text, width: 6, height: 2, properties: { markdown: bananas } }] }
";

/// What each look has asked AWS for.
const READS: [&str; 4] = [
    "DescribeDocument",
    "DescribeDocumentPermission",
    "GetDashboard",
    "GetDocument",
];

fn declared() -> Vec<Declared> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    std::fs::write(&file, DOCUMENTS).unwrap();
    let loaded = load(&[file], &kinds::specs()).unwrap();
    assert!(loaded.report.is_ok());
    loaded.objects
}

/// Looks at the same AWS through another connection.
fn through(scene: &Scene, connection: &Connection) -> Scene {
    let here = connection.aws.clone();
    let mut world = scene.world.clone();
    world.places = BTreeMap::from([(here.location.clone(), here.clone())]);
    Scene {
        sandbox: scene.sandbox.clone(),
        aws: here,
        world,
    }
}

/// A later run: a connection of its own.
struct Run<'a> {
    scene: &'a Scene,
    connection: Connection,
}

impl<'a> Run<'a> {
    async fn begin(scene: &'a Scene) -> Self {
        let connector = Connector {
            sandbox: Some(scene.sandbox.clone()),
            ..Connector::default()
        };
        let connection = connect(&connector).await.unwrap();
        Self { scene, connection }
    }

    /// Plans, and says how often each of the reads was called.
    async fn look(&self) -> (Plan, [u64; 4]) {
        let scene = through(self.scene, &self.connection);
        let before = self.counts();
        let plan = scene.plan(STACK, &declared(), &Wish::default()).await.2;
        let after = self.counts();
        (plan, std::array::from_fn(|at| after[at] - before[at]))
    }

    fn counts(&self) -> [u64; 4] {
        let calls = self.connection.calls.by_operation();
        READS.map(|read| {
            let of = calls.iter().filter(|((_, operation), _)| operation == read);
            of.map(|(_, count)| count).sum()
        })
    }
}

fn drifted(plan: &Plan) -> Vec<String> {
    let drift = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Update && change.because == [Because::Drift]);
    drift.map(|change| change.address.to_string()).collect()
}

async fn applied() -> Scene {
    let scene = Scene::new(1).await;
    let (plan, _) = scene.converge(&declared(), &Wish::default(), 3).await;
    assert!(plan.is_empty(), "{}", told(&plan));
    scene.sandbox.clock().advance(Duration::from_mins(1));
    scene
}

#[tokio::test]
async fn what_has_not_changed_is_not_read_again() {
    let scene = applied().await;
    let first = Run::begin(&scene).await;
    // The content of a document is declared, and its hash says that AWS has the same.
    let (plan, reads) = first.look().await;
    assert!(plan.is_empty(), "{}", told(&plan));
    assert_eq!(reads, [2, 2, 1, 0]);
    let (plan, reads) = first.look().await;
    assert!(plan.is_empty(), "{}", told(&plan));
    // With whom a document is shared no list tells.
    assert_eq!(reads, [0, 2, 0, 0]);

    let folder = tempfile::tempdir().unwrap();
    first.connection.aws.memory.save(folder.path()).unwrap();
    let second = Run::begin(&scene).await;
    second.connection.aws.memory.load(folder.path()).unwrap();
    let (plan, reads) = second.look().await;
    assert!(plan.is_empty(), "{}", told(&plan));
    assert_eq!(reads, [0, 2, 0, 0]);
}

#[tokio::test]
async fn what_changed_in_between_is_seen() {
    let scene = applied().await;
    let run = Run::begin(&scene).await;
    assert!(run.look().await.0.is_empty());

    let ssm = &scene.aws.ssm;
    let other = "schemaVersion: '0.3'\nmainSteps: [{ name: wait, action: aws:sleep, inputs: { Duration: PT2S } }]\n";
    let request = ssm.update_document().name("repair").content(other);
    let request = request
        .document_version("$LATEST")
        .document_format("YAML".into());
    request.send().await.unwrap();
    let request = ssm.update_document_default_version().name("repair");
    request.document_version("2").send().await.unwrap();
    // Just as long as what is declared.
    let body =
        r#"{"widgets":[{"type":"text","width":6,"height":2,"properties":{"markdown":"peaches"}}]}"#;
    let request = scene.aws.cloudwatch.put_dashboard();
    let request = request.dashboard_name("shop").dashboard_body(body);
    request.send().await.unwrap();
    let plan = run.look().await.0;
    assert_eq!(
        drifted(&plan),
        ["Runbook/repair", "Dashboard/shop"],
        "{}",
        told(&plan)
    );
}

#[tokio::test]
async fn a_document_that_was_made_anew_is_read_anew() {
    let scene = applied().await;
    let run = Run::begin(&scene).await;
    assert!(run.look().await.0.is_empty());

    let ssm = &scene.aws.ssm;
    let listed = ssm.list_tags_for_resource().resource_id("hello");
    let listed = listed
        .resource_type("Document".into())
        .send()
        .await
        .unwrap();
    ssm.delete_document().name("hello").send().await.unwrap();
    let other = "schemaVersion: '2.2'\nmainSteps: [{ name: hello, action: aws:runShellScript, inputs: { runCommand: \
                 [echo bye] } }]\n";
    let request = ssm.create_document().name("hello").content(other);
    let request = request
        .document_type("Command".into())
        .document_format("YAML".into());
    request.set_tags(listed.tag_list).send().await.unwrap();
    let plan = run.look().await.0;
    assert_eq!(drifted(&plan), ["Document/hello"], "{}", told(&plan));
}

#[tokio::test]
async fn tags_are_read_each_time() {
    let scene = applied().await;
    let run = Run::begin(&scene).await;
    assert!(run.look().await.0.is_empty());
    let account = &scene.aws.location.account;
    let request = scene.aws.cloudwatch.tag_resource();
    let request = request.resource_arn(format!("arn:aws:cloudwatch::{account}:dashboard/shop"));
    let tag = aws_sdk_cloudwatch::types::Tag::builder()
        .key("team")
        .value("bank");
    request.tags(tag.build()).send().await.unwrap();
    let plan = run.look().await.0;
    assert_eq!(plan.changes.len(), 1, "{}", told(&plan));
    let paths: Vec<_> = plan.changes[0]
        .differences
        .iter()
        .map(|d| &d.path)
        .collect();
    assert_eq!(paths, ["/tags/team"]);
}

#[tokio::test]
async fn what_another_stack_owns_is_not_asked_again() {
    let scene = applied().await;
    let connector = Connector {
        sandbox: Some(scene.sandbox.clone()),
        owners: Some(Owners::default()),
        ..Connector::default()
    };
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    // Each looks through a way of its own, as the namespaces of an operator do.
    let look = async |stack: &str, declared: &[Declared]| {
        let connection = connect(&connector).await.unwrap();
        let scene = through(&scene, &connection);
        let plan = scene.plan(stack, declared, &prune).await.2;
        let calls = connection.calls.by_operation();
        let asked = calls
            .iter()
            .filter(|((_, operation), _)| operation == "ListTagsForResource");
        (plan, asked.map(|(_, count)| count).sum::<u64>())
    };
    // The dashboard; the list of documents tells tags itself.
    let (plan, asked) = look("bank", &[]).await;
    assert!(plan.changes.is_empty());
    assert_eq!(asked, 1);
    assert_eq!(look("bank", &[]).await.1, 0);
    assert_eq!(look("hotel", &[]).await.1, 0);
    // Its owner asks all the same, and so does whoever wants its name.
    assert_eq!(look(STACK, &declared()).await.1, 1);
    let mut wanted = declared();
    wanted.retain(|one| one.address.kind == "Dashboard");
    let (plan, asked) = look("bank", &wanted).await;
    assert_eq!(asked, 1);
    assert_eq!(plan.count(Action::Blocked), 1, "{}", told(&plan));
    // Given to the bank by hand: unseen while it is remembered, and seen by whoever asks.
    let arn = "arn:aws:cloudwatch::111122223333:dashboard/shop";
    let stamp = Tag::builder().key(stamp::STACK).value("bank").build();
    let given = scene.aws.cloudwatch.tag_resource().resource_arn(arn);
    given.tags(stamp).send().await.unwrap();
    assert_eq!(look("bank", &[]).await.0.count(Action::Delete), 0);
    assert_eq!(look("bank", &wanted).await.0.count(Action::Blocked), 0);
    assert_eq!(look("bank", &[]).await.0.count(Action::Delete), 1);
}
