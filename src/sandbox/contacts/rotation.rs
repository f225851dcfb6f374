//! Rotations: people who take turns. A schedule names rotations; a rotation does not know its schedules.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::contact::Type;
use super::overrides::Override;
use super::recurrence::{self, Recurrence};
use super::shifts;
use super::tags::{self, Tags};
use super::{Store, enter, fault, once, paging, read, time, write};
use crate::sandbox::{Answer, Call, Fault, Map, Operation, State};

/// A rotation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// A label; several rotations may have the same one.
    pub(crate) name: String,
    /// People in the order of their turns.
    pub(crate) contact_ids: Vec<String>,
    /// When the first shift begins.
    pub(crate) start: Timestamp,
    /// The IANA name of the time zone.
    pub(crate) zone: String,
    /// When it hands off.
    pub(crate) recurrence: Recurrence,
    /// Overrides by their ids.
    pub(crate) overrides: BTreeMap<String, Override>,
    /// Tags.
    pub(crate) tags: Tags,
}

impl Rotation {
    /// Returns the rotation as the calculus takes it.
    pub(super) fn turns(&self) -> Result<shifts::Turns, Fault> {
        let zone = recurrence::zone(&self.zone)?;
        Ok(self
            .recurrence
            .turns(zone, self.start, self.contact_ids.clone()))
    }

    /// Returns the overrides as the calculus takes them, in the order of their starts.
    pub(super) fn overrides(&self) -> Vec<shifts::Override> {
        let mut overrides: Vec<_> = self.overrides.values().map(Override::plain).collect();
        overrides.sort_by_key(|o| (o.start, o.created));
        overrides
    }

    /// Returns who is on call at a moment.
    pub(super) fn on_call(&self, at: Timestamp) -> Vec<String> {
        self.turns()
            .map(|turns| turns.on_call(&self.overrides(), at))
            .unwrap_or_default()
    }

    fn show(&self, id: &str) -> Value {
        json!({
            "RotationArn": id,
            "Name": self.name,
            "ContactIds": self.contact_ids,
            "StartTime": time::seconds(self.start),
            "TimeZoneId": self.zone,
            "Recurrence": self.recurrence,
        })
    }
}

/// The rotation operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateRotation", create),
    read("GetRotation", get),
    read("ListRotations", list),
    write("UpdateRotation", update),
    write("DeleteRotation", delete),
];

/// Finds a rotation of the caller's account.
pub(super) fn find<'s>(store: &'s mut Store, id: &str) -> Result<&'s mut Rotation, Fault> {
    store
        .rotations
        .get_mut(id)
        .ok_or_else(|| fault::missing(Kind::Rotation, id))
}

