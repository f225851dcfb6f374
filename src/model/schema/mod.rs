//! Checks a value against a kind's JSON Schema and reports *all* that is wrong, in words for people.
//!
//! [`Schema::compile`] turns what `schemars` generates into a small tree of [`Node`]s once per kind; [`Schema::walk`]
//! then goes over a value. On the way it also finds the references and the personal values, which the loader needs
//! with the places where the user wrote them. The CRD's schema is the same one, so all doors refuse the same things.

mod compile;
mod cures;
mod documents;
mod path;
mod repair;
mod walk;
mod words;

use std::sync::OnceLock;

use serde_json::Value;

pub use documents::Slot;
pub use repair::{Guess, repaired};
pub use words::{kind_of, shown};

/// A kind's schema, ready to be walked.
#[derive(Debug)]
pub struct Schema {
    root: Node,
    personal: bool,
    reserved: &'static [&'static str],
}

/// One place of a schema.
#[derive(Debug)]
struct Node {
    description: Option<String>,
    sensitive: bool,
    /// The kinds that a reference here may name; a bare name is one of the first.
    references: Vec<String>,
    shape: Shape,
}

/// What is wanted at one place.
#[derive(Debug)]
enum Shape {
    Any,
    /// An embedded document: a map or a text, whose content is somebody else's.
    Document,
    Text(Text),
    /// One of several words.
    Choice(Vec<String>),
    Number(Number),
    Bool,
    List {
        items: Box<Node>,
        min: Option<u64>,
        max: Option<u64>,
        unique: bool,
    },
    Record(Record),
    /// An externally tagged enum: a map with exactly one of these keys, or one of these words.
    Tagged {
        keys: Vec<(String, Node)>,
        words: Vec<String>,
    },
    /// Any of these.
    Union(Vec<Node>),
}

#[derive(Debug, Default)]
struct Text {
    min: Option<u64>,
    max: Option<u64>,
    pattern: Option<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    source: String,
    /// Compiled when first used: most patterns are not needed by most runs.
    regex: OnceLock<Option<fancy_regex::Regex>>,
}

#[derive(Debug)]
struct Number {
    whole: bool,
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Debug)]
struct Record {
    fields: Vec<(String, Node)>,
    required: Vec<String>,
    rest: Rest,
    min: Option<u64>,
    max: Option<u64>,
}

/// What a map may hold besides its named fields.
#[derive(Debug)]
enum Rest {
    Forbidden,
    Anything,
    Of(Box<Node>),
}

/// Which half of a map's member a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The key: it should not be here, or what it holds is incomplete.
    Key,
    /// The value.
    Value,
}

/// One thing that the schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The diagnostic's code.
    pub code: &'static str,
    /// JSON Pointer into the value.
    pub at: String,
    /// Where the caret belongs.
    pub focus: Focus,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether a text is wanted and a bare number or `true` was found, so that quotes would help.
    pub quote: bool,
    /// The field that is missing at `at`, when that is what is wrong.
    pub missing: Option<String>,
    /// What would most likely make it right.
    pub repair: Option<Repair>,
}

/// What would most likely make a value right: for looking further, never for applying.
#[derive(Clone, PartialEq, Eq)]
pub enum Repair {
    /// The field has another name.
    Rename(String),
    /// The value is another one.
    Replace(Value),
    /// The value is some other one, nobody knows which; or this field is missing, with some value.
    Suppose(Option<String>, Value),
    /// The field does not exist.
    Remove,
}

impl std::fmt::Debug for Repair {
    /// Shows no value: it may be a personal one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rename(_) => "Rename",
            Self::Replace(_) => "Replace",
            Self::Suppose(..) => "Suppose",
            Self::Remove => "Remove",
        })
    }
}

