//! How values, types and rules are named in messages.

use serde_json::Value;

use super::{Number, Shape};

/// Names the type of a value: `a text`, `a whole number`, …
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Shows a value in backticks, cut when it is long.
pub fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return kind_of(value).to_owned(),
        other => other.to_string(),
    };
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Names what a place wants.
pub(super) fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Any => "anything",
        Shape::Document => "a map, or a text that holds one",
        Shape::Text(_) | Shape::Choice(_) => "a text",
        Shape::Number(Number { whole: true, .. }) => "a whole number",
        Shape::Number(_) => "a number",
        Shape::Bool => "`true` or `false`",
        Shape::List { .. } => "a list",
        Shape::Record(_) | Shape::Tagged { .. } => "a map",
        Shape::Union(_) => "something else",
    }
}

/// Returns the first sentence of a description.
pub(super) fn sentence(description: &str) -> String {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    // A comment is broken where its lines are full.
    let words: Vec<&str> = paragraph[..end].split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// Says in words what a pattern of the form `^[…]+$` allows.
pub(super) fn allowed(pattern: &str) -> Option<String> {
    let body = pattern.strip_prefix('^').unwrap_or(pattern);
    let body = body.strip_suffix('$').unwrap_or(body);
    let class = body.strip_prefix('[')?;
    let end = class.find(']')?;
    let (class, tail) = (&class[..end], &class[end + 1..]);
    let repeats = matches!(tail, "+" | "*") || (tail.starts_with('{') && tail.ends_with('}'));
    if class.starts_with('^') || !repeats {
        return None;
    }
    let mut rest = class.to_owned();
    let mut parts = Vec::new();
    let ranges = [
        ("a-zA-Z", "letters"),
        ("A-Za-z", "letters"),
        ("a-z", "lower-case letters"),
        ("A-Z", "capital letters"),
        ("0-9", "digits"),
        ("\\d", "digits"),
    ];
    for (range, name) in ranges {
        if rest.contains(range) {
            rest = rest.replacen(range, "", 1);
            parts.push(name.to_owned());
        }
    }
    if rest.contains("\\w") {
        rest = rest.replacen("\\w", "", 1);
        parts.extend(["letters", "digits", "`_`"].map(str::to_owned));
    }
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                's' => parts.push("spaces".to_owned()),
                c if c.is_alphanumeric() => return None,
                c => parts.push(format!("`{c}`")),
            },
            ' ' => parts.push("spaces".to_owned()),
            c if c.is_alphanumeric() => return None,
            c => parts.push(format!("`{c}`")),
        }
    }
    let last = parts.pop()?;
    Some(if parts.is_empty() {
        last
    } else {
        format!("{} and {last}", parts.join(", "))
    })
}

/// Returns `1 item`, `2 items`.
pub(super) fn count(number: u64, [one, many]: [&str; 2]) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_patterns_are_said_in_words() {
        assert_eq!(
            allowed("^[A-Za-z0-9_-]+$").as_deref(),
            Some("letters, digits, `_` and `-`")
        );
        assert_eq!(
            allowed(r"^[a-z0-9.\-]{3,64}$").as_deref(),
            Some("lower-case letters, digits, `.` and `-`")
        );
        assert_eq!(allowed("^[^/]+$"), None);
        assert_eq!(allowed("^a+$"), None);
        assert_eq!(allowed("^[a-f]+$"), None);
    }

    #[test]
    fn the_first_sentence_is_enough() {
        assert_eq!(sentence("The name. Default: `x`."), "The name");
        assert_eq!(
            sentence("Of another account,\nor none. More"),
            "Of another account, or none"
        );
        assert_eq!(sentence("Example.com is\n\nMore"), "Example.com is");
    }
}
