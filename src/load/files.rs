//! Which files are read, and their bytes: nothing outside the folder given, nothing that blocks, nothing huge.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Diagnostic, Place};

use super::LoadError;

/// How large a file may be.
pub(super) const MAX_BYTES: u64 = 8 << 20;

/// What the user named on the command line.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// The folder that nothing may leave, links resolved.
    pub(super) folder: PathBuf,
}

/// A file that may hold documents.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What to call it in places.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Links resolved.
    pub(super) real: PathBuf,
    pub(super) root: Arc<Root>,
    /// The user named this very file.
    pub(super) explicit: bool,
}

impl Found {
    /// Says whether it is JSON that merely stands in the folder, as many programs write it.
    pub(super) fn is_passing_json(&self) -> bool {
        let extension = self.path.extension();
        !self.explicit && extension.is_some_and(|e| e.eq_ignore_ascii_case("json"))
    }
}

/// Finds the files under the paths, sorted by name.
pub(super) fn find(
    paths: &[PathBuf],
    problems: &mut Vec<Diagnostic>,
) -> Result<Vec<Found>, LoadError> {
    let mut search = Search {
        problems,
        found: Vec::new(),
        seen: BTreeSet::new(),
        links: Vec::new(),
    };
    for path in paths {
        search.start(path)?;
    }
    search.found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(search.found)
}

struct Search<'a> {
    problems: &'a mut Vec<Diagnostic>,
    found: Vec<Found>,
    /// Files and folders that were visited, links resolved.
    seen: BTreeSet<PathBuf>,
    /// Symbolic links, looked at after everything that is really there.
    links: Vec<PathBuf>,
}

impl Search<'_> {
    fn start(&mut self, path: &Path) -> Result<(), LoadError> {
        let cannot = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => LoadError::Missing {
                path: path.to_owned(),
            },
            _ => LoadError::Unreadable {
                path: path.to_owned(),
                source,
            },
        };
        let kind = fs::metadata(path).map_err(cannot)?;
        let real = path.canonicalize().map_err(cannot)?;
        if kind.is_dir() {
            let root = Arc::new(Root {
                folder: real.clone(),
            });
            fs::read_dir(path).map_err(cannot)?;
            self.folder(path.to_owned(), real, &root);
            while !self.links.is_empty() {
                let mut links = std::mem::take(&mut self.links);
                links.sort();
                for link in links {
                    self.link(link, &root);
                }
            }
        } else if kind.is_file() {
            let folder = real.parent().map_or_else(|| real.clone(), Path::to_owned);
            let root = Arc::new(Root { folder });
            if self.seen.insert(real.clone()) {
                self.push(path.to_owned(), real, &root, true);
            }
        } else {
            return Err(LoadError::NotAFile {
                path: path.to_owned(),
            });
        }
        Ok(())
    }

    fn push(&mut self, path: PathBuf, real: PathBuf, root: &Arc<Root>, explicit: bool) {
        self.found.push(Found {
            name: shown(&path),
            path,
            real,
            root: Arc::clone(root),
            explicit,
        });
    }

    fn folder(&mut self, path: PathBuf, real: PathBuf, root: &Arc<Root>) {
        let mut folders = vec![(path, real)];
        while let Some((path, real)) = folders.pop() {
            if !self.seen.insert(real.clone()) {
                continue;
            }
            let entries =
                match fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                    Ok(entries) => entries,
                    Err(error) => {
                        self.unreadable(&path, &error);
                        continue;
                    }
                };
            for entry in entries {
                let name = entry.file_name();
                let (path, real) = (path.join(&name), real.join(&name));
                let name = name.to_string_lossy();
                if name.starts_with('.') {
                    continue;
                }
                match entry.file_type() {
                    Ok(kind) if kind.is_symlink() => self.links.push(path),
                    Ok(kind) if kind.is_dir() => {
                        if !skipped(&name) {
                            folders.push((path, real));
                        }
                    }
                    Ok(_) if !wanted(&path) => {}
                    Ok(kind) if kind.is_file() => {
                        if self.seen.insert(real.clone()) {
                            self.push(path, real, root, false);
                        }
                    }
                    Ok(_) => self.special(&path),
                    Err(error) => self.unreadable(&path, &error),
                }
            }
        }
    }

    /// Follows a link that stays in the folder, to what was not read already; `ConfigMap` volumes are made of these.
    fn link(&mut self, path: PathBuf, root: &Arc<Root>) {
        let Ok(real) = path.canonicalize() else {
            if wanted(&path) {
                let error = io::Error::new(io::ErrorKind::NotFound, "the link leads nowhere");
                self.unreadable(&path, &error);
            }
            return;
        };
        let Ok(kind) = fs::metadata(&real) else {
            return;
        };
        if !kind.is_dir() && !wanted(&path) {
            return;
        }
        if !real.starts_with(&root.folder) {
            let message = format!(
                "the link `{}` leads out of the folder and is not followed",
                shown(&path)
            );
            self.problems.push(
                Diagnostic::warning("link-outside", "", message)
                    .hint("copy the file into the folder, or name it on the command line as well")
                    .place(start_of(&shown(&path))),
            );
        } else if kind.is_dir() {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            if !name.is_some_and(|name| skipped(&name)) {
                self.folder(path, real, root);
            }
        } else if !kind.is_file() {
            self.special(&path);
        } else if self.seen.insert(real.clone()) {
            self.push(path, real, root, false);
        }
    }

    fn special(&mut self, path: &Path) {
        let message = format!("`{}` is no ordinary file", shown(path));
        self.problems.push(
            Diagnostic::error("unreadable", "", message)
                .hint("remove it: pipes, sockets and devices are not read")
                .place(start_of(&shown(path))),
        );
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.problems.push(unreadable(&shown(path), error));
    }
}

