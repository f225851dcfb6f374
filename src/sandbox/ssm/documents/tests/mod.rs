use serde_json::{Value, json};

use crate::sandbox::ssm::testing::{ACCOUNT, Aws, OTHER};

mod content;
mod listing;
mod sharing;

const RUNBOOK: &str = r#"{
  "schemaVersion": "0.3",
  "description": "Waits.",
  "parameters": {
    "Hosts": { "type": "StringList", "default": ["a", "b"], "description": "Which." },
    "Reason": { "type": "String" }
  },
  "mainSteps": [{ "name": "wait", "action": "aws:sleep", "inputs": { "Duration": "PT1S" } }]
}"#;

fn runbook(note: &str) -> String {
    RUNBOOK.replace("Waits.", note)
}

fn create(aws: &mut Aws, name: &str) -> Value {
    aws.ok(
        "CreateDocument",
        json!({ "Name": name, "Content": RUNBOOK, "DocumentType": "Automation" }),
    )
}

fn active(aws: &mut Aws, name: &str) {
    create(aws, name);
    aws.ok("DescribeDocument", json!({ "Name": name }));
}

fn create_as(aws: &mut Aws, kind: &str, format: &str, content: &str) -> Result<Value, String> {
    aws.call(
        "CreateDocument",
        json!({ "Name": "the-document", "Content": content, "DocumentType": kind, "DocumentFormat": format }),
    )
    .map(|output| output["DocumentDescription"].clone())
    .map_err(|fault| fault.code)
}

fn names(output: &Value) -> Vec<&str> {
    let list = output["DocumentIdentifiers"].as_array().unwrap();
    list.iter().map(|d| d["Name"].as_str().unwrap()).collect()
}

#[test]
fn a_new_document_is_creating_and_shows_what_its_text_says() {
    let mut aws = Aws::new();
    let output = create(&mut aws, "wait");
    let description = &output["DocumentDescription"];
    assert_eq!(description["Status"], "Creating");
    assert_eq!(description["Owner"], ACCOUNT);
    assert_eq!(description["DocumentVersion"], "1");
    assert_eq!(description["LatestVersion"], "1");
    assert_eq!(description["DefaultVersion"], "1");
    assert_eq!(description["SchemaVersion"], "0.3");
    assert_eq!(description["Description"], "Waits.");
    assert_eq!(description["HashType"], "Sha256");
    assert_eq!(description["Tags"], json!([]));
    assert_eq!(
        description["Parameters"],
        json!([
            { "Name": "Hosts", "Type": "StringList", "Description": "Which.", "DefaultValue": "[\"a\",\"b\"]" },
            { "Name": "Reason", "Type": "String" },
        ])
    );
    assert_eq!(
        description["PlatformTypes"],
        json!(["Windows", "Linux", "MacOS"])
    );
}

#[test]
fn a_document_becomes_active_after_the_reads_that_the_settings_say() {
    let mut aws = Aws::new();
    aws.state.settings.async_reads = 2;
    create(&mut aws, "wait");
    let mut status =
        || aws.ok("DescribeDocument", json!({ "Name": "wait" }))["Document"]["Status"].clone();
    assert_eq!(status(), "Creating");
    assert_eq!(status(), "Creating");
    assert_eq!(status(), "Active");
}

#[test]
fn a_document_is_active_at_once_when_nothing_is_asynchronous() {
    let mut aws = Aws::new();
    aws.state.settings.async_reads = 0;
    assert_eq!(
        create(&mut aws, "wait")["DocumentDescription"]["Status"],
        "Active"
    );
}

#[test]
fn names_of_aws_are_reserved() {
    let mut aws = Aws::new();
    for name in ["AWS-Mine", "amazon-mine", "AMZNmine", "awsupport"] {
        let code = aws.err(
            "CreateDocument",
            json!({ "Name": name, "Content": RUNBOOK, "DocumentType": "Automation" }),
        );
        assert_eq!(code, "ValidationException", "{name}");
    }
    let session = r#"{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{}}"#;
    aws.ok(
        "CreateDocument",
        json!({ "Name": "SSM-SessionManagerRunShell", "Content": session, "DocumentType": "Session" }),
    );
}

