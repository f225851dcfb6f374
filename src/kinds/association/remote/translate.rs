//! Between the spec of an association and the SDK's types.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_ssm::types as sdk;

use super::super::{Association, OutputLocation, TargetLocation, default_version, parts};
use crate::aws::{Aws, AwsError, enums};
use crate::kinds::document::{self, Document, DocumentRef};
use crate::kinds::maintenance_window::is_service_linked;
use crate::kinds::selector::remote as selectors;
use crate::kinds::stop_alarm::remote as stop_alarm;
use crate::model::Ref;
use crate::model::stamp::{Tags, user_tags};

/// Sets what creating and updating have in common: everything, for an update clears what it leaves out.
macro_rules! send {
    ($request:expr, $aws:expr, $association:expr) => {{
        let Association {
            name,
            document,
            document_version,
            parameters,
            select,
            target_maps,
            automation_target_parameter_name,
            target_locations,
            schedule,
            schedule_offset,
            apply_only_at_cron_interval,
            duration,
            calendar_names,
            max_concurrency,
            max_errors,
            compliance_severity,
            sync_compliance,
            output_location,
            alarm,
            dispatch_role_arn,
            tags: _,
        } = $association;
        let calendars = calendar_names
            .iter()
            .map(|calendar| calendar.id().to_owned());
        $request
            .association_name(name)
            .name(translate::name($aws, document)?)
            .document_version(document_version)
            .set_parameters(translate::parameters(parameters))
            .set_targets(translate::some(selectors::sent(select)))
            .set_target_maps(translate::some(translate::maps(target_maps)))
            .set_automation_target_parameter_name(automation_target_parameter_name.clone())
            .set_target_locations(translate::some(translate::locations(target_locations)))
            .set_schedule_expression(schedule.clone())
            .set_schedule_offset(*schedule_offset)
            .apply_only_at_cron_interval(*apply_only_at_cron_interval)
            .set_duration(*duration)
            .set_calendar_names(translate::some(calendars.collect()))
            .set_max_concurrency(max_concurrency.clone())
            .set_max_errors(max_errors.clone())
            .compliance_severity(enums::spelled(compliance_severity).as_str().into())
            .sync_compliance(enums::spelled(sync_compliance).as_str().into())
            .set_output_location(output_location.as_ref().map(translate::output))
            .set_alarm_configuration(alarm.as_ref().map(stop_alarm::sent).transpose()?)
            .set_association_dispatch_assume_role(dispatch_role_arn.clone())
    }};
}
pub(super) use send;

/// Turns AWS's answer into the spec a user would have written.
pub(super) fn spec(
    aws: &Aws,
    name: &str,
    answer: sdk::AssociationDescription,
    tags: &Tags,
) -> Result<Association, AwsError> {
    let document = aws.required("DescribeAssociation", "Name", answer.name)?;
    let calendars = answer.calendar_names.unwrap_or_default().into_iter();
    let maps = answer.target_maps.unwrap_or_default().into_iter();
    let locations = answer.target_locations.unwrap_or_default().into_iter();
    let severity = answer.compliance_severity;
    let sync = answer.sync_compliance;
    Ok(Association {
        name: name.to_owned(),
        document: DocumentRef::from_aws(document, &aws.location),
        document_version: filled(answer.document_version).unwrap_or_else(default_version),
        parameters: answer.parameters.unwrap_or_default().into_iter().collect(),
        select: selectors::read(answer.targets),
        target_maps: maps.map(|map| map.into_iter().collect()).collect(),
        automation_target_parameter_name: filled(answer.automation_target_parameter_name),
        target_locations: locations.map(location).collect(),
        schedule: filled(answer.schedule_expression),
        schedule_offset: answer.schedule_offset.filter(|days| *days != 0),
        apply_only_at_cron_interval: answer.apply_only_at_cron_interval,
        duration: answer.duration.filter(|hours| *hours != 0),
        calendar_names: calendars.map(|name| calendar(aws, name)).collect(),
        max_concurrency: filled(answer.max_concurrency),
        max_errors: filled(answer.max_errors),
        compliance_severity: severity
            .map(|severity| enums::read("ComplianceSeverity", severity.as_str()))
            .transpose()?
            .unwrap_or_default(),
        sync_compliance: sync
            .map(|sync| enums::read("SyncCompliance", sync.as_str()))
            .transpose()?
            .unwrap_or_default(),
        output_location: answer.output_location.and_then(read_output),
        alarm: answer.alarm_configuration.and_then(stop_alarm::read),
        dispatch_role_arn: filled(answer.association_dispatch_assume_role)
            .filter(|role| !is_service_linked(role)),
        tags: Some(user_tags(tags)),
    })
}

