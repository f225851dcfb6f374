//! Writing a parameter.

use fancy_regex::Regex;
use serde_json::json;

use super::super::{Store, invalid, members, operations, settings, tags};
use super::{Parameter, Version, current, data_types, names, policies};
use crate::sandbox::{Answer, Call, Fault, State};

/// How long the name of a deleted parameter that had tags cannot be used again, in seconds.
const STALE_TAGS_SECONDS: f64 = 30.0;
/// How many versions are kept.
const MOST_VERSIONS: usize = 100;
/// How many parameters of a tier an account has in a region.
const MOST_STANDARD: usize = 10_000;
const MOST_ADVANCED: usize = 100_000;
/// How long a value of a tier can be.
const STANDARD_VALUE: usize = 4096;
const ADVANCED_VALUE: usize = 8192;

operations! {
    Write "PutParameter" => put,
}

fn put(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let name = names::check(call, call.required("Name"))?;
    let overwrite = call.bool("Overwrite").unwrap_or(false);
    let sent = tags::sent(call)?;
    if overwrite && !sent.is_empty() {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
             remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    let value = call.required("Value");
    check_value(value)?;
    let store = current(state, call);
    let existing = store.parameters.get(name);
    if existing.is_some() && !overwrite {
        return Err(Fault::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = kind(call, existing)?;
    let version = version(store, call, existing, &kind)?;
    let (tier, number) = (version.tier.clone(), version.number);
    let answer = Ok(members(json!({ "Version": number, "Tier": tier })));
    check_room(store, existing, name, &tier, quotas)?;
    if existing.is_none() {
        check_stale(store, call, name)?;
    }
    if version.data_type == "aws:ec2:image" && !data_types::image_exists(value) {
        return answer;
    }
    let name = name.to_owned();
    let parameter = store
        .parameters
        .entry(name.clone())
        .or_insert_with(|| Parameter {
            name: name.clone(),
            kind,
            versions: Vec::new(),
        });
    parameter.versions.push(version);
    if parameter.versions.len() > MOST_VERSIONS {
        parameter.versions.remove(0);
    }
    if number == 1 {
        tags::set(store, "Parameter", &name, sent);
    }
    answer
}

fn check_value(value: &str) -> Result<(), Fault> {
    if value.is_empty() {
        return Err(invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length \
             greater than or equal to 1",
        ));
    }
    if value.contains("{{") {
        return Err(invalid(
            "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
        ));
    }
    Ok(())
}

fn kind(call: &Call<'_>, existing: Option<&Parameter>) -> Result<String, Fault> {
    match (call.str("Type"), existing) {
        (None, None) => Err(invalid(
            "A parameter type is required when you create a parameter.",
        )),
        (None, Some(parameter)) => Ok(parameter.kind.clone()),
        (Some(kind), Some(parameter)) if kind != parameter.kind => Err(Fault::new(
            "HierarchyTypeMismatchException",
            format!(
                "The parameter {} exists with type {}. Parameter Store doesn't support changing a parameter type.",
                parameter.name, parameter.kind
            ),
        )),
        (Some(kind), _) => Ok(kind.to_owned()),
    }
}

/// Makes the next version: what the request leaves out stays as it was.
fn version(
    store: &Store,
    call: &Call<'_>,
    existing: Option<&Parameter>,
    kind: &str,
) -> Result<Version, Fault> {
    let before = existing.and_then(Parameter::latest);
    let kept = |member: &str, old: Option<&String>| {
        call.str(member).map(str::to_owned).or_else(|| old.cloned())
    };
    let value = call.required("Value");
    let data_type = kept("DataType", before.map(|v| &v.data_type))
        .filter(|t| !t.is_empty())
        .unwrap_or_else(|| "text".to_owned());
    data_types::check(&data_type, value)?;
    let key = match (kind, call.str("KeyId")) {
        ("SecureString", Some(key)) => Some(key.to_owned()),
        ("SecureString", None) => before
            .and_then(|v| v.key.clone())
            .or_else(|| Some("alias/aws/ssm".to_owned())),
        (_, Some(_)) => {
            return Err(invalid(
                "KeyId can be used with the SecureString type only.",
            ));
        }
        (_, None) => None,
    };
    let allowed_pattern = kept(
        "AllowedPattern",
        before.and_then(|v| v.allowed_pattern.as_ref()),
    );
    if let Some(pattern) = allowed_pattern.as_deref().filter(|p| !p.is_empty()) {
        check_pattern(pattern, value)?;
    }
    let policies = match call.str("Policies") {
        Some(text) => policies::parse(text)?,
        None => before.map(|v| v.policies.clone()).unwrap_or_default(),
    };
    let tier = tier(store, call, before, &data_type, !policies.is_empty())?;
    Ok(Version {
        number: before.map_or(1, |v| v.number + 1),
        value: value.to_owned(),
        key,
        description: kept("Description", before.and_then(|v| v.description.as_ref())),
        allowed_pattern,
        tier,
        data_type,
        policies,
        labels: Vec::new(),
        modified: call.now_seconds(),
        user: call.caller.to_owned(),
    })
}

fn check_pattern(pattern: &str, value: &str) -> Result<(), Fault> {
    let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
        Fault::new(
            "InvalidAllowedPatternException",
            format!("Allowed pattern {pattern} is not a valid regular expression."),
        )
    })?;
    if whole.is_match(value).unwrap_or(false) {
        Ok(())
    } else {
        Err(Fault::new(
            "ParameterPatternMismatchException",
            format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
        ))
    }
}

