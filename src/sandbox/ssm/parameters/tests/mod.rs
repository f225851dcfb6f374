use serde_json::{Value, json};

use crate::sandbox::ssm::testing::{ACCOUNT, Aws, REGION};

mod reading;

fn put(aws: &mut Aws, name: &str, value: &str) -> Value {
    aws.ok(
        "PutParameter",
        json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true }),
    )
}

fn get(aws: &mut Aws, name: &str) -> Value {
    aws.ok("GetParameter", json!({ "Name": name }))["Parameter"].clone()
}

fn names(output: &Value) -> Vec<&str> {
    let list = output["Parameters"].as_array().unwrap();
    list.iter().map(|p| p["Name"].as_str().unwrap()).collect()
}

#[test]
fn a_parameter_is_created_once_unless_it_is_overwritten() {
    let mut aws = Aws::new();
    let create = json!({ "Name": "/a/b", "Value": "1", "Type": "String" });
    assert_eq!(
        aws.ok("PutParameter", create.clone()),
        json!({ "Version": 1, "Tier": "Standard" })
    );
    assert_eq!(aws.err("PutParameter", create), "ParameterAlreadyExists");
    let overwrite = json!({ "Name": "/a/b", "Value": "2", "Overwrite": true });
    assert_eq!(aws.ok("PutParameter", overwrite)["Version"], 2);
    let parameter = get(&mut aws, "/a/b");
    assert_eq!(parameter["Value"], "2");
    assert_eq!(parameter["Version"], 2);
    assert_eq!(parameter["Type"], "String");
    assert_eq!(parameter["DataType"], "text");
    assert_eq!(
        parameter["ARN"],
        format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b")
    );
    assert_eq!(parameter.get("Selector"), None);
}

#[test]
fn a_new_parameter_needs_a_type_and_an_old_one_keeps_it() {
    let mut aws = Aws::new();
    assert_eq!(
        aws.err("PutParameter", json!({ "Name": "a", "Value": "1" })),
        "ValidationException"
    );
    put(&mut aws, "a", "1");
    let other = json!({ "Name": "a", "Value": "1", "Type": "SecureString", "Overwrite": true });
    assert_eq!(
        aws.err("PutParameter", other),
        "HierarchyTypeMismatchException"
    );
}

#[test]
fn tags_and_overwrite_do_not_go_together() {
    let mut aws = Aws::new();
    let tags = json!([{ "Key": "team", "Value": "a" }]);
    let both =
        json!({ "Name": "a", "Value": "1", "Type": "String", "Overwrite": true, "Tags": tags });
    assert_eq!(aws.err("PutParameter", both), "ValidationException");
    aws.ok(
        "PutParameter",
        json!({ "Name": "a", "Value": "1", "Type": "String", "Tags": tags }),
    );
    let listed = aws.ok(
        "ListTagsForResource",
        json!({ "ResourceType": "Parameter", "ResourceId": "a" }),
    );
    assert_eq!(listed["TagList"], tags);
}

#[test]
fn names_follow_their_rules() {
    let mut aws = Aws::new();
    let mut code = |name: &str| {
        aws.err(
            "PutParameter",
            json!({ "Name": name, "Value": "1", "Type": "String" }),
        )
    };
    assert_eq!(code("/aws/mine"), "AccessDeniedException");
    for name in [
        "/aws-mine",
        "aws-mine",
        "AWSmine",
        "ssm-mine",
        "/ssm/mine",
        "a b",
        "a/b",
        "/a//b",
        "/a/",
        "é",
        "a:1",
    ] {
        assert_eq!(code(name), "ValidationException", "{name}");
    }
    assert_eq!(
        code(&format!("/{}", ["l"; 16].join("/"))),
        "HierarchyLevelLimitExceededException"
    );
    assert_eq!(code(&"n".repeat(1000)), "ValidationException");
    put(&mut aws, &format!("/{}", ["l"; 15].join("/")), "1");
    // Spaces around a name are taken off.
    put(&mut aws, " spaced ", "1");
    assert_eq!(get(&mut aws, "spaced")["Value"], "1");
}

#[test]
fn values_follow_their_rules() {
    let mut aws = Aws::new();
    let mut code = |value: &str| {
        aws.err(
            "PutParameter",
            json!({ "Name": "a", "Value": value, "Type": "String" }),
        )
    };
    assert_eq!(code(""), "ValidationException");
    assert_eq!(code("{{ ssm:b }}"), "ValidationException");
    assert_eq!(code(&"x".repeat(4097)), "ValidationException");
    put(&mut aws, "a", &"x".repeat(4096));
}

