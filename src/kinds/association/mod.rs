//! `Association`: what Systems Manager does to nodes again and again, so that they stay as they should be.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Document, DocumentRef, Named};
use super::maintenance_window::is_service_linked;
use super::rate_control;
use super::selector::Selector;
use super::stop_alarm::StopAlarm;
use crate::model::spec::Identity;
use crate::model::{Ref, Report, Spec, pointer, settle};

mod check;
mod parts;
mod remote;

pub use parts::{ComplianceSeverity, OutputLocation, SyncCompliance, TargetLocation};

/// An association of State Manager: a document, the nodes that it is applied to, and when.
///
/// It manages the whole association: what the document leaves out has AWS's default. Inventory is collected by one with
/// `AWS-GatherSoftwareInventory`, missing patches are found by one with `AWS-RunPatchBaseline`.
///
/// **AWS runs it at once** on all its nodes when it is created and whenever anything but its tags changes, and then by
/// its schedule; with `applyOnlyAtCronInterval` by its schedule alone.
///
/// **AWS chooses** the id, a UUID; names need not be unique. One without a name, as the console makes them, goes by its
/// id here. What is left out of `outputLocation.s3Region` is left as AWS has it.
/// **Forces replacement:** nothing. AWS keeps at most 1,000 versions of an association, one for each change.
/// **Left out:** associations in the old form, with an `InstanceId` of their own; the history of executions. How the last
/// one went is told in plans unless it went well, and is no difference.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Association
/// metadata: { name: scan-patches }
/// spec:
///   document: { name: AWS-RunPatchBaseline }
///   parameters: { Operation: [Scan] }
///   select: [{ key: "tag:Patch Group", values: [production] }]
///   schedule: cron(0 20 ? * * *)
///   applyOnlyAtCronInterval: true
///   maxConcurrency: 20%
///   maxErrors: 10%
///   complianceSeverity: HIGH
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Association {
    /// The association's name in Systems Manager. Default: `metadata.name`.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,128}$"))]
    pub name: String,
    /// What is applied.
    pub document: DocumentRef<Applied>,
    /// Its version: a number, `$DEFAULT` or `$LATEST`. Of a document of another account AWS applies the default one.
    #[serde(default = "default_version")]
    #[schemars(regex(pattern = r"^([$]LATEST|[$]DEFAULT|[1-9][0-9]*)$"))]
    pub document_version: String,
    /// The document's parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Which nodes it is for: `InstanceIds` alone, where `*` is every node of the account and region,
    /// `resource-groups:Name` alone, or up to five of `tag:…` and `tag-key` that must all hold; for a runbook also what
    /// Automation knows. (`targets` says which accounts and regions a document is for.)
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 5))]
    pub select: BTreeSet<Selector>,
    /// Instead of `select`, for a runbook: its parameters for each of its runs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 300))]
    pub target_maps: BTreeSet<BTreeMap<String, Vec<String>>>,
    /// The parameter of a runbook that gets what is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub automation_target_parameter_name: Option<String>,
    /// In which accounts and regions a runbook is run; without, in those where the association is.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 100))]
    pub target_locations: BTreeSet<TargetLocation>,
    /// When it is applied, in UTC: `cron(…)`, `rate(…)` of 30 minutes or more, or `at(…)`. Without, AWS applies it once,
    /// and to nodes that come later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub schedule: Option<String>,
    /// How many days after the day that a cron expression says. With `applyOnlyAtCronInterval` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 6))]
    pub schedule_offset: Option<i32>,
    /// Whether it is applied by its schedule alone, and not when it is created or changed. Not with `rate(…)`.
    #[serde(default)]
    pub apply_only_at_cron_interval: bool,
    /// After how many hours what still runs is cancelled. With `applyOnlyAtCronInterval` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 24))]
    pub duration: Option<i32>,
    /// The calendars that must be open for it to be applied: documents of the type `ChangeCalendar`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub calendar_names: BTreeSet<Ref<Document>>,
    /// On how many nodes it is applied at the same time: a number or a percentage. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::CONCURRENCY)
    )]
    pub max_concurrency: Option<String>,
    /// After how many failures it goes to no more nodes: a number or a percentage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::ERRORS)
    )]
    pub max_errors: Option<String>,
    /// How bad it is when a node does not comply.
    #[serde(default)]
    pub compliance_severity: ComplianceSeverity,
    /// Who says whether a node complies.
    #[serde(default)]
    pub sync_compliance: SyncCompliance,
    /// Where the output goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_location: Option<OutputLocation>,
    /// The alarm that stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<StopAlarm>,
    /// The role that State Manager takes to reach the nodes. Default: the service-linked role of Systems Manager, which AWS
    /// means to give up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 512),
        regex(pattern = r"^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$")
    )]
    pub dispatch_role_arn: Option<String>,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

fn default_version() -> String {
    "$DEFAULT".to_owned()
}

/// A document that an association may apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Applied;

