//! The texts of the files that were read, for carets, and what in them must not be shown.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, OnceLock};

use super::tree::{Range, Span};
use crate::model::sensitive::{is_mail, is_telephone};

/// The texts of all files that were read, by the name that places use.
#[derive(Clone, Default)]
pub struct Sources {
    files: BTreeMap<String, Source>,
}

/// One file's text.
#[derive(Clone)]
struct Source {
    text: Arc<str>,
    /// Where each line begins, found out when the first is asked for.
    starts: OnceLock<Vec<usize>>,
    secrets: Vec<Range>,
    /// Documents of kinds that have personal values: one may stand where it does not belong.
    personal: Vec<Range>,
    /// Nobody knows where the personal values are: the file is no YAML, or of an unknown kind.
    opaque: bool,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

impl Sources {
    /// Adds a file.
    pub(super) fn insert(&mut self, name: &str, text: Arc<str>) {
        self.files.entry(name.to_owned()).or_insert(Source {
            text,
            starts: OnceLock::new(),
            secrets: Vec::new(),
            personal: Vec::new(),
            opaque: false,
        });
    }

    /// Takes over the files of another one; what is hidden in either stays so.
    pub(super) fn absorb(&mut self, other: Self) {
        for (name, source) in other.files {
            match self.files.entry(name) {
                Entry::Vacant(free) => drop(free.insert(source)),
                Entry::Occupied(mut taken) => {
                    let known = taken.get_mut();
                    known.secrets.extend(source.secrets);
                    known.personal.extend(source.personal);
                    known.opaque |= source.opaque;
                }
            }
        }
    }

    /// Marks a range of a file as never to be shown.
    pub(super) fn hide(&mut self, name: &str, range: Range) {
        if let Some(source) = self.files.get_mut(name) {
            source.secrets.push(range);
        }
    }

    /// Says that personal values may stand anywhere in a document.
    pub(super) fn beware(&mut self, name: &str, range: Range) {
        if let Some(source) = self.files.get_mut(name) {
            source.personal.push(range);
        }
    }

    /// Says that personal values may stand anywhere in a file.
    pub(super) fn distrust(&mut self, name: &str) {
        if let Some(source) = self.files.get_mut(name) {
            source.opaque = true;
        }
    }

    /// Returns the names of the files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns where a part of a text is in the file in which the text begins at `start`, if it is written there as it
    /// is: a block after `|`, or a text on one line without escapes.
    pub(super) fn inside(
        &self,
        name: &str,
        start: (usize, usize),
        text: &str,
        part: Span,
    ) -> Option<Span> {
        let wanted = lines(text).nth(part.line.checked_sub(1)?)?;
        // A block begins with its first line that is not empty.
        let empty = lines(text).take_while(|line| line.is_empty()).count();
        let line = (start.0 + part.line).checked_sub(1 + empty)?;
        let written = self.files.get(name)?.line(line)?;
        let indent = start.1.checked_sub(1)?;
        // What is in quotes begins behind them.
        let quote = (0..=1_usize).find(|quote| {
            let mut starts = written.char_indices().map(|(at, _)| at);
            let from = starts.nth(indent + quote);
            from.is_some_and(|from| written[from..].starts_with(wanted))
        })?;
        Some(Span {
            line,
            column: indent + quote + part.column,
            ..part
        })
    }

    /// Returns a line (from 1) with every personal value replaced, character by character, by `•`.
    pub fn line(&self, name: &str, line: usize) -> Option<String> {
        let source = self.files.get(name)?;
        let text = source.line(line)?;
        let mut chars: Vec<char> = text.chars().collect();
        for range in &source.secrets {
            if let Some((from, to)) = range.on_line(line, chars.len()) {
                cover(&mut chars[from..to]);
            }
        }
        if source.opaque {
            cover_value(&mut chars);
        }
        cover_addresses(&mut chars);
        let mut personal = source.personal.iter();
        if source.opaque || personal.any(|range| range.on_line(line, chars.len()).is_some()) {
            cover_likely(&mut chars);
        }
        Some(chars.into_iter().collect())
    }
}

impl Source {
    fn line(&self, line: usize) -> Option<&str> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let starts = self.starts.get_or_init(|| {
            let base = text.as_ptr() as usize;
            lines(text)
                .map(|line| line.as_ptr() as usize - base)
                .collect()
        });
        let start = *starts.get(line.checked_sub(1)?)?;
        lines(text.get(start..)?).next()
    }
}

/// Splits a text at line breaks as YAML does: `\n`, `\r\n` and `\r`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let skip = if text[end..].starts_with("\r\n") {
            2
        } else {
            1
        };
        rest = Some(&text[end + skip..]);
        Some(&text[..end])
    })
}

/// Returns where a byte of a text stands.
pub(super) fn span_at(text: &str, offset: usize) -> Span {
    let before = text.get(..offset).unwrap_or_default();
    Span {
        line: lines(before).count(),
        column: lines(before).last().map_or(0, |line| line.chars().count()) + 1,
        length: 1,
    }
}

/// Covers a personal value, keeping as much as a mask keeps: `k•••@example.com`, `+81•••••••12`.
fn cover(chars: &mut [char]) {
    let start = usize::from(matches!(chars.first(), Some('"' | '\'')));
    let end =
        chars.len() - usize::from(chars.len() > start && matches!(chars.last(), Some('"' | '\'')));
    let inner = &mut chars[start.min(end)..end];
    let length = inner.len();
    let text: String = inner.iter().collect();
    let keep: (usize, usize) = match inner.iter().rposition(|c| *c == '@') {
        Some(at) if is_mail(&text) => (1, at),
        _ if is_telephone(&text) => (3, length - 2),
        _ => (0, length),
    };
    inner[keep.0..keep.1].fill('•');
}

