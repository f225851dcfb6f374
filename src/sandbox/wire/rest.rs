//! restJson1: an operation is a method and a path, its input is spread over path, query, headers and body.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use serde_json::Value;

use super::{Malformed, Mismatch, Protocol, Route, Unrouted, form, json, status, time};
use crate::sandbox::Map;
use crate::sandbox::models::{Kind, Location, Member, Service, Shape, TimestampFormat, services};

/// Finds the operation whose method and path template a request matches.
pub(super) fn route(parts: &Parts, signed_for: Option<&str>) -> Result<Route, Unrouted> {
    let mut candidates: Vec<_> = services()
        .filter(|s| s.metadata.speaks("rest-json"))
        .collect();
    // Paths like `/tags/{arn}` are the same in many services: there the scope decides.
    candidates.sort_by_key(|s| Some(s.metadata.signing_name()) != signed_for);
    let service = candidates
        .first()
        .copied()
        .filter(|s| Some(s.metadata.signing_name()) == signed_for);
    for service in candidates {
        for (name, operation) in &service.operations {
            let template = operation
                .http
                .request_uri
                .split('?')
                .next()
                .unwrap_or_default();
            if operation.http.method == parts.method.as_str()
                && let Some(pairs) = labels(template, parts.uri.path())
            {
                return Ok(Route {
                    protocol: Protocol::Rest,
                    service,
                    name,
                    operation,
                    pairs,
                });
            }
        }
    }
    Err(Unrouted {
        protocol: Protocol::Rest,
        service,
        operation: format!("{} {}", parts.method, parts.uri.path()),
    })
}

/// Matches a path against a template and returns its labels, decoded once.
fn labels(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let wanted: Vec<&str> = template.split('/').collect();
    let given: Vec<&str> = path.split('/').collect();
    let mut labels = Vec::new();
    for (i, segment) in wanted.iter().enumerate() {
        let Some(label) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            if given.get(i) != Some(segment) {
                return None;
            }
            continue;
        };
        let last = i + 1 == wanted.len();
        // A client that does not encode the slashes of an ARN still means the whole rest of the path.
        let value = match (label.strip_suffix('+').is_some() || last, last) {
            (true, true) => given.get(i..)?.join("/"),
            _ => (*given.get(i)?).to_owned(),
        };
        if value.is_empty() {
            return None;
        }
        labels.push((
            label.trim_end_matches('+').to_owned(),
            form::segment(&value),
        ));
        if last {
            return Some(labels);
        }
    }
    (given.len() == wanted.len()).then_some(labels)
}

/// Reads the input from wherever its members travel.
pub(super) fn read(
    route: &Route,
    shape: &Shape,
    parts: &Parts,
    body: &Bytes,
) -> Result<Map, Malformed> {
    let service = route.service;
    let query = form::pairs(parts.uri.query().unwrap_or_default());
    let mut input = match shape
        .payload
        .as_deref()
        .and_then(|name| Some((name, shape.members.get(name)?)))
    {
        Some((name, member)) => payload(service, name, member, body)?,
        None => json::read_structure(service, shape, &super::json_body(body)?)?,
    };
    let taken: BTreeSet<&str> = shape
        .members
        .iter()
        .map(|(name, m)| m.wire_name(name))
        .collect();
    for (name, member) in shape.members.iter() {
        let wire = member.wire_name(name);
        let value = match member.location {
            None | Some(Location::StatusCode) => None,
            Some(Location::Uri) => route
                .pairs
                .iter()
                .find(|(label, _)| label == wire)
                .map(|(_, text)| text_value(service, member, text, TimestampFormat::Iso8601))
                .transpose()?,
            Some(Location::Querystring) => from_query(service, member, wire, &query, &taken)?,
            Some(Location::Header) => parts
                .headers
                .get(wire)
                .and_then(|value| value.to_str().ok())
                .map(|text| from_header(service, member, text))
                .transpose()?,
            Some(Location::Headers) => prefixed_headers(parts, wire),
        };
        if let Some(value) = value {
            input.insert(name.to_owned(), value);
        }
    }
    Ok(input)
}

fn payload(service: &Service, name: &str, member: &Member, body: &Bytes) -> Result<Map, Malformed> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let value = match service.of(member).kind {
        Kind::Blob => Value::String(STANDARD.encode(body)),
        Kind::String => Value::String(String::from_utf8_lossy(body).into_owned()),
        _ => json::read(service, member, &super::json_body(body)?)?,
    };
    Ok(Map::from_iter([(name.to_owned(), value)]))
}

/// Reads a member of the query: a list is a repeated parameter, a map takes what no other member claims.
fn from_query(
    service: &Service,
    member: &Member,
    wire: &str,
    query: &[(String, String)],
    taken: &BTreeSet<&str>,
) -> Result<Option<Value>, Malformed> {
    let shape = service.of(member);
    let mut values = query
        .iter()
        .filter(|(name, _)| name == wire)
        .map(|(_, value)| value.as_str());
    match (shape.kind, &shape.member) {
        (Kind::List, Some(item)) => {
            let items: Vec<Value> = values
                .map(|text| text_value(service, item, text, TimestampFormat::Iso8601))
                .collect::<Result<_, _>>()?;
            Ok((!items.is_empty()).then_some(Value::Array(items)))
        }
        (Kind::Map, _) => {
            let rest = query
                .iter()
                .filter(|(name, _)| !taken.contains(name.as_str()));
            let entries: Map = rest
                .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                .collect();
            Ok((!entries.is_empty()).then_some(Value::Object(entries)))
        }
        _ => values
            .next()
            .map(|text| text_value(service, member, text, TimestampFormat::Iso8601))
            .transpose(),
    }
}

