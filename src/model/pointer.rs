//! JSON Pointers (RFC 6901): how every difference and every diagnostic names its place.

use std::fmt::Display;

use serde_json::Value;

/// Returns `base` with one more step, escaped as RFC 6901 asks.
pub fn join(base: &str, step: impl Display) -> String {
    let step = step.to_string().replace('~', "~0").replace('/', "~1");
    format!("{base}/{step}")
}

/// Returns the steps of a pointer, unescaped.
pub fn steps(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Says whether `pointer` is `prefix` or lies under it; `*` in the prefix stands for any one step.
pub fn under(pointer: &str, prefix: &str) -> bool {
    let (pointer, prefix) = (steps(pointer), steps(prefix));
    pointer.len() >= prefix.len()
        && prefix
            .iter()
            .zip(&pointer)
            .all(|(want, have)| want == "*" || want == have)
}

/// Removes what a pointer names; `*` stands for any one step.
pub fn remove(value: &mut Value, pointer: &str) {
    remove_steps(value, &steps(pointer));
}

fn remove_steps(value: &mut Value, steps: &[String]) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    match value {
        Value::Object(map) if rest.is_empty() && first == "*" => map.clear(),
        Value::Object(map) if rest.is_empty() => {
            map.remove(first);
        }
        Value::Object(map) => {
            for (key, member) in map.iter_mut() {
                if first == "*" || first == key {
                    remove_steps(member, rest);
                }
            }
        }
        Value::Array(list) => {
            for (index, member) in list.iter_mut().enumerate() {
                if !rest.is_empty() && (first == "*" || *first == index.to_string()) {
                    remove_steps(member, rest);
                }
            }
        }
        _ => {}
    }
}

/// Puts what a pointer names in `from` into `to`, and takes it out of `to` where `from` has nothing; `*` stands for any
/// one step.
pub fn transplant(from: &Value, to: &mut Value, pointer: &str) {
    transplant_steps(from, to, &steps(pointer));
}

fn transplant_steps(from: &Value, to: &mut Value, steps: &[String]) {
    let Some((first, rest)) = steps.split_first() else {
        *to = from.clone();
        return;
    };
    let keys: Vec<String> = match &*to {
        Value::Object(map) if first == "*" => map.keys().cloned().collect(),
        Value::Array(list) if first == "*" => {
            (0..list.len()).map(|index| index.to_string()).collect()
        }
        _ => vec![first.clone()],
    };
    for key in keys {
        let there = from.pointer(&join("", &key));
        match (there, &mut *to) {
            (None, Value::Object(map)) if rest.is_empty() => {
                map.shift_remove(&key);
            }
            (Some(there), Value::Object(map)) if rest.is_empty() => {
                map.insert(key, there.clone());
            }
            (Some(there), to) => {
                if let Some(to) = to.pointer_mut(&join("", &key)) {
                    transplant_steps(there, to, rest);
                }
            }
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slash_in_a_key_is_escaped() {
        assert_eq!(join("/tags", "a/b~c"), "/tags/a~1b~0c");
        assert_eq!(steps("/tags/a~1b~0c"), ["tags", "a/b~c"]);
    }

    #[test]
    fn a_star_stands_for_one_step() {
        assert!(under("/channels/sms/type", "/channels/*/type"));
        assert!(under("/channels/sms/type/x", "/channels/*/type"));
        assert!(!under("/channels/sms", "/channels/*/type"));
    }

    #[test]
    fn transplanting_takes_over_what_is_there_and_what_is_not() {
        let from = json!({"a": {"x": 1}, "list": [{"n": 5}]});
        let mut to = json!({"a": {"x": 2, "y": 3}, "list": [{"n": 6, "m": 7}]});
        transplant(&from, &mut to, "/a/x");
        transplant(&from, &mut to, "/a/y");
        transplant(&from, &mut to, "/list/*/n");
        assert_eq!(to, json!({"a": {"x": 1}, "list": [{"n": 5, "m": 7}]}));
    }

    #[test]
    fn removing_reaches_into_lists() {
        let mut value = json!({"a": [{"b": 1, "c": 2}, {"b": 3}]});
        remove(&mut value, "/a/*/b");
        assert_eq!(value, json!({"a": [{"c": 2}, {}]}));
    }
}
