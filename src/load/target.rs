//! The `Target` document: in which accounts and regions objects shall be, and how to get there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Place, Report, Spec};

/// Accounts and regions that objects go to, and the role that leads there.
///
/// **What it manages:** nothing in AWS. Objects of the stack go to every account and region of the Targets that
/// `spec.targets` names, otherwise to those that the Stack names, otherwise to all Targets of the folder.
///
/// Credentials at hand are used as they are where there is no `role`, which leads to their own account alone. With a
/// `role`, it is assumed in every account. A place that cannot be reached is *unknown*; a region that is not enabled
/// in an account is *not available*, which is no error. Everything else goes on.
///
/// What AWS keeps once for an account and not for each region, such as all of Incident Manager, is kept by its first
/// region here. An account or region that is taken out of a Target is not looked at any more, and what is there stays:
/// `destroy` it first, selected by `--account` and `--region`.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Target
/// metadata: { name: production }
/// spec:
///   organization:
///     units: [ou-ab12-34567890]
///     exclude: { accounts: ["999988887777"] }
///   regions: [eu-west-1, us-east-1]
///   role: { name: stationbill, externalId: banana }
///   variables: { tier: gold }
///   overrides:
///     - accounts: ["444455556666"]
///       variables: { tier: silver }
///   stages:
///     - { name: canary, accounts: ["444455556666"] }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSpec {
    /// The accounts, by their ids. Default: those of `organization`; without that, the account of the credentials at
    /// hand.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: BTreeSet<String>,
    /// The accounts of units of the organization, besides those of `accounts`. The credentials at hand must belong to
    /// the management account or to a delegated administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// The regions. What there is once for an account is kept by the first of them. Default: the configured region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$")))]
    pub regions: Vec<String>,
    /// The role to assume in each account. Default: none, the credentials at hand are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What `${target.vars.NAME}` stands for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Other variables for some accounts and regions; a later entry wins over an earlier one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// In how many accounts changes are made at once. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub concurrency: Option<u32>,
    /// In how many accounts changes may fail before those are left alone in which nothing has begun. Default: in any
    /// number within a stage, in none before the next stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_tolerance: Option<u32>,
    /// Which accounts come first, and next; those that no stage names come last. A stage begins when the one before
    /// it is as declared: read once more, with nothing left to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
}

/// Accounts of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    /// Organizational units, by their ids, with everything in them; a root stands for the whole organization.
    /// Accounts that are not active are skipped, and named.
    #[schemars(
        length(min = 1),
        inner(regex(pattern = r"^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$"))
    )]
    pub units: BTreeSet<String>,
    /// What is left out.
    #[serde(default, skip_serializing_if = "Exclude::is_empty")]
    pub exclude: Exclude,
}

/// What is left out of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exclude {
    /// Accounts, by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: BTreeSet<String>,
    /// Units, by their ids, with everything in them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$")))]
    pub units: BTreeSet<String>,
}

impl Exclude {
    fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.units.is_empty()
    }
}

/// The role to assume in each account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// The role's name, the same in every account.
    #[schemars(regex(pattern = r"^[A-Za-z0-9+=,.@_-]{1,64}$"))]
    pub name: String,
    /// The role's path.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    #[schemars(length(max = 512), regex(pattern = r"^/([!-.0-~]+/)*$"))]
    pub path: String,
    /// What the role's trust policy asks for as `sts:ExternalId`. It is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 2, max = 1224),
        regex(pattern = r"^[A-Za-z0-9+=,.@:/_-]+$")
    )]
    pub external_id: Option<String>,
    /// The session's name, for the accounts' logs. Default: `stationbill`.
    #[serde(default = "stationbill", skip_serializing_if = "is_stationbill")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9+=,.@_-]{2,64}$"))]
    pub session_name: String,
    /// How long a session lasts before it is renewed. Default: an hour, which is also the most that a role may last
    /// which is assumed through another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 900, max = 43200))]
    pub duration_seconds: Option<u32>,
    /// The ARN of a role to assume first, from which the one in each account is assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/[!-~]+$"))]
    pub via: Option<String>,
}

fn root() -> String {
    "/".to_owned()
}

fn is_root(path: &str) -> bool {
    path == "/"
}

fn stationbill() -> String {
    "stationbill".to_owned()
}

fn is_stationbill(name: &str) -> bool {
    name == "stationbill"
}

/// Variables of some accounts and regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    /// In these accounts alone. Default: in all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: BTreeSet<String>,
    /// In these regions alone. Default: in all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
    /// What `${target.vars.NAME}` stands for there.
    pub variables: BTreeMap<String, String>,
}

/// Some accounts of a Target that come before others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// What to call it.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Accounts, by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: BTreeSet<String>,
    /// The accounts of these units.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$")))]
    pub units: BTreeSet<String>,
}

impl Spec for TargetSpec {
    const KIND: &'static str = "Target";

