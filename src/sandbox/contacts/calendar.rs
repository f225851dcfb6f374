//! Shifts: of a stored rotation, and of one that exists only in the request.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::shifts::{Override, Shift, Turns};
use super::{enter, fault, paging, read, recurrence, rotation, time};
use crate::sandbox::{Answer, Call, Fault, Operation, State};

/// The operations that compute shifts.
pub(super) const OPERATIONS: &[Operation] = &[
    read("ListRotationShifts", list),
    read("ListPreviewRotationShifts", preview),
];

fn show(shift: Shift) -> (String, Value) {
    let mut shown = json!({
        "ContactIds": shift.members,
        "StartTime": time::seconds(shift.start),
        "EndTime": time::seconds(shift.end),
        "Type": if shift.displaced.is_some() { "OVERRIDDEN" } else { "REGULAR" },
    });
    if let Some(displaced) = shift.displaced {
        shown["ShiftDetails"] = json!({ "OverriddenContactIds": displaced });
    }
    // By its end: the first shift of a preview without a start begins at the moment of the call, on every page.
    (time::sortable(shift.end), shown)
}

fn answer(
    call: &Call<'_>,
    operation: &str,
    turns: &Turns,
    overrides: &[Override],
    (from, to): (Timestamp, Timestamp),
) -> Answer {
    let shifts = turns.shifts(overrides, from, to).map(show);
    paging::page(call, operation, "RotationShifts", shifts)
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "RotationId", Kind::Rotation)?;
    let rotation = rotation::find(store, &id)?;
    let from = time::member(call, "StartTime")?.unwrap_or_else(|| time::now(call));
    let to = time::required(call, "EndTime")?;
    time::ordered(from, to)?;
    answer(
        call,
        "ListRotationShifts",
        &rotation.turns()?,
        &rotation.overrides(),
        (from, to),
    )
}

fn preview(state: &mut State, call: &mut Call<'_>) -> Answer {
    enter(state, call)?;
    let start = time::member(call, "RotationStartTime")?.unwrap_or_else(|| time::now(call));
    let from = time::member(call, "StartTime")?.unwrap_or(start);
    let to = time::required(call, "EndTime")?;
    time::ordered(from, to)?;
    let turns = recurrence::parse(call.map("Recurrence"))?.turns(
        recurrence::zone(call.required("TimeZoneId"))?,
        start,
        call.strings("Members"),
    );
    let overrides = preview_overrides(call)?;
    answer(
        call,
        "ListPreviewRotationShifts",
        &turns,
        &overrides,
        (from, to),
    )
}

