//! `${target.…}` that stand for nothing, found before anything is replaced.

use serde_json::Value;

use crate::model::{pointer, suggest};

const OPEN: &str = "${target.";
const KNOWN: [&str; 4] = ["account", "region", "name", "vars.NAME"];

/// A variable that stands for nothing.
pub(super) struct Unknown {
    /// JSON Pointer to the text.
    pub(super) at: String,
    /// Byte offset in the text.
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Finds every unknown variable in every text of a spec.
pub(super) fn unknown(value: &Value, at: &str, found: &mut Vec<Unknown>) {
    match value {
        Value::String(text) if text.contains(OPEN) => in_text(text, at, found),
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                unknown(item, &pointer::join(at, index), found);
            }
        }
        Value::Object(map) => {
            for (key, member) in map {
                unknown(member, &pointer::join(at, key), found);
            }
        }
        _ => {}
    }
}

/// A `${target.vars.NAME}` of a spec.
pub(super) struct Used {
    /// JSON Pointer to the text.
    pub(super) at: String,
    /// Byte offset in the text.
    pub(super) offset: usize,
    /// The variable's name.
    pub(super) name: String,
}

/// Finds every `${target.vars.NAME}` in every text of a spec.
pub(super) fn used(value: &Value) -> Vec<Used> {
    let mut found = Vec::new();
    find(value, "", &mut found);
    found
}

fn find(value: &Value, at: &str, found: &mut Vec<Used>) {
    match value {
        Value::String(text) => {
            for (offset, opening) in text.match_indices("${target.vars.") {
                let rest = &text[offset + opening.len()..];
                let name = rest.split('}').next().unwrap_or_default().to_owned();
                if !text[..offset].ends_with('$') {
                    let at = at.to_owned();
                    found.push(Used { at, offset, name });
                }
            }
        }
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                find(item, &pointer::join(at, index), found);
            }
        }
        Value::Object(map) => {
            for (key, member) in map {
                find(member, &pointer::join(at, key), found);
            }
        }
        _ => {}
    }
}

fn in_text(text: &str, at: &str, found: &mut Vec<Unknown>) {
    for (offset, _) in text.match_indices(OPEN) {
        if text[..offset].ends_with('$') {
            continue;
        }
        let rest = &text[offset + OPEN.len()..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || "._-".contains(*c))
            .collect();
        let closed = rest[name.len()..].starts_with('}');
        let known = KNOWN[..3].contains(&name.as_str())
            || name
                .strip_prefix("vars.")
                .is_some_and(|name| !name.is_empty());
        if closed && known {
            continue;
        }
        let hint = if known {
            "close it with `}`".to_owned()
        } else {
            let near = suggest::closest(&name, KNOWN[..3].iter().copied());
            match near {
                Some(near) => format!("did you mean `${{target.{near}}}`?"),
                None => format!(
                    "known are {}; a literal `${{target.` is written `$${{target.`",
                    suggest::names(KNOWN)
                ),
            }
        };
        found.push(Unknown {
            at: at.to_owned(),
            offset,
            message: format!(
                "`${{target.{name}{}` stands for nothing",
                if closed { "}" } else { "" }
            ),
            hint,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_unknown_target_variables_are_reported() {
        let value = json!({"a": ["${target.account} ${target.vars.tier} ${PROP('x')} $${target.x}"], "b": "${target.acount} ${target.region"});
        let mut found = Vec::new();
        unknown(&value, "", &mut found);
        let found: Vec<_> = found
            .iter()
            .map(|u| format!("{} {} ({})", u.at, u.message, u.hint))
            .collect();
        assert_eq!(
            found,
            [
                "/b `${target.acount}` stands for nothing (did you mean `${target.account}`?)",
                "/b `${target.region` stands for nothing (close it with `}`)",
            ]
        );
    }
}
