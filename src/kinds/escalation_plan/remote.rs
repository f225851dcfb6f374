//! `EscalationPlan` in Incident Manager.

use std::collections::BTreeMap;

use aws_sdk_ssmcontacts::types::{ContactTargetInfo, ContactType, Plan, Stage as SdkStage, Target};

use super::{Engage, EscalationPlan, Stage};
use crate::aws::contacts::{self, CONTACTS};
use crate::aws::{Aws, AwsError};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Stamp, user_tags};
use crate::model::{Ref, Spec as _};

// Stages may engage contacts that other accounts share, in whatever region.
const ANYBODY: &str = "arn:{partition}:ssm-contacts:*:*:contact/*";

/// The types of contacts by ARN: a target does not say of which type it is.
type Types = BTreeMap<String, ContactType>;

impl Remote for EscalationPlan {
    const ACTIONS: &'static [Action] = &[
        reads("ssm-contacts:ListContacts", "*"),
        reads("ssm-contacts:ListTagsForResource", CONTACTS),
        reads("ssm-contacts:GetContact", CONTACTS),
        writes("ssm-contacts:CreateContact", CONTACTS).stamps(),
        // CreateContact and UpdateContact also ask for this one, which is no call. [D] service authorization reference.
        writes("ssm-contacts:AssociateContact", ANYBODY),
        writes("ssm-contacts:UpdateContact", CONTACTS).ours(),
        writes("ssm-contacts:DeleteContact", CONTACTS).ours().ends(),
        writes("ssm-contacts:TagResource", CONTACTS).tags(),
        writes("ssm-contacts:UntagResource", CONTACTS).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let everybody = contacts::list(aws, None, None).await?;
        let types: Types = everybody
            .iter()
            .map(|contact| (contact.contact_arn.clone(), contact.r#type.clone()))
            .collect();
        let wanted = everybody
            .into_iter()
            .filter(|contact| contact.r#type == ContactType::Escalation)
            .filter(|contact| !select.rules_out(&contact.contact_arn, &contact.alias));
        contacts::each(wanted, |contact| {
            read(aws, select, &types, contact.contact_arn, contact.alias)
        })
        .await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            name,
            display_name,
            stages,
            tags,
        } = self;
        let new = contacts::New {
            alias: name,
            kind: ContactType::Escalation,
            display_name: display_name.as_ref(),
            plan: send_stages(stages)?,
            tags: tags.as_ref(),
        };
        let arn = contacts::create(aws, new, stamp).await?;
        Ok(Id(arn))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut settled = self.clone();
        settled.settle(&live.spec);
        let Self {
            name: _,
            display_name,
            stages,
            tags: _,
        } = &settled;
        let arn = &live.id.0;
        let display_name =
            contacts::renamed(display_name.as_ref(), live.spec.display_name.as_ref());
        let plan = if *stages == live.spec.stages {
            None
        } else {
            Some(send_stages(stages)?)
        };
        contacts::update(aws, arn, display_name, plan).await?;
        contacts::retag(aws, arn, &live.tags, self.tags.as_ref(), stamp).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        contacts::delete(aws, &live.id.0).await
    }
}

async fn read(
    aws: &Aws,
    select: &Select,
    types: &Types,
    arn: String,
    name: String,
) -> Result<Option<Live<EscalationPlan>>, AwsError> {
    let tags = contacts::tags(aws, &arn).await?;
    if !select.takes(&arn, &name, &tags) {
        return Ok(None);
    }
    let answer = aws.contacts.get_contact().contact_id(&arn).send().await?;
    let plan = aws.required("GetContact", "Plan", answer.plan)?;
    let spec = EscalationPlan {
        name: name.clone(),
        display_name: answer.display_name.filter(|name| !name.is_empty()),
        stages: read_stages(plan, types),
        tags: Some(user_tags(&tags)),
    };
    Ok(Some(Live {
        id: Id(arn),
        name,
        spec,
        tags,
        ready: true,
        notes: Vec::new(),
    }))
}

fn read_stages(plan: Plan, types: &Types) -> Vec<Stage> {
    let engage = |target: Target| {
        let target = target.contact_target_info?;
        let arn = target.contact_id?;
        // A target that is gone is taken for a person.
        let (contact, schedule) = match types.get(&arn) {
            Some(ContactType::OncallSchedule) => (None, Some(Ref::arn(arn))),
            Some(_) | None => (Some(Ref::arn(arn)), None),
        };
        Some(Engage {
            contact,
            schedule,
            essential: target.is_essential,
        })
    };
    let stages = plan.stages.unwrap_or_default().into_iter();
    stages
        .map(|stage| Stage {
            duration_minutes: stage.duration_in_minutes,
            engage: stage.targets.into_iter().filter_map(engage).collect(),
        })
        .collect()
}

fn send_stages(stages: &[Stage]) -> Result<Plan, AwsError> {
    let mut sent = Vec::new();
    for Stage {
        duration_minutes,
        engage,
    } in stages
    {
        let mut targets = Vec::new();
        for Engage {
            contact,
            schedule,
            essential,
        } in engage
        {
            let contact = contact.as_ref().map(Ref::id);
            let schedule = schedule.as_ref().map(Ref::id);
            let info = ContactTargetInfo::builder()
                .set_contact_id(contact.or(schedule).map(str::to_owned))
                .is_essential(*essential)
                .build();
            let info = contacts::built(info)?;
            targets.push(Target::builder().contact_target_info(info).build());
        }
        let stage = SdkStage::builder()
            .duration_in_minutes(*duration_minutes)
            .set_targets(Some(targets))
            .build();
        sent.push(contacts::built(stage)?);
    }
    Ok(Plan::builder().set_stages(Some(sent)).build())
}
