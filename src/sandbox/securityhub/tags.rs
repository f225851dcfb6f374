//! Tags of the hub, of automation rules and of configuration policies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{arn, central, enabled, fault, operation, rules};
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

/// Finds the tags of what the ARN names.
fn find<'s>(
    state: &'s mut State,
    call: &Call<'_>,
) -> Result<&'s mut BTreeMap<String, String>, Fault> {
    let named = call.required("ResourceArn");
    let own = arn(call, "hub/default");
    let gone = || fault::not_found(format!("{named} does not exist."));
    // Without a hub there is no such resource: the service model lists no InvalidAccessException here.
    enabled(state, call).map_err(|_| gone())?;
    if named.starts_with(&arn(call, "configuration-policy/")) {
        let everywhere = &mut state.account(call.account).securityhub_everywhere;
        return central::tags_of(everywhere, named).ok_or_else(gone);
    }
    let store = enabled(state, call).map_err(|_| gone())?;
    match &mut store.hub {
        Some(hub) if named == own => Ok(&mut hub.tags),
        _ => rules::tags_of(&mut store.rules, named).ok_or_else(gone),
    }
}

fn tag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let added = from_input(call.map("Tags"));
    let tags = find(state, call)?;
    let mut all = tags.clone();
    all.extend(added);
    if all.len() > MOST {
        return Err(fault::invalid(format!(
            "A resource can have at most {MOST} tags."
        )));
    }
    *tags = all;
    Ok(Map::new())
}

fn untag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let keys = call.strings("TagKeys");
    let tags = find(state, call)?;
    tags.retain(|key, _| !keys.contains(key));
    Ok(Map::new())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let tags = find(state, call)?;
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
