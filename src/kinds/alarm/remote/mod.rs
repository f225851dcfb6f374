//! `Alarm` in `CloudWatch`.

mod read;
mod send;

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types as sdk;

use super::{Alarm, AlarmType};
use crate::aws::{Aws, AwsError, Class, Pages, read_each, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags, user_tags};

const ALARMS: &str = "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}";
// The roles that alarms act by are made with the first alarm that needs them: API reference of PutMetricAlarm,
// "iam:CreateServiceLinkedRole"; user guide, "Using service-linked roles for CloudWatch".
const SERVICE_ROLES: &str =
    "arn:{partition}:iam::{account}:role/aws-service-role/*/AWSServiceRoleForCloudWatch*";
/// Response plans, `OpsItem`s, and what is done to an instance.
const BY_ROLE: &[&str] = &[
    "ResponsePlan/",
    ":ssm-incidents:",
    ":opsitem:",
    ":automate:",
];
/// How many names `DescribeAlarms` takes: [M] `AlarmNames`.
const MOST_NAMES: usize = 100;

impl Remote for Alarm {
    const ACTIONS: &'static [Action] = &[
        // Composite alarms are only shown, and only put, to whom `*` is allowed: API reference.
        reads("cloudwatch:DescribeAlarms", "*"),
        reads("cloudwatch:ListTagsForResource", ALARMS),
        writes("cloudwatch:PutMetricAlarm", ALARMS).not_others(),
        writes("cloudwatch:PutCompositeAlarm", "*").not_others(),
        writes("cloudwatch:DeleteAlarms", ALARMS).ours().ends(),
        writes("cloudwatch:TagResource", ALARMS).tags(),
        writes("cloudwatch:UntagResource", ALARMS).ours(),
        writes("iam:CreateServiceLinkedRole", SERVICE_ROLES).when("/alarmActions", BY_ROLE),
        writes("iam:CreateServiceLinkedRole", SERVICE_ROLES).when("/okActions", BY_ROLE),
        writes("iam:CreateServiceLinkedRole", SERVICE_ROLES)
            .when("/insufficientDataActions", BY_ROLE),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let mut alarms = Vec::new();
        match select {
            Select::Named(names) => {
                let names: Vec<&String> = names.iter().collect();
                for some in names.chunks(MOST_NAMES) {
                    let some = some.iter().map(|name| (*name).clone()).collect();
                    alarms.extend(described(aws, Some(some)).await?);
                }
            }
            Select::Wanted { .. } | Select::Everything => alarms = described(aws, None).await?,
        }
        let alarms = alarms.into_iter();
        read_each(alarms.map(|alarm| tagged(aws, select, alarm))).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        // Putting an alarm writes over one that is there, whoever has it: look first.
        if let Some(live) = Self::list(aws, &Select::one(&self.name)).await?.first()
            && !stamp.is_on(&live.tags)
        {
            let message = format!("there is an alarm `{}` already", self.name);
            return Err(AwsError::of(Class::Exists, message));
        }
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&Tags::new()));
        self.put(aws, Some(tag_list(tags))).await?;
        Ok(Id(arn(aws, &self.name)))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut wanted = self.clone();
        wanted.settle(&live.spec);
        let alike = |spec: &Self| Self {
            tags: None,
            ..spec.clone()
        };
        if alike(&wanted) != alike(&live.spec) {
            // Tags of an alarm that exists are ignored: [M] service model, "Tags".
            wanted.put(aws, None).await?;
        }
        let change = tags::change(&live.tags, self.tags.as_ref(), stamp);
        if !change.set.is_empty() {
            let request = aws.cloudwatch.tag_resource().resource_arn(&live.id.0);
            let request = request.set_tags(Some(tag_list(change.set)));
            request.send().await?;
        }
        if !change.remove.is_empty() {
            let request = aws.cloudwatch.untag_resource().resource_arn(&live.id.0);
            let request = request.set_tag_keys(Some(change.remove));
            request.send().await?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.cloudwatch.delete_alarms().alarm_names(&live.name);
        AwsError::gone_is_fine(request.send().await.map(drop))
    }
}

