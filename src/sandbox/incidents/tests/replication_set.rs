//! The replication set: one, pending while somebody watches, and everything with it.

use serde_json::{Value, json};

use super::{CALLER, REGION, World};

fn one_region() -> Value {
    json!({ "regions": { REGION: {} } })
}

fn get(world: &mut World, arn: &str) -> Value {
    let answer = world.ok("GetReplicationSet", &json!({ "arn": arn }));
    answer["replicationSet"].clone()
}

fn add(arn: &str, region: &str) -> Value {
    let add = json!({ "addRegionAction": { "regionName": region } });
    json!({ "arn": arn, "actions": [add] })
}

fn remove(arn: &str, region: &str) -> Value {
    let delete = json!({ "deleteRegionAction": { "regionName": region } });
    json!({ "arn": arn, "actions": [delete] })
}

#[test]
fn set_is_pending_for_as_many_reads_as_set() {
    let mut world = World::fresh();
    world.state.settings.async_reads = 2;
    let arn = world.ok("CreateReplicationSet", &one_region())["arn"].clone();
    let arn = arn.as_str().unwrap();
    assert!(arn.starts_with("arn:aws:ssm-incidents::111122223333:replication-set/"));
    for status in ["CREATING", "CREATING", "ACTIVE", "ACTIVE"] {
        let set = get(&mut world, arn);
        assert_eq!(set["status"], status);
        assert_eq!(set["regionMap"][REGION]["status"], status);
    }
}

#[test]
fn set_reads_back_what_aws_fills_in() {
    let mut world = World::active();
    let arn = world.set();
    let set = get(&mut world, &arn);
    assert_eq!(set["arn"], arn);
    assert_eq!(set["createdBy"], CALLER);
    assert_eq!(set["lastModifiedBy"], CALLER);
    assert_eq!(set["deletionProtected"], false);
    assert_eq!(set["regionMap"][REGION]["sseKmsKeyId"], "DefaultKey");
    assert!(set["createdTime"].is_f64());
    assert!(set["regionMap"][REGION]["statusUpdateDateTime"].is_f64());
}

#[test]
fn time_alone_settles_a_change_too() {
    let mut world = World::fresh();
    world.ok("CreateReplicationSet", &one_region());
    assert!(
        !world.state.accounts["111122223333"]
            .incidents
            .active_in(REGION)
    );
    world.wait(300);
    world.ok("ListReplicationSets", &json!({}));
    assert!(
        world.state.accounts["111122223333"]
            .incidents
            .active_in(REGION)
    );
}

#[test]
fn no_waiting_without_asynchronous_reads() {
    let mut world = World::fresh();
    world.state.settings.async_reads = 0;
    world.ok("CreateReplicationSet", &one_region());
    assert!(
        world.state.accounts["111122223333"]
            .incidents
            .active_in(REGION)
    );
    world.plan("now");
}

#[test]
fn account_has_one_set() {
    let mut world = World::active();
    let fault = world.fails("CreateReplicationSet", &one_region());
    assert_eq!(fault.code, "ConflictException");
    assert_eq!(fault.members["resourceType"], "REPLICATION_SET");
}

#[test]
fn service_is_closed_to_accounts_that_never_had_a_set() {
    let mut world = World::fresh();
    world.state.settings.closed_to_new_customers = true;
    let fault = world.fails("CreateReplicationSet", &one_region());
    assert_eq!(fault.code, "UnsupportedOperationException");
    let list = world.ok("ListReplicationSets", &json!({}));
    assert_eq!(list, json!({ "replicationSetArns": [] }));
}

