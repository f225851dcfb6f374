//! What can only be seen when all documents are read: names, references, circles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::kind::Kind;
use crate::model::spec::Identity;
use crate::model::{Address, Diagnostic, Place, Report, suggest};

/// What one document says about itself and others.
pub(super) struct Entry {
    pub(super) address: Address,
    pub(super) place: Place,
    pub(super) references: Vec<Referred>,
    /// `spec.name`, by which AWS knows it.
    pub(super) identity: Option<(String, Place)>,
    /// What only one object of the kind can have: what it is, its text, and where it stands.
    pub(super) exclusive: Vec<(&'static str, String, Place)>,
    pub(super) targets: Vec<(String, Place)>,
    pub(super) variables: Vec<Variable>,
}

/// A `${target.vars.NAME}` in a spec.
pub(super) struct Variable {
    /// JSON Pointer to the text.
    pub(super) at: String,
    pub(super) name: String,
    pub(super) place: Place,
}

/// A reference to an object of ours.
pub(super) struct Referred {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) place: Place,
}

impl Entry {
    /// Makes an entry of which only the name counts.
    pub(super) fn bare(address: Address, place: Place) -> Self {
        Self {
            address,
            place,
            references: Vec::new(),
            identity: None,
            exclusive: Vec::new(),
            targets: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Says whether two objects may be meant for the same place.
    fn shares_target(&self, other: &Self) -> bool {
        let (a, b) = (&self.targets, &other.targets);
        a.is_empty()
            || b.is_empty()
            || a.iter()
                .any(|(name, _)| b.iter().any(|(other, _)| name == other))
    }
}

/// Names a place; what an API server keeps has no lines.
fn at(place: &Place) -> String {
    match place.line {
        0 => place.file.clone(),
        line => format!("{}:{line}", place.file),
    }
}

/// Reports everything that is wrong between documents.
pub(super) fn check(
    entries: &[Entry],
    kinds: &BTreeMap<&'static str, Kind<'_>>,
    report: &mut Report,
) {
    // Files are read in the order of their names, so "first" is the same in every run.
    let mut first: BTreeMap<&Address, &Entry> = BTreeMap::new();
    for entry in entries {
        match first.get(&entry.address) {
            None => {
                first.insert(&entry.address, entry);
            }
            Some(other) => push(
                report,
                entry,
                Diagnostic::error(
                    "duplicate-object",
                    "",
                    format!("{} is declared a second time", entry.address),
                )
                .hint(format!(
                    "the first is in {}: rename or remove one of them",
                    at(&other.place)
                ))
                .place(entry.place.clone()),
            ),
        }
    }
    let unique: Vec<&Entry> = entries
        .iter()
        .filter(|entry| {
            first
                .get(&entry.address)
                .is_some_and(|e| std::ptr::eq(*e, *entry))
        })
        .collect();
    identities(&unique, kinds, report);
    singletons(&unique, kinds, report);
    exclusives(&unique, report);
    references(&unique, &first, report);
    targets(&unique, &first, report);
    circles(&unique, &first, report);
}

fn push(report: &mut Report, entry: &Entry, mut finding: Diagnostic) {
    finding.object = Some(entry.address.to_string());
    report.push(finding);
}

fn identities(entries: &[&Entry], kinds: &BTreeMap<&'static str, Kind<'_>>, report: &mut Report) {
    let mut names: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let kind = kinds.get(entry.address.kind.as_str());
        let (Some((name, place)), Some(kind)) = (&entry.identity, kind) else {
            continue;
        };
        let same = names.entry((kind.spec.namespace(), name)).or_default();
        if let Some(other) = same.iter().find(|other| other.shares_target(entry)) {
            let message = format!(
                "{} and {} are both named `{name}` in AWS",
                other.address, entry.address
            );
            let hint = format!(
                "the other is in {}: give one of them another `name`",
                at(&other.place)
            );
            let finding = match kind.spec.identity() {
                Identity::SharedName => Diagnostic::warning("duplicate-name", "/name", message),
                _ => Diagnostic::error("duplicate-name", "/name", message),
            };
            push(report, entry, finding.hint(hint).place(place.clone()));
        }
        same.push(entry);
    }
}

fn singletons(entries: &[&Entry], kinds: &BTreeMap<&'static str, Kind<'_>>, report: &mut Report) {
    let mut seen: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let kind = entry.address.kind.as_str();
        let stack = kind == "Stack";
        if !stack
            && !kinds
                .get(kind)
                .is_some_and(|kind| kind.spec.identity() == Identity::Singleton)
        {
            continue;
        }
        let others = seen.entry(kind).or_default();
        if let Some(other) = others
            .iter()
            .find(|other| stack || other.shares_target(entry))
        {
            let place = at(&other.place);
            let finding = if stack {
                Diagnostic::error("second-stack", "", "there can be only one Stack")
                    .hint(format!("the first is in {place}: remove one, or keep the stacks in folders of their own"))
            } else {
                Diagnostic::error(
                    "second-singleton",
                    "",
                    format!("AWS has only one {kind} for an account and region"),
                )
                .hint(format!("the first is in {place}: remove one of them"))
            };
            push(report, entry, finding.place(entry.place.clone()));
        }
        others.push(entry);
    }
}

/// Reports what two objects ask for and only one can have.
fn exclusives(entries: &[&Entry], report: &mut Report) {
    let mut seen: BTreeMap<(&str, &str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let kind = entry.address.kind.as_str();
        for (what, text, place) in &entry.exclusive {
            let others = seen.entry((kind, what, text)).or_default();
            if let Some(other) = others.iter().find(|other| other.shares_target(entry)) {
                let message = format!(
                    "{} and {} both ask for {text}, and only one can have it",
                    other.address, entry.address
                );
                let hint = format!(
                    "the other is in {}: take it out of one of them",
                    at(&other.place)
                );
                let finding = Diagnostic::error("second-owner", *what, message).hint(hint);
                push(report, entry, finding.place(place.clone()));
            }
            others.push(entry);
        }
    }
}

