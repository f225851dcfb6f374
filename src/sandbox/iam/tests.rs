//! Policies: what is read, what is refused, and what they decide.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::evaluate::{Context, Decision, Tags};
use super::{Policy, Request};
use crate::sandbox::Map;

const ARN: &str = "arn:aws:ssm:eu-west-1:111122223333:document/fix";

fn policy(statements: &Value) -> Policy {
    let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    Policy::parse(&text).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// Decides on deleting a document that has, by a request that sets, these tags.
fn decide(condition: &Value, has: Option<&[(&str, &str)]>, sets: &[(&str, &str)]) -> bool {
    let policy = policy(&json!({
        "Effect": "Allow", "Action": "ssm:*", "Resource": "*", "Condition": condition,
    }));
    let (request_tags, keys) = (
        tags(sets),
        sets.iter()
            .map(|(k, _)| (*k).to_owned())
            .collect::<Vec<_>>(),
    );
    let context = Context {
        action: "ssm:DeleteDocument",
        resource: ARN,
        caller: "arn:aws:iam::111122223333:user/sandbox",
        region: "eu-west-1",
        request_tags: &request_tags,
        tag_keys: &keys,
        resource_tags: has.map(tags),
    };
    policy.decide(&context) == Decision::Allowed
}

fn matches(action: &str, resource: &str) -> bool {
    let policy = policy(&json!([{ "Effect": "Allow", "Action": action, "Resource": resource }]));
    let context = Context {
        action: "ssm:DeleteDocument",
        resource: ARN,
        caller: "",
        region: "eu-west-1",
        request_tags: &Tags::new(),
        tag_keys: &[],
        resource_tags: None,
    };
    policy.decide(&context) == Decision::Allowed
}

#[test]
fn actions_and_resources_have_wildcards() {
    assert!(matches("ssm:deleteDOCUMENT", "*"));
    assert!(matches("ssm:Delete*", "arn:aws:ssm:*:*:document/f?x"));
    assert!(matches("*", "arn:aws:ssm:*:111122223333:document/*"));
    assert!(!matches("ssm:DeleteDocuments", "*"));
    assert!(!matches("ssm:Get*", "*"));
    assert!(!matches("ssm:*", "arn:aws:ssm:*:document/*"));
    assert!(!matches("ssm:*", "arn:aws:ssm:eu-west-2:*:document/*"));
    assert!(!matches("ssm:*", "arn:aws:ssm:*:*:parameter/*"));
}

#[test]
fn a_denial_wins_and_not_means_all_but() {
    let statements = json!([
        { "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "ssm:DeleteDocument", "NotResource": "arn:aws:ssm:*:*:document/free" },
    ]);
    let policy = policy(&statements);
    let refuse = |operation: &str, name: &str| {
        let input = Map::from_iter([("Name".to_owned(), json!(name))]);
        let request = Request {
            service: "ssm",
            operation,
            input: &input,
            account: "111122223333",
            region: "eu-west-1",
            caller: "arn:aws:iam::111122223333:user/sandbox",
        };
        policy.refuse(&request, &mut BTreeSet::new(), |_, _| None)
    };
    assert_eq!(refuse("GetDocument", "fix"), None);
    assert_eq!(refuse("DeleteDocument", "free"), None);
    assert_eq!(
        refuse("DeleteDocument", "fix").unwrap(),
        "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: ssm:DeleteDocument on resource: \
         arn:aws:ssm:eu-west-1:111122223333:document/fix with an explicit deny in an identity-based policy"
    );
}

#[test]
fn tags_of_the_resource_and_of_the_request() {
    let ours = json!({ "StringEquals": { "aws:ResourceTag/stack": "shop" } });
    assert!(decide(&ours, Some(&[("stack", "shop")]), &[]));
    assert!(decide(&ours, Some(&[("Stack", "shop")]), &[]));
    assert!(!decide(&ours, Some(&[("stack", "other")]), &[]));
    assert!(!decide(&ours, Some(&[]), &[]));
    assert!(!decide(&ours, None, &[]));
    let not_others = json!({ "StringEqualsIfExists": { "aws:ResourceTag/stack": "shop" } });
    assert!(decide(&not_others, None, &[]));
    assert!(!decide(&not_others, Some(&[("stack", "other")]), &[]));
    let stamps = json!({ "StringEquals": { "aws:RequestTag/stack": ["shop", "stall"] } });
    assert!(decide(&stamps, None, &[("stack", "stall")]));
    assert!(!decide(&stamps, None, &[]));
    let keys = json!({ "ForAllValues:StringLike": { "aws:TagKeys": "stationbill-*" } });
    assert!(decide(
        &keys,
        None,
        &[("stationbill-stack", "a"), ("stationbill-object", "b")]
    ));
    assert!(!decide(
        &keys,
        None,
        &[("stationbill-stack", "a"), ("team", "b")]
    ));
    let any = json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": "team" } });
    assert!(decide(&any, None, &[("stack", "a"), ("team", "b")]));
    assert!(!decide(&any, None, &[]));
    let none = json!({ "Null": { "aws:ResourceTag/stack": "true" } });
    assert!(decide(&none, Some(&[("team", "a")]), &[]));
    assert!(!decide(&none, Some(&[("stack", "a")]), &[]));
}

#[test]
fn the_other_operators() {
    for (condition, expected) in [
        (
            json!({ "StringNotEquals": { "aws:RequestedRegion": "eu-west-1" } }),
            false,
        ),
        (
            json!({ "StringNotEquals": { "aws:ResourceTag/stack": "shop" } }),
            true,
        ),
        (
            json!({ "StringLike": { "aws:RequestedRegion": ["us-*", "eu-*"] } }),
            true,
        ),
        (
            json!({ "StringEqualsIgnoreCase": { "aws:RequestedRegion": "EU-west-1" } }),
            true,
        ),
        (
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/*" } }),
            true,
        ),
        (
            json!({ "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/*" } }),
            false,
        ),
        (
            json!({ "StringEquals": { "aws:ResourceAccount": "111122223333", "aws:RequestedRegion": "x" } }),
            false,
        ),
        (
            json!({ "BoolIfExists": { "aws:ResourceTag/gone": true } }),
            true,
        ),
    ] {
        assert_eq!(decide(&condition, None, &[]), expected, "{condition}");
    }
}

#[test]
fn what_could_not_be_judged_is_refused() {
    let good = json!({ "Effect": "Allow", "Action": "ssm:*", "Resource": "*" });
    let with = |member: &str, value: Value| {
        let mut statement = good.clone();
        statement[member] = value;
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    assert!(Policy::parse(&with("Sid", json!("Read0"))).is_ok());
    for (member, value) in [
        ("Effect", json!("allow")),
        ("Action", json!("GetDocument")),
        ("Action", json!([])),
        ("NotAction", json!("iam:*")),
        ("Resource", json!("document/fix")),
        (
            "Resource",
            json!("arn:aws:ssm:*:${aws:PrincipalAccount}:document/*"),
        ),
        ("Principal", json!("*")),
        (
            "Condition",
            json!({ "StringEqual": { "aws:RequestedRegion": "a" } }),
        ),
        (
            "Condition",
            json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "1" } }),
        ),
        (
            "Condition",
            json!({ "StringEquals": { "aws:SourceIp": "a" } }),
        ),
        (
            "Condition",
            json!({ "StringEquals": { "aws:ResourceTag": "a" } }),
        ),
        (
            "Condition",
            json!({ "StringEquals": { "aws:ResourceTag/${a}": "a" } }),
        ),
        (
            "Condition",
            json!({ "StringEquals": { "aws:TagKeys": "a" } }),
        ),
        (
            "Condition",
            json!({ "ForAllValues:StringEquals": { "aws:RequestedRegion": "a" } }),
        ),
        (
            "Condition",
            json!({ "ForSomeValues:StringEquals": { "aws:TagKeys": "a" } }),
        ),
        (
            "Condition",
            json!({ "NullIfExists": { "aws:TagKeys": "true" } }),
        ),
        ("Condition", json!({ "Null": { "aws:TagKeys": "yes" } })),
        (
            "Condition",
            json!({ "StringEquals": { "aws:RequestedRegion": [] } }),
        ),
    ] {
        assert!(
            Policy::parse(&with(member, value.clone())).is_err(),
            "{member}: {value}"
        );
    }
    for text in [
        "[]",
        "{}",
        r#"{"Version": "2012-10-17"}"#,
        r#"{"Version": "2008-10-17", "Statement": []}"#,
    ] {
        assert!(Policy::parse(text).is_err(), "{text}");
    }
}
