//! A control as a document has it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{standard, yes};

/// What is said about a control, in all standards at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Control {
    /// Whether it is on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Why it is off; AWS wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub reason: Option<String>,
    /// Standards in which it stays on although it is off in the others.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        deserialize_with = "standard::all"
    )]
    #[schemars(inner(
        length(max = 200),
        regex(pattern = standard::PATTERN)
    ))]
    pub enabled_in: BTreeSet<String>,
    /// Values of its parameters; one that is left out has AWS's value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
}

/// The value of a parameter: exactly one of these, of the type that AWS gives the parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// A whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integer: Option<i32>,
    /// Whole numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integer_list: Option<BTreeSet<i32>>,
    /// A number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub double: Option<f64>,
    /// A text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub string: Option<String>,
    /// Texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_list: Option<BTreeSet<String>>,
    /// Yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boolean: Option<bool>,
    /// One of the words that AWS allows.
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub word: Option<String>,
    /// Some of the words that AWS allows.
    #[serde(rename = "enumList", default, skip_serializing_if = "Option::is_none")]
    pub words: Option<BTreeSet<String>>,
}

impl Control {
    /// Says whether it is as AWS has it, and so nothing that a document need say.
    pub(super) fn is_usual(&self) -> bool {
        let Self {
            enabled,
            reason,
            enabled_in,
            parameters,
        } = self;
        *enabled && reason.is_none() && enabled_in.is_empty() && parameters.is_empty()
    }

    /// Says whether it is to be on in a standard.
    pub(super) fn is_on_in(&self, standard: &str) -> bool {
        self.enabled || self.enabled_in.contains(standard)
    }
}

impl Parameter {
    /// Counts the values.
    pub(super) fn values(&self) -> usize {
        let Self {
            integer,
            integer_list,
            double,
            string,
            string_list,
            boolean,
            word,
            words,
        } = self;
        let set = [
            integer.is_some(),
            integer_list.is_some(),
            double.is_some(),
            string.is_some(),
            string_list.is_some(),
            boolean.is_some(),
            word.is_some(),
            words.is_some(),
        ];
        set.into_iter().filter(|set| *set).count()
    }
}

/// Reads controls without those about which nothing is said.
pub(super) fn remarkable<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<BTreeMap<String, Control>>, D::Error> {
    let mut read = Option::<BTreeMap<String, Control>>::deserialize(d)?;
    if let Some(all) = &mut read {
        all.retain(|_, control| !control.is_usual());
    }
    Ok(read)
}
