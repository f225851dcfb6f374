//! What to do about a value of the wrong type.

use serde_json::Value;

use super::super::suggest;
use super::{Node, Shape};

/// Returns what to do about a value of the wrong type; of a personal value nothing is shown.
pub(super) fn type_hint(node: &Node, value: &Value, secret: bool) -> Option<String> {
    Some(match (&node.shape, value) {
        (_, Value::Null) => return None,
        (Shape::Text(_) | Shape::Choice(_), Value::Number(_) | Value::Bool(_)) if secret => {
            "quote it".to_owned()
        }
        (Shape::Text(_) | Shape::Choice(_), Value::Number(_) | Value::Bool(_)) => {
            format!("quote it: `\"{value}\"`")
        }
        (Shape::Bool, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => "write `true`, without quotes".to_owned(),
            "no" | "off" | "n" | "false" => "write `false`, without quotes".to_owned(),
            _ => return None,
        },
        (Shape::Number(_), Value::String(text)) => of_number(text)?.to_owned(),
        (Shape::List { .. }, Value::Object(map)) if map.is_empty() => {
            "an empty list is written `[]`".to_owned()
        }
        (Shape::List { .. }, _) => "write a list: each item on its own line after `- `".to_owned(),
        (Shape::Record(_), Value::String(name)) if !node.references.is_empty() => {
            let (form, name) = if name.starts_with("arn:") {
                ("arn", name.as_str())
            } else {
                ("ref", name.as_str())
            };
            format!("write `{{ {form}: {name} }}`")
        }
        (Shape::Tagged { keys, .. }, Value::String(_) | Value::Number(_)) if secret => {
            let all = keys.iter().map(|(name, _)| name.as_str());
            format!(
                "write `{{ fromEnv: NAME }}` or another of {}",
                suggest::names(all)
            )
        }
        (Shape::Tagged { keys, words }, Value::String(word)) => {
            let all = || {
                keys.iter()
                    .map(|(name, _)| name.as_str())
                    .chain(words.iter().map(String::as_str))
            };
            match keys.iter().find(|(name, _)| name == word) {
                Some(_) => format!("write `{{ {word}: … }}`"),
                None => match suggest::closest(word, all()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write one of {}", suggest::names(all())),
                },
            }
        }
        (Shape::Tagged { keys, .. }, _) => format!(
            "write one of {}",
            suggest::names(keys.iter().map(|(name, _)| name.as_str()))
        ),
        _ => return None,
    })
}

/// Returns what to do about a text where a number is wanted. Without quotes too, some digits are a text.
fn of_number(text: &str) -> Option<&'static str> {
    let digits = text.trim_start_matches(['+', '-']);
    let number = text.parse::<f64>().ok()?;
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    let fits = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    let behind_zero = digits.strip_prefix('0');
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        None // `inf` and `nan` are floats of Rust alone
    } else if behind_zero.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        Some("digits behind a zero are a text: write the number without leading zeros")
    } else if number.is_infinite() || (whole && !fits) {
        Some("the number is too large: write one nearer to zero")
    } else {
        Some("write the number without quotes")
    }
}
