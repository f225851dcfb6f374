//! Documents that an API server keeps: the same loader, without files.
//!
//! In a folder one mistake stops everything, for a person sits before it. In a cluster objects come one by one and from
//! several people: one that is wrong is blocked, with whatever refers to it, and the others go on. What says where a run
//! goes, the Stack and its Targets, must be right as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::content::Content;
use super::files::Found;
use super::tree::Node;
use super::yaml::Document;
use super::{Declared, Loaded, Loader, files, kind};
use crate::model::lifecycle::Lifecycle;
use crate::model::schema::{Slot, kind_of};
use crate::model::{Address, AnySpec, Diagnostic, Severity, pointer};

/// A document as an API server keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What places call it: `namespace/Kind/name`.
    pub origin: String,
    /// `apiVersion`, `kind`, `metadata` and `spec`.
    pub document: Value,
}

/// The texts of ConfigMaps, by name and key; where one could not be read, why.
pub type Maps = BTreeMap<(String, String), Result<Arc<str>, String>>;

/// How many problems of one object are told.
const TOLD: usize = 3;

/// Loads the documents of a namespace.
///
/// Objects that are wrong are among the objects all the same, with what is wrong as their problem. The report holds
/// that too; only an error that is about no such object means that nothing may be done.
pub fn from_cluster(documents: Vec<Kept>, maps: Maps, kinds: &[&dyn AnySpec]) -> Loaded {
    let kinds = kind::kinds(kinds);
    let mut loader = Loader::new(&kinds);
    loader.reader.maps = Some(maps);
    let mut strays = Vec::new();
    for Kept { origin, document } in documents {
        let file = found(origin);
        let root = Node::of(document);
        let problems = Vec::new();
        loader.document(&file, Document { root, problems }, &mut strays);
    }
    loader.report.diagnostics.append(&mut strays);
    let addresses: BTreeSet<Address> = loader
        .entries
        .iter()
        .map(|entry| entry.address.clone())
        .filter(|address| !configures(address))
        .collect();
    let mut result = loader.finish(&[]);
    let mut problems = problems(&result, &addresses);
    for declared in &mut result.objects {
        declared.problem = problems.remove(&declared.address);
    }
    for (address, problem) in problems {
        let mut declared = Declared::new(
            address,
            Value::Object(serde_json::Map::new()),
            Lifecycle::default(),
        );
        declared.problem = Some(problem);
        result.objects.push(declared);
    }
    result.objects.sort_by(|a, b| a.address.cmp(&b.address));
    result
}

impl Loaded {
    /// Returns the errors that are about no object which could be blocked alone: nothing may be done while there are
    /// any.
    pub fn fatal(&self) -> Vec<&Diagnostic> {
        let blocked: BTreeSet<String> = self
            .objects
            .iter()
            .filter(|declared| declared.problem.is_some())
            .map(|declared| declared.address.to_string())
            .collect();
        let about_one = |finding: &&Diagnostic| {
            let object = finding.object.as_ref();
            object.is_some_and(|object| blocked.contains(object))
        };
        let errors = self.report.diagnostics.iter();
        errors
            .filter(|finding| finding.severity == Severity::Error && !about_one(finding))
            .collect()
    }
}

/// Says whether a document is about Stationbill itself.
fn configures(address: &Address) -> bool {
    matches!(address.kind.as_str(), "Stack" | "Target")
}

fn found(origin: String) -> Found {
    let path = PathBuf::from(&origin);
    Found {
        name: origin,
        real: path.clone(),
        root: Arc::new(files::Root {
            folder: PathBuf::new(),
        }),
        path,
        explicit: true,
    }
}

/// Says of each object that is wrong what is wrong with it.
fn problems(loaded: &Loaded, addresses: &BTreeSet<Address>) -> BTreeMap<Address, String> {
    let mut found: BTreeMap<Address, Vec<String>> = BTreeMap::new();
    for finding in &loaded.report.diagnostics {
        let address = finding.object.as_deref().and_then(|name| {
            let (kind, name) = name.split_once('/')?;
            addresses.get(&Address::new(kind, name))
        });
        if let (Some(address), Severity::Error) = (address, finding.severity) {
            found
                .entry(address.clone())
                .or_default()
                .push(told(finding));
        }
    }
    found
        .into_iter()
        .map(|(address, mut all)| {
            let more = all.len().saturating_sub(TOLD);
            all.truncate(TOLD);
            if more > 0 {
                all.push(format!("and {more} more"));
            }
            (address, all.join("; "))
        })
        .collect()
}

/// Words a finding where there are no lines to point at.
pub fn told(finding: &Diagnostic) -> String {
    let at = match finding.at.as_str() {
        "" => String::new(),
        at => format!("spec{at}: "),
    };
    let hint = finding.hint.as_ref();
    let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
    format!("{at}{}{hint}", finding.message)
}