/// Reads a calendar; AWS takes names and ARNs, and repeats what it was given.
fn calendar(aws: &Aws, name: String) -> Ref<Document> {
    if name.contains(':') {
        Ref::arn(name)
    } else {
        Ref::arn(document::arn(&aws.location, &name))
    }
}

fn read_output(sent: sdk::InstanceAssociationOutputLocation) -> Option<OutputLocation> {
    let sent = sent.s3_location?;
    Some(OutputLocation {
        s3_bucket_name: filled(sent.output_s3_bucket_name)?,
        s3_key_prefix: filled(sent.output_s3_key_prefix),
        s3_region: filled(sent.output_s3_region),
    })
}

fn location(sent: sdk::TargetLocation) -> TargetLocation {
    let named = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
    TargetLocation {
        accounts: named(sent.accounts),
        regions: named(sent.regions),
        include_child_organization_units: sent.include_child_organization_units,
        exclude_accounts: named(sent.exclude_accounts),
        execution_role_name: filled(sent.execution_role_name).unwrap_or_else(parts::execution_role),
        max_concurrency: filled(sent.target_location_max_concurrency).unwrap_or_else(parts::one),
        max_errors: filled(sent.target_location_max_errors).unwrap_or_else(parts::none),
        select: selectors::read(sent.targets),
        targets_max_concurrency: filled(sent.targets_max_concurrency),
        targets_max_errors: filled(sent.targets_max_errors),
    }
}

/// Returns places as they are sent.
pub(super) fn locations(locations: &BTreeSet<TargetLocation>) -> Vec<sdk::TargetLocation> {
    let one = |location: &TargetLocation| {
        let TargetLocation {
            accounts,
            regions,
            include_child_organization_units,
            exclude_accounts,
            execution_role_name,
            max_concurrency,
            max_errors,
            select,
            targets_max_concurrency,
            targets_max_errors,
        } = location;
        let list = |set: &BTreeSet<String>| some(set.iter().cloned().collect::<Vec<_>>());
        sdk::TargetLocation::builder()
            .set_accounts(list(accounts))
            .set_regions(list(regions))
            .include_child_organization_units(*include_child_organization_units)
            .set_exclude_accounts(list(exclude_accounts))
            .execution_role_name(execution_role_name)
            .target_location_max_concurrency(max_concurrency)
            .target_location_max_errors(max_errors)
            .set_targets(some(selectors::sent(select)))
            .set_targets_max_concurrency(targets_max_concurrency.clone())
            .set_targets_max_errors(targets_max_errors.clone())
            .build()
    };
    locations.iter().map(one).collect()
}

/// Returns the place of the output as it is sent.
pub(super) fn output(output: &OutputLocation) -> sdk::InstanceAssociationOutputLocation {
    let OutputLocation {
        s3_bucket_name,
        s3_key_prefix,
        s3_region,
    } = output;
    let s3 = sdk::S3OutputLocation::builder()
        .output_s3_bucket_name(s3_bucket_name)
        .set_output_s3_key_prefix(s3_key_prefix.clone())
        .set_output_s3_region(s3_region.clone())
        .build();
    sdk::InstanceAssociationOutputLocation::builder()
        .s3_location(s3)
        .build()
}

type Map = HashMap<String, Vec<String>>;

/// Returns parameters as they are sent, if there are any.
pub(super) fn parameters(parameters: &BTreeMap<String, Vec<String>>) -> Option<Map> {
    (!parameters.is_empty()).then(|| parameters.clone().into_iter().collect())
}

/// Returns maps as they are sent.
pub(super) fn maps(maps: &BTreeSet<BTreeMap<String, Vec<String>>>) -> Vec<Map> {
    maps.iter()
        .map(|map| map.clone().into_iter().collect())
        .collect()
}

/// Returns what a document is called in a call.
pub(super) fn name<N>(aws: &Aws, document: &DocumentRef<N>) -> Result<String, AwsError> {
    document
        .to_aws(&aws.location)
        .ok_or_else(|| AwsError::unexpected("the association", "its document is not resolved"))
}

/// Returns a list, or nothing for an empty one: some of AWS's lists may not be empty.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
