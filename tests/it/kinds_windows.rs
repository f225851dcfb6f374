//! Maintenance windows and their children, which carry no tags, against the simulated AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_ssm::types::{MaintenanceWindowResourceType, MaintenanceWindowTaskType, Target};
use serde_json::{Value, json};
use stationbill::aws::{Connector, connect};
use stationbill::kinds::{self, Select};
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Because, Wish};
use stationbill::sandbox::{Enforce, Options, Sandbox};

use crate::scene::{Scene, loaded, told};

fn example() -> Vec<Declared> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kinds");
    let mut objects = loaded(&folder).unwrap().objects;
    objects.retain(|object| object.address.kind == "MaintenanceWindow");
    objects
}

fn servers() -> Target {
    let target = Target::builder().key("tag:Patch Group");
    target.values("production").build()
}

/// How many targets and tasks the window has.
async fn children(scene: &Scene, window: &str) -> (usize, usize) {
    let ssm = &scene.aws.ssm;
    let targets = ssm.describe_maintenance_window_targets().window_id(window);
    let tasks = ssm.describe_maintenance_window_tasks().window_id(window);
    (
        targets.send().await.unwrap().targets().len(),
        tasks.send().await.unwrap().tasks().len(),
    )
}

#[tokio::test]
async fn children_of_a_taken_name_or_of_none_are_removed() {
    let scene = Scene::new().await.unwrap();
    let documents = example();
    scene.apply(&documents).await.unwrap();
    let now = scene.nothing_left(&documents).await.unwrap();
    let window = now.ids[&documents[0].address.to_string()].clone();
    assert_eq!(children(&scene, &window).await, (1, 2));
    for name in [Some("servers"), None] {
        let register = scene.aws.ssm.register_target_with_maintenance_window();
        let target = register
            .window_id(&window)
            .resource_type(MaintenanceWindowResourceType::Instance)
            .targets(servers())
            .set_name(name.map(str::to_owned))
            .send()
            .await
            .unwrap();
        let register = scene.aws.ssm.register_task_with_maintenance_window();
        // It uses the target of no document, which must go after it.
        let on = Target::builder().key("WindowTargetIds");
        let on = on.values(target.window_target_id().unwrap()).build();
        register
            .window_id(&window)
            .task_type(MaintenanceWindowTaskType::RunCommand)
            .task_arn("AWS-RunShellScript")
            .targets(on)
            .max_concurrency("1")
            .max_errors("1")
            .set_name(name.map(|_| "patch".to_owned()))
            .send()
            .await
            .unwrap();
    }
    assert_eq!(children(&scene, &window).await, (3, 4));
    let plan = scene.plan(&documents, &Wish::default()).await;
    let change = &plan.changes[0];
    assert_eq!(
        (change.action, &change.because[..]),
        (Action::Update, &[Because::Drift][..]),
        "{}",
        told(change)
    );
    scene.carry_out(&plan).await.unwrap();
    scene.nothing_left(&documents).await.unwrap();
    assert_eq!(children(&scene, &window).await, (1, 2));
}

#[tokio::test]
async fn a_child_of_another_sort_is_registered_anew_and_the_window_stays() {
    let scene = Scene::new().await.unwrap();
    let mut documents = example();
    scene.apply(&documents).await.unwrap();
    let address = documents[0].address.to_string();
    let before = scene.nothing_left(&documents).await.unwrap().ids;
    let spec = &mut documents[0].spec;
    spec["windowTargets"]["servers"]["select"] =
        json!([{"key": "resource-groups:Name", "values": ["servers"]}]);
    let task = spec["tasks"]["tidy-up"].as_object_mut().unwrap();
    task.remove("lambda");
    task.insert(
        "automation".to_owned(),
        json!({"document": {"name": "AWS-RestartEC2Instance"}}),
    );
    let plan = scene.plan(&documents, &Wish::default()).await;
    let change = &plan.changes[0];
    assert_eq!(change.action, Action::Update, "{}", told(change));
    let paths: BTreeSet<&str> = change.differences.iter().map(|d| d.path.as_str()).collect();
    for place in [
        "/tasks/tidy-up/automation",
        "/windowTargets/servers/select/0/key",
    ] {
        assert!(paths.contains(place), "{paths:?}");
    }
    scene.carry_out(&plan).await.unwrap();
    let after = scene.nothing_left(&documents).await.unwrap().ids;
    assert_eq!(after[&address], before[&address]);
    assert_eq!(children(&scene, &after[&address]).await, (1, 2));
}

#[tokio::test]
async fn a_window_costs_a_call_for_each_part_and_a_strangers_one_for_its_tags() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("calls");
    let options = Options {
        quotas: Enforce::Off,
        record: Some(record.clone()),
        ..Options::default()
    };
    let connector = Connector {
        sandbox: Some(Sandbox::open(options).unwrap()),
        ..Connector::default()
    };
    let aws = connect(&connector).await.unwrap().aws;
    let kind = kinds::find("MaintenanceWindow").unwrap();
    let mut spec = example().remove(0).spec;
    let stamp = crate::scene::unstamped("ours");
    kind.create(&aws, &spec, &stamp).await.unwrap();
    let live = kind
        .list(&aws, &Select::Everything)
        .await
        .unwrap()
        .remove(0);
    kind.update(&aws, &spec, &live, &stamp).await.unwrap();
    for number in 0..3 {
        spec["name"] = json!(format!("stranger-{number}"));
        let stamp = crate::scene::unstamped(&format!("stranger-{number}"));
        kind.create(&aws, &spec, &stamp).await.unwrap();
    }
    let before = calls(&record);
    let names = BTreeSet::from(["sunday-night".to_owned()]);
    let found = kind.list(&aws, &Select::of("test", names)).await;
    assert_eq!(found.unwrap().len(), 1);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls(&record).split_off(before.len()) {
        *counts.entry(call).or_default() += 1;
    }
    let expected = [
        ("DescribeMaintenanceWindowTargets", 1),
        ("DescribeMaintenanceWindowTasks", 1),
        ("DescribeMaintenanceWindows", 1),
        ("GetMaintenanceWindow", 1),
        ("GetMaintenanceWindowTask", 2),
        ("ListTagsForResource", 4),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts, BTreeMap::from(expected));
}

/// The operations that were called so far.
fn calls(record: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(record).unwrap();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["operation"].as_str().unwrap().to_owned()
    });
    lines.collect()
}
