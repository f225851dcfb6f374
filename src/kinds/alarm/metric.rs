//! What a metric alarm watches.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Percentiles and other extended statistics: CloudWatch user guide, "CloudWatch statistics definitions".
macro_rules! extended {
    () => {
        r"IQM|(p|tm|tc|ts|wm)(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,10})?)|PR\([0-9.]*:[0-9.]*\)|(TM|TC|TS|WM)\([0-9.]*%?:[0-9.]*%?\)"
    };
}
pub(super) const EXTENDED: &str = concat!("^(", extended!(), ")$");

/// Any statistic.
const ANY: &str = concat!(
    "^(SampleCount|Average|Sum|Minimum|Maximum|",
    extended!(),
    ")$"
);

/// The units of metrics, as AWS spells them.
pub(super) const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// How the values of a period become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Statistic {
    /// How many there are.
    SampleCount,
    /// Their mean.
    Average,
    /// Their sum.
    Sum,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
}

/// How values are compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum ComparisonOperator {
    /// At or above it.
    GreaterThanOrEqualToThreshold,
    /// Above it.
    GreaterThanThreshold,
    /// Below it.
    LessThanThreshold,
    /// At or below it.
    LessThanOrEqualToThreshold,
    /// Outside of the band.
    LessThanLowerOrGreaterThanUpperThreshold,
    /// Below the band.
    LessThanLowerThreshold,
    /// Above the band.
    GreaterThanUpperThreshold,
}

impl ComparisonOperator {
    /// Says whether it compares with a band of expected values.
    pub(super) fn of_band(self) -> bool {
        match self {
            Self::LessThanLowerOrGreaterThanUpperThreshold
            | Self::LessThanLowerThreshold
            | Self::GreaterThanUpperThreshold => true,
            Self::GreaterThanOrEqualToThreshold
            | Self::GreaterThanThreshold
            | Self::LessThanThreshold
            | Self::LessThanOrEqualToThreshold => false,
        }
    }
}

/// What a period without values counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum MissingData {
    /// Neither; when nothing else is there the alarm comes into `INSUFFICIENT_DATA`.
    #[default]
    Missing,
    /// A breach.
    Breaching,
    /// No breach.
    NotBreaching,
    /// Nothing: the state stays.
    Ignore,
}

/// What a percentile of few values counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum LowSamples {
    /// What it says.
    #[default]
    Evaluate,
    /// Nothing: the state stays.
    Ignore,
}

/// A metric, or an expression: exactly one of `metric` and `expression`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// A metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Measured>,
    /// An expression over other entries by their ids, or a query of Metrics Insights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub expression: Option<String>,
    /// The length of a period of the expression in seconds, where no metric says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 604_800))]
    pub period: Option<u32>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub label: Option<String>,
    /// The account that has the metric, when it is another one, whose metrics this account may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub account_id: Option<String>,
    /// Whether this is what the alarm watches. One entry is; with a band of expected values the band is too.
    #[serde(default)]
    pub return_data: bool,
}

/// A metric, and how its values become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measured {
    /// The namespace, for instance `AWS/EC2`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:]"))]
    pub namespace: String,
    /// The metric.
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: String,
    /// Its dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 30))]
    pub dimensions: BTreeMap<String, String>,
    /// The statistic, for instance `Sum` or `p99`.
    #[schemars(regex(pattern = ANY))]
    pub stat: String,
    /// The length of a period in seconds: 10, 20, 30 or a multiple of 60.
    #[schemars(range(min = 10, max = 604_800))]
    pub period: u32,
    /// Counts only values of this unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = UNITS))]
    pub unit: Option<String>,
}

/// A `PromQL` query. Every entry of its answer is breaching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromQl {
    /// The query; it must answer with a vector.
    #[schemars(length(min = 1, max = 10_000))]
    pub query: String,
    /// How often it is asked, in seconds: 10, 20, 30 or a multiple of 60.
    #[schemars(range(min = 10, max = 3600))]
    pub evaluation_interval: u32,
    /// For how many seconds an entry must be there before it counts.
    #[serde(default)]
    #[schemars(range(max = 86_400))]
    pub pending_period: u32,
    /// For how many seconds an entry must be gone before it no longer counts.
    #[serde(default)]
    #[schemars(range(max = 86_400))]
    pub recovery_period: u32,
}

/// Periods that begin at the hours of a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WallClock {
    /// The clock's time zone, for instance `Asia/Tokyo` or `+05:30`.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 50))]
    pub timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// How long an alarm is quiet after it was made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmUp {
    /// For how many minutes, two days at most.
    #[schemars(range(min = 1, max = 2880))]
    pub minutes: u32,
    /// Whether it does not begin to look before that, though values come in earlier.
    #[serde(default)]
    pub only_start_evaluating_after: bool,
}
