use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::testing::World;

/// An account in which Security Hub is enabled.
fn world() -> World {
    let mut world = World::new();
    world.ok("EnableSecurityHub", &json!({}));
    world
}

impl World {
    fn create(&mut self) -> String {
        let answer = self.ok("CreateAutomationRule", &rule());
        answer["RuleArn"].as_str().unwrap().to_owned()
    }

    fn get(&mut self, arn: &str) -> Value {
        let answer = self.ok(
            "BatchGetAutomationRules",
            &json!({ "AutomationRulesArns": [arn] }),
        );
        answer["Rules"][0].clone()
    }

    /// Changes one rule, and answers with the code of what was not done.
    fn update(&mut self, arn: &str, mut said: Value) -> Option<i64> {
        said["RuleArn"] = json!(arn);
        let answer = self.ok(
            "BatchUpdateAutomationRules",
            &json!({ "UpdateAutomationRulesRequestItems": [said] }),
        );
        answer["UnprocessedAutomationRules"][0]["ErrorCode"].as_i64()
    }
}

fn rule() -> Value {
    json!({
        "RuleName": "accepted", "Description": "Risks that we bear.", "RuleOrder": 10,
        "Criteria": { "SeverityLabel": [{ "Value": "LOW", "Comparison": "EQUALS" }] },
        "Actions": [{
            "Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": { "Workflow": { "Status": "SUPPRESSED" } },
        }],
        "Tags": { "team": "banana" },
    })
}

