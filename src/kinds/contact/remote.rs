//! `Contact` in Incident Manager.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssmcontacts::operation::list_contact_channels::ListContactChannelsOutput;
use aws_sdk_ssmcontacts::types::{
    ActivationStatus, ChannelTargetInfo, ContactChannel, ContactChannelAddress, ContactType, Plan,
    Stage as SdkStage, Target,
};
use futures::try_join;
use uuid::Uuid;

use super::steps::{Steps, reduced};
use super::{Channel, ChannelType, Contact, Notify, Stage};
use crate::aws::contacts::{self, CONTACTS};
use crate::aws::{Aws, AwsError, Pages};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Stamp, user_tags};
use crate::model::{Sensitive, Spec as _};

// The IAM reference spells the resource `contactchannel`, real ARNs have `contact-channel`; a policy needs both.
const CHANNELS: &str = "arn:{partition}:ssm-contacts:{region}:{account}:contact-channel/{name}/*";
const CHANNELS_IN_IAM: &str =
    "arn:{partition}:ssm-contacts:{region}:{account}:contactchannel/{name}/*";

impl Remote for Contact {
    const ACTIONS: &'static [Action] = &[
        reads("ssm-contacts:ListContacts", "*"),
        reads("ssm-contacts:ListTagsForResource", CONTACTS),
        reads("ssm-contacts:GetContact", CONTACTS),
        reads("ssm-contacts:ListContactChannels", CONTACTS),
        writes("ssm-contacts:CreateContact", CONTACTS).stamps(),
        // CreateContact and UpdateContact also ask for this one, which is no call. [D] service authorization reference.
        writes("ssm-contacts:AssociateContact", CONTACTS),
        writes("ssm-contacts:UpdateContact", CONTACTS).ours(),
        writes("ssm-contacts:DeleteContact", CONTACTS).ours().ends(),
        writes("ssm-contacts:CreateContactChannel", CONTACTS).ours(),
        writes("ssm-contacts:UpdateContactChannel", CHANNELS),
        writes("ssm-contacts:UpdateContactChannel", CHANNELS_IN_IAM),
        writes("ssm-contacts:DeleteContactChannel", CHANNELS),
        writes("ssm-contacts:DeleteContactChannel", CHANNELS_IN_IAM),
        writes("ssm-contacts:TagResource", CONTACTS).tags(),
        writes("ssm-contacts:UntagResource", CONTACTS).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let people = contacts::list(aws, Some(ContactType::Personal), select.only()).await?;
        let wanted = people
            .into_iter()
            .filter(|person| !select.rules_out(&person.contact_arn, &person.alias));
        contacts::each(wanted, |person| {
            read(aws, select, person.contact_arn, person.alias)
        })
        .await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            name,
            display_name,
            channels,
            stages,
            tags,
        } = self;
        // Channels need the contact, and the plan needs the channels: it begins with an empty one.
        let new = contacts::New {
            alias: name,
            kind: ContactType::Personal,
            display_name: display_name.as_ref(),
            plan: Plan::builder().set_stages(Some(Vec::new())).build(),
            tags: tags.as_ref(),
        };
        let arn = contacts::create(aws, new, stamp).await?;
        let change = Converge {
            aws,
            contact: &arn,
            channels,
            stages,
            live_stages: &[],
            stamp,
        };
        let plan = change.run(BTreeMap::new()).await?;
        contacts::update(aws, &arn, None, plan).await?;
        Ok(Id(arn))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut settled = self.clone();
        settled.settle(&live.spec);
        let Self {
            name: _,
            display_name,
            channels,
            stages,
            tags: _,
        } = &settled;
        let arn = &live.id.0;
        let mut plan = None;
        if (channels, stages) != (&live.spec.channels, &live.spec.stages) {
            let change = Converge {
                aws,
                contact: arn,
                channels,
                stages,
                live_stages: &live.spec.stages,
                stamp,
            };
            plan = change.run(there(aws, arn, &live.spec).await?).await?;
        }
        let display_name =
            contacts::renamed(display_name.as_ref(), live.spec.display_name.as_ref());
        contacts::update(aws, arn, display_name, plan).await?;
        contacts::retag(aws, arn, &live.tags, self.tags.as_ref(), stamp).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        contacts::delete(aws, &live.id.0).await
    }
}

/// Returns the channels that are there. Where one is missing that was there before, the list may have come back short: a
/// channel that goes would stay then, so that it is looked for once more.
async fn there(
    aws: &Aws,
    arn: &str,
    before: &Contact,
) -> Result<BTreeMap<String, Known>, AwsError> {
    let now = found(aws, arn).await?.channels;
    if before.channels.keys().all(|name| now.contains_key(name)) {
        return Ok(now);
    }
    let mut all = found(aws, arn).await?.channels;
    all.extend(now);
    Ok(all)
}

