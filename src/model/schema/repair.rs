//! Guesses what was meant, so that a kind's own checks need not wait until the schema is content.

use serde_json::{Map, Value, json};

use super::super::pointer;
use super::{Node, Repair, Shape, Violation};

/// Where something was guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// JSON Pointer to what was guessed.
    pub at: String,
    /// Whether it is most likely right.
    pub sure: bool,
}

impl Guess {
    /// Says whether a finding at a pointer may come from the guess alone.
    pub fn touches(&self, at: &str) -> bool {
        let around = self.at.rsplit_once('/').map_or("", |(parent, _)| parent);
        pointer::under(at, &self.at) || (!self.sure && pointer::under(around, at))
    }
}

/// Returns the value as it was probably meant, and what was guessed for that.
pub fn repaired(value: &Value, violations: &[Violation]) -> (Value, Vec<Guess>) {
    let mut value = value.clone();
    let mut guesses = Vec::new();
    for Violation { at, repair, .. } in violations {
        let Some(repair) = repair else {
            continue;
        };
        guesses.extend(apply(&mut value, at, repair));
    }
    (value, guesses)
}

fn apply(value: &mut Value, at: &str, repair: &Repair) -> Option<Guess> {
    let (parent, name) = at.rsplit_once('/').unwrap_or(("", ""));
    let name = pointer::steps(&format!("/{name}"))
        .pop()
        .unwrap_or_default();
    let guess = |at: String, sure| Some(Guess { at, sure });
    match repair {
        Repair::Replace(other) => {
            *value.pointer_mut(at)? = other.clone();
            guess(at.to_owned(), true)
        }
        Repair::Suppose(None, other) => {
            *value.pointer_mut(at)? = other.clone();
            guess(at.to_owned(), false)
        }
        Repair::Suppose(Some(field), other) => {
            object(value, at)?.insert(field.clone(), other.clone());
            guess(pointer::join(at, field), false)
        }
        Repair::Remove => {
            object(value, parent)?.shift_remove(&name);
            None
        }
        Repair::Rename(other) => {
            let map = object(value, parent)?;
            let member = map.shift_remove(&name)?;
            map.entry(other).or_insert(member);
            guess(pointer::join(parent, other), true)
        }
    }
}

/// Returns some value for a field that is missing, where one as good as any other can be had.
pub(super) fn placeholder(node: &Node) -> Option<Value> {
    match &node.shape {
        Shape::Text(_) => Some("unnamed".into()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "limits of whole numbers are whole"
        )]
        Shape::Number(number) if number.whole => Some((number.min.unwrap_or(1.0) as i64).into()),
        _ => None,
    }
}

fn object<'v>(value: &'v mut Value, at: &str) -> Option<&'v mut Map<String, Value>> {
    value.pointer_mut(at)?.as_object_mut()
}

/// Returns what was probably meant by a value of the wrong type.
pub(super) fn of_type(node: &Node, value: &Value) -> Option<Value> {
    match (&node.shape, value) {
        (Shape::Text(_), Value::Number(_) | Value::Bool(_)) => Some(value.to_string().into()),
        (Shape::Bool, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => Some(true.into()),
            "no" | "off" | "n" | "false" => Some(false.into()),
            _ => None,
        },
        (Shape::Number(number), Value::String(text)) => match text.parse::<i64>() {
            Ok(whole) => Some(whole.into()),
            Err(_) if number.whole => None,
            Err(_) => text.parse::<f64>().ok().map(Value::from),
        },
        (Shape::Record(_), Value::String(name)) if !node.references.is_empty() => {
            let form = if name.starts_with("arn:") {
                "arn"
            } else {
                "ref"
            };
            Some(json!({ form: name }))
        }
        (Shape::Tagged { .. }, Value::String(text)) if node.sensitive => {
            Some(json!({ "value": text }))
        }
        (Shape::Tagged { .. }, Value::Number(number)) if node.sensitive => {
            Some(json!({ "value": format!("+{number}") }))
        }
        _ => None,
    }
}
