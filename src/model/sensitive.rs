//! Personal values: where they come from, and how they are kept out of every output.
//!
//! In canonical form a personal value whose text is known is the marker object `{"$sensitive": "text"}`. Whatever is
//! shown, logged or saved goes through [`masked`], which replaces every marker by a mask such as `+81•••••••12`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The key of the marker object.
pub const MARKER: &str = "$sensitive";

/// A value that never reaches an output: written in the document or, better, kept elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-stationbill-sensitive" = true))]
pub enum Sensitive {
    /// The value itself. It will be in Git for ever: prefer one of the others.
    #[serde(rename(serialize = "$sensitive"), alias = "$sensitive")]
    Value(#[schemars(length(min = 1))] String),
    /// The name of an environment variable.
    FromEnv(#[schemars(length(min = 1))] String),
    /// The path of a file whose content, without a final line break, is the value.
    FromFile(#[schemars(length(min = 1))] String),
    /// The name of a parameter (`SecureString`) in SSM Parameter Store, in the account and region of the object.
    FromParameter(#[schemars(length(min = 1))] String),
    /// A key of a Kubernetes Secret in the namespace of the object.
    FromSecret(SecretKey),
}

/// A key of a Kubernetes Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct SecretKey {
    /// The Secret's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The key inside the Secret.
    #[schemars(length(min = 1))]
    pub key: String,
}

impl Sensitive {
    /// Returns the text, when it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Value(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a value that the engine has read from its source.
    ///
    /// # Panics
    /// Never in the engine: a spec whose sources could not be read is not sent.
    pub fn expose(&self) -> &str {
        self.known()
            .expect("sources are read before a spec is sent")
    }
}

impl std::fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(text) => f.write_str(&mask(text)),
            Self::FromEnv(name) => write!(f, "${name}"),
            Self::FromFile(path) => write!(f, "file {path}"),
            Self::FromParameter(name) => write!(f, "parameter {name}"),
            Self::FromSecret(SecretKey { name, key }) => write!(f, "secret {name}/{key}"),
        }
    }
}

/// Masks an address: `k•••@example.com`, `+81•••••••12`, `•••` for anything else: what is no single address may be two.
pub fn mask(text: &str) -> String {
    if is_mail(text)
        && let Some((user, domain)) = text.rsplit_once('@')
    {
        let first: String = user.chars().take(1).collect();
        return format!("{first}•••@{domain}");
    }
    if is_telephone(text) {
        let (head, tail) = (&text[..3], &text[text.len() - 2..]);
        return format!("{head}{}{tail}", "•".repeat(text.len() - 5));
    }
    "•••".to_owned()
}

/// Says whether a text is one e-mail address whose domain may be shown.
pub fn is_mail(text: &str) -> bool {
    let of_domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    text.rsplit_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && !user.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
            && domain.chars().all(of_domain)
            && domain.contains(char::is_alphabetic)
    })
}

/// Says whether a text is one telephone number of which the ends may be shown.
pub fn is_telephone(text: &str) -> bool {
    let of_number = |c: char| c.is_ascii_digit() || " -".contains(c);
    text.len() >= 8
        && text
            .strip_prefix('+')
            .is_some_and(|rest| rest.chars().all(of_number))
}

/// Masks whatever looks like an address in a text, for texts that quote what somebody wrote: e-mail addresses and
/// telephone numbers that begin with `+`, percent-encoded ones too.
pub fn hide_addresses(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest.find(|c| !may_be_in_address(c)).unwrap_or(rest.len())];
        let (length, shown) = match (telephone(rest), address(word)) {
            (Some(length), _) => (length, mask(&rest[..length])),
            (None, Some((length, plain))) => (length, mask(&plain)),
            (None, None) if word.is_empty() => (first.len_utf8(), first.to_string()),
            (None, None) => (word.len(), word.to_owned()),
        };
        hidden.push_str(&shown);
        rest = &rest[length..];
    }
    hidden
}

/// Says whether a character may be in an address, percent-encoded or not.
pub(crate) fn may_be_in_address(c: char) -> bool {
    c.is_alphanumeric() || "._%+-@".contains(c)
}

/// Returns an address without percent-encoding.
pub(crate) fn decoded(word: &str) -> String {
    word.replace("%40", "@")
        .replace("%2B", "+")
        .replace("%2b", "+")
}

/// Returns how much of a word is an address, and the address without percent-encoding.
fn address(word: &str) -> Option<(usize, String)> {
    let word = word.trim_end_matches(['.', '-', '_', '@']);
    let plain = decoded(word);
    let is_mail = plain.rsplit_once('@').is_some_and(|(local, domain)| {
        let end = domain.rsplit_once('.').map(|(_, end)| end);
        !local.is_empty() && end.is_some_and(|end| end.chars().all(char::is_alphabetic))
    });
    (is_mail || telephone(&plain) == Some(plain.len())).then_some((word.len(), plain))
}

