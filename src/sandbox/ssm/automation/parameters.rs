//! The parameters that a document is run with, against those that it declares.

use fancy_regex::Regex;
use serde_json::Value;

use crate::sandbox::{Call, Fault};

/// Checks that every parameter is known, valid, and there if it has no default.
pub(super) fn check(call: &Call<'_>, body: &Value) -> Result<(), Fault> {
    let wrong =
        |message: String| Fault::new("InvalidAutomationExecutionParametersException", message);
    let declared = body.get("parameters").and_then(Value::as_object);
    let sent = call.map("Parameters");
    for (name, values) in sent.into_iter().flatten() {
        let Some(parameter) = declared.and_then(|all| all.get(name)) else {
            return Err(wrong(format!(
                "Parameter \"{name}\" is not declared in the runbook."
            )));
        };
        let values: Vec<&str> = values
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        check_values(name, parameter, &values).map_err(wrong)?;
    }
    // A parameter that stands for the targets gets its values from them.
    let from_targets = |name: &str| call.str("TargetParameterName") == Some(name);
    let mapped = |name: &str| {
        let maps = call.list("TargetMaps").into_iter().flatten();
        maps.filter_map(Value::as_object)
            .any(|map| map.contains_key(name))
    };
    let missing = declared.into_iter().flatten().find(|(name, parameter)| {
        parameter.get("default").is_none()
            && !sent.is_some_and(|map| map.contains_key(*name))
            && !from_targets(name)
            && !mapped(name)
    });
    match missing {
        Some((name, _)) => Err(wrong(format!(
            "Parameter \"{name}\" is required and has no value."
        ))),
        None => Ok(()),
    }
}

/// Checks the values of one parameter.
pub(in crate::sandbox::ssm) fn check_values(
    name: &str,
    parameter: &Value,
    values: &[&str],
) -> Result<(), String> {
    let is_list = parameter
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List") || kind.starts_with("List<"));
    if !is_list && values.len() != 1 {
        return Err(format!(
            "Parameter \"{name}\" takes one value, and has {}.",
            values.len()
        ));
    }
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items
            .map(|item| {
                item.as_str()
                    .map_or_else(|| item.to_string(), str::to_owned)
            })
            .collect()
    };
    if let Some(allowed) = parameter.get("allowedValues").map(texts)
        && let Some(value) = values.iter().find(|v| !allowed.iter().any(|a| a == *v))
    {
        // Seen from AWS: CrowdStrike/aws-ssm-distributor #100.
        return Err(format!(
            "Parameter \"{name}\" has value \"{value}\" not found in [{}].",
            allowed.join(", ")
        ));
    }
    if let Some(pattern) = parameter.get("allowedPattern").and_then(Value::as_str)
        && let Ok(whole) = Regex::new(&format!("^(?:{pattern})$"))
        && let Some(value) = values.iter().find(|v| !whole.is_match(v).unwrap_or(true))
    {
        return Err(format!(
            "Parameter \"{name}\" has value \"{value}\" that does not match {pattern}."
        ));
    }
    Ok(())
}
