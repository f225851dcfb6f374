//! What AWS refuses of a rule besides what its model says.

use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::Value;

use crate::sandbox::Map;

/// The criteria that take a hundred filters, others take twenty: [M] `AutomationRulesFindingFilters`, "Array Members".
const HUNDRED: [&str; 4] = ["AwsAccountId", "GeneratorId", "Title", "ResourceId"];

/// [D] API reference, "Timestamps".
static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d(:?\d\d)?)$";
    Regex::new(pattern).expect("a fixed pattern")
});

/// Checks what a request says of a rule, and says why it is refused.
pub(super) fn check(said: &Map) -> Result<(), String> {
    let Some(criteria) = said.get("Criteria").and_then(Value::as_object) else {
        return Ok(());
    };
    // [D] user guide: "one or more rule criteria".
    if criteria.is_empty() {
        return Err("Invalid parameter 'Criteria'. A rule has at least one.".to_owned());
    }
    for (field, filters) in criteria {
        let filters = filters.as_array().map(Vec::as_slice).unwrap_or_default();
        let most = if HUNDRED.contains(&field.as_str()) {
            100
        } else {
            20
        };
        let why = if filters.is_empty() || filters.len() > most {
            Some(format!("It has 1 to {most} items"))
        } else {
            clash(filters).or_else(|| filters.iter().find_map(untimely))
        };
        if let Some(why) = why {
            return Err(format!("Invalid parameter 'Criteria.{field}'. {why}."));
        }
    }
    Ok(())
}

/// [M] `StringFilter`, `MapFilter`, `Comparison`: what goes together on a field, and what no rule knows.
fn clash(filters: &[Value]) -> Option<String> {
    let comparisons: Vec<&str> = filters
        .iter()
        .filter_map(|filter| filter["Comparison"].as_str())
        .collect();
    if comparisons.contains(&"CONTAINS_WORD") {
        return Some("CONTAINS_WORD is not supported in automation rules".to_owned());
    }
    for alone in ["CONTAINS", "NOT_CONTAINS"] {
        let other = comparisons.iter().find(|other| **other != alone);
        if let Some(other) = other.filter(|_| comparisons.contains(&alone)) {
            return Some(format!("{alone} and {other} can not be combined"));
        }
    }
    ["NOT_EQUALS", "PREFIX_NOT_EQUALS"]
        .into_iter()
        .find(|other| comparisons.contains(other) && comparisons.contains(&"EQUALS"))
        .map(|other| format!("EQUALS and {other} can not be combined"))
}

fn untimely(filter: &Value) -> Option<String> {
    let said = ["Start", "End"]
        .into_iter()
        .filter_map(|end| filter[end].as_str());
    said.filter(|text| !TIMESTAMP.is_match(text).unwrap_or(false))
        .map(|text| format!("'{text}' is not a valid timestamp"))
        .next()
}
