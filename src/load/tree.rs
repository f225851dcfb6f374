//! A document as a tree whose every node knows where it stands.

use serde_json::{Map, Value};

use crate::model::pointer;
use crate::model::schema::Focus;

/// What a caret underlines: line and column from 1, length in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) length: usize,
}

/// Where a text begins and ends: line and column from 1, the end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: (usize, usize),
    pub(super) end: (usize, usize),
}

impl Range {
    /// Returns which characters (from 0) of a line of the given length lie in the range.
    pub(super) fn on_line(&self, line: usize, length: usize) -> Option<(usize, usize)> {
        if line < self.start.0 || line > self.end.0 {
            return None;
        }
        let from = if line == self.start.0 {
            self.start.1 - 1
        } else {
            0
        };
        let to = if line == self.end.0 {
            self.end.1 - 1
        } else {
            length
        };
        let (from, to) = (from.min(length), to.min(length));
        (from < to).then_some((from, to))
    }
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where a caret belongs; for what fills several lines, on its key.
    pub(super) at: Span,
    /// Where the text stands; for an alias, the text of its anchor.
    pub(super) range: Range,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar {
        value: Value,
        /// What was written, where that is not the value: `1.0`, `~`, `True`.
        raw: Option<String>,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) at: Span,
    pub(super) range: Range,
}

impl Node {
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { value, .. } if value.is_null())
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { value, .. } => value.as_str(),
            _ => None,
        }
    }

    /// Returns what was written for a number, a truth value or nothing.
    pub(super) fn raw(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { raw, .. } => raw.as_deref(),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[(Key, Node)] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the member of that name, with its key.
    pub(super) fn entry(&self, name: &str) -> Option<&(Key, Node)> {
        self.entries().iter().find(|(key, _)| key.text == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// Returns what a copy of the tree costs, in values: a long text counts as many.
    pub(super) fn weight(&self) -> usize {
        const TEXT: usize = 64;
        1 + match &self.content {
            Content::Scalar { value, raw } => {
                let text = value.as_str().map_or(0, str::len);
                (text + raw.as_ref().map_or(0, String::len)) / TEXT
            }
            Content::List(items) => items.iter().map(Node::weight).sum(),
            Content::Map(entries) => entries
                .iter()
                .map(|(key, node)| key.text.len() / TEXT + node.weight())
                .sum(),
        }
    }

    /// Returns how many levels of lists and maps the tree has.
    pub(super) fn height(&self) -> usize {
        match &self.content {
            Content::Scalar { .. } => 0,
            Content::List(items) => 1 + items.iter().map(Node::height).max().unwrap_or(0),
            Content::Map(entries) => {
                let heights = entries.iter().map(|(_, node)| node.height());
                1 + heights.max().unwrap_or(0)
            }
        }
    }

    /// Makes the tree of a value that was written nowhere.
    pub(super) fn of(value: Value) -> Self {
        let content = match value {
            Value::Object(map) => Content::Map(map.into_iter().map(member).collect()),
            Value::Array(list) => Content::List(list.into_iter().map(Self::of).collect()),
            value => Content::Scalar {
                raw: (!value.is_string()).then(|| value.to_string()),
                value,
            },
        };
        Self {
            at: Span::default(),
            range: Range::default(),
            content,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar { value, .. } => value.clone(),
            Content::List(items) => items.iter().map(Node::to_value).collect(),
            Content::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.text.clone(), node.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// Returns the node that a JSON Pointer names.
    pub(super) fn find(&self, pointer: &str) -> Option<&Node> {
        pointer::steps(pointer)
            .iter()
            .try_fold(self, |node, step| node.step(step).map(|(_, node)| node))
    }

    fn step(&self, step: &str) -> Option<(Option<&Key>, &Node)> {
        match &self.content {
            Content::Map(_) => self.entry(step).map(|(key, node)| (Some(key), node)),
            Content::List(items) => Some((None, items.get(step.parse::<usize>().ok()?)?)),
            Content::Scalar { .. } => None,
        }
    }

    /// Returns where a JSON Pointer leads, or its nearest ancestor that exists; `own` is where this node itself is
    /// said to be.
    pub(super) fn locate(&self, own: Span, pointer: &str, focus: Focus) -> Span {
        let (mut node, mut at) = (self, own);
        for step in pointer::steps(pointer) {
            let Some((key, next)) = node.step(&step) else {
                break;
            };
            at = match (key, focus) {
                (Some(key), Focus::Key) => key.at,
                _ => next.at,
            };
            node = next;
        }
        at
    }
}

fn member((text, value): (String, Value)) -> (Key, Node) {
    let key = Key {
        text,
        at: Span::default(),
        range: Range::default(),
    };
    (key, Node::of(value))
}
