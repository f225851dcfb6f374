//! The alarm that stops what Systems Manager runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) mod remote;

/// An alarm that stops what runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopAlarm {
    /// The alarm's name.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"\S"))]
    pub name: String,
    /// Whether to go on when the alarm cannot be read.
    #[serde(default)]
    pub ignore_poll_alarm_failure: bool,
}
