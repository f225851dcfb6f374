//! Incident records: reading, listing, changing and deleting them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::condition::Condition;
use super::related_items::RelatedItem;
use super::response_plan::{check_chat_channel, check_targets, overwrite, present};
use super::tags::Tags;
use super::timeline::Event;
use super::{SERVICE, events, fault, idempotency, page, sharing, store, usable};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "GetIncidentRecord",
        access: Access::Read,
        run: get,
    },
    Operation {
        service: SERVICE,
        name: "ListIncidentRecords",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "UpdateIncidentRecord",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "UpdateIncidentRecord", update),
    },
    Operation {
        service: SERVICE,
        name: "DeleteIncidentRecord",
        access: Access::Write,
        run: delete,
    },
];

/// Whether somebody still has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    Open,
    Resolved,
}

impl Status {
    const fn wire(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Resolved => "RESOLVED",
        }
    }
}

/// What started the incident.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) created_by: String,
    pub(super) invoked_by: Option<String>,
    pub(super) resource: Option<String>,
    /// The name of what detected the incident.
    pub(super) name: String,
}

/// One incident, with its timeline and its related items.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Incident {
    pub(super) arn: String,
    pub(super) title: Value,
    pub(super) impact: Value,
    pub(super) summary: Option<Value>,
    pub(super) status: Status,
    pub(super) dedupe_string: String,
    pub(super) chat_channel: Option<Value>,
    pub(super) notification_targets: Option<Value>,
    pub(super) automation_executions: Vec<String>,
    pub(super) source: Source,
    pub(super) created: f64,
    pub(super) resolved: Option<f64>,
    pub(super) modified: f64,
    pub(super) modified_by: String,
    pub(super) tags: Tags,
    pub(super) events: Vec<Event>,
    pub(super) related_items: Vec<RelatedItem>,
}

impl Incident {
    fn source(&self) -> Value {
        present([
            ("createdBy", Some(json!(self.source.created_by))),
            ("invokedBy", self.source.invoked_by.clone().map(Value::from)),
            ("resourceArn", self.source.resource.clone().map(Value::from)),
            ("source", Some(json!(self.source.name))),
        ])
        .into()
    }

    fn answer(&self) -> Value {
        let executions: Vec<Value> = self
            .automation_executions
            .iter()
            .map(|arn| json!({ "ssmExecutionArn": arn }))
            .collect();
        let targets = self.notification_targets.clone();
        present([
            ("arn", Some(json!(self.arn))),
            ("automationExecutions", Some(executions.into())),
            ("chatChannel", self.chat_channel.clone()),
            ("creationTime", Some(json!(self.created))),
            ("dedupeString", Some(json!(self.dedupe_string))),
            ("impact", Some(self.impact.clone())),
            ("incidentRecordSource", Some(self.source())),
            ("lastModifiedBy", Some(json!(self.modified_by))),
            ("lastModifiedTime", Some(json!(self.modified))),
            (
                "notificationTargets",
                Some(targets.unwrap_or_else(|| json!([]))),
            ),
            ("resolvedTime", self.resolved.map(Value::from)),
            ("status", Some(json!(self.status.wire()))),
            ("summary", self.summary.clone()),
            ("title", Some(self.title.clone())),
        ])
        .into()
    }

    fn summary(&self) -> Value {
        present([
            ("arn", Some(json!(self.arn))),
            ("creationTime", Some(json!(self.created))),
            ("impact", Some(self.impact.clone())),
            ("incidentRecordSource", Some(self.source())),
            ("resolvedTime", self.resolved.map(Value::from)),
            ("status", Some(json!(self.status.wire()))),
            ("title", Some(self.title.clone())),
        ])
        .into()
    }

    /// Notes who changed the record, and when.
    pub(super) fn touch(&mut self, call: &Call<'_>) {
        self.modified = call.now_seconds();
        call.caller.clone_into(&mut self.modified_by);
    }
}

/// Finds the incident that the ARN names: the caller's own, or of a plan that another account shares.
pub(super) fn find<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    arn: &str,
    action: &str,
) -> Result<&'s mut Incident, Fault> {
    peek(state, call, arn, action).ok_or_else(|| missing(arn))
}

/// Finds the incident for operations to which a missing one is no fault.
pub(super) fn peek<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    arn: &str,
    action: &str,
) -> Option<&'s mut Incident> {
    sharing::store(state, call, arn, action)?
        .incidents
        .get_mut(arn)
}

