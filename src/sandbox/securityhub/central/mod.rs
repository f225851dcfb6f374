//! Central configuration: the policies of the account that administers Security Hub, and the accounts and units of its
//! organization that they are for.
//!
//! All of it belongs to that account and to its home region. What a policy says is done in an account and region at the
//! first call there after the association has succeeded, which nobody can tell from its being done before.

mod check;
mod follow;
pub(super) mod policies;
pub(super) mod targets;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::organization::administrator;
use super::{Everywhere, Pending, enabled, fault};
use crate::sandbox::{Call, Fault, Shelf, State};

pub(super) use follow::{follow, refuse_centrally_managed, wanted};
pub(super) use policies::tags_of;

/// What an association names instead of a policy where whoever it is for configures itself.
const SELF_MANAGED: &str = "SELF_MANAGED_SECURITY_HUB";

/// The central configuration of an account that administers Security Hub.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Central {
    /// There while it is on.
    on: Option<Pending>,
    /// Policies by their ids.
    policies: Shelf<policies::Policy>,
    /// Associations by the ids of accounts, units and the root.
    targets: Shelf<targets::Association>,
}

impl Central {
    pub(super) fn enable(&mut self, opening: Pending) {
        self.on = Some(opening);
    }

    /// [D] user guide, "Disabling central configuration": associations go first, and policies too.
    pub(super) fn disable(&mut self, now: f64) -> Result<(), Fault> {
        self.settle(now);
        let left = match (self.targets.len(), self.policies.len()) {
            (0, 0) => None,
            (0, _) => Some("configuration policies must be deleted"),
            _ => Some("accounts and units must be disassociated from their configuration"),
        };
        if let Some(left) = left {
            return Err(fault::conflict(format!(
                "Before central configuration can be disabled, {left}"
            )));
        }
        self.on = None;
        Ok(())
    }

    /// Takes away the associations that are gone by now.
    fn settle(&mut self, now: f64) {
        self.targets
            .retain(|_, association| !association.is_gone(now));
    }
}

/// Says whether central configuration is on, or about to be.
pub(super) fn is_on(everywhere: &Everywhere) -> bool {
    everywhere.central.on.is_some()
}

/// Returns the status of central configuration in the call's region, which is a read of it.
pub(super) fn status(everywhere: &mut Everywhere, call: &Call<'_>) -> Option<&'static str> {
    let here = everywhere.reaches(call.region);
    let on = everywhere.central.on.as_mut().filter(|_| here)?;
    let over = on.is_over(call.now_seconds());
    on.was_read();
    Some(if over { "ENABLED" } else { "PENDING" })
}

/// Says whether central configuration of an account is on and takes effect in a region.
pub(super) fn reaches(state: &State, account: &str, region: &str) -> bool {
    let account = state.accounts.get(account);
    account.is_some_and(|account| {
        let everywhere = &account.securityhub_everywhere;
        is_on(everywhere) && everywhere.reaches(region)
    })
}

/// Says whether an account associated the caller's with anything.
pub(super) fn configures(state: &State, admin: &str, call: &Call<'_>) -> bool {
    let Some(account) = state.accounts.get(admin) else {
        return false;
    };
    let central = &account.securityhub_everywhere.central;
    reaches(state, admin, call.region)
        && targets::of_account(state, central, call.account, call.now_seconds()).is_some()
}

/// Returns the caller's central configuration, or the fault of those who may not see it.
fn open<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Central, Fault> {
    enabled(state, call)?;
    let now = call.now_seconds();
    let admin = administrator(state, call.region) == Some(call.account);
    let everywhere = &mut state.account(call.account).securityhub_everywhere;
    let home = everywhere.home() == Some(call.region);
    let central = &mut everywhere.central;
    central.settle(now);
    if !admin || !central.on.as_ref().is_some_and(|on| on.is_over(now)) {
        // Seen word for word (terraform-provider-aws, `findConfigurationPolicy`).
        let why =
            "Must be a Security Hub delegated administrator with Central Configuration enabled";
        return Err(fault::denied(why));
    }
    if !home {
        return Err(fault::not_at_home());
    }
    Ok(central)
}
