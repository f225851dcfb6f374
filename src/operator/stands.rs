//! From plans and outcomes to how each object stands at each place. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::status::{Stands, State};
use crate::engine::{Ending, Outcome};
use crate::model::plan::{Action, Because, Change, Desired, Plan};
use crate::model::{Address, Location};

/// How many differing fields are named.
const FIELDS: usize = 5;

/// What a run has to go by.
pub(super) struct Findings<'a> {
    /// What was declared at which places.
    pub(super) desired: &'a Desired,
    /// The plan as it was first made.
    pub(super) first: &'a Plan,
    /// The plan that was carried out, and what became of it.
    pub(super) done: Option<(&'a Plan, &'a Outcome)>,
    /// The plan as it is now.
    pub(super) last: &'a Plan,
}

/// A place of an object.
type At<'a> = (&'a Address, &'a Location);

fn by_place(plan: &Plan) -> BTreeMap<At<'_>, &Change> {
    let changes = plan.changes.iter();
    let declared = changes.filter(|change| change.action != Action::Delete);
    declared
        .map(|change| ((&change.address, &change.location), change))
        .collect()
}

impl Findings<'_> {
    /// Says how every declared object stands, place by place. `known` are those that were in AWS when last looked at.
    pub(super) fn stands(&self, known: &BTreeSet<Address>) -> BTreeMap<Address, Vec<Stands>> {
        let (first, last) = (by_place(self.first), by_place(self.last));
        let mut endings: BTreeMap<At<'_>, &Ending> = BTreeMap::new();
        if let Some((plan, outcome)) = self.done {
            for (change, ending) in plan.changes.iter().zip(&outcome.endings) {
                if let Some(ending) = ending {
                    endings.insert((&change.address, &change.location), ending);
                }
            }
        }
        let mut found: BTreeMap<Address, Vec<Stands>> = BTreeMap::new();
        for object in &self.desired.objects {
            let at = (&object.address, &object.location);
            let ending = endings.get(&at).copied();
            let (state, why) = state(last.get(&at).copied(), ending);
            let Location { account, region } = &object.location;
            let ids = self.last.ids.get(&object.location);
            let was_there = known.contains(&object.address);
            let place = Stands {
                account: account.clone(),
                region: region.clone(),
                state,
                id: ids.and_then(|ids| ids.get(&object.address.to_string()).cloned()),
                why,
                drifted: first
                    .get(&at)
                    .is_some_and(|change| drifted(change, was_there)),
                applied: ending == Some(&Ending::Done),
            };
            found.entry(object.address.clone()).or_default().push(place);
        }
        found
    }
}

/// Returns what AWS did to an object, for people.
pub(super) fn drift(first: &Plan, address: &Address) -> Option<String> {
    let of = |change: &&Change| change.address == *address && drifted(change, true);
    first.changes.iter().find(of).map(told)
}

/// Says whether AWS was changed behind our back.
fn drifted(change: &Change, was_there: bool) -> bool {
    change.because.contains(&Because::Drift)
        || (was_there && change.because.contains(&Because::Missing))
}

fn state(change: Option<&Change>, ending: Option<&Ending>) -> (State, Option<String>) {
    let Some(change) = change else {
        return (State::InSync, None);
    };
    let reason = change.reason.clone();
    match (change.action, ending) {
        (Action::Unknown, _) => (State::Unknown, reason),
        (Action::Blocked, _) => (State::Blocked, reason),
        (_, Some(Ending::Failed(why))) => (State::Failed, Some(why.clone())),
        (_, Some(Ending::Skipped(why))) => (State::Pending, Some(why.clone())),
        (Action::Adopt, _) if change.held.is_some() => {
            let why =
                "it is there and nobody's; the annotation stationbill.dev/adopt=true takes it over";
            (State::Unowned, Some(why.to_owned()))
        }
        _ if change.held.is_none() => (State::Pending, Some(told(change))),
        _ if change.because.contains(&Because::Missing) => (State::Missing, Some(told(change))),
        _ => (State::Differs, Some(told(change))),
    }
}

/// Words a change.
fn told(change: &Change) -> String {
    let mut text = if change.action == Action::Create {
        "it is not there".to_owned()
    } else {
        differing(change)
    };
    for more in change.reason.iter().chain(&change.held) {
        text.push_str("; ");
        text.push_str(more);
    }
    text
}

/// Names the fields that differ.
fn differing(change: &Change) -> String {
    let all = &change.differences;
    let told = all.iter().take(FIELDS);
    let told: Vec<String> = told
        .map(|difference| format!("`{}`", difference.path))
        .collect();
    let paths = told.join(", ");
    match (all.len(), all.len() - told.len()) {
        (0, _) => "its stamp differs".to_owned(),
        (1, _) => format!("{paths} differs"),
        (_, 0) => format!("{paths} differ"),
        (_, more) => format!("{paths} and {more} more differ"),
    }
}
