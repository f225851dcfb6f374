//! From a spec to the calls that put alarms. An omitted member is unset: every call says all that is declared.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types as sdk;

use super::{Alarm, Aws, AwsError, told};
use crate::aws::enums;
use crate::kinds::alarm::composite::Suppressor;
use crate::kinds::alarm::rule;
use crate::kinds::alarm::{LowSamples, Measured, MissingData, PromQl, Query, TagPropagation};
use crate::kinds::response_plan::ResponsePlan;
use crate::model::Ref;

/// Puts a metric alarm.
pub(super) async fn metric(
    aws: &Aws,
    alarm: &Alarm,
    tags: Option<Vec<sdk::Tag>>,
) -> Result<(), AwsError> {
    let Alarm {
        name,
        r#type: _,
        description,
        actions_enabled,
        alarm_actions,
        ok_actions,
        insufficient_data_actions,
        tag_propagation,
        namespace,
        metric_name,
        dimensions,
        statistic,
        extended_statistic,
        period,
        unit,
        metrics,
        promql,
        evaluation_periods,
        datapoints_to_alarm,
        threshold,
        threshold_metric_id,
        comparison_operator,
        treat_missing_data,
        evaluate_low_sample_count_percentile,
        wall_clock_window,
        warm_up,
        rule: _,
        alarms: _,
        actions_suppressor: _,
        tags: _,
    } = alarm;
    let percentile = Some(evaluate_low_sample_count_percentile)
        .filter(|low| **low != LowSamples::default())
        .map(enums::spelled);
    // What is missing is for an alarm on metrics to say: API reference, `TreatMissingData`.
    let missing = Some(treat_missing_data)
        .filter(|missing| promql.is_none() || **missing != MissingData::default())
        .map(enums::spelled);
    let window = wall_clock_window.as_ref().map(|window| {
        let window = sdk::WallClockWindow::builder().timezone(&window.timezone);
        sdk::EvaluationWindow::WallClockWindow(window.build())
    });
    let warm_up = warm_up.as_ref().map(|warm| {
        sdk::WarmUpConfiguration::builder()
            .warm_up_period_duration_in_minutes(whole(warm.minutes))
            .only_start_evaluating_after_warm_up_period_ends(warm.only_start_evaluating_after)
            .build()
    });
    let queries = metrics.iter().map(|(id, query)| one_query(id, query));
    let queries: Vec<_> = queries.collect();
    aws.cloudwatch
        .put_metric_alarm()
        .alarm_name(name)
        .set_alarm_description(text(description.as_ref()))
        .actions_enabled(*actions_enabled)
        .set_alarm_actions(actions(alarm_actions))
        .set_ok_actions(actions(ok_actions))
        .set_insufficient_data_actions(actions(insufficient_data_actions))
        .set_action_configuration(propagation(tag_propagation.as_ref()))
        .set_namespace(namespace.clone())
        .set_metric_name(metric_name.clone())
        .set_dimensions(all_dimensions(dimensions))
        .set_statistic(statistic.map(|statistic| enums::spelled(statistic).as_str().into()))
        .set_extended_statistic(extended_statistic.clone())
        .set_period(period.map(whole))
        .set_unit(unit.as_deref().map(Into::into))
        .set_metrics(Some(queries).filter(|queries| !queries.is_empty()))
        .set_evaluation_criteria(promql.as_ref().map(criteria))
        .set_evaluation_interval(
            promql
                .as_ref()
                .map(|query| whole(query.evaluation_interval)),
        )
        .set_evaluation_periods(evaluation_periods.map(whole))
        .set_datapoints_to_alarm(datapoints_to_alarm.map(whole))
        .set_threshold(*threshold)
        .set_threshold_metric_id(threshold_metric_id.clone())
        .set_comparison_operator(
            comparison_operator.map(|operator| enums::spelled(operator).as_str().into()),
        )
        .set_treat_missing_data(missing)
        .set_evaluate_low_sample_count_percentile(percentile)
        .set_evaluation_window(window)
        .set_warm_up_configuration(warm_up)
        .set_tags(tags)
        .send()
        .await?;
    Ok(())
}

