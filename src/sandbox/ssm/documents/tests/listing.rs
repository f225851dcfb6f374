use serde_json::{Value, json};

use super::{RUNBOOK, active, create, names, runbook};
use crate::sandbox::ssm::testing::{Aws, OTHER, REGION};

#[test]
fn documents_are_listed_by_owner_and_name() {
    let mut aws = Aws::new();
    for name in ["zebra", "apple-2", "apple-1"] {
        create(&mut aws, name);
    }
    let own = json!({ "Key": "Owner", "Values": ["Self"] });
    let listed = aws.ok("ListDocuments", json!({ "Filters": [own] }));
    assert_eq!(names(&listed), ["apple-1", "apple-2", "zebra"]);
    let prefix = json!({ "Key": "Name", "Values": ["apple"] });
    let listed = aws.ok("ListDocuments", json!({ "Filters": [own, prefix] }));
    assert_eq!(names(&listed), ["apple-1", "apple-2"]);
    let old = json!([{ "key": "Owner", "value": "Self" }, { "key": "Name", "value": "zeb" }]);
    assert_eq!(
        names(&aws.ok("ListDocuments", json!({ "DocumentFilterList": old }))),
        ["zebra"]
    );
    let all = aws.ok("ListDocuments", json!({}));
    assert!(names(&all).contains(&"zebra") && names(&all).contains(&"AWS-RunPatchBaseline"));
}

#[test]
fn documents_are_listed_by_type_platform_target_and_tag() {
    let mut aws = Aws::new();
    aws.ok(
        "CreateDocument",
        json!({
            "Name": "tagged", "Content": RUNBOOK, "DocumentType": "Automation", "TargetType": "/",
            "Tags": [{ "Key": "team", "Value": "a" }],
        }),
    );
    let shell = r#"{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"a","inputs":{}}]}"#;
    aws.ok(
        "CreateDocument",
        json!({ "Name": "shell", "Content": shell, "DocumentType": "Command" }),
    );
    let mut list = |key: &str, values: Value| {
        let own = json!({ "Key": "Owner", "Values": ["Self"] });
        let output = aws.ok(
            "ListDocuments",
            json!({ "Filters": [own, { "Key": key, "Values": values }] }),
        );
        names(&output)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(list("DocumentType", json!(["Command"])), ["shell"]);
    assert_eq!(list("PlatformTypes", json!(["Windows"])), ["tagged"]);
    assert_eq!(list("TargetType", json!(["/"])), ["tagged"]);
    assert_eq!(list("tag:team", json!(["b", "a"])), ["tagged"]);
    assert_eq!(list("tag:team", json!(["b"])), Vec::<String>::new());
}

#[test]
fn wrong_filters_are_refused() {
    let mut aws = Aws::new();
    let mut code = |filters: Value| aws.err("ListDocuments", json!({ "Filters": filters }));
    assert_eq!(
        code(json!([{ "Key": "Colour", "Values": ["red"] }])),
        "InvalidFilterKey"
    );
    assert_eq!(
        code(json!([{ "Key": "Owner", "Values": ["Self", "Amazon"] }])),
        "ValidationException"
    );
    assert_eq!(
        code(json!([{ "Key": "Owner", "Values": ["Somebody"] }])),
        "ValidationException"
    );
    assert_eq!(
        code(json!([{ "Key": "tag:a", "Values": ["1"] }, { "Key": "tag:b", "Values": ["1"] }])),
        "ValidationException"
    );
}

#[test]
fn listings_come_in_pages() {
    let mut aws = Aws::new();
    for n in 0..7 {
        create(&mut aws, &format!("doc-{n}"));
    }
    let own = json!([{ "Key": "Owner", "Values": ["Self"] }]);
    let first = aws.ok("ListDocuments", json!({ "Filters": own, "MaxResults": 3 }));
    assert_eq!(names(&first), ["doc-0", "doc-1", "doc-2"]);
    // What goes away in between takes nothing else with it.
    aws.ok("DeleteDocument", json!({ "Name": "doc-2" }));
    let token = first["NextToken"].clone();
    let second = aws.ok(
        "ListDocuments",
        json!({ "Filters": own, "MaxResults": 4, "NextToken": token }),
    );
    assert_eq!(names(&second), ["doc-3", "doc-4", "doc-5", "doc-6"]);
    assert_eq!(second.get("NextToken"), None);
    let made_up = json!({ "NextToken": "abc" });
    assert_eq!(aws.err("ListDocuments", made_up), "InvalidNextToken");
    let elsewhere = json!({ "Name": "doc-1", "NextToken": token });
    assert_eq!(
        aws.err("ListDocumentVersions", elsewhere),
        "InvalidNextToken"
    );
}

#[test]
fn versions_are_listed_with_the_default_marked() {
    let mut aws = Aws::new();
    active(&mut aws, "wait");
    aws.ok(
        "UpdateDocument",
        json!({ "Name": "wait", "Content": runbook("Two."), "DocumentVersion": "$LATEST", "VersionName": "two" }),
    );
    let output = aws.ok("ListDocumentVersions", json!({ "Name": "wait" }));
    let versions = output["DocumentVersions"].as_array().unwrap();
    assert_eq!(versions[0]["IsDefaultVersion"], true);
    assert_eq!(versions[1]["IsDefaultVersion"], false);
    assert_eq!(versions[1]["VersionName"], "two");
    assert_eq!(versions[1]["Status"], "Updating");
    assert_eq!(versions[1].get("Hash"), None);
}

#[test]
fn documents_of_aws_can_be_read_and_not_changed() {
    let mut aws = Aws::new();
    let listed = aws.ok(
        "ListDocuments",
        json!({ "Filters": [{ "Key": "Owner", "Values": ["Amazon"] }] }),
    );
    assert_eq!(names(&listed).len(), 8);
    for name in names(&listed) {
        let document = aws.ok("DescribeDocument", json!({ "Name": name }))["Document"].clone();
        assert_eq!(
            (&document["Owner"], &document["Status"]),
            (&json!("Amazon"), &json!("Active"))
        );
        assert!(document["SchemaVersion"].is_string(), "{name}");
        let arn = format!("arn:aws:ssm:{REGION}::document/{name}");
        aws.ok("GetDocument", json!({ "Name": arn }));
        for (operation, input) in [
            (
                "UpdateDocument",
                json!({ "Name": name, "Content": RUNBOOK, "DocumentVersion": "$LATEST" }),
            ),
            (
                "UpdateDocumentDefaultVersion",
                json!({ "Name": name, "DocumentVersion": "1" }),
            ),
            ("DeleteDocument", json!({ "Name": name })),
            (
                "ModifyDocumentPermission",
                json!({ "Name": name, "PermissionType": "Share", "AccountIdsToAdd": [OTHER] }),
            ),
        ] {
            assert_eq!(
                aws.err(operation, input),
                "InvalidDocument",
                "{operation} {name}"
            );
        }
    }
    let patch = aws.ok(
        "DescribeDocument",
        json!({ "Name": "AWS-RunPatchBaseline" }),
    )["Document"]
        .clone();
    assert_eq!(patch["PlatformTypes"], json!(["Windows", "Linux", "MacOS"]));
    let shell =
        aws.ok("DescribeDocument", json!({ "Name": "AWS-RunShellScript" }))["Document"].clone();
    assert_eq!(shell["PlatformTypes"], json!(["Linux", "MacOS"]));
}
