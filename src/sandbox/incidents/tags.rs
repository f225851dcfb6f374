//! Tags of replication sets, response plans and incident records: maps, fifty at most.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SERVICE, Store, fault, store};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "TagResource",
        access: Access::Write,
        run: tag,
    },
    Operation {
        service: SERVICE,
        name: "UntagResource",
        access: Access::Write,
        run: untag,
    },
    Operation {
        service: SERVICE,
        name: "ListTagsForResource",
        access: Access::Read,
        run: list,
    },
];

/// How many tags a resource can carry.
const MOST: usize = 50;

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// Reads a tag map of an input.
pub(super) fn from_input(map: Option<&Map>) -> Tags {
    map.into_iter()
        .flatten()
        .map(|(key, value)| {
            let value = value.as_str().unwrap_or_default();
            (key.clone(), value.to_owned())
        })
        .collect()
}

/// Returns a tag map as an answer carries it.
pub(super) fn to_answer(tags: &Tags) -> Value {
    tags.iter()
        .map(|(key, value)| (key.clone(), Value::from(value.clone())))
        .collect::<Map>()
        .into()
}

/// Finds the tags of what the ARN names, as seen from the caller's account and Region.
fn find<'s>(store: &'s mut Store, call: &Call<'_>) -> Result<&'s mut Tags, Fault> {
    let arn = call.required("resourceArn");
    let prefix = format!("arn:aws:ssm-incidents::{}:", call.account);
    let missing = |kind| Err(fault::not_found(kind, arn, "The resource does not exist."));
    if !arn.starts_with("arn:") || !arn.contains(":ssm-incidents:") {
        return Err(fault::invalid(format!(
            "{arn} is not the ARN of a resource of Incident Manager."
        )));
    }
    let resource = arn.strip_prefix(&prefix).unwrap_or_default();
    let here = store.reaches(call.region);
    if let Some(name) = resource.strip_prefix("response-plan/") {
        return match store.plans.get_mut(name) {
            Some(plan) if here => Ok(&mut plan.tags),
            _ => missing(fault::Kind::ResponsePlan),
        };
    }
    if resource.starts_with("incident-record/") {
        return match store.incidents.get_mut(arn) {
            Some(incident) if here => Ok(&mut incident.tags),
            _ => missing(fault::Kind::IncidentRecord),
        };
    }
    match &mut store.set {
        Some(set) if here && set.arn == arn => Ok(&mut set.tags),
        _ if arn.contains(":response-plan/") => missing(fault::Kind::ResponsePlan),
        _ if arn.contains(":incident-record/") => missing(fault::Kind::IncidentRecord),
        _ => missing(fault::Kind::ReplicationSet),
    }
}

fn tag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let added = from_input(call.map("tags"));
    let tags = find(store(state, call), call)?;
    let mut all = tags.clone();
    all.extend(added);
    if all.len() > MOST {
        return Err(fault::too_many_tags(call.required("resourceArn")));
    }
    *tags = all;
    Ok(Map::new())
}

fn untag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let keys = call.strings("tagKeys");
    let tags = find(store(state, call), call)?;
    tags.retain(|key, _| !keys.contains(key));
    Ok(Map::new())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let tags = find(store(state, call), call)?;
    Ok(Map::from_iter([("tags".to_owned(), to_answer(tags))]))
}
