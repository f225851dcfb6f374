//! Controls as an account has them, with the parameters that somebody changed.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::catalogue::Definition;
use super::{Hub, arn, catalogue, fault, hub, operation, own_hub};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("BatchGetSecurityControls", Access::Read, get),
    operation("UpdateSecurityControl", Access::Write, update),
];

/// A change that nobody watches is over after a while.
const SETTLES_AFTER_SECONDS: f64 = 60.0;

/// How many controls a call reads. The service model says none; clients send a hundred.
const MOST: usize = 100;

/// What somebody changed of a control.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Custom {
    /// Values of parameters, as the service model has them.
    values: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How many reads still see that AWS is taking the change over.
    reads: u32,
    changed: f64,
}

impl Custom {
    /// Values that AWS has taken over.
    pub(super) fn settled(values: BTreeMap<String, Value>, now: f64) -> Self {
        Self {
            values,
            reason: None,
            reads: 0,
            changed: now,
        }
    }

    pub(super) fn settle(&mut self, now: f64) {
        if now - self.changed >= SETTLES_AFTER_SECONDS {
            self.reads = 0;
        }
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        !self.values.is_empty() || self.reason.is_some() || self.reads > 0
    }
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let ids = call.strings("SecurityControlIds");
    if ids.is_empty() || ids.len() > MOST {
        let message = format!("Invalid parameter 'SecurityControlIds'. It has 1 to {MOST} items.");
        return Err(fault::invalid(message));
    }
    let hub = hub(state, call)?;
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    for id in ids {
        match catalogue::control(&id) {
            Some(control) => found.push(answer(hub, call, &control)),
            None => unprocessed.push(json!({
                "SecurityControlId": id,
                "ErrorCode": "RESOURCE_NOT_FOUND",
                "ErrorReason": "The security control does not exist.",
            })),
        }
    }
    let mut answer = Map::from_iter([("SecurityControls".to_owned(), found.into())]);
    if !unprocessed.is_empty() {
        answer.insert("UnprocessedIds".to_owned(), unprocessed.into());
    }
    Ok(answer)
}

fn answer(hub: &mut Hub, call: &Call<'_>, control: &catalogue::Control) -> Value {
    let on = hub.subscriptions.iter().any(|(short, subscription)| {
        let touched = subscription.controls.get(control.id);
        catalogue::named(short).is_some_and(|standard| standard.has(control))
            && touched.is_none_or(|touched| touched.on)
    });
    let mut answer = control.about();
    let arn = arn(call, &format!("security-control/{}", control.id));
    answer.insert("SecurityControlArn".to_owned(), arn.into());
    let status = if on { "ENABLED" } else { "DISABLED" };
    answer.insert("SecurityControlStatus".to_owned(), status.into());
    let custom = hub.parameters.get_mut(control.id);
    let updating = custom.as_ref().is_some_and(|custom| custom.reads > 0);
    let status = if updating { "UPDATING" } else { "READY" };
    answer.insert("UpdateStatus".to_owned(), status.into());
    // Those of a control that has none are an empty map: CLI example batch-get-security-controls.
    let values = custom.as_ref().map(|custom| &custom.values);
    let parameters: Map = control
        .parameters()
        .into_iter()
        .flatten()
        .map(|(name, definition)| {
            let value = values.and_then(|values| values.get(name));
            (name.clone(), configuration(definition, value))
        })
        .collect();
    answer.insert("Parameters".to_owned(), parameters.into());
    if let Some(custom) = custom {
        if let Some(reason) = &custom.reason {
            answer.insert("LastUpdateReason".to_owned(), json!(reason));
        }
        custom.reads = custom.reads.saturating_sub(1);
    }
    answer.into()
}