fn from_header(service: &Service, member: &Member, text: &str) -> Result<Value, Malformed> {
    let shape = service.of(member);
    match (shape.kind, &shape.member) {
        (Kind::List, Some(item)) => text
            .split(',')
            .map(|part| text_value(service, item, part.trim(), TimestampFormat::HttpDate))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        _ => text_value(service, member, text, TimestampFormat::HttpDate),
    }
}

fn prefixed_headers(parts: &Parts, prefix: &str) -> Option<Value> {
    let prefix = prefix.to_ascii_lowercase();
    let entries: Map = parts
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix(&prefix)?;
            Some((key.to_owned(), Value::from(value.to_str().ok()?)))
        })
        .collect();
    (!entries.is_empty()).then_some(Value::Object(entries))
}

/// Reads a scalar that travels as text.
pub(super) fn text_value(
    service: &Service,
    member: &Member,
    text: &str,
    moments: TimestampFormat,
) -> Result<Value, Malformed> {
    let shape = service.of(member);
    let value = match shape.kind {
        Kind::String | Kind::Blob => Some(Value::from(text)),
        Kind::Boolean => text.parse::<bool>().ok().map(Value::Bool),
        Kind::Integer | Kind::Long => json::integer(text.parse().ok(), None, shape.kind),
        Kind::Float | Kind::Double => text
            .parse::<f64>()
            .ok()
            .filter(|f| f.is_finite())
            .map(Value::from),
        Kind::Timestamp => time::parse(text, member.timestamp_format(shape, moments)),
        Kind::Structure | Kind::List | Kind::Map => None,
    };
    value.ok_or_else(|| {
        Malformed(format!(
            "'{text}' cannot be converted to {}",
            json::kind_name(shape.kind)
        ))
    })
}

/// Writes an answer: status, headers and body by the model.
pub(super) fn write(
    route: &Route,
    shape: Option<&Shape>,
    output: &Map,
) -> Result<Response<Bytes>, Mismatch> {
    let code = status(route.operation.http.response_code.unwrap_or(200));
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = code;
    let Some(shape) = shape else {
        return Ok(response);
    };
    super::check_members(shape, output)?;
    for (name, member) in shape.members.iter().filter(|(_, m)| m.location.is_some()) {
        match (member.location, output.get(name)) {
            (_, None | Some(Value::Null)) => {}
            (Some(Location::StatusCode), Some(value)) => {
                let code = value.as_u64().and_then(|code| u16::try_from(code).ok());
                *response.status_mut() = status(code.unwrap_or(200));
            }
            (_, Some(value)) => {
                let text = match (route.service.of(member).kind, value) {
                    (Kind::Timestamp, _) => time::text(value, TimestampFormat::HttpDate),
                    (_, Value::String(text)) => Some(text.clone()),
                    (_, value) => Some(value.to_string()),
                };
                let header = HeaderName::try_from(member.wire_name(name)).ok();
                let value = text.and_then(|text| HeaderValue::try_from(text).ok());
                if let (Some(header), Some(value)) = (header, value) {
                    response.headers_mut().insert(header, value);
                }
            }
        }
    }
    // A 204 has no body; everything else has at least an empty structure.
    if code != http::StatusCode::NO_CONTENT {
        *response.body_mut() = body(route.service, shape, output)?;
    }
    Ok(response)
}

fn body(service: &Service, shape: &Shape, output: &Map) -> Result<Bytes, Mismatch> {
    let mut members = json::write_structure(service, shape, output)?;
    let Some(payload) = shape.payload.as_deref() else {
        return Ok(Value::Object(members).to_string().into());
    };
    let kind = shape
        .members
        .get(payload)
        .map(|member| service.of(member).kind);
    match (kind, members.remove(payload)) {
        (_, None) => Ok(Bytes::new()),
        (Some(Kind::Blob), Some(Value::String(text))) => STANDARD
            .decode(&text)
            .map(Bytes::from)
            .map_err(|_| Mismatch::new(Kind::Blob, &Value::String(text))),
        (Some(Kind::String), Some(Value::String(text))) => Ok(text.into()),
        (_, Some(value)) => Ok(value.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(template: &str, path: &str) -> Option<String> {
        labels(template, path)
            .and_then(|l| l.into_iter().next())
            .map(|(_, value)| value)
    }

    #[test]
    fn labels_are_decoded_once() {
        let arn = "/tags/arn%3Aaws%3Assm-incidents%3A%3A111122223333%3Aresponse-plan%2Fcheckout";
        let decoded = "arn:aws:ssm-incidents::111122223333:response-plan/checkout";
        assert_eq!(label("/tags/{resourceArn}", arn).as_deref(), Some(decoded));
        assert_eq!(
            label("/tags/{arn+}", "/tags/a/b%252F").as_deref(),
            Some("a/b%2F")
        );
        assert_eq!(
            label("/tags/{arn}", &format!("/tags/{decoded}")).as_deref(),
            Some(decoded)
        );
    }

    #[test]
    fn paths_match_whole() {
        assert_eq!(label("/tags/{arn}", "/tags/"), None);
        assert_eq!(label("/tags/{arn}", "/tags"), None);
        assert_eq!(
            labels("/createResponsePlan", "/createResponsePlan"),
            Some(vec![])
        );
        assert_eq!(labels("/createResponsePlan", "/createResponsePlan/x"), None);
        assert_eq!(label("/a/{b}/c", "/a/x/c").as_deref(), Some("x"));
        assert_eq!(label("/a/{b}/c", "/a/x/d"), None);
    }
}
