//! What Incident Manager notes in a timeline by itself.
//!
//! Types and data are as the samples of the API reference show them; the data is a JSON text in a string.

use serde_json::{Value, json};

use super::timeline::{CUSTOM, Event};
use super::trigger::Trigger;
use crate::sandbox::{Call, Map};

/// Types that callers cannot write.
const TRIGGER: &str = "SSM Incident Trigger";
const START: &str = "SSM Incident Start";
const RECORD_UPDATE: &str = "SSM Incident Record Update";
const CONTACT_PAGE: &str = "SSM Contacts Page for Incident";
const RUNBOOK_STARTED: &str = "SSM Automation Execution Start for Incident";
const RUNBOOK_FAILED: &str = "SSM Automation Execution Start Failure for Incident";

/// Makes an event that points at its incident.
fn event(call: &mut Call<'_>, kind: &str, data: &Value, incident: &str) -> Event {
    let now = call.now_seconds();
    Event {
        id: call.uuid(),
        data: data.to_string(),
        kind: kind.to_owned(),
        time: now,
        updated: now,
        references: Some(json!([{ "resource": incident }])),
    }
}

/// An incident that somebody started by hand.
pub(super) fn started_by_hand(call: &mut Call<'_>, incident: &str) -> Event {
    event(call, CUSTOM, &json!("Incident Started"), incident)
}

/// Something set the incident off, or would have if it were not open already.
pub(super) fn triggered(
    call: &mut Call<'_>,
    incident: &str,
    trigger: &Trigger,
    created: bool,
) -> Event {
    let mut data = json!({ "createdIncident": created, "incidentSource": trigger.source });
    if let Some(resource) = &trigger.resource {
        data["triggerArn"] = json!(resource);
    }
    if let Some(raw) = &trigger.raw {
        data["rawData"] = json!(raw);
    }
    let mut event = event(call, TRIGGER, &data, incident);
    event.time = trigger.time.unwrap_or(event.time);
    event
}

/// The incident that a trigger set off begins.
pub(super) fn started(
    call: &mut Call<'_>,
    incident: &str,
    title: &Value,
    trigger: &Trigger,
    contacts: &[String],
    automation: Option<&Value>,
) -> Event {
    let contacts: Vec<Value> = contacts
        .iter()
        .map(|arn| {
            let name = arn.rsplit_once('/').map(|(_, alias)| alias);
            json!({ "contactArn": arn, "contactName": name })
        })
        .collect();
    let mut data = json!({ "incidentTitle": title, "contactsEngage": contacts });
    let document = |member: &str| automation.and_then(|runbook| runbook.get(member));
    if let Some(name) = document("documentName") {
        data["ssmDocumentName"] = name.clone();
    }
    if let Some(version) = document("documentVersion") {
        data["ssmDocumentVersion"] = version.clone();
    }
    if let Some(resource) = &trigger.resource {
        data["triggerArn"] = json!(resource);
    }
    event(call, START, &data, incident)
}

/// Attributes of the record, or its related items, changed.
pub(super) fn updated(
    call: &mut Call<'_>,
    incident: &str,
    title: &Value,
    attributes: &Map,
) -> Event {
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            json!({ "attributeName": name, "newValue": text })
        })
        .collect();
    let data = json!({
        "modifiedBy": call.caller,
        "modifiedAttributes": attributes,
        "incidentTitle": title,
    });
    event(call, RECORD_UPDATE, &data, incident)
}

/// A contact is engaged.
pub(super) fn engaged(
    call: &mut Call<'_>,
    incident: &str,
    contact: &str,
    engagement: &str,
) -> Event {
    let data = json!({ "contactArn": contact, "engagementArn": engagement });
    event(call, CONTACT_PAGE, &data, incident)
}

/// The runbook started, or did not.
pub(super) fn runbook(
    call: &mut Call<'_>,
    incident: &str,
    document: &Value,
    started: Result<&str, &str>,
) -> Event {
    let (kind, data) = match started {
        Ok(execution) => (
            RUNBOOK_STARTED,
            json!({ "documentName": document, "automationExecutionArn": execution }),
        ),
        Err(reason) => (
            RUNBOOK_FAILED,
            json!({ "documentName": document, "failureReason": reason }),
        ),
    };
    event(call, kind, &data, incident)
}
