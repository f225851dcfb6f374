//! What is to be done with one declared object.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::decide::{Place, Standing, Standings, create_before_delete};
use super::matching::Match;
use super::why::because;
use super::{Action, Because, Change, Object, Plan, Unreadable};
use crate::model::diff::{Difference, diff};
use crate::model::lifecycle::OnDelete;
use crate::model::reference::{Names, held_references, lift, references, same_held};
use crate::model::spec::NotASpec;
use crate::model::stamp::{self, Applied, Owner};
use crate::model::{Address, AnySpec, Held, Live, pointer};

impl Place<'_> {
    pub(super) fn object(
        &self,
        spec: &dyn AnySpec,
        object: &Object,
        references: BTreeSet<String>,
        standing: &Standings,
        plan: &mut Plan,
    ) -> (Standing, Option<Change>) {
        let change = |action, reason: String| {
            let mut change = self.change(object, action);
            change.reason = Some(reason);
            change
        };
        let found = self
            .matched
            .get(spec.kind())
            .and_then(|matches| matches.by_name.get(&object.address.name));
        let blocked_as = |reason: String, clear: bool| {
            let mut change = change(Action::Blocked, reason);
            // Whether it is there is known all the same.
            match found {
                _ if !clear => {}
                Some(Match::Ours(live) | Match::Unowned(live)) => change.live = Some(live.whole()),
                None | Some(Match::Nothing) => change.because = vec![Because::Missing],
                Some(Match::Theirs(..) | Match::Ambiguous(_)) => {}
            }
            let why = "which is blocked".to_owned();
            (Standing::Absent(why, clear), Some(change))
        };
        let blocked = |reason: String| blocked_as(reason, false);
        if let Some(problem) = &object.problem {
            return blocked(problem.clone());
        }
        match self.unreadable.get(spec.kind()) {
            Some(Unreadable::Failed(why)) => {
                return (
                    Standing::Unknown,
                    Some(change(Action::Unknown, why.clone())),
                );
            }
            Some(Unreadable::NotEnabled(why)) => {
                plan.notes.push(self.note(&object.address, why));
                return (
                    Standing::Absent("which cannot be here".to_owned(), true),
                    None,
                );
            }
            Some(Unreadable::NotAvailable(why)) if !self.service_is_coming(spec, standing) => {
                return blocked(unavailable(spec, why));
            }
            _ => {}
        }
        let mut replaced = BTreeSet::new();
        for name in references {
            match standing.get(&name) {
                Some(Standing::There | Standing::Coming { replaced: false }) => {}
                Some(Standing::Coming { replaced: true }) => {
                    replaced.insert(name);
                }
                Some(Standing::Unknown) => {
                    let reason = format!("{name}, to which it refers, could not be read");
                    return (Standing::Unknown, Some(change(Action::Unknown, reason)));
                }
                Some(Standing::Absent(why, clear)) => {
                    return blocked_as(format!("it needs {name}, {why}"), *clear);
                }
                None if self.knows(&name) => {}
                None => {
                    return blocked(format!(
                        "it needs {name}, which is neither declared nor there"
                    ));
                }
            }
        }
        match found {
            None | Some(Match::Nothing) => {
                if !self.wish.selects(&object.address) {
                    let why = "which is not there yet and not among what was asked for";
                    return (Standing::Absent(why.to_owned(), true), None);
                }
                if let Some(why) = spec.misplaced(&object.spec, self.location) {
                    return blocked_as(why, true);
                }
                let mut change = self.change(object, Action::Create);
                change.because = vec![Because::Missing];
                change.reason = spec.consequence(&object.spec, None).map(str::to_owned);
                (Standing::Coming { replaced: false }, Some(change))
            }
            Some(Match::Theirs(live, stack)) => {
                let reason = format!(
                    "owned by stack `{stack}`: give it another name, or hand it over by removing its `{}` tag",
                    stamp::STACK
                );
                let mut change = change(Action::Blocked, reason);
                change.live = Some(live.whole());
                (Standing::There, Some(change))
            }
            Some(Match::Ambiguous(count)) => blocked(format!(
                "{count} objects that nobody owns have this name, and none can be told from the others: delete or \
                 rename all but one"
            )),
            Some(Match::Ours(live) | Match::Unowned(live)) => {
                self.compare(spec, object, live, &replaced, plan)
            }
        }
    }

    /// Whether this plan sets up the service that a kind needs.
    fn service_is_coming(&self, spec: &dyn AnySpec, standing: &Standings) -> bool {
        spec.after().iter().any(|kind| {
            let mut declared = self.declared.get(kind).into_iter().flatten();
            declared.any(|object| {
                let stands = standing.get(&object.address.to_string());
                matches!(stands, Some(Standing::Coming { .. } | Standing::There))
            })
        })
    }

    fn compare(
        &self,
        spec: &dyn AnySpec,
        object: &Object,
        live: &Live<Held>,
        replaced: &BTreeSet<String>,
        plan: &mut Plan,
    ) -> (Standing, Option<Change>) {
        if replaced.is_empty() && self.is_as_declared(spec, object, live) {
            plan.notes.extend(
                live.notes
                    .iter()
                    .map(|text| self.note(&object.address, text)),
            );
            self.ignored(object, plan);
            return (Standing::There, None);
        }
        let mut change = self.change(object, Action::Update);
        let whole = live.whole();
        let seen = see(spec, &object.address, &object.spec, &whole, &self.names);
        change.live = Some(whole);
        let mut seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                change.action = Action::Unknown;
                change.reason = Some(format!("what AWS has cannot be understood: {error}"));
                return (Standing::Unknown, Some(change));
            }
        };
        plan.notes.extend(
            live.notes
                .iter()
                .map(|text| self.note(&object.address, text)),
        );
        let owned = stamp::owner(&live.tags, self.stack) == Owner::Us;
        let mut wanted = seen.settled.clone();
        if !owned {
            // What AWS never gives back is taken on trust.
            for only in spec.write_only() {
                pointer::remove(&mut wanted, only);
            }
        }
        change.lifted = Some(seen.lifted.clone());
        change.ignored = self.ignored(object, plan);
        seen.forget(&change.ignored);
        change.differences = diff(&seen.lifted, &seen.settled);
        change.because = because(
            spec,
            &object.address,
            &live.tags,
            &seen,
            &change.differences,
        );

        if !owned {
            change.action = Action::Adopt;
            change.because = Vec::new();
            if !self.wish.adopt && !object.lifecycle.adopt {
                let held = "it is there and nobody owns it: take it over with `--adopt`";
                change.held = Some(held.to_owned());
            }
        }
        let changes = !change.differences.is_empty() || !replaced.is_empty();
        if (changes || !owned)
            && let Some(why) = self.refused(spec, &wanted, &change, changes)
        {
            change.action = Action::Blocked;
            change.held = None;
            change.reason = Some(why);
            return (Standing::There, Some(change));
        }
        if !changes {
            let stale = owned.then(|| stale_stamp(object, live)).flatten();
            if let Some(what) = stale {
                change.reason = Some(format!("{what}; only the stamp changes"));
                change.because = vec![Because::Pending];
            }
            return (
                Standing::There,
                (stale.is_some() || !owned).then_some(change),
            );
        }
        let create_only = |at: &str| {
            spec.create_only()
                .iter()
                .any(|only| pointer::under(at, only))
        };
        let paths = change.differences.iter().map(|d| d.path.as_str());
        let forced: Vec<&str> = paths.filter(|at| create_only(at)).collect();
        if !forced.is_empty() {
            let fields = forced.join(", ");
            if let Some(who) = self.holder(spec, &change) {
                change.action = Action::Blocked;
                change.held = None;
                change.reason = Some(format!(
                    "{fields} cannot be changed in place, and AWS does not delete it while {who} refers to it: choose \
                     another `name`, or let go of it first"
                ));
                return (Standing::There, Some(change));
            }
            return Self::replace(spec, object, change, &fields);
        }
        if !replaced.is_empty() {
            follow(&mut change, &seen.settled, replaced);
            if change.because.is_empty() && owned {
                change.because = vec![Because::Pending];
            }
        }
        foretell(spec, &seen.settled, &mut change);
        (Standing::There, Some(change))
    }

    /// Says why AWS could not be brought to what is wanted, from what it has or from here.
    fn refused(
        &self,
        spec: &dyn AnySpec,
        wanted: &Value,
        change: &Change,
        changes: bool,
    ) -> Option<String> {
        let misplaced = spec.misplaced(wanted, self.location);
        misplaced.or_else(|| {
            let lifted = change.lifted.as_ref().filter(|_| changes)?;
            spec.impossible(wanted, lifted, self.location)
        })
    }

    /// Says whether an object is ours and to the letter what its document says: then nothing can differ, and nothing
    /// needs to be copied to find that out.
    fn is_as_declared(&self, spec: &dyn AnySpec, object: &Object, live: &Live<Held>) -> bool {
        let taken_on_trust = |field: &&str| object.spec.pointer(field).is_some();
        stamp::owner(&live.tags, self.stack) == Owner::Us
            && stale_stamp(object, live).is_none()
            && !spec.write_only().iter().any(taken_on_trust)
            && same_held(&live.spec, &object.spec, &self.names)
    }

    /// Who keeps AWS from deleting what would have to go before its replacement comes.
    fn holder(&self, spec: &dyn AnySpec, change: &Change) -> Option<String> {
        if !spec.held() || create_before_delete(spec, change) {
            return None;
        }
        let id = &change.live.as_ref()?.id;
        let named = self.names.get(&id.0)?;
        let there = self.matched.iter().flat_map(|(kind, matches)| {
            let found = matches
                .by_name
                .iter()
                .filter_map(|(name, found)| match found {
                    Match::Ours(live) | Match::Unowned(live) | Match::Theirs(live, _) => {
                        Some((Address::new(*kind, name), *live))
                    }
                    Match::Nothing | Match::Ambiguous(_) => None,
                });
            let orphans = matches.orphans.iter();
            found.chain(orphans.map(|(address, live)| (address.clone(), *live)))
        });
        let mut others = there.filter(|(_, live)| live.id != *id);
        let holder =
            others.find(|(_, live)| held_references(&live.spec, &self.names).contains(named));
        holder.map(|(address, _)| address.to_string())
    }

    /// The accepted differences that have not expired; those that have are told.
    fn ignored(&self, object: &Object, plan: &mut Plan) -> Vec<String> {
        let mut ignored = Vec::new();
        for ignore in &object.lifecycle.ignore {
            if let Some(until) = ignore
                .until
                .as_ref()
                .filter(|until| **until < self.wish.today)
            {
                let path = &ignore.path;
                let text =
                    format!("ignoring {path} expired on {until}: it counts as a difference again");
                plan.notes.push(self.note(&object.address, &text));
            } else {
                ignored.push(ignore.path.clone());
            }
        }
        ignored
    }

    fn replace(
        spec: &dyn AnySpec,
        object: &Object,
        mut change: Change,
        fields: &str,
    ) -> (Standing, Option<Change>) {
        let adopting = change.action == Action::Adopt;
        let deletes = object.lifecycle.on_delete == Some(OnDelete::Delete);
        let refusal = if let Some(why) = spec.never_deleted() {
            Some(format!(
                "{fields} cannot be changed in place, and it is never replaced: {why}"
            ))
        } else if adopting {
            Some(format!(
                "{fields} cannot be changed in place, and what nobody owns is not replaced: delete it first"
            ))
        } else if object.lifecycle.protect {
            Some(format!(
                "{fields} cannot be changed in place, and `lifecycle.protect` forbids to replace it"
            ))
        } else {
            spec.loses().filter(|_| !deletes).map(|lost| {
                format!(
                    "{fields} cannot be changed in place, and replacing it would lose {lost}: set \
                     `lifecycle.onDelete: delete` to allow that"
                )
            })
        };
        if let Some(why) = refusal {
            change.action = Action::Blocked;
            change.held = None;
            change.reason = Some(why);
            return (Standing::There, Some(change));
        }
        let lost = spec
            .loses()
            .map(|lost| format!("; {lost} would be lost"))
            .unwrap_or_default();
        change.action = Action::Replace;
        change.reason = Some(format!("{fields} cannot be changed in place{lost}"));
        (Standing::Coming { replaced: true }, Some(change))
    }
}

