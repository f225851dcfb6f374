//! `MaintenanceWindow`: when servers may be worked on, and what is done to them then.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::spec::Identity;
use crate::model::{Document, Report, Spec, settle};

mod check;
mod parts;
mod remote;

pub use parts::{
    Automation, CloudWatchOutput, CutoffBehavior, HashType, Lambda, Notification,
    NotificationEvent, NotificationType, RunCommand, StepFunctions, WindowTarget, WindowTask,
};

/// A maintenance window: a schedule, the nodes that are worked on, and the tasks that run.
///
/// It manages the whole window: what the document leaves out has AWS's default. Targets and tasks belong to the window.
/// They can carry no tags, so the key that each has here is its name in AWS; one that has another name, none, or a name
/// that is taken is removed. Where AWS cannot change one in place (the type of a task, a target that becomes resource
/// groups) it is registered anew, and the window stays.
///
/// **AWS chooses** the ids, `mw-…` and those of targets and tasks; names need not be unique. What is left out of
/// `description`, of a task's `serviceRoleArn` and of a document's version is left as AWS has it. A window is created
/// enabled and disabled at once, for AWS has no other way.
/// **Forces replacement:** nothing.
/// **Left out:** `LoggingInfo` and `TaskParameters` of a task, which AWS has given up in favour of the parameters of
/// each type, and which it ignores beside them; the history of executions. When the window opens next, and how it went,
/// is no difference.
///
/// A window patches the nodes of a patch group when a target selects the tag: `{ key: "tag:Patch Group", values:
/// [production] }`.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: MaintenanceWindow
/// metadata: { name: sunday-night }
/// spec:
///   schedule: cron(0 2 ? * SUN *)
///   scheduleTimezone: Asia/Tokyo
///   duration: 3
///   cutoff: 1
///   windowTargets:
///     servers:
///       select: [{ key: "tag:Patch Group", values: [production] }]
///   tasks:
///     patch:
///       runCommand:
///         document: { name: AWS-RunPatchBaseline }
///         parameters: { Operation: [Install] }
///       targets: [servers]
///       maxConcurrency: 10%
///       maxErrors: "1"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// The window's name in Systems Manager. Default: `metadata.name`.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,128}$"))]
    pub name: String,
    /// A description. `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub description: Option<String>,
    /// When it opens: `cron(…)` of six fields, `rate(…)` or `at(…)`.
    #[schemars(length(min = 1, max = 256))]
    pub schedule: String,
    /// The time zone of the schedule, by its IANA name. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub schedule_timezone: Option<String>,
    /// How many days after the day that a cron expression says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 6))]
    pub schedule_offset: Option<i32>,
    /// From when on it opens: a date, with an offset or in the time zone of the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub start_date: Option<String>,
    /// Until when it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub end_date: Option<String>,
    /// How many hours it is open.
    #[schemars(range(min = 1, max = 24))]
    pub duration: i32,
    /// How many hours before its end nothing new begins.
    #[schemars(range(min = 0, max = 23))]
    pub cutoff: i32,
    /// Whether tasks may name nodes that are in no target.
    #[serde(default)]
    pub allow_unassociated_targets: bool,
    /// Whether it opens at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What tasks run on, by name. (`targets` says which accounts and regions a document is for.)
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub window_targets: BTreeMap<String, WindowTarget>,
    /// What runs, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    pub tasks: BTreeMap<String, WindowTask>,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

fn yes() -> bool {
    true
}

impl Spec for MaintenanceWindow {
    const KIND: &'static str = "MaintenanceWindow";
    const IDENTITY: Identity = Identity::SharedName;
    // Windows name the patch groups of baselines by tags alone.
    const AFTER: &'static [&'static str] = &["PatchBaseline"];

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            description,
            schedule: _,
            schedule_timezone: _,
            schedule_offset: _,
            start_date,
            end_date,
            duration: _,
            cutoff: _,
            allow_unassociated_targets: _,
            enabled: _,
            window_targets: _,
            tasks,
            tags,
        } = self;
        settle::text(description, live.description.as_ref());
        settle_moment(start_date, live.start_date.as_ref());
        settle_moment(end_date, live.end_date.as_ref());
        for (name, task) in tasks {
            task.settle(live.tasks.get(name));
        }
        settle::value(tags, live.tags.as_ref());
    }
}

