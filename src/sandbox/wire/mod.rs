//! AWS's protocols, both directions: from a request to an operation and its validated input, and from an answer or a
//! fault back to bytes.
//!
//! Everything is decided by the request and the tables. Between the protocols and the operations lies one form: members
//! by their names in the model, moments as epoch seconds, blobs as base64.

mod cbor;
pub(crate) mod credentials;
mod error;
mod form;
mod json;
mod query;
mod rest;
#[cfg(test)]
mod tests;
mod time;
mod validate;
mod xml;

use std::fmt;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode, header};
use serde_json::Value;

use super::models::{Kind, OperationModel, Service, Shape, services};
use super::{Fault, Map};

pub(crate) use error::refuse;
pub(crate) use time::http_date;
pub(crate) use validate::validate;

/// The protocol of a request, which is also that of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// awsJson, with its version.
    Json(&'static str),
    /// restJson1.
    Rest,
    /// awsQuery: a form in, XML out.
    Query,
    /// Smithy RPC v2 CBOR.
    Cbor,
}

impl Protocol {
    /// Names the protocol in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json("1.0") => "awsJson1_0",
            Self::Json(_) => "awsJson1_1",
            Self::Rest => "restJson1",
            Self::Query => "awsQuery",
            Self::Cbor => "rpcv2Cbor",
        }
    }

    /// Returns what the protocol appends to the names of front-end errors.
    pub(crate) fn suffix(self) -> &'static str {
        if self == Self::Query { "" } else { "Exception" }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json("1.0") => "application/x-amz-json-1.0",
            Self::Json(_) => "application/x-amz-json-1.1",
            Self::Rest => "application/json",
            Self::Query => "text/xml",
            Self::Cbor => "application/cbor",
        }
    }
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) protocol: Protocol,
    pub(crate) service: &'static Service,
    pub(crate) name: &'static str,
    pub(crate) operation: &'static OperationModel,
    /// What was read on the way: a form's pairs, or a path's labels.
    pairs: Vec<(String, String)>,
}

/// Why a request goes nowhere.
#[derive(Debug)]
pub(crate) struct Unrouted {
    pub(crate) protocol: Protocol,
    pub(crate) service: Option<&'static Service>,
    /// The operation's name, as far as it could be read.
    pub(crate) operation: String,
}

impl Unrouted {
    /// Returns the fault that says so, and that it is the sandbox that lacks the operation.
    pub(crate) fn fault(&self) -> Fault {
        unknown_operation(self.protocol, self.service.map(|s| s.name), &self.operation)
    }
}

/// Makes the fault for an operation that the sandbox does not have.
pub(crate) fn unknown_operation(
    protocol: Protocol,
    service: Option<&str>,
    operation: &str,
) -> Fault {
    let of = service.map_or(String::new(), |service| format!(" of {service}"));
    let what = if operation.is_empty() {
        format!("The sandbox does not have this operation{of}.")
    } else {
        format!("The sandbox does not have the operation {operation}{of}.")
    };
    let (code, status) = match protocol {
        Protocol::Json(_) => ("UnknownOperationException", 400),
        Protocol::Query => ("InvalidAction", 400),
        Protocol::Rest | Protocol::Cbor => ("UnknownOperationException", 404),
    };
    let mut fault = Fault::new(code, what);
    fault.status = status;
    fault
}

/// Finds the operation that a request means.
///
/// `signed_for` is the service in the signature's scope. It only decides where the request itself leaves a choice.
pub(crate) fn route(
    parts: &Parts,
    body: &Bytes,
    signed_for: Option<&str>,
) -> Result<Route, Unrouted> {
    if let Some(rest) = parts.uri.path().strip_prefix("/service/") {
        return cbor::route(rest);
    }
    if let Some(target) = parts.headers.get("x-amz-target") {
        return route_target(target.to_str().unwrap_or_default(), parts);
    }
    if let Some(pairs) = query::pairs(parts, body) {
        return query::route(pairs, signed_for);
    }
    rest::route(parts, signed_for)
}

