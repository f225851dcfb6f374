//! Incidents from their start to their end.

use serde_json::{Value, json};

use super::{CALLER, World};
use crate::sandbox::contacts;

const ALARM: &str = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors";

fn get(world: &mut World, arn: &str) -> Value {
    let answer = world.ok("GetIncidentRecord", &json!({ "arn": arn }));
    answer["incidentRecord"].clone()
}

fn plan(world: &mut World, template: &Value) -> String {
    let input = json!({ "name": "checkout", "incidentTemplate": template });
    let answer = world.ok("CreateResponsePlan", &input);
    answer["arn"].as_str().unwrap().to_owned()
}

fn start(world: &mut World, input: &Value) -> String {
    let answer = world.ok("StartIncident", input);
    answer["incidentRecordArn"].as_str().unwrap().to_owned()
}

fn list(world: &mut World, filters: &Value) -> Vec<String> {
    let answer = world.ok("ListIncidentRecords", &json!({ "filters": filters }));
    let records = answer["incidentRecordSummaries"].as_array().unwrap();
    let arns = records
        .iter()
        .map(|r| r["arn"].as_str().unwrap().to_owned());
    arns.collect()
}

#[test]
fn incident_begins_as_its_plan_says() {
    let mut world = World::active();
    let topic = "arn:aws:sns:eu-west-1:111122223333:updates";
    let plan = plan(
        &mut world,
        &json!({
            "title": "checkout down",
            "impact": 2,
            "summary": "Nobody can pay.",
            "notificationTargets": [{ "snsTopicArn": topic }],
            "incidentTags": { "service": "checkout" },
        }),
    );
    let arn = world.incident(&plan);
    assert!(arn.starts_with("arn:aws:ssm-incidents::111122223333:incident-record/checkout/"));
    let record = get(&mut world, &arn);
    assert_eq!(record["title"], "checkout down");
    assert_eq!(record["impact"], 2);
    assert_eq!(record["summary"], "Nobody can pay.");
    assert_eq!(record["status"], "OPEN");
    assert_eq!(record["automationExecutions"], json!([]));
    assert_eq!(
        record["notificationTargets"],
        json!([{ "snsTopicArn": topic }])
    );
    assert_eq!(
        record["incidentRecordSource"],
        json!({ "createdBy": CALLER, "source": "aws.ssm-incidents.custom" })
    );
    assert_eq!(record["dedupeString"].as_str().unwrap().len(), 36);
    assert!(record.get("chatChannel").is_none());
    assert!(record.get("resolvedTime").is_none());
    let tags = world.ok("ListTagsForResource", &json!({ "resourceArn": arn }));
    assert_eq!(tags, json!({ "tags": { "service": "checkout" } }));
}

#[test]
fn call_overrides_the_plans_title_and_impact() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let input = json!({ "responsePlanArn": plan, "title": "worse", "impact": 1 });
    let arn = start(&mut world, &input);
    let record = get(&mut world, &arn);
    assert_eq!(record["title"], "worse");
    assert_eq!(record["impact"], 1);
}

#[test]
fn same_dedupe_string_folds_into_the_open_incident() {
    let mut world = World::active();
    let plan = plan(
        &mut world,
        &json!({ "title": "down", "impact": 2, "dedupeString": "checkout" }),
    );
    let first = world.incident(&plan);
    assert_eq!(world.incident(&plan), first);
    assert_eq!(get(&mut world, &first)["dedupeString"], "checkout");
    world.ok(
        "UpdateIncidentRecord",
        &json!({ "arn": first, "status": "RESOLVED" }),
    );
    assert_ne!(world.incident(&plan), first);
}

#[test]
fn manual_incidents_without_a_string_never_fold() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    assert_ne!(world.incident(&plan), world.incident(&plan));
}

#[test]
fn incidents_of_one_alarm_fold_without_a_string() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let details =
        json!({ "source": "aws.cloudwatch", "timestamp": 1_767_225_000.0, "triggerArn": ALARM });
    let input = json!({ "responsePlanArn": plan, "triggerDetails": details });
    let first = start(&mut world, &input);
    assert_eq!(start(&mut world, &input), first);
    let source = get(&mut world, &first)["incidentRecordSource"].clone();
    assert_eq!(source["source"], "aws.cloudwatch");
    assert_eq!(source["resourceArn"], ALARM);
    assert_eq!(source["invokedBy"], "cloudwatch.amazonaws.com");
}

