//! What responders look at beside the incident: dashboards, runbooks, resources, links.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::response_plan::present;
use super::{SERVICE, events, fault, idempotency, incident, page, usable};
use crate::sandbox::{Access, Answer, Call, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "ListRelatedItems",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "UpdateRelatedItems",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "UpdateRelatedItems", update),
    },
];

/// An incident holds a hundred related items (service model).
const MOST: usize = 100;

/// One related item.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RelatedItem {
    id: String,
    identifier: Value,
    title: Option<Value>,
}

impl RelatedItem {
    /// Makes an item of an input's `RelatedItem`.
    pub(super) fn from_input(call: &mut Call<'_>, item: &Value) -> Self {
        let identifier = item.get("identifier").cloned().unwrap_or_default();
        let kind = identifier.get("type").and_then(Value::as_str);
        let kind = kind.unwrap_or("OTHER");
        let id = format!("related-item/{kind}/{}", call.hex(32).to_uppercase());
        Self {
            id,
            identifier,
            title: item.get("title").cloned(),
        }
    }

    /// Makes an item that Incident Manager relates by itself to a resource.
    pub(super) fn resource(
        call: &mut Call<'_>,
        kind: &str,
        arn: &str,
        title: Option<&str>,
    ) -> Self {
        let mut item = Self::from_input(
            call,
            &json!({ "identifier": { "type": kind, "value": { "arn": arn } } }),
        );
        item.title = title.map(Value::from);
        item
    }

    /// Returns the update that would add the item, as a timeline shows it.
    pub(super) fn addition(&self) -> Value {
        let item = present([
            ("identifier", Some(self.identifier.clone())),
            ("title", self.title.clone()),
        ]);
        json!({ "itemToAdd": item })
    }
}

/// Adds an item, or gives the one that is there already its new title.
pub(super) fn add(items: &mut Vec<RelatedItem>, item: RelatedItem) {
    match items.iter_mut().find(|i| i.identifier == item.identifier) {
        Some(there) => {
            if item.title.is_some() {
                there.title = item.title;
            }
        }
        None => items.push(item),
    }
}

/// Returns the ARNs of the resources that are involved in the incident.
pub(super) fn involved(items: &[RelatedItem]) -> Vec<String> {
    items
        .iter()
        .filter(|item| {
            item.identifier
                .get("type")
                .is_some_and(|t| t == "INVOLVED_RESOURCE")
        })
        .filter_map(|item| item.identifier.pointer("/value/arn")?.as_str())
        .map(str::to_owned)
        .collect()
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let items = incident::peek(
        state,
        call,
        call.required("incidentRecordArn"),
        "ListRelatedItems",
    )
    .into_iter()
    .flat_map(|incident| incident.related_items.iter())
    .enumerate()
    .map(|(at, item)| {
        let value = present([
            ("generatedId", Some(json!(item.id))),
            ("identifier", Some(item.identifier.clone())),
            ("title", item.title.clone()),
        ]);
        (format!("{at:06}"), value.into())
    })
    .collect();
    page::page(call, "relatedItems", items)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    usable(state, call)?;
    let change = call.input.get("relatedItemsUpdate");
    let sent = |member: &str| change.and_then(|change| change.get(member));
    let added = sent("itemToAdd");
    if added.is_some_and(|item| item.get("generatedId").is_some()) {
        return Err(fault::invalid(
            "The generated id of a related item cannot be chosen.",
        ));
    }
    let added = added.map(|item| RelatedItem::from_input(call, item));
    let arn = call.required("incidentRecordArn").to_owned();
    let incident = incident::find(state, call, &arn, "UpdateRelatedItems")?;
    if added.is_some() && incident.related_items.len() == MOST {
        return Err(fault::invalid(
            "An incident can have at most 100 related items.",
        ));
    }
    let attribute = change.cloned().unwrap_or_default();
    let attributes = Map::from_iter([("relatedItems".to_owned(), attribute)]);
    let event = events::updated(call, &arn, &incident.title, &attributes);
    if let Some(item) = added {
        add(&mut incident.related_items, item);
    }
    if let Some(identifier) = sent("itemToRemove") {
        let items = &mut incident.related_items;
        items.retain(|item| item.identifier != *identifier);
    }
    incident.touch(call);
    incident.events.push(event);
    Ok(Map::new())
}
