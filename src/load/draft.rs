//! One document of a known kind on its way from a tree to a canonical spec.

use serde_json::{Map, Value};

use super::content::Reader;
use super::files::Found;
use super::origin::Origin;
use super::personal::scrub;
use super::tree::Node;
use super::variables;
use crate::model::schema::{Findings, Focus, Schema, repaired};
use crate::model::{Address, AnySpec, Diagnostic, Report, Severity, pointer};

/// One document on its way.
pub(super) struct Draft {
    pub(super) address: Option<Address>,
    pub(super) origin: Origin,
    /// Texts that no message may show.
    pub(super) secrets: Vec<String>,
    /// Whether everything is right so far.
    pub(super) clean: bool,
    pub(super) found: Vec<Diagnostic>,
}

impl Draft {
    pub(super) fn new(address: Option<Address>, origin: Origin) -> Self {
        Self {
            address,
            origin,
            secrets: Vec::new(),
            clean: true,
            found: Vec::new(),
        }
    }

    /// Adds a finding whose `at` points into the spec.
    pub(super) fn push(&mut self, mut finding: Diagnostic, focus: Focus) {
        let place = self.origin.place(&finding.at, focus);
        finding.place.get_or_insert(place);
        self.clean &= finding.severity != Severity::Error;
        self.found.push(finding);
    }

    /// Puts the texts of files in their places; returns the pointers of the fields that stay empty.
    pub(super) fn contents(
        &mut self,
        file: &Found,
        schema: &Schema,
        value: &mut Value,
        reader: &mut Reader,
    ) -> Vec<String> {
        let (mut failed, mut findings, mut contents) = (Vec::new(), Vec::new(), Vec::new());
        schema.fill(value, &mut |slot| {
            let both = slot.both;
            match reader.read(file, &slot) {
                Ok(content) => {
                    let text = content.text.to_string();
                    contents.push((slot.content, content));
                    Some(text)
                }
                Err(finding) => {
                    findings.push(*finding);
                    if !both {
                        failed.push(slot.content);
                    }
                    None
                }
            }
        });
        self.origin.contents = contents;
        for finding in findings {
            let focus = match finding.code.as_str() {
                "content-twice" | "content-needs-cluster" | "unknown-field" => Focus::Key,
                _ => Focus::Value,
            };
            self.push(finding, focus);
        }
        failed
    }

    /// Reports what the schema does not allow, without the absence of texts whose files could not be read.
    pub(super) fn violations(&mut self, findings: &Findings, failed: &[String]) {
        for violation in &findings.violations {
            let absent = violation
                .missing
                .as_ref()
                .is_some_and(|name| failed.contains(&pointer::join(&violation.at, name)));
            if absent {
                continue;
            }
            let mut finding = Diagnostic::error(
                violation.code,
                violation.at.clone(),
                violation.message.clone(),
            );
            finding.hint.clone_from(&violation.hint);
            let secret = |at: &String| pointer::under(&violation.at, at);
            if violation.quote
                && !findings.sensitive.iter().any(secret)
                && let Some(raw) = self.origin.node(&violation.at).and_then(Node::raw)
            {
                finding.hint = Some(format!("quote it: `\"{raw}\"`"));
            }
            self.push(finding, violation.focus);
        }
    }

    /// Reports variables that stand for nothing.
    pub(super) fn variables(&mut self, value: &Value) {
        let mut unknown = Vec::new();
        variables::unknown(value, "", &mut unknown);
        for variable in unknown {
            let place = self.origin.place_in_text(&variable.at, variable.offset);
            let finding = Diagnostic::error("unknown-variable", variable.at, variable.message);
            self.push(finding.hint(variable.hint).place(place), Focus::Value);
        }
    }

    /// Reads the typed spec and lets the kind validate it.
    ///
    /// Of a spec with mistakes the kind validates what was probably meant, so that its own checks are not postponed
    /// to the next run.
    pub(super) fn parse(
        &mut self,
        kind: &dyn AnySpec,
        value: &Value,
        findings: &Findings,
        failed: &[String],
    ) -> Option<Value> {
        let mut guesses = Vec::new();
        let mut meant = value.clone();
        let mut outcome = kind.parse(value);
        if outcome.is_err() && !findings.violations.is_empty() {
            (meant, guesses) = repaired(value, &findings.violations);
            outcome = kind.parse(&meant);
        }
        if let Err(error) = &outcome {
            let at = culprit(kind, &meant, &error.message);
            let known = findings
                .violations
                .iter()
                .any(|v| pointer::under(&v.at, &at))
                || failed.iter().any(|field| pointer::under(field, &at));
            if !known {
                let finding = Diagnostic::error("bad-spec", at, error.message.clone());
                self.push(
                    finding.hint("see what the kind's reference says of this field"),
                    Focus::Value,
                );
            }
        }
        let spec = outcome.ok()?;
        let mut report = Report::default();
        kind.validate(&spec, &mut report);
        for finding in report.diagnostics {
            if !guesses.iter().any(|guess| guess.touches(&finding.at)) {
                let place = self.origin.place_of(&spec, &finding.at);
                self.push(finding.place(place), Focus::Value);
            }
        }
        Some(spec)
    }

    /// Returns what was found, fit to be shown.
    pub(super) fn findings(&mut self) -> Vec<Diagnostic> {
        let object = self.address.as_ref().map(ToString::to_string);
        let mut found = std::mem::take(&mut self.found);
        for finding in &mut found {
            finding.object.clone_from(&object);
            scrub(finding, &self.secrets);
        }
        found
    }
}

/// Returns the top-level field without which the spec is refused for another reason, or not at all.
fn culprit(kind: &dyn AnySpec, value: &Value, message: &str) -> String {
    let fields = value.as_object().into_iter().flat_map(Map::keys);
    for field in fields {
        let at = pointer::join("", field);
        let mut trial = value.clone();
        pointer::remove(&mut trial, &at);
        match kind.parse(&trial) {
            Err(error) if error.message == message => {}
            _ => return at,
        }
    }
    String::new()
}
