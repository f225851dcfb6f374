//! The places of a run: every account and region of its Targets, how far each can be reached, and what goes where.
//!
//! Places are found once in a run. One that cannot be reached stays in the run, with the reason, so that the plan
//! says `unknown` there and goes on elsewhere.

mod fence;
mod organization;
mod reach;
mod rollout;
mod select;
mod sites;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, stream};

use super::desired::{object, shared};
use super::secrets::Sources;
use super::{Breadth, Events, Patience, World, observe};
use crate::aws::{Aws, AwsError, Connection};
use crate::kinds::{AnyKind, KINDS};
use crate::load::{Declared, Loaded, Target, TargetSpec};
use crate::model::address::must_be_enabled;
use crate::model::plan::{Desired, Observed, Unreadable};
use crate::model::substitute::Variables;
use crate::model::{AnySpec, Location};

pub use fence::{Fence, like};
pub use rollout::Rollout;
pub use select::{Selection, targets};

/// How many objects are made at once; some read a parameter first.
const OBJECTS: usize = 32;

/// The places of a run.
pub struct Fleet {
    /// Every place of every Target, in the order of the Targets, accounts and regions.
    pub(super) sites: Vec<Site>,
    /// How far each place can be reached.
    reach: BTreeMap<Location, Result<Aws, Unreadable>>,
    /// Where each account keeps what AWS has once for an account.
    homes: BTreeMap<String, Location>,
    /// Places of the same accounts that were not asked for.
    left_out: BTreeSet<Location>,
    /// The region of the lease, where the documents fix one.
    lease: Option<String>,
    /// What a person should know, for instance which accounts were skipped.
    pub remarks: Vec<String>,
}

/// One place of one Target.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) location: Location,
    /// The Target, unless there is none in the whole run.
    pub(super) target: Option<Arc<Target>>,
    /// The number of the stage that its account is in.
    pub(super) stage: usize,
}

/// Why the places of a run are not known.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Something is asked for that is not there.
    #[error("{what}\nhint: {hint}")]
    Selection {
        /// What.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The accounts of a unit cannot be listed.
    #[error(
        "the accounts of `{unit}`, which Target `{target}` is about, cannot be listed: {source}\n\
         hint: the credentials need organizations:ListAccountsForParent and \
         organizations:ListOrganizationalUnitsForParent, in the management account or as a delegated administrator"
    )]
    Organization {
        /// The Target.
        target: String,
        /// The unit.
        unit: String,
        /// What AWS said.
        #[source]
        source: AwsError,
    },
    /// Two Targets put an object into one place.
    #[error(
        "Targets `{first}` and `{second}` both put {object} into {location}\n\
         hint: name one of them in `spec.targets` of the object, or take the place out of one of them"
    )]
    Twice {
        /// The object.
        object: String,
        /// The place.
        location: Location,
        /// A Target.
        first: String,
        /// The other.
        second: String,
    },
    /// Two objects are one in an account.
    #[error(
        "{first} and {second} would be the same in account {account}, which has it once and not in each region\n\
         hint: give one of them another `name`, or take the account out of one of their Targets"
    )]
    Same {
        /// An object.
        first: String,
        /// The other.
        second: String,
        /// The account.
        account: String,
    },
    /// The documents lead where they may not.
    #[error("{what}\nhint: {hint}")]
    Fenced {
        /// Where.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Two Targets reach one account by different roles.
    #[error(
        "Targets `{first}` and `{second}` reach account {account} by different roles\n\
         hint: give them the same `role`, or take the account out of one of them"
    )]
    Roles {
        /// The account.
        account: String,
        /// A Target.
        first: String,
        /// The other.
        second: String,
    },
}

impl Fleet {
    /// Finds the places of a run and how far each can be reached.
    ///
    /// # Errors
    /// When the places themselves are not known, or are not what is asked for.
    pub async fn find(
        connection: &Connection,
        loaded: &Loaded,
        selection: &Selection,
    ) -> Result<Self, FleetError> {
        Self::find_within(connection, loaded, selection, None).await
    }

    /// The same for documents that may not lead everywhere. Nothing is asked of a place, and no role assumed, before
    /// all places are known to lie within the fence.
    ///
    /// # Errors
    /// When the places themselves are not known, are not what is asked for, or lie outside.
    pub async fn find_within(
        connection: &Connection,
        loaded: &Loaded,
        selection: &Selection,
        fence: Option<&Fence>,
    ) -> Result<Self, FleetError> {
        if loaded.targets.is_empty() {
            let fleet = Self::at_hand(connection, selection)?;
            fence::check(fence, connection, &fleet.sites)?;
            return Ok(fleet);
        }
        let targets = select::targets(loaded, selection)?;
        let mut remarks = Vec::new();
        let mut sites = Vec::new();
        for target in targets {
            sites.extend(sites::of(connection, target, &mut remarks).await?);
        }
        fence::check(fence, connection, &sites)?;
        sites::check(loaded, &sites)?;
        sites::check_once(loaded, &sites)?;
        let homes = sites::homes(loaded, &sites);
        let all: BTreeSet<Location> = sites.iter().map(|site| site.location.clone()).collect();
        select::narrow(&mut sites, selection)?;
        let asked: BTreeSet<&Location> = sites.iter().map(|site| &site.location).collect();
        let accounts: BTreeSet<&str> = asked.iter().map(|place| place.account.as_str()).collect();
        let left_out = all
            .iter()
            .filter(|place| !asked.contains(place) && accounts.contains(place.account.as_str()));
        let left_out = left_out.cloned().collect();
        let reach = reach::reach(connection, &sites).await;
        Ok(Self {
            sites,
            reach,
            homes,
            left_out,
            lease: lease_region(loaded),
            remarks,
        })
    }

