//! Faults as each protocol writes them.

use bytes::Bytes;
use http::Response;
use http::header::HeaderValue;
use serde_json::Value;

use super::{Protocol, cbor, finish, json, status, xml};
use crate::sandbox::models::{OperationModel, Service, Shape};
use crate::sandbox::{Fault, Map};

/// Writes a fault.
///
/// The HTTP status is the model's for an error that the model knows, else the fault's own; `status` overrides both.
pub(crate) fn refuse(
    protocol: Protocol,
    service: Option<&'static Service>,
    operation: Option<&OperationModel>,
    fault: &Fault,
    forced: Option<u16>,
    request_id: &str,
) -> Response<Bytes> {
    let known = service.and_then(|service| Some((service, service.error(operation, &fault.code)?)));
    let shape = known.map(|(_, (_, shape))| shape);
    let code = forced.unwrap_or_else(|| match shape {
        Some(shape) if shape.fault => shape.status().unwrap_or(500),
        Some(shape) => shape.status().unwrap_or(fault.status),
        None => fault.status,
    });
    let name = known.map_or(fault.code.as_str(), |(_, (name, _))| name);
    let query_code = shape.and_then(Shape::error_code).unwrap_or(name);
    let sender = if code < 500 { "Sender" } else { "Receiver" };
    let members = members(shape, fault);

    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status(code);
    *response.body_mut() = match protocol {
        Protocol::Json(_) => {
            let mut body = Map::from_iter([("__type".to_owned(), Value::from(name))]);
            body.extend(json_members(known, members));
            Value::Object(body).to_string().into()
        }
        Protocol::Rest => {
            if let Ok(value) = HeaderValue::from_str(name) {
                response.headers_mut().insert("x-amzn-errortype", value);
            }
            Value::Object(json_members(known, members))
                .to_string()
                .into()
        }
        Protocol::Cbor => {
            let written = known
                .and_then(|(service, (_, shape))| {
                    cbor::write_structure(service, shape, &members).ok()
                })
                .unwrap_or_else(|| {
                    let texts = members
                        .iter()
                        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
                    ciborium::Value::Map(
                        texts
                            .map(|(name, text)| (name.into(), text.into()))
                            .collect(),
                    )
                });
            cbor::write_error(name, written).into()
        }
        Protocol::Query => {
            let service = service.map(|service| (service, shape));
            query_body(service, members, query_code, sender, fault, request_id).into()
        }
    };
    let compatible = service.is_some_and(|service| service.metadata.query_compatible());
    if compatible
        && matches!(protocol, Protocol::Json(_) | Protocol::Cbor)
        && let Ok(value) = HeaderValue::from_str(&format!("{query_code};{sender}"))
    {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    finish(&mut response, protocol, request_id);
    response
}

/// Puts the message among the members, under the name that the error's shape has for it.
fn members(shape: Option<&Shape>, fault: &Fault) -> Map {
    let mut members = Map::new();
    let message = match shape {
        Some(shape) => shape.message_member(),
        None => Some("message"),
    };
    if let Some(name) = message {
        members.insert(name.to_owned(), Value::from(fault.message.as_str()));
    }
    members.extend(fault.members.clone());
    members
}

fn json_members(known: Option<(&'static Service, (&str, &Shape))>, members: Map) -> Map {
    known
        .and_then(|(service, (_, shape))| json::write_structure(service, shape, &members).ok())
        .unwrap_or(members)
}

fn query_body(
    service: Option<(&'static Service, Option<&Shape>)>,
    mut members: Map,
    code: &str,
    sender: &str,
    fault: &Fault,
    request_id: &str,
) -> Vec<u8> {
    members.retain(|name, _| !name.eq_ignore_ascii_case("message"));
    let namespace = service.and_then(|(service, _)| service.metadata.xml_namespace.as_deref());
    let mut document = xml::Document::new();
    let written: Result<(), super::Mismatch> =
        document.element("ErrorResponse", namespace, |document| {
            document.element("Error", None, |document| {
                document.text("Type", sender);
                document.text("Code", code);
                document.text("Message", &fault.message);
                match service {
                    Some((service, Some(shape))) => {
                        xml::structure(document, service, shape, &members)
                    }
                    _ => Ok(()),
                }
            })?;
            document.text("RequestId", request_id);
            Ok(())
        });
    match written {
        Ok(()) => document.finish(),
        // Members that the shape has no place for are left out, rather than the error.
        Err(_) => query_body(
            service.map(|(service, _)| (service, None)),
            members,
            code,
            sender,
            fault,
            request_id,
        ),
    }
}
