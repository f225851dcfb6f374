//! Reads personal values from where their documents say they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::model::sensitive::MARKER;

/// Looks an environment variable up.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where personal values may be read from.
#[derive(Clone)]
pub struct Sources {
    /// Environment variables.
    pub env: Environment,
}

/// The sources of personal values in a spec, in canonical form.
enum Source {
    Env(String),
    File(String),
    Parameter(String),
    Secret,
}

fn source(value: &Value) -> Option<Source> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (key, value) = map.iter().next()?;
    match (key.as_str(), value.as_str()) {
        ("fromEnv", Some(name)) => Some(Source::Env(name.to_owned())),
        ("fromFile", Some(path)) => Some(Source::File(path.to_owned())),
        ("fromParameter", Some(name)) => Some(Source::Parameter(name.to_owned())),
        ("fromSecret", None) => Some(Source::Secret),
        _ => None,
    }
}

impl Sources {
    /// Replaces every source in a canonical spec by the value it holds; `fromFile` is relative to `folder`.
    ///
    /// # Errors
    /// Says which source could not be read and what to do; never the value.
    pub async fn read(&self, spec: Value, folder: &Path, aws: &Aws) -> Result<Value, String> {
        let mut wanted = BTreeSet::new();
        collect(&spec, &mut wanted);
        let mut parameters = BTreeMap::new();
        for name in wanted {
            let value = parameter(aws, &name).await?;
            parameters.insert(name, value);
        }
        self.replace(spec, folder, &parameters)
    }

    fn replace(
        &self,
        value: Value,
        folder: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Value, String> {
        if let Some(source) = source(&value) {
            let text = match source {
                Source::Env(name) => (self.env)(&name)
                    .filter(|text| !text.is_empty())
                    .ok_or_else(|| format!("environment variable `{name}` is not set"))?,
                Source::File(path) => read_file(&folder.join(path))?,
                Source::Parameter(name) => parameters.get(&name).cloned().unwrap_or_default(),
                Source::Secret => {
                    return Err("`fromSecret` can only be read in a cluster".to_owned());
                }
            };
            return Ok(json!({ MARKER: text }));
        }
        Ok(match value {
            Value::Object(map) => {
                let members = map
                    .into_iter()
                    .map(|(key, member)| Ok((key, self.replace(member, folder, parameters)?)));
                Value::Object(members.collect::<Result<_, String>>()?)
            }
            Value::Array(list) => Value::Array(
                list.into_iter()
                    .map(|v| self.replace(v, folder, parameters))
                    .collect::<Result<_, _>>()?,
            ),
            other => other,
        })
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read `{shown}`: {e}"))?;
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    if text.is_empty() {
        Err(format!("`{shown}` is empty"))
    } else {
        Ok(text)
    }
}

fn collect(value: &Value, wanted: &mut BTreeSet<String>) {
    match (source(value), value) {
        (Some(Source::Parameter(name)), _) => {
            wanted.insert(name);
        }
        (None, Value::Object(map)) => map.values().for_each(|member| collect(member, wanted)),
        (None, Value::Array(list)) => list.iter().for_each(|member| collect(member, wanted)),
        _ => {}
    }
}

async fn parameter(aws: &Aws, name: &str) -> Result<String, String> {
    let answer = aws
        .ssm
        .get_parameter()
        .name(name)
        .with_decryption(true)
        .send()
        .await;
    let answer = answer.map_err(|e| {
        format!(
            "cannot read parameter `{name}`: {}",
            crate::aws::AwsError::from(e)
        )
    })?;
    let value = answer.parameter.and_then(|parameter| parameter.value);
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| format!("parameter `{name}` is empty"))
}