#[test]
fn set_must_include_the_callers_region() {
    let mut world = World::fresh();
    let fault = world.fails(
        "CreateReplicationSet",
        &json!({ "regions": { "us-east-1": {} } }),
    );
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn set_accepts_only_regions_of_the_service() {
    let mut world = World::fresh();
    let regions = json!({ REGION: {}, "eu-atlantis-1": {} });
    let fault = world.fails("CreateReplicationSet", &json!({ "regions": regions }));
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn keys_are_all_the_customers_or_all_awss() {
    let mut world = World::fresh();
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let mixed = json!({ REGION: { "sseKmsKeyId": key }, "us-east-1": {} });
    let fault = world.fails("CreateReplicationSet", &json!({ "regions": mixed }));
    assert_eq!(fault.code, "ValidationException");
    let literal = json!({ REGION: { "sseKmsKeyId": "DefaultKey" } });
    world.fails("CreateReplicationSet", &json!({ "regions": literal }));

    let own = json!({ REGION: { "sseKmsKeyId": key } });
    world.ok("CreateReplicationSet", &json!({ "regions": own }));
    let arn = world.set();
    assert_eq!(
        get(&mut world, &arn)["regionMap"][REGION]["sseKmsKeyId"],
        key
    );
    world.wait(300);
    let fault = world.fails("UpdateReplicationSet", &add(&arn, "us-east-1"));
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn one_change_at_a_time() {
    let mut world = World::active();
    let arn = world.set();
    world.ok("UpdateReplicationSet", &add(&arn, "us-west-2"));
    let fault = world.fails("UpdateReplicationSet", &remove(&arn, "us-east-1"));
    assert_eq!(fault.code, "ConflictException");
    assert!(fault.members["retryAfter"].is_f64());

    let set = get(&mut world, &arn);
    assert_eq!(set["status"], "UPDATING");
    assert_eq!(set["regionMap"]["us-west-2"]["status"], "CREATING");
    assert_eq!(set["regionMap"][REGION]["status"], "ACTIVE");
    let set = get(&mut world, &arn);
    assert_eq!(set["status"], "ACTIVE");
    assert_eq!(set["regionMap"]["us-west-2"]["status"], "ACTIVE");

    world.ok("UpdateReplicationSet", &remove(&arn, "us-east-1"));
    let set = get(&mut world, &arn);
    assert_eq!(set["regionMap"]["us-east-1"]["status"], "DELETING");
    let set = get(&mut world, &arn);
    assert_eq!(set["status"], "ACTIVE");
    assert!(set["regionMap"].get("us-east-1").is_none());
}

#[test]
fn region_is_served_while_another_one_changes() {
    let mut world = World::active();
    let arn = world.set();
    world.ok("UpdateReplicationSet", &add(&arn, "us-west-2"));
    world.plan("meanwhile");
    let store = &world.state.accounts["111122223333"].incidents;
    assert!(store.active_in(REGION));
    assert!(!store.active_in("us-west-2"));
    assert!(!store.active_in("sa-east-1"));
}

#[test]
fn update_is_exactly_one_action_on_a_region_that_allows_it() {
    let mut world = World::active();
    let arn = world.set();
    for input in [
        json!({ "arn": arn, "actions": [] }),
        add(&arn, REGION),
        add(&arn, "eu-atlantis-1"),
        remove(&arn, "sa-east-1"),
    ] {
        let fault = world.fails("UpdateReplicationSet", &input);
        assert_eq!(fault.code, "ValidationException", "{input}");
    }
    world.ok("UpdateReplicationSet", &add(&arn, "us-west-2"));
    world.wait(300);
    let fault = world.fails("UpdateReplicationSet", &add(&arn, "us-west-1"));
    assert_eq!(fault.code, "ValidationException");
}

#[test]
fn protected_set_keeps_its_last_region() {
    let mut world = World::active();
    let arn = world.set();
    let protect = |on: bool| json!({ "arn": arn, "deletionProtected": on });
    world.ok("UpdateDeletionProtection", &protect(true));
    assert_eq!(get(&mut world, &arn)["deletionProtected"], true);
    // Protection guards the last Region only.
    world.ok("UpdateReplicationSet", &remove(&arn, "us-east-1"));
    world.wait(300);
    let fault = world.fails("UpdateReplicationSet", &remove(&arn, REGION));
    assert_eq!(fault.code, "ValidationException");
    let fault = world.fails("DeleteReplicationSet", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ValidationException");

    world.ok("UpdateDeletionProtection", &protect(false));
    world.ok("UpdateReplicationSet", &remove(&arn, REGION));
    assert_eq!(get(&mut world, &arn)["status"], "DELETING");
    let fault = world.fails("GetReplicationSet", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[test]
fn deleting_the_set_deletes_everything() {
    let mut world = World::active();
    let arn = world.set();
    let plan = world.plan("checkout");
    let incident = world.incident(&plan);
    world.ok("DeleteReplicationSet", &json!({ "arn": arn }));

    assert!(
        !world.state.accounts["111122223333"]
            .incidents
            .active_in(REGION)
    );
    let fault = world.fails("CreateReplicationSet", &one_region());
    assert_eq!(fault.code, "ConflictException");
    assert_eq!(get(&mut world, &arn)["status"], "DELETING");
    world.fails("GetReplicationSet", &json!({ "arn": arn }));
    for (operation, arn) in [("GetResponsePlan", plan), ("GetIncidentRecord", incident)] {
        let fault = world.fails(operation, &json!({ "arn": arn }));
        assert_eq!(fault.code, "ResourceNotFoundException");
    }

    // It was a customer before, so it may come back.
    world.state.settings.closed_to_new_customers = true;
    world.ok("CreateReplicationSet", &one_region());
    world.wait(300);
    let plans = world.ok("ListResponsePlans", &json!({}));
    assert_eq!(plans, json!({ "responsePlanSummaries": [] }));
}

#[test]
fn set_is_unknown_in_other_regions() {
    let mut world = World::active();
    let arn = world.set();
    world.region = "sa-east-1";
    let fault = world.fails("GetReplicationSet", &json!({ "arn": arn }));
    assert_eq!(fault.code, "ResourceNotFoundException");
    let list = world.ok("ListReplicationSets", &json!({}));
    assert_eq!(list, json!({ "replicationSetArns": [] }));
    let plan = json!({ "name": "a", "incidentTemplate": { "title": "a", "impact": 1 } });
    let fault = world.fails("CreateResponsePlan", &plan);
    assert_eq!(fault.code, "ResourceNotFoundException");
}
