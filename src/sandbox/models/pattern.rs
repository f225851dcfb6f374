//! Patterns of the service models, matched as AWS's front end matches them.

use fancy_regex::Regex;

/// A pattern as the model writes it, and compiled.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern of the models; nothing when this dialect cannot express it.
    pub(super) fn new(source: &str) -> Option<Self> {
        let body = java(source);
        // AWS matches the whole value, whether or not the model anchors its pattern. `.*\S.*` only asks that something
        // is there, and is used for texts of several lines.
        let whole = if source.starts_with(".*") && source.ends_with(".*") {
            format!(r"(?s)\A(?:{body})\z")
        } else {
            format!(r"\A(?:{body})\z")
        };
        Some(Self {
            source: source.to_owned(),
            regex: Regex::new(&whole).ok()?,
        })
    }

    /// Returns the pattern as the model writes it, which is how AWS prints it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Says whether a value satisfies the pattern.
    pub(crate) fn matches(&self, value: &str) -> bool {
        // A pattern that gives up on a monstrous value must not refuse what AWS would take.
        self.regex.is_match(value).unwrap_or(true)
    }
}

/// Rewrites what Java reads differently: `\w`, `\d` and `\s` mean ASCII there.
fn java(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(escaped) = chars.next() else {
                    out.push(c);
                    break;
                };
                let ascii = match escaped {
                    'w' => Some("0-9A-Za-z_"),
                    'd' => Some("0-9"),
                    's' => Some(r" \t\n\x0B\f\r"),
                    _ => None,
                };
                match ascii {
                    Some(ascii) if in_class => out.push_str(ascii),
                    Some(ascii) => out.extend(["[", ascii, "]"]),
                    None => out.extend([c, escaped]),
                }
            }
            '[' => {
                // A bracket inside a class is literal in most of these models, and an error to the regex crate.
                out.push_str(if in_class { r"\[" } else { "[" });
                in_class = true;
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(value)
    }

    #[test]
    fn whole_values_match() {
        assert!(matches("[a-z]+", "abc"));
        assert!(!matches("[a-z]+", "abc1"));
        assert!(!matches("^[a-z]+$", "abc\n"));
        assert!(matches("([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)", "$LATEST"));
        assert!(!matches("([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)", "0"));
    }

    #[test]
    fn word_characters_are_ascii() {
        assert!(matches(r"[\w+=,.@-]*", "a_b+c"));
        assert!(!matches(r"[\w+=,.@-]*", "é"));
        assert!(!matches(r"\w{2}", "éé"));
    }

    #[test]
    fn lookahead_works() {
        assert!(matches(r"^(?!aws:)[a-z:]+$", "mine:x"));
        assert!(!matches(r"^(?!aws:)[a-z:]+$", "aws:x"));
    }

    #[test]
    fn something_there_spans_lines() {
        assert!(matches(r".*\S.*", "{\n  \"Version\": 1\n}"));
        assert!(!matches(r".*\S.*", " \n "));
    }
}
