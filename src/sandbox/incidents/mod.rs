//! Behaviour of `ssm-incidents`: Incident Manager, one store per account.
//!
//! Everything here is global to the account, but exists only in the Regions of its replication set:
//! a caller elsewhere sees an account that was never set up.

mod condition;
mod events;
mod fault;
mod findings;
mod idempotency;
mod incident;
mod page;
mod policy;
mod related_items;
mod replication_set;
mod response_plan;
mod runbook;
mod sharing;
mod start;
mod tags;
#[cfg(test)]
mod tests;
mod timeline;
mod trigger;

use serde::{Deserialize, Serialize};

use super::{Call, Fault, Operation, Shelf, State};
use idempotency::Remembered;
use incident::Incident;
use replication_set::{ReplicationSet, Status};
use response_plan::Plan;

/// The service's name, as botocore spells it.
const SERVICE: &str = "ssm-incidents";

/// What this service remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    /// The account's one replication set.
    set: Option<ReplicationSet>,
    /// Whether the account ever had a replication set.
    onboarded: bool,
    /// Response plans by name.
    plans: Shelf<Plan>,
    /// Incident records by ARN.
    incidents: Shelf<Incident>,
    /// Answers to calls that carried a client token.
    tokens: Shelf<Remembered>,
}

impl Store {
    /// Tells whether Incident Manager works in this Region: its replication set is there and no longer pending.
    pub fn active_in(&self, region: &str) -> bool {
        self.set.as_ref().is_some_and(|set| set.serves(region))
    }

    /// Tells whether data of this account is in this Region at all.
    fn reaches(&self, region: &str) -> bool {
        self.set
            .as_ref()
            .is_some_and(|set| set.regions.contains_key(region))
    }
}

/// Returns the account's store, after what time alone has settled.
fn store<'s>(state: &'s mut State, call: &Call<'_>) -> &'s mut Store {
    let store = &mut state.account(call.account).incidents;
    store.settle(call.now_seconds());
    store
}

/// Returns the account's store, or the fault of an account (or a Region) in which nothing can be done.
fn usable<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Store, Fault> {
    let now = call.now_seconds();
    let store = store(state, call);
    match &store.set {
        Some(set) if set.status == Status::Creating => Err(fault::pending(set, now)),
        Some(set) if set.serves(call.region) => Ok(store),
        // CreateResponsePlan lists ResourceNotFoundException; the replication set is all it can mean (service model).
        _ => Err(fault::not_found(
            fault::Kind::ReplicationSet,
            "",
            "No replication set was found for this account in this Region.",
        )),
    }
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[
    replication_set::OPERATIONS,
    response_plan::OPERATIONS,
    policy::OPERATIONS,
    start::OPERATIONS,
    incident::OPERATIONS,
    timeline::OPERATIONS,
    related_items::OPERATIONS,
    findings::OPERATIONS,
    tags::OPERATIONS,
];
