use serde_json::{Value, json};

use super::super::testing::{ACCOUNT, World, text};
use super::*;

fn engage(world: &mut World, contact: &str) -> String {
    let input = json!({ "ContactId": contact, "Sender": "me", "Subject": "s", "Content": "c" });
    text(&world.ok("StartEngagement", input)["EngagementArn"])
}

fn target(contact: &str, essential: bool) -> Value {
    json!({ "ContactTargetInfo": { "ContactId": contact, "IsEssential": essential } })
}

fn stage(minutes: i64, targets: &[Value]) -> Value {
    json!({ "DurationInMinutes": minutes, "Targets": targets })
}

/// Writes the pages of an engagement as `minute alias`, in the order in which they were sent.
fn pages(world: &mut World, engagement: &str, start: Timestamp) -> Vec<String> {
    let input = json!({ "EngagementId": engagement, "MaxResults": 2 });
    let listed = world.all("ListPagesByEngagement", "Pages", input);
    let line = |page: &Value| {
        let minute = (page["SentTime"].as_i64().unwrap() - start.as_second()) / 60;
        let contact = text(&page["ContactArn"]);
        (minute, contact.rsplit('/').next().unwrap().to_owned())
    };
    // Those of one moment have no order among them but that of their ids.
    let mut lines: Vec<(i64, String)> = listed.iter().map(line).collect();
    lines.sort();
    lines
        .into_iter()
        .map(|(minute, who)| format!("{minute} {who}"))
        .collect()
}

/// Acknowledges the latest page to a contact.
fn acknowledge(world: &mut World, contact: &str) {
    let listed = world.all(
        "ListPagesByContact",
        "Pages",
        json!({ "ContactId": contact }),
    );
    let page = &listed.last().unwrap()["PageArn"];
    let input = json!({ "PageId": page, "AcceptType": "READ", "AcceptCode": "000000", "AcceptCodeValidation": "IGNORE" });
    world.ok("AcceptPage", input);
}

/// A escalates to B after 5 minutes and to C after 15.
fn three(world: &mut World, essential: bool) -> (String, [String; 3]) {
    let people = [
        world.reachable("a"),
        world.reachable("b"),
        world.reachable("c"),
    ];
    let plan = json!({ "Stages": [
        stage(5, &[target(&people[0], essential)]),
        stage(10, &[target(&people[1], false)]),
        stage(0, &[target(&people[2], false)]),
    ] });
    (world.contact("esc", "ESCALATION", plan), people)
}

#[test]
fn a_person_is_paged_stage_by_stage() {
    let mut world = World::new();
    let ana = world.reachable("ana");
    let start = world.now;
    let engagement = engage(&mut world, &ana);
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana"]);
    world.pass(4);
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana"]);
    world.pass(1);
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana", "5 ana"]);
    world.pass(1000);
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana", "5 ana"]);
}

#[test]
fn stages_begin_one_after_the_other_however_seldom_somebody_looks() {
    let mut world = World::new();
    let (esc, _) = three(&mut world, true);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(60);
    assert_eq!(
        pages(&mut world, &engagement, start),
        ["0 a", "5 a", "5 b", "10 b", "15 c", "20 c"]
    );
}

#[test]
fn an_essential_acknowledgement_stops_the_plan() {
    let mut world = World::new();
    let (esc, people) = three(&mut world, true);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(4);
    acknowledge(&mut world, &people[0]);
    world.pass(60);
    assert_eq!(pages(&mut world, &engagement, start), ["0 a"]);
}

#[test]
fn an_essential_acknowledgement_between_stages_spares_the_later_ones() {
    let mut world = World::new();
    let (esc, people) = three(&mut world, true);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(14);
    acknowledge(&mut world, &people[0]);
    world.pass(60);
    assert_eq!(
        pages(&mut world, &engagement, start),
        ["0 a", "5 a", "5 b", "10 b"]
    );
}

#[test]
fn another_acknowledgement_only_stops_the_pages_to_that_person() {
    let mut world = World::new();
    let (esc, people) = three(&mut world, false);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(1);
    acknowledge(&mut world, &people[0]);
    world.pass(60);
    assert_eq!(
        pages(&mut world, &engagement, start),
        ["0 a", "5 b", "10 b", "15 c", "20 c"]
    );
}

