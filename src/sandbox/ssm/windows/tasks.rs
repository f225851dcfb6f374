//! Tasks of maintenance windows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{arn_in, invalid, members, operations};
use super::{complete, filtered, merge, page, targets};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many tasks a window has: [D] AWS General Reference, Systems Manager quotas.
const MOST: usize = 20;

const FIELDS: &[&str] = &[
    "Targets",
    "TaskArn",
    "ServiceRoleArn",
    "TaskParameters",
    "TaskInvocationParameters",
    "Priority",
    "MaxConcurrency",
    "MaxErrors",
    "LoggingInfo",
    "Name",
    "Description",
    "CutoffBehavior",
    "AlarmConfiguration",
];

/// The member of the invocation's parameters that goes with each type.
const PARAMETERS: [(&str, &str); 4] = [
    ("RUN_COMMAND", "RunCommand"),
    ("AUTOMATION", "Automation"),
    ("STEP_FUNCTIONS", "StepFunctions"),
    ("LAMBDA", "Lambda"),
];

operations! {
    Write "RegisterTaskWithMaintenanceWindow" => register,
    Write "UpdateMaintenanceWindowTask" => update,
    Read "GetMaintenanceWindowTask" => get,
    Read "DescribeMaintenanceWindowTasks" => list,
    Write "DeregisterTaskFromMaintenanceWindow" => deregister,
}

fn register(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let windows = &mut state.ssm(call.account, call.region).windows;
    if let Some(id) = windows.made("task", call)? {
        return Ok(members(json!({ "WindowTaskId": id })));
    }
    let id = call.uuid();
    let window = windows.window_mut(call)?;
    let mut task = members(json!({
        "WindowId": window.id,
        "WindowTaskId": id,
        "TaskType": call.required("TaskType"),
    }));
    task.extend(merge(&Map::new(), call, FIELDS));
    settle(&mut task, call, &window.targets)?;
    if quotas && window.tasks.len() >= MOST {
        return Err(Fault::new(
            "ResourceLimitExceededException",
            format!("A maintenance window can have at most {MOST} tasks."),
        ));
    }
    window.tasks.insert(id.clone(), task);
    windows.remember("task", call, call.required("WindowId"), &id);
    Ok(members(json!({ "WindowTaskId": id })))
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let windows = &mut state.ssm(call.account, call.region).windows;
    let window = windows.window_mut(call)?;
    let id = call.required("WindowTaskId");
    let before = window.tasks.get(id).ok_or_else(|| unknown(id))?;
    complete(call, &["TaskArn"])?;
    let mut task = before.clone();
    if is_targetless(&task) {
        // The placeholders were never the caller's.
        task.remove("MaxConcurrency");
        task.remove("MaxErrors");
    }
    task = merge(&task, call, FIELDS);
    settle(&mut task, call, &window.targets)?;
    window.tasks.insert(id.to_owned(), task.clone());
    task.remove("TaskType");
    Ok(task)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let window = state.ssm(call.account, call.region).windows.window(call)?;
    let id = call.required("WindowTaskId");
    window.tasks.get(id).cloned().ok_or_else(|| unknown(id))
}

/// Lists tasks: without their invocations' parameters, and with the type under another name: [M].
fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let window = state.ssm(call.account, call.region).windows.window(call)?;
    let all = window.tasks.iter().map(|(id, task)| {
        let mut task = task.clone();
        task.remove("TaskInvocationParameters");
        let kind = task.remove("TaskType").unwrap_or_default();
        task.insert("Type".to_owned(), kind);
        (id.clone(), task)
    });
    let known = [
        ("WindowTaskId", "WindowTaskId"),
        ("TaskArn", "TaskArn"),
        ("Priority", "Priority"),
        ("TaskType", "Type"),
    ];
    let found = filtered(call, &known, all)?;
    page(call, "DescribeMaintenanceWindowTasks", "Tasks", found)
}

fn deregister(state: &mut State, call: &mut Call<'_>) -> Answer {
    let windows = &mut state.ssm(call.account, call.region).windows;
    let window = windows.window_mut(call)?;
    let id = call.required("WindowTaskId");
    window.tasks.remove(id).ok_or_else(|| unknown(id))?;
    let answer = members(json!({ "WindowId": window.id, "WindowTaskId": id }));
    windows.forget(id);
    Ok(answer)
}

