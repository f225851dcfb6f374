//! Tests: what an account has once is seen, referred to and waited for from all of its regions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::model::graph::{Part, order};
use crate::model::stamp::Stamp;
use crate::model::{Erased, Id, Ref, Spec};

/// AWS keeps it once for an account.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Once {
    name: String,
}

impl Spec for Once {
    const KIND: &'static str = "Once";
    const PER_ACCOUNT: bool = true;
}

/// Every region has its own.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Each {
    name: String,
    once: Ref<Once>,
}

impl Spec for Each {
    const KIND: &'static str = "Each";
}

/// Shares its names with `Once`, and refers to one.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Twin {
    name: String,
    once: Option<Ref<Once>>,
}

impl Spec for Twin {
    const KIND: &'static str = "Twin";
    const NAMESPACE: &'static str = Once::NAMESPACE;
    const PER_ACCOUNT: bool = true;
}

static TWIN: Erased<Twin> = Erased::new();
static ONCE: Erased<Once> = Erased::new();
static EACH: Erased<Each> = Erased::new();
const SPECS: &[&dyn AnySpec] = &[&ONCE, &EACH];

fn place(region: &str) -> Location {
    Location {
        account: "111122223333".to_owned(),
        region: region.to_owned(),
    }
}

fn object(kind: &str, region: &str, spec: Value) -> Object {
    Object {
        address: Address::new(kind, "x"),
        location: place(region),
        spec: Arc::new(spec),
        lifecycle: Lifecycle::default(),
        problem: None,
    }
}

/// The home comes last in the alphabet, so that it is no accident when it is decided first.
fn desired() -> Desired {
    let each = json!({ "name": "x", "once": { "ref": "Once/x" } });
    Desired {
        stack: "s".to_owned(),
        objects: vec![
            object("Each", "eu-west-1", each.clone()),
            object("Once", "us-east-1", json!({ "name": "x" })),
            object("Each", "us-east-1", each),
        ],
        homes: BTreeMap::from([("111122223333".to_owned(), place("us-east-1"))]),
        left_out: std::collections::BTreeSet::new(),
        kinds: None,
    }
}

fn live(object: &Object, id: &str, spec: Value) -> Live<Held> {
    let live = Live {
        id: Id(id.to_owned()),
        name: "x".to_owned(),
        spec,
        tags: Stamp::new("s", &object.address, &object.spec, None).tags,
        ready: true,
        notes: Vec::new(),
    };
    live.held(None)
}

fn planned(desired: &Desired, found: [Found; 3]) -> Plan {
    let mut observed = Observed::default();
    for (object, found) in desired.objects.iter().zip(found) {
        let kinds = observed.0.entry(object.location.clone()).or_default();
        kinds.insert(object.address.kind.clone(), found);
    }
    plan(desired, &observed, SPECS, &Wish::default())
}

