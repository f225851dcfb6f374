//! The text of a document: read as JSON or YAML, and written again in the other format.

use serde_json::{Map, Value};

use crate::sandbox::Fault;

/// How large the text can be, in bytes.
const LARGEST: usize = 64 * 1024;

/// Refuses a text that is too large for a document.
pub(super) fn check_size(content: &str) -> Result<(), Fault> {
    if content.len() > LARGEST {
        return Err(Fault::new(
            "MaxDocumentSizeExceeded",
            "The size limit of a document is 64 KB.",
        ));
    }
    Ok(())
}

/// Reads the text; a document in format `TEXT` has no structure and reads as null.
pub(in crate::sandbox::ssm) fn parse(format: &str, content: &str) -> Result<Value, Fault> {
    let ill_formed = |what: &str, line: usize, column: usize| {
        wrong(format!(
            "{what} not well-formed. at Line: {line}, Column: {column}"
        ))
    };
    match format {
        "TEXT" => Ok(Value::Null),
        "YAML" => {
            let mut value: serde_yaml::Value = serde_yaml::from_str(content).map_err(|error| {
                let (line, column) = error
                    .location()
                    .map_or((1, 1), |at| (at.line(), at.column()));
                ill_formed("YAML", line, column)
            })?;
            // Merge keys belong to YAML 1.1, which AWS's reader speaks; a merge that cannot be done is left as it is.
            let _ = value.apply_merge();
            Ok(plain(value))
        }
        _ => serde_json::from_str(content)
            .map_err(|error| ill_formed("JSON", error.line(), error.column())),
    }
}

/// Writes the text of a document in another format than it was stored in.
pub(super) fn convert(content: &str, stored: &str, wanted: &str) -> Option<String> {
    let value = parse(stored, content).ok()?;
    match wanted {
        "YAML" => serde_yaml::to_string(&value).ok(),
        _ => serde_json::to_string_pretty(&value).ok(),
    }
}

/// Makes the fault of a text that does not say what its document type needs.
pub(super) fn wrong(message: impl Into<String>) -> Fault {
    Fault::new("InvalidDocumentContent", message)
}

fn plain(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(b) => Value::Bool(b),
        serde_yaml::Value::Number(n) => number(&n),
        serde_yaml::Value::String(s) => Value::String(s),
        serde_yaml::Value::Sequence(items) => items.into_iter().map(plain).collect(),
        serde_yaml::Value::Mapping(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, value)| (key_text(key), plain(value)))
                .collect::<Map<_, _>>(),
        ),
        serde_yaml::Value::Tagged(tagged) => plain(tagged.value),
    }
}

fn number(n: &serde_yaml::Number) -> Value {
    if let Some(n) = n.as_i64() {
        n.into()
    } else if let Some(n) = n.as_u64() {
        n.into()
    } else {
        n.as_f64()
            .and_then(serde_json::Number::from_f64)
            .map_or(Value::Null, Value::Number)
    }
}

/// YAML allows keys that are not text, JSON does not.
fn key_text(key: serde_yaml::Value) -> String {
    match plain(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
