//! Smithy RPC v2 CBOR: the operation is in the path, bodies are CBOR maps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ciborium::Value as Cbor;
use serde_json::{Number, Value};

use super::{Malformed, Mismatch, Protocol, Route, Unrouted, json, time};
use crate::sandbox::Map;
use crate::sandbox::models::{Kind, Member, Service, Shape, services};

/// The tag of a moment in epoch seconds.
const EPOCH: u64 = 1;

/// Finds the operation in `<service>/operation/<operation>`.
pub(super) fn route(rest: &str) -> Result<Route, Unrouted> {
    let (prefix, operation) = rest.split_once("/operation/").unwrap_or((rest, ""));
    // The path may carry the service's name with its namespace.
    let prefix = prefix.rsplit('.').next().unwrap_or(prefix);
    let service = services()
        .filter(|s| s.metadata.speaks("smithy-rpc-v2-cbor"))
        .find(|s| s.metadata.target_prefix.as_deref() == Some(prefix));
    super::found(Protocol::Cbor, service, operation, Vec::new())
}

/// Reads an input; no body at all counts as an empty structure.
pub(super) fn read(service: &Service, shape: &Shape, body: &Bytes) -> Result<Map, Malformed> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let value: Cbor = ciborium::from_reader(body.as_ref())
        .map_err(|_| Malformed("Unable to parse the request's body as CBOR".to_owned()))?;
    read_structure(service, shape, &value)
}

fn read_structure(service: &Service, shape: &Shape, value: &Cbor) -> Result<Map, Malformed> {
    let Cbor::Map(entries) = value else {
        return Err(unexpected(Kind::Structure));
    };
    let mut out = Map::new();
    for (name, member) in shape.members.iter() {
        let sent = entries.iter().find(|(key, _)| key.as_text() == Some(name));
        match sent {
            None | Some((_, Cbor::Null)) => {}
            Some((_, value)) => {
                out.insert(name.to_owned(), read_member(service, member, value)?);
            }
        }
    }
    Ok(out)
}

fn read_member(service: &Service, member: &Member, value: &Cbor) -> Result<Value, Malformed> {
    let shape = service.of(member);
    let refused = || unexpected(shape.kind);
    match (shape.kind, value) {
        (Kind::Structure, _) => read_structure(service, shape, value).map(Value::Object),
        (Kind::List, Cbor::Array(items)) => items
            .iter()
            .map(|item| read_part(service, shape.member.as_ref(), item))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        (Kind::Map, Cbor::Map(entries)) => entries
            .iter()
            .map(|(key, value)| {
                let key = key.as_text().ok_or_else(refused)?.to_owned();
                Ok((key, read_part(service, shape.value.as_ref(), value)?))
            })
            .collect::<Result<_, _>>()
            .map(Value::Object),
        (Kind::String, Cbor::Text(text)) => Ok(Value::from(text.as_str())),
        (Kind::Boolean, Cbor::Bool(flag)) => Ok(Value::Bool(*flag)),
        (Kind::Blob, Cbor::Bytes(bytes)) => Ok(Value::String(STANDARD.encode(bytes))),
        (Kind::Integer | Kind::Long, _) => {
            json::integer(whole(value), value.as_float(), shape.kind).ok_or_else(refused)
        }
        (Kind::Float | Kind::Double, _) => number(value)
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or_else(refused),
        // The tag says what the shape says already; a client that leaves it out is understood.
        (Kind::Timestamp, Cbor::Tag(EPOCH, inner)) => {
            number(inner).and_then(time::epoch).ok_or_else(refused)
        }
        (Kind::Timestamp, _) => number(value).and_then(time::epoch).ok_or_else(refused),
        _ => Err(refused()),
    }
}

fn read_part(service: &Service, member: Option<&Member>, value: &Cbor) -> Result<Value, Malformed> {
    match member {
        Some(member) if !value.is_null() => read_member(service, member, value),
        _ => Ok(Value::Null),
    }
}

fn whole(value: &Cbor) -> Option<i64> {
    value.as_integer().and_then(|i| i64::try_from(i).ok())
}

fn number(value: &Cbor) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "what a double cannot hold, JSON's numbers cannot either"
    )]
    let from_whole = whole(value).map(|i| i as f64);
    value.as_float().or(from_whole)
}

