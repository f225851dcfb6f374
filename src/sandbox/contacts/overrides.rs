//! Overrides of rotations: other people for a span of time.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::{enter, fault, once, paging, read, rotation, shifts, time, write};
use crate::sandbox::{Answer, Call, Map, Operation, State};

/// The shortest override.
const SHORTEST_MINUTES: i64 = 30;
/// How far ahead an override may begin.
const FURTHEST_MONTHS: i32 = 6;

/// An override.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Override {
    /// Who is on call instead.
    pub(crate) new_contact_ids: Vec<String>,
    /// From when.
    pub(crate) start: Timestamp,
    /// Until when.
    pub(crate) end: Timestamp,
    /// When it was made.
    pub(crate) created: Timestamp,
}

impl Override {
    /// Returns the override as the calculus takes it.
    pub(super) fn plain(&self) -> shifts::Override {
        shifts::Override {
            members: self.new_contact_ids.clone(),
            start: self.start,
            end: self.end,
            created: self.created,
        }
    }

    fn show(&self, id: &str) -> Map {
        let shown = json!({
            "RotationOverrideId": id,
            "NewContactIds": self.new_contact_ids,
            "StartTime": time::seconds(self.start),
            "EndTime": time::seconds(self.end),
            "CreateTime": time::seconds(self.created),
        });
        match shown {
            Value::Object(shown) => shown,
            _ => Map::new(),
        }
    }
}

