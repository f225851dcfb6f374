//! From files to desired objects: every problem at once, each with its place.
//!
//! [`load`] reads the files under the paths, takes the documents that are ours, checks each against its kind's
//! schema and rules, and then all of them together: names, references, circles. It knows no AWS, no clock and no
//! environment; the same files give the same result, byte for byte.

pub mod changed;
pub mod codes;

mod across;
mod build;
mod cluster;
mod content;
mod draft;
mod envelope;
mod files;
mod json;
mod kind;
mod metadata;
mod object;
mod origin;
mod personal;
mod repository;
mod reserved;
mod scalar;
mod sources;
mod stack;
mod target;
mod targets;
mod tree;
mod variables;
mod written;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use crate::model::lifecycle::Lifecycle;
use crate::model::sensitive::hide_addresses;
use crate::model::{Address, AnySpec, Diagnostic, Place, Report};

use files::Found;
use kind::Kind;

pub use cluster::{Kept, Maps, from_cluster, maps, told};
pub(crate) use files::{Unread, read_at_most};
pub use kind::configuration;
pub use repository::{Repository, of_repository};
pub use sources::Sources;
pub use stack::{Git, Limits, Source, Stack, StackSpec, interval};
pub use target::{Exclude, Organization, Override, Role, Stage, Target, TargetSpec};

/// How many problems of one document are shown. Nobody mends more at a time, and a hostile file has millions.
const MOST_PROBLEMS: usize = 200;
/// How many problems of one file are shown.
const MOST_OF_FILE: usize = 10_000;

/// How few files are worth a thread of their own.
const FEWEST: usize = 32;

/// The only `apiVersion` that this version reads.
pub const API_VERSION: &str = "stationbill.dev/v1alpha1";

/// Why nothing could be loaded at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path of the command line leads nowhere.
    #[error("there is no file or folder `{}`", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A path of the command line is a pipe, a socket or a device.
    #[error("`{}` is neither a folder nor an ordinary file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A path of the command line cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What the files say.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The Stack, when a document declares one.
    pub stack: Option<Stack>,
    /// The Targets, in the order of their names.
    pub targets: Vec<Target>,
    /// Names of Targets besides those that the Stack and its objects name: of objects that are being deleted.
    pub further_targets: BTreeSet<String>,
    /// The objects that could be read, in the order of their files.
    pub objects: Vec<Declared>,
    /// Everything that is wrong, sorted by place. Nothing may be done while it holds an error.
    pub report: Report,
    /// The texts of the files, for carets.
    pub sources: Sources,
}

/// One object that a document declares.
#[derive(Clone)]
pub struct Declared {
    /// Kind and `metadata.name`.
    pub address: Address,
    /// The canonical spec: texts of `contentFrom` in their places, `name` filled in, `${target.…}` not yet replaced.
    pub spec: Value,
    /// `spec.lifecycle`.
    pub lifecycle: Lifecycle,
    /// `spec.targets`; empty for those of the Stack.
    pub targets: Vec<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// Where `metadata.name` stands.
    pub place: Place,
    /// What is wrong with it, where others may be applied beside it all the same: in a cluster. Its spec then means
    /// nothing.
    pub problem: Option<String>,
}

impl Declared {
    /// Makes an object that stands in no file.
    pub fn new(address: Address, spec: Value, lifecycle: Lifecycle) -> Self {
        Self {
            address,
            spec,
            lifecycle,
            targets: Vec::new(),
            labels: BTreeMap::new(),
            place: files::start_of(""),
            problem: None,
        }
    }
}

impl std::fmt::Debug for Declared {
    /// Shows the address alone: the spec may hold personal values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Declared").field(&self.address).finish()
    }
}

/// Loads the documents under the paths.
///
/// A problem of a document is in the report; the error is for paths that cannot be looked at.
pub fn load(paths: &[PathBuf], kinds: &[&dyn AnySpec]) -> Result<Loaded, LoadError> {
    let kinds = kind::kinds(kinds);
    let (loader, found) = Loader::of(paths, &kinds)?;
    Ok(loader.finish(&found))
}

