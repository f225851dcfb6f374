//! A live spec beside the declared one it is compared with: what both have in common is in memory once.
//!
//! Most objects of a plan are as declared, and most of their weight is an embedded document. So a live spec that equals
//! its declaration is that declaration, and one that differs elsewhere takes its documents from it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::document::MARKER;
use super::live::Live;

/// A canonical spec, as AWS has it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The members that are not in `declared`.
    own: Map<String, Value>,
    /// The declaration, and which of its members are ours too.
    declared: Option<(Arc<Value>, Shared)>,
}

#[derive(Clone, Debug)]
enum Shared {
    /// Every one of them, and there are no others.
    All,
    /// Those of these names.
    Some(Box<[String]>),
}

impl Shared {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.iter().any(|one| one == name),
        }
    }
}

impl Held {
    /// Holds a spec by itself.
    pub fn alone(spec: Value) -> Self {
        let own = match spec {
            Value::Object(own) => own,
            _ => Map::new(),
        };
        let declared = None;
        Self { own, declared }
    }

    /// Holds a spec beside the one that is declared.
    pub fn beside(spec: Value, declared: &Arc<Value>) -> Self {
        if spec == **declared {
            return Self {
                own: Map::new(),
                declared: Some((Arc::clone(declared), Shared::All)),
            };
        }
        let mut held = Self::alone(spec);
        let is_document = |value: &Value| value.get(MARKER).is_some();
        let same = |(name, value): (&String, &Value)| {
            (is_document(value) && declared.get(name) == Some(value)).then(|| name.clone())
        };
        let shared: Box<[String]> = held.own.iter().filter_map(same).collect();
        if !shared.is_empty() {
            held.own.retain(|name, _| !shared.contains(name));
            held.declared = Some((Arc::clone(declared), Shared::Some(shared)));
        }
        held
    }

    /// Returns a member of the spec.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.own.get(name).or_else(|| {
            let (declared, shared) = self.declared.as_ref()?;
            shared.has(name).then(|| declared.get(name)).flatten()
        })
    }

    /// Returns what a JSON Pointer into the spec names.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        let below = pointer.strip_prefix('/')?;
        let end = below.find('/').unwrap_or(below.len());
        // The names of our fields have nothing in them that a pointer escapes.
        self.get(&below[..end])?.pointer(&below[end..])
    }

    /// Lists the members, in no order.
    pub fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        let declared = self.declared.iter().flat_map(|(declared, shared)| {
            let members = declared.as_object().into_iter().flatten();
            members.filter(|(name, _)| shared.has(name))
        });
        self.own.iter().chain(declared)
    }

    /// Says whether it is known to be a declaration to the letter, without looking at either.
    pub fn is(&self, declared: &Arc<Value>) -> bool {
        let all = |(held, shared): &(Arc<Value>, Shared)| {
            matches!(shared, Shared::All) && Arc::ptr_eq(held, declared)
        };
        self.declared.as_ref().is_some_and(all)
    }

    /// Returns a copy of the whole spec in canonical form.
    pub fn whole(&self) -> Value {
        let mut members: Vec<_> = self.members().collect();
        members.sort_by_key(|(name, _)| *name);
        let copied = members.into_iter();
        Value::Object(copied.map(|(k, v)| (k.clone(), v.clone())).collect())
    }
}

impl Live<Held> {
    /// Returns a copy that holds the whole spec.
    pub fn whole(&self) -> Live<Value> {
        self.with(self.spec.whole())
    }
}

impl Live<Value> {
    /// Holds what was read, beside what is declared where something is.
    pub fn held(self, declared: Option<&Arc<Value>>) -> Live<Held> {
        self.map(|spec| match declared {
            Some(declared) => Held::beside(spec, declared),
            None => Held::alone(spec),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn runbook(text: &str, tag: &str) -> Value {
        json!({ "content": { MARKER: { "format": "YAML", "text": text } }, "name": "fix", "tags": { "team": tag } })
    }

    #[test]
    fn what_is_as_declared_is_the_declaration() {
        let declared = Arc::new(runbook("a: 1", "shop"));
        let held = Held::beside(runbook("a: 1", "shop"), &declared);
        assert!(held.is(&declared) && held.own.is_empty());
        assert_eq!(held.whole(), *declared);
    }

    #[test]
    fn a_document_is_taken_from_the_declaration_when_only_the_rest_differs() {
        let declared = Arc::new(runbook("a: 1", "shop"));
        let held = Held::beside(runbook("a: 1", "bank"), &declared);
        assert!(!held.is(&declared) && !held.own.contains_key("content"));
        assert_eq!(held.whole(), runbook("a: 1", "bank"));
        assert_eq!(held.pointer("/tags/team"), Some(&json!("bank")));
        assert_eq!(
            held.pointer("/content/$document/text"),
            Some(&json!("a: 1"))
        );
    }

    #[test]
    fn what_is_declared_and_not_there_is_not_there() {
        let mut declared = runbook("a: 1", "shop");
        declared["description"] = json!("declared alone");
        let declared = Arc::new(declared);
        for live in [runbook("a: 1", "shop"), runbook("b: 2", "bank")] {
            let held = Held::beside(live.clone(), &declared);
            assert_eq!(held.get("description"), None);
            assert_eq!(held.whole(), live);
        }
    }
}
