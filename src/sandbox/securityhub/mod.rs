//! Behaviour of `securityhub`: Security Hub CSPM in one account and region.
//!
//! What AWS owns (its standards and their controls) is in a table and never stored; the state has only what somebody
//! changed.

mod associations;
mod catalogue;
mod controls;
mod fault;
mod hub;
mod page;
mod parameters;
mod rules;
mod standards;
mod tags;
#[cfg(test)]
mod tests;

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
    let region = call.region.to_owned();
    let store = state.account(call.account).securityhub.entry(region);
    let store = store.or_default();
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

/// Returns the store of an account that has a hub, or the fault of one that has none.
fn enabled<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Store, Fault> {
    let store = store(state, call);
    if store.hub.is_some() {
        Ok(store)
    } else {
        Err(fault::not_subscribed(call))
    }
}

/// Returns the ARN of something of the caller's.
fn arn(call: &Call<'_>, resource: &str) -> String {
    let (region, account) = (call.region, call.account);
    format!(
        "arn:{}:securityhub:{region}:{account}:{resource}",
        partition(region)
    )
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
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
];