/// A reference to an object of ours, found where the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// JSON Pointer to the name.
    pub at: String,
    /// The kind that may be named here.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// What one walk over a value found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is wrong, in the order of the value.
    pub violations: Vec<Violation>,
    /// References to objects of ours.
    pub references: Vec<Found>,
    /// JSON Pointers to personal values, sources included.
    pub sensitive: Vec<String>,
    /// JSON Pointers to embedded documents that are written as texts.
    pub documents: Vec<String>,
}

impl Schema {
    /// Reads a JSON Schema with its subschemas inlined; `reserved` are fields that the loader takes off before.
    pub fn compile(schema: &Value, reserved: &'static [&'static str]) -> Self {
        Self {
            root: compile::node(schema),
            personal: compile::is_personal(schema),
            reserved,
        }
    }

    /// Says whether personal values stand anywhere in it.
    pub fn has_personal_values(&self) -> bool {
        self.personal
    }

    /// Checks a value.
    pub fn walk(&self, value: &Value) -> Findings {
        walk::walk(self, value)
    }

    /// Says whether the value's top level must have a text of this name.
    pub fn requires_text(&self, field: &str) -> bool {
        match &self.root.shape {
            Shape::Record(record) => {
                record.required.iter().any(|name| name == field)
                    && matches!(
                        record.field(field),
                        Some(Node {
                            shape: Shape::Text(_),
                            ..
                        })
                    )
            }
            _ => false,
        }
    }

    /// Says whether a JSON Pointer can lead to anything; `*` stands for any one step.
    pub fn knows(&self, pointer: &str) -> bool {
        let steps = super::pointer::steps(pointer);
        self.root.knows(&steps)
    }

    /// Returns the names of the top-level fields.
    pub fn fields(&self) -> Vec<&str> {
        match &self.root.shape {
            Shape::Record(record) => record.names().collect(),
            _ => Vec::new(),
        }
    }
}

impl Record {
    fn field(&self, name: &str) -> Option<&Node> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, node)| node)
    }

    /// Returns what an entry of this name must be, where the user chooses the names: there, an empty one is a mistake
    /// and not left out.
    fn entry(&self, name: &str) -> Option<&Node> {
        match &self.rest {
            Rest::Of(node) if self.field(name).is_none() => {
                Some(node.as_ref()).filter(|node| !matches!(node.shape, Shape::Any))
            }
            _ => None,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the field whose text `contentFrom` and the like name.
    fn document_from(&self, key: &str) -> Option<&str> {
        let wanted = key.strip_suffix("From")?;
        let (name, node) = self.fields.iter().find(|(name, _)| name == wanted)?;
        matches!(node.shape, Shape::Document).then_some(name)
    }
}

impl Node {
    fn knows(&self, steps: &[String]) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return true;
        };
        match &self.shape {
            Shape::Any | Shape::Document => true,
            Shape::List { items, .. } => {
                (step == "*" || step.parse::<usize>().is_ok()) && items.knows(rest)
            }
            Shape::Record(record) => match (record.field(step), &record.rest) {
                (Some(field), _) => field.knows(rest),
                (None, Rest::Anything) => true,
                (None, Rest::Of(node)) => node.knows(rest),
                (None, Rest::Forbidden) => {
                    step == "*" && record.fields.iter().any(|(_, node)| node.knows(rest))
                }
            },
            Shape::Tagged { keys, .. } => keys
                .iter()
                .any(|(key, node)| (step == "*" || key == step) && node.knows(rest)),
            Shape::Union(variants) => variants.iter().any(|node| node.knows(steps)),
            Shape::Text(_) | Shape::Choice(_) | Shape::Number(_) | Shape::Bool => self.sensitive,
        }
    }
}

impl Pattern {
    /// Says whether a text matches; a pattern that cannot be compiled or runs too long forbids nothing.
    fn matches(&self, text: &str) -> bool {
        self.regex
            .get_or_init(|| fancy_regex::Regex::new(&self.source).ok())
            .as_ref()
            .is_none_or(|regex| regex.is_match(text).unwrap_or(true))
    }
}

#[cfg(test)]
mod tests;
