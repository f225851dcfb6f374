//! The hub: there is one in an account and region, or none.

use std::collections::BTreeMap;

use serde_json::json;

use super::central::refuse_centrally_managed;
use super::organization::administrator;
use super::standards::Subscription;
use super::{Hub, Store, arn, catalogue, fault, hub, operation, own_hub, store, tags};
use crate::sandbox::{Access, Answer, Call, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("EnableSecurityHub", Access::Write, enable),
    operation("DescribeHub", Access::Read, describe),
    operation("UpdateSecurityHubConfiguration", Access::Write, update),
    operation("DisableSecurityHub", Access::Write, disable),
];

/// AWS deletes the settings of a hub that was disabled 90 days ago.
const KEPT_SECONDS: f64 = 90.0 * 24.0 * 3600.0;

fn enable(state: &mut State, call: &mut Call<'_>) -> Answer {
    let reads = state.settings.async_reads;
    let now = call.now_seconds();
    refuse_centrally_managed(state, call)?;
    let store = store(state, call);
    if store.hub.is_some() {
        return Err(fault::conflict(
            "Account is already subscribed to Security Hub",
        ));
    }
    let mut subscriptions = BTreeMap::new();
    if call.bool("EnableDefaultStandards").unwrap_or(true) {
        for standard in catalogue::standards().filter(|standard| standard.by_default) {
            let subscription = Subscription::new(reads, now);
            subscriptions.insert(standard.short().to_owned(), subscription);
        }
    }
    let generator = call.str("ControlFindingGenerator");
    let tags = tags::from_input(call.map("Tags"));
    make(store, call, generator, subscriptions, tags);
    Ok(Map::new())
}

/// Makes a hub, with what is kept of one that was here before.
pub(super) fn make(
    store: &mut Store,
    call: &Call<'_>,
    generator: Option<&str>,
    subscriptions: BTreeMap<String, Subscription>,
    tags: BTreeMap<String, String>,
) {
    let now = call.now_seconds();
    let kept = store
        .kept
        .take()
        .filter(|(_, since)| now - since < KEPT_SECONDS);
    if kept.is_none() {
        store.rules.retain(|_, _| false);
    }
    // SECURITY_CONTROL is the default of accounts of our days (service model).
    let generator = generator.unwrap_or("SECURITY_CONTROL");
    store.hub = Some(Hub {
        subscribed_at: format!("{:.3}", call.now),
        auto_enable_controls: true,
        finding_generator: generator.to_owned(),
        tags,
        subscriptions,
        parameters: kept.map(|(parameters, _)| parameters).unwrap_or_default(),
    });
}

/// Disables the hub, if there is one, and keeps what may be wanted again.
pub(super) fn put_away(store: &mut Store, now: f64) {
    if let Some(hub) = store.hub.take() {
        store.kept = Some((hub.parameters, now));
    }
}

/// Checks that a hub that is named is the caller's.
fn is_own(call: &Call<'_>) -> Result<(), crate::sandbox::Fault> {
    match call.str("HubArn") {
        Some(named) if named != arn(call, "hub/default") => {
            Err(fault::not_found(format!("{named} does not exist.")))
        }
        _ => Ok(()),
    }
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let hub = hub(state, call)?;
    is_own(call)?;
    let answer = json!({
        "HubArn": arn(call, "hub/default"),
        "SubscribedAt": hub.subscribed_at,
        "AutoEnableControls": hub.auto_enable_controls,
        "ControlFindingGenerator": hub.finding_generator,
    });
    Ok(answer.as_object().cloned().unwrap_or_default())
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let hub = own_hub(state, call)?;
    if let Some(auto) = call.bool("AutoEnableControls") {
        hub.auto_enable_controls = auto;
    }
    if let Some(generator) = call.str("ControlFindingGenerator") {
        generator.clone_into(&mut hub.finding_generator);
    }
    Ok(Map::new())
}

fn disable(state: &mut State, call: &mut Call<'_>) -> Answer {
    hub(state, call)?;
    if administrator(state, call.region) == Some(call.account) {
        // Seen word for word (terraform-provider-aws, `resourceAccountDelete`).
        let why = "Cannot disable Security Hub on the Security Hub administrator";
        return Err(fault::invalid(why));
    }
    refuse_centrally_managed(state, call)?;
    put_away(store(state, call), call.now_seconds());
    Ok(Map::new())
}
