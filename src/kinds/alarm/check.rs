//! What can be said about an alarm before AWS sees it. Sources: API reference, `PutMetricAlarm` and
//! `PutCompositeAlarm`; user guide, "Composite alarms" and quotas.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alarm, AlarmType, Query, rule};
use crate::kinds::contact::rules::has_variable;
use crate::kinds::tags::{self, Alphabet};
use crate::model::{Ref, Report, pointer};

/// How many metrics an alarm on an expression has at most.
const MOST_METRICS: usize = 10;

/// Reports everything wrong with an alarm that its schema cannot express.
pub(super) fn check(alarm: &Alarm, report: &mut Report) {
    tags::check(alarm.tags.as_ref(), Alphabet::Systems, report);
    if alarm.name.chars().any(|c| c.is_ascii_control()) {
        let message = "the name has control characters";
        bad(report, "/name", message, "take them out");
    }
    if let Some(tags) = &alarm.tag_propagation
        && !tags.included_tag_keys.is_empty()
        && !tags.excluded_tag_keys.is_empty()
    {
        let message = "it both includes and excludes tags";
        let hint = "keep one of `includedTagKeys` and `excludedTagKeys`";
        bad(report, "/tagPropagation", message, hint);
    }
    actions(alarm, report);
    match alarm.r#type {
        AlarmType::Composite => composite(alarm, report),
        AlarmType::Metric => metric(alarm, report),
    }
}

fn bad(report: &mut Report, at: impl Into<String>, message: impl Into<String>, hint: &str) {
    report.error("bad-alarm", at, message, hint);
}

/// The fields that are set of those that need another form of alarm.
fn set(fields: &[(&'static str, bool)]) -> Vec<&'static str> {
    let set = fields.iter().filter(|(_, set)| *set);
    set.map(|(name, _)| *name).collect()
}

fn of_composite(alarm: &Alarm) -> Vec<&'static str> {
    set(&[
        ("rule", alarm.rule.is_some()),
        ("alarms", !alarm.alarms.is_empty()),
        ("actionsSuppressor", alarm.actions_suppressor.is_some()),
    ])
}

fn of_one_metric(alarm: &Alarm) -> Vec<&'static str> {
    set(&[
        ("namespace", alarm.namespace.is_some()),
        ("metricName", alarm.metric_name.is_some()),
        ("dimensions", !alarm.dimensions.is_empty()),
        ("statistic", alarm.statistic.is_some()),
        ("extendedStatistic", alarm.extended_statistic.is_some()),
        ("period", alarm.period.is_some()),
        ("unit", alarm.unit.is_some()),
    ])
}

fn of_periods(alarm: &Alarm) -> Vec<&'static str> {
    set(&[
        ("evaluationPeriods", alarm.evaluation_periods.is_some()),
        ("datapointsToAlarm", alarm.datapoints_to_alarm.is_some()),
        ("threshold", alarm.threshold.is_some()),
        ("thresholdMetricId", alarm.threshold_metric_id.is_some()),
        ("comparisonOperator", alarm.comparison_operator.is_some()),
        ("wallClockWindow", alarm.wall_clock_window.is_some()),
    ])
}

/// Reports each field that has no place in this form of alarm.
fn none_of(fields: Vec<&'static str>, form: &str, hint: &str, report: &mut Report) {
    for field in fields {
        let message = format!("`{field}` has no place in {form}");
        bad(report, pointer::join("", field), message, hint);
    }
}

