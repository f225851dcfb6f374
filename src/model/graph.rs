//! In which order a plan is carried out: each step waits for just those that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Action, Change, Plan, names_kind};
use super::reference::references;
use super::spec::{AnySpec, Identity, aws_name};
use super::{Address, Location};

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
    /// Creations that a deletion comes after, shared by all deletions of a kind in a place.
    pub gates: Vec<Vec<usize>>,
    /// Behind which of the gates each step is.
    pub behind: BTreeMap<usize, usize>,
}

/// Orders a plan: what is referred to comes first, deletions the other way round.
pub fn order(plan: &Plan, specs: &[&dyn AnySpec]) -> Graph {
    let mut graph = Graph::default();
    let mut index = Index {
        once: specs
            .iter()
            .filter(|spec| spec.per_account())
            .map(|spec| spec.kind())
            .collect(),
        ..Index::default()
    };
    for (at, change) in plan.changes.iter().enumerate() {
        index.learn(at, change, &mut graph);
    }
    for at in 0..graph.steps.len() {
        let Step { change, part } = graph.steps[at];
        let change = &plan.changes[change];
        let spec = specs
            .iter()
            .copied()
            .find(|spec| spec.kind() == change.address.kind);
        let key = |name: String| index.key(&change.location, name);
        match part {
            Part::Put => {
                for name in named(change.desired.as_deref()) {
                    graph.after(at, index.puts.get(&key(name)));
                }
                for kind in spec.map(AnySpec::after).unwrap_or_default() {
                    let first = index
                        .puts_of
                        .get(&(index.whereabouts(&change.location, kind), *kind));
                    first
                        .into_iter()
                        .flatten()
                        .for_each(|put| graph.after(at, Some(put)));
                }
            }
            Part::Remove => {
                let own = key(change.address.to_string());
                if change.action == Action::Replace {
                    let first =
                        spec.is_some_and(|spec| super::plan::create_before_delete(spec, change));
                    match index.puts.get(&own) {
                        Some(&put) if first => graph.after(at, Some(&put)),
                        Some(&put) => graph.after(put, Some(&at)),
                        None => {}
                    }
                    if !first {
                        continue;
                    }
                }
                // Whoever refers to it lets go of it first, and whatever cannot be without its kind goes first.
                let refer = index.referrers.get(&own).into_iter().flatten();
                let kind = change.address.kind.as_str();
                let need = specs.iter().filter(|other| other.after().contains(&kind));
                let need = need.filter_map(|other| {
                    let at = index.whereabouts(&change.location, other.kind());
                    index.deleted.get(&(at, other.kind()))
                });
                let others: BTreeSet<_> = refer
                    .chain(need.flatten())
                    .map(|&other| {
                        let Change {
                            address, location, ..
                        } = &plan.changes[other];
                        index.key(location, address.to_string())
                    })
                    .filter(|other| *other != own)
                    .collect();
                for other in others {
                    graph.after(at, index.puts.get(&other));
                    for remove in index.removes.get(&other).into_iter().flatten() {
                        graph.after(at, Some(remove));
                    }
                }
            }
        }
    }
    for spec in specs.iter().filter(|spec| !spec.exclusive().is_empty()) {
        hand_over(&mut graph, plan, *spec, &index);
    }
    shut(&mut graph, plan, specs, &index);
    graph
}

/// Lets a creation wait for the deletion of what has its name in AWS, of another kind in the same space of names; answers
/// with these deletions, and with what they wait for.
fn give_up_names(
    graph: &mut Graph,
    plan: &Plan,
    specs: &[&dyn AnySpec],
    index: &Index<'_>,
) -> BTreeSet<usize> {
    let unique: BTreeMap<&str, &&dyn AnySpec> = { specs.iter() }
        .filter(|spec| spec.identity() == Identity::UniqueName)
        .map(|spec| (spec.kind(), spec))
        .collect();
    let key = |change: &Change, name: &str| {
        let kind = change.address.kind.as_str();
        let space = unique.get(kind)?.namespace();
        let Location { account, region } = &change.location;
        let region = (!index.once.contains(kind)).then(|| region.clone());
        Some((space, account.clone(), region, name.to_owned()))
    };
    let mut taking = BTreeMap::new();
    for (at, step) in graph.steps.iter().enumerate() {
        let change = &plan.changes[step.change];
        if (step.part, change.action) == (Part::Put, Action::Create)
            && let Some(name) = change.desired.as_deref().and_then(aws_name)
            && let Some(key) = key(change, name)
        {
            taking.insert(key, at);
        }
    }
    let mut open = Vec::new();
    for at in 0..graph.steps.len() {
        let Step { change, part } = graph.steps[at];
        let change = &plan.changes[change];
        if (part, change.action) == (Part::Remove, Action::Delete)
            && let Some(live) = &change.live
            && let Some(key) = key(change, &live.name)
            && let Some(&create) = taking.get(&key)
            && !graph.needs(at, create)
        {
            graph.after(create, Some(&at));
            open.push(at);
        }
    }
    let mut given_up = BTreeSet::new();
    while let Some(step) = open.pop() {
        if given_up.insert(step) {
            open.extend(&graph.needs[step]);
        }
    }
    given_up
}

