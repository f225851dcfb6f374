//! Plans that another account shares.

use serde_json::{Value, json};

use super::{ACCOUNT, World};

const OTHER: &str = "444455556666";

/// A world in which the other account has its own replication set, and a plan of the first.
fn two_accounts() -> (World, String) {
    let mut world = World::active();
    let plan = world.plan("checkout");
    world.account = OTHER;
    world.ok(
        "CreateReplicationSet",
        &json!({ "regions": { "eu-west-1": {} } }),
    );
    world.wait(300);
    (world, plan)
}

fn share(world: &mut World, plan: &str) {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "share",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{OTHER}:root") },
            "Action": [
                "ssm-incidents:GetResponsePlan",
                "ssm-incidents:StartIncident",
                "ssm-incidents:UpdateIncidentRecord",
                "ssm-incidents:GetIncidentRecord",
                "ssm-incidents:ListTimelineEvents",
            ],
            "Resource": [
                format!("arn:aws:ssm-incidents:*:{ACCOUNT}:response-plan/checkout"),
                format!("arn:aws:ssm-incidents:*:{ACCOUNT}:incident-record/checkout/*"),
            ],
        }],
    });
    world.account = ACCOUNT;
    let input = json!({ "resourceArn": plan, "policy": policy.to_string() });
    world.ok("PutResourcePolicy", &input);
    world.account = OTHER;
}

fn plans(world: &mut World) -> Vec<Value> {
    let list = world.ok("ListResponsePlans", &json!({}));
    list["responsePlanSummaries"].as_array().unwrap().clone()
}

#[test]
fn plan_of_another_account_is_not_found() {
    let (mut world, plan) = two_accounts();
    for operation in ["GetResponsePlan", "UpdateResponsePlan"] {
        let fault = world.fails(operation, &json!({ "arn": plan }));
        assert_eq!(fault.code, "ResourceNotFoundException");
    }
    let fault = world.fails("StartIncident", &json!({ "responsePlanArn": plan }));
    assert_eq!(fault.code, "ResourceNotFoundException");
    world.ok("DeleteResponsePlan", &json!({ "arn": plan }));
    assert!(plans(&mut world).is_empty());
    world.account = ACCOUNT;
    world.ok("GetResponsePlan", &json!({ "arn": plan }));
}

#[test]
fn shared_plan_is_listed_and_read_but_not_changed() {
    let (mut world, plan) = two_accounts();
    share(&mut world, &plan);
    assert_eq!(plans(&mut world)[0]["arn"], plan);
    let read = world.ok("GetResponsePlan", &json!({ "arn": plan }));
    assert_eq!(read["name"], "checkout");
    let update = json!({ "arn": plan, "displayName": "mine" });
    let fault = world.fails("UpdateResponsePlan", &update);
    assert_eq!(fault.code, "ResourceNotFoundException");
    let tags = json!({ "resourceArn": plan });
    let fault = world.fails("ListTagsForResource", &tags);
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[test]
fn incident_of_a_shared_plan_is_its_owners() {
    let (mut world, plan) = two_accounts();
    share(&mut world, &plan);
    let incident = world.incident(&plan);
    let prefix = format!("arn:aws:ssm-incidents::{ACCOUNT}:incident-record/checkout/");
    assert!(incident.starts_with(&prefix));
    let record = world.ok("GetIncidentRecord", &json!({ "arn": incident }));
    let source = &record["incidentRecord"]["incidentRecordSource"];
    assert_eq!(
        source["createdBy"],
        format!("arn:aws:iam::{OTHER}:user/tester")
    );
    world.ok(
        "UpdateIncidentRecord",
        &json!({ "arn": incident, "impact": 1 }),
    );
    let list = world.ok("ListIncidentRecords", &json!({}));
    assert_eq!(list["incidentRecordSummaries"], json!([]));

    // What the policy does not name is not allowed.
    let items = json!({ "incidentRecordArn": incident });
    let listed = world.ok("ListRelatedItems", &items);
    assert_eq!(listed["relatedItems"], json!([]));
    world.ok("DeleteIncidentRecord", &json!({ "arn": incident }));

    world.account = ACCOUNT;
    let record = world.ok("GetIncidentRecord", &json!({ "arn": incident }));
    assert_eq!(record["incidentRecord"]["impact"], 1);
}