/// Returns the length of the telephone number that a text begins with; its digits may stand in groups.
fn telephone(text: &str) -> Option<usize> {
    let (mut digits, mut length) = (0, 1);
    let rest = text.strip_prefix('+')?;
    let mut separated = true;
    for (at, c) in rest.char_indices() {
        match c {
            '0'..='9' => {
                (digits, length, separated) = (digits + 1, at + 2, false);
            }
            ' ' | '-' if !separated => separated = true,
            _ => break,
        }
    }
    (8..=15).contains(&digits).then_some(length)
}

/// Returns the text inside a marker object.
pub fn marked(value: &Value) -> Option<&str> {
    value
        .as_object()
        .filter(|map| map.len() == 1)
        .and_then(|map| map.get(MARKER))
        .and_then(Value::as_str)
}

/// Returns the value with every personal text replaced by its mask.
pub fn masked(value: &Value) -> Value {
    replace(value, &|text| Value::String(mask(text)))
}

/// Returns the value with every personal text replaced by a short fingerprint, for hashes and saved plans.
///
/// Sixteen bits tell whether a value changed. Of a million numbers that the mask leaves open they leave some fifteen, so
/// that whoever can list the candidates learns something: docs/guarantees.md says so. `key`, which is no secret, keeps
/// equal addresses of different objects from looking equal.
pub fn fingerprinted(value: &Value, key: &str) -> Value {
    replace(value, &|text| {
        Value::String(format!("{}#{}", mask(text), fingerprint(text, key)))
    })
}

fn fingerprint(text: &str, key: &str) -> String {
    let digest = Sha256::new()
        .chain_update(key)
        .chain_update([0])
        .chain_update(text)
        .finalize();
    format!("{:02x}{:02x}", digest[0], digest[1])
}

/// Collects the names of the parameters that hold personal values of a spec.
pub fn parameters(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => match map.get("fromParameter") {
            Some(Value::String(name)) if map.len() == 1 => drop(names.insert(name.clone())),
            _ => map.values().for_each(|member| parameters(member, names)),
        },
        Value::Array(list) => list.iter().for_each(|item| parameters(item, names)),
        _ => {}
    }
}

/// Calls `visit` with every personal text in the value.
pub fn each(value: &Value, visit: &mut impl FnMut(&str)) {
    if let Some(text) = marked(value) {
        visit(text);
        return;
    }
    match value {
        Value::Object(map) => map.values().for_each(|member| each(member, visit)),
        Value::Array(list) => list.iter().for_each(|member| each(member, visit)),
        _ => {}
    }
}

fn replace(value: &Value, with: &impl Fn(&str) -> Value) -> Value {
    if let Some(text) = marked(value) {
        return with(text);
    }
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| (k.clone(), replace(v, with)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.iter().map(|v| replace(v, with)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn masks_keep_just_enough_to_recognise() {
        assert_eq!(mask("kayoko@example.com"), "k•••@example.com");
        assert_eq!(mask("+819012345612"), "+81••••••••12");
        for other in [
            "12345",
            "@example.com",
            "kay@example.com\n+4917612345678",
            "+4917612345678\nkay@example.com",
            "kay@example.com, 0176 1234567",
            "kay@example.com\njane.doe at corp",
            "+49 176 1234567 or 0176 7654321",
            "kay@49176123456",
            "a@b.c@example.com",
            "kay @example.com",
        ] {
            assert_eq!(mask(other), "•••", "{other}");
        }
    }

    #[test]
    fn what_looks_like_an_address_is_hidden_wherever_it_stands() {
        for (text, hidden) in [
            (
                "write to kayoko+x@example.com.",
                "write to k•••@example.com.",
            ),
            ("kayoko%2Bx%40example.com", "k•••@example.com"),
            (
                "'+819012345612', +81 90-1234-5612!",
                "'+81••••••••12', +81•••••••••••12!",
            ),
            ("%2b819012345612", "+81••••••••12"),
            ("バナナ@例え.テスト", "バ•••@例え.テスト"),
            ("2026-01-05T09:00:00+09:00", "2026-01-05T09:00:00+09:00"),
            (
                "a@1.2 @x.y +1234567 %40 k•••@example.com",
                "a@1.2 @x.y +1234567 %40 k•••@example.com",
            ),
        ] {
            assert_eq!(hide_addresses(text), hidden);
        }
    }

    #[test]
    fn debug_never_shows_a_value() {
        let value = Sensitive::Value("kayoko@example.com".to_owned());
        assert_eq!(format!("{value:?}"), "k•••@example.com");
    }

    #[test]
    fn a_marker_is_masked_wherever_it_stands() {
        let value = json!({"channels": [{"address": {"$sensitive": "+819012345612"}}]});
        assert_eq!(
            masked(&value),
            json!({"channels": [{"address": "+81••••••••12"}]})
        );
    }

    #[test]
    fn what_users_write_is_read_and_serialized_as_a_marker() {
        let value: Sensitive = serde_json::from_value(json!({"value": "a@b.c"})).unwrap();
        assert_eq!(
            serde_json::to_value(&value).unwrap(),
            json!({"$sensitive": "a@b.c"})
        );
        let again: Sensitive = serde_json::from_value(json!({"$sensitive": "a@b.c"})).unwrap();
        assert_eq!(value, again);
    }
}