/// Lets what goes wait for all creations of kinds that can refer to it: a list of AWS may have come back short, so that
/// what is to be created is there, and refers to what goes. No creation waits for what is behind such a gate.
fn shut(graph: &mut Graph, plan: &Plan, specs: &[&dyn AnySpec], index: &Index<'_>) {
    let change = |step: &Step| &plan.changes[step.change];
    let spec = |change: &Change| specs.iter().find(|s| s.kind() == change.address.kind);
    let mut goes: BTreeMap<&str, BTreeMap<At<'_>, Vec<usize>>> = BTreeMap::new();
    let mut made: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let given_up = give_up_names(graph, plan, specs, index);
    for (at, step) in graph.steps.iter().enumerate() {
        let change = change(step);
        let kind = change.address.kind.as_str();
        let last = || spec(change).is_some_and(|s| super::plan::create_before_delete(*s, change));
        match (step.part, change.action) {
            (Part::Put, Action::Create) => made.entry(kind).or_default().push(at),
            (Part::Remove, _) if given_up.contains(&at) => {}
            (Part::Remove, action) if action == Action::Delete || last() => {
                let place = index.whereabouts(&change.location, kind);
                let of_kind = goes.entry(kind).or_default();
                of_kind.entry(place).or_default().push(at);
            }
            _ => {}
        }
    }
    if goes.is_empty() || made.is_empty() {
        return;
    }
    let making = specs.iter().filter_map(|s| {
        let made = made.get(s.kind())?;
        Some((s.schema(), made))
    });
    let making: Vec<_> = making.collect();
    for (kind, places) in goes {
        let mut first: BTreeMap<At<'_>, Vec<usize>> = BTreeMap::new();
        for (_, made) in making.iter().filter(|(schema, _)| names_kind(schema, kind)) {
            for &at in *made {
                let location = &change(&graph.steps[at]).location;
                let place = index.whereabouts(location, kind);
                first.entry(place).or_default().push(at);
            }
        }
        for (place, removals) in places {
            if let Some(first) = first.remove(&place) {
                let gate = graph.gates.len();
                graph.gates.push(first);
                graph
                    .behind
                    .extend(removals.into_iter().map(|at| (at, gate)));
            }
        }
    }
}

/// What only one object can have goes from hand to hand in one step: who takes it goes first, and who gives it away finds
/// it gone. Where two exchange something, one of them gives it away first.
fn hand_over(graph: &mut Graph, plan: &Plan, spec: &dyn AnySpec, index: &Index<'_>) {
    let has = |spec_of: Option<&serde_json::Value>| -> BTreeSet<(&str, String)> {
        let passing = spec.exclusive().iter().filter(|exclusive| exclusive.passes);
        spec_of
            .into_iter()
            .flat_map(|value| passing.clone().flat_map(|one| one.asked(value, value)))
            .map(|(what, _, text)| (what, text))
            .collect()
    };
    let mut takers = BTreeMap::new();
    let mut givers = Vec::new();
    for (at, Step { change, part }) in graph.steps.iter().enumerate() {
        let change = &plan.changes[*change];
        if change.address.kind != spec.kind() {
            continue;
        }
        let place = index.whereabouts(&change.location, spec.kind());
        let kept = match part {
            Part::Put => has(change.desired.as_deref()),
            Part::Remove => BTreeSet::new(),
        };
        let there = has(change.lifted.as_ref());
        let taken = kept.difference(&there).cloned();
        takers.extend(taken.map(|what| ((place, what), at)));
        let given = there.difference(&kept).cloned();
        givers.extend(given.map(|what| ((place, what), at)));
    }
    for (what, giver) in givers {
        if let Some(&taker) = takers.get(&what)
            && !graph.needs(taker, giver)
        {
            graph.after(giver, Some(&taker));
        }
    }
}

/// An account, and a region of it where the kind has one.
type At<'a> = (&'a str, Option<&'a str>);

