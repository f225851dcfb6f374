//! Values, names and sentences as text that is safe in a terminal and fits.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::Document;
use crate::model::sensitive::masked;

/// Writes to the end of a text, which cannot fail.
pub(super) fn put(out: &mut String, what: fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}

/// Returns how many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Returns the text filled up with spaces.
pub(super) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Returns the text with everything spelt out that would steer a terminal or hide what is written.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let spelt = text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if !steers(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.extend(c.escape_unicode()),
        }
        out
    });
    Cow::Owned(spelt)
}

/// Returns the text with its middle left out, so that it fits.
pub(super) fn shorten(text: &str, to: usize) -> Cow<'_, str> {
    if width(text) <= to {
        return Cow::Borrowed(text);
    }
    let room = to.saturating_sub(1);
    let head = take(text.chars(), room.div_ceil(2));
    let mut tail: Vec<char> = take(text.chars().rev(), room / 2);
    tail.reverse();
    Cow::Owned(head.into_iter().chain(['…']).chain(tail).collect())
}

/// Returns the text with its end left out, so that it fits.
pub(super) fn cut(text: &str, to: usize) -> Cow<'_, str> {
    if width(text) <= to {
        return Cow::Borrowed(text);
    }
    let head = take(text.chars(), to.saturating_sub(1));
    Cow::Owned(head.into_iter().chain(['…']).collect())
}

fn take(chars: impl Iterator<Item = char>, room: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

/// Returns two texts, each short enough, that still differ where the originals do.
pub(super) fn shorten_pair(old: &str, new: &str, to: usize) -> (String, String) {
    let (a, b) = (shorten(old, to), shorten(new, to));
    if a != b || old == new {
        return (a.into_owned(), b.into_owned());
    }
    // Both ends are alike: begin shortly before the first difference.
    let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b);
    let skip = same.count().saturating_sub(8);
    let from = |text: &str| {
        let rest: String = ['…'].into_iter().chain(text.chars().skip(skip)).collect();
        cut(&rest, to).into_owned()
    };
    (from(old), from(new))
}

/// Stands for a space at which no line is broken.
pub(super) const GLUE: char = '\u{a0}';

/// Breaks a text between words, into lines that fit; a longer word gets a line of its own.
pub(super) fn wrap(text: &str, to: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = word.replace(GLUE, " ");
        let word = word.as_str();
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= to => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Joins as many names as fit and counts the rest; names at least one.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>, to: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut shown = String::new();
    for (index, name) in names.iter().enumerate() {
        let rest = names.len() - index - 1;
        let more = if rest == 0 {
            String::new()
        } else {
            format!(" and {rest} more")
        };
        let comma = if index == 0 { "" } else { ", " };
        if index > 0 && width(&shown) + width(comma) + width(name) + width(&more) > to {
            return format!("{shown} and {} more", names.len() - index);
        }
        shown.push_str(comma);
        shown.push_str(name);
    }
    shown
}

/// Returns a value on one line: masked, strings quoted only when needed, references by name.
pub(super) fn value(value: &Value) -> String {
    written(&masked(value), false)
}

fn written(value: &Value, inside: bool) -> String {
    if let Some(document) = Document::marked(value) {
        return match document.text.lines().count() {
            1 => "a document of 1 line".to_owned(),
            lines => format!("a document of {lines} lines"),
        };
    }
    match value {
        Value::String(text) => string(text, inside),
        Value::Array(list) => {
            let members: Vec<String> = list.iter().map(|member| written(member, true)).collect();
            format!("[{}]", members.join(", "))
        }
        Value::Object(map) => {
            if let Some(name) = reference(value) {
                return clean(name).into_owned();
            }
            let members = map
                .iter()
                .map(|(key, member)| format!("{}: {}", string(key, true), written(member, true)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Returns what a reference names: `Kind/name`, or an ARN.
pub(super) fn reference(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get("ref").or_else(|| map.get("arn"))?.as_str()
}

fn string(text: &str, inside: bool) -> String {
    let looks_otherwise = text.is_empty()
        || text.trim() != text
        || text.parse::<f64>().is_ok()
        || matches!(text, "true" | "false" | "null" | "(none)")
        || text.starts_with(['"', '{', '['])
        || text.contains(" → ");
    let breaks_out = inside && text.contains([',', ':', '{', '}', '[', ']']);
    let cleaned = clean(text);
    if looks_otherwise || breaks_out || cleaned != text {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", clean(&escaped))
    } else {
        cleaned.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_are_quoted_only_when_needed() {
        let shown = |v: Value| value(&v);
        assert_eq!(shown(json!("Banana checkout")), "Banana checkout");
        assert_eq!(shown(json!("5")), "\"5\"");
        assert_eq!(shown(json!(5)), "5");
        assert_eq!(shown(json!("")), "\"\"");
        assert_eq!(shown(json!("a\nb")), "\"a\\nb\"");
        assert_eq!(shown(json!("arn:aws:sns:x")), "arn:aws:sns:x");
        assert_eq!(
            shown(json!({"a": ["x:y", 1], "to": {"ref": "Contact/kayoko"}})),
            "{a: [\"x:y\", 1], to: Contact/kayoko}"
        );
    }

    #[test]
    fn a_personal_value_is_masked_and_a_document_counted() {
        let document = serde_json::to_value(Document::from_text("a: 1\nb: 2\n")).unwrap();
        assert_eq!(value(&document), "a document of 2 lines");
        assert_eq!(
            value(&json!({"address": {"$sensitive": "kayoko@example.com"}})),
            "{address: k•••@example.com}"
        );
    }

    #[test]
    fn what_would_steer_the_terminal_is_spelt_out() {
        assert_eq!(clean("red \u{1b}[31m"), "red \\u{1b}[31m");
        assert_eq!(clean("\u{202e}evil"), "\\u{202e}evil");
        assert_eq!(clean("バナナ"), "バナナ");
    }

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(shorten("0123456789", 10), "0123456789");
        assert_eq!(shorten("0123456789a", 9), "0123…789a");
        assert_eq!(shorten("バナナバナナ", 7), "バ…ナ");
    }

    #[test]
    fn two_long_texts_still_differ_when_shortened() {
        let old = format!("{}a{}", "x".repeat(100), "y".repeat(100));
        let new = format!("{}b{}", "x".repeat(100), "y".repeat(100));
        let (a, b) = shorten_pair(&old, &new, 20);
        assert_eq!(a, "…xxxxxxxxayyyyyyyyy…");
        assert_eq!(b, "…xxxxxxxxbyyyyyyyyy…");
    }

    #[test]
    fn names_that_do_not_fit_are_counted() {
        assert_eq!(names(["ann", "bob"], 80), "ann, bob");
        assert_eq!(
            names(["ann", "bob", "carol", "dave"], 22),
            "ann, bob and 2 more"
        );
        assert_eq!(
            names(["a-very-long-name", "bob"], 5),
            "a-very-long-name and 1 more"
        );
    }

    #[test]
    fn words_wrap() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), Vec::<String>::new());
        assert_eq!(wrap("one two\u{a0}three", 7), ["one", "two three"]);
    }
}
