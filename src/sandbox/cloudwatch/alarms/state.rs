//! The states of alarms: set by hand, and followed by the composite alarms above.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Alarm, actions, history, missing, name_of, of, rule};
use crate::sandbox::{Answer, Call, Fault, Map, State};

pub(super) fn set(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = call.required("AlarmName").to_owned();
    let data = call.str("StateReasonData").map(str::to_owned);
    if data
        .as_deref()
        .is_some_and(|data| !data.is_empty() && serde_json::from_str::<Value>(data).is_err())
    {
        return Err(Fault::new(
            "InvalidFormat",
            "StateReasonData is not valid JSON",
        ));
    }
    let (to, reason) = (
        call.required("StateValue").to_owned(),
        call.required("StateReason").to_owned(),
    );
    if !of(state, call).by_name.contains_key(&name) {
        return Err(missing(&[&name]));
    }
    enter(state, call, &name, &to, reason, data);
    evaluate(state, call);
    Ok(Map::new())
}

/// Brings an alarm into a state, and sets off what it does in it.
fn enter(
    state: &mut State,
    call: &mut Call<'_>,
    name: &str,
    to: &str,
    reason: String,
    data: Option<String>,
) {
    let now = call.now_seconds();
    let alarms = of(state, call);
    let Some(alarm) = alarms.by_name.get_mut(name) else {
        return;
    };
    let from = std::mem::replace(&mut alarm.state, to.to_owned());
    alarm.reason = reason;
    alarm.reason_data = data;
    alarm.updated = now;
    if from == to {
        return;
    }
    alarm.transitioned = now;
    let item = history::transitioned(call, name, alarm, &from);
    alarms.history.push(item);
    actions::act(state, call, name);
}

/// Lets every composite alarm follow the alarms in its rule, from the bottom up.
///
/// "The evaluation of composite alarms stops if CloudWatch detects a cycle in the evaluation path" (API reference): an
/// alarm that is or depends on a part of a circle keeps its state.
pub(super) fn evaluate(state: &mut State, call: &mut Call<'_>) {
    let alarms = &of(state, call).by_name;
    let composite: Vec<(String, Vec<String>)> = alarms
        .iter()
        .filter(|(_, alarm)| alarm.composite)
        .map(|(name, alarm)| (name.clone(), in_rule(call, alarm)))
        .collect();
    let mut open: BTreeSet<&str> = composite.iter().map(|(name, _)| name.as_str()).collect();
    while let Some((name, _)) = composite.iter().find(|(name, children)| {
        open.contains(name.as_str()) && !children.iter().any(|child| open.contains(child.as_str()))
    }) {
        open.remove(name.as_str());
        follow(state, call, name);
    }
}

fn in_rule(call: &Call<'_>, alarm: &Alarm) -> Vec<String> {
    match alarm.text("AlarmRule").map(rule::parse) {
        Some(Ok(rule)) => rule
            .alarms()
            .into_iter()
            .map(|alarm| name_of(call, alarm).to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

fn follow(state: &mut State, call: &mut Call<'_>, name: &str) {
    let alarms = &of(state, call).by_name;
    let Some(alarm) = alarms.get(name) else {
        return;
    };
    let Some(Ok(rule)) = alarm.text("AlarmRule").map(rule::parse) else {
        return;
    };
    let of_child = |child: &str| {
        let child = alarms.get(name_of(call, child));
        child.map_or_else(String::new, |child| child.state.clone())
    };
    let to = if rule.holds(&of_child) { "ALARM" } else { "OK" };
    if alarm.state == to {
        return;
    }
    let rule = alarm.text("AlarmRule").unwrap_or_default();
    let reason = format!(
        "{} was evaluated: {rule} makes it {to}",
        super::arn(call, name)
    );
    let children: Vec<Value> = in_rule(call, alarm)
        .iter()
        .map(|child| json!({ "arn": super::arn(call, child), "state": { "value": of_child(child) } }))
        .collect();
    let data = json!({ "triggeringAlarms": children }).to_string();
    let reason = reason.chars().take(1023).collect();
    let data = (data.len() <= 4000).then_some(data);
    enter(state, call, name, to, reason, data);
}