/// Puts a composite alarm.
pub(super) async fn composite(
    aws: &Aws,
    alarm: &Alarm,
    tags: Option<Vec<sdk::Tag>>,
) -> Result<(), AwsError> {
    let text_of = alarm.rule.as_deref().unwrap_or_default();
    let rule = rule::parse(text_of).map_err(|why| AwsError::unexpected("the rule", &why))?;
    let rule = rule.renamed(&|name| {
        let alarm = alarm.alarms.get(name).map(|alarm| told(aws, alarm.id()));
        alarm.unwrap_or(name).to_owned()
    });
    let mut request = aws
        .cloudwatch
        .put_composite_alarm()
        .alarm_name(&alarm.name)
        .set_alarm_description(text(alarm.description.as_ref()))
        .actions_enabled(alarm.actions_enabled)
        .set_alarm_actions(actions(&alarm.alarm_actions))
        .set_ok_actions(actions(&alarm.ok_actions))
        .set_insufficient_data_actions(actions(&alarm.insufficient_data_actions))
        .set_action_configuration(propagation(alarm.tag_propagation.as_ref()))
        .alarm_rule(rule.printed(true))
        .set_tags(tags);
    if let Some(Suppressor {
        alarm,
        wait_period,
        extension_period,
    }) = &alarm.actions_suppressor
    {
        request = request
            .actions_suppressor(told(aws, alarm.id()))
            .actions_suppressor_wait_period(whole(*wait_period))
            .actions_suppressor_extension_period(whole(*extension_period));
    }
    request.send().await?;
    Ok(())
}

/// AWS counts in signed numbers; what is greater than those is refused by the schema, or by AWS.
fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn text(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn actions(actions: &BTreeSet<Ref<ResponsePlan>>) -> Option<Vec<String>> {
    let arns = actions.iter().map(|action| action.id().to_owned());
    Some(arns.collect()).filter(|arns: &Vec<String>| !arns.is_empty())
}

fn propagation(tags: Option<&TagPropagation>) -> Option<sdk::ActionConfiguration> {
    let TagPropagation {
        included_tag_keys,
        excluded_tag_keys,
    } = tags?;
    // Neither list may be empty: [M] `AlarmTagsPropagationTagKeys`.
    let keys = |keys: &BTreeSet<String>| {
        Some(keys.iter().cloned().collect()).filter(|keys: &Vec<String>| !keys.is_empty())
    };
    let tags = sdk::AlarmTagsPropagation::builder()
        .enabled(true)
        .set_included_tag_keys(keys(included_tag_keys))
        .set_excluded_tag_keys(keys(excluded_tag_keys));
    let configuration = sdk::ActionConfiguration::builder().alarm_tags_propagation(tags.build());
    Some(configuration.build())
}

fn all_dimensions(dimensions: &BTreeMap<String, String>) -> Option<Vec<sdk::Dimension>> {
    let all = dimensions.iter().map(|(name, value)| {
        let dimension = sdk::Dimension::builder().name(name).value(value);
        dimension.build()
    });
    Some(all.collect()).filter(|all: &Vec<_>| !all.is_empty())
}

fn one_query(id: &str, query: &Query) -> sdk::MetricDataQuery {
    let Query {
        metric,
        expression,
        period,
        label,
        account_id,
        return_data,
    } = query;
    sdk::MetricDataQuery::builder()
        .id(id)
        .set_metric_stat(metric.as_ref().map(measured))
        .set_expression(expression.clone())
        .set_period(period.map(whole))
        .set_label(label.clone())
        .set_account_id(account_id.clone())
        .return_data(*return_data)
        .build()
}

fn measured(metric: &Measured) -> sdk::MetricStat {
    let Measured {
        namespace,
        metric_name,
        dimensions,
        stat,
        period,
        unit,
    } = metric;
    let metric = sdk::Metric::builder()
        .namespace(namespace)
        .metric_name(metric_name)
        .set_dimensions(all_dimensions(dimensions));
    sdk::MetricStat::builder()
        .metric(metric.build())
        .period(whole(*period))
        .stat(stat)
        .set_unit(unit.as_deref().map(Into::into))
        .build()
}

fn criteria(query: &PromQl) -> sdk::EvaluationCriteria {
    let PromQl {
        query,
        evaluation_interval: _,
        pending_period,
        recovery_period,
    } = query;
    let criteria = sdk::AlarmPromQlCriteria::builder()
        .query(query)
        .pending_period(whole(*pending_period))
        .recovery_period(whole(*recovery_period));
    sdk::EvaluationCriteria::PromQlCriteria(criteria.build())
}