async fn read(
    aws: &Aws,
    select: &Select,
    arn: String,
    name: String,
) -> Result<Option<Live<Contact>>, AwsError> {
    let tags = contacts::tags(aws, &arn).await?;
    if !select.takes(&arn, &name, &tags) {
        return Ok(None);
    }
    let contact = async {
        let answer = aws.contacts.get_contact().contact_id(&arn).send().await;
        answer.map_err(AwsError::from)
    };
    let (contact, Found { channels, notes }) = try_join!(contact, found(aws, &arn))?;
    let plan = aws.required("GetContact", "Plan", contact.plan)?;
    let spec = Contact {
        name: name.clone(),
        display_name: contact.display_name.filter(|name| !name.is_empty()),
        stages: read_stages(plan, &channels),
        channels: channels
            .into_iter()
            .map(|(key, known)| (key, known.channel))
            .collect(),
        tags: Some(user_tags(&tags)),
    };
    Ok(Some(Live {
        id: Id(arn),
        name,
        spec,
        tags,
        ready: true,
        notes,
    }))
}

/// A channel, and where it is.
struct Known {
    arn: String,
    channel: Channel,
}

/// The channels of a contact by key, and what is to be said about them.
#[derive(Default)]
struct Found {
    channels: BTreeMap<String, Known>,
    notes: Vec<String>,
}

async fn found(aws: &Aws, contact: &str) -> Result<Found, AwsError> {
    let mut listed: BTreeMap<String, ContactChannel> = BTreeMap::new();
    let mut pages = Pages::of(
        aws.contacts
            .list_contact_channels()
            .contact_id(contact)
            .into_paginator()
            .send(),
        ListContactChannelsOutput::next_token,
    );
    while let Some(page) = pages.next().await {
        for channel in page?.contact_channels {
            listed.insert(channel.contact_channel_arn.clone(), channel);
        }
    }
    let mut found = Found::default();
    let mut silent = BTreeSet::new();
    for (arn, channel) in listed {
        let operation = "ListContactChannels";
        let kind = aws.required(operation, "Type", channel.r#type)?;
        let address = channel.delivery_address.and_then(|a| a.simple_address);
        let address = aws.required(operation, "DeliveryAddress", address)?;
        let name = channel.name;
        let Some(kind) = ChannelType::read(kind.as_str()) else {
            found.notes.push(format!(
                "channel `{name}` is of the type {}, which this program does not know; it is left alone",
                kind.as_str()
            ));
            continue;
        };
        let key = if found.channels.contains_key(&name) {
            // Names can repeat; the key of the second one says which it is.
            let id = arn.rsplit('/').next().unwrap_or_default();
            let id: String = id.chars().take(8).collect();
            format!("{name}-{id}")
        } else {
            name
        };
        if channel.activation_status != ActivationStatus::Activated {
            silent.insert(format!("`{key}`"));
        }
        let channel = Channel {
            kind,
            address: Sensitive::Value(address),
        };
        found.channels.insert(key, Known { arn, channel });
    }
    if !silent.is_empty() {
        let silent: Vec<String> = silent.into_iter().collect();
        found.notes.push(format!(
            "not activated: {}; nobody is paged there until the owner enters the code that `aws ssm-contacts \
             send-activation-code` sends",
            silent.join(", ")
        ));
    }
    Ok(found)
}

fn read_stages(plan: Plan, channels: &BTreeMap<String, Known>) -> Vec<Stage> {
    let names: BTreeMap<&str, &str> = channels
        .iter()
        .map(|(key, known)| (known.arn.as_str(), key.as_str()))
        .collect();
    let notify = |target: Target| {
        let target = target.channel_target_info?;
        // A channel that is gone, or not this contact's, is named by its ARN.
        let channel = names.get(target.contact_channel_id.as_str());
        Some(Notify {
            channel: channel.map_or(target.contact_channel_id.clone(), |name| (*name).to_owned()),
            retry_interval_minutes: target.retry_interval_in_minutes.filter(|m| *m != 0),
        })
    };
    let stages = plan.stages.unwrap_or_default().into_iter();
    stages
        .map(|stage| Stage {
            duration_minutes: stage.duration_in_minutes,
            notify: stage.targets.into_iter().filter_map(notify).collect(),
        })
        .collect()
}

fn send_stages(stages: &[Stage], arns: &BTreeMap<String, String>) -> Result<Plan, AwsError> {
    let mut sent = Vec::new();
    for Stage {
        duration_minutes,
        notify,
    } in stages
    {
        let mut targets = Vec::new();
        for Notify {
            channel,
            retry_interval_minutes,
        } in notify
        {
            let arn = match arns.get(channel) {
                Some(arn) => arn,
                None if channel.starts_with("arn:") => channel,
                None => {
                    let message =
                        format!("a stage names the channel `{channel}`, which is not there");
                    return Err(AwsError::unexpected("the engagement plan", &message));
                }
            };
            let info = ChannelTargetInfo::builder()
                .contact_channel_id(arn)
                .set_retry_interval_in_minutes(*retry_interval_minutes)
                .build();
            let info = contacts::built(info)?;
            targets.push(Target::builder().channel_target_info(info).build());
        }
        let stage = SdkStage::builder()
            .duration_in_minutes(*duration_minutes)
            .set_targets(Some(targets))
            .build();
        sent.push(contacts::built(stage)?);
    }
    Ok(Plan::builder().set_stages(Some(sent)).build())
}

/// The way from the channels and the plan that are there to those that shall be.
struct Converge<'a> {
    aws: &'a Aws,
    contact: &'a str,
    channels: &'a BTreeMap<String, Channel>,
    stages: &'a [Stage],
    live_stages: &'a [Stage],
    stamp: &'a Stamp,
}

