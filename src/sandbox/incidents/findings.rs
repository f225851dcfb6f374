//! Findings: deployments around the time of an incident. Nothing is deployed here, so there are none.

use serde_json::{Value, json};

use super::response_plan::present;
use super::{SERVICE, incident, page};
use crate::sandbox::{Access, Answer, Call, Fault, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "ListIncidentFindings",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "BatchGetIncidentFindings",
        access: Access::Read,
        run: batch_get,
    },
];

/// Findings are their owner's: plans are shared without them.
fn find(state: &mut State, call: &Call<'_>) -> Result<(), Fault> {
    let arn = call.required("incidentRecordArn");
    match incident::own(state, call, arn) {
        Some(_) => Ok(()),
        None => Err(incident::missing(arn)),
    }
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    find(state, call)?;
    page::page(call, "findings", Vec::new())
}

fn batch_get(state: &mut State, call: &mut Call<'_>) -> Answer {
    find(state, call)?;
    let errors: Vec<Value> = call
        .strings("findingIds")
        .into_iter()
        .map(|id| {
            json!({
                "code": "ResourceNotFoundException",
                "findingId": id,
                "message": "The finding does not exist.",
            })
        })
        .collect();
    Ok(present([
        ("errors", Some(errors.into())),
        ("findings", Some(json!([]))),
    ]))
}
