//! The organization of a simulated AWS, as a file describes it.
//!
//! ```yaml
//! id: o-bananastand
//! managementAccount: "111122223333"
//! securityHubAdministrator: "444455556666" # of Security Hub, in every region
//! root:
//!   id: r-ab12
//!   accounts:
//!     - { id: "111122223333", name: Management }
//!   units:
//!     - id: ou-ab12-11111111
//!       name: Production
//!       accounts:
//!         - id: "444455556666"
//!           enabledRegions: [eu-south-1] # besides those that nobody can switch off
//!           roles:
//!             - { name: stationbill, path: /ops/, externalId: banana }
//!         - { id: "777788889999", state: SUSPENDED }
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::sandbox::Error;

/// An organization: one root, units in it, accounts in both.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Organization {
    /// Its id, `o-…`.
    pub id: String,
    /// The account that owns it.
    pub management_account: String,
    /// Accounts that may look around in it too.
    #[serde(default)]
    pub delegated_administrators: BTreeSet<String>,
    /// The account that administers Security Hub in every region, until `EnableOrganizationAdminAccount` or
    /// `DisableOrganizationAdminAccount` of Security Hub say otherwise.
    #[serde(default)]
    pub security_hub_administrator: Option<String>,
    /// The root, `r-…`.
    pub root: Unit,
}

/// The root or an organizational unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Unit {
    /// Its id, `ou-…`.
    pub id: String,
    /// Its name; without one its id.
    #[serde(default)]
    pub name: Option<String>,
    /// The accounts directly in it.
    #[serde(default)]
    pub accounts: Vec<Member>,
    /// The units directly in it.
    #[serde(default)]
    pub units: Vec<Unit>,
}

/// An account of the organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Member {
    /// Twelve digits.
    pub id: String,
    /// Its name; without one its id.
    #[serde(default)]
    pub name: Option<String>,
    /// Its address; without one an address at example.com.
    #[serde(default)]
    pub email: Option<String>,
    /// `ACTIVE`, `SUSPENDED`, `PENDING_ACTIVATION`, `PENDING_CLOSURE` or `CLOSED`.
    #[serde(default = "active")]
    pub state: String,
    /// The regions that were switched on besides those that nobody can switch off.
    #[serde(default)]
    pub enabled_regions: BTreeSet<String>,
    /// The roles that can be assumed.
    #[serde(default)]
    pub roles: Vec<Role>,
}

/// A role that can be assumed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its path.
    #[serde(default = "slash")]
    pub path: String,
    /// Whom it trusts: accounts, or ARNs of users and roles. Without any the management account.
    #[serde(default)]
    pub trusts: BTreeSet<String>,
    /// What its trust policy asks for as `sts:ExternalId`.
    #[serde(default)]
    pub external_id: Option<String>,
    /// How long its sessions may last.
    #[serde(default = "hour")]
    pub max_session_seconds: i32,
}

fn active() -> String {
    "ACTIVE".to_owned()
}

fn slash() -> String {
    "/".to_owned()
}

fn hour() -> i32 {
    3600
}

const STATES: [&str; 5] = [
    "ACTIVE",
    "CLOSED",
    "PENDING_ACTIVATION",
    "PENDING_CLOSURE",
    "SUSPENDED",
];

/// The regions that every account has: <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>.
const ALWAYS_ENABLED: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Says whether every account has a region, and none can switch it off.
pub(in crate::sandbox) fn is_always_enabled(region: &str) -> bool {
    ALWAYS_ENABLED.contains(&region) || region.starts_with("cn-") || region.starts_with("us-gov-")
}

impl Organization {
    /// Reads a description from YAML or JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        let organization: Self = serde_yaml::from_str(text).map_err(|e| e.to_string())?;
        organization.check().map(|()| organization)
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::OrganizationFile {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|why| Error::Organization {
            path: path.to_owned(),
            why,
        })
    }

    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for (member, _) in self.members() {
            let digits = member.id.len() == 12 && member.id.bytes().all(|b| b.is_ascii_digit());
            if !digits {
                return Err(format!(
                    "`{}` is no account id: quote twelve digits",
                    member.id
                ));
            }
            if !seen.insert(&member.id) {
                return Err(format!("account {} is there twice", member.id));
            }
            if !STATES.contains(&member.state.as_str()) {
                return Err(format!(
                    "{} is no state: it is one of {}",
                    member.state,
                    STATES.join(", ")
                ));
            }
        }
        if !self.root.id.starts_with("r-") || !self.id.starts_with("o-") {
            return Err(
                "an organization's id begins with `o-`, and its root's with `r-`".to_owned(),
            );
        }
        if !seen.contains(&self.management_account) {
            return Err(format!(
                "the management account {} is nowhere in the tree",
                self.management_account
            ));
        }
        if let Some(account) = &self.security_hub_administrator
            && !seen.contains(account)
        {
            return Err(format!(
                "{account} administers Security Hub and is nowhere in the tree"
            ));
        }
        Ok(())
    }

    /// Returns every account, each with the ids of what is above it, the root first.
    pub(in crate::sandbox) fn members(&self) -> Vec<(&Member, Vec<&str>)> {
        let mut found = Vec::new();
        let mut open = vec![(&self.root, Vec::new())];
        while let Some((unit, mut above)) = open.pop() {
            above.push(unit.id.as_str());
            found.extend(unit.accounts.iter().map(|member| (member, above.clone())));
            open.extend(unit.units.iter().map(|unit| (unit, above.clone())));
        }
        found
    }

    /// Returns an account and what is above it.
    pub(in crate::sandbox) fn member(&self, id: &str) -> Option<(&Member, Vec<&str>)> {
        self.members()
            .into_iter()
            .find(|(member, _)| member.id == id)
    }

    /// Returns the root or a unit, and what is above it.
    pub(in crate::sandbox) fn unit(&self, id: &str) -> Option<(&Unit, Vec<&str>)> {
        let mut open = vec![(&self.root, Vec::new())];
        while let Some((unit, above)) = open.pop() {
            if unit.id == id {
                return Some((unit, above));
            }
            let mut below = above;
            below.push(unit.id.as_str());
            open.extend(unit.units.iter().map(|unit| (unit, below.clone())));
        }
        None
    }

    pub(super) fn arn(&self, kind: &str, rest: &[&str]) -> String {
        let mut parts = vec![kind, &self.id];
        parts.extend(rest);
        let management = &self.management_account;
        format!("arn:aws:organizations::{management}:{}", parts.join("/"))
    }

    /// Returns `o-…/r-…/ou-…/…/`.
    pub(super) fn path(&self, above: &[&str], account: Option<&str>) -> String {
        let mut parts = vec![self.id.as_str()];
        parts.extend(above);
        parts.extend(account);
        format!("{}/", parts.join("/"))
    }

    /// Says whether an account has a region. Those that are not in the organization have all.
    pub(in crate::sandbox) fn has_region(&self, account: &str, region: &str) -> bool {
        is_always_enabled(region)
            || self
                .member(account)
                .is_none_or(|(member, _)| member.enabled_regions.contains(region))
    }
}

impl Member {
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    pub(super) fn email(&self) -> String {
        let made = || format!("aws+{}@example.com", self.id);
        self.email.clone().unwrap_or_else(made)
    }
}

impl Unit {
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}
