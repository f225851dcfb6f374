//! Which live object is which declared one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Object;
use crate::model::spec::Identity;
use crate::model::stamp::{self, Owner};
use crate::model::{Address, AnySpec, Live};

/// What stands for a declared object in AWS.
#[derive(Debug)]
pub(super) enum Match<'a> {
    /// Nothing.
    Nothing,
    /// Ours.
    Ours(&'a Live<Value>),
    /// There, and nobody's.
    Unowned(&'a Live<Value>),
    /// There, and another stack's.
    Theirs(&'a Live<Value>, String),
    /// Several unowned objects of that name; none can be told from the others.
    Ambiguous(usize),
}

/// The matches of one kind at one place.
#[derive(Debug, Default)]
pub(super) struct Matches<'a> {
    /// By `metadata.name`.
    pub(super) by_name: BTreeMap<String, Match<'a>>,
    /// Ours, and in no document.
    pub(super) orphans: Vec<(Address, &'a Live<Value>)>,
    /// What an interrupted replacement left behind.
    pub(super) leftovers: Vec<(Address, &'a Live<Value>)>,
}

/// Matches by stamp first, then by AWS's own name.
pub(super) fn matches<'a>(
    spec: &dyn AnySpec,
    stack: &str,
    declared: &[&Object],
    live: &'a [Live<Value>],
) -> Matches<'a> {
    let mut found = Matches::default();
    let mut taken = BTreeSet::new();
    for object in declared {
        let mut ours: Vec<usize> = (0..live.len())
            .filter(|&i| {
                stamp::owner(&live[i].tags, stack) == Owner::Us
                    && stamp::names(&live[i].tags, &object.address)
            })
            .collect();
        // Of several, the one with what cannot be changed in place is the replacement and the others are what it
        // replaced.
        ours.sort_by_key(|&i| {
            let differs = |field: &&str| live[i].spec.pointer(field) != object.spec.pointer(field);
            (
                aws_name(object) != Some(live[i].name.as_str()),
                spec.create_only().iter().any(differs),
                live[i].id.clone(),
            )
        });
        if let Some((&first, rest)) = ours.split_first() {
            taken.insert(first);
            found
                .by_name
                .insert(object.address.name.clone(), Match::Ours(&live[first]));
            for &left in rest {
                taken.insert(left);
                found.leftovers.push((object.address.clone(), &live[left]));
            }
        }
    }
    for object in declared {
        if !found.by_name.contains_key(&object.address.name) {
            let stands = by_identity(spec, stack, object, live, &mut taken);
            found.by_name.insert(object.address.name.clone(), stands);
        }
    }
    for (index, live) in live.iter().enumerate() {
        if stamp::owner(&live.tags, stack) == Owner::Us && !taken.contains(&index) {
            let name = live
                .tags
                .get(stamp::OBJECT)
                .and_then(|object| object.split_once('/'))
                .map(|(_, name)| name);
            let name = name.unwrap_or(if live.name.is_empty() {
                "unnamed"
            } else {
                &live.name
            });
            found.orphans.push((Address::new(spec.kind(), name), live));
        }
    }
    found
}

fn by_identity<'a>(
    spec: &dyn AnySpec,
    stack: &str,
    object: &Object,
    live: &'a [Live<Value>],
    taken: &mut BTreeSet<usize>,
) -> Match<'a> {
    let same = |i: &usize| {
        spec.identity() == Identity::Singleton || aws_name(object) == Some(live[*i].name.as_str())
    };
    let candidates: Vec<usize> = (0..live.len())
        .filter(|i| !taken.contains(i))
        .filter(same)
        .collect();
    let owned_by = |owner: Owner<'_>| {
        candidates
            .iter()
            .copied()
            .filter(|&i| stamp::owner(&live[i].tags, stack) == owner)
            .collect::<Vec<_>>()
    };
    // Ours by stack, under a name of which no document speaks any more: the document was renamed.
    if let Some(&first) = owned_by(Owner::Us).first() {
        taken.insert(first);
        return Match::Ours(&live[first]);
    }
    match owned_by(Owner::Nobody)[..] {
        [one] => {
            taken.insert(one);
            return Match::Unowned(&live[one]);
        }
        [] => {}
        ref several => return Match::Ambiguous(several.len()),
    }
    let theirs = candidates
        .iter()
        .find_map(|&i| match stamp::owner(&live[i].tags, stack) {
            Owner::Stack(name) => Some((i, name.to_owned())),
            Owner::Us | Owner::Nobody => None,
        });
    match theirs {
        // Where names may repeat, another stack's object of the same name is no obstacle.
        Some((i, name)) if spec.identity() != Identity::SharedName => Match::Theirs(&live[i], name),
        _ => Match::Nothing,
    }
}

/// The name that AWS shall know the object by.
fn aws_name(object: &Object) -> Option<&str> {
    object.spec.get("name").and_then(Value::as_str)
}
