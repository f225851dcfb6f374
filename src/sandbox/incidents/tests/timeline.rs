//! Timelines and related items.

use serde_json::{Value, json};

use super::{CALLER, World};

fn incident(world: &mut World) -> String {
    let plan = world.plan("checkout");
    world.incident(&plan)
}

fn events(world: &mut World, input: &Value) -> Vec<Value> {
    let answer = world.ok("ListTimelineEvents", input);
    answer["eventSummaries"].as_array().unwrap().clone()
}

fn items(world: &mut World, arn: &str) -> Vec<Value> {
    let answer = world.ok("ListRelatedItems", &json!({ "incidentRecordArn": arn }));
    answer["relatedItems"].as_array().unwrap().clone()
}

fn create(arn: &str, kind: &str, time: f64) -> Value {
    json!({
        "incidentRecordArn": arn,
        "eventType": kind,
        "eventData": "\"seen\"",
        "eventTime": time,
        "eventReferences": [{ "resource": "arn:aws:s3:::bucket" }],
    })
}

fn data(world: &mut World, arn: &str, event: &Value) -> Value {
    let input = json!({ "incidentRecordArn": arn, "eventId": event["eventId"] });
    let event = world.ok("GetTimelineEvent", &input)["event"].clone();
    serde_json::from_str(event["eventData"].as_str().unwrap()).unwrap()
}

#[test]
fn timeline_begins_with_the_start_and_the_parent() {
    let mut world = World::active();
    let arn = incident(&mut world);
    let events = events(&mut world, &json!({ "incidentRecordArn": arn }));
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["eventType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["SSM Incident Record Update", "Custom Event"]);
    assert_eq!(events[1]["eventReferences"], json!([{ "resource": arn }]));
    assert!(events[1].get("eventData").is_none());
    assert_eq!(data(&mut world, &arn, &events[1]), "Incident Started");
    let parent = data(&mut world, &arn, &events[0]);
    assert_eq!(parent["modifiedBy"], CALLER);
    assert_eq!(parent["incidentTitle"], "down");
    let attribute = &parent["modifiedAttributes"][0];
    assert_eq!(attribute["attributeName"], "relatedItems");
    let value: Value = serde_json::from_str(attribute["newValue"].as_str().unwrap()).unwrap();
    assert_eq!(value["itemToAdd"]["identifier"]["type"], "PARENT");
}

#[test]
fn trigger_is_noted_once_for_each_time() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let alarm = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors";
    let details =
        json!({ "source": "aws.cloudwatch", "timestamp": 1_767_225_000.0, "triggerArn": alarm });
    let input = json!({ "responsePlanArn": plan, "triggerDetails": details });
    world.ok("StartIncident", &input);
    let arn = world.ok("StartIncident", &input)["incidentRecordArn"].clone();
    let arn = arn.as_str().unwrap();
    let kind = |kind: &str| {
        let condition = json!({ "equals": { "stringValues": [kind] } });
        let filter = json!({ "key": "eventType", "condition": condition });
        json!({ "incidentRecordArn": arn, "filters": [filter] })
    };
    let triggers = events(&mut world, &kind("SSM Incident Trigger"));
    assert_eq!(triggers.len(), 2);
    assert_eq!(triggers[0]["eventTime"], 1_767_225_000.0);
    let again = data(&mut world, arn, &triggers[0]);
    assert_eq!(again["createdIncident"], false);
    assert_eq!(again["triggerArn"], alarm);
    assert_eq!(data(&mut world, arn, &triggers[1])["createdIncident"], true);
    let starts = events(&mut world, &kind("SSM Incident Start"));
    assert_eq!(starts.len(), 1);
    assert_eq!(data(&mut world, arn, &starts[0])["incidentTitle"], "down");
}

