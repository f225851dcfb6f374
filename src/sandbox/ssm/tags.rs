//! Tags of documents, parameters, patch baselines, maintenance windows, associations and automations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Store, invalid, members, operations, put};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// Tags by their keys.
pub(super) type Tags = BTreeMap<String, String>;

/// How many tags one resource can have.
const MOST: usize = 50;

operations! {
    Write "AddTagsToResource" => add,
    Write "RemoveTagsFromResource" => remove,
    Read "ListTagsForResource" => list,
}

fn add(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = state.ssm(call.account, call.region);
    let (kind, id) = resource(store, call)?;
    let new = sent(call)?;
    let tags = store.tags.entry(kind).or_default().entry(id).or_default();
    let kept = tags.keys().filter(|key| !new.contains_key(*key)).count();
    if kept + new.len() > MOST {
        return Err(too_many());
    }
    tags.extend(new);
    Ok(Map::new())
}

fn remove(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = state.ssm(call.account, call.region);
    let (kind, id) = resource(store, call)?;
    let keys = call.strings("TagKeys");
    if keys.iter().any(|key| is_reserved(key)) {
        return Err(reserved());
    }
    if let Some(tags) = store.tags.get_mut(&kind).and_then(|ids| ids.get_mut(&id)) {
        tags.retain(|key, _| !keys.contains(key));
    }
    Ok(Map::new())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = state.ssm(call.account, call.region);
    let (kind, id) = resource(store, call)?;
    Ok(members(json!({ "TagList": shown(store, &kind, &id) })))
}

/// Finds the resource that a tag operation names.
fn resource(store: &Store, call: &Call<'_>) -> Result<(String, String), Fault> {
    let kind = call.required("ResourceType").to_owned();
    let id = call.required("ResourceId").to_owned();
    let exists = match kind.as_str() {
        "Document" => store.documents.contains_key(&id),
        "Parameter" => store.parameters.contains_key(&id),
        "PatchBaseline" => store.patch.owns(&id),
        "Automation" => store.automations.contains(&id),
        "MaintenanceWindow" => store.windows.contains(&id),
        "Association" => store.associations.contains_key(&id),
        // The other resource types cannot be made here, so that no id of theirs is known.
        _ => false,
    };
    if exists {
        Ok((kind, id))
    } else {
        Err(Fault::new(
            "InvalidResourceId",
            "The resource ID is not valid. Verify that you entered the correct ID and try again.",
        ))
    }
}

/// Reads the `Tags` of a request and checks them.
pub(super) fn sent(call: &Call<'_>) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for tag in call.list("Tags").into_iter().flatten() {
        let text = |member: &str| tag.get(member).and_then(Value::as_str).unwrap_or_default();
        let key = text("Key").to_owned();
        if is_reserved(&key) {
            return Err(reserved());
        }
        if tags.insert(key.clone(), text("Value").to_owned()).is_some() {
            return Err(invalid(format!(
                "Duplicate tag key '{key}' found in the request."
            )));
        }
    }
    if tags.len() > MOST {
        return Err(too_many());
    }
    Ok(tags)
}

/// Sets the tags of something just created.
pub(super) fn set(store: &mut Store, kind: &str, id: &str, tags: Tags) {
    let ids = store.tags.entry(kind.to_owned()).or_default();
    if tags.is_empty() {
        ids.remove(id);
    } else {
        ids.insert(id.to_owned(), tags);
    }
}

/// Forgets the tags of something deleted, and returns whether there were any.
pub(super) fn forget(store: &mut Store, kind: &str, id: &str) -> bool {
    store
        .tags
        .get_mut(kind)
        .and_then(|ids| ids.remove(id))
        .is_some_and(|tags| !tags.is_empty())
}

/// Returns the tags of a resource.
pub(super) fn of<'s>(store: &'s Store, kind: &str, id: &str) -> Option<&'s Tags> {
    store.tags.get(kind)?.get(id)
}

