//! Patch Manager: patch baselines, the default one of each operating system, and patch groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::paging::BadToken;
use super::paging::Listing;
use super::{arn, invalid, members, put};
use crate::sandbox::{Call, Fault, Map, Shelf};

pub(super) mod baselines;
pub(super) mod defaults;
pub(super) mod groups;
mod predefined;
mod rules;

#[cfg(test)]
mod tests;

/// What Patch Manager remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Patching {
    /// The account's own baselines, by id.
    baselines: Shelf<Baseline>,
    /// What was created with which client token: the request's text and the id.
    tokens: Shelf<(String, String)>,
    /// The default baseline of an operating system, where it is not AWS's.
    defaults: BTreeMap<String, String>,
    /// The baseline of a patch group, by group and operating system.
    groups: BTreeMap<String, BTreeMap<String, String>>,
}

/// One patch baseline.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Baseline {
    id: String,
    system: String,
    /// What requests say and answers repeat, with its defaults filled in.
    fields: Map,
    created: f64,
    modified: f64,
}

impl Patching {
    /// Returns whether the account has a baseline with this id of its own.
    pub(super) fn owns(&self, id: &str) -> bool {
        self.baselines.contains_key(id)
    }

    /// Finds a baseline by what a request calls it: the id or ARN of an own one, the ARN of one of AWS's.
    fn find(&self, call: &Call<'_>, named: &str) -> Option<Baseline> {
        let own = own_id(call, named);
        self.baselines.get(own).cloned().or_else(|| {
            predefined::baselines(call.region)
                .into_iter()
                .find(|b| b.id == named)
        })
    }

    fn default_of(&self, call: &Call<'_>, system: &str) -> Option<String> {
        self.defaults
            .get(system)
            .cloned()
            .or_else(|| predefined::default_of(call.region, system))
    }

    fn groups_of<'s>(&'s self, baseline: &'s Baseline) -> impl Iterator<Item = &'s String> {
        self.groups
            .iter()
            .filter(|(_, systems)| systems.get(&baseline.system) == Some(&baseline.id))
            .map(|(group, _)| group)
    }

    /// Returns a `PatchBaselineIdentity`.
    fn identity(&self, call: &Call<'_>, baseline: &Baseline) -> Map {
        let mut map = members(json!({
            "BaselineId": baseline.id,
            "BaselineName": baseline.fields.get("Name"),
            "OperatingSystem": baseline.system,
            "DefaultBaseline": self.default_of(call, &baseline.system).as_ref() == Some(&baseline.id),
        }));
        put(
            &mut map,
            "BaselineDescription",
            baseline.fields.get("Description").cloned(),
        );
        map
    }
}

/// Takes the id out of the ARN of an own baseline; anything else stays as it is.
fn own_id<'n>(call: &Call<'_>, named: &'n str) -> &'n str {
    named
        .strip_prefix(&arn(call, "patchbaseline/"))
        .unwrap_or(named)
}

/// Refuses what cannot be the id or the ARN of a baseline.
fn check_id(named: &str) -> Result<(), Fault> {
    let id = match named.split_once(":patchbaseline/") {
        Some((start, id)) if start.starts_with("arn:") => id,
        Some(_) => "",
        None => named,
    };
    let digits = id.strip_prefix("pb-").unwrap_or_default();
    if digits.len() == 17 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err(Fault::new(
            "InvalidResourceId",
            "The resource ID is not valid.",
        ))
    }
}

fn does_not_exist() -> Fault {
    Fault::new(
        "DoesNotExistException",
        "Patch Baseline to be retrieved does not exist.",
    )
}

/// The listings of Patch Manager have no token error of their own.
fn listing(operation: &str, default: usize) -> Listing<'_> {
    Listing {
        operation,
        default,
        bad_token: BadToken::Unmodelled,
    }
}

/// One condition of a listing.
struct Filter {
    key: String,
    values: Vec<String>,
}

fn filters(call: &Call<'_>, known: &[&str]) -> Result<Vec<Filter>, Fault> {
    let mut filters: Vec<Filter> = Vec::new();
    for filter in call.list("Filters").into_iter().flatten() {
        let key = filter
            .get("Key")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if !known.contains(&key.as_str()) {
            return Err(invalid(format!(
                "The filter key {key} is not valid. Valid filter keys are: {}.",
                known.join(", ")
            )));
        }
        let values = filter
            .get("Values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let values = values
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect();
        filters.push(Filter { key, values });
    }
    Ok(filters)
}