/// Reads the files, a share of them on each processor; the parts come in the order of the files.
fn read_all<'k>(found: &[Found], kinds: &'k BTreeMap<&'static str, Kind<'k>>) -> Vec<Loader<'k>> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let share = found.len().div_ceil(processors).max(FEWEST);
    let read = |files: &[Found]| {
        let mut loader = Loader::new(kinds);
        for file in files {
            loader.file(file);
        }
        loader
    };
    thread::scope(|scope| {
        let mut shares = found.chunks(share);
        let first = shares.next().unwrap_or_default();
        let others: Vec<_> = shares.map(|files| scope.spawn(|| read(files))).collect();
        let mut parts = vec![read(first)];
        for other in others {
            parts.push(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        parts
    })
}

/// Everything that is gathered on the way.
struct Loader<'k> {
    kinds: &'k BTreeMap<&'static str, Kind<'k>>,
    report: Report,
    sources: Sources,
    reader: content::Reader,
    objects: Vec<Declared>,
    stack: Option<Stack>,
    targets: Vec<Target>,
    entries: Vec<across::Entry>,
    /// Files that may turn out to be somebody's `contentFrom`, with what is wrong with them otherwise.
    strays: Vec<(PathBuf, Vec<Diagnostic>)>,
    /// How many documents were ours, right or wrong.
    ours: usize,
}

impl<'k> Loader<'k> {
    fn new(kinds: &'k BTreeMap<&'static str, Kind<'k>>) -> Self {
        Self {
            kinds,
            report: Report::default(),
            sources: Sources::default(),
            reader: content::Reader::default(),
            objects: Vec::new(),
            stack: None,
            targets: Vec::new(),
            entries: Vec::new(),
            strays: Vec::new(),
            ours: 0,
        }
    }

    /// Reads the files under the paths.
    fn of(
        paths: &[PathBuf],
        kinds: &'k BTreeMap<&'static str, Kind<'k>>,
    ) -> Result<(Self, Vec<Found>), LoadError> {
        let mut problems = Vec::new();
        let found = files::find(paths, &mut problems)?;
        let mut loader = Self::new(kinds);
        loader.report.diagnostics.extend(problems);
        for part in read_all(&found, kinds) {
            loader.absorb(part);
        }
        Ok((loader, found))
    }

    /// Takes over what another one gathered from later files.
    fn absorb(&mut self, later: Self) {
        let Self {
            kinds: _,
            report,
            sources,
            reader,
            objects,
            stack,
            targets,
            entries,
            strays,
            ours,
        } = later;
        self.report.diagnostics.extend(report.diagnostics);
        self.sources.absorb(sources);
        self.reader.named.extend(reader.named);
        self.objects.extend(objects);
        self.stack = self.stack.take().or(stack);
        self.targets.extend(targets);
        self.entries.extend(entries);
        self.strays.extend(strays);
        self.ours += ours;
    }

    fn file(&mut self, file: &Found) {
        let text = match files::read(&file.path) {
            Ok(text) => text,
            Err(unread) => return self.unread(file, &unread),
        };
        self.sources.insert(&file.name, Arc::clone(&text));
        let parsed = yaml::parse(&text);
        let before = self.ours;
        let mut strays: Vec<Diagnostic> = Vec::new();
        if !parsed.problems.is_empty() {
            self.sources.distrust(&file.name);
            strays.extend(
                parsed
                    .problems
                    .into_iter()
                    .map(|problem| diagnostic(&file.name, problem)),
            );
        }
        let found = self.report.diagnostics.len();
        for document in parsed.documents {
            let at = document.root.at;
            self.document(file, document, &mut strays);
            if self.report.diagnostics.len() - found + strays.len() > MOST_OF_FILE {
                let message = "the rest of the file is not read";
                let problem = yaml::Problem::new("too-many-problems", at, message);
                strays.push(diagnostic(&file.name, problem.hint(beyond(0).1)));
                break;
            }
        }
        if self.ours == before {
            self.strays.push((file.real.clone(), strays));
        } else {
            self.report.diagnostics.extend(strays);
        }
    }

