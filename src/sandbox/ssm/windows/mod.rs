//! Maintenance windows with their targets and tasks. No window ever opens: nothing is run, and no executions are
//! claimed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::paging::{BadToken, Listing};
use super::{invalid, members};
use crate::sandbox::{Answer, Call, Fault, Map};

mod schedule;
pub(super) mod targets;
pub(super) mod tasks;
#[cfg(test)]
mod tests;
pub(super) mod window;

/// What Maintenance Windows remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Windows {
    windows: BTreeMap<String, Window>,
    /// What was made with which client token, by operation and token.
    tokens: BTreeMap<String, Made>,
}

/// What a client token stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    request: String,
    /// The window, or the window that has the target or the task.
    window: String,
    id: String,
}

/// One maintenance window.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Window {
    id: String,
    /// What requests say and answers repeat.
    fields: Map,
    created: f64,
    modified: f64,
    targets: BTreeMap<String, Map>,
    tasks: BTreeMap<String, Map>,
}

impl Windows {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.windows.contains_key(id)
    }

    /// Returns the window that a request names.
    fn window(&self, call: &Call<'_>) -> Result<&Window, Fault> {
        let id = call.required("WindowId");
        self.windows.get(id).ok_or_else(|| unknown(id))
    }

    fn window_mut(&mut self, call: &Call<'_>) -> Result<&mut Window, Fault> {
        let id = call.required("WindowId");
        self.windows.get_mut(id).ok_or_else(|| unknown(id))
    }

    /// Returns what an earlier request with the same token made.
    fn made(&self, operation: &str, call: &Call<'_>) -> Result<Option<&str>, Fault> {
        let made = call
            .str("ClientToken")
            .and_then(|token| self.tokens.get(&format!("{operation} {token}")));
        match made {
            None => Ok(None),
            Some(made) if made.request == request(call) => Ok(Some(&made.id)),
            Some(_) => Err(Fault::new(
                "IdempotentParameterMismatch",
                "The client token was used before with other parameters.",
            )),
        }
    }

    fn remember(&mut self, operation: &str, call: &Call<'_>, window: &str, id: &str) {
        if let Some(token) = call.str("ClientToken") {
            let made = Made {
                request: request(call),
                window: window.to_owned(),
                id: id.to_owned(),
            };
            self.tokens.insert(format!("{operation} {token}"), made);
        }
    }

    /// A token stands for what it made: without that, the next request makes another.
    fn forget(&mut self, id: &str) {
        self.tokens
            .retain(|_, made| made.id != id && made.window != id);
    }
}

/// Returns a request in the form in which two are compared.
fn request(call: &Call<'_>) -> String {
    let mut request = call.input.clone();
    request.remove("ClientToken");
    request.sort_keys();
    Value::Object(request).to_string()
}

fn unknown(id: &str) -> Fault {
    Fault::new(
        "DoesNotExistException",
        format!("Maintenance window {id} does not exist"),
    )
}

/// Writes over `fields` what a request sends of `names`; with `Replace` the rest goes.
fn merge(fields: &Map, call: &Call<'_>, names: &[&str]) -> Map {
    let mut fields = fields.clone();
    for name in names {
        match call.input.get(*name) {
            Some(value) => drop(fields.insert((*name).to_owned(), value.clone())),
            None if call.bool("Replace") == Some(true) => drop(fields.remove(*name)),
            None => {}
        }
    }
    fields
}

/// Refuses a replacement that lacks what creating requires.
fn complete(call: &Call<'_>, required: &[&str]) -> Result<(), Fault> {
    let replaces = call.bool("Replace") == Some(true);
    match required
        .iter()
        .find(|name| replaces && !call.input.contains_key(**name))
    {
        Some(name) => Err(invalid(format!("{name} is required when Replace is true."))),
        None => Ok(()),
    }
}

/// Answers a page of items, each under the key it is sorted by. These listings model no token error.
fn page(call: &Call<'_>, operation: &str, member: &str, items: Vec<(String, Map)>) -> Answer {
    let listing = Listing {
        operation,
        default: 50,
        bad_token: BadToken::Unmodelled,
    };
    let (page, token) = listing.page(call, items, |(key, _)| key.clone())?;
    let shown: Vec<Map> = page.into_iter().map(|(_, item)| item).collect();
    let mut answer = members(json!({ member: shown }));
    super::put(&mut answer, "NextToken", token);
    Ok(answer)
}

/// Keeps what the `Filters` of a request let through: each must find one of its values in the member it is about.
fn filtered(
    call: &Call<'_>,
    known: &[(&str, &str)],
    items: impl Iterator<Item = (String, Map)>,
) -> Result<Vec<(String, Map)>, Fault> {
    let mut filters = Vec::new();
    for filter in call.list("Filters").into_iter().flatten() {
        let key = filter["Key"].as_str().unwrap_or_default();
        let Some((_, member)) = known.iter().find(|(name, _)| *name == key) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            return Err(invalid(format!(
                "The filter key {key} is not valid. Valid filter keys are: {}.",
                names.join(", ")
            )));
        };
        let values = filter["Values"].as_array().cloned().unwrap_or_default();
        filters.push((*member, values));
    }
    let holds = |item: &Map| {
        filters.iter().all(|(member, values)| {
            let text = match item.get(*member) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => return false,
            };
            // `Enabled=True` is how the documentation writes it.
            values
                .iter()
                .filter_map(Value::as_str)
                .any(|value| value == text || value.to_ascii_lowercase() == text)
        })
    };
    Ok(items.filter(|(_, item)| holds(item)).collect())
}
