//! Which findings a rule is for.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The one table of what a rule can go by: what documents call it, how it is compared, and how many filters AWS takes.
/// [M] `AutomationRulesFindingFilters`. The macro that is given makes of it the struct, the checks, or the translation.
macro_rules! with_criteria {
    ($make:ident) => {
        $make! {
            /// The account in which the finding was made.
            aws_account_id: StringFilter, 100;
            /// The name of that account.
            aws_account_name: StringFilter, 20;
            /// The company whose product made the finding; `AWS` for those of controls.
            company_name: StringFilter, 20;
            /// The standard in which the control is on: the last part of its ARN, `standards/…` or `ruleset/…`.
            compliance_associated_standards_id: StringFilter, 20;
            /// The control, by the id that it has in all standards, for instance `EC2.8`.
            compliance_security_control_id: StringFilter, 20;
            /// What the check of a control found: `PASSED`, `WARNING`, `FAILED`, `NOT_AVAILABLE`.
            compliance_status: StringFilter, 20;
            /// How likely it is that the finding is about what it is meant to be about, in percent.
            confidence: NumberFilter, 20;
            /// When the finding was made.
            created_at: DateFilter, 20;
            /// How important the resources are, in percent.
            criticality: NumberFilter, 20;
            /// The finding's description.
            description: StringFilter, 20;
            /// When the issue was first seen.
            first_observed_at: DateFilter, 20;
            /// The part of the product that made the finding, for instance the ARN of a check.
            generator_id: StringFilter, 100;
            /// The finding's id in its product.
            id: StringFilter, 20;
            /// When the product last saw a change of the resource.
            last_observed_at: DateFilter, 20;
            /// The text of the finding's note.
            note_text: StringFilter, 20;
            /// When the note was last changed.
            note_updated_at: DateFilter, 20;
            /// Who wrote the note.
            note_updated_by: StringFilter, 20;
            /// The ARN of the product that made the finding.
            product_arn: StringFilter, 20;
            /// The name of that product; `Security Hub` for findings of controls.
            product_name: StringFilter, 20;
            /// Whether the finding is `ACTIVE` or `ARCHIVED`.
            record_state: StringFilter, 20;
            /// The id of a related finding in its product.
            related_findings_id: StringFilter, 20;
            /// The ARN of the product that made a related finding.
            related_findings_product_arn: StringFilter, 20;
            /// The ARN of the application that the resource belongs to.
            resource_application_arn: StringFilter, 20;
            /// The name of that application.
            resource_application_name: StringFilter, 20;
            /// Further names and values that the finding has for the resource.
            resource_details_other: MapFilter, 20;
            /// The resource: its ARN, where it has one.
            resource_id: StringFilter, 100;
            /// The account, or the Azure subscription, that owns the resource.
            resource_owner_account_id: StringFilter, 20;
            /// The organization, or the Azure tenant, that owns the resource.
            resource_owner_org_id: StringFilter, 20;
            /// The partition that the resource is in: `aws`, `aws-cn`, `aws-us-gov`.
            resource_partition: StringFilter, 20;
            /// The cloud that the resource is in: `AWS` or `Azure`.
            resource_provider: StringFilter, 20;
            /// The region that the resource is in.
            resource_region: StringFilter, 20;
            /// The tags that the resource had when the finding was processed.
            resource_tags: MapFilter, 20;
            /// The type of the resource, for instance `AwsS3Bucket`.
            resource_type: StringFilter, 20;
            /// How severe the finding is: `INFORMATIONAL`, `LOW`, `MEDIUM`, `HIGH`, `CRITICAL`.
            severity_label: StringFilter, 20;
            /// Where the product tells of the finding.
            source_url: StringFilter, 20;
            /// The finding's title.
            title: StringFilter, 100;
            /// The finding's types: `namespace/category/classifier`.
            r#type: StringFilter, 20;
            /// When the finding was last changed.
            updated_at: DateFilter, 20;
            /// Names and values that somebody gave the finding.
            user_defined_fields: MapFilter, 20;
            /// Whether the finding is true: `UNKNOWN`, `TRUE_POSITIVE`, `FALSE_POSITIVE`, `BENIGN_POSITIVE`.
            verification_state: StringFilter, 20;
            /// How far people are with the finding: `NEW`, `NOTIFIED`, `RESOLVED`, `SUPPRESSED`.
            workflow_status: StringFilter, 20;
        }
    };
}
pub(super) use with_criteria;

