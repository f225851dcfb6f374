//! One document of a known kind on its way from a tree to a canonical spec.

use serde_json::{Map, Value};

use super::build;
use super::content::Reader;
use super::files::Found;
use super::json;
use super::origin::Origin;
use super::personal::scrub;
use super::sources::Sources;
use super::tree::Node;
use super::variables;
use super::yaml;
use super::{MOST_PROBLEMS, beyond};
use crate::model::schema::{Findings, Focus, Schema, repaired};
use crate::model::{Address, AnySpec, Diagnostic, Format, Place, Report, Severity, pointer};

/// One document on its way.
pub(super) struct Draft {
    pub(super) address: Option<Address>,
    pub(super) origin: Origin,
    /// Texts that no message may show.
    pub(super) secrets: Vec<String>,
    /// Whether everything is right so far.
    pub(super) clean: bool,
    pub(super) found: Vec<Diagnostic>,
    /// How many problems were found and not kept.
    left_out: usize,
    /// JSON Pointers to embedded documents that cannot be read.
    broken: Vec<String>,
}

impl Draft {
    pub(super) fn new(address: Option<Address>, origin: Origin) -> Self {
        Self {
            address,
            origin,
            secrets: Vec::new(),
            clean: true,
            found: Vec::new(),
            left_out: 0,
            broken: Vec::new(),
        }
    }

    /// Counts a problem and says whether there are so many that nobody would read it.
    fn full(&mut self, severity: Severity) -> bool {
        let full = self.found.len() >= MOST_PROBLEMS;
        self.left_out += usize::from(full);
        self.clean &= severity != Severity::Error;
        full
    }

    /// Adds a finding whose `at` points into the spec.
    pub(super) fn push(&mut self, mut finding: Diagnostic, focus: Focus) {
        if self.full(finding.severity) {
            return;
        }
        let place = self.origin.place(&finding.at, focus);
        finding.place.get_or_insert(place);
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
            if absent || self.full(Severity::Error) {
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
            if self.full(Severity::Error) {
                continue;
            }
            let place = self.origin.place_in_text(&variable.at, variable.offset);
            let finding = Diagnostic::error("unknown-variable", variable.at, variable.message);
            self.push(finding.hint(variable.hint).place(place), Focus::Value);
        }
    }

    /// Reports what is wrong with embedded YAML and JSON, each thing where it stands in its file or its text.
    pub(super) fn documents(&mut self, findings: &Findings, value: &Value, sources: &Sources) {
        for at in &findings.documents {
            let Some(text) = value.pointer(at).and_then(Value::as_str) else {
                continue;
            };
            for problem in embedded(text) {
                let yaml::Problem {
                    code: _,
                    at: span,
                    message,
                    mut hint,
                    first,
                } = problem;
                let place_of = |part| self.origin.place_of_text(at, text, part, sources);
                let place = place_of(span);
                let message = match &place {
                    Some(_) => message,
                    None => format!("{message}, in line {} of the text", span.line),
                };
                if let Some(first) = first {
                    hint = Some(match place_of(first) {
                        Some(Place { line, column, .. }) => build::remove_one(line, column, ""),
                        None => build::remove_one(first.line, first.column, " of the text"),
                    });
                }
                let mut finding = Diagnostic::error("bad-document", at.clone(), message);
                (finding.hint, finding.place) = (hint, place);
                self.broken.push(at.clone());
                self.push(finding, Focus::Value);
            }
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
            let some = findings.violations.len().min(MOST_PROBLEMS);
            (meant, guesses) = repaired(value, &findings.violations[..some]);
            outcome = kind.parse(&meant);
        }
        if let Err(error) = &outcome {
            let at = culprit(kind, &meant, &error.message);
            let known = findings
                .violations
                .iter()
                .any(|v| pointer::under(&v.at, &at))
                || failed.iter().any(|field| pointer::under(field, &at));
            // What is absent has been told where it belongs, with what to write.
            let absent = error.message.starts_with("missing field")
                && (!failed.is_empty() || findings.violations.iter().any(|v| v.missing.is_some()));
            if !known && !absent {
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
            let known = finding.code == "bad-document" && self.broken.contains(&finding.at);
            if !known && !guesses.iter().any(|guess| guess.touches(&finding.at)) {
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
        if let Some(last) = found.last().filter(|_| self.left_out > 0) {
            let (message, hint) = beyond(self.left_out);
            let place = last.place.clone();
            let mut finding = Diagnostic::error("too-many-problems", "", message).hint(hint);
            finding.place = place;
            found.push(finding);
        }
        for finding in &mut found {
            finding.object.clone_from(&object);
            scrub(finding, &self.secrets);
        }
        found
    }
}

/// Returns what is wrong with the text of an embedded document.
fn embedded(text: &str) -> Vec<yaml::Problem> {
    match Format::of(text) {
        Format::Yaml => {
            let yaml::File {
                documents,
                problems,
            } = yaml::parse(text);
            let inside = documents.into_iter().flat_map(|d| d.problems);
            problems.into_iter().chain(inside).collect()
        }
        Format::Json => json::problem(text).into_iter().collect(),
        Format::Text => Vec::new(),
    }
}

/// Returns the top-level field without which the spec is refused for another reason, or not at all.
fn culprit(kind: &dyn AnySpec, value: &Value, message: &str) -> String {
    let fields = value.as_object().into_iter().flat_map(Map::keys);
    // Each trial reads the whole spec; no kind has so many fields.
    for field in fields.take(100) {
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
