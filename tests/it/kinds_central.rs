//! Central configuration of Security Hub: who may have it, in which order it comes and goes, and whose a target is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_sdk_securityhub::types::{AssociationFilters, AssociationType, Target};
use serde_json::{Value, json};
use stationbill::aws::{Aws, Class};
use stationbill::engine::Ending;
use stationbill::kinds::{self, Select};
use stationbill::load::Declared;
use stationbill::model::Address;
use stationbill::model::lifecycle::Lifecycle;
use stationbill::model::plan::{Action, Because, Change, Plan, Wish};
use stationbill::model::stamp::Stamp;
use stationbill::sandbox::{Faults, Settings};

use crate::scene::unstamped;
use crate::support::calls::{Look, Moment};
use crate::support::recorded::Recorded;
use crate::support::{STACK, Scene, administering, told};

const CHECKOUT: &str = "222233334444";
const WAREHOUSE: &str = "333344445555";
const WORKLOADS: &str = "ou-ab12-11111111";

fn declared(kind: &str, name: &str, mut spec: Value) -> Declared {
    let any = kinds::find(kind).unwrap();
    if kind == "ConfigurationPolicy" {
        spec["name"] = json!(name);
    }
    let spec = any.parse(&spec).unwrap();
    Declared::new(Address::new(kind, name), spec, Lifecycle::default())
}

/// What policies come after.
fn foundations() -> Vec<Declared> {
    vec![
        declared("SecurityHub", "hub", json!({"standards": []})),
        declared(
            "FindingAggregator",
            "findings",
            json!({"regionLinkingMode": "ALL_REGIONS"}),
        ),
        declared(
            "OrganizationConfiguration",
            "organization",
            json!({"configurationType": "CENTRAL"}),
        ),
    ]
}

fn policy(name: &str, accounts: &[&str]) -> Declared {
    let spec = json!({"associations": { "accounts": accounts }});
    declared("ConfigurationPolicy", name, spec)
}

/// An account that administers Security Hub centrally, and has these policies.
async fn central(policies: &[Declared]) -> (Scene, Vec<Declared>) {
    let scene = Scene::with(1, administering()).await;
    let documents = [foundations(), policies.to_vec()].concat();
    converged(&scene, &documents).await;
    (scene, documents)
}

async fn converged(scene: &Scene, documents: &[Declared]) {
    let (rest, outcome) = scene.converge(documents, &Wish::default(), 1).await;
    assert!(rest.is_empty(), "{} {outcome:?}", told(&rest));
}

async fn plan(scene: &Scene, documents: &[Declared]) -> Plan {
    scene.plan(STACK, documents, &Wish::default()).await.2
}

/// What has a policy by itself: the target, and the name of the policy.
async fn applied(aws: &Aws) -> BTreeSet<(String, String)> {
    let policies = aws.securityhub.list_configuration_policies().send().await;
    let policies = policies.unwrap().configuration_policy_summaries.unwrap();
    let own = AssociationFilters::builder().association_type(AssociationType::Applied);
    let request = aws.securityhub.list_configuration_policy_associations();
    let answer = request.filters(own.build()).send().await.unwrap();
    let found = answer.configuration_policy_association_summaries.unwrap();
    let found = found.into_iter().map(|one| {
        let mut policies = policies.iter();
        let policy = policies.find(|policy| policy.id == one.configuration_policy_id);
        let name = policy.map_or("nothing", |policy| policy.name().unwrap());
        (one.target_id.unwrap(), name.to_owned())
    });
    found.collect()
}

fn set(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(target, name)| ((*target).to_owned(), (*name).to_owned()))
        .collect()
}

/// The ids of policies by name.
async fn policy_id(aws: &Aws, name: &str) -> String {
    let policies = aws.securityhub.list_configuration_policies().send().await;
    let policies = policies.unwrap().configuration_policy_summaries.unwrap();
    let mut policies = policies.into_iter();
    let found = policies.find(|policy| policy.name() == Some(name));
    found.unwrap().id.unwrap()
}