macro_rules! declare {
    ($($(#[$doc:meta])* $name:ident: $filter:ident, $most:literal;)*) => {
        /// Which findings a rule is for: those that fit each of the fields that are named here, at least one.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct Criteria {
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
                #[schemars(length(max = $most))]
                pub $name: BTreeSet<$filter>,
            )*
        }

        impl Criteria {
            /// Returns the filters by field, those of fields that are not named too.
            pub(super) fn fields(&self) -> Vec<(&'static str, Filters<'_>)> {
                let Self { $($name),* } = self;
                vec![$((stringify!($name), Filters::from($name)),)*]
            }
        }
    };
}
with_criteria!(declare);

/// The filters of one field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filters<'a> {
    Strings(&'a BTreeSet<StringFilter>),
    Dates(&'a BTreeSet<DateFilter>),
    Numbers(&'a BTreeSet<NumberFilter>),
    Maps(&'a BTreeSet<MapFilter>),
}

impl<'a> From<&'a BTreeSet<StringFilter>> for Filters<'a> {
    fn from(filters: &'a BTreeSet<StringFilter>) -> Self {
        Self::Strings(filters)
    }
}

impl<'a> From<&'a BTreeSet<DateFilter>> for Filters<'a> {
    fn from(filters: &'a BTreeSet<DateFilter>) -> Self {
        Self::Dates(filters)
    }
}

impl<'a> From<&'a BTreeSet<NumberFilter>> for Filters<'a> {
    fn from(filters: &'a BTreeSet<NumberFilter>) -> Self {
        Self::Numbers(filters)
    }
}

impl<'a> From<&'a BTreeSet<MapFilter>> for Filters<'a> {
    fn from(filters: &'a BTreeSet<MapFilter>) -> Self {
        Self::Maps(filters)
    }
}

impl Filters<'_> {
    /// Says whether the field is not named.
    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::Strings(filters) => filters.is_empty(),
            Self::Dates(filters) => filters.is_empty(),
            Self::Numbers(filters) => filters.is_empty(),
            Self::Maps(filters) => filters.is_empty(),
        }
    }
}

/// Compares a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StringFilter {
    /// How. `EQUALS`, `PREFIX` and `CONTAINS`: one of those filters on a field is enough. `NOT_EQUALS`,
    /// `PREFIX_NOT_EQUALS` and `NOT_CONTAINS`: all of them must hold. `CONTAINS` goes with itself alone, as does
    /// `NOT_CONTAINS`; `EQUALS` does not go with `NOT_EQUALS` or `PREFIX_NOT_EQUALS`.
    pub comparison: StringComparison,
    /// With what; upper and lower case count.
    #[schemars(regex(pattern = r"\S"))]
    pub value: String,
}

/// How a text is compared.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum StringComparison {
    /// It is the value.
    Equals,
    /// It begins with the value.
    Prefix,
    /// It is not the value.
    NotEquals,
    /// It does not begin with the value.
    PrefixNotEquals,
    /// It has the value in it.
    Contains,
    /// It does not have the value in it.
    NotContains,
}

/// Compares what a map has under a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MapFilter {
    /// The key: of a tag, for instance.
    #[schemars(regex(pattern = r"\S"))]
    pub key: String,
    /// How, as for texts.
    pub comparison: MapComparison,
    /// With what; upper and lower case count.
    #[schemars(regex(pattern = r"\S"))]
    pub value: String,
}

/// How the value of a key is compared.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum MapComparison {
    /// It is the value.
    Equals,
    /// It is not the value.
    NotEquals,
    /// It has the value in it.
    Contains,
    /// It does not have the value in it.
    NotContains,
}

impl From<MapComparison> for StringComparison {
    fn from(comparison: MapComparison) -> Self {
        match comparison {
            MapComparison::Equals => Self::Equals,
            MapComparison::NotEquals => Self::NotEquals,
            MapComparison::Contains => Self::Contains,
            MapComparison::NotContains => Self::NotContains,
        }
    }
}

/// Compares a moment: by `dateRange`, or by `start` and `end`, of which one may be left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DateFilter {
    /// Not before this moment, for instance `2026-01-31T23:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Not after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Counted back from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
}

/// A time that is counted back from now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DateRange {
    /// How long it is.
    #[schemars(range(min = 0))]
    pub value: i32,
    /// In what it is counted.
    #[serde(default)]
    pub unit: DateUnit,
    /// Whether the moment is in that time or before it.
    #[serde(default)]
    pub comparison: DateComparison,
}

/// In what a time is counted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum DateUnit {
    /// Days.
    #[default]
    Days,
}

/// Where a moment is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum DateComparison {
    /// In the time.
    #[default]
    Within,
    /// Before it.
    OlderThan,
}

/// Compares a number; all that is said must hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NumberFilter {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub gte: Option<Amount>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub lte: Option<Amount>,
    /// Exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub eq: Option<Amount>,
    /// More than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub gt: Option<Amount>,
    /// Less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub lt: Option<Amount>,
}

/// A number that can stand in a set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Amount(pub f64);

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Amount {}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
