//! `Alarm`: what opens an incident before a person notices.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::response_plan::ResponsePlan;
use crate::model::{Ref, Report, Spec, settle};

mod check;
mod composite;
mod metric;
mod remote;
mod rule;

pub use composite::Suppressor;
pub use metric::{
    ComparisonOperator, LowSamples, Measured, MissingData, PromQl, Query, Statistic, WallClock,
    WarmUp,
};

/// A `CloudWatch` alarm: on a metric, on metrics and expressions over them, on a band of expected values, on a
/// `PromQL` query, or composed of other alarms.
///
/// It manages everything about an alarm but its state. An alarm of `type: metric` has exactly one of `metricName`,
/// `metrics` and `promql`; one of `type: composite` has a `rule`. Whatever is left out is not set, and is taken away
/// from an alarm that has it, but for `description` and `tags`. An update leaves the state as it is, and nothing is
/// written while nothing differs.
///
/// The rule of a composite alarm is `CloudWatch`'s own text: `ALARM(x)`, `OK(x)`, `INSUFFICIENT_DATA(x)`,
/// `AT_LEAST(2, ALARM, (x, y, z))`, `AND`, `OR`, `NOT`, parentheses, `TRUE` and `FALSE`. `alarms` says what the names
/// in it stand for, `{ ref: … }` or `{ arn: … }`; a name that is not there is the name of an alarm in the same account
/// and region. Rules are compared by meaning: order, nesting, quotation marks and spaces make no difference.
///
/// Actions are `{ ref: … }` for a `ResponsePlan` of yours, `{ arn: … }` for anything else that `CloudWatch` can do:
/// notify a topic, call a function, open an `OpsItem`, stop, reboot or recover an instance, scale a group.
///
/// **AWS chooses** nothing; a `description` that is left out stays as it is.
/// **Forces replacement:** `name`, `type`. AWS deletes no alarm that a composite alarm refers to.
/// **Left out:** alarms on log queries (`PutLogAlarm`) and mute rules; their names are taken all the same.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Alarm
/// metadata: { name: banana-checkout-errors }
/// spec:
///   namespace: Banana/Shop
///   metricName: CheckoutErrors
///   dimensions: { Service: checkout }
///   statistic: Sum
///   period: 60
///   evaluationPeriods: 3
///   comparisonOperator: GreaterThanThreshold
///   threshold: 5
///   treatMissingData: notBreaching
///   alarmActions: [{ ref: banana-checkout-down }]
/// ---
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Alarm
/// metadata: { name: banana-shop }
/// spec:
///   type: composite
///   rule: ALARM(errors) AND NOT ALARM(deploying)
///   alarms:
///     errors: { ref: banana-checkout-errors }
///     deploying: { arn: "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:deploying" }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alarm {
    /// The alarm's name in `CloudWatch`. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Whether it watches metrics or other alarms.
    #[serde(default)]
    pub r#type: AlarmType,
    /// What it means, for people. Left out, whatever somebody has set is left alone; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Whether the actions below are taken.
    #[serde(default = "yes")]
    pub actions_enabled: bool,
    /// What happens when it comes into ALARM: response plans, or whatever else by its ARN.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 5))]
    pub alarm_actions: BTreeSet<Ref<ResponsePlan>>,
    /// What happens when it comes into OK.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 5))]
    pub ok_actions: BTreeSet<Ref<ResponsePlan>>,
    /// What happens when it comes into `INSUFFICIENT_DATA`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 5))]
    pub insufficient_data_actions: BTreeSet<Ref<ResponsePlan>>,
    /// Puts the alarm's tags into what its actions send. Left out, no tags are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_propagation: Option<TagPropagation>,

    /// The metric's namespace, for instance `AWS/EC2`. With `metricName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:]"))]
    pub namespace: Option<String>,
    /// The metric, for an alarm on one metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: Option<String>,
    /// The metric's dimensions. With `metricName`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 30))]
    pub dimensions: BTreeMap<String, String>,
    /// How the values of a period become one. With `metricName`, unless there is `extendedStatistic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistic: Option<Statistic>,
    /// A percentile or another extended statistic, for instance `p99` or `TM(10%:90%)`, instead of `statistic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = metric::EXTENDED))]
    pub extended_statistic: Option<String>,
    /// The length of a period in seconds: 10, 20, 30 or a multiple of 60. With `metricName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 604_800))]
    pub period: Option<u32>,
    /// Counts only values of this unit. Left out, all count, which is nearly always right. With `metricName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = metric::UNITS))]
    pub unit: Option<String>,
    /// Metrics and expressions over them by their ids, for an alarm on an expression, on a metric of another account,
    /// or on a band of expected values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Query>,
    /// A `PromQL` query, for an alarm on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promql: Option<PromQl>,
    /// How many periods are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub evaluation_periods: Option<u32>,
    /// How many of these must be breaching. Left out, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub datapoints_to_alarm: Option<u32>,
    /// What the values are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The id in `metrics` of the `ANOMALY_DETECTION_BAND` that the values are compared with, instead of `threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub threshold_metric_id: Option<String>,
    /// How the values are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison_operator: Option<ComparisonOperator>,
    /// What a period without values counts as. Default: `missing`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub treat_missing_data: MissingData,
    /// What a percentile of few values counts as. Default: `evaluate`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub evaluate_low_sample_count_percentile: LowSamples,
    /// Lets the periods begin at the hours of a clock. Left out, they end at the moment of looking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_clock_window: Option<WallClock>,
    /// Keeps the alarm quiet after it was made or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUp>,

    /// When a composite alarm is in ALARM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10_240))]
    pub rule: Option<String>,
    /// What the names in the rule stand for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub alarms: BTreeMap<String, Ref<Alarm>>,
    /// An alarm that keeps the actions of a composite one from being taken while it is in ALARM itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_suppressor: Option<Suppressor>,

    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// What an alarm watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum AlarmType {
    /// Metrics.
    #[default]
    Metric,
    /// Other alarms.
    Composite,
}

/// Which of an alarm's tags its actions send: all, unless one of the lists says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagPropagation {
    /// These alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 50))]
    pub included_tag_keys: BTreeSet<String>,
    /// All but these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 50))]
    pub excluded_tag_keys: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Spec for Alarm {
    const KIND: &'static str = "Alarm";
    const CREATE_ONLY: &'static [&'static str] = &["/name", "/type"];
    // "Cannot delete … as there are composite alarm(s) depending on it": cloud-custodian issue 7763.
    const HELD: bool = true;

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        settle::text(&mut self.description, live.description.as_ref());
        settle::value(&mut self.tags, live.tags.as_ref());
        composite::settle(self, live);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn alarm(mut spec: Value) -> Alarm {
        spec["name"] = json!("a");
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn what_is_left_out_is_not_set() {
        let live = alarm(
            json!({"metricName": "m", "datapointsToAlarm": 2, "description": "d", "tags": {"a": "b"}}),
        );
        let mut wanted = alarm(json!({"metricName": "m"}));
        wanted.settle(&live);
        assert_eq!(wanted.datapoints_to_alarm, None);
        assert_eq!(wanted.description.as_deref(), Some("d"));
        assert_eq!(wanted.tags, live.tags);
    }

    #[test]
    fn defaults_are_written_only_where_every_alarm_has_them() {
        let value = serde_json::to_value(alarm(json!({"treatMissingData": "missing"}))).unwrap();
        assert_eq!(
            value,
            json!({"name": "a", "type": "metric", "actionsEnabled": true})
        );
    }
}
