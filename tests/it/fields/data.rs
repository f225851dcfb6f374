//! The data of a kind: what it needs, and pairs of documents that differ in every field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stationbill::kinds::AnyKind;
use stationbill::load::Declared;
use stationbill::model::lifecycle::Lifecycle;
use stationbill::model::schema::Schema;
use stationbill::model::{Address, Report, pointer};

/// Everything that a kind's file holds.
pub(super) struct Data {
    /// What the objects need.
    pub(super) needs: Vec<Value>,
    /// What they need and nobody owns.
    pub(super) foreign: Vec<Value>,
    /// Documents A and B by number.
    pub(super) pairs: BTreeMap<String, (Value, Value)>,
}

/// Where the data is.
pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fields")
}

impl Data {
    pub(super) fn read(kind: &dyn AnyKind) -> Result<Self> {
        let path = folder().join(format!("{}.yaml", kind.kind()));
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let mut data = Self {
            needs: Vec::new(),
            foreign: Vec::new(),
            pairs: BTreeMap::new(),
        };
        let mut sides: BTreeMap<String, [Option<Value>; 2]> = BTreeMap::new();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let document: Value = serde::Deserialize::deserialize(document)?;
            let label = document["metadata"]["labels"]["is"]
                .as_str()
                .map(str::to_owned);
            match label.as_deref().map(|label| label.split_at(1)) {
                None => data.needs.push(document),
                Some(("f", "oreign")) => data.foreign.push(document),
                Some((side, number)) => {
                    let number = number.trim_start_matches('-').to_owned();
                    sides.entry(number).or_default()[usize::from(side == "b")] = Some(document);
                }
            }
        }
        for (number, sides) in sides {
            let [Some(a), Some(b)] = sides else {
                anyhow::bail!("{}: pair {number} lacks a side", kind.kind());
            };
            ensure!(a["metadata"]["name"] == b["metadata"]["name"]);
            data.pairs.insert(number, (a, b));
        }
        Ok(data)
    }
}

/// The fields that a document names as belonging together: they are changed together too.
pub(super) fn together(document: &Value) -> Vec<Vec<String>> {
    let groups = document["metadata"]["annotations"]["together"].as_str();
    groups
        .into_iter()
        .flat_map(|groups| groups.split(';'))
        .map(|group| {
            group
                .split_whitespace()
                .map(|field| format!("/{field}"))
                .collect()
        })
        .collect()
}

/// A document's spec with its name.
pub(super) fn spec_of(document: &Value, schema: &Schema) -> Value {
    let mut spec = document["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("lifecycle");
        if schema.requires_text("name") {
            spec.entry("name")
                .or_insert(document["metadata"]["name"].clone());
        }
    }
    spec
}

/// Makes an object of a spec, unless the kind says that it is wrong.
pub(super) fn declared(
    kind: &dyn AnyKind,
    schema: &Schema,
    document: &Value,
    spec: &Value,
) -> Result<Declared, String> {
    let findings = schema.walk(spec);
    if let Some(violation) = findings.violations.first() {
        return Err(format!("{} {}", violation.at, violation.message));
    }
    let parsed = kind.parse(spec).map_err(|error| error.to_string())?;
    let mut report = Report::default();
    kind.validate(&parsed, &mut report);
    if !report.is_ok() {
        let first = &report.diagnostics[0];
        return Err(format!("{} {}", first.at, first.message));
    }
    let lifecycle = document["spec"].get("lifecycle").cloned();
    let lifecycle: Lifecycle = lifecycle
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| error.to_string())?
        .unwrap_or_default();
    let name = document["metadata"]["name"].as_str().unwrap_or_default();
    Ok(Declared::new(
        Address::new(kind.kind(), name),
        parsed,
        lifecycle,
    ))
}

/// Every property that a schema has, `*` for any member of a list or map.
pub(super) fn properties(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    each(schema, None, at, found);
}

/// Every property of a schema that a value sets.
pub(super) fn set_by(value: &Value, schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    each(schema, Some(value), at, found);
}

