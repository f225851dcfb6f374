//! Response plans, their policies, and the tokens of their calls.

use serde_json::{Value, json};

use super::World;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:chat";

/// A plan that uses every member.
fn full() -> Value {
    json!({
        "name": "checkout",
        "displayName": "Banana checkout",
        "incidentTemplate": {
            "title": "checkout down",
            "impact": 2,
            "summary": "Nobody can pay.",
            "dedupeString": "checkout",
            "notificationTargets": [{ "snsTopicArn": TOPIC }],
            "incidentTags": { "service": "checkout", "empty": "no" },
        },
        "chatChannel": { "chatbotSns": [TOPIC] },
        "engagements": ["arn:aws:ssm-contacts:eu-west-1:999999999999:contact/nobody"],
        "actions": [{ "ssmAutomation": {
            "documentName": "Repair",
            "documentVersion": "$DEFAULT",
            "roleArn": "arn:aws:iam::111122223333:role/repair",
            "targetAccount": "RESPONSE_PLAN_OWNER_ACCOUNT",
            "parameters": { "Limit": ["1"] },
            "dynamicParameters": { "Incident": { "variable": "INCIDENT_RECORD_ARN" } },
        } }],
        "integrations": [{ "pagerDutyConfiguration": {
            "name": "pager",
            "secretId": "secret",
            "pagerDutyIncidentConfiguration": { "serviceId": "P1" },
        } }],
        "tags": { "team": "banana" },
    })
}

fn get(world: &mut World, arn: &str) -> Value {
    world.ok("GetResponsePlan", &json!({ "arn": arn }))
}

#[test]
fn plan_reads_back_as_it_was_created() {
    let mut world = World::active();
    let arn = world.ok("CreateResponsePlan", &full())["arn"].clone();
    let expected = "arn:aws:ssm-incidents::111122223333:response-plan/checkout";
    assert_eq!(arn, expected);
    let mut plan = full();
    let members = plan.as_object_mut().unwrap();
    // Tags have their own operation.
    members.remove("tags");
    members.insert("arn".to_owned(), arn);
    assert_eq!(get(&mut world, expected), plan);
    let tags = world.ok("ListTagsForResource", &json!({ "resourceArn": expected }));
    assert_eq!(tags, json!({ "tags": { "team": "banana" } }));
}

#[test]
fn absent_members_are_left_out() {
    let mut world = World::active();
    let arn = world.plan("bare");
    assert_eq!(
        get(&mut world, &arn),
        json!({
            "arn": arn,
            "incidentTemplate": { "impact": 2, "title": "down" },
            "name": "bare",
        })
    );
}

#[test]
fn update_leaves_what_it_omits() {
    let mut world = World::active();
    let arn = world.ok("CreateResponsePlan", &full())["arn"].clone();
    let arn = arn.as_str().unwrap();
    let mut expected = get(&mut world, arn);
    let update = json!({ "arn": arn, "incidentTemplateImpact": 4, "displayName": "Other" });
    assert_eq!(world.ok("UpdateResponsePlan", &update), json!({}));
    expected["incidentTemplate"]["impact"] = json!(4);
    expected["displayName"] = json!("Other");
    assert_eq!(get(&mut world, arn), expected);
}

#[test]
fn update_clears_what_it_empties() {
    let mut world = World::active();
    let arn = world.ok("CreateResponsePlan", &full())["arn"].clone();
    let arn = arn.as_str().unwrap();
    let update = json!({
        "arn": arn,
        "actions": [],
        "chatChannel": { "empty": {} },
        "displayName": "",
        "engagements": [],
        "incidentTemplateDedupeString": "",
        "incidentTemplateNotificationTargets": [],
        "incidentTemplateSummary": "",
        "incidentTemplateTags": {},
        "incidentTemplateTitle": "still down",
        "integrations": [],
    });
    world.ok("UpdateResponsePlan", &update);
    assert_eq!(
        get(&mut world, arn),
        json!({
            "arn": arn,
            "incidentTemplate": { "impact": 2, "title": "still down" },
            "name": "checkout",
        })
    );
}

