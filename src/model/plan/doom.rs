//! What is to be deleted, and what stays all the same.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Place, Standing, Standings, create_before_delete};
use super::matching::{Leftover, Match};
use super::scope::names_kind;
use super::{Action, Because, Change, Object, Plan, Unreadable};
use crate::model::lifecycle::{Lifecycle, OnDelete};
use crate::model::reference::{Names, held_references, lift, lifted_references, references};
use crate::model::stamp::Applied;
use crate::model::{Address, AnySpec, Held, Live, Location};

/// Why something may not go: who refers to it, and what becomes of that one.
#[derive(Clone, Debug)]
pub(super) struct Need {
    how: How,
    who: String,
}

/// What becomes of something that refers to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// It is changed, and refers to it afterwards.
    Changed,
    /// It stays as it is in AWS.
    AsItIs,
    /// Nobody knows.
    Unknown,
}

impl How {
    fn action(self) -> Action {
        match self {
            Self::Unknown => Action::Unknown,
            Self::Changed | Self::AsItIs => Action::Blocked,
        }
    }
}

/// Keeps the need that weighs most.
fn learn(needs: &mut BTreeMap<String, Need>, whom: String, need: Need) {
    let most = needs.entry(whom).or_insert_with(|| need.clone());
    if need.how > most.how {
        *most = need;
    }
}

/// What the regions of an account may need of what the account has once.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Kinds of which nobody knows to what they refer, with the reason and what that means.
    unseen: BTreeMap<String, (String, Action)>,
    /// Who refers to whom, by the latter.
    named: BTreeMap<String, Need>,
}

impl Needs {
    /// Learns what a region needs.
    pub(super) fn add(&mut self, location: &Location, needs: Self) {
        for (kind, (why, action)) in needs.unseen {
            let why = format!("in {}, {why}", location.region);
            self.unseen.insert(kind, (why, action));
        }
        for (whom, Need { how, who }) in needs.named {
            let who = format!("{who} in {}", location.region);
            let need = Need { how, who };
            learn(&mut self.named, whom, need);
        }
    }

    /// Learns that a region is not looked at.
    pub(super) fn leave_out(&mut self, location: &Location, specs: &[&dyn AnySpec]) {
        for spec in specs.iter().filter(|spec| !spec.per_account()) {
            let region = &location.region;
            let kind = spec.kind();
            let why =
                format!("a {kind} in {region}, where this run does not look, may refer to it");
            self.unseen.insert(kind.to_owned(), (why, Action::Blocked));
        }
    }
}

impl<'a> Place<'a> {
    pub(super) fn deletions(&self, plan: &mut Plan, changes: &mut Vec<Change>) {
        for spec in self.specs {
            let Some(matches) = self.matched.get(spec.kind()) else {
                let gone = || self.wish.gone.keys().any(|gone| gone.kind == spec.kind());
                if (self.wish.destroy || self.wish.prune || gone())
                    && let Some(Unreadable::Failed(why)) = self.unreadable.get(spec.kind())
                {
                    self.unread_kind(spec.kind(), why, changes);
                }
                continue;
            };
            for left in &matches.leftovers {
                if self.wish.selects(&left.address) {
                    self.left_over(*spec, left, plan, changes);
                }
            }
            let declared = matches
                .by_name
                .iter()
                .filter(|_| self.wish.destroy)
                .filter_map(|(name, found)| match found {
                    Match::Ours(live) => Some((Address::new(spec.kind(), name), *live)),
                    _ => None,
                });
            let orphans = matches
                .orphans
                .iter()
                .map(|(address, live)| (address.clone(), *live));
            for (address, live) in declared.chain(orphans) {
                if self.wish.selects(&address) {
                    self.doomed(*spec, &address, live, plan, changes);
                }
            }
        }
    }