/// A plan by what steps are looked up by, so that ordering does not walk all changes for each of them.
#[derive(Default)]
struct Index<'a> {
    /// The kinds of which AWS keeps objects once for an account, whichever region a step is in.
    once: BTreeSet<&'static str>,
    /// The step that puts an object.
    puts: BTreeMap<(At<'a>, String), usize>,
    /// The steps that put objects of a kind.
    puts_of: BTreeMap<(At<'a>, &'a str), Vec<usize>>,
    /// The steps that remove an object. An interrupted replacement can leave a second deletion under one address.
    removes: BTreeMap<(At<'a>, String), Vec<usize>>,
    /// The changes that delete objects of a kind.
    deleted: BTreeMap<(At<'a>, &'a str), Vec<usize>>,
    /// The changes whose live objects refer to an object.
    referrers: BTreeMap<(At<'a>, String), Vec<usize>>,
}

impl<'a> Index<'a> {
    fn whereabouts(&self, location: &'a Location, kind: &str) -> At<'a> {
        let Location { account, region } = location;
        (account, (!self.once.contains(kind)).then_some(region))
    }

    fn key(&self, location: &'a Location, name: String) -> (At<'a>, String) {
        let kind = name.split('/').next().unwrap_or_default();
        (self.whereabouts(location, kind), name)
    }

    fn learn(&mut self, at: usize, change: &'a Change, graph: &mut Graph) {
        let Address { kind, .. } = &change.address;
        let (location, name) = (&change.location, change.address.to_string());
        let here = self.whereabouts(location, kind);
        for named in named(change.lifted.as_ref()) {
            let key = self.key(location, named);
            self.referrers.entry(key).or_default().push(at);
        }
        if change.action == Action::Delete {
            self.deleted.entry((here, kind)).or_default().push(at);
        }
        if !change.acts() {
            return;
        }
        if matches!(
            change.action,
            Action::Create | Action::Update | Action::Adopt | Action::Replace
        ) {
            let step = graph.add(at, Part::Put);
            self.puts.insert((here, name.clone()), step);
            self.puts_of.entry((here, kind)).or_default().push(step);
        }
        if matches!(change.action, Action::Delete | Action::Replace) {
            let step = graph.add(at, Part::Remove);
            self.removes.entry((here, name)).or_default().push(step);
        }
    }
}

impl Graph {
    fn add(&mut self, change: usize, part: Part) -> usize {
        self.steps.push(Step { change, part });
        self.needs.push(BTreeSet::new());
        self.steps.len() - 1
    }

    /// Says whether a step waits for another, or for one that does.
    fn needs(&self, step: usize, other: usize) -> bool {
        let (mut open, mut seen) = (vec![step], BTreeSet::new());
        while let Some(step) = open.pop() {
            if step == other {
                return true;
            }
            if seen.insert(step) {
                open.extend(&self.needs[step]);
            }
        }
        false
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::model::spec::Exclusive;
    use crate::model::{Erased, Spec};

    /// A door has one key.
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    struct Key {
        opens: Vec<String>,
    }

    impl Spec for Key {
        const KIND: &'static str = "Key";
        const EXCLUSIVE: &'static [Exclusive] = &[Exclusive::passing("/opens")];
    }

    static KEY: Erased<Key> = Erased::new();

    fn key(name: &str, action: Action, before: &[&str], after: &[&str]) -> Change {
        let location = Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let goes = action == Action::Delete;
        Change {
            lifted: Some(json!({ "opens": before })),
            desired: (!goes).then(|| Arc::new(json!({ "opens": after }))),
            ..Change::new(Address::new("Key", name), location, action)
        }
    }

    /// Which change waits for which.
    fn waits(changes: Vec<Change>) -> Vec<(usize, usize)> {
        let plan = Plan {
            changes,
            ..Plan::default()
        };
        let graph = order(&plan, &[&KEY]);
        let needs = graph.needs.iter().enumerate();
        let pairs = needs.flat_map(|(step, needs)| {
            let change = |step: usize| graph.steps[step].change;
            needs.iter().map(move |&need| (change(step), change(need)))
        });
        pairs.collect()
    }

    #[test]
    fn who_takes_what_only_one_can_have_goes_first() {
        let gives = |action| key("a", action, &["front", "back"], &["back"]);
        let takes = || key("b", Action::Update, &[], &["front"]);
        assert_eq!(waits(vec![gives(Action::Update), takes()]), [(0, 1)]);
        assert_eq!(waits(vec![takes(), gives(Action::Update)]), [(1, 0)]);
        assert_eq!(waits(vec![gives(Action::Delete), takes()]), [(0, 1)]);
        let other = key("b", Action::Update, &[], &["side"]);
        assert_eq!(waits(vec![gives(Action::Update), other]), []);
    }

    #[test]
    fn those_that_exchange_something_do_not_wait_for_each_other() {
        let swap = vec![
            key("a", Action::Update, &["front"], &["back"]),
            key("b", Action::Update, &["back"], &["side"]),
            key("c", Action::Update, &["side"], &["front"]),
        ];
        assert_eq!(waits(swap).len(), 2);
    }
}
