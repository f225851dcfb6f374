//! `--changed-since`: only what the change can affect.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::context::Context;
use crate::git::Before;
use crate::kinds;
use crate::load::changed::{Concerned, Version, concerned};
use crate::load::{self, Loaded};
use crate::model::{Address, Diagnostic};

/// Says what the change since a revision can affect, and tells it.
pub(super) async fn look(
    context: &Context,
    revision: &str,
    paths: &[PathBuf],
    now: &Loaded,
) -> anyhow::Result<Concerned> {
    let found = find(revision, paths, now).await?;
    let told = match &found {
        Concerned::Everything(why) => {
            format!("since `{revision}`: {why}, and everything is looked at")
        }
        Concerned::Some { scope, .. } => {
            let declared = now.objects.len();
            let gone =
                |name: &&String| !now.objects.iter().any(|o| o.address.to_string() == **name);
            let gone = scope.objects.iter().filter(gone).count();
            let here = scope.objects.len() - gone;
            let mut told =
                format!("since `{revision}`: {here} of {declared} objects are concerned");
            if gone > 0 {
                told = format!("{told}, and {gone} that no document declares any more");
            }
            told
        }
    };
    context.printer.say(&told);
    Ok(found)
}

/// Says what the change of the documents since a revision can affect.
///
/// # Errors
/// When the paths are in no repository, or the revision is not there.
pub async fn find(revision: &str, paths: &[PathBuf], now: &Loaded) -> anyhow::Result<Concerned> {
    let before = Before::at(revision, paths).await?;
    let then = load::load(&before.paths, &kinds::specs())?;
    let version = |loaded| Version {
        loaded,
        files: files(loaded, &before),
    };
    Ok(concerned(&version(&then), &version(now), &kinds::specs()))
}

/// Keeps the problems that were not there at a revision.
pub(super) async fn new_problems(
    revision: &str,
    paths: &[PathBuf],
    now: &mut Loaded,
) -> anyhow::Result<()> {
    let before = Before::at(revision, paths).await?;
    let then = load::load(&before.paths, &kinds::specs())?;
    // Lines move; what a problem is about does not.
    let key = |problem: &Diagnostic| {
        let Diagnostic {
            code,
            object,
            at,
            message,
            ..
        } = problem;
        let place = problem.place.as_ref().map(|place| {
            let (file, _) = before.file(Path::new(&place.file), file_name(&place.file));
            file
        });
        (
            code.clone(),
            object.clone(),
            at.clone(),
            message.clone(),
            place,
        )
    };
    let mut known = BTreeMap::new();
    for problem in &then.report.diagnostics {
        *known.entry(key(problem)).or_insert(0_usize) += 1;
    }
    now.report.diagnostics.retain(|problem| {
        match known.get_mut(&key(problem)).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                false
            }
            None => true,
        }
    });
    Ok(())
}

fn file_name(path: &str) -> &str {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.unwrap_or_default()
}

/// Which files each object reads personal values from.
fn files(loaded: &Loaded, before: &Before) -> BTreeMap<Address, Vec<String>> {
    let mut files: BTreeMap<Address, Vec<String>> = BTreeMap::new();
    for object in &loaded.objects {
        let mut paths = Vec::new();
        from_files(&object.spec, &mut paths);
        for path in paths {
            let (file, differs) = before.file(Path::new(&object.place.file), path);
            // A file that is another now is none that was known then.
            let then = before
                .paths
                .iter()
                .any(|p| Path::new(&object.place.file).starts_with(p));
            let mark = if differs && !then { " changed" } else { "" };
            let named = files.entry(object.address.clone()).or_default();
            named.push(format!("{}{mark}", file.display()));
        }
    }
    files
}

fn from_files<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            if let (1, Some(path)) = (map.len(), map.get("fromFile").and_then(Value::as_str)) {
                found.push(path);
            }
            map.values().for_each(|member| from_files(member, found));
        }
        Value::Array(list) => list.iter().for_each(|member| from_files(member, found)),
        _ => {}
    }
}
