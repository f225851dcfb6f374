//! Client tokens: the same call again answers what it answered before and does nothing.

use serde::{Deserialize, Serialize};

use super::{Store, fault, store};
use crate::sandbox::{Answer, Call, Map, State};

/// How long a token is remembered; AWS does not say.
const REMEMBER_SECONDS: f64 = 24.0 * 3600.0;

/// What a call with a token asked for and was answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    input: Map,
    answer: Map,
    at: f64,
}

/// Runs `run` once for each client token.
pub(super) fn once(
    state: &mut State,
    call: &mut Call<'_>,
    operation: &str,
    run: fn(&mut State, &mut Call<'_>) -> Answer,
) -> Answer {
    let Some(token) = call.str("clientToken").filter(|token| !token.is_empty()) else {
        return run(state, call);
    };
    let key = format!("{operation} {token}");
    let now = call.now_seconds();
    let mut input = call.input.clone();
    input.remove("clientToken");

    let tokens = &mut store(state, call).tokens;
    tokens.retain(|_, earlier| now - earlier.at < REMEMBER_SECONDS);
    if let Some(earlier) = tokens.get(&key) {
        return if earlier.input == input {
            Ok(earlier.answer.clone())
        } else {
            Err(fault::invalid(
                "The client token was used before with other parameters.",
            ))
        };
    }

    let answer = run(state, call)?;
    let remembered = Remembered {
        input,
        answer: answer.clone(),
        at: now,
    };
    store(state, call).tokens.insert(key, remembered);
    Ok(answer)
}

impl Store {
    /// Forgets the tokens that made this resource: it is gone, and the same call may make it again.
    pub(super) fn forget(&mut self, arn: &str) {
        self.tokens
            .retain(|_, earlier| !earlier.answer.values().any(|value| value == arn));
    }
}
