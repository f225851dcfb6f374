//! What an association is made of.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::rate_control;
use crate::kinds::selector::Selector;

/// How bad it is when a node does not comply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum ComplianceSeverity {
    /// Critical.
    Critical,
    /// High.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
    /// Nobody said.
    #[default]
    Unspecified,
}

/// Who says whether a node complies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum SyncCompliance {
    /// State Manager, by how the association went.
    #[default]
    Auto,
    /// Whoever calls `PutComplianceItems`, for instance the document itself.
    Manual,
}

/// The S3 bucket that gets the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutputLocation {
    /// The bucket.
    #[schemars(length(min = 3, max = 63))]
    pub s3_bucket_name: String,
    /// How the keys begin there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub s3_key_prefix: Option<String>,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 20))]
    pub s3_region: Option<String>,
}

/// Accounts and regions that a runbook is run in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetLocation {
    /// Accounts, and units of the organization.
    #[schemars(length(min = 1, max = 50))]
    pub accounts: BTreeSet<String>,
    /// Regions.
    #[schemars(length(min = 1, max = 50))]
    pub regions: BTreeSet<String>,
    /// Whether units below those units are meant too.
    #[serde(default)]
    pub include_child_organization_units: bool,
    /// Accounts and units that are left out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(
        length(max = 5000),
        inner(
            length(min = 6, max = 68),
            regex(pattern = r"^((ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})|([0-9]{12}))$")
        )
    )]
    pub exclude_accounts: BTreeSet<String>,
    /// The role of each account that the runbook is run with.
    #[serde(default = "execution_role")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[\w+=,.@/\-]+$"))]
    pub execution_role_name: String,
    /// In how many of these accounts and regions it runs at the same time: a number or a percentage.
    #[serde(default = "one")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::CONCURRENCY)
    )]
    pub max_concurrency: String,
    /// After how many failures it goes to no more of them: a number or a percentage.
    #[serde(default = "none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::ERRORS)
    )]
    pub max_errors: String,
    /// What it is run on there, instead of what the association selects.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 1))]
    pub select: BTreeSet<Selector>,
    /// On how many of them at the same time, instead of `maxConcurrency` of the association.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::CONCURRENCY)
    )]
    pub targets_max_concurrency: Option<String>,
    /// After how many failures it goes to no more of them, instead of `maxErrors` of the association.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::ERRORS)
    )]
    pub targets_max_errors: Option<String>,
}

// The three defaults: [M] `TargetLocation`.

pub(super) fn execution_role() -> String {
    "AWS-SystemsManager-AutomationExecutionRole".to_owned()
}

pub(super) fn one() -> String {
    "1".to_owned()
}

pub(super) fn none() -> String {
    "0".to_owned()
}
