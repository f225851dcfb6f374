//! Whether a commit is signed by somebody who may.

use std::path::PathBuf;

use super::GitError;
use super::program::Git;

/// Who may sign commits: a file as `ssh-keygen` reads it, one line for each signer.
/// <https://git-scm.com/docs/git-config#Documentation/git-config.txt-gpgsshallowedSignersFile>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers(pub PathBuf);

impl Signers {
    /// Holds a commit to its signature; returns who signed it.
    ///
    /// Only SSH signatures count: whose key a PGP signature was made with depends on a key ring that nobody has named.
    ///
    /// # Errors
    /// When it is not signed, or by none of these.
    pub(super) async fn verify(&self, git: &Git, commit: &str) -> Result<String, GitError> {
        let git = git
            .clone()
            .setting("gpg.ssh.allowedSignersFile", self.0.to_string_lossy())
            .setting("gpg.program", "false")
            .setting("gpg.x509.program", "false");
        let format = "--format=%G?%n%GF%n%GS";
        let args = ["log", "-1", "--no-show-signature", format, commit, "--"];
        let answer = git.ask(&args, Vec::new()).await?;
        let text = String::from_utf8_lossy(&answer.out).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let unsigned = |said: &str| GitError::Unsigned {
            commit: commit.chars().take(12).collect(),
            said: said.to_owned(),
        };
        match lines[..] {
            ["G", key, signer] if key.starts_with("SHA256:") && !signer.is_empty() => {
                Ok(signer.to_owned())
            }
            ["N", ..] => Err(unsigned("it has no signature")),
            ["B", ..] => Err(unsigned("its signature is wrong")),
            _ if answer.said.is_empty() => Err(unsigned("its signature cannot be verified")),
            _ => Err(unsigned(&answer.said)),
        }
    }
}
