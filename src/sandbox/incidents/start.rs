//! Starting an incident: the record, its first timeline, the people and the runbook.

use serde_json::Value;

use super::incident::{Incident, Source, Status};
use super::related_items::{self, RelatedItem};
use super::response_plan::{self, Plan};
use super::trigger::Trigger;
use super::{SERVICE, Store, events, idempotency, runbook, sharing, tags, usable};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State, contacts};

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    service: SERVICE,
    name: "StartIncident",
    access: Access::Write,
    run: |state, call| idempotency::once(state, call, "StartIncident", start),
}];

/// What the plan makes Incident Manager do, copied out so that the store is free again.
struct Orders {
    dedupe_string: Option<String>,
    engagements: Vec<String>,
    automation: Option<Value>,
}

impl Orders {
    fn of(plan: &Plan) -> Self {
        let dedupe_string = plan.template.dedupe_string.as_ref();
        let engagements = plan.engagements.iter().filter_map(Value::as_array);
        let actions = plan.actions.as_ref();
        Self {
            dedupe_string: dedupe_string.and_then(Value::as_str).map(str::to_owned),
            engagements: engagements
                .flatten()
                .filter_map(|arn| arn.as_str().map(str::to_owned))
                .collect(),
            automation: actions.and_then(|a| a.pointer("/0/ssmAutomation").cloned()),
        }
    }
}

fn start(state: &mut State, call: &mut Call<'_>) -> Answer {
    usable(state, call)?;
    let trigger = Trigger::of(call)?;
    let orders = Orders::of(plan(state, call)?);
    let key = orders.dedupe_string.as_deref();
    let key = key.or_else(|| trigger.dedupe_string());
    let items = related(call, &trigger);

    if let Some(arn) = open_already(owners(state, call)?, key) {
        let event = events::triggered(call, &arn, &trigger, false);
        let incident = record(state, call, &arn)?;
        incident.events.push(event);
        for item in items {
            related_items::add(&mut incident.related_items, item);
        }
        return Ok(answer(&arn));
    }

    let mut incident = begin(state, call, &trigger, &orders, key)?;
    for item in items {
        related_items::add(&mut incident.related_items, item);
    }
    let arn = incident.arn.clone();
    let incidents = &mut owners(state, call)?.incidents;
    incidents.insert(arn.clone(), incident);
    for contact in &orders.engagements {
        engage(state, call, contact, &arn)?;
    }
    if let Some(automation) = &orders.automation {
        run(state, call, automation, &arn)?;
    }
    Ok(answer(&arn))
}

fn answer(arn: &str) -> Map {
    Map::from_iter([("incidentRecordArn".to_owned(), Value::from(arn))])
}

/// The plan that the call names: the caller's own, or one that another account shares.
fn plan<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Plan, Fault> {
    response_plan::find_shared(
        state,
        call,
        call.required("responsePlanArn"),
        "StartIncident",
    )
}

/// The store of the account that owns the plan, and so the incident.
fn owners<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Store, Fault> {
    let arn = call.required("responsePlanArn");
    sharing::store(state, call, arn, "StartIncident").ok_or_else(|| response_plan::missing(arn))
}

/// The incident's record, in the store of whoever owns the plan.
fn record<'s>(state: &'s mut State, call: &Call<'_>, arn: &str) -> Result<&'s mut Incident, Fault> {
    let missing = || response_plan::missing(call.required("responsePlanArn"));
    owners(state, call)?
        .incidents
        .get_mut(arn)
        .ok_or_else(missing)
}

/// Returns the open incident that a new one with this string folds into.
fn open_already(store: &Store, key: Option<&str>) -> Option<String> {
    let key = key?;
    let mut open = store
        .incidents
        .values()
        .filter(|incident| incident.status == Status::Open);
    open.find(|incident| incident.dedupe_string == key)
        .map(|incident| incident.arn.clone())
}

/// The items that the caller and the trigger relate to the incident.
fn related(call: &mut Call<'_>, trigger: &Trigger) -> Vec<RelatedItem> {
    let sent = call.input.get("relatedItems").and_then(Value::as_array);
    let mut items: Vec<RelatedItem> = sent
        .into_iter()
        .flatten()
        .map(|item| RelatedItem::from_input(call, item))
        .collect();
    for arn in trigger.resources() {
        let item = RelatedItem::resource(call, "INVOLVED_RESOURCE", &arn, None);
        related_items::add(&mut items, item);
    }
    items
}

