//! Labels of parameter versions.

use serde_json::json;

use super::super::{members, operations};
use super::{current, names, no_version, not_found};
use crate::sandbox::{Answer, Call, Fault, State};

/// How many labels one version can have.
const MOST: usize = 10;

operations! {
    Write "LabelParameterVersion" => label,
    Write "UnlabelParameterVersion" => unlabel,
}

fn label(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = current(state, call);
    let name = names::trimmed(call.required("Name"))?;
    let parameter = store
        .parameters
        .get_mut(name)
        .ok_or_else(|| not_found(name))?;
    let number = match call.int("ParameterVersion") {
        Some(number) if number > 0 => number,
        _ => parameter.latest().map_or(0, |v| v.number),
    };
    let Some(version) = parameter.versions.iter().find(|v| v.number == number) else {
        return Err(no_version(&number.to_string(), name));
    };
    let (valid, wrong): (Vec<String>, Vec<String>) = call
        .strings("Labels")
        .into_iter()
        .partition(|label| is_valid(label));
    let mut labels = version.labels.clone();
    for label in &valid {
        if !labels.contains(label) {
            labels.push(label.clone());
        }
    }
    if labels.len() > MOST {
        return Err(Fault::new(
            "ParameterVersionLabelLimitExceeded",
            "A parameter version can have maximum 10 labels. Move one or more labels to another version and try again.",
        ));
    }
    // A label is on one version only: putting it here takes it from where it was.
    for version in &mut parameter.versions {
        if version.number == number {
            version.labels.clone_from(&labels);
        } else {
            version.labels.retain(|label| !valid.contains(label));
        }
    }
    Ok(members(
        json!({ "InvalidLabels": wrong, "ParameterVersion": number }),
    ))
}

fn unlabel(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = current(state, call);
    let name = names::trimmed(call.required("Name"))?;
    let parameter = store
        .parameters
        .get_mut(name)
        .ok_or_else(|| not_found(name))?;
    let number = call.int("ParameterVersion").unwrap_or(0);
    let Some(version) = parameter.versions.iter_mut().find(|v| v.number == number) else {
        return Err(no_version(&number.to_string(), name));
    };
    let (removed, wrong): (Vec<String>, Vec<String>) = call
        .strings("Labels")
        .into_iter()
        .partition(|label| version.labels.contains(label));
    version.labels.retain(|label| !removed.contains(label));
    Ok(members(
        json!({ "RemovedLabels": removed, "InvalidLabels": wrong }),
    ))
}

/// Letters, numbers, periods, hyphens and underscores; not beginning with a number, `aws` or `ssm`.
fn is_valid(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    label
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && !label.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}
