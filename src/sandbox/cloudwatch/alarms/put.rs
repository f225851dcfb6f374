//! Putting alarms: made, or written over whole while their state and their tags stay.

use serde_json::{Value, json};

use super::{Alarm, check, history, invalid, name_of, of, rule, state};
use crate::sandbox::cloudwatch::tags;
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many alarms a rule names at most, and in how many rules an alarm is (API reference, `PutCompositeAlarm`).
const MOST_CHILDREN: usize = 100;
const MOST_PARENTS: usize = 150;

pub(super) fn metric(state: &mut State, call: &mut Call<'_>) -> Answer {
    check::metric(call, state.settings.quotas)?;
    put(state, call, false)?;
    Ok(Map::new())
}

pub(super) fn composite(state: &mut State, call: &mut Call<'_>) -> Answer {
    check::composite(call)?;
    let rule = rule::parse(call.required("AlarmRule"))
        .map_err(|why| invalid(format!("AlarmRule contains an invalid expression: {why}")))?;
    let own = call.required("AlarmName");
    let quotas = state.settings.quotas;
    let alarms = &of(state, call).by_name;
    let children = rule.alarms();
    // Wording: aws-cloudformation-user-guide issue 911.
    let named = children
        .iter()
        .copied()
        .chain(call.str("ActionsSuppressor"));
    let absent: Vec<&str> = named
        .map(|alarm| name_of(call, alarm))
        .filter(|name| !alarms.contains_key(*name))
        .collect();
    if !absent.is_empty() {
        return Err(invalid(format!(
            "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
            absent.join(", ")
        )));
    }
    if quotas && children.len() > MOST_CHILDREN {
        return Err(invalid(format!(
            "The alarm rule names {} alarms; at most {MOST_CHILDREN} are allowed",
            children.len()
        )));
    }
    for child in children.iter().filter(|_| quotas) {
        let child = name_of(call, child);
        let others = alarms.iter().filter(|(name, other)| {
            *name != own && other.depends_on(call).iter().any(|name| name == child)
        });
        if others.count() >= MOST_PARENTS {
            return Err(Fault::new(
                "LimitExceeded",
                format!("The alarm {child} is in the rules of {MOST_PARENTS} composite alarms"),
            ));
        }
    }
    put(state, call, true)?;
    state::evaluate(state, call);
    Ok(Map::new())
}

fn put(state: &mut State, call: &mut Call<'_>, composite: bool) -> Result<(), Fault> {
    let name = call.required("AlarmName").to_owned();
    let tags = tags::from_input(call.list("Tags"))?;
    let now = call.now_seconds();
    let kept = |(member, value): (&String, &Value)| {
        let rest = !matches!(member.as_str(), "AlarmName" | "Tags") && *value != "";
        rest.then(|| (member.clone(), value.clone()))
    };
    let mut settings: Map = call.input.iter().filter_map(kept).collect();
    for query in settings
        .get_mut("Metrics")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        query.entry("ReturnData").or_insert(json!(true));
    }
    let alarms = of(state, call);
    if let Some(alarm) = alarms.by_name.get_mut(&name) {
        if alarm.composite != composite {
            return Err(invalid(format!(
                "An alarm of another type has the name {name}"
            )));
        }
        // "Its state is left unchanged, but the update completely overwrites the previous configuration"; tags of an
        // update are ignored (API reference).
        alarm.settings = settings;
        alarm.configured = now;
        let item = history::configured(call, &name, alarm, "Update", "updated");
        alarms.history.push(item);
        return Ok(());
    }
    // "For PromQL alarms, the alarm state is instead immediately set to OK" (API reference).
    let first = if settings.contains_key("EvaluationCriteria") {
        "OK"
    } else {
        "INSUFFICIENT_DATA"
    };
    let alarm = Alarm {
        composite,
        settings,
        tags,
        state: first.to_owned(),
        reason: "Unchecked: Initial alarm creation".to_owned(),
        reason_data: None,
        configured: now,
        updated: now,
        transitioned: now,
    };
    let item = history::configured(call, &name, &alarm, "Create", "created");
    alarms.history.push(item);
    alarms.by_name.insert(name, alarm);
    Ok(())
}
