//! Behaviour of `cloudwatch`: dashboards, one namespace for the account however many Regions serve it, and alarms, one
//! namespace for each Region.

mod alarms;
mod body;
mod dashboards;
mod metric;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Operation;
use alarms::Alarms;
use dashboards::Dashboards;

/// The service's name, as botocore spells it.
const SERVICE: &str = "cloudwatch";

/// What this service remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    /// Dashboards by name.
    dashboards: Dashboards,
    /// Alarms by Region.
    alarms: BTreeMap<String, Alarms>,
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] =
    &[dashboards::OPERATIONS, alarms::OPERATIONS, tags::OPERATIONS];
