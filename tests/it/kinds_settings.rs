//! Service settings, against the simulated AWS: whose they are though they have no tags.

use std::collections::BTreeSet;

use serde_json::json;
use stationbill::engine::policy::{Need, Purpose};
use stationbill::kinds::{self, Select};
use stationbill::load::Declared;
use stationbill::model::Address;
use stationbill::model::lifecycle::Lifecycle;
use stationbill::model::plan::{Action, Because, Wish};
use stationbill::model::stamp::Stamp;

use crate::support::{STACK, Scene, told};

const THROUGHPUT: &str = "/ssm/parameter-store/high-throughput-enabled";
const TIER: &str = "/ssm/managed-instance/activation-tier";
const ROLE: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

fn setting(id: &str, value: &str) -> Declared {
    let kind = kinds::find("ServiceSetting").unwrap();
    let spec = kind.parse(&json!({"name": id, "value": value})).unwrap();
    let address = Address::new("ServiceSetting", "setting");
    Declared::new(address, spec, Lifecycle::default())
}

async fn status(scene: &Scene, id: &str) -> (String, String) {
    let request = scene.aws.ssm.get_service_setting().setting_id(id);
    let setting = request.send().await.unwrap().service_setting.unwrap();
    (setting.setting_value.unwrap(), setting.status.unwrap())
}

