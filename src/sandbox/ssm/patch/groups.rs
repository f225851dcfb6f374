//! Patch groups: a name and an operating system, registered with one baseline.

use serde_json::{Value, json};

use super::super::{members, operations, put};
use super::{Baseline, check_id, does_not_exist, filters, listing};
use crate::sandbox::{Answer, Call, Fault, State};

/// How many groups one baseline can have.
const MOST: usize = 25;

operations! {
    Write "RegisterPatchBaselineForPatchGroup" => register,
    Write "DeregisterPatchBaselineForPatchGroup" => deregister,
    Read "DescribePatchGroups" => list,
    Read "GetPatchBaselineForPatchGroup" => get,
    Read "DescribePatchGroupState" => describe_state,
}

fn register(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let (named, group) = (call.required("BaselineId"), call.required("PatchGroup"));
    check_id(named)?;
    let patch = &mut state.ssm(call.account, call.region).patch;
    let baseline = patch.find(call, named).ok_or_else(does_not_exist)?;
    if patch
        .groups
        .get(group)
        .is_some_and(|systems| systems.contains_key(&baseline.system))
    {
        return Err(Fault::new(
            "AlreadyExistsException",
            format!(
                "Patch Group baseline already has a baseline registered for OperatingSystem {}.",
                baseline.system
            ),
        ));
    }
    if quotas && patch.groups_of(&baseline).count() >= MOST {
        return Err(Fault::new(
            "ResourceLimitExceededException",
            format!("A patch baseline can have at most {MOST} patch groups."),
        ));
    }
    patch
        .groups
        .entry(group.to_owned())
        .or_default()
        .insert(baseline.system, baseline.id);
    Ok(members(json!({ "BaselineId": named, "PatchGroup": group })))
}

fn deregister(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (named, group) = (call.required("BaselineId"), call.required("PatchGroup"));
    check_id(named)?;
    let patch = &mut state.ssm(call.account, call.region).patch;
    let baseline = patch.find(call, named).ok_or_else(does_not_exist)?;
    let systems = patch.groups.get_mut(group);
    let registered = systems.filter(|systems| systems.get(&baseline.system) == Some(&baseline.id));
    let Some(systems) = registered else {
        return Err(does_not_exist());
    };
    systems.remove(&baseline.system);
    patch.groups.retain(|_, systems| !systems.is_empty());
    Ok(members(json!({ "BaselineId": named, "PatchGroup": group })))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = filters(call, &["NAME_PREFIX", "OPERATING_SYSTEM"])?;
    let patch = &state.ssm(call.account, call.region).patch;
    let mut found: Vec<(&String, Baseline)> = Vec::new();
    for (group, systems) in &patch.groups {
        for (system, id) in systems {
            let wanted = filters.iter().all(|filter| {
                let mut values = filter.values.iter();
                match filter.key.as_str() {
                    "NAME_PREFIX" => values.any(|v| group.starts_with(v.as_str())),
                    _ => values.any(|v| v == system),
                }
            });
            if wanted {
                found.extend(patch.find(call, id).map(|baseline| (group, baseline)));
            }
        }
    }
    let key = |(group, baseline): &(&String, Baseline)| format!("{group}\n{}", baseline.system);
    found.sort_by_key(key);
    let (page, token) = listing("DescribePatchGroups", 50).page(call, found, key)?;
    let shown: Vec<Value> = page
        .iter()
        .map(|(group, baseline)| {
            json!({ "PatchGroup": group, "BaselineIdentity": patch.identity(call, baseline) })
        })
        .collect();
    let mut answer = members(json!({ "Mappings": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

/// Answers the baseline that applies: a group without a registration has its operating system's default.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation answers an `Answer`"
)]
fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let group = call.required("PatchGroup");
    let system = call.str("OperatingSystem").unwrap_or("WINDOWS");
    let patch = &state.ssm(call.account, call.region).patch;
    let registered = patch
        .groups
        .get(group)
        .and_then(|systems| systems.get(system))
        .cloned();
    let id = registered.or_else(|| patch.default_of(call, system));
    let mut answer = members(json!({ "PatchGroup": group, "OperatingSystem": system }));
    put(&mut answer, "BaselineId", id);
    Ok(answer)
}

/// Counts the nodes of a group; there are no nodes here.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation answers an `Answer`"
)]
fn describe_state(_: &mut State, _: &mut Call<'_>) -> Answer {
    Ok([
        "Instances",
        "InstancesWithInstalledPatches",
        "InstancesWithInstalledOtherPatches",
        "InstancesWithInstalledPendingRebootPatches",
        "InstancesWithInstalledRejectedPatches",
        "InstancesWithMissingPatches",
        "InstancesWithFailedPatches",
        "InstancesWithNotApplicablePatches",
        "InstancesWithUnreportedNotApplicablePatches",
        "InstancesWithCriticalNonCompliantPatches",
        "InstancesWithSecurityNonCompliantPatches",
        "InstancesWithOtherNonCompliantPatches",
        "InstancesWithAvailableSecurityUpdates",
    ]
    .into_iter()
    .map(|member| (member.to_owned(), json!(0)))
    .collect())
}
