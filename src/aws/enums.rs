//! Enumerations on their way between specs and AWS: a spec spells every value as AWS does.

use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::AwsError;

/// Reads a value as AWS spells it; `None` for one that is newer than this program.
pub fn known<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(text)).ok()
}

/// Reads a value as AWS spells it, or fails with the name of the member.
pub fn read<'a, T: Deserialize<'a>>(member: &str, text: &'a str) -> Result<T, AwsError> {
    known(text).ok_or_else(|| {
        let message = format!("AWS answered `{text}`, which this version does not know");
        AwsError::unexpected(member, &message)
    })
}

/// Returns a value as AWS spells it.
pub fn spelled<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