async fn claims(scene: &Scene) -> Vec<String> {
    let request = scene.aws.ssm.get_parameters_by_path().path("/stationbill");
    let found = request.recursive(true).send().await.unwrap();
    let found = found.parameters.unwrap_or_default().into_iter();
    found.map(|parameter| parameter.name.unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_setting_is_claimed_changed_reset_and_let_go() {
    let scene = Scene::new(1).await;
    let declared = [setting(THROUGHPUT, "true")];
    let (rest, _) = scene.converge(&declared, &Wish::default(), 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    assert_eq!(
        status(&scene, THROUGHPUT).await,
        ("true".to_owned(), "Customized".to_owned())
    );
    assert_eq!(
        claims(&scene).await,
        [format!("/stationbill/claims{THROUGHPUT}")]
    );
    // Somebody resets it by hand: that is drift, for the claim is still there.
    let by_hand = scene.aws.ssm.reset_service_setting().setting_id(THROUGHPUT);
    by_hand.send().await.unwrap();
    let plan = scene.plan(STACK, &declared, &Wish::default()).await.2;
    assert_eq!(
        (plan.changes[0].action, &plan.changes[0].because[..]),
        (Action::Update, &[Because::Drift][..])
    );
    scene.apply(&plan).await;
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let plan = scene.plan(STACK, &[], &prune).await.2;
    assert_eq!(plan.changes[0].action, Action::Delete);
    assert_eq!(
        plan.changes[0].reason.as_deref(),
        Some("it is reset to its default")
    );
    scene.apply(&plan).await;
    assert_eq!(
        status(&scene, THROUGHPUT).await,
        ("false".to_owned(), "Default".to_owned())
    );
    assert!(claims(&scene).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_setting_is_waited_for() {
    let scene = Scene::new(1).await;
    let declared = [setting(TIER, "advanced")];
    let (rest, _) = scene.converge(&declared, &Wish::default(), 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    assert_eq!(
        status(&scene, TIER).await,
        ("advanced".to_owned(), "Customized".to_owned())
    );
    let destroy = Wish {
        destroy: true,
        ..Wish::default()
    };
    let plan = scene.plan(STACK, &declared, &destroy).await.2;
    scene.apply(&plan).await;
    assert_eq!(
        status(&scene, TIER).await,
        ("standard".to_owned(), "Default".to_owned())
    );
    assert!(scene.everything().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_and_not_changed_yet_is_changed_by_the_next_run() {
    let scene = Scene::new(1).await;
    let declared = [setting(THROUGHPUT, "true")];
    let Declared { address, spec, .. } = &declared[0];
    let stamp = Stamp::new(STACK, address, spec, None);
    let claim = serde_json::to_string(&stamp.tags).unwrap();
    let put = scene
        .aws
        .ssm
        .put_parameter()
        .name(format!("/stationbill/claims{THROUGHPUT}"));
    put.value(claim)
        .r#type("String".into())
        .send()
        .await
        .unwrap();
    let plan = scene.plan(STACK, &declared, &Wish::default()).await.2;
    assert_eq!(plan.changes[0].action, Action::Update);
    scene.apply(&plan).await;
    let plan = scene.plan(STACK, &declared, &Wish::default()).await.2;
    assert!(plan.is_empty(), "{}", told(&plan));
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_know_is_not_claimed() {
    let scene = Scene::new(1).await;
    let declared = [setting("/ssm/opsdata/Nothing", "Enabled")];
    let plan = scene.plan(STACK, &declared, &Wish::default()).await.2;
    let outcome = scene.apply(&plan).await;
    let ending = format!("{:?}", outcome.endings);
    assert!(
        ending.contains("AWS knows no setting `/ssm/opsdata/Nothing`"),
        "{ending}"
    );
    assert!(claims(&scene).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_somebody_changed_or_claimed_is_there() {
    let scene = Scene::new(1).await;
    let kind = kinds::find("ServiceSetting").unwrap();
    assert!(
        kind.list(&scene.aws, &Select::Everything)
            .await
            .unwrap()
            .is_empty()
    );
    let update = scene
        .aws
        .ssm
        .update_service_setting()
        .setting_id(THROUGHPUT);
    update.setting_value("true").send().await.unwrap();
    let found = kind.list(&scene.aws, &Select::Everything).await.unwrap();
    assert_eq!(
        (found.len(), found[0].name.as_str(), found[0].tags.len()),
        (1, THROUGHPUT, 0)
    );
    let wanted = Select::of(STACK, BTreeSet::new());
    assert!(kind.list(&scene.aws, &wanted).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_under_way_is_still_ours() {
    let scene = Scene::new(1).await;
    let declared = [setting(TIER, "advanced")];
    scene.converge(&declared, &Wish::default(), 1).await;
    let kind = kinds::find("ServiceSetting").unwrap();
    let live = kind.list(&scene.aws, &Select::one(TIER)).await.unwrap();
    // The process dies once AWS has begun.
    kind.delete(&scene.aws, &live[0]).await.unwrap();
    assert_eq!(claims(&scene).await.len(), 1);
    let theirs = scene.plan("another", &declared, &Wish::default()).await.2;
    assert_eq!(
        theirs.changes[0].action,
        Action::Blocked,
        "{}",
        told(&theirs)
    );
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let plan = scene.plan(STACK, &[], &prune).await.2;
    assert_eq!(plan.changes[0].action, Action::Delete, "{}", told(&plan));
    scene.apply(&plan).await;
    assert_eq!(status(&scene, TIER).await.1, "Default");
    assert!(claims(&scene).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_two_stacks_the_first_has_it() {
    let scene = Scene::new(1).await;
    let (ours, theirs) = (
        [setting(THROUGHPUT, "true")],
        [setting(THROUGHPUT, "false")],
    );
    // Both plan before either acts.
    let first = scene.plan(STACK, &ours, &Wish::default()).await.2;
    let second = scene.plan("another", &theirs, &Wish::default()).await.2;
    assert_eq!(second.changes[0].action, Action::Create);
    scene.apply(&first).await;
    let outcome = scene.apply(&second).await;
    let ending = format!("{:?}", outcome.endings);
    assert!(
        ending.contains(&format!("the setting is claimed by stack `{STACK}`")),
        "{ending}"
    );
    assert_eq!(status(&scene, THROUGHPUT).await.0, "true");
    let plan = scene.plan(STACK, &ours, &Wish::default()).await.2;
    assert!(plan.is_empty(), "{}", told(&plan));
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_somebody_changed_is_adopted_by_a_claim() {
    let scene = Scene::new(1).await;
    let update = { scene.aws.ssm.update_service_setting() }.setting_id(THROUGHPUT);
    update.setting_value("true").send().await.unwrap();
    let declared = [setting(THROUGHPUT, "true")];
    let adopt = Wish {
        adopt: true,
        ..Wish::default()
    };
    let plan = scene.plan(STACK, &declared, &adopt).await.2;
    assert_eq!(plan.changes[0].action, Action::Adopt, "{}", told(&plan));
    scene.apply(&plan).await;
    assert_eq!(claims(&scene).await.len(), 1);
    let plan = scene.plan(STACK, &declared, &Wish::default()).await.2;
    assert!(plan.is_empty(), "{}", told(&plan));
}

#[tokio::test]
async fn only_default_host_management_passes_a_role() {
    let scene = Scene::new(1).await;
    let policy = |id, value| {
        let need = Need {
            stack: STACK,
            declared: &[setting(id, value)],
            purpose: Purpose::Apply,
            adopt: false,
            names: true,
            locations: std::slice::from_ref(&scene.aws.location),
            partition: "aws",
            wish: &Wish::default(),
            targets: &[],
        };
        need.policy().to_string()
    };
    assert!(policy(ROLE, "service-role/Host").contains(":role/service-role/Host"));
    let other = policy(THROUGHPUT, "true");
    assert!(!other.contains("PassRole"), "{other}");
    assert!(
        other.contains(&format!(":servicesetting{THROUGHPUT}")),
        "{other}"
    );
}
