//! What a maintenance window is made of.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::document::{Command, DocumentRef};
use crate::kinds::rate_control;
use crate::kinds::selector::Selector;
use crate::kinds::stop_alarm::StopAlarm;
use crate::model::Document;

/// Nodes or resource groups that tasks of the window run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowTarget {
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub description: Option<String>,
    /// A text that events about these nodes carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub owner_information: Option<String>,
    /// Which they are: `InstanceIds` alone, or up to five of `tag:…` and `tag-key` that must all hold, or
    /// `resource-groups:Name` and `resource-groups:ResourceTypeFilters`.
    #[schemars(length(min = 1, max = 5))]
    pub select: BTreeSet<Selector>,
}

impl WindowTarget {
    /// Says whether it is about resource groups, which AWS calls the type of the resource and never changes.
    pub(super) fn is_groups(&self) -> bool {
        let mut keys = self.select.iter().map(|selector| &selector.key);
        keys.any(|key| key.starts_with("resource-groups:"))
    }
}

/// What runs in the window: exactly one of `runCommand`, `automation`, `lambda` and `stepFunctions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowTask {
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub description: Option<String>,
    /// A command on nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_command: Option<RunCommand>,
    /// A runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation: Option<Automation>,
    /// A function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<Lambda>,
    /// A state machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_functions: Option<StepFunctions>,
    /// The targets that it runs on, by their keys in `windowTargets`. A command needs these or `instanceIds`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 10))]
    pub targets: BTreeSet<String>,
    /// The nodes that it runs on, instead of `targets`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1)))]
    pub instance_ids: BTreeSet<String>,
    /// Its place in the window: the lowest is first, equal ones run at the same time.
    #[serde(default = "one")]
    #[schemars(range(min = 0))]
    pub priority: i32,
    /// On how many targets it runs at the same time: a number or a percentage. With targets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::CONCURRENCY)
    )]
    pub max_concurrency: Option<String>,
    /// After how many failures it goes to no more targets: a number or a percentage. With targets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 7),
        regex(pattern = rate_control::ERRORS)
    )]
    pub max_errors: Option<String>,
    /// What happens at the cutoff.
    #[serde(default)]
    pub cutoff_behavior: CutoffBehavior,
    /// The role that Systems Manager takes to run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/.+$"))]
    pub service_role_arn: Option<String>,
    /// The alarm that stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<StopAlarm>,
}

fn one() -> i32 {
    1
}

fn yes() -> bool {
    true
}

/// A command on nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunCommand {
    /// The document.
    pub document: DocumentRef<Command>,
    /// Its version: a number, `$DEFAULT` or `$LATEST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([$]LATEST|[$]DEFAULT|[1-9][0-9]*)$"))]
    pub document_version: Option<String>,
    /// The hash that the document must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub document_hash: Option<String>,
    /// How that hash was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_hash_type: Option<HashType>,
    /// A remark that the command carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub comment: Option<String>,
    /// The document's parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Vec<String>>,
    /// After how many seconds a command that has not begun is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30, max = 2_592_000))]
    pub timeout_seconds: Option<i32>,
    /// The bucket that gets the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 63))]
    pub output_s3_bucket_name: Option<String>,
    /// How the keys begin there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub output_s3_key_prefix: Option<String>,
    /// The output in CloudWatch Logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_watch_output: Option<CloudWatchOutput>,
    /// Who hears of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<Notification>,
    /// The role that sends notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/.+$"))]
    pub service_role_arn: Option<String>,
}

/// How a hash was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum HashType {
    /// SHA-256.
    Sha256,
    /// SHA-1, which AWS gives up.
    Sha1,
}

/// The output of a command in `CloudWatch` Logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudWatchOutput {
    /// Whether it goes there.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The log group. Default: one that AWS makes and names after the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[\.\-_/#A-Za-z0-9]+$"))]
    pub log_group_name: Option<String>,
}

/// Who hears of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    /// The topic: the ARN of an SNS topic.
    #[schemars(regex(pattern = r"^arn:aws(-cn|-us-gov)?:sns:"))]
    pub topic_arn: String,
    /// What is told.
    #[schemars(length(min = 1))]
    pub events: BTreeSet<NotificationEvent>,
    /// Whether the command as a whole is told of, or each node.
    #[serde(default, rename = "type")]
    pub kind: NotificationType,
}

/// What is told of a command.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline)]
pub enum NotificationEvent {
    /// Everything.
    All,
    /// That it began.
    InProgress,
    /// That it succeeded.
    Success,
    /// That it took too long.
    TimedOut,
    /// That it was cancelled.
    Cancelled,
    /// That it failed.
    Failed,
}

/// What notifications are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum NotificationType {
    /// The command as a whole.
    #[default]
    Command,
    /// Each node.
    Invocation,
}

/// A runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Automation {
    /// The runbook.
    pub document: DocumentRef,
    /// Its version: a number, `$DEFAULT` or `$LATEST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([$]LATEST|[$]DEFAULT|[1-9][0-9]*)$"))]
    pub document_version: Option<String>,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 200))]
    pub parameters: BTreeMap<String, Vec<String>>,
}

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lambda {
    /// The function, by name or ARN.
    #[schemars(length(min = 1, max = 1600))]
    pub function: String,
    /// Its version or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub qualifier: Option<String>,
    /// What its context says of the client, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8000))]
    pub client_context: Option<String>,
    /// Its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Document>,
}

/// A state machine of Step Functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepFunctions {
    /// The state machine's ARN.
    #[schemars(length(max = 1600), regex(pattern = r"^arn:aws(-cn|-us-gov)?:states:"))]
    pub state_machine_arn: String,
    /// A name for the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 80))]
    pub name: Option<String>,
    /// Its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Document>,
}

/// What happens to a task at the cutoff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum CutoffBehavior {
    /// What runs goes on.
    #[default]
    ContinueTask,
    /// Commands are cancelled, and of the other types nothing new begins.
    CancelTask,
}