impl Converge<'_> {
    /// Changes the channels, and returns the plan if it is to be written.
    async fn run(&self, found: BTreeMap<String, Known>) -> Result<Option<Plan>, AwsError> {
        let live = found
            .iter()
            .map(|(key, k)| (key.clone(), k.channel.clone()));
        let steps = Steps::between(&live.collect(), self.channels);
        let mut arns: BTreeMap<String, String> =
            found.into_iter().map(|(key, k)| (key, k.arn)).collect();
        let before = arns.values().cloned().collect::<Vec<_>>().join(" ");
        let doomed: Vec<String> = steps
            .delete
            .iter()
            .filter_map(|key| arns.remove(key))
            .collect();
        let renamed: Vec<(String, String)> = steps
            .rename
            .iter()
            .filter_map(|(old, new)| Some((arns.remove(old)?, new.clone())))
            .collect();
        arns.extend(renamed.iter().map(|(arn, new)| (new.clone(), arn.clone())));

        // AWS leaves a deleted channel in the plan, so it goes from the plan first. Whether it is there is not asked: what
        // was read may be older than the plan, or have named the channel by its ARN for want of it in the list.
        let mut written = None;
        if !doomed.is_empty() {
            let interim = reduced(self.stages, &arns);
            let plan = send_stages(&interim, &arns)?;
            contacts::update(self.aws, self.contact, None, Some(plan)).await?;
            written = Some(interim);
        }
        for arn in doomed {
            self.delete(&arn).await?;
        }
        for (arn, name) in renamed {
            self.rename(&arn, &name).await?;
        }
        for name in &steps.readdress {
            if let (Some(arn), Some(channel)) = (arns.get(name), self.channels.get(name)) {
                self.readdress(arn, channel).await?;
            }
        }
        for name in steps.create {
            if let Some(channel) = self.channels.get(&name) {
                let arn = self.create(&name, channel, &before).await?;
                arns.insert(name, arn);
            }
        }
        if written.as_deref().unwrap_or(self.live_stages) == self.stages {
            return Ok(None);
        }
        send_stages(self.stages, &arns).map(Some)
    }

    async fn delete(&self, arn: &str) -> Result<(), AwsError> {
        let request = self.aws.contacts.delete_contact_channel();
        let answer = request.contact_channel_id(arn).send().await;
        AwsError::gone_is_fine(answer.map(|_| ()))
    }

    async fn rename(&self, arn: &str, name: &str) -> Result<(), AwsError> {
        let request = self.aws.contacts.update_contact_channel();
        request.contact_channel_id(arn).name(name).send().await?;
        Ok(())
    }

    async fn readdress(&self, arn: &str, channel: &Channel) -> Result<(), AwsError> {
        let Channel { kind: _, address } = channel;
        self.aws
            .contacts
            .update_contact_channel()
            .contact_channel_id(arn)
            .delivery_address(delivery(address))
            .send()
            .await?;
        Ok(())
    }

    /// Creates a channel. `before` lists the channels that were there: with the same ones it is another try at the
    /// same creation, and AWS answers with the channel that an earlier try made.
    async fn create(
        &self,
        name: &str,
        channel: &Channel,
        before: &str,
    ) -> Result<String, AwsError> {
        let Channel { kind, address } = channel;
        let seed = [
            &self.stamp.token,
            name,
            kind.as_str(),
            address.expose(),
            before,
        ]
        .join("\u{0}");
        let token = Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes());
        let answer = self
            .aws
            .contacts
            .create_contact_channel()
            .contact_id(self.contact)
            .name(name)
            .r#type(kind.as_str().into())
            .delivery_address(delivery(address))
            // Otherwise AWS sends a code to the device at once, and `apply` must not page people.
            .defer_activation(true)
            .idempotency_token(token.to_string())
            .send()
            .await?;
        Ok(answer.contact_channel_arn)
    }
}

fn delivery(address: &Sensitive) -> ContactChannelAddress {
    ContactChannelAddress::builder()
        .simple_address(address.expose())
        .build()
}
