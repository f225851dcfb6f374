//! What a contact does when it is engaged: stages of channels or contacts, or the rotations of a schedule.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::contact::Type;
use super::{Store, fault};
use crate::sandbox::{Call, Fault, Map};

/// How many rotations a schedule may have; the model would take 25.
const MOST_ROTATIONS: usize = 8;

/// An engagement plan, an escalation plan, or a schedule's rotations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Plan {
    /// Stages in the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stages: Vec<Stage>,
    /// The rotations of an on-call schedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rotation_ids: Vec<String>,
}

/// One stage: whom to engage, and how long to wait before the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Stage {
    /// Minutes until the next stage.
    pub(crate) duration_in_minutes: i64,
    /// Engaged at once, all of them.
    pub(crate) targets: Vec<Target>,
}

/// One thing to engage; exactly one of the two is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Target {
    /// A channel of the contact itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel_target_info: Option<ChannelTarget>,
    /// A person or a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_target_info: Option<ContactTarget>,
}

/// A channel to page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChannelTarget {
    /// The channel's ARN.
    pub(crate) contact_channel_id: String,
    /// Minutes before a failed send is tried again; nothing fails here, so it is only kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_interval_in_minutes: Option<i64>,
}

/// A contact to engage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContactTarget {
    /// The contact's ARN; the model does not require it, the service cannot do without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<String>,
    /// Whether an acknowledgement by this contact stops the plan.
    pub(crate) is_essential: bool,
}

/// Reads a plan from the input.
pub(super) fn parse(input: &Map) -> Result<Plan, Fault> {
    serde_json::from_value(Value::Object(input.clone()))
        .map_err(|e| fault::field("Plan", format_args!("cannot be read: {e}")))
}

impl Plan {
    /// Writes the plan as reads return it: always with the one list that the type has.
    pub(super) fn show(&self, kind: Type) -> Value {
        match kind {
            Type::OncallSchedule => json!({ "RotationIds": self.rotation_ids }),
            Type::Personal | Type::Escalation => json!({ "Stages": self.stages }),
        }
    }

    /// Checks what a contact of this type may have in its plan.
    ///
    /// `owner` is the contact's ARN. References are checked when a plan is written and never again: deleting a
    /// channel or contact leaves the plans that name it as they are.
    pub(super) fn check(
        &self,
        kind: Type,
        owner: &str,
        store: &Store,
        call: &Call<'_>,
        quotas: bool,
    ) -> Result<(), Fault> {
        if kind == Type::OncallSchedule {
            if !self.stages.is_empty() {
                return Err(fault::invalid(
                    "ONCALL SCHEDULE contact cannot have stages in plan",
                ));
            }
            return self.check_rotations(owner, store, call, quotas);
        }
        if !self.rotation_ids.is_empty() {
            return Err(fault::invalid(format_args!(
                "{} contact cannot have rotations in plan",
                kind.name()
            )));
        }
        for stage in &self.stages {
            if stage.duration_in_minutes == 0 && stage.targets.is_empty() {
                return Err(fault::invalid(
                    "DurationInMinutes can only be 0 if a target is specified",
                ));
            }
            for target in &stage.targets {
                target.check(kind, owner, store, call)?;
            }
        }
        Ok(())
    }

    fn check_rotations(
        &self,
        owner: &str,
        store: &Store,
        call: &Call<'_>,
        quotas: bool,
    ) -> Result<(), Fault> {
        for rotation in &self.rotation_ids {
            arn::own(call, rotation, &[Kind::Rotation])?;
            if !store.rotations.contains_key(rotation) {
                return Err(fault::invalid(format_args!(
                    "Rotation not found: {rotation}"
                )));
            }
        }
        if quotas && self.rotation_ids.len() > MOST_ROTATIONS {
            return Err(fault::quota(
                "rotations-per-on-call-schedule",
                Kind::Contact,
                owner,
                format_args!("An on-call schedule can have at most {MOST_ROTATIONS} rotations"),
            ));
        }
        Ok(())
    }
}

impl Target {
    fn check(&self, kind: Type, owner: &str, store: &Store, call: &Call<'_>) -> Result<(), Fault> {
        match (&self.channel_target_info, &self.contact_target_info) {
            (Some(channel), None) if kind == Type::Personal => {
                check_channel(&channel.contact_channel_id, owner, store, call)
            }
            (None, Some(contact)) if kind == Type::Escalation => {
                check_contact(contact.contact_id.as_deref(), store, call)
            }
            (Some(_), None) | (None, Some(_)) => Err(fault::invalid(format_args!(
                "{} contact cannot have this type of target in plan",
                kind.name()
            ))),
            (None, None) | (Some(_), Some(_)) => Err(fault::invalid(
                "A target must have exactly one of ChannelTargetInfo and ContactTargetInfo",
            )),
        }
    }
}

fn check_channel(id: &str, owner: &str, store: &Store, call: &Call<'_>) -> Result<(), Fault> {
    arn::own(call, id, &[Kind::Channel])?;
    if store.channels.get(id).is_some_and(|c| c.contact == owner) {
        return Ok(());
    }
    Err(fault::invalid(format_args!(
        "Contact channel not found for the contact: {id}"
    )))
}

