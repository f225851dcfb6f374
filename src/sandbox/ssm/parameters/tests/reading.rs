use serde_json::{Value, json};

use super::{get, names, put};
use crate::sandbox::ssm::testing::{ACCOUNT, Aws, REGION};

#[test]
fn a_secure_string_is_readable_only_when_decrypted() {
    let mut aws = Aws::new();
    aws.ok(
        "PutParameter",
        json!({ "Name": "s", "Value": "plain-text", "Type": "SecureString" }),
    );
    let hidden = get(&mut aws, "s")["Value"].as_str().unwrap().to_owned();
    assert!(
        hidden.starts_with("AQICAH") && !hidden.contains("plain"),
        "{hidden}"
    );
    let open = aws.ok(
        "GetParameter",
        json!({ "Name": "s", "WithDecryption": true }),
    );
    assert_eq!(open["Parameter"]["Value"], "plain-text");
    let history = aws.ok("GetParameterHistory", json!({ "Name": "s" }))["Parameters"][0].clone();
    assert_eq!(
        (&history["Value"], &history["KeyId"]),
        (&json!(hidden), &json!("alias/aws/ssm"))
    );
    let key = json!({ "Name": "k", "Value": "1", "Type": "String", "KeyId": "alias/mine" });
    assert_eq!(aws.err("PutParameter", key), "ValidationException");
}