/// Says what the stamp of an object of ours does not know yet, although nothing else may differ. Once the document is
/// gone, the stamp is all that tells whose the object was and whether it may go.
fn stale_stamp<S>(object: &Object, live: &Live<S>) -> Option<&'static str> {
    let on_delete = Applied::read(&live.tags).and_then(|applied| applied.on_delete());
    if !stamp::names(&live.tags, &object.address) {
        Some("the document was renamed")
    } else if on_delete != object.lifecycle.on_delete {
        Some("`lifecycle.onDelete` changed")
    } else {
        None
    }
}

/// A dependent of what is replaced changes although every name in it stays.
fn follow(change: &mut Change, settled: &Value, replaced: &BTreeSet<String>) {
    let names: Vec<&str> = replaced.iter().map(String::as_str).collect();
    change.reason = Some(format!("{} is replaced", names.join(", ")));
    let touched = references(settled)
        .into_iter()
        .filter(|(_, name)| replaced.contains(name));
    for (path, name) in touched {
        let same = Some(json!({ "ref": name }));
        change.differences.push(Difference {
            path,
            old: same.clone(),
            new: same,
        });
    }
}

/// The three forms of one object, references by name, that a comparison needs.
pub(super) struct Seen {
    /// What the document says.
    pub(super) declared: Value,
    /// The same, with what AWS may choose taken over from AWS.
    pub(super) settled: Value,
    /// What AWS has.
    pub(super) lifted: Value,
}