/// Makes the finding for what cannot be read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(
        "unreadable",
        "",
        format!("`{name}` cannot be read: {error}"),
    )
    .hint("check that it is there and that you may read it")
    .place(start_of(name))
}

/// Returns the place of what is wrong with a file as a whole.
pub(super) fn start_of(name: &str) -> Place {
    Place {
        file: name.to_owned(),
        line: 1,
        column: 1,
        length: 1,
    }
}

fn skipped(folder: &str) -> bool {
    matches!(folder, "target" | "node_modules")
}

fn wanted(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|wanted| extension.eq_ignore_ascii_case(wanted))
    })
}

/// Names a file as the user would from where the program was started.
pub(super) fn shown(path: &Path) -> String {
    let short = path.strip_prefix(".").unwrap_or(path);
    let short = if short.as_os_str().is_empty() {
        path
    } else {
        short
    };
    short.to_string_lossy().into_owned()
}

/// Why a file's text is not at hand.
#[derive(Debug)]
pub(crate) enum Unread {
    Io(io::Error),
    /// A pipe, a folder, a device.
    Special,
    TooLarge,
    /// The offset of the first byte that is no text, and what came before.
    NotText {
        offset: usize,
        before: String,
    },
}

/// Reads an ordinary text file.
pub(super) fn read(path: &Path) -> Result<Arc<str>, Unread> {
    read_at_most(path, MAX_BYTES)
}

/// Reads an ordinary text file of so many bytes at most.
pub(crate) fn read_at_most(path: &Path, most: u64) -> Result<Arc<str>, Unread> {
    // Asked before opening: opening a pipe waits for a writer.
    let kind = fs::metadata(path).map_err(Unread::Io)?;
    if !kind.is_file() {
        return Err(Unread::Special);
    }
    if kind.len() > most {
        return Err(Unread::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(kind.len()).unwrap_or_default() + 1);
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(Unread::Io)?;
    if bytes.len() as u64 > most {
        return Err(Unread::TooLarge);
    }
    text(bytes)
}

/// Takes bytes as text, which is UTF-8 without NUL.
pub(super) fn text(bytes: Vec<u8>) -> Result<Arc<str>, Unread> {
    let not_text = |bytes: &[u8], offset: usize| Unread::NotText {
        offset,
        before: String::from_utf8_lossy(&bytes[..offset]).into_owned(),
    };
    match String::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => Ok(text.into()),
            Some(offset) => Err(not_text(text.as_bytes(), offset)),
        },
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            Err(not_text(error.as_bytes(), offset))
        }
    }
}