#[test]
fn versions_are_read_by_number_label_and_arn() {
    let mut aws = Aws::new();
    put(&mut aws, "/a/b", "one");
    put(&mut aws, "/a/b", "two");
    aws.ok(
        "LabelParameterVersion",
        json!({ "Name": "/a/b", "ParameterVersion": 1, "Labels": ["prod"] }),
    );
    let first = get(&mut aws, "/a/b:1");
    assert_eq!(
        (&first["Value"], &first["Selector"], &first["Name"]),
        (&json!("one"), &json!(":1"), &json!("/a/b"))
    );
    assert_eq!(get(&mut aws, "/a/b:prod")["Value"], "one");
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b");
    assert_eq!(get(&mut aws, &arn)["Value"], "two");
    assert_eq!(get(&mut aws, &format!("{arn}:prod"))["Value"], "one");
    let mut code = |name: &str| aws.err("GetParameter", json!({ "Name": name }));
    assert_eq!(code("/a/b:9"), "ParameterVersionNotFound");
    assert_eq!(code("/a/b:test"), "ParameterVersionNotFound");
    assert_eq!(code("/a/c"), "ParameterNotFound");
    assert_eq!(
        code(&format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/x")),
        "ParameterNotFound"
    );
}

#[test]
fn a_name_without_hierarchy_is_found_by_its_arn() {
    let mut aws = Aws::new();
    put(&mut aws, "plain", "1");
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/plain");
    assert_eq!(get(&mut aws, &arn)["Name"], "plain");
}

#[test]
fn several_are_answered_in_order_with_the_unknown_apart() {
    let mut aws = Aws::new();
    put(&mut aws, "b", "1");
    put(&mut aws, "a", "1");
    let output = aws.ok("GetParameters", json!({ "Names": ["b", "x", "a", "a:9"] }));
    assert_eq!(names(&output), ["a", "b"]);
    assert_eq!(output["InvalidParameters"], json!(["x", "a:9"]));
}

#[test]
fn the_history_comes_in_pages_with_labels() {
    let mut aws = Aws::new();
    for n in 1..=5 {
        put(&mut aws, "a", &n.to_string());
    }
    aws.ok(
        "LabelParameterVersion",
        json!({ "Name": "a", "ParameterVersion": 2, "Labels": ["good"] }),
    );
    let first = aws.ok(
        "GetParameterHistory",
        json!({ "Name": "a", "MaxResults": 3 }),
    );
    let versions: Vec<_> = first["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["Version"].clone())
        .collect();
    assert_eq!(versions, [1, 2, 3]);
    assert_eq!(first["Parameters"][1]["Labels"], json!(["good"]));
    assert_eq!(first["Parameters"][0]["Labels"], json!([]));
    assert_eq!(
        first["Parameters"][0]["LastModifiedUser"],
        format!("arn:aws:iam::{ACCOUNT}:user/kayoko")
    );
    let rest = aws.ok(
        "GetParameterHistory",
        json!({ "Name": "a", "NextToken": first["NextToken"] }),
    );
    assert_eq!(rest["Parameters"].as_array().unwrap().len(), 2);
    assert_eq!(
        aws.err("GetParameterHistory", json!({ "Name": "x" })),
        "ParameterNotFound"
    );
}

#[test]
fn a_path_is_read_one_level_or_recursively() {
    let mut aws = Aws::new();
    for name in ["/app/a", "/app/b/c", "/app/b/d", "/apple", "top"] {
        put(&mut aws, name, "1");
    }
    let mut read = |path: &str, recursive: bool| {
        let output = aws.ok(
            "GetParametersByPath",
            json!({ "Path": path, "Recursive": recursive }),
        );
        names(&output)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(read("/app", false), ["/app/a"]);
    assert_eq!(read("/app/", true), ["/app/a", "/app/b/c", "/app/b/d"]);
    assert_eq!(read("/", false), ["/apple", "top"]);
    assert_eq!(read("/app/a", true), Vec::<String>::new());
    assert_eq!(
        aws.err("GetParametersByPath", json!({ "Path": "app" })),
        "ValidationException"
    );
}

#[test]
fn a_path_comes_in_pages_of_ten() {
    let mut aws = Aws::new();
    for n in 10..25 {
        put(&mut aws, &format!("/app/{n}"), "1");
    }
    let first = aws.ok("GetParametersByPath", json!({ "Path": "/app" }));
    assert_eq!(names(&first).len(), 10);
    let rest = aws.ok(
        "GetParametersByPath",
        json!({ "Path": "/app", "NextToken": first["NextToken"] }),
    );
    assert_eq!(names(&rest).len(), 5);
    assert_eq!(rest.get("NextToken"), None);
}

#[test]
fn a_path_is_filtered_by_type_and_label() {
    let mut aws = Aws::new();
    put(&mut aws, "/app/a", "old");
    put(&mut aws, "/app/a", "new");
    aws.ok(
        "PutParameter",
        json!({ "Name": "/app/s", "Value": "x", "Type": "SecureString" }),
    );
    aws.ok(
        "LabelParameterVersion",
        json!({ "Name": "/app/a", "ParameterVersion": 1, "Labels": ["prod"] }),
    );
    let by = |key: &str, value: &str| json!({ "Path": "/app", "ParameterFilters": [{ "Key": key, "Values": [value] }] });
    assert_eq!(
        names(&aws.ok("GetParametersByPath", by("Type", "SecureString"))),
        ["/app/s"]
    );
    let labelled = aws.ok("GetParametersByPath", by("Label", "prod"));
    assert_eq!(labelled["Parameters"][0]["Value"], "old");
    assert_eq!(
        aws.err("GetParametersByPath", by("Name", "a")),
        "InvalidFilterKey"
    );
}

#[test]
fn parameters_are_described_with_filters() {
    let mut aws = Aws::new();
    aws.ok(
        "PutParameter",
        json!({ "Name": "/app/a", "Value": "1", "Type": "String", "Tags": [{ "Key": "team", "Value": "x" }] }),
    );
    aws.ok(
        "PutParameter",
        json!({ "Name": "/app/b/c", "Value": "1", "Type": "StringList", "Tier": "Advanced" }),
    );
    let mut list = |filter: Value| {
        let output = aws.ok(
            "DescribeParameters",
            json!({ "ParameterFilters": [filter] }),
        );
        names(&output)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list(json!({ "Key": "Name", "Option": "BeginsWith", "Values": ["/app/b"] })),
        ["/app/b/c"]
    );
    assert_eq!(
        list(json!({ "Key": "Name", "Option": "Contains", "Values": ["/a"] })).len(),
        2
    );
    assert_eq!(
        list(json!({ "Key": "Name", "Values": ["/app/a"] })),
        ["/app/a"]
    );
    assert_eq!(
        list(json!({ "Key": "Path", "Values": ["/app"] })),
        ["/app/a"]
    );
    assert_eq!(
        list(json!({ "Key": "Path", "Option": "Recursive", "Values": ["/app"] })).len(),
        2
    );
    assert_eq!(
        list(json!({ "Key": "Type", "Values": ["StringList"] })),
        ["/app/b/c"]
    );
    assert_eq!(
        list(json!({ "Key": "Tier", "Values": ["Advanced"] })),
        ["/app/b/c"]
    );
    assert_eq!(
        list(json!({ "Key": "tag:team", "Values": ["x"] })),
        ["/app/a"]
    );
    assert_eq!(list(json!({ "Key": "tag:team" })), ["/app/a"]);
    let mut code = |filter: Value| {
        aws.err(
            "DescribeParameters",
            json!({ "ParameterFilters": [filter] }),
        )
    };
    assert_eq!(
        code(json!({ "Key": "Label", "Values": ["x"] })),
        "InvalidFilterKey"
    );
    assert_eq!(code(json!({ "Key": "Name" })), "InvalidFilterValue");
    assert_eq!(
        code(json!({ "Key": "Type", "Option": "Contains", "Values": ["S"] })),
        "InvalidFilterOption"
    );
    let old = json!({ "Filters": [{ "Key": "Name", "Values": ["/app/b"] }] });
    assert_eq!(names(&aws.ok("DescribeParameters", old)), ["/app/b/c"]);
}

#[test]
fn a_description_has_no_value() {
    let mut aws = Aws::new();
    put(&mut aws, "a", "1");
    let described = aws.ok("DescribeParameters", json!({}))["Parameters"][0].clone();
    assert_eq!(described.get("Value"), None);
    assert_eq!(described["Policies"], json!([]));
    assert_eq!(
        described["ARN"],
        format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a")
    );
}
