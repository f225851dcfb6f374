//! Filters of lists: a key, and a condition of the form that fits the key.

use serde_json::Value;

use super::fault;
use crate::sandbox::Fault;

/// One filter as it was sent.
pub(super) struct Condition<'a> {
    pub(super) key: &'a str,
    condition: &'a Value,
}

impl<'a> Condition<'a> {
    pub(super) fn new(filter: &'a Value) -> Self {
        let key = filter.get("key").and_then(Value::as_str);
        Self {
            key: key.unwrap_or_default(),
            condition: filter.get("condition").unwrap_or(&Value::Null),
        }
    }

    /// The moment `before` or `after` which something is.
    pub(super) fn time(&self, member: &str) -> Option<f64> {
        self.condition.get(member).and_then(Value::as_f64)
    }

    pub(super) fn strings(&self) -> Option<Vec<&'a str>> {
        let values = self.condition.pointer("/equals/stringValues")?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).collect())
    }

    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        let values = self
            .condition
            .pointer("/equals/integerValues")?
            .as_array()?;
        Some(values.iter().filter_map(Value::as_i64).collect())
    }

    /// Returns what was made of the condition, or the fault of one that does not fit its key.
    pub(super) fn fits<T>(&self, parsed: Option<T>) -> Result<T, Fault> {
        let key = self.key;
        parsed.ok_or_else(|| fault::invalid(format!("The condition does not fit the key {key}.")))
    }

    /// Returns the fault of a key that such things are not filtered by.
    pub(super) fn unknown(&self, things: &str) -> Fault {
        let key = self.key;
        fault::invalid(format!("{key} is not a key to filter {things} by."))
    }
}
