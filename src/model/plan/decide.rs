//! Every decision of a plan, place by place, in the order of references.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::doom::Needs;
use super::matching::{Match, Matches, matches};
use super::{Action, Change, Desired, Note, Object, Observed, Plan, Unreadable, Wish};
use crate::model::lifecycle::Mode;
use crate::model::reference::{Names, lifted_references};
use crate::model::spec::{Identity, aws_name};
use crate::model::{Address, AnySpec, Location};

/// Compares what is declared with what was observed.
///
/// Pure: the same input gives the same plan. What could not be observed is `unknown`, never absent.
pub fn plan(desired: &Desired, observed: &Observed, specs: &[&dyn AnySpec], wish: &Wish) -> Plan {
    let mut locations: BTreeMap<&Location, Vec<&Object>> = observed
        .0
        .keys()
        .map(|location| (location, Vec::new()))
        .collect();
    for object in &desired.objects {
        locations.entry(&object.location).or_default().push(object);
    }
    let mut plan = Plan {
        stack: desired.stack.clone(),
        ..Plan::default()
    };
    // What an account has once is seen from all of its regions, so the region that keeps it comes first.
    let mut shared: BTreeMap<&str, Shared> = BTreeMap::new();
    let keeps = |location: &Location| desired.homes.get(&location.account) == Some(location);
    plan.locations = locations.keys().copied().cloned().collect();
    let (homes, others): (Vec<_>, Vec<_>) = locations
        .into_iter()
        .partition(|(location, _)| keeps(location));
    let mut decided = Vec::new();
    for (location, objects) in homes.into_iter().chain(others) {
        let seen = shared.get(location.account.as_str());
        let place = Place::new(desired, objects, observed, specs, wish, location, seen);
        let (changes, standing) = place.decide(&mut plan, seen);
        if keeps(location) {
            shared.insert(&location.account, place.shared(&standing));
        }
        decided.push((place, changes, standing));
    }
    // It goes only when no region needs it any more, so now that region comes last.
    let sharing = decided
        .iter()
        .filter(|(place, changes, _)| keeps(place.location) && place.lets_shared_go(changes));
    let accounts = sharing.map(|(place, ..)| place.location.account.as_str());
    let mut needs: BTreeMap<&str, Needs> = accounts.map(|one| (one, Needs::default())).collect();
    for location in &desired.left_out {
        if let Some(needs) = needs.get_mut(location.account.as_str()) {
            needs.leave_out(location, specs);
        }
    }
    for (place, mut changes, standing) in decided.into_iter().rev() {
        let account = place.location.account.as_str();
        if keeps(place.location) {
            let elsewhere = needs.remove(account).unwrap_or_default();
            place.keep_what_may_be_needed(&mut changes, &standing, &elsewhere);
        } else {
            place.keep_what_may_be_needed(&mut changes, &standing, &Needs::default());
            if let Some(needs) = needs.get_mut(account) {
                needs.add(place.location, place.needs(&changes, &standing));
            }
        }
        let rank = |kind: &str| specs.iter().position(|spec| spec.kind() == kind);
        changes.sort_by_cached_key(|change| {
            let Address { kind, name } = &change.address;
            (rank(kind), name.clone(), change.action)
        });
        plan.changes.extend(changes);
    }
    plan.changes.sort_by(|a, b| a.location.cmp(&b.location));
    if let Some(scope) = &wish.scope {
        scope.narrow(&mut plan, specs);
    }
    limit(&mut plan, wish);
    plan.notes.retain(|note| wish.selects(&note.address));
    plan
}

/// What an account has once, as the region that keeps it has found it.
struct Shared {
    standing: Standings,
    names: Names,
}

/// Whether something that others refer to is or will be there.
#[derive(Clone)]
pub(super) enum Standing {
    /// It is there.
    There,
    /// It will be, once this plan is applied; its id changes.
    Coming { replaced: bool },
    /// It is not and will not be, and why; whether nothing about it is unclear, so that what needs it is not either.
    Absent(String, bool),
    /// It could not be read.
    Unknown,
}

/// How each declared object stands, by `Kind/name`.
pub(super) type Standings = HashMap<String, Standing>;

/// An object that waits for what it needs.
struct Waiting<'a> {
    object: &'a Object,
    /// The names that it refers to.
    references: BTreeSet<String>,
    /// What comes before all of its kind.
    first: Vec<String>,
}

