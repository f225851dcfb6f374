//! Behaviour of `cloudwatch`: dashboards, one namespace for the account however many Regions serve it.

mod body;
mod dashboards;
mod metric;
mod tags;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::Operation;
use dashboards::Dashboards;

/// The service's name, as botocore spells it.
const SERVICE: &str = "cloudwatch";

/// What this service remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    /// Dashboards by name.
    dashboards: Dashboards,
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[dashboards::OPERATIONS, tags::OPERATIONS];
