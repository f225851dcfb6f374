use serde_json::{Value, json};

use crate::sandbox::ssm::testing::{ACCOUNT, Aws};

const RUNBOOK: &str = r#"{
  "schemaVersion": "0.3",
  "parameters": {
    "Action": { "type": "String", "allowedValues": ["Install", "Uninstall"] },
    "Hosts": { "type": "StringList", "default": [] }
  },
  "mainSteps": [
    { "name": "first", "action": "aws:sleep", "timeoutSeconds": 60, "inputs": { "Duration": "PT1S" } },
    { "name": "second", "action": "aws:pause", "onFailure": "Continue", "inputs": {} }
  ]
}"#;

fn with_runbook() -> Aws {
    let mut aws = Aws::new();
    aws.ok(
        "CreateDocument",
        json!({ "Name": "book", "Content": RUNBOOK, "DocumentType": "Automation" }),
    );
    aws
}

fn input() -> Value {
    json!({ "DocumentName": "book", "Parameters": { "Action": ["Install"] } })
}

fn start(aws: &mut Aws) -> Value {
    aws.ok("StartAutomationExecution", input())
}

#[test]
fn an_execution_is_in_progress_and_then_succeeds() {
    let mut aws = with_runbook();
    let id = start(&mut aws);
    let running = aws.ok("GetAutomationExecution", id.clone())["AutomationExecution"].clone();
    assert_eq!(running["AutomationExecutionStatus"], "InProgress");
    assert_eq!(running["DocumentName"], "book");
    assert_eq!(running["DocumentVersion"], "1");
    assert_eq!(running["CurrentStepName"], "first");
    assert_eq!(
        running["ExecutedBy"],
        format!("arn:aws:iam::{ACCOUNT}:user/kayoko")
    );
    assert_eq!(running["Parameters"], json!({ "Action": ["Install"] }));
    let steps = running["StepExecutions"].as_array().unwrap();
    assert_eq!(
        (&steps[0]["StepName"], &steps[0]["Action"]),
        (&json!("first"), &json!("aws:sleep"))
    );
    assert_eq!(
        (&steps[0]["StepStatus"], &steps[1]["StepStatus"]),
        (&json!("InProgress"), &json!("Pending"))
    );
    assert_eq!(
        (&steps[0]["NextStep"], &steps[1]["OnFailure"]),
        (&json!("second"), &json!("Continue"))
    );
    let done = aws.ok("GetAutomationExecution", id)["AutomationExecution"].clone();
    assert_eq!(done["AutomationExecutionStatus"], "Success");
    assert!(done["ExecutionEndTime"].is_number());
    assert_eq!(done["StepExecutions"][1]["StepStatus"], "Success");
    // Nothing is put out; the members that AWS's examples show empty are there.
    let step = &done["StepExecutions"][0];
    assert_eq!(
        (&done["Outputs"], &step["OverriddenParameters"]),
        (&json!({}), &json!({}))
    );
    assert_eq!(step.get("Outputs"), None);
    let listed = aws.ok("DescribeAutomationExecutions", json!({}));
    let listed = &listed["AutomationExecutionMetadataList"][0];
    assert_eq!(listed["Outputs"], json!({}));
}

#[test]
fn the_runbook_must_exist_in_that_version() {
    let mut aws = with_runbook();
    let mut code = |input: Value| aws.err("StartAutomationExecution", input);
    assert_eq!(
        code(json!({ "DocumentName": "nothing" })),
        "AutomationDefinitionNotFoundException"
    );
    assert_eq!(
        code(json!({ "DocumentName": "AWS-RunShellScript" })),
        "AutomationDefinitionNotFoundException"
    );
    assert_eq!(
        code(json!({ "DocumentName": "book", "DocumentVersion": "9" })),
        "AutomationDefinitionVersionNotFoundException"
    );
}

#[test]
fn parameters_must_match_the_runbook() {
    let mut aws = with_runbook();
    let mut code = |parameters: Value| {
        aws.err(
            "StartAutomationExecution",
            json!({ "DocumentName": "book", "Parameters": parameters }),
        )
    };
    for parameters in [
        json!({ "Hosts": ["a"] }),
        json!({ "Action": ["install"] }),
        json!({ "Action": ["Install", "Uninstall"] }),
        json!({ "Action": ["Install"], "Other": ["x"] }),
    ] {
        assert_eq!(
            code(parameters),
            "InvalidAutomationExecutionParametersException"
        );
    }
}

