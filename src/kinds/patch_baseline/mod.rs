//! `PatchBaseline`: which patches are good for which servers.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::spec::{Exclusive, Identity};
use crate::model::{Report, Spec, settle};

mod check;
mod remote;
mod rules;

pub use rules::{
    ApprovalRule, ComplianceLevel, FilterKey, OperatingSystem, PatchFilter, RejectedAction, Source,
    UpdatesStatus,
};

/// A patch baseline, the patch groups that use it, and whether it is the default of its operating system.
///
/// It manages the whole baseline: what the document leaves out has AWS's default. A patch group has one baseline an
/// operating system, and a baseline that nobody takes it from keeps it; to move a group, take it out of the one
/// document and put it into the other. Two documents cannot both ask for a group or the default of one operating system.
/// When a baseline stops being the default, AWS's own default is registered again.
///
/// **AWS chooses** the id, `pb-…`; names need not be unique. What is left out of `description` and
/// `availableSecurityUpdatesComplianceStatus` is left as AWS has it.
/// **Forces replacement:** `operatingSystem`.
/// **Left out:** AWS's own baselines, which nobody can change; the tags on servers that put them into a patch group;
/// patch policies of Quick Setup, which go past baselines' groups and defaults.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: PatchBaseline
/// metadata: { name: linux-production }
/// spec:
///   operatingSystem: AMAZON_LINUX_2023
///   description: Security patches after a week
///   approvalRules:
///     - patchFilters:
///         - { key: CLASSIFICATION, values: [Security] }
///         - { key: SEVERITY, values: [Critical, Important] }
///       complianceLevel: CRITICAL
///       approveAfterDays: 7
///   patchGroups: [production]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchBaseline {
    /// The baseline's name in Systems Manager. Default: `metadata.name`.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,128}$"))]
    pub name: String,
    /// The operating system that it is for.
    #[serde(default)]
    pub operating_system: OperatingSystem,
    /// A description. `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Which patches count at all: those that fit every filter.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 4))]
    pub global_filters: BTreeSet<PatchFilter>,
    /// Which patches are approved, and when; their order has no meaning.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 10))]
    pub approval_rules: BTreeSet<ApprovalRule>,
    /// Patches that are approved by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 100)))]
    pub approved_patches: BTreeSet<String>,
    /// How bad it is when one of them is missing.
    #[serde(default)]
    pub approved_patches_compliance_level: ComplianceLevel,
    /// Whether patches approved by name include those that are not about security; Linux only.
    #[serde(default)]
    pub approved_patches_enable_non_security: bool,
    /// Patches that are rejected by name, even if something approves them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 100)))]
    pub rejected_patches: BTreeSet<String>,
    /// What happens when another patch needs a rejected one.
    #[serde(default)]
    pub rejected_patches_action: RejectedAction,
    /// Where patches come from, besides the server's own repositories; Linux only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 20))]
    pub sources: BTreeSet<Source>,
    /// How a server counts that lacks security patches which are there but not approved; Windows only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_security_updates_compliance_status: Option<UpdatesStatus>,
    /// The patch groups that use it: values of the tag `Patch Group` (or `PatchGroup`) on servers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(
        length(max = 25),
        inner(
            length(min = 1, max = 256),
            regex(pattern = r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$")
        )
    )]
    pub patch_groups: BTreeSet<String>,
    /// Whether servers of the operating system use it that are in no patch group.
    #[serde(default)]
    pub default: bool,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Spec for PatchBaseline {
    const KIND: &'static str = "PatchBaseline";
    const CREATE_ONLY: &'static [&'static str] = &["/operatingSystem"];
    const IDENTITY: Identity = Identity::SharedName;
    const EXCLUSIVE: &'static [Exclusive] = &[
        // AWS registers no group with a second baseline: AlreadyExistsException.
        Exclusive {
            at: "/patchGroups",
            within: Some("/operatingSystem"),
            passes: false,
        },
        Exclusive {
            at: "/default",
            within: Some("/operatingSystem"),
            passes: true,
        },
    ];

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            operating_system: _,
            description,
            global_filters: _,
            approval_rules: _,
            approved_patches: _,
            approved_patches_compliance_level: _,
            approved_patches_enable_non_security: _,
            rejected_patches: _,
            rejected_patches_action: _,
            sources: _,
            available_security_updates_compliance_status,
            patch_groups: _,
            default: _,
            tags,
        } = self;
        settle::text(description, live.description.as_ref());
        settle::value(
            available_security_updates_compliance_status,
            live.available_security_updates_compliance_status.as_ref(),
        );
        settle::value(tags, live.tags.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::canonical::canonical;

    fn parse(spec: Value) -> PatchBaseline {
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn what_is_left_out_has_the_default_of_aws() {
        let baseline = parse(json!({"name": "windows"}));
        assert_eq!(
            canonical(serde_json::to_value(&baseline).unwrap()),
            json!({
                "name": "windows",
                "operatingSystem": "WINDOWS",
                "approvedPatchesComplianceLevel": "UNSPECIFIED",
                "approvedPatchesEnableNonSecurity": false,
                "rejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
                "default": false,
            })
        );
    }

    #[test]
    fn order_and_repetition_have_no_meaning() {
        let (a, b) = (
            json!({"key": "CLASSIFICATION", "values": ["Security", "Bugfix"]}),
            json!({"key": "SEVERITY", "values": ["Critical"]}),
        );
        let again = json!({"key": "CLASSIFICATION", "values": ["Bugfix", "Security", "Bugfix"]});
        let one = parse(json!({"name": "x-y", "globalFilters": [a, b]}));
        let other = parse(json!({"name": "x-y", "globalFilters": [b, again]}));
        assert_eq!(one, other);
    }

    #[test]
    fn an_empty_description_clears_and_is_no_difference_afterwards() {
        let mut wanted = parse(json!({"name": "x-y", "description": ""}));
        wanted.settle(&parse(json!({"name": "x-y", "description": "old"})));
        assert_eq!(wanted.description.as_deref(), Some(""));
        wanted.settle(&parse(json!({"name": "x-y"})));
        assert_eq!(wanted.description, None);
    }

    #[test]
    fn unknown_fields_are_errors() {
        let spec = json!({"name": "x-y", "approvalRules": [{"approveAfterDay": 3}]});
        assert!(serde_json::from_value::<PatchBaseline>(spec).is_err());
    }
}
