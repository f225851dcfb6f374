//! Where the parts of a spec were written.

use std::sync::Arc;

use serde_json::Value;

use super::content::Content;
use super::sources::{Sources, span_at};
use super::tree::{Node, Span};
use super::written::written;
use super::yaml;
use crate::model::schema::Focus;
use crate::model::{Place, pointer};

/// Where the parts of one object's spec were written.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) file: String,
    /// The whole document.
    pub(super) root: Arc<Node>,
    /// Where `metadata.name` stands.
    pub(super) name: Span,
    /// Whether `spec.name` was filled from it.
    pub(super) filled: bool,
    /// Texts that came from files, by the pointer of the field that they fill.
    pub(super) contents: Vec<(String, Content)>,
}

impl Origin {
    pub(super) fn new(file: &str, root: Arc<Node>, name: Span) -> Self {
        Self {
            file: file.to_owned(),
            root,
            name,
            filled: false,
            contents: Vec::new(),
        }
    }

    /// Returns where a JSON Pointer into the spec stands, or its nearest ancestor that was written.
    pub(super) fn place(&self, pointer: &str, focus: Focus) -> Place {
        if self.filled && pointer == "/name" {
            return place(&self.file, self.name);
        }
        for (field, content) in &self.contents {
            if pointer == field {
                return self.own(&format!("{field}From"), focus);
            }
            if let Some(inner) = pointer
                .strip_prefix(field.as_str())
                .filter(|rest| rest.starts_with('/'))
            {
                return in_content(content, inner, focus)
                    .unwrap_or_else(|| self.own(&format!("{field}From"), focus));
            }
        }
        self.own(pointer, focus)
    }

    /// Returns where a JSON Pointer into the canonical spec stands.
    pub(super) fn place_of(&self, canonical: &Value, pointer: &str) -> Place {
        match self.root.get("spec") {
            Some(spec) => self.place(&written(spec, canonical, pointer), Focus::Value),
            None => self.place(pointer, Focus::Value),
        }
    }

    /// Returns where a part of a text stands: in the file that the text came from, or in the document, if it is written
    /// there as it is.
    pub(super) fn place_of_text(
        &self,
        pointer: &str,
        text: &str,
        part: Span,
        sources: &Sources,
    ) -> Option<Place> {
        if let Some((_, content)) = self.contents.iter().find(|(field, _)| field == pointer) {
            return Some(place(&content.name, part));
        }
        let start = self.node(pointer)?.range.start;
        let span = sources.inside(&self.file, start, text, part)?;
        Some(place(&self.file, span))
    }

    /// Returns where a text's byte stands: inside the file it came from, or where the text begins.
    pub(super) fn place_in_text(&self, pointer: &str, offset: usize) -> Place {
        let Some((_, content)) = self.contents.iter().find(|(field, _)| field == pointer) else {
            return self.place(pointer, Focus::Value);
        };
        place(&content.name, span_at(&content.text, offset))
    }

    fn own(&self, pointer: &str, focus: Focus) -> Place {
        let span = match self.root.entry("spec") {
            Some((key, spec)) => spec.locate(key.at, pointer, focus),
            None => self.root.at,
        };
        place(&self.file, span)
    }

    /// Returns the node that was written for a JSON Pointer into the spec.
    pub(super) fn node(&self, pointer: &str) -> Option<&Node> {
        self.root.get("spec")?.find(pointer)
    }
}

/// Makes a place of a span.
pub(super) fn place(file: &str, span: Span) -> Place {
    let Span {
        line,
        column,
        length,
    } = span;
    Place {
        file: file.to_owned(),
        line,
        column,
        length,
    }
}

/// Returns where a pointer stands inside a file that `contentFrom` names.
fn in_content(content: &Content, inner: &str, focus: Focus) -> Option<Place> {
    let root = yaml::parse(&content.text)
        .documents
        .into_iter()
        .next()?
        .root;
    // Of a document with several steps in its path, the first must exist for the place to mean anything.
    root.find(&pointer::join("", pointer::steps(inner).first()?))?;
    Some(place(&content.name, root.locate(root.at, inner, focus)))
}
