//! Idempotency tokens: the same call twice has one effect.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Store, fault, paging};
use crate::sandbox::{Call, Fault, Map};

/// A call that was made with a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    /// A digest of everything that was sent with the token.
    input: String,
    /// What was answered.
    answer: Map,
    /// The ARN or id of what the call made; when that is gone, so is the memory of the call.
    made: String,
}

/// Returns the answer of an earlier call with the same token and the same input.
pub(super) fn earlier(
    store: &Store,
    call: &Call<'_>,
    operation: &str,
) -> Result<Option<Map>, Fault> {
    let Some(done) = key(call, operation).and_then(|key| store.done.get(&key)) else {
        return Ok(None);
    };
    if done.input != digest(call) {
        return Err(fault::field(
            "IdempotencyToken",
            "was used before with other parameters",
        ));
    }
    Ok(Some(done.answer.clone()))
}

/// Remembers what a call with a token made and answered.
pub(super) fn remember(
    store: &mut Store,
    call: &Call<'_>,
    operation: &str,
    made: &str,
    answer: &Map,
) {
    if let Some(key) = key(call, operation) {
        store.done.insert(
            key,
            Done {
                input: digest(call),
                answer: answer.clone(),
                made: made.to_owned(),
            },
        );
    }
}

/// Forgets the calls that made something which is gone now.
pub(super) fn forget(store: &mut Store, made: &str) {
    store.done.retain(|_, done| done.made != made);
}

fn key(call: &Call<'_>, operation: &str) -> Option<String> {
    call.str("IdempotencyToken")
        .filter(|token| !token.is_empty())
        .map(|token| format!("{operation}/{token}"))
}

fn digest(call: &Call<'_>) -> String {
    let mut input = call.input.clone();
    input.remove("IdempotencyToken");
    STANDARD.encode(Sha256::digest(paging::canonical(&Value::Object(input))))
}
