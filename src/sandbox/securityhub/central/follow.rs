//! What central configuration makes of the accounts that it is for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::organization::administrator;
use super::super::standards::{Association, Subscription};
use super::super::{Hub, Store, catalogue, fault, hub, parameters};
use super::{SELF_MANAGED, check, targets};
use crate::sandbox::{Call, Fault, Map, State};

/// What a policy wants of an account in a region.
#[derive(Debug)]
pub(in crate::sandbox::securityhub) struct Wanted {
    /// Names the policy and its state.
    pub(in crate::sandbox::securityhub) revision: String,
    /// Whether the association has succeeded.
    pub(in crate::sandbox::securityhub) is_settled: bool,
    /// Whether the account is the one that administers.
    is_administrator: bool,
    body: Map,
}

/// Returns what central configuration wants of the caller's account in the call's region; nothing where it configures
/// itself.
pub(in crate::sandbox::securityhub) fn wanted(state: &State, call: &Call<'_>) -> Option<Wanted> {
    state.settings.organization.as_ref()?;
    let now = call.now_seconds();
    let admin = administrator(state, call.region)?;
    if !super::reaches(state, admin, call.region) {
        return None;
    }
    let central = &state.accounts.get(admin)?.securityhub_everywhere.central;
    let association = targets::of_account(state, central, call.account, now)?;
    if association.policy == SELF_MANAGED {
        return None;
    }
    let policy = central.policies.get(&association.policy)?;
    Some(Wanted {
        revision: format!("{} {}", association.policy, policy.revision),
        is_settled: association.is_settled(now),
        is_administrator: admin == call.account,
        body: policy.body.clone(),
    })
}

/// Refuses to let an account configure itself that is configured centrally, be it the administrator's own.
pub(in crate::sandbox::securityhub) fn refuse_centrally_managed(
    state: &State,
    call: &Call<'_>,
) -> Result<(), Fault> {
    if wanted(state, call).is_none() {
        return Ok(());
    }
    // Seen word for word (terraform-provider-aws #39687).
    let why = "This account is currently associated with a central configuration policy, so only the administrator can \
               access this operation.";
    Err(fault::denied(why))
}

/// Does in an account and region what a policy says.
pub(in crate::sandbox::securityhub) fn follow(store: &mut Store, call: &Call<'_>, wanted: &Wanted) {
    let Wanted {
        revision,
        is_settled: _,
        is_administrator,
        body,
    } = wanted;
    let now = call.now_seconds();
    store.followed = Some(revision.clone());
    if body.get("ServiceEnabled") != Some(&Value::Bool(true)) {
        // The administrator's own cannot be disabled.
        if !is_administrator {
            hub::put_away(store, now);
        }
        return;
    }
    if store.hub.is_none() {
        hub::make(store, call, None, BTreeMap::new(), BTreeMap::new());
    }
    if let Some(hub) = &mut store.hub {
        standards(hub, body, call.region, now);
        controls(hub, body, now);
    }
}

fn list<'b>(map: &'b Map, member: &str) -> impl Iterator<Item = &'b Value> {
    map.get(member)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Subscribes to the standards of a policy, and to no others. They are named as in the home region.
fn standards(hub: &mut Hub, body: &Map, region: &str, now: f64) {
    let named = list(body, "EnabledStandardIdentifiers").filter_map(Value::as_str);
    let shorts: Vec<&str> = named
        .filter_map(|arn| {
            catalogue::standards().find(|one| arn == one.arn(region) || arn.ends_with(one.short()))
        })
        .map(catalogue::Standard::short)
        .collect();
    hub.subscriptions
        .retain(|short, _| shorts.contains(&short.as_str()));
    for short in shorts {
        let there = hub.subscriptions.entry(short.to_owned());
        there.or_insert_with(|| Subscription::new(0, now));
    }
}

/// Switches controls and sets their parameters.
fn controls(hub: &mut Hub, body: &Map, now: f64) {
    let Some(said) = body
        .get("SecurityControlsConfiguration")
        .and_then(Value::as_object)
    else {
        return;
    };
    let ids = |member: &str| {
        let named = list(said, member).filter_map(Value::as_str);
        let ids = named
            .filter_map(catalogue::control)
            .map(|control| control.id);
        said.contains_key(member).then(|| ids.collect::<Vec<_>>())
    };
    let enabled = ids("EnabledSecurityControlIdentifiers");
    let disabled = ids("DisabledSecurityControlIdentifiers").unwrap_or_default();
    for (short, subscription) in &mut hub.subscriptions {
        let Some(standard) = catalogue::named(short) else {
            continue;
        };
        for control in catalogue::controls().filter(|control| standard.has(control)) {
            let on = match &enabled {
                Some(enabled) => enabled.contains(&control.id),
                None => !disabled.contains(&control.id),
            };
            if on {
                subscription.controls.remove(control.id);
            } else {
                let off = Association {
                    on,
                    reason: None,
                    changed: now,
                };
                subscription.controls.insert(control.id.to_owned(), off);
            }
        }
    }
    let custom = list(said, "SecurityControlCustomParameters").filter_map(|custom| {
        let (id, values) = check::values(custom).ok()?;
        Some((id.to_owned(), parameters::Custom::settled(values, now)))
    });
    hub.parameters = custom.collect();
}