    /// Decides about a further object with the stamp of one that is there. What a replacement left behind goes, as the
    /// plan said when it was replaced; a copy that a person made goes like everything that no document declares.
    fn left_over(
        &self,
        spec: &dyn AnySpec,
        left: &Leftover<'_>,
        plan: &mut Plan,
        into: &mut Vec<Change>,
    ) {
        let Leftover {
            address,
            live,
            replaced,
        } = left;
        let same = format!("another object, {}, has the same stamp", live.id.0);
        if let Some(why) = self.keeps(spec, address, live) {
            let text = format!("{same}: {why}");
            plan.retained.push(self.note(address, &text));
        } else if *replaced {
            let reason = "left over from an interrupted replacement";
            into.push(self.protected(address, self.deletion(address, live), reason));
        } else if self.wish.destroy || self.wish.prune {
            into.push(self.protected(address, self.deletion(address, live), &same));
        } else {
            let text = format!("{same}; `--prune` would delete it");
            plan.orphans.push(self.note(address, &text));
        }
    }

    fn doomed(
        &self,
        spec: &dyn AnySpec,
        address: &Address,
        live: &Live<Held>,
        plan: &mut Plan,
        into: &mut Vec<Change>,
    ) {
        if !self.wish.lets_go(address) {
            plan.orphans.push(self.note(
                address,
                "in no document any more; `--prune` would delete it",
            ));
        } else if let Some(why) = self.keeps(spec, address, live) {
            plan.retained.push(self.note(address, &why));
        } else {
            let change = self.deletion(address, live);
            into.push(self.protected(address, change, spec.deleting().unwrap_or_default()));
        }
    }

    /// Says why an object stays although a run would delete it.
    fn keeps(&self, spec: &dyn AnySpec, address: &Address, live: &Live<Held>) -> Option<String> {
        let stamped = Applied::read(&live.tags).and_then(|applied| applied.on_delete());
        let declared = self.lifecycle(address);
        let on_delete = declared
            .and_then(|lifecycle| lifecycle.on_delete)
            .or(stamped);
        match (spec.never_deleted(), on_delete, spec.loses()) {
            (Some(why), _, _) => Some(why.to_owned()),
            (None, Some(OnDelete::Retain), _) => {
                Some("`lifecycle.onDelete` is `retain`".to_owned())
            }
            (None, None, Some(lost)) => Some(format!(
                "deleting it would lose {lost}: to allow that, apply `lifecycle.onDelete: delete` first"
            )),
            (None, Some(OnDelete::Delete), _) | (None, None, None) => None,
        }
    }

    /// Blocks a deletion that the document forbids; gives one that it does not forbid its reason.
    fn protected(&self, address: &Address, mut change: Change, reason: &str) -> Change {
        if self.lifecycle(address).is_some_and(|life| life.protect) {
            change.action = Action::Blocked;
            change.reason = Some("`lifecycle.protect` forbids to delete it".to_owned());
        } else if !reason.is_empty() {
            change.reason = Some(reason.to_owned());
        }
        change
    }