    fn validate(&self, report: &mut Report) {
        let mut seen = BTreeSet::new();
        for (index, region) in self.regions.iter().enumerate() {
            if !seen.insert(region) {
                let message = format!("`{region}` is listed twice");
                let hint = "list each region once";
                report.error("bad-regions", format!("/regions/{index}"), message, hint);
            }
        }
        for (index, other) in self.overrides.iter().enumerate() {
            self.reached(&other.accounts, &format!("/overrides/{index}"), report);
            for region in &other.regions {
                if !self.regions.is_empty() && !self.regions.contains(region) {
                    let message = format!("`{region}` is no region of this Target");
                    let hint = "add it to `regions`, or take it out here";
                    report.error(
                        "outside-target",
                        format!("/overrides/{index}/regions"),
                        message,
                        hint,
                    );
                }
            }
        }
        let mut staged = BTreeSet::new();
        for (index, stage) in self.stages.iter().enumerate() {
            let at = format!("/stages/{index}");
            if stage.accounts.is_empty() && stage.units.is_empty() {
                let message = format!("stage `{}` is empty", stage.name);
                report.error(
                    "bad-stage",
                    at.clone(),
                    message,
                    "name `accounts` or `units`; the rest comes last by itself",
                );
            }
            for account in &stage.accounts {
                if !staged.insert(account) {
                    let message = format!("{account} is in two stages");
                    report.error(
                        "bad-stage",
                        format!("{at}/accounts"),
                        message,
                        "name it in one of them",
                    );
                }
            }
            self.reached(&stage.accounts, &at, report);
        }
        if let Some(Role {
            duration_seconds: Some(seconds),
            via: Some(_),
            ..
        }) = &self.role
            && *seconds > 3600
        {
            let message = "a role that is assumed through another lasts an hour at most";
            report.error(
                "bad-duration",
                "/role/durationSeconds",
                message,
                "write 3600 or less, or leave it out",
            );
        }
    }
}

impl TargetSpec {
    /// Reports accounts that the target does not reach, where its accounts are known.
    fn reached(&self, accounts: &BTreeSet<String>, at: &str, report: &mut Report) {
        if self.organization.is_some() || self.accounts.is_empty() {
            return;
        }
        for account in accounts.difference(&self.accounts) {
            let message = format!("{account} is no account of this Target");
            let hint = "add it to `accounts`, or take it out here";
            report.error("outside-target", format!("{at}/accounts"), message, hint);
        }
    }

    /// Returns what `${target.vars.NAME}` stands for in an account and region.
    pub fn variables_at(&self, account: &str, region: &str) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        for other in &self.overrides {
            let meant = (other.accounts.is_empty() || other.accounts.contains(account))
                && (other.regions.is_empty() || other.regions.contains(region));
            if meant {
                variables.extend(other.variables.clone());
            }
        }
        variables
    }

    /// Returns the number of the stage that an account is in, by its id and the units above it.
    pub fn stage_of(&self, account: &str, units: &[String]) -> usize {
        let within = |stage: &Stage| {
            stage.accounts.contains(account) || units.iter().any(|unit| stage.units.contains(unit))
        };
        let named = self
            .stages
            .iter()
            .position(|stage| stage.accounts.contains(account));
        let first = named.or_else(|| self.stages.iter().position(within));
        first.unwrap_or(self.stages.len())
    }
}

/// A `Target` of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `metadata.name`.
    pub name: String,
    /// What it says.
    pub spec: TargetSpec,
    /// Where it is declared.
    pub place: Place,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(spec: serde_json::Value) -> TargetSpec {
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn a_later_override_wins() {
        let target = target(json!({
            "variables": { "tier": "gold", "team": "ops" },
            "overrides": [
                { "accounts": ["444455556666"], "variables": { "tier": "silver" } },
                { "accounts": ["444455556666"], "regions": ["us-east-1"], "variables": { "tier": "tin" } },
            ],
        }));
        let tier = |account, region| target.variables_at(account, region)["tier"].clone();
        assert_eq!(tier("111122223333", "us-east-1"), "gold");
        assert_eq!(tier("444455556666", "eu-west-1"), "silver");
        assert_eq!(tier("444455556666", "us-east-1"), "tin");
        assert_eq!(
            target.variables_at("444455556666", "us-east-1")["team"],
            "ops"
        );
    }

    #[test]
    fn an_account_named_by_a_stage_is_in_that_one_whatever_its_unit() {
        let target = target(json!({ "stages": [
            { "name": "units", "units": ["ou-ab12-11111111"] },
            { "name": "canary", "accounts": ["444455556666"] },
        ]}));
        let unit = ["ou-ab12-11111111".to_owned()];
        assert_eq!(target.stage_of("111122223333", &unit), 0);
        assert_eq!(target.stage_of("444455556666", &unit), 1);
        assert_eq!(target.stage_of("111122223333", &[]), 2);
    }
}