impl Seen {
    fn forget(&mut self, paths: &[String]) {
        let Self {
            declared,
            settled,
            lifted,
        } = self;
        for value in [declared, settled, lifted] {
            for path in paths {
                pointer::remove(value, path);
            }
        }
    }
}

fn see(
    spec: &dyn AnySpec,
    address: &Address,
    declared: &Value,
    live: &Live<Value>,
    names: &Names,
) -> Result<Seen, NotASpec> {
    // Read again after lifting: sets are ordered by what is in them.
    let mut lifted = spec.parse(&lift(live.spec.clone(), names))?;
    let declared = spec.parse(&lift(declared.clone(), names))?;
    write_only(
        spec,
        address,
        Applied::read(&live.tags).as_ref(),
        &declared,
        &mut lifted,
    );
    let settled = spec.settle(&declared, &lifted)?;
    Ok(Seen {
        declared,
        settled,
        lifted,
    })
}

/// Compares an object just read with what is declared, as a plan would.
///
/// # Errors
/// When what AWS has cannot be understood.
pub fn remaining(
    spec: &dyn AnySpec,
    address: &Address,
    declared: &Value,
    ignored: &[String],
    live: &Live<Value>,
    names: &Names,
) -> Result<Vec<Difference>, NotASpec> {
    let mut seen = see(spec, address, declared, live, names)?;
    seen.forget(ignored);
    Ok(diff(&seen.lifted, &seen.settled))
}