fn unexpected(kind: Kind) -> Malformed {
    Malformed(format!(
        "Unexpected value where {} was expected",
        json::kind_name(kind)
    ))
}

/// Writes an output.
pub(super) fn write(service: &Service, shape: &Shape, output: &Map) -> Result<Vec<u8>, Mismatch> {
    Ok(bytes(&write_structure(service, shape, output)?))
}

/// Writes an error's members with its type.
pub(super) fn write_error(name: &str, members: Cbor) -> Vec<u8> {
    let mut entries = vec![(Cbor::from("__type"), Cbor::from(name))];
    if let Cbor::Map(members) = members {
        entries.extend(members);
    }
    bytes(&Cbor::Map(entries))
}

fn bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = ciborium::into_writer(value, &mut bytes);
    debug_assert!(written.is_ok(), "a Vec takes every byte");
    bytes
}

pub(super) fn write_structure(
    service: &Service,
    shape: &Shape,
    members: &Map,
) -> Result<Cbor, Mismatch> {
    super::check_members(shape, members)?;
    let mut out = Vec::new();
    for (name, member) in shape.members.iter() {
        match members.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let written = write_member(service, member, value).map_err(|e| e.inside(name))?;
                out.push((Cbor::from(name), written));
            }
        }
    }
    Ok(Cbor::Map(out))
}

fn write_member(service: &Service, member: &Member, value: &Value) -> Result<Cbor, Mismatch> {
    let shape = service.of(member);
    let part = |member: Option<&Member>, value: &Value| match member {
        Some(member) => write_member(service, member, value),
        None => Ok(Cbor::Null),
    };
    let mismatch = || Mismatch::new(shape.kind, value);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => write_structure(service, shape, members),
        (Kind::List, Value::Array(items)) => items
            .iter()
            .map(|item| part(shape.member.as_ref(), item))
            .collect::<Result<_, _>>()
            .map(Cbor::Array),
        (Kind::Map, Value::Object(entries)) => entries
            .iter()
            .map(|(key, value)| Ok((Cbor::from(key.as_str()), part(shape.value.as_ref(), value)?)))
            .collect::<Result<_, _>>()
            .map(Cbor::Map),
        (Kind::Timestamp, Value::Number(number)) => {
            let moment = number.as_f64().and_then(time::epoch).ok_or_else(mismatch)?;
            Ok(Cbor::Tag(EPOCH, Box::new(cbor_number(&moment))))
        }
        (Kind::Blob, Value::String(text)) => STANDARD
            .decode(text)
            .map(Cbor::Bytes)
            .map_err(|_| mismatch()),
        _ => Ok(match super::scalar(shape.kind, value)? {
            Value::String(text) => Cbor::Text(text),
            Value::Bool(flag) => Cbor::Bool(flag),
            other => cbor_number(&other),
        }),
    }
}

fn cbor_number(value: &Value) -> Cbor {
    match value.as_i64() {
        Some(whole) => Cbor::from(whole),
        None => Cbor::from(value.as_f64().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cloudwatch() -> &'static Service {
        services().find(|s| s.name == "cloudwatch").unwrap()
    }

    #[test]
    fn moments_carry_their_tag() {
        let entry = json!({"DashboardEntries": [{"DashboardName": "a", "LastModified": 1_767_225_600.25, "Size": 7}]});
        let Value::Object(output) = entry else {
            unreachable!()
        };
        let shape = cloudwatch().shape("ListDashboardsOutput");
        let written = write_structure(cloudwatch(), shape, &output).unwrap();
        let text = format!("{written:?}");
        assert!(text.contains("Tag(1, Float(1767225600.25))"), "{text}");
        let bytes: Bytes = bytes(&written).into();
        let read = read(cloudwatch(), shape, &bytes).unwrap();
        assert_eq!(Value::Object(read), Value::Object(output));
    }

    #[test]
    fn garbage_is_malformed() {
        let shape = cloudwatch().shape("PutDashboardInput");
        for garbage in [&b"\xff\xff"[..], b"\x9f", b"\x01", b"{}", &[0x9b; 64]] {
            assert!(read(cloudwatch(), shape, &Bytes::copy_from_slice(garbage)).is_err());
        }
    }
}