/// Finds an awsJson operation by its target. Some clients write a longer prefix before the one of the model.
fn route_target(target: &str, parts: &Parts) -> Result<Route, Unrouted> {
    let (prefix, operation) = target.rsplit_once('.').unwrap_or(("", target));
    let service = services().find(|s| {
        let known = s.metadata.target_prefix.as_deref().unwrap_or_default();
        s.metadata.speaks("json")
            && prefix
                .strip_suffix(known)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    let content_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    let version = match content_type {
        Some("application/x-amz-json-1.0") => "1.0",
        Some("application/x-amz-json-1.1") => "1.1",
        _ => service.map_or("1.1", |s| s.metadata.json_version()),
    };
    found(Protocol::Json(version), service, operation, Vec::new())
}

/// Looks an operation up in its service's table.
fn found(
    protocol: Protocol,
    service: Option<&'static Service>,
    operation: &str,
    pairs: Vec<(String, String)>,
) -> Result<Route, Unrouted> {
    let unrouted = || Unrouted {
        protocol,
        service,
        operation: operation.to_owned(),
    };
    let service = service.ok_or_else(unrouted)?;
    let (name, operation) = service
        .operations
        .get_key_value(operation)
        .ok_or_else(unrouted)?;
    Ok(Route {
        protocol,
        service,
        name,
        operation,
        pairs,
    })
}

/// A request that is not in its protocol's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    /// Returns the fault, by the name that the protocol gives it.
    fn fault(self, protocol: Protocol) -> Fault {
        match protocol {
            Protocol::Query => Fault::new("MalformedInput", self.0),
            _ => Fault::new("SerializationException", self.0),
        }
    }
}

/// An answer that the model has no place for: a mistake of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    path: Vec<String>,
    what: String,
}

impl Mismatch {
    fn new(kind: Kind, value: &Value) -> Self {
        Self {
            path: Vec::new(),
            what: format!("{value} is not of the type {}", json::kind_name(kind)),
        }
    }

    fn inside(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.join("."), self.what)
    }
}

/// Reads a request's input.
pub(crate) fn decode(route: &Route, parts: &Parts, body: &Bytes) -> Result<Map, Fault> {
    let Some(input) = &route.operation.input else {
        return Ok(Map::new());
    };
    let shape = route.service.shape(input);
    let read = match route.protocol {
        Protocol::Json(_) => {
            json_body(body).and_then(|value| json::read_structure(route.service, shape, &value))
        }
        Protocol::Rest => rest::read(route, shape, parts, body),
        Protocol::Query => query::read(route.service, shape, &route.pairs),
        Protocol::Cbor => cbor::read(route.service, shape, body),
    };
    read.map_err(|malformed| malformed.fault(route.protocol))
}

/// Parses a JSON body; nothing at all counts as an empty structure.
fn json_body(body: &Bytes) -> Result<Value, Malformed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body)
        .map_err(|_| Malformed("Unable to parse the request's body as JSON".to_owned()))
}

/// Writes an operation's answer.
pub(crate) fn encode(
    route: &Route,
    output: &Map,
    request_id: &str,
) -> Result<Response<Bytes>, Mismatch> {
    let Route {
        protocol, service, ..
    } = *route;
    let shape = route
        .operation
        .output
        .as_ref()
        .map(|name| service.shape(name));
    let mut response = match protocol {
        Protocol::Json(_) => {
            let members = shape.map_or(Ok(Map::new()), |shape| {
                json::write_structure(service, shape, output)
            })?;
            Response::new(Value::Object(members).to_string().into())
        }
        Protocol::Rest => rest::write(route, shape, output)?,
        Protocol::Query => Response::new(xml::answer(route, shape, output, request_id)?.into()),
        Protocol::Cbor => {
            let body = shape.map_or(Ok(Vec::new()), |shape| cbor::write(service, shape, output))?;
            Response::new(body.into())
        }
    };
    finish(&mut response, protocol, request_id);
    Ok(response)
}

/// Adds what every answer carries.
fn finish(response: &mut Response<Bytes>, protocol: Protocol, request_id: &str) {
    let empty = response.body().is_empty();
    let headers = response.headers_mut();
    if !empty {
        headers.insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static(protocol.content_type()),
        );
    }
    if protocol == Protocol::Cbor {
        headers.insert(
            "smithy-protocol",
            header::HeaderValue::from_static("rpc-v2-cbor"),
        );
    }
    if let Ok(id) = header::HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
}

/// Refuses an answer with a member that its shape does not have.
fn check_members(shape: &Shape, members: &Map) -> Result<(), Mismatch> {
    match members
        .keys()
        .find(|name| shape.members.get(name).is_none())
    {
        None => Ok(()),
        Some(name) => Err(Mismatch {
            path: vec![name.clone()],
            what: "the model has no such member".to_owned(),
        }),
    }
}

/// Checks a scalar of an answer against its kind.
fn scalar(kind: Kind, value: &Value) -> Result<Value, Mismatch> {
    let written = match (kind, value) {
        (Kind::String | Kind::Blob, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => {
            Some(value.clone())
        }
        (Kind::Integer | Kind::Long, Value::Number(n)) => {
            json::integer(n.as_i64(), n.as_f64(), kind)
        }
        (Kind::Float | Kind::Double, Value::Number(_)) => Some(value.clone()),
        _ => None,
    };
    written.ok_or_else(|| Mismatch::new(kind, value))
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
