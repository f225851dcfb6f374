//! Between the spec of a baseline and the SDK's types.

use std::collections::BTreeSet;

use aws_sdk_ssm::operation::get_patch_baseline::GetPatchBaselineOutput;
use aws_sdk_ssm::types as sdk;

use super::super::{ApprovalRule, PatchBaseline, PatchFilter, Source};
use crate::aws::{Aws, AwsError, enums};
use crate::model::stamp::{Tags, user_tags};

/// Sets what creating and updating have in common; the SDK gives them different types with the same setters.
macro_rules! send {
    ($request:expr, $baseline:expr) => {{
        let PatchBaseline {
            name,
            operating_system: _,
            description,
            global_filters,
            approval_rules,
            approved_patches,
            approved_patches_compliance_level,
            approved_patches_enable_non_security,
            rejected_patches,
            rejected_patches_action,
            sources,
            available_security_updates_compliance_status,
            patch_groups: _,
            default: _,
            tags: _,
        } = $baseline;
        let level = enums::spelled(approved_patches_compliance_level);
        let status = available_security_updates_compliance_status.map(enums::spelled);
        $request
            .name(name)
            // An empty description is refused; leaving it out of a complete update clears it.
            .set_description(description.clone().filter(|text| !text.is_empty()))
            .global_filters(filter_group(global_filters)?)
            .approval_rules(rule_group(approval_rules)?)
            .set_approved_patches(Some(approved_patches.iter().cloned().collect()))
            .approved_patches_compliance_level(level.as_str().into())
            .approved_patches_enable_non_security(*approved_patches_enable_non_security)
            .set_rejected_patches(Some(rejected_patches.iter().cloned().collect()))
            .rejected_patches_action(enums::spelled(rejected_patches_action).as_str().into())
            .set_sources(Some(sources.iter().map(source).collect::<Result<_, _>>()?))
            .set_available_security_updates_compliance_status(
                status.map(|status| status.as_str().into()),
            )
    }};
}
pub(super) use send;

/// Turns AWS's answer into the spec a user would have written.
pub(super) fn spec(
    aws: &Aws,
    answer: GetPatchBaselineOutput,
    default: bool,
    tags: &Tags,
) -> Result<PatchBaseline, AwsError> {
    let operation = "GetPatchBaseline";
    let system = aws.required(operation, "OperatingSystem", answer.operating_system)?;
    let level = answer.approved_patches_compliance_level;
    let action = answer.rejected_patches_action;
    let status = answer.available_security_updates_compliance_status;
    let filters = answer.global_filters.map(|group| group.patch_filters);
    let rules = answer.approval_rules.map(|group| group.patch_rules);
    Ok(PatchBaseline {
        name: aws.required(operation, "Name", answer.name)?,
        operating_system: enums::read("OperatingSystem", system.as_str())?,
        description: answer.description.filter(|text| !text.is_empty()),
        global_filters: filters_of(filters.unwrap_or_default())?,
        approval_rules: rules
            .into_iter()
            .flatten()
            .map(rule_of)
            .collect::<Result<_, _>>()?,
        approved_patches: answer.approved_patches.into_iter().flatten().collect(),
        approved_patches_compliance_level: or_default(
            "ComplianceLevel",
            level.as_ref().map(sdk::PatchComplianceLevel::as_str),
        )?,
        approved_patches_enable_non_security: answer
            .approved_patches_enable_non_security
            .unwrap_or_default(),
        rejected_patches: answer.rejected_patches.into_iter().flatten().collect(),
        rejected_patches_action: or_default(
            "RejectedPatchesAction",
            action.as_ref().map(sdk::PatchAction::as_str),
        )?,
        sources: answer
            .sources
            .into_iter()
            .flatten()
            .map(source_of)
            .collect(),
        available_security_updates_compliance_status: status
            .map(|status| enums::read("AvailableSecurityUpdatesComplianceStatus", status.as_str()))
            .transpose()?,
        patch_groups: answer.patch_groups.into_iter().flatten().collect(),
        default,
        tags: Some(user_tags(tags)),
    })
}

