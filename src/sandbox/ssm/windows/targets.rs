//! Targets of maintenance windows.

use serde_json::{Value, json};

use super::super::{invalid, members, operations};
use super::{complete, filtered, merge, page};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many targets a window has: [D] AWS General Reference, Systems Manager quotas.
const MOST: usize = 100;

const FIELDS: &[&str] = &["Targets", "OwnerInformation", "Name", "Description"];

operations! {
    Write "RegisterTargetWithMaintenanceWindow" => register,
    Write "UpdateMaintenanceWindowTarget" => update,
    Read "DescribeMaintenanceWindowTargets" => list,
    Write "DeregisterTargetFromMaintenanceWindow" => deregister,
}

fn register(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let windows = &mut state.ssm(call.account, call.region).windows;
    if let Some(id) = windows.made("target", call)? {
        return Ok(members(json!({ "WindowTargetId": id })));
    }
    let id = call.uuid();
    let window = windows.window_mut(call)?;
    let mut target = members(json!({
        "WindowId": window.id,
        "WindowTargetId": id,
        "ResourceType": call.required("ResourceType"),
    }));
    target.extend(merge(&Map::new(), call, FIELDS));
    check(&target)?;
    if quotas && window.targets.len() >= MOST {
        return Err(Fault::new(
            "ResourceLimitExceededException",
            format!("A maintenance window can have at most {MOST} targets."),
        ));
    }
    window.targets.insert(id.clone(), target);
    windows.remember("target", call, call.required("WindowId"), &id);
    Ok(members(json!({ "WindowTargetId": id })))
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let windows = &mut state.ssm(call.account, call.region).windows;
    let window = windows.window_mut(call)?;
    let id = call.required("WindowTargetId");
    let target = window.targets.get_mut(id).ok_or_else(|| unknown(id))?;
    complete(call, &["Targets"])?;
    let merged = merge(target, call, FIELDS);
    check(&merged)?;
    *target = merged;
    let mut answer = target.clone();
    answer.remove("ResourceType");
    // Empty and not absent: CLI example update-maintenance-window-target.
    for member in ["Name", "Description", "OwnerInformation"] {
        answer.entry(member).or_insert(json!(""));
    }
    Ok(answer)
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let window = state.ssm(call.account, call.region).windows.window(call)?;
    let all = window
        .targets
        .iter()
        .map(|(id, target)| (id.clone(), target.clone()));
    let known = [
        ("Type", "ResourceType"),
        ("WindowTargetId", "WindowTargetId"),
        ("OwnerInformation", "OwnerInformation"),
    ];
    let found = filtered(call, &known, all)?;
    page(call, "DescribeMaintenanceWindowTargets", "Targets", found)
}

fn deregister(state: &mut State, call: &mut Call<'_>) -> Answer {
    let windows = &mut state.ssm(call.account, call.region).windows;
    let window = windows.window_mut(call)?;
    let id = call.required("WindowTargetId").to_owned();
    if !window.targets.contains_key(&id) {
        return Err(unknown(&id));
    }
    let wanted = [json!({ "Key": "WindowTargetIds", "Values": [id] })];
    let user = window.tasks.values().find(|task| overlap(task, &wanted));
    if let Some(task) = user.filter(|_| call.bool("Safe") == Some(true)) {
        let task = task
            .get("WindowTaskId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        return Err(Fault::new(
            "TargetInUseException",
            format!(
                "This Target cannot be deregistered because it is still referenced in Task: {task}"
            ),
        ));
    }
    window.targets.remove(&id);
    let answer = members(json!({ "WindowId": window.id, "WindowTargetId": id }));
    windows.forget(&id);
    Ok(answer)
}

fn unknown(id: &str) -> Fault {
    Fault::new(
        "DoesNotExistException",
        format!("Maintenance window target {id} does not exist"),
    )
}

/// Returns the keys and values of a list of `Target`.
pub(super) fn pairs(targets: Option<&Value>) -> Vec<(&str, Vec<&str>)> {
    let targets = targets.and_then(Value::as_array).into_iter().flatten();
    targets.map(pair_of).collect()
}

fn pair_of(target: &Value) -> (&str, Vec<&str>) {
    let key = target
        .get("Key")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let values = target.get("Values").and_then(Value::as_array);
    let values = values.into_iter().flatten().filter_map(Value::as_str);
    (key, values.collect())
}

/// Says whether a target or a task names one of the values that are looked for, under the same key.
pub(super) fn overlap(item: &Map, wanted: &[Value]) -> bool {
    let named = pairs(item.get("Targets"));
    wanted.iter().map(pair_of).any(|(key, values)| {
        named
            .iter()
            .any(|(other, others)| *other == key && values.iter().any(|v| others.contains(v)))
    })
}

/// Checks what a registered target names. Both texts are AWS's: terraform-provider-aws pull request 9188, and
/// jparnaudeau/terraform-aws-ssm-patch-management issue 14.
fn check(target: &Map) -> Result<(), Fault> {
    let pairs = pairs(target.get("Targets"));
    if let Some((key, _)) = pairs.iter().find(|(_, values)| values.is_empty()) {
        return Err(invalid(format!(
            "Please specify at least one target. Filter values can't be null and {key} is."
        )));
    }
    let groups = target.get("ResourceType").and_then(Value::as_str) == Some("RESOURCE_GROUP");
    let fits = match pairs[..] {
        [] => false,
        [("InstanceIds", _)] => !groups,
        _ => pairs.iter().all(|(key, _)| {
            let group = [
                "resource-groups:Name",
                "resource-groups:ResourceTypeFilters",
            ];
            if groups {
                group.contains(key)
            } else {
                *key == "tag-key" || key.starts_with("tag:")
            }
        }),
    };
    if fits {
        Ok(())
    } else if groups {
        Err(invalid(
            "Targets of the type RESOURCE_GROUP must be specified with \"Key=resource-groups:Name\" or \
             \"Key=resource-groups:ResourceTypeFilters\".",
        ))
    } else {
        Err(invalid(
            "Targets must be specified in one of the following formats: 1) 1 target with \"Key=InstanceIds\" and \
             \"Values=\" a list of up to 50 instance IDs, or 2) Up to 5 targets, each of which can be either \
             \"Key=tag:<key>,Values=<tag_values>\" or \"Key=tag-key,Values=<tag_keys>\", and each with up to 5 unique \
             tag keys/values.",
        ))
    }
}