/// A field that AWS never gives back counts as it was last applied.
fn write_only(
    spec: &dyn AnySpec,
    address: &Address,
    applied: Option<&Applied>,
    declared: &Value,
    lifted: &mut Value,
) {
    let Some(lifted) = lifted.as_object_mut() else {
        return;
    };
    for field in spec
        .write_only()
        .iter()
        .flat_map(|only| pointer::steps(only))
    {
        lifted.remove(&field);
        if let Some(value) = declared.get(&field)
            && applied.is_some_and(|applied| applied.holds(address, &field, Some(value)))
        {
            lifted.insert(field, value.clone());
        }
    }
    lifted.sort_keys();
}

/// Tells what AWS does besides when a change is made, unless there is more to say.
fn foretell(spec: &dyn AnySpec, settled: &Value, change: &mut Change) {
    let changed = change.differences.iter();
    let changed: Vec<&str> = changed.map(|difference| difference.path.as_str()).collect();
    let consequence = spec.consequence(settled, Some(&changed));
    if change.reason.is_none() {
        change.reason = consequence.map(str::to_owned);
    }
}

/// Says that a service is not there, and what sets it up.
fn unavailable(spec: &dyn AnySpec, why: &str) -> String {
    match spec.after() {
        [] => format!("the service is not available in this account and region: {why}"),
        first => format!(
            "the service is not set up in this account and region; {} does that ({why})",
            first.join(" or ")
        ),
    }
}