fn configuration(definition: &Definition, custom: Option<&Value>) -> Value {
    if let Some(value) = custom {
        return json!({"ValueType": "CUSTOM", "Value": value});
    }
    let default = definition.options().and_then(|(kind, options)| {
        let value = options.get("DefaultValue")?;
        Some(json!({kind: value}))
    });
    match default {
        Some(value) => json!({"ValueType": "DEFAULT", "Value": value}),
        None => json!({"ValueType": "DEFAULT"}),
    }
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let reads = state.settings.async_reads;
    let now = call.now_seconds();
    let hub = own_hub(state, call)?;
    let named = call.required("SecurityControlId");
    let control = catalogue::control(named)
        .ok_or_else(|| fault::not_found(format!("{named} does not exist.")))?;
    let id = control.id;
    if hub
        .parameters
        .get(id)
        .is_some_and(|custom| custom.reads > 0)
    {
        return Err(fault::in_use(format!("{id} is being updated.")));
    }
    let mut values = hub
        .parameters
        .get(id)
        .map(|c| c.values.clone())
        .unwrap_or_default();
    if let Some(said) = call.map("Parameters") {
        take(&control, said, &mut values)?;
    }
    let reason = call.str("LastUpdateReason").map(str::to_owned);
    let custom = Custom {
        values,
        reason,
        reads,
        changed: now,
    };
    hub.parameters.insert(id.to_owned(), custom);
    Ok(Map::new())
}

/// Takes over what a request says of the parameters of a control.
pub(super) fn take(
    control: &catalogue::Control,
    said: &Map,
    values: &mut BTreeMap<String, Value>,
) -> Result<(), Fault> {
    let id = control.id;
    let definitions = control
        .parameters()
        .ok_or_else(|| fault::invalid(format!("{id} has no parameters that can be customized.")))?;
    for (name, configuration) in said {
        let definition = definitions.get(name);
        let definition =
            definition.ok_or_else(|| fault::invalid(format!("{id} has no parameter {name}.")))?;
        let value = configuration.get("Value").filter(|value| !value.is_null());
        match (configuration["ValueType"] == "CUSTOM", value) {
            (true, Some(value)) => {
                allowed(definition, value)
                    .map_err(|why| fault::invalid(format!("Parameter {name} of {id}: {why}")))?;
                values.insert(name.clone(), value.clone());
            }
            // [M] `ParameterConfiguration.ValueType`: a value besides DEFAULT is ignored.
            (false, _) => drop(values.remove(name)),
            (true, None) => {
                return Err(fault::invalid(format!(
                    "{name} is CUSTOM and has no value."
                )));
            }
        }
    }
    Ok(())
}

/// Says why a value is not one that the parameter may have.
fn allowed(definition: &Definition, value: &Value) -> Result<(), String> {
    let Some((kind, options)) = definition.options() else {
        return Ok(());
    };
    let Some(value) = value.get(kind).filter(|value| !value.is_null()) else {
        return Err(format!("the value must be of type {kind}"));
    };
    let items: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let most = options
        .get("MaxItems")
        .and_then(Value::as_u64)
        .unwrap_or(u64::MAX);
    if u64::try_from(items.len()).is_ok_and(|count| count > most || count == 0) {
        return Err(format!("it has 1 to {most} items"));
    }
    for item in items {
        let number = item.as_f64().unwrap_or_default();
        let bound = |name: &str| options.get(name).and_then(Value::as_f64);
        if bound("Min").is_some_and(|min| number < min)
            || bound("Max").is_some_and(|max| number > max)
        {
            return Err(format!("{item} is out of range"));
        }
        let words = options.get("AllowedValues").and_then(Value::as_array);
        if words.is_some_and(|words| !words.contains(item)) {
            return Err(format!("{item} is not an allowed value"));
        }
        let pattern = options.get("Re2Expression").and_then(Value::as_str);
        let pattern = pattern.and_then(|pattern| Regex::new(pattern).ok());
        let text = item.as_str().unwrap_or_default();
        if pattern.is_some_and(|pattern| !pattern.is_match(text).unwrap_or(true)) {
            return Err(format!("{item} does not match"));
        }
    }
    Ok(())
}
