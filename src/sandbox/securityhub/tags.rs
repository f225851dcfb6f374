//! Tags of the hub.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Hub, arn, fault, hub, operation};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("TagResource", Access::Write, tag),
    operation("UntagResource", Access::Write, untag),
    operation("ListTagsForResource", Access::Read, list),
];

/// How many tags a resource can carry.
const MOST: usize = 50;

/// Reads a tag map of an input.
pub(super) fn from_input(map: Option<&Map>) -> BTreeMap<String, String> {
    let tags = map.into_iter().flatten();
    tags.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// Finds the hub that the ARN names.
fn find<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Hub, Fault> {
    let named = call.required("ResourceArn");
    let own = arn(call, "hub/default");
    // Without a hub there is no such resource: the service model lists no InvalidAccessException here.
    match hub(state, call) {
        Ok(hub) if named == own => Ok(hub),
        _ => Err(fault::not_found(format!("{named} does not exist."))),
    }
}

fn tag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let added = from_input(call.map("Tags"));
    let hub = find(state, call)?;
    let mut all = hub.tags.clone();
    all.extend(added);
    if all.len() > MOST {
        return Err(fault::invalid(format!(
            "A resource can have at most {MOST} tags."
        )));
    }
    hub.tags = all;
    Ok(Map::new())
}

fn untag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let keys = call.strings("TagKeys");
    let hub = find(state, call)?;
    hub.tags.retain(|key, _| !keys.contains(key));
    Ok(Map::new())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let tags = &find(state, call)?.tags;
    let tags: Map = tags
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.clone())))
        .collect();
    // [M] TagMap: at least one.
    let some = Some(tags).filter(|tags| !tags.is_empty());
    Ok(some
        .map(|tags| ("Tags".to_owned(), tags.into()))
        .into_iter()
        .collect())
}
