//! Puts the texts of files where `contentFrom` names them, and takes off what means "absent".

use serde_json::{Map, Value};

use super::super::pointer;
use super::{Node, Record, Rest, Schema, Shape};

/// A `contentFrom` that stands where the schema allows one.
#[derive(Debug)]
pub struct Slot<'a> {
    /// JSON Pointer to the `contentFrom`.
    pub at: String,
    /// JSON Pointer to the `content` that it stands for.
    pub content: String,
    /// What it says.
    pub from: Value,
    /// The name of the field that it stands for.
    pub field: &'a str,
    /// Whether that field is written as well.
    pub both: bool,
}

impl Schema {
    /// Replaces every `contentFrom` by the text that `read` returns, and drops fields that are `null`.
    ///
    /// Embedded documents are left as they are: a `null` inside one is not ours. So are entries of maps, in which a
    /// `null` is a mistake.
    pub fn fill(&self, value: &mut Value, read: &mut dyn FnMut(Slot<'_>) -> Option<String>) {
        fill(&self.root, value, "", read);
    }
}

fn fill(
    node: &Node,
    value: &mut Value,
    at: &str,
    read: &mut dyn FnMut(Slot<'_>) -> Option<String>,
) {
    match (&node.shape, value) {
        (Shape::List { items, .. }, Value::Array(list)) => {
            for (index, item) in list.iter_mut().enumerate() {
                fill(items, item, &pointer::join(at, index), read);
            }
        }
        (Shape::Record(record), Value::Object(map)) => {
            slots(record, map, at, read);
            map.retain(|key, member| !member.is_null() || record.entry(key).is_some());
            for (key, member) in map.iter_mut() {
                let node = match (record.field(key), &record.rest) {
                    (Some(field), _) => field,
                    (None, Rest::Of(node)) => node,
                    _ => continue,
                };
                fill(node, member, &pointer::join(at, key), read);
            }
        }
        (Shape::Tagged { keys, .. }, Value::Object(map)) => {
            if map.len() > 1 {
                map.retain(|_, member| !member.is_null());
            }
            for (key, member) in map.iter_mut() {
                if let Some((_, node)) = keys.iter().find(|(name, _)| name == key) {
                    fill(node, member, &pointer::join(at, key), read);
                }
            }
        }
        (Shape::Union(variants), value) => {
            for variant in variants {
                fill(variant, value, at, read);
            }
        }
        _ => {}
    }
}

fn slots(
    record: &Record,
    map: &mut Map<String, Value>,
    at: &str,
    read: &mut dyn FnMut(Slot<'_>) -> Option<String>,
) {
    let found: Vec<(String, &str)> = map
        .keys()
        .filter(|key| record.field(key).is_none())
        .filter_map(|key| Some((key.clone(), record.document_from(key)?)))
        .collect();
    for (key, field) in found {
        let from = map.shift_remove(&key).unwrap_or_default();
        if from.is_null() {
            continue;
        }
        let slot = Slot {
            at: pointer::join(at, &key),
            content: pointer::join(at, field),
            from,
            field,
            both: map.get(field).is_some_and(|value| !value.is_null()),
        };
        if let Some(text) = read(slot) {
            map.insert(field.to_owned(), Value::String(text));
        }
    }
}