#[test]
fn a_rule_has_defaults_and_a_name_is_no_identity() {
    let mut world = world();
    let arn = world.create();
    assert!(arn.starts_with("arn:aws:securityhub:eu-west-1:111122223333:automation-rule/"));
    let got = world.get(&arn);
    assert_eq!(got["RuleStatus"], "ENABLED");
    assert_eq!(got["IsTerminal"], false);
    assert_eq!(got["CreatedAt"], got["UpdatedAt"]);
    assert_eq!(got["CreatedBy"], "arn:aws:iam::111122223333:user/tester");
    assert_eq!(got.get("Tags"), None);
    let tags = world.ok("ListTagsForResource", &json!({ "ResourceArn": arn }));
    assert_eq!(tags["Tags"], json!({ "team": "banana" }));
    assert_ne!(world.create(), arn);
    let listed = world.ok("ListAutomationRules", &json!({}));
    let listed = listed["AutomationRulesMetadata"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(
        listed
            .iter()
            .all(|one| one.get("Criteria").is_none() && one["RuleName"] == "accepted")
    );
}

#[test]
fn a_list_has_pages() {
    let mut world = world();
    let mut made: Vec<String> = (0..5).map(|_| world.create()).collect();
    made.sort();
    let (mut found, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = world.ok(
            "ListAutomationRules",
            &json!({ "MaxResults": 2, "NextToken": token }),
        );
        let rules = page["AutomationRulesMetadata"].as_array().unwrap();
        found.extend(
            rules
                .iter()
                .map(|one| one["RuleArn"].as_str().unwrap().to_owned()),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(found, made);
    let (code, _) = world.refused("ListAutomationRules", &json!({ "NextToken": "x" }));
    assert_eq!(code, "InvalidInputException");
}

#[test]
fn an_update_keeps_what_it_leaves_out_and_replaces_what_it_has_whole() {
    let mut world = world();
    let arn = world.create();
    let before = world.get(&arn);
    let title = json!({ "Title": [{ "Value": "x", "Comparison": "CONTAINS" }] });
    assert_eq!(
        world.update(&arn, json!({ "RuleOrder": 20, "Criteria": title })),
        None
    );
    let after = world.get(&arn);
    assert_eq!(after["RuleOrder"], 20);
    assert_eq!(after["Criteria"], title);
    for kept in [
        "RuleName",
        "Description",
        "RuleStatus",
        "IsTerminal",
        "Actions",
        "CreatedAt",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    assert!(after["UpdatedAt"].as_f64() > before["UpdatedAt"].as_f64());
}

#[test]
fn a_severity_by_number_gets_its_label() {
    let mut world = world();
    let arn = world.create();
    for (normalized, label) in [
        (0, "INFORMATIONAL"),
        (1, "LOW"),
        (39, "LOW"),
        (40, "MEDIUM"),
        (70, "HIGH"),
        (89, "HIGH"),
        (100, "CRITICAL"),
    ] {
        let severity = json!({ "Severity": { "Normalized": normalized } });
        let action = json!({ "Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": severity });
        assert_eq!(world.update(&arn, json!({ "Actions": [action] })), None);
        let got = &world.get(&arn)["Actions"][0]["FindingFieldsUpdate"]["Severity"];
        assert_eq!(got["Label"], label, "{normalized}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let mut world = world();
    let arn = world.create();
    let filters = |comparisons: &[&str]| -> Vec<Value> {
        let filter = |c: &&str| json!({ "Value": "x", "Comparison": c });
        comparisons.iter().map(filter).collect()
    };
    let many = |count: usize| filters(&vec!["EQUALS"; count]);
    let date = |start: &str| json!([{ "Start": start }]);
    for (criteria, fits) in [
        (json!({}), false),
        (json!({ "Title": [] }), false),
        (json!({ "Title": many(100) }), true),
        (json!({ "Title": many(101) }), false),
        (json!({ "Type": many(20) }), true),
        (json!({ "Type": many(21) }), false),
        (json!({ "Type": filters(&["EQUALS", "PREFIX"]) }), true),
        (
            json!({ "Type": filters(&["PREFIX", "NOT_EQUALS", "PREFIX_NOT_EQUALS"]) }),
            true,
        ),
        (json!({ "Type": filters(&["EQUALS", "NOT_EQUALS"]) }), false),
        (
            json!({ "Type": filters(&["EQUALS", "PREFIX_NOT_EQUALS"]) }),
            false,
        ),
        (json!({ "Type": filters(&["CONTAINS", "EQUALS"]) }), false),
        (
            json!({ "Type": filters(&["NOT_CONTAINS", "NOT_EQUALS"]) }),
            false,
        ),
        (json!({ "Type": filters(&["CONTAINS_WORD"]) }), false),
        (json!({ "CreatedAt": date("2026-01-31T23:00:00Z") }), true),
        (
            json!({ "CreatedAt": date("2026-01-31T23:00:00.123-1759") }),
            true,
        ),
        (json!({ "CreatedAt": date("2026-01-31") }), false),
    ] {
        let mut input = rule();
        input["Criteria"] = criteria.clone();
        let made = world.call("CreateAutomationRule", &input);
        assert_eq!(made.is_ok(), fits, "{criteria}");
        let updated = world.update(&arn, json!({ "Criteria": criteria }));
        assert_eq!(updated, (!fits).then_some(400), "{criteria}");
    }
}

#[test]
fn a_batch_does_what_it_can_and_tells_the_rest() {
    let mut world = world();
    let (arn, gone) = (world.create(), "arn:aws:securityhub:eu-west-1:1:x");
    let both = json!({ "AutomationRulesArns": [gone, arn] });
    let got = world.ok("BatchGetAutomationRules", &both);
    assert_eq!(got["Rules"][0]["RuleArn"], json!(arn));
    assert_eq!(got["UnprocessedAutomationRules"][0]["RuleArn"], json!(gone));
    assert_eq!(world.update(gone, json!({ "RuleOrder": 1 })), Some(404));
    let deleted = world.ok("BatchDeleteAutomationRules", &both);
    assert_eq!(deleted["ProcessedAutomationRules"], json!([arn]));
    assert_eq!(
        deleted["UnprocessedAutomationRules"][0]["ErrorCode"],
        json!(404)
    );
    let none = world.ok("BatchDeleteAutomationRules", &both);
    assert_eq!(none.get("ProcessedAutomationRules"), None);
    let (code, _) = world.refused("ListTagsForResource", &json!({ "ResourceArn": arn }));
    assert_eq!(code, "ResourceNotFoundException");
}

#[test]
fn a_batch_that_does_all_lists_no_failures() {
    let mut world = world();
    let arn = world.create();
    let named = json!({ "AutomationRulesArns": [arn] });
    let items =
        json!({ "UpdateAutomationRulesRequestItems": [{ "RuleArn": arn, "RuleOrder": 2 }] });
    for (operation, input) in [
        ("BatchGetAutomationRules", &named),
        ("BatchUpdateAutomationRules", &items),
        ("BatchDeleteAutomationRules", &named),
    ] {
        let answer = world.ok(operation, input);
        assert_eq!(
            answer["UnprocessedAutomationRules"],
            json!([]),
            "{operation}"
        );
    }
}

#[test]
fn there_are_a_hundred_at_most() {
    let mut world = world();
    for _ in 0..100 {
        world.create();
    }
    let (code, _) = world.refused("CreateAutomationRule", &rule());
    assert_eq!(code, "LimitExceededException");
    world.state.settings.quotas = false;
    world.create();
}

#[test]
fn without_a_hub_rules_are_out_of_sight_and_after_ninety_days_they_are_gone() {
    let mut world = world();
    let arn = world.create();
    for (days, left) in [(89, 1), (91, 0)] {
        world.ok("DisableSecurityHub", &json!({}));
        for (operation, input) in [
            ("CreateAutomationRule", rule()),
            ("ListAutomationRules", json!({})),
            (
                "BatchGetAutomationRules",
                json!({ "AutomationRulesArns": [arn] }),
            ),
            (
                "BatchDeleteAutomationRules",
                json!({ "AutomationRulesArns": [arn] }),
            ),
        ] {
            let (code, why) = world.refused(operation, &input);
            assert_eq!(code, "InvalidAccessException", "{operation}");
            assert!(why.contains("is not subscribed to AWS Security Hub"));
        }
        world.now += SignedDuration::from_hours(24 * days);
        world.ok("EnableSecurityHub", &json!({}));
        let listed = world.ok("ListAutomationRules", &json!({}));
        let listed = listed["AutomationRulesMetadata"].as_array().unwrap();
        assert_eq!(listed.len(), left, "{days}");
    }
}
