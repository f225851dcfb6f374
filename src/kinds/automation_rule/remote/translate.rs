//! Between the spec of a rule and the SDK's types.

use std::collections::BTreeSet;

use aws_sdk_securityhub::types as sdk;

use super::super::criteria::with_criteria;
use super::super::{
    Amount, AutomationRule, Criteria, DateFilter, DateRange, FindingFieldsUpdate, MapFilter, Note,
    NumberFilter, RelatedFinding, Severity, StringFilter,
};
use crate::aws::{Aws, AwsError, enums};
use crate::model::stamp::{Tags, user_tags};

/// Sets what creating and updating have in common: everything, for an update keeps what it leaves out.
macro_rules! send {
    ($request:expr, $rule:expr) => {{
        let AutomationRule {
            name,
            description,
            order,
            enabled,
            terminal,
            criteria,
            finding_fields_update,
            tags: _,
        } = $rule;
        $request
            .rule_name(name)
            .description(description)
            .rule_order(*order)
            .rule_status(translate::status(*enabled))
            .is_terminal(*terminal)
            .criteria(translate::criteria(criteria))
            .actions(translate::action(finding_fields_update))
    }};
}
pub(super) use send;

const OPERATION: &str = "BatchGetAutomationRules";

/// Turns AWS's answer into the spec a user would have written.
pub(super) fn spec(
    aws: &Aws,
    rule: sdk::AutomationRulesConfig,
    tags: &Tags,
) -> Result<AutomationRule, AwsError> {
    let criteria = aws.required(OPERATION, "Criteria", rule.criteria)?;
    let action = rule.actions.into_iter().flatten().next();
    let action = aws.required(OPERATION, "Actions", action)?;
    let kind = aws.required(OPERATION, "Type", action.r#type)?;
    if kind != sdk::AutomationRulesActionType::FindingFieldsUpdate {
        let message = format!(
            "AWS answered `{}`, which this version does not know",
            kind.as_str()
        );
        return Err(AwsError::unexpected("AutomationRulesActionType", &message));
    }
    let update = aws.required(
        OPERATION,
        "FindingFieldsUpdate",
        action.finding_fields_update,
    )?;
    let status = aws.required(OPERATION, "RuleStatus", rule.rule_status)?;
    Ok(AutomationRule {
        name: aws.required(OPERATION, "RuleName", rule.rule_name)?,
        description: aws.required(OPERATION, "Description", rule.description)?,
        order: aws.required(OPERATION, "RuleOrder", rule.rule_order)?,
        enabled: status != sdk::RuleStatus::Disabled,
        terminal: rule.is_terminal.unwrap_or_default(),
        criteria: criteria_of(aws, criteria)?,
        finding_fields_update: update_of(aws, update)?,
        tags: Some(user_tags(tags)),
    })
}

pub(super) fn status(enabled: bool) -> sdk::RuleStatus {
    if enabled {
        sdk::RuleStatus::Enabled
    } else {
        sdk::RuleStatus::Disabled
    }
}

macro_rules! translate {
    ($($(#[$doc:meta])* $name:ident: $filter:ident, $most:literal;)*) => {
        /// Returns criteria as they are sent.
        pub(super) fn criteria(criteria: &Criteria) -> sdk::AutomationRulesFindingFilters {
            let Criteria { $($name),* } = criteria;
            let mut builder = sdk::AutomationRulesFindingFilters::builder();
            $(
                for filter in $name {
                    builder = builder.$name(filter.sent());
                }
            )*
            builder.build()
        }

        fn criteria_of(
            aws: &Aws,
            sent: sdk::AutomationRulesFindingFilters,
        ) -> Result<Criteria, AwsError> {
            Ok(Criteria {
                $($name: all(aws, sent.$name)?,)*
            })
        }
    };
}
with_criteria!(translate);

/// A filter in the SDK's types.
trait Filter: Ord + Sized {
    type Sdk;
    fn sent(&self) -> Self::Sdk;
    fn read(aws: &Aws, sent: Self::Sdk) -> Result<Self, AwsError>;
}

fn all<F: Filter>(aws: &Aws, sent: Option<Vec<F::Sdk>>) -> Result<BTreeSet<F>, AwsError> {
    let filters = sent.into_iter().flatten();
    filters.map(|filter| F::read(aws, filter)).collect()
}

impl Filter for StringFilter {
    type Sdk = sdk::StringFilter;

    fn sent(&self) -> Self::Sdk {
        let Self { comparison, value } = self;
        sdk::StringFilter::builder()
            .comparison(enums::spelled(comparison).as_str().into())
            .value(value)
            .build()
    }

    fn read(aws: &Aws, sent: Self::Sdk) -> Result<Self, AwsError> {
        let comparison = aws.required(OPERATION, "Comparison", sent.comparison)?;
        Ok(Self {
            comparison: enums::read("StringFilterComparison", comparison.as_str())?,
            value: aws.required(OPERATION, "Value", sent.value)?,
        })
    }
}

impl Filter for MapFilter {
    type Sdk = sdk::MapFilter;

    fn sent(&self) -> Self::Sdk {
        let Self {
            key,
            comparison,
            value,
        } = self;
        sdk::MapFilter::builder()
            .key(key)
            .comparison(enums::spelled(comparison).as_str().into())
            .value(value)
            .build()
    }

    fn read(aws: &Aws, sent: Self::Sdk) -> Result<Self, AwsError> {
        let comparison = aws.required(OPERATION, "Comparison", sent.comparison)?;
        Ok(Self {
            key: aws.required(OPERATION, "Key", sent.key)?,
            comparison: enums::read("MapFilterComparison", comparison.as_str())?,
            value: aws.required(OPERATION, "Value", sent.value)?,
        })
    }
}

impl Filter for DateFilter {
    type Sdk = sdk::DateFilter;

    fn sent(&self) -> Self::Sdk {
        let Self {
            start,
            end,
            date_range,
        } = self;
        let range = date_range.as_ref().map(|range| {
            let DateRange {
                value,
                unit,
                comparison,
            } = range;
            sdk::DateRange::builder()
                .value(*value)
                .unit(enums::spelled(unit).as_str().into())
                .comparison(enums::spelled(comparison).as_str().into())
                .build()
        });
        sdk::DateFilter::builder()
            .set_start(start.clone())
            .set_end(end.clone())
            .set_date_range(range)
            .build()
    }

    fn read(aws: &Aws, sent: Self::Sdk) -> Result<Self, AwsError> {
        let range = |range: sdk::DateRange| {
            let unit = range.unit;
            let unit = unit.map(|unit| enums::read("DateRangeUnit", unit.as_str()));
            let comparison = range.comparison;
            let comparison =
                comparison.map(|word| enums::read("DateRangeComparison", word.as_str()));
            Ok::<_, AwsError>(DateRange {
                value: aws.required(OPERATION, "DateRange.Value", range.value)?,
                unit: unit.transpose()?.unwrap_or_default(),
                // [M] "If you don't specify a value, the default is WITHIN."
                comparison: comparison.transpose()?.unwrap_or_default(),
            })
        };
        Ok(Self {
            start: sent.start,
            end: sent.end,
            date_range: sent.date_range.map(range).transpose()?,
        })
    }
}

impl Filter for NumberFilter {
    type Sdk = sdk::NumberFilter;

    fn sent(&self) -> Self::Sdk {
        let Self {
            gte,
            lte,
            eq,
            gt,
            lt,
        } = self;
        let number = |amount: &Option<Amount>| amount.map(|Amount(number)| number);
        sdk::NumberFilter::builder()
            .set_gte(number(gte))
            .set_lte(number(lte))
            .set_eq(number(eq))
            .set_gt(number(gt))
            .set_lt(number(lt))
            .build()
    }

    fn read(_: &Aws, sent: Self::Sdk) -> Result<Self, AwsError> {
        Ok(Self {
            gte: sent.gte.map(Amount),
            lte: sent.lte.map(Amount),
            eq: sent.eq.map(Amount),
            gt: sent.gt.map(Amount),
            lt: sent.lt.map(Amount),
        })
    }
}

/// Returns what a rule does as it is sent.
pub(super) fn action(update: &FindingFieldsUpdate) -> sdk::AutomationRulesAction {
    let FindingFieldsUpdate {
        note,
        severity,
        verification_state,
        confidence,
        criticality,
        types,
        user_defined_fields,
        workflow_status,
        related_findings,
    } = update;
    let note = note.as_ref().map(|Note { text, updated_by }| {
        let note = sdk::NoteUpdate::builder();
        note.text(text).updated_by(updated_by).build()
    });
    let severity = severity.as_ref().map(|severity| {
        let Severity {
            label,
            normalized,
            product,
        } = severity;
        sdk::SeverityUpdate::builder()
            .set_label(label.map(|label| enums::spelled(label).as_str().into()))
            .set_normalized(*normalized)
            .set_product(*product)
            .build()
    });
    let workflow = workflow_status.map(|status| {
        let status = enums::spelled(status).as_str().into();
        sdk::WorkflowUpdate::builder().status(status).build()
    });
    let related = related_findings.iter().map(|related| {
        let RelatedFinding { id, product_arn } = related;
        let related = sdk::RelatedFinding::builder().id(id);
        related.product_arn(product_arn).build()
    });
    let related: Vec<_> = related.collect();
    let fields = user_defined_fields
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    let update = sdk::AutomationRulesFindingFieldsUpdate::builder()
        .set_note(note)
        .set_severity(severity)
        .set_verification_state(
            verification_state.map(|state| enums::spelled(state).as_str().into()),
        )
        .set_confidence(*confidence)
        .set_criticality(*criticality)
        .set_types((!types.is_empty()).then(|| types.iter().cloned().collect()))
        .set_user_defined_fields((!user_defined_fields.is_empty()).then(|| fields.collect()))
        .set_workflow(workflow)
        .set_related_findings((!related.is_empty()).then_some(related));
    sdk::AutomationRulesAction::builder()
        .r#type(sdk::AutomationRulesActionType::FindingFieldsUpdate)
        .finding_fields_update(update.build())
        .build()
}

fn update_of(
    aws: &Aws,
    sent: sdk::AutomationRulesFindingFieldsUpdate,
) -> Result<FindingFieldsUpdate, AwsError> {
    let note = |note: sdk::NoteUpdate| {
        Ok::<_, AwsError>(Note {
            text: aws.required(OPERATION, "Note.Text", note.text)?,
            updated_by: aws.required(OPERATION, "Note.UpdatedBy", note.updated_by)?,
        })
    };
    let severity = |severity: sdk::SeverityUpdate| {
        let label = severity.label;
        Ok::<_, AwsError>(Severity {
            label: label
                .map(|label| enums::read("SeverityLabel", label.as_str()))
                .transpose()?,
            normalized: severity.normalized,
            product: severity.product,
        })
    };
    let related = |related: sdk::RelatedFinding| {
        Ok::<_, AwsError>(RelatedFinding {
            id: aws.required(OPERATION, "RelatedFinding.Id", related.id)?,
            product_arn: aws.required(
                OPERATION,
                "RelatedFinding.ProductArn",
                related.product_arn,
            )?,
        })
    };
    let state = sent.verification_state;
    let status = sent.workflow.and_then(|workflow| workflow.status);
    Ok(FindingFieldsUpdate {
        note: sent.note.map(note).transpose()?,
        severity: sent.severity.map(severity).transpose()?,
        verification_state: state
            .map(|state| enums::read("VerificationState", state.as_str()))
            .transpose()?,
        confidence: sent.confidence,
        criticality: sent.criticality,
        types: sent.types.into_iter().flatten().collect(),
        user_defined_fields: sent.user_defined_fields.into_iter().flatten().collect(),
        workflow_status: status
            .map(|status| enums::read("WorkflowStatus", status.as_str()))
            .transpose()?,
        related_findings: sent
            .related_findings
            .into_iter()
            .flatten()
            .map(related)
            .collect::<Result<_, _>>()?,
    })
}
