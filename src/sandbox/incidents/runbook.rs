//! The runbook of an incident: an automation that Systems Manager runs.

use serde_json::{Value, json};

use super::response_plan::{present, settled};
use crate::sandbox::{Call, Map, State, ssm};

/// Starts the plan's automation and returns the execution's ARN, or why it did not start.
pub(super) fn start(
    state: &mut State,
    call: &mut Call<'_>,
    automation: &Value,
    incident: &str,
    involved: &[String],
) -> Result<String, String> {
    let text = |member: &str| automation.get(member).and_then(Value::as_str);
    let owner = incident.split(':').nth(4).unwrap_or(call.account);
    // AWS does not say whose account it is when the plan does not; most plans have but one.
    let account = match text("targetAccount") {
        Some("IMPACTED_ACCOUNT") => call.account,
        _ => owner,
    };
    let parameters = parameters(automation, incident, involved);
    // An empty version, as an empty string elsewhere, stands for none.
    let input = present([
        ("DocumentName", settled(automation.get("documentName"))),
        (
            "DocumentVersion",
            settled(automation.get("documentVersion")),
        ),
        ("Parameters", settled(Some(&parameters.into()))),
    ]);
    let caller = session(text("roleArn").unwrap_or_default(), account);
    let mut inner = Call {
        account,
        region: call.region,
        caller: &caller,
        input: &input,
        now: call.now,
        rng: call.rng,
    };
    let answer = ssm::automation::start(state, &mut inner).map_err(|fault| fault.message)?;
    let id = answer.get("AutomationExecutionId").and_then(Value::as_str);
    Ok(format!(
        "arn:aws:ssm:{}:{account}:automation-execution/{}",
        call.region,
        id.unwrap_or_default()
    ))
}

/// Incident Manager assumes the plan's role to start the runbook.
fn session(role: &str, account: &str) -> String {
    let account = role.split(':').nth(4).unwrap_or(account);
    let name = role.rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sts::{account}:assumed-role/{name}/IncidentManager")
}

/// The runbook's parameters: the plan's own, and those that the incident fills in.
fn parameters(automation: &Value, incident: &str, involved: &[String]) -> Map {
    let members = |name: &str| automation.get(name).and_then(Value::as_object);
    let mut parameters = members("parameters").cloned().unwrap_or_default();
    for (name, value) in members("dynamicParameters").into_iter().flatten() {
        let value = match value.get("variable").and_then(Value::as_str) {
            Some("INVOLVED_RESOURCES") => json!(involved),
            _ => json!([incident]),
        };
        parameters.insert(name.clone(), value);
    }
    parameters
}
