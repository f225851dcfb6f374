//! What a rule changes of a finding.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rule changes of the findings that it is for. What is left out stays as the finding has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingFieldsUpdate {
    /// The note that the finding gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// How severe it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether it is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_state: Option<VerificationState>,
    /// How likely it is that it is about what it is meant to be about, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub confidence: Option<i32>,
    /// How important the resources are, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub criticality: Option<i32>,
    /// Its types: `namespace/category/classifier`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"\S")))]
    pub types: BTreeSet<String>,
    /// Names and values of one's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_defined_fields: BTreeMap<String, String>,
    /// How far people are with it. `SUPPRESSED` and `RESOLVED` keep no new finding of the same issue from coming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_status: Option<WorkflowStatus>,
    /// Findings that it has to do with.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub related_findings: BTreeSet<RelatedFinding>,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Note {
    /// The text: why, for whoever reads the finding.
    #[schemars(regex(pattern = r"\S"))]
    pub text: String,
    /// Who says so; a team rather than a person, for everybody with access to findings reads it.
    #[schemars(regex(pattern = r"\S"))]
    pub updated_by: String,
}

/// How severe a finding is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Severity {
    /// By name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<SeverityLabel>,
    /// By number, which AWS means to give up; without `label` it says the name too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub normalized: Option<i32>,
    /// By the measure of the product that made the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<f64>,
}

/// The names of severities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum SeverityLabel {
    /// No issue.
    Informational,
    /// Nothing to do on its own.
    Low,
    /// To be dealt with, not urgently.
    Medium,
    /// To be dealt with first.
    High,
    /// To be dealt with at once.
    Critical,
}

/// Whether a finding is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum VerificationState {
    /// Nobody knows.
    Unknown,
    /// There is the issue, and it is one.
    TruePositive,
    /// There is no such issue.
    FalsePositive,
    /// There is, and it is none.
    BenignPositive,
}

/// How far people are with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum WorkflowStatus {
    /// Nobody has looked.
    New,
    /// Its owner was told.
    Notified,
    /// It is repaired.
    Resolved,
    /// Nothing will be done about it.
    Suppressed,
}

/// Another finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelatedFinding {
    /// Its id in its product.
    #[schemars(regex(pattern = r"\S"))]
    pub id: String,
    /// The ARN of the product that made it.
    #[schemars(regex(pattern = r"\S"))]
    pub product_arn: String,
}

impl FindingFieldsUpdate {
    /// Says whether it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            note,
            severity,
            verification_state,
            confidence,
            criticality,
            types,
            user_defined_fields,
            workflow_status,
            related_findings,
        } = self;
        note.is_none()
            && severity.is_none()
            && verification_state.is_none()
            && confidence.is_none()
            && criticality.is_none()
            && types.is_empty()
            && user_defined_fields.is_empty()
            && workflow_status.is_none()
            && related_findings.is_empty()
    }
}

impl Severity {
    /// Takes over what AWS makes of a severity that is said in one way: [M] `SeverityUpdate`, `Normalized`.
    pub(super) fn settle(&mut self, live: &Self) {
        let Self {
            label,
            normalized,
            product: _,
        } = self;
        match (&label, &normalized) {
            (None, Some(number)) if live.label == Some(SeverityLabel::of(*number)) => {
                *label = live.label;
            }
            // The other way round AWS documents it for findings alone.
            (Some(name), None) if live.normalized == Some(name.number()) => {
                *normalized = live.normalized;
            }
            _ => {}
        }
    }
}

impl SeverityLabel {
    fn of(normalized: i32) -> Self {
        match normalized {
            ..=0 => Self::Informational,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            90.. => Self::Critical,
        }
    }

    /// The least number of that name.
    fn number(self) -> i32 {
        match self {
            Self::Informational => 0,
            Self::Low => 1,
            Self::Medium => 40,
            Self::High => 70,
            Self::Critical => 90,
        }
    }
}