fn composite(alarm: &Alarm, report: &mut Report) {
    let others = [
        ("metrics", !alarm.metrics.is_empty()),
        ("promql", alarm.promql.is_some()),
        (
            "treatMissingData",
            !super::is_default(&alarm.treat_missing_data),
        ),
        (
            "evaluateLowSampleCountPercentile",
            !super::is_default(&alarm.evaluate_low_sample_count_percentile),
        ),
        ("warmUp", alarm.warm_up.is_some()),
    ];
    let fields = [of_one_metric(alarm), of_periods(alarm), set(&others)].concat();
    let hint = "take it out, or make it `type: metric`";
    none_of(fields, "a composite alarm", hint, report);
    let Some(text) = &alarm.rule else {
        let hint = "for instance `rule: ALARM(a) OR ALARM(b)`";
        return report.error(
            "bad-alarm-rule",
            "",
            "a composite alarm has no `rule`",
            hint,
        );
    };
    let named = match rule::parse(text) {
        Ok(rule) => rule,
        Err(_) if has_variable(text) => return,
        Err(why) => {
            let message = format!("the rule cannot be read: {why}");
            let hint = "for instance `ALARM(a) AND NOT (OK(b) OR INSUFFICIENT_DATA(\"c d\"))`";
            return report.error("bad-alarm-rule", "/rule", message, hint);
        }
    };
    let named = named.alarms();
    if named.len() > 100 {
        let message = format!("the rule names {} alarms", named.len());
        let hint = "CloudWatch allows 100: compose some of them in a composite alarm of their own";
        report.error("bad-alarm-rule", "/rule", message, hint);
    }
    for name in &named {
        if name.starts_with("arn:") && !alarm.alarms.contains_key(*name) {
            let message = format!("the rule names the ARN `{name}`");
            let hint = "give it a name of your own, and say in `alarms` what that stands for: `name: { arn: … }`";
            report.error("bad-alarm-rule", "/rule", message, hint);
        }
    }
    for name in alarm
        .alarms
        .keys()
        .filter(|name| !named.contains(name.as_str()))
    {
        let message = format!("the rule does not name `{name}`");
        let hint = "take it out, or name it in the rule";
        report.error(
            "bad-alarm-rule",
            pointer::join("/alarms", name),
            message,
            hint,
        );
    }
}

fn metric(alarm: &Alarm, report: &mut Report) {
    let hint = "take it out, or make it `type: composite`";
    none_of(of_composite(alarm), "a metric alarm", hint, report);
    let one = of_one_metric(alarm);
    let forms = [
        !one.is_empty(),
        !alarm.metrics.is_empty(),
        alarm.promql.is_some(),
    ];
    match (
        forms.iter().filter(|form| **form).count(),
        alarm.promql.is_some(),
    ) {
        (1, true) => promql(alarm, report),
        (1, false) => {
            if alarm.metrics.is_empty() {
                one_metric(alarm, report);
            } else {
                queries(alarm, report);
            }
            comparison(alarm, report);
        }
        (count, _) => {
            let message = if count == 0 {
                "it watches nothing"
            } else {
                "it watches in more than one way"
            };
            let hint = "an alarm has exactly one of `metricName` with what belongs to it, `metrics` and `promql`";
            bad(report, "", message, hint);
        }
    }
}

fn promql(alarm: &Alarm, report: &mut Report) {
    let hint = "take it out: the query itself says when it is breaching";
    none_of(
        of_periods(alarm),
        "an alarm on a PromQL query",
        hint,
        report,
    );
    if let Some(query) = &alarm.promql {
        period(
            query.evaluation_interval,
            "/promql/evaluationInterval",
            report,
        );
    }
}

fn one_metric(alarm: &Alarm, report: &mut Report) {
    for (field, set) in [
        ("metricName", alarm.metric_name.is_some()),
        ("namespace", alarm.namespace.is_some()),
        ("period", alarm.period.is_some()),
    ] {
        if !set {
            let hint = "an alarm on one metric has `namespace`, `metricName` and `period`";
            bad(report, "", format!("`{field}` is missing"), hint);
        }
    }
    if alarm.statistic.is_some() == alarm.extended_statistic.is_some() {
        let message = "it has not exactly one of `statistic` and `extendedStatistic`";
        bad(report, "", message, "for instance `statistic: Sum`");
    }
    if let Some(seconds) = alarm.period {
        period(seconds, "/period", report);
    }
    dimensions(&alarm.dimensions, "/dimensions", report);
    range(alarm, &alarm.period.into_iter().collect(), report);
}

