//! What the service refuses and its model does not say. Sources: API reference (`PutMetricAlarm`, `PutCompositeAlarm`),
//! user guide (quotas); wordings from cfn-lint pull request 771, troposphere pull request 1276, aws-cdk issue 7155.

use serde_json::Value;

use super::actions::Target;
use super::statistic;
use super::{Fault, invalid};
use crate::sandbox::{Call, Map};

/// How many metrics a metric math alarm has at most (user guide, quotas).
const MOST_METRICS: usize = 10;

/// What belongs to an alarm on one metric.
const OF_ONE: [&str; 7] = [
    "MetricName",
    "Namespace",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
];

/// What belongs to every alarm but one on a `PromQL` query.
const OF_METRICS: [&str; 6] = [
    "Metrics",
    "Threshold",
    "ComparisonOperator",
    "ThresholdMetricId",
    "EvaluationPeriods",
    "DatapointsToAlarm",
];

const BANDS: [&str; 3] = [
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];

fn must(call: &Call<'_>, member: &str) -> Result<(), Fault> {
    if call.input.contains_key(member) {
        return Ok(());
    }
    Err(invalid(format!("{member} must not be null")))
}

fn must_not(call: &Call<'_>, members: &[&str], why: &str) -> Result<(), Fault> {
    match members.iter().find(|m| call.input.contains_key(**m)) {
        None => Ok(()),
        Some(member) => Err(invalid(format!("{member} should not be set if {why}."))),
    }
}

fn one_of(call: &Call<'_>, member: &str, values: &[&str]) -> Result<(), Fault> {
    match call.str(member) {
        Some(value) if !values.contains(&value) => Err(invalid(format!(
            "{member} must be one of {}",
            values.join(", ")
        ))),
        _ => Ok(()),
    }
}

/// Checks what both types of alarms have.
fn common(call: &Call<'_>, forbidden: &[Target], why: &str) -> Result<(), Fault> {
    if call
        .required("AlarmName")
        .chars()
        .any(|c| c.is_ascii_control())
    {
        return Err(invalid(
            "AlarmName must not contain ASCII control characters",
        ));
    }
    for member in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        for arn in call.strings(member) {
            let target =
                Target::of(&arn).ok_or_else(|| invalid(format!("Invalid arn syntax: {arn}")))?;
            if forbidden.contains(&target) {
                return Err(invalid(format!("{why}: {arn}")));
            }
        }
    }
    let tags = call
        .map("ActionConfiguration")
        .and_then(|c| c.get("AlarmTagsPropagation"));
    if tags
        .is_some_and(|t| t.get("IncludedTagKeys").is_some() && t.get("ExcludedTagKeys").is_some())
    {
        return Err(invalid(
            "IncludedTagKeys and ExcludedTagKeys must not both be set",
        ));
    }
    Ok(())
}

/// Checks a composite alarm. "Composite alarms can take only the following actions" (user guide): topics, functions,
/// `OpsItems` and incidents.
pub(super) fn composite(call: &Call<'_>) -> Result<(), Fault> {
    let why = "Composite alarms do not support this action";
    let forbidden = [Target::Instance, Target::Scaling, Target::Investigation];
    common(call, &forbidden, why)?;
    // Only `AlarmActions` takes more than topics and functions (API reference, `PutCompositeAlarm`).
    for arn in ["OKActions", "InsufficientDataActions"]
        .map(|member| call.strings(member))
        .concat()
    {
        if !matches!(Target::of(&arn), Some(Target::Topic | Target::Function)) {
            return Err(invalid(format!("{why}: {arn}")));
        }
    }
    if call.input.contains_key("ActionsSuppressor") {
        must(call, "ActionsSuppressorWaitPeriod")?;
        return must(call, "ActionsSuppressorExtensionPeriod");
    }
    let periods = [
        "ActionsSuppressorWaitPeriod",
        "ActionsSuppressorExtensionPeriod",
    ];
    must_not(call, &periods, "ActionsSuppressor is not set")
}

/// Checks a metric alarm.
pub(super) fn metric(call: &Call<'_>, quotas: bool) -> Result<(), Fault> {
    let anomaly = call.input.contains_key("ThresholdMetricId");
    let forbidden: &[Target] = if anomaly { &[Target::Scaling] } else { &[] };
    let why = "Anomaly detection alarms do not support Auto Scaling actions";
    common(call, forbidden, why)?;
    let missing = ["breaching", "notBreaching", "ignore", "missing"];
    one_of(call, "TreatMissingData", &missing)?;
    one_of(
        call,
        "EvaluateLowSampleCountPercentile",
        &["evaluate", "ignore"],
    )?;
    if call.input.contains_key("EvaluationCriteria") {
        let why = "EvaluationCriteria is set";
        must_not(call, &OF_ONE, why)?;
        must_not(call, &OF_METRICS, why)?;
        must_not(call, &["EvaluationWindow"], why)?;
        must(call, "EvaluationInterval")?;
        return period("EvaluationInterval", call.int("EvaluationInterval"));
    }
    must_not(
        call,
        &["EvaluationInterval"],
        "EvaluationCriteria is not set",
    )?;
    let periods = if let Some(list) = call.list("Metrics").filter(|list| !list.is_empty()) {
        must_not(call, &OF_ONE, "list of Metrics is set")?;
        queries(call, list, anomaly, quotas)?
    } else {
        must(call, "MetricName")?;
        must(call, "Namespace")?;
        dimensions(call.input.get("Dimensions"))?;
        must(call, "Period")?;
        period("Period", call.int("Period"))?;
        if call.input.contains_key("Statistic") == call.input.contains_key("ExtendedStatistic") {
            return Err(invalid(
                "Exactly one of Statistic and ExtendedStatistic must be set",
            ));
        }
        if let Some(text) = call.str("ExtendedStatistic")
            && !statistic::is_extended(text)
        {
            return Err(invalid(format!(
                "The value {text} for parameter ExtendedStatistic is not supported."
            )));
        }
        call.int("Period").into_iter().collect()
    };
    threshold(call, anomaly)?;
    range(call, &periods)
}

