//! The rates that the program keeps to are those that the simulated AWS enforces: two tables, from one documentation.

use stationbill::aws::limits::RATES;
use stationbill::sandbox;

/// Requests are signed for another name than botocore's in one case.
fn signed_for(service: &str) -> &str {
    match service {
        "cloudwatch" => "monitoring",
        other => other,
    }
}

#[test]
fn the_program_keeps_to_every_documented_rate() {
    for operation in sandbox::operations() {
        let (service, name) = (signed_for(operation.service), operation.name);
        let theirs = sandbox::rate(operation.service, name);
        let ours = RATES
            .iter()
            .find(|rate| rate.service == service && rate.operations.contains(&name));
        assert_eq!(
            ours.map(|rate| (rate.per_second, rate.burst)),
            theirs.map(|(_, rate)| (rate, sandbox::burst(operation.service, rate))),
            "{service} {name}"
        );
        // Those that share a rate there share it here.
        for other in sandbox::operations().filter(|other| other.service == operation.service) {
            let there = theirs.map(|(group, _)| group);
            let shared = there.is_some()
                && there == sandbox::rate(other.service, other.name).map(|(group, _)| group);
            let here = ours.is_some_and(|rate| rate.operations.contains(&other.name));
            assert_eq!(shared, here, "{name} and {}", other.name);
        }
    }
}

#[test]
fn the_program_has_its_rates_from_the_documentation_and_not_from_the_sandbox() {
    let aws = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws");
    for file in ["limits.rs", "transport.rs"] {
        let text = std::fs::read_to_string(aws.join(file)).unwrap();
        assert!(!text.contains("sandbox"), "{file} looks into the sandbox");
    }
}
