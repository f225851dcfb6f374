//! In which order a plan is carried out: each step waits for just those that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Action, Change, Plan};
use super::reference::references;
use super::spec::AnySpec;

/// What one step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Creates, updates or adopts.
    Put,
    /// Deletes, or deletes what was replaced.
    Remove,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The index of the change in [`Plan::changes`].
    pub change: usize,
    /// What it does.
    pub part: Part,
}

/// The steps, and for each the indices of the steps that must be done first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
    /// What each needs.
    pub needs: Vec<BTreeSet<usize>>,
}

/// Orders a plan: what is referred to comes first, deletions the other way round.
pub fn order(plan: &Plan, specs: &[&dyn AnySpec]) -> Graph {
    let mut graph = Graph::default();
    let mut puts = BTreeMap::new();
    let mut removes = BTreeMap::new();
    for (index, change) in plan
        .changes
        .iter()
        .enumerate()
        .filter(|(_, change)| change.acts())
    {
        let key = (change.location.clone(), change.address.to_string());
        if matches!(
            change.action,
            Action::Create | Action::Update | Action::Adopt | Action::Replace
        ) {
            puts.insert(key.clone(), graph.add(index, Part::Put));
        }
        if matches!(change.action, Action::Delete | Action::Replace) {
            // An interrupted replacement can leave a second deletion under one address.
            removes
                .entry(key)
                .or_insert_with(Vec::new)
                .push(graph.add(index, Part::Remove));
        }
    }
    for at in 0..graph.steps.len() {
        let Step { change, part } = graph.steps[at];
        let change = &plan.changes[change];
        let key = |name: &str| (change.location.clone(), name.to_owned());
        let spec = specs
            .iter()
            .copied()
            .find(|spec| spec.kind() == change.address.kind);
        match part {
            Part::Put => {
                for name in named(change.desired.as_ref()) {
                    graph.after(at, puts.get(&key(&name)));
                }
                for (name, put) in &puts {
                    let first = spec
                        .is_some_and(|spec| spec.after().iter().any(|kind| is_of(&name.1, kind)));
                    if first && name.0 == change.location {
                        graph.after(at, Some(put));
                    }
                }
            }
            Part::Remove => {
                let own = key(&change.address.to_string());
                if change.action == Action::Replace {
                    let first =
                        spec.is_some_and(|spec| super::plan::create_before_delete(spec, change));
                    match puts.get(&own) {
                        Some(&put) if first => graph.after(at, Some(&put)),
                        Some(&put) => graph.after(put, Some(&at)),
                        None => {}
                    }
                    if !first {
                        continue;
                    }
                }
                // Whoever refers to it lets go of it first.
                for (index, other) in plan.changes.iter().enumerate() {
                    let refers = other.location == change.location
                        && other.address != change.address
                        && named(other.lifted.as_ref()).contains(&own.1);
                    let comes_after = spec.is_some_and(|spec| {
                        let kind = specs.iter().find(|s| s.kind() == other.address.kind);
                        kind.is_some_and(|kind| kind.after().contains(&spec.kind()))
                    });
                    if refers
                        || (comes_after
                            && other.location == change.location
                            && other.action == Action::Delete)
                    {
                        let other = key(&plan.changes[index].address.to_string());
                        graph.after(at, puts.get(&other));
                        for remove in removes.get(&other).into_iter().flatten() {
                            graph.after(at, Some(remove));
                        }
                    }
                }
            }
        }
    }
    graph
}

impl Graph {
    fn add(&mut self, change: usize, part: Part) -> usize {
        self.steps.push(Step { change, part });
        self.needs.push(BTreeSet::new());
        self.steps.len() - 1
    }

    fn after(&mut self, step: usize, needed: Option<&usize>) {
        if let Some(&needed) = needed
            && needed != step
        {
            self.needs[step].insert(needed);
        }
    }
}

fn named(spec: Option<&serde_json::Value>) -> BTreeSet<String> {
    spec.map(references)
        .into_iter()
        .flatten()
        .map(|(_, name)| name)
        .collect()
}

fn is_of(name: &str, kind: &str) -> bool {
    name.split_once('/').is_some_and(|(k, _)| k == kind)
}

/// Lists the changes that a change directly waits for, for messages.
pub fn waits_for<'a>(plan: &'a Plan, graph: &Graph, step: usize) -> Vec<&'a Change> {
    graph.needs[step]
        .iter()
        .map(|&need| &plan.changes[graph.steps[need].change])
        .collect()
}