fn threshold(call: &Call<'_>, anomaly: bool) -> Result<(), Fault> {
    must(call, "EvaluationPeriods")?;
    must(call, "ComparisonOperator")?;
    if anomaly {
        must_not(call, &["Threshold"], "ThresholdMetricId is set")?;
    } else {
        must(call, "Threshold")?;
    }
    if BANDS.contains(&call.required("ComparisonOperator")) != anomaly {
        return Err(invalid(format!(
            "ComparisonOperator {} {} an anomaly detection model",
            call.required("ComparisonOperator"),
            if anomaly { "is not for" } else { "is only for" }
        )));
    }
    if call.int("DatapointsToAlarm") > call.int("EvaluationPeriods") {
        return Err(invalid(
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ));
    }
    Ok(())
}

/// "`Period` multiplied by `EvaluationPeriods` can't be more than 604,800 seconds. For alarms with a period of less than one
/// hour, […] 86,400 seconds" (API reference).
fn range(call: &Call<'_>, periods: &[i64]) -> Result<(), Fault> {
    let (Some(longest), Some(count)) = (periods.iter().max(), call.int("EvaluationPeriods")) else {
        return Ok(());
    };
    let most = if *longest < 3600 { 86_400 } else { 604_800 };
    if longest.saturating_mul(count) > most {
        return Err(invalid(format!(
            "Metrics cannot be checked across more than {most} seconds (EvaluationPeriods * Period must be <= {most})."
        )));
    }
    Ok(())
}

fn period(member: &str, seconds: Option<i64>) -> Result<(), Fault> {
    match seconds {
        Some(10 | 20 | 30) | None => Ok(()),
        Some(seconds) if seconds > 0 && seconds % 60 == 0 => Ok(()),
        Some(_) => Err(invalid(format!(
            "{member} must be 10, 20, 30 or a multiple of 60"
        ))),
    }
}

/// Checks the metrics and expressions of an alarm, and returns their periods.
fn queries(
    call: &Call<'_>,
    list: &[Value],
    anomaly: bool,
    quotas: bool,
) -> Result<Vec<i64>, Fault> {
    let mut ids = Vec::new();
    let mut periods = Vec::new();
    let mut measured = 0;
    let mut returning = 0;
    for query in list.iter().filter_map(Value::as_object) {
        let text = |member: &str| query.get(member).and_then(Value::as_str);
        let id = text("Id").unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(fits) {
            return Err(invalid(format!(
                "Invalid metrics list: the id {id} is not valid"
            )));
        }
        if ids.contains(&id) {
            return Err(invalid(format!(
                "Invalid metrics list: the id {id} is used twice"
            )));
        }
        ids.push(id);
        let stat = query.get("MetricStat").and_then(Value::as_object);
        if stat.is_some() == query.contains_key("Expression") {
            return Err(invalid(
                "Invalid metrics list: each element has either MetricStat or Expression",
            ));
        }
        if let Some(text) = stat
            .and_then(|stat| stat.get("Stat"))
            .and_then(Value::as_str)
            && !statistic::is_any(text)
        {
            return Err(invalid(format!(
                "Invalid metrics list: the statistic {text} is not supported"
            )));
        }
        let own = stat.and_then(|stat| stat.get("Metric"));
        dimensions(own.and_then(|metric| metric.get("Dimensions")))?;
        periods.extend(own_period(query, stat)?);
        measured += usize::from(stat.is_some());
        returning += usize::from(query.get("ReturnData") != Some(&Value::Bool(false)));
    }
    let wanted = if anomaly {
        ("two elements", 2)
    } else {
        ("one element", 1)
    };
    if returning != wanted.1 {
        return Err(invalid(format!(
            "Exactly {} of the metrics list should return data.",
            wanted.0
        )));
    }
    if anomaly && !ids.contains(&call.required("ThresholdMetricId")) {
        return Err(invalid("ThresholdMetricId is not in the metrics list"));
    }
    if quotas && measured > MOST_METRICS {
        return Err(invalid(format!(
            "Invalid metrics list: more than {MOST_METRICS} metrics"
        )));
    }
    if periods.is_empty() {
        // An expression that retrieves its own metrics has nothing to take its period from.
        return Err(invalid("Period must not be null"));
    }
    Ok(periods)
}

/// Names and values are of ASCII characters, and a name does not begin with a colon ([M] `DimensionName`,
/// `DimensionValue`).
fn dimensions(list: Option<&Value>) -> Result<(), Fault> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    for dimension in list {
        let text = |member: &str| dimension.get(member).and_then(Value::as_str).unwrap_or("");
        let (name, value) = (text("Name"), text("Value"));
        let fits = |text: &str| text.is_ascii() && !text.chars().any(|c| c.is_ascii_control());
        if !fits(name) || !fits(value) || name.starts_with(':') {
            return Err(invalid(format!(
                "The dimension {name} must consist of ASCII characters, and its name must not begin with a colon"
            )));
        }
    }
    Ok(())
}

fn own_period(query: &Map, stat: Option<&Map>) -> Result<Option<i64>, Fault> {
    let stat = stat.and_then(|stat| stat.get("Period"));
    let seconds = stat.or_else(|| query.get("Period")).and_then(Value::as_i64);
    period("Period", seconds)?;
    Ok(seconds)
}
