//! Reads personal values from where their documents say they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::load::{Unread, read_at_most};
use crate::model::sensitive::{MARKER, SecretKey};

/// How many bytes a file of `fromFile` may have: an address has far fewer, and a file that a mistake names may be huge.
const MOST_BYTES: u64 = 64 << 10;

/// Looks an environment variable up.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Reads a key of a Kubernetes Secret in the namespace of the documents, or says why it cannot be read.
pub type Secrets =
    Arc<dyn Fn(SecretKey) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// Where personal values may be read from.
#[derive(Clone)]
pub enum Sources {
    /// The machine that the program runs on: its environment and its files.
    Machine(Environment),
    /// A cluster: Secrets alone. Whoever may write documents there must not learn what the operator's own environment
    /// and files hold.
    Cluster(Secrets),
}

/// The sources of personal values in a spec, in canonical form.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Env(String),
    File(String),
    Parameter(String),
    Secret(SecretKey),
}

/// What was read from elsewhere, by what names it.
#[derive(Default)]
struct Read {
    parameters: BTreeMap<String, String>,
    secrets: BTreeMap<SecretKey, String>,
}

fn source(value: &Value) -> Option<Source> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (key, value) = map.iter().next()?;
    match (key.as_str(), value.as_str()) {
        ("fromEnv", Some(name)) => Some(Source::Env(name.to_owned())),
        ("fromFile", Some(path)) => Some(Source::File(path.to_owned())),
        ("fromParameter", Some(name)) => Some(Source::Parameter(name.to_owned())),
        ("fromSecret", None) => SecretKey::deserialize(value).ok().map(Source::Secret),
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
        let mut read = Read::default();
        for source in wanted {
            match (source, self) {
                (Source::Parameter(name), _) => {
                    let value = parameter(aws, &name).await?;
                    read.parameters.insert(name, value);
                }
                (Source::Secret(key), Self::Cluster(secrets)) => {
                    let value = secrets(key.clone()).await?;
                    read.secrets.insert(key, value);
                }
                _ => {}
            }
        }
        self.replace(spec, folder, &read)
    }

    fn replace(&self, value: Value, folder: &Path, read: &Read) -> Result<Value, String> {
        if let Some(source) = source(&value) {
            let text = match (source, self) {
                (Source::Env(name), Self::Machine(env)) => env(&name)
                    .filter(|text| !text.is_empty())
                    .ok_or_else(|| format!("environment variable `{name}` is not set"))?,
                (Source::File(path), Self::Machine(_)) => read_file(&folder.join(path))?,
                (Source::Env(_), Self::Cluster(_)) => return Err(no_machine("fromEnv")),
                (Source::File(_), Self::Cluster(_)) => return Err(no_machine("fromFile")),
                (Source::Parameter(name), _) => {
                    read.parameters.get(&name).cloned().unwrap_or_default()
                }
                (Source::Secret(key), Self::Cluster(_)) => {
                    read.secrets.get(&key).cloned().unwrap_or_default()
                }
                (Source::Secret(_), Self::Machine(_)) => {
                    return Err("`fromSecret` can only be read in a cluster".to_owned());
                }
            };
            return Ok(json!({ MARKER: text }));
        }
        Ok(match value {
            Value::Object(map) => {
                let members = map
                    .into_iter()
                    .map(|(key, member)| Ok((key, self.replace(member, folder, read)?)));
                Value::Object(members.collect::<Result<_, String>>()?)
            }
            Value::Array(list) => Value::Array(
                list.into_iter()
                    .map(|v| self.replace(v, folder, read))
                    .collect::<Result<_, _>>()?,
            ),
            other => other,
        })
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let text = read_at_most(path, MOST_BYTES).map_err(|unread| match unread {
        Unread::Io(error) => format!("cannot read `{shown}`: {error}"),
        Unread::Special => format!("`{shown}` is no ordinary file"),
        Unread::TooLarge => format!("`{shown}` is longer than {} KiB", MOST_BYTES >> 10),
        Unread::NotText { offset, .. } => {
            format!("`{shown}` is not UTF-8 text at byte {offset}")
        }
    })?;
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    if text.is_empty() {
        Err(format!("`{shown}` is empty"))
    } else {
        Ok(text)
    }
}

fn no_machine(what: &str) -> String {
    format!(
        "`{what}` cannot be read in a cluster: put the value into a Secret, and name it by `fromSecret`"
    )
}

fn collect(value: &Value, wanted: &mut BTreeSet<Source>) {
    match (source(value), value) {
        (Some(source), _) => drop(wanted.insert(source)),
        (None, Value::Object(map)) => map.values().for_each(|member| collect(member, wanted)),
        (None, Value::Array(list)) => list.iter().for_each(|item| collect(item, wanted)),
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_value_comes_from_a_short_ordinary_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, bytes: &[u8]| std::fs::write(path(name), bytes).unwrap();
        write("good", b"kayoko@example.com\r\n");
        write("empty", b"\n\n");
        write("not-text", b"ab\xff");
        write("just", "x".repeat(64 << 10).as_bytes());
        write("huge", "x".repeat((64 << 10) + 1).as_bytes());
        let pipe = Command::new("mkfifo").arg(path("pipe")).status();
        assert!(pipe.unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
        let read = |name: &str| read_file(&path(name));
        let wrong = |name: &str| {
            let shown = path(name).display().to_string();
            read(name).unwrap_err().replace(&shown, name)
        };
        assert_eq!(read("good").unwrap(), "kayoko@example.com");
        assert_eq!(read("just").unwrap().len(), 64 << 10);
        assert!(wrong("none").starts_with("cannot read `none`: "));
        assert_eq!(wrong("empty"), "`empty` is empty");
        assert_eq!(wrong("not-text"), "`not-text` is not UTF-8 text at byte 2");
        assert_eq!(wrong("huge"), "`huge` is longer than 64 KiB");
        for special in ["pipe", "zero", "."] {
            let found = wrong(special);
            assert!(found.ends_with("is no ordinary file"), "{found}");
        }
    }
}
