//! Reads AWS: every kind that matters, at every place, all at once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, FuturesUnordered, StreamExt};
use serde_json::Value;

use super::scrub::Scrubber;
use super::{Event, Events, World};
use crate::aws::{Aws, AwsError, Class};
use crate::kinds::{AnyKind, Select};
use crate::model::address::must_be_enabled;
use crate::model::plan::{Desired, Found, Observed, Unreadable, Wish};
use crate::model::spec::aws_name;
use crate::model::{Live, Location};

/// How many accounts of one region are looked at together, each in all its kinds; each service bounds its own requests
/// besides. A region that is down so keeps no other one waiting.
const ACCOUNTS: usize = 16;

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

impl Breadth {
    /// Returns how much a plan must know: all that is ours where something may go.
    pub fn of(wish: &Wish) -> Self {
        if wish.prune || wish.destroy || !wish.gone.is_empty() {
            Self::Owned
        } else {
            Self::Declared
        }
    }
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
    let scrubber = teach(world, desired);
    let mut declared: BTreeMap<(&Location, &str), BTreeMap<String, Arc<Value>>> = BTreeMap::new();
    for object in &desired.objects {
        let named = declared
            .entry((&object.location, &object.address.kind))
            .or_default();
        let name = aws_name(&object.spec).unwrap_or_default();
        named.insert(name.to_owned(), Arc::clone(&object.spec));
    }
    let look = Look {
        desired,
        breadth,
        scrubber: &scrubber,
        events,
    };
    let mut regions: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (location, aws) in &world.places {
        let kinds = world.kinds.iter().copied();
        let jobs = kinds.filter_map(|kind| {
            let specs = declared.remove(&(location, kind.kind()));
            look.at(location, aws, kind, specs.unwrap_or_default())
        });
        let jobs: FuturesUnordered<_> = jobs.collect();
        let place = async move { (location, jobs.collect::<BTreeMap<_, _>>().await) };
        regions.entry(&location.region).or_default().push(place);
    }
    let regions = regions
        .into_values()
        .map(|places| stream::iter(places).buffer_unordered(ACCOUNTS));
    let mut places = stream::select_all(regions);
    let mut observed = Observed::default();
    while let Some((location, kinds)) = places.next().await {
        if !kinds.is_empty() {
            observed.0.insert(location.clone(), kinds);
        }
    }
    observed
}

/// Learns what must not be told, and what need not be read.
fn teach(world: &World, desired: &Desired) -> Scrubber {
    let mut seen = HashSet::new();
    let specs = desired.objects.iter().map(|object| &object.spec);
    // What is declared alike in many places is one value.
    let specs: Vec<&Arc<Value>> = specs
        .filter(|spec| seen.insert(Arc::as_ptr(spec)))
        .collect();
    // All places share one memory.
    if let Some(aws) = world.places.values().next() {
        aws.memory.learn(specs.iter().copied());
    }
    let mut scrubber = Scrubber::default();
    for spec in specs {
        scrubber.learn(spec);
    }
    scrubber
}

/// What is looked for everywhere.
#[derive(Clone, Copy)]
struct Look<'a> {
    desired: &'a Desired,
    breadth: Breadth,
    scrubber: &'a Scrubber,
    events: Events<'a>,
}

impl<'a> Look<'a> {
    /// Lists a kind at a place, where it matters; `specs` are the declared ones, by AWS's name.
    fn at(
        self,
        location: &'a Location,
        aws: &'a Aws,
        kind: &'static dyn AnyKind,
        specs: BTreeMap<String, Arc<Value>>,
    ) -> Option<impl Future<Output = (String, Found)>> {
        if !self.desired.looks_at(kind, location) {
            return None;
        }
        let select = match self.breadth {
            Breadth::Declared if specs.is_empty() => return None,
            Breadth::Declared | Breadth::Owned => Select::Wanted {
                stack: self.desired.stack.clone(),
                names: specs.keys().cloned().collect(),
                seen: aws
                    .owners
                    .as_ref()
                    .map(|owners| owners.of(location, kind.kind())),
            },
            Breadth::Everything => Select::Everything,
        };
        Some(async move {
            (self.events)(Event::Observing {
                location: location.clone(),
                kind: kind.kind(),
            });
            let found = kind.list(aws, &select).await.map_err(|error| {
                not_enabled(&error, location, self.desired)
                    .unwrap_or_else(|| unreadable(error, self.scrubber))
            });
            let found: Found = found.map(|found| {
                let beside = |live: Live<Value>| {
                    let declared = specs.get(&live.name);
                    live.held(declared)
                };
                found.into_iter().map(beside).collect()
            });
            let summary = found.as_ref().map(Vec::len).map_err(|why| match why {
                Unreadable::NotAvailable(why)
                | Unreadable::NotEnabled(why)
                | Unreadable::Failed(why) => why.clone(),
            });
            (self.events)(Event::Observed {
                location: location.clone(),
                kind: kind.kind(),
                found: summary,
            });
            (kind.kind().to_owned(), found)
        })
    }
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
    // The same trouble is told in the same words each time: plans are compared, and comments on pull requests replaced.
    if let Some(request) = error.request_id.take() {
        tracing::debug!(request, %error, "not read");
    }
    match error.class {
        Class::NotAvailable => Unreadable::NotAvailable(error.message),
        _ => Unreadable::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_in_the_same_words() {
        let told = |request: &str| {
            let error = AwsError {
                class: Class::Denied,
                code: Some("AccessDeniedException".to_owned()),
                message: "no".to_owned(),
                request_id: Some(request.to_owned()),
            };
            unreadable(error, &Scrubber::default())
        };
        assert_eq!(told("7f3c"), told("81aa"));
    }
}
