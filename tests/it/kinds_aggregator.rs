//! The finding aggregator: one for an account, seen from every region, changed at home, and whose it is without a tag.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stationbill::kinds::{self, AnyKind, Select};
use stationbill::load::Declared;
use stationbill::model::Address;
use stationbill::model::lifecycle::Lifecycle;
use stationbill::model::plan::{Action, Because, Plan, Wish};
use stationbill::sandbox::{Faults, Organization};

use crate::support::recorded::Recorded;
use crate::support::{STACK, Scene, told};

const CLAIM: &str = "/stationbill/claims/securityhub/finding-aggregator";
/// Where scenes are, unless they are elsewhere.
const HOME: &str = "ap-northeast-1";

fn kind() -> &'static dyn AnyKind {
    kinds::find("FindingAggregator").unwrap()
}

fn aggregator(spec: &Value) -> Declared {
    let spec = kind().parse(spec).unwrap();
    let address = Address::new("FindingAggregator", "findings");
    Declared::new(address, spec, Lifecycle::default())
}

fn some(regions: &[&str]) -> Declared {
    aggregator(&json!({ "regionLinkingMode": "SPECIFIED_REGIONS", "regions": regions }))
}

fn all() -> Declared {
    aggregator(&json!({ "regionLinkingMode": "ALL_REGIONS" }))
}

/// A simulated AWS in which Security Hub is enabled.
async fn scene() -> Scene {
    let scene = Scene::new(1).await;
    enable(&scene).await;
    scene
}

async fn enable(scene: &Scene) {
    let request = scene.aws.securityhub.enable_security_hub();
    let request = request.enable_default_standards(false);
    request.send().await.unwrap();
}

async fn claim(scene: &Scene) -> Option<String> {
    let answer = scene.aws.ssm.get_parameter().name(CLAIM).send().await;
    answer.ok()?.parameter?.value
}

async fn plan(scene: &Scene, declared: &[Declared]) -> Plan {
    scene.plan(STACK, declared, &Wish::default()).await.2
}