    /// What the document of an object says of its life, or said when it was taken away.
    fn lifecycle(&self, address: &Address) -> Option<&'a Lifecycle> {
        let declared = self.objects.get(&address.to_string());
        let declared = declared.map(|object| &object.lifecycle);
        declared.or_else(|| self.wish.gone.get(address))
    }

    /// A kind that could not be read may hold objects of ours, which should go: the plan must say so.
    fn unread_kind(&self, kind: &str, why: &str, changes: &mut Vec<Change>) {
        let declared = self.declared.get(kind).map_or(&[][..], Vec::as_slice);
        let gone = self.wish.gone.keys().any(|gone| gone.kind == kind);
        if declared.is_empty() || gone {
            let any = Address::new(kind, "*");
            if self.wish.names.is_empty() && self.wish.selects(&any) {
                changes.push(self.unknown(&any, why));
            }
        } else if self.wish.destroy {
            for object in declared {
                let mut change = self.change(object, Action::Unknown);
                change.reason = Some(why.to_owned());
                changes.push(change);
            }
        }
    }

    fn unknown(&self, address: &Address, why: &str) -> Change {
        Change {
            reason: Some(why.to_owned()),
            ..Change::new(address.clone(), self.location.clone(), Action::Unknown)
        }
    }

    /// Keeps what would go while nobody knows who refers to it, for those must let go of it first; and what is referred
    /// to by something that stays. What an account has once may be needed elsewhere in it.
    pub(super) fn keep_what_may_be_needed(
        &self,
        changes: &mut [Change],
        standing: &Standings,
        elsewhere: &Needs,
    ) {
        if !changes.iter().any(goes) {
            return;
        }
        let once = |change: &Change| self.has_once(change);
        let unseen = self.unseen(standing);
        for (there, (kind, (why, action))) in unseen
            .iter()
            .map(|unseen| (false, unseen))
            .chain(elsewhere.unseen.iter().map(|unseen| (true, unseen)))
        {
            let Some(schema) = self.spec(kind).map(AnySpec::schema) else {
                continue;
            };
            for change in &mut *changes {
                let named = goes(change) && names_kind(&schema, &change.address.kind);
                if named && (!there || once(change)) {
                    keep(change, *action, why.clone());
                }
            }
        }
        let keys = self.keys();
        loop {
            let needed = self.needed(changes, &keys);
            let mut kept = false;
            for change in changes.iter_mut().filter(|change| goes(change)) {
                let key = change.live.as_ref().and_then(|live| keys.get(&live.id.0));
                let key = key.map_or_else(|| change.address.to_string(), String::clone);
                let there = once(change).then(|| elsewhere.named.get(&key)).flatten();
                let most = needed.get(&key).into_iter().chain(there);
                let Some(need) = most.max_by_key(|need| need.how) else {
                    continue;
                };
                // What is blocked can wait for a replacement that brings the id back.
                let moves = || {
                    let spec = self.spec(&change.address.kind);
                    spec.is_some_and(|spec| create_before_delete(spec, change))
                };
                let needs = match need.how {
                    How::Unknown => true,
                    How::AsItIs => change.action == Action::Delete || moves(),
                    How::Changed => change.action == Action::Delete,
                };
                if needs {
                    let why = format!("{}, which refers to it, stays", need.who);
                    keep(change, need.how.action(), why);
                    kept = true;
                }
            }
            if !kept {
                break;
            }
        }
    }

    /// Says whether something goes that the account has once.
    pub(super) fn lets_shared_go(&self, changes: &[Change]) -> bool {
        changes
            .iter()
            .any(|change| goes(change) && self.has_once(change))
    }

    fn has_once(&self, change: &Change) -> bool {
        let spec = self.spec(&change.address.kind);
        spec.is_some_and(AnySpec::per_account)
    }

    /// What a region may need of what its account has once.
    pub(super) fn needs(&self, changes: &[Change], standing: &Standings) -> Needs {
        Needs {
            unseen: self.unseen(standing),
            named: self.needed(changes, &self.keys()),
        }
    }

    /// What will still be referred to once these changes are made, and how.
    fn needed(&self, changes: &[Change], keys: &Names) -> BTreeMap<String, Need> {
        let mut needed: BTreeMap<String, Need> = BTreeMap::new();
        for change in changes {
            let how = match change.action {
                Action::Unknown => How::Unknown,
                Action::Blocked => How::AsItIs,
                _ => continue,
            };
            let named = change.lifted.as_ref().map(references).unwrap_or_default();
            for (_, whom) in named {
                let who = change.address.to_string();
                learn(&mut needed, whom, Need { how, who });
            }
        }
        for (whom, need) in self.still_needed(changes, keys) {
            learn(&mut needed, whom, need);
        }
        needed
    }

    /// What nobody knows the references of, by kind: kinds that could not be read, and objects that were not found and
    /// about which nothing is decided. A list of AWS may come back short.
    fn unseen(&self, standing: &Standings) -> BTreeMap<String, (String, Action)> {
        let failed = |kind: &str| matches!(self.unreadable.get(kind), Some(Unreadable::Failed(_)));
        let kinds = self.specs.iter().map(|spec| spec.kind());
        let mut unseen: BTreeMap<String, (String, Action)> = kinds
            .filter(|kind| failed(kind))
            .map(|kind| {
                let why = format!("a {kind}, which may refer to it, could not be read");
                (kind.to_owned(), (why, Action::Unknown))
            })
            .collect();
        for (kind, objects) in &self.declared {
            let Some(matches) = self.matched.get(kind) else {
                continue;
            };
            let unknown = |object: &&&Object| {
                let stands = standing.get(&object.address.to_string());
                let found = matches.by_name.get(&object.address.name);
                matches!(stands, Some(Standing::Unknown))
                    && matches!(found, None | Some(Match::Nothing))
            };
            if let Some(Object { address, .. }) = objects.iter().find(unknown) {
                let why =
                    format!("{address}, which may refer to it, was not found, and is not known");
                unseen.insert((*kind).to_owned(), (why, Action::Unknown));
            }
        }
        unseen
    }

    /// What tells each object of ours from all others, by its AWS id: `Kind/name`, and more where that is not enough.
    fn keys(&self) -> Names {
        let mut keys = self.names.clone();
        for left in self.matched.values().flat_map(|found| &found.leftovers) {
            let id = left.live.id.0.clone();
            keys.entry(id)
                .or_insert_with_key(|id| format!("{} {id}", left.address));
        }
        keys
    }

    /// Who will still refer to whom once these changes are made, as pairs of whom and who.
    fn still_needed(&self, changes: &[Change], keys: &Names) -> Vec<(String, Need)> {
        let mut about = BTreeMap::new();
        for change in changes {
            if let Some(live) = &change.live {
                about.insert((change.address.kind.as_str(), live.id.0.as_str()), change);
            }
        }
        let declared = changes.iter().filter(|c| c.acts());
        let mut refer: Vec<(Need, BTreeSet<String>)> = declared
            .filter_map(|change| {
                let named = lifted_references(change.desired.as_ref()?, keys);
                let who = change.address.to_string();
                let how = How::Changed;
                Some((Need { how, who }, named))
            })
            .collect();
        for (kind, found) in &self.matched {
            let matched = found.by_name.values().filter_map(|found| match found {
                Match::Ours(live) | Match::Unowned(live) | Match::Theirs(live, _) => Some(*live),
                Match::Nothing | Match::Ambiguous(_) => None,
            });
            let orphans = found.orphans.iter().map(|(_, live)| *live);
            let left = found.leftovers.iter().map(|left| left.live);
            for live in matched.chain(orphans).chain(left) {
                let change = about.get(&(*kind, live.id.0.as_str()));
                let as_it_is = |change: &&Change| change.action != Action::Delete && !change.acts();
                if change.is_none_or(as_it_is) {
                    let who = keys.get(&live.id.0).cloned().unwrap_or_default();
                    let how = How::AsItIs;
                    refer.push((Need { how, who }, held_references(&live.spec, keys)));
                }
            }
        }
        let named = refer
            .into_iter()
            .flat_map(|(need, named)| named.into_iter().map(move |whom| (whom, need.clone())));
        named.collect()
    }

    fn deletion(&self, address: &Address, live: &Live<Held>) -> Change {
        let report = self.wish.report_only;
        Change {
            because: vec![Because::Pending],
            held: report.then(|| "the stack is in mode `report`".to_owned()),
            live: Some(live.whole()),
            lifted: Some(lift(live.spec.whole(), &self.names)),
            ..Change::new(address.clone(), self.location.clone(), Action::Delete)
        }
    }
}

fn goes(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

fn keep(change: &mut Change, action: Action, why: String) {
    change.action = action;
    change.held = None;
    change.reason = Some(why);
}