fn unknown(id: &str) -> Fault {
    Fault::new(
        "DoesNotExistException",
        format!("Maintenance window task {id} does not exist"),
    )
}

fn is_targetless(task: &Map) -> bool {
    targets::pairs(task.get("Targets")).is_empty()
}

/// Checks a task and fills in what AWS answers where nothing was said.
fn settle(
    task: &mut Map,
    call: &Call<'_>,
    registered: &BTreeMap<String, Map>,
) -> Result<(), Fault> {
    check_parameters(task)?;
    check_targets(task, call, registered)?;
    let limits = ["MaxErrors", "MaxConcurrency"];
    if is_targetless(task) {
        let sent = limits.iter().filter(|limit| task.contains_key(**limit));
        let refusals: Vec<String> = sent
            .map(|limit| {
                format!("Maintenance window tasks without targets do not support {limit} values.")
            })
            .collect();
        if !refusals.is_empty() {
            // The text: terraform-provider-aws issue 19396.
            return Err(invalid(refusals.join(" ")));
        }
        // [M] "the system inserts a placeholder value of 1".
        for limit in limits {
            task.insert(limit.to_owned(), json!("1"));
        }
    } else if let Some(limit) = limits.iter().find(|limit| !task.contains_key(**limit)) {
        return Err(invalid(format!(
            "{limit} is required for maintenance window tasks with targets."
        )));
    }
    if let Some(alarms) = task
        .get_mut("AlarmConfiguration")
        .and_then(Value::as_object_mut)
    {
        alarms
            .entry("IgnorePollAlarmFailure")
            .or_insert(json!(false));
    }
    // Without a role it is the service-linked one, which answers name: [D] CLI reference, get-maintenance-window-task.
    let role = arn_in(call.region, call.account, "role");
    let partition = role.split(':').nth(1).unwrap_or("aws");
    let role = format!(
        "arn:{partition}:iam::{}:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM",
        call.account
    );
    for (member, default) in [
        ("Targets", json!([])),
        ("TaskParameters", json!({})),
        ("Priority", json!(0)),
        ("CutoffBehavior", json!("CONTINUE_TASK")),
        ("ServiceRoleArn", json!(role)),
    ] {
        task.entry(member).or_insert(default);
    }
    Ok(())
}

fn check_parameters(task: &Map) -> Result<(), Fault> {
    let kind = task
        .get("TaskType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let sent = task
        .get("TaskInvocationParameters")
        .and_then(Value::as_object);
    let wrong = sent.into_iter().flatten().find(|(member, _)| {
        !PARAMETERS
            .iter()
            .any(|(of, name)| *of == kind && name == member)
    });
    match wrong {
        // [M] "Populate only the fields that match the task type. All other fields should be empty."
        Some((member, _)) => Err(invalid(format!(
            "{member} parameters cannot be specified for a task of the type {kind}."
        ))),
        None => Ok(()),
    }
}

fn check_targets(
    task: &Map,
    call: &Call<'_>,
    registered: &BTreeMap<String, Map>,
) -> Result<(), Fault> {
    let pairs = targets::pairs(task.get("Targets"));
    let command = task.get("TaskType").and_then(Value::as_str) == Some("RUN_COMMAND");
    let wrong = pairs
        .iter()
        .map(|(key, _)| *key)
        .find(|key| !["WindowTargetIds", "InstanceIds"].contains(key));
    if wrong.is_some() || command && pairs.iter().all(|(_, values)| values.is_empty()) {
        // The text: tflint-ruleset-aws issue 524.
        return Err(invalid(format!(
            "{} is an invalid window task target type, use WindowTargetIds or InstanceIds. For Run Command tasks, you \
             must specify at least one resource as the target of the task. You can specify between 1 and 50 instance \
             IDs, or between 1 and 10 maintenance window target IDs",
            wrong.unwrap_or("null")
        )));
    }
    for (key, values) in pairs {
        // A target that went without `Safe` stays named, and stands in the way of nothing.
        if key != "WindowTargetIds" || !call.input.contains_key("Targets") {
            continue;
        }
        if values.len() > 10 {
            // The text: terraform-provider-aws issue 18372.
            return Err(invalid("The maximum number of window targets is 10"));
        }
        if let Some(id) = values.iter().find(|id| !registered.contains_key(**id)) {
            return Err(Fault::new(
                "DoesNotExistException",
                format!("Maintenance window target {id} does not exist"),
            ));
        }
    }
    Ok(())
}
