//! `Rotation` in Incident Manager.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssmcontacts::operation::list_rotations::ListRotationsOutput;
use aws_sdk_ssmcontacts::types::{
    CoverageTime, HandOffTime, MonthlySetting as SdkMonthly, RecurrenceSettings,
    WeeklySetting as SdkWeekly,
};
use aws_smithy_types::DateTime;

use super::{
    Coverage, DayOfWeek, Moment, MonthlySetting, Recurrence, Rotation, TimeOfDay, WeeklySetting,
};
use crate::aws::contacts::{self, ROTATIONS};
use crate::aws::{Aws, AwsError, Pages};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Stamp, user_tags};
use crate::model::{Ref, Spec as _};

const READ: &str = "GetRotation";

impl Remote for Rotation {
    const ACTIONS: &'static [Action] = &[
        reads("ssm-contacts:ListRotations", "*"),
        reads("ssm-contacts:ListTagsForResource", ROTATIONS),
        reads("ssm-contacts:GetRotation", ROTATIONS),
        writes("ssm-contacts:CreateRotation", ROTATIONS).stamps(),
        writes("ssm-contacts:UpdateRotation", ROTATIONS).ours(),
        writes("ssm-contacts:DeleteRotation", ROTATIONS)
            .ours()
            .ends(),
        writes("ssm-contacts:TagResource", ROTATIONS).tags(),
        writes("ssm-contacts:UntagResource", ROTATIONS).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let mut listed = BTreeMap::new();
        let mut pages = Pages::of(
            aws.contacts
                .list_rotations()
                .set_rotation_name_prefix(select.only().map(str::to_owned))
                .into_paginator()
                .send(),
            ListRotationsOutput::next_token,
        );
        while let Some(page) = pages.next().await {
            for rotation in page?.rotations {
                let (arn, name) = (rotation.rotation_arn, rotation.name);
                if contacts::is_own(aws, &arn) && !select.rules_out(&arn, &name) {
                    listed.insert(arn, name);
                }
            }
        }
        contacts::each(listed, |(arn, name)| read(aws, select, arn, name)).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            name,
            contacts: people,
            time_zone_id,
            start_time,
            recurrence,
            tags,
        } = self;
        let answer = aws
            .contacts
            .create_rotation()
            .name(name)
            .set_contact_ids(Some(arns(people)))
            .time_zone_id(time_zone_id)
            .set_start_time(start_time.map(sent_moment))
            .recurrence(send(recurrence)?)
            .set_tags(Some(contacts::stamped(tags.as_ref(), stamp)))
            // The SDK does not fill this one in, and names may repeat. [R] reference, section 2.
            .idempotency_token(&stamp.token)
            .send()
            .await?;
        Ok(Id(answer.rotation_arn))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut settled = self.clone();
        settled.settle(&live.spec);
        let Self {
            name: _,
            contacts: people,
            time_zone_id,
            start_time,
            recurrence,
            tags: _,
        } = &settled;
        let has = &live.spec;
        let same = *people == has.contacts
            && *time_zone_id == has.time_zone_id
            && *start_time == has.start_time
            && *recurrence == has.recurrence;
        if !same {
            aws.contacts
                .update_rotation()
                .rotation_id(&live.id.0)
                .set_contact_ids(Some(arns(people)))
                .time_zone_id(time_zone_id)
                .set_start_time(start_time.map(sent_moment))
                // Required in every update, and replaced as a whole.
                .recurrence(send(recurrence)?)
                .send()
                .await?;
        }
        contacts::retag(aws, &live.id.0, &live.tags, self.tags.as_ref(), stamp).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.contacts.delete_rotation().rotation_id(&live.id.0);
        AwsError::gone_is_fine(request.send().await.map(|_| ()))
    }
}

