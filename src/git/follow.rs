//! Follows a repository: its newest commit, judged once, and the last good one, which stays in force.
//!
//! What makes a commit good is for the caller to say; here it is only signed, taken out and kept. The Git watcher and
//! the operator follow repositories by this alone.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Commit, GitError, Mirror, Remote, Signers};
use crate::aws::chain;

/// What is followed.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// The branch or tag.
    pub remote: Remote,
    /// The folder in the repository that holds the documents; empty or `.` for all.
    pub path: String,
    /// Who may sign commits; `None` when commits need no signature.
    pub signers: Option<Signers>,
}

/// A commit whose documents are right.
#[derive(Debug)]
pub struct Good<T> {
    /// The commit.
    pub commit: Commit,
    /// Where its files are, until another commit is good.
    pub folder: PathBuf,
    /// What the caller made of them.
    pub documents: T,
}

/// Why the newest commit is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody knows which it is.
    Away {
        /// Why.
        why: String,
    },
    /// It is known, and not good.
    Refused {
        /// The commit.
        commit: Commit,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away { why } => write!(f, "the repository is out of reach: {why}"),
            Self::Refused { commit, why } => write!(f, "commit {commit} is not taken up: {why}"),
        }
    }
}

/// Follows one repository. Everything but the last good commit is gone with this value.
#[derive(Debug)]
pub struct Follower<T> {
    state: PathBuf,
    mirror: Mirror,
    good: Option<Good<T>>,
    /// The commit that was judged last, and why it is not good if it is not.
    judged: Option<(Commit, Option<Obstacle>)>,
}

impl<T> Follower<T> {
    /// Begins to follow by a mirror of the repository, with a folder for the files of commits.
    pub fn new(mirror: Mirror, state: &Path) -> Self {
        Self {
            state: state.to_owned(),
            mirror,
            good: None,
            judged: None,
        }
    }

    /// Returns the last good commit.
    pub fn good(&self) -> Option<&Good<T>> {
        self.good.as_ref()
    }

    /// Judges the commit that was kept by whoever followed before, if there is one.
    ///
    /// `check` makes of the folder what the caller needs of it, or says why the commit is not good.
    ///
    /// # Errors
    /// When there is no `git`.
    pub async fn resume(
        &mut self,
        followed: &Followed,
        check: impl Fn(&Path) -> Result<T, String>,
    ) -> Result<Option<Obstacle>, GitError> {
        match self.mirror.kept().await? {
            Some(kept) => Ok(self.judge(&kept, followed, check).await),
            None => Ok(None),
        }
    }

    /// Looks at the repository; a new commit is judged. Returns why the newest is not in force, if it is not.
    pub async fn look(
        &mut self,
        followed: &Followed,
        check: impl Fn(&Path) -> Result<T, String>,
    ) -> Option<Obstacle> {
        match self.mirror.fetch(&followed.remote).await {
            Ok(tip) => match &self.judged {
                Some((judged, obstacle)) if *judged == tip => obstacle.clone(),
                _ => self.judge(&tip, followed, check).await,
            },
            Err(error) => Some(Obstacle::Away { why: chain(&error) }),
        }
    }

    /// Goes back to a commit that was good elsewhere, where none was kept here: its whole id is all that is known of it.
    /// Not every server gives a commit that no branch leads to any more; then there is none.
    pub async fn recall(
        &mut self,
        followed: &Followed,
        id: &str,
        check: impl Fn(&Path) -> Result<T, String>,
    ) {
        let whole = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !whole {
            return;
        }
        let mut then = followed.clone();
        then.remote.reference = Some(id.to_owned());
        if let Ok(commit) = self.mirror.fetch(&then.remote).await {
            // What was found of the newest commit stays so.
            let judged = self.judged.take();
            self.judge(&commit, &then, check).await;
            self.judged = judged;
        }
    }

    /// Judges the newest commit anew when it is next looked at: what makes it good has changed.
    pub fn doubt(&mut self) {
        self.judged = None;
    }

    /// Decides whether a commit is good; returns why it is not.
    async fn judge(
        &mut self,
        commit: &Commit,
        followed: &Followed,
        check: impl Fn(&Path) -> Result<T, String>,
    ) -> Option<Obstacle> {
        let obstacle = match self.good_of(commit, followed, check).await {
            Ok(good) => {
                let before = self.good.replace(good);
                if let Some(before) = before.filter(|before| before.commit != *commit) {
                    // Nothing is lost: what is kept can be taken out again.
                    let _ = fs::remove_dir_all(self.folder(&before.commit));
                }
                None
            }
            Err(why) => {
                let stays = self
                    .good
                    .as_ref()
                    .is_some_and(|good| good.commit == *commit);
                if !stays {
                    let _ = fs::remove_dir_all(self.folder(commit));
                }
                let commit = commit.clone();
                Some(Obstacle::Refused { commit, why })
            }
        };
        self.judged = Some((commit.clone(), obstacle.clone()));
        obstacle
    }

    async fn good_of(
        &self,
        commit: &Commit,
        followed: &Followed,
        check: impl Fn(&Path) -> Result<T, String>,
    ) -> Result<Good<T>, String> {
        let Followed { path, signers, .. } = followed;
        if let Some(signers) = signers {
            let signed = self.mirror.verify(commit, signers).await;
            signed.map_err(|error| chain(&error))?;
            // By whom is an address of a person, and stands in the commit for whoever may read it.
            tracing::info!(%commit, "signed by one who may");
        }
        let folder = self.folder(commit);
        let folder = self.mirror.take_out(commit, path, &folder).await;
        let folder = folder.map_err(|error| chain(&error))?;
        let documents = check(&folder)?;
        let kept = self.mirror.keep(commit).await;
        kept.map_err(|error| chain(&error))?;
        Ok(Good {
            commit: commit.clone(),
            folder,
            documents,
        })
    }

    fn folder(&self, commit: &Commit) -> PathBuf {
        self.state.join(commit.short())
    }
}
