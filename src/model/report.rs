//! What is wrong with the user's documents: plain data, collected, drawn by `cli::render` alone.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The documents cannot be used.
    Error,
    /// Usable, but somebody should look.
    Warning,
}

/// A place in a file: one-based line and column, in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file, as the user would name it from where the program was started.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// How many characters the caret line underlines; at least 1.
    pub length: usize,
}

/// One finding about the user's documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The stable, documented, kebab-case code.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, no final period, names in backticks.
    pub message: String,
    /// A JSON Pointer into the object's spec; empty for the object as a whole.
    pub at: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the files; filled in by `load`.
    pub place: Option<Place>,
    /// The `Kind/name` it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

impl Diagnostic {
    /// Makes an error.
    pub fn error(code: &str, at: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            severity: Severity::Error,
            message: message.into(),
            at: at.into(),
            hint: None,
            place: None,
            object: None,
        }
    }

    /// Makes a warning.
    pub fn warning(code: &str, at: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, at, message)
        }
    }

    /// Adds the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the place.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// Collects findings, so that one run tells all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings, in the order they were made.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds an error with a hint.
    pub fn error(
        &mut self,
        code: &str,
        at: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Diagnostic::error(code, at, message).hint(hint));
    }

    /// Says whether nothing found is an error.
    pub fn is_ok(&self) -> bool {
        self.diagnostics
            .iter()
            .all(|d| d.severity != Severity::Error)
    }
}