#[test]
fn a_runbook_of_aws_can_be_run() {
    let mut aws = Aws::new();
    let input = json!({ "DocumentName": "AWS-RestartEC2Instance", "Parameters": { "InstanceId": ["i-0a", "i-0b"] } });
    aws.ok("StartAutomationExecution", input);
    aws.ok(
        "StartAutomationExecution",
        json!({ "DocumentName": "AWSIncidents-CriticalIncidentRunbookTemplate" }),
    );
}

#[test]
fn a_client_token_starts_one_execution() {
    let mut aws = with_runbook();
    let mut with_token = input();
    with_token["ClientToken"] = json!("0b0b0b0b-1111-2222-3333-444444444444");
    let first = aws.ok("StartAutomationExecution", with_token.clone());
    assert_eq!(
        aws.ok("StartAutomationExecution", with_token.clone()),
        first
    );
    with_token["Mode"] = json!("Interactive");
    assert_eq!(
        aws.err("StartAutomationExecution", with_token),
        "IdempotentParameterMismatch"
    );
}

#[test]
fn an_execution_can_be_stopped_while_it_runs() {
    let mut aws = with_runbook();
    let id = start(&mut aws);
    aws.ok("StopAutomationExecution", id.clone());
    let status = |aws: &mut Aws| {
        aws.ok("GetAutomationExecution", id.clone())["AutomationExecution"]["AutomationExecutionStatus"].clone()
    };
    assert_eq!(status(&mut aws), "Cancelling");
    assert_eq!(status(&mut aws), "Cancelled");
    assert_eq!(
        aws.err("StopAutomationExecution", id.clone()),
        "InvalidAutomationStatusUpdateException"
    );
    let unknown = json!({ "AutomationExecutionId": "00000000-0000-0000-0000-000000000000" });
    for operation in ["GetAutomationExecution", "StopAutomationExecution"] {
        assert_eq!(
            aws.err(operation, unknown.clone()),
            "AutomationExecutionNotFoundException"
        );
    }
}

#[test]
fn executions_are_listed_newest_first_with_filters() {
    let mut aws = with_runbook();
    let mut ids = Vec::new();
    for _ in 0..3 {
        aws.wait(60);
        ids.push(start(&mut aws)["AutomationExecutionId"].clone());
    }
    let listed = |output: &Value| -> Vec<Value> {
        let list = output["AutomationExecutionMetadataList"]
            .as_array()
            .unwrap();
        list.iter()
            .map(|e| e["AutomationExecutionId"].clone())
            .collect()
    };
    let first = aws.ok("DescribeAutomationExecutions", json!({ "MaxResults": 2 }));
    assert_eq!(listed(&first), [ids[2].clone(), ids[1].clone()]);
    let rest = aws.ok(
        "DescribeAutomationExecutions",
        json!({ "NextToken": first["NextToken"] }),
    );
    assert_eq!(listed(&rest), [ids[0].clone()]);
    let mut count = |key: &str, value: &str| {
        let filters = json!([{ "Key": key, "Values": [value] }]);
        listed(&aws.ok(
            "DescribeAutomationExecutions",
            json!({ "Filters": filters }),
        ))
        .len()
    };
    assert_eq!(count("DocumentNamePrefix", "bo"), 3);
    assert_eq!(count("DocumentNamePrefix", "x"), 0);
    assert_eq!(count("ExecutionStatus", "Success"), 3);
    assert_eq!(count("StartTimeAfter", "2026-05-04T10:02:00Z"), 2);
    assert_eq!(count("AutomationType", "Local"), 3);
}

#[test]
fn an_execution_can_have_five_tags_at_its_start() {
    let mut aws = with_runbook();
    let tags = |n: usize| -> Vec<Value> {
        (0..n)
            .map(|n| json!({ "Key": format!("k{n}"), "Value": "" }))
            .collect()
    };
    let mut tagged = input();
    tagged["Tags"] = json!(tags(6));
    assert_eq!(
        aws.err("StartAutomationExecution", tagged.clone()),
        "ValidationException"
    );
    tagged["Tags"] = json!(tags(5));
    let id = aws.ok("StartAutomationExecution", tagged)["AutomationExecutionId"].clone();
    let listed = aws.ok(
        "ListTagsForResource",
        json!({ "ResourceType": "Automation", "ResourceId": id }),
    );
    assert_eq!(listed["TagList"], json!(tags(5)));
}