    /// The account of the credentials at hand and the configured region.
    fn at_hand(connection: &Connection, selection: &Selection) -> Result<Self, FleetError> {
        let location = connection.aws.location.clone();
        let mut sites = vec![Site {
            location: location.clone(),
            target: None,
            stage: 0,
        }];
        select::none(selection)?;
        select::narrow(&mut sites, selection)?;
        Ok(Self {
            sites,
            reach: BTreeMap::from([(location, Ok(connection.aws.clone()))]),
            homes: BTreeMap::new(),
            left_out: BTreeSet::new(),
            lease: None,
            remarks: Vec::new(),
        })
    }

    /// Returns the places that can be reached, with their clients.
    pub fn world(&self, patience: Patience) -> World {
        let reached = self.reach.iter().filter_map(|(location, reached)| {
            let aws = reached.as_ref().ok()?;
            Some((location.clone(), aws.clone()))
        });
        World {
            places: reached.collect(),
            kinds: KINDS,
            patience,
        }
    }

    /// Says what the documents declare at every place of the run.
    pub async fn desired(&self, stack: &str, loaded: &Loaded, sources: &Sources) -> Desired {
        let jobs = loaded.objects.iter().flat_map(|declared| {
            let kind = KINDS
                .iter()
                .copied()
                .find(|kind| kind.kind() == declared.address.kind);
            let places = self.places_of(loaded, declared, kind).into_iter();
            places.map(move |variables| async move {
                let aws = self.reach.get(&variables.location);
                let aws = aws.and_then(|reached| reached.as_ref().ok());
                object(declared, &variables, kind, sources, aws).await
            })
        });
        let objects = stream::iter(jobs.collect::<Vec<_>>()).buffered(OBJECTS);
        Desired {
            stack: stack.to_owned(),
            objects: shared(objects).await,
            homes: self.homes.clone(),
            left_out: self.left_out.clone(),
            kinds: None,
        }
    }

    /// Returns the places of an object, and what variables stand for there.
    fn places_of(
        &self,
        loaded: &Loaded,
        declared: &Declared,
        kind: Option<&dyn AnyKind>,
    ) -> Vec<Variables> {
        let meant: BTreeSet<&str> = loaded
            .targets_of(declared)
            .into_iter()
            .map(|target| target.name.as_str())
            .collect();
        let sites = self.sites.iter().filter(|site| match &site.target {
            Some(target) => meant.contains(target.name.as_str()),
            None => true,
        });
        if !kind.is_some_and(AnySpec::per_account) || self.homes.is_empty() {
            return sites.map(|site| site.variables(&site.location)).collect();
        }
        let mut places = BTreeMap::new();
        for site in sites {
            let home = self.homes.get(&site.location.account);
            if let Some(home) = home.filter(|home| self.reach.contains_key(home)) {
                places.entry(home).or_insert_with(|| site.variables(home));
            }
        }
        places.into_values().collect()
    }

    /// Lists what the documents are about, and what the stack owns; at places that cannot be reached everything that
    /// would be looked at is unknown.
    pub async fn observe(
        &self,
        world: &World,
        desired: &Desired,
        breadth: Breadth,
        events: Events<'_>,
    ) -> Observed {
        let mut observed = observe(world, desired, breadth, events).await;
        let declared: BTreeSet<(&Location, &str)> = desired
            .objects
            .iter()
            .map(|object| (&object.location, object.address.kind.as_str()))
            .collect();
        for (location, reached) in &self.reach {
            let Err(why) = reached else { continue };
            for kind in world.kinds {
                let wanted =
                    breadth != Breadth::Declared || declared.contains(&(location, kind.kind()));
                if wanted && desired.looks_at(*kind, location) {
                    let kinds = observed.0.entry(location.clone()).or_default();
                    kinds.insert(kind.kind().to_owned(), Err(why.clone()));
                }
            }
        }
        observed
    }

    /// Returns the region that keeps the stack's lease, in the account of the credentials: where Targets name regions
    /// it does not depend on whose machine is configured how.
    pub fn lease_region<'r>(&'r self, connection: &'r Connection) -> &'r str {
        let configured = &connection.aws.location.region;
        self.lease.as_ref().unwrap_or(configured)
    }

    /// Returns every place, reached or not.
    pub fn places(&self) -> BTreeSet<Location> {
        self.reach.keys().cloned().collect()
    }
}

/// The first region of all Targets, whichever of them a run is about; if possible one that every account has.
fn lease_region(loaded: &Loaded) -> Option<String> {
    let regions = loaded
        .targets
        .iter()
        .flat_map(|target| &target.spec.regions);
    let first = regions.min_by_key(|region| (must_be_enabled(region), *region));
    first.cloned()
}

impl Site {
    fn variables(&self, at: &Location) -> Variables {
        let Location { account, region } = at;
        let vars = |spec: &TargetSpec| spec.variables_at(account, region);
        Variables {
            location: at.clone(),
            target: self
                .target
                .as_ref()
                .map_or_else(|| at.to_string(), |target| target.name.clone()),
            vars: self
                .target
                .as_ref()
                .map(|target| vars(&target.spec))
                .unwrap_or_default(),
        }
    }
}