/// One place: what is declared there, and what was found.
pub(super) struct Place<'a> {
    pub(super) location: &'a Location,
    pub(super) stack: &'a str,
    pub(super) specs: &'a [&'a dyn AnySpec],
    pub(super) wish: &'a Wish,
    pub(super) declared: BTreeMap<&'a str, Vec<&'a Object>>,
    pub(super) unreadable: BTreeMap<&'a str, Unreadable>,
    pub(super) matched: BTreeMap<&'a str, Matches<'a>>,
    /// What ids stand for, for lifting.
    pub(super) names: Names,
    /// What those ids belong to, every `Kind/name` that is there: found out when the first is asked for.
    known: OnceCell<HashSet<String>>,
    /// What is declared, by `Kind/name`.
    pub(super) objects: HashMap<String, &'a Object>,
}

impl<'a> Place<'a> {
    fn new(
        desired: &'a Desired,
        objects: Vec<&'a Object>,
        observed: &'a Observed,
        specs: &'a [&'a dyn AnySpec],
        wish: &'a Wish,
        location: &'a Location,
        shared: Option<&Shared>,
    ) -> Self {
        let mut place = Self {
            location,
            stack: &desired.stack,
            specs,
            wish,
            declared: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            matched: BTreeMap::new(),
            names: Names::new(),
            known: OnceCell::new(),
            objects: HashMap::new(),
        };
        for object in objects {
            place
                .declared
                .entry(object.address.kind.as_str())
                .or_default()
                .push(object);
            place.objects.insert(object.address.to_string(), object);
        }
        let seen = observed.0.get(location);
        for spec in specs {
            let declared = place
                .declared
                .get(spec.kind())
                .map(Vec::as_slice)
                .unwrap_or_default();
            match seen.and_then(|seen| seen.get(spec.kind())) {
                Some(Ok(live)) => {
                    let matches = matches(*spec, &desired.stack, declared, live);
                    for (name, found) in &matches.by_name {
                        if let Match::Ours(live) | Match::Unowned(live) | Match::Theirs(live, _) =
                            found
                        {
                            place.names.insert(
                                live.id.0.clone(),
                                Address::new(spec.kind(), name).to_string(),
                            );
                        }
                    }
                    for (address, live) in &matches.orphans {
                        place
                            .names
                            .entry(live.id.0.clone())
                            .or_insert_with(|| address.to_string());
                    }
                    place.matched.insert(spec.kind(), matches);
                }
                Some(Err(why)) => {
                    place.unreadable.insert(spec.kind(), why.clone());
                }
                None if declared.is_empty() => {}
                None => {
                    place.unreadable.insert(
                        spec.kind(),
                        Unreadable::Failed("it was not looked at".to_owned()),
                    );
                }
            }
        }
        if let Some(shared) = shared {
            place.names.extend(shared.names.clone());
        }
        place
    }

    pub(super) fn spec(&self, kind: &str) -> Option<&'a dyn AnySpec> {
        self.specs.iter().copied().find(|spec| spec.kind() == kind)
    }

    /// Returns what others in the same account may need of this place.
    fn shared(&self, standing: &Standings) -> Shared {
        let once = |name: &String| {
            let kind = name.split('/').next().unwrap_or_default();
            self.spec(kind).is_some_and(AnySpec::per_account)
        };
        let names = self.names.iter().filter(|(_, name)| once(name));
        Shared {
            standing: standing
                .iter()
                .filter(|(name, _)| once(name))
                .map(|(name, stands)| (name.clone(), stands.clone()))
                .collect(),
            names: names.map(|(id, name)| (id.clone(), name.clone())).collect(),
        }
    }

    /// Decides about all objects, but not yet whether those that go may.
    fn decide(&self, plan: &mut Plan, shared: Option<&Shared>) -> (Vec<Change>, Standings) {
        let mut standing = shared
            .map(|shared| shared.standing.clone())
            .unwrap_or_default();
        let mut changes = Vec::new();
        if !self.wish.destroy {
            for (object, references) in self.in_order() {
                let Some(spec) = self.spec(&object.address.kind) else {
                    continue;
                };
                let (mut stands, change) = self.object(spec, object, references, &standing, plan);
                let change = change.map(|change| self.hold(object, change));
                if let Some(change) = &change
                    && change.action == Action::Create
                    && change.held.is_some()
                {
                    stands = Standing::Absent("which is only reported".to_owned(), true);
                }
                if self.wish.selects(&object.address) {
                    match change {
                        Some(change) => changes.push(change),
                        None if matches!(stands, Standing::Absent(..)) => {}
                        None if self.in_scope(&object.address) => plan.unchanged += 1,
                        None => {}
                    }
                }
                standing.insert(object.address.to_string(), stands);
            }
        }
        self.deletions(plan, &mut changes);
        let ids = self
            .names
            .iter()
            .map(|(id, name)| (name.clone(), id.clone()));
        plan.ids.insert(self.location.clone(), ids.collect());
        (changes, standing)
    }

    fn in_scope(&self, declared: &Address) -> bool {
        let scope = self.wish.scope.as_ref();
        scope.is_none_or(|scope| scope.covers(declared))
    }

    /// Objects with the names that they refer to, so that each comes after what it needs. A circle, which `load`
    /// refuses, ends in order of address.
    fn in_order(&self) -> Vec<(&'a Object, BTreeSet<String>)> {
        let declared = self.specs.iter().flat_map(|spec| {
            let objects = self.declared.get(spec.kind()).into_iter().flatten();
            objects.map(|object| (*spec, *object))
        });
        let mut waiting: Vec<Waiting<'a>> = declared
            .map(|(spec, object)| {
                let references = self.references(&object.spec);
                let first = self.first(spec);
                Waiting {
                    object,
                    references,
                    first,
                }
            })
            .collect();
        let mut done = HashSet::new();
        let mut order = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let is_ready = |one: &Waiting<'_>| {
                let declared = one
                    .references
                    .iter()
                    .filter(|name| self.objects.contains_key(*name));
                declared.chain(&one.first).all(|name| done.contains(name))
            };
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
            let taken = |one: Waiting<'a>| (one.object, one.references);
            if ready.is_empty() {
                order.extend(rest.into_iter().map(taken));
                break;
            }
            done.extend(ready.iter().map(|one| one.object.address.to_string()));
            order.extend(ready.into_iter().map(taken));
            waiting = rest;
        }
        order
    }

    /// The declared objects of the kinds that come before all of a kind.
    fn first(&self, spec: &dyn AnySpec) -> Vec<String> {
        let kinds = spec.after().iter();
        let objects = kinds.flat_map(|kind| self.declared.get(kind).into_iter().flatten());
        objects.map(|object| object.address.to_string()).collect()
    }

    /// Says whether something of that `Kind/name` is there.
    pub(super) fn knows(&self, name: &str) -> bool {
        let known = || self.names.values().cloned().collect();
        self.known.get_or_init(known).contains(name)
    }

    /// The names that a spec refers to, by `ref` or by the ARN of one of ours.
    pub(super) fn references(&self, spec: &Value) -> BTreeSet<String> {
        lifted_references(spec, &self.names)
    }

    pub(super) fn change(&self, object: &Object, action: Action) -> Change {
        Change {
            desired: Some(Arc::clone(&object.spec)),
            lifecycle: object.lifecycle.clone(),
            ..Change::new(object.address.clone(), self.location.clone(), action)
        }
    }

    fn hold(&self, object: &Object, mut change: Change) -> Change {
        if matches!(change.action, Action::Blocked | Action::Unknown) {
            change.held = None;
        } else if object.lifecycle.mode == Mode::Report {
            change.held = Some("`lifecycle.mode` is `report`".to_owned());
        } else if self.wish.report_only {
            change.held = Some("the stack is in mode `report`".to_owned());
        }
        change
    }

    pub(super) fn note(&self, address: &Address, text: &str) -> Note {
        Note {
            address: address.clone(),
            location: self.location.clone(),
            text: text.to_owned(),
        }
    }
}

/// A run that would delete or replace more than allowed does none of it. Whoever asks for everything to be deleted
/// knows how much that is.
fn limit(plan: &mut Plan, wish: &Wish) {
    for (action, max) in [
        (Action::Delete, wish.max_deletes.filter(|_| !wish.destroy)),
        (Action::Replace, wish.max_replacements),
    ] {
        let Some(max) = max else { continue };
        let count = plan.count(action);
        if count <= max {
            continue;
        }
        let (what, field) = match action {
            Action::Delete => ("deletions", "limits.deletes"),
            _ => ("replacements", "limits.replacements"),
        };
        for change in plan
            .changes
            .iter_mut()
            .filter(|change| change.action == action)
        {
            change.action = Action::Blocked;
            change.reason = Some(format!(
                "{count} {what} are more than the {max} that `{field}` of the Stack allows"
            ));
        }
    }
}

/// Says whether a replacement can be created before the old object goes: when AWS tells them apart.
pub(in crate::model) fn create_before_delete(spec: &dyn AnySpec, change: &Change) -> bool {
    spec.identity() == Identity::SharedName
        || change.desired.as_deref().and_then(aws_name)
            != change.live.as_ref().map(|live| live.name.as_str())
}
