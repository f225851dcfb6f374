//! What a shape asks of its values, and how AWS words it.

use serde_json::Value;

use crate::sandbox::models::{Kind, Member, Service, Shape};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constraint {
    Max,
    Min,
    Pattern,
    Enum,
}

/// A shape's own constraints, in the order in which AWS lists them.
pub(super) fn own_constraints(shape: &Shape) -> impl Iterator<Item = Constraint> {
    [
        shape.max.map(|_| Constraint::Max),
        shape.min.map(|_| Constraint::Min),
        shape.pattern().map(|_| Constraint::Pattern),
        (!shape.allowed.is_empty()).then_some(Constraint::Enum),
    ]
    .into_iter()
    .flatten()
}

impl Constraint {
    pub(super) fn holds(self, shape: &Shape, value: &Value) -> bool {
        match (self, value) {
            (Self::Max, _) => {
                size(value).is_none_or(|size| shape.max.is_none_or(|max| size <= max))
            }
            (Self::Min, _) => {
                size(value).is_none_or(|size| shape.min.is_none_or(|min| size >= min))
            }
            (Self::Pattern, Value::String(text)) => shape.pattern().is_none_or(|p| p.matches(text)),
            (Self::Enum, Value::String(text)) => shape.allowed.contains(text),
            (Self::Pattern | Self::Enum, _) => true,
        }
    }

    pub(super) fn text(self, shape: &Shape) -> String {
        let is_number = matches!(
            shape.kind,
            Kind::Integer | Kind::Long | Kind::Float | Kind::Double
        );
        let what = if is_number { "value" } else { "length" };
        match self {
            Self::Max => format!(
                "Member must have {what} less than or equal to {}",
                shape.max.unwrap_or_default()
            ),
            Self::Min => format!(
                "Member must have {what} greater than or equal to {}",
                shape.min.unwrap_or_default()
            ),
            Self::Pattern => format!(
                "Member must satisfy regular expression pattern: {}",
                shape.pattern().map_or("", |p| p.source())
            ),
            Self::Enum => format!(
                "Member must satisfy enum value set: [{}]",
                shape.allowed.join(", ")
            ),
        }
    }
}

/// Returns what `min` and `max` measure: code points, elements, entries, bytes, or the number itself.
fn size(value: &Value) -> Option<f64> {
    let count = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        Value::Number(number) => return number.as_f64(),
        Value::Null | Value::Bool(_) => return None,
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a request's body is far smaller"
    )]
    Some(count as f64)
}

/// Says whether a structure lies below a member, so that violations have a path of their own.
pub(super) fn holds_structures(service: &Service, member: &Member) -> bool {
    let shape = service.of(member);
    let part = shape.member.as_ref().or(shape.value.as_ref());
    shape.kind == Kind::Structure || part.is_some_and(|part| holds_structures(service, part))
}

/// Says whether a value without structures satisfies everything that its shape asks.
pub(super) fn all_hold(service: &Service, member: &Member, value: &Value) -> bool {
    let shape = service.of(member);
    if value.is_null() || !own_constraints(shape).all(|constraint| constraint.holds(shape, value)) {
        return false;
    }
    match value {
        Value::Array(items) => {
            let item = shape.member.as_ref();
            items
                .iter()
                .all(|value| item.is_none_or(|item| all_hold(service, item, value)))
        }
        Value::Object(entries) => {
            let of = shape.value.as_ref();
            entries
                .values()
                .all(|value| of.is_none_or(|of| all_hold(service, of, value)))
        }
        _ => true,
    }
}

/// Prints everything that a shape without structures asks: `[Member must …, Member must …]`.
pub(super) fn all_texts(service: &Service, member: &Member) -> String {
    let shape = service.of(member);
    let mut texts: Vec<String> = own_constraints(shape).map(|c| c.text(shape)).collect();
    if let Some(item) = &shape.member {
        texts.push(format!(
            "Member must satisfy constraint: {}",
            all_texts(service, item)
        ));
    }
    if let Some(value) = &shape.value {
        texts.push(format!(
            "Map value must satisfy constraint: {}",
            all_texts(service, value)
        ));
    }
    if texts.is_empty() {
        texts.push("Member must not be null".to_owned());
    }
    format!("[{}]", texts.join(", "))
}