#[test]
fn a_name_can_be_used_once_in_a_region() {
    let mut aws = Aws::new();
    create(&mut aws, "wait");
    let code = aws.err(
        "CreateDocument",
        json!({ "Name": "wait", "Content": RUNBOOK, "DocumentType": "Automation" }),
    );
    assert_eq!(code, "DocumentAlreadyExists");
    assert!(
        aws.call_as(
            OTHER,
            "CreateDocument",
            json!({ "Name": "wait", "Content": RUNBOOK, "DocumentType": "Automation" })
        )
        .is_ok()
    );
}

#[test]
fn the_quota_of_documents_can_be_switched_off() {
    let mut aws = Aws::new();
    for n in 0..500 {
        create(&mut aws, &format!("doc-{n}"));
    }
    let more = json!({ "Name": "one-more", "Content": RUNBOOK, "DocumentType": "Automation" });
    assert_eq!(
        aws.err("CreateDocument", more.clone()),
        "DocumentLimitExceeded"
    );
    aws.state.settings.quotas = false;
    aws.ok("CreateDocument", more);
}

#[test]
fn an_update_makes_the_next_version_and_leaves_the_default() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let output = aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": runbook("Two."), "DocumentVersion": "$LATEST", "VersionName": "two" }),
    );
    let description = &output["DocumentDescription"];
    assert_eq!(description["Status"], "Updating");
    assert_eq!(description["DocumentVersion"], "2");
    assert_eq!(description["LatestVersion"], "2");
    assert_eq!(description["DefaultVersion"], "1");
    let described = aws.ok("DescribeDocument", json!({ "Name": "wait" }))["Document"].clone();
    assert_eq!(described["DocumentVersion"], "1");
    assert_eq!(described["Description"], "Waits.");
    let named = aws.ok(
        "DescribeDocument",
        json!({ "Name": "wait", "VersionName": "two" }),
    )["Document"]
        .clone();
    assert_eq!(named["Description"], "Two.");
    let set = aws.ok(
        "UpdateDocumentDefaultVersion",
        json!({ "Name": "wait", "DocumentVersion": "2" }),
    );
    assert_eq!(
        set["Description"],
        json!({ "Name": "wait", "DefaultVersion": "2", "DefaultVersionName": "two" })
    );
    assert_eq!(
        aws.ok("GetDocument", json!({ "Name": "wait" }))["DocumentVersion"],
        "2"
    );
}

#[test]
fn only_the_latest_version_can_be_updated() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let update = |note: &str, version: &str| json!({ "Name": "wait", "Content": runbook(note), "DocumentVersion": version });
    aws.ok("UpdateDocument", update("Two.", "1"));
    assert_eq!(
        aws.err("UpdateDocument", update("Three.", "1")),
        "InvalidDocumentVersion"
    );
    assert_eq!(
        aws.err("UpdateDocument", update("Three.", "$DEFAULT")),
        "InvalidDocumentVersion"
    );
    aws.ok("UpdateDocument", update("Three.", "2"));
    aws.ok("UpdateDocument", update("Four.", "$LATEST"));
}

#[test]
fn the_same_text_is_a_duplicate_unless_the_target_type_differs() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let same = json!({ "Name": "wait", "Content": RUNBOOK, "DocumentVersion": "$LATEST" });
    assert_eq!(aws.err("UpdateDocument", same), "DuplicateDocumentContent");
    aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": RUNBOOK, "DocumentVersion": "$LATEST", "TargetType": "/" }),
    );
    aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": format!("{RUNBOOK}\n"), "DocumentVersion": "$LATEST", "TargetType": "/" }),
    );
}

#[test]
fn a_version_name_is_unique_in_its_document() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let update = |note: &str| json!({ "Name": "wait", "Content": runbook(note), "DocumentVersion": "$LATEST", "VersionName": "v" });
    aws.ok("UpdateDocument", update("Two."));
    assert_eq!(
        aws.err("UpdateDocument", update("Three.")),
        "DuplicateDocumentVersionName"
    );
}

