//! The service by itself; clients are in `tests/clients`.

use jiff::SignedDuration;
use serde_json::json;

use super::catalogue;
use super::testing::World;

const FSBP: &str =
    "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0";
const CIS12: &str = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0";

/// An account whose standards are ready.
fn world() -> World {
    let mut world = World::new();
    world.state.settings.async_reads = 0;
    world.ok("EnableSecurityHub", &json!({}));
    world
}

#[test]
fn every_control_is_in_a_standard_and_every_parameter_is_of_a_type() {
    let types = [
        "Integer",
        "IntegerList",
        "Double",
        "String",
        "StringList",
        "Boolean",
        "Enum",
        "EnumList",
    ];
    for control in catalogue::controls() {
        let standards = catalogue::standards().filter(|standard| standard.has(&control));
        assert!(standards.count() > 0, "{}", control.id);
        for (name, definition) in control.parameters().into_iter().flatten() {
            let (kind, _) = definition.options().unwrap();
            assert!(types.contains(&kind), "{} {name}", control.id);
        }
    }
}

#[test]
fn standards_have_the_arns_of_aws() {
    let arns: Vec<String> = catalogue::standards().map(|s| s.arn("eu-west-1")).collect();
    let cis = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0";
    let nist = "arn:aws:securityhub:eu-west-1::standards/nist-800-53/v/5.0.0";
    assert!(arns.iter().any(|arn| arn == cis) && arns.iter().any(|arn| arn == nist));
    let controls = |short| {
        let standard = catalogue::named(short).unwrap();
        catalogue::controls()
            .filter(|control| standard.has(control))
            .count()
    };
    // [D] user guide, the pages of the standards.
    assert_eq!(controls("cis-aws-foundations-benchmark/v/3.0.0"), 37);
    assert_eq!(controls("cis-aws-foundations-benchmark/v/5.0.0"), 40);
}

#[test]
fn an_association_that_nobody_touched_is_as_old_as_its_subscription() {
    let mut world = world();
    let listed = |world: &mut World| {
        let named = json!({ "SecurityControlId": "IAM.6" });
        let listed = world.ok("ListStandardsControlAssociations", &named);
        let found = listed["StandardsControlAssociationSummaries"].as_array();
        let mut found = found.unwrap().iter();
        let found = found.find(|one| one["StandardsArn"] == FSBP);
        found.cloned().unwrap()
    };
    let enabled = json!(world.now.as_duration().as_secs_f64());
    world.now += SignedDuration::from_hours(1);
    let before = listed(&mut world);
    assert_eq!(before["UpdatedAt"], enabled);
    assert_eq!(before["RelatedRequirements"], json!([]));
    assert_eq!(before.get("StandardsControlArns"), None);
    let off = json!({ "SecurityControlId": "IAM.6", "StandardsArn": FSBP, "AssociationStatus": "DISABLED",
        "UpdatedReason": "Keys in a safe" });
    let answer = world.ok(
        "BatchUpdateStandardsControlAssociations",
        &json!({ "StandardsControlAssociationUpdates": [off] }),
    );
    assert_eq!(answer, json!({}));
    let touched = json!(world.now.as_duration().as_secs_f64());
    let after = listed(&mut world);
    assert_eq!(after["UpdatedAt"], touched);
    assert_eq!(after["UpdatedReason"], "Keys in a safe");
}

#[test]
fn an_association_that_is_asked_for_has_the_arn_of_its_control_in_the_standard() {
    let mut world = world();
    let both = [FSBP, CIS12]
        .map(|standard| json!({ "SecurityControlId": "IAM.6", "StandardsArn": standard }));
    let got = world.ok(
        "BatchGetStandardsControlAssociations",
        &json!({ "StandardsControlAssociationIds": both }),
    );
    let got = &got["StandardsControlAssociationDetails"];
    assert_eq!(
        got[0]["StandardsControlArns"],
        json!([
            "arn:aws:securityhub:eu-west-1:111122223333:control/aws-foundational-security-best-practices/v/1.0.0/IAM.6"
        ])
    );
    assert!(got[0]["UpdatedAt"].is_number());
    assert_eq!(got[1]["StandardsArn"], CIS12);
    assert_eq!(
        got[1].get("StandardsControlArns"),
        None,
        "it goes by 1.14 there"
    );
}

#[test]
fn a_control_without_parameters_has_an_empty_map_of_them() {
    let mut world = world();
    let named = json!({ "SecurityControlIds": ["ACM.1", "IAM.1"] });
    let got = world.ok("BatchGetSecurityControls", &named);
    let got = &got["SecurityControls"];
    assert_eq!(
        got[0]["Parameters"],
        json!({ "daysToExpiration": { "ValueType": "DEFAULT", "Value": { "Integer": 30 } } })
    );
    assert_eq!(got[1]["Parameters"], json!({}));
}
