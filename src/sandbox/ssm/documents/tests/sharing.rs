use serde_json::{Value, json};

use super::{active, names, runbook};
use crate::sandbox::ssm::testing::{ACCOUNT, Aws, OTHER, REGION};

#[test]
fn a_shared_document_cannot_be_deleted() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let share =
        |member: &str, id: &str| json!({ "Name": "wait", "PermissionType": "Share", member: [id] });
    aws.ok("ModifyDocumentPermission", share("AccountIdsToAdd", OTHER));
    assert_eq!(
        aws.err("DeleteDocument", json!({ "Name": "wait" })),
        "InvalidDocumentOperation"
    );
    aws.ok(
        "ModifyDocumentPermission",
        share("AccountIdsToRemove", OTHER),
    );
    aws.ok("DeleteDocument", json!({ "Name": "wait" }));
}

#[test]
fn sharing_reports_lower_case_and_versions_and_removing_wins() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let describe = json!({ "Name": "wait", "PermissionType": "Share" });
    aws.ok(
        "ModifyDocumentPermission",
        json!({ "Name": "wait", "PermissionType": "Share", "AccountIdsToAdd": ["All"] }),
    );
    assert_eq!(
        aws.ok("DescribeDocumentPermission", describe.clone()),
        json!({
            "AccountIds": ["all"],
            "AccountSharingInfoList": [{ "AccountId": "all", "SharedDocumentVersion": "$DEFAULT" }],
        })
    );
    aws.ok(
        "ModifyDocumentPermission",
        json!({
            "Name": "wait", "PermissionType": "Share", "SharedDocumentVersion": "$ALL",
            "AccountIdsToAdd": [OTHER, "777788889999"], "AccountIdsToRemove": ["777788889999"],
        }),
    );
    let shared = aws.ok("DescribeDocumentPermission", describe);
    assert_eq!(shared["AccountIds"], json!([OTHER, "all"]));
    assert_eq!(
        shared["AccountSharingInfoList"][0]["SharedDocumentVersion"],
        "$ALL"
    );
}

#[test]
fn public_and_private_sharing_do_not_mix_in_one_call() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let mixed =
        json!({ "Name": "wait", "PermissionType": "Share", "AccountIdsToAdd": ["all", OTHER] });
    assert_eq!(
        aws.err("ModifyDocumentPermission", mixed),
        "DocumentPermissionLimit"
    );
    let neither = json!({ "Name": "wait", "PermissionType": "Share" });
    assert_eq!(
        aws.err("ModifyDocumentPermission", neither),
        "ValidationException"
    );
}

#[test]
fn public_sharing_can_be_blocked_by_the_service_setting() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let setting = "/ssm/documents/console/public-sharing-permission";
    aws.ok(
        "UpdateServiceSetting",
        json!({ "SettingId": setting, "SettingValue": "Disable" }),
    );
    let public = json!({ "Name": "wait", "PermissionType": "Share", "AccountIdsToAdd": ["all"] });
    assert_eq!(
        aws.err("ModifyDocumentPermission", public.clone()),
        "DocumentPermissionLimit"
    );
    aws.ok("ResetServiceSetting", json!({ "SettingId": setting }));
    aws.ok("ModifyDocumentPermission", public);
}

#[test]
fn five_documents_can_be_public() {
    let mut aws = Aws::new();
    let public = |n: u32| json!({ "Name": format!("doc-{n}"), "PermissionType": "Share", "AccountIdsToAdd": ["all"] });
    for n in 1..=6 {
        active(&mut aws, &format!("doc-{n}"));
    }
    for n in 1..=5 {
        aws.ok("ModifyDocumentPermission", public(n));
    }
    assert_eq!(
        aws.err("ModifyDocumentPermission", public(6)),
        "DocumentPermissionLimit"
    );
    aws.ok("ModifyDocumentPermission", public(5));
}

#[test]
fn a_shared_document_is_read_by_its_arn_and_in_the_shared_version_only() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": runbook("Two."), "DocumentVersion": "$LATEST" }),
    );
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:document/wait");
    let read =
        |aws: &mut Aws, input: Value| aws.call_as(OTHER, "GetDocument", input).map_err(|f| f.code);
    assert_eq!(
        read(&mut aws, json!({ "Name": arn })).unwrap_err(),
        "InvalidDocument"
    );
    let share = json!({ "Name": "wait", "PermissionType": "Share", "AccountIdsToAdd": [OTHER] });
    aws.ok("ModifyDocumentPermission", share);
    let got = read(&mut aws, json!({ "Name": arn })).unwrap();
    assert_eq!(
        (&got["Name"], &got["DocumentVersion"]),
        (&json!(arn), &json!("1"))
    );
    assert_eq!(
        read(&mut aws, json!({ "Name": arn, "DocumentVersion": "2" })).unwrap_err(),
        "InvalidDocumentVersion"
    );
    assert_eq!(
        read(&mut aws, json!({ "Name": "wait" })).unwrap_err(),
        "InvalidDocument"
    );
    let listed = aws
        .call_as(
            OTHER,
            "ListDocuments",
            json!({ "Filters": [{ "Key": "Owner", "Values": ["Private"] }] }),
        )
        .unwrap();
    assert_eq!(names(&Value::Object(listed)), [arn]);
}

#[test]
fn the_owner_may_use_the_arn_for_reading() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:document/wait");
    assert_eq!(
        aws.ok("DescribeDocument", json!({ "Name": arn }))["Document"]["Name"],
        "wait"
    );
}
