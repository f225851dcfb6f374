//! Values as awsJson and restJson1 write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Malformed, Mismatch, time};
use crate::sandbox::Map;
use crate::sandbox::models::{Kind, Member, Service, Shape, TimestampFormat};

/// Reads a structure; members that the model does not know are ignored, null ones are absent.
pub(crate) fn read_structure(
    service: &Service,
    shape: &Shape,
    value: &Value,
) -> Result<Map, Malformed> {
    let Value::Object(object) = value else {
        return Err(unexpected(value, "Structure"));
    };
    let mut out = Map::new();
    for (name, member) in shape.members.iter().filter(|(_, m)| m.location.is_none()) {
        match object.get(member.wire_name(name)) {
            None | Some(Value::Null) => {}
            Some(value) => {
                out.insert(name.to_owned(), read(service, member, value)?);
            }
        }
    }
    Ok(out)
}

/// Reads the value of a member.
pub(crate) fn read(service: &Service, member: &Member, value: &Value) -> Result<Value, Malformed> {
    let shape = service.of(member);
    match (shape.kind, value) {
        (Kind::Structure, _) => read_structure(service, shape, value).map(Value::Object),
        (Kind::List, Value::Array(items)) => items
            .iter()
            .map(|item| read_part(service, shape.member.as_ref(), item))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        (Kind::Map, Value::Object(entries)) => entries
            .iter()
            .map(|(key, value)| {
                Ok((
                    key.clone(),
                    read_part(service, shape.value.as_ref(), value)?,
                ))
            })
            .collect::<Result<_, _>>()
            .map(Value::Object),
        (Kind::String, Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Float | Kind::Double, Value::Number(_)) => Ok(value.clone()),
        (Kind::Blob, Value::String(text)) if STANDARD.decode(text).is_ok() => Ok(value.clone()),
        (Kind::Integer | Kind::Long, Value::Number(number)) => {
            integer(number.as_i64(), number.as_f64(), shape.kind)
                .ok_or_else(|| unexpected(value, kind_name(shape.kind)))
        }
        (Kind::Timestamp, _) => {
            let read = match (
                member.timestamp_format(shape, TimestampFormat::Epoch),
                value,
            ) {
                (TimestampFormat::Epoch, Value::Number(number)) => {
                    number.as_f64().and_then(time::epoch)
                }
                (TimestampFormat::Epoch, _) => None,
                (format, Value::String(text)) => time::parse(text, format),
                (_, _) => None,
            };
            read.ok_or_else(|| unexpected(value, "Timestamp"))
        }
        _ => Err(unexpected(value, kind_name(shape.kind))),
    }
}

/// Reads an element of a list or map; null stays, and validation refuses it.
fn read_part(
    service: &Service,
    member: Option<&Member>,
    value: &Value,
) -> Result<Value, Malformed> {
    match member {
        Some(member) if !value.is_null() => read(service, member, value),
        _ => Ok(Value::Null),
    }
}

/// Returns a number as an integer of that kind, when it is one.
pub(crate) fn integer(exact: Option<i64>, float: Option<f64>, kind: Kind) -> Option<Value> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole numbers of a safe size come here"
    )]
    let whole = exact.or_else(|| {
        float
            .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
            .map(|f| f as i64)
    })?;
    (kind == Kind::Long || i32::try_from(whole).is_ok()).then(|| Value::from(whole))
}

/// Words a value of the wrong type as AWS's front end does.
fn unexpected(value: &Value, wanted: &str) -> Malformed {
    let what = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => return Malformed("Start of list found where not expected".to_owned()),
        Value::Object(_) => {
            return Malformed("Start of structure or map found where not expected.".to_owned());
        }
    };
    Malformed(format!("{what} cannot be converted to {wanted}"))
}

pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Structure => "Structure",
        Kind::List => "List",
        Kind::Map => "Map",
        Kind::String => "String",
        Kind::Integer => "Integer",
        Kind::Long => "Long",
        Kind::Float => "Float",
        Kind::Double => "Double",
        Kind::Boolean => "Boolean",
        Kind::Timestamp => "Timestamp",
        Kind::Blob => "Blob",
    }
}

/// Writes a structure's members that travel in the body.
pub(crate) fn write_structure(
    service: &Service,
    shape: &Shape,
    members: &Map,
) -> Result<Map, Mismatch> {
    super::check_members(shape, members)?;
    let mut out = Map::new();
    for (name, member) in shape.members.iter().filter(|(_, m)| m.location.is_none()) {
        match members.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let written = write(service, member, value).map_err(|e| e.inside(name))?;
                out.insert(member.wire_name(name).to_owned(), written);
            }
        }
    }
    Ok(out)
}

fn write(service: &Service, member: &Member, value: &Value) -> Result<Value, Mismatch> {
    let shape = service.of(member);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            write_structure(service, shape, members).map(Value::Object)
        }
        (Kind::List, Value::Array(items)) => items
            .iter()
            .map(|item| write_part(service, shape.member.as_ref(), item))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        (Kind::Map, Value::Object(entries)) => entries
            .iter()
            .map(|(key, value)| {
                let written =
                    write_part(service, shape.value.as_ref(), value).map_err(|e| e.inside(key))?;
                Ok((key.clone(), written))
            })
            .collect::<Result<_, _>>()
            .map(Value::Object),
        (Kind::Timestamp, Value::Number(number)) => {
            let written = match member.timestamp_format(shape, TimestampFormat::Epoch) {
                TimestampFormat::Epoch => number.as_f64().and_then(time::epoch),
                format => time::text(value, format).map(Value::String),
            };
            written.ok_or_else(|| Mismatch::new(shape.kind, value))
        }
        _ => super::scalar(shape.kind, value),
    }
}

fn write_part(
    service: &Service,
    member: Option<&Member>,
    value: &Value,
) -> Result<Value, Mismatch> {
    member.map_or(Ok(Value::Null), |member| write(service, member, value))
}
