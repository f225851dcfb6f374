//! What a plain YAML text means: the core schema of YAML 1.2, in which `no`, `on` and dates are texts.

use serde_json::{Number, Value};

/// Reads a plain scalar; `None` when it is a text.
///
/// Unlike the core schema, digits behind a zero are a text, and so is an integer that does not fit 64 bits: an
/// account id must not lose digits inside somebody's embedded document.
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    integer(text).or_else(|| float(text)).map(Value::Number)
}

fn integer(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return prefixed(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return prefixed(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !whole(digits) {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    text.parse::<i64>()
        .map(Number::from)
        .or_else(|_| text.parse::<u64>().map(Number::from))
        .ok()
}

fn prefixed(digits: &str, radix: u32) -> Option<Number> {
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).map(Number::from).ok()
}

/// Says whether these are digits without a zero in front.
fn whole(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (front, back) = match mantissa.split_once('.') {
        Some((front, back)) => (front, Some(back)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    let front_ok = whole(front) || (front.is_empty() && back.is_some_and(digits));
    let back_ok = back.is_none_or(|back| back.is_empty() || digits(back));
    let is_float = back.is_some() || exponent.is_some();
    if !(is_float && exponent_ok && front_ok && back_ok) {
        return None;
    }
    Number::from_f64(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_core_schema_is_kept() {
        for (text, value) in [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+3", json!(3)),
            ("0", json!(0)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("~", Value::Null),
            ("TRUE", json!(true)),
        ] {
            assert_eq!(plain(text), Some(value), "{text}");
        }
    }

    #[test]
    fn everything_else_is_a_text() {
        for text in [
            "no",
            "yes",
            "on",
            "off",
            "2012-10-17",
            "012345678901",
            "99999999999999999999",
            "1_000",
            "12:30",
            ".inf",
            ".nan",
            "-",
            "+",
            ".",
            "0x",
            "1.2.3",
            "1e",
            "0o9",
            "é",
            "00.5",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
