//! From live objects to documents: the same specs a user would have written. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::load::API_VERSION;
use crate::model::plan::Observed;
use crate::model::reference::{Names, lift, references};
use crate::model::sensitive::marked;
use crate::model::spec::NotASpec;
use crate::model::{Address, AnySpec, Document, Held, Live, pointer, stamp, substitute};

/// A document, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Which object it declares.
    pub address: Address,
    /// The YAML.
    pub text: String,
}

impl Written {
    /// Returns the file it belongs in, relative to the folder of the export.
    pub fn file(&self) -> String {
        format!("{}/{}.yaml", dashed(&self.address.kind), self.address.name)
    }
}

/// An address that stays out of the documents.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The object it belongs to.
    pub address: Address,
    /// The environment variable that the document names.
    pub variable: String,
    /// The value.
    pub value: String,
}

/// Everything an export writes.
#[derive(Clone, PartialEq, Eq)]
pub struct Exported {
    /// The documents, by kind and name.
    pub documents: Vec<Written>,
    /// The addresses.
    pub secrets: Vec<Secret>,
}

/// Turns what was observed into documents.
///
/// # Errors
/// When what AWS has cannot be understood as a spec.
pub fn export(observed: &Observed, specs: &[&dyn AnySpec]) -> Result<Exported, NotASpec> {
    let mut exported = Exported {
        documents: Vec::new(),
        secrets: Vec::new(),
    };
    let mut variables = BTreeSet::new();
    for kinds in observed.0.values() {
        let found = specs
            .iter()
            .filter_map(|spec| match kinds.get(spec.kind()) {
                Some(Ok(live)) => Some((*spec, named(*spec, live))),
                _ => None,
            });
        let found: Vec<_> = found.collect();
        let names: Names = found
            .iter()
            .flat_map(|(spec, live)| {
                live.iter().map(|(name, live)| {
                    (
                        live.id.0.clone(),
                        Address::new(spec.kind(), name).to_string(),
                    )
                })
            })
            .collect();
        for (spec, live) in found {
            for (name, live) in live {
                let address = Address::new(spec.kind(), name);
                // Read again after lifting: sets are ordered by what is in them.
                let value = spec.parse(&lift(live.spec.whole(), &names))?;
                let value = substitute::escape(shortened(spec, &value));
                let value = plain(value, "", &address, &mut variables, &mut exported.secrets);
                let text = document(&address, value)?;
                exported.documents.push(Written { address, text });
            }
        }
    }
    Ok(exported)
}

/// Gives each live object a `metadata.name`: its stamp's where it has one, else one made from AWS's name.
fn named<'a>(spec: &dyn AnySpec, live: &'a [Live<Held>]) -> Vec<(String, &'a Live<Held>)> {
    let mut sorted: Vec<(String, &Live<Held>)> = live
        .iter()
        .map(|live| {
            let stamped = stamp::object_name(&live.tags);
            let base = stamped
                .filter(|name| dns_name(name) == **name)
                .map(str::to_owned);
            let name = if live.name.is_empty() {
                dashed(spec.kind())
            } else {
                dns_name(&live.name)
            };
            (base.unwrap_or(name), live)
        })
        .collect();
    sorted.sort_by_cached_key(|(name, live)| {
        (
            name.clone(),
            live.name.clone(),
            live.spec.whole().to_string(),
        )
    });
    let mut taken = BTreeSet::new();
    for (name, _) in &mut sorted {
        *name = untaken(name, '-', &mut taken);
    }
    sorted
}

