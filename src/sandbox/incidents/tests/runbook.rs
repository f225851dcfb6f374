//! Runbooks that incidents start.

use serde_json::{Value, json};

use super::World;
use crate::sandbox::ssm;

/// A plan whose runbook is `Repair`, with a parameter of each kind.
fn plan(world: &mut World) -> String {
    let automation = json!({
        "documentName": "Repair",
        "roleArn": "arn:aws:iam::111122223333:role/ops/repair",
        "targetAccount": "RESPONSE_PLAN_OWNER_ACCOUNT",
        "parameters": { "Limit": ["1"] },
        "dynamicParameters": {
            "Incident": { "variable": "INCIDENT_RECORD_ARN" },
            "Resources": { "variable": "INVOLVED_RESOURCES" },
        },
    });
    let input = json!({
        "name": "checkout",
        "incidentTemplate": { "title": "down", "impact": 2 },
        "actions": [{ "ssmAutomation": automation }],
    });
    let answer = world.ok("CreateResponsePlan", &input);
    answer["arn"].as_str().unwrap().to_owned()
}

fn events(world: &mut World, arn: &str, kind: &str) -> Vec<Value> {
    let condition = json!({ "equals": { "stringValues": [kind] } });
    let filter = json!({ "key": "eventType", "condition": condition });
    let input = json!({ "incidentRecordArn": arn, "filters": [filter] });
    let answer = world.ok("ListTimelineEvents", &input);
    answer["eventSummaries"].as_array().unwrap().clone()
}

#[test]
fn runbook_runs_with_the_plans_and_the_incidents_parameters() {
    let mut world = World::active();
    let content = json!({
        "schemaVersion": "0.3",
        "parameters": {
            "Limit": { "type": "String" },
            "Incident": { "type": "String" },
            "Resources": { "type": "StringList" },
        },
        "mainSteps": [{ "name": "wait", "action": "aws:sleep", "inputs": { "Duration": "PT1S" } }],
    });
    let document = json!({
        "Name": "Repair",
        "DocumentType": "Automation",
        "Content": content.to_string(),
    });
    world
        .call_of(ssm::OPERATIONS, "CreateDocument", &document)
        .unwrap();
    let plan = plan(&mut world);
    let bucket = json!({ "type": "INVOLVED_RESOURCE", "value": { "arn": "arn:aws:s3:::bucket" } });
    let input = json!({ "responsePlanArn": plan, "relatedItems": [{ "identifier": bucket }] });
    let arn = world.ok("StartIncident", &input)["incidentRecordArn"].clone();
    let arn = arn.as_str().unwrap();

    let record = world.ok("GetIncidentRecord", &json!({ "arn": arn }));
    let executions = &record["incidentRecord"]["automationExecutions"];
    let execution = executions[0]["ssmExecutionArn"].as_str().unwrap();
    let (prefix, id) = execution.rsplit_once('/').unwrap();
    assert_eq!(
        prefix,
        "arn:aws:ssm:eu-west-1:111122223333:automation-execution"
    );
    let input = json!({ "AutomationExecutionId": id });
    let answer = world.call_of(ssm::OPERATIONS, "GetAutomationExecution", &input);
    let execution = answer.unwrap()["AutomationExecution"].clone();
    assert_eq!(
        execution["Parameters"],
        json!({ "Limit": ["1"], "Incident": [arn], "Resources": ["arn:aws:s3:::bucket"] })
    );
    assert_eq!(
        execution["ExecutedBy"],
        "arn:aws:sts::111122223333:assumed-role/repair/IncidentManager"
    );
    let kind = "SSM Automation Execution Start for Incident";
    assert_eq!(events(&mut world, arn, kind).len(), 1);
}

#[test]
fn runbook_that_does_not_start_is_an_event_and_no_fault() {
    let mut world = World::active();
    let plan = plan(&mut world);
    let arn = world.incident(&plan);
    let record = world.ok("GetIncidentRecord", &json!({ "arn": arn }));
    assert_eq!(record["incidentRecord"]["automationExecutions"], json!([]));
    let kind = "SSM Automation Execution Start Failure for Incident";
    assert_eq!(events(&mut world, &arn, kind).len(), 1);
}
