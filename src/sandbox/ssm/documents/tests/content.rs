use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{RUNBOOK, create, create_as, runbook};
use crate::sandbox::ssm::paging;
use crate::sandbox::ssm::testing::Aws;

#[test]
fn the_text_is_kept_byte_for_byte_and_hashed() {
    let mut aws = Aws::new();
    let text = format!("\n  {RUNBOOK}\n\n");
    aws.ok(
        "CreateDocument",
        json!({ "Name": "wait", "Content": text, "DocumentType": "Automation" }),
    );
    let got = aws.ok("GetDocument", json!({ "Name": "wait" }));
    assert_eq!(got["Content"], text);
    let hash = aws.ok("DescribeDocument", json!({ "Name": "wait" }))["Document"]["Hash"].clone();
    assert_eq!(hash, paging::hex(&Sha256::digest(text.as_bytes())));
}

#[test]
fn yaml_comes_back_as_json_unless_yaml_is_asked_for() {
    let mut aws = Aws::new();
    let text = "# why\nschemaVersion: '0.3'\nmainSteps:\n- name: wait\n  action: aws:sleep\n  inputs: {Duration: PT1S}\n";
    create_as(&mut aws, "Automation", "YAML", text).unwrap();
    let as_json = aws.ok("GetDocument", json!({ "Name": "the-document" }));
    assert_eq!(as_json["DocumentFormat"], "JSON");
    let value: Value = serde_json::from_str(as_json["Content"].as_str().unwrap()).unwrap();
    assert_eq!(value["mainSteps"][0]["inputs"]["Duration"], "PT1S");
    let as_yaml = aws.ok(
        "GetDocument",
        json!({ "Name": "the-document", "DocumentFormat": "YAML" }),
    );
    assert_eq!(as_yaml["Content"], text);
}

#[test]
fn json_can_be_read_as_yaml() {
    let mut aws = Aws::new();
    create(&mut aws, "wait");
    let got = aws.ok(
        "GetDocument",
        json!({ "Name": "wait", "DocumentFormat": "YAML" }),
    );
    assert_eq!(got["DocumentFormat"], "YAML");
    let value: Value = serde_yaml::from_str(got["Content"].as_str().unwrap()).unwrap();
    assert_eq!(value, serde_json::from_str::<Value>(RUNBOOK).unwrap());
}

#[test]
fn ill_formed_text_is_refused() {
    let mut aws = Aws::new();
    let wrong = Err("InvalidDocumentContent".to_owned());
    assert_eq!(
        create_as(&mut aws, "Command", "JSON", "schemaVersion: '2.2'"),
        wrong
    );
    assert_eq!(create_as(&mut aws, "Command", "JSON", "[]"), wrong);
    assert_eq!(create_as(&mut aws, "Command", "YAML", "a: [b"), wrong);
    assert_eq!(create_as(&mut aws, "Command", "TEXT", "hello"), wrong);
    assert_eq!(
        create_as(&mut aws, "Command", "JSON", r#"{"schemaVersion":"2.2"}"#),
        wrong
    );
    assert_eq!(
        create_as(
            &mut aws,
            "Automation",
            "JSON",
            r#"{"schemaVersion":"0.3","mainSteps":[]}"#
        ),
        wrong
    );
    let fault = aws
        .call(
            "CreateDocument",
            json!({ "Name": "abc", "Content": "a: b" }),
        )
        .unwrap_err();
    assert_eq!(fault.message, "JSON not well-formed. at Line: 1, Column: 1");
}

#[test]
fn each_type_knows_its_schema_versions() {
    let mut aws = Aws::new();
    let wrong = Err("InvalidDocumentSchemaVersion".to_owned());
    assert_eq!(
        create_as(
            &mut aws,
            "Automation",
            "JSON",
            r#"{"schemaVersion":"2.2","mainSteps":[]}"#
        ),
        wrong
    );
    assert_eq!(
        create_as(&mut aws, "Command", "JSON", r#"{"mainSteps":[]}"#),
        wrong
    );
    assert_eq!(
        create_as(&mut aws, "Session", "JSON", r#"{"schemaVersion":"2.0"}"#),
        wrong
    );
    create_as(
        &mut aws,
        "Session",
        "JSON",
        r#"{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{}}"#,
    )
    .unwrap();
}

#[test]
fn a_schema_version_without_quotes_in_yaml_is_a_version_too() {
    let mut aws = Aws::new();
    let text = "schemaVersion: 0.3\nmainSteps:\n- name: wait\n  action: aws:sleep\n";
    let description = create_as(&mut aws, "Automation", "YAML", text).unwrap();
    assert_eq!(description["SchemaVersion"], "0.3");
}

#[test]
fn a_calendar_is_text() {
    let mut aws = Aws::new();
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n";
    assert!(create_as(&mut aws, "ChangeCalendar", "JSON", "{}").is_err());
    create_as(&mut aws, "ChangeCalendar", "TEXT", text).unwrap();
    let got = aws.ok("GetDocument", json!({ "Name": "the-document" }));
    assert_eq!(
        (&got["Content"], &got["DocumentFormat"]),
        (&json!(text), &json!("TEXT"))
    );
}

#[test]
fn platforms_follow_plugins_and_preconditions() {
    let mut aws = Aws::new();
    let shell = r#"{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"a","inputs":{}}]}"#;
    assert_eq!(
        create_as(&mut aws, "Command", "JSON", shell).unwrap()["PlatformTypes"],
        json!(["Linux", "MacOS"])
    );
    let linux = shell.replace(
        r#""name""#,
        r#""precondition":{"StringEquals":["platformType","Linux"]},"name""#,
    );
    let output = aws.ok(
        "CreateDocument",
        json!({ "Name": "linux", "Content": linux }),
    );
    assert_eq!(
        output["DocumentDescription"]["PlatformTypes"],
        json!(["Linux"])
    );
    assert_eq!(output["DocumentDescription"]["DocumentType"], "Command");
}

#[test]
fn a_text_over_64_kb_is_refused() {
    let mut aws = Aws::new();
    let text = runbook(&"x".repeat(64 * 1024));
    assert_eq!(
        create_as(&mut aws, "Automation", "JSON", &text),
        Err("MaxDocumentSizeExceeded".to_owned())
    );
}

#[test]
fn unknown_actions_and_parameter_types_are_refused() {
    let mut aws = Aws::new();
    let wrong = Err("InvalidDocumentContent".to_owned());
    let shell = r#"{"schemaVersion":"0.3","mainSteps":[{"action":"aws:runShellScript","name":"a","inputs":{}}]}"#;
    assert_eq!(create_as(&mut aws, "Automation", "JSON", shell), wrong);
    assert_eq!(
        create_as(
            &mut aws,
            "Command",
            "JSON",
            &shell.replace("0.3", "2.2").replace("Shell", "Sea")
        ),
        wrong
    );
    let typed = |kind: &str| RUNBOOK.replace("\"String\"", &format!("\"{kind}\""));
    assert_eq!(
        create_as(&mut aws, "Automation", "JSON", &typed("Text")),
        wrong
    );
    create_as(
        &mut aws,
        "Automation",
        "JSON",
        &typed("List<AWS::EC2::Instance::Id>"),
    )
    .unwrap();
}