#[test]
fn name_is_unique_in_the_account() {
    let mut world = World::active();
    world.plan("checkout");
    world.region = "us-east-1";
    let fault = world.fails("CreateResponsePlan", &full());
    assert_eq!(fault.code, "ConflictException");
    assert_eq!(fault.members["resourceType"], "RESPONSE_PLAN");
}

#[test]
fn plan_is_the_same_in_every_region_of_the_set() {
    let mut world = World::active();
    let arn = world.plan("checkout");
    world.region = "us-east-1";
    get(&mut world, &arn);
    world.region = "us-west-2";
    let fault = world.fails("GetResponsePlan", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[test]
fn token_answers_the_same_call_again() {
    let mut world = World::active();
    let mut input = full();
    input["clientToken"] = json!("token");
    let first = world.ok("CreateResponsePlan", &input);
    assert_eq!(world.ok("CreateResponsePlan", &input), first);
    input["name"] = json!("other");
    let fault = world.fails("CreateResponsePlan", &input);
    assert_eq!(fault.code, "ValidationException");

    // Once the plan is gone, the same call makes it again.
    let arn = first["arn"].as_str().unwrap();
    world.ok("DeleteResponsePlan", &json!({ "arn": arn }));
    input["name"] = json!("checkout");
    world.ok("CreateResponsePlan", &input);
    get(&mut world, arn);
}

#[test]
fn token_is_forgotten_after_a_day() {
    let mut world = World::active();
    let arn = world.plan("checkout");
    let update =
        |title: &str| json!({ "arn": arn, "incidentTemplateTitle": title, "clientToken": "t" });
    world.ok("UpdateResponsePlan", &update("a"));
    world.fails("UpdateResponsePlan", &update("b"));
    world.wait(25 * 3600);
    world.ok("UpdateResponsePlan", &update("b"));
}

#[test]
fn nothing_works_before_the_set_is_active() {
    let mut world = World::fresh();
    let fault = world.fails("CreateResponsePlan", &full());
    assert_eq!(fault.code, "ResourceNotFoundException");
    assert_eq!(fault.members["resourceType"], "REPLICATION_SET");
    world.ok(
        "CreateReplicationSet",
        &json!({ "regions": { "eu-west-1": {} } }),
    );
    let fault = world.fails("CreateResponsePlan", &full());
    assert_eq!(fault.code, "ConflictException");
    assert!(fault.members.contains_key("retryAfter"));
}

#[test]
fn reads_of_a_fresh_account_are_empty() {
    let mut world = World::fresh();
    let list = world.ok("ListResponsePlans", &json!({}));
    assert_eq!(list, json!({ "responsePlanSummaries": [] }));
    let list = world.ok("ListIncidentRecords", &json!({}));
    assert_eq!(list, json!({ "incidentRecordSummaries": [] }));
    let arn = "arn:aws:ssm-incidents::111122223333:response-plan/none";
    let fault = world.fails("GetResponsePlan", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ResourceNotFoundException");
    assert_eq!(fault.members["resourceIdentifier"], arn);
}

#[test]
fn missing_plan_is_deleted_without_complaint_but_not_updated() {
    let mut world = World::active();
    let arn = "arn:aws:ssm-incidents::111122223333:response-plan/none";
    assert_eq!(
        world.ok("DeleteResponsePlan", &json!({ "arn": arn })),
        json!({})
    );
    let fault = world.fails("UpdateResponsePlan", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[test]
fn topics_must_be_topics() {
    let mut world = World::active();
    let mut input = full();
    input["chatChannel"] = json!({ "chatbotSns": ["arn:aws:sqs:eu-west-1:111122223333:queue"] });
    let fault = world.fails("CreateResponsePlan", &input);
    assert_eq!(fault.code, "ValidationException");
    let arn = world.plan("checkout");
    let targets = json!([{ "snsTopicArn": "arn:aws:iam::111122223333:role/a" }]);
    let update = json!({ "arn": arn, "incidentTemplateNotificationTargets": targets });
    let fault = world.fails("UpdateResponsePlan", &update);
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn topics_are_of_the_account_of_the_plan_in_any_region() {
    let mut world = World::active();
    let arn = world.plan("other");
    let there = "arn:aws:sns:us-west-2:111122223333:chat";
    let foreign = "arn:aws:sns:eu-west-1:444455556666:chat";
    let chat = |topic: &str| json!({ "chatbotSns": [TOPIC, topic] });
    let targets = |topic: &str| json!([{ "snsTopicArn": topic }]);
    let mut input = full();
    for (chat_topic, target) in [(foreign, there), (there, foreign)] {
        input["chatChannel"] = chat(chat_topic);
        input["incidentTemplate"]["notificationTargets"] = targets(target);
        let fault = world.fails("CreateResponsePlan", &input);
        assert_eq!(fault.code, "ValidationException");
        let update = json!({ "arn": arn, "chatChannel": chat(chat_topic),
            "incidentTemplateNotificationTargets": targets(target) });
        let fault = world.fails("UpdateResponsePlan", &update);
        assert_eq!(fault.code, "ValidationException");
    }
    input["chatChannel"] = chat(there);
    input["incidentTemplate"]["notificationTargets"] = targets(there);
    world.ok("CreateResponsePlan", &input);
}

#[test]
fn pages_show_each_plan_once_though_plans_come_and_go() {
    let mut world = World::active();
    for name in ["d", "b", "a", "c"] {
        world.plan(name);
    }
    let page = world.ok("ListResponsePlans", &json!({ "maxResults": 2 }));
    let names = |page: &Value| -> Vec<String> {
        let plans = page["responsePlanSummaries"].as_array().unwrap();
        let names = plans.iter().map(|p| p["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert_eq!(names(&page), ["a", "b"]);
    let gone = "arn:aws:ssm-incidents::111122223333:response-plan/b";
    world.ok("DeleteResponsePlan", &json!({ "arn": gone }));
    world.plan("aa");
    let token = page["nextToken"].as_str().unwrap();
    let page = world.ok(
        "ListResponsePlans",
        &json!({ "nextToken": token, "maxResults": 2 }),
    );
    assert_eq!(names(&page), ["c", "d"]);
    assert!(page.get("nextToken").is_none());

    let fault = world.fails("ListResponsePlans", &json!({ "nextToken": "guessed" }));
    assert_eq!(fault.code, "ValidationException");
    let fault = world.fails("ListIncidentRecords", &json!({ "nextToken": token }));
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn policies_add_up_and_go_by_id() {
    let mut world = World::active();
    let arn = world.plan("checkout");
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let put = json!({ "resourceArn": arn, "policy": policy });
    let first = world.ok("PutResourcePolicy", &put)["policyId"].clone();
    let second = world.ok("PutResourcePolicy", &put)["policyId"].clone();
    assert_eq!(first.as_str().unwrap().len(), 32);
    assert_ne!(first, second);
    let list = world.ok("GetResourcePolicies", &json!({ "resourceArn": arn }));
    assert_eq!(
        list["resourcePolicies"][0],
        json!({ "policyDocument": policy, "policyId": first, "ramResourceShareRegion": "eu-west-1" })
    );
    let page = json!({ "resourceArn": arn, "maxResults": 1 });
    assert!(world.ok("GetResourcePolicies", &page)["nextToken"].is_string());

    let delete = json!({ "resourceArn": arn, "policyId": first });
    world.ok("DeleteResourcePolicy", &delete);
    let fault = world.fails("DeleteResourcePolicy", &delete);
    assert_eq!(fault.code, "ResourceNotFoundException");
    assert_eq!(fault.members["resourceType"], "RESOURCE_POLICY");
    let list = world.ok("GetResourcePolicies", &json!({ "resourceArn": arn }));
    assert_eq!(list["resourcePolicies"].as_array().unwrap().len(), 1);
}

#[test]
fn policy_must_be_a_policy_on_a_plan() {
    let mut world = World::active();
    let arn = world.plan("checkout");
    for policy in ["not json", "{}"] {
        let fault = world.fails(
            "PutResourcePolicy",
            &json!({ "resourceArn": arn, "policy": policy }),
        );
        assert_eq!(fault.code, "ValidationException");
    }
    let fault = world.fails(
        "PutResourcePolicy",
        &json!({ "resourceArn": format!("{arn}-not"), "policy": "{}" }),
    );
    assert_eq!(fault.code, "ResourceNotFoundException");
}
