//! Lists of associations, and of the versions of one.

use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{members, operations, put};
use super::{Association, named, unknown};
use crate::sandbox::{Answer, Call, Map, State};

/// What the list of associations shows of each; the rest is for `DescribeAssociation`: [M] `Association`.
const LISTED: [&str; 9] = [
    "Name",
    "InstanceId",
    "AssociationName",
    "DocumentVersion",
    "Targets",
    "TargetMaps",
    "ScheduleExpression",
    "ScheduleOffset",
    "Duration",
];

operations! {
    Read "ListAssociations" => list,
    Read "ListAssociationVersions" => list_versions,
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let associations = &state.ssm(call.account, call.region).associations;
    let filters: Vec<(&str, &str)> = call
        .list("AssociationFilterList")
        .into_iter()
        .flatten()
        .map(|filter| {
            let text = |member: &str| filter.get(member).and_then(Value::as_str);
            (
                text("key").unwrap_or_default(),
                text("value").unwrap_or_default(),
            )
        })
        .collect();
    let meant = |association: &&Association| {
        let mut filters = filters.iter();
        filters.all(|(key, value)| is_meant(association, key, value))
    };
    let found: Vec<&Association> = associations.values().filter(meant).collect();
    let (page, token) = Listing::of("ListAssociations").page(call, found, |a| a.id.clone())?;
    let shown: Vec<Map> = page.into_iter().map(listed).collect();
    let mut answer = members(json!({ "Associations": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

fn listed(association: &Association) -> Map {
    let mut item = members(json!({
        "AssociationId": association.id,
        "AssociationVersion": association.versions.len().to_string(),
        "Overview": association.overview(),
    }));
    for member in LISTED {
        put(&mut item, member, association.newest().get(member).cloned());
    }
    item
}

fn is_meant(association: &Association, key: &str, value: &str) -> bool {
    match key {
        "AssociationId" => association.id.eq_ignore_ascii_case(value),
        "AssociationStatusName" => association.overview().get("Status") == Some(&json!(value)),
        "ResourceGroupName" => {
            let targets = association
                .newest()
                .get("Targets")
                .and_then(Value::as_array);
            targets.into_iter().flatten().any(|target| {
                let values = target.get("Values").and_then(Value::as_array);
                target.get("Key") == Some(&json!("resource-groups:Name"))
                    && values.is_some_and(|values| values.contains(&json!(value)))
            })
        }
        // Nothing was ever executed, and nothing is connected.
        "LastExecutedBefore" | "LastExecutedAfter" | "CloudConnectorId" => false,
        // `Name`, `AssociationName`, and `InstanceId`, which only finds associations of the old form: [M].
        member => association.text(member) == Some(value),
    }
}

/// Reads a moment of a filter, in ISO 8601.
pub(super) fn moment(text: &str) -> Option<f64> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double exactly"
    )]
    let seconds = moment.as_millisecond() as f64 / 1000.0;
    Some(seconds)
}

/// Lists versions: all of what they say but the alarm, which the model does not have here.
fn list_versions(state: &mut State, call: &mut Call<'_>) -> Answer {
    let associations = &state.ssm(call.account, call.region).associations;
    let id = named(associations, call)?;
    let Some(association) = associations.get(&id) else {
        return Err(unknown(&id));
    };
    let numbered: Vec<_> = association.versions.iter().enumerate().collect();
    let (page, token) =
        Listing::of("ListAssociationVersions")
            .page(call, numbered, |(at, _)| format!("{at:010}"))?;
    let shown: Vec<Map> = page
        .into_iter()
        .map(|(at, version)| {
            let mut item = members(json!({
                "AssociationId": id,
                "AssociationVersion": (at + 1).to_string(),
                "CreatedDate": version.created,
            }));
            item.extend(version.fields.clone());
            item.remove("AlarmConfiguration");
            item.remove("InstanceId");
            item
        })
        .collect();
    let mut answer = members(json!({ "AssociationVersions": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}
