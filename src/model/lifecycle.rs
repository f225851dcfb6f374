//! What a document may say about its own life, the same for every kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to the AWS object when its document goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDelete {
    /// It stays in AWS, with its stamp.
    Retain,
    /// It is deleted by a run that prunes, or by `destroy`.
    Delete,
}

/// Whether differences are written or only reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Differences are written to AWS.
    #[default]
    Enforce,
    /// Differences are only shown.
    Report,
}

/// A difference that is known and accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ignore {
    /// JSON Pointer into the spec; `*` stands for any one step.
    pub path: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is accepted (`YYYY-MM-DD`); afterwards a warning says that it expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// `spec.lifecycle`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// What happens when the document goes away. Default: `retain` for people and for whatever holds data
    /// (contacts, replication sets), `delete` for the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_delete: Option<OnDelete>,
    /// `report` shows differences and writes nothing.
    #[serde(default)]
    pub mode: Mode,
    /// Refuses to delete or replace the object.
    #[serde(default)]
    pub protect: bool,
    /// Takes over an existing object that nobody owns, without `--adopt`.
    #[serde(default)]
    pub adopt: bool,
    /// Differences that are accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Ignore>,
}
