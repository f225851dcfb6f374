//! The `Stack` document: what belongs together, and what one run may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::lifecycle::Mode;
use crate::model::{Place, Report, Spec};

/// The unit of ownership and of a run.
///
/// **What it manages:** nothing in AWS; its name is in the stamp of everything the stack owns.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Stack
/// metadata: { name: banana-stand }
/// spec:
///   prune: true
///   limits: { deletes: 3, replacements: 1 }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StackSpec {
    /// The names of the Targets that objects go to unless they say otherwise. Default: the account of the
    /// credentials at hand and the configured region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// `report` shows differences and writes nothing.
    #[serde(default)]
    pub mode: Mode,
    /// How often the operator and the Git watcher look, for instance `10m` or `1h30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Deletes what the stack owns and no document declares any more.
    #[serde(default)]
    pub prune: bool,
    /// How much one run may destroy; the command `destroy` has no limit.
    #[serde(default)]
    pub limits: Limits,
    /// Stops the operator and the Git watcher for this stack.
    #[serde(default)]
    pub suspend: bool,
    /// Where the operator takes the documents from. Default: the objects of the Stack's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// How much one run may destroy; whatever goes over a limit is blocked. The command `destroy` has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many objects one run may delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<u32>,
    /// How many objects one run may replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacements: Option<u32>,
}

/// Where the documents of a stack come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// A folder of a Git repository.
    pub git: Git,
}

/// A folder of a Git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Git {
    /// The repository, in any form that the `git` program takes.
    #[schemars(length(min = 1))]
    pub url: String,
    /// The branch or tag. Default: the repository's default branch.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The folder in the repository. Default: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Spec for StackSpec {
    const KIND: &'static str = "Stack";

    fn validate(&self, report: &mut Report) {
        if let Some(text) = &self.interval
            && interval(text).is_none()
        {
            let message = format!("`{text}` is no duration");
            report.error(
                "bad-duration",
                "/interval",
                message,
                "for instance `10m`, `90s` or `1h30m`; at least one second",
            );
        }
    }
}

/// Reads a duration of at least a second.
pub fn interval(text: &str) -> Option<std::time::Duration> {
    let duration: jiff::SignedDuration = text.parse().ok()?;
    let duration = std::time::Duration::try_from(duration).ok()?;
    (duration.as_secs() > 0).then_some(duration)
}

/// The one `Stack` of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// `metadata.name`, which is in the stamp of everything the stack owns.
    pub name: String,
    /// The names of the default Targets.
    pub targets: Vec<String>,
    /// Whether differences are written or only reported.
    pub mode: Mode,
    /// How often the operator and the Git watcher look.
    pub interval: Option<std::time::Duration>,
    /// Whether what is in no document is deleted.
    pub prune: bool,
    /// How much one run may destroy.
    pub limits: Limits,
    /// Whether the operator and the Git watcher leave the stack alone.
    pub suspend: bool,
    /// Where the operator takes the documents from.
    pub source: Option<Source>,
    /// Where it is declared.
    pub place: Place,
}

impl Stack {
    pub(super) fn new(name: String, spec: StackSpec, place: Place) -> Self {
        let StackSpec {
            targets,
            mode,
            interval: every,
            prune,
            limits,
            suspend,
            source,
        } = spec;
        Self {
            name,
            targets,
            mode,
            interval: every.as_deref().and_then(interval),
            prune,
            limits,
            suspend,
            source,
            place,
        }
    }
}
