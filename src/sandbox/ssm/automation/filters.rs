//! Conditions on automation executions.

use jiff::Timestamp;
use serde_json::Value;

use super::super::tags::Tags;
use super::Execution;
use crate::sandbox::{Call, Fault};

/// One condition.
pub(super) struct Filter {
    key: String,
    values: Vec<String>,
}

/// Reads the filters of a request and checks them.
pub(super) fn parse(call: &Call<'_>) -> Result<Vec<Filter>, Fault> {
    let mut filters = Vec::new();
    for filter in call.list("Filters").into_iter().flatten() {
        let key = filter
            .get("Key")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let values = filter
            .get("Values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let values: Vec<String> = values
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect();
        if key.starts_with("StartTime") && values.iter().any(|v| moment(v).is_none()) {
            return Err(Fault::new(
                "InvalidFilterValue",
                format!("The values of {key} must be moments in time."),
            ));
        }
        filters.push(Filter { key, values });
    }
    Ok(filters)
}

impl Filter {
    /// Returns whether an execution meets the condition.
    pub(super) fn matches(&self, execution: &Execution, tags: Option<&Tags>) -> bool {
        let any = |test: &dyn Fn(&str) -> bool| self.values.iter().any(|value| test(value));
        match self.key.as_str() {
            "DocumentNamePrefix" => any(&|v| execution.document.starts_with(v)),
            "ExecutionStatus" => any(&|v| execution.status.name() == v),
            "ExecutionId" => any(&|v| execution.id == v),
            "CurrentAction" => {
                any(&|v| execution.steps.first().is_some_and(|step| step.action == v))
            }
            "StartTimeBefore" => any(&|v| moment(v).is_some_and(|m| execution.started <= m)),
            "StartTimeAfter" => any(&|v| moment(v).is_some_and(|m| execution.started >= m)),
            "AutomationType" => {
                let kind = if execution.is_cross_account() {
                    "CrossAccount"
                } else {
                    "Local"
                };
                any(&|v| kind == v)
            }
            "TagKey" => any(&|v| tags.is_some_and(|tags| tags.contains_key(v))),
            // Nothing here has a parent, a subtype, an OpsItem or a resource group.
            _ => false,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 fit a double exactly"
)]
fn moment(text: &str) -> Option<f64> {
    text.parse::<Timestamp>()
        .ok()
        .map(|moment| moment.as_second() as f64)
}