async fn converge(scene: &Scene, declared: &[Declared]) {
    let (rest, _) = scene.converge(declared, &Wish::default(), 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
}

#[tokio::test(start_paused = true)]
async fn it_is_claimed_created_changed_deleted_and_let_go() {
    let scene = scene().await;
    converge(&scene, &[some(&["eu-west-1"])]).await;
    assert!(
        claim(&scene)
            .await
            .unwrap()
            .contains("FindingAggregator/findings")
    );
    // A mode without regions drops those that were there.
    for next in [
        some(&["eu-west-1", "us-east-1"]),
        all(),
        some(&["us-east-1"]),
    ] {
        let planned = plan(&scene, std::slice::from_ref(&next)).await;
        assert_eq!(
            planned.changes[0].action,
            Action::Update,
            "{}",
            told(&planned)
        );
        converge(&scene, &[next]).await;
    }
    // Somebody changes it by hand.
    let live = kind()
        .list(&scene.aws, &Select::one(""))
        .await
        .unwrap()
        .remove(0);
    let request = scene.aws.securityhub.update_finding_aggregator();
    let request = request
        .finding_aggregator_arn(&live.id.0)
        .region_linking_mode("NO_REGIONS");
    request.send().await.unwrap();
    let planned = plan(&scene, &[some(&["us-east-1"])]).await;
    assert_eq!(planned.changes[0].because, [Because::Drift]);
    scene.apply(&planned).await;
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let planned = scene.plan(STACK, &[], &prune).await.2;
    assert_eq!(
        planned.changes[0].action,
        Action::Delete,
        "{}",
        told(&planned)
    );
    scene.apply(&planned).await;
    assert_eq!(claim(&scene).await, None);
    assert_eq!(
        kind()
            .list(&scene.aws, &Select::Everything)
            .await
            .unwrap()
            .len(),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn what_another_stack_claimed_is_left_alone() {
    let scene = scene().await;
    let theirs = scene.plan("another", &[all()], &Wish::default()).await.2;
    scene.apply(&theirs).await;
    let planned = plan(&scene, &[some(&["eu-west-1"])]).await;
    assert_eq!(planned.changes[0].action, Action::Blocked);
    assert!(
        told(&planned).contains("owned by stack `another`"),
        "{}",
        told(&planned)
    );
    // Nobody's is adopted, if that is wished for, and then claimed.
    scene
        .aws
        .ssm
        .delete_parameter()
        .name(CLAIM)
        .send()
        .await
        .unwrap();
    let planned = plan(&scene, &[all()]).await;
    assert_eq!(planned.changes[0].action, Action::Adopt);
    assert!(planned.changes[0].held.is_some());
    let adopt = Wish {
        adopt: true,
        ..Wish::default()
    };
    let planned = scene.plan(STACK, &[all()], &adopt).await.2;
    scene.apply(&planned).await;
    let rest = plan(&scene, &[all()]).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    assert!(claim(&scene).await.unwrap().contains(STACK));
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_an_aggregator_is_enough_to_go_on() {
    let scene = scene().await;
    let planned = plan(&scene, &[all()]).await;
    let rules = json!([{"match": {"operation": "CreateFindingAggregator"}, "when": {"first": 1}, "then": "deny"}]);
    scene
        .sandbox
        .set_faults(Faults::parse(&rules.to_string()).unwrap());
    let outcome = scene.apply(&planned).await;
    assert_eq!(outcome.failed(), 1, "{outcome:?}");
    assert!(claim(&scene).await.is_some());
    // For another stack it is taken; ours goes on.
    let theirs = scene.plan("another", &[all()], &Wish::default()).await.2;
    let outcome = scene.apply(&theirs).await;
    let ending = format!("{:?}", outcome.endings);
    assert!(
        ending.contains("the finding aggregator is claimed by stack `banana-stand`"),
        "{ending}"
    );
    converge(&scene, &[all()]).await;
}

#[tokio::test(start_paused = true)]
async fn from_elsewhere_the_plan_says_where_its_home_is() {
    let scene = scene().await;
    converge(&scene, &[all()]).await;
    let elsewhere = scene.elsewhere("eu-west-1").await;
    enable(&elsewhere).await;
    for declared in [all(), some(&["us-east-1"])] {
        for adopt in [false, true] {
            let wish = Wish {
                adopt,
                ..Wish::default()
            };
            let planned = elsewhere
                .plan(STACK, std::slice::from_ref(&declared), &wish)
                .await
                .2;
            let change = &planned.changes[0];
            assert_eq!(change.action, Action::Blocked, "{}", told(&planned));
            let why = change.reason.as_deref().unwrap();
            assert!(
                why.starts_with(&format!("its home is {HOME}, where alone")),
                "{why}"
            );
        }
    }
    // It belongs to no stack there, and so no run deletes it from there.
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let planned = elsewhere.plan(STACK, &[], &prune).await.2;
    assert!(planned.is_empty(), "{}", told(&planned));
    let declared =
        |home: &str| aggregator(&json!({ "regionLinkingMode": "ALL_REGIONS", "homeRegion": home }));
    // Whoever wants another home is told how; whoever says the home that it has says nothing new.
    let planned = plan(&scene, &[declared("eu-west-1")]).await;
    assert_eq!(planned.changes[0].action, Action::Blocked);
    let why = planned.changes[0].reason.as_deref().unwrap();
    assert!(why.contains("eu-west-1"), "{why}");
    converge(&scene, &[declared(HOME)]).await;
}

#[tokio::test(start_paused = true)]
async fn where_it_cannot_be_it_is_not_created() {
    let scene = Scene::new(1).await.elsewhere("eu-south-1").await;
    enable(&scene).await;
    let planned = plan(&scene, &[all()]).await;
    assert_eq!(planned.changes[0].action, Action::Blocked);
    assert!(
        told(&planned).contains("as eu-south-1 is"),
        "{}",
        told(&planned)
    );
    // Without Security Hub there is none either, and the plan says what sets it up.
    let scene = Scene::new(1).await;
    let planned = plan(&scene, &[all()]).await;
    assert_eq!(planned.changes[0].action, Action::Blocked);
    assert!(
        told(&planned).contains("SecurityHub does that"),
        "{}",
        told(&planned)
    );
}

#[tokio::test(start_paused = true)]
async fn while_configuration_is_central_it_stays_and_the_error_says_why() {
    let scene = Scene::new(1).await;
    let file = format!(
        "id: o-banana\nmanagementAccount: '222233334444'\nsecurityHubAdministrator: '{}'\nroot:\n  id: r-ab12\n  \
         accounts: [{{ id: '222233334444' }}, {{ id: '{}' }}]\n",
        scene.aws.location.account, scene.aws.location.account
    );
    let organization = Organization::parse(&file).unwrap();
    scene
        .sandbox
        .with_state(|state| state.settings.organization = Some(organization));
    enable(&scene).await;
    converge(&scene, &[all()]).await;
    let central = aws_sdk_securityhub::types::OrganizationConfiguration::builder();
    let central = central.configuration_type("CENTRAL".into()).build();
    let request = scene.aws.securityhub.update_organization_configuration();
    let request = request
        .auto_enable(false)
        .auto_enable_standards("NONE".into());
    request
        .organization_configuration(central)
        .send()
        .await
        .unwrap();
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let planned = scene.plan(STACK, &[], &prune).await.2;
    let outcome = scene.apply(&planned).await;
    let ending = format!("{:?}", outcome.endings);
    assert!(
        ending.contains("switch the organization to local configuration first"),
        "{ending}"
    );
    // It is ours still.
    let rest = plan(&scene, &[all()]).await;
    assert!(rest.is_empty(), "{}", told(&rest));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_one_takes_three_calls() {
    let recorded = Recorded::new().await;
    let scene = Scene::of(recorded.sandbox.clone()).await;
    enable(&scene).await;
    converge(&scene, &[all()]).await;
    let since = recorded.calls().len();
    let rest = plan(&scene, &[all()]).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    let calls: Vec<String> = recorded.calls().split_off(since);
    let calls: BTreeSet<&str> = calls.iter().map(String::as_str).collect();
    let wanted = [
        "GetFindingAggregator",
        "GetParameter",
        "ListFindingAggregators",
    ];
    assert_eq!(calls, BTreeSet::from(wanted));
    assert_eq!(recorded.counts(since).values().sum::<usize>(), 3);
}
