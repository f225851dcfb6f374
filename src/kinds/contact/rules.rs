//! What ssm-contacts accepts in names and tags, the same for contacts, schedules, escalation plans and rotations.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fancy_regex::Regex;

use crate::model::stamp::{APPLIED, OBJECT, STACK};
use crate::model::{Report, pointer};

/// Texts that AWS accepts: how long they may be, and of which characters.
struct Alphabet {
    longest: usize,
    pattern: LazyLock<Option<Regex>>,
}

// [M] ChannelName, TagKey and TagValue of the service model. A counted repetition of `\p{L}` would outgrow the regex
// engine's limit, so lengths stand beside the patterns.
static NAME: Alphabet = Alphabet {
    longest: 255,
    pattern: LazyLock::new(|| Regex::new(r"^[\p{L}\p{Z}\p{N}_.\-]+$").ok()),
};
static TAG_KEY: Alphabet = Alphabet {
    longest: 128,
    pattern: LazyLock::new(|| Regex::new(r"^[\\/a-zA-Z0-9_+=\-]+$").ok()),
};
static TAG_VALUE: Alphabet = Alphabet {
    longest: 256,
    pattern: LazyLock::new(|| Regex::new(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$").ok()),
};

impl Alphabet {
    fn accepts(&self, text: &str) -> bool {
        let pattern = self.pattern.as_ref();
        has_variable(text)
            || (text.chars().count() <= self.longest
                && pattern.is_some_and(|p| p.is_match(text).unwrap_or(false)))
    }
}

/// How many tags a user may set: AWS allows 50, and three are the stamp.
const MOST_TAGS: usize = 47;

/// Says whether the text holds a variable whose value is not known yet.
pub(in crate::kinds) fn has_variable(text: &str) -> bool {
    text.contains("${target.")
}

/// Says whether AWS accepts the text as the name of a channel.
pub(super) fn is_name(text: &str) -> bool {
    NAME.accepts(text)
}

/// Reports tags that AWS does not accept.
pub(in crate::kinds) fn check_tags(tags: Option<&BTreeMap<String, String>>, report: &mut Report) {
    let Some(tags) = tags else { return };
    if tags.len() > MOST_TAGS {
        report.error(
            "too-many-tags",
            "/tags",
            format!("{} tags are more than {MOST_TAGS}", tags.len()),
            "AWS allows 50, and the stamp takes three of them",
        );
    }
    for (key, value) in tags {
        let at = pointer::join("/tags", key);
        if [STACK, OBJECT, APPLIED].contains(&key.as_str()) {
            report.error(
                "bad-tag",
                at,
                format!("the tag `{key}` belongs to the stamp"),
                "choose another key",
            );
        } else if !TAG_KEY.accepts(key) {
            report.error(
                "bad-tag",
                at,
                format!("AWS does not accept the tag key `{key}` on contacts and rotations"),
                "1 to 128 of: letters and digits of ASCII, `_`, `+`, `=`, `-`, `/` and `\\`; no colon, dot or space",
            );
        } else if !TAG_VALUE.accepts(value) {
            report.error(
                "bad-tag",
                at,
                format!(
                    "AWS does not accept the value of the tag `{key}` on contacts and rotations"
                ),
                "1 to 256 letters, digits, spaces and `_.:/=+-@`; it cannot be empty",
            );
        }
    }
}

/// Settles a text that is left alone when the user says nothing, and cleared by `""`.
pub(in crate::kinds) fn settle_text(wanted: &mut Option<String>, live: Option<&String>) {
    match wanted.as_deref() {
        None => *wanted = live.cloned(),
        // AWS does not tell an empty text from none.
        Some("") if live.is_none() => *wanted = None,
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(tags: &[(&str, &str)]) -> Vec<String> {
        let tags = tags.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        let mut report = Report::default();
        check_tags(Some(&tags.collect()), &mut report);
        report.diagnostics.into_iter().map(|d| d.code).collect()
    }

    #[test]
    fn tags_follow_the_stricter_rules_of_contacts() {
        assert!(codes(&[("team", "shop @ 本社"), ("a/b", "${target.account}")]).is_empty());
        assert_eq!(codes(&[("team", "")]), ["bad-tag"]);
        assert_eq!(codes(&[("cost:center", "7")]), ["bad-tag"]);
        assert_eq!(codes(&[("stationbill-stack", "x")]), ["bad-tag"]);
        let many: Vec<String> = (0..48).map(|n| format!("k{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|k| (k.as_str(), "v")).collect();
        assert_eq!(codes(&many), ["too-many-tags"]);
    }

    #[test]
    fn an_empty_text_clears_and_none_leaves_alone() {
        let settled = |wanted: Option<&str>, live: Option<&str>| {
            let mut wanted = wanted.map(str::to_owned);
            settle_text(&mut wanted, live.map(str::to_owned).as_ref());
            wanted
        };
        assert_eq!(settled(None, Some("Kayoko")).as_deref(), Some("Kayoko"));
        assert_eq!(settled(Some(""), Some("Kayoko")).as_deref(), Some(""));
        assert_eq!(settled(Some(""), None), None);
        assert_eq!(settled(Some("K"), None).as_deref(), Some("K"));
    }
}
