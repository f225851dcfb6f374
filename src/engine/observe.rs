//! Reads AWS: every kind that matters, at every place, all at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use serde_json::Value;

use super::scrub::Scrubber;
use super::{Event, Events, World};
use crate::aws::{AwsError, Class};
use crate::kinds::Select;
use crate::model::address::must_be_enabled;
use crate::model::plan::{Desired, Found, Observed, Unreadable};
use crate::model::spec::aws_name;
use crate::model::{Live, Location};

/// How many kinds and places are listed at once; each service bounds its own requests besides.
const LISTS: usize = 32;

/// Which kinds are looked at, and how much of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    /// The kinds that documents declare: what they name, and what the stack owns.
    Declared,
    /// Every kind: what documents name, and what the stack owns. Needed to delete what no document declares.
    Owned,
    /// Every kind, and everything in it.
    Everything,
}

/// Lists what the documents are about, and what the stack owns.
///
/// A failure is kept where it happened: the plan says `unknown` there, and goes on elsewhere.
pub async fn observe(
    world: &World,
    desired: &Desired,
    breadth: Breadth,
    events: Events<'_>,
) -> Observed {
    let mut scrubber = Scrubber::default();
    let mut declared: BTreeMap<(&Location, &str), BTreeMap<String, Arc<Value>>> = BTreeMap::new();
    for object in &desired.objects {
        scrubber.learn(&object.spec);
        let named = declared
            .entry((&object.location, &object.address.kind))
            .or_default();
        let name = aws_name(&object.spec).unwrap_or_default();
        named.insert(name.to_owned(), Arc::clone(&object.spec));
    }
    let scrubber = &scrubber;
    let jobs = world
        .places
        .iter()
        .flat_map(|(location, aws)| world.kinds.iter().map(move |kind| (location, aws, *kind)));
    let jobs = jobs.filter_map(|(location, aws, kind)| {
        if !desired.looks_at(kind, location) {
            return None;
        }
        let specs = declared
            .remove(&(location, kind.kind()))
            .unwrap_or_default();
        let select = match breadth {
            Breadth::Declared if specs.is_empty() => return None,
            Breadth::Declared | Breadth::Owned => Select::Wanted {
                stack: desired.stack.clone(),
                names: specs.keys().cloned().collect(),
            },
            Breadth::Everything => Select::Everything,
        };
        Some(async move {
            events(Event::Observing {
                location: location.clone(),
                kind: kind.kind(),
            });
            let found = kind.list(aws, &select).await.map_err(|error| {
                not_enabled(&error, location, desired)
                    .unwrap_or_else(|| unreadable(error, scrubber))
            });
            let found: Found = found.map(|found| {
                let held = |live: Live<Value>| {
                    let declared = specs.get(&live.name);
                    live.held(declared)
                };
                found.into_iter().map(held).collect()
            });
            let summary = found.as_ref().map(Vec::len).map_err(|why| match why {
                Unreadable::NotAvailable(why)
                | Unreadable::NotEnabled(why)
                | Unreadable::Failed(why) => why.clone(),
            });
            events(Event::Observed {
                location: location.clone(),
                kind: kind.kind(),
                found: summary,
            });
            (location.clone(), kind.kind().to_owned(), found)
        })
    });
    let mut observed = Observed::default();
    let mut results = stream::iter(jobs.collect::<Vec<_>>()).buffer_unordered(LISTS);
    while let Some((location, kind, found)) = results.next().await {
        observed.0.entry(location).or_default().insert(kind, found);
    }
    observed
}

/// Credentials that work elsewhere are not known in a region that their account has not enabled.
/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>
fn not_enabled(error: &AwsError, location: &Location, desired: &Desired) -> Option<Unreadable> {
    let code = error.code.as_deref().unwrap_or_default();
    let unknown = ["UnrecognizedClientException", "InvalidClientTokenId"].contains(&code);
    let proven = desired.homes.contains_key(&location.account);
    (unknown && proven && must_be_enabled(&location.region))
        .then(|| Unreadable::NotEnabled("the region is not enabled in this account".to_owned()))
}

fn unreadable(mut error: AwsError, scrubber: &Scrubber) -> Unreadable {
    error.message = scrubber.scrub(&error.message);
    match error.class {
        Class::NotAvailable => Unreadable::NotAvailable(error.message),
        _ => Unreadable::Failed(error.to_string()),
    }
}