/// Reads a value that AWS may leave out when it is the default.
fn or_default<T: Default + serde::de::DeserializeOwned>(
    member: &str,
    text: Option<&str>,
) -> Result<T, AwsError> {
    text.map_or_else(|| Ok(T::default()), |text| enums::read(member, text))
}

fn filters_of(filters: Vec<sdk::PatchFilter>) -> Result<BTreeSet<PatchFilter>, AwsError> {
    let read = |filter: sdk::PatchFilter| {
        Ok(PatchFilter {
            key: enums::read("PatchFilterKey", filter.key.as_str())?,
            values: filter.values.into_iter().collect(),
        })
    };
    filters.into_iter().map(read).collect()
}

fn rule_of(rule: sdk::PatchRule) -> Result<ApprovalRule, AwsError> {
    let level = rule
        .compliance_level
        .as_ref()
        .map(sdk::PatchComplianceLevel::as_str);
    let filters = rule.patch_filter_group.map(|group| group.patch_filters);
    Ok(ApprovalRule {
        patch_filters: filters_of(filters.unwrap_or_default())?,
        compliance_level: or_default("ComplianceLevel", level)?,
        approve_after_days: rule.approve_after_days,
        approve_until_date: rule.approve_until_date.filter(|date| !date.is_empty()),
        enable_non_security: rule.enable_non_security.unwrap_or_default(),
    })
}

fn source_of(source: sdk::PatchSource) -> Source {
    Source {
        name: source.name,
        products: source.products.into_iter().collect(),
        configuration: source.configuration,
    }
}

/// Returns filters as they are sent.
pub(super) fn filter_group(
    filters: &BTreeSet<PatchFilter>,
) -> Result<sdk::PatchFilterGroup, AwsError> {
    let filters = filters.iter().map(|filter| {
        let PatchFilter { key, values } = filter;
        sdk::PatchFilter::builder()
            .key(enums::spelled(key).as_str().into())
            .set_values(Some(values.iter().cloned().collect()))
            .build()
    });
    let filters = filters.collect::<Result<_, _>>().map_err(unbuilt)?;
    let group = sdk::PatchFilterGroup::builder().set_patch_filters(Some(filters));
    group.build().map_err(unbuilt)
}

/// Returns rules as they are sent.
pub(super) fn rule_group(rules: &BTreeSet<ApprovalRule>) -> Result<sdk::PatchRuleGroup, AwsError> {
    let rules = rules.iter().map(|rule| {
        let ApprovalRule {
            patch_filters,
            compliance_level,
            approve_after_days,
            approve_until_date,
            enable_non_security,
        } = rule;
        Ok(sdk::PatchRule::builder()
            .patch_filter_group(filter_group(patch_filters)?)
            .compliance_level(enums::spelled(compliance_level).as_str().into())
            .set_approve_after_days(*approve_after_days)
            .set_approve_until_date(approve_until_date.clone())
            .enable_non_security(*enable_non_security)
            .build())
    });
    let rules = rules.collect::<Result<_, AwsError>>()?;
    let group = sdk::PatchRuleGroup::builder().set_patch_rules(Some(rules));
    group.build().map_err(unbuilt)
}

/// Returns a source as it is sent.
pub(super) fn source(source: &Source) -> Result<sdk::PatchSource, AwsError> {
    let Source {
        name,
        products,
        configuration,
    } = source;
    sdk::PatchSource::builder()
        .name(name)
        .set_products(Some(products.iter().cloned().collect()))
        .configuration(configuration)
        .build()
        .map_err(unbuilt)
}

fn unbuilt(error: impl std::error::Error) -> AwsError {
    AwsError::unexpected("the patch baseline", &error.to_string())
}
