//! Keeps personal values out of texts that came from elsewhere, such as AWS's error messages.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::sensitive::{each, hide_addresses, mask};

/// Replaces every known personal value in a text by its mask, and whatever looks like one: AWS may quote an address that
/// no document has.
#[derive(Clone, Debug, Default)]
pub struct Scrubber(BTreeSet<String>);

impl Scrubber {
    /// Learns the personal values in a spec.
    pub fn learn(&mut self, spec: &Value) {
        each(spec, &mut |text| {
            // Anything shorter would match by chance and hide nothing that a person could be reached by.
            if text.len() >= 4 {
                self.0.insert(text.to_owned());
            }
        });
    }

    /// Returns the text with every personal value masked.
    pub fn scrub(&self, text: &str) -> String {
        let known = self.0.iter().rev().fold(text.to_owned(), |text, value| {
            text.replace(value.as_str(), &mask(value))
        });
        hide_addresses(&known)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_in_an_error_is_masked() {
        let mut scrubber = Scrubber::default();
        scrubber.learn(&json!({"channels": {"sms": {"address": {"$sensitive": "+819012345612"}}}}));
        let text = scrubber.scrub("Value '+819012345612' at 'simpleAddress' failed");
        assert_eq!(text, "Value '+81••••••••12' at 'simpleAddress' failed");
    }
}