fn check_contact(id: Option<&str>, store: &Store, call: &Call<'_>) -> Result<(), Fault> {
    let Some(id) = id else {
        return Err(fault::field("ContactId", "is required"));
    };
    let parts = arn::parse(id, &[Kind::Contact])?;
    if parts.account != call.account {
        // User guide, sharing: a contact of another account cannot be in an escalation plan.
        return Err(fault::invalid(format_args!(
            "Contact of another account cannot be in an escalation plan: {id}"
        )));
    }
    match store.contacts.get(id).map(|contact| contact.kind) {
        Some(Type::Personal | Type::OncallSchedule) => Ok(()),
        Some(Type::Escalation) => Err(fault::invalid(format_args!(
            "An escalation plan cannot be in an escalation plan: {id}"
        ))),
        None => Err(fault::invalid(format_args!("Contact not found: {id}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    fn stage(minutes: i64, targets: &[serde_json::Value]) -> serde_json::Value {
        json!({ "Stages": [{ "DurationInMinutes": minutes, "Targets": targets }] })
    }

    fn contact(id: &str) -> serde_json::Value {
        json!({ "ContactTargetInfo": { "ContactId": id, "IsEssential": false } })
    }

    fn channel(id: &str) -> serde_json::Value {
        json!({ "ChannelTargetInfo": { "ContactChannelId": id, "RetryIntervalInMinutes": 1 } })
    }

    #[test]
    fn a_persons_plan_takes_that_persons_channels_and_nothing_else() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let mine = world.channel(&ana, "mail", "ana@example.com");
        let other = world.channel(&bo, "mail", "bo@example.com");
        let gone = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact-channel/ana/02f506b9-ea5d-4764-af89-2daa793ff024";
        let good = stage(0, &[channel(&mine)]);
        world.ok("UpdateContact", json!({ "ContactId": ana, "Plan": good }));
        let read = world.ok("GetContact", json!({ "ContactId": ana }));
        assert_eq!(read["Plan"], good);
        for bad in [
            stage(0, &[channel(&other)]),
            stage(0, &[channel(gone)]),
            stage(
                0,
                &[channel(
                    "arn:aws:ssm-contacts:eu-west-1:111122223333:contact-channel/ana",
                )],
            ),
            stage(0, &[contact(&bo)]),
            json!({ "RotationIds": [gone] }),
        ] {
            let update = json!({ "ContactId": ana, "Plan": bad });
            assert_eq!(world.code("UpdateContact", update), "ValidationException");
        }
    }

    #[test]
    fn an_escalation_plan_takes_people_and_schedules() {
        let mut world = World::new();
        let ana = world.person("ana");
        let mail = world.channel(&ana, "mail", "ana@example.com");
        let schedule = world.contact("days", "ONCALL_SCHEDULE", json!({}));
        let plan = stage(0, &[contact(&ana), contact(&schedule)]);
        let escalation = world.contact("esc", "ESCALATION", plan);
        let missing = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody";
        let foreign = "arn:aws:ssm-contacts:eu-west-1:999988887777:contact/ana";
        for bad in [
            stage(0, &[channel(&mail)]),
            stage(0, &[contact(&escalation)]),
            stage(0, &[contact(missing)]),
            stage(0, &[contact(foreign)]),
            stage(
                0,
                &[json!({ "ContactTargetInfo": { "IsEssential": true } })],
            ),
            stage(0, &[json!({})]),
        ] {
            let update = json!({ "ContactId": escalation, "Plan": bad });
            assert_eq!(world.code("UpdateContact", update), "ValidationException");
        }
        let both = json!({
            "ContactTargetInfo": { "ContactId": ana, "IsEssential": true },
            "ChannelTargetInfo": { "ContactChannelId": mail },
        });
        let update = json!({ "ContactId": escalation, "Plan": stage(0, &[both]) });
        assert_eq!(world.code("UpdateContact", update), "ValidationException");
    }

    #[test]
    fn only_a_stage_with_a_target_may_take_no_time() {
        let mut world = World::new();
        let ana = world.person("ana");
        let update = |minutes| json!({ "ContactId": ana, "Plan": stage(minutes, &[]) });
        assert_eq!(
            world.code("UpdateContact", update(0)),
            "ValidationException"
        );
        world.ok("UpdateContact", update(1));
    }

    #[test]
    fn a_schedule_has_rotations_and_no_stages() {
        let mut world = World::new();
        let ana = world.person("ana");
        let rotation = world.rotation("primary", &[&ana]);
        let create = |plan| json!({ "Alias": "days", "Type": "ONCALL_SCHEDULE", "Plan": plan });
        let fault = world
            .call("CreateContact", create(stage(1, &[])))
            .unwrap_err();
        assert_eq!(fault.code, "ValidationException");
        assert_eq!(
            fault.message,
            "Invalid value provided - ONCALL SCHEDULE contact cannot have stages in plan"
        );
        let unknown = rotation
            .replace("rotation/", "rotation/00000000-")
            .replacen('-', "", 0);
        let bad = create(json!({ "RotationIds": [unknown] }));
        assert_eq!(world.code("CreateContact", bad), "ValidationException");
        // Empty stages are no stages.
        let id = world.ok("CreateContact", create(json!({ "Stages": [] })))["ContactArn"].clone();
        let read = world.ok("GetContact", json!({ "ContactId": id }));
        assert_eq!(read["Plan"], json!({ "RotationIds": [] }));
        let plan = json!({ "RotationIds": [rotation] });
        world.ok("UpdateContact", json!({ "ContactId": id, "Plan": plan }));
        assert_eq!(
            world.ok("GetContact", json!({ "ContactId": id }))["Plan"],
            plan
        );
    }

    #[test]
    fn a_schedule_has_at_most_eight_rotations() {
        let mut world = World::new();
        let ana = world.person("ana");
        let ids: Vec<String> = (0..9).map(|_| world.rotation("r", &[&ana])).collect();
        let create =
            json!({ "Alias": "d", "Type": "ONCALL_SCHEDULE", "Plan": { "RotationIds": ids } });
        let (code, members) = world.fault("CreateContact", create.clone());
        assert_eq!(code, "ServiceQuotaExceededException");
        assert_eq!(members["ServiceCode"], "ssm-contacts");
        world.state.settings.quotas = false;
        world.ok("CreateContact", create);
    }
}
