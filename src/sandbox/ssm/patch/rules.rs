//! What a patch baseline must say, and what AWS fills in.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::invalid;
use crate::sandbox::{Fault, Map};

/// The members that create and update have in common.
pub(super) const FIELDS: [&str; 11] = [
    "Name",
    "GlobalFilters",
    "ApprovalRules",
    "ApprovedPatches",
    "ApprovedPatchesComplianceLevel",
    "ApprovedPatchesEnableNonSecurity",
    "RejectedPatches",
    "RejectedPatchesAction",
    "Description",
    "Sources",
    "AvailableSecurityUpdatesComplianceStatus",
];

/// Returns what a baseline says of the fields that nobody has set: a read always has these members.
pub(super) fn defaults() -> Map {
    super::members(json!({
        "GlobalFilters": { "PatchFilters": [] },
        "ApprovalRules": { "PatchRules": [] },
        "ApprovedPatches": [],
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
        "ApprovedPatchesEnableNonSecurity": false,
        "RejectedPatches": [],
        "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
        "Sources": [],
    }))
}

/// Checks the fields that a request sends for a baseline of an operating system, and lays them over `fields`.
pub(super) fn merge(fields: &mut Map, system: &str, input: &Map) -> Result<(), Fault> {
    let windows = system == "WINDOWS";
    if input.get("ApprovedPatchesEnableNonSecurity") == Some(&Value::Bool(true)) && windows {
        return Err(invalid(
            "ApprovedPatchesEnableNonSecurity applies to Linux managed nodes only.",
        ));
    }
    if input
        .get("Sources")
        .and_then(Value::as_array)
        .is_some_and(|s| !s.is_empty())
        && windows
    {
        return Err(invalid("Sources apply to Linux managed nodes only."));
    }
    if input.contains_key("AvailableSecurityUpdatesComplianceStatus") && !windows {
        return Err(invalid(
            "AvailableSecurityUpdatesComplianceStatus is supported for Windows Server managed nodes only.",
        ));
    }
    for name in FIELDS {
        let Some(value) = input.get(name) else {
            continue;
        };
        let value = if name == "ApprovalRules" {
            rules(value, windows)?
        } else {
            value.clone()
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(())
}

fn rules(group: &Value, windows: bool) -> Result<Value, Fault> {
    let rules = group.get("PatchRules").and_then(Value::as_array);
    let rules: Vec<Value> = rules
        .into_iter()
        .flatten()
        .map(|rule| filled(rule, windows))
        .collect::<Result<_, _>>()?;
    Ok(json!({ "PatchRules": rules }))
}

/// Checks one approval rule and fills in its defaults.
fn filled(rule: &Value, windows: bool) -> Result<Value, Fault> {
    let days = rule.get("ApproveAfterDays");
    let date = rule.get("ApproveUntilDate").and_then(Value::as_str);
    // Both are optional in the model, and the documentation asks for exactly one of them.
    match (days, date) {
        (Some(_), None) => {}
        (None, Some(text)) if is_date(text) => {}
        (None, Some(text)) => {
            return Err(invalid(format!(
                "ApproveUntilDate {text} is not in the format YYYY-MM-DD."
            )));
        }
        (None, None) => {
            return Err(invalid(
                "A patch rule must include a value for either ApproveAfterDays or ApproveUntilDate.",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(invalid(
                "A patch rule can't include both ApproveAfterDays and ApproveUntilDate.",
            ));
        }
    }
    let security_only = rule.get("EnableNonSecurity") != Some(&Value::Bool(true));
    if windows && !security_only {
        return Err(invalid(
            "EnableNonSecurity applies to Linux managed nodes only.",
        ));
    }
    let mut filled = super::members(json!({
        "PatchFilterGroup": rule.get("PatchFilterGroup"),
        "ComplianceLevel": rule.get("ComplianceLevel").and_then(Value::as_str).unwrap_or("UNSPECIFIED"),
    }));
    super::put(&mut filled, "ApproveAfterDays", days.cloned());
    super::put(&mut filled, "ApproveUntilDate", date);
    filled.insert("EnableNonSecurity".to_owned(), Value::Bool(!security_only));
    Ok(Value::Object(filled))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<Date>().is_ok()
}
