//! The timeline of an incident, as callers read it and add to it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::condition::Condition;
use super::response_plan::{present, settled};
use super::{SERVICE, fault, idempotency, incident, page, usable};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "CreateTimelineEvent",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "CreateTimelineEvent", create),
    },
    Operation {
        service: SERVICE,
        name: "GetTimelineEvent",
        access: Access::Read,
        run: get,
    },
    Operation {
        service: SERVICE,
        name: "ListTimelineEvents",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "UpdateTimelineEvent",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "UpdateTimelineEvent", update),
    },
    Operation {
        service: SERVICE,
        name: "DeleteTimelineEvent",
        access: Access::Write,
        run: delete,
    },
];

/// The types that callers may write.
pub(super) const CUSTOM: &str = "Custom Event";
const NOTE: &str = "Note";

/// One event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) data: String,
    pub(super) kind: String,
    pub(super) time: f64,
    pub(super) updated: f64,
    pub(super) references: Option<Value>,
}

impl Event {
    fn summary(&self, incident: &str) -> Map {
        present([
            ("eventId", Some(json!(self.id))),
            ("eventReferences", self.references.clone()),
            ("eventTime", Some(json!(self.time))),
            ("eventType", Some(json!(self.kind))),
            ("eventUpdatedTime", Some(json!(self.updated))),
            ("incidentRecordArn", Some(json!(incident))),
        ])
    }

    fn answer(&self, incident: &str) -> Map {
        let mut answer = self.summary(incident);
        answer.insert("eventData".to_owned(), json!(self.data));
        answer
    }
}

fn check_type(kind: &str) -> Result<(), Fault> {
    if matches!(kind, CUSTOM | NOTE) {
        return Ok(());
    }
    Err(fault::invalid(format!(
        "Only events of the types {CUSTOM} and {NOTE} can be written, not {kind}."
    )))
}

fn missing(id: &str) -> Fault {
    fault::not_found(
        fault::Kind::TimelineEvent,
        id,
        "The timeline event does not exist.",
    )
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    usable(state, call)?;
    let kind = call.required("eventType");
    check_type(kind)?;
    let now = call.now_seconds();
    let event = Event {
        data: call.required("eventData").to_owned(),
        kind: kind.to_owned(),
        time: time_of(call).unwrap_or(now),
        updated: now,
        references: settled(call.input.get("eventReferences")),
        id: call.uuid(),
    };
    let arn = call.required("incidentRecordArn");
    let incident = incident::find(state, call, arn, "CreateTimelineEvent")?;
    let answer = present([
        ("eventId", Some(json!(event.id))),
        ("incidentRecordArn", Some(json!(arn))),
    ]);
    incident.events.push(event);
    Ok(answer)
}

fn time_of(call: &Call<'_>) -> Option<f64> {
    call.input.get("eventTime").and_then(Value::as_f64)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arn = call.required("incidentRecordArn");
    let id = call.required("eventId");
    let incident = incident::find(state, call, arn, "GetTimelineEvent")?;
    let event = incident.events.iter().find(|event| event.id == id);
    let event = event.ok_or_else(|| missing(id))?.answer(arn);
    Ok(Map::from_iter([("event".to_owned(), event.into())]))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = call
        .list("filters")
        .into_iter()
        .flatten()
        .map(Filter::parse)
        .collect::<Result<Vec<_>, _>>()?;
    // The examples of the AWS CLI show the newest event first.
    let ascending = call.str("sortOrder") == Some("ASCENDING");
    let arn = call.required("incidentRecordArn");
    let mut events: Vec<(String, Value)> = incident::peek(state, call, arn, "ListTimelineEvents")
        .into_iter()
        .flat_map(|incident| incident.events.iter().enumerate())
        .filter(|(_, event)| filters.iter().all(|filter| filter.matches(event)))
        .map(|(at, event)| {
            let key = if ascending {
                format!("{} {at:06}", page::oldest_first(event.time))
            } else {
                format!("{} {:06}", page::newest_first(event.time), 999_999 - at)
            };
            (key, event.summary(arn).into())
        })
        .collect();
    events.sort_by(|(a, _), (b, _)| a.cmp(b));
    page::page(call, "eventSummaries", events)
}

/// A condition on events.
enum Filter<'a> {
    After(f64),
    Before(f64),
    Type(Vec<&'a str>),
    Reference(Vec<&'a str>),
}

impl<'a> Filter<'a> {
    fn parse(filter: &'a Value) -> Result<Self, Fault> {
        let given = Condition::new(filter);
        let parsed = match given.key {
            "eventTime" => given
                .time("after")
                .map(Self::After)
                .or_else(|| given.time("before").map(Self::Before)),
            "eventType" => given.strings().map(Self::Type),
            "eventReference" => given.strings().map(Self::Reference),
            _ => return Err(given.unknown("timeline events")),
        };
        given.fits(parsed)
    }

    fn matches(&self, event: &Event) -> bool {
        match self {
            Self::After(time) => event.time > *time,
            Self::Before(time) => event.time < *time,
            Self::Type(values) => values.contains(&event.kind.as_str()),
            Self::Reference(values) => event
                .references
                .iter()
                .filter_map(Value::as_array)
                .flatten()
                .filter_map(|reference| {
                    let resource = reference.get("resource");
                    resource.or_else(|| reference.get("relatedItemId"))
                })
                .filter_map(Value::as_str)
                .any(|reference| values.contains(&reference)),
        }
    }
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    usable(state, call)?;
    let id = call.required("eventId");
    let arn = call.required("incidentRecordArn");
    let incident = incident::find(state, call, arn, "UpdateTimelineEvent")?;
    let event = incident.events.iter_mut().find(|event| event.id == id);
    let event = event.ok_or_else(|| missing(id))?;
    check_type(&event.kind)?;
    if let Some(kind) = call.str("eventType") {
        check_type(kind)?;
        kind.clone_into(&mut event.kind);
    }
    if let Some(data) = call.str("eventData") {
        data.clone_into(&mut event.data);
    }
    if let Some(time) = time_of(call) {
        event.time = time;
    }
    if let Some(references) = call.input.get("eventReferences") {
        event.references = settled(Some(references));
    }
    event.updated = call.now_seconds();
    Ok(Map::new())
}

/// Deletes an event. A missing one is no fault: the model lists no `ResourceNotFoundException`.
#[expect(clippy::unnecessary_wraps, reason = "an operation may fail")]
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let id = call.required("eventId");
    let arn = call.required("incidentRecordArn");
    if let Some(incident) = incident::own(state, call, arn) {
        incident.events.retain(|event| event.id != id);
    }
    Ok(Map::new())
}
