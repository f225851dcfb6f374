//! Alarms, against the simulated AWS: what the tables over all kinds do not show.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stationbill::aws::{Connector, connect};
use stationbill::kinds::{self, Select};
use stationbill::load::{Declared, load};
use stationbill::model::plan::{Action, Plan, Wish};
use stationbill::model::stamp::Stamp;

use crate::support::{STACK, Scene, told};

const METRIC: &str = "namespace: Banana\n  metricName: Errors\n  statistic: Sum\n  period: 60\n  evaluationPeriods: 1\n  \
                      comparisonOperator: GreaterThanThreshold\n  threshold: 1\n";

fn document(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: stationbill.dev/v1alpha1\nkind: Alarm\nmetadata: {{ name: {name} }}\nspec:\n  {spec}\n"
    )
}

fn composite(name: &str, rule: &str, alarms: &[&str]) -> String {
    let alarms = alarms
        .iter()
        .map(|alarm| format!("{alarm}: {{ ref: {alarm} }}"));
    let alarms = alarms.collect::<Vec<_>>().join(", ");
    document(
        name,
        &format!("type: composite\n  rule: {rule}\n  alarms: {{ {alarms} }}"),
    )
}

fn read(text: &str) -> (Vec<Declared>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alarms.yaml");
    std::fs::write(&file, text).unwrap();
    let loaded = load(&[file], &kinds::specs()).unwrap();
    let found = loaded.report.diagnostics.iter();
    let found = found
        .map(|d| format!("{}: {}", d.code, d.message))
        .collect();
    (loaded.objects, found)
}

fn documents(text: &[String]) -> Vec<Declared> {
    let (objects, found) = read(&text.concat());
    assert_eq!(found, Vec::<String>::new());
    objects
}

async fn apply(scene: &Scene, documents: &[Declared], wish: &Wish) -> Plan {
    let plan = scene.plan(STACK, documents, wish).await.2;
    let outcome = scene.apply(&plan).await;
    for (change, ending) in plan.changes.iter().zip(&outcome.endings) {
        let done = matches!(ending, Some(stationbill::engine::Ending::Done));
        assert!(done || !change.acts(), "{ending:?}\n{}", told(&plan));
    }
    plan
}

/// How often each operation is called while something is done.
async fn calls(
    scene: &Scene,
    run: impl AsyncFnOnce(&stationbill::aws::Aws),
) -> BTreeMap<String, u64> {
    let connector = Connector {
        sandbox: Some(scene.sandbox.clone()),
        ..Connector::default()
    };
    let connection = connect(&connector).await.unwrap();
    run(&connection.aws).await;
    let calls = connection.calls.by_operation().into_iter();
    let calls = calls.filter(|((service, _), _)| service == "monitoring");
    calls
        .map(|((_, operation), count)| (operation, count))
        .collect()
}

