//! What is the same in many places is told once, with the places where it is so.

use std::collections::{BTreeMap, BTreeSet};

use super::{Style, text};
use crate::model::{Address, Location};

/// How many places a header names before it counts the rest.
pub(super) const PLACES: usize = 6;

/// What is told in exactly these places.
pub(super) struct Cluster<'a, T> {
    pub(super) places: BTreeSet<&'a Location>,
    pub(super) items: Vec<T>,
    /// Whatever is to be done there, or was.
    addresses: Vec<&'a Address>,
}

/// Gathers what is told in the same words by the places where it is told; what is told in most places comes first.
pub(super) fn clusters<'a, T>(
    told: impl IntoIterator<Item = (&'a Location, Option<&'a Address>, String, T)>,
) -> Vec<Cluster<'a, T>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut items: Vec<(BTreeSet<&Location>, Option<&Address>, T)> = Vec::new();
    for (location, address, words, item) in told {
        let index = *known.entry(words).or_insert(items.len());
        match items.get_mut(index) {
            Some((places, ..)) => {
                places.insert(location);
            }
            None => items.push((BTreeSet::from([location]), address, item)),
        }
    }
    let mut found: BTreeMap<BTreeSet<&Location>, usize> = BTreeMap::new();
    let mut clusters: Vec<Cluster<'_, T>> = Vec::new();
    for (places, address, item) in items {
        let index = *found.entry(places.clone()).or_insert(clusters.len());
        if index == clusters.len() {
            clusters.push(Cluster {
                places,
                items: Vec::new(),
                addresses: Vec::new(),
            });
        }
        clusters[index].items.push(item);
        clusters[index].addresses.extend(address);
    }
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.places.len()));
    clusters
}

/// Returns a header for each cluster: `stack → account/region, …`, or how many of all there are and where it differs.
pub(super) fn headers<T>(
    stack: &str,
    clusters: &[Cluster<'_, T>],
    all: &BTreeSet<Location>,
    style: &Style,
) -> Vec<String> {
    let most = if style.verbose { usize::MAX } else { PLACES };
    let stack = text::clean(stack);
    let indent = text::width(&stack) + 3;
    let room = style.columns().saturating_sub(indent).max(30);
    let rest = format!("\n{}", " ".repeat(indent));
    let whereabouts = whereabouts(clusters, all, most, " (-v names them)").into_iter();
    whereabouts
        .map(|whereabouts| {
            let lines = text::wrap(&whereabouts, room);
            format!("{} → {}", style.bold(&stack), lines.join(&rest))
        })
        .collect()
}

/// Says where each cluster is: at most so many places by name; `hint` stands behind the count of those that are not.
pub(super) fn whereabouts<T>(
    clusters: &[Cluster<'_, T>],
    all: &BTreeSet<Location>,
    most: usize,
    hint: &str,
) -> Vec<String> {
    let mut told: BTreeMap<&Address, BTreeSet<&Location>> = BTreeMap::new();
    for cluster in clusters {
        for address in &cluster.addresses {
            told.entry(address).or_default().extend(&cluster.places);
        }
    }
    let one = |cluster: &Cluster<'_, T>| {
        if cluster.places.len() <= most {
            return named(&cluster.places);
        }
        let elsewhere = cluster.addresses.iter().flat_map(|address| &told[address]);
        let elsewhere = elsewhere
            .copied()
            .filter(|place| !cluster.places.contains(place));
        counted(&cluster.places, all, &elsewhere.collect(), hint)
    };
    clusters.iter().map(one).collect()
}

fn named(places: &BTreeSet<&Location>) -> String {
    let names = places
        .iter()
        .map(|place| text::clean(&place.to_string()).into_owned());
    names.collect::<Vec<_>>().join(", ")
}

fn first(mut names: Vec<String>, hint: &str) -> String {
    let more = names.len().saturating_sub(PLACES);
    if more > 0 {
        names.truncate(PLACES);
        names.push(format!("and {more} more{hint}"));
    }
    names.join(", ")
}

/// Returns `97 of 100 accounts, in eu-west-1 and us-east-1; differs in …`.
fn counted(
    places: &BTreeSet<&Location>,
    all: &BTreeSet<Location>,
    elsewhere: &BTreeSet<&Location>,
    hint: &str,
) -> String {
    let accounts = |places: &mut dyn Iterator<Item = &Location>| {
        places
            .map(|place| place.account.clone())
            .collect::<BTreeSet<_>>()
            .len()
    };
    let regions: BTreeSet<&str> = places.iter().map(|place| place.region.as_str()).collect();
    let here = accounts(&mut places.iter().copied());
    let every = accounts(&mut all.iter()).max(here);
    let which = if here == every {
        format!("all {every} accounts")
    } else {
        format!("{here} of {every} accounts")
    };
    let regions = if regions.len() <= PLACES {
        listed(&regions)
    } else {
        format!("{} regions", regions.len())
    };
    let mut out = format!("{which}, in {regions}");
    if here * regions_of(places) != places.len() {
        out = format!("{} places: {out}", places.len());
    }
    if !elsewhere.is_empty() {
        out.push_str("; differs in: ");
        out.push_str(&exceptions(elsewhere, regions_of(places), hint));
    }
    out
}

/// Names accounts where they differ in all regions, and places otherwise.
fn exceptions(places: &BTreeSet<&Location>, regions: usize, hint: &str) -> String {
    let mut accounts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for place in places {
        let name = text::clean(&place.to_string()).into_owned();
        accounts.entry(&place.account).or_default().push(name);
    }
    let mut names: Vec<String> = Vec::new();
    for (account, places) in accounts {
        if places.len() == regions {
            names.push(text::clean(account).into_owned());
        } else {
            names.extend(places);
        }
    }
    first(names, hint)
}

/// Returns `a`, `a and b`, or `a, b and c`.
fn listed(names: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn regions_of(places: &BTreeSet<&Location>) -> usize {
    let regions = places.iter().map(|place| place.region.as_str());
    regions.collect::<BTreeSet<_>>().len()
}
