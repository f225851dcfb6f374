//! How Systems Manager is told which nodes something is about.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) mod remote;

/// Chooses nodes by one property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// The property: `InstanceIds`, `tag:` with the key of a tag, `tag-key`, `resource-groups:Name` and others.
    #[schemars(
        length(min = 1, max = 163),
        regex(pattern = r"^[\p{L}\p{Z}\p{N}_.:/=\-@]*$")
    )]
    pub key: String,
    /// What it may be; any of them is enough.
    #[schemars(length(max = 50))]
    pub values: BTreeSet<String>,
}
