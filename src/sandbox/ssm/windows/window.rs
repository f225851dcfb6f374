//! Maintenance windows themselves: create, update, read, list, delete.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{invalid, members, operations, put, tags};
use super::{Window, complete, filtered, merge, page, schedule, targets};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many windows an account has in a region: [D] AWS General Reference, Systems Manager quotas.
const MOST: usize = 50;

/// What a request may set and a replacement clears.
const FIELDS: &[&str] = &[
    "Name",
    "Description",
    "StartDate",
    "EndDate",
    "Schedule",
    "ScheduleTimezone",
    "ScheduleOffset",
    "Duration",
    "Cutoff",
    "AllowUnassociatedTargets",
];

const REQUIRED: &[&str] = &[
    "Name",
    "Schedule",
    "Duration",
    "Cutoff",
    "AllowUnassociatedTargets",
];

operations! {
    Write "CreateMaintenanceWindow" => create,
    Write "UpdateMaintenanceWindow" => update,
    Read "GetMaintenanceWindow" => get,
    Read "DescribeMaintenanceWindows" => list,
    Read "DescribeMaintenanceWindowsForTarget" => list_for_target,
    Read "DescribeMaintenanceWindowSchedule" => describe_schedule,
    Write "DeleteMaintenanceWindow" => delete,
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let store = state.ssm(call.account, call.region);
    if let Some(id) = store.windows.made("window", call)? {
        return Ok(members(json!({ "WindowId": id })));
    }
    let mut fields = merge(&Map::new(), call, FIELDS);
    check(&fields)?;
    // There is no way to create one disabled: [M] only the update has the member.
    fields.insert("Enabled".to_owned(), json!(true));
    let sent = tags::sent(call)?;
    if quotas && store.windows.windows.len() >= MOST {
        return Err(Fault::new(
            "ResourceLimitExceededException",
            format!("You can have at most {MOST} maintenance windows."),
        ));
    }
    let id = format!("mw-0{}", call.hex(16));
    let now = call.now_seconds();
    let window = Window {
        id: id.clone(),
        fields,
        created: now,
        modified: now,
        targets: BTreeMap::new(),
        tasks: BTreeMap::new(),
    };
    store.windows.windows.insert(id.clone(), window);
    store.windows.remember("window", call, &id, &id);
    tags::set(store, "MaintenanceWindow", &id, sent);
    Ok(members(json!({ "WindowId": id })))
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let windows = &mut state.ssm(call.account, call.region).windows;
    let window = windows.window_mut(call)?;
    complete(call, REQUIRED)?;
    let mut fields = merge(&window.fields, call, FIELDS);
    check(&fields)?;
    // A replacement that does not say leaves the window on or off: CloudFormation's handler relies on it.
    if let Some(enabled) = call.bool("Enabled") {
        fields.insert("Enabled".to_owned(), json!(enabled));
    }
    window.fields = fields;
    window.modified = call.now_seconds();
    let mut answer = members(json!({ "WindowId": window.id }));
    answer.extend(window.fields.clone());
    Ok(answer)
}

fn check(fields: &Map) -> Result<(), Fault> {
    let text = |member: &str| fields.get(member).and_then(Value::as_str);
    let number = |member: &str| fields.get(member).and_then(Value::as_i64);
    let expression = text("Schedule").unwrap_or_default();
    schedule::check(expression)?;
    if fields.contains_key("ScheduleOffset") && !expression.starts_with("cron(") {
        // [D] user guide, "Cron and rate expressions": offsets go with cron expressions only.
        return Err(invalid(
            "ScheduleOffset is supported for cron expressions only.",
        ));
    }
    if text("ScheduleTimezone").is_some_and(|name| schedule::zone(name).is_none()) {
        return Err(invalid("ScheduleTimezone is not a valid time zone."));
    }
    for member in ["StartDate", "EndDate"] {
        if text(member).is_some_and(|date| !schedule::is_date(date)) {
            return Err(invalid(format!("{member} is not a valid ISO-8601 date.")));
        }
    }
    // [M] from the one date on the window is active, from the other on it is not.
    if let (Some(start), Some(end)) = (text("StartDate"), text("EndDate"))
        && schedule::is_no_span(start, end, text("ScheduleTimezone"))
    {
        return Err(invalid("EndDate must be later than StartDate."));
    }
    let (cutoff, duration) = (
        number("Cutoff").unwrap_or_default(),
        number("Duration").unwrap_or_default(),
    );
    if cutoff >= duration {
        // The text, its spelling included: awsdocs/aws-cloudformation-user-guide issue 891.
        return Err(invalid(format!(
            "Cuttoff was {cutoff} but must be smaller than {} (Duration - 1 )",
            duration - 1
        )));
    }
    Ok(())
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let window = state.ssm(call.account, call.region).windows.window(call)?;
    let mut answer = members(json!({
        "WindowId": window.id,
        "CreatedDate": window.created,
        "ModifiedDate": window.modified,
    }));
    answer.extend(window.fields.clone());
    put(
        &mut answer,
        "NextExecutionTime",
        schedule::next(window, call.now),
    );
    Ok(answer)
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let windows = &state.ssm(call.account, call.region).windows.windows;
    let shown = windows.values().map(|window| {
        let mut identity = members(json!({ "WindowId": window.id }));
        identity.extend(window.fields.clone());
        identity.remove("AllowUnassociatedTargets");
        put(
            &mut identity,
            "NextExecutionTime",
            schedule::next(window, call.now),
        );
        (window.id.clone(), identity)
    });
    let found = filtered(call, &[("Name", "Name"), ("Enabled", "Enabled")], shown)?;
    page(
        call,
        "DescribeMaintenanceWindows",
        "WindowIdentities",
        found,
    )
}

