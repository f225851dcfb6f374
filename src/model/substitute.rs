//! `${target.…}` in string values. Nothing else is replaced: `${PROP(…)}` and `{{ … }}` pass untouched.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Location;

/// What `${target.…}` stands for at one place.
#[derive(Clone, Debug)]
pub struct Variables {
    /// The account and region.
    pub location: Location,
    /// The target's name.
    pub target: String,
    /// `${target.vars.NAME}`.
    pub vars: BTreeMap<String, String>,
}

/// A `${target.…}` that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`${{target.{0}}}` stands for nothing here")]
pub struct UnknownVariable(pub String);

const OPEN: &str = "${target.";

/// Replaces every `${target.…}` in every string of the value; `$${target.…}` becomes a literal `${target.…}`.
pub fn substitute(value: Value, variables: &Variables) -> Result<Value, UnknownVariable> {
    Ok(match value {
        Value::String(text) => Value::String(substitute_text(&text, variables)?),
        Value::Array(list) => Value::Array(
            list.into_iter()
                .map(|v| substitute(v, variables))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(k, v)| Ok((k, substitute(v, variables)?)))
                .collect::<Result<_, UnknownVariable>>()?,
        ),
        other => other,
    })
}

fn substitute_text(text: &str, variables: &Variables) -> Result<String, UnknownVariable> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPEN) {
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str(OPEN);
            rest = &rest[at + OPEN.len()..];
            continue;
        }
        out.push_str(&rest[..at]);
        let after = &rest[at + OPEN.len()..];
        let Some(end) = after.find('}') else {
            return Err(UnknownVariable(after.chars().take(20).collect()));
        };
        out.push_str(variables.get(&after[..end])?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Escapes every literal `${target.…}`, as `export` must.
pub fn escape(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(OPEN, "$${target.")),
        Value::Array(list) => Value::Array(list.into_iter().map(escape).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(k, v)| (k, escape(v))).collect()),
        other => other,
    }
}

impl Variables {
    fn get(&self, name: &str) -> Result<&str, UnknownVariable> {
        let found = match name {
            "account" => Some(self.location.account.as_str()),
            "region" => Some(self.location.region.as_str()),
            "name" => Some(self.target.as_str()),
            _ => name
                .strip_prefix("vars.")
                .and_then(|name| self.vars.get(name))
                .map(String::as_str),
        };
        found.ok_or_else(|| UnknownVariable(name.to_owned()))
    }
}

/// Lets every text that a schema wants to match a pattern hold a variable instead, for whoever checks documents before
/// variables are replaced: editors, and the API server of a cluster.
pub fn allow(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Value::String(pattern) if key == "pattern" => {
                        pattern.push_str(r"|[$][{]target[.]");
                    }
                    _ => allow(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(allow),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        Variables {
            location: Location {
                account: "111122223333".into(),
                region: "eu-west-1".into(),
            },
            target: "production".into(),
            vars: [("tier".to_owned(), "gold".to_owned())].into(),
        }
    }

    #[test]
    fn only_target_is_replaced() {
        let value =
            json!({"a": "x-${target.region}-${target.vars.tier}", "b": "${PROP('x')} {{ y }}"});
        let value = substitute(value, &variables()).unwrap();
        assert_eq!(
            value,
            json!({"a": "x-eu-west-1-gold", "b": "${PROP('x')} {{ y }}"})
        );
    }

    #[test]
    fn escaping_is_undone_by_substituting() {
        let literal = json!(["keep ${target.account} and ${target.nonsense}"]);
        assert_eq!(
            substitute(escape(literal.clone()), &variables()).unwrap(),
            literal
        );
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let error = substitute(json!("${target.vars.color}"), &variables()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`${target.vars.color}` stands for nothing here"
        );
    }
}