#[test]
fn a_display_name_is_carried_over_and_a_target_type_is_not() {
    let mut aws = Aws::new();
    aws.ok(
        "CreateDocument",
        json!({
            "Name": "wait", "Content": RUNBOOK, "DocumentType": "Automation",
            "DisplayName": "Wait a little", "TargetType": "/AWS::EC2::Instance",
        }),
    );
    let output = aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": runbook("Two."), "DocumentVersion": "1" }),
    );
    assert_eq!(
        output["DocumentDescription"]["DisplayName"],
        "Wait a little"
    );
    assert_eq!(output["DocumentDescription"].get("TargetType"), None);
}

#[test]
fn command_documents_of_schema_1_2_cannot_be_updated() {
    let mut aws = Aws::new();
    let text =
        r#"{"schemaVersion":"1.2","runtimeConfig":{"aws:runShellScript":{"properties":[]}}}"#;
    create_as(&mut aws, "Command", "JSON", text).unwrap();
    let update = json!({ "Name": "the-document", "Content": format!("{text} "), "DocumentVersion": "$LATEST" });
    assert_eq!(
        aws.err("UpdateDocument", update),
        "InvalidDocumentSchemaVersion"
    );
}

#[test]
fn a_document_has_at_most_1000_versions() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let update = |n: usize| json!({ "Name": "wait", "Content": runbook(&n.to_string()), "DocumentVersion": "$LATEST" });
    for n in 2..=1000 {
        aws.ok("UpdateDocument", update(n));
    }
    assert_eq!(
        aws.err("UpdateDocument", update(1001)),
        "DocumentVersionLimitExceeded"
    );
    aws.ok(
        "DeleteDocument",
        json!({ "Name": "wait", "DocumentVersion": "2" }),
    );
    let output = aws.ok("UpdateDocument", update(1001));
    assert_eq!(output["DocumentDescription"]["DocumentVersion"], "1001");
}

#[test]
fn unknown_documents_and_versions_are_told_apart() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    for operation in ["DescribeDocument", "GetDocument", "ListDocumentVersions"] {
        assert_eq!(
            aws.err(operation, json!({ "Name": "nothing" })),
            "InvalidDocument"
        );
    }
    for operation in ["DescribeDocument", "GetDocument"] {
        let input = json!({ "Name": "wait", "DocumentVersion": "7" });
        assert_eq!(aws.err(operation, input), "InvalidDocumentVersion");
        let input = json!({ "Name": "wait", "VersionName": "seven" });
        assert_eq!(aws.err(operation, input), "InvalidDocumentVersion");
    }
    let input = json!({ "Name": "wait", "DocumentVersion": "7" });
    assert_eq!(
        aws.err("UpdateDocumentDefaultVersion", input),
        "InvalidDocumentVersion"
    );
}

#[test]
fn a_version_can_be_deleted_but_not_the_default_one() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let update = |note: &str| json!({ "Name": "wait", "Content": runbook(note), "DocumentVersion": "$LATEST" });
    aws.ok("UpdateDocument", update("Two."));
    let delete = |version: &str| json!({ "Name": "wait", "DocumentVersion": version });
    assert_eq!(
        aws.err("DeleteDocument", delete("1")),
        "InvalidDocumentOperation"
    );
    assert_eq!(aws.err("DeleteDocument", delete("9")), "InvalidDocument");
    aws.ok("DeleteDocument", delete("2"));
    let versions = aws.ok("ListDocumentVersions", json!({ "Name": "wait" }));
    assert_eq!(versions["DocumentVersions"].as_array().unwrap().len(), 1);
    let output = aws.ok("UpdateDocument", update("Three."));
    assert_eq!(output["DocumentDescription"]["DocumentVersion"], "3");
}

#[test]
fn deleting_takes_the_versions_and_the_tags() {
    let mut aws = Aws::new();
    let tagged = json!({
        "Name": "wait", "Content": RUNBOOK, "DocumentType": "Automation", "Tags": [{ "Key": "team", "Value": "a" }],
    });
    aws.ok("CreateDocument", tagged);
    aws.ok("DeleteDocument", json!({ "Name": "wait" }));
    assert_eq!(
        aws.err("DescribeDocument", json!({ "Name": "wait" })),
        "InvalidDocument"
    );
    assert_eq!(
        aws.err("DeleteDocument", json!({ "Name": "wait" })),
        "InvalidDocument"
    );
    assert_eq!(
        create(&mut aws, "wait")["DocumentDescription"]["Tags"],
        json!([])
    );
}