/// Reads the overrides of a preview; they are made in the order in which they are listed.
fn preview_overrides(call: &Call<'_>) -> Result<Vec<Override>, Fault> {
    let mut overrides = Vec::new();
    for (place, given) in call.list("Overrides").into_iter().flatten().enumerate() {
        let (Some(start), Some(end)) = (given.get("StartTime"), given.get("EndTime")) else {
            return Err(fault::field(
                "Overrides",
                "an override needs a StartTime and an EndTime",
            ));
        };
        let (start, end) = (
            time::instant("StartTime", start)?,
            time::instant("EndTime", end)?,
        );
        time::ordered(start, end)?;
        let members = given.get("NewMembers").and_then(Value::as_array);
        overrides.push(Override {
            members: members
                .into_iter()
                .flatten()
                .filter_map(|member| member.as_str().map(str::to_owned))
                .collect(),
            start,
            end,
            created: i64::try_from(place)
                .ok()
                .and_then(|place| Timestamp::from_millisecond(place).ok())
                .unwrap_or(Timestamp::MAX),
        });
    }
    Ok(overrides)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{World, daily};

    const DAY: i64 = 24 * 3600;

    #[test]
    fn a_rotations_shifts_are_listed_from_now_with_their_overrides() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let rotation = world.rotation("primary", &[&ana, &bo]);
        let start = world.now.as_second();
        world.ok(
            "CreateRotationOverride",
            json!({
                "RotationId": rotation, "NewContactIds": [bo],
                "StartTime": start + DAY / 2, "EndTime": start + DAY + DAY / 2,
            }),
        );
        world.pass(60);
        let list = json!({ "RotationId": rotation, "EndTime": start + 2 * DAY });
        let listed = world.ok("ListRotationShifts", list);
        let regular = |who: &String, from: i64, to: i64| json!({ "ContactIds": [who], "StartTime": from, "EndTime": to, "Type": "REGULAR" });
        let overridden = |was: &String, from: i64, to: i64| {
            json!({
                "ContactIds": [bo], "StartTime": from, "EndTime": to, "Type": "OVERRIDDEN",
                "ShiftDetails": { "OverriddenContactIds": [was] },
            })
        };
        assert_eq!(
            listed,
            json!({ "RotationShifts": [
                regular(&ana, start, start + DAY / 2),
                overridden(&ana, start + DAY / 2, start + DAY),
                overridden(&bo, start + DAY, start + DAY + DAY / 2),
                regular(&bo, start + DAY + DAY / 2, start + 2 * DAY),
            ] })
        );
        let backwards =
            json!({ "RotationId": rotation, "StartTime": start + DAY, "EndTime": start });
        assert_eq!(
            world.code("ListRotationShifts", backwards),
            "ValidationException"
        );
    }

    #[test]
    fn shifts_come_in_pages_that_neither_repeat_nor_skip() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let rotation = world.rotation("primary", &[&ana, &bo]);
        let start = world.now.as_second();
        let list = json!({
            "RotationId": rotation, "StartTime": start, "EndTime": start + 40 * DAY, "MaxResults": 7,
        });
        let listed = world.all("ListRotationShifts", "RotationShifts", list);
        let starts: Vec<i64> = listed
            .iter()
            .filter_map(|s| s["StartTime"].as_i64())
            .collect();
        assert_eq!(
            starts,
            (0..40).map(|day| start + day * DAY).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_preview_that_starts_now_does_not_repeat_its_first_shift() {
        let mut world = World::new();
        let end = world.now.as_second() + 3 * DAY;
        let mut input = json!({
            "EndTime": end, "Members": ["one", "two"], "TimeZoneId": "UTC", "Recurrence": daily(), "MaxResults": 1,
        });
        let first = world.ok("ListPreviewRotationShifts", input.clone());
        assert_eq!(first["RotationShifts"][0]["ContactIds"], json!(["one"]));
        world.pass(1);
        input["NextToken"] = first["NextToken"].clone();
        let second = world.ok("ListPreviewRotationShifts", input);
        assert_eq!(second["RotationShifts"][0]["ContactIds"], json!(["two"]));
    }

    #[test]
    fn a_preview_needs_no_rotation_and_takes_any_names() {
        let mut world = World::new();
        let start = world.now.as_second();
        let mut input = json!({
            "RotationStartTime": start, "EndTime": start + 2 * DAY, "Members": ["one", "two"],
            "TimeZoneId": "UTC", "Recurrence": daily(),
            "Overrides": [{ "NewMembers": ["three"], "StartTime": start, "EndTime": start + DAY }],
        });
        let listed = world.ok("ListPreviewRotationShifts", input.clone());
        assert_eq!(
            listed,
            json!({ "RotationShifts": [
                {
                    "ContactIds": ["three"], "StartTime": start, "EndTime": start + DAY, "Type": "OVERRIDDEN",
                    "ShiftDetails": { "OverriddenContactIds": ["one"] },
                },
                { "ContactIds": ["two"], "StartTime": start + DAY, "EndTime": start + 2 * DAY, "Type": "REGULAR" },
            ] })
        );
        input["StartTime"] = (start + DAY).into();
        let listed = world.ok("ListPreviewRotationShifts", input.clone());
        assert_eq!(listed["RotationShifts"].as_array().map(Vec::len), Some(1));
        input["TimeZoneId"] = "PST".into();
        assert_eq!(
            world.code("ListPreviewRotationShifts", input.clone()),
            "ValidationException"
        );
        input["TimeZoneId"] = "UTC".into();
        input["Overrides"] = json!([{ "NewMembers": [] }]);
        assert_eq!(
            world.code("ListPreviewRotationShifts", input),
            "ValidationException"
        );
    }
}
