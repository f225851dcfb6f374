//! `ResponsePlan` in Incident Manager.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssmcontacts::types::ContactType;
use aws_sdk_ssmincidents::operation::get_response_plan::GetResponsePlanOutput;
use aws_sdk_ssmincidents::operation::list_response_plans::ListResponsePlansOutput;
use aws_sdk_ssmincidents::types as sdk;

use super::{Engagement, IncidentTemplate, PagerDuty, ResponsePlan, RunbookAction};
use crate::aws::{Aws, AwsError, Class, Pages, contacts, enums, incidents, read_each, tags};
use crate::kinds::document::DocumentRef;
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Stamp, Tags, user_tags};
use crate::model::{Ref, Spec as _};

const PLANS: &str = "arn:{partition}:ssm-incidents::{account}:response-plan/{name}";
const INCIDENTS: &str = "arn:{partition}:ssm-incidents::{account}:incident-record/*";
const SECRETS: &str = "arn:{partition}:secretsmanager:{region}:{account}:secret:{value}-??????";

impl Remote for ResponsePlan {
    const ACTIONS: &'static [Action] = &[
        reads("ssm-incidents:ListResponsePlans", "*"),
        reads("ssm-incidents:ListTagsForResource", PLANS),
        reads("ssm-incidents:GetResponsePlan", PLANS),
        reads("ssm-contacts:ListContacts", "*"),
        writes("ssm-incidents:CreateResponsePlan", "*").stamps(),
        writes("ssm-incidents:UpdateResponsePlan", PLANS).ours(),
        writes("ssm-incidents:DeleteResponsePlan", PLANS)
            .ours()
            .ends(),
        writes("ssm-incidents:TagResource", PLANS).tags(),
        // Whoever sets tags of incidents must be allowed to set them: [T] aws-incident-manager reference, section 14.
        writes("ssm-incidents:TagResource", INCIDENTS).at("/incidentTemplate/incidentTags"),
        writes("ssm-incidents:UntagResource", PLANS).ours(),
        writes("iam:PassRole", "*").at("/runbook/roleArn"),
        // Incident Manager reads the secret of an integration as the caller.
        writes("secretsmanager:GetSecretValue", SECRETS).at("/pagerDuty/secretId"),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let mut listed = Vec::new();
        let mut pages = Pages::of(
            aws.incidents.list_response_plans().into_paginator().send(),
            ListResponsePlansOutput::next_token,
        );
        while let Some(page) = pages.next().await {
            for summary in page?.response_plan_summaries {
                // The list names plans that other accounts share, too.
                if contacts::is_own(aws, &summary.arn)
                    && !select.rules_out(&summary.arn, &summary.name)
                {
                    listed.push(summary);
                }
            }
        }
        let reading = listed.into_iter().map(|summary| read(aws, select, summary));
        let found = read_each(reading).await?;
        let anybody = |(answer, _): &(GetResponsePlanOutput, Tags)| {
            answer
                .engagements
                .as_ref()
                .is_some_and(|list| !list.is_empty())
        };
        let types = if found.iter().any(anybody) {
            contact_types(aws).await?
        } else {
            Types::new()
        };
        found
            .into_iter()
            .map(|(answer, tags)| live(aws, answer, tags, &types))
            .collect()
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            name,
            display_name,
            incident_template,
            engagements,
            chatbot_sns,
            runbook,
            pager_duty,
            tags,
        } = self;
        let IncidentTemplate {
            title,
            impact,
            summary,
            dedupe_string,
            notification_targets,
            incident_tags,
        } = incident_template;
        let template = sdk::IncidentTemplate::builder()
            .title(title)
            .impact(*impact)
            .set_summary(filled(summary.clone()))
            .set_dedupe_string(filled(dedupe_string.clone()))
            .set_notification_targets(Some(topics(notification_targets)))
            // Creating takes no empty map, updating does: [M] TagMap and TagMapUpdate.
            .set_incident_tags(some(incident_tags.clone().into_iter().collect()))
            .build()
            .map_err(unbuilt)?;
        let tags = stamp.with(tags.as_ref().unwrap_or(&Tags::new()));
        let answer = aws
            .incidents
            .create_response_plan()
            .name(name)
            .set_display_name(filled(display_name.clone()))
            .incident_template(template)
            .set_engagements(Some(arns(engagements)?))
            .chat_channel(chat_channel(chatbot_sns))
            .set_actions(Some(actions(aws, runbook.as_ref())?))
            .set_integrations(Some(integrations(pager_duty.as_ref())?))
            .set_tags(Some(tags.into_iter().collect()))
            .client_token(&stamp.token)
            .send()
            .await?;
        Ok(Id(answer.arn))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut wanted = self.clone();
        wanted.settle(&live.spec);
        if wanted != live.spec {
            wanted.send(aws, &live.id.0).await?;
        }
        let change = tags::change(&live.tags, self.tags.as_ref(), stamp);
        incidents::write_tags(aws, &live.id.0, change).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.incidents.delete_response_plan().arn(&live.id.0);
        AwsError::gone_is_fine(request.send().await.map(drop))
    }
}

