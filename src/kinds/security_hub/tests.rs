use serde_json::{Value, json};

use super::*;
use crate::model::Location;

const FSBP: &str = "aws-foundational-security-best-practices/v/1.0.0";
const CIS: &str = "cis-aws-foundations-benchmark/v/1.2.0";

fn hub(spec: Value) -> SecurityHub {
    serde_json::from_value(spec).unwrap()
}

fn problems(spec: Value) -> Vec<String> {
    let mut report = Report::default();
    hub(spec).validate(&mut report);
    let found = report.diagnostics.into_iter();
    found.map(|d| format!("{}: {}", d.at, d.message)).collect()
}

#[test]
fn a_standard_is_the_same_by_name_and_by_arn_of_any_region() {
    let by_arn = json!({"standards": [
        format!("arn:aws:securityhub:::ruleset/{CIS}"),
        format!("arn:aws:securityhub:${{target.region}}::standards/{FSBP}"),
        format!("arn:aws:securityhub:eu-west-1::standards/{FSBP}"),
    ]});
    assert_eq!(hub(by_arn), hub(json!({"standards": [FSBP, CIS]})));
}

#[test]
fn the_oldest_standard_has_an_arn_of_its_own() {
    let here = Location {
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    assert_eq!(
        standard::arn(&here, CIS),
        format!("arn:aws:securityhub:::ruleset/{CIS}")
    );
    let arn = format!("arn:aws:securityhub:eu-west-1::standards/{FSBP}");
    assert_eq!(standard::arn(&here, FSBP), arn);
    let subscription = format!("arn:aws:securityhub:eu-west-1:111122223333:subscription/{FSBP}");
    assert_eq!(standard::subscription(&here, FSBP), subscription);
    assert_eq!(standard::short(&subscription), FSBP);
}

#[test]
fn a_control_of_which_nothing_is_said_is_as_good_as_not_named() {
    let usual = json!({"controls": {"IAM.6": {}, "IAM.4": {"enabled": true, "parameters": {}}}});
    assert_eq!(hub(usual), hub(json!({"controls": {}})));
    assert_ne!(hub(json!({"controls": {}})), hub(json!({})));
}

#[test]
fn what_is_left_out_is_left_alone() {
    let live = hub(
        json!({"standards": [CIS], "controls": {"IAM.6": {"enabled": false, "reason": "x"}},
        "controlFindingGenerator": "STANDARD_CONTROL", "tags": {}}),
    );
    let mut wanted = hub(json!({}));
    wanted.settle(&live);
    assert_eq!(wanted, live);
    let mut none = hub(json!({"standards": [], "controls": {}}));
    none.settle(&live);
    assert_eq!(
        (none.standards, none.controls),
        (Some(BTreeSet::new()), Some(BTreeMap::new()))
    );
}

#[test]
fn a_control_that_is_off_says_why_and_one_that_is_on_does_not() {
    let controls = json!({"standards": [FSBP], "controls": {
        "1.14": {"enabled": false, "reason": "the number of one standard"},
        "IAM.6": {"enabled": false},
        "IAM.4": {"reason": "why?"},
        "EC2.8": {"enabled": false, "reason": "x", "enabledIn": [CIS]},
        "ACM.1": {"parameters": {"daysToExpiration": {"integer": 1, "boolean": true}, "other": {}}},
        "EC2": {"enabled": false, "reason": "x"},
    }});
    assert_eq!(
        problems(controls),
        [
            "/controls/1.14: `1.14` is not the id of a control",
            "/controls/ACM.1/parameters/daysToExpiration: a parameter has exactly one value, not 2",
            "/controls/ACM.1/parameters/other: a parameter has exactly one value, not 0",
            "/controls/EC2: `EC2` is not the id of a control",
            "/controls/EC2.8/enabledIn: the hub does not subscribe to `cis-aws-foundations-benchmark/v/1.2.0`",
            "/controls/IAM.4: a control that is on has neither `reason` nor `enabledIn`",
            "/controls/IAM.6: a control is off and nobody says why",
        ]
    );
}