#[test]
fn what_an_overwrite_leaves_out_stays() {
    let mut aws = Aws::new();
    aws.ok(
        "PutParameter",
        json!({ "Name": "a", "Value": "1", "Type": "String", "Description": "d", "AllowedPattern": "^\\d+$" }),
    );
    put(&mut aws, "a", "2");
    let described = aws.ok("DescribeParameters", json!({}))["Parameters"][0].clone();
    assert_eq!(
        (&described["Description"], &described["AllowedPattern"]),
        (&json!("d"), &json!("^\\d+$"))
    );
    let wrong = json!({ "Name": "a", "Value": "x", "Overwrite": true });
    assert_eq!(
        aws.err("PutParameter", wrong),
        "ParameterPatternMismatchException"
    );
    let broken = json!({ "Name": "b", "Value": "x", "Type": "String", "AllowedPattern": "(" });
    assert_eq!(
        aws.err("PutParameter", broken),
        "InvalidAllowedPatternException"
    );
}

#[test]
fn tiers_go_up_and_never_down() {
    let mut aws = Aws::new();
    let with_tier = |tier: &str, value: &str| json!({ "Name": "a", "Value": value, "Type": "String", "Tier": tier, "Overwrite": true });
    assert_eq!(
        aws.ok("PutParameter", with_tier("Intelligent-Tiering", "1"))["Tier"],
        "Standard"
    );
    let large = "x".repeat(5000);
    assert_eq!(
        aws.err("PutParameter", with_tier("Standard", &large)),
        "ValidationException"
    );
    assert_eq!(
        aws.ok("PutParameter", with_tier("Intelligent-Tiering", &large))["Tier"],
        "Advanced"
    );
    assert_eq!(
        aws.err("PutParameter", with_tier("Standard", "1")),
        "ValidationException"
    );
    assert_eq!(put(&mut aws, "a", "1")["Tier"], "Advanced");
    assert_eq!(
        aws.err("PutParameter", with_tier("Advanced", &"x".repeat(8193))),
        "ValidationException"
    );
}

#[test]
fn the_default_tier_is_a_service_setting() {
    let mut aws = Aws::new();
    let setting = json!({ "SettingId": "/ssm/parameter-store/default-parameter-tier", "SettingValue": "Advanced" });
    aws.ok("UpdateServiceSetting", setting);
    assert_eq!(put(&mut aws, "a", "1")["Tier"], "Advanced");
}

#[test]
fn a_hundred_versions_are_kept() {
    let mut aws = Aws::new();
    for n in 1..=101 {
        put(&mut aws, "a", &n.to_string());
    }
    assert_eq!(
        aws.err("GetParameter", json!({ "Name": "a:1" })),
        "ParameterVersionNotFound"
    );
    assert_eq!(get(&mut aws, "a")["Version"], 101);
    aws.ok(
        "LabelParameterVersion",
        json!({ "Name": "a", "ParameterVersion": 2, "Labels": ["keep"] }),
    );
    let more = json!({ "Name": "a", "Value": "x", "Overwrite": true });
    assert_eq!(
        aws.err("PutParameter", more.clone()),
        "ParameterMaxVersionLimitExceeded"
    );
    aws.ok(
        "LabelParameterVersion",
        json!({ "Name": "a", "Labels": ["keep"] }),
    );
    assert_eq!(aws.ok("PutParameter", more)["Version"], 102);
}

#[test]
fn a_label_moves_and_a_wrong_one_is_reported() {
    let mut aws = Aws::new();
    put(&mut aws, "a", "1");
    put(&mut aws, "a", "2");
    let label = |version: i64, labels: Value| json!({ "Name": "a", "ParameterVersion": version, "Labels": labels });
    let output = aws.ok(
        "LabelParameterVersion",
        label(1, json!(["prod", "1st", "aws-x", "SSMx", "a/b"])),
    );
    assert_eq!(
        output,
        json!({ "InvalidLabels": ["1st", "aws-x", "SSMx", "a/b"], "ParameterVersion": 1 })
    );
    aws.ok("LabelParameterVersion", label(2, json!(["prod"])));
    assert_eq!(get(&mut aws, "a:prod")["Version"], 2);
    let eleven: Vec<String> = (0..10).map(|n| format!("l{n}")).collect();
    assert_eq!(
        aws.err("LabelParameterVersion", label(2, json!(eleven))),
        "ParameterVersionLabelLimitExceeded"
    );
    assert_eq!(
        aws.err("LabelParameterVersion", label(9, json!(["x"]))),
        "ParameterVersionNotFound"
    );
    let output = aws.ok("UnlabelParameterVersion", label(2, json!(["prod", "none"])));
    assert_eq!(
        output,
        json!({ "RemovedLabels": ["prod"], "InvalidLabels": ["none"] })
    );
}

