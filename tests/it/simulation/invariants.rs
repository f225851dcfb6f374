//! What must hold, after every call that writes, after every run and in the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stationbill::engine::{Ending, Outcome};
use stationbill::kinds::{self, Live};
use stationbill::model::Address;
use stationbill::model::plan::{Action, Change, Observed, Plan, Wish};
use stationbill::model::reference::references;
use stationbill::model::spec::Identity;
use stationbill::model::stamp::{self, Owner};

use super::Story;
use crate::support::glance::Glance;
use crate::support::{Estate, STACK, told};

impl Story {
    /// What is said to be done is done.
    pub(super) async fn check_done(&mut self, plan: &Plan, outcome: &Outcome) {
        let done: BTreeSet<&Address> = plan
            .changes
            .iter()
            .zip(&outcome.endings)
            .filter(|(change, ending)| {
                change.action != Action::Delete && matches!(ending, Some(Ending::Done))
            })
            .map(|(change, _)| &change.address)
            .collect();
        let wish = Wish {
            today: "2026-01-01".to_owned(),
            ..Wish::default()
        };
        let rest = self.scene.plan(STACK, &self.documents, &wish).await.2;
        let left = rest.changes.iter().find(|change| {
            change.acts() && change.action != Action::Delete && done.contains(&change.address)
        });
        if let Some(change) = left {
            self.fail(&format!(
                "{} is said to be done, and then:\n{}",
                change.address,
                told(&rest)
            ));
        }
    }

    pub(super) fn check_missed(&self, plan: &Plan, there: &Estate) {
        for change in plan.changes.iter().filter(|c| c.action == Action::Create) {
            let missed = there.iter().any(|((kind, _), live)| {
                *kind == change.address.kind
                    && stamp::owner(&live.tags, STACK) == Owner::Us
                    && stamp::names(&live.tags, &change.address)
            });
            if missed {
                self.fail(&format!(
                    "{} is there, and the plan creates it",
                    change.address
                ));
            }
        }
    }

    pub(super) fn check_unknown(&self, plan: &Plan, observed: &Observed) {
        for change in &plan.changes {
            let read = observed
                .0
                .get(&change.location)
                .and_then(|kinds| kinds.get(&change.address.kind));
            let acts = matches!(
                change.action,
                Action::Create | Action::Replace | Action::Delete
            );
            let known = match read {
                Some(Ok(_)) => true,
                // Incident Manager is not there until the replication set of the same plan is.
                Some(Err(stationbill::model::plan::Unreadable::NotAvailable(_))) => {
                    change.action == Action::Create
                }
                _ => false,
            };
            if acts && !known {
                self.fail(&format!(
                    "{} is planned from what could not be read",
                    change.address
                ));
            }
        }
    }

    pub(super) fn check(&self, plan: &Plan, before: &Estate, after: &Estate) {
        for (key, was) in before {
            if stamp::owner(&was.tags, STACK) == Owner::Us {
                continue;
            }
            let adopted = plan.changes.iter().any(|change| {
                change.action == Action::Adopt
                    && change.acts()
                    && change.live.as_ref().is_some_and(|live| live.id == was.id)
            });
            let same = after.get(key).is_some_and(|is| {
                (unowned(&key.0, is), &is.tags) == (unowned(&key.0, was), &was.tags)
            });
            if !adopted && !same {
                self.fail(&format!(
                    "{key:?} is not ours and was changed: {:?} {:?}",
                    was.spec,
                    after.get(key)
                ));
            }
        }
        for (object, count) in twice(after) {
            if !self.replacing.contains(&object) {
                self.fail(&format!("{object} is there {count} times"));
            }
        }
        let dangled = dangling(before);
        if let Some((who, whom)) = dangling(after).difference(&dangled).next() {
            self.fail(&format!("{who} now refers to {whom}, which is not there"));
        }
    }
}

/// What must hold after every single call that writes, whatever became of its answer.
#[derive(Default)]
pub(super) struct Steps {
    before: Glance,
    dangled: BTreeSet<(String, String)>,
    replacing: BTreeSet<String>,
    adopted: BTreeSet<String>,
    pub(super) broken: Vec<String>,
}

impl Steps {
    pub(super) fn begin(
        &mut self,
        before: Glance,
        replacing: BTreeSet<String>,
        adopted: BTreeSet<String>,
    ) {
        *self = Self {
            dangled: before.dangling(),
            before,
            replacing,
            adopted,
            broken: Vec::new(),
        };
    }

    pub(super) fn step(&mut self, operation: &str, now: &Glance) {
        let mut found = now.touched(&self.before, &self.adopted);
        for twice in now.twice().difference(&self.replacing) {
            found.push(format!("{twice} is there twice"));
        }
        for (who, whom) in now.dangling().difference(&self.dangled) {
            found.push(format!("{who} refers to {whom}, which is not there"));
        }
        let after = found.into_iter();
        self.broken
            .extend(after.map(|what| format!("after {operation}: {what}")));
    }
}

