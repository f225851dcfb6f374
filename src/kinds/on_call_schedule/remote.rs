//! `OnCallSchedule` in Incident Manager.

use std::collections::BTreeSet;

use aws_sdk_ssmcontacts::types::{ContactType, Plan};

use super::OnCallSchedule;
use crate::aws::contacts::{self, CONTACTS};
use crate::aws::{Aws, AwsError};
use crate::kinds::rotation::Rotation;
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Stamp, user_tags};
use crate::model::{Ref, Spec as _};

impl Remote for OnCallSchedule {
    const ACTIONS: &'static [Action] = &[
        reads("ssm-contacts:ListContacts", "*"),
        reads("ssm-contacts:ListTagsForResource", CONTACTS),
        reads("ssm-contacts:GetContact", CONTACTS),
        writes("ssm-contacts:CreateContact", CONTACTS).stamps(),
        // CreateContact and UpdateContact also ask for this one, which is no call. [D] service authorization reference.
        writes("ssm-contacts:AssociateContact", CONTACTS),
        writes("ssm-contacts:UpdateContact", CONTACTS).ours(),
        writes("ssm-contacts:DeleteContact", CONTACTS).ours().ends(),
        writes("ssm-contacts:TagResource", CONTACTS).tags(),
        writes("ssm-contacts:UntagResource", CONTACTS).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let kind = Some(ContactType::OncallSchedule);
        let schedules = contacts::list(aws, kind, select.only()).await?;
        let wanted = schedules
            .into_iter()
            .filter(|schedule| !select.rules_out(&schedule.contact_arn, &schedule.alias));
        contacts::each(wanted, |schedule| {
            read(aws, select, schedule.contact_arn, schedule.alias)
        })
        .await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            name,
            display_name,
            rotations,
            tags,
        } = self;
        let new = contacts::New {
            alias: name,
            kind: ContactType::OncallSchedule,
            display_name: display_name.as_ref(),
            plan: plan(rotations),
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
            rotations,
            tags: _,
        } = &settled;
        let arn = &live.id.0;
        let display_name =
            contacts::renamed(display_name.as_ref(), live.spec.display_name.as_ref());
        let plan = (*rotations != live.spec.rotations).then(|| plan(rotations));
        contacts::update(aws, arn, display_name, plan).await?;
        contacts::retag(aws, arn, &live.tags, self.tags.as_ref(), stamp).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        contacts::delete(aws, &live.id.0).await
    }
}

/// A schedule's plan has rotations and no member `Stages`: even an empty one may be refused. [T] #39758.
fn plan(rotations: &BTreeSet<Ref<Rotation>>) -> Plan {
    let ids = rotations.iter().map(|rotation| rotation.id().to_owned());
    Plan::builder()
        .set_rotation_ids(Some(ids.collect()))
        .build()
}

async fn read(
    aws: &Aws,
    select: &Select,
    arn: String,
    name: String,
) -> Result<Option<Live<OnCallSchedule>>, AwsError> {
    let tags = contacts::tags(aws, &arn).await?;
    if !select.takes(&arn, &name, &tags) {
        return Ok(None);
    }
    let answer = aws.contacts.get_contact().contact_id(&arn).send().await?;
    let plan = aws.required("GetContact", "Plan", answer.plan)?;
    let spec = OnCallSchedule {
        name: name.clone(),
        display_name: answer.display_name.filter(|name| !name.is_empty()),
        rotations: plan
            .rotation_ids
            .unwrap_or_default()
            .into_iter()
            .map(Ref::arn)
            .collect(),
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
