use serde_json::{Value, json};

use super::schedule;
use crate::sandbox::ssm::testing::{Aws, OTHER};

fn with(base: Value, extra: Value) -> Value {
    let mut all = crate::sandbox::ssm::members(base);
    all.extend(crate::sandbox::ssm::members(extra));
    Value::Object(all)
}

fn new(extra: Value) -> Value {
    let base = json!({
        "Name": "AWS-RunPatchBaseline", "AssociationName": "scan", "Parameters": { "Operation": ["Scan"] },
        "Targets": [{ "Key": "tag:Patch Group", "Values": ["production"] }],
        "ScheduleExpression": "rate(1 day)",
    });
    with(base, extra)
}

fn create(aws: &mut Aws, extra: Value) -> String {
    let answer = aws.ok("CreateAssociation", new(extra));
    let id = &answer["AssociationDescription"]["AssociationId"];
    id.as_str().unwrap().to_owned()
}

fn describe(aws: &mut Aws, id: &str) -> Value {
    let answer = aws.ok("DescribeAssociation", json!({ "AssociationId": id }));
    answer["AssociationDescription"].clone()
}

fn runs(aws: &mut Aws, id: &str) -> usize {
    let answer = aws.ok(
        "DescribeAssociationExecutions",
        json!({ "AssociationId": id }),
    );
    answer["AssociationExecutions"].as_array().unwrap().len()
}

fn document(aws: &mut Aws, name: &str, kind: &str, content: &Value) {
    let input = json!({ "Name": name, "DocumentType": kind, "Content": content.to_string() });
    aws.ok("CreateDocument", input);
}

fn runbook(aws: &mut Aws) {
    let content = json!({ "schemaVersion": "0.3", "parameters": { "InstanceId": { "type": "String" } },
        "mainSteps": [{ "name": "wait", "action": "aws:sleep", "inputs": { "Duration": "PT1S" } }] });
    document(aws, "restart", "Automation", &content);
}

fn old_command(aws: &mut Aws) {
    let content = json!({ "schemaVersion": "1.2", "description": "Old.",
        "runtimeConfig": { "aws:runShellScript": { "properties": [{ "runCommand": ["ls"] }] } } });
    document(aws, "old", "Command", &content);
}

#[test]
fn a_new_association_waits_and_has_defaults() {
    let mut aws = Aws::new();
    let tags = json!([{ "Key": "team", "Value": "banana" }]);
    let id = create(
        &mut aws,
        json!({ "Tags": tags, "AlarmConfiguration": { "Alarms": [{ "Name": "a" }] } }),
    );
    let got = describe(&mut aws, &id);
    assert_eq!(
        got["Overview"],
        json!({ "Status": "Pending", "DetailedStatus": "Creating" })
    );
    assert_eq!(got["AssociationVersion"], "1");
    assert_eq!(got["DocumentVersion"], "$DEFAULT");
    assert_eq!(got["SyncCompliance"], "AUTO");
    assert_eq!(got["ApplyOnlyAtCronInterval"], false);
    assert_eq!(got["AlarmConfiguration"]["IgnorePollAlarmFailure"], false);
    assert_eq!(got.get("ComplianceSeverity"), None);
    let named = json!({ "ResourceType": "Association", "ResourceId": id });
    assert_eq!(aws.ok("ListTagsForResource", named)["TagList"], tags);
    // Names are no identity, and there is no token: the same request makes another.
    assert_ne!(create(&mut aws, json!({})), id);
}

#[test]
fn the_list_shows_less_than_the_description() {
    let mut aws = Aws::new();
    let id = create(
        &mut aws,
        json!({ "MaxErrors": "1", "ComplianceSeverity": "HIGH" }),
    );
    create(&mut aws, json!({ "AssociationName": "other" }));
    let filter = json!([{ "key": "AssociationName", "value": "scan" }]);
    let list = aws.ok(
        "ListAssociations",
        json!({ "AssociationFilterList": filter }),
    );
    assert_eq!(list["Associations"].as_array().unwrap().len(), 1);
    let item = &list["Associations"][0];
    assert_eq!(item["AssociationId"], json!(id));
    assert_eq!(item["ScheduleExpression"], "rate(1 day)");
    for member in [
        "Parameters",
        "MaxErrors",
        "ComplianceSeverity",
        "SyncCompliance",
    ] {
        assert_eq!(item.get(member), None, "{member}");
    }
    let first = aws.ok("ListAssociations", json!({ "MaxResults": 1 }));
    let next = aws.ok(
        "ListAssociations",
        json!({ "MaxResults": 1, "NextToken": first["NextToken"] }),
    );
    assert_ne!(first["Associations"], next["Associations"]);
    assert_eq!(next.get("NextToken"), None);
    assert_eq!(
        aws.err("ListAssociations", json!({ "NextToken": "x" })),
        "InvalidNextToken"
    );
    for (key, value, count) in [
        ("Name", "AWS-RunPatchBaseline", 2),
        ("AssociationStatusName", "Pending", 2),
        ("AssociationStatusName", "Failed", 0),
        ("InstanceId", "i-0123456789abcdef0", 0),
        ("ResourceGroupName", "servers", 0),
        ("LastExecutedAfter", "2026-01-01T00:00:00Z", 0),
    ] {
        let filter = json!([{ "key": key, "value": value }]);
        let list = aws.ok(
            "ListAssociations",
            json!({ "AssociationFilterList": filter }),
        );
        assert_eq!(
            list["Associations"].as_array().unwrap().len(),
            count,
            "{key}"
        );
    }
}