/// Covers what follows `value:`.
fn cover_value(chars: &mut [char]) {
    let text: String = chars.iter().collect();
    for key in ["value:", "value\":", "value':"] {
        if let Some(at) = text.find(key) {
            let from = text[..at + key.len()].chars().count();
            let from = from
                + chars[from..]
                    .iter()
                    .take_while(|c| c.is_whitespace())
                    .count();
            cover(&mut chars[from..]);
        }
    }
}

/// Covers what looks like an e-mail address or a telephone number, wherever it stands.
fn cover_addresses(chars: &mut [char]) {
    let of_address = |c: char| c.is_alphanumeric() || "@._%+-•".contains(c);
    let mut start = 0;
    while start < chars.len() {
        if !of_address(chars[start]) {
            start += 1;
            continue;
        }
        let length = chars[start..]
            .iter()
            .take_while(|c| of_address(**c))
            .count();
        let word = &mut chars[start..start + length];
        let mail = word
            .iter()
            .position(|c| *c == '@')
            .is_some_and(|at| at > 0 && word[at..].contains(&'.'));
        let digits = word.iter().filter(|c| c.is_ascii_digit()).count();
        if mail || (word[0] == '+' && digits >= 7 && digits + 1 == length) {
            cover(word);
        }
        start += length;
    }
}

/// Covers what may be an address in whatever form: what stands around an `@`, and many digits together.
fn cover_likely(chars: &mut [char]) {
    const DIGITS: usize = 6;
    let ends = |c: char| c.is_whitespace() || "\"'{}[],:".contains(c);
    let word = |chars: &mut dyn Iterator<Item = &char>| {
        let mut chars = chars.copied().peekable();
        let mut length = 0;
        while chars.next_if(|c| c.is_whitespace()).is_some() {
            length += 1;
        }
        length + chars.take_while(|c| !ends(*c)).count()
    };
    for at in 0..chars.len() {
        let Some(sign) = at_sign(&chars[at..]) else {
            continue;
        };
        let from = at - word(&mut chars[..at].iter().rev());
        let to = at + sign + word(&mut chars[at + sign..].iter());
        // What is covered already keeps its domain.
        if !chars[from..at].contains(&'•') {
            chars[from..to].fill('•');
        }
    }
    let of_number = |c: char| c.is_ascii_digit() || " -().+/".contains(c);
    for run in chars.chunk_by_mut(|a, b| of_number(*a) == of_number(*b)) {
        let digits = run.iter_mut().filter(|c| c.is_ascii_digit());
        let digits: Vec<&mut char> = digits.collect();
        if digits.len() >= DIGITS {
            for digit in digits {
                *digit = '•';
            }
        }
    }
}

/// Returns how many characters the `@` takes that a text begins with, escaped or not.
fn at_sign(chars: &[char]) -> Option<usize> {
    let signs = ["@", "%40", "\\x40", "\\u0040", "\\U00000040"];
    let begins = |sign: &&str| {
        let mut chars = chars.iter();
        sign.chars().all(|c| chars.next() == Some(&c))
    };
    signs.into_iter().find(begins).map(str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, opaque: bool) -> String {
        let mut sources = Sources::default();
        sources.insert("f", text.into());
        if opaque {
            sources.distrust("f");
        }
        sources.line("f", 1).unwrap()
    }

    #[test]
    fn addresses_are_covered_and_keep_their_length() {
        assert_eq!(
            line("- { value: kayoko@example.com } # +819012345612", false),
            "- { value: k•••••@example.com } # +81••••••••12"
        );
        assert_eq!(
            line("schedule: cron(0 1 * * ? *)", false),
            "schedule: cron(0 1 * * ? *)"
        );
        assert_eq!(
            line("arn: arn:aws:ssm:eu-west-1:111122223333:x", false),
            "arn: arn:aws:ssm:eu-west-1:111122223333:x"
        );
    }

    #[test]
    fn in_a_document_of_people_whatever_may_be_an_address_is_covered() {
        for (text, covered) in [
            (
                "adress: { value: \"0049 176 1234567\" }",
                "adress: { value: \"•••• ••• •••••••\" }",
            ),
            (
                "addr: \"+49 (176) 12 34 56 78\"",
                "addr: \"+•• (•••) •• •• •• ••\"",
            ),
            ("addr: \"kay@localhost\"", "addr: \"•••••••••••••\""),
            ("addr: \"kay @ example.com\"", "addr: \"•••••••••••••••••\""),
            ("addr: \"kay\\x40a.com\"", "addr: \"••••••••••••\""),
            ("addr: \"kay\\u0040a.com\"", "addr: \"••••••••••••••\""),
            (
                "addr: \"kay\\U00000040a.com\"",
                "addr: \"••••••••••••••••••\"",
            ),
            ("addr: kay%40a.com", "addr: •••••••••••"),
            ("mail: kayoko@example.com, x", "mail: k•••••@example.com, x"),
            (
                "durationMinutes: 15 # 0 to 30",
                "durationMinutes: 15 # 0 to 30",
            ),
        ] {
            let mut sources = Sources::default();
            sources.insert("f", text.into());
            let whole = Range {
                start: (1, 1),
                end: (1, 80),
            };
            sources.beware("f", whole);
            assert_eq!(sources.line("f", 1).unwrap(), covered);
        }
    }

    #[test]
    fn in_a_file_that_nobody_understands_values_are_covered_too() {
        assert_eq!(line("  value: 12345 6", true), "  value: •••••••");
    }

    #[test]
    fn lines_end_as_yaml_says() {
        assert_eq!(
            lines("\u{feff}a\r\nb\rc\n").collect::<Vec<_>>(),
            ["a", "b", "c", ""]
        );
    }
}
