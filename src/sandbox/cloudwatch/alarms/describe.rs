//! Looking at alarms.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Alarm, actions, arn, invalid, of};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// A page of `DescribeAlarms`, when nobody asks for less.
const PAGE: i64 = 100;

/// A page's token is opaque, but remembers the last name shown.
pub(super) fn seal(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("alarms/{text}"))
}

pub(super) fn open(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("alarms/").map(str::to_owned)
}

/// Which relatives of one alarm are asked for, and what is said about them.
enum Relatives {
    Children,
    Parents,
}

pub(super) fn alarms(state: &mut State, call: &mut Call<'_>) -> Answer {
    let relatives = relatives(call)?;
    if call.str("AlarmNamePrefix").is_some() && call.list("AlarmNames").is_some() {
        return Err(invalid(
            "AlarmNames and AlarmNamePrefix must not both be specified",
        ));
    }
    let after = match call.str("NextToken") {
        None => None,
        Some(token) => Some(
            open(token)
                .ok_or_else(|| Fault::new("InvalidNextToken", "The NextToken is not valid."))?,
        ),
    };
    let family = relatives
        .as_ref()
        .map(|(relatives, name)| family(state, call, relatives, name));
    let names = call.list("AlarmNames").map(|_| call.strings("AlarmNames"));
    let mut types = call.strings("AlarmTypes");
    if types.is_empty() {
        // "If you omit this parameter, only metric alarms are returned" (API reference).
        types = vec!["MetricAlarm".to_owned()];
    }
    let wanted = |name: &String, alarm: &Alarm| {
        if let Some(family) = &family {
            return family.contains(name);
        }
        let kind = if alarm.composite {
            "CompositeAlarm"
        } else {
            "MetricAlarm"
        };
        let acts = |prefix: &str| {
            ["ALARM", "OK", "INSUFFICIENT_DATA"]
                .iter()
                .flat_map(|state| alarm.actions(state))
                .any(|arn| arn.starts_with(prefix))
        };
        types.iter().any(|t| t == kind)
            && names.as_ref().is_none_or(|names| names.contains(name))
            && call
                .str("AlarmNamePrefix")
                .is_none_or(|p| name.starts_with(p))
            && call.str("StateValue").is_none_or(|s| alarm.state == s)
            && call.str("ActionPrefix").is_none_or(acts)
    };
    let size = usize::try_from(call.int("MaxRecords").unwrap_or(PAGE)).unwrap_or(1);
    let store = of(state, call);
    let mut found: Vec<String> = store
        .by_name
        .iter()
        .filter(|(name, alarm)| wanted(name, alarm))
        .map(|(name, _)| name.clone())
        .filter(|name| after.as_ref().is_none_or(|after| name > after))
        .collect();
    let more = found.len() > size;
    found.truncate(size);
    let (mut metric, mut composite) = (Vec::new(), Vec::new());
    for name in &found {
        let quiet = actions::suppressed(state, call, name);
        let Some(alarm) = of(state, call).by_name.get(name) else {
            continue;
        };
        let shown = match &relatives {
            None => shown(call, name, alarm, quiet),
            Some((relatives, _)) => briefly(call, name, alarm, relatives),
        };
        let list = if alarm.composite {
            &mut composite
        } else {
            &mut metric
        };
        list.push(shown);
    }
    let mut answer = Map::from_iter([
        ("MetricAlarms".to_owned(), metric.into()),
        ("CompositeAlarms".to_owned(), composite.into()),
    ]);
    if let Some(last) = found.last().filter(|_| more) {
        answer.insert("NextToken".to_owned(), seal(last).into());
    }
    Ok(answer)
}

/// "If you specify `ChildrenOfAlarmName`, you cannot specify any other parameters in the request except for `MaxRecords`
/// and `NextToken`" (API reference), and the same for the parents.
fn relatives(call: &Call<'_>) -> Result<Option<(Relatives, String)>, Fault> {
    let (relatives, member) = if call.str("ChildrenOfAlarmName").is_some() {
        (Relatives::Children, "ChildrenOfAlarmName")
    } else if call.str("ParentsOfAlarmName").is_some() {
        (Relatives::Parents, "ParentsOfAlarmName")
    } else {
        return Ok(None);
    };
    let allowed = [member, "MaxRecords", "NextToken"];
    if call
        .input
        .keys()
        .any(|key| !allowed.contains(&key.as_str()))
    {
        return Err(invalid(format!(
            "{member} can only be specified together with MaxRecords and NextToken"
        )));
    }
    Ok(Some((relatives, call.required(member).to_owned())))
}

