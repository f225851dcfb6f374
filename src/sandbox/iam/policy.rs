//! IAM identity policies as documents: read whole, or refused.
//!
//! What this program could not judge as AWS does is an error when the policy is read, never ignored afterwards.

use std::path::Path;

use serde_json::{Map, Value};

use super::condition::Condition;
use crate::sandbox::Error;

/// An identity policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) actions: Patterns,
    pub(super) resources: Patterns,
    pub(super) conditions: Vec<Condition>,
}

/// What a statement is about: these, or all but these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patterns {
    pub(super) but: bool,
    pub(super) list: Vec<String>,
}

impl Policy {
    /// Reads a policy from JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let document = document.as_object().ok_or("a policy is a JSON object")?;
        known(document, &["Version", "Id", "Statement"])?;
        match document.get("Version").map(Value::as_str) {
            Some(Some("2012-10-17")) => {}
            _ => return Err("`Version` is \"2012-10-17\"".to_owned()),
        }
        let statements: Vec<&Value> = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err("`Statement` is a statement or a list of them".to_owned()),
        };
        let statements = statements.iter().enumerate().map(|(index, statement)| {
            Statement::read(statement).map_err(|why| format!("statement {}: {why}", index + 1))
        });
        let statements = statements.collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// Reads a file with a policy.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::PolicyFile {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|why| Error::Policy {
            path: path.to_owned(),
            why,
        })
    }
}

impl Statement {
    fn read(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("it is no JSON object")?;
        known(
            members,
            &[
                "Sid",
                "Effect",
                "Action",
                "NotAction",
                "Resource",
                "NotResource",
                "Condition",
            ],
        )?;
        let allows = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("`Effect` is \"Allow\" or \"Deny\"".to_owned()),
        };
        let actions = Patterns::read(members, "Action")?;
        let is_action = |pattern: &&String| {
            let parts: Vec<&str> = pattern.split(':').collect();
            *pattern != "*"
                && !matches!(parts[..], [service, name] if !service.is_empty() && !name.is_empty())
        };
        if let Some(wrong) = actions.list.iter().find(is_action) {
            return Err(format!(
                "`{wrong}` is no action, for instance `ssm:GetDocument`"
            ));
        }
        let resources = Patterns::read(members, "Resource")?;
        let is_arn = |pattern: &&String| *pattern != "*" && !pattern.starts_with("arn:");
        if let Some(wrong) = resources.list.iter().find(is_arn) {
            return Err(format!("`{wrong}` is no ARN and not `*`"));
        }
        let conditions = match members.get("Condition") {
            None => Vec::new(),
            Some(Value::Object(operators)) => Condition::read_all(operators)?,
            Some(_) => return Err("`Condition` is a map of operators".to_owned()),
        };
        Ok(Self {
            allows,
            actions,
            resources,
            conditions,
        })
    }
}

impl Patterns {
    /// Reads `Action` or `NotAction`, `Resource` or `NotResource`.
    fn read(members: &Map<String, Value>, name: &str) -> Result<Self, String> {
        let not = format!("Not{name}");
        let (but, value) = match (members.get(name), members.get(&not)) {
            (Some(value), None) => (false, value),
            (None, Some(value)) => (true, value),
            _ => return Err(format!("it has one of `{name}` and `{not}`")),
        };
        let list = texts(value).filter(|list| !list.is_empty());
        let list = list.ok_or(format!("`{name}` is a text or a list of texts"))?;
        for text in &list {
            without_variables(text)?;
        }
        Ok(Self { but, list })
    }
}

/// Reads a text or a list of texts; flags and numbers count as their texts.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

/// Refuses policy variables, which would have to be filled in for each call.
pub(super) fn without_variables(text: &str) -> Result<(), String> {
    if text.contains("${") {
        return Err(format!("`{text}`: the sandbox knows no policy variables"));
    }
    Ok(())
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match members.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(format!("an identity policy has no `{key}` here")),
    }
}
