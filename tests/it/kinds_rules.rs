//! Automation rules of Security Hub, which have neither a token nor a name of their own, and which are there only while
//! Security Hub is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use stationbill::aws::{Aws, Class};
use stationbill::kinds::{self, AnyKind, Live, Select};
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Because, Wish};
use stationbill::model::stamp::Stamp;
use stationbill::sandbox::Faults;

use crate::scene::{STACK, Scene, loaded, told, unstamped};
use crate::support;
use crate::support::calls::{Look, Moment};
use crate::support::recorded::Recorded;

fn kind() -> &'static dyn AnyKind {
    kinds::find("AutomationRule").unwrap()
}

/// The examples of rules, and the hub that they come after.
fn examples() -> Vec<Declared> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kinds");
    let mut objects = loaded(&folder).unwrap().objects;
    objects.retain(|o| ["AutomationRule", "SecurityHub"].contains(&o.address.kind.as_str()));
    objects
}

fn example() -> Declared {
    let mut all = examples().into_iter();
    all.find(|object| object.address.name == "accepted-risk")
        .unwrap()
}

fn stamped(object: &Declared) -> Stamp {
    Stamp::new(STACK, &object.address, &object.spec, None)
}

/// The simulated AWS with a hub and nothing else.
async fn recorded() -> Recorded {
    let scene = Recorded::new().await;
    enable(&scene.aws).await;
    scene
}

/// How many rules there are.
async fn rules(aws: &Aws) -> usize {
    let answer = aws.securityhub.list_automation_rules().send().await;
    answer.unwrap().automation_rules_metadata().len()
}

