//! Resource policies of response plans: put adds one, and only its id can take it away again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{SERVICE, fault, page, response_plan};
use crate::sandbox::{Access, Answer, Call, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "PutResourcePolicy",
        access: Access::Write,
        run: put,
    },
    Operation {
        service: SERVICE,
        name: "GetResourcePolicies",
        access: Access::Read,
        run: get,
    },
    Operation {
        service: SERVICE,
        name: "DeleteResourcePolicy",
        access: Access::Write,
        run: delete,
    },
];

/// One policy of a plan.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    id: String,
    /// The text as it was sent.
    pub(super) document: String,
    region: String,
}

fn put(state: &mut State, call: &mut Call<'_>) -> Answer {
    let id = call.hex(32);
    let plan = response_plan::find(state, call, call.required("resourceArn"))?;
    let document = call.required("policy");
    let parsed: Value = serde_json::from_str(document)
        .map_err(|_| fault::invalid("The policy is not a JSON document."))?;
    if parsed.get("Statement").is_none_or(Value::is_null) {
        return Err(fault::invalid("The policy has no statement."));
    }
    plan.policies.push(Policy {
        id: id.clone(),
        document: document.to_owned(),
        region: call.region.to_owned(),
    });
    Ok(Map::from_iter([("policyId".to_owned(), Value::from(id))]))
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let plan = response_plan::find(state, call, call.required("resourceArn"))?;
    let policies = plan
        .policies
        .iter()
        .enumerate()
        .map(|(at, policy)| {
            let value = json!({
                "policyDocument": policy.document,
                "policyId": policy.id,
                "ramResourceShareRegion": policy.region,
            });
            (format!("{at:06}"), value)
        })
        .collect();
    page::page(call, "resourcePolicies", policies)
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let id = call.required("policyId");
    let plan = response_plan::find(state, call, call.required("resourceArn"))?;
    let before = plan.policies.len();
    plan.policies.retain(|policy| policy.id != id);
    if plan.policies.len() == before {
        return Err(fault::not_found(
            fault::Kind::ResourcePolicy,
            id,
            "The resource policy does not exist.",
        ));
    }
    Ok(Map::new())
}
