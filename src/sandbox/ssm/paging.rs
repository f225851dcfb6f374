//! Pages of a listing.
//!
//! A token names the last item of the page before it, so that a listing stays whole while others write: an item that
//! was deleted in between does not make a page skip another one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::invalid;
use crate::sandbox::{Call, Fault};

/// What AWS answers to a token that it did not give out.
#[derive(Clone, Copy)]
pub(super) enum BadToken {
    /// The operation models `InvalidNextToken`.
    Modelled,
    /// The operation models no such error; the front end's own is used.
    Unmodelled,
}

/// One listing: who asks, what for, and how long a page is when the caller does not say.
pub(super) struct Listing<'a> {
    pub(super) operation: &'a str,
    pub(super) default: usize,
    pub(super) bad_token: BadToken,
}

impl<'a> Listing<'a> {
    /// Describes a listing with AWS's usual pages of 50 and the modelled token error.
    pub(super) fn of(operation: &'a str) -> Self {
        Self {
            operation,
            default: 50,
            bad_token: BadToken::Modelled,
        }
    }

    /// Returns the key of the last item that was shown, if this is not the first page.
    pub(super) fn after(&self, call: &Call<'_>) -> Result<Option<String>, Fault> {
        match call.str("NextToken") {
            None | Some("") => Ok(None),
            Some(token) => self.open(call, token).map(Some),
        }
    }

    /// Cuts the page that the call asks for out of `items`, which are in ascending order of `key`.
    pub(super) fn page<T>(
        &self,
        call: &Call<'_>,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), Fault> {
        let limit = call
            .int("MaxResults")
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(self.default);
        let after = self.after(call)?;
        let mut rest = items
            .into_iter()
            .filter(|item| after.as_ref().is_none_or(|after| key(item) > *after))
            .peekable();
        let page: Vec<T> = rest.by_ref().take(limit).collect();
        let more = rest.peek().is_some();
        let token = page
            .last()
            .filter(|_| more)
            .map(|last| self.seal(call, &key(last)));
        Ok((page, token))
    }

    fn seal(&self, call: &Call<'_>, after: &str) -> String {
        let token = json!({ "after": after, "check": self.check(call, after) });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn open(&self, call: &Call<'_>, token: &str) -> Result<String, Fault> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let value: Value = serde_json::from_slice(&bytes).ok()?;
            let after = value.get("after")?.as_str()?.to_owned();
            (value.get("check")?.as_str()? == self.check(call, &after)).then_some(after)
        };
        read().ok_or_else(|| match self.bad_token {
            BadToken::Modelled => {
                Fault::new("InvalidNextToken", "The specified token is not valid.")
            }
            BadToken::Unmodelled => invalid("The specified NextToken is not valid."),
        })
    }

    /// Ties a token to the listing, the account and the region that it was made for.
    fn check(&self, call: &Call<'_>, after: &str) -> String {
        let text = format!(
            "ssm\n{}\n{}\n{}\n{after}",
            self.operation, call.account, call.region
        );
        hex(&Sha256::digest(text.as_bytes())[..8])
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
