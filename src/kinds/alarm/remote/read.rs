//! From AWS's answers to the specs that a user would have written.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types as sdk;

use super::{Alarm, Aws, AwsError, arn, told};
use crate::aws::enums;
use crate::kinds::alarm::{
    AlarmType, Measured, PromQl, Query, Suppressor, TagPropagation, WallClock, WarmUp, rule,
};
use crate::kinds::response_plan::ResponsePlan;
use crate::model::Ref;

const OPERATION: &str = "DescribeAlarms";

/// Reads a metric alarm; `notes` gets what a person should know.
pub(super) fn metric(
    alarm: sdk::MetricAlarm,
    notes: &mut BTreeSet<String>,
) -> Result<Alarm, AwsError> {
    if let Some(
        state @ (sdk::EvaluationState::EvaluationError | sdk::EvaluationState::EvaluationFailure),
    ) = &alarm.evaluation_state
    {
        let why = alarm
            .state_reason
            .as_deref()
            .unwrap_or("AWS does not say why");
        notes.insert(format!(
            "CloudWatch cannot evaluate it ({}): {why}",
            state.as_str()
        ));
    }
    let mut metrics = BTreeMap::new();
    for query in alarm.metrics.unwrap_or_default() {
        let (id, query) = one_query(query)?;
        metrics.insert(id, query);
    }
    let promql = match alarm.evaluation_criteria {
        None => None,
        Some(sdk::EvaluationCriteria::PromQlCriteria(criteria)) => Some(PromQl {
            query: required("Query", criteria.query)?,
            evaluation_interval: required("EvaluationInterval", number(alarm.evaluation_interval))?,
            pending_period: number(criteria.pending_period).unwrap_or_default(),
            recovery_period: number(criteria.recovery_period).unwrap_or_default(),
        }),
        Some(_) => return Err(newer("evaluation criteria")),
    };
    let wall_clock_window = match alarm.evaluation_window {
        None | Some(sdk::EvaluationWindow::SlidingWindow(_)) => None,
        Some(sdk::EvaluationWindow::WallClockWindow(window)) => Some(WallClock {
            timezone: window.timezone.unwrap_or_else(|| "UTC".to_owned()),
        }),
        Some(_) => return Err(newer("evaluation window")),
    };
    let warm_up = alarm.warm_up_configuration.map(|warm| WarmUp {
        minutes: number(warm.warm_up_period_duration_in_minutes).unwrap_or_default(),
        only_start_evaluating_after: warm
            .only_start_evaluating_after_warm_up_period_ends
            .unwrap_or_default(),
    });
    Ok(Alarm {
        name: required("AlarmName", alarm.alarm_name)?,
        r#type: AlarmType::Metric,
        description: text(alarm.alarm_description),
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        alarm_actions: actions(alarm.alarm_actions),
        ok_actions: actions(alarm.ok_actions),
        insufficient_data_actions: actions(alarm.insufficient_data_actions),
        tag_propagation: propagation(alarm.action_configuration),
        namespace: alarm.namespace,
        metric_name: alarm.metric_name,
        dimensions: all_dimensions(alarm.dimensions),
        statistic: known(
            "Statistic",
            alarm.statistic.as_ref().map(sdk::Statistic::as_str),
        )?,
        extended_statistic: alarm.extended_statistic,
        period: number(alarm.period),
        unit: alarm.unit.map(|unit| unit.as_str().to_owned()),
        metrics,
        promql,
        evaluation_periods: number(alarm.evaluation_periods),
        datapoints_to_alarm: number(alarm.datapoints_to_alarm),
        threshold: alarm.threshold,
        threshold_metric_id: alarm.threshold_metric_id,
        comparison_operator: known(
            "ComparisonOperator",
            alarm
                .comparison_operator
                .as_ref()
                .map(sdk::ComparisonOperator::as_str),
        )?,
        treat_missing_data: known(
            "TreatMissingData",
            text(alarm.treat_missing_data).as_deref(),
        )?
        .unwrap_or_default(),
        evaluate_low_sample_count_percentile: known(
            "EvaluateLowSampleCountPercentile",
            text(alarm.evaluate_low_sample_count_percentile).as_deref(),
        )?
        .unwrap_or_default(),
        wall_clock_window,
        warm_up,
        rule: None,
        alarms: BTreeMap::new(),
        actions_suppressor: None,
        tags: None,
    })
}