#[test]
fn channels_that_are_not_activated_or_gone_are_skipped() {
    let mut world = World::new();
    let ana = world.person("ana");
    let ids = ["one", "two", "three"]
        .map(|name| world.channel(&ana, name, &format!("{name}@example.com")));
    world.activate(&ids[1]);
    world.activate(&ids[2]);
    let targets = ids
        .clone()
        .map(|id| json!({ "ChannelTargetInfo": { "ContactChannelId": id } }));
    let plan = json!({ "Stages": [stage(5, &targets), stage(0, &targets)] });
    world.ok("UpdateContact", json!({ "ContactId": ana, "Plan": plan }));
    world.ok(
        "DeleteContactChannel",
        json!({ "ContactChannelId": ids[2] }),
    );
    let start = world.now;
    let engagement = engage(&mut world, &ana);
    world.pass(4);
    // Activated before the second stage, and after the first.
    world.activate(&ids[0]);
    world.pass(10);
    assert_eq!(
        pages(&mut world, &engagement, start),
        ["0 ana", "5 ana", "5 ana"]
    );
}

#[test]
fn a_change_does_not_reach_back_before_it_was_made() {
    let mut world = World::new();
    let ana = world.reachable("ana");
    let start = world.now;
    let engagement = engage(&mut world, &ana);
    world.pass(6);
    // Nobody has looked since minute 0; the page of minute 5 was sent all the same.
    let plan = world.ok("GetContact", json!({ "ContactId": ana }))["Plan"].clone();
    let channel = &plan["Stages"][0]["Targets"][0]["ChannelTargetInfo"]["ContactChannelId"];
    world.ok(
        "DeactivateContactChannel",
        json!({ "ContactChannelId": channel }),
    );
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana", "5 ana"]);
}

#[test]
fn a_schedule_engages_who_is_on_call_when_it_is_engaged() {
    let mut world = World::new();
    let (ana, bo) = (world.reachable("ana"), world.reachable("bo"));
    let primary = world.rotation("primary", &[&ana, &bo]);
    let second = world.rotation("second", &[&ana]);
    let plan = json!({ "RotationIds": [primary, second] });
    let days = world.contact("days", "ONCALL_SCHEDULE", plan);
    let esc = json!({ "Stages": [stage(0, &[target(&days, true)])] });
    let esc = world.contact("esc", "ESCALATION", esc);
    // Two minutes before the hand-off to Bo; Ana is in both rotations and is paged once.
    world.pass(24 * 60 - 2);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(60);
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana", "5 ana"]);
    let later = world.now;
    let engagement = engage(&mut world, &days);
    assert_eq!(pages(&mut world, &engagement, later), ["0 ana", "0 bo"]);
}

#[test]
fn the_way_to_a_page_is_told_from_the_plan_to_the_person() {
    let mut world = World::new();
    let ana = world.reachable("ana");
    let primary = world.rotation("primary", &[&ana]);
    let days = world.contact(
        "days",
        "ONCALL_SCHEDULE",
        json!({ "RotationIds": [primary] }),
    );
    let esc = json!({ "Stages": [stage(5, &[]), stage(0, &[target(&days, true)])] });
    let esc = world.contact("esc", "ESCALATION", esc);
    let engagement = engage(&mut world, &esc);
    world.pass(5);
    let listed = world.ok(
        "ListPagesByEngagement",
        json!({ "EngagementId": engagement }),
    );
    let page = json!({ "PageId": listed["Pages"][0]["PageArn"] });
    assert_eq!(
        world.ok("ListPageResolutions", page),
        json!({ "PageResolutions": [
            { "ContactArn": esc, "Type": "ESCALATION" },
            { "ContactArn": days, "Type": "ONCALL_SCHEDULE", "StageIndex": 1 },
            { "ContactArn": ana, "Type": "PERSONAL" },
        ] })
    );
}

#[test]
fn an_acknowledgement_through_a_schedule_counts_for_the_schedule() {
    let mut world = World::new();
    let (ana, bo) = (world.reachable("ana"), world.reachable("bo"));
    let primary = world.rotation("primary", &[&ana]);
    let days = world.contact(
        "days",
        "ONCALL_SCHEDULE",
        json!({ "RotationIds": [primary] }),
    );
    let esc =
        json!({ "Stages": [stage(5, &[target(&days, true)]), stage(0, &[target(&bo, false)])] });
    let esc = world.contact("esc", "ESCALATION", esc);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(1);
    acknowledge(&mut world, &ana);
    world.pass(60);
    assert_eq!(pages(&mut world, &engagement, start), ["0 ana"]);
}