#[test]
fn update_of_the_record_is_an_event() {
    let mut world = World::active();
    let arn = incident(&mut world);
    world.wait(60);
    let update = json!({ "arn": arn, "impact": 5, "status": "RESOLVED", "clientToken": "t" });
    world.ok("UpdateIncidentRecord", &update);
    let events = events(&mut world, &json!({ "incidentRecordArn": arn }));
    assert_eq!(events[0]["eventType"], "SSM Incident Record Update");
    let data = data(&mut world, &arn, &events[0]);
    assert_eq!(
        data["modifiedAttributes"],
        json!([
            { "attributeName": "impact", "newValue": "5" },
            { "attributeName": "status", "newValue": "RESOLVED" },
        ])
    );
    let id = events[0]["eventId"].clone();
    let input = json!({ "incidentRecordArn": arn, "eventId": id, "eventData": "x" });
    let fault = world.fails("UpdateTimelineEvent", &input);
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn event_is_written_changed_and_deleted() {
    let mut world = World::active();
    let arn = incident(&mut world);
    let input = create(&arn, "Note", 1_767_225_000.0);
    let answer = world.ok("CreateTimelineEvent", &input);
    assert_eq!(answer["incidentRecordArn"], arn);
    let id = answer["eventId"].clone();
    let event = json!({ "incidentRecordArn": arn, "eventId": id });
    let read = world.ok("GetTimelineEvent", &event)["event"].clone();
    for member in ["eventData", "eventType", "eventTime", "eventReferences"] {
        assert_eq!(read[member], input[member], "{member}");
    }

    world.wait(60);
    let mut change = event.clone();
    change["eventData"] = json!("\"seen twice\"");
    change["eventReferences"] = json!([]);
    world.ok("UpdateTimelineEvent", &change);
    let changed = world.ok("GetTimelineEvent", &event)["event"].clone();
    assert_eq!(changed["eventData"], "\"seen twice\"");
    assert_eq!(changed["eventType"], "Note");
    assert!(changed.get("eventReferences").is_none());
    assert_ne!(changed["eventUpdatedTime"], read["eventUpdatedTime"]);

    for _ in 0..2 {
        world.ok("DeleteTimelineEvent", &event);
    }
    let fault = world.fails("GetTimelineEvent", &event);
    assert_eq!(fault.code, "ResourceNotFoundException");
    assert_eq!(fault.members["resourceType"], "TIMELINE_EVENT");
}

#[test]
fn callers_write_custom_events_and_notes_only() {
    let mut world = World::active();
    let arn = incident(&mut world);
    let input = create(&arn, "SSM Incident Record Update", 1_767_225_000.0);
    let fault = world.fails("CreateTimelineEvent", &input);
    assert_eq!(fault.code, "ValidationException");
    let input = create(&format!("{arn}0"), "Note", 1_767_225_000.0);
    let fault = world.fails("CreateTimelineEvent", &input);
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[test]
fn events_are_filtered_sorted_and_paged() {
    let mut world = World::active();
    let arn = incident(&mut world);
    for time in [1_000.0, 3_000.0, 2_000.0] {
        world.ok("CreateTimelineEvent", &create(&arn, "Note", time));
    }
    let filter = |key: &str, condition: Value| json!({ "key": key, "condition": condition });
    let note = filter(
        "eventType",
        json!({ "equals": { "stringValues": ["Note"] } }),
    );
    let times = |events: &[Value]| -> Vec<f64> {
        events
            .iter()
            .map(|e| e["eventTime"].as_f64().unwrap())
            .collect()
    };
    let mut input = json!({ "incidentRecordArn": arn, "filters": [note] });
    assert_eq!(
        times(&events(&mut world, &input)),
        [3_000.0, 2_000.0, 1_000.0]
    );
    input["sortBy"] = json!("EVENT_TIME");
    input["sortOrder"] = json!("ASCENDING");
    assert_eq!(
        times(&events(&mut world, &input)),
        [1_000.0, 2_000.0, 3_000.0]
    );
    input["maxResults"] = json!(2);
    let page = world.ok("ListTimelineEvents", &input);
    input["nextToken"] = page["nextToken"].clone();
    assert_eq!(times(&events(&mut world, &input)), [3_000.0]);

    let early = filter("eventTime", json!({ "before": 2_500.0 }));
    let bucket = filter(
        "eventReference",
        json!({ "equals": { "stringValues": ["arn:aws:s3:::bucket"] } }),
    );
    let input = json!({ "incidentRecordArn": arn, "filters": [early, bucket] });
    assert_eq!(times(&events(&mut world, &input)), [2_000.0, 1_000.0]);
    let input = json!({ "incidentRecordArn": arn, "filters": [filter("colour", json!({}))] });
    assert_eq!(
        world.fails("ListTimelineEvents", &input).code,
        "ValidationException"
    );
}

#[test]
fn incident_has_a_parent_and_related_items() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let link = json!({ "type": "OTHER", "value": { "url": "https://example.com/wiki" } });
    let details = json!({
        "source": "com.example",
        "timestamp": 1_767_225_000.0,
        "rawData": r#"{"resources":["arn:aws:s3:::bucket"]}"#,
    });
    let input = json!({
        "responsePlanArn": plan,
        "relatedItems": [{ "identifier": link, "title": "Wiki" }],
        "triggerDetails": details,
    });
    let arn = world.ok("StartIncident", &input)["incidentRecordArn"].clone();
    let items = items(&mut world, arn.as_str().unwrap());
    let kinds: Vec<&str> = items
        .iter()
        .map(|item| item["identifier"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["PARENT", "OTHER", "INVOLVED_RESOURCE"]);
    assert_eq!(items[1]["identifier"], link);
    assert_eq!(items[1]["title"], "Wiki");
    let id = items[1]["generatedId"].as_str().unwrap();
    let digits = id.strip_prefix("related-item/OTHER/").unwrap();
    assert_eq!(digits.len(), 32);
    assert!(
        digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
    );
}

#[test]
fn related_items_are_added_and_removed_by_identifier() {
    let mut world = World::active();
    let arn = incident(&mut world);
    let link = json!({ "type": "METRIC", "value": { "metricDefinition": "{}" } });
    let update = |change: Value| json!({ "incidentRecordArn": arn, "relatedItemsUpdate": change });
    world.ok(
        "UpdateRelatedItems",
        &update(json!({ "itemToAdd": { "identifier": link } })),
    );
    let titled = json!({ "itemToAdd": { "identifier": link, "title": "Errors" } });
    world.ok("UpdateRelatedItems", &update(titled));
    let listed = items(&mut world, &arn);
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["title"], "Errors");
    world.ok(
        "UpdateRelatedItems",
        &update(json!({ "itemToRemove": link })),
    );
    assert_eq!(items(&mut world, &arn).len(), 1);

    let chosen = json!({ "itemToAdd": { "identifier": link, "generatedId": "x" } });
    let fault = world.fails("UpdateRelatedItems", &update(chosen));
    assert_eq!(fault.code, "ValidationException");
}
