//! The service by itself; clients are in `tests/clients`.

use super::catalogue;

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
