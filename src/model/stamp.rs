//! The stamp: tags that say whose an object is, which one it is, and what was last applied.
//!
//! There is no state file; these three tags are the state. Keys use only letters, digits and `-`, because ssm-contacts
//! accepts nothing else; values keep to 256 characters of an alphabet that every service accepts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Address;
use super::diff::Difference;
use super::lifecycle::OnDelete;
use super::{pointer, sensitive};

/// The tag that names the owning stack.
pub const STACK: &str = "stationbill-stack";
/// The tag that names the object, `Kind/name`.
pub const OBJECT: &str = "stationbill-object";
/// The tag that remembers what was last applied.
pub const APPLIED: &str = "stationbill-applied";

/// Tags of an AWS object.
pub type Tags = BTreeMap<String, String>;

/// What a kind writes on an object when it creates or updates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The three tags.
    pub tags: Tags,
    /// The idempotency token: the same for every try at the same creation.
    pub token: String,
}

impl Stamp {
    /// Makes the stamp of an object; `spec` is its canonical spec with references by name.
    pub fn new(stack: &str, address: &Address, spec: &Value, on_delete: Option<OnDelete>) -> Self {
        let applied = Applied::of(address, spec, on_delete).to_string();
        let token = token(&[stack, &address.to_string(), &applied]);
        let tags = [
            (STACK, stack_tag(stack)),
            (OBJECT, object_tag(address)),
            (APPLIED, applied),
        ];
        Self {
            tags: tags.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            token,
        }
    }

    /// Returns the user's tags together with ours.
    pub fn with(&self, user: &Tags) -> Tags {
        user.iter()
            .chain(&self.tags)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Says whether tags are those of the same object of the same stack.
    pub fn is_on(&self, tags: &Tags) -> bool {
        [STACK, OBJECT]
            .into_iter()
            .all(|key| self.tags.get(key) == tags.get(key))
    }
}

/// Says whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// It carries no stamp.
    Nobody,
    /// It is this stack's.
    Us,
    /// It carries the stamp of another stack.
    Stack(&'a str),
}

/// Reads the owner from tags.
pub fn owner<'a>(tags: &'a Tags, stack: &str) -> Owner<'a> {
    match tags.get(STACK) {
        None => Owner::Nobody,
        Some(name) if *name == fit(stack) => Owner::Us,
        Some(name) => Owner::Stack(name),
    }
}

/// Says whether the stamp names this object.
pub fn names(tags: &Tags, address: &Address) -> bool {
    tags.get(OBJECT)
        .is_some_and(|object| *object == object_tag(address))
}

/// Returns the value of the tag that names a stack.
pub fn stack_tag(stack: &str) -> String {
    fit(stack).into_owned()
}

/// Returns the value of the tag that names an object.
pub fn object_tag(address: &Address) -> String {
    fit(&address.to_string()).into_owned()
}

/// Returns the `metadata.name` that a stamp has, whoever set it.
pub fn object_name(tags: &Tags) -> Option<&str> {
    let (_, name) = tags.get(OBJECT)?.split_once('/')?;
    Some(name)
}

/// Returns the user's own tags: neither ours nor AWS's.
pub fn user_tags(tags: &Tags) -> Tags {
    let ours = |key: &str| [STACK, OBJECT, APPLIED].contains(&key) || key.starts_with("aws:");
    tags.iter()
        .filter(|(key, _)| !ours(key))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// Shortens a tag value to 256 characters; a longer one ends in a hash of the whole.
fn fit(value: &str) -> Cow<'_, str> {
    if value.chars().count() <= 256 {
        return Cow::Borrowed(value);
    }
    let hash = hash(value.as_bytes(), 12);
    let head: String = value.chars().take(256 - hash.len() - 1).collect();
    Cow::Owned(format!("{head}.{hash}"))
}

/// Returns the first `bytes` bytes of a SHA-256, in letters, digits, `-` and `_`.
fn hash(data: &[u8], bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(data)[..bytes])
}

fn token(parts: &[&str]) -> String {
    let name = parts.join("\u{0}");
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// What was last applied: a short hash of every top-level field, so that a later run can say *why* one differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    fields: BTreeMap<String, String>,
    on_delete: Option<OnDelete>,
}

