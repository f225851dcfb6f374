//! Everything the simulated AWS remembers. Saved as JSON when the sandbox has a directory; what may hold many objects is
//! a [`Shelf`], so that a write saves what it touched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::organizations::Organization;
use super::{Shelf, cloudwatch, contacts, incidents, securityhub, ssm};

/// The whole simulated AWS.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Accounts by their twelve digits; an account comes into being when it is first called.
    pub accounts: Shelf<Account>,
    /// Callers' ARNs by the access key ids of their role sessions.
    pub sessions: BTreeMap<String, String>,
    /// How the simulation behaves; not part of what is saved.
    #[serde(skip)]
    pub settings: Settings,
    /// How often this state was opened, so that generated ids go on rather than begin again.
    pub openings: u64,
}

impl State {
    /// Returns the account, made on first use.
    pub fn account(&mut self, id: &str) -> &mut Account {
        self.accounts.entry(id.to_owned()).or_default()
    }

    /// Returns the account's Systems Manager in one region, made on first use.
    pub fn ssm(&mut self, account: &str, region: &str) -> &mut ssm::Store {
        self.account(account)
            .ssm
            .entry(region.to_owned())
            .or_default()
    }
}

/// One account's resources.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Systems Manager, by region.
    pub ssm: Shelf<ssm::Store>,
    /// Security Hub, by region.
    pub securityhub: BTreeMap<String, securityhub::Store>,
    /// What of Security Hub an account has once, seen from every region.
    pub securityhub_everywhere: securityhub::Everywhere,
    /// Incident Manager's contacts: replicated over the regions of the replication set.
    pub contacts: contacts::Store,
    /// Incident Manager: global to the account within the replication set.
    pub incidents: incidents::Store,
    /// CloudWatch dashboards: global to the account.
    pub cloudwatch: cloudwatch::Store,
}

/// How the simulation behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many reads still see an asynchronous state (CREATING, Updating…) before it settles.
    pub async_reads: u32,
    /// Refuses a first replication set, as AWS does for accounts that never had one since 2025-11-07.
    pub closed_to_new_customers: bool,
    /// Enforces documented resource quotas and request rates.
    pub quotas: bool,
    /// The accounts there are, their regions and roles; without it every account has everything.
    pub organization: Option<Organization>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            async_reads: 1,
            closed_to_new_customers: false,
            quotas: true,
            organization: None,
        }
    }
}
