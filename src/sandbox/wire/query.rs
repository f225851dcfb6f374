//! awsQuery requests: a form whose names are paths into the input, `Tags.member.1.Key`.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header;
use http::request::Parts;
use serde_json::Value;

use super::rest::text_value;
use super::{Malformed, Protocol, Route, Unrouted, form};
use crate::sandbox::Map;
use crate::sandbox::models::{Kind, Member, Service, Shape, TimestampFormat, services};

/// No model nests deeper; a longer name is ignored rather than followed.
const DEEPEST: usize = 32;

/// Returns the pairs of a request that is an awsQuery call.
pub(super) fn pairs(parts: &Parts, body: &Bytes) -> Option<Vec<(String, String)>> {
    let mut pairs = form::pairs(parts.uri.query().unwrap_or_default());
    let is_form = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if is_form {
        pairs.extend(form::pairs(&String::from_utf8_lossy(body)));
    }
    (is_form || pairs.iter().any(|(name, _)| name == "Action")).then_some(pairs)
}

/// Finds the operation: by the scope's service when that speaks awsQuery, else by the version, else by the name alone.
pub(super) fn route(
    pairs: Vec<(String, String)>,
    signed_for: Option<&str>,
) -> Result<Route, Unrouted> {
    let field = |name: &str| {
        pairs
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
    };
    let action = field("Action").unwrap_or_default();
    let version = field("Version").unwrap_or_default();
    let candidates = || services().filter(|s| s.metadata.speaks("query"));
    let service = candidates()
        .find(|s| {
            s.metadata.api_version == version && Some(s.metadata.signing_name()) == signed_for
        })
        .or_else(|| candidates().find(|s| s.metadata.api_version == version))
        .or_else(|| candidates().find(|s| Some(s.metadata.signing_name()) == signed_for))
        .or_else(|| candidates().find(|s| s.operations.contains_key(&action)));
    super::found(Protocol::Query, service, &action, pairs)
}

/// One step of the names' tree.
#[derive(Debug, Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn grow(pairs: &[(String, String)]) -> Self {
        let mut root = Self::default();
        for (name, value) in pairs {
            if name.split('.').count() > DEEPEST {
                continue;
            }
            let mut node = &mut root;
            for step in name.split('.') {
                node = node.children.entry(step.to_owned()).or_default();
            }
            node.value = Some(value.clone());
        }
        root
    }

    /// Returns the numbered children in the order of their numbers.
    fn numbered(&self) -> Vec<&Self> {
        let mut items: Vec<(u64, &Self)> = self
            .children
            .iter()
            .filter_map(|(name, node)| Some((name.parse().ok()?, node)))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }
}

/// Reads the input from the form.
pub(super) fn read(
    service: &Service,
    shape: &Shape,
    pairs: &[(String, String)],
) -> Result<Map, Malformed> {
    structure(service, shape, &Node::grow(pairs))
}

fn structure(service: &Service, shape: &Shape, node: &Node) -> Result<Map, Malformed> {
    let mut out = Map::new();
    for (name, member) in shape.members.iter() {
        let of = service.of(member);
        // A flattened list carries its element's name in place of its own.
        let wire = match &of.member {
            Some(item) if member.flattened(of) => item.wire_name(member.wire_name(name)),
            _ => member.wire_name(name),
        };
        if let Some(child) = node.children.get(wire) {
            out.insert(name.to_owned(), value(service, member, child)?);
        }
    }
    Ok(out)
}

fn value(service: &Service, member: &Member, node: &Node) -> Result<Value, Malformed> {
    let shape = service.of(member);
    let wrapped = |name: &str| {
        if member.flattened(shape) {
            Some(node)
        } else {
            node.children.get(name)
        }
    };
    match shape.kind {
        Kind::Structure => structure(service, shape, node).map(Value::Object),
        // An empty list arrives as its bare name with no value.
        Kind::List => {
            let Some(item) = &shape.member else {
                return Ok(Value::Array(Vec::new()));
            };
            let items = wrapped(item.wire_name("member"))
                .map(Node::numbered)
                .unwrap_or_default();
            items
                .into_iter()
                .map(|node| value(service, item, node))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        Kind::Map => {
            let (Some(key), Some(of)) = (&shape.key, &shape.value) else {
                return Ok(Value::Object(Map::new()));
            };
            let mut entries = Map::new();
            for entry in wrapped("entry").map(Node::numbered).unwrap_or_default() {
                let name = entry
                    .children
                    .get(key.wire_name("key"))
                    .and_then(|node| node.value.clone());
                let written = match entry.children.get(of.wire_name("value")) {
                    Some(node) => value(service, of, node)?,
                    None => Value::Null,
                };
                entries.insert(name.unwrap_or_default(), written);
            }
            Ok(Value::Object(entries))
        }
        _ => text_value(
            service,
            member,
            node.value.as_deref().unwrap_or_default(),
            TimestampFormat::Iso8601,
        ),
    }
}
