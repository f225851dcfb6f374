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
        (Shape::Number(_), Value::String(text)) if text.parse::<f64>().is_ok() => {
            "write the number without quotes".to_owned()
        }
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
