//! awsQuery answers: XML, wrapped twice.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use serde_json::Value;

use super::{Mismatch, Route, time};
use crate::sandbox::Map;
use crate::sandbox::models::{Kind, Member, Service, Shape, TimestampFormat};

/// An XML document in the making. Writing into memory cannot fail, so neither can its methods.
pub(super) struct Document(Writer<Vec<u8>>);

impl Document {
    pub(super) fn new() -> Self {
        Self(Writer::new(Vec::new()))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.into_inner()
    }

    /// Writes an element around whatever `inside` writes.
    pub(super) fn element<E>(
        &mut self,
        name: &str,
        namespace: Option<&str>,
        inside: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut start = BytesStart::new(name);
        if let Some(namespace) = namespace {
            start.push_attribute(("xmlns", namespace));
        }
        self.event(Event::Start(start));
        inside(self)?;
        self.event(Event::End(BytesEnd::new(name)));
        Ok(())
    }

    /// Writes an element that holds a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        // XML has no way to write most control characters, not even escaped.
        let legal: String = text
            .chars()
            .map(|c| {
                if is_legal(c) {
                    c
                } else {
                    char::REPLACEMENT_CHARACTER
                }
            })
            .collect();
        self.event(Event::Start(BytesStart::new(name)));
        // Quotes stay as they are, like in AWS's answers; a bare carriage return would come back as a line feed.
        let escaped = quick_xml::escape::partial_escape(legal);
        self.event(Event::Text(BytesText::from_escaped(escaped)));
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn event(&mut self, event: Event<'_>) {
        let written: io::Result<()> = self.0.write_event(event);
        debug_assert!(written.is_ok(), "a Vec takes every byte");
    }
}

fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Writes an operation's answer.
pub(super) fn answer(
    route: &Route,
    shape: Option<&Shape>,
    output: &Map,
    request_id: &str,
) -> Result<Vec<u8>, Mismatch> {
    let mut document = Document::new();
    let namespace = route.service.metadata.xml_namespace.as_deref();
    document.element(&format!("{}Response", route.name), namespace, |document| {
        if let Some(shape) = shape {
            let default = format!("{}Result", route.name);
            let wrapper = route
                .operation
                .result_wrapper
                .as_deref()
                .unwrap_or(&default);
            document.element(wrapper, None, |document| {
                structure(document, route.service, shape, output)
            })?;
        }
        document.element("ResponseMetadata", None, |document| {
            document.text("RequestId", request_id);
            Ok(())
        })
    })?;
    Ok(document.finish())
}

/// Writes a structure's members.
pub(super) fn structure(
    document: &mut Document,
    service: &Service,
    shape: &Shape,
    members: &Map,
) -> Result<(), Mismatch> {
    super::check_members(shape, members)?;
    for (name, member) in shape.members.iter() {
        match members.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                write(document, service, member, member.wire_name(name), value)
                    .map_err(|e| e.inside(name))?;
            }
        }
    }
    Ok(())
}

fn write(
    document: &mut Document,
    service: &Service,
    member: &Member,
    name: &str,
    value: &Value,
) -> Result<(), Mismatch> {
    let shape = service.of(member);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => document.element(name, None, |document| {
            structure(document, service, shape, members)
        }),
        (Kind::List, Value::Array(items)) => {
            let Some(item) = &shape.member else {
                return Ok(());
            };
            if member.flattened(shape) {
                let name = item.location_name().unwrap_or(name);
                return items
                    .iter()
                    .try_for_each(|value| write(document, service, item, name, value));
            }
            document.element(name, None, |document| {
                let name = item.wire_name("member");
                items
                    .iter()
                    .try_for_each(|value| write(document, service, item, name, value))
            })
        }
        (Kind::Map, Value::Object(entries)) => {
            let (Some(key), Some(of)) = (&shape.key, &shape.value) else {
                return Ok(());
            };
            let entry = |document: &mut Document, name: &str, text: &str, value: &Value| {
                document.element(name, None, |document| {
                    document.text(key.wire_name("key"), text);
                    write(document, service, of, of.wire_name("value"), value)
                })
            };
            if member.flattened(shape) {
                return entries
                    .iter()
                    .try_for_each(|(text, value)| entry(document, name, text, value));
            }
            document.element(name, None, |document| {
                entries
                    .iter()
                    .try_for_each(|(text, value)| entry(document, "entry", text, value))
            })
        }
        (Kind::Timestamp, Value::Number(_)) => {
            let format = member.timestamp_format(shape, TimestampFormat::Iso8601);
            let text = time::text(value, format).ok_or_else(|| Mismatch::new(shape.kind, value))?;
            document.text(name, &text);
            Ok(())
        }
        _ => {
            match super::scalar(shape.kind, value)? {
                Value::String(text) => document.text(name, &text),
                other => document.text(name, &other.to_string()),
            }
            Ok(())
        }
    }
}