/// What a plan takes over because a document says so.
pub(super) fn adopted(plan: &Plan) -> BTreeSet<String> {
    let adopts = |change: &&Change| change.action == Action::Adopt && change.acts();
    let adopts = plan.changes.iter().filter(adopts);
    let keys = adopts.filter_map(|change| {
        let live = change.live.as_ref()?;
        Some(Glance::key(&change.address.kind, &change.location, live))
    });
    keys.collect()
}

/// Says whether a change may be left for good: a person must decide it.
pub(super) fn excused(change: &Change, before: &Estate, after: &Estate) -> bool {
    match change.action {
        // Somebody else's object has the name.
        Action::Adopt => change.held.is_some(),
        Action::Blocked => {
            let wanted = change.desired.as_ref().unwrap();
            let taken = after.iter().any(|((kind, _), live)| {
                stamp::owner(&live.tags, STACK) != Owner::Us
                    && (*kind == change.address.kind
                        || is_alias(kind) && is_alias(&change.address.kind))
                    && live.name == wanted["name"]
            });
            // What needs a blocked one is blocked as well.
            taken || !references(wanted).is_empty()
        }
        // A patch group, or the name of a contact, is taken by an object that is not ours.
        Action::Create | Action::Update | Action::Replace => {
            let wanted = change.desired.as_ref().unwrap();
            after.iter().any(|((kind, _), live)| {
                stamp::owner(&live.tags, STACK) != Owner::Us
                    && (kind == "PatchBaseline"
                        && overlaps(&live.spec["patchGroups"], &wanted["patchGroups"])
                        || is_alias(kind)
                            && is_alias(&change.address.kind)
                            && live.name == wanted["name"])
            })
        }
        // Central configuration does not end while there is a policy, and somebody else's is not ours to delete.
        Action::Delete if change.address.kind == "OrganizationConfiguration" => {
            after.iter().any(|((kind, _), live)| {
                kind == "ConfigurationPolicy" && stamp::owner(&live.tags, STACK) != Owner::Us
            })
        }
        // With a hub that was gone comes what nobody could see then, what is in no document too.
        Action::Delete => {
            let hub = before.keys().any(|(kind, _)| kind == "SecurityHub");
            let parts = ["AutomationRule", "FindingAggregator"];
            parts.contains(&change.address.kind.as_str()) && !hub
        }
        Action::Unknown => false,
    }
}

pub(super) fn is_singleton(kind: &str) -> bool {
    kinds::find(kind).is_some_and(|kind| kind.identity() == Identity::Singleton)
}

pub(super) fn is_alias(kind: &str) -> bool {
    ["Contact", "OnCallSchedule", "EscalationPlan"].contains(&kind)
}

pub(super) fn overlaps(one: &Value, other: &Value) -> bool {
    let of = |value: &Value| -> BTreeSet<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    !of(one).is_disjoint(&of(other))
}

/// What must not change of an object that is not ours. There is one default baseline an operating system.
pub(super) fn unowned(kind: &str, live: &Live<Value>) -> Value {
    let mut spec = live.spec.clone();
    if let Some(spec) = spec.as_object_mut().filter(|_| kind == "PatchBaseline") {
        spec.remove("default");
    }
    spec
}

/// Counts the objects of ours that are there more than once.
pub(super) fn twice(estate: &Estate) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for ((kind, _), live) in estate {
        if stamp::owner(&live.tags, STACK) == Owner::Us {
            let object = live.tags.get(stamp::OBJECT).cloned().unwrap_or_default();
            assert!(
                object.starts_with(&format!("{kind}/")),
                "{object} is a {kind}"
            );
            *counts.entry(object).or_insert(0) += 1;
        }
    }
    counts.retain(|_, count| *count > 1);
    counts
}

/// Returns who refers to whom in vain.
pub(super) fn dangling(estate: &Estate) -> BTreeSet<(String, String)> {
    let ids: BTreeSet<&str> = estate.keys().map(|(_, id)| id.as_str()).collect();
    let mut found = BTreeSet::new();
    for ((kind, _), live) in estate {
        let mut named = Vec::new();
        arns(&live.spec, &mut named);
        for arn in named {
            // Topics are nothing that a kind makes.
            if !arn.contains(":sns:") && !ids.contains(arn.as_str()) {
                found.insert((format!("{kind}/{}", live.name), arn));
            }
        }
    }
    found
}

pub(super) fn arns(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(arn) = map.get("arn").and_then(Value::as_str) {
                into.push(arn.to_owned());
            }
            map.values().for_each(|member| arns(member, into));
        }
        Value::Array(list) => list.iter().for_each(|member| arns(member, into)),
        _ => {}
    }
}
