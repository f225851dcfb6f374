//! Behaviour of Systems Manager: documents, Patch Manager, maintenance windows, associations, Parameter Store, service
//! settings and automations.
//!
//! Everything is regional. What AWS owns (its documents, its patch baselines) is computed and never stored, so that
//! nobody can change it and a saved state stays small.

use crate::sandbox::call::partition;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Fault, Map, Operation, Shelf};

mod associations;
pub(in crate::sandbox) mod automation;
mod documents;
mod paging;
mod parameters;
mod patch;
mod settings;
mod tags;
mod windows;

#[cfg(test)]
mod testing;

/// What this service remembers in one account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    documents: Shelf<documents::Document>,
    associations: associations::Associations,
    patch: patch::Patching,
    parameters: Shelf<parameters::Parameter>,
    /// Tagged parameters that were deleted, with the moment: their names cannot be used again at once.
    stale_names: BTreeMap<String, f64>,
    service_settings: Shelf<settings::Setting>,
    automations: automation::Automations,
    windows: windows::Windows,
    /// Tags by resource type and resource id.
    tags: BTreeMap<String, Shelf<tags::Tags>>,
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[
    documents::create::OPERATIONS,
    documents::read::OPERATIONS,
    documents::versions::OPERATIONS,
    documents::sharing::OPERATIONS,
    documents::review::OPERATIONS,
    tags::OPERATIONS,
    patch::baselines::OPERATIONS,
    patch::defaults::OPERATIONS,
    patch::groups::OPERATIONS,
    parameters::put::OPERATIONS,
    parameters::read::OPERATIONS,
    parameters::describe::OPERATIONS,
    parameters::labels::OPERATIONS,
    parameters::delete::OPERATIONS,
    settings::OPERATIONS,
    automation::OPERATIONS,
    windows::window::OPERATIONS,
    windows::targets::OPERATIONS,
    windows::tasks::OPERATIONS,
    associations::association::OPERATIONS,
    associations::list::OPERATIONS,
    associations::runs::OPERATIONS,
];

/// Declares the operations of one file.
macro_rules! operations {
    ($($access:ident $name:literal => $run:path),+ $(,)?) => {
        pub(in crate::sandbox::ssm) const OPERATIONS: &[crate::sandbox::Operation] = &[$(
            crate::sandbox::Operation {
                service: "ssm",
                name: $name,
                access: crate::sandbox::Access::$access,
                run: $run,
            }
        ),+];
    };
}
use operations;

/// Returns the ARN of something in the caller's account and region.
fn arn(call: &Call<'_>, resource: &str) -> String {
    arn_in(call.region, call.account, resource)
}

/// Returns the ARN of something in a given region and account.
fn arn_in(region: &str, account: &str, resource: &str) -> String {
    let partition = partition(region);
    format!("arn:{partition}:ssm:{region}:{account}:{resource}")
}

/// Makes the fault of a request that breaks a rule which the service model does not express.
fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("ValidationException", message)
}

/// Adds a member when there is a value for it; AWS leaves absent members out of its answers.
fn put<V: Into<Value>>(map: &mut Map, member: &str, value: Option<V>) {
    if let Some(value) = value {
        map.insert(member.to_owned(), value.into());
    }
}

/// Turns the object that `json!` made into an answer's members.
fn members(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