#[test]
fn others_in_every_region_wait_for_it() {
    let plan = planned(&desired(), [Ok(vec![]), Ok(vec![]), Ok(vec![])]);
    let told: Vec<String> = plan
        .changes
        .iter()
        .map(|change| {
            format!(
                "{} {} {}",
                change.action.word(),
                change.location.region,
                change.address
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "create eu-west-1 Each/x",
            "create us-east-1 Once/x",
            "create us-east-1 Each/x"
        ]
    );
    let graph = order(&plan, SPECS);
    assert!(graph.steps.iter().all(|step| step.part == Part::Put));
    let needs: Vec<Vec<usize>> = graph
        .needs
        .iter()
        .map(|needs| needs.iter().copied().collect())
        .collect();
    assert_eq!(needs, [vec![1], vec![], vec![1]]);
}

#[test]
fn its_arn_is_its_name_in_every_region() {
    let desired = desired();
    let [abroad, once, home] = &desired.objects[..] else {
        unreachable!("three objects")
    };
    let each = json!({ "name": "x", "once": { "arn": "arn:once" } });
    let plan = planned(
        &desired,
        [
            Ok(vec![live(abroad, "arn:abroad", each.clone())]),
            Ok(vec![live(once, "arn:once", Value::clone(&once.spec))]),
            Ok(vec![live(home, "arn:home", each)]),
        ],
    );
    assert_eq!((plan.changes, plan.unchanged), (vec![], 3));
}

#[test]
fn while_it_cannot_be_read_nobody_knows_what_refers_to_it() {
    let failed = Err(Unreadable::Failed("denied".to_owned()));
    let plan = planned(&desired(), [Ok(vec![]), failed, Ok(vec![])]);
    assert_eq!(plan.count(Action::Unknown), 3);
}

/// What waits for which creations, where `Each` is made in some regions and some of `Once` are deleted.
fn gates(making: &[&str], going: &[&str]) -> Vec<(String, Vec<String>)> {
    let change = |kind: &str, name: &str, at: &str, action| {
        Change::new(Address::new(kind, name), place(at), action)
    };
    let made = making
        .iter()
        .map(|at| change("Each", "new", at, Action::Create));
    let gone = going
        .iter()
        .map(|name| change("Once", name, "us-east-1", Action::Delete));
    // Nothing can refer to an `Each`.
    let apart = change("Each", "old", "us-east-1", Action::Delete);
    let plan = Plan {
        changes: made.chain(gone).chain([apart]).collect(),
        ..Plan::default()
    };
    let graph = order(&plan, SPECS);
    let told = |step: usize| {
        let change = &plan.changes[graph.steps[step].change];
        format!("{} in {}", change.address, change.location.region)
    };
    let behind = graph.behind.iter().map(|(&step, &gate)| {
        (
            told(step),
            graph.gates[gate].iter().copied().map(told).collect(),
        )
    });
    behind.collect()
}

#[test]
fn what_goes_waits_for_what_is_made_in_any_region_and_may_refer_to_it() {
    let first = vec![
        "Each/new in eu-west-1".to_owned(),
        "Each/new in us-east-1".to_owned(),
    ];
    assert_eq!(
        gates(&["eu-west-1", "us-east-1"], &["a", "b"]),
        [
            ("Once/a in us-east-1".to_owned(), first.clone()),
            ("Once/b in us-east-1".to_owned(), first)
        ]
    );
    assert_eq!(gates(&[], &["a", "b"]), []);
    assert_eq!(gates(&["us-east-1"], &[]), []);
}

/// The name in AWS must be free first, whatever else such a creation may refer to.
#[test]
fn what_takes_a_name_waits_until_it_is_given_up() {
    let make = |name: &str| Change {
        desired: Some(Arc::new(json!({ "name": name }))),
        ..Change::new(
            Address::new("Twin", name),
            place("us-east-1"),
            Action::Create,
        )
    };
    let drop = |name: &str| {
        let object = object("Once", "us-east-1", json!({ "name": name }));
        let mut live = live(&object, name, json!({ "name": name })).whole();
        name.clone_into(&mut live.name);
        Change {
            live: Some(live),
            ..Change::new(
                Address::new("Once", name),
                place("us-east-1"),
                Action::Delete,
            )
        }
    };
    let plan = Plan {
        changes: vec![make("x"), drop("x"), drop("y")],
        ..Plan::default()
    };
    let graph = order(&plan, &[&ONCE, &TWIN]);
    let needs: Vec<Vec<usize>> = { graph.needs.iter() }
        .map(|needs| needs.iter().copied().collect())
        .collect();
    assert_eq!(needs, [vec![1], vec![], vec![]]);
    assert_eq!(graph.gates, [vec![0]]);
    assert_eq!(graph.behind, BTreeMap::from([(2, 0)]));
}

/// Nobody may make what is missing; all the same nothing is unclear about what refers to it.
#[test]
fn of_a_stack_that_only_reports_nothing_is_unknown_because_something_is_missing() {
    let desired = desired();
    let [abroad, _, home] = &desired.objects[..] else {
        unreachable!("three objects")
    };
    let each = json!({ "name": "x", "once": { "arn": "arn:once" } });
    let mut observed = Observed::default();
    for (object, found) in desired.objects.iter().zip([
        Ok(vec![live(abroad, "arn:abroad", each.clone())]),
        Ok(vec![]),
        Ok(vec![live(home, "arn:home", each)]),
    ]) {
        let kinds = observed.0.entry(object.location.clone()).or_default();
        kinds.insert(object.address.kind.clone(), found);
    }
    let wish = Wish {
        report_only: true,
        ..Wish::default()
    };
    let drift = plan(&desired, &observed, SPECS, &wish).drift_only();
    assert!(drift.complete());
    let missing = drift
        .changes
        .iter()
        .map(|change| change.address.to_string());
    assert_eq!(missing.collect::<Vec<_>>(), ["Once/x"]);
}
