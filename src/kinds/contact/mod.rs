//! `Contact`: a person, and how to reach them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{Diagnostic, Report, Sensitive, Spec, pointer};

mod remote;
pub(in crate::kinds) mod rules;
mod steps;

/// A person whom Incident Manager can page: a contact of type PERSONAL, with its channels and its engagement plan.
///
/// **AWS chooses** nothing.
/// **Forces replacement:** `name`. Channels are changed in place: another address keeps the channel, another name for
/// the same address renames it, another `type` makes a new channel in its place.
///
/// A new channel stays silent until its owner enters the code that Incident Manager sends to it, so that `apply` never
/// pages anybody: the code is sent only when somebody asks for it. A channel that waits for its code is shown in plans,
/// and is no difference. Names are shared with escalation plans and on-call schedules: no two may be the same.
///
/// Left out: activation (only the owner of the device can do it) and the policy that shares a contact with other
/// accounts (AWS Resource Access Manager writes it, and AWS has no call to remove it).
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Contact
/// metadata: { name: kayoko }
/// spec:
///   displayName: Kayoko Tanaka
///   channels:
///     email: { type: EMAIL, address: { fromEnv: KAYOKO_EMAIL } }
///     sms: { type: SMS, address: { fromEnv: KAYOKO_PHONE } }
///   stages:
///     - durationMinutes: 5
///       notify: [{ channel: email }, { channel: sms, retryIntervalMinutes: 2 }]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// The alias in Incident Manager. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9_\-]*$"))]
    pub name: String,
    /// The person's name in full. Left out, whatever somebody has set is left alone; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255), regex(pattern = r"^[\p{L}\p{Z}\p{N}_.\-]*$"))]
    pub display_name: Option<String>,
    /// The ways to reach the person, by the name that the channel has in Incident Manager. Others are deleted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<String, Channel>,
    /// The engagement plan, in the order of time. Without stages nobody is paged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Channel {
    /// What kind of address it is.
    #[serde(rename = "type")]
    pub kind: ChannelType,
    /// A mail address for EMAIL; `+`, country code and number for SMS and VOICE. Best kept outside the document.
    pub address: Sensitive,
}

/// The kinds of channels.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelType {
    /// E-mail.
    Email,
    /// Text messages.
    Sms,
    /// Telephone calls.
    Voice,
}

impl ChannelType {
    /// Returns the name that AWS has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Sms => "SMS",
            Self::Voice => "VOICE",
        }
    }

    /// Reads the name that AWS has for it; `None` for one that is newer than this program.
    pub fn read(name: &str) -> Option<Self> {
        [Self::Email, Self::Sms, Self::Voice]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A step of the engagement plan: whom to notify, and how long to wait for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// How many minutes to wait before the next stage; 0 only when the stage notifies somebody.
    #[schemars(range(min = 0, max = 30))]
    pub duration_minutes: i32,
    /// The channels that are used at once. A stage without any is only a pause.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notify: BTreeSet<Notify>,
}

/// A channel in a stage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notify {
    /// A name out of `channels`. The ARN of a channel, as an export may have it, is passed on as it is.
    #[schemars(length(min = 1))]
    pub channel: String,
    /// How many minutes later to try again when sending failed; 0 is the same as leaving it out.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "zero_is_none"
    )]
    #[schemars(range(min = 0, max = 60))]
    pub retry_interval_minutes: Option<i32>,
}

/// AWS may answer 0 where nothing was set.
fn zero_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    Ok(Option::deserialize(deserializer)?.filter(|minutes| *minutes != 0))
}

impl Spec for Contact {
    const KIND: &'static str = "Contact";
    const NAMESPACE: &'static str = "ssm-contacts";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const AFTER: &'static [&'static str] = &["ReplicationSet"];
    const PER_ACCOUNT: bool = true;
    const LOSES: Option<&'static str> =
        Some("its channels' activations and its engagement history");

    fn validate(&self, report: &mut Report) {
        for (name, channel) in &self.channels {
            let at = pointer::join("/channels", name);
            if !rules::is_name(name) {
                report.error(
                    "bad-channel-name",
                    &at,
                    format!("AWS does not accept `{name}` as the name of a channel"),
                    "1 to 255 letters, digits, spaces, `_`, `.` and `-`",
                );
            }
            channel.check(&pointer::join(&at, "address"), report);
        }
        for (index, stage) in self.stages.iter().enumerate() {
            self.check_stage(&pointer::join("/stages", index), stage, report);
        }
        rules::check_tags(self.tags.as_ref(), report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            display_name,
            channels: _,
            stages: _,
            tags,
        } = self;
        rules::settle_text(display_name, live.display_name.as_ref());
        *tags = tags.take().or_else(|| live.tags.clone());
    }
}

impl Contact {
    fn check_stage(&self, at: &str, stage: &Stage, report: &mut Report) {
        if stage.duration_minutes == 0 && stage.notify.is_empty() {
            report.error(
                "empty-stage",
                at,
                "the stage neither waits nor notifies anybody",
                "give it a channel in `notify`, or a `durationMinutes` of at least 1",
            );
        }
        for (index, Notify { channel, .. }) in stage.notify.iter().enumerate() {
            let at = pointer::join(&pointer::join(at, "notify"), index);
            let at = pointer::join(&at, "channel");
            if self.channels.contains_key(channel) {
                continue;
            }
            if channel.starts_with("arn:") {
                report.push(
                    Diagnostic::warning(
                        "foreign-channel",
                        at,
                        format!(
                            "the stage notifies `{channel}`, which is no channel of this document"
                        ),
                    )
                    .hint("AWS skips a channel that is gone; name one out of `channels` instead"),
                );
                continue;
            }
            let names: Vec<String> = self.channels.keys().map(|n| format!("`{n}`")).collect();
            let hint = if names.is_empty() {
                "the contact has no `channels`".to_owned()
            } else {
                format!("its channels are {}", names.join(", "))
            };
            report.error(
                "unknown-channel",
                at,
                format!("the contact has no channel named `{channel}`"),
                hint,
            );
        }
    }
}

impl Channel {
    /// Checks an address that stands in the document. It is never repeated in a message.
    fn check(&self, at: &str, report: &mut Report) {
        let Some(address) = self.address.known() else {
            return;
        };
        if rules::has_variable(address) {
            return;
        }
        match self.kind {
            ChannelType::Email if !is_mail(address) => report.error(
                "bad-address",
                at,
                "the address of an EMAIL channel is no mail address",
                "a name, an `@` and a domain with a dot, at most 320 characters",
            ),
            ChannelType::Sms | ChannelType::Voice if !is_phone(address) => report.error(
                "bad-address",
                at,
                format!(
                    "the address of a channel of type {} is no telephone number",
                    self.kind.as_str()
                ),
                "`+`, country code and number: 7 to 15 digits and nothing else",
            ),
            ChannelType::Email | ChannelType::Sms | ChannelType::Voice => {}
        }
    }
}

/// E.164: a plus, and a number whose country code does not begin with 0.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

fn is_mail(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    text.rsplit_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && !user.contains('@')
            && domain.split('.').count() >= 2
            && domain.split('.').all(|label| !label.is_empty())
            && !text.contains(blank)
            && text.chars().count() <= 320
    })
}

#[cfg(test)]
mod tests;
