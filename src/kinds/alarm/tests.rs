//! What is right is taken, and what is wrong is told where it stands.

use serde_json::{Value, json};

use super::*;

fn findings(base: Value, extra: &Value) -> Vec<String> {
    let mut spec = base;
    for (key, value) in extra.as_object().unwrap() {
        if value.is_null() {
            spec.as_object_mut().unwrap().remove(key);
        } else {
            spec[key] = value.clone();
        }
    }
    spec["name"] = json!("a");
    let alarm: Alarm = serde_json::from_value(spec).unwrap();
    let mut report = Report::default();
    check(&alarm, &mut report);
    let found = report.diagnostics.into_iter();
    found.map(|d| format!("{} {}", d.at, d.message)).collect()
}

fn one() -> Value {
    json!({"namespace": "Banana", "metricName": "Errors", "statistic": "Sum", "period": 60,
        "evaluationPeriods": 3, "threshold": 1, "comparisonOperator": "GreaterThanThreshold"})
}

fn math() -> Value {
    let metric = |name: &str| json!({"metric": {"namespace": "Banana", "metricName": name, "stat": "Sum", "period": 300}});
    json!({"metrics": {"m1": metric("Errors"), "m2": metric("Requests"),
            "e1": {"expression": "m1 / m2", "returnData": true}},
        "evaluationPeriods": 3, "threshold": 1, "comparisonOperator": "GreaterThanThreshold"})
}

fn composed() -> Value {
    json!({"type": "composite", "rule": "ALARM(a) OR ALARM(b)", "alarms": {"a": {"ref": "x"}}})
}

#[test]
fn what_is_right_is_taken() {
    for base in [one(), math(), composed()] {
        assert_eq!(findings(base, &json!({})), Vec::<String>::new());
    }
    let band = json!({"metrics": {
        "m1": {"metric": {"namespace": "B", "metricName": "E", "stat": "p90", "period": 60}, "returnData": true},
        "ad": {"expression": "ANOMALY_DETECTION_BAND(m1)", "returnData": true}},
        "threshold": null, "thresholdMetricId": "ad", "comparisonOperator": "GreaterThanUpperThreshold"});
    assert_eq!(findings(math(), &band), Vec::<String>::new());
    let query = json!({"promql": {"query": "up == 0", "evaluationInterval": 60}});
    assert_eq!(findings(query, &json!({})), Vec::<String>::new());
}

#[test]
fn every_form_has_its_own_fields_and_no_others() {
    for (base, extra, found) in [
        (json!({}), json!({}), " it watches nothing"),
        (
            one(),
            json!({"metrics": math()["metrics"]}),
            " it watches in more than one way",
        ),
        (
            one(),
            json!({"rule": "TRUE"}),
            "/rule `rule` has no place in a metric alarm",
        ),
        (one(), json!({"namespace": null}), " `namespace` is missing"),
        (
            one(),
            json!({"extendedStatistic": "p99"}),
            " it has not exactly one of `statistic`",
        ),
        (
            one(),
            json!({"threshold": null}),
            " it has not exactly one of `threshold`",
        ),
        (
            composed(),
            json!({"period": 60}),
            "/period `period` has no place in a composite alarm",
        ),
        (
            composed(),
            json!({"treatMissingData": "ignore"}),
            "/treatMissingData `treatMissingData`",
        ),
        (
            composed(),
            json!({"rule": null, "alarms": {}}),
            " a composite alarm has no `rule`",
        ),
    ] {
        let all = findings(base, &extra);
        assert!(
            all.len() == 1 && all[0].starts_with(found),
            "{extra}: {all:?}"
        );
    }
}

#[test]
fn numbers_are_those_that_cloudwatch_takes() {
    for (extra, found) in [
        (json!({"period": 45}), "/period 45 seconds are no period"),
        (
            json!({"period": 60, "evaluationPeriods": 1441}),
            "/evaluationPeriods 1441 periods",
        ),
        (
            json!({"period": 3600, "evaluationPeriods": 169}),
            "/evaluationPeriods 169 periods",
        ),
        (
            json!({"datapointsToAlarm": 4}),
            "/datapointsToAlarm more values",
        ),
        (
            json!({"comparisonOperator": "LessThanLowerThreshold"}),
            "/comparisonOperator this operator compares",
        ),
        (
            json!({"dimensions": {":x": "y"}}),
            "/dimensions/:x `:x` is no name",
        ),
        (
            json!({"dimensions": {"x": "ü"}}),
            "/dimensions/x `ü` is no value",
        ),
        (
            json!({"alarmActions": [{"arn": "on-call"}]}),
            "/alarmActions/0 `on-call` is no ARN",
        ),
    ] {
        let all = findings(one(), &extra);
        assert!(
            all.len() == 1 && all[0].starts_with(found),
            "{extra}: {all:?}"
        );
    }
    assert_eq!(
        findings(one(), &json!({"period": 3600, "evaluationPeriods": 168})),
        Vec::<String>::new()
    );
}

#[test]
fn metrics_have_ids_and_one_is_watched() {
    for (change, found) in [
        (
            json!({"M1": math()["metrics"]["m1"]}),
            "/metrics/M1 `M1` is no id",
        ),
        (json!({"m3": {}}), "/metrics/m3 it has not exactly one"),
        (
            json!({"m3": {"expression": "m1", "returnData": true}}),
            "/metrics 2 entries",
        ),
        (
            json!({"e1": {"expression": "m1", "returnData": true, "period": 7}}),
            "/metrics/e1/period 7 seconds",
        ),
    ] {
        let mut metrics = math()["metrics"].clone();
        metrics
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let all = findings(math(), &json!({"metrics": metrics}));
        assert!(
            all.len() == 1 && all[0].starts_with(found),
            "{change}: {all:?}"
        );
    }
    let insights =
        json!({"metrics": {"q1": {"expression": "SELECT SUM(x) FROM y", "returnData": true}}});
    assert_eq!(
        findings(math(), &insights),
        ["/metrics nothing says how long a period is"]
    );
}

#[test]
fn rules_name_what_is_there() {
    for (extra, found) in [
        (json!({"rule": "ALARM(a"}), "/rule the rule cannot be read"),
        (
            json!({"rule": "ALARM(b)"}),
            "/alarms/a the rule does not name `a`",
        ),
        (
            json!({"rule": "ALARM(a) OR OK(arn:aws:x)"}),
            "/rule the rule names the ARN",
        ),
        (
            json!({"alarmActions": [{"arn": "arn:aws:automate:eu-west-1:ec2:reboot"}]}),
            "/alarmActions/0 a composite alarm cannot do this",
        ),
    ] {
        let all = findings(composed(), &extra);
        assert!(
            all.len() == 1 && all[0].starts_with(found),
            "{extra}: {all:?}"
        );
    }
}