/// Checks that the contacts exist and are people.
fn check_contacts(store: &Store, call: &Call<'_>, ids: &[String]) -> Result<(), Fault> {
    for id in ids {
        arn::own(call, id, &[Kind::Contact])?;
        match store.contacts.get(id).map(|contact| contact.kind) {
            Some(Type::Personal) => {}
            Some(other) => {
                return Err(fault::invalid(format_args!(
                    "Only PERSONAL contacts can be in a rotation, {id} is {}",
                    other.name()
                )));
            }
            None => return Err(fault::missing(Kind::Contact, id)),
        }
    }
    Ok(())
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    if let Some(answer) = once::earlier(store, call, "CreateRotation")? {
        return Ok(answer);
    }
    let contact_ids = call.strings("ContactIds");
    check_contacts(store, call, &contact_ids)?;
    let zone = call.required("TimeZoneId").to_owned();
    recurrence::zone(&zone)?;
    let rotation = Rotation {
        name: call.required("Name").to_owned(),
        contact_ids,
        // GetRotation must answer a start, so a rotation without one starts now.
        start: time::member(call, "StartTime")?.unwrap_or_else(|| time::now(call)),
        zone,
        recurrence: recurrence::parse(call.map("Recurrence"))?,
        overrides: BTreeMap::new(),
        tags: tags::parse(call.list("Tags"))?,
    };
    let id = arn::make(call.region, call.account, Kind::Rotation, &call.uuid());
    store.rotations.insert(id.clone(), rotation);
    let answer = Map::from_iter([("RotationArn".to_owned(), Value::from(id.clone()))]);
    once::remember(store, call, "CreateRotation", &id, &answer);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "RotationId", Kind::Rotation)?;
    match find(store, &id)?.show(&id) {
        Value::Object(shown) => Ok(shown),
        _ => Ok(Map::new()),
    }
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let prefix = call.str("RotationNamePrefix").unwrap_or_default();
    let rotations = store
        .rotations
        .iter()
        .filter(|(_, rotation)| rotation.name.starts_with(prefix))
        .map(|(id, rotation)| (id.clone(), rotation.show(id)));
    paging::page(call, "ListRotations", "Rotations", rotations)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "RotationId", Kind::Rotation)?;
    let mut rotation = find(store, &id)?.clone();
    if call.list("ContactIds").is_some() {
        rotation.contact_ids = call.strings("ContactIds");
        check_contacts(store, call, &rotation.contact_ids)?;
    }
    if let Some(zone) = call.str("TimeZoneId") {
        recurrence::zone(zone)?;
        zone.clone_into(&mut rotation.zone);
    }
    if let Some(start) = time::member(call, "StartTime")? {
        rotation.start = start;
    }
    // Required, and replaced as a whole: members that are left out are gone.
    rotation.recurrence = recurrence::parse(call.map("Recurrence"))?;
    store.rotations.insert(id, rotation);
    Ok(Map::new())
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "RotationId", Kind::Rotation)?;
    find(store, &id)?;
    let overrides = store.rotations.remove(&id).map(|r| r.overrides);
    // "If a rotation belongs to more than one on-call schedule, this operation deletes it from all of them."
    for contact in store.contacts.values_mut() {
        contact.plan.rotation_ids.retain(|other| *other != id);
    }
    once::forget(store, &id);
    for made in overrides.into_iter().flatten() {
        once::forget(store, &made.0);
    }
    Ok(Map::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{World, daily, text};

    fn create(contacts: &[&str]) -> serde_json::Value {
        json!({ "Name": "primary", "ContactIds": contacts, "TimeZoneId": "Europe/Dublin", "Recurrence": daily() })
    }

    #[test]
    fn what_was_created_is_what_is_read() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let recurrence = json!({
            "WeeklySettings": [
                { "DayOfWeek": "WED", "HandOffTime": { "HourOfDay": 4, "MinuteOfHour": 25 } },
                { "DayOfWeek": "FRI", "HandOffTime": { "HourOfDay": 15, "MinuteOfHour": 57 } },
            ],
            "NumberOfOnCalls": 1,
            "ShiftCoverages": { "MON": [{
                "Start": { "HourOfDay": 9, "MinuteOfHour": 0 }, "End": { "HourOfDay": 17, "MinuteOfHour": 0 },
            }] },
            "RecurrenceMultiplier": 2,
        });
        let mut input = create(&[&bo, &ana]);
        input["Recurrence"] = recurrence;
        input["StartTime"] = json!(1_767_225_600.5);
        let id = text(&world.ok("CreateRotation", input.clone())["RotationArn"]);
        assert!(id.starts_with("arn:aws:ssm-contacts:eu-west-1:111122223333:rotation/"));
        input["RotationArn"] = id.clone().into();
        assert_eq!(world.ok("GetRotation", json!({ "RotationId": id })), input);
        assert_eq!(
            world.ok("ListRotations", json!({})),
            json!({ "Rotations": [input] })
        );
    }

    #[test]
    fn a_rotation_without_a_start_starts_now() {
        let mut world = World::new();
        let ana = world.person("ana");
        let id = world.ok("CreateRotation", create(&[&ana]))["RotationArn"].clone();
        let read = world.ok("GetRotation", json!({ "RotationId": id }));
        assert_eq!(read["StartTime"], world.now.as_second());
    }

    #[test]
    fn members_are_people_that_exist() {
        let mut world = World::new();
        let ana = world.person("ana");
        let plan = world.contact("esc", "ESCALATION", json!({}));
        let days = world.contact("days", "ONCALL_SCHEDULE", json!({}));
        for other in [&plan, &days] {
            assert_eq!(
                world.code("CreateRotation", create(&[&ana, other])),
                "ValidationException"
            );
        }
        let nobody = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody";
        let (code, members) = world.fault("CreateRotation", create(&[&ana, nobody]));
        assert_eq!(code, "ResourceNotFoundException");
        assert_eq!(
            (&members["ResourceId"], &members["ResourceType"]),
            (&json!(nobody), &json!("CONTACT"))
        );
    }

    #[test]
    fn a_recurrence_has_exactly_one_group_of_settings() {
        let mut world = World::new();
        let ana = world.person("ana");
        let monthly =
            json!([{ "DayOfMonth": 1, "HandOffTime": { "HourOfDay": 9, "MinuteOfHour": 0 } }]);
        let mut none = create(&[&ana]);
        none["Recurrence"] =
            json!({ "NumberOfOnCalls": 1, "RecurrenceMultiplier": 1, "DailySettings": [] });
        let mut two = create(&[&ana]);
        two["Recurrence"]["MonthlySettings"] = monthly;
        let mut open = create(&[&ana]);
        open["Recurrence"]["ShiftCoverages"] =
            json!({ "MON": [{ "Start": { "HourOfDay": 9, "MinuteOfHour": 0 } }] });
        for bad in [none, two, open] {
            assert_eq!(world.code("CreateRotation", bad), "ValidationException");
        }
        let mut empty = create(&[&ana]);
        empty["Recurrence"]["MonthlySettings"] = json!([]);
        world.ok("CreateRotation", empty);
    }

    #[test]
    fn zones_are_iana_names() {
        let mut world = World::new();
        let ana = world.person("ana");
        for (zone, good) in [
            ("America/Los_Angeles", true),
            ("Asia/Seoul", true),
            ("UTC", true),
            ("PST", false),
            ("EST", false),
            ("Mars/Olympus", false),
            ("america/los_angeles", false),
        ] {
            let mut input = create(&[&ana]);
            input["TimeZoneId"] = zone.into();
            assert_eq!(world.call("CreateRotation", input).is_ok(), good, "{zone}");
        }
    }

    #[test]
    fn names_may_repeat_and_a_token_makes_one() {
        let mut world = World::new();
        let ana = world.person("ana");
        let first = world.rotation("primary", &[&ana]);
        assert_ne!(world.rotation("primary", &[&ana]), first);
        let mut input = create(&[&ana]);
        input["IdempotencyToken"] = "t".into();
        let once = world.ok("CreateRotation", input.clone());
        assert_eq!(world.ok("CreateRotation", input.clone()), once);
        input["Name"] = "other".into();
        assert_eq!(world.code("CreateRotation", input), "ValidationException");
        let listed = |prefix: &str| json!({ "RotationNamePrefix": prefix, "MaxResults": 2 });
        assert_eq!(
            world
                .all("ListRotations", "Rotations", listed("prim"))
                .len(),
            3
        );
        assert!(
            world
                .all("ListRotations", "Rotations", listed("sec"))
                .is_empty()
        );
    }

    #[test]
    fn an_update_replaces_the_recurrence_and_leaves_what_it_does_not_name() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let mut input = create(&[&ana]);
        input["Recurrence"]["ShiftCoverages"] = json!({ "MON": [{
            "Start": { "HourOfDay": 9, "MinuteOfHour": 0 }, "End": { "HourOfDay": 17, "MinuteOfHour": 0 },
        }] });
        input["StartTime"] = 1_767_225_600.into();
        let id = world.ok("CreateRotation", input)["RotationArn"].clone();
        let read = json!({ "RotationId": id });
        world.ok(
            "UpdateRotation",
            json!({ "RotationId": id, "Recurrence": daily() }),
        );
        let shown = world.ok("GetRotation", read.clone());
        assert_eq!(shown["Recurrence"], daily());
        assert_eq!(
            (
                &shown["ContactIds"],
                &shown["TimeZoneId"],
                &shown["StartTime"]
            ),
            (
                &json!([ana]),
                &json!("Europe/Dublin"),
                &json!(1_767_225_600)
            )
        );
        world.ok("UpdateRotation", json!({
            "RotationId": id, "Recurrence": daily(), "ContactIds": [bo, ana], "TimeZoneId": "UTC", "StartTime": 1_767_312_000,
        }));
        let shown = world.ok("GetRotation", read);
        assert_eq!(
            (
                &shown["ContactIds"],
                &shown["TimeZoneId"],
                &shown["StartTime"]
            ),
            (&json!([bo, ana]), &json!("UTC"), &json!(1_767_312_000))
        );
        let bad = json!({ "RotationId": id, "Recurrence": daily(), "TimeZoneId": "PST" });
        assert_eq!(world.code("UpdateRotation", bad), "ValidationException");
    }

    #[test]
    fn a_deleted_rotation_leaves_every_schedule() {
        let mut world = World::new();
        let ana = world.person("ana");
        let (one, two) = (
            world.rotation("one", &[&ana]),
            world.rotation("two", &[&ana]),
        );
        let both = json!({ "RotationIds": [one, two] });
        let schedules = [
            world.contact("days", "ONCALL_SCHEDULE", both.clone()),
            world.contact("nights", "ONCALL_SCHEDULE", both),
        ];
        world.ok("DeleteRotation", json!({ "RotationId": one }));
        for schedule in schedules {
            let read = world.ok("GetContact", json!({ "ContactId": schedule }));
            assert_eq!(read["Plan"], json!({ "RotationIds": [two] }));
        }
        let (code, members) = world.fault("GetRotation", json!({ "RotationId": one }));
        assert_eq!(code, "ResourceNotFoundException");
        assert_eq!(
            (&members["ResourceId"], &members["ResourceType"]),
            (&json!(one), &json!("ROTATION"))
        );
        let odd =
            json!({ "RotationId": "arn:aws:ssm-contacts:eu-west-1:111122223333:rotation/primary" });
        assert_eq!(world.code("GetRotation", odd), "ValidationException");
    }
}
