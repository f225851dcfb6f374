//! Security Hub: what the tests over all kinds cannot know of it.

use serde_json::{Value, json};
use stationbill::aws::{Connector, connect};
use stationbill::engine::{Ending, Outcome};
use stationbill::kinds::{self, AnyKind, Live, Select};
use stationbill::load::Declared;
use stationbill::model::lifecycle::{Lifecycle, OnDelete};
use stationbill::model::plan::{Action, Because, Plan, Wish};
use stationbill::model::{Address, stamp};
use stationbill::sandbox::Faults;

use crate::support::{STACK, Scene, told};

const CIS: &str = "cis-aws-foundations-benchmark/v/3.0.0";
const PCI: &str = "pci-dss/v/3.2.1";
const HUB: &str = "/accounts/111122223333/securityhub/ap-northeast-1/hub";

fn kind() -> &'static dyn AnyKind {
    kinds::find("SecurityHub").unwrap()
}

fn hub(spec: &Value) -> Declared {
    let spec = kind().parse(spec).unwrap();
    Declared::new(
        Address::new("SecurityHub", "hub"),
        spec,
        Lifecycle::default(),
    )
}

async fn live(scene: &Scene) -> Live<Value> {
    let mut found = kind().list(&scene.aws, &Select::Everything).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

async fn plan(scene: &Scene, hub: &Declared) -> Plan {
    let documents = std::slice::from_ref(hub);
    scene.plan(STACK, documents, &Wish::default()).await.2
}

async fn run(scene: &Scene, hub: &Declared) -> (Plan, Outcome) {
    let plan = plan(scene, hub).await;
    let outcome = scene.apply(&plan).await;
    (plan, outcome)
}

/// Applies, and checks that nothing is left to do; returns the plan that was carried out.
async fn apply(scene: &Scene, hub: &Declared) -> Plan {
    let (made, outcome) = run(scene, hub).await;
    for (change, ending) in made.changes.iter().zip(&outcome.endings) {
        assert_eq!(ending, &Some(Ending::Done), "{}", change.address);
    }
    let rest = plan(scene, hub).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    made
}

/// Returns the same world with something of the hub changed behind everybody's back.
async fn edited(scene: &Scene, edit: impl FnOnce(&mut Value)) -> Scene {
    let mut state = scene.snapshot();
    edit(state.pointer_mut(HUB).unwrap());
    Scene::restored(&state, 2).await
}

/// Three standards with 726 controls cost 20 calls, whatever is off: `SecurityHub`'s documentation says so.
#[tokio::test(start_paused = true)]
async fn a_hub_that_is_as_declared_costs_no_call_for_each_control() {
    let scene = Scene::new(1).await;
    let declared = hub(&json!({
        "standards": ["aws-foundational-security-best-practices/v/1.0.0", "nist-800-53/v/5.0.0", "pci-dss/v/4.0.1"],
        "controls": {
            "IAM.6": {"enabled": false, "reason": "x"},
            "EC2.8": {"enabled": false, "reason": "y", "enabledIn": ["nist-800-53/v/5.0.0"]},
            "ACM.1": {"parameters": {"daysToExpiration": {"integer": 20}}},
        },
    }));
    apply(&scene, &declared).await;
    let connector = Connector {
        sandbox: Some(scene.sandbox.clone()),
        ..Connector::default()
    };
    let connection = connect(&connector).await.unwrap();
    let before = connection.calls.total();
    let found = kind()
        .list(&connection.aws, &Select::Everything)
        .await
        .unwrap();
    assert_eq!(found[0].spec["controls"], declared.spec["controls"]);
    let calls = connection.calls.total() - before;
    // Hub, tags, standards; 287, 293 and 146 controls by the hundred; 726 pairs by the hundred; 1 for parameters.
    assert_eq!(
        calls,
        3 + (3 + 3 + 2) + 8 + 1,
        "{:?}",
        connection.calls.by_operation()
    );
}

#[tokio::test(start_paused = true)]
async fn a_control_that_goes_from_the_document_is_on_again() {
    let scene = Scene::new(1).await;
    let off = json!({"enabled": false, "reason": "x"});
    let days = json!({"parameters": {"daysToExpiration": {"integer": 20}}});
    let standards = json!([CIS, "pci-dss/v/4.0.1"]);
    let both =
        json!({"standards": standards, "controls": {"IAM.6": off, "IAM.9": off, "ACM.1": days}});
    apply(&scene, &hub(&both)).await;
    let one = hub(&json!({"standards": standards, "controls": {"IAM.9": off}}));
    let made = apply(&scene, &one).await;
    assert_eq!(made.changes[0].because, [Because::Pending]);
    assert_eq!(live(&scene).await.spec["controls"], json!({"IAM.9": off}));
    // Left out altogether, the controls are left alone.
    let none = hub(&json!({"standards": standards}));
    apply(&scene, &none).await;
    assert_eq!(live(&scene).await.spec["controls"], json!({"IAM.9": off}));
}

#[tokio::test(start_paused = true)]
async fn a_control_that_somebody_switches_off_is_on_again_and_one_that_aws_does_is_left_alone() {
    let scene = Scene::new(1).await;
    let declared = hub(&json!({"standards": [CIS], "controls": {}}));
    apply(&scene, &declared).await;
    let path = format!("/subscriptions/{}/controls", CIS.replace('/', "~1"));
    let off = |reason: Option<&str>| {
        let mut control = json!({"on": false, "changed": 0.0});
        if let Some(reason) = reason {
            control["reason"] = json!(reason);
        }
        json!({ "IAM.9": control })
    };
    let by_hand = edited(&scene, |hub| {
        *hub.pointer_mut(&path).unwrap() = off(Some("quick fix"));
    })
    .await;
    let seen = plan(&by_hand, &declared).await;
    assert_eq!(seen.changes[0].because, [Because::Drift], "{}", told(&seen));
    assert_eq!(seen.changes[0].differences[0].path, "/controls/IAM.9");
    apply(&by_hand, &declared).await;
    assert_eq!(live(&by_hand).await.spec["controls"], json!({}));

    let by_aws = edited(&scene, |hub| {
        *hub.pointer_mut(&path).unwrap() = off(None);
    })
    .await;
    assert!(plan(&by_aws, &declared).await.is_empty());
    // Once the document names it, it is off for a reason.
    let named = json!({"IAM.9": {"enabled": false, "reason": "new, and noisy"}});
    apply(
        &by_aws,
        &hub(&json!({"standards": [CIS], "controls": named})),
    )
    .await;
    assert_eq!(live(&by_aws).await.spec["controls"], named);
}

#[tokio::test(start_paused = true)]
async fn a_standard_that_aws_could_not_enable_wholly_is_a_note_with_its_reason() {
    let scene = Scene::new(1).await;
    let declared = hub(&json!({"standards": [CIS]}));
    apply(&scene, &declared).await;
    let path = format!("/subscriptions/{}", CIS.replace('/', "~1"));
    let scene = edited(&scene, |hub| {
        hub.pointer_mut(&path).unwrap()["incomplete"] =
            json!("NO_AVAILABLE_CONFIGURATION_RECORDER");
    })
    .await;
    let seen = plan(&scene, &declared).await;
    assert!(seen.is_empty(), "{}", told(&seen));
    let notes: Vec<&str> = seen.notes.iter().map(|note| note.text.as_str()).collect();
    let wanted =
        format!("AWS could not enable all of `{CIS}`: NO_AVAILABLE_CONFIGURATION_RECORDER");
    assert_eq!(notes, [wanted]);
}

#[tokio::test(start_paused = true)]
async fn a_new_hub_has_the_standards_of_its_document_or_those_of_aws() {
    let scene = Scene::new(1).await;
    apply(&scene, &hub(&json!({"standards": []}))).await;
    assert_eq!(live(&scene).await.spec["standards"], json!([]));
    let scene = Scene::new(1).await;
    apply(&scene, &hub(&json!({}))).await;
    let usual = [
        "aws-foundational-security-best-practices/v/1.0.0",
        "cis-aws-foundations-benchmark/v/1.2.0",
    ];
    assert_eq!(live(&scene).await.spec["standards"], json!(usual));
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_there_is_adopted_and_one_that_goes_is_kept_unless_told_otherwise() {
    let scene = Scene::new(1).await;
    scene
        .aws
        .securityhub
        .enable_security_hub()
        .send()
        .await
        .unwrap();
    let declared = hub(&json!({"standards": [CIS]}));
    let seen = plan(&scene, &declared).await;
    assert_eq!(
        (seen.changes[0].action, seen.changes[0].acts()),
        (Action::Adopt, false)
    );
    let wish = Wish {
        adopt: true,
        ..Wish::default()
    };
    // The standards of AWS are still PENDING when they are to go.
    let documents = std::slice::from_ref(&declared);
    let (rest, _) = scene.converge(documents, &wish, 2).await;
    assert!(rest.is_empty(), "{}", told(&rest));
    assert_eq!(live(&scene).await.spec["standards"], json!([CIS]));

    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let (_, _, kept) = scene.plan(STACK, &[], &prune).await;
    assert!(
        kept.changes.is_empty() && kept.retained.len() == 1,
        "{}",
        told(&kept)
    );
    let mut told_otherwise = hub(&json!({"standards": [CIS], "tags": {"kept": "no"}}));
    told_otherwise.lifecycle.on_delete = Some(OnDelete::Delete);
    apply(&scene, &told_otherwise).await;
    let (_, _, gone) = scene.plan(STACK, &[], &prune).await;
    scene.apply(&gone).await;
    assert!(
        kind()
            .list(&scene.aws, &Select::Everything)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn every_write_may_lose_its_first_answer() {
    const WRITES: [&str; 8] = [
        "EnableSecurityHub",
        "UpdateSecurityHubConfiguration",
        "BatchEnableStandards",
        "BatchDisableStandards",
        "BatchUpdateStandardsControlAssociations",
        "UpdateSecurityControl",
        "TagResource",
        "DisableSecurityHub",
    ];
    let scene = Scene::new(1).await;
    let rules = WRITES.map(|write| {
        json!({"match": {"operation": write}, "when": {"first": 1}, "then": "disconnectAfter"})
    });
    let faults = || Faults::parse(&json!(rules).to_string()).unwrap();
    let spec = |standards: &[&str], days: i32, reason: &str| {
        let mut hub = hub(&json!({
            "autoEnableControls": false,
            "standards": standards,
            "controls": {
                "IAM.6": {"enabled": false, "reason": reason},
                "ACM.1": {"parameters": {"daysToExpiration": {"integer": days}}},
            },
            "tags": {"days": days.to_string()},
        }));
        hub.lifecycle.on_delete = Some(OnDelete::Delete);
        hub
    };
    scene.sandbox.set_faults(faults());
    apply(&scene, &spec(&[CIS, "pci-dss/v/4.0.1"], 20, "x")).await;
    scene.sandbox.set_faults(faults());
    apply(&scene, &spec(&[PCI, "pci-dss/v/4.0.1"], 30, "y")).await;
    let owner = live(&scene).await.tags;
    assert_eq!(stamp::owner(&owner, STACK), stamp::Owner::Us);
    let wish = Wish {
        destroy: true,
        ..Wish::default()
    };
    let (_, _, gone) = scene.plan(STACK, &[], &wish).await;
    assert_eq!(scene.apply(&gone).await.endings, [Some(Ending::Done)]);
}

#[tokio::test(start_paused = true)]
async fn what_aws_cannot_do_is_an_error_that_says_why() {
    let off = |more: Value| {
        let mut control = json!({"enabled": false, "reason": "x"});
        for (key, value) in more.as_object().unwrap() {
            control[key] = value.clone();
        }
        control
    };
    for (id, control, why) in [
        ("ACM.1", off(json!({})), "is in none of the standards"),
        ("ACM.99", off(json!({})), "Security control not found"),
        (
            "S3.22",
            off(json!({"enabledIn": [PCI]})),
            "is not in `pci-dss/v/3.2.1`",
        ),
        (
            "S3.22",
            off(json!({"enabledIn": [CIS]})),
            "would be on in every standard",
        ),
        (
            "IAM.6",
            json!({"parameters": {"x": {"integer": 1}}}),
            "no parameters that can be customized",
        ),
    ] {
        let scene = Scene::new(1).await;
        let declared = hub(&json!({"standards": [CIS, PCI], "controls": {id: control}}));
        let (_, outcome) = run(&scene, &declared).await;
        let Some(Ending::Failed(said)) = &outcome.endings[0] else {
            panic!("{id}: {outcome:?}");
        };
        assert!(said.contains(why), "{id}: {said}");
    }
    let scene = Scene::new(1).await;
    let (_, outcome) = run(
        &scene,
        &hub(&json!({"standards": ["no-such-standard/v/1.0.0"]})),
    )
    .await;
    assert!(
        matches!(&outcome.endings[0], Some(Ending::Failed(said)) if said.contains("no-such-standard"))
    );
}
