//! The pure half of a kind: what a user may declare.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::canonical::canonical;
use super::report::Report;
use super::{Location, pointer};

/// What a user may declare. Pure: no I/O, no clock, no randomness.
pub trait Spec: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static {
    /// Names the kind in YAML, plans, CRDs and logs.
    const KIND: &'static str;

    /// JSON Pointers that AWS cannot change in place; a difference under one means replace.
    const CREATE_ONLY: &'static [&'static str] = &[];

    /// JSON Pointers of top-level fields that AWS takes and never gives back. Whether they changed is known from the
    /// stamp alone.
    const WRITE_ONLY: &'static [&'static str] = &[];

    /// Kinds whose objects must be in place first although no reference says so.
    const AFTER: &'static [&'static str] = &[];

    /// How an object of ours finds its AWS object when no stamp says so.
    const IDENTITY: Identity = Identity::UniqueName;

    /// Within which kinds AWS keeps names unique; by default within the kind alone. Kinds with the same value share
    /// their names.
    const NAMESPACE: &'static str = Self::KIND;

    /// What would be lost if an object were deleted, for kinds that are retained unless told otherwise.
    const LOSES: Option<&'static str> = None;

    /// Why a run never deletes or replaces an object of this kind, if it never does.
    const NEVER_DELETED: Option<&'static str> = None;

    /// What deleting means, for kinds whose objects cannot go.
    const DELETING: Option<&'static str> = None;

    /// Whether AWS refuses to delete an object while another one refers to it.
    const HELD: bool = false;

    /// Whether AWS keeps it once for an account and not for each region.
    const PER_ACCOUNT: bool = false;

    /// What only one object of the kind can have. Two documents cannot both ask for it.
    const EXCLUSIVE: &'static [Exclusive] = &[];

    /// Reports everything wrong with the declaration that its schema cannot express.
    fn validate(&self, _report: &mut Report) {}

    /// Takes over from `live` each value the user left for AWS to choose.
    fn settle(&mut self, _live: &Self) {}

    /// Says why AWS could not be brought from `live` to this spec, neither in place nor by replacement, and what to
    /// do; `None` when it can. Called on a settled spec; `at` is where the run acts.
    fn impossible(&self, _live: &Self, _at: &Location) -> Option<String> {
        None
    }

    /// Says why an object like this cannot be where the run acts, whatever is there, and what to do; `None` when it can.
    /// Called on a settled spec.
    fn misplaced(&self, _at: &Location) -> Option<String> {
        None
    }

    /// Says what AWS does besides when an object is created (`None`), or when what is under these JSON Pointers changes,
    /// where that reaches further than the object itself. Plans tell it. Called on a settled spec.
    fn consequence(&self, _changed: Option<&[&str]>) -> Option<&'static str> {
        None
    }
}

/// How an object finds its counterpart in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By `spec.name`, which AWS keeps unique in the account and region.
    UniqueName,
    /// By stamp; AWS allows several objects of one name.
    SharedName,
    /// There is at most one.
    Singleton,
}

/// Returns the name that AWS shall know an object by: `spec.name`, which a singleton does not have.
pub fn aws_name(spec: &Value) -> Option<&str> {
    spec.get("name").and_then(Value::as_str)
}

/// What only one object of a kind can have at a place.
#[derive(Clone, Copy, Debug)]
pub struct Exclusive {
    /// JSON Pointer to it: a text, a list of texts, or a switch.
    pub at: &'static str,
    /// JSON Pointer to a text of which each value has one of its own.
    pub within: Option<&'static str>,
    /// Whether AWS gives it to whoever asks last. Then who takes it from another goes first, so that it changes hands in
    /// one step.
    pub passes: bool,
}

impl Exclusive {
    /// There is one, which AWS gives to whoever asks last.
    pub const fn passing(at: &'static str) -> Self {
        Self {
            at,
            within: None,
            passes: true,
        }
    }

    /// Lists what a spec asks for: the pointer that says so, where it stands, and what it is, for people. What AWS
    /// chooses is looked up in `whole`, the canonical form of the spec.
    pub fn asked(self, spec: &Value, whole: &Value) -> Vec<(&'static str, String, String)> {
        let within = self.within.and_then(|within| whole.pointer(within));
        let name = |what: &str| match within.and_then(Value::as_str) {
            Some(within) => format!("`{what}` for `{within}`"),
            None => format!("`{what}`"),
        };
        match spec.pointer(self.at) {
            Some(Value::String(text)) => vec![(self.at, self.at.to_owned(), name(text))],
            Some(Value::Array(list)) => {
                let texts = list.iter().enumerate();
                let asked = texts.filter_map(|(index, text)| {
                    Some((self.at, pointer::join(self.at, index), name(text.as_str()?)))
                });
                asked.collect()
            }
            Some(Value::Bool(true)) => {
                let switch = self.at.trim_start_matches('/');
                vec![(self.at, self.at.to_owned(), name(switch))]
            }
            _ => Vec::new(),
        }
    }
}

/// Why a spec could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotASpec {
    /// What serde said.
    pub message: String,
}