/// Returns the ConfigMaps that documents name, by name and key.
pub fn maps(document: &Value, named: &mut BTreeSet<(String, String)>) {
    match document {
        Value::Object(members) => {
            for (key, member) in members {
                let map = member.get("configMap").filter(|_| key.ends_with("From"));
                let text = |field| map.and_then(|map| map.get(field)).and_then(Value::as_str);
                if let (Some(name), Some(key)) = (text("name"), text("key")) {
                    named.insert((name.to_owned(), key.to_owned()));
                }
                maps(member, named);
            }
        }
        Value::Array(list) => list.iter().for_each(|item| maps(item, named)),
        _ => {}
    }
}

/// Returns the text that `contentFrom` names in a cluster.
pub(super) fn content(maps: &Maps, slot: &Slot<'_>, key: &str) -> Result<Content, Box<Diagnostic>> {
    let form = format!("write `{key}: {{ configMap: {{ name: …, key: … }} }}`");
    let refuse = |code, at: String, message: String, hint: String| {
        Err(Box::new(Diagnostic::error(code, at, message).hint(hint)))
    };
    let Value::Object(from) = &slot.from else {
        let message = format!("`{key}` wants a map, found {}", kind_of(&slot.from));
        return refuse("wrong-type", slot.at.clone(), message, form);
    };
    if let Some(other) = from.keys().find(|name| *name != "configMap") {
        let at = pointer::join(&slot.at, other);
        let (code, message) = match other.as_str() {
            "file" => (
                "content-needs-folder",
                "a file can only be read beside a document in a folder".to_owned(),
            ),
            _ => ("unknown-field", format!("unknown field `{other}`")),
        };
        return refuse(code, at, message, form);
    }
    if slot.both {
        let message = format!("both `{}` and `{key}` are given", slot.field);
        return refuse(
            "content-twice",
            slot.at.clone(),
            message,
            "keep one of them".to_owned(),
        );
    }
    let text = |field| from.get("configMap")?.get(field)?.as_str();
    let (Some(name), Some(entry)) = (text("name"), text("key")) else {
        let message = format!("`{key}` names no key of a ConfigMap");
        return refuse("missing-field", slot.at.clone(), message, form);
    };
    let found = maps.get(&(name.to_owned(), entry.to_owned()));
    match found {
        Some(Ok(text)) => Ok(Content {
            name: format!("ConfigMap/{name}/{entry}"),
            text: Arc::clone(text),
        }),
        other => {
            let why = match other {
                Some(Err(why)) => why.clone(),
                _ => "it was not read".to_owned(),
            };
            let message = format!("key `{entry}` of ConfigMap `{name}` cannot be read: {why}");
            let hint = "create it in the namespace of this object".to_owned();
            refuse("content-missing", slot.at.clone(), message, hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds;

    fn kept(kind: &str, name: &str, spec: &Value) -> Kept {
        Kept {
            origin: format!("shop/{kind}/{name}"),
            document: json!({
                "apiVersion": "stationbill.dev/v1alpha1",
                "kind": kind,
                "metadata": { "name": name },
                "spec": spec,
            }),
        }
    }

    fn set() -> Kept {
        kept(
            "ReplicationSet",
            "incidents",
            &json!({ "regions": [{ "name": "eu-west-1" }] }),
        )
    }

    #[test]
    fn one_that_is_wrong_is_blocked_and_the_others_are_not() {
        let wrong = json!({ "channels": { "mail": { "type": "PIGEON", "address": { "value": "k@example.com" } } } });
        let loaded = from_cluster(
            vec![set(), kept("Contact", "kayoko", &wrong)],
            Maps::new(),
            &kinds::specs(),
        );
        let problems: Vec<(String, bool)> = loaded
            .objects
            .iter()
            .map(|declared| (declared.address.to_string(), declared.problem.is_some()))
            .collect();
        assert_eq!(
            problems,
            [
                ("Contact/kayoko".to_owned(), true),
                ("ReplicationSet/incidents".to_owned(), false)
            ]
        );
        assert!(loaded.fatal().is_empty(), "{:?}", loaded.report);
        let why = loaded.objects[0].problem.as_deref().unwrap();
        assert!(why.starts_with("spec/channels/mail/type: "), "{why}");
    }

    #[test]
    fn a_wrong_target_stops_everything() {
        let target = kept("Target", "production", &json!({ "accounts": ["12"] }));
        let loaded = from_cluster(vec![set(), target], Maps::new(), &kinds::specs());
        assert_eq!(loaded.fatal().len(), 1);
    }

    #[test]
    fn a_text_comes_from_a_config_map_and_not_from_a_file() {
        let body = "{\"widgets\": []}";
        let key = ("texts".to_owned(), "impact.json".to_owned());
        let maps = Maps::from([(key, Ok(body.into()))]);
        let from = |from: Value| {
            kept(
                "Dashboard",
                "impact",
                &json!({ "name": "impact", "bodyFrom": from }),
            )
        };
        let good = from(json!({ "configMap": { "name": "texts", "key": "impact.json" } }));
        let loaded = from_cluster(vec![good], maps.clone(), &kinds::specs());
        assert_eq!(loaded.objects[0].problem, None);
        let bad = from(json!({ "file": "/etc/passwd" }));
        let loaded = from_cluster(vec![bad], maps, &kinds::specs());
        let why = loaded.objects[0].problem.as_deref().unwrap();
        assert!(
            why.contains("only be read beside a document in a folder"),
            "{why}"
        );
    }
}
