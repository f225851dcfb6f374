//! Pages and their opaque tokens.
//!
//! A token remembers the last key it has shown, not a position: what is created or deleted between two pages
//! neither repeats nor skips anything else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fault;
use crate::sandbox::{Answer, Call, Fault, Map};

/// The page size when the caller asks for none.
const DEFAULT: i64 = 100;

/// Answers one page of `items`, which are sorted by their key.
pub(super) fn page(call: &Call<'_>, member: &str, items: Vec<(String, Value)>) -> Answer {
    let after = call
        .str("nextToken")
        .filter(|token| !token.is_empty())
        .map(|token| open(member, token))
        .transpose()?;
    let size = usize::try_from(call.int("maxResults").unwrap_or(DEFAULT)).unwrap_or(1);
    let mut rest = items
        .into_iter()
        .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
        .peekable();
    let mut shown = Vec::new();
    let mut last = String::new();
    while shown.len() < size
        && let Some((key, value)) = rest.next()
    {
        shown.push(value);
        last = key;
    }
    let mut answer = Map::new();
    answer.insert(member.to_owned(), Value::Array(shown));
    if rest.peek().is_some() {
        answer.insert("nextToken".to_owned(), Value::from(seal(member, &last)));
    }
    Ok(answer)
}

fn digest(member: &str, key: &str) -> [u8; 8] {
    let hash = Sha256::digest(format!("{member}\n{key}"));
    std::array::from_fn(|i| hash[i])
}

fn seal(member: &str, key: &str) -> String {
    let mut bytes = digest(member, key).to_vec();
    bytes.extend_from_slice(key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(member: &str, token: &str) -> Result<String, Fault> {
    let invalid = || fault::invalid("The pagination token is not valid.");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let (mark, key) = bytes.split_at_checked(8).ok_or_else(invalid)?;
    let key = String::from_utf8(key.to_vec()).map_err(|_| invalid())?;
    if mark == digest(member, &key) {
        Ok(key)
    } else {
        Err(invalid())
    }
}

/// Returns a key that sorts moments from the oldest to the newest.
pub(super) fn oldest_first(seconds: f64) -> String {
    format!("{:020}", milliseconds(seconds))
}

/// Returns a key that sorts moments from the newest to the oldest.
pub(super) fn newest_first(seconds: f64) -> String {
    format!("{:020}", (1_u64 << 62) - milliseconds(seconds))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates, and moments before 1970 sort as one"
)]
fn milliseconds(seconds: f64) -> u64 {
    ((seconds * 1000.0).round() as u64).min(1 << 62)
}
