//! Alarms: metric and composite ones, in one namespace of an account and Region.
//!
//! No metric is ever measured here: a metric alarm keeps the state that it begins with until somebody sets another.

mod actions;
mod check;
mod describe;
mod history;
mod put;
mod rule;
mod state;
mod statistic;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SERVICE;
use crate::sandbox::call::partition;
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

macro_rules! operations {
    ($($access:ident $name:literal => $run:path),+ $(,)?) => {
        pub(super) const OPERATIONS: &[Operation] = &[$(Operation {
            service: SERVICE,
            name: $name,
            access: Access::$access,
            run: $run,
        }),+];
    };
}

operations! {
    Write "PutMetricAlarm" => put::metric,
    Write "PutCompositeAlarm" => put::composite,
    Read "DescribeAlarms" => describe::alarms,
    Read "DescribeAlarmsForMetric" => describe::for_metric,
    Write "DeleteAlarms" => delete,
    Write "EnableAlarmActions" => enable,
    Write "DisableAlarmActions" => disable,
    Write "SetAlarmState" => state::set,
    Read "DescribeAlarmHistory" => history::describe,
}

/// The alarms of one Region, and what happened to them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Alarms {
    by_name: BTreeMap<String, Alarm>,
    /// Oldest first; what was deleted is in it too.
    history: Vec<history::Item>,
}

/// One alarm.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Alarm {
    composite: bool,
    /// Members of the last Put, as they were sent, but for the name and the tags.
    settings: Map,
    pub(super) tags: BTreeMap<String, String>,
    state: String,
    reason: String,
    reason_data: Option<String>,
    configured: f64,
    updated: f64,
    transitioned: f64,
}

impl Alarm {
    fn text(&self, member: &str) -> Option<&str> {
        self.settings.get(member).and_then(Value::as_str)
    }

    fn acts(&self) -> bool {
        self.settings.get("ActionsEnabled") != Some(&Value::Bool(false))
    }

    /// The actions for a state.
    fn actions(&self, state: &str) -> Vec<String> {
        let member = match state {
            "ALARM" => "AlarmActions",
            "OK" => "OKActions",
            _ => "InsufficientDataActions",
        };
        let list = self.settings.get(member).and_then(Value::as_array);
        let list = list.into_iter().flatten();
        list.filter_map(|arn| arn.as_str().map(str::to_owned))
            .collect()
    }

    /// The alarms that a composite one depends on, by name: those in its rule, and its suppressor.
    fn depends_on(&self, call: &Call<'_>) -> Vec<String> {
        let parsed = self.text("AlarmRule").map(rule::parse);
        let named = match &parsed {
            Some(Ok(rule)) => rule.alarms(),
            _ => std::collections::BTreeSet::new(),
        };
        let named = named.into_iter().chain(self.text("ActionsSuppressor"));
        named.map(|alarm| name_of(call, alarm).to_owned()).collect()
    }
}

/// Returns the alarms of the caller's account and Region.
fn of<'s>(state: &'s mut State, call: &Call<'_>) -> &'s mut Alarms {
    let store = &mut state.account(call.account).cloudwatch;
    store.alarms.entry(call.region.to_owned()).or_default()
}

/// Finds an alarm for its tags, by the part of its ARN after the account.
pub(super) fn tagged<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    region: &str,
    resource: &str,
) -> Option<&'s mut BTreeMap<String, String>> {
    let name = resource.strip_prefix("alarm:")?;
    let alarm = of(state, call).by_name.get_mut(name)?;
    (region == call.region).then_some(&mut alarm.tags)
}

fn arn(call: &Call<'_>, name: &str) -> String {
    let partition = partition(call.region);
    let (region, account) = (call.region, call.account);
    format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}")
}

/// Returns the name of an alarm that is referred to by its name or ARN.
fn name_of<'n>(call: &Call<'_>, alarm: &'n str) -> &'n str {
    alarm.strip_prefix(&arn(call, "")).unwrap_or(alarm)
}

/// Makes the fault that alarms answer with where the model names none.
fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("ValidationError", message)
}

fn missing(names: &[&str]) -> Fault {
    let mut fault = Fault::new(
        "ResourceNotFound",
        format!("The alarms {} do not exist", names.join(", ")),
    );
    fault.status = 404;
    fault
}

/// "If you specify any incorrect alarm names, the alarms you specify with correct names are still deleted" (API
/// reference).
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let names = call.strings("AlarmNames");
    let alarms = of(state, call);
    let known = names.iter().filter_map(|name| alarms.by_name.get(name));
    if known.filter(|alarm| alarm.composite).count() > 1 {
        return Err(invalid(
            "The list of alarms to delete can include at most one composite alarm.",
        ));
    }
    // Wording: cloud-custodian issue 7763, aws-nuke issue 462.
    let others = alarms
        .by_name
        .iter()
        .filter(|(name, alarm)| alarm.composite && !names.contains(name));
    let needed: Vec<String> = others
        .flat_map(|(_, other)| other.depends_on(call))
        .collect();
    let held: Vec<&str> = names
        .iter()
        .filter(|name| needed.contains(name))
        .map(String::as_str)
        .collect();
    if !held.is_empty() {
        let them = if held.len() == 1 { "it" } else { "them" };
        return Err(invalid(format!(
            "Cannot delete {} as there are composite alarm(s) depending on {them}.",
            held.join(",")
        )));
    }
    let mut absent = Vec::new();
    for name in &names {
        match alarms.by_name.remove(name) {
            None => absent.push(name.as_str()),
            Some(alarm) => alarms
                .history
                .push(history::configured(call, name, &alarm, "Delete", "deleted")),
        }
    }
    if absent.is_empty() {
        Ok(Map::new())
    } else {
        Err(missing(&absent))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every operation")]
fn enable(state: &mut State, call: &mut Call<'_>) -> Answer {
    switch(state, call, true);
    Ok(Map::new())
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every operation")]
fn disable(state: &mut State, call: &mut Call<'_>) -> Answer {
    switch(state, call, false);
    Ok(Map::new())
}

/// Switches actions on or off. No error is modelled for a name that is not there.
fn switch(state: &mut State, call: &mut Call<'_>, on: bool) {
    let now = call.now_seconds();
    let alarms = of(state, call);
    for name in call.strings("AlarmNames") {
        if let Some(alarm) = alarms.by_name.get_mut(&name) {
            alarm
                .settings
                .insert("ActionsEnabled".to_owned(), on.into());
            alarm.configured = now;
            let item = history::configured(call, &name, alarm, "Update", "updated");
            alarms.history.push(item);
        }
    }
}
