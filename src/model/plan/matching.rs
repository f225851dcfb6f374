//! Which live object is which declared one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Object;
use crate::model::spec::{Identity, aws_name};
use crate::model::stamp::{self, Applied, Owner};
use crate::model::{Address, AnySpec, Held, Live, pointer};

/// What stands for a declared object in AWS.
#[derive(Debug)]
pub(super) enum Match<'a> {
    /// Nothing.
    Nothing,
    /// Ours.
    Ours(&'a Live<Held>),
    /// There, and nobody's.
    Unowned(&'a Live<Held>),
    /// There, and another stack's.
    Theirs(&'a Live<Held>, String),
    /// Several unowned objects of that name; none can be told from the others.
    Ambiguous(usize),
}

/// The matches of one kind at one place.
#[derive(Debug, Default)]
pub(super) struct Matches<'a> {
    /// By `metadata.name`.
    pub(super) by_name: BTreeMap<String, Match<'a>>,
    /// Ours, and in no document.
    pub(super) orphans: Vec<(Address, &'a Live<Held>)>,
    /// Further objects with the stamp of one that is there.
    pub(super) leftovers: Vec<Leftover<'a>>,
}

/// A further object with the stamp of one that is there.
#[derive(Debug)]
pub(super) struct Leftover<'a> {
    pub(super) address: Address,
    pub(super) live: &'a Live<Held>,
    /// Whether an interrupted replacement left it behind. Otherwise a person has copied an object with its tags.
    pub(super) replaced: bool,
}

/// Says whether a second object is what a replacement would leave behind: it differs in what cannot be changed in
/// place, and in just that it is as its stamp says that we applied it. A copy made by hand has either all of it in
/// common with the object, or something that its stamp does not know.
fn was_replaced(spec: &dyn AnySpec, object: &Object, live: &Live<Held>) -> bool {
    let Some(applied) = Applied::read(&live.tags) else {
        return false;
    };
    let mut fields: BTreeSet<String> = spec
        .create_only()
        .iter()
        .filter_map(|only| pointer::steps(only).into_iter().next())
        .collect();
    fields.insert("name".to_owned());
    let differs = |field: &String| live.spec.get(field) != object.spec.get(field);
    let applied = |field: &String| applied.holds(&object.address, field, live.spec.get(field));
    fields.iter().any(differs) && fields.iter().all(applied)
}

/// Says whether somebody put an object's stamp on one of another name that the stack never gave it, where AWS renames
/// nothing.
fn is_copy(spec: &dyn AnySpec, object: &Object, live: &Live<Held>) -> bool {
    let named = aws_name(&object.spec) == Some(live.name.as_str());
    // What has another name because its document accepts that is no copy.
    let mut ignored = object.lifecycle.ignore.iter();
    let accepted = ignored.any(|ignore| pointer::under("/name", &ignore.path));
    if named || accepted || !spec.create_only().contains(&"/name") {
        return false;
    }
    let applied = Applied::read(&live.tags);
    applied.is_some_and(|applied| !applied.holds(&object.address, "name", live.spec.get("name")))
}

/// Matches by stamp first, then by AWS's own name.
pub(super) fn matches<'a>(
    spec: &dyn AnySpec,
    stack: &str,
    declared: &[&Object],
    live: &'a [Live<Held>],
) -> Matches<'a> {
    let index = Index::new(stack, live);
    let mut found = Matches::default();
    let mut taken = HashSet::new();
    let mut stands = Vec::with_capacity(declared.len());
    for object in declared {
        let tag = stamp::object_tag(&object.address);
        let mut ours = index.stamped.get(tag.as_str()).cloned().unwrap_or_default();
        // Of several, the one with what cannot be changed in place is the replacement and the others are what it
        // replaced.
        ours.sort_by_key(|&i| {
            let differs = |field: &&str| live[i].spec.pointer(field) != object.spec.pointer(field);
            (
                aws_name(&object.spec) != Some(live[i].name.as_str()),
                spec.create_only().iter().any(differs),
                live[i].id.clone(),
            )
        });
        taken.extend(&ours);
        let copies: Vec<usize> = ours
            .extract_if(.., |&mut i| is_copy(spec, object, &live[i]))
            .collect();
        let (first, rest) = match ours.split_first() {
            Some((&first, rest)) => (Some(Match::Ours(&live[first])), rest),
            None => (None, &[][..]),
        };
        stands.push(first);
        let rest = rest.iter().chain(&copies);
        found.leftovers.extend(rest.map(|&left| Leftover {
            address: object.address.clone(),
            live: &live[left],
            replaced: was_replaced(spec, object, &live[left]),
        }));
    }
    let matched = declared.iter().zip(stands).map(|(object, ours)| {
        let stands = ours.unwrap_or_else(|| index.by_identity(spec, object, &mut taken));
        (object.address.name.clone(), stands)
    });
    found.by_name = matched.collect();
    for (at, live) in live.iter().enumerate() {
        if index.owners[at] == Owner::Us && !taken.contains(&at) {
            let name = stamp::object_name(&live.tags);
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

/// Live objects by what they are looked up by, so that matching does not walk all of them for each declared one.
struct Index<'a> {
    live: &'a [Live<Held>],
    owners: Vec<Owner<'a>>,
    /// Ours, by the object that their stamp names.
    stamped: HashMap<&'a str, Vec<usize>>,
    /// All, by AWS's own name.
    named: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(stack: &str, live: &'a [Live<Held>]) -> Self {
        let owners = live.iter().map(|live| stamp::owner(&live.tags, stack));
        let mut index = Self {
            live,
            owners: owners.collect(),
            stamped: HashMap::new(),
            named: HashMap::new(),
        };
        for (at, live) in live.iter().enumerate() {
            index.named.entry(&live.name).or_default().push(at);
            if index.owners[at] == Owner::Us
                && let Some(object) = live.tags.get(stamp::OBJECT)
            {
                index.stamped.entry(object).or_default().push(at);
            }
        }
        index
    }

    fn by_identity(
        &self,
        spec: &dyn AnySpec,
        object: &Object,
        taken: &mut HashSet<usize>,
    ) -> Match<'a> {
        let named = || self.named.get(aws_name(&object.spec)?).cloned();
        let mut candidates: Vec<usize> = match spec.identity() {
            Identity::Singleton => (0..self.live.len()).collect(),
            Identity::UniqueName | Identity::SharedName => named().unwrap_or_default(),
        };
        candidates.retain(|at| !taken.contains(at));
        let owned_by = |owner: Owner<'_>| {
            let theirs = candidates.iter().copied();
            theirs
                .filter(|&at| self.owners[at] == owner)
                .collect::<Vec<_>>()
        };
        // Ours by stack, under a name of which no document speaks any more: the document was renamed.
        if let Some(&first) = owned_by(Owner::Us).first() {
            taken.insert(first);
            return Match::Ours(&self.live[first]);
        }
        match owned_by(Owner::Nobody)[..] {
            [one] => {
                taken.insert(one);
                return Match::Unowned(&self.live[one]);
            }
            [] => {}
            ref several => return Match::Ambiguous(several.len()),
        }
        let theirs = candidates.iter().find_map(|&at| match self.owners[at] {
            Owner::Stack(name) => Some((at, name.to_owned())),
            Owner::Us | Owner::Nobody => None,
        });
        match theirs {
            // Where names may repeat, another stack's object of the same name is no obstacle.
            Some((at, name)) if spec.identity() != Identity::SharedName => {
                Match::Theirs(&self.live[at], name)
            }
            _ => Match::Nothing,
        }
    }
}
