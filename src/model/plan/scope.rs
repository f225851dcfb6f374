//! What of a plan a change of the documents can affect.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Change, Note, Plan};
use crate::model::graph::order;
use crate::model::{Address, AnySpec};

/// The objects that a change of the documents can affect.
///
/// A plan that is narrowed to them has a part of the changes of the whole one, each as it is there: those of these
/// objects, and those that must come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The objects, `Kind/name`: those that are declared, and those that no longer are.
    pub objects: BTreeSet<String>,
    /// Whether everything is among them that no document declares, then and now.
    pub undeclared: bool,
}

impl Scope {
    /// Says whether an object that a document declares is among them.
    pub fn covers(&self, declared: &Address) -> bool {
        self.objects.contains(&declared.to_string())
    }

    /// Says whether a change is about one of them.
    fn concerns(&self, change: &Change) -> bool {
        let Address { kind, name } = &change.address;
        // What nobody could read may be any object of its kind.
        let any = name == "*" && self.objects.iter().any(|object| is_of(object, kind));
        any || self.undeclared && change.desired.is_none() || self.covers(&change.address)
    }

    /// Returns the kinds that must be read to plan for these objects: theirs, and all that are connected with them by
    /// references, by order or by names, in either direction. No other kind has a say in what becomes of them.
    pub fn kinds(&self, specs: &[&dyn AnySpec]) -> BTreeSet<String> {
        let mut near: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut connect = |one: &'static str, other: &'static str| {
            near.entry(one).or_default().insert(other);
            near.entry(other).or_default().insert(one);
        };
        for spec in specs {
            let schema = spec.schema();
            for other in specs {
                let (kind, name) = (spec.kind(), other.kind());
                let shares = spec.namespace() == other.namespace();
                if shares || spec.after().contains(&name) || names_kind(&schema, name) {
                    connect(kind, name);
                }
            }
        }
        let kinds = specs.iter().map(|spec| spec.kind());
        let mut open: Vec<&str> = kinds
            .filter(|kind| self.undeclared || self.objects.iter().any(|name| is_of(name, kind)))
            .collect();
        let mut found: BTreeSet<&str> = open.iter().copied().collect();
        while let Some(kind) = open.pop() {
            for other in near.get(kind).into_iter().flatten() {
                if found.insert(other) {
                    open.push(other);
                }
            }
        }
        found.into_iter().map(str::to_owned).collect()
    }

    /// Leaves out of a plan what does not concern these objects.
    pub(super) fn narrow(&self, plan: &mut Plan, specs: &[&dyn AnySpec]) {
        let graph = order(plan, specs);
        let mut steps_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, step) in graph.steps.iter().enumerate() {
            steps_of.entry(step.change).or_default().push(at);
        }
        let mut open: Vec<usize> = (0..plan.changes.len())
            .filter(|&index| self.concerns(&plan.changes[index]))
            .collect();
        let mut kept: BTreeSet<usize> = open.iter().copied().collect();
        let mut gates = BTreeSet::new();
        while let Some(change) = open.pop() {
            for step in steps_of.get(&change).into_iter().flatten() {
                // Many deletions are behind one gate.
                let gate = graph.behind.get(step).filter(|gate| gates.insert(**gate));
                let gate = gate.into_iter().flat_map(|gate| &graph.gates[*gate]);
                for need in graph.needs[*step].iter().chain(gate) {
                    let first = graph.steps[*need].change;
                    if kept.insert(first) {
                        open.push(first);
                    }
                }
            }
        }
        let mut index = 0;
        plan.changes.retain(|_| {
            index += 1;
            kept.contains(&(index - 1))
        });
        let undeclared = |note: &Note| self.undeclared || self.covers(&note.address);
        plan.orphans.retain(undeclared);
        plan.retained.retain(undeclared);
        plan.notes.retain(|note| self.covers(&note.address));
    }
}

fn is_of(name: &str, kind: &str) -> bool {
    name.split_once('/').is_some_and(|(of, _)| of == kind)
}

/// Says whether objects of this schema may name objects of a kind.
pub fn names_kind(schema: &Value, kind: &str) -> bool {
    match schema {
        Value::Object(map) => {
            // The second marks what may be a reference, to one of several kinds, or name something else.
            let several = map.get("x-stationbill-may-ref").and_then(Value::as_array);
            map.get("x-stationbill-ref").and_then(Value::as_str) == Some(kind)
                || several.is_some_and(|kinds| kinds.iter().any(|one| one == kind))
                || map.values().any(|member| names_kind(member, kind))
        }
        Value::Array(list) => list.iter().any(|member| names_kind(member, kind)),
        _ => false,
    }
}