fn queries(alarm: &Alarm, report: &mut Report) {
    let (mut periods, mut measured) = (BTreeSet::new(), 0);
    for (id, query) in &alarm.metrics {
        let at = pointer::join("/metrics", id);
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !id.starts_with(|c: char| c.is_ascii_lowercase())
            || !id.chars().all(fits)
            || id.len() > 255
        {
            let hint = "a small letter, then letters, digits and `_`";
            bad(
                report,
                at.clone(),
                format!("`{id}` is no id of a metric"),
                hint,
            );
        }
        measured += usize::from(query.metric.is_some());
        periods.extend(query_period(query, &at, report));
    }
    if measured > MOST_METRICS {
        let message = format!("{measured} metrics are more than {MOST_METRICS}");
        bad(
            report,
            "/metrics",
            message,
            "split the alarm, and compose the parts",
        );
    }
    if periods.is_empty() {
        let message = "nothing says how long a period is";
        let hint = "an expression that finds its metrics itself, such as a query of Metrics Insights, needs a `period`";
        bad(report, "/metrics", message, hint);
    }
    let returned = alarm.metrics.values().filter(|query| query.return_data);
    let (returned, band) = (returned.count(), alarm.threshold_metric_id.as_deref());
    if returned != 1 + usize::from(band.is_some()) {
        let message = format!("{returned} entries have `returnData: true`");
        let hint = if band.is_some() {
            "give it to the metric that is watched and to the band, and to no other"
        } else {
            "give it to the one entry that is watched"
        };
        bad(report, "/metrics", message, hint);
    }
    if let Some(band) = band
        && !has_variable(band)
        && !alarm.metrics.contains_key(band)
    {
        let message = format!("`metrics` has no entry `{band}`");
        let hint = "name the entry whose expression is ANOMALY_DETECTION_BAND(…)";
        bad(report, "/thresholdMetricId", message, hint);
    }
    range(alarm, &periods, report);
}

fn query_period(query: &Query, at: &str, report: &mut Report) -> Option<u32> {
    match (&query.metric, &query.expression) {
        (Some(metric), None) => {
            period(metric.period, &format!("{at}/metric/period"), report);
            dimensions(
                &metric.dimensions,
                &format!("{at}/metric/dimensions"),
                report,
            );
            if query.period.is_some() {
                let hint = "take it out: the metric has its own";
                let message = "the `period` is for expressions";
                bad(report, format!("{at}/period"), message, hint);
            }
            Some(metric.period)
        }
        (None, Some(_)) => {
            if let Some(seconds) = query.period {
                period(seconds, &format!("{at}/period"), report);
            }
            query.period
        }
        _ => {
            let message = "it has not exactly one of `metric` and `expression`";
            bad(
                report,
                at,
                message,
                "split it into two entries, or take one out",
            );
            None
        }
    }
}

fn comparison(alarm: &Alarm, report: &mut Report) {
    for (field, set) in [
        ("evaluationPeriods", alarm.evaluation_periods.is_some()),
        ("comparisonOperator", alarm.comparison_operator.is_some()),
    ] {
        if !set {
            let hint =
                "for instance `evaluationPeriods: 3`, `comparisonOperator: GreaterThanThreshold`";
            bad(report, "", format!("`{field}` is missing"), hint);
        }
    }
    let band = alarm.threshold_metric_id.is_some();
    if alarm.threshold.is_some() == band {
        let message = "it has not exactly one of `threshold` and `thresholdMetricId`";
        let hint = "`threshold` for a number, `thresholdMetricId` for a band of expected values in `metrics`";
        bad(report, "", message, hint);
    }
    if let Some(operator) = alarm.comparison_operator
        && operator.of_band() != band
    {
        let message = if band {
            "this operator does not compare with a band"
        } else {
            "this operator compares with a band, and there is none"
        };
        let hint = "operators for bands are LessThanLowerThreshold, GreaterThanUpperThreshold and \
                    LessThanLowerOrGreaterThanUpperThreshold";
        bad(report, "/comparisonOperator", message, hint);
    }
    if alarm.datapoints_to_alarm.unwrap_or(0) > alarm.evaluation_periods.unwrap_or(u32::MAX) {
        let message = "more values must be breaching than are looked at";
        let hint = "at most as many as `evaluationPeriods`";
        bad(report, "/datapointsToAlarm", message, hint);
    }
    if alarm.metrics.is_empty() && band {
        let hint = "an alarm on a band of expected values has `metrics`";
        bad(report, "/thresholdMetricId", "there are no `metrics`", hint);
    }
}

