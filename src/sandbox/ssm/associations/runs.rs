//! What runs and how it went, as far as anything does here.

use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{members, operations, put};
use super::{Run, named, unknown};
use crate::sandbox::{Answer, Call, Fault, Map, State};

operations! {
    Write "StartAssociationsOnce" => start,
    Write "UpdateAssociationStatus" => report,
    Read "DescribeAssociationExecutions" => list,
}

fn start(state: &mut State, call: &mut Call<'_>) -> Answer {
    let ids = call.strings("AssociationIds");
    let ids: Vec<String> = ids.iter().map(|id| id.to_ascii_lowercase()).collect();
    let runs: Vec<String> = ids.iter().map(|_| call.uuid()).collect();
    let now = call.now_seconds();
    let associations = &mut state.ssm(call.account, call.region).associations;
    if let Some(id) = ids.iter().find(|id| !associations.contains_key(*id)) {
        return Err(unknown(id));
    }
    for (id, run) in ids.iter().zip(runs) {
        if let Some(association) = associations.get_mut(id) {
            association.begin(run, now);
        }
    }
    Ok(Map::new())
}

/// Takes the report of an agent: [M] "only used for associations created with the `InstanceId` legacy parameter".
fn report(state: &mut State, call: &mut Call<'_>) -> Answer {
    let associations = &mut state.ssm(call.account, call.region).associations;
    let id = named(associations, call)?;
    let Some(association) = associations.get_mut(&id) else {
        return Err(unknown(&id));
    };
    let status = call.input.get("AssociationStatus").cloned();
    if association.status == status {
        return Err(Fault::new("StatusUnchanged", ""));
    }
    association.status = status;
    let answer = association.description(association.versions.len());
    Ok(members(json!({ "AssociationDescription": answer })))
}

/// Lists the runs that began, the newest first.
fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let associations = &state.ssm(call.account, call.region).associations;
    let id = named(associations, call)?;
    let Some(association) = associations.get(&id) else {
        return Err(unknown(&id));
    };
    let runs = association.runs.iter().enumerate().rev();
    let found: Vec<(usize, &Run)> = runs.filter(|(_, run)| is_meant(call, run)).collect();
    let all = association.runs.len();
    let (page, token) =
        Listing::of("DescribeAssociationExecutions")
            .page(call, found, |(at, _)| format!("{:010}", all - at))?;
    let shown: Vec<Map> = page
        .iter()
        .map(|(_, run)| {
            let mut execution = members(json!({
                "AssociationId": id,
                "AssociationVersion": run.version.to_string(),
                "ExecutionId": run.id,
                "Status": STATUS,
                "DetailedStatus": STATUS,
                "CreatedTime": run.at,
            }));
            let alarm = association.newest().get("AlarmConfiguration");
            put(&mut execution, "AlarmConfiguration", alarm.cloned());
            execution
        })
        .collect();
    let mut answer = members(json!({ "AssociationExecutions": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

/// In which state every run stays, for there is no node to end it.
const STATUS: &str = "Pending";

fn is_meant(call: &Call<'_>, run: &Run) -> bool {
    let filters = call.list("Filters").into_iter().flatten();
    filters.into_iter().all(|filter| {
        let text = |member: &str| {
            filter
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (value, kind) = (text("Value"), text("Type"));
        match text("Key") {
            "ExecutionId" => run.id == value,
            "Status" => STATUS == value,
            _ => {
                let Some(moment) = super::list::moment(value) else {
                    return false;
                };
                match kind {
                    "LESS_THAN" => run.at < moment,
                    "GREATER_THAN" => run.at > moment,
                    _ => (run.at - moment).abs() < 1.0,
                }
            }
        }
    })
}
