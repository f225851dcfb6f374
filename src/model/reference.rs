//! References from one object to another: written by name, resolved late.
//!
//! In canonical form a reference names its kind, `{"ref": "Contact/kayoko"}`. One walk over a value then gives the
//! edges of the graph, the dangling names, resolution just before a call, and *lifting*: an ARN in a live object
//! that belongs to one of ours becomes a reference again before the difference is taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::held::Held;
use super::pointer;
use super::spec::Spec;

/// A reference to an object of kind `K`.
pub enum Ref<K> {
    /// An object of ours, by `metadata.name`; written `{ ref: name }`.
    Name(String, PhantomData<fn() -> K>),
    /// An object that is not ours; written `{ arn: … }`.
    Arn(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written {
    Ref(String),
    Arn(String),
}

impl<K> Ref<K> {
    /// Makes a reference to an object of ours.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Name(name.into(), PhantomData)
    }

    /// Makes a reference to an object by its ARN.
    pub fn arn(arn: impl Into<String>) -> Self {
        Self::Arn(arn.into())
    }

    /// Returns the ARN, or whatever identifies the object in AWS; `None` while the reference is not resolved.
    pub fn resolved(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) => Some(arn),
            Self::Name(..) => None,
        }
    }

    /// Returns the ARN of a reference that the engine has resolved.
    ///
    /// # Panics
    /// Never in the engine: a spec is resolved before it is sent.
    pub fn id(&self) -> &str {
        self.resolved()
            .expect("references are resolved before a spec is sent")
    }
}

impl<K: Spec> Serialize for Ref<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name, _) => Written::Ref(format!("{}/{name}", K::KIND)),
            Self::Arn(arn) => Written::Arn(arn.clone()),
        }
        .serialize(serializer)
    }
}

impl<'de, K: Spec> Deserialize<'de> for Ref<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Arn(arn) => Self::Arn(arn),
            Written::Ref(name) => match name.split_once('/') {
                None => Self::named(name),
                Some((kind, name)) if kind == K::KIND => Self::named(name),
                Some((kind, _)) => {
                    return Err(serde::de::Error::custom(format!(
                        "a {} is wanted here, not a {kind}",
                        K::KIND
                    )));
                }
            },
        })
    }
}

impl<K: Spec> JsonSchema for Ref<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Ref", K::KIND).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": format!("A {}: `{{ ref: name }}` for one of ours, `{{ arn: … }}` for one that is not.", K::KIND),
            "properties": {
                "ref": { "type": "string", "minLength": 1, "description": format!("`metadata.name` of a {}.", K::KIND) },
                "arn": { "type": "string", "minLength": 1, "description": "ARN of an object that is not ours." },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "x-stationbill-ref": K::KIND,
        })
    }
}

impl<K> Clone for Ref<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Name(name, _) => Self::named(name.clone()),
            Self::Arn(arn) => Self::Arn(arn.clone()),
        }
    }
}

impl<K> Ref<K> {
    fn key(&self) -> (bool, &str) {
        match self {
            Self::Name(name, _) => (false, name),
            Self::Arn(arn) => (true, arn),
        }
    }
}

impl<K> std::fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key().1)
    }
}

impl<K> PartialEq for Ref<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<K> Eq for Ref<K> {}

impl<K> PartialOrd for Ref<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Ref<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Returns the text of a value that is exactly `{"<key>": "text"}`. It is asked of every value there is, so it looks at
/// the only member instead of looking the key up.
fn single<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (only, text) = map.iter().next()?;
    text.as_str().filter(|_| only == key)
}

/// Lists every reference in a canonical spec: where it stands, and the `Kind/name` it names.
pub fn references(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(value, "", &mut |at, value| {
        if let Some(name) = single(value, "ref").filter(|name| name.contains('/')) {
            found.push((at.to_owned(), name.to_owned()));
        }
    });
    found
}

fn walk(value: &Value, at: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(at, value);
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                walk(member, &pointer::join(at, key), visit);
            }
        }
        Value::Array(list) => {
            for (index, member) in list.iter().enumerate() {
                walk(member, &pointer::join(at, index), visit);
            }
        }
        _ => {}
    }
}

/// AWS id to `Kind/name`: looked up and never listed, so it has no order. Ids begin alike, and are slow to compare.
pub type Names = HashMap<String, String>;

/// Turns each ARN that belongs to one of ours into a reference.
pub fn lift(value: Value, names: &Names) -> Value {
    rewrite(value, &|value| {
        let name = names.get(single(value, "arn")?)?;
        Some(serde_json::json!({ "ref": name }))
    })
}

/// Lists every `Kind/name` that a value names once it is lifted.
pub fn lifted_references(value: &Value, names: &Names) -> BTreeSet<String> {
    fn collect(value: &Value, names: &Names, found: &mut BTreeSet<String>) {
        if let Some(name) = target(value, names).filter(|name| name.contains('/')) {
            found.insert(name.to_owned());
        }
        match value {
            Value::Object(map) => map
                .values()
                .for_each(|member| collect(member, names, found)),
            Value::Array(list) => list.iter().for_each(|member| collect(member, names, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    collect(value, names, &mut found);
    found
}

/// Lists every `Kind/name` that a live spec names once it is lifted.
pub fn held_references(held: &Held, names: &Names) -> BTreeSet<String> {
    let members = held.members().map(|(_, member)| member);
    members
        .flat_map(|member| lifted_references(member, names))
        .collect()
}

/// Says whether a live spec and a declared one are the same once both are lifted, without copying either.
pub fn same_held(held: &Held, declared: &Arc<Value>, names: &Names) -> bool {
    let same = |(name, member): (&String, &Value)| {
        let other = declared.get(name);
        other.is_some_and(|other| same_lifted(member, other, names))
    };
    let count = declared.as_object().map_or(0, serde_json::Map::len);
    held.is(declared) || (held.members().count() == count && held.members().all(same))
}

/// Says whether two values are the same once both are lifted, without copying either.
fn same_lifted(a: &Value, b: &Value, names: &Names) -> bool {
    match (a, b) {
        (Value::Object(left), Value::Object(right)) => {
            if let (Some(left), Some(right)) = (target(a, names), target(b, names)) {
                return left == right;
            }
            left.len() == right.len()
                && left.iter().all(|(key, member)| {
                    right
                        .get(key)
                        .is_some_and(|other| same_lifted(member, other, names))
                })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same_lifted(left, right, names))
        }
        _ => a == b,
    }
}

/// Returns what a reference names once it is lifted.
fn target<'a>(value: &'a Value, names: &'a Names) -> Option<&'a str> {
    let lifted = single(value, "arn").and_then(|arn| names.get(arn));
    lifted.map(String::as_str).or_else(|| single(value, "ref"))
}

/// Turns each reference whose object is known into its ARN; `ids` maps `Kind/name` to ids.
pub fn resolve(value: Value, ids: &BTreeMap<String, String>) -> Value {
    rewrite(value, &|value| {
        let id = ids.get(single(value, "ref")?)?;
        Some(serde_json::json!({ "arn": id }))
    })
}

fn rewrite(value: Value, change: &impl Fn(&Value) -> Option<Value>) -> Value {
    if let Some(changed) = change(&value) {
        return changed;
    }
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(k, v)| (k, rewrite(v, change)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(|v| rewrite(v, change)).collect()),
        other => other,
    }
}
