//! Lists in pages, with tokens that say nothing to the client and cannot be made up.
//!
//! A token carries the key of the last item, masked, and a tag that binds it to the account, the operation and the
//! filters. So reading a list changes nothing in the state, and a token lives as long as the list does.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fault;
use crate::sandbox::{Answer, Call, Fault, Map};

/// How many items a page has when the caller does not say; the service does not document it.
const DEFAULT: usize = 100;
const TAG: usize = 16;

/// Where a page begins and how long it is.
#[derive(Debug)]
pub(super) struct Window {
    /// The key of the last item of the page before.
    pub(super) after: Option<String>,
    /// How many items to return.
    pub(super) size: usize,
}

/// Reads `NextToken` and `MaxResults`.
pub(super) fn window(call: &Call<'_>, operation: &str) -> Result<Window, Fault> {
    let size = match call.int("MaxResults") {
        // The model allows 0 and no page is empty, so 0 is the same as not saying.
        None | Some(0) => DEFAULT,
        Some(n) => usize::try_from(n).map_err(|_| fault::field("MaxResults", "is out of range"))?,
    };
    let after = match call.str("NextToken") {
        None => None,
        Some(token) => Some(
            open(&scope(call, operation), token)
                .ok_or_else(|| fault::invalid("Invalid NextToken"))?,
        ),
    };
    Ok(Window { after, size })
}

/// Answers one page of items that come with ascending keys.
pub(super) fn page(
    call: &Call<'_>,
    operation: &str,
    member: &str,
    items: impl Iterator<Item = (String, Value)>,
) -> Answer {
    let window = window(call, operation)?;
    let mut rest = items.filter(|(key, _)| window.after.as_ref().is_none_or(|after| key > after));
    let mut last = None;
    let mut listed = Vec::new();
    for (key, item) in rest.by_ref().take(window.size) {
        last = Some(key);
        listed.push(item);
    }
    let mut answer = Map::new();
    answer.insert(member.to_owned(), Value::Array(listed));
    if let (Some(last), true) = (last, rest.next().is_some()) {
        answer.insert("NextToken".to_owned(), token(call, operation, &last).into());
    }
    Ok(answer)
}

/// Makes the token for the page after the item with this key.
fn token(call: &Call<'_>, operation: &str, cursor: &str) -> String {
    seal(&scope(call, operation), cursor)
}

/// Returns what a token is bound to: everything in the call but the paging itself.
fn scope(call: &Call<'_>, operation: &str) -> Vec<u8> {
    let mut filters: Vec<(&String, String)> = call
        .input
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "NextToken" | "MaxResults"))
        .map(|(name, value)| (name, canonical(value)))
        .collect();
    filters.sort();
    let mut hash = Sha256::new();
    for part in [call.account, operation] {
        hash.update(part);
        hash.update([0]);
    }
    for (name, value) in filters {
        hash.update(name);
        hash.update([0]);
        hash.update(value);
        hash.update([0]);
    }
    hash.finalize().to_vec()
}

/// Writes a value with its members in one order, so that equal inputs have equal texts.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{name:?}:{}", canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

fn seal(scope: &[u8], cursor: &str) -> String {
    let tag = tag(scope, cursor.as_bytes());
    let mut token = tag.clone();
    token.extend(masked(&tag, cursor.as_bytes()));
    URL_SAFE_NO_PAD.encode(token)
}

fn open(scope: &[u8], token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (claimed, body) = bytes.split_at_checked(TAG)?;
    let cursor = masked(claimed, body);
    (tag(scope, &cursor) == claimed).then_some(())?;
    String::from_utf8(cursor).ok()
}

fn tag(scope: &[u8], cursor: &[u8]) -> Vec<u8> {
    let mut tag = Sha256::new()
        .chain_update(b"stationbill sandbox: ssm-contacts page token")
        .chain_update(scope)
        .chain_update(cursor)
        .finalize()
        .to_vec();
    tag.truncate(TAG);
    tag
}

fn masked(tag: &[u8], text: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(text.len());
    for (block, chunk) in text.chunks(32).enumerate() {
        let stream = Sha256::new()
            .chain_update(b"mask")
            .chain_update(tag)
            .chain_update(block.to_be_bytes())
            .finalize();
        masked.extend(chunk.iter().zip(stream).map(|(a, b)| a ^ b));
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_opens_only_in_its_own_scope_and_unharmed() {
        let cursor = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/a-rather-long-alias";
        let token = seal(b"one", cursor);
        assert!(!token.contains("alias"));
        assert!(
            token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_eq!(open(b"one", &token).as_deref(), Some(cursor));
        assert_eq!(open(b"two", &token), None);
        assert_eq!(open(b"one", "MQ"), None);
        assert_eq!(open(b"one", &token[..token.len() - 2]), None);
    }

    #[test]
    fn canonical_text_ignores_the_order_of_members_only() {
        let (a, b) = (
            json!({"a": [1, 2], "b": {"c": null, "d": "x"}}),
            json!({"b": {"d": "x", "c": null}, "a": [1, 2]}),
        );
        assert_eq!(canonical(&a), canonical(&b));
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
    }
}
