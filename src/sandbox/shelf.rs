//! A map of the state that knows which of its entries were touched, so that saving a write costs what the write
//! changed and not what there is.
//!
//! A shelf is read like the map it holds, and changed by methods of the same names. Whoever reaches the map itself for
//! change counts as touching all of it: correct, and slow.
//!
//! How it is written depends on what is being [`write`]n: whole it is a map like any other; as a change it is the
//! entries that were touched, under a marker that [`merge`] knows. Everything that is no shelf is written whole in a
//! change too, so a new part of the state is saved correctly without knowing of any of this.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::{Deref, DerefMut};

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The key that marks the change of a shelf: its touched entries, `null` for those that are gone.
const MARKER: &str = "$changed";

/// A map by names.
#[derive(Debug)]
pub struct Shelf<V> {
    map: BTreeMap<String, V>,
    touched: RefCell<Touched>,
}

#[derive(Clone, Debug)]
enum Touched {
    /// Nobody knows which entries: the shelf is new, or its map was reached as a whole.
    All,
    These(BTreeSet<String>),
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A copy: what was touched stays so.
    Copy,
    /// The whole state.
    Whole,
    /// What was touched since the last writing.
    Change,
}

thread_local! {
    // Serde hands no context down to the parts of a value.
    static FORM: Cell<Form> = const { Cell::new(Form::Copy) };
}

/// Writes a value for the disk: the whole of it, or with `change` what was touched since the last writing.
pub(super) fn write<T: Serialize>(value: &T, change: bool) -> serde_json::Result<Vec<u8>> {
    FORM.set(if change { Form::Change } else { Form::Whole });
    let written = serde_json::to_vec(value);
    FORM.set(Form::Copy);
    written
}

/// Makes a change in a value that was written before it.
pub(super) fn merge(base: &mut Value, change: Value) {
    let Value::Object(mut change) = change else {
        *base = change;
        return;
    };
    if let (1, Some(Value::Object(entries))) = (change.len(), change.get_mut(MARKER)) {
        let entries = std::mem::take(entries);
        if !base.is_object() {
            *base = Value::Object(Map::new());
        }
        let Value::Object(base) = base else { return };
        for (key, entry) in entries {
            if entry.is_null() {
                base.remove(&key);
            } else {
                merge(base.entry(key).or_insert(Value::Null), entry);
            }
        }
        return;
    }
    // What is no shelf is written whole: what it does not have is gone.
    let mut old = match base.take() {
        Value::Object(old) => old,
        _ => Map::new(),
    };
    let members = change.into_iter().map(|(key, member)| {
        let mut value = old.remove(&key).unwrap_or_default();
        merge(&mut value, member);
        (key, value)
    });
    *base = Value::Object(members.collect());
}

impl<V> Shelf<V> {
    fn touch(&mut self, key: &str) {
        if let Touched::These(keys) = self.touched.get_mut()
            && !keys.contains(key)
        {
            keys.insert(key.to_owned());
        }
    }

    /// Returns an entry to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.touch(key);
        self.map.get_mut(key)
    }

    /// Puts an entry.
    pub fn insert(&mut self, key: String, value: V) -> Option<V> {
        self.touch(&key);
        self.map.insert(key, value)
    }

    /// Takes an entry away.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.touch(key);
        self.map.remove(key)
    }

    /// Takes away what is not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&String, &V) -> bool) {
        let gone = self.map.iter().filter(|(key, value)| !keep(key, value));
        let gone: Vec<String> = gone.map(|(key, _)| key.clone()).collect();
        for key in &gone {
            self.remove(key);
        }
    }

    /// Returns an entry to be made or changed.
    pub fn entry(&mut self, key: String) -> Entry<'_, String, V> {
        self.touch(&key);
        self.map.entry(key)
    }
}

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Self {
            map: BTreeMap::new(),
            touched: RefCell::new(Touched::All),
        }
    }
}

impl<V> Deref for Shelf<V> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl<'a, V> IntoIterator for &'a Shelf<V> {
    type Item = (&'a String, &'a V);
    type IntoIter = std::collections::btree_map::Iter<'a, String, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.iter()
    }
}

impl<V> DerefMut for Shelf<V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.touched = RefCell::new(Touched::All);
        &mut self.map
    }
}

impl<V: Serialize> Serialize for Shelf<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = FORM.get();
        if form == Form::Copy {
            return self.map.serialize(serializer);
        }
        let touched = self.touched.replace(Touched::These(BTreeSet::new()));
        let Touched::These(keys) = touched else {
            return self.map.serialize(serializer);
        };
        if form == Form::Whole {
            return self.map.serialize(serializer);
        }
        let entries: BTreeMap<&String, Option<&V>> =
            keys.iter().map(|key| (key, self.map.get(key))).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(MARKER, &entries)?;
        map.end()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Shelf<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            map: BTreeMap::deserialize(deserializer)?,
            touched: RefCell::new(Touched::All),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize)]
    struct Service {
        objects: Shelf<String>,
        tags: Shelf<BTreeMap<String, String>>,
        plain: BTreeMap<String, u32>,
    }

    fn written(value: &impl Serialize, change: bool) -> Value {
        serde_json::from_slice(&write(value, change).unwrap()).unwrap()
    }

    #[test]
    fn changes_lead_from_one_whole_to_the_next() {
        let mut state: Shelf<Service> = Shelf::default();
        let service = state.entry("a".to_owned()).or_default();
        service.objects.insert("one".to_owned(), "1".to_owned());
        service.objects.insert("two".to_owned(), "2".to_owned());
        service.plain.insert("x".to_owned(), 1);
        state.entry("b".to_owned()).or_default();
        let mut disk = written(&state, false);

        let steps: [fn(&mut Shelf<Service>); 6] = [
            |state| {
                let service = state.get_mut("a").unwrap();
                service.objects.get_mut("one").unwrap().push('!');
                service.objects.remove("two");
                service.plain.clear();
            },
            |state| {
                let service = state.get_mut("a").unwrap();
                service
                    .tags
                    .entry("one".to_owned())
                    .or_default()
                    .insert("k".into(), "v".into());
                service.plain.insert("y".to_owned(), 2);
            },
            |state| {
                state
                    .get_mut("a")
                    .unwrap()
                    .objects
                    .values_mut()
                    .for_each(|v| v.push('?'));
            },
            // Gone, and there again with nothing of what it had.
            |state| {
                state.remove("a");
                state
                    .entry("a".to_owned())
                    .or_default()
                    .plain
                    .insert("z".to_owned(), 3);
            },
            |state| {
                state.remove("b");
            },
            |state| state.clear(),
        ];
        for step in steps {
            step(&mut state);
            // Copies in between, as a test's look at the state, lose nothing.
            let whole = serde_json::to_value(&state).unwrap();
            merge(&mut disk, written(&state, true));
            assert_eq!(disk, whole);
        }
    }

    #[test]
    fn a_change_holds_what_was_touched_and_no_more() {
        let mut shelf: Shelf<u32> = Shelf::default();
        for name in ["a", "b", "c"] {
            shelf.insert(name.to_owned(), 0);
        }
        written(&shelf, false);
        assert_eq!(written(&shelf, true), json!({ MARKER: {} }));
        shelf.insert("b".to_owned(), 1);
        shelf.remove("c");
        assert_eq!(
            written(&shelf, true),
            json!({ MARKER: { "b": 1, "c": null } })
        );
        assert_eq!(written(&shelf, true), json!({ MARKER: {} }));
    }
}
