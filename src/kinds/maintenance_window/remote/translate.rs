//! Between the spec of a window and the SDK's types.

use std::collections::BTreeMap;

use aws_sdk_ssm::operation::get_maintenance_window::GetMaintenanceWindowOutput;
use aws_sdk_ssm::operation::get_maintenance_window_task::GetMaintenanceWindowTaskOutput;
use aws_sdk_ssm::primitives::Blob;
use aws_sdk_ssm::types as sdk;

use super::super::{
    Automation, CloudWatchOutput, Lambda, MaintenanceWindow, Notification, RunCommand,
    StepFunctions, WindowTarget, WindowTask, is_service_linked,
};
use crate::aws::{Aws, AwsError, enums};
use crate::kinds::document::DocumentRef;
use crate::kinds::selector::remote as selectors;
use crate::kinds::stop_alarm::remote as stop_alarm;
use crate::model::stamp::{Tags, user_tags};
use crate::model::{Document, Format};

/// Sets what creating and updating a window have in common; the SDK gives them different types with the same setters.
macro_rules! send_window {
    ($request:expr, $window:expr) => {{
        let MaintenanceWindow {
            name,
            description,
            schedule,
            schedule_timezone,
            schedule_offset,
            start_date,
            end_date,
            duration,
            cutoff,
            allow_unassociated_targets,
            // Creating cannot say it.
            enabled: _,
            window_targets: _,
            tasks: _,
            tags: _,
        } = $window;
        $request
            .name(name)
            // An empty description is refused; leaving it out of a replacement clears it.
            .set_description(description.clone().filter(|text| !text.is_empty()))
            .schedule(schedule)
            .set_schedule_timezone(schedule_timezone.clone())
            .set_schedule_offset(*schedule_offset)
            .set_start_date(start_date.clone())
            .set_end_date(end_date.clone())
            .duration(*duration)
            .cutoff(*cutoff)
            .allow_unassociated_targets(*allow_unassociated_targets)
    }};
}
pub(super) use send_window;

/// Sets what registering and updating a target have in common.
macro_rules! send_target {
    ($request:expr, $name:expr, $target:expr) => {{
        let WindowTarget {
            description,
            owner_information,
            select,
        } = $target;
        $request
            .name($name)
            .set_description(description.clone())
            .set_owner_information(owner_information.clone())
            .set_targets(Some(selectors::sent(select)))
    }};
}
pub(super) use send_target;

/// Sets what registering and updating a task have in common; `$ids` are the ids of its targets.
macro_rules! send_task {
    ($request:expr, $aws:expr, $name:expr, $task:expr, $ids:expr) => {{
        let WindowTask {
            description,
            run_command: _,
            automation: _,
            lambda: _,
            step_functions: _,
            targets: _,
            instance_ids,
            priority,
            max_concurrency,
            max_errors,
            cutoff_behavior,
            service_role_arn,
            alarm,
        } = $task;
        let (arn, parameters) = invocation($aws, $task)?;
        $request
            .name($name)
            .task_arn(arn)
            .task_invocation_parameters(parameters)
            .set_description(description.clone())
            .set_targets(Some(task_targets($ids, instance_ids)))
            .priority(*priority)
            .set_max_concurrency(max_concurrency.clone())
            .set_max_errors(max_errors.clone())
            .cutoff_behavior(enums::spelled(cutoff_behavior).as_str().into())
            // The service-linked role is taken when none is named.
            .set_service_role_arn(
                service_role_arn
                    .clone()
                    .filter(|role| !is_service_linked(role)),
            )
            .set_alarm_configuration(alarm.as_ref().map(stop_alarm::sent).transpose()?)
    }};
}
pub(super) use send_task;