/// The object-safe twin of [`Spec`]: it speaks JSON values.
pub trait AnySpec: Send + Sync {
    /// [`Spec::KIND`].
    fn kind(&self) -> &'static str;
    /// [`Spec::CREATE_ONLY`].
    fn create_only(&self) -> &'static [&'static str];
    /// [`Spec::WRITE_ONLY`].
    fn write_only(&self) -> &'static [&'static str];
    /// [`Spec::AFTER`].
    fn after(&self) -> &'static [&'static str];
    /// [`Spec::IDENTITY`].
    fn identity(&self) -> Identity;
    /// [`Spec::NAMESPACE`].
    fn namespace(&self) -> &'static str;
    /// [`Spec::LOSES`].
    fn loses(&self) -> Option<&'static str>;
    /// [`Spec::NEVER_DELETED`].
    fn never_deleted(&self) -> Option<&'static str>;
    /// [`Spec::DELETING`].
    fn deleting(&self) -> Option<&'static str>;
    /// [`Spec::HELD`].
    fn held(&self) -> bool;
    /// [`Spec::PER_ACCOUNT`].
    fn per_account(&self) -> bool;
    /// [`Spec::EXCLUSIVE`].
    fn exclusive(&self) -> &'static [Exclusive];
    /// Returns the JSON Schema of the spec, subschemas inlined.
    fn schema(&self) -> Value;
    /// Reads a spec and returns its canonical form.
    fn parse(&self, spec: &Value) -> Result<Value, NotASpec>;
    /// Runs [`Spec::validate`] on a canonical spec.
    fn validate(&self, spec: &Value, report: &mut Report);
    /// Runs [`Spec::settle`] on a copy and returns its canonical form.
    fn settle(&self, desired: &Value, live: &Value) -> Result<Value, NotASpec>;
    /// Runs [`Spec::impossible`] on a settled spec.
    fn impossible(&self, settled: &Value, live: &Value, at: &Location) -> Option<String>;
    /// Runs [`Spec::misplaced`] on a settled spec.
    fn misplaced(&self, settled: &Value, at: &Location) -> Option<String>;
    /// Runs [`Spec::consequence`] on a settled spec.
    fn consequence(&self, settled: &Value, changed: Option<&[&str]>) -> Option<&'static str>;
}

/// Carries a kind's type where only its constants and functions are needed.
pub struct Erased<K>(pub PhantomData<fn() -> K>);

impl<K> Erased<K> {
    /// Makes the carrier.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<K> Default for Erased<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the JSON Schema of a type, subschemas inlined.
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::openapi3().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    serde_json::to_value(schema).unwrap_or_default()
}

/// Reads a typed spec.
pub fn typed<K: Spec>(spec: &Value) -> Result<K, NotASpec> {
    K::deserialize(spec).map_err(|e| NotASpec {
        message: e.to_string(),
    })
}

/// Writes a typed spec in canonical form.
pub fn untyped<K: Spec>(spec: &K) -> Result<Value, NotASpec> {
    serde_json::to_value(spec)
        .map(canonical)
        .map_err(|e| NotASpec {
            message: e.to_string(),
        })
}

impl<K: Spec> AnySpec for Erased<K> {
    fn kind(&self) -> &'static str {
        K::KIND
    }

    fn create_only(&self) -> &'static [&'static str] {
        K::CREATE_ONLY
    }

    fn write_only(&self) -> &'static [&'static str] {
        K::WRITE_ONLY
    }

    fn after(&self) -> &'static [&'static str] {
        K::AFTER
    }

    fn identity(&self) -> Identity {
        K::IDENTITY
    }

    fn namespace(&self) -> &'static str {
        K::NAMESPACE
    }

    fn loses(&self) -> Option<&'static str> {
        K::LOSES
    }

    fn never_deleted(&self) -> Option<&'static str> {
        K::NEVER_DELETED
    }

    fn deleting(&self) -> Option<&'static str> {
        K::DELETING
    }

    fn held(&self) -> bool {
        K::HELD
    }

    fn per_account(&self) -> bool {
        K::PER_ACCOUNT
    }

    fn exclusive(&self) -> &'static [Exclusive] {
        K::EXCLUSIVE
    }

    fn schema(&self) -> Value {
        schema_of::<K>()
    }

    fn parse(&self, spec: &Value) -> Result<Value, NotASpec> {
        untyped(&typed::<K>(spec)?)
    }

    fn validate(&self, spec: &Value, report: &mut Report) {
        if let Ok(spec) = typed::<K>(spec) {
            spec.validate(report);
        }
    }

    fn settle(&self, desired: &Value, live: &Value) -> Result<Value, NotASpec> {
        let mut spec = typed::<K>(desired)?;
        spec.settle(&typed::<K>(live)?);
        untyped(&spec)
    }

    fn impossible(&self, settled: &Value, live: &Value, at: &Location) -> Option<String> {
        typed::<K>(settled)
            .ok()?
            .impossible(&typed::<K>(live).ok()?, at)
    }

    fn misplaced(&self, settled: &Value, at: &Location) -> Option<String> {
        typed::<K>(settled).ok()?.misplaced(at)
    }

    fn consequence(&self, settled: &Value, changed: Option<&[&str]>) -> Option<&'static str> {
        typed::<K>(settled).ok()?.consequence(changed)
    }
}