impl ResponsePlan {
    /// Writes the whole plan. A member that is left out stays as it is in AWS, so every one is sent, the empty ones in
    /// the form that clears.
    async fn send(&self, aws: &Aws, arn: &str) -> Result<(), AwsError> {
        let Self {
            name: _,
            display_name,
            incident_template,
            engagements,
            chatbot_sns,
            runbook,
            pager_duty,
            tags: _,
        } = self;
        let IncidentTemplate {
            title,
            impact,
            summary,
            dedupe_string,
            notification_targets,
            incident_tags,
        } = incident_template;
        aws.incidents
            .update_response_plan()
            .arn(arn)
            .display_name(display_name.clone().unwrap_or_default())
            .incident_template_title(title)
            .incident_template_impact(*impact)
            .incident_template_summary(summary.clone().unwrap_or_default())
            .incident_template_dedupe_string(dedupe_string.clone().unwrap_or_default())
            .set_incident_template_notification_targets(Some(topics(notification_targets)))
            .set_incident_template_tags(Some(incident_tags.clone().into_iter().collect()))
            .set_engagements(Some(arns(engagements)?))
            .chat_channel(chat_channel(chatbot_sns))
            .set_actions(Some(actions(aws, runbook.as_ref())?))
            .set_integrations(Some(integrations(pager_duty.as_ref())?))
            .send()
            .await?;
        Ok(())
    }
}

type Map<V> = std::collections::HashMap<String, V>;

