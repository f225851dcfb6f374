//! Keeps personal values out of texts that came from elsewhere, such as AWS's error messages.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::sensitive::{decoded, each, hide_addresses, mask, may_be_in_address};

/// How many digits at its end tell a telephone number from others: it may be written with or without its country.
const END: usize = 7;
/// How short a local part of an e-mail address may be to be hidden where it stands alone.
const LOCAL: usize = 4;

/// Replaces every known personal value in a text by its mask, and whatever looks like one: AWS may quote an address that
/// no document has, or write one that a document has in its own way.
#[derive(Clone, Debug, Default)]
pub struct Scrubber {
    known: BTreeSet<String>,
    /// The last digits of telephone numbers.
    ends: BTreeSet<String>,
    /// E-mail addresses and their local parts, in small letters.
    words: BTreeSet<String>,
    /// What documents call people and channels, in small letters: it may be a local part, and is no secret.
    open: BTreeSet<String>,
}

impl Scrubber {
    /// Learns the personal values in a spec.
    pub fn learn(&mut self, spec: &Value) {
        each(spec, &mut |text| {
            // Anything shorter would match by chance and hide nothing that a person could be reached by.
            if text.len() >= 4 {
                self.known.insert(text.to_owned());
            }
            let digits = digits(text);
            if text.chars().all(may_be_in_number) && digits.len() >= END {
                self.ends.insert(digits[digits.len() - END..].to_owned());
            }
            if let Some((local, _)) = text.rsplit_once('@') {
                self.words.insert(text.to_lowercase());
                if local.chars().count() >= LOCAL {
                    self.words.insert(local.to_lowercase());
                }
            }
        });
        for field in ["name", "displayName"] {
            let text = spec.get(field).and_then(Value::as_str).unwrap_or_default();
            let words = text.split_whitespace().map(str::to_lowercase);
            self.open.extend(words);
        }
        let channels = spec.get("channels").and_then(Value::as_object);
        let names = channels.into_iter().flat_map(Map::keys);
        self.open.extend(names.map(|name| name.to_lowercase()));
    }

    /// Returns the text with every personal value masked.
    pub fn scrub(&self, text: &str) -> String {
        let known = self
            .known
            .iter()
            .rev()
            .fold(text.to_owned(), |text, value| {
                text.replace(value.as_str(), &mask(value))
            });
        hide_addresses(&self.hide_words(&self.hide_numbers(&known)))
    }

    /// Masks known telephone numbers, however their digits are grouped.
    fn hide_numbers(&self, text: &str) -> String {
        const AROUND: [char; 3] = [' ', '-', '.'];
        let mut hidden = String::with_capacity(text.len());
        for run in runs(text, may_be_in_number) {
            let digits = digits(run);
            let mut ends = (END..=digits.len()).map(|end| &digits[end - END..end]);
            if ends.any(|end| self.ends.contains(end)) {
                let inner = run.trim_matches(AROUND);
                let (before, after) = run.split_once(inner).unwrap_or_default();
                hidden.extend([before, mask(inner).as_str(), after]);
            } else {
                hidden.push_str(run);
            }
        }
        hidden
    }

    /// Masks known e-mail addresses, however they are encoded and in whatever letters, and their local parts.
    fn hide_words(&self, text: &str) -> String {
        const AROUND: [char; 4] = ['.', '-', '_', '@'];
        let mut hidden = String::with_capacity(text.len());
        for run in runs(text, may_be_in_address) {
            let inner = run.trim_matches(AROUND);
            let plain = decoded(inner);
            let folded = plain.to_lowercase();
            // Behind a `/` and in an ARN it is the name of something in AWS.
            let token = || hidden.rsplit(char::is_whitespace).next();
            let within = || hidden.ends_with('/') || token().is_some_and(|t| t.contains("arn:"));
            let is_name = || !plain.contains('@') && within();
            if self.words.contains(&folded) && !self.open.contains(&folded) && !is_name() {
                let (before, after) = run.split_once(inner).unwrap_or_default();
                hidden.extend([before, mask(&plain).as_str(), after]);
            } else {
                hidden.push_str(run);
            }
        }
        hidden
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn may_be_in_number(c: char) -> bool {
    c.is_ascii_digit() || " -.()+".contains(c)
}

/// Splits a text between characters that belong and characters that do not.
fn runs(text: &str, belongs: fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let kind = belongs(rest.chars().next()?);
        let end = rest.find(|c| belongs(c) != kind).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scrubbed(value: &str, text: &str) -> String {
        let mut scrubber = Scrubber::default();
        scrubber.learn(&json!({"channels": {"sms": {"address": {"$sensitive": value}}}}));
        scrubber.scrub(text)
    }

    #[test]
    fn an_address_in_an_error_is_masked() {
        let text = "Value '+819012345612' at 'simpleAddress' failed";
        assert_eq!(
            scrubbed("+819012345612", text),
            "Value '+81••••••••12' at 'simpleAddress' failed"
        );
    }

    #[test]
    fn a_telephone_number_is_known_by_its_last_digits() {
        for (text, hidden) in [
            (
                "not 090-1234-5612, (090) 1234.5612 nor 819012345612.",
                "not •••, ••• nor •••.",
            ),
            ("+81 90 1234 5612!", "+81•••••••••••12!"),
            ("ends in 2345612", "ends in •••"),
            (
                "in 111122223333 at 2026-01-05: 345612",
                "in 111122223333 at 2026-01-05: 345612",
            ),
        ] {
            assert_eq!(scrubbed("+819012345612", text), hidden);
        }
    }

    #[test]
    fn a_mail_address_is_known_in_other_letters_and_by_its_local_part() {
        for (text, hidden) in [
            ("KAYOKO.MORI+X@LOCALHOST", "K•••@LOCALHOST"),
            ("to=kayoko.mori%2bx%40localhost.", "to=k•••@localhost."),
            ("'kayoko.mori+x' or Kayoko.Mori%2Bx.", "'•••' or •••."),
            ("contact/kayoko.mori+x", "contact/kayoko.mori+x"),
            ("kayoko.mori+xy", "kayoko.mori+xy"),
        ] {
            assert_eq!(scrubbed("Kayoko.Mori+x@localhost", text), hidden);
        }
        assert_eq!(scrubbed("kay@localhost", "kay KAY"), "kay KAY");
        assert_eq!(scrubbed("sms1@localhost", "no sms1"), "no •••");
    }

    #[test]
    fn what_a_document_says_in_the_open_is_no_secret() {
        let mut scrubber = Scrubber::default();
        let address = |text: &str| json!({"address": {"$sensitive": text}});
        scrubber.learn(&json!({
            "name": "kayoko", "displayName": "Kayoko Mori",
            "channels": {"pager": address("kayoko@example.com"), "home": address("pager@example.com")},
        }));
        let text = "kayoko has no pager, says KAYOKO@example.com";
        let hidden = "kayoko has no pager, says K•••@example.com";
        assert_eq!(scrubber.scrub(text), hidden);
    }
}
