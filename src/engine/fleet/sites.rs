//! From Targets to places.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::organization::{self, Members};
use super::{FleetError, Site};
use crate::aws::Connection;
use crate::kinds;
use crate::load::{Declared, Loaded, Target};
use crate::model::spec::{Identity, aws_name};
use crate::model::{AnySpec, Location};

/// Returns the places of a Target, accounts in their order, each with its regions as they are listed.
pub(super) async fn of(
    connection: &Connection,
    target: &Target,
    remarks: &mut Vec<String>,
) -> Result<Vec<Site>, FleetError> {
    let spec = &target.spec;
    let home = &connection.aws.location;
    let mut members = Members::default();
    if let Some(organization) = &spec.organization {
        let found = organization::members(connection, organization).await;
        members = found.map_err(|(unit, source)| FleetError::Organization {
            target: target.name.clone(),
            unit,
            source,
        })?;
        remarks.extend(members.skipped.iter().map(|(account, state)| {
            format!(
                "Target `{}` skips account {account}: it is {state}",
                target.name
            )
        }));
    }
    for account in &spec.accounts {
        members.active.entry(account.clone()).or_default();
    }
    if spec.accounts.is_empty() && spec.organization.is_none() {
        members.active.entry(home.account.clone()).or_default();
    }
    let regions = match &spec.regions[..] {
        [] => std::slice::from_ref(&home.region),
        regions => regions,
    };
    let shared = Arc::new(target.clone());
    let mut sites = Vec::with_capacity(members.active.len() * regions.len());
    for (account, units) in &members.active {
        let stage = spec.stage_of(account, units);
        for region in regions {
            let location = Location {
                account: account.clone(),
                region: region.clone(),
            };
            sites.push(Site {
                location,
                target: Some(Arc::clone(&shared)),
                stage,
            });
        }
    }
    Ok(sites)
}

/// Refuses places that two Targets would both fill with an object, or reach in two ways.
pub(super) fn check(loaded: &Loaded, sites: &[Site]) -> Result<(), FleetError> {
    let mut by_target: BTreeMap<&str, BTreeSet<&Location>> = BTreeMap::new();
    let mut by_account: BTreeMap<&str, &Target> = BTreeMap::new();
    for site in sites {
        let Some(target) = &site.target else { continue };
        by_target
            .entry(&target.name)
            .or_default()
            .insert(&site.location);
        let first = by_account.entry(&site.location.account).or_insert(target);
        if first.spec.role != target.spec.role {
            return Err(FleetError::Roles {
                account: site.location.account.clone(),
                first: first.name.clone(),
                second: target.name.clone(),
            });
        }
    }
    let mut met = BTreeSet::new();
    for declared in &loaded.objects {
        let meant = loaded.targets_of(declared);
        for (index, first) in meant.iter().enumerate() {
            for second in &meant[index + 1..] {
                if !met.insert((&first.name, &second.name)) {
                    continue;
                }
                let (a, b) = (by_target.get(&*first.name), by_target.get(&*second.name));
                let both = a.zip(b).and_then(|(a, b)| a.intersection(b).next());
                if let Some(location) = both {
                    return Err(FleetError::Twice {
                        object: declared.address.to_string(),
                        location: (*location).clone(),
                        first: first.name.clone(),
                        second: second.name.clone(),
                    });
                }
            }
        }
    }
    Ok(())
}

/// Refuses two objects of one name in an account that has one of that name for all regions, which no Target shows.
pub(super) fn check_once(loaded: &Loaded, sites: &[Site]) -> Result<(), FleetError> {
    let mut accounts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for site in sites {
        if let Some(target) = &site.target {
            let of_target = accounts.entry(&target.name).or_default();
            of_target.insert(&site.location.account);
        }
    }
    let mut known: BTreeMap<(&str, &str, &str), &Declared> = BTreeMap::new();
    for declared in &loaded.objects {
        let kind = kinds::find(&declared.address.kind).filter(|kind| kind.per_account());
        let Some(kind) = kind.filter(|kind| kind.identity() != Identity::SharedName) else {
            continue;
        };
        let name = aws_name(&declared.spec).unwrap_or_default();
        if name.contains("${target.") {
            continue;
        }
        let meant: BTreeSet<&str> = loaded
            .targets_of(declared)
            .iter()
            .filter_map(|target| accounts.get(target.name.as_str()))
            .flatten()
            .copied()
            .collect();
        for account in meant {
            let first = known
                .entry((account, kind.namespace(), name))
                .or_insert(declared);
            if first.address != declared.address {
                return Err(FleetError::Same {
                    first: first.address.to_string(),
                    second: declared.address.to_string(),
                    account: account.to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Returns, for each account, where it keeps what AWS has once for an account: the first of the places that any such
/// object goes to; where there is none, the first of all.
pub(super) fn homes(loaded: &Loaded, sites: &[Site]) -> BTreeMap<String, Location> {
    let per_account = |kind: &str| kinds::find(kind).is_some_and(AnySpec::per_account);
    let meant: BTreeSet<&str> = loaded
        .objects
        .iter()
        .filter(|declared| per_account(&declared.address.kind))
        .flat_map(|declared| loaded.targets_of(declared))
        .map(|target| target.name.as_str())
        .collect();
    let wanted = |site: &&Site| {
        let target = site.target.as_ref();
        target.is_some_and(|target| meant.contains(target.name.as_str()))
    };
    let mut homes = BTreeMap::new();
    for site in sites.iter().filter(wanted).chain(sites) {
        let Location { account, .. } = &site.location;
        homes
            .entry(account.clone())
            .or_insert_with(|| site.location.clone());
    }
    homes
}