#[test]
fn an_update_writes_all_anew_and_what_it_leaves_out_is_gone() {
    let mut aws = Aws::new();
    let alarm = json!({ "Alarms": [{ "Name": "a" }] });
    let id = create(
        &mut aws,
        json!({ "MaxErrors": "1", "AlarmConfiguration": alarm, "DocumentVersion": "1" }),
    );
    let parameters = json!({ "Operation": ["Scan"] });
    let input = json!({ "AssociationId": id, "ScheduleExpression": "rate(2 days)", "Parameters": parameters,
        "Targets": [{ "Key": "InstanceIds", "Values": ["*"] }] });
    let updated = aws.ok("UpdateAssociation", input.clone());
    assert_eq!(updated["AssociationDescription"]["AssociationVersion"], "2");
    let got = describe(&mut aws, &id);
    for gone in ["AssociationName", "MaxErrors", "AlarmConfiguration"] {
        assert_eq!(got.get(gone), None, "{gone}");
    }
    assert_eq!(got["DocumentVersion"], "$DEFAULT");
    assert_eq!(got["Name"], "AWS-RunPatchBaseline");
    let versions = aws.ok("ListAssociationVersions", json!({ "AssociationId": id }));
    let versions = versions["AssociationVersions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0]["AssociationName"], "scan");
    assert_eq!(versions[0].get("AlarmConfiguration"), None);
    // Also one that changes nothing is a version.
    aws.ok("UpdateAssociation", input.clone());
    assert_eq!(describe(&mut aws, &id)["AssociationVersion"], "3");
    let stale = with(input, json!({ "AssociationVersion": "2" }));
    assert_eq!(
        aws.err("UpdateAssociation", stale),
        "InvalidAssociationVersion"
    );
    let first = json!({ "AssociationId": id, "AssociationVersion": "1" });
    let first = aws.ok("DescribeAssociation", first);
    assert_eq!(first["AssociationDescription"]["MaxErrors"], "1");
    let none = json!({ "AssociationId": id, "AssociationVersion": "9" });
    assert_eq!(
        aws.err("DescribeAssociation", none),
        "InvalidAssociationVersion"
    );
}

#[test]
fn each_write_begins_a_run_unless_it_waits_for_its_time() {
    let mut aws = Aws::new();
    let id = create(&mut aws, json!({}));
    assert_eq!(runs(&mut aws, &id), 1);
    let only =
        json!({ "ScheduleExpression": "cron(0 2 ? * SUN *)", "ApplyOnlyAtCronInterval": true });
    let waiting = create(&mut aws, only);
    assert_eq!(runs(&mut aws, &waiting), 0);
    aws.wait(60);
    aws.ok(
        "StartAssociationsOnce",
        json!({ "AssociationIds": [id, waiting] }),
    );
    assert_eq!((runs(&mut aws, &id), runs(&mut aws, &waiting)), (2, 1));
    let filter =
        json!([{ "Key": "CreatedTime", "Value": "2026-05-04T10:00:30Z", "Type": "GREATER_THAN" }]);
    let late = json!({ "AssociationId": id, "Filters": filter });
    let late = aws.ok("DescribeAssociationExecutions", late);
    assert_eq!(late["AssociationExecutions"].as_array().unwrap().len(), 1);
    let nobody = json!({ "AssociationIds": [id, "00000000-0000-0000-0000-000000000000"] });
    assert_eq!(
        aws.err("StartAssociationsOnce", nobody),
        "AssociationDoesNotExist"
    );
    assert_eq!(runs(&mut aws, &id), 2);
}

#[test]
fn what_is_not_right_has_an_error_of_its_own() {
    let mut aws = Aws::new();
    runbook(&mut aws);
    let session = json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {} });
    document(&mut aws, "shell", "Session", &session);
    let only = json!({ "ScheduleExpression": "rate(1 day)", "ApplyOnlyAtCronInterval": true });
    let group = json!({ "Key": "resource-groups:Name", "Values": ["servers"] });
    let all = json!({ "Key": "InstanceIds", "Values": ["*"] });
    let location = json!([{ "Accounts": [OTHER], "Regions": ["eu-west-1"],
        "TargetLocationAlarmConfiguration": { "Alarms": [{ "Name": "a" }] } }]);
    for (extra, error) in [
        (json!({ "Name": "nobody" }), "InvalidDocument"),
        (
            json!({ "Name": "shell", "Parameters": {} }),
            "InvalidDocument",
        ),
        (json!({ "DocumentVersion": "9" }), "InvalidDocumentVersion"),
        (json!({ "Parameters": {} }), "InvalidParameters"),
        (
            json!({ "Parameters": { "Operation": ["Guess"] } }),
            "InvalidParameters",
        ),
        (
            json!({ "Parameters": { "Operation": ["Scan"], "X": ["1"] } }),
            "InvalidParameters",
        ),
        (
            json!({ "AutomationTargetParameterName": "Operation" }),
            "InvalidParameters",
        ),
        (json!({ "Targets": [] }), "InvalidTarget"),
        (
            json!({ "Targets": [{ "Key": "tag:a", "Values": [] }] }),
            "InvalidTarget",
        ),
        (json!({ "Targets": [all, group] }), "InvalidTarget"),
        (
            json!({ "Targets": [{ "Key": "nodes", "Values": ["*"] }] }),
            "InvalidTarget",
        ),
        (
            json!({ "TargetMaps": [{ "Operation": ["Scan"] }] }),
            "InvalidTargetMaps",
        ),
        (
            json!({ "ScheduleExpression": "rate(10 minutes)" }),
            "InvalidSchedule",
        ),
        (only, "InvalidSchedule"),
        (json!({ "ScheduleOffset": 2 }), "InvalidSchedule"),
        (json!({ "Duration": 2 }), "ValidationException"),
        (
            json!({ "OutputLocation": { "S3Location": { "OutputS3Region": "eu-west-1" } } }),
            "InvalidOutputLocation",
        ),
        (
            json!({ "Tags": [{ "Key": "aws:x", "Value": "" }] }),
            "InvalidTag",
        ),
        (
            json!({ "TargetLocations": location }),
            "ValidationException",
        ),
        (
            json!({ "InstanceId": "i-0123456789abcdef0" }),
            "InvalidDocument",
        ),
    ] {
        assert_eq!(
            aws.err("CreateAssociation", new(extra.clone())),
            error,
            "{extra}"
        );
    }
    let list = aws.ok("ListAssociations", json!({}));
    assert_eq!(list["Associations"], json!([]));
}

