//! Tags of contacts and rotations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::{Store, enter, fault, read, write};
use crate::sandbox::{Answer, Call, Fault, Map, Operation, State};

/// How many tags a resource may have.
const MOST: usize = 50;

/// A resource's tags.
pub(super) type Tags = BTreeMap<String, String>;

/// The tag operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("TagResource", tag_resource),
    write("UntagResource", untag_resource),
    read("ListTagsForResource", list_tags),
];

/// Reads a list of tags. The model requires neither member of a tag; the service does.
pub(super) fn parse(list: Option<&Vec<Value>>) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for tag in list.into_iter().flatten() {
        let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) else {
            return Err(fault::field("Tags", "a tag needs a Key and a Value"));
        };
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(fault::field("Tags", format_args!("duplicate key {key}")));
        }
    }
    Ok(tags)
}

/// Finds the tags of a contact or rotation; channels, engagements and pages have none.
fn tags_of<'s>(store: &'s mut Store, call: &Call<'_>) -> Result<(&'s mut Tags, Kind), Fault> {
    let id = call.required("ResourceARN");
    let parts = arn::own(call, id, &[Kind::Contact, Kind::Rotation])?;
    let tags = match parts.kind {
        Kind::Rotation => store.rotations.get_mut(id).map(|r| &mut r.tags),
        _ => store.contacts.get_mut(id).map(|c| &mut c.tags),
    };
    tags.map(|tags| (tags, parts.kind))
        .ok_or_else(|| fault::missing(parts.kind, id))
}

fn tag_resource(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let new = parse(call.list("Tags"))?;
    let (tags, kind) = tags_of(store, call)?;
    let added = new.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + added > MOST {
        return Err(fault::quota(
            "tags-per-resource",
            kind,
            call.required("ResourceARN"),
            format_args!("A resource can have at most {MOST} tags"),
        ));
    }
    tags.extend(new);
    Ok(Map::new())
}

fn untag_resource(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let (tags, _) = tags_of(store, call)?;
    for key in call.strings("TagKeys") {
        tags.remove(&key);
    }
    Ok(Map::new())
}

fn list_tags(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let (tags, _) = tags_of(store, call)?;
    let tags: Vec<Value> = tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok(Map::from_iter([("Tags".to_owned(), Value::Array(tags))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    #[test]
    fn tags_are_added_replaced_and_removed() {
        let mut world = World::new();
        let ana = world.person("ana");
        let rotation = world.rotation("primary", &[&ana]);
        for id in [ana, rotation] {
            let tag = |key: &str, value: &str| json!({ "ResourceARN": id, "Tags": [{ "Key": key, "Value": value }] });
            world.ok("TagResource", tag("team", "a"));
            world.ok("TagResource", tag("env", "prod"));
            world.ok("TagResource", tag("team", "b"));
            world.ok(
                "UntagResource",
                json!({ "ResourceARN": id, "TagKeys": ["env", "never-there"] }),
            );
            let tags = world.ok("ListTagsForResource", json!({ "ResourceARN": id }));
            assert_eq!(tags, json!({ "Tags": [{ "Key": "team", "Value": "b" }] }));
        }
    }

    #[test]
    fn a_resource_has_at_most_fifty_tags() {
        let mut world = World::new();
        let ana = world.person("ana");
        let tags = |from: usize, to: usize| {
            let tags: Vec<_> = (from..to)
                .map(|n| json!({ "Key": format!("k{n}"), "Value": "v" }))
                .collect();
            json!({ "ResourceARN": ana, "Tags": tags })
        };
        world.ok("TagResource", tags(0, 50));
        world.ok("TagResource", tags(40, 50));
        let (code, members) = world.fault("TagResource", tags(50, 51));
        assert_eq!(code, "ServiceQuotaExceededException");
        assert!(members.contains_key("QuotaCode") && members.contains_key("ServiceCode"));
    }

    #[test]
    fn a_tag_has_a_key_and_a_value_and_a_resource_that_can_have_tags() {
        let mut world = World::new();
        let ana = world.person("ana");
        let channel = world.channel(&ana, "mail", "ana@example.com");
        for bad in [
            json!({ "ResourceARN": ana, "Tags": [{ "Key": "k" }] }),
            json!({ "ResourceARN": ana, "Tags": [{ "Value": "v" }] }),
            json!({ "ResourceARN": ana, "Tags": [{ "Key": "k", "Value": "1" }, { "Key": "k", "Value": "2" }] }),
            json!({ "ResourceARN": channel, "Tags": [] }),
            json!({ "ResourceARN": "ana", "Tags": [] }),
        ] {
            assert_eq!(world.code("TagResource", bad), "ValidationException");
        }
        let missing =
            json!({ "ResourceARN": "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody" });
        assert_eq!(
            world.code("ListTagsForResource", missing),
            "ResourceNotFoundException"
        );
    }
}