impl Alarm {
    async fn put(&self, aws: &Aws, tags: Option<Vec<sdk::Tag>>) -> Result<(), AwsError> {
        match self.r#type {
            AlarmType::Metric => send::metric(aws, self, tags).await,
            AlarmType::Composite => send::composite(aws, self, tags).await,
        }
    }
}

fn tag_list(tags: impl IntoIterator<Item = (String, String)>) -> Vec<sdk::Tag> {
    let tags = tags.into_iter();
    tags.map(|(key, value)| sdk::Tag::builder().key(key).value(value).build())
        .collect()
}

/// Returns the ARN of an alarm of this account and region, which is what identifies it for references.
fn arn(aws: &Aws, name: &str) -> String {
    let (partition, region, account) = (
        aws.location.partition(),
        &aws.location.region,
        &aws.location.account,
    );
    format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}")
}

/// Returns how CloudWatch is told of an alarm: an alarm of this account and region by its name.
fn told<'a>(aws: &Aws, arn_of: &'a str) -> &'a str {
    arn_of.strip_prefix(&arn(aws, "")).unwrap_or(arn_of)
}

/// An alarm as `DescribeAlarms` has it.
enum Described {
    Metric(Box<sdk::MetricAlarm>),
    Composite(Box<sdk::CompositeAlarm>),
}

/// Reads the alarms of these names, or all. Nobody is shown composite alarms who does not ask for them.
async fn described(aws: &Aws, names: Option<Vec<String>>) -> Result<Vec<Described>, AwsError> {
    let mut found = Vec::new();
    let request = aws
        .cloudwatch
        .describe_alarms()
        .alarm_types(sdk::AlarmType::MetricAlarm)
        .alarm_types(sdk::AlarmType::CompositeAlarm)
        .set_alarm_names(names);
    let mut pages = Pages::of(
        request.into_paginator().send(),
        DescribeAlarmsOutput::next_token,
    );
    while let Some(page) = pages.next().await {
        let page = page?;
        let metric = page.metric_alarms.unwrap_or_default().into_iter();
        let composite = page.composite_alarms.unwrap_or_default().into_iter();
        found.extend(metric.map(|alarm| Described::Metric(Box::new(alarm))));
        found.extend(composite.map(|alarm| Described::Composite(Box::new(alarm))));
    }
    Ok(found)
}

/// Reads an alarm's tags; nothing when it is not wanted, or gone by now.
async fn tagged(
    aws: &Aws,
    select: &Select,
    alarm: Described,
) -> Result<Option<Live<Alarm>>, AwsError> {
    let name = match &alarm {
        Described::Metric(alarm) => alarm.alarm_name.clone(),
        Described::Composite(alarm) => alarm.alarm_name.clone(),
    };
    let name = aws.required("DescribeAlarms", "AlarmName", name)?;
    let id = arn(aws, &name);
    if select.rules_out(&id, &name) {
        return Ok(None);
    }
    let request = aws.cloudwatch.list_tags_for_resource().resource_arn(&id);
    let answer = match request.send().await.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let tags = answer.tags.unwrap_or_default().into_iter();
    let tags: Tags = tags
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect();
    if !select.takes(&id, &name, &tags) {
        return Ok(None);
    }
    let mut notes = BTreeSet::new();
    let mut spec = match alarm {
        Described::Metric(alarm) => read::metric(*alarm, &mut notes)?,
        Described::Composite(alarm) => read::composite(aws, *alarm)?,
    };
    spec.tags = Some(user_tags(&tags));
    Ok(Some(Live {
        id: Id(id),
        name,
        spec,
        tags,
        ready: true,
        notes: notes.into_iter().collect(),
    }))
}