async fn read(
    aws: &Aws,
    select: &Select,
    arn: String,
    name: String,
) -> Result<Option<Live<Rotation>>, AwsError> {
    let tags = contacts::tags(aws, &arn).await?;
    if !select.takes(&arn, &name, &tags) {
        return Ok(None);
    }
    let answer = aws.contacts.get_rotation().rotation_id(&arn).send().await?;
    let recurrence = aws.required(READ, "Recurrence", answer.recurrence)?;
    let zone = Some(answer.time_zone_id).filter(|zone| !zone.is_empty());
    // The SDK fills in 1970 where AWS answers no start. [R] reference, section 2.
    let start = Some(answer.start_time.secs()).filter(|seconds| *seconds != 0);
    let spec = Rotation {
        name: name.clone(),
        contacts: answer.contact_ids.into_iter().map(Ref::arn).collect(),
        time_zone_id: aws.required(READ, "TimeZoneId", zone)?,
        start_time: start.map(Moment::from_seconds),
        recurrence: receive(aws, recurrence)?,
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

fn receive(aws: &Aws, settings: RecurrenceSettings) -> Result<Recurrence, AwsError> {
    let mut daily_settings = BTreeSet::new();
    for time in settings.daily_settings.unwrap_or_default() {
        daily_settings.insert(received_time(aws, Some(&time))?);
    }
    let mut weekly_settings = BTreeSet::new();
    for setting in settings.weekly_settings.unwrap_or_default() {
        weekly_settings.insert(WeeklySetting {
            day_of_week: received_day(setting.day_of_week.as_str())?,
            hand_off_time: received_time(aws, setting.hand_off_time.as_ref())?,
        });
    }
    let mut monthly_settings = BTreeSet::new();
    for setting in settings.monthly_settings.unwrap_or_default() {
        monthly_settings.insert(MonthlySetting {
            day_of_month: setting.day_of_month,
            hand_off_time: received_time(aws, setting.hand_off_time.as_ref())?,
        });
    }
    let hours = |times: Vec<CoverageTime>| -> Result<BTreeSet<Coverage>, AwsError> {
        let times = times.into_iter().map(|time| {
            Ok(Coverage {
                start: received_time(aws, time.start.as_ref())?,
                end: received_time(aws, time.end.as_ref())?,
            })
        });
        times.collect()
    };
    let shift_coverages = settings
        .shift_coverages
        .unwrap_or_default()
        .into_iter()
        .filter(|(_, times)| !times.is_empty())
        .map(|(day, times)| Ok((received_day(day.as_str())?, hours(times)?)))
        .collect::<Result<_, AwsError>>()?;
    Ok(Recurrence {
        number_of_on_calls: settings.number_of_on_calls,
        recurrence_multiplier: settings.recurrence_multiplier,
        daily_settings,
        weekly_settings,
        monthly_settings,
        shift_coverages,
    })
}

fn received_time(aws: &Aws, time: Option<&HandOffTime>) -> Result<TimeOfDay, AwsError> {
    let time = time.and_then(|time| TimeOfDay::new(time.hour_of_day, time.minute_of_hour));
    aws.required(READ, "time of day that exists", time)
}

fn received_day(name: &str) -> Result<DayOfWeek, AwsError> {
    DayOfWeek::read(name)
        .ok_or_else(|| AwsError::unexpected(READ, &format!("`{name}` is no day of the week")))
}

fn send(recurrence: &Recurrence) -> Result<RecurrenceSettings, AwsError> {
    let Recurrence {
        number_of_on_calls,
        recurrence_multiplier,
        daily_settings,
        weekly_settings,
        monthly_settings,
        shift_coverages,
    } = recurrence;
    let daily = daily_settings.iter().map(|time| Ok(sent_time(*time)));
    let weekly = weekly_settings.iter().map(|setting| {
        let WeeklySetting {
            day_of_week,
            hand_off_time,
        } = setting;
        let setting = SdkWeekly::builder()
            .day_of_week(day_of_week.as_str().into())
            .hand_off_time(sent_time(*hand_off_time));
        contacts::built(setting.build())
    });
    let monthly = monthly_settings.iter().map(|setting| {
        let MonthlySetting {
            day_of_month,
            hand_off_time,
        } = setting;
        let setting = SdkMonthly::builder()
            .day_of_month(*day_of_month)
            .hand_off_time(sent_time(*hand_off_time));
        contacts::built(setting.build())
    });
    let hours = |coverage: &Coverage| {
        let Coverage { start, end } = coverage;
        CoverageTime::builder()
            .start(sent_time(*start))
            .end(sent_time(*end))
            .build()
    };
    let coverages = shift_coverages
        .iter()
        .map(|(day, times)| (day.as_str().into(), times.iter().map(hours).collect()));
    let settings = RecurrenceSettings::builder()
        .number_of_on_calls(*number_of_on_calls)
        .recurrence_multiplier(*recurrence_multiplier)
        .set_daily_settings(group(daily)?)
        .set_weekly_settings(group(weekly)?)
        .set_monthly_settings(group(monthly)?)
        .set_shift_coverages((!shift_coverages.is_empty()).then(|| coverages.collect()));
    contacts::built(settings.build())
}

/// Collects a group of settings; AWS wants exactly one group, so an empty one is left out.
fn group<T>(
    settings: impl Iterator<Item = Result<T, AwsError>>,
) -> Result<Option<Vec<T>>, AwsError> {
    let settings = settings.collect::<Result<Vec<T>, AwsError>>()?;
    Ok(Some(settings).filter(|settings| !settings.is_empty()))
}

fn sent_time(time: TimeOfDay) -> HandOffTime {
    HandOffTime::builder()
        .hour_of_day(time.hour())
        .minute_of_hour(time.minute())
        .build()
}

fn sent_moment(moment: Moment) -> DateTime {
    DateTime::from_secs(moment.seconds())
}

fn arns(people: &[Ref<super::Contact>]) -> Vec<String> {
    people.iter().map(|person| person.id().to_owned()).collect()
}