#[test]
fn a_stopped_engagement_engages_nobody_else() {
    let mut world = World::new();
    let (esc, _) = three(&mut world, true);
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(1);
    world.ok(
        "StopEngagement",
        json!({ "EngagementId": engagement, "Reason": "false alarm" }),
    );
    let stopped = world.now.as_second();
    world.pass(60);
    // Again, and nothing happens.
    world.ok("StopEngagement", json!({ "EngagementId": engagement }));
    assert_eq!(pages(&mut world, &engagement, start), ["0 a"]);
    let shown = world.ok("DescribeEngagement", json!({ "EngagementId": engagement }));
    assert_eq!(shown["StopTime"], stopped);
    let listed = world.ok(
        "ListPagesByEngagement",
        json!({ "EngagementId": engagement }),
    );
    let page = json!({ "PageId": listed["Pages"][0]["PageArn"] });
    let receipts = world.ok("ListPageReceipts", page)["Receipts"].clone();
    assert_eq!(receipts[1]["ReceiptType"], "STOP");
    assert_eq!(receipts[1]["ReceiptInfo"], "false alarm");
    assert_eq!(receipts.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_target_that_is_gone_is_skipped() {
    let mut world = World::new();
    let (esc, people) = three(&mut world, true);
    world.ok("DeleteContact", json!({ "ContactId": people[0] }));
    let start = world.now;
    let engagement = engage(&mut world, &esc);
    world.pass(60);
    assert_eq!(
        pages(&mut world, &engagement, start),
        ["5 b", "10 b", "15 c", "20 c"]
    );
}

#[test]
fn plans_that_came_to_name_each_other_end() {
    let mut world = World::new();
    let ana = world.person("ana");
    let esc = json!({ "Stages": [stage(0, &[target(&ana, true)])] });
    let esc = world.contact("esc", "ESCALATION", esc);
    world.ok("DeleteContact", json!({ "ContactId": ana }));
    world.ok("DeleteContact", json!({ "ContactId": esc }));
    let esc = world.person("esc");
    let ana = json!({ "Stages": [stage(0, &[target(&esc, true)])] });
    let ana = world.contact("ana", "ESCALATION", ana);
    world.ok("DeleteContact", json!({ "ContactId": esc }));
    // The dangling name in ana's plan comes to life as a plan that names nobody but itself.
    world.contact("esc", "ESCALATION", json!({}));
    let engagement = engage(&mut world, &ana);
    world.pass(60);
    let now = world.now;
    assert!(pages(&mut world, &engagement, now).is_empty());
}

#[test]
fn an_incident_engages_what_exists_and_nothing_else() {
    let mut world = World::new();
    let ana = world.reachable("ana");
    let incident = "arn:aws:ssm-incidents::111122223333:incident-record/plan/1";
    let now = world.now;
    let mut rng = <rand::rngs::SmallRng as rand::SeedableRng>::seed_from_u64(1);
    let store = &mut world.state.account(ACCOUNT).contacts;
    let mut engage = |contact: &str| {
        super::super::engage(
            store,
            ACCOUNT,
            contact,
            Some(incident),
            "down",
            "all of it",
            "arn:plan",
            now,
            &mut rng,
        )
    };
    assert_eq!(
        engage("arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody"),
        None
    );
    assert_eq!(
        engage("arn:aws:ssm-contacts:eu-west-1:999988887777:contact/ana"),
        None
    );
    let engagement = engage(&ana).unwrap();
    let shown = world.ok("DescribeEngagement", json!({ "EngagementId": engagement }));
    assert_eq!(
        (&shown["IncidentId"], &shown["Subject"]),
        (&json!(incident), &json!("down"))
    );
    assert_eq!(pages(&mut world, &engagement, now), ["0 ana"]);
    let listed = world.ok("ListEngagements", json!({ "IncidentId": incident }));
    assert_eq!(listed["Engagements"].as_array().map(Vec::len), Some(1));
}
