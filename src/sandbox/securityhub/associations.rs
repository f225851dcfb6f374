//! Which controls are on in which standards.

use serde_json::{Value, json};

use super::controls::USUAL_PAGE;
use super::standards::{Association, Subscription};
use super::{Hub, arn, catalogue, fault, hub, operation, own_hub, page};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ListStandardsControlAssociations", Access::Read, list),
    operation("BatchGetStandardsControlAssociations", Access::Read, get),
    operation(
        "BatchUpdateStandardsControlAssociations",
        Access::Write,
        update,
    ),
];

/// How many a batch takes. The service model says none; clients send a hundred.
const MOST: usize = 100;

/// Returns an association as answers have it. One that nobody touched has the time too, and what it is required by as a
/// list, which is empty for AWS's own practices: CLI example list-standards-control-associations.
fn answer(
    call: &Call<'_>,
    standard: &catalogue::Standard,
    control: &catalogue::Control,
    subscription: &Subscription,
) -> Value {
    let touched = subscription.controls.get(control.id);
    let on = touched.is_none_or(|touched| touched.on);
    let changed = touched.map_or(subscription.since(), |touched| touched.changed);
    let mut answer = json!({
        "StandardsArn": standard.arn(call.region),
        "SecurityControlId": control.id,
        "SecurityControlArn": arn(call, &format!("security-control/{}", control.id)),
        "AssociationStatus": if on { "ENABLED" } else { "DISABLED" },
        "RelatedRequirements": [],
        "UpdatedAt": changed,
        "StandardsControlTitle": control.title,
        "StandardsControlDescription": control.title,
    });
    if let Some(reason) = touched.and_then(|touched| touched.reason.as_ref()) {
        answer["UpdatedReason"] = json!(reason);
    }
    answer
}

/// Returns an association as only those answers have it that are asked for it by name: CLI example
/// batch-get-standards-control-associations.
fn detail(
    call: &Call<'_>,
    standard: &catalogue::Standard,
    control: &catalogue::Control,
    subscription: &Subscription,
) -> Value {
    let mut detail = answer(call, standard, control, subscription);
    if let Some(resource) = standard.resource(control) {
        detail["StandardsControlArns"] = json!([arn(call, &resource)]);
    }
    detail
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let hub = hub(state, call)?;
    let named = call.required("SecurityControlId");
    let control = catalogue::control(named)
        .ok_or_else(|| fault::invalid(format!("Security control not found: {named}")))?;
    let mut found = Vec::new();
    for (short, subscription) in &hub.subscriptions {
        // A standard whose controls are not ready is left out (service model).
        if let Some(standard) = catalogue::named(short)
            && subscription.is_ready()
            && standard.has(&control)
        {
            let association = answer(call, standard, &control, subscription);
            found.push((short.clone(), association));
        }
    }
    page::page(
        call,
        "StandardsControlAssociationSummaries",
        USUAL_PAGE,
        found,
    )
}

/// Finds what an entry of a batch means, or says why it is not processed.
fn find(
    hub: &Hub,
    call: &Call<'_>,
    entry: &Value,
) -> Result<(&'static catalogue::Standard, catalogue::Control), (&'static str, String)> {
    let text = |member: &str| entry[member].as_str().unwrap_or_default().to_owned();
    let (arn, id) = (text("StandardsArn"), text("SecurityControlId"));
    let gone = |what: String| ("RESOURCE_NOT_FOUND", what);
    let control = catalogue::control(&id);
    let control = control.ok_or_else(|| gone(format!("Security control {id} does not exist.")))?;
    let standard = catalogue::standard(&arn, call.region);
    let standard = standard.ok_or_else(|| gone(format!("Standard {arn} does not exist.")))?;
    let subscription = hub.subscriptions.get(standard.short());
    if !subscription.is_some_and(Subscription::is_ready) {
        return Err(gone(format!(
            "Standard {arn} is not enabled, or not ready for updates."
        )));
    }
    if !standard.has(&control) {
        return Err(gone(format!("Security control {id} is not in {arn}.")));
    }
    Ok((standard, control))
}

/// Refuses a batch that is too long.
fn entries(call: &Call<'_>, member: &str) -> Result<Vec<Value>, Fault> {
    let entries = call.list(member).cloned().unwrap_or_default();
    if entries.is_empty() || entries.len() > MOST {
        return Err(fault::invalid(format!(
            "Invalid parameter '{member}'. It has 1 to {MOST} items."
        )));
    }
    Ok(entries)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let entries = entries(call, "StandardsControlAssociationIds")?;
    let hub = hub(state, call)?;
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    for entry in entries {
        match find(hub, call, &entry) {
            Ok((standard, control)) => {
                // What was found is subscribed to.
                let subscription = hub.subscriptions.get(standard.short());
                found.extend(subscription.map(|one| detail(call, standard, &control, one)));
            }
            Err((code, why)) => unprocessed.push(json!({
                "StandardsControlAssociationId": entry,
                "ErrorCode": code,
                "ErrorReason": why,
            })),
        }
    }
    let mut answer = Map::from_iter([(
        "StandardsControlAssociationDetails".to_owned(),
        found.into(),
    )]);
    if !unprocessed.is_empty() {
        answer.insert("UnprocessedAssociations".to_owned(), unprocessed.into());
    }
    Ok(answer)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let now = call.now_seconds();
    let entries = entries(call, "StandardsControlAssociationUpdates")?;
    let hub = own_hub(state, call)?;
    let mut unprocessed = Vec::new();
    for entry in entries {
        let (on, reason) = (
            entry["AssociationStatus"] == "ENABLED",
            entry["UpdatedReason"].as_str(),
        );
        let done = find(hub, call, &entry).and_then(|(standard, control)| {
            // A reason is for switching off, and nothing else (terraform-provider-aws #31168).
            match reason {
                None if !on => return Err(invalid("A reason is needed to disable a control.")),
                Some(_) if on => {
                    return Err(invalid(
                        "A reason is not taken for any action but disabling.",
                    ));
                }
                _ => {}
            }
            if let Some(subscription) = hub.subscriptions.get_mut(standard.short()) {
                let reason = reason.map(str::to_owned);
                let changed = Association {
                    on,
                    reason,
                    changed: now,
                };
                subscription.controls.insert(control.id.to_owned(), changed);
            }
            Ok(())
        });
        if let Err((code, why)) = done {
            unprocessed.push(json!({
                "StandardsControlAssociationUpdate": entry,
                "ErrorCode": code,
                "ErrorReason": why,
            }));
        }
    }
    let mut answer = Map::new();
    if !unprocessed.is_empty() {
        answer.insert(
            "UnprocessedAssociationUpdates".to_owned(),
            unprocessed.into(),
        );
    }
    Ok(answer)
}

fn invalid(why: &str) -> (&'static str, String) {
    ("INVALID_INPUT", why.to_owned())
}