/// Makes the record with its first events and its parent `OpsItem`.
fn begin(
    state: &mut State,
    call: &mut Call<'_>,
    trigger: &Trigger,
    orders: &Orders,
    key: Option<&str>,
) -> Result<Incident, Fault> {
    let now = call.now_seconds();
    // Without a string each incident gets one of its own, and never folds into another (samples of the API reference).
    let dedupe_string = key.map_or_else(|| call.uuid(), str::to_owned);
    let id = call.uuid();
    let plan_arn = call.required("responsePlanArn").to_owned();
    let arn = plan_arn.replacen(":response-plan/", ":incident-record/", 1);
    let arn = format!("{arn}/{id}");
    let parent = parent(call, &arn);

    let plan = plan(state, call)?;
    let template = &plan.template;
    let overridden = |member: &str, planned: &Value| {
        let sent = call.input.get(member).filter(|value| **value != "");
        sent.unwrap_or(planned).clone()
    };
    let mut incident = Incident {
        arn,
        title: overridden("title", &template.title),
        impact: overridden("impact", &template.impact),
        summary: template.summary.clone(),
        status: Status::Open,
        dedupe_string,
        chat_channel: plan.chat_channel.clone(),
        notification_targets: template.notification_targets.clone(),
        automation_executions: Vec::new(),
        source: Source {
            created_by: call.caller.to_owned(),
            invoked_by: trigger.service.map(str::to_owned),
            resource: trigger.resource.clone(),
            name: trigger.source.clone(),
        },
        created: now,
        resolved: None,
        modified: now,
        modified_by: call.caller.to_owned(),
        tags: tags::from_input(template.incident_tags.as_ref().and_then(Value::as_object)),
        events: Vec::new(),
        related_items: Vec::new(),
    };
    first_events(call, &mut incident, trigger, orders);
    let update = Map::from_iter([("relatedItems".to_owned(), parent.addition())]);
    let event = events::updated(call, &incident.arn, &incident.title, &update);
    incident.events.push(event);
    incident.related_items.push(parent);
    Ok(incident)
}

fn first_events(call: &mut Call<'_>, incident: &mut Incident, trigger: &Trigger, orders: &Orders) {
    let arn = incident.arn.clone();
    if trigger.by_hand {
        incident.events.push(events::started_by_hand(call, &arn));
        return;
    }
    incident
        .events
        .push(events::triggered(call, &arn, trigger, true));
    incident.events.push(events::started(
        call,
        &arn,
        &incident.title,
        trigger,
        &orders.engagements,
        orders.automation.as_ref(),
    ));
}

/// Every incident is the child of an `OpsItem`.
fn parent(call: &mut Call<'_>, incident: &str) -> RelatedItem {
    let id = call.hex(12);
    let account = incident.split(':').nth(4).unwrap_or(call.account);
    let arn = format!("arn:aws:ssm:{}:{account}:opsitem/oi-{id}", call.region);
    RelatedItem::resource(call, "PARENT", &arn, Some("parentItem"))
}

/// Engages a contact. One that is gone engages nobody and does not fail the incident.
fn engage(state: &mut State, call: &mut Call<'_>, contact: &str, arn: &str) -> Result<(), Fault> {
    let incident = record(state, call, arn)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = text(&incident.title);
    let content = incident.summary.as_ref().map(text).unwrap_or_default();
    let Some(engagement) = start_engagement(state, call, contact, arn, &subject, &content) else {
        return Ok(());
    };
    let event = events::engaged(call, arn, contact, &engagement);
    record(state, call, arn)?.events.push(event);
    Ok(())
}

/// Starts an engagement through `ssm-contacts`, in the account of the incident, and returns its ARN.
fn start_engagement(
    state: &mut State,
    call: &mut Call<'_>,
    contact: &str,
    incident: &str,
    subject: &str,
    content: &str,
) -> Option<String> {
    let account = incident.split(':').nth(4)?;
    contacts::engage(
        &mut state.account(account).contacts,
        account,
        contact,
        Some(incident),
        subject,
        content,
        "aws.ssm-incidents",
        call.now,
        call.rng,
    )
}

/// Starts the plan's runbook. Its failure is an event and does not fail the incident.
fn run(state: &mut State, call: &mut Call<'_>, automation: &Value, arn: &str) -> Result<(), Fault> {
    let involved = related_items::involved(&record(state, call, arn)?.related_items);
    let started = runbook::start(state, call, automation, arn, &involved);
    let outcome = started.as_deref().map_err(String::as_str);
    let document = automation.get("documentName").cloned().unwrap_or_default();
    let event = events::runbook(call, arn, &document, outcome);
    let item = outcome
        .ok()
        .map(|execution| RelatedItem::resource(call, "AUTOMATION", execution, None));
    let incident = record(state, call, arn)?;
    incident.events.push(event);
    incident.related_items.extend(item);
    incident.automation_executions.extend(started);
    Ok(())
}