#[test]
fn a_runbook_gets_its_targets_by_a_parameter_or_a_map() {
    let mut aws = Aws::new();
    runbook(&mut aws);
    let base = json!({ "Name": "restart", "ScheduleExpression": "rate(1 day)" });
    let targets = json!([{ "Key": "tag:role", "Values": ["till"] }]);
    let lacking = with(base.clone(), json!({ "Targets": targets }));
    assert_eq!(
        aws.err("CreateAssociation", lacking.clone()),
        "InvalidParameters"
    );
    let branch = json!({ "AutomationTargetParameterName": "InstanceId" });
    aws.ok("CreateAssociation", with(lacking, branch));
    let maps = json!([{ "InstanceId": ["i-1"] }, { "InstanceId": ["i-2"] }]);
    let mapped = with(base.clone(), json!({ "TargetMaps": maps }));
    aws.ok("CreateAssociation", mapped.clone());
    let both = with(mapped, json!({ "Targets": targets }));
    assert_eq!(aws.err("CreateAssociation", both), "InvalidTargetMaps");
    let locations = json!([{ "Accounts": [OTHER], "Regions": ["eu-west-1"] }]);
    let alone = json!({ "TargetLocations": locations, "Parameters": { "InstanceId": ["i-1"] } });
    aws.ok("CreateAssociation", with(base, alone));
}

/// As the AWS CLI's reference writes its examples.
#[test]
fn a_target_and_a_schedule_may_be_written_as_in_examples() {
    let mut aws = Aws::new();
    let request = json!({
        "Name": "AWS-UpdateSSMAgent",
        "Targets": [{ "Key": "instanceids", "Values": ["i-0123456789abcdef0"] }],
        "ScheduleExpression": "cron(0 0 0/4 1/1 * ? *)",
    });
    let made = &aws.ok("CreateAssociation", request)["AssociationDescription"];
    assert_eq!(made["Targets"][0]["Key"], "InstanceIds");
    assert_eq!(made["ScheduleExpression"], "cron(0 0 0/4 1/1 * ? *)");
}