/// Reads a composite alarm.
pub(super) fn composite(aws: &Aws, alarm: sdk::CompositeAlarm) -> Result<Alarm, AwsError> {
    let text_of = required("AlarmRule", alarm.alarm_rule)?;
    // A rule in a grammar that is newer than this program is kept to the letter.
    let (rule, alarms) = match rule::parse(&text_of) {
        Err(_) => (text_of, BTreeMap::new()),
        Ok(rule) => {
            let rule = rule.renamed(&|alarm| told(aws, alarm).to_owned());
            let names = rule.alarms().into_iter();
            let alarms = names.map(|name| (name.to_owned(), reference(aws, name)));
            (rule.printed(false), alarms.collect())
        }
    };
    // Whether AWS answers a name or an ARN is not documented.
    let actions_suppressor = text(alarm.actions_suppressor).map(|suppressor| Suppressor {
        alarm: reference(aws, &suppressor),
        wait_period: number(alarm.actions_suppressor_wait_period).unwrap_or_default(),
        extension_period: number(alarm.actions_suppressor_extension_period).unwrap_or_default(),
    });
    Ok(Alarm {
        name: required("AlarmName", alarm.alarm_name)?,
        r#type: AlarmType::Composite,
        description: text(alarm.alarm_description),
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        alarm_actions: actions(alarm.alarm_actions),
        ok_actions: actions(alarm.ok_actions),
        insufficient_data_actions: actions(alarm.insufficient_data_actions),
        tag_propagation: propagation(alarm.action_configuration),
        namespace: None,
        metric_name: None,
        dimensions: BTreeMap::new(),
        statistic: None,
        extended_statistic: None,
        period: None,
        unit: None,
        metrics: BTreeMap::new(),
        promql: None,
        evaluation_periods: None,
        datapoints_to_alarm: None,
        threshold: None,
        threshold_metric_id: None,
        comparison_operator: None,
        treat_missing_data: crate::kinds::alarm::MissingData::default(),
        evaluate_low_sample_count_percentile: crate::kinds::alarm::LowSamples::default(),
        wall_clock_window: None,
        warm_up: None,
        rule: Some(rule),
        alarms,
        actions_suppressor,
        tags: None,
    })
}

fn required<T>(member: &str, value: Option<T>) -> Result<T, AwsError> {
    value.ok_or_else(|| AwsError::unexpected(OPERATION, &format!("the answer has no {member}")))
}

fn newer(what: &str) -> AwsError {
    let message = format!("AWS answered a kind of {what} that this version does not know");
    AwsError::unexpected(OPERATION, &message)
}

fn known<'a, T: serde::Deserialize<'a>>(
    member: &str,
    value: Option<&'a str>,
) -> Result<Option<T>, AwsError> {
    value.map(|value| enums::read(member, value)).transpose()
}

fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn number(number: Option<i32>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}

fn reference(aws: &Aws, name: &str) -> Ref<Alarm> {
    if name.starts_with("arn:") {
        Ref::arn(name)
    } else {
        Ref::arn(arn(aws, name))
    }
}

/// Reads actions. The API reference spells the ARN of a response plan in a way that the plan itself does not.
fn actions(arns: Option<Vec<String>>) -> BTreeSet<Ref<ResponsePlan>> {
    let plan = |arn: String| {
        if arn.contains(":ssm-incidents:") {
            arn.replacen(":responseplan/", ":response-plan/", 1)
        } else {
            arn
        }
    };
    let arns = arns.unwrap_or_default().into_iter();
    arns.map(|arn| Ref::arn(plan(arn))).collect()
}

fn propagation(configuration: Option<sdk::ActionConfiguration>) -> Option<TagPropagation> {
    let tags = configuration?.alarm_tags_propagation?;
    let keys = |keys: Option<Vec<String>>| keys.unwrap_or_default().into_iter().collect();
    (tags.enabled == Some(true)).then(|| TagPropagation {
        included_tag_keys: keys(tags.included_tag_keys),
        excluded_tag_keys: keys(tags.excluded_tag_keys),
    })
}

fn all_dimensions(dimensions: Option<Vec<sdk::Dimension>>) -> BTreeMap<String, String> {
    let dimensions = dimensions.unwrap_or_default().into_iter();
    dimensions
        .map(|d| (d.name.unwrap_or_default(), d.value.unwrap_or_default()))
        .collect()
}

fn one_query(query: sdk::MetricDataQuery) -> Result<(String, Query), AwsError> {
    let metric = query.metric_stat.map(|stat| -> Result<_, AwsError> {
        let metric = required("Metric", stat.metric)?;
        Ok(Measured {
            namespace: required("Namespace", metric.namespace)?,
            metric_name: required("MetricName", metric.metric_name)?,
            dimensions: all_dimensions(metric.dimensions),
            stat: required("Stat", stat.stat)?,
            period: required("Period", number(stat.period))?,
            unit: stat.unit.map(|unit| unit.as_str().to_owned()),
        })
    });
    let found = Query {
        metric: metric.transpose()?,
        expression: query.expression,
        period: number(query.period),
        label: text(query.label),
        account_id: query.account_id,
        // [M] `ReturnData`: what is not said is true.
        return_data: query.return_data.unwrap_or(true),
    };
    Ok((required("Id", query.id)?, found))
}