#[test]
fn a_schema_for_appconfig_is_deleted_by_force() {
    let mut aws = Aws::new();
    create_as(&mut aws, "ApplicationConfigurationSchema", "JSON", "{}").unwrap();
    let delete = json!({ "Name": "the-document" });
    assert_eq!(
        aws.err("DeleteDocument", delete),
        "InvalidDocumentOperation"
    );
    aws.ok(
        "DeleteDocument",
        json!({ "Name": "the-document", "Force": true }),
    );
}

#[test]
fn a_change_template_is_reviewed() {
    let mut aws = Aws::new();
    let template = json!({
        "Name": "template", "DocumentType": "Automation.ChangeTemplate",
        "Content": r#"{"schemaVersion":"0.3","mainSteps":[{"name":"approve","action":"aws:approve","inputs":{}}]}"#,
    });
    aws.ok("CreateDocument", template);
    let status = |aws: &mut Aws| {
        aws.ok("GetDocument", json!({ "Name": "template" }))["ReviewStatus"].clone()
    };
    assert_eq!(status(&mut aws), "NOT_REVIEWED");
    let act = |action: &str| json!({ "Name": "template", "DocumentReviews": { "Action": action } });
    assert_eq!(
        aws.err("UpdateDocumentMetadata", act("Approve")),
        "InvalidDocumentOperation"
    );
    aws.ok("UpdateDocumentMetadata", act("SendForReview"));
    assert_eq!(status(&mut aws), "PENDING");
    aws.ok("UpdateDocumentMetadata", act("Approve"));
    assert_eq!(status(&mut aws), "APPROVED");
    let history = aws.ok(
        "ListDocumentMetadataHistory",
        json!({ "Name": "template", "Metadata": "DocumentReviews" }),
    );
    let responses = history["Metadata"]["ReviewerResponse"].as_array().unwrap();
    assert_eq!(responses.len(), 2);
    assert_eq!(
        (&responses[0]["ReviewStatus"], &responses[0]["Reviewer"]),
        (&json!("APPROVED"), &json!("kayoko"))
    );
    assert_eq!(responses[1]["ReviewStatus"], "PENDING");
    assert_eq!(responses[1].get("Reviewer"), None);
    let mut one = |token: &Value| {
        let mut input =
            json!({ "Name": "template", "Metadata": "DocumentReviews", "MaxResults": 1 });
        input["NextToken"] = token.clone();
        aws.ok("ListDocumentMetadataHistory", input)
    };
    let first = one(&json!(""));
    assert_eq!(first["Metadata"]["ReviewerResponse"], json!([responses[0]]));
    let rest = one(&first["NextToken"]);
    assert_eq!(rest["Metadata"]["ReviewerResponse"], json!([responses[1]]));
    assert_eq!(rest.get("NextToken"), None);
    active(&mut aws, "wait");
    let other = json!({ "Name": "wait", "DocumentReviews": { "Action": "SendForReview" } });
    assert_eq!(
        aws.err("UpdateDocumentMetadata", other),
        "InvalidDocumentOperation"
    );
}

#[test]
fn every_read_of_a_document_counts_for_all_its_versions() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": runbook("Two."), "DocumentVersion": "$LATEST" }),
    );
    aws.ok("DescribeDocument", json!({ "Name": "wait" }));
    let latest = json!({ "Name": "wait", "DocumentVersion": "$LATEST" });
    assert_eq!(
        aws.ok("DescribeDocument", latest)["Document"]["Status"],
        "Active"
    );
}

#[test]
fn attachments_are_named_and_never_read_back() {
    let mut aws = Aws::new();
    let output = aws.ok(
        "CreateDocument",
        json!({
            "Name": "wait", "Content": RUNBOOK, "DocumentType": "Automation",
            "Attachments": [
                { "Key": "S3FileUrl", "Values": ["s3://bucket/prefix/one.py"] },
                { "Key": "S3FileUrl", "Values": ["s3://bucket/two"], "Name": "two.py" },
                { "Key": "SourceUrl", "Values": ["s3://bucket/folder"] },
            ],
        }),
    );
    assert_eq!(
        output["DocumentDescription"]["AttachmentsInformation"],
        json!([{ "Name": "one.py" }, { "Name": "two.py" }])
    );
}