/// Walks a schema, alone or along a value.
fn each(schema: &Value, value: Option<&Value>, at: &str, found: &mut BTreeSet<String>) {
    if schema.get("x-stationbill-document").is_some() {
        return;
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for schema in schema[choice].as_array().into_iter().flatten() {
            each(schema, value, at, found);
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let member = value.map(|value| value.get(name));
        if member != Some(None) {
            let at = pointer::join(at, name);
            found.insert(at.clone());
            each(schema, member.flatten(), &at, found);
        }
    }
    let at = pointer::join(at, "*");
    let rest = |schema: &Value, found: &mut BTreeSet<String>| match value {
        None => each(schema, None, &at, found),
        Some(Value::Array(list)) => list.iter().for_each(|v| each(schema, Some(v), &at, found)),
        Some(Value::Object(map)) => map.values().for_each(|v| each(schema, Some(v), &at, found)),
        Some(_) => {}
    };
    if schema["items"].is_object() {
        rest(&schema["items"], found);
    }
    if schema["additionalProperties"].is_object() {
        rest(&schema["additionalProperties"], found);
    }
}

/// The fields in which two specs differ, and the innermost places, without embedded documents' insides.
pub(super) fn differing(a: &Value, b: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (field, old) in a.as_object().into_iter().flatten() {
        let at = pointer::join("", field);
        if let Some(new) = b.get(field)
            && old != new
        {
            found.push(at.clone());
            if schema["properties"][field]
                .get("x-stationbill-document")
                .is_none()
            {
                inside(old, new, &at, &mut found);
            }
        }
    }
    found
}

fn inside(a: &Value, b: &Value, at: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value, &Value)> = match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let both = a
                .iter()
                .filter_map(|(key, a)| Some((key.clone(), a, b.get(key)?)));
            both.collect()
        }
        (Value::Array(a), Value::Array(b)) => {
            let both = a.iter().zip(b).enumerate();
            both.map(|(index, (a, b))| (index.to_string(), a, b))
                .collect()
        }
        _ => Vec::new(),
    };
    for (key, a, b) in members {
        if a != b {
            let (at, before) = (pointer::join(at, key), found.len());
            inside(a, b, &at, found);
            if found.len() == before {
                found.push(at);
            }
        }
    }
}

/// Every member of every map in a spec, without embedded documents' insides: what may be cleared.
pub(super) fn members(spec: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (field, value) in spec.as_object().into_iter().flatten() {
        let at = pointer::join("", field);
        found.push(at.clone());
        if schema["properties"][field]
            .get("x-stationbill-document")
            .is_none()
        {
            members_inside(value, &at, &mut found);
        }
    }
    found
}

fn members_inside(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                let at = pointer::join(at, key);
                found.push(at.clone());
                members_inside(member, &at, found);
            }
        }
        Value::Array(list) => {
            for (index, member) in list.iter().enumerate() {
                members_inside(member, &pointer::join(at, index), found);
            }
        }
        _ => {}
    }
}

/// Returns a spec with some of its places as another has them.
pub(super) fn with(spec: &Value, other: &Value, places: &[String]) -> Value {
    let mut spec = spec.clone();
    for place in places {
        match other.pointer(place) {
            Some(value) => set(&mut spec, place, value.clone()),
            None => pointer::remove(&mut spec, place),
        }
    }
    spec
}

/// Sets a member of a map or list.
pub(super) fn set(spec: &mut Value, place: &str, value: Value) {
    if let Some(at) = spec.pointer_mut(place) {
        *at = value;
    } else if let Some((parent, key)) = place.rsplit_once('/')
        && let Some(Value::Object(map)) = spec.pointer_mut(parent)
    {
        map.insert(key.to_owned(), value);
    }
}

/// Returns a spec without one of its members.
pub(super) fn without(spec: &Value, place: &str) -> Value {
    let mut spec = spec.clone();
    pointer::remove(&mut spec, place);
    spec
}

/// Returns a spec with a text emptied, if there is a text.
pub(super) fn emptied(spec: &Value, place: &str) -> Option<Value> {
    let mut spec = spec.clone();
    let at = spec.pointer_mut(place).filter(|value| value.is_string())?;
    *at = json!("");
    Some(spec)
}