async fn associate(aws: &Aws, policy: &str, account: &str) {
    let request = aws.securityhub.start_configuration_policy_association();
    let request = request.configuration_policy_identifier(policy);
    let request = request.target(Target::AccountId(account.to_owned()));
    request.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_of_it_comes_in_its_order_and_goes_the_other_way_round() {
    let scene = Scene::with(1, administering()).await;
    let policies = [
        policy("stalls", &[CHECKOUT]),
        policy("warehouses", &[WAREHOUSE]),
    ];
    // The documents' own order says nothing.
    let mut documents = [&policies[..], &foundations()].concat();
    let made = plan(&scene, &documents).await;
    let creates = |change: &Change| change.action == Action::Create;
    assert!(made.changes.len() == 5 && made.changes.iter().all(creates));
    converged(&scene, &documents).await;
    let there = set(&[(CHECKOUT, "stalls"), (WAREHOUSE, "warehouses")]);
    assert_eq!(applied(&scene.aws).await, there);
    // The administrator's hub cannot go; all the rest can, at once.
    documents.retain(|object| object.address.kind == "SecurityHub");
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let plan = scene.plan(STACK, &documents, &prune).await.2;
    assert_eq!(plan.count(Action::Delete), 4, "{}", told(&plan));
    let outcome = scene.apply(&plan).await;
    let done = |ending: &Option<Ending>| *ending == Some(Ending::Done);
    assert!(outcome.endings.iter().all(done), "{outcome:?}");
    let describe = scene.aws.securityhub.describe_organization_configuration();
    let there = describe.send().await.unwrap();
    assert_eq!(there.auto_enable_standards.unwrap().as_str(), "DEFAULT");
    let kind = there.organization_configuration.unwrap();
    assert_eq!(kind.configuration_type.unwrap().as_str(), "LOCAL");
    let claims = scene.aws.ssm.get_parameters_by_path().path("/stationbill");
    let claims = claims.recursive(true).send().await.unwrap();
    assert_eq!(claims.parameters().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_central_configuration_there_is_no_policy_and_that_is_no_failure() {
    for settings in [administering(), Settings::default()] {
        let scene = Scene::with(1, settings).await;
        let documents = [policy("stalls", &[CHECKOUT])];
        let hub = declared("SecurityHub", "hub", json!({"standards": []}));
        for _ in 0..2 {
            let plan = plan(&scene, &documents).await;
            let change = &plan.changes[0];
            assert_eq!(change.action, Action::Blocked);
            let why = change.reason.as_deref().unwrap_or_default();
            assert!(why.contains("OrganizationConfiguration does that"), "{why}");
            let prune = Wish {
                prune: true,
                ..Wish::default()
            };
            let none = scene.plan(STACK, &[], &prune).await.2;
            assert!(
                none.complete() && none.changes.is_empty(),
                "{}",
                told(&none)
            );
            converged(&scene, std::slice::from_ref(&hub)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_look_does_not_take_it_for_absent() {
    let (scene, documents) = central(&[policy("stalls", &[CHECKOUT])]).await;
    for operation in [
        "ListConfigurationPolicies",
        "ListConfigurationPolicyAssociations",
        "GetConfigurationPolicy",
        "DescribeOrganizationConfiguration",
    ] {
        let rule = json!([{"match": {"operation": operation}, "then": "deny"}]);
        scene
            .sandbox
            .set_faults(Faults::parse(&rule.to_string()).unwrap());
        let plan = plan(&scene, &documents).await;
        assert_eq!(plan.changes[0].action, Action::Unknown, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn central_configuration_without_a_home_is_refused_and_stays_claimed() {
    let scene = Scene::with(1, administering()).await;
    let mut documents = foundations();
    documents.retain(|object| object.address.kind != "FindingAggregator");
    let plan = plan(&scene, &documents).await;
    let outcome = scene.apply(&plan).await;
    let ending = format!("{:?}", outcome.endings);
    assert!(ending.contains("finding aggregator"), "{ending}");
    let claim = scene.aws.ssm.get_parameter();
    let claim = claim.name("/stationbill/claims/securityhub/organization-configuration");
    let claim = claim.send().await.unwrap().parameter.unwrap();
    assert!(claim.value().unwrap().contains(STACK));
    // The next run goes on from there.
    converged(&scene, &foundations()).await;
}

#[tokio::test(start_paused = true)]
async fn settings_that_somebody_made_are_adopted_and_reset() {
    let scene = Scene::with(1, administering()).await;
    let hub = declared("SecurityHub", "hub", json!({"standards": []}));
    converged(&scene, std::slice::from_ref(&hub)).await;
    let by_hand = scene.aws.securityhub.update_organization_configuration();
    by_hand.auto_enable(true).send().await.unwrap();
    let wanted = json!({"configurationType": "LOCAL"});
    let organization = declared("OrganizationConfiguration", "organization", wanted);
    let documents = [hub.clone(), organization];
    let first = plan(&scene, &documents).await;
    assert_eq!(first.changes[0].action, Action::Adopt);
    let adopt = Wish {
        adopt: true,
        ..Wish::default()
    };
    let (rest, _) = scene.converge(&documents, &adopt, 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    // What another stack has claimed is blocked.
    let theirs = scene.plan("another", &documents[1..], &adopt).await.2;
    let change = &theirs.changes[0];
    let why = change.reason.as_deref().unwrap_or_default();
    assert!(
        change.action == Action::Blocked && why.contains(STACK),
        "{why}"
    );
    let by_hand = scene.aws.securityhub.update_organization_configuration();
    by_hand.auto_enable(true).send().await.unwrap();
    let drifted = plan(&scene, &documents).await;
    assert_eq!(drifted.changes[0].because, [Because::Drift]);
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let gone = scene.plan(STACK, &documents[..1], &prune).await.2;
    let why = gone.changes[0].reason.as_deref();
    assert_eq!(why, Some("it is reset to its default"));
    scene.apply(&gone).await;
    let kind = kinds::find("OrganizationConfiguration").unwrap();
    let left = kind.list(&scene.aws, &Select::Everything).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

/// Runs with somebody looking at what is associated and disassociated, in order.
async fn watched(scene: &Scene, documents: &[Declared], wish: &Wish) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    let look: Arc<Look> = Arc::new(move |call, moment| {
        // The paths of the two operations end so.
        let told = ["associate", "disassociate"].contains(&call.operation.as_str());
        if told && moment == Moment::After {
            list.lock().unwrap().push(call.operation.clone());
        }
    });
    let looked = Scene::seen(scene.sandbox.clone(), Some(look)).await;
    let (rest, outcome) = looked.converge(documents, wish, 1).await;
    assert!(rest.is_empty(), "{} {outcome:?}", told(&rest));
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test(start_paused = true)]
async fn a_target_changes_hands_in_one_step() {
    for (from, to) in [("a", "b"), ("b", "a")] {
        let policies = [policy(from, &[CHECKOUT, WAREHOUSE]), policy(to, &[])];
        let (scene, _) = central(&policies).await;
        let mut documents = foundations();
        documents.extend([policy(from, &[WAREHOUSE]), policy(to, &[CHECKOUT])]);
        let calls = watched(&scene, &documents, &Wish::default()).await;
        assert_eq!(calls, ["associate"], "{from} to {to}");
        let now = set(&[(CHECKOUT, to), (WAREHOUSE, from)]);
        assert_eq!(applied(&scene.aws).await, now);
        // The other goes, and this one has all.
        let mut documents = foundations();
        documents.push(policy(to, &[CHECKOUT, WAREHOUSE]));
        let prune = Wish {
            prune: true,
            ..Wish::default()
        };
        let calls = watched(&scene, &documents, &prune).await;
        assert_eq!(calls, ["associate"], "{from} goes");
        let now = set(&[(CHECKOUT, to), (WAREHOUSE, to)]);
        assert_eq!(applied(&scene.aws).await, now);
    }
}

#[tokio::test(start_paused = true)]
async fn two_policies_may_exchange_their_targets() {
    let policies = [policy("a", &[CHECKOUT]), policy("b", &[WAREHOUSE])];
    let (scene, _) = central(&policies).await;
    let mut documents = foundations();
    documents.extend([policy("a", &[WAREHOUSE]), policy("b", &[CHECKOUT])]);
    watched(&scene, &documents, &Wish::default()).await;
    let now = set(&[(CHECKOUT, "b"), (WAREHOUSE, "a")]);
    assert_eq!(applied(&scene.aws).await, now);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_the_policy_of_another_stack_or_of_nobody() {
    let kind = kinds::find("ConfigurationPolicy").unwrap();
    for (stamp, whose) in [
        (unstamped("theirs"), "that nobody owns"),
        (
            Stamp::new(
                "another",
                &Address::new("ConfigurationPolicy", "theirs"),
                &json!({}),
                None,
            ),
            "of stack `another`",
        ),
    ] {
        let (scene, mut documents) = central(&[]).await;
        let theirs = policy("theirs", &[]);
        let id = kind.create(&scene.aws, &theirs.spec, &stamp).await.unwrap();
        associate(&scene.aws, &id.0, CHECKOUT).await;
        documents.push(policy("ours", &[WAREHOUSE, CHECKOUT]));
        let plan = plan(&scene, &documents).await;
        let outcome = scene.apply(&plan).await;
        let ending = format!("{:?}", outcome.endings);
        assert!(
            ending.contains("account 222233334444 has the policy") && ending.contains(whose),
            "{ending}"
        );
        // Nothing is half done.
        let there = set(&[(CHECKOUT, "theirs")]);
        assert_eq!(applied(&scene.aws).await, there);
        // Once it is let go, it is taken.
        let request = scene
            .aws
            .securityhub
            .start_configuration_policy_disassociation();
        let request = request.configuration_policy_identifier(&id.0);
        let request = request.target(Target::AccountId(CHECKOUT.to_owned()));
        request.send().await.unwrap();
        converged(&scene, &documents).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_manages_itself_is_taken_over() {
    let (scene, mut documents) = central(&[]).await;
    associate(&scene.aws, "SELF_MANAGED_SECURITY_HUB", CHECKOUT).await;
    documents.push(policy("ours", &[CHECKOUT]));
    converged(&scene, &documents).await;
    assert_eq!(applied(&scene.aws).await, set(&[(CHECKOUT, "ours")]));
}

#[tokio::test(start_paused = true)]
async fn what_is_inherited_is_nobodys_and_what_changes_by_hand_is_drift() {
    let spec = json!({"associations": {"organizationalUnits": [WORKLOADS]}});
    let stalls = declared("ConfigurationPolicy", "stalls", spec);
    let (scene, documents) = central(&[stalls]).await;
    let request = scene
        .aws
        .securityhub
        .list_configuration_policy_associations();
    let rows = request.send().await.unwrap();
    assert!(rows.configuration_policy_association_summaries().len() > 3);
    assert_eq!(applied(&scene.aws).await, set(&[(WORKLOADS, "stalls")]));
    let id = policy_id(&scene.aws, "stalls").await;
    associate(&scene.aws, &id, WAREHOUSE).await;
    let drifted = plan(&scene, &documents).await;
    let change = &drifted.changes[0];
    assert_eq!(change.because, [Because::Drift], "{}", told(&drifted));
    assert_eq!(change.differences[0].path, "/associations/accounts");
    scene.apply(&drifted).await;
    assert!(plan(&scene, &documents).await.is_empty());
    assert_eq!(applied(&scene.aws).await, set(&[(WORKLOADS, "stalls")]));
}

#[tokio::test(start_paused = true)]
async fn what_takes_a_day_is_told_and_not_waited_for() {
    let settings = Settings {
        async_reads: 9,
        ..administering()
    };
    let scene = Scene::with(1, settings).await;
    let mut documents = foundations();
    converged(&scene, &documents).await;
    documents.push(policy("stalls", &[CHECKOUT]));
    let (rest, _) = scene.converge(&documents, &Wish::default(), 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    let note = &rest.notes[0];
    assert_eq!(note.address.to_string(), "ConfigurationPolicy/stalls");
    let text = "AWS is bringing it to account 222233334444, which may take a day";
    assert_eq!(note.text, text);
    let (rest, _) = scene.converge(&documents, &Wish::default(), 9).await;
    let (rest, _) = if rest.notes.is_empty() {
        (rest, None)
    } else {
        for _ in 0..9 {
            plan(&scene, &documents).await;
        }
        scene.converge(&documents, &Wish::default(), 1).await
    };
    assert!(rest.notes.is_empty(), "{:?}", rest.notes);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_nothing_twice() {
    let kind = kinds::find("ConfigurationPolicy").unwrap();
    let object = policy("stalls", &[]);
    let stamp = Stamp::new(STACK, &object.address, &object.spec, None);
    for (then, late) in [
        ("disconnectAfter", 0),
        ("timeoutAfter", 0),
        ("disconnectAfter", 3),
        ("disconnectBefore", 0),
    ] {
        let scene = Recorded::with(administering()).await;
        for object in foundations() {
            let any = kinds::find(&object.address.kind).unwrap();
            let made = any.create(&scene.aws, &object.spec, &unstamped("x")).await;
            made.unwrap();
        }
        // Central configuration is on once that was read.
        let describe = scene.aws.securityhub.describe_organization_configuration();
        describe.send().await.unwrap();
        let made = json!({"operation": "CreateConfigurationPolicy"});
        let mut faults = vec![json!({"match": made, "when": {"first": 1}, "then": then})];
        if late > 0 {
            faults.insert(0, json!({"match": made, "then": {"staleReads": late}}));
        }
        scene.faults(&json!(faults));
        let id = kind.create(&scene.aws, &object.spec, &stamp).await;
        scene.sandbox.set_faults(Faults::default());
        let id = id.unwrap_or_else(|error| panic!("{then}: {error}"));
        let all = kind.list(&scene.aws, &Select::Everything).await.unwrap();
        assert_eq!(all.len(), 1, "{then}, {late}");
        let tries = if then.ends_with("Before") { 2 } else { 1 };
        assert_eq!(
            scene.counts(0)["CreateConfigurationPolicy"],
            tries,
            "{then}"
        );
        let again = kind.create(&scene.aws, &object.spec, &stamp).await;
        assert_eq!(again.unwrap(), id);
    }
}

#[tokio::test(start_paused = true)]
async fn two_policies_with_one_stamp_are_nobodys_choice() {
    let kind = kinds::find("ConfigurationPolicy").unwrap();
    let (scene, _) = central(&[policy("stalls", &[])]).await;
    let object = policy("stalls", &[]);
    let stamp = Stamp::new(STACK, &object.address, &object.spec, None);
    let copy = kind
        .create(&scene.aws, &object.spec, &unstamped("copy"))
        .await;
    let tag = scene
        .aws
        .securityhub
        .tag_resource()
        .resource_arn(copy.unwrap().0);
    let tags = stamp.tags.clone().into_iter().collect();
    tag.set_tags(Some(tags)).send().await.unwrap();
    let error = kind.create(&scene.aws, &object.spec, &stamp).await;
    let error = error.unwrap_err();
    assert_eq!(error.class, Class::Conflict);
    assert!(
        error.message.contains("2 policies carry the stamp"),
        "{error}"
    );
}