/// Chooses the tier: what the request says, or the account's default; an advanced parameter stays one.
fn tier(
    store: &Store,
    call: &Call<'_>,
    before: Option<&Version>,
    data_type: &str,
    has_policies: bool,
) -> Result<String, Fault> {
    let was_advanced = before.is_some_and(|v| v.tier == "Advanced");
    let length = call.required("Value").len();
    let full = before.is_none() && count(store, "Standard") >= MOST_STANDARD;
    let demanding =
        length > STANDARD_VALUE || has_policies || data_types::needs_advanced(data_type) || full;
    let asked = call.str("Tier").map_or_else(
        || {
            if was_advanced {
                "Advanced".to_owned()
            } else {
                settings::value(store, settings::PARAMETER_TIER)
            }
        },
        str::to_owned,
    );
    let advanced = match asked.as_str() {
        "Advanced" => true,
        "Intelligent-Tiering" => was_advanced || demanding,
        _ => false,
    };
    if !advanced {
        if was_advanced {
            return Err(invalid(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced \
                 parameter and recreate it as a standard parameter.",
            ));
        }
        if length > STANDARD_VALUE {
            return Err(invalid(format!(
                "Standard tier parameters support a maximum parameter value of {STANDARD_VALUE} characters. To create \
                 a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
            )));
        }
        if has_policies || data_types::needs_advanced(data_type) {
            return Err(invalid(
                "Parameter policies and the data types url, json and jsonc are supported for advanced parameters only.",
            ));
        }
    }
    if length > ADVANCED_VALUE {
        return Err(invalid(format!(
            "Advanced tier parameters support a maximum parameter value of {ADVANCED_VALUE} characters."
        )));
    }
    Ok(if advanced { "Advanced" } else { "Standard" }.to_owned())
}

fn count(store: &Store, tier: &str) -> usize {
    store
        .parameters
        .values()
        .filter(|p| p.latest().is_some_and(|v| v.tier == tier))
        .count()
}

fn check_room(
    store: &Store,
    existing: Option<&Parameter>,
    name: &str,
    tier: &str,
    quotas: bool,
) -> Result<(), Fault> {
    if let Some(parameter) = existing {
        let oldest = parameter
            .versions
            .first()
            .filter(|_| parameter.versions.len() >= MOST_VERSIONS);
        return match oldest {
            Some(oldest) if !oldest.labels.is_empty() => Err(Fault::new(
                "ParameterMaxVersionLimitExceeded",
                format!(
                    "You attempted to create a new version of {name} by calling the PutParameter API with the \
                     overwrite flag. Version {}, the oldest version, can't be deleted because it has a label \
                     associated with it. Move the label to another version of the parameter, and try again.",
                    oldest.number
                ),
            )),
            _ => Ok(()),
        };
    }
    let most = if tier == "Advanced" {
        MOST_ADVANCED
    } else {
        MOST_STANDARD
    };
    if quotas && count(store, tier) >= most {
        return Err(Fault::new(
            "ParameterLimitExceeded",
            "You have exceeded the number of parameters for this AWS account. Delete one or more parameters and try \
             again.",
        ));
    }
    Ok(())
}

/// Refuses a name whose tags AWS has not yet forgotten.
fn check_stale(store: &mut Store, call: &Call<'_>, name: &str) -> Result<(), Fault> {
    let now = call.now_seconds();
    store
        .stale_names
        .retain(|_, deleted| now - *deleted < STALE_TAGS_SECONDS);
    if store.stale_names.contains_key(name) {
        return Err(Fault::new(
            "TooManyUpdates",
            "Parameter creation failed: stale tags associated to the name detected. Please retry in a while.",
        ));
    }
    Ok(())
}
