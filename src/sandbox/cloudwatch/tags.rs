//! Tags of dashboards and alarms, the resources of CloudWatch that are simulated.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::SERVICE;
use super::alarms;
use super::dashboards::{self, invalid};
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

/// Reads the tags of an input.
pub(super) fn from_input(list: Option<&Vec<Value>>) -> Result<BTreeMap<String, String>, Fault> {
    let mut tags = BTreeMap::new();
    for tag in list.into_iter().flatten() {
        let text = |member: &str| tag.get(member).and_then(Value::as_str).unwrap_or_default();
        let key = text("Key");
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid(format!(
                "The tag key {key} is reserved: it starts with aws:."
            )));
        }
        if tags
            .insert(key.to_owned(), text("Value").to_owned())
            .is_some()
        {
            return Err(invalid(format!("The tag key {key} is given twice.")));
        }
    }
    check_count(tags.len())?;
    Ok(tags)
}

fn check_count(count: usize) -> Result<(), Fault> {
    if count > MOST {
        return Err(invalid("A resource can have at most 50 tags."));
    }
    Ok(())
}

/// Finds the tags of the dashboard or alarm that the ARN names.
fn find<'s>(
    state: &'s mut State,
    call: &Call<'_>,
) -> Result<&'s mut BTreeMap<String, String>, Fault> {
    let arn = call.required("ResourceARN");
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "cloudwatch", region, account, resource] = parts.as_slice() else {
        return Err(invalid(format!(
            "{arn} is not the ARN of a CloudWatch resource."
        )));
    };
    let found = if let Some(name) = resource.strip_prefix("dashboard/") {
        let dashboard = dashboards::of(state, call).get_mut(name);
        dashboard
            .filter(|_| region.is_empty())
            .map(|dashboard| &mut dashboard.tags)
    } else {
        alarms::tagged(state, call, region, resource)
    };
    found.filter(|_| *account == call.account).ok_or_else(|| {
        let kind = resource.split([':', '/']).next().unwrap_or_default();
        let mut fault = Fault::new("ResourceNotFoundException", "The resource does not exist.")
            .with("ResourceType", kind)
            .with("ResourceId", *resource);
        fault.status = 404;
        fault
    })
}

fn tag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let added = from_input(call.list("Tags"))?;
    let tags = find(state, call)?;
    let mut all = tags.clone();
    all.extend(added);
    check_count(all.len())?;
    *tags = all;
    Ok(Map::new())
}

fn untag(state: &mut State, call: &mut Call<'_>) -> Answer {
    let keys = call.strings("TagKeys");
    find(state, call)?.retain(|key, _| !keys.contains(key));
    Ok(Map::new())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let tags: Vec<Value> = find(state, call)?
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok(Map::from_iter([("Tags".to_owned(), tags.into())]))
}