impl Applied {
    /// Hashes a canonical spec.
    pub fn of(address: &Address, spec: &Value, on_delete: Option<OnDelete>) -> Self {
        let key = address.to_string();
        let fields = spec
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (hash(name.as_bytes(), 3), field_hash(&key, value)))
            .collect();
        Self { fields, on_delete }
    }

    /// Reads the tag; `None` when there is none or a person has edited it.
    pub fn read(tags: &Tags) -> Option<Self> {
        let (mut applied, text) = (Self::default(), tags.get(APPLIED)?);
        let mut parts = text.split('.');
        match parts.next()? {
            "1" => {}
            "1d" => applied.on_delete = Some(OnDelete::Delete),
            "1r" => applied.on_delete = Some(OnDelete::Retain),
            _ => return None,
        }
        let rest = parts.next().unwrap_or_default();
        if !rest.is_ascii() || rest.len() % 8 != 0 {
            return None;
        }
        for at in (0..rest.len()).step_by(8) {
            applied
                .fields
                .insert(rest[at..at + 4].to_owned(), rest[at + 4..at + 8].to_owned());
        }
        Some(applied)
    }

    /// Returns what the document last said about deletion.
    pub fn on_delete(&self) -> Option<OnDelete> {
        self.on_delete
    }

    /// Says whether the field that a difference lies in is declared as it was when it was last applied.
    pub fn unchanged(&self, address: &Address, declared: &Value, difference: &Difference) -> bool {
        let Some(field) = pointer::steps(&difference.path).into_iter().next() else {
            return false;
        };
        self.holds(address, &field, declared.get(&field))
    }

    /// Says whether a field had this value when it was last applied.
    pub fn holds(&self, address: &Address, field: &str, value: Option<&Value>) -> bool {
        let then = self.fields.get(&hash(field.as_bytes(), 3));
        let now = value.map(|value| field_hash(&address.to_string(), value));
        then == now.as_ref()
    }
}

fn field_hash(key: &str, value: &Value) -> String {
    // Documents count by meaning, so that a reformatted runbook is not a changed one.
    let value = sensitive::fingerprinted(&by_meaning(value), key);
    hash(value.to_string().as_bytes(), 3)
}

/// Returns the value with embedded documents in one form, however they are written.
pub fn by_meaning(value: &Value) -> Value {
    if let Some(document) = super::Document::marked(value) {
        return Value::String(document.readable());
    }
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| (k.clone(), by_meaning(v)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.iter().map(by_meaning).collect()),
        other => other.clone(),
    }
}

impl std::fmt::Display for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.on_delete {
            None => "1.",
            Some(OnDelete::Delete) => "1d.",
            Some(OnDelete::Retain) => "1r.",
        })?;
        // 30 fields fit the 256 characters of a tag value; no kind has as many.
        self.fields
            .iter()
            .take(30)
            .try_for_each(|(name, value)| write!(f, "{name}{value}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn address() -> Address {
        Address::new("Contact", "kayoko")
    }

    #[test]
    fn the_tag_tells_which_field_changed_since() {
        let then = json!({"name": "kayoko", "stages": [1]});
        let stamp = Stamp::new("shop", &address(), &then, None);
        let applied = Applied::read(&stamp.tags).unwrap();
        assert!(applied.holds(&address(), "name", Some(&json!("kayoko"))));
        assert!(!applied.holds(&address(), "stages", Some(&json!([2]))));
        assert!(applied.holds(&address(), "displayName", None));
        assert!(!applied.holds(&address(), "displayName", Some(&json!("Kayoko"))));
    }

    #[test]
    fn an_edited_tag_is_as_good_as_none() {
        let tags: Tags = [(APPLIED.to_owned(), "nonsense".to_owned())].into();
        assert_eq!(Applied::read(&tags), None);
    }

    #[test]
    fn the_tag_remembers_what_shall_happen_on_deletion() {
        let stamp = Stamp::new("shop", &address(), &json!({"a": 1}), Some(OnDelete::Delete));
        assert_eq!(
            Applied::read(&stamp.tags).unwrap().on_delete(),
            Some(OnDelete::Delete)
        );
    }

    #[test]
    fn long_values_end_in_a_hash_of_the_whole() {
        let (a, b) = ("x".repeat(300), format!("{}y", "x".repeat(299)));
        assert_eq!(fit(&a).chars().count(), 256);
        assert_ne!(fit(&a), fit(&b));
    }

    #[test]
    fn values_use_the_alphabet_that_contacts_accept() {
        let stamp = Stamp::new("shop", &address(), &json!({"a": 1, "b": {"c": 2}}), None);
        for value in stamp.tags.values() {
            assert!(
                value
                    .chars()
                    .all(|c| c.is_alphanumeric() || "_.:/=+-@ ".contains(c)),
                "{value}"
            );
        }
    }
}
