//! From JSON Schema, as `schemars` writes it for `OpenAPI` 3, to [`Node`]s.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::{Node, Number, Pattern, Record, Rest, Shape, Text};
use crate::model::document;

/// Reads one place of a schema.
pub(super) fn node(schema: &Value) -> Node {
    let Some(map) = schema.as_object() else {
        return Node {
            description: None,
            sensitive: false,
            references: Vec::new(),
            shape: Shape::Any,
        };
    };
    let marked = |key: &str| map.get(key) == Some(&Value::Bool(true));
    let inner = if marked(document::SCHEMA_MARK) {
        Node::bare(Shape::Document)
    } else {
        shape(map)
    };
    Node {
        description: text(map, "description").or(inner.description),
        sensitive: inner.sensitive || marked("x-stationbill-sensitive"),
        references: Some(references(map))
            .filter(|kinds| !kinds.is_empty())
            .unwrap_or(inner.references),
        shape: inner.shape,
    }
}

/// Returns the kinds that a reference may name, where there is one or where there may be one.
fn references(map: &Map<String, Value>) -> Vec<String> {
    let several = map.get("x-stationbill-may-ref").and_then(Value::as_array);
    let several = several.into_iter().flatten().filter_map(Value::as_str);
    let one = text(map, "x-stationbill-ref");
    one.into_iter().chain(several.map(str::to_owned)).collect()
}

impl Node {
    fn bare(shape: Shape) -> Self {
        Self {
            description: None,
            sensitive: false,
            references: Vec::new(),
            shape,
        }
    }
}

fn shape(map: &Map<String, Value>) -> Node {
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Array(variants)) = map.get(key) {
            return union(variants);
        }
    }
    if let Some(words) = words(map) {
        return Node::bare(Shape::Choice(words));
    }
    match map.get("type") {
        Some(Value::String(kind)) => Node::bare(of_type(kind, map)),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            match kinds
                .iter()
                .filter(|kind| **kind != "null")
                .collect::<Vec<_>>()[..]
            {
                [kind] => Node::bare(of_type(kind, map)),
                ref several => Node::bare(Shape::Union(
                    several
                        .iter()
                        .map(|kind| Node::bare(of_type(kind, map)))
                        .collect(),
                )),
            }
        }
        _ if map.contains_key("properties") => Node::bare(of_type("object", map)),
        _ => Node::bare(Shape::Any),
    }
}

fn of_type(kind: &str, map: &Map<String, Value>) -> Shape {
    match kind {
        "string" => Shape::Text(Text {
            min: map.get("minLength").and_then(Value::as_u64),
            max: map.get("maxLength").and_then(Value::as_u64),
            pattern: text(map, "pattern").map(|source| Pattern {
                source,
                regex: OnceLock::new(),
            }),
        }),
        "integer" | "number" => number(kind == "integer", map),
        "boolean" => Shape::Bool,
        "array" => Shape::List {
            items: Box::new(node(map.get("items").unwrap_or(&Value::Null))),
            min: map.get("minItems").and_then(Value::as_u64),
            max: map.get("maxItems").and_then(Value::as_u64),
            unique: map.get("uniqueItems") == Some(&Value::Bool(true)),
        },
        "object" => Shape::Record(record(map)),
        _ => Shape::Any,
    }
}

/// Takes the range from the schema, and for a whole number without one from the Rust type behind it.
fn number(whole: bool, map: &Map<String, Value>) -> Shape {
    let get = |key: &str| map.get(key).and_then(Value::as_f64);
    let (low, high) = match map.get("format").and_then(Value::as_str) {
        Some("int8") => (Some(f64::from(i8::MIN)), Some(f64::from(i8::MAX))),
        Some("uint8") => (Some(0.0), Some(f64::from(u8::MAX))),
        Some("int16") => (Some(f64::from(i16::MIN)), Some(f64::from(i16::MAX))),
        Some("uint16") => (Some(0.0), Some(f64::from(u16::MAX))),
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        Some("uint32") => (Some(0.0), Some(f64::from(u32::MAX))),
        Some("uint64" | "uint") => (Some(0.0), None),
        _ => (None, None),
    };
    Shape::Number(Number {
        whole,
        min: get("minimum").or_else(|| get("exclusiveMinimum")).or(low),
        max: get("maximum").or_else(|| get("exclusiveMaximum")).or(high),
    })
}

fn record(map: &Map<String, Value>) -> Record {
    let fields: Vec<(String, Node)> = map
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), node(schema)))
        .collect();
    let rest = match map.get("additionalProperties") {
        Some(Value::Bool(false)) => Rest::Forbidden,
        Some(schema @ Value::Object(_)) => Rest::Of(Box::new(node(schema))),
        _ => pattern_properties(map),
    };
    Record {
        fields,
        required: map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        rest,
        min: map.get("minProperties").and_then(Value::as_u64),
        max: map.get("maxProperties").and_then(Value::as_u64),
    }
}

/// A map with typed keys is written as `patternProperties` with one pattern; the keys are left to the typed parse.
fn pattern_properties(map: &Map<String, Value>) -> Rest {
    map.get("patternProperties")
        .and_then(Value::as_object)
        .and_then(|patterns| patterns.values().next())
        .map_or(Rest::Anything, |schema| Rest::Of(Box::new(node(schema))))
}

/// Returns the words of a schema that allows nothing but certain texts.
fn words(map: &Map<String, Value>) -> Option<Vec<String>> {
    if let Some(word) = text(map, "const") {
        return Some(vec![word]);
    }
    let values = map.get("enum")?.as_array()?;
    let words: Vec<String> = values
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect();
    let rest = values.iter().filter(|value| !value.is_null()).count();
    (!words.is_empty() && words.len() == rest).then_some(words)
}

/// Says whether a schema allows `null` and nothing else, which is how an `Option` is written beside its type.
fn only_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| values.iter().all(Value::is_null))
}

fn union(variants: &[Value]) -> Node {
    let variants: Vec<&Value> = variants.iter().filter(|v| !only_null(v)).collect();
    if let [single] = variants[..] {
        return node(single);
    }
    let (mut words_found, mut keys) = (Vec::new(), Vec::new());
    for variant in &variants {
        if let Some(map) = variant.as_object() {
            if let Some(words) = words(map) {
                words_found.extend(words);
                continue;
            }
            if let Some(tagged) = tagged(map) {
                keys.push(tagged);
                continue;
            }
        }
        return Node::bare(Shape::Union(variants.iter().map(|v| node(v)).collect()));
    }
    Node::bare(if keys.is_empty() {
        Shape::Choice(words_found)
    } else {
        Shape::Tagged {
            keys,
            words: words_found,
        }
    })
}

/// Reads a variant of an externally tagged enum: an object with one property, which is required.
fn tagged(map: &Map<String, Value>) -> Option<(String, Node)> {
    let properties = map.get("properties")?.as_object()?;
    let required = map.get("required")?.as_array()?;
    let (name, schema) = properties.iter().next()?;
    let alone = properties.len() == 1 && required.len() == 1 && required[0] == name.as_str();
    let closed = map.get("additionalProperties") == Some(&Value::Bool(false));
    (alone && closed).then(|| {
        let mut inner = node(schema);
        inner.description = text(map, "description").or(inner.description);
        (name.clone(), inner)
    })
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn is_personal(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            map.get("x-stationbill-sensitive") == Some(&Value::Bool(true))
                || map.values().any(is_personal)
        }
        Value::Array(list) => list.iter().any(is_personal),
        _ => false,
    }
}
