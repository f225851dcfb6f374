//! The conditions of statements. [D] IAM user guide, "Condition operators" and "Global condition context keys".

use serde_json::{Map, Value};

use super::evaluate::{Context, arns_match, matches};
use super::policy::{texts, without_variables};

/// One key under one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    test: Test,
    negated: bool,
    each: Each,
    if_exists: bool,
    key: Key,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoringCase,
    Like,
    Arn,
    Bool,
    Null,
}

/// Over which of a request's several values an operator goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Each {
    One,
    All,
    Any,
}

/// What of a request is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    RequestTag(String),
    ResourceTag(String),
    TagKeys,
    RequestedRegion,
    PrincipalArn,
    PrincipalAccount,
    ResourceAccount,
}

impl Condition {
    /// Reads the whole `Condition` of a statement.
    pub(super) fn read_all(operators: &Map<String, Value>) -> Result<Vec<Self>, String> {
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let keys = keys.as_object();
            let keys = keys.ok_or(format!("`{operator}` is a map from keys to values"))?;
            for (key, values) in keys {
                conditions.push(Self::read(operator, key, values)?);
            }
        }
        Ok(conditions)
    }

    fn read(operator: &str, key: &str, values: &Value) -> Result<Self, String> {
        let (each, rest) = match operator.split_once(':') {
            None => (Each::One, operator),
            Some(("ForAllValues", rest)) => (Each::All, rest),
            Some(("ForAnyValue", rest)) => (Each::Any, rest),
            Some(_) => return Err(format!("the sandbox knows no operator `{operator}`")),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = match name {
            "StringEquals" => (Test::Equals, false),
            "StringNotEquals" => (Test::Equals, true),
            "StringEqualsIgnoreCase" => (Test::EqualsIgnoringCase, false),
            "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoringCase, true),
            "StringLike" => (Test::Like, false),
            "StringNotLike" => (Test::Like, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Bool" => (Test::Bool, false),
            "Null" if !if_exists && each == Each::One => (Test::Null, false),
            _ => return Err(format!("the sandbox knows no operator `{operator}`")),
        };
        let key = Key::read(key)?;
        if (key == Key::TagKeys) != (each != Each::One) && test != Test::Null {
            return Err(format!(
                "`{operator}`: aws:TagKeys, and nothing else here, has several values, and needs ForAllValues or \
                 ForAnyValue"
            ));
        }
        let values = texts(values).filter(|values| !values.is_empty());
        let values = values.ok_or(format!("`{operator}` compares with a text or a list"))?;
        for value in &values {
            without_variables(value)?;
            if matches!(test, Test::Bool | Test::Null)
                && !["true", "false"].contains(&value.as_str())
            {
                return Err(format!(
                    "`{operator}` compares with true or false, not `{value}`"
                ));
            }
        }
        Ok(Self {
            test,
            negated,
            each,
            if_exists,
            key,
            values,
        })
    }

    /// Says whether the condition is about tags that the resource has.
    pub(super) fn holds(&self, context: &Context<'_>) -> bool {
        let found = context.values(&self.key);
        if self.test == Test::Null {
            return self
                .values
                .iter()
                .any(|value| (value == "true") == found.is_none());
        }
        let Some(found) = found else {
            // Without the key only what is negated, or asks every value of none, holds.
            return self.if_exists
                || self.negated && self.each != Each::Any
                || self.each == Each::All;
        };
        let one = |value: &String| {
            self.values.iter().any(|wanted| self.same(wanted, value)) != self.negated
        };
        match self.each {
            Each::One | Each::Any => found.iter().any(one),
            Each::All => found.iter().all(one),
        }
    }

    fn same(&self, wanted: &str, value: &str) -> bool {
        match self.test {
            Test::Equals => wanted == value,
            Test::EqualsIgnoringCase | Test::Bool => wanted.eq_ignore_ascii_case(value),
            Test::Like => matches(wanted, value),
            Test::Arn => arns_match(wanted, value),
            Test::Null => false,
        }
    }
}

impl Key {
    /// Reads a key; their names have no case.
    fn read(text: &str) -> Result<Self, String> {
        let unknown = || format!("the sandbox knows no condition key `{text}`");
        without_variables(text)?;
        let (name, tag) = match text.split_once('/') {
            Some((name, tag)) => (name, Some(tag.to_owned()).filter(|tag| !tag.is_empty())),
            None => (text, None),
        };
        match (name.to_ascii_lowercase().as_str(), tag) {
            ("aws:requesttag", Some(tag)) => Ok(Self::RequestTag(tag)),
            ("aws:resourcetag" | "ssm:resourcetag", Some(tag)) => Ok(Self::ResourceTag(tag)),
            ("aws:tagkeys", None) => Ok(Self::TagKeys),
            ("aws:requestedregion", None) => Ok(Self::RequestedRegion),
            ("aws:principalarn", None) => Ok(Self::PrincipalArn),
            ("aws:principalaccount", None) => Ok(Self::PrincipalAccount),
            ("aws:resourceaccount", None) => Ok(Self::ResourceAccount),
            _ => Err(unknown()),
        }
    }
}