#[test]
fn alarms_in_a_circle_are_found_offline() {
    let circle = [
        composite("a", "ALARM(b)", &["b"]),
        composite("b", "NOT ALARM(c)", &["c"]),
        composite("c", "ALARM(a)", &["a"]),
        composite("self", "OK(self)", &["self"]),
    ];
    let found = read(&circle.concat()).1;
    assert_eq!(
        found,
        [
            "cyclic-ref: `Alarm/a` → `Alarm/b` → `Alarm/c` → `Alarm/a` is a circle",
            "cyclic-ref: `Alarm/self` → `Alarm/self` is a circle",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_alarm_changes_its_type_once_no_other_refers_to_it() {
    let scene = Scene::new(1).await;
    let before = [
        document("base", METRIC),
        document("turned", METRIC),
        composite("top", "ALARM(turned)", &["turned"]),
    ];
    apply(&scene, &documents(&before), &Wish::default()).await;
    let turned = composite("turned", "ALARM(base)", &["base"]);
    let held = documents(&[before[0].clone(), turned.clone(), before[2].clone()]);
    let plan = scene.plan(STACK, &held, &Wish::default()).await.2;
    assert_eq!(plan.changes.len(), 1, "{}", told(&plan));
    let reason = plan.changes[0].reason.as_deref().unwrap_or_default();
    assert_eq!(plan.changes[0].action, Action::Blocked);
    assert!(reason.contains("Alarm/top refers to it"), "{reason}");
    let free = documents(&[
        before[0].clone(),
        turned,
        composite("top", "ALARM(base)", &["base"]),
    ]);
    let first = apply(&scene, &free, &Wish::default()).await;
    let actions = |plan: &Plan| plan.changes.iter().map(|c| c.action).collect::<Vec<_>>();
    assert_eq!(
        actions(&first),
        [Action::Update, Action::Blocked],
        "{}",
        told(&first)
    );
    let second = apply(&scene, &free, &Wish::default()).await;
    assert_eq!(actions(&second), [Action::Replace], "{}", told(&second));
    assert!(
        scene
            .plan(STACK, &free, &Wish::default())
            .await
            .2
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn whole_trees_are_made_from_the_bottom_and_deleted_from_the_top() {
    let scene = Scene::new(1).await;
    let tree = [
        composite(
            "a-top",
            "ALARM(b-middle) OR ALARM(c-leaf)",
            &["b-middle", "c-leaf"],
        ),
        composite("b-middle", "ALARM(c-leaf)", &["c-leaf"]),
        document("c-leaf", METRIC),
        document(
            "a-quiet",
            "type: composite\n  rule: \"FALSE\"\n  actionsSuppressor: { alarm: { ref: a-top }, waitPeriod: 1, extensionPeriod: 1 }",
        ),
    ];
    let all = documents(&tree);
    apply(&scene, &all, &Wish::default()).await;
    // The middle goes, and the top lets go of it in the same run.
    let less = documents(&[
        composite("a-top", "ALARM(c-leaf)", &["c-leaf"]),
        tree[2].clone(),
        tree[3].clone(),
    ]);
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    apply(&scene, &less, &prune).await;
    let destroy = Wish {
        destroy: true,
        ..Wish::default()
    };
    apply(&scene, &less, &destroy).await;
    assert!(scene.everything().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn putting_an_alarm_never_writes_over_a_strangers() {
    let scene = Scene::new(1).await;
    let documents = documents(&[document("a", METRIC)]);
    let plan = scene.plan(STACK, &documents, &Wish::default()).await.2;
    // Somebody is faster than this run.
    let theirs = scene
        .aws
        .cloudwatch
        .put_metric_alarm()
        .alarm_name("a")
        .namespace("Mango")
        .metric_name("Theirs");
    let theirs = theirs
        .statistic("Sum".into())
        .period(60)
        .evaluation_periods(1)
        .threshold(2.0);
    theirs
        .comparison_operator("LessThanThreshold".into())
        .send()
        .await
        .unwrap();
    let before = scene.everything().await;
    let outcome = scene.apply(&plan).await;
    let ending = format!("{:?}", outcome.endings);
    assert!(ending.contains("there is an alarm `a` already"), "{ending}");
    assert_eq!(scene.everything().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_rule_made_in_the_console_is_compared_by_meaning() {
    let scene = Scene::new(1).await;
    let text = [
        document("a", METRIC),
        document("b", METRIC),
        document(
            "top",
            "type: composite\n  rule: ALARM(first) AND NOT OK(second)\n  \
             alarms: { first: { ref: a }, second: { ref: b } }",
        ),
    ];
    let documents = documents(&text);
    apply(&scene, &documents, &Wish::default()).await;
    let arn = "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:a";
    let put = scene.aws.cloudwatch.put_composite_alarm().alarm_name("top");
    let rule = format!("(NOT (OK(\"b\")))\n AND (ALARM({arn}))");
    put.alarm_rule(rule).send().await.unwrap();
    let plan = scene.plan(STACK, &documents, &Wish::default()).await.2;
    assert!(plan.is_empty(), "{}", told(&plan));
    let put = scene.aws.cloudwatch.put_composite_alarm().alarm_name("top");
    put.alarm_rule("ALARM(a) OR NOT OK(b)")
        .send()
        .await
        .unwrap();
    let plan = apply(&scene, &documents, &Wish::default()).await;
    let differences = &plan.changes[0].differences;
    let (old, new) = (
        json!("ALARM(a) OR NOT OK(b)"),
        json!("ALARM(a) AND NOT OK(b)"),
    );
    assert_eq!(
        (differences[0].path.as_str(), differences.len()),
        ("/rule", 1)
    );
    assert_eq!(
        (differences[0].old.as_ref(), differences[0].new.as_ref()),
        (Some(&old), Some(&new))
    );
}

#[tokio::test(start_paused = true)]
async fn unchanged_alarms_cost_a_page_for_a_hundred_and_their_tags() {
    let scene = Scene::new(1).await;
    let kind = kinds::find("Alarm").unwrap();
    let spec = |name: &str| {
        kind.parse(&json!({"name": name, "namespace": "Banana", "metricName": "Errors", "statistic": "Sum",
            "period": 60, "evaluationPeriods": 1, "threshold": 1, "comparisonOperator": "GreaterThanThreshold"}))
            .unwrap()
    };
    let nobody = Stamp {
        tags: BTreeMap::new(),
        token: String::new(),
    };
    let names: BTreeSet<String> = (0..120).map(|n| format!("alarm-{n:03}")).collect();
    for name in &names {
        kind.create(&scene.aws, &spec(name), &nobody).await.unwrap();
    }
    let wanted = Select::of(STACK, names.clone());
    let read = calls(&scene, async |aws| {
        assert_eq!(kind.list(aws, &wanted).await.unwrap().len(), 120);
    });
    let expected = [("DescribeAlarms", 2), ("ListTagsForResource", 120)];
    assert_eq!(
        read.await,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
    let one = calls(&scene, async |aws| {
        let live = kind
            .list(aws, &Select::one("alarm-007"))
            .await
            .unwrap()
            .remove(0);
        // Nothing differs, so nothing is written: a write would begin a warm-up period anew.
        kind.update(aws, &live.spec, &live, &nobody).await.unwrap();
    });
    let expected = [("DescribeAlarms", 1), ("ListTagsForResource", 1)];
    assert_eq!(
        one.await,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
}
