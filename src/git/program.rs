//! Runs the `git` program.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// How long one call may take. Fetching a large repository over a slow line is the longest.
const PATIENCE: Duration = Duration::from_mins(10);

/// How much of what `git` complains about is told.
const SAID: usize = 600;

/// Why Git could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no such program.
    #[error("the `git` program cannot be started\nhint: install Git")]
    NoProgram(#[source] io::Error),
    /// It refused.
    #[error("git {what}: {said}{}", hint.as_deref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
    Refused {
        /// What was asked for.
        what: String,
        /// What it said.
        said: String,
        /// What to do, where that is known.
        hint: Option<String>,
    },
    /// It did not end.
    #[error("git {0} took more than ten minutes")]
    Slow(String),
    /// A file cannot be written or read.
    #[error("cannot write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The repository holds what would leave the folder, or what nobody meant.
    #[error("the repository has `{0}`, which is no name for a file")]
    Unsafe(String),
    /// The repository is larger than is good for anybody.
    #[error("`{what}` has more than {} KiB of files\nhint: name the folder that holds the documents", most >> 10)]
    Large {
        /// The folder, or the repository as a whole.
        what: String,
        /// How many bytes are taken at most.
        most: u64,
    },
    /// A commit that must be signed is not, or not by one of those who may.
    #[error("commit {commit} is not signed by an allowed signer: {said}")]
    Unsigned {
        /// The commit.
        commit: String,
        /// What is known about its signature.
        said: String,
    },
}

/// One way to call `git`.
#[derive(Clone, Debug)]
pub(super) struct Git {
    folder: PathBuf,
    settings: Vec<(String, String)>,
    variables: Vec<(OsString, OsString)>,
}

/// What a call answered.
pub(super) struct Answer {
    pub(super) out: Vec<u8>,
    pub(super) said: String,
    pub(super) well: bool,
}

impl Git {
    /// Calls it in this folder.
    pub(super) fn within(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Returns the folder that it is called in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the same with a setting.
    pub(super) fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the same with an environment variable.
    pub(super) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Calls it, and returns what it wrote.
    pub(super) async fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Vec<u8>, GitError> {
        self.feed(args, Vec::new()).await
    }

    /// Calls it with this on its standard input, and returns what it wrote.
    pub(super) async fn feed<A: AsRef<OsStr>>(
        &self,
        args: &[A],
        input: Vec<u8>,
    ) -> Result<Vec<u8>, GitError> {
        let answer = self.ask(args, input).await?;
        if answer.well {
            return Ok(answer.out);
        }
        Err(GitError::Refused {
            what: what(args),
            said: answer.said,
            hint: None,
        })
    }

    /// Returns the id of the commit that a revision means, if there is one.
    pub(super) async fn commit(&self, revision: &str) -> Result<Option<String>, GitError> {
        let wanted = format!("{revision}^{{commit}}");
        let args = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ];
        let answer = self.ask(&args, Vec::new()).await?;
        let id = String::from_utf8_lossy(&answer.out).trim().to_owned();
        Ok((answer.well && !id.is_empty()).then_some(id))
    }

    /// Calls it; that it refuses is an answer.
    pub(super) async fn ask<A: AsRef<OsStr>>(
        &self,
        args: &[A],
        input: Vec<u8>,
    ) -> Result<Answer, GitError> {
        let mut command = Command::new("git");
        command
            .current_dir(&self.folder)
            .args(args)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            // Nobody is there to be asked, and what it says is read.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // By the environment and not by `-c`: arguments can be seen by every process of the machine.
        command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        for (index, (name, value)) in self.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        let mut child = command.spawn().map_err(GitError::NoProgram)?;
        let stdin = child.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                // It may have ended without reading: its answer says more than the broken pipe.
                let _ = stdin.write_all(&input).await;
            }
        };
        let both = async { tokio::join!(write, child.wait_with_output()).1 };
        let output = tokio::time::timeout(PATIENCE, both).await;
        let output = output.map_err(|_| GitError::Slow(what(args)))?;
        let output = output.map_err(GitError::NoProgram)?;
        Ok(Answer {
            out: output.stdout,
            said: said(&String::from_utf8_lossy(&output.stderr)),
            well: output.status.success(),
        })
    }
}

/// Names a call by its first argument: the others may hold a password.
fn what<A: AsRef<OsStr>>(args: &[A]) -> String {
    let first = args.first().map(|arg| arg.as_ref().to_string_lossy());
    first.map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// Returns what Git complained about on one line, without passwords in addresses.
fn said(text: &str) -> String {
    // SSH frames what it finds alarming.
    let lines = text.lines().map(|line| line.trim_matches([' ', '\t', '@']));
    let lines = lines.filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ");
    let line = without_passwords(&line);
    let line = line.strip_prefix("fatal: ").unwrap_or(&line);
    match line.char_indices().nth(SAID) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None if line.is_empty() => "it said nothing".to_owned(),
        None => line.to_owned(),
    }
}

/// Hides what stands before the `@` of an address.
pub(super) fn without_passwords(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let host = after
            .find(|c: char| c == '/' || c == '\'' || c == '"' || c.is_whitespace())
            .unwrap_or(after.len());
        match after[..host].rfind('@') {
            Some(at) => {
                out.push('…');
                rest = &after[at..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_holds_no_password() {
        let text =
            "fatal: unable to access 'https://bot:s3cret@git.example.com/x.git/': ssh://a@b/c no";
        assert_eq!(
            said(text),
            "unable to access 'https://…@git.example.com/x.git/': ssh://…@b/c no"
        );
        assert_eq!(said("\n"), "it said nothing");
        assert_eq!(said("@@@@@@\n@  NO!  @\n@@@@@@\nreally"), "NO!; really");
        assert!(said(&"ü".repeat(2_000)).chars().count() < SAID + 3);
    }

    #[tokio::test]
    async fn a_refusal_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let git = Git::within(folder.path());
        let error = git.run(&["cat-file", "-p", "nothing"]).await.unwrap_err();
        assert!(error.to_string().starts_with("git cat-file: "), "{error}");
    }
}
