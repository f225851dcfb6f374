//! What differs between two canonical specs.

use serde_json::Value;

use super::document::Document;
use super::{pointer, sensitive};

/// One difference. Values keep their marker objects; [`super::sensitive::masked`] comes before any output.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// JSON Pointer into the spec.
    pub path: String,
    /// What AWS has; `None` where it has nothing.
    pub old: Option<Value>,
    /// What is declared; `None` where nothing is.
    pub new: Option<Value>,
}

/// Compares what AWS has with what is declared.
pub fn diff(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(old), Some(new), &mut found);
    found
}

fn compare(at: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(a), Some(b)) if is_marker(a) || is_marker(b) => {
            let same = matches!((Document::marked(a), Document::marked(b)), (Some(a), Some(b)) if a.same_meaning(&b));
            if !same {
                push(at, old, new, found);
            }
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) if !at.is_empty() && is_choice(a, b) => {
            push(at, old, new, found);
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a
                .keys()
                .chain(b.keys().filter(|k| !a.contains_key(*k)))
                .collect();
            keys.sort();
            for key in keys {
                compare(&pointer::join(at, key), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                compare(&pointer::join(at, index), a.get(index), b.get(index), found);
            }
        }
        _ => push(at, old, new, found),
    }
}

/// Two objects of one member each, of different names, are two choices: `{ref: …}` against `{arn: …}`.
fn is_choice(a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>) -> bool {
    a.len() == 1 && b.len() == 1 && a.keys().next() != b.keys().next()
}

fn is_marker(value: &Value) -> bool {
    sensitive::marked(value).is_some() || Document::marked(value).is_some()
}

fn push(at: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    found.push(Difference {
        path: at.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(old: &Value, new: &Value) -> Vec<String> {
        diff(old, new).into_iter().map(|d| d.path).collect()
    }

    #[test]
    fn each_difference_names_its_own_place() {
        let old = json!({"a": 1, "b": [{"x": 1}, {"x": 2}], "gone": true});
        let new = json!({"a": 1, "b": [{"x": 1}, {"x": 3}, {"x": 4}], "new": false});
        assert_eq!(paths(&old, &new), ["/b/1/x", "/b/2", "/gone", "/new"]);
    }

    #[test]
    fn a_document_written_differently_does_not_differ() {
        let old = serde_json::to_value(Document::from_text("{\"a\": 1}")).unwrap();
        let new = serde_json::to_value(Document::from_text("a: 1 # same")).unwrap();
        assert!(diff(&json!({"content": old}), &json!({"content": new})).is_empty());
    }

    #[test]
    fn another_choice_is_one_difference() {
        assert_eq!(
            paths(&json!({"to": {"arn": "x"}}), &json!({"to": {"ref": "A/b"}})),
            ["/to"]
        );
    }
}