/// Lists the windows in which something is registered in the words of the request; there are no nodes here whose tags
/// could be looked at.
fn list_for_target(state: &mut State, call: &mut Call<'_>) -> Answer {
    let wanted = call.list("Targets").cloned().unwrap_or_default();
    let kind = call.required("ResourceType");
    let windows = &state.ssm(call.account, call.region).windows.windows;
    let found = windows.values().filter(|window| {
        let registered = window
            .targets
            .values()
            .filter(|target| target.get("ResourceType").and_then(Value::as_str) == Some(kind));
        let named = window.tasks.values().filter(|_| kind == "INSTANCE");
        registered
            .chain(named)
            .any(|item| targets::overlap(item, &wanted))
    });
    let found = found.map(|window| {
        let name = window.fields.get("Name").cloned();
        let mut identity = members(json!({ "WindowId": window.id }));
        put(&mut identity, "Name", name);
        (window.id.clone(), identity)
    });
    page(
        call,
        "DescribeMaintenanceWindowsForTarget",
        "WindowIdentities",
        found.collect(),
    )
}

/// Lists the upcoming executions of the windows that are enabled, in the order of time: CLI example
/// describe-maintenance-window-schedule.
fn describe_schedule(state: &mut State, call: &mut Call<'_>) -> Answer {
    if call.list("Targets").is_some() {
        return Err(invalid(
            "The simulation lists the schedule of a window, not that of a target.",
        ));
    }
    let (after, before) = bounds(call)?;
    let from = after.map_or(call.now, |after| after.max(call.now));
    let windows = &state.ssm(call.account, call.region).windows;
    let chosen = match call.str("WindowId") {
        Some(_) => vec![windows.window(call)?],
        None => windows.windows.values().collect(),
    };
    let mut found = Vec::new();
    for window in chosen {
        let name = window.fields.get("Name");
        let upcoming = schedule::upcoming(window, from).into_iter();
        for (time, shown) in upcoming.filter(|(time, _)| before.is_none_or(|end| *time < end)) {
            let key = format!("{:012} {}", time.as_second(), window.id);
            let execution =
                members(json!({ "WindowId": window.id, "Name": name, "ExecutionTime": shown }));
            found.push((key, execution));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    page(
        call,
        "DescribeMaintenanceWindowSchedule",
        "ScheduledWindowExecutions",
        found,
    )
}

/// Reads after and before which moments executions are asked for: the filters of the same example.
fn bounds(call: &Call<'_>) -> Result<(Option<Timestamp>, Option<Timestamp>), Fault> {
    let (mut after, mut before) = (None, None);
    for filter in call.list("Filters").into_iter().flatten() {
        let key = filter["Key"].as_str().unwrap_or_default();
        let bound = match key {
            "ScheduledAfter" => &mut after,
            "ScheduledBefore" => &mut before,
            _ => {
                return Err(invalid(format!(
                    "The filter key {key} is not valid. Valid filter keys are: ScheduledAfter, ScheduledBefore."
                )));
            }
        };
        let value = filter["Values"][0].as_str().unwrap_or_default();
        let moment = schedule::instant(value).ok_or_else(|| {
            invalid(format!(
                "The value of {key} is not a valid ISO-8601 date: {value}."
            ))
        })?;
        *bound = Some(moment);
    }
    Ok((after, before))
}

/// Deletes a window with all that is in it. One that is not there is no error: [M] none is modelled.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation answers an `Answer`"
)]
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = state.ssm(call.account, call.region);
    let id = call.required("WindowId");
    store.windows.windows.remove(id);
    store.windows.forget(id);
    tags::forget(store, "MaintenanceWindow", id);
    Ok(members(json!({ "WindowId": id })))
}
