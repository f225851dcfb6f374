//! Embedded documents: runbooks, dashboards, session preferences.
//!
//! A document keeps the text that its author wrote, comments and all, and is compared by meaning. In canonical form
//! it is the marker object `{"$document": {"format": …, "text": …}}`, so that neither the reference walk nor the
//! diff mistakes its content for ours.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::bounded;
use super::canonical::canonical;

/// The key of the marker object.
pub const MARKER: &str = "$document";

/// What marks a field of this type in a schema.
pub(super) const SCHEMA_MARK: &str = "x-stationbill-document";

/// How a document is written.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Anything else, compared to the letter.
    Text,
}

/// An embedded document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// How the text is written.
    pub format: Format,
    /// The text, as it is sent.
    pub text: String,
}

impl Format {
    /// Finds out how a text is written: JSON when it begins like an object or a list, an iCalendar as text, YAML
    /// otherwise.
    pub fn of(text: &str) -> Self {
        let start = text.trim_start();
        if start.starts_with(['{', '[']) {
            Self::Json
        } else if start.starts_with("BEGIN:") {
            Self::Text
        } else {
            Self::Yaml
        }
    }
}

/// Returns the top-level fields of a spec's schema that hold documents, which may live in files.
pub fn fields(schema: &Value) -> Vec<String> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let documents = properties.filter(|(_, field)| field.get(SCHEMA_MARK).is_some());
    documents.map(|(name, _)| name.clone()).collect()
}

impl Document {
    /// Takes a text and finds out how it is written.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let format = Format::of(&text);
        Self { format, text }
    }

    /// Writes a value as a document: YAML, or indented JSON.
    pub fn from_value(value: &Value, format: Format) -> Self {
        let text = match format {
            Format::Yaml | Format::Text => serde_yaml::to_string(value).unwrap_or_default(),
            Format::Json => serde_json::to_string_pretty(value).unwrap_or_default(),
        };
        Self { format, text }
    }

    /// Parses the text; `Ok(None)` for plain text, which has no meaning but itself.
    pub fn parse(&self) -> Result<Option<Value>, String> {
        match self.format {
            Format::Json => serde_json::from_str(&self.text)
                .map(Some)
                .map_err(|e| e.to_string()),
            Format::Yaml => bounded::yaml(&self.text).map(Some),
            Format::Text => Ok(None),
        }
    }

    /// Says whether two documents mean the same, however they are written.
    pub fn same_meaning(&self, other: &Self) -> bool {
        if self.text == other.text {
            return true;
        }
        match (self.parse(), other.parse()) {
            (Ok(Some(a)), Ok(Some(b))) => canonical_meaning(a) == canonical_meaning(b),
            _ => false,
        }
    }

    /// Returns the document in the form in which differences are shown: YAML for what is structured, sorted.
    pub fn readable(&self) -> String {
        match self.parse() {
            Ok(Some(value)) => serde_yaml::to_string(&canonical_meaning(value))
                .unwrap_or_else(|_| self.text.clone()),
            _ => self.text.clone(),
        }
    }

    /// Returns the text in another format; the text itself when it is written so already.
    pub fn written_as(&self, format: Format) -> Result<Cow<'_, str>, String> {
        if format == self.format || format == Format::Text {
            return Ok(Cow::Borrowed(&self.text));
        }
        let value = self.parse()?.unwrap_or_default();
        Ok(Cow::Owned(Self::from_value(&value, format).text))
    }

    /// Returns the text of a marker object.
    pub fn marked_text(value: &Value) -> Option<&str> {
        value.get(MARKER)?.get("text")?.as_str()
    }

    /// Reads a marker object.
    pub fn marked(value: &Value) -> Option<Self> {
        let inner = value
            .as_object()
            .filter(|map| map.len() == 1)?
            .get(MARKER)?;
        let format = Format::deserialize(inner.get("format")?).ok()?;
        Some(Self {
            format,
            text: inner.get("text")?.as_str()?.to_owned(),
        })
    }
}

/// Sorts keys and writes `1.0` as `1`, but keeps what is empty: inside somebody else's document it may mean something.
fn canonical_meaning(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map
                .into_iter()
                .map(|(k, v)| (k, canonical_meaning(v)))
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(canonical_meaning).collect()),
        other => canonical(other),
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ MARKER: { "format": self.format, "text": self.text } }).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(document) = Self::marked(&value) {
            return Ok(document);
        }
        match value {
            Value::String(text) => Ok(Self::from_text(text)),
            Value::Object(_) => Ok(Self::from_value(&value, Format::Yaml)),
            _ => Err(serde::de::Error::custom(
                "a document is a map, or a text that holds one",
            )),
        }
    }
}

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A document of its own: a map, or its text.",
            "x-kubernetes-preserve-unknown-fields": true,
            SCHEMA_MARK: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_compared_by_meaning() {
        let a = Document::from_text("{\"b\": 1, \"a\": [\"x\"]}");
        let b = Document::from_text("# a comment\na: [x]\nb: 1.0\n");
        assert!(a.same_meaning(&b));
        assert!(!a.same_meaning(&Document::from_text("a: [y]\nb: 1\n")));
    }

    #[test]
    fn an_empty_map_inside_a_document_means_something() {
        assert!(!Document::from_text("a: {}\nb: 1").same_meaning(&Document::from_text("b: 1")));
    }

    #[test]
    fn the_marker_survives_the_round_trip() {
        let document = Document::from_text("schemaVersion: '0.3' # keep me\n");
        let value = serde_json::to_value(&document).unwrap();
        assert_eq!(serde_json::from_value::<Document>(value).unwrap(), document);
    }
}
