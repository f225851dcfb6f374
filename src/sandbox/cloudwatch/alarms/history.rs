//! What happened to alarms. "CloudWatch retains the history of an alarm even if you delete the alarm" (API reference).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{open, seal};
use super::{Alarm, of};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// The size of a page.
const PAGE: i64 = 100;

/// One thing that happened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Item {
    name: String,
    composite: bool,
    at: f64,
    what: String,
    summary: String,
    data: String,
}

fn item(
    call: &Call<'_>,
    name: &str,
    composite: bool,
    what: &str,
    summary: &str,
    data: &Value,
) -> Item {
    Item {
        name: name.to_owned(),
        composite,
        at: call.now_seconds(),
        what: what.to_owned(),
        summary: summary.chars().take(255).collect(),
        data: data.to_string().chars().take(4095).collect(),
    }
}

/// An alarm was made, changed or deleted.
pub(super) fn configured(
    call: &Call<'_>,
    name: &str,
    alarm: &Alarm,
    kind: &str,
    done: &str,
) -> Item {
    let summary = format!("Alarm \"{name}\" {done}");
    let data = json!({ "version": "1.0", "type": kind });
    item(
        call,
        name,
        alarm.composite,
        "ConfigurationUpdate",
        &summary,
        &data,
    )
}

/// An alarm came into another state.
pub(super) fn transitioned(call: &Call<'_>, name: &str, alarm: &Alarm, from: &str) -> Item {
    let summary = format!("Alarm updated from {from} to {}", alarm.state);
    let data = json!({
        "version": "1.0",
        "oldState": { "stateValue": from },
        "newState": { "stateValue": alarm.state, "stateReason": alarm.reason },
    });
    item(call, name, alarm.composite, "StateUpdate", &summary, &data)
}

/// An alarm set something off.
pub(super) fn acted(
    call: &Call<'_>,
    name: &str,
    composite: bool,
    arn: &str,
    failed: Option<&str>,
) -> Item {
    let (summary, state) = match failed {
        None => (format!("Successfully executed action {arn}"), "Succeeded"),
        Some(why) => (format!("Failed to execute action {arn}: {why}"), "Failed"),
    };
    let data = json!({ "actionState": state, "notificationResource": arn, "error": failed });
    item(call, name, composite, "Action", &summary, &data)
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let from = match call.str("NextToken") {
        None => 0,
        Some(token) => open(token)
            .and_then(|text| text.parse::<usize>().ok())
            .ok_or_else(|| Fault::new("InvalidNextToken", "The NextToken is not valid."))?,
    };
    let types = call.strings("AlarmTypes");
    let wanted = |item: &&Item| {
        let kind = if item.composite {
            "CompositeAlarm"
        } else {
            "MetricAlarm"
        };
        // "If you omit this parameter, only metric alarms are returned" (API reference); a name says which alarm it is.
        let of_type = if types.is_empty() {
            !item.composite || call.str("AlarmName").is_some()
        } else {
            types.iter().any(|t| t == kind)
        };
        let time = |member: &str| call.input.get(member).and_then(Value::as_f64);
        of_type
            && call.str("AlarmName").is_none_or(|name| item.name == name)
            && call
                .str("HistoryItemType")
                .is_none_or(|what| item.what == what)
            && time("StartDate").is_none_or(|start| item.at >= start)
            && time("EndDate").is_none_or(|end| item.at <= end)
    };
    let history = &of(state, call).history;
    let mut found: Vec<&Item> = history.iter().filter(wanted).collect();
    if call.str("ScanBy") != Some("TimestampAscending") {
        found.reverse();
    }
    let size = usize::try_from(call.int("MaxRecords").unwrap_or(PAGE)).unwrap_or(1);
    let page: Vec<Value> = found
        .iter()
        .skip(from)
        .take(size)
        .map(|item| shown(item))
        .collect();
    let next = from + page.len();
    let mut answer = Map::from_iter([("AlarmHistoryItems".to_owned(), page.into())]);
    if next < found.len() {
        answer.insert("NextToken".to_owned(), seal(&next.to_string()).into());
    }
    Ok(answer)
}

fn shown(item: &Item) -> Value {
    json!({
        "AlarmName": item.name,
        "AlarmType": if item.composite { "CompositeAlarm" } else { "MetricAlarm" },
        "Timestamp": item.at,
        "HistoryItemType": item.what,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    })
}