    fn unread(&mut self, file: &Found, unread: &Unread) {
        let name = &file.name;
        let finding = match unread {
            Unread::Io(error) => files::unreadable(name, error),
            Unread::Special => {
                Diagnostic::error("unreadable", "", format!("`{name}` is no ordinary file"))
                    .hint("remove it: pipes, sockets and devices are not read")
                    .place(files::start_of(name))
            }
            Unread::TooLarge => {
                let message = format!("`{name}` has more than {} MiB", files::MAX_BYTES >> 20);
                Diagnostic::error("too-large", "", message)
                    .hint("split it, or move it out of the folder")
                    .place(files::start_of(name))
            }
            Unread::NotText { offset, before } => {
                let line = sources::lines(before).count();
                let column = sources::lines(before)
                    .last()
                    .map_or(0, |line| line.chars().count())
                    + 1;
                let place = Place {
                    file: name.clone(),
                    line,
                    column,
                    length: 1,
                };
                let message = format!("`{name}` is not UTF-8 text at byte {offset}");
                Diagnostic::error("not-text", "", message)
                    .hint("save it as UTF-8")
                    .place(place)
            }
        };
        self.strays.push((file.real.clone(), vec![finding]));
    }

    fn finish(mut self, found: &[Found]) -> Loaded {
        for (file, problems) in std::mem::take(&mut self.strays) {
            if !self.reader.named.contains(&file) {
                self.report.diagnostics.extend(problems);
            }
        }
        across::check(&self.entries, self.kinds, &mut self.report);
        self.targets.sort_by(|a, b| a.name.cmp(&b.name));
        targets::check(
            &self.entries,
            self.stack.as_ref(),
            &self.targets,
            &mut self.report,
        );
        if self.ours == 0 && self.report.is_ok() {
            let message = match found.len() {
                0 => "there are no YAML or JSON files here".to_owned(),
                files => format!("no Stationbill document in {files} files"),
            };
            let hint = format!("a document begins with `apiVersion: {API_VERSION}`");
            self.report
                .push(Diagnostic::warning("no-documents", "", message).hint(hint));
        }
        // A message may quote an address that stands where none belongs.
        for finding in &mut self.report.diagnostics {
            finding.message = hide_addresses(&finding.message);
            finding.hint = finding.hint.as_deref().map(hide_addresses);
            finding.object = finding.object.as_deref().map(hide_addresses);
        }
        let mut seen = BTreeSet::new();
        self.report.diagnostics.sort_by_cached_key(key);
        self.report
            .diagnostics
            .retain(|finding| seen.insert(key(finding)));
        Loaded {
            stack: self.stack,
            targets: self.targets,
            further_targets: BTreeSet::new(),
            objects: self.objects,
            report: self.report,
            sources: self.sources,
        }
    }
}

/// Sorts by place; what has none comes last.
fn key(finding: &Diagnostic) -> (bool, Option<Place>, String, String) {
    (
        finding.place.is_none(),
        finding.place.clone(),
        finding.code.clone(),
        finding.message.clone(),
    )
}

/// Words how many problems are left out, with a hint.
fn beyond(left_out: usize) -> (String, &'static str) {
    let message = match left_out {
        1 => "1 more problem of this document is not shown".to_owned(),
        _ => format!("{left_out} more problems of this document are not shown"),
    };
    (message, "mend those before it first")
}

/// Gives a problem of a file its place.
fn diagnostic(file: &str, problem: yaml::Problem) -> Diagnostic {
    let yaml::Problem {
        code,
        at,
        message,
        hint,
        first: _,
    } = problem;
    let mut finding = Diagnostic::error(code, "", message).place(origin::place(file, at));
    finding.hint = hint;
    finding
}

#[cfg(test)]
mod tests;
