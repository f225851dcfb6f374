//! Associations, which have neither a token nor a name of their own, and which AWS runs whenever they are written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_ssm::types::Target;
use serde_json::json;
use stationbill::aws::Aws;
use stationbill::kinds::{self, Select};
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Because, Wish};
use stationbill::model::stamp::Stamp;
use stationbill::sandbox::Faults;

use crate::scene::{STACK, Scene, loaded, told, unstamped};
use crate::support::recorded::Recorded;

/// The example of a scan by night, and the others beside it.
fn examples() -> Vec<Declared> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kinds");
    let mut objects = loaded(&folder).unwrap().objects;
    objects.retain(|object| {
        object.address.kind == "Association" || object.address.name == "banana-disk-usage"
    });
    objects
}

fn example(name: &str) -> Declared {
    let mut all = examples().into_iter();
    all.find(|object| object.address.name == name).unwrap()
}

/// How many runs of an association began.
async fn runs(aws: &Aws, id: &str) -> usize {
    let request = aws.ssm.describe_association_executions();
    let answer = request.association_id(id).send().await.unwrap();
    answer.association_executions().len()
}

/// How many associations there are.
async fn count(aws: &Aws) -> usize {
    let answer = aws.ssm.list_associations().send().await.unwrap();
    answer.associations().len()
}