/// Two ways of writing one moment are no difference.
fn settle_moment(wanted: &mut Option<String>, live: Option<&String>) {
    let moment = |text: &String| text.parse::<jiff::Timestamp>().ok();
    if let (Some(wanted), Some(live)) = (wanted, live)
        && moment(wanted).is_some()
        && moment(wanted) == moment(live)
    {
        wanted.clone_from(live);
    }
}

/// Two ways of writing one document are no difference.
fn settle_document(wanted: &mut Option<Document>, live: Option<&Document>) {
    if let (Some(wanted), Some(live)) = (wanted, live)
        && wanted.same_meaning(live)
    {
        wanted.clone_from(live);
    }
}

/// The role that Systems Manager makes and takes when none is named; it counts as none.
pub(in crate::kinds) fn is_service_linked(role: &str) -> bool {
    role.contains(":role/aws-service-role/")
}

impl WindowTask {
    fn settle(&mut self, live: Option<&Self>) {
        let role = live.and_then(|live| live.service_role_arn.as_ref());
        match &self.service_role_arn {
            Some(named) if role.is_none() && is_service_linked(named) => {
                self.service_role_arn = None;
            }
            _ => settle::value(&mut self.service_role_arn, role),
        }
        let Some(live) = live else { return };
        // The version of another document says nothing about this one.
        if let (Some(wanted), Some(live)) = (&mut self.run_command, &live.run_command)
            && wanted.document == live.document
        {
            settle::value(&mut wanted.document_version, live.document_version.as_ref());
        }
        if let (Some(wanted), Some(live)) = (&mut self.automation, &live.automation)
            && wanted.document == live.document
        {
            settle::value(&mut wanted.document_version, live.document_version.as_ref());
        }
        if let (Some(wanted), Some(live)) = (&mut self.lambda, &live.lambda) {
            settle_document(&mut wanted.payload, live.payload.as_ref());
        }
        if let (Some(wanted), Some(live)) = (&mut self.step_functions, &live.step_functions) {
            settle_document(&mut wanted.input, live.input.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn window(extra: Value) -> MaintenanceWindow {
        let mut spec =
            json!({"name": "night", "schedule": "rate(7 days)", "duration": 3, "cutoff": 1});
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn one_moment_or_document_written_in_two_ways_is_no_difference() {
        let task = |payload: Value| json!({"clean": {"lambda": {"function": "clean", "payload": payload}}});
        let live = window(
            json!({"startDate": "2026-01-01T00:00:00Z", "tasks": task(json!("{\"a\": 1}"))}),
        );
        let mut wanted = window(
            json!({"startDate": "2026-01-01T09:00:00+09:00", "tasks": task(json!({"a": 1}))}),
        );
        wanted.settle(&live);
        assert_eq!(wanted, live);
    }

    #[test]
    fn a_role_that_nobody_names_is_left_alone() {
        let task = |role: Value| {
            let mut task = json!({"automation": {"document": {"name": "AWS-X"}}});
            task["serviceRoleArn"] = role;
            window(json!({"tasks": {"clean": task}}))
        };
        let live = task(json!("arn:aws:iam::111122223333:role/banana"));
        let mut wanted = task(Value::Null);
        wanted.settle(&live);
        assert_eq!(wanted, live);
        let linked = "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM";
        let mut wanted = task(json!(linked));
        wanted.settle(&task(Value::Null));
        assert_eq!(wanted, task(Value::Null));
    }

    #[test]
    fn the_version_of_another_document_says_nothing() {
        let task = |name: &str, version: Value| {
            let command = json!({"document": {"name": name}, "documentVersion": version});
            window(json!({"tasks": {"run": {"runCommand": command}}}))
        };
        let mut same = task("AWS-X", Value::Null);
        same.settle(&task("AWS-X", json!("3")));
        assert_eq!(same, task("AWS-X", json!("3")));
        let mut other = task("AWS-Y", Value::Null);
        other.settle(&task("AWS-X", json!("3")));
        assert_eq!(other, task("AWS-Y", Value::Null));
    }
}
