//! Behaviour of `ssm-contacts`: who is called, through what, in which order and in whose turn.
//!
//! One file per subject, each with its operations. Time passes between calls: [`enter`] brings running engagements
//! up to the moment of the call before an operation looks at or changes anything (see `escalation`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};

use super::{Access, Answer, Call, Fault, Operation, Shelf, State};

mod arn;
mod calendar;
mod channel;
mod contact;
mod engagement;
mod escalation;
mod fault;
mod once;
mod overrides;
mod page;
mod paging;
mod plan;
mod policy;
mod recurrence;
mod rotation;
mod sharing;
pub mod shifts;
mod tags;
#[cfg(test)]
mod testing;
mod time;

/// What this service remembers of one account; replicated over the regions of the replication set.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    /// Contacts of all three types, by ARN.
    pub(crate) contacts: Shelf<contact::Contact>,
    /// The contacts that have a policy, and so may be shared with other accounts.
    pub(crate) shared: BTreeSet<String>,
    /// Contact channels, by ARN.
    pub(crate) channels: Shelf<channel::Channel>,
    /// Rotations with their overrides, by ARN.
    pub(crate) rotations: Shelf<rotation::Rotation>,
    /// Engagements, by ARN.
    pub(crate) engagements: Shelf<escalation::Engagement>,
    /// The engagements that still have stages to come.
    pub(crate) running: BTreeSet<String>,
    /// Pages, by ARN.
    pub(crate) pages: Shelf<page::Page>,
    /// Calls that carried an idempotency token, by operation and token.
    pub(crate) done: Shelf<once::Done>,
}

impl Store {
    /// Returns the code that was last sent to a channel to activate it.
    pub fn activation_code(&self, channel_arn: &str) -> Option<&str> {
        self.channels.get(channel_arn)?.code.as_deref()
    }

    /// Returns the code that a page asks its reader for.
    pub fn accept_code(&self, page_arn: &str) -> Option<&str> {
        Some(&self.pages.get(page_arn)?.code)
    }
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[
    contact::OPERATIONS,
    channel::OPERATIONS,
    policy::OPERATIONS,
    rotation::OPERATIONS,
    overrides::OPERATIONS,
    calendar::OPERATIONS,
    engagement::OPERATIONS,
    page::OPERATIONS,
    tags::OPERATIONS,
];

/// Describes an operation that only looks.
const fn read(name: &'static str, run: fn(&mut State, &mut Call<'_>) -> Answer) -> Operation {
    Operation {
        service: "ssm-contacts",
        name,
        access: Access::Read,
        run,
    }
}

/// Describes an operation that may change something.
const fn write(name: &'static str, run: fn(&mut State, &mut Call<'_>) -> Answer) -> Operation {
    Operation {
        service: "ssm-contacts",
        name,
        access: Access::Write,
        run,
    }
}

/// Opens the account's store for one call: the account must be onboarded in the region, and time has passed.
fn enter<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Store, Fault> {
    let account = state.account(call.account);
    account.incidents.settle(call.now_seconds());
    if !account.incidents.active_in(call.region) {
        return Err(fault::not_onboarded());
    }
    escalation::advance(&mut account.contacts, call.now);
    Ok(&mut account.contacts)
}

/// Engages a contact on behalf of an incident, and returns the engagement's ARN.
///
/// Returns nothing when the contact does not exist or belongs to another account than `account`: response plans may
/// name contacts that are gone, and such an engagement is left out without a word.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one member of what the incident sends"
)]
pub fn engage(
    store: &mut Store,
    account: &str,
    contact_arn: &str,
    incident_arn: Option<&str>,
    subject: &str,
    content: &str,
    sender: &str,
    now: Timestamp,
    rng: &mut SmallRng,
) -> Option<String> {
    let parts = arn::parse(contact_arn, &[arn::Kind::Contact]).ok()?;
    if parts.account != account || !store.contacts.contains_key(contact_arn) {
        return None;
    }
    escalation::advance(store, now);
    let uuid = uuid::Builder::from_random_bytes(rng.random())
        .into_uuid()
        .to_string();
    let message = escalation::Message {
        sender: sender.to_owned(),
        subject: subject.to_owned(),
        content: content.to_owned(),
        public_subject: None,
        public_content: None,
        incident: incident_arn.map(str::to_owned),
    };
    Some(escalation::start(store, contact_arn, &uuid, message, now))
}