fn stamped(object: &Declared) -> Stamp {
    Stamp::new(STACK, &object.address, &object.spec, None)
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_nothing_twice() {
    let object = example("scan-patches");
    let kind = kinds::find("Association").unwrap();
    for (then, late) in [
        ("disconnectAfter", 0),
        ("timeoutAfter", 0),
        // What was made is not seen by the first look, nor the second, nor the third.
        ("disconnectAfter", 3),
        // Nothing was made: it must be tried again.
        ("disconnectBefore", 0),
        ("timeoutBefore", 0),
    ] {
        let scene = Recorded::new().await;
        let made = json!({"operation": "CreateAssociation"});
        let mut rules = vec![json!({"match": made, "when": {"first": 1}, "then": then})];
        if late > 0 {
            rules.insert(0, json!({"match": made, "then": {"staleReads": late}}));
        }
        scene.faults(&json!(rules));
        let id = kind
            .create(&scene.aws, &object.spec, &stamped(&object))
            .await;
        scene.sandbox.set_faults(Faults::default());
        let id = id.unwrap_or_else(|error| panic!("{then}: {error}")).0;
        assert_eq!(count(&scene.aws).await, 1, "{then}, {late}");
        let tries = if then.ends_with("Before") { 2 } else { 1 };
        assert_eq!(
            scene.counts(0)["CreateAssociation"],
            tries,
            "{then}, {late}"
        );
        // Nor does a run that does not know of the first.
        let again = kind
            .create(&scene.aws, &object.spec, &stamped(&object))
            .await;
        assert_eq!(again.unwrap().0, id);
        assert_eq!(count(&scene.aws).await, 1, "{then}, {late}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_tried_three_times_and_never_without_a_look() {
    let object = example("scan-patches");
    let kind = kinds::find("Association").unwrap();
    let error = |code: &str, status: u16| json!({"error": {"code": code, "status": status}});
    for (then, tries) in [
        // What AWS throttles is sent five times before it counts as one try.
        (json!("throttle"), 15),
        (error("InternalServerError", 500), 3),
        (json!("disconnectBefore"), 3),
        (json!("deny"), 1),
        (error("InvalidTarget", 400), 1),
    ] {
        let scene = Recorded::new().await;
        let made = json!({"operation": "CreateAssociation"});
        scene.faults(&json!([{"match": made, "then": then}]));
        let answer = kind
            .create(&scene.aws, &object.spec, &stamped(&object))
            .await;
        assert!(answer.is_err(), "{then}");
        let calls = scene.calls();
        let creations = calls.iter().filter(|call| *call == "CreateAssociation");
        assert_eq!(creations.count(), tries, "{then}");
        // What may have been made is looked for between two tries.
        if then != "throttle" {
            let twice = calls
                .windows(2)
                .any(|pair| pair == ["CreateAssociation"; 2]);
            assert!(!twice, "{then}: {calls:?}");
        }
        scene.sandbox.set_faults(Faults::default());
        assert_eq!(count(&scene.aws).await, 0, "{then}");
    }
}

#[tokio::test]
async fn aws_runs_it_only_when_something_changes() {
    let scene = Scene::new().await.unwrap();
    let mut documents = examples();
    documents.retain(|object| object.address.name != "scan-patches");
    scene.apply(&documents).await.unwrap();
    let ids = scene.nothing_left(&documents).await.unwrap().ids;
    let id = ids["Association/collect-inventory"].clone();
    assert_eq!(runs(&scene.aws, &id).await, 1);
    scene.apply(&documents).await.unwrap();
    let inventory = documents
        .iter_mut()
        .find(|object| object.address.name == "collect-inventory")
        .unwrap();
    inventory.spec["tags"] = json!({"team": "mango"});
    scene.apply(&documents).await.unwrap();
    assert_eq!(runs(&scene.aws, &id).await, 1, "tags are no reason to run");
    for object in &mut documents {
        if object.address.name == "collect-inventory" {
            object.spec["schedule"] = json!("rate(1 day)");
        }
    }
    scene.apply(&documents).await.unwrap();
    scene.nothing_left(&documents).await.unwrap();
    assert_eq!(runs(&scene.aws, &id).await, 2);
}

#[tokio::test]
async fn what_waits_for_its_hour_is_not_run_by_an_apply() {
    let scene = Scene::new().await.unwrap();
    let mut documents = vec![example("scan-patches")];
    scene.apply(&documents).await.unwrap();
    let ids = scene.nothing_left(&documents).await.unwrap().ids;
    documents[0].spec["maxErrors"] = json!("3");
    scene.apply(&documents).await.unwrap();
    assert_eq!(runs(&scene.aws, &ids["Association/scan-patches"]).await, 0);
}

#[tokio::test]
async fn what_a_careless_update_cleared_comes_back() {
    let scene = Scene::new().await.unwrap();
    let documents = vec![example("scan-patches")];
    scene.apply(&documents).await.unwrap();
    let ids = scene.nothing_left(&documents).await.unwrap().ids;
    let id = &ids["Association/scan-patches"];
    // As somebody does who means to change the schedule alone: AWS clears the rest, the name among it.
    let all = Target::builder().key("InstanceIds").values("*").build();
    let request = scene.aws.ssm.update_association().association_id(id);
    request
        .schedule_expression("rate(1 day)")
        .parameters("Operation", vec!["Scan".to_owned()])
        .targets(all)
        .send()
        .await
        .unwrap();
    let plan = scene.plan(&documents, &Wish::default()).await;
    let change = &plan.changes[0];
    assert_eq!(
        (change.action, &change.because[..]),
        (Action::Update, &[Because::Drift][..]),
        "{}",
        told(change)
    );
    let paths: BTreeSet<&str> = change.differences.iter().map(|d| d.path.as_str()).collect();
    for path in [
        "/applyOnlyAtCronInterval",
        "/complianceSeverity",
        "/duration",
        "/maxConcurrency",
        "/maxErrors",
        "/name",
        "/outputLocation",
        "/schedule",
        "/select/0/key",
    ] {
        assert!(paths.contains(path), "{path} is not in {paths:?}");
    }
    scene.carry_out(&plan).await.unwrap();
    let after = scene.nothing_left(&documents).await.unwrap().ids;
    assert_eq!(after["Association/scan-patches"], *id);
}

#[tokio::test]
async fn one_without_a_name_goes_by_its_id_and_can_be_adopted() {
    let scene = Scene::new().await.unwrap();
    let all = Target::builder().key("InstanceIds").values("*").build();
    let request = scene.aws.ssm.create_association();
    let made = request
        .name("AWS-GatherSoftwareInventory")
        .targets(all)
        .schedule_expression("rate(1 day)")
        .send()
        .await
        .unwrap();
    let id = made
        .association_description
        .unwrap()
        .association_id
        .unwrap();
    let kind = kinds::find("Association").unwrap();
    let live = scene.all(kind).await.unwrap().remove(0);
    assert_eq!(
        (live.name.as_str(), &live.spec["name"]),
        (id.as_str(), &json!(id))
    );
    let one = kind.list(&scene.aws, &Select::one(&id)).await.unwrap();
    assert_eq!(one.len(), 1);
    let mut document = example("collect-inventory");
    document.spec = live.spec.clone();
    let wish = Wish {
        adopt: true,
        ..Wish::default()
    };
    let documents = vec![document];
    let plan = scene.plan(&documents, &wish).await;
    assert_eq!(
        plan.changes[0].action,
        Action::Adopt,
        "{}",
        told(&plan.changes[0])
    );
    assert_eq!(plan.changes[0].differences, []);
    scene.carry_out(&plan).await.unwrap();
    let now = scene.nothing_left(&documents).await.unwrap();
    assert_eq!(now.ids["Association/collect-inventory"], id);
    // Becoming ours is no reason to run.
    assert_eq!(runs(&scene.aws, &id).await, 1);
}

#[tokio::test]
async fn its_own_status_is_told_and_is_no_difference() {
    let scene = Scene::new().await.unwrap();
    let documents = vec![example("scan-patches")];
    scene.apply(&documents).await.unwrap();
    let plan = scene.plan(&documents, &Wish::default()).await;
    assert!(plan.is_empty());
    let notes: Vec<&str> = plan.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["its status is Pending (Creating)"]);
}

#[tokio::test]
async fn it_goes_before_its_document_which_aws_would_not_let_go() {
    let scene = Scene::new().await.unwrap();
    let mut documents = examples();
    for object in &mut documents {
        // AWS does not delete what is shared either.
        object.spec.as_object_mut().unwrap().remove("sharing");
    }
    scene.apply(&documents).await.unwrap();
    scene.nothing_left(&documents).await.unwrap();
    let refused = scene.aws.ssm.delete_document().name("banana-disk-usage");
    let refused = refused.send().await.unwrap_err().into_service_error();
    assert!(
        format!("{refused:?}").contains("AssociatedInstances"),
        "{refused:?}"
    );
    let wish = Wish {
        destroy: true,
        ..Wish::default()
    };
    let plan = scene.plan(&documents, &wish).await;
    scene.carry_out(&plan).await.unwrap();
    for kind in ["Association", "Document"] {
        let left = scene.all(kinds::find(kind).unwrap()).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn an_association_costs_two_calls_and_a_strangers_one() {
    let scene = Recorded::new().await;
    let kind = kinds::find("Association").unwrap();
    let mut spec = example("scan-patches").spec;
    kind.create(&scene.aws, &spec, &unstamped("ours"))
        .await
        .unwrap();
    for number in 0..3 {
        spec["name"] = json!(format!("stranger-{number}"));
        let stamp = unstamped(&format!("stranger-{number}"));
        kind.create(&scene.aws, &spec, &stamp).await.unwrap();
    }
    let before = scene.calls().len();
    let names = BTreeSet::from(["scan-patches".to_owned()]);
    let found = kind.list(&scene.aws, &Select::of(STACK, names)).await;
    assert_eq!(found.unwrap().len(), 1);
    let expected = [
        ("DescribeAssociation", 1),
        ("ListAssociations", 1),
        ("ListTagsForResource", 4),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(scene.counts(before), BTreeMap::from(expected));
}

#[tokio::test]
async fn associations_in_the_old_form_are_left_alone() {
    let scene = Scene::new().await.unwrap();
    let content = json!({"schemaVersion": "1.2", "description": "Old.",
        "runtimeConfig": {"aws:runShellScript": {"properties": [{"runCommand": ["ls"]}]}}});
    let request = scene.aws.ssm.create_document().name("old");
    request.content(content.to_string()).send().await.unwrap();
    let request = scene.aws.ssm.create_association().name("old");
    let request = request.instance_id("i-0123456789abcdef0");
    request.send().await.unwrap();
    let kind = kinds::find("Association").unwrap();
    assert!(scene.all(kind).await.unwrap().is_empty());
}