/// The override operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateRotationOverride", create),
    read("GetRotationOverride", get),
    read("ListRotationOverrides", list),
    write("DeleteRotationOverride", delete),
];

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    if let Some(answer) = once::earlier(store, call, "CreateRotationOverride")? {
        return Ok(answer);
    }
    let rotation_id = arn::member(call, "RotationId", Kind::Rotation)?;
    let rotation = rotation::find(store, &rotation_id)?;
    let made = Override {
        new_contact_ids: call.strings("NewContactIds"),
        start: time::required(call, "StartTime")?,
        end: time::required(call, "EndTime")?,
        created: time::now(call),
    };
    for contact in &made.new_contact_ids {
        arn::own(call, contact, &[Kind::Contact])?;
        if !rotation.contact_ids.contains(contact) {
            return Err(fault::field(
                "NewContactIds",
                format_args!("{contact} is not in the rotation"),
            ));
        }
    }
    time::ordered(made.start, made.end)?;
    if made.end.duration_since(made.start).as_mins() < SHORTEST_MINUTES {
        return Err(fault::field(
            "EndTime",
            format_args!("an override lasts at least {SHORTEST_MINUTES} minutes"),
        ));
    }
    let today = call.now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let furthest = today
        .checked_add(FURTHEST_MONTHS.months())
        .map_or(Timestamp::MAX, |moment| moment.timestamp());
    if made.start > furthest {
        return Err(fault::field(
            "StartTime",
            format_args!("an override begins at most {FURTHEST_MONTHS} months ahead"),
        ));
    }
    let id = call.uuid();
    rotation.overrides.insert(id.clone(), made);
    let answer = Map::from_iter([("RotationOverrideId".to_owned(), Value::from(id.clone()))]);
    once::remember(store, call, "CreateRotationOverride", &id, &answer);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let rotation_id = arn::member(call, "RotationId", Kind::Rotation)?;
    let id = call.required("RotationOverrideId");
    let rotation = rotation::find(store, &rotation_id)?;
    let Some(found) = rotation.overrides.get(id) else {
        return Err(fault::missing(Kind::Override, id));
    };
    let mut answer = found.show(id);
    answer.insert("RotationArn".to_owned(), rotation_id.into());
    Ok(answer)
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let rotation_id = arn::member(call, "RotationId", Kind::Rotation)?;
    let rotation = rotation::find(store, &rotation_id)?;
    let (from, to) = (
        time::required(call, "StartTime")?,
        time::required(call, "EndTime")?,
    );
    time::ordered(from, to)?;
    let mut found: Vec<(String, Value)> = rotation
        .overrides
        .iter()
        .filter(|(_, o)| o.start < to && from < o.end)
        .map(|(id, o)| {
            let key = format!("{}/{id}", time::sortable(o.start));
            (key, Value::Object(o.show(id)))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    paging::page(
        call,
        "ListRotationOverrides",
        "RotationOverrides",
        found.into_iter(),
    )
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let rotation_id = arn::member(call, "RotationId", Kind::Rotation)?;
    let id = call.required("RotationOverrideId");
    let rotation = rotation::find(store, &rotation_id)?;
    if rotation.overrides.remove(id).is_none() {
        return Err(fault::missing(Kind::Override, id));
    }
    once::forget(store, id);
    Ok(Map::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{World, text};

    const HOUR: i64 = 3600;

    #[test]
    fn an_override_is_made_read_listed_and_deleted() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let rotation = world.rotation("primary", &[&ana, &bo]);
        let now = world.now.as_second();
        let mut make = |from: i64, to: i64| {
            let input = json!({
                "RotationId": rotation, "NewContactIds": [bo],
                "StartTime": now + from * HOUR, "EndTime": now + to * HOUR,
            });
            text(&world.ok("CreateRotationOverride", input)["RotationOverrideId"])
        };
        let late = make(10, 12);
        let early = make(1, 2);
        assert_eq!(early.len(), 36);
        let get = json!({ "RotationId": rotation, "RotationOverrideId": early });
        let shown = json!({
            "RotationOverrideId": early, "NewContactIds": [bo], "StartTime": now + HOUR,
            "EndTime": now + 2 * HOUR, "CreateTime": now, "RotationArn": rotation,
        });
        assert_eq!(world.ok("GetRotationOverride", get.clone()), shown);
        let range = |from: i64, to: i64| json!({ "RotationId": rotation, "StartTime": now + from * HOUR, "EndTime": now + to * HOUR, "MaxResults": 1 });
        let ids = |world: &mut World, from, to| -> Vec<String> {
            let listed = world.all(
                "ListRotationOverrides",
                "RotationOverrides",
                range(from, to),
            );
            listed
                .iter()
                .map(|o| text(&o["RotationOverrideId"]))
                .collect()
        };
        assert_eq!(ids(&mut world, 0, 24), [early.clone(), late.clone()]);
        assert_eq!(ids(&mut world, 2, 24), [late]);
        assert_eq!(
            world.code("ListRotationOverrides", range(2, 2)),
            "ValidationException"
        );
        world.ok("DeleteRotationOverride", get.clone());
        for name in ["GetRotationOverride", "DeleteRotationOverride"] {
            let (code, members) = world.fault(name, get.clone());
            assert_eq!(code, "ResourceNotFoundException");
            assert_eq!(members["ResourceId"], early);
        }
    }

    #[test]
    fn an_override_has_members_of_the_rotation_a_length_and_a_horizon() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let rotation = world.rotation("primary", &[&ana]);
        let now = world.now.as_second();
        let input = |who: &[&String], from: i64, to: i64| json!({ "RotationId": rotation, "NewContactIds": who, "StartTime": now + from, "EndTime": now + to });
        for bad in [
            input(&[&bo], 0, HOUR),
            input(&[&ana], HOUR, HOUR),
            input(&[&ana], HOUR, 0),
            input(&[&ana], 0, HOUR / 2 - 1),
            input(&[&ana], 190 * 24 * HOUR, 191 * 24 * HOUR),
        ] {
            assert_eq!(
                world.code("CreateRotationOverride", bad),
                "ValidationException"
            );
        }
        world.ok("CreateRotationOverride", input(&[&ana], 0, HOUR / 2));
        world.ok(
            "CreateRotationOverride",
            input(&[], 180 * 24 * HOUR, 181 * 24 * HOUR),
        );
    }
}