/// Finds the incident for operations that only its owner has.
pub(super) fn own<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    arn: &str,
) -> Option<&'s mut Incident> {
    let store = store(state, call);
    let here = store.reaches(call.region);
    store.incidents.get_mut(arn).filter(|_| here)
}

/// The fault of an incident that is not there.
pub(super) fn missing(arn: &str) -> Fault {
    fault::not_found(
        fault::Kind::IncidentRecord,
        arn,
        "The incident record does not exist.",
    )
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let incident = find(state, call, call.required("arn"), "GetIncidentRecord")?;
    Ok(Map::from_iter([(
        "incidentRecord".to_owned(),
        incident.answer(),
    )]))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = call
        .list("filters")
        .into_iter()
        .flatten()
        .map(Filter::parse)
        .collect::<Result<Vec<_>, _>>()?;
    let store = store(state, call);
    let here = store.reaches(call.region);
    let mut records: Vec<(String, Value)> = store
        .incidents
        .values()
        .filter(|incident| here && filters.iter().all(|filter| filter.matches(incident)))
        .map(|incident| {
            let key = format!("{} {}", page::newest_first(incident.created), incident.arn);
            (key, incident.summary())
        })
        .collect();
    records.sort_by(|(a, _), (b, _)| a.cmp(b));
    page::page(call, "incidentRecordSummaries", records)
}

/// A condition on incident records.
enum Filter<'a> {
    After(f64),
    Before(f64),
    Impact(Vec<i64>),
    Status(Vec<&'a str>),
    CreatedBy(Vec<&'a str>),
}

impl<'a> Filter<'a> {
    fn parse(filter: &'a Value) -> Result<Self, Fault> {
        let given = Condition::new(filter);
        let parsed = match given.key {
            "creationTime" => given
                .time("after")
                .map(Self::After)
                .or_else(|| given.time("before").map(Self::Before)),
            "impact" => given.integers().map(Self::Impact),
            "status" => given.strings().map(Self::Status),
            "createdBy" => given.strings().map(Self::CreatedBy),
            _ => return Err(given.unknown("incident records")),
        };
        given.fits(parsed)
    }

    fn matches(&self, incident: &Incident) -> bool {
        match self {
            Self::After(time) => incident.created > *time,
            Self::Before(time) => incident.created < *time,
            Self::Impact(values) => incident
                .impact
                .as_i64()
                .is_some_and(|i| values.contains(&i)),
            Self::Status(values) => values.contains(&incident.status.wire()),
            Self::CreatedBy(values) => values.contains(&incident.source.created_by.as_str()),
        }
    }
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    usable(state, call)?;
    check_chat_channel(call.input.get("chatChannel"), None)?;
    check_targets(call.input.get("notificationTargets"), None)?;
    let input = call.input;
    let sent = |member: &str| input.get(member);
    let arn = call.required("arn").to_owned();
    let incident = find(state, call, &arn, "UpdateIncidentRecord")?;
    if let Some(title) = sent("title") {
        incident.title = title.clone();
    }
    if let Some(impact) = sent("impact") {
        incident.impact = impact.clone();
    }
    overwrite(&mut incident.summary, sent("summary"));
    overwrite(&mut incident.chat_channel, sent("chatChannel"));
    overwrite(
        &mut incident.notification_targets,
        sent("notificationTargets"),
    );
    match call.str("status") {
        Some("RESOLVED") if incident.status == Status::Open => {
            incident.status = Status::Resolved;
            incident.resolved = Some(call.now_seconds());
        }
        Some("OPEN") => {
            incident.status = Status::Open;
            incident.resolved = None;
        }
        _ => {}
    }
    incident.touch(call);
    let changes = input
        .iter()
        .filter(|(member, _)| !matches!(member.as_str(), "arn" | "clientToken"))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    let event = events::updated(call, &arn, &incident.title, &changes);
    incident.events.push(event);
    Ok(Map::new())
}

/// Deletes the record. A missing one is no fault: the model lists no `ResourceNotFoundException`.
#[expect(clippy::unnecessary_wraps, reason = "an operation may fail")]
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arn = call.required("arn");
    let store = store(state, call);
    if store.reaches(call.region) && store.incidents.remove(arn).is_some() {
        store.forget(arn);
    }
    Ok(Map::new())
}