/// Turns AWS's answer into the spec a user would have written.
pub(super) fn window(
    aws: &Aws,
    answer: GetMaintenanceWindowOutput,
    window_targets: BTreeMap<String, WindowTarget>,
    tasks: BTreeMap<String, WindowTask>,
    tags: &Tags,
) -> Result<MaintenanceWindow, AwsError> {
    let operation = "GetMaintenanceWindow";
    Ok(MaintenanceWindow {
        name: aws.required(operation, "Name", answer.name)?,
        description: filled(answer.description),
        schedule: aws.required(operation, "Schedule", answer.schedule)?,
        schedule_timezone: filled(answer.schedule_timezone),
        schedule_offset: answer.schedule_offset.filter(|days| *days != 0),
        start_date: filled(answer.start_date),
        end_date: filled(answer.end_date),
        duration: aws.required(operation, "Duration", answer.duration)?,
        cutoff: answer.cutoff,
        allow_unassociated_targets: answer.allow_unassociated_targets,
        enabled: answer.enabled,
        window_targets,
        tasks,
        tags: Some(user_tags(tags)),
    })
}

/// Reads a target.
pub(super) fn target(answer: sdk::MaintenanceWindowTarget) -> WindowTarget {
    WindowTarget {
        description: filled(answer.description),
        owner_information: filled(answer.owner_information),
        select: selectors::read(answer.targets),
    }
}

/// Reads a task; `keys` are those of the targets by their ids.
pub(super) fn task(
    aws: &Aws,
    answer: GetMaintenanceWindowTaskOutput,
    keys: &BTreeMap<String, String>,
) -> Result<WindowTask, AwsError> {
    let operation = "GetMaintenanceWindowTask";
    let arn = aws.required(operation, "TaskArn", answer.task_arn)?;
    let kind = aws.required(operation, "TaskType", answer.task_type)?;
    let (mut targets, mut instance_ids) = (Vec::new(), Vec::new());
    for target in answer.targets.unwrap_or_default() {
        let list = match target.key.as_deref() {
            Some("WindowTargetIds") => &mut targets,
            _ => &mut instance_ids,
        };
        list.extend(target.values.unwrap_or_default());
    }
    // A target that is gone is named by its id.
    let named = |id: String| keys.get(&id).cloned().unwrap_or(id);
    // Without targets AWS answers limits that nobody set: [M] "a placeholder value of 1".
    let targetless = targets.is_empty() && instance_ids.is_empty();
    let mut task = WindowTask {
        description: filled(answer.description),
        run_command: None,
        automation: None,
        lambda: None,
        step_functions: None,
        targets: targets.into_iter().map(named).collect(),
        instance_ids: instance_ids.into_iter().collect(),
        priority: answer.priority,
        max_concurrency: answer.max_concurrency.filter(|_| !targetless),
        max_errors: answer.max_errors.filter(|_| !targetless),
        cutoff_behavior: answer
            .cutoff_behavior
            .map(|behavior| enums::read("CutoffBehavior", behavior.as_str()))
            .transpose()?
            .unwrap_or_default(),
        service_role_arn: filled(answer.service_role_arn).filter(|role| !is_service_linked(role)),
        alarm: answer.alarm_configuration.and_then(stop_alarm::read),
    };
    let parameters = answer.task_invocation_parameters;
    match kind.as_str() {
        "RUN_COMMAND" => {
            let sent = parameters.and_then(|p| p.run_command);
            task.run_command = Some(run_command(aws, arn, sent)?);
        }
        "AUTOMATION" => {
            let sent = parameters
                .and_then(|p| p.automation)
                .unwrap_or_else(|| sdk::MaintenanceWindowAutomationParameters::builder().build());
            task.automation = Some(Automation {
                document: DocumentRef::from_aws(arn, &aws.location),
                document_version: filled(sent.document_version),
                parameters: sent.parameters.unwrap_or_default().into_iter().collect(),
            });
        }
        "LAMBDA" => {
            let sent = parameters
                .and_then(|p| p.lambda)
                .unwrap_or_else(|| sdk::MaintenanceWindowLambdaParameters::builder().build());
            let payload = sent
                .payload
                .map(|blob| String::from_utf8_lossy(blob.as_ref()).into_owned());
            task.lambda = Some(Lambda {
                function: arn,
                qualifier: filled(sent.qualifier),
                client_context: filled(sent.client_context),
                payload: filled(payload).map(Document::from_text),
            });
        }
        "STEP_FUNCTIONS" => {
            let sent = parameters
                .and_then(|p| p.step_functions)
                .unwrap_or_else(|| {
                    sdk::MaintenanceWindowStepFunctionsParameters::builder().build()
                });
            task.step_functions = Some(StepFunctions {
                state_machine_arn: arn,
                name: filled(sent.name),
                input: filled(sent.input).map(Document::from_text),
            });
        }
        // A type that is newer than this program is none of ours.
        _ => {}
    }
    Ok(task)
}

