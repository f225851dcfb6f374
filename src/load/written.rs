//! From a place in the canonical spec to the place in what was written: lists without an order are sorted there.

use serde_json::Value;

use super::tree::{Content, Node};
use crate::model::{document, pointer, sensitive};

/// Returns the pointer, among what was written, to what a pointer into the canonical spec names.
pub(super) fn written(spec: &Node, canonical: &Value, pointer: &str) -> String {
    let (mut node, mut value) = (Some(spec), Some(canonical));
    let mut out = String::new();
    for step in pointer::steps(pointer) {
        let mut step = step;
        if let (Some(Content::List(items)), Some(Value::Array(list))) =
            (node.map(|node| &node.content), value)
            && let Ok(index) = step.parse::<usize>()
        {
            value = list.get(index);
            let place = value.and_then(|value| {
                let same = items.get(index).is_some_and(|item| resembles(item, value));
                let other = || items.iter().position(|item| resembles(item, value));
                if same { Some(index) } else { other() }
            });
            step = place.unwrap_or(index).to_string();
        } else {
            value = value.and_then(|value| value.get(&step));
        }
        node = node.and_then(|node| node.find(&pointer::join("", &step)));
        out = pointer::join(&out, step);
    }
    out
}

/// Says whether a node may have become this value: what is in both must be the same.
fn resembles(node: &Node, value: &Value) -> bool {
    match (&node.content, value) {
        (
            Content::Scalar {
                value: Value::String(text),
                ..
            },
            Value::String(value),
        ) => {
            text == value
                || value
                    .strip_suffix(text.as_str())
                    .is_some_and(|kind| kind.ends_with('/'))
        }
        (Content::Scalar { value: number, .. }, Value::Number(value)) => {
            number.as_f64() == value.as_f64()
        }
        (Content::Scalar { value: written, .. }, value) => written == value,
        (_, Value::Object(map)) if map.contains_key(document::MARKER) => true,
        (Content::Map(_), Value::Object(map)) => {
            let written = |key: &str| {
                node.get(if key == sensitive::MARKER {
                    "value"
                } else {
                    key
                })
            };
            let mut both = map
                .iter()
                .filter_map(|(key, value)| Some((written(key)?, value)))
                .peekable();
            (map.is_empty() || both.peek().is_some())
                && both.all(|(node, value)| resembles(node, value))
        }
        (Content::List(items), Value::Array(list)) => {
            items.len() == list.len()
                && list
                    .iter()
                    .all(|value| items.iter().any(|item| resembles(item, value)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::load::yaml;

    #[test]
    fn sorted_lists_are_seen_through() {
        let text = "stages:\n  - notify:\n      - { channel: sms }\n      - { channel: email, retry: 0 }\n      - { who: { ref: b } }\n";
        let root = yaml::parse(text).documents.remove(0).root;
        let canonical = json!({"stages": [{"notify": [{"who": {"ref": "Contact/b"}}, {"channel": "email"}, {"channel": "sms"}]}]});
        assert_eq!(
            written(&root, &canonical, "/stages/0/notify/0/who"),
            "/stages/0/notify/2/who"
        );
        assert_eq!(
            written(&root, &canonical, "/stages/0/notify/1/channel"),
            "/stages/0/notify/1/channel"
        );
        assert_eq!(
            written(&root, &canonical, "/stages/0/notify/2/channel"),
            "/stages/0/notify/0/channel"
        );
        assert_eq!(written(&root, &canonical, "/stages/7/x"), "/stages/7/x");
        assert_eq!(written(&root, &canonical, "/none/0"), "/none/0");
    }
}