#[test]
fn sources_of_aws_are_reserved() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let details = |source: &str| {
        let details = json!({ "source": source, "timestamp": 1_767_225_000.0 });
        json!({ "responsePlanArn": plan, "triggerDetails": details })
    };
    let fault = world.fails("StartIncident", &details("aws.mine"));
    assert_eq!(fault.code, "ValidationException");
    start(&mut world, &details("com.example.monitor"));
}

#[test]
fn incident_needs_its_plan() {
    let mut world = World::active();
    let plan = "arn:aws:ssm-incidents::111122223333:response-plan/none";
    let fault = world.fails("StartIncident", &json!({ "responsePlanArn": plan }));
    assert_eq!(fault.code, "ResourceNotFoundException");
    assert_eq!(fault.members["resourceType"], "RESPONSE_PLAN");
}

#[test]
fn token_starts_one_incident() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let input = json!({ "responsePlanArn": plan, "clientToken": "once" });
    let first = start(&mut world, &input);
    assert_eq!(start(&mut world, &input), first);
}

#[test]
fn update_changes_what_it_sends_and_notes_who() {
    let mut world = World::active();
    let plan = plan(
        &mut world,
        &json!({ "title": "down", "impact": 2, "summary": "s" }),
    );
    let arn = world.incident(&plan);
    world.wait(60);
    let topic = "arn:aws:sns:eu-west-1:111122223333:chat";
    let update = json!({
        "arn": arn,
        "impact": 4,
        "summary": "",
        "chatChannel": { "chatbotSns": [topic] },
    });
    world.ok("UpdateIncidentRecord", &update);
    let record = get(&mut world, &arn);
    assert_eq!(record["title"], "down");
    assert_eq!(record["impact"], 4);
    assert!(record.get("summary").is_none());
    assert_eq!(record["chatChannel"], json!({ "chatbotSns": [topic] }));
    assert_ne!(record["lastModifiedTime"], record["creationTime"]);
}

#[test]
fn resolved_incident_says_when() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let arn = world.incident(&plan);
    world.wait(60);
    let resolve = json!({ "arn": arn, "status": "RESOLVED" });
    world.ok("UpdateIncidentRecord", &resolve);
    let first = get(&mut world, &arn);
    assert_eq!(first["status"], "RESOLVED");
    assert!(first["resolvedTime"].is_f64());
    world.wait(60);
    world.ok("UpdateIncidentRecord", &resolve);
    let again = get(&mut world, &arn);
    assert_eq!(again["resolvedTime"], first["resolvedTime"]);
}

#[test]
fn missing_incident_is_deleted_without_complaint() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let arn = world.incident(&plan);
    for _ in 0..2 {
        world.ok("DeleteIncidentRecord", &json!({ "arn": arn }));
    }
    let fault = world.fails("GetIncidentRecord", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ResourceNotFoundException");
    let fault = world.fails("UpdateIncidentRecord", &json!({ "arn": arn }));
    assert_eq!(fault.members["resourceType"], "INCIDENT_RECORD");
}

#[test]
fn incident_outlives_its_plan() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let arn = world.incident(&plan);
    world.ok("DeleteResponsePlan", &json!({ "arn": plan }));
    get(&mut world, &arn);
}

#[test]
fn filters_are_anded_and_their_values_ored() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let mut arns = Vec::new();
    for impact in 1..=3 {
        let input = json!({ "responsePlanArn": plan, "impact": impact });
        arns.push(start(&mut world, &input));
        world.wait(60);
    }
    world.ok(
        "UpdateIncidentRecord",
        &json!({ "arn": arns[0], "status": "RESOLVED" }),
    );
    let filter = |key: &str, condition: Value| json!({ "key": key, "condition": condition });
    let impacts = filter("impact", json!({ "equals": { "integerValues": [1, 2] } }));
    let open = filter("status", json!({ "equals": { "stringValues": ["OPEN"] } }));

    // The newest incident comes first.
    let newest: Vec<String> = arns.iter().rev().cloned().collect();
    assert_eq!(list(&mut world, &json!([])), newest);
    assert_eq!(list(&mut world, &json!([impacts])), newest[1..]);
    assert_eq!(list(&mut world, &json!([impacts, open])), newest[1..2]);

    let created = get(&mut world, &arns[1])["creationTime"].clone();
    let after = filter("creationTime", json!({ "after": created }));
    assert_eq!(list(&mut world, &json!([after])), newest[..1]);
    let before = filter("creationTime", json!({ "before": created }));
    assert_eq!(list(&mut world, &json!([before])), newest[2..]);
    let mine = filter(
        "createdBy",
        json!({ "equals": { "stringValues": [CALLER] } }),
    );
    assert_eq!(list(&mut world, &json!([mine])), newest);
    let others = filter("createdBy", json!({ "equals": { "stringValues": ["x"] } }));
    assert_eq!(list(&mut world, &json!([others])), [""; 0]);
}