/// Returns the tags of a resource as answers carry them.
pub(super) fn shown(store: &Store, kind: &str, id: &str) -> Value {
    of(store, kind, id)
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let mut tag = Map::new();
            put(&mut tag, "Key", Some(key.as_str()));
            put(&mut tag, "Value", Some(value.as_str()));
            Value::Object(tag)
        })
        .collect()
}

fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

fn reserved() -> Fault {
    invalid("aws: prefixed tag key names are not allowed for external use.")
}

fn too_many() -> Fault {
    Fault::new(
        "TooManyTagsError",
        format!("A resource can have a maximum of {MOST} tags."),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::ssm::testing::Aws;

    fn with_parameter() -> Aws {
        let mut aws = Aws::new();
        aws.ok(
            "PutParameter",
            json!({ "Name": "/a/b", "Value": "1", "Type": "String" }),
        );
        aws
    }

    fn input(member: &str, value: &Value) -> Value {
        json!({ "ResourceType": "Parameter", "ResourceId": "/a/b", member: value })
    }

    fn list(aws: &mut Aws) -> Value {
        let named = json!({ "ResourceType": "Parameter", "ResourceId": "/a/b" });
        aws.ok("ListTagsForResource", named)["TagList"].clone()
    }

    #[test]
    fn adding_overwrites_by_key_and_removing_leaves_the_rest() {
        let mut aws = with_parameter();
        assert_eq!(list(&mut aws), json!([]));
        let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "" }]);
        aws.ok("AddTagsToResource", input("Tags", &tags));
        aws.ok(
            "AddTagsToResource",
            input("Tags", &json!([{ "Key": "a", "Value": "2" }])),
        );
        assert_eq!(
            list(&mut aws),
            json!([{ "Key": "a", "Value": "2" }, { "Key": "b", "Value": "" }])
        );
        aws.ok(
            "RemoveTagsFromResource",
            input("TagKeys", &json!(["a", "none"])),
        );
        assert_eq!(list(&mut aws), json!([{ "Key": "b", "Value": "" }]));
    }

    #[test]
    fn unknown_resources_are_refused() {
        let mut aws = with_parameter();
        for (kind, id) in [
            ("Parameter", "/a/c"),
            ("Document", "/a/b"),
            ("Document", "AWS-RunShellScript"),
            ("PatchBaseline", "pb-0123456789abcdef0"),
            ("Automation", "00000000-0000-0000-0000-000000000000"),
            ("MaintenanceWindow", "mw-0123456789abcdef0"),
            ("Association", "00000000-0000-0000-0000-000000000000"),
        ] {
            let named =
                json!({ "ResourceType": kind, "ResourceId": id, "Tags": [], "TagKeys": [] });
            for operation in [
                "AddTagsToResource",
                "RemoveTagsFromResource",
                "ListTagsForResource",
            ] {
                assert_eq!(
                    aws.err(operation, named.clone()),
                    "InvalidResourceId",
                    "{operation} {kind}"
                );
            }
        }
    }

    #[test]
    fn a_resource_has_at_most_50_tags() {
        let mut aws = with_parameter();
        let tags: Vec<Value> = (0..50)
            .map(|n| json!({ "Key": format!("k{n}"), "Value": "" }))
            .collect();
        aws.ok("AddTagsToResource", input("Tags", &json!(tags)));
        aws.ok(
            "AddTagsToResource",
            input("Tags", &json!([{ "Key": "k7", "Value": "new" }])),
        );
        let more = input("Tags", &json!([{ "Key": "more", "Value": "" }]));
        assert_eq!(aws.err("AddTagsToResource", more), "TooManyTagsError");
    }

    #[test]
    fn keys_of_aws_are_refused() {
        let mut aws = with_parameter();
        let tags = input("Tags", &json!([{ "Key": "AWS:x", "Value": "" }]));
        assert_eq!(aws.err("AddTagsToResource", tags), "ValidationException");
        assert_eq!(
            aws.err(
                "RemoveTagsFromResource",
                input("TagKeys", &json!(["aws:x"]))
            ),
            "ValidationException"
        );
    }
}