/// Makes a name that Kubernetes accepts too: lower-case letters, digits, `-` and `.`.
fn dns_name(name: &str) -> String {
    let mapped: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let trimmed = mapped.trim_matches(['-', '.']);
    if trimmed.is_empty() {
        "unnamed".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// Writes `OnCallSchedule` as `on-call-schedule`, the way files are named.
pub fn dashed(kind: &str) -> String {
    let mut out = String::new();
    for c in kind.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Leaves the kind out of references wherever they are read the same way without it: where the field takes one kind alone,
/// or that one first.
fn shortened(spec: &dyn AnySpec, value: &Value) -> Value {
    let mut written = value.clone();
    for (at, name) in references(value) {
        let bare = name.split_once('/').map_or(&*name, |(_, bare)| bare);
        let bare = json!({ "ref": bare });
        let mut tried = value.clone();
        if let Some(reference) = tried.pointer_mut(&at) {
            *reference = bare.clone();
        }
        if spec.parse(&tried).as_ref() == Ok(value)
            && let Some(reference) = written.pointer_mut(&at)
        {
            *reference = bare;
        }
    }
    written
}

/// Takes the marker objects out of a canonical spec: documents become their text, addresses a variable's name.
fn plain(
    value: Value,
    at: &str,
    address: &Address,
    variables: &mut BTreeSet<String>,
    secrets: &mut Vec<Secret>,
) -> Value {
    if let Some(text) = marked(&value) {
        let variable = variable(address, at, variables);
        secrets.push(Secret {
            address: address.clone(),
            variable: variable.clone(),
            value: text.to_owned(),
        });
        return json!({ "fromEnv": variable });
    }
    if let Some(document) = Document::marked(&value) {
        return Value::String(document.text);
    }
    match value {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, member) in map {
                let at = pointer::join(at, &key);
                out.insert(key, plain(member, &at, address, variables, secrets));
            }
            Value::Object(out)
        }
        Value::Array(list) => {
            let members = list.into_iter().enumerate();
            let members =
                members.map(|(i, v)| plain(v, &pointer::join(at, i), address, variables, secrets));
            Value::Array(members.collect())
        }
        other => other,
    }
}

fn variable(address: &Address, at: &str, taken: &mut BTreeSet<String>) -> String {
    let mut parts = vec![address.name.clone()];
    parts.extend(
        pointer::steps(at)
            .into_iter()
            .filter(|step| step != "channels" && step != "address"),
    );
    let name: String = parts
        .join("_")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    };
    untaken(&name, '_', taken)
}

/// Takes a name, or the first of `name-2`, `name-3`… that nothing has.
fn untaken(name: &str, between: char, taken: &mut BTreeSet<String>) -> String {
    let others = (2..).map(|number| format!("{name}{between}{number}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(others);
    let free = candidates.find(|candidate| taken.insert(candidate.clone()));
    free.expect("there is no end of numbers")
}

fn document(address: &Address, mut spec: Value) -> Result<String, NotASpec> {
    if let Some(map) = spec.as_object_mut()
        && map.get("name").and_then(Value::as_str) == Some(&address.name)
    {
        map.shift_remove("name");
    }
    // No tags but ours: others may go on setting theirs.
    if let Some(map) = spec.as_object_mut()
        && map
            .get("tags")
            .and_then(Value::as_object)
            .is_some_and(Map::is_empty)
    {
        map.shift_remove("tags");
    }
    let document = json!({
        "apiVersion": API_VERSION,
        "kind": address.kind,
        "metadata": { "name": address.name },
        "spec": spec,
    });
    serde_yaml::to_string(&document).map_err(|e| NotASpec {
        message: e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_kubernetes() {
        assert_eq!(
            dns_name("SSM-SessionManagerRunShell"),
            "ssm-sessionmanagerrunshell"
        );
        assert_eq!(dns_name("Week A (Tokyo)"), "week-a--tokyo");
        assert_eq!(dns_name("__"), "unnamed");
        assert_eq!(dashed("OnCallSchedule"), "on-call-schedule");
    }

    #[test]
    fn variables_are_named_after_what_they_hold() {
        let mut taken = BTreeSet::new();
        let address = Address::new("Contact", "kayoko");
        assert_eq!(
            variable(&address, "/channels/work e-mail/address", &mut taken),
            "KAYOKO_WORK_E_MAIL"
        );
        assert_eq!(
            variable(&address, "/channels/work_e_mail/address", &mut taken),
            "KAYOKO_WORK_E_MAIL_2"
        );
    }
}
