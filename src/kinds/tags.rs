//! What services accept as tags, where they accept nearly anything.

use std::collections::BTreeMap;

use super::contact::rules::has_variable;
use crate::model::stamp::{APPLIED, OBJECT, STACK};
use crate::model::{Report, pointer};

/// How many tags a user may set: AWS allows 50, and three are the stamp.
const MOST: usize = 47;

/// Which characters a service takes in the keys and values of tags.
#[derive(Clone, Copy, Debug)]
pub(in crate::kinds) enum Alphabet {
    /// Systems Manager: letters and digits of every script, spaces, and some signs.
    Systems,
    /// Incident Manager: the same of ASCII.
    Incidents,
    /// Security Hub: what its pattern for keys, `[a-zA-Z+-=._:/]+`, has; any value. [M] `TagKey`, `TagValue`.
    SecurityHub,
}

impl Alphabet {
    fn accepts(self, text: &str) -> bool {
        text.chars().all(|c| match self {
            Self::Systems => {
                c.is_alphanumeric()
                    || (c.is_whitespace() && !c.is_control())
                    || "_.:/=+-@".contains(c)
            }
            Self::Incidents => c.is_ascii_alphanumeric() || " _=@:.+-/,".contains(c),
            Self::SecurityHub => {
                c.is_ascii_alphabetic() || ('+'..='=').contains(&c) || "._:/".contains(c)
            }
        })
    }

    fn accepts_value(self, text: &str) -> bool {
        matches!(self, Self::SecurityHub) || self.accepts(text)
    }
}

/// Reports tags that AWS does not accept.
pub(in crate::kinds) fn check(
    tags: Option<&BTreeMap<String, String>>,
    alphabet: Alphabet,
    report: &mut Report,
) {
    let Some(tags) = tags else { return };
    if tags.len() > MOST {
        report.error(
            "too-many-tags",
            "/tags",
            format!("{} tags are more than {MOST}", tags.len()),
            "AWS allows 50, and the stamp takes three of them",
        );
    }
    for (key, value) in tags {
        let at = pointer::join("/tags", key);
        if [STACK, OBJECT, APPLIED].contains(&key.as_str()) {
            let message = format!("the tag `{key}` belongs to the stamp");
            report.error("bad-tag", at, message, "choose another key");
        } else if !is_key(key, alphabet) {
            let message = format!("AWS does not accept the tag key `{key}`");
            report.error("bad-tag", at, message, KEY_HINT);
        } else if !has_variable(value)
            && (value.chars().count() > 256 || !alphabet.accepts_value(value))
        {
            let message = format!("AWS does not accept the value of the tag `{key}`");
            report.error(
                "bad-tag",
                at,
                message,
                "at most 256 letters, digits, spaces and `_.:/=+-@`",
            );
        }
    }
}

/// What to do about a key.
pub(in crate::kinds) const KEY_HINT: &str =
    "1 to 128 letters, digits, spaces and `_.:/=+-@`, not beginning with `aws:`";

/// Says whether AWS accepts the key of a tag.
pub(in crate::kinds) fn is_key(key: &str, alphabet: Alphabet) -> bool {
    let length = key.chars().count();
    (1..=128).contains(&length) && !key.starts_with("aws:") && alphabet.accepts(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(tags: &[(&str, &str)], alphabet: Alphabet) -> Vec<String> {
        let tags = tags
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut report = Report::default();
        check(Some(&tags), alphabet, &mut report);
        report.diagnostics.into_iter().map(|d| d.at).collect()
    }

    #[test]
    fn each_service_has_its_alphabet() {
        let tags = [
            ("team", "バナナ"),
            ("empty", ""),
            ("what?", "x"),
            ("aws:x", ""),
            ("later", "${target.vars.x}"),
        ];
        assert_eq!(
            findings(&tags, Alphabet::Systems),
            ["/tags/aws:x", "/tags/what?"]
        );
        assert_eq!(
            findings(&tags, Alphabet::Incidents),
            ["/tags/aws:x", "/tags/team", "/tags/what?"]
        );
    }

    #[test]
    fn the_stamp_is_not_the_users() {
        assert_eq!(
            findings(&[(STACK, "x")], Alphabet::Systems),
            [format!("/tags/{STACK}")]
        );
    }
}