fn run_command(
    aws: &Aws,
    arn: String,
    sent: Option<sdk::MaintenanceWindowRunCommandParameters>,
) -> Result<RunCommand, AwsError> {
    let sent =
        sent.unwrap_or_else(|| sdk::MaintenanceWindowRunCommandParameters::builder().build());
    Ok(RunCommand {
        document: DocumentRef::from_aws(arn, &aws.location),
        document_version: filled(sent.document_version),
        document_hash: filled(sent.document_hash),
        document_hash_type: sent
            .document_hash_type
            .map(|kind| enums::read("DocumentHashType", kind.as_str()))
            .transpose()?,
        comment: filled(sent.comment),
        parameters: sent.parameters.unwrap_or_default().into_iter().collect(),
        timeout_seconds: sent.timeout_seconds,
        output_s3_bucket_name: filled(sent.output_s3_bucket_name),
        output_s3_key_prefix: filled(sent.output_s3_key_prefix),
        cloud_watch_output: sent
            .cloud_watch_output_config
            .map(|output| CloudWatchOutput {
                enabled: output.cloud_watch_output_enabled,
                log_group_name: filled(output.cloud_watch_log_group_name),
            }),
        notification: sent
            .notification_config
            .map(notification)
            .transpose()?
            .flatten(),
        service_role_arn: filled(sent.service_role_arn),
    })
}

/// Reads who hears of a command; nobody does without a topic.
fn notification(sent: sdk::NotificationConfig) -> Result<Option<Notification>, AwsError> {
    let Some(topic_arn) = filled(sent.notification_arn) else {
        return Ok(None);
    };
    let events = sent.notification_events.unwrap_or_default().into_iter();
    let events = events.map(|event| enums::read("NotificationEvent", event.as_str()));
    let kind = sent.notification_type;
    Ok(Some(Notification {
        topic_arn,
        events: events.collect::<Result<_, _>>()?,
        kind: kind
            .map(|kind| enums::read("NotificationType", kind.as_str()))
            .transpose()?
            .unwrap_or_default(),
    }))
}

/// Returns how a task names its targets.
pub(super) fn task_targets(
    ids: &[String],
    instance_ids: &std::collections::BTreeSet<String>,
) -> Vec<sdk::Target> {
    let mut targets = Vec::new();
    if !ids.is_empty() {
        targets.push(selectors::target("WindowTargetIds", ids.iter().cloned()));
    }
    if !instance_ids.is_empty() {
        targets.push(selectors::target(
            "InstanceIds",
            instance_ids.iter().cloned(),
        ));
    }
    targets
}

/// Returns the type of a task as AWS spells it.
pub(super) fn kind(task: &WindowTask) -> &'static str {
    if task.run_command.is_some() {
        "RUN_COMMAND"
    } else if task.automation.is_some() {
        "AUTOMATION"
    } else if task.lambda.is_some() {
        "LAMBDA"
    } else {
        "STEP_FUNCTIONS"
    }
}