fn references(entries: &[&Entry], declared: &BTreeMap<&Address, &Entry>, report: &mut Report) {
    let mut by_kind: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_kind.entry(&entry.address.kind).or_default().push(entry);
        by_name.entry(&entry.address.name).or_default().push(entry);
    }
    // Thousands of dangling names among thousands of objects must not take minutes.
    let mut comparisons = 200_000;
    for entry in entries {
        for Referred { kind, name, place } in &entry.references {
            if declared.contains_key(&Address::new(kind.clone(), name.clone())) {
                continue;
            }
            let of_kind = by_kind.get(kind.as_str()).map_or(&[][..], Vec::as_slice);
            let names = of_kind.iter().map(|other| other.address.name.as_str());
            let near = suggest::closest(name, names.take(comparisons));
            comparisons = comparisons.saturating_sub(of_kind.len());
            let near =
                near.and_then(|near| of_kind.iter().find(|other| other.address.name == near));
            let other_kind = by_name.get(name.as_str()).and_then(|same| same.first());
            let hint = match (other_kind, near) {
                (Some(other), _) => format!(
                    "`{name}` is a {}, declared in {}; a {kind} is wanted here",
                    other.address.kind,
                    at(&other.place)
                ),
                (None, Some(near)) => format!(
                    "did you mean `{}`? It is declared in {}",
                    near.address.name,
                    at(&near.place)
                ),
                (None, None) => format!(
                    "declare a {kind} of this name, or write `{{ arn: … }}` for one that is not yours"
                ),
            };
            let finding = Diagnostic::error("unknown-ref", "", format!("no {kind} named `{name}`"));
            push(report, entry, finding.hint(hint).place(place.clone()));
        }
    }
}

fn targets(entries: &[&Entry], declared: &BTreeMap<&Address, &Entry>, report: &mut Report) {
    let known: Vec<&str> = declared
        .keys()
        .filter(|address| address.kind == "Target")
        .map(|address| address.name.as_str())
        .collect();
    for entry in entries {
        for (name, place) in &entry.targets {
            if known.contains(&name.as_str()) {
                continue;
            }
            let hint = match suggest::closest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "leave `targets` out: the target is then the account of the credentials at hand and the configured region".to_owned(),
            };
            let finding =
                Diagnostic::error("unknown-target", "", format!("no Target named `{name}`"));
            push(report, entry, finding.hint(hint).place(place.clone()));
        }
    }
}

/// Reports circles of references, each once and the shortest first found.
fn circles(entries: &[&Entry], declared: &BTreeMap<&Address, &Entry>, report: &mut Report) {
    let edges: BTreeMap<&Address, Vec<(&Address, &Place)>> = entries
        .iter()
        .map(|entry| {
            let to = entry.references.iter().filter_map(|referred| {
                let address = Address::new(referred.kind.clone(), referred.name.clone());
                declared
                    .get_key_value(&address)
                    .map(|(address, _)| (*address, &referred.place))
            });
            (&entry.address, to.collect())
        })
        .collect();
    let mut told: BTreeSet<&Address> = BTreeSet::new();
    // A thousand circles are enough to begin with, and looking for all of them could take for ever.
    for entry in in_circles(&edges, entries).into_iter().take(1000) {
        if told.contains(&entry.address) {
            continue;
        }
        let Some(circle) = shortest(&entry.address, &edges) else {
            continue;
        };
        told.extend(&circle);
        let names: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .map(|address| format!("`{address}`"))
            .collect();
        let next = circle.get(1).unwrap_or(&circle[0]);
        let place = edges[&entry.address]
            .iter()
            .find(|(to, _)| to == next)
            .map_or(&entry.place, |(_, place)| *place);
        let finding = Diagnostic::error(
            "cyclic-ref",
            "",
            format!("{} is a circle", names.join(" → ")),
        )
        .hint("remove one of these references: none of the objects can be made before the others");
        push(report, entry, finding.place(place.clone()));
    }
}

/// Returns, in order, the entries that are left when everything without references to the rest is taken away.
fn in_circles<'e>(
    edges: &BTreeMap<&Address, Vec<(&Address, &Place)>>,
    entries: &[&'e Entry],
) -> Vec<&'e Entry> {
    let mut open: BTreeMap<&Address, usize> =
        edges.iter().map(|(from, to)| (*from, to.len())).collect();
    let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (from, to) in edges {
        for (to, _) in to {
            users.entry(to).or_default().push(from);
        }
    }
    let mut free: Vec<&Address> = open
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(address, _)| *address)
        .collect();
    while let Some(address) = free.pop() {
        open.remove(address);
        for user in users.get(address).into_iter().flatten() {
            if let Some(count) = open.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    free.push(user);
                }
            }
        }
    }
    entries
        .iter()
        .copied()
        .filter(|entry| open.contains_key(&entry.address))
        .collect()
}

/// Returns the shortest way from an object back to itself.
fn shortest<'a>(
    start: &'a Address,
    edges: &BTreeMap<&'a Address, Vec<(&'a Address, &Place)>>,
) -> Option<Vec<&'a Address>> {
    let mut from: BTreeMap<&Address, &Address> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(address) = queue.pop_front() {
        for (to, _) in edges.get(address).into_iter().flatten() {
            if *to == start {
                let mut way = vec![address];
                while let Some(before) = way.last().and_then(|last| from.get(last)) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !from.contains_key(to) {
                from.insert(to, address);
                queue.push_back(to);
            }
        }
    }
    None
}
