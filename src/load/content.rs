//! `contentFrom: { file: … }`: a text of its own, beside the document that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::cluster::{self, Maps};
use super::files::{self, Found, Unread};
use crate::model::schema::Slot;
use crate::model::{Diagnostic, pointer, suggest};

/// A text that was read.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// What to call the file in places.
    pub(super) name: String,
    pub(super) text: Arc<str>,
}

/// Reads the files that documents name, each once.
#[derive(Debug, Default)]
pub(super) struct Reader {
    texts: BTreeMap<PathBuf, Content>,
    /// Every file that a document names, links resolved.
    pub(super) named: BTreeSet<PathBuf>,
    /// In a cluster: the ConfigMaps, in place of files.
    pub(super) maps: Option<Maps>,
}

impl Reader {
    /// Returns the text that a slot names; the places of a finding are pointers into the spec.
    pub(super) fn read(
        &mut self,
        file: &Found,
        slot: &Slot<'_>,
    ) -> Result<Content, Box<Diagnostic>> {
        let key = pointer::steps(&slot.at).pop().unwrap_or_default();
        if let Some(maps) = &self.maps {
            return cluster::content(maps, slot, &key);
        }
        let field = slot.field;
        let path = source(slot, &key)?;
        let at = pointer::join(&slot.at, "file");
        let refuse = |code, message: String, hint: String| {
            Box::new(Diagnostic::error(code, at.clone(), message).hint(hint))
        };
        let parent = file.path.parent().unwrap_or(Path::new(""));
        let full = parent.join(path);
        if Path::new(path).is_absolute() || climbs(&file.real, &file.root.folder, path) {
            let message = format!("`{path}` lies outside the folder");
            return Err(refuse(
                "content-outside",
                message,
                "move the file into the folder, and name it relative to this document".into(),
            ));
        }
        let real = match full.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let hint = match neighbour(&full) {
                    Some(near) => format!(
                        "did you mean `{}`?",
                        Path::new(path).with_file_name(near).display()
                    ),
                    None => "the path is relative to the file that names it".to_owned(),
                };
                return Err(refuse(
                    "content-missing",
                    format!("there is no file `{path}`"),
                    hint,
                ));
            }
            Err(error) => {
                return Err(refuse(
                    "content-missing",
                    format!("`{path}` cannot be read: {error}"),
                    "check the path and its permissions".into(),
                ));
            }
        };
        if !real.starts_with(&file.root.folder) {
            let message = format!("`{path}` is a link that leads out of the folder");
            return Err(refuse(
                "content-outside",
                message,
                "copy the file into the folder".into(),
            ));
        }
        self.named.insert(real.clone());
        if slot.both {
            let message = format!("both `{field}` and `{key}` are given");
            return Err(Box::new(
                Diagnostic::error("content-twice", slot.at.clone(), message)
                    .hint("keep one of them"),
            ));
        }
        if let Some(content) = self.texts.get(&real) {
            return Ok(content.clone());
        }
        let text = files::read(&real).map_err(|unread| match unread {
            Unread::Io(error) => refuse(
                "content-missing",
                format!("`{path}` cannot be read: {error}"),
                "check its permissions".into(),
            ),
            Unread::Special => refuse(
                "content-missing",
                format!("`{path}` is no ordinary file"),
                "name a file with text".into(),
            ),
            Unread::TooLarge => refuse(
                "too-large",
                format!("`{path}` has more than {} MiB", files::MAX_BYTES >> 20),
                "AWS takes far less".into(),
            ),
            Unread::NotText { offset, .. } => refuse(
                "not-text",
                format!("`{path}` is not UTF-8 text at byte {offset}"),
                "save it as UTF-8".into(),
            ),
        })?;
        let content = Content {
            name: files::shown(&tidy(&full)),
            text,
        };
        self.texts.insert(real, content.clone());
        Ok(content)
    }
}

/// Returns the path in `{ file: … }`, or says what is wrong with what is there.
fn source<'a>(slot: &'a Slot<'_>, key: &str) -> Result<&'a str, Box<Diagnostic>> {
    let form = format!("write `{key}: {{ file: path }}`");
    let Value::Object(map) = &slot.from else {
        let found = crate::model::schema::kind_of(&slot.from);
        let hint = match slot.from.as_str() {
            Some(path) => format!("write `{key}: {{ file: {path} }}`"),
            None => form,
        };
        return Err(Box::new(
            Diagnostic::error(
                "wrong-type",
                slot.at.clone(),
                format!("`{key}` wants a map, found {found}"),
            )
            .hint(hint),
        ));
    };
    for name in map.keys() {
        let at = pointer::join(&slot.at, name);
        if name == "configMap" {
            return Err(Box::new(
                Diagnostic::error(
                    "content-needs-cluster",
                    at,
                    "a ConfigMap can only be read in a Kubernetes cluster",
                )
                .hint(format!("for the command line, {form}")),
            ));
        }
        if name != "file" {
            let message = format!("unknown field `{name}`");
            return Err(Box::new(
                Diagnostic::error("unknown-field", at, message).hint(form),
            ));
        }
    }
    match map.get("file") {
        Some(Value::String(path)) if !path.is_empty() => Ok(path),
        Some(other) if !other.is_string() && !other.is_null() => {
            let message = format!(
                "`file` wants a text, found {}",
                crate::model::schema::kind_of(other)
            );
            Err(Box::new(
                Diagnostic::error("wrong-type", pointer::join(&slot.at, "file"), message)
                    .hint(form),
            ))
        }
        _ => Err(Box::new(
            Diagnostic::error(
                "missing-field",
                slot.at.clone(),
                format!("`{key}` names no file"),
            )
            .hint(form),
        )),
    }
}

/// Says whether a path leaves the folder by its `..` alone, whatever is there.
fn climbs(file: &Path, folder: &Path, path: &str) -> bool {
    let depth = file
        .strip_prefix(folder)
        .map_or(0, |below| below.components().count().saturating_sub(1));
    let mut depth = i64::try_from(depth).unwrap_or(0);
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Removes `.` and `a/..` from a path, for showing it.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Returns the file beside a missing one whose name comes closest.
fn neighbour(missing: &Path) -> Option<String> {
    let wanted = missing.file_name()?.to_string_lossy().into_owned();
    let folder = match missing.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(10_000)
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    suggest::closest(&wanted, names.iter().map(String::as_str)).map(str::to_owned)
}