#[test]
fn filter_must_fit_its_key() {
    let mut world = World::active();
    for filter in [
        json!({ "key": "title", "condition": { "equals": { "stringValues": ["a"] } } }),
        json!({ "key": "impact", "condition": { "equals": { "stringValues": ["1"] } } }),
        json!({ "key": "creationTime", "condition": { "equals": { "integerValues": [1] } } }),
    ] {
        let fault = world.fails("ListIncidentRecords", &json!({ "filters": [filter] }));
        assert_eq!(fault.code, "ValidationException");
    }
}

#[test]
fn incidents_come_in_pages() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    for _ in 0..5 {
        world.incident(&plan);
    }
    let mut seen = 0;
    let mut input = json!({ "maxResults": 2 });
    loop {
        let page = world.ok("ListIncidentRecords", &input);
        seen += page["incidentRecordSummaries"].as_array().unwrap().len();
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(seen, 5);
}

#[test]
fn findings_are_none() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let arn = world.incident(&plan);
    let input = json!({ "incidentRecordArn": arn });
    assert_eq!(
        world.ok("ListIncidentFindings", &input),
        json!({ "findings": [] })
    );
    let input = json!({ "incidentRecordArn": arn, "findingIds": ["f-1"] });
    let answer = world.ok("BatchGetIncidentFindings", &input);
    assert_eq!(answer["findings"], json!([]));
    assert_eq!(answer["errors"][0]["findingId"], "f-1");
    let input = json!({ "incidentRecordArn": format!("{arn}0") });
    let fault = world.fails("ListIncidentFindings", &input);
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[test]
fn incident_engages_the_contacts_that_are_there() {
    let mut world = World::active();
    let contact = json!({ "Alias": "kayoko", "Type": "PERSONAL", "Plan": { "Stages": [] } });
    let contact = world
        .call_of(contacts::OPERATIONS, "CreateContact", &contact)
        .unwrap();
    let contact = contact["ContactArn"].as_str().unwrap();
    let gone = contact.replace("kayoko", "nobody");
    let plan = json!({
        "name": "checkout",
        "incidentTemplate": { "title": "down", "impact": 2, "summary": "Nobody can pay." },
        "engagements": [contact, gone],
    });
    let plan = world.ok("CreateResponsePlan", &plan)["arn"].clone();
    let arn = world.incident(plan.as_str().unwrap());

    let input = json!({ "IncidentId": arn });
    let list = world.call_of(contacts::OPERATIONS, "ListEngagements", &input);
    let list = list.unwrap()["Engagements"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["ContactArn"], contact);
    let input = json!({ "EngagementId": list[0]["EngagementArn"] });
    let engagement = world
        .call_of(contacts::OPERATIONS, "DescribeEngagement", &input)
        .unwrap();
    assert_eq!(engagement["Subject"], "down");
    assert_eq!(engagement["Content"], "Nobody can pay.");

    let kind = json!({ "equals": { "stringValues": ["SSM Contacts Page for Incident"] } });
    let filter = json!({ "key": "eventType", "condition": kind });
    let input = json!({ "incidentRecordArn": arn, "filters": [filter] });
    let events = world.ok("ListTimelineEvents", &input);
    assert_eq!(events["eventSummaries"].as_array().unwrap().len(), 1);
}

#[test]
fn the_plans_runbook_is_started_or_its_failure_noted() {
    let mut world = World::active();
    let mut plan = |name: &str, document: &str| {
        let automation = json!({
            "roleArn": "arn:aws:iam::111122223333:role/runbooks",
            "documentName": document,
        });
        let input = json!({
            "name": name,
            "incidentTemplate": { "title": "down", "impact": 2 },
            "actions": [{ "ssmAutomation": automation }],
        });
        let arn = world.ok("CreateResponsePlan", &input)["arn"].clone();
        let incident = world.incident(arn.as_str().unwrap());
        get(&mut world, &incident)["automationExecutions"].clone()
    };
    let started = plan("known", "AWSIncidents-CriticalIncidentRunbookTemplate");
    let arn = started[0]["ssmExecutionArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:ssm:eu-west-1:111122223333:automation-execution/"));
    assert_eq!(plan("unknown", "no-such-runbook"), json!([]));
}