async fn enable(aws: &Aws) {
    let request = aws.securityhub.enable_security_hub();
    let request = request.enable_default_standards(false);
    request.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_nothing_twice() {
    let object = example();
    for (then, late) in [
        ("disconnectAfter", 0),
        ("timeoutAfter", 0),
        // What was made is not seen by the first look, nor the second, nor the third.
        ("disconnectAfter", 3),
        // Nothing was made: it must be tried again.
        ("disconnectBefore", 0),
        ("timeoutBefore", 0),
    ] {
        let scene = recorded().await;
        let made = json!({"operation": "CreateAutomationRule"});
        let mut faults = vec![json!({"match": made, "when": {"first": 1}, "then": then})];
        if late > 0 {
            faults.insert(0, json!({"match": made, "then": {"staleReads": late}}));
        }
        scene.faults(&json!(faults));
        let id = kind()
            .create(&scene.aws, &object.spec, &stamped(&object))
            .await;
        scene.sandbox.set_faults(Faults::default());
        let id = id.unwrap_or_else(|error| panic!("{then}: {error}")).0;
        assert_eq!(rules(&scene.aws).await, 1, "{then}, {late}");
        let tries = if then.ends_with("Before") { 2 } else { 1 };
        assert_eq!(
            scene.counts(0)["CreateAutomationRule"],
            tries,
            "{then}, {late}"
        );
        // Nor does a run that does not know of the first.
        let again = kind()
            .create(&scene.aws, &object.spec, &stamped(&object))
            .await;
        assert_eq!(again.unwrap().0, id);
        assert_eq!(rules(&scene.aws).await, 1, "{then}, {late}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_tried_three_times_and_never_without_a_look() {
    let object = example();
    let error = |code: &str, status: u16| json!({"error": {"code": code, "status": status}});
    for (then, tries) in [
        (json!("throttle"), 3),
        // A name that means nothing else: such a call is sent five times before it counts as one try.
        (error("TooManyRequestsException", 429), 15),
        (error("InternalException", 500), 3),
        (json!("disconnectBefore"), 3),
        (json!("deny"), 1),
        (error("InvalidInputException", 400), 1),
    ] {
        let scene = recorded().await;
        scene.faults(&json!([{"match": {"operation": "CreateAutomationRule"}, "then": then}]));
        let answer = kind()
            .create(&scene.aws, &object.spec, &stamped(&object))
            .await;
        assert!(answer.is_err(), "{then}");
        assert_eq!(scene.counts(0)["CreateAutomationRule"], tries, "{then}");
        // What may have been made is looked for between two tries; what was refused was not made.
        let refused = then == "throttle" || then["error"]["status"] == 429;
        let twice = scene
            .calls()
            .windows(2)
            .any(|pair| pair == ["CreateAutomationRule"; 2]);
        assert_eq!(twice, refused, "{then}");
        scene.sandbox.set_faults(Faults::default());
        assert_eq!(rules(&scene.aws).await, 0, "{then}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_rules_with_one_stamp_are_nobodys_choice() {
    let scene = recorded().await;
    let object = example();
    let stamp = stamped(&object);
    let first = kind().create(&scene.aws, &object.spec, &stamp).await;
    let copy = kind()
        .create(&scene.aws, &object.spec, &unstamped("copy"))
        .await;
    let request = scene
        .aws
        .securityhub
        .tag_resource()
        .resource_arn(copy.unwrap().0);
    let tags = stamp.tags.clone().into_iter().collect();
    request.set_tags(Some(tags)).send().await.unwrap();
    let error = kind()
        .create(&scene.aws, &object.spec, &stamp)
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Conflict);
    assert!(
        error.message.contains("2 rules carry the stamp")
            && error.message.contains(&first.unwrap().0),
        "{error}"
    );
    assert_eq!(rules(&scene.aws).await, 2);
}

#[tokio::test]
async fn a_rule_comes_after_its_hub_and_goes_before_it() {
    let scene = Scene::new().await.unwrap();
    let mut documents = examples();
    let made = scene.apply(&documents).await.unwrap();
    let order: Vec<&str> = made
        .changes
        .iter()
        .map(|c| c.address.kind.as_str())
        .collect();
    assert_eq!(order, ["SecurityHub", "AutomationRule", "AutomationRule"]);
    for object in &mut documents {
        object.lifecycle.on_delete = Some(stationbill::model::lifecycle::OnDelete::Delete);
    }
    scene.apply(&documents).await.unwrap();
    let wish = Wish {
        destroy: true,
        ..Wish::default()
    };
    let plan = scene.plan(&documents, &wish).await;
    assert_eq!(plan.count(Action::Delete), 3);
    scene.carry_out(&plan).await.unwrap();
    // A rule of a hub that is gone would come back with it.
    enable(&scene.aws).await;
    assert!(scene.all(kind()).await.unwrap().is_empty());
}

#[tokio::test]
async fn where_security_hub_is_not_enabled_the_plan_says_what_is_missing() {
    let scene = Scene::new().await.unwrap();
    let documents = vec![example()];
    let plan = scene.plan(&documents, &Wish::default()).await;
    let change = &plan.changes[0];
    assert_eq!(change.action, Action::Blocked);
    let why = change.reason.as_deref().unwrap_or_default();
    assert!(
        why.contains("SecurityHub does that") && why.contains("is not subscribed to"),
        "{why}"
    );
    // A stack without rules does not mind.
    let none = scene
        .plan(
            &[],
            &Wish {
                prune: true,
                ..Wish::default()
            },
        )
        .await;
    assert!(none.is_empty() && none.complete(), "{:?}", none.changes);
    enable(&scene.aws).await;
    scene.apply(&documents).await.unwrap();
}

#[tokio::test]
async fn what_is_not_to_be_seen_of_another_account_is_unknown() {
    let scene = Scene::new().await.unwrap();
    let documents = vec![example()];
    enable(&scene.aws).await;
    scene.apply(&documents).await.unwrap();
    // What AWS says to members of an administrator.
    let denied = json!([{"match": {"operation": "ListAutomationRules"}, "then": {"error":
        {"code": "InvalidAccessException", "status": 401, "message": "The caller is not an administrator"}}}]);
    scene
        .sandbox
        .set_faults(Faults::parse(&denied.to_string()).unwrap());
    let plan = scene.plan(&documents, &Wish::default()).await;
    assert_eq!(plan.changes[0].action, Action::Unknown);
}

#[tokio::test]
async fn each_field_that_goes_from_the_document_goes_from_the_rule() {
    let scene = Scene::new().await.unwrap();
    enable(&scene.aws).await;
    let mut documents = vec![example()];
    scene.apply(&documents).await.unwrap();
    let id =
        scene.nothing_left(&documents).await.unwrap().ids["AutomationRule/accepted-risk"].clone();
    let spec = documents[0].spec.as_object_mut().unwrap();
    spec.remove("terminal");
    spec["criteria"] = json!({"title": [{"comparison": "PREFIX", "value": "S3.22"}]});
    spec["findingFieldsUpdate"] = json!({"workflowStatus": "NOTIFIED"});
    documents[0].spec = kind().parse(&documents[0].spec).unwrap();
    scene.apply(&documents).await.unwrap();
    let request = scene.aws.securityhub.batch_get_automation_rules();
    let answer = request.automation_rules_arns(&id).send().await.unwrap();
    let rule = &answer.rules()[0];
    assert_eq!(rule.is_terminal, Some(false));
    let criteria = rule.criteria.as_ref().unwrap();
    assert!(criteria.compliance_security_control_id.is_none() && criteria.title().len() == 1);
    let update = rule.actions()[0].finding_fields_update.as_ref().unwrap();
    assert!(update.note.is_none() && update.user_defined_fields.is_none());
}

#[tokio::test]
async fn a_change_of_tags_leaves_the_order_of_rules_as_it_is() {
    let scene = Scene::new().await.unwrap();
    enable(&scene.aws).await;
    let mut documents = vec![example()];
    scene.apply(&documents).await.unwrap();
    let changed = || async {
        let answer = scene.aws.securityhub.list_automation_rules().send().await;
        answer.unwrap().automation_rules_metadata()[0].updated_at
    };
    let before = changed().await;
    documents[0].spec["tags"] = json!({"team": "mango"});
    scene.apply(&documents).await.unwrap();
    assert_eq!(changed().await, before);
    documents[0].spec["order"] = json!(7);
    scene.apply(&documents).await.unwrap();
    assert_ne!(changed().await, before);
}

#[tokio::test]
async fn what_somebody_changes_by_hand_is_drift() {
    let scene = Scene::new().await.unwrap();
    enable(&scene.aws).await;
    let documents = vec![example()];
    scene.apply(&documents).await.unwrap();
    let id =
        scene.nothing_left(&documents).await.unwrap().ids["AutomationRule/accepted-risk"].clone();
    let item = aws_sdk_securityhub::types::UpdateAutomationRulesRequestItem::builder()
        .rule_arn(&id)
        .rule_status(aws_sdk_securityhub::types::RuleStatus::Disabled)
        .rule_order(1);
    let request = scene.aws.securityhub.batch_update_automation_rules();
    let request = request.update_automation_rules_request_items(item.build());
    request.send().await.unwrap();
    let plan = scene.plan(&documents, &Wish::default()).await;
    let change = &plan.changes[0];
    assert_eq!(
        (change.action, &change.because[..]),
        (Action::Update, &[Because::Drift][..]),
        "{}",
        told(change)
    );
    let paths: Vec<&str> = change.differences.iter().map(|d| d.path.as_str()).collect();
    assert_eq!(paths, ["/enabled", "/order"]);
    scene.carry_out(&plan).await.unwrap();
    scene.nothing_left(&documents).await.unwrap();
}

#[tokio::test]
async fn a_failure_with_http_200_is_a_failure() {
    let scene = Scene::new().await.unwrap();
    enable(&scene.aws).await;
    let object = example();
    let stamp = stamped(&object);
    scene.apply(std::slice::from_ref(&object)).await.unwrap();
    let live: Live<Value> = scene.all(kind()).await.unwrap().remove(0);
    // Refused by AWS: no document that is valid says this.
    let mut bad = object.spec.clone();
    let filter = |comparison: &str| json!({"comparison": comparison, "value": "x"});
    bad["criteria"]["title"] = json!([filter("EQUALS"), filter("NOT_EQUALS")]);
    let error = kind()
        .update(&scene.aws, &bad, &live, &stamp)
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert!(error.message.contains("can not be combined"), "{error}");
    // Gone: an update fails, a deletion has nothing left to do.
    kind().delete(&scene.aws, &live).await.unwrap();
    let mut changed = object.spec.clone();
    changed["order"] = json!(5);
    let error = kind().update(&scene.aws, &changed, &live, &stamp).await;
    assert_eq!(error.unwrap_err().class, Class::NotFound);
    kind().delete(&scene.aws, &live).await.unwrap();
}

#[tokio::test]
async fn a_rule_costs_a_call_for_its_tags_and_a_strangers_too() {
    let scene = recorded().await;
    let mut spec = example().spec;
    for number in 0..120 {
        spec["name"] = json!(format!("rule-{number}"));
        kind()
            .create(&scene.aws, &spec, &unstamped(&format!("rule-{number}")))
            .await
            .unwrap();
    }
    let read = async |names: usize| {
        let before = scene.calls().len();
        let names: BTreeSet<String> = (0..names).map(|number| format!("rule-{number}")).collect();
        let (count, wanted) = (names.len(), Select::of(STACK, names));
        let found = kind().list(&scene.aws, &wanted).await;
        assert_eq!(found.unwrap().len(), count);
        scene.counts(before)
    };
    let expected = |gets: usize| {
        let counts = [
            ("BatchGetAutomationRules", gets),
            ("ListAutomationRules", 2),
            ("ListTagsForResource", 120),
        ];
        let counts = counts.map(|(name, count)| (name.to_owned(), count));
        BTreeMap::from(counts)
    };
    assert_eq!(read(1).await, expected(1));
    assert_eq!(read(120).await, expected(2));
}

#[tokio::test]
async fn pages_are_read_to_their_end() {
    let scene = recorded().await;
    for number in 0..3 {
        let stamp = unstamped(&format!("rule-{number}"));
        let made = kind().create(&scene.aws, &example().spec, &stamp).await;
        made.unwrap();
    }
    scene.faults(&json!([{"match": {"operation": "ListAutomationRules"}, "then": "shortPages"}]));
    let list = || kind().list(&scene.aws, &Select::Everything);
    assert_eq!(list().await.unwrap().len(), 3);
}

/// Between the list and the answer somebody deletes one.
#[tokio::test(start_paused = true)]
async fn a_rule_that_goes_while_it_is_read_is_gone() {
    let scene = support::Scene::new(1).await;
    enable(&scene.aws).await;
    for number in 0..2 {
        let stamp = unstamped(&format!("rule-{number}"));
        let made = kind().create(&scene.aws, &example().spec, &stamp).await;
        made.unwrap();
    }
    let sandbox = scene.sandbox.clone();
    let look: Arc<Look> = Arc::new(move |call, moment| {
        // The path of `BatchGetAutomationRules` ends so.
        if moment == Moment::Before && call.operation == "get" {
            sandbox.with_state(|state| {
                let mut all = serde_json::to_value(&*state).unwrap();
                let rules =
                    all.pointer_mut("/accounts/111122223333/securityhub/ap-northeast-1/rules");
                let rules = rules.unwrap().as_object_mut().unwrap();
                let first = rules.keys().next().unwrap().clone();
                rules.remove(&first);
                let settings = state.settings.clone();
                *state = serde_json::from_value(all).unwrap();
                state.settings = settings;
            });
        }
    });
    let scene = support::Scene::seen(scene.sandbox.clone(), Some(look)).await;
    let left = kind().list(&scene.aws, &Select::Everything).await.unwrap();
    assert_eq!(left.len(), 1);
}
