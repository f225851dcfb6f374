//! The one form in which specs are compared and hashed.
//!
//! Object keys sorted; null left out; `1.0` written `1`. Empty collections that mean nothing are left out by the specs
//! themselves; one that is kept, such as `tags: {}`, means that there shall be none. Embedded documents and
//! personal values keep their marker objects (see [`crate::model::document`], [`crate::model::sensitive`]).

use serde_json::{Map, Number, Value};

/// Returns the canonical form.
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(String, Value)> = map
                .into_iter()
                .map(|(key, member)| (key, canonical(member)))
                .filter(|(_, member)| !member.is_null())
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(canonical).collect()),
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        other => other,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "the range is checked, and equality is exact"
)]
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let integer = float as i64;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a lossy round trip fails the comparison"
    )]
    (integer as f64 == float && float.abs() < 9e15).then(|| Number::from(integer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_absence_do_not_matter() {
        let a = canonical(json!({"b": 1.0, "a": {"x": null}, "c": null, "d": [{"z": 1, "y": 2}]}));
        assert_eq!(a.to_string(), r#"{"a":{},"b":1,"d":[{"y":2,"z":1}]}"#);
    }
}