fn period(seconds: u32, at: &str, report: &mut Report) {
    if ![10, 20, 30].contains(&seconds) && !seconds.is_multiple_of(60) {
        let message = format!("{seconds} seconds are no period");
        bad(report, at, message, "10, 20, 30 or a multiple of 60");
    }
}

fn range(alarm: &Alarm, periods: &BTreeSet<u32>, report: &mut Report) {
    let Some((longest, count)) = periods.last().zip(alarm.evaluation_periods) else {
        return;
    };
    let seconds = u64::from(*longest) * u64::from(count);
    let most = if *longest < 3600 { 86_400 } else { 604_800 };
    if seconds > most {
        let message = format!("{count} periods of {longest} seconds are more than {most} seconds");
        let hint =
            "CloudWatch looks back a day at most, and seven days with periods of an hour or more";
        bad(report, "/evaluationPeriods", message, hint);
    }
}

fn dimensions(dimensions: &BTreeMap<String, String>, at: &str, report: &mut Report) {
    let fits = |text: &str| {
        text.is_ascii() && !text.chars().any(|c| c.is_ascii_control()) && !text.trim().is_empty()
    };
    for (name, value) in dimensions {
        let at = pointer::join(at, name);
        if !fits(name) || name.starts_with(':') || name.len() > 255 {
            let hint = "1 to 255 ASCII characters, not beginning with `:`";
            bad(
                report,
                at,
                format!("`{name}` is no name of a dimension"),
                hint,
            );
        } else if !has_variable(value) && (!fits(value) || value.len() > 1024) {
            let hint = "1 to 1,024 ASCII characters";
            bad(
                report,
                at,
                format!("`{value}` is no value of a dimension"),
                hint,
            );
        }
    }
}

/// Reports actions that this form of alarm cannot take.
fn actions(alarm: &Alarm, report: &mut Report) {
    let lists: [(&str, &BTreeSet<Ref<_>>); 3] = [
        ("/alarmActions", &alarm.alarm_actions),
        ("/okActions", &alarm.ok_actions),
        ("/insufficientDataActions", &alarm.insufficient_data_actions),
    ];
    for (at, list) in lists {
        for (index, action) in list.iter().enumerate() {
            let Some(arn) = action.resolved().filter(|arn| !has_variable(arn)) else {
                continue;
            };
            let at = pointer::join(at, index);
            let service = arn.split(':').nth(2).unwrap_or_default();
            let scales = service == "autoscaling";
            if !arn.starts_with("arn:") || arn.len() > 1024 {
                let hint = "for instance `arn:aws:sns:eu-west-1:111122223333:on-call`";
                bad(report, at, format!("`{arn}` is no ARN"), hint);
            } else if alarm.r#type == AlarmType::Composite
                && (scales || ["automate", "swf", "aiops"].contains(&service))
            {
                let hint = "topics, functions, OpsItems and response plans; put this one on a metric alarm";
                bad(report, at, "a composite alarm cannot do this", hint);
            } else if scales && alarm.threshold_metric_id.is_some() {
                let hint = "take it out, or compare with a `threshold`";
                bad(
                    report,
                    at,
                    "an alarm on a band of expected values cannot scale anything",
                    hint,
                );
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