impl Named for Applied {
    const KINDS: &'static [&'static str] = &["Document", "Runbook"];
    const WHAT: &'static str = "A command, a policy or a runbook: `{ ref: name }` for a Document of ours, `{ ref: Runbook/name }` for a Runbook of ours, `{ arn: … }` for one that is not, `{ name: AWS-… }` for one of AWS's own.";
}

impl Spec for Association {
    const KIND: &'static str = "Association";
    const IDENTITY: Identity = Identity::SharedName;
    // Scans go by the baselines of patch groups, which are named by tags alone.
    const AFTER: &'static [&'static str] = &["PatchBaseline"];

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            document: _,
            document_version: _,
            parameters: _,
            select: _,
            target_maps: _,
            automation_target_parameter_name: _,
            target_locations: _,
            schedule: _,
            schedule_offset: _,
            apply_only_at_cron_interval: _,
            duration: _,
            calendar_names: _,
            max_concurrency,
            max_errors: _,
            compliance_severity: _,
            sync_compliance: _,
            output_location,
            alarm: _,
            dispatch_role_arn,
            tags,
        } = self;
        // [M] `MaxConcurrency`: "The default value is 100%".
        if is_everything(max_concurrency.as_ref()) && is_everything(live.max_concurrency.as_ref()) {
            max_concurrency.clone_from(&live.max_concurrency);
        }
        if let (Some(wanted), Some(live)) = (output_location, &live.output_location) {
            settle::value(&mut wanted.s3_region, live.s3_region.as_ref());
        }
        // Naming the default is naming none.
        if live.dispatch_role_arn.is_none() {
            dispatch_role_arn.take_if(|role| is_service_linked(role));
        }
        settle::value(tags, live.tags.as_ref());
    }

    fn consequence(&self, changed: Option<&[&str]>) -> Option<&'static str> {
        let more_than_tags = |paths: &[&str]| paths.iter().any(|at| !pointer::under(at, "/tags"));
        let written = changed.is_none_or(more_than_tags);
        (written && !self.apply_only_at_cron_interval).then_some(AT_ONCE)
    }
}

/// What AWS does with an association that waits for no hour: [M] `CreateAssociation`, `UpdateAssociation`.
const AT_ONCE: &str = "AWS runs it at once on all that it selects";

fn is_everything(concurrency: Option<&String>) -> bool {
    concurrency.is_none_or(|limit| limit == "100%")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::canonical::canonical;

    fn association(extra: Value) -> Association {
        let mut spec = json!({"name": "scan", "document": {"name": "AWS-RunPatchBaseline"}});
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn what_is_left_out_has_the_default_of_aws() {
        assert_eq!(
            canonical(serde_json::to_value(association(json!({}))).unwrap()),
            json!({
                "name": "scan",
                "document": {"name": "AWS-RunPatchBaseline"},
                "documentVersion": "$DEFAULT",
                "applyOnlyAtCronInterval": false,
                "complianceSeverity": "UNSPECIFIED",
                "syncCompliance": "AUTO",
            })
        );
    }

    #[test]
    fn all_at_once_is_the_same_written_or_not() {
        let (all, none) = (json!({"maxConcurrency": "100%"}), json!({}));
        for (wanted, live) in [(&all, &none), (&none, &all)] {
            let live = association(live.clone());
            let mut wanted = association(wanted.clone());
            wanted.settle(&live);
            assert_eq!(wanted, live);
        }
        let mut wanted = association(none);
        wanted.settle(&association(json!({"maxConcurrency": "50%"})));
        assert_eq!(wanted.max_concurrency, None);
    }

    #[test]
    fn the_region_of_the_bucket_and_the_default_role_may_stay_unsaid() {
        let output =
            |region: Value| json!({"outputLocation": {"s3BucketName": "logs", "s3Region": region}});
        let live = association(output(json!("eu-west-1")));
        let mut wanted = association(output(Value::Null));
        wanted.settle(&live);
        assert_eq!(wanted, live);
        let linked = "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM";
        let mut wanted = association(json!({"dispatchRoleArn": linked}));
        wanted.settle(&association(json!({})));
        assert_eq!(wanted, association(json!({})));
    }

    #[test]
    fn it_is_told_when_aws_runs_it() {
        let now = association(json!({}));
        assert_eq!(now.consequence(None), Some(AT_ONCE));
        assert_eq!(
            now.consequence(Some(&["/tags/team", "/maxErrors"])),
            Some(AT_ONCE)
        );
        assert_eq!(now.consequence(Some(&["/tags/team"])), None);
        let later = association(json!({"applyOnlyAtCronInterval": true}));
        assert_eq!(later.consequence(None), None);
    }

    #[test]
    fn a_runbook_is_named_by_its_kind() {
        let spec = association(json!({"document": {"ref": "Runbook/restart"}}));
        let document = serde_json::to_value(&spec.document).unwrap();
        assert_eq!(document, json!({"ref": "Runbook/restart"}));
        let spec = association(json!({"document": {"ref": "drain"}}));
        let document = serde_json::to_value(&spec.document).unwrap();
        assert_eq!(document, json!({"ref": "Document/drain"}));
    }
}
