//! Tags of all three kinds of resources.

use serde_json::{Map, Value, json};

use super::World;

#[test]
fn tags_merge_and_go_by_key() {
    let mut world = World::active();
    let plan = world.plan("checkout");
    let incident = world.incident(&plan);
    let set = world.set();
    for arn in [plan, incident, set] {
        let tag = |tags: Value| json!({ "resourceArn": arn, "tags": tags });
        world.ok("TagResource", &tag(json!({ "a": "1", "b": "" })));
        world.ok("TagResource", &tag(json!({ "a": "2", "c": "3" })));
        world.ok(
            "UntagResource",
            &json!({ "resourceArn": arn, "tagKeys": ["c", "never"] }),
        );
        let tags = world.ok("ListTagsForResource", &json!({ "resourceArn": arn }));
        assert_eq!(tags, json!({ "tags": { "a": "2", "b": "" } }));
    }
}

#[test]
fn resource_carries_fifty_tags() {
    let mut world = World::active();
    let arn = world.plan("checkout");
    let tags: Map<String, Value> = (0..50).map(|n| (format!("k{n}"), json!("v"))).collect();
    world.ok("TagResource", &json!({ "resourceArn": arn, "tags": tags }));
    world.ok(
        "TagResource",
        &json!({ "resourceArn": arn, "tags": { "k0": "w" } }),
    );
    let fault = world.fails(
        "TagResource",
        &json!({ "resourceArn": arn, "tags": { "more": "v" } }),
    );
    assert_eq!(fault.code, "ServiceQuotaExceededException");
    assert_eq!(fault.members["serviceCode"], "ssm-incidents");
}

#[test]
fn tags_need_a_resource_that_is_there() {
    let mut world = World::active();
    let prefix = "arn:aws:ssm-incidents::111122223333:";
    for (resource, kind) in [
        ("response-plan/none", "RESPONSE_PLAN"),
        ("incident-record/none/1", "INCIDENT_RECORD"),
        ("replication-set/none", "REPLICATION_SET"),
    ] {
        let input = json!({ "resourceArn": format!("{prefix}{resource}") });
        let fault = world.fails("ListTagsForResource", &input);
        assert_eq!(fault.code, "ResourceNotFoundException");
        assert_eq!(fault.members["resourceType"], kind);
    }
    let fault = world.fails("ListTagsForResource", &json!({ "resourceArn": "checkout" }));
    assert_eq!(fault.code, "ValidationException");
}