/// Returns a map, or nothing where AWS takes no empty one.
fn some<V>(map: Map<V>) -> Option<Map<V>> {
    Some(map).filter(|map| !map.is_empty())
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn unbuilt(error: impl std::error::Error) -> AwsError {
    AwsError::unexpected("the response plan", &error.to_string())
}

fn topics(arns: &BTreeSet<String>) -> Vec<sdk::NotificationTargetItem> {
    let target = |arn: &String| sdk::NotificationTargetItem::SnsTopicArn(arn.clone());
    arns.iter().map(target).collect()
}

fn arns(engagements: &BTreeSet<Engagement>) -> Result<Vec<String>, AwsError> {
    let unresolved = || AwsError::unexpected("engagements", "a reference is not resolved");
    let arn = |engagement: &Engagement| engagement.arn().map(str::to_owned).ok_or_else(unresolved);
    engagements.iter().map(arn).collect()
}

fn chat_channel(topics: &BTreeSet<String>) -> sdk::ChatChannel {
    if topics.is_empty() {
        // An empty list is refused: [M] ChatbotSnsConfigurationSet, min 1.
        sdk::ChatChannel::Empty(sdk::EmptyChatChannel::builder().build())
    } else {
        sdk::ChatChannel::ChatbotSns(topics.iter().cloned().collect())
    }
}

fn actions(aws: &Aws, runbook: Option<&RunbookAction>) -> Result<Vec<sdk::Action>, AwsError> {
    let Some(RunbookAction {
        document,
        document_version,
        role_arn,
        target_account,
        parameters,
        dynamic_parameters,
    }) = runbook
    else {
        return Ok(Vec::new());
    };
    let document = document.to_aws(&aws.location);
    let document =
        document.ok_or_else(|| AwsError::unexpected("runbook", "the reference is not resolved"))?;
    let dynamic = dynamic_parameters.iter().map(|(name, variable)| {
        let variable = enums::spelled(variable).as_str().into();
        (
            name.clone(),
            sdk::DynamicSsmParameterValue::Variable(variable),
        )
    });
    let automation = sdk::SsmAutomation::builder()
        .document_name(document)
        .set_document_version(filled(document_version.clone()))
        .role_arn(role_arn)
        .target_account(enums::spelled(target_account).as_str().into())
        .set_parameters(some(parameters.clone().into_iter().collect()))
        .set_dynamic_parameters(some(dynamic.collect()))
        .build()
        .map_err(unbuilt)?;
    Ok(vec![sdk::Action::SsmAutomation(automation)])
}

fn integrations(pager_duty: Option<&PagerDuty>) -> Result<Vec<sdk::Integration>, AwsError> {
    let Some(PagerDuty {
        name,
        service_id,
        secret_id,
    }) = pager_duty
    else {
        return Ok(Vec::new());
    };
    let incident = sdk::PagerDutyIncidentConfiguration::builder().service_id(service_id);
    let configuration = sdk::PagerDutyConfiguration::builder()
        .name(name)
        .secret_id(secret_id)
        .pager_duty_incident_configuration(incident.build().map_err(unbuilt)?)
        .build()
        .map_err(unbuilt)?;
    Ok(vec![sdk::Integration::PagerDutyConfiguration(
        configuration,
    )])
}

/// Reads a plan, if it is wanted and still there.
async fn read(
    aws: &Aws,
    select: &Select,
    summary: sdk::ResponsePlanSummary,
) -> Result<Option<(GetResponsePlanOutput, Tags)>, AwsError> {
    let answers = async {
        let tags = incidents::read_tags(aws, &summary.arn).await?;
        if !select.takes(&summary.arn, &summary.name, &tags) {
            return Ok(None);
        }
        let request = aws.incidents.get_response_plan().arn(&summary.arn);
        Ok(Some((request.send().await?, tags)))
    };
    match answers.await {
        Err(AwsError {
            class: Class::NotFound,
            ..
        }) => Ok(None),
        answers => answers,
    }
}

/// The types of contacts by ARN: a plan does not say of which type those are that it engages.
type Types = BTreeMap<String, ContactType>;

async fn contact_types(aws: &Aws) -> Result<Types, AwsError> {
    let everybody = contacts::list(aws, None, None).await?;
    let typed = everybody.into_iter();
    Ok(typed
        .map(|contact| (contact.contact_arn, contact.r#type))
        .collect())
}

fn engagement(arn: String, types: &Types) -> Engagement {
    let (mut contact, mut schedule, mut escalation_plan) = (None, None, None);
    match types.get(&arn) {
        Some(ContactType::OncallSchedule) => schedule = Some(Ref::arn(arn)),
        Some(ContactType::Escalation) => escalation_plan = Some(Ref::arn(arn)),
        // AWS lets a plan engage what is gone, or another account's: that is taken for a person.
        Some(_) | None => contact = Some(Ref::arn(arn)),
    }
    Engagement {
        contact,
        schedule,
        escalation_plan,
    }
}

/// Turns AWS's answer into the plan a user would have written.
fn live(
    aws: &Aws,
    answer: GetResponsePlanOutput,
    tags: Tags,
    types: &Types,
) -> Result<Live<ResponsePlan>, AwsError> {
    let template = aws.required(
        "GetResponsePlan",
        "incidentTemplate",
        answer.incident_template,
    )?;
    let newer = |what: &str| {
        let message = format!("AWS answered a kind of {what} that this version does not know");
        AwsError::unexpected("GetResponsePlan", &message)
    };
    let mut notification_targets = BTreeSet::new();
    for target in template.notification_targets.unwrap_or_default() {
        match target {
            sdk::NotificationTargetItem::SnsTopicArn(arn) => notification_targets.insert(arn),
            _ => return Err(newer("notification target")),
        };
    }
    let chatbot_sns = match answer.chat_channel {
        None | Some(sdk::ChatChannel::Empty(_)) => BTreeSet::new(),
        Some(sdk::ChatChannel::ChatbotSns(topics)) => topics.into_iter().collect(),
        Some(_) => return Err(newer("chat channel")),
    };
    let runbook = match answer.actions.unwrap_or_default().pop() {
        None => None,
        Some(sdk::Action::SsmAutomation(automation)) => Some(runbook(aws, automation)?),
        Some(_) => return Err(newer("action")),
    };
    let pager_duty = match answer.integrations.unwrap_or_default().pop() {
        None => None,
        Some(sdk::Integration::PagerDutyConfiguration(configuration)) => Some(PagerDuty {
            name: configuration.name,
            service_id: configuration
                .pager_duty_incident_configuration
                .map(|incident| incident.service_id)
                .unwrap_or_default(),
            secret_id: configuration.secret_id,
        }),
        Some(_) => return Err(newer("integration")),
    };
    let engagements = answer.engagements.unwrap_or_default().into_iter();
    let spec = ResponsePlan {
        name: answer.name.clone(),
        display_name: filled(answer.display_name),
        incident_template: IncidentTemplate {
            title: template.title,
            impact: template.impact,
            summary: filled(template.summary),
            dedupe_string: filled(template.dedupe_string),
            notification_targets,
            incident_tags: template
                .incident_tags
                .unwrap_or_default()
                .into_iter()
                .collect(),
        },
        engagements: engagements.map(|arn| engagement(arn, types)).collect(),
        chatbot_sns,
        runbook,
        pager_duty,
        tags: Some(user_tags(&tags)),
    };
    Ok(Live {
        id: Id(answer.arn),
        name: answer.name,
        spec,
        tags,
        ready: true,
        notes: Vec::new(),
    })
}

fn runbook(aws: &Aws, automation: sdk::SsmAutomation) -> Result<RunbookAction, AwsError> {
    let mut dynamic_parameters = BTreeMap::new();
    let values = BTreeMap::from_iter(automation.dynamic_parameters.unwrap_or_default());
    for (name, value) in values {
        let sdk::DynamicSsmParameterValue::Variable(variable) = &value else {
            let message =
                format!("the value of `{name}` is of a kind that this version does not know");
            return Err(AwsError::unexpected("GetResponsePlan", &message));
        };
        dynamic_parameters.insert(name, enums::read("variable", variable.as_str())?);
    }
    let account = automation.target_account.as_ref();
    Ok(RunbookAction {
        document: DocumentRef::from_aws(automation.document_name, &aws.location),
        document_version: filled(automation.document_version),
        role_arn: automation.role_arn,
        target_account: account
            .map(|account| enums::read("targetAccount", account.as_str()))
            .transpose()?
            .unwrap_or_default(),
        parameters: automation
            .parameters
            .unwrap_or_default()
            .into_iter()
            .collect(),
        dynamic_parameters,
    })
}
