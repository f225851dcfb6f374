//! What a configuration policy may say: [M] `SecurityHubPolicy`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::{catalogue, fault, parameters};
use crate::sandbox::{Call, Fault, Map};

/// Refuses a name with other characters than those that AWS documents: [M] `CreateConfigurationPolicyRequest.Name`.
pub(super) fn name(name: &str) -> Result<(), Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.!*/".contains(c);
    if name.chars().all(fits) {
        return Ok(());
    }
    Err(fault::invalid(format!(
        "Invalid parameter 'Name'. '{name}' has characters that are not permitted."
    )))
}

/// AWS begins so where parts do not go together (terraform-provider-aws #36739); what comes behind it is ours.
fn invalid(why: impl AsRef<str>) -> Fault {
    fault::invalid(format!("Invalid semantics: {}", why.as_ref()))
}

/// Returns the policy of a request as AWS keeps it, if the request has one.
pub(super) fn body(call: &Call<'_>) -> Result<Option<Map>, Fault> {
    let Some(policy) = call.map("ConfigurationPolicy") else {
        return Ok(None);
    };
    let said = policy.get("SecurityHub").and_then(Value::as_object);
    let said = said.ok_or_else(|| invalid("the policy is for no service"))?;
    let enabled = said.get("ServiceEnabled").and_then(Value::as_bool);
    let enabled = enabled.ok_or_else(|| invalid("ServiceEnabled is missing"))?;
    let standards = strings(said, "EnabledStandardIdentifiers");
    let controls = said
        .get("SecurityControlsConfiguration")
        .and_then(Value::as_object);
    let mut body = Map::from_iter([("ServiceEnabled".to_owned(), json!(enabled))]);
    if enabled {
        let standards =
            standards.ok_or_else(|| invalid("EnabledStandardIdentifiers is missing"))?;
        if let Some(unknown) = standards
            .iter()
            .find(|named| catalogue::standard(named, call.region).is_none())
        {
            return Err(fault::invalid(format!("Standard not found: {unknown}")));
        }
        body.insert("EnabledStandardIdentifiers".to_owned(), json!(standards));
        let controls =
            controls.ok_or_else(|| invalid("SecurityControlsConfiguration is missing"))?;
        let controls = configuration(controls)?;
        body.insert("SecurityControlsConfiguration".to_owned(), controls.into());
    } else if standards.is_some_and(|standards| !standards.is_empty()) {
        return Err(invalid(
            "standards cannot be enabled while the service is not",
        ));
    }
    // A configuration of controls is taken beside a service that is off, and not kept.
    Ok(Some(body))
}

/// A list of texts, as the set that it is.
fn strings(map: &Map, member: &str) -> Option<BTreeSet<String>> {
    let list = map.get(member).and_then(Value::as_array)?;
    let texts = list.iter().filter_map(Value::as_str);
    Some(texts.map(str::to_owned).collect())
}

fn configuration(said: &Map) -> Result<Map, Fault> {
    let lists = [
        "EnabledSecurityControlIdentifiers",
        "DisabledSecurityControlIdentifiers",
    ];
    let given: Vec<_> = lists
        .into_iter()
        .filter_map(|name| Some((name, strings(said, name)?)))
        .collect();
    let [(name, list)] = &given[..] else {
        return Err(invalid(format!(
            "just one of {} is given",
            lists.join(" and ")
        )));
    };
    if let Some(unknown) = list.iter().find(|id| catalogue::control(id).is_none()) {
        return Err(fault::invalid(format!(
            "Security control not found: {unknown}"
        )));
    }
    let mut kept = Map::from_iter([((*name).to_owned(), json!(list))]);
    let member = "SecurityControlCustomParameters";
    let custom = said.get(member).and_then(Value::as_array);
    if let Some(custom) = custom.filter(|custom| !custom.is_empty()) {
        for control in custom {
            values(control)?;
        }
        kept.insert(member.to_owned(), json!(custom));
    }
    Ok(kept)
}

/// Returns the control that custom parameters are for, and their values.
pub(super) fn values(custom: &Value) -> Result<(&'static str, BTreeMap<String, Value>), Fault> {
    let named = custom["SecurityControlId"].as_str().unwrap_or_default();
    let control = catalogue::control(named)
        .ok_or_else(|| fault::invalid(format!("Security control not found: {named}")))?;
    let mut values = BTreeMap::new();
    if let Some(said) = custom["Parameters"].as_object() {
        parameters::take(&control, said, &mut values)?;
    }
    Ok((control.id, values))
}
