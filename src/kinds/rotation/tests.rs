use serde_json::{Value, json};

use super::*;
use crate::model::{AnySpec, Erased};

const KIND: Erased<Rotation> = Erased::new();

fn weeks() -> Value {
    json!({
        "name": "weeks",
        "contacts": [{ "ref": "kayoko" }, { "ref": "bruno" }],
        "timeZoneId": "Asia/Tokyo",
        "startTime": "2026-01-05T09:00:00+09:00",
        "recurrence": {
            "numberOfOnCalls": 1,
            "recurrenceMultiplier": 1,
            "weeklySettings": [
                { "dayOfWeek": "FRI", "handOffTime": "15:57" },
                { "dayOfWeek": "WED", "handOffTime": "04:25" },
            ],
            "shiftCoverages": { "MON": [{ "start": "13:00", "end": "17:00" }, { "start": "09:00", "end": "12:00" }] },
        },
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut spec = weeks();
    *spec.pointer_mut(path).unwrap() = value;
    spec
}

fn findings(spec: &Value) -> Vec<(String, String)> {
    let mut report = Report::default();
    KIND.validate(&KIND.parse(spec).unwrap(), &mut report);
    let found = report.diagnostics.into_iter();
    found.map(|d| (d.code, d.at)).collect()
}

#[test]
fn settings_have_no_order_and_people_have_one() {
    let spec = KIND.parse(&weeks()).unwrap();
    assert_eq!(spec["recurrence"]["weeklySettings"][0]["dayOfWeek"], "WED");
    assert_eq!(
        spec["recurrence"]["shiftCoverages"]["MON"][0]["start"],
        "09:00"
    );
    assert_eq!(spec["contacts"][0]["ref"], "Contact/kayoko");
    assert_eq!(spec["startTime"], "2026-01-05T00:00:00Z");
    assert_eq!(KIND.parse(&spec).unwrap(), spec);
    assert!(findings(&weeks()).is_empty());
}

#[test]
fn one_group_of_settings_is_wanted() {
    let none = with("/recurrence/weeklySettings", json!([]));
    let at = "/recurrence".to_owned();
    assert_eq!(findings(&none), [("bad-recurrence".to_owned(), at.clone())]);
    let mut both = weeks();
    both["recurrence"]["dailySettings"] = json!(["09:00"]);
    assert_eq!(findings(&both), [("bad-recurrence".to_owned(), at)]);
}

#[test]
fn time_zones_are_those_of_the_iana_database() {
    for good in [
        "Europe/Dublin",
        "UTC",
        "America/Los_Angeles",
        "${target.vars.zone}",
    ] {
        assert!(
            findings(&with("/timeZoneId", json!(good))).is_empty(),
            "{good}"
        );
    }
    for bad in ["PST", "asia/tokyo", "Mars/Olympus", ""] {
        let found = findings(&with("/timeZoneId", json!(bad)));
        assert_eq!(
            found,
            [("bad-time-zone".to_owned(), "/timeZoneId".to_owned())],
            "{bad}"
        );
    }
}

#[test]
fn a_day_without_hours_is_refused() {
    let error = KIND
        .parse(&with("/recurrence/shiftCoverages/MON", json!([])))
        .unwrap_err();
    assert!(error.message.contains("MON has no hours"), "{error}");
}

#[test]
fn a_start_that_was_left_out_is_left_alone() {
    let live = KIND.parse(&weeks()).unwrap();
    let mut wanted = weeks();
    wanted.as_object_mut().unwrap().remove("startTime");
    assert_eq!(KIND.settle(&wanted, &live).unwrap(), live);
    assert_eq!(KIND.settle(&live, &live).unwrap(), live);
}

#[test]
fn the_schema_names_every_day() {
    let schema = KIND.schema();
    let coverages = &schema["properties"]["recurrence"]["properties"]["shiftCoverages"];
    assert!(
        coverages["description"]
            .as_str()
            .unwrap()
            .starts_with("The hours")
    );
    assert_eq!(coverages["properties"].as_object().unwrap().len(), 7);
    let hours = &coverages["properties"]["SUN"]["items"];
    assert!(hours["properties"]["end"]["pattern"].is_string());
    assert_eq!(schema["properties"]["contacts"]["maxItems"], 30);
    assert!(!schema.to_string().contains("$ref"));
}