/// Returns what a task runs, and with which parameters.
pub(super) fn invocation(
    aws: &Aws,
    task: &WindowTask,
) -> Result<(String, sdk::MaintenanceWindowTaskInvocationParameters), AwsError> {
    let parameters = sdk::MaintenanceWindowTaskInvocationParameters::builder();
    let unresolved = || AwsError::unexpected("the task", "its document is not resolved");
    if let Some(command) = &task.run_command {
        let arn = command.document.to_aws(&aws.location);
        let parameters = parameters.run_command(command_parameters(command));
        return Ok((arn.ok_or_else(unresolved)?, parameters.build()));
    }
    if let Some(automation) = &task.automation {
        let Automation {
            document,
            document_version,
            parameters: values,
        } = automation;
        let sent = sdk::MaintenanceWindowAutomationParameters::builder()
            .set_document_version(document_version.clone())
            // AWS takes no empty map here: [M] `AutomationParameterMap`, min 1.
            .set_parameters(some(values))
            .build();
        let arn = document.to_aws(&aws.location).ok_or_else(unresolved)?;
        return Ok((arn, parameters.automation(sent).build()));
    }
    if let Some(lambda) = &task.lambda {
        let Lambda {
            function,
            qualifier,
            client_context,
            payload,
        } = lambda;
        let sent = sdk::MaintenanceWindowLambdaParameters::builder()
            .set_qualifier(qualifier.clone())
            .set_client_context(client_context.clone())
            .set_payload(json(payload.as_ref())?.map(Blob::new))
            .build();
        return Ok((function.clone(), parameters.lambda(sent).build()));
    }
    let Some(StepFunctions {
        state_machine_arn,
        name,
        input,
    }) = &task.step_functions
    else {
        return Err(AwsError::unexpected(
            "the task",
            "it does not say what to run",
        ));
    };
    let sent = sdk::MaintenanceWindowStepFunctionsParameters::builder()
        .set_name(name.clone())
        .set_input(json(input.as_ref())?)
        .build();
    let parameters = parameters.step_functions(sent);
    Ok((state_machine_arn.clone(), parameters.build()))
}

fn command_parameters(command: &RunCommand) -> sdk::MaintenanceWindowRunCommandParameters {
    let RunCommand {
        document: _,
        document_version,
        document_hash,
        document_hash_type,
        comment,
        parameters,
        timeout_seconds,
        output_s3_bucket_name,
        output_s3_key_prefix,
        cloud_watch_output,
        notification,
        service_role_arn,
    } = command;
    let logs = cloud_watch_output.as_ref().map(|output| {
        let CloudWatchOutput {
            enabled,
            log_group_name,
        } = output;
        sdk::CloudWatchOutputConfig::builder()
            .cloud_watch_output_enabled(*enabled)
            .set_cloud_watch_log_group_name(log_group_name.clone())
            .build()
    });
    let notification = notification.as_ref().map(|notification| {
        let Notification {
            topic_arn,
            events,
            kind,
        } = notification;
        let events = events
            .iter()
            .map(|event| enums::spelled(event).as_str().into());
        sdk::NotificationConfig::builder()
            .notification_arn(topic_arn)
            .set_notification_events(Some(events.collect()))
            .notification_type(enums::spelled(kind).as_str().into())
            .build()
    });
    sdk::MaintenanceWindowRunCommandParameters::builder()
        .set_document_version(document_version.clone())
        .set_document_hash(document_hash.clone())
        .set_document_hash_type(document_hash_type.map(|kind| enums::spelled(kind).as_str().into()))
        .set_comment(comment.clone())
        .set_parameters(some(parameters))
        .set_timeout_seconds(*timeout_seconds)
        .set_output_s3_bucket_name(output_s3_bucket_name.clone())
        .set_output_s3_key_prefix(output_s3_key_prefix.clone())
        .set_cloud_watch_output_config(logs)
        .set_notification_config(notification)
        .set_service_role_arn(service_role_arn.clone())
        .build()
}

type Map = std::collections::HashMap<String, Vec<String>>;

/// Returns a map, or nothing for an empty one.
fn some(map: &BTreeMap<String, Vec<String>>) -> Option<Map> {
    (!map.is_empty()).then(|| map.clone().into_iter().collect())
}

fn json(document: Option<&Document>) -> Result<Option<String>, AwsError> {
    let text = document
        .map(|document| document.written_as(Format::Json))
        .transpose();
    let text = text.map_err(|error| AwsError::unexpected("the task's input", &error))?;
    Ok(text.map(std::borrow::Cow::into_owned))
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