#[test]
fn the_old_form_is_one_document_and_one_node() {
    let mut aws = Aws::new();
    old_command(&mut aws);
    let old = json!({ "Name": "old", "InstanceId": "i-0123456789abcdef0" });
    let made = aws.ok("CreateAssociation", old.clone());
    assert_eq!(
        aws.err("CreateAssociation", old.clone()),
        "AssociationAlreadyExists"
    );
    let named = with(
        old.clone(),
        json!({ "InstanceId": "i-0123456789abcdef1", "AssociationName": "scan" }),
    );
    assert_eq!(aws.err("CreateAssociation", named), "ValidationException");
    let got = aws.ok("DescribeAssociation", old.clone());
    let (id, got) = (
        &made["AssociationDescription"]["AssociationId"],
        &got["AssociationDescription"],
    );
    assert_eq!(
        got["Targets"],
        json!([{ "Key": "InstanceIds", "Values": ["i-0123456789abcdef0"] }])
    );
    assert_eq!(got["AssociationId"], *id);
    let status = json!({ "Date": 1_777_888_000, "Name": "Failed", "Message": "no" });
    let report = with(old.clone(), json!({ "AssociationStatus": status }));
    let got = aws.ok("UpdateAssociationStatus", report.clone());
    assert_eq!(
        got["AssociationDescription"]["Overview"]["Status"],
        "Failed"
    );
    assert_eq!(
        aws.err("UpdateAssociationStatus", report),
        "StatusUnchanged"
    );
    aws.ok("DeleteAssociation", old.clone());
    assert_eq!(
        aws.err("DescribeAssociation", old),
        "AssociationDoesNotExist"
    );
}

#[test]
fn deleting_takes_the_tags_along_and_frees_the_document() {
    let mut aws = Aws::new();
    old_command(&mut aws);
    let old = json!({ "Name": "old", "InstanceId": "i-0123456789abcdef0" });
    aws.ok("CreateAssociation", old.clone());
    assert_eq!(
        aws.err("DeleteDocument", json!({ "Name": "old" })),
        "AssociatedInstances"
    );
    aws.ok("DeleteAssociation", old);
    aws.ok("DeleteDocument", json!({ "Name": "old" }));
    let id = create(
        &mut aws,
        json!({ "Tags": [{ "Key": "team", "Value": "banana" }] }),
    );
    aws.ok("DeleteAssociation", json!({ "AssociationId": id }));
    assert_eq!(
        aws.err("DeleteAssociation", json!({ "AssociationId": id })),
        "AssociationDoesNotExist"
    );
    assert_eq!(
        aws.err("UpdateAssociation", json!({ "AssociationId": id })),
        "AssociationDoesNotExist"
    );
    let named = json!({ "ResourceType": "Association", "ResourceId": id });
    assert_eq!(aws.err("ListTagsForResource", named), "InvalidResourceId");
    assert_eq!(
        aws.err("DescribeAssociation", json!({})),
        "ValidationException"
    );
}

#[test]
fn an_account_has_so_many_associations_and_each_so_many_versions() {
    let mut aws = Aws::new();
    let id = create(&mut aws, json!({}));
    let again = with(new(json!({})), json!({ "AssociationId": id }));
    for _ in 1..1_000 {
        aws.ok("UpdateAssociation", again.clone());
    }
    assert_eq!(
        aws.err("UpdateAssociation", again),
        "AssociationVersionLimitExceeded"
    );
    for _ in 1..2_000 {
        create(&mut aws, json!({}));
    }
    assert_eq!(
        aws.err("CreateAssociation", new(json!({}))),
        "AssociationLimitExceeded"
    );
}

#[test]
fn associations_know_fewer_schedules_than_windows() {
    for text in [
        "cron(0/30 * * * ? *)",
        "cron(0 0/1 * * ? *)",
        "cron(0 0/12 * * ? *)",
        "cron(0 0 0/1 * * ? *)",
        "cron(15 13 ? * * *)",
        "cron(0 2 ? * SUN *)",
        "cron(0 0 2 ? * SUN *)",
        "cron(30 23 ? * TUE#3 *)",
        "cron(0 4 ? * 3L *)",
        "cron(0 4 ? * MON-FRI *)",
        "rate(30 minutes)",
        "rate(30 days)",
        "at(2030-07-07T15:55:00)",
    ] {
        assert!(schedule::is_valid(text), "{text}");
    }
    for text in [
        "cron(0/10 * * * ? *)",
        "cron(0 0/3 * * ? *)",
        "cron(0 2 1 * ? *)",
        "cron(0 2 ? 6 SUN *)",
        "cron(5 0 2 ? * SUN *)",
        "cron(0 2 ? * TUE#6 *)",
        "cron(0 2 * * *)",
        "rate(29 minutes)",
        "rate(1 hours)",
        "rate(31 days)",
        "at(tomorrow)",
        "daily",
    ] {
        assert!(!schedule::is_valid(text), "{text}");
    }
}
