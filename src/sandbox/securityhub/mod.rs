//! Behaviour of `securityhub`: Security Hub CSPM in one account and region.
//!
//! What AWS owns (its standards and their controls) is in a table and never stored; the state has only what somebody
//! changed.

mod aggregator;
mod associations;
mod catalogue;
mod central;
mod controls;
mod fault;
mod hub;
mod organization;
mod page;
mod parameters;
mod rules;
mod standards;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::sandbox::call::partition;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Access, Answer, Call, Fault, Operation, Shelf, State};

/// What this service remembers in one account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    hub: Option<Hub>,
    /// The parameters of a hub that was disabled, and when: AWS deletes them after 90 days, and a hub that is enabled
    /// before that has them again (API reference, `DisableSecurityHub`).
    kept: Option<(BTreeMap<String, parameters::Custom>, f64)>,
    /// Automation rules by ARN. Out of sight while there is no hub, and deleted like the rest of its settings.
    rules: Shelf<rules::Rule>,
    /// Of a management account: whom it chose to administer Security Hub for the organization, by feature.
    administrators: BTreeMap<String, organization::Appointment>,
    /// Of an account that administers Security Hub.
    joining: organization::Joining,
    /// What central configuration did here last.
    followed: Option<String>,
}

/// What this service remembers of an account once, over all its regions.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Everywhere {
    aggregator: Option<aggregator::Aggregator>,
    central: central::Central,
}

impl Everywhere {
    /// Returns the home region: that of the finding aggregator.
    fn home(&self) -> Option<&str> {
        Some(self.aggregator.as_ref()?.home())
    }

    /// Says whether a region is the home, or linked to it.
    fn reaches(&self, region: &str) -> bool {
        let there = self.aggregator.as_ref();
        there.is_some_and(|there| there.reaches(region))
    }
}

/// What AWS takes a while for: it is over once it was read as often as the settings say, or after a time in which nobody
/// looked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pending {
    /// How many reads still see it.
    reads: u32,
    since: f64,
}

impl Pending {
    /// How long it takes when nobody looks. AWS says "up to 24 hours" of associations; most take minutes.
    const SECONDS: f64 = 180.0;

    /// Begins at the moment of a call.
    fn new(state: &State, call: &Call<'_>) -> Self {
        Self {
            reads: state.settings.async_reads,
            since: call.now_seconds(),
        }
    }

    fn is_over(&self, now: f64) -> bool {
        self.reads == 0 || now - self.since >= Self::SECONDS
    }

    fn was_read(&mut self) {
        self.reads = self.reads.saturating_sub(1);
    }
}

/// The hub.
#[derive(Debug, Serialize, Deserialize)]
struct Hub {
    subscribed_at: String,
    auto_enable_controls: bool,
    finding_generator: String,
    tags: BTreeMap<String, String>,
    /// Subscriptions by the short name of the standard.
    subscriptions: BTreeMap<String, standards::Subscription>,
    /// Parameters that somebody gave a value, by control.
    parameters: BTreeMap<String, parameters::Custom>,
}

/// Returns the account's store in the call's region, after what time alone has settled.
fn store<'s>(state: &'s mut State, call: &Call<'_>) -> &'s mut Store {
    let central = central::wanted(state, call).filter(|wanted| wanted.is_settled);
    let region = call.region.to_owned();
    let store = state.account(call.account).securityhub.entry(region);
    let store = store.or_default();
    match central {
        // Whoever is let go keeps what it has.
        None => store.followed = None,
        Some(wanted) if store.followed.as_ref() == Some(&wanted.revision) => {}
        Some(wanted) => central::follow(store, call, &wanted),
    }
    if let Some(hub) = &mut store.hub {
        let now = call.now_seconds();
        hub.subscriptions
            .retain(|_, subscription| subscription.settle(now));
        hub.parameters
            .values_mut()
            .for_each(|custom| custom.settle(now));
        hub.parameters.retain(|_, custom| custom.is_worth_keeping());
    }
    store
}

/// Returns the hub, or the fault of an account that has none.
fn hub<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Hub, Fault> {
    let hub = store(state, call).hub.as_mut();
    hub.ok_or_else(|| fault::not_subscribed(call))
}

/// Returns the hub of an account that configures itself, or the fault of one that has none or does not.
fn own_hub<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Hub, Fault> {
    hub(state, call)?;
    central::refuse_centrally_managed(state, call)?;
    hub(state, call)
}

/// Returns the store of an account that has a hub, or the fault of one that has none.
fn enabled<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Store, Fault> {
    let store = store(state, call);
    if store.hub.is_some() {
        Ok(store)
    } else {
        Err(fault::not_subscribed(call))
    }
}

/// Says whether an account administers Security Hub for the organization, in any region.
pub(super) fn administers(state: &State, account: &str) -> bool {
    organization::administers(state, account)
}

/// Returns the ARN of something of the caller's.
fn arn(call: &Call<'_>, resource: &str) -> String {
    let (region, account) = (call.region, call.account);
    format!(
        "arn:{}:securityhub:{region}:{account}:{resource}",
        partition(region)
    )
}

/// An operation of this service.
const fn operation(
    name: &'static str,
    access: Access,
    run: fn(&mut State, &mut Call<'_>) -> Answer,
) -> Operation {
    Operation {
        service: "securityhub",
        name,
        access,
        run,
    }
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[
    hub::OPERATIONS,
    standards::OPERATIONS,
    controls::OPERATIONS,
    associations::OPERATIONS,
    parameters::OPERATIONS,
    rules::OPERATIONS,
    tags::OPERATIONS,
    aggregator::OPERATIONS,
    organization::OPERATIONS,
    central::policies::OPERATIONS,
    central::targets::OPERATIONS,
];
