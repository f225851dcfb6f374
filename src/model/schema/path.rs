//! Where a walk stands.

use super::super::pointer;
use super::words::sentence;

/// Where the walk stands: a list on the stack, so that pointers are only written when something is found.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) parent: Option<&'a Path<'a>>,
    pub(super) step: Step<'a>,
    /// Nothing that stands here may be shown.
    pub(super) secret: bool,
    /// What belongs here, in the words of the kind.
    pub(super) description: Option<&'a str>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Path<'a> {
        self.then(Step::Key(key))
    }

    pub(super) fn then(&'a self, step: Step<'a>) -> Path<'a> {
        Path {
            parent: Some(self),
            step,
            secret: self.secret,
            // An item is described by its list, a member by itself.
            description: match step {
                Step::Index(_) => self.description,
                Step::Root | Step::Key(_) => None,
            },
        }
    }

    pub(super) fn pointer(&self) -> String {
        let base = self.parent.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Root => base,
            Step::Key(key) => pointer::join(&base, key),
            Step::Index(index) => pointer::join(&base, index),
        }
    }

    /// Names the place in a message.
    pub(super) fn label(&self) -> String {
        match (self.step, self.parent) {
            (Step::Root, _) => "`spec`".to_owned(),
            (Step::Key(key), _) => format!("`{key}`"),
            (Step::Index(index), Some(parent)) => {
                format!("item {} of {}", index + 1, parent.label())
            }
            (Step::Index(index), None) => format!("item {}", index + 1),
        }
    }

    /// Returns the hint that tells what belongs here.
    pub(super) fn describe(&self) -> Option<String> {
        self.description
            .map(|text| format!("what belongs here: {}", sentence(text)))
    }
}
