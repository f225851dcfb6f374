//! `metadata`: the name, and labels that others may use.

use std::collections::BTreeMap;

use super::envelope::missing;
use super::tree::{Content, Key, Node, Span};
use super::yaml::Problem;
use crate::model::schema::kind_of;
use crate::model::sensitive::hide_addresses;
use crate::model::suggest;

/// `name`, and what Kubernetes keeps there.
const FIELDS: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// What only an API server writes; it is there in documents that were read from a cluster.
const SERVER: [&str; 7] = [
    "creationTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// What was taken from `metadata`.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The name as it was written.
    pub(super) name: Option<String>,
    /// Where it stands, or where it is missing.
    pub(super) at: Span,
    /// Whether it is one that Kubernetes takes.
    pub(super) ok: bool,
    pub(super) labels: BTreeMap<String, String>,
}

impl Metadata {
    fn unnamed(at: Span) -> Self {
        Self {
            name: None,
            at,
            ok: false,
            labels: BTreeMap::new(),
        }
    }
}

/// Checks `metadata`.
pub(super) fn metadata(root: &Node, found: &mut Vec<Problem>) -> Metadata {
    let hint = "add `metadata: { name: … }`";
    let Some((key, metadata)) = root.entry("metadata") else {
        found.push(missing(root.at, "`metadata` is missing", hint));
        return Metadata::unnamed(root.at);
    };
    if metadata.is_null() {
        found.push(missing(key.at, "`metadata` is empty", hint));
        return Metadata::unnamed(key.at);
    }
    if !matches!(metadata.content, Content::Map(_)) {
        found.push(wrong_type("metadata", "a map", metadata).hint(hint));
        return Metadata::unnamed(key.at);
    }
    let mut read = Metadata::unnamed(key.at);
    let mut named = false;
    for (field, node) in metadata.entries() {
        match field.text.as_str() {
            "name" | "namespace" if node.is_null() => {}
            "name" => {
                named = true;
                read.at = node.at;
                name(node, &mut read, found);
            }
            "namespace" if node.text().is_none() => {
                found.push(wrong_type("namespace", "a text", node));
            }
            "labels" => texts(field, node, found, Some(&mut read.labels)),
            "annotations" => texts(field, node, found, None),
            other if other == "namespace" || SERVER.contains(&other) => {}
            other => {
                let hint = match suggest::closest(other, FIELDS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the fields here are {}", suggest::names(FIELDS)),
                };
                let message = format!("unknown field `{other}`");
                found.push(Problem::new("unknown-field", field.at, message).hint(hint));
            }
        }
    }
    if !named {
        found.push(missing(key.at, "`metadata.name` is missing", hint));
    }
    read
}

fn name(node: &Node, read: &mut Metadata, found: &mut Vec<Problem>) {
    let Some(text) = node.text() else {
        found.push(wrong_type("metadata.name", "a text", node));
        return;
    };
    read.name = Some(text.to_owned());
    read.ok = is_name(text);
    if !read.ok {
        let hidden = hide_addresses(text);
        let short: String = hidden.chars().take(60).collect();
        let rule = "lower-case letters, digits, `-` and `.`, with a letter or digit at both ends, at most 253 characters";
        // What the message hides, the hint must not show.
        let hint = match nearest_name(text).filter(|_| hidden == text) {
            Some(near) => format!("did you mean `{near}`? A name has {rule}"),
            None => format!("a name has {rule}"),
        };
        let message = format!("`{short}` is no name for an object");
        found.push(Problem::new("bad-name", node.at, message).hint(hint));
    }
}

/// Makes the problem of a wrong type, with quotes as the cure where they are one.
fn wrong_type(field: &str, wanted: &str, node: &Node) -> Problem {
    let message = format!(
        "`{field}` wants {wanted}, found {}",
        kind_of(&node.to_value())
    );
    let mut problem = Problem::new("wrong-type", node.at, message);
    problem.hint = node
        .raw()
        .filter(|_| wanted == "a text")
        .map(|raw| format!("quote it: `\"{raw}\"`"));
    problem
}

fn texts(
    key: &Key,
    node: &Node,
    found: &mut Vec<Problem>,
    mut into: Option<&mut BTreeMap<String, String>>,
) {
    if !matches!(node.content, Content::Map(_)) {
        if !node.is_null() {
            let message = format!(
                "`{}` wants a map, found {}",
                key.text,
                kind_of(&node.to_value())
            );
            found.push(Problem::new("wrong-type", node.at, message));
        }
        return;
    }
    for (name, value) in node.entries() {
        match (value.text(), &mut into) {
            (Some(text), Some(into)) => {
                into.insert(name.text.clone(), text.to_owned());
            }
            (Some(_), None) => {}
            (None, _) => {
                let mut problem = Problem::new(
                    "bad-annotation",
                    value.at,
                    format!(
                        "`{}` wants a text, found {}",
                        name.text,
                        kind_of(&value.to_value())
                    ),
                );
                problem.hint = value.raw().map(|raw| format!("quote it: `\"{raw}\"`"));
                found.push(problem);
            }
        }
    }
}

/// Says whether a text is a DNS subdomain (RFC 1123), as Kubernetes asks of names.
fn is_name(text: &str) -> bool {
    let edge = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=253).contains(&text.len())
        && text.split('.').all(|part| {
            let bytes = part.as_bytes();
            let ends =
                bytes.first().is_some_and(|c| edge(*c)) && bytes.last().is_some_and(|c| edge(*c));
            ends && bytes.iter().all(|c| edge(*c) || *c == b'-')
        })
}

/// Returns the name that somebody probably meant.
fn nearest_name(text: &str) -> Option<String> {
    let mut near = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            near.push(c);
        } else if !near.ends_with('-') {
            near.push('-');
        }
    }
    let near = near.trim_matches(['-', '.']).to_owned();
    is_name(&near).then_some(near)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_for_a_name_is_shown_nowhere() {
        let told = |name: &str| {
            let root = Node::of(json!({"metadata": {"name": name}}));
            let mut found = Vec::new();
            metadata(&root, &mut found);
            let Problem { message, hint, .. } = found.remove(0);
            format!("{message}: {}", hint.unwrap())
        };
        let late = format!("{}kayoko.mori@example.com", "x ".repeat(20));
        for name in ["kayoko.mori@example.com", "+819012345612", &late] {
            let told = told(name);
            let shown = ["did you mean", "kayoko", "90123456"].map(|part| told.contains(part));
            assert_eq!(shown, [false; 3], "{told}");
        }
        assert!(told("Kayoko Mori").contains("did you mean `kayoko-mori`?"));
    }

    #[test]
    fn names_are_those_of_kubernetes() {
        for good in ["a", "banana-checkout", "a.b-c.d1", "0"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "A",
            "a_b",
            "-a",
            "a-",
            "a..b",
            "a.-b",
            "é",
            &"a".repeat(254),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
        assert_eq!(
            nearest_name("Banana Checkout_1").as_deref(),
            Some("banana-checkout-1")
        );
        assert_eq!(nearest_name("___"), None);
    }
}
