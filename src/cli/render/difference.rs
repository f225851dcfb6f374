//! One difference, ready to be laid out: two values on a line, or a text difference.

use serde_json::Value;

use super::udiff::{Hunk, hunks};
use super::{text, words};
use crate::model::Document;
use crate::model::diff::Difference;
use crate::model::plan::Change;
use crate::model::sensitive::masked;

/// One difference, masked and in the order in which it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// JSON Pointer into the spec.
    pub(super) path: String,
    /// What differs.
    pub(super) body: Body,
    /// What would happen, where that is not plain.
    pub(super) fate: Option<String>,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// One value became another.
    Values {
        /// The value told first; `None` where there is none.
        from: Option<String>,
        /// The value told second.
        to: Option<String>,
    },
    /// Something that cannot be shown as two values.
    Remark(String),
    /// A text changed.
    Text(Vec<Hunk>),
}

/// Prepares a difference of a change.
///
/// Told is what would be done, from what AWS has to what is declared. Where only AWS changed, told is what AWS did.
pub(super) fn shown(change: &Change, difference: &Difference) -> Shown {
    let (old, new) = (difference.old.as_ref(), difference.new.as_ref());
    let (from, to) = if words::only_drifted(change) {
        (new, old)
    } else {
        (old, new)
    };
    let body = body(from, to);
    let fate = words::fate(change, old, new).map(|fate| match body {
        Body::Text(_) => format!("{fate} (- declared, + in AWS)"),
        Body::Values { .. } | Body::Remark(_) => fate,
    });
    Shown {
        path: text::clean(&difference.path).into_owned(),
        body,
        fate,
    }
}

fn body(from: Option<&Value>, to: Option<&Value>) -> Body {
    if let (Some(from), Some(to)) = (from, to) {
        if from == to {
            return Body::Remark(match text::reference(from) {
                Some(name) => format!("{} (its id changes)", text::clean(name)),
                None => format!("{} (written again)", text::value(from)),
            });
        }
        if masked(from) == masked(to) {
            return Body::Remark(format!("{} (changed)", text::value(from)));
        }
    }
    if let Some(hunks) = texts(from, to).filter(|hunks| !hunks.is_empty()) {
        return Body::Text(hunks);
    }
    Body::Values {
        from: from.map(text::value),
        to: to.map(text::value),
    }
}

/// Compares documents in the form that people read, and texts of several lines.
fn texts(from: Option<&Value>, to: Option<&Value>) -> Option<Vec<Hunk>> {
    let documents = (
        from.and_then(Document::marked),
        to.and_then(Document::marked),
    );
    if documents.0.is_some() || documents.1.is_some() {
        let readable = |document: &Option<Document>| {
            document
                .as_ref()
                .map(Document::readable)
                .unwrap_or_default()
        };
        let found = hunks(&readable(&documents.0), &readable(&documents.1));
        if !found.is_empty() {
            return Some(found);
        }
        let text = |document: Option<Document>| document.map(|d| d.text).unwrap_or_default();
        return Some(hunks(&text(documents.0), &text(documents.1)));
    }
    let (from, to) = (from?.as_str()?, to?.as_str()?);
    (from.trim_end().contains('\n') || to.trim_end().contains('\n')).then(|| hunks(from, to))
}
