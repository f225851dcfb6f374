use super::*;
use crate::sandbox::models::services;

fn check(service: &str, operation: &str, input: Value) -> Result<(), Fault> {
    let service = services().find(|s| s.name == service).unwrap();
    let model = &service.operations[operation];
    let Value::Object(input) = input else {
        unreachable!()
    };
    validate(service, Protocol::Json("1.1"), model, &input)
}

fn message(service: &str, operation: &str, input: Value) -> String {
    check(service, operation, input).unwrap_err().message
}

#[test]
fn a_missing_member_is_null() {
    assert_eq!(
        message("ssm", "GetDocument", json!({})),
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn ranges_lengths_patterns_and_enums_are_worded() {
    assert_eq!(
        message("ssm", "ListDocuments", json!({"MaxResults": 51})),
        "1 validation error detected: Value '51' at 'maxResults' failed to satisfy constraint: \
         Member must have value less than or equal to 50"
    );
    assert_eq!(
        message(
            "ssm-contacts",
            "CreateContact",
            json!({"Alias": "", "Type": "ROBOT", "Plan": {}})
        ),
        "2 validation errors detected: Value '' at 'alias' failed to satisfy constraint: \
         Member must have length greater than or equal to 1; \
         Value 'ROBOT' at 'type' failed to satisfy constraint: \
         Member must satisfy enum value set: [PERSONAL, ESCALATION, ONCALL_SCHEDULE]"
    );
    assert_eq!(
        message("ssm", "GetDocument", json!({"Name": "no spaces"})),
        r"1 validation error detected: Value 'no spaces' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\-.:/]{3,128}$"
    );
}

#[test]
fn security_hub_has_words_and_a_code_of_its_own() {
    let input = json!({"AutoEnableControls": true, "ControlFindingGenerator": "NOBODY"});
    let fault = check("securityhub", "UpdateSecurityHubConfiguration", input).unwrap_err();
    assert_eq!(fault.code, "InvalidInputException");
    assert!(
        fault
            .message
            .starts_with("Invalid parameter 'ControlFindingGenerator'. "),
        "{}",
        fault.message
    );
}

#[test]
fn nested_structures_have_paths() {
    let tags = json!([{"Key": "ok", "Value": ""}, {"Value": "x"}]);
    let input = json!({"ResourceType": "Document", "ResourceId": "doc", "Tags": tags});
    assert_eq!(
        message("ssm", "AddTagsToResource", input),
        "1 validation error detected: Value null at 'tags.2.member.key' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn simple_elements_are_reported_for_the_whole_list() {
    let input = json!({"Name": "mine", "PermissionType": "Share", "AccountIdsToAdd": ["111122223333", "12"]});
    assert_eq!(
        message("ssm", "ModifyDocumentPermission", input),
        "1 validation error detected: Value '[111122223333, 12]' at 'accountIdsToAdd' failed to satisfy \
         constraint: Member must satisfy constraint: \
         [Member must satisfy regular expression pattern: (?i)all|[0-9]{12}]"
    );
}

#[test]
fn map_keys_are_checked() {
    let input = json!({"resourceArn": "arn:x", "tags": {"aws:mine": "x"}});
    let message = message("ssm-incidents", "TagResource", input);
    assert!(
        message.contains(
            "Value '{aws:mine=x}' at 'tags' failed to satisfy constraint: Map keys must satisfy"
        ),
        "{message}"
    );
}

#[test]
fn sensitive_values_are_not_printed() {
    let source = json!({"Name": "mine", "Products": ["p"], "Configuration": "hush".repeat(300)});
    let input = json!({"Name": "baseline", "Sources": [source]});
    assert_eq!(
        message("ssm", "CreatePatchBaseline", input),
        "1 validation error detected: Value at 'sources.1.member.configuration' failed to satisfy constraint: \
         Member must have length less than or equal to 1024"
    );
}

#[test]
fn lengths_count_code_points() {
    assert!(
        check(
            "ssm-contacts",
            "CreateContact",
            json!({
                "Alias": "a", "Type": "PERSONAL", "Plan": {}, "DisplayName": "é".repeat(255)
            })
        )
        .is_ok()
    );
}

#[test]
fn a_union_has_one_member() {
    let input = |chat: Value| json!({"arn": "arn:aws:ssm-incidents::111122223333:response-plan/x", "chatChannel": chat});
    let both = input(json!({"empty": {}, "chatbotSns": []}));
    let fault = check("ssm-incidents", "UpdateResponsePlan", both).unwrap_err();
    assert_eq!(fault.code, "SerializationException");
    assert!(
        check(
            "ssm-incidents",
            "UpdateResponsePlan",
            input(json!({"empty": {}}))
        )
        .is_ok()
    );
}

#[test]
fn contacts_name_the_fields() {
    let fault = check("ssm-contacts", "GetContact", json!({})).unwrap_err();
    assert_eq!(fault.members["Reason"], "FIELD_VALIDATION_FAILED");
    assert_eq!(fault.members["Fields"][0]["Name"], "contactId");
}