#[test]
fn a_name_that_had_tags_cannot_be_used_again_for_half_a_minute() {
    let mut aws = Aws::new();
    let tagged = json!({ "Name": "a", "Value": "1", "Type": "String", "Tags": [{ "Key": "k", "Value": "v" }] });
    aws.ok("PutParameter", tagged.clone());
    aws.ok("DeleteParameter", json!({ "Name": "a" }));
    aws.wait(29);
    assert_eq!(aws.err("PutParameter", tagged.clone()), "TooManyUpdates");
    aws.wait(1);
    assert_eq!(aws.ok("PutParameter", tagged)["Version"], 1);
}

#[test]
fn a_name_without_tags_can_be_used_again_at_once() {
    let mut aws = Aws::new();
    put(&mut aws, "a", "1");
    put(&mut aws, "a", "2");
    aws.ok("DeleteParameter", json!({ "Name": "a" }));
    assert_eq!(put(&mut aws, "a", "3")["Version"], 1);
}

#[test]
fn deleting_tells_the_unknown() {
    let mut aws = Aws::new();
    put(&mut aws, "a", "1");
    put(&mut aws, "b", "1");
    assert_eq!(
        aws.err("DeleteParameter", json!({ "Name": "x" })),
        "ParameterNotFound"
    );
    let output = aws.ok("DeleteParameters", json!({ "Names": ["a", "x", "b"] }));
    assert_eq!(
        output,
        json!({ "DeletedParameters": ["a", "b"], "InvalidParameters": ["x"] })
    );
    assert_eq!(
        aws.err("GetParameter", json!({ "Name": "a" })),
        "ParameterNotFound"
    );
}

#[test]
fn an_expired_parameter_is_gone() {
    let mut aws = Aws::new();
    let policy = |kind: &str| {
        json!([{ "Type": kind, "Version": "1.0", "Attributes": { "Timestamp": "2026-05-04T10:01:00.000Z" } }])
            .to_string()
    };
    let put = |tier: &str, policies: String| json!({ "Name": "a", "Value": "1", "Type": "String", "Tier": tier, "Policies": policies });
    assert_eq!(
        aws.err("PutParameter", put("Standard", policy("Expiration"))),
        "ValidationException"
    );
    assert_eq!(
        aws.err("PutParameter", put("Advanced", policy("Other"))),
        "InvalidPolicyTypeException"
    );
    aws.ok("PutParameter", put("Advanced", policy("Expiration")));
    let described = aws.ok("DescribeParameters", json!({}))["Parameters"][0].clone();
    assert_eq!(described["Policies"][0]["PolicyType"], "Expiration");
    aws.wait(60);
    assert_eq!(
        aws.err("GetParameter", json!({ "Name": "a" })),
        "ParameterNotFound"
    );
}

#[test]
fn data_types_check_their_values() {
    let mut aws = Aws::new();
    let typed = |data_type: &str, value: &str| json!({ "Name": "a", "Value": value, "Type": "String", "DataType": data_type, "Overwrite": true });
    assert_eq!(
        aws.err("PutParameter", typed("colour", "red")),
        "ValidationException"
    );
    assert_eq!(
        aws.err("PutParameter", typed("integer", "1.5")),
        "ValidationException"
    );
    assert_eq!(
        aws.err("PutParameter", typed("json", "{}")),
        "ValidationException"
    );
    aws.ok("PutParameter", typed("integer", "443"));
    assert_eq!(get(&mut aws, "a")["DataType"], "integer");
    // A wrong image is found out after the answer.
    let image =
        json!({ "Name": "i", "Value": "ami-x", "Type": "String", "DataType": "aws:ec2:image" });
    assert_eq!(aws.ok("PutParameter", image)["Version"], 1);
    assert_eq!(
        aws.err("GetParameter", json!({ "Name": "i" })),
        "ParameterNotFound"
    );
}

#[test]
fn spaces_are_taken_off_around_a_name_and_refused_within() {
    let mut aws = Aws::new();
    put(&mut aws, "a", "1");
    assert_eq!(get(&mut aws, " a ")["Name"], "a");
    for operation in ["GetParameter", "GetParameterHistory", "DeleteParameter"] {
        assert_eq!(
            aws.err(operation, json!({ "Name": "a b" })),
            "ValidationException"
        );
    }
    assert_eq!(
        aws.err("GetParameters", json!({ "Names": ["a b"] })),
        "ValidationException"
    );
    aws.ok("DeleteParameter", json!({ "Name": " a" }));
}
