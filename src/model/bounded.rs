//! Reads YAML that somebody else wrote within bounds: an alias may stand for a long text, and be written often.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How many bytes a document may have once every alias is written out; AWS takes far less.
const LARGEST: usize = 16 << 20;
/// What a value costs beside its text.
const VALUE: usize = 32;
/// How deep brackets may be nested before anything is read: the reader's time grows with depth times length.
const DEEPEST: usize = 1000;

/// Reads one YAML document.
pub(super) fn yaml(text: &str) -> Result<Value, String> {
    if text.len() > LARGEST {
        return Err(too_much());
    }
    if depth(text) > DEEPEST {
        return Err("it is nested too deeply".to_owned());
    }
    let left = Cell::new(LARGEST);
    Bounded { left: &left }
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| error.to_string())
}

/// Returns how deep brackets are nested at most, quoted ones included.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn too_much() -> String {
    format!(
        "it has more than {} MiB once every alias is written out",
        LARGEST >> 20
    )
}

/// Builds a value as `serde_json` does, as long as there is room.
#[derive(Clone, Copy)]
struct Bounded<'b> {
    left: &'b Cell<usize>,
}

impl Bounded<'_> {
    fn take<E: Error>(self, text: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(VALUE + text);
        self.left.set(left.ok_or_else(|| E::custom(too_much()))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has too")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.take(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.take(0)?;
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.take(0)?;
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.take(0)?;
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.take(0)?;
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| {
            E::custom(format!(
                "JSON has no number `{value}`: quote it if it is a text"
            ))
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.take(text.len())?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.take(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.take(0)?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.take(key.len())?;
            map.insert(key, members.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_json_makes_of_yaml() {
        let text = "a: [1, -2, 1.5, ~, true, no, 012, 0x10, 1e3, '1', 2026-01-05]\n1: {b: &x [y], c: *x}\n\"\": |\n  z\n";
        for text in [text, "", "~", "# nothing\n", "- \n- x: \n"] {
            let wanted: Value = serde_yaml::from_str(text).unwrap();
            assert_eq!(yaml(text).unwrap(), wanted);
        }
    }

    #[test]
    fn an_alias_of_a_long_text_is_counted_by_its_length() {
        let long = "x".repeat(100_000);
        let aliases = |times: usize| format!("a: &a {long}\nb: [{}]\n", "*a, ".repeat(times));
        assert!(yaml(&aliases(100)).is_ok());
        assert!(yaml(&aliases(1000)).unwrap_err().contains("16 MiB"));
    }

    #[test]
    fn what_is_nested_too_deeply_is_not_read_at_all() {
        assert!(yaml(&"[".repeat(4_000_000)).is_err());
        assert!(yaml(&"{a: ".repeat(500)).is_err());
        assert!(yaml(&format!("a: \"{}\"", "[".repeat(900))).is_ok());
    }

    #[test]
    fn infinity_is_no_number() {
        assert!(yaml("a: .inf").is_err() && yaml("a: .nan").is_err());
    }
}