fn family(
    state: &mut State,
    call: &Call<'_>,
    relatives: &Relatives,
    name: &str,
) -> BTreeSet<String> {
    let alarms = &of(state, call).by_name;
    let children = |alarm: &Alarm| -> BTreeSet<String> {
        let suppressor = alarm.text("ActionsSuppressor");
        let suppressor = suppressor.map(|alarm| super::name_of(call, alarm));
        let depends = alarm.depends_on(call).into_iter();
        depends
            .filter(|child| suppressor != Some(child.as_str()))
            .collect()
    };
    match relatives {
        Relatives::Children => alarms.get(name).map(children).unwrap_or_default(),
        Relatives::Parents => alarms
            .iter()
            .filter(|(_, alarm)| children(alarm).contains(name))
            .map(|(name, _)| name.clone())
            .collect(),
    }
}

fn briefly(call: &Call<'_>, name: &str, alarm: &Alarm, relatives: &Relatives) -> Value {
    match relatives {
        Relatives::Children => json!({
            "AlarmName": name,
            "AlarmArn": arn(call, name),
            "StateValue": alarm.state,
            "StateUpdatedTimestamp": alarm.updated,
        }),
        Relatives::Parents => json!({ "AlarmName": name, "AlarmArn": arn(call, name) }),
    }
}

/// An alarm as answers show it.
fn shown(call: &Call<'_>, name: &str, alarm: &Alarm, quiet: bool) -> Value {
    let mut shown = alarm.settings.clone();
    shown.insert("AlarmName".to_owned(), name.into());
    shown.insert("AlarmArn".to_owned(), arn(call, name).into());
    shown.entry("ActionsEnabled").or_insert(true.into());
    let lists: &[&str] = if alarm.composite {
        &["AlarmActions", "OKActions", "InsufficientDataActions"]
    } else {
        &[
            "AlarmActions",
            "OKActions",
            "InsufficientDataActions",
            "Dimensions",
        ]
    };
    for list in lists {
        shown.entry(*list).or_insert_with(|| json!([]));
    }
    shown.insert("StateValue".to_owned(), alarm.state.as_str().into());
    shown.insert("StateReason".to_owned(), alarm.reason.as_str().into());
    if let Some(data) = &alarm.reason_data {
        shown.insert("StateReasonData".to_owned(), data.as_str().into());
    }
    shown.insert(
        "AlarmConfigurationUpdatedTimestamp".to_owned(),
        alarm.configured.into(),
    );
    shown.insert("StateUpdatedTimestamp".to_owned(), alarm.updated.into());
    shown.insert(
        "StateTransitionedTimestamp".to_owned(),
        alarm.transitioned.into(),
    );
    if quiet {
        shown.insert("ActionsSuppressedBy".to_owned(), "Alarm".into());
        let suppressor = alarm.text("ActionsSuppressor").unwrap_or_default();
        let reason = format!("Actions suppressed by {suppressor}");
        shown.insert("ActionsSuppressedReason".to_owned(), reason.into());
    }
    shown.into()
}

/// "It does not return alarms based on math expressions that use the specified metric, or composite alarms" (API
/// reference).
#[expect(clippy::unnecessary_wraps, reason = "the form of every operation")]
pub(super) fn for_metric(state: &mut State, call: &mut Call<'_>) -> Answer {
    let pairs = |list: Option<&Vec<Value>>| -> BTreeSet<(String, String)> {
        let text = |of: &Value, member: &str| of[member].as_str().unwrap_or_default().to_owned();
        let list = list.into_iter().flatten();
        list.map(|pair| (text(pair, "Name"), text(pair, "Value")))
            .collect()
    };
    let dimensions = pairs(call.list("Dimensions"));
    let fits = |alarm: &Alarm| {
        let same = |member: &str| {
            call.input
                .get(member)
                .is_none_or(|wanted| alarm.settings.get(member) == Some(wanted))
        };
        [
            "MetricName",
            "Namespace",
            "Statistic",
            "ExtendedStatistic",
            "Period",
            "Unit",
        ]
        .iter()
        .all(|member| same(member))
            && pairs(alarm.settings.get("Dimensions").and_then(Value::as_array)) == dimensions
    };
    let alarms = &of(state, call).by_name;
    let found: Vec<Value> = alarms
        .iter()
        .filter(|(_, alarm)| !alarm.composite && fits(alarm))
        .map(|(name, alarm)| shown(call, name, alarm, false))
        .collect();
    Ok(Map::from_iter([("MetricAlarms".to_owned(), found.into())]))
}
