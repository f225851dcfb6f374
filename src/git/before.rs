//! What the documents were at a revision of the repository that they are in.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::program::Git;
use super::{GitError, tree};

/// The documents as they were at a revision, in a folder that goes with this value.
#[derive(Debug)]
pub struct Before {
    /// Held, so that it is there as long as this value.
    _folder: TempDir,
    /// The same, by its real path.
    then: PathBuf,
    top: PathBuf,
    /// Where the paths that were asked for are there, as far as they were there at all.
    pub paths: Vec<PathBuf>,
    /// The tracked files that are not as they were, by their paths within the repository.
    differing: BTreeSet<PathBuf>,
}

impl Before {
    /// Takes the files under these paths, all of one repository, out of a revision.
    ///
    /// # Errors
    /// When the paths are in no repository, or in two, or the revision is not there.
    pub async fn at(revision: &str, paths: &[PathBuf]) -> Result<Self, GitError> {
        let mut top: Option<PathBuf> = None;
        let mut wanted = Vec::new();
        for path in paths {
            let path = real(path)?;
            let near = if path.is_dir() {
                path.clone()
            } else {
                parent(&path).to_owned()
            };
            let found = Git::within(&near)
                .run(&["rev-parse", "--show-toplevel"])
                .await;
            let found =
                found.map_err(|error| hinted(error, "`--changed-since` needs a Git repository"))?;
            let found = real(Path::new(
                String::from_utf8_lossy(&found).trim_end_matches(['\n', '\r']),
            ))?;
            if top.as_ref().is_some_and(|top| *top != found) {
                return Err(GitError::Refused {
                    what: "rev-parse".to_owned(),
                    said: "the paths are in two repositories".to_owned(),
                    hint: Some("`--changed-since` takes paths of one".to_owned()),
                });
            }
            top = Some(found);
            wanted.push(path);
        }
        let top = top.unwrap_or_default();
        let git = Git::within(&top);
        let commit = commit(&git, revision).await?;
        let folder = tempfile::tempdir().map_err(|source| GitError::File {
            path: std::env::temp_dir(),
            source,
        })?;
        let into = real(folder.path())?;
        let mut found = Vec::new();
        for path in &wanted {
            let within = path.strip_prefix(&top).unwrap_or(Path::new(""));
            // A document that is named by itself may name texts beside it.
            let taken = if path.is_dir() {
                within
            } else {
                parent(within)
            };
            let taken = taken.to_string_lossy().replace('\\', "/");
            tree::write(&git, &commit, &taken, &into, tree::MOST).await?;
            let then = into.join(within);
            if then.exists() {
                found.push(then);
            }
        }
        let named = git
            .run(&["diff", "--name-only", "--no-renames", "-z", &commit, "--"])
            .await?;
        let named = named
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty());
        Ok(Self {
            differing: named
                .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
                .collect(),
            _folder: folder,
            then: into,
            top,
            paths: found,
        })
    }

    /// Says which file of the repository a path of a document means, now or then, and whether it is another than it
    /// was. What the repository does not keep is never another.
    pub fn file(&self, document: &Path, path: &str) -> (PathBuf, bool) {
        let folder = real(parent(document)).unwrap_or_default();
        let within = folder
            .strip_prefix(&self.then)
            .or_else(|_| folder.strip_prefix(&self.top))
            .unwrap_or(&folder);
        let file = tidy(&within.join(path));
        let differs = self.differing.contains(&file);
        (file, differs)
    }
}

/// Returns the id of the commit that a revision means.
async fn commit(git: &Git, revision: &str) -> Result<String, GitError> {
    git.commit(revision).await?.ok_or_else(|| GitError::Refused {
        what: "rev-parse".to_owned(),
        said: format!("there is no revision `{revision}` here"),
        hint: Some(
            "a CI system may have cloned the last commit alone: fetch the other too (`fetch-depth: 0` of \
             actions/checkout, GIT_DEPTH: 0 of GitLab CI)"
                .to_owned(),
        ),
    })
}

fn hinted(error: GitError, hint: &str) -> GitError {
    match error {
        GitError::Refused { what, said, .. } => GitError::Refused {
            what,
            said,
            hint: Some(hint.to_owned()),
        },
        other => other,
    }
}

fn real(path: &Path) -> Result<PathBuf, GitError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    path.canonicalize().map_err(|source| GitError::File {
        path: path.to_owned(),
        source,
    })
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Takes `.` and `..` out of a path.
fn tidy(path: &Path) -> PathBuf {
    let mut parts: Vec<&OsStr> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other.as_os_str()),
        }
    }
    parts.into_iter().collect()
}
