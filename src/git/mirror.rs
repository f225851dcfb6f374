//! The newest commit of a repository elsewhere, and its files.

use std::fs;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::program::{Git, without_passwords};
use super::{GitError, Signers, tree};

/// The commit that was fetched last.
const TIP: &str = "refs/stationbill/tip";
/// The commit that is kept.
const KEPT: &str = "refs/stationbill/kept";

/// A branch or tag of a repository elsewhere, and how to get at it.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    /// The repository, in any form that the `git` program takes.
    pub url: String,
    /// The branch, tag or full name of a reference; `None` for the default branch.
    pub reference: Option<String>,
    /// How to prove who asks; without any as the user's own Git does it.
    pub credentials: Credentials,
}

/// How to prove who asks. A password is given to no other host than the URL's, and stands in no argument.
#[derive(Clone, Default)]
pub struct Credentials {
    /// A user name and a password or token, for HTTPS.
    pub password: Option<(String, String)>,
    /// A file with a private key, for SSH.
    pub key: Option<PathBuf>,
    /// A file with the host keys that are known, for SSH; hosts that are not in it are refused.
    pub known_hosts: Option<PathBuf>,
    /// A file with the certificates of authorities to trust, for HTTPS, in place of those that the machine trusts.
    pub authorities: Option<PathBuf>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("password", &self.password.as_ref().map(|(user, _)| user))
            .field("key", &self.key)
            .field("known_hosts", &self.known_hosts)
            .field("authorities", &self.authorities)
            .finish()
    }
}

/// The id of a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit(String);

impl Commit {
    /// Returns the whole id.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// Returns as much of it as people read.
    pub fn short(&self) -> &str {
        &self.0[..12.min(self.0.len())]
    }
}

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.short())
    }
}

/// A bare repository of our own that holds the last commit of another one, and is safe to lose.
#[derive(Clone, Debug)]
pub struct Mirror {
    git: Git,
    /// How many bytes of files are taken out at most.
    most: u64,
    /// Whether nothing of this machine's own credentials is used.
    alone: bool,
}

impl Mirror {
    /// Opens the repository in a folder; makes it if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made, or there is no `git`.
    pub async fn open(folder: &Path) -> Result<Self, GitError> {
        let made = fs::create_dir_all(folder).and_then(|()| folder.canonicalize());
        let folder = made.map_err(|source| GitError::File {
            path: folder.to_owned(),
            source,
        })?;
        let git = Git::within(&folder)
            // A repository in a folder that somebody else owns, as volumes of clusters are, is ours all the same.
            .setting("safe.directory", folder.to_string_lossy())
            .setting("gc.autoDetach", "false")
            .setting("maintenance.autoDetach", "false")
            // Only the newest commit and the last good one are of use; what came before them takes room.
            .setting("gc.pruneExpire", "1.day.ago")
            // A server that says nothing for a minute will say nothing.
            .setting("http.lowSpeedLimit", "1")
            .setting("http.lowSpeedTime", "60")
            .variable("GIT_DIR", &folder);
        git.run(&["init", "--quiet", "--bare", "."]).await?;
        Ok(Self {
            git,
            most: tree::MOST,
            alone: false,
        })
    }

    /// Returns the same for somebody else than who runs it: with these protocols alone, with no setting, no credentials
    /// and no keys of this machine, and with at most so many bytes of files.
    #[must_use]
    pub fn for_others(self, protocols: &[String], most: u64) -> Self {
        // Git reads its settings from there and its HTTP library `.netrc`; signatures are verified by way of a file.
        let nobody = self.git.folder().to_owned();
        let git = self
            .git
            .variable("GIT_ALLOW_PROTOCOL", protocols.join(":"))
            .variable("GIT_CONFIG_NOSYSTEM", "1")
            .variable("GIT_CONFIG_GLOBAL", "/dev/null")
            .variable("HOME", &nobody)
            .variable("TMPDIR", &nobody)
            .variable("GIT_ASKPASS", "")
            .variable("SSH_ASKPASS", "")
            .variable("SSH_AUTH_SOCK", "");
        Self {
            git,
            most,
            alone: true,
        }
    }

    /// Fetches the newest commit, and nothing of what came before it.
    ///
    /// # Errors
    /// When the repository is away, refuses, or has no such branch.
    pub async fn fetch(&self, remote: &Remote) -> Result<Commit, GitError> {
        let Remote {
            url,
            reference,
            credentials,
        } = remote;
        let wanted = reference.as_deref().unwrap_or("HEAD");
        // Git's own rule for names; a `:` or `+` would say where the commit goes here.
        let named = |c: char| !c.is_whitespace() && !c.is_control() && !"~^:?*[\\+".contains(c);
        if wanted.is_empty() || wanted.starts_with('-') || !wanted.chars().all(named) {
            return Err(refused(&format!("`{wanted}` is no branch or tag")));
        }
        if url.is_empty() || url.starts_with('-') || url.contains("::") {
            return Err(refused(&format!("`{url}` is no repository")));
        }
        let git = credentials.of(&self.git, url, self.alone);
        let into = format!("+{wanted}:{TIP}");
        let args = [
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--end-of-options",
            url,
            &into,
        ];
        let fetched = git.run(&args).await;
        fetched.map_err(|error| credentials.hide(error))?;
        self.commit(TIP)
            .await?
            .ok_or_else(|| refused(&format!("`{wanted}` is no commit")))
    }

    /// Returns the commit that was kept, if there is one.
    ///
    /// # Errors
    /// When there is no `git`.
    pub async fn kept(&self) -> Result<Option<Commit>, GitError> {
        self.commit(KEPT).await
    }

    /// Keeps a commit, whatever becomes of the other repository.
    ///
    /// # Errors
    /// When it is not here.
    pub async fn keep(&self, commit: &Commit) -> Result<(), GitError> {
        self.git.run(&["update-ref", KEPT, commit.id()]).await?;
        Ok(())
    }

    /// Holds a commit to its signature; returns who signed it.
    ///
    /// # Errors
    /// When it is not signed, or by none of those who may.
    pub async fn verify(&self, commit: &Commit, signers: &Signers) -> Result<String, GitError> {
        signers.verify(&self.git, commit.id()).await
    }

    /// Writes the files of a commit into a folder, which is emptied first.
    ///
    /// `path` is the folder in the repository that is taken out, under its own path; empty for all.
    ///
    /// # Errors
    /// When the folder cannot be written, or the commit is not fit to be.
    pub async fn take_out(
        &self,
        commit: &Commit,
        path: &str,
        into: &Path,
    ) -> Result<PathBuf, GitError> {
        let path = path.trim_start_matches("./").trim_matches('/');
        let path = if path == "." { "" } else { path };
        let plain = |part| matches!(part, Component::Normal(_));
        if !Path::new(path).components().all(plain) {
            return Err(GitError::Unsafe(path.to_owned()));
        }
        let made = match fs::remove_dir_all(into) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(into),
        };
        made.map_err(|source| GitError::File {
            path: into.to_owned(),
            source,
        })?;
        if !tree::write(&self.git, commit.id(), path, into, self.most).await? {
            return Err(GitError::Refused {
                what: "ls-tree".to_owned(),
                said: format!("commit {commit} has no files in `{path}`"),
                hint: None,
            });
        }
        let taken = into.join(path);
        // The path may be a link, and a repository may not say what else is read here.
        let real = |path: &Path| path.canonicalize().ok();
        match (real(&taken), real(into)) {
            (Some(taken), Some(into)) if taken.starts_with(&into) => {}
            _ => return Err(GitError::Unsafe(path.to_owned())),
        }
        Ok(taken)
    }

    async fn commit(&self, reference: &str) -> Result<Option<Commit>, GitError> {
        Ok(self.git.commit(reference).await?.map(Commit))
    }
}

fn refused(said: &str) -> GitError {
    GitError::Refused {
        what: "fetch".to_owned(),
        said: without_passwords(said),
        hint: None,
    }
}

impl Credentials {
    /// Returns a way to call `git` that proves who asks.
    fn of(&self, git: &Git, url: &str, alone: bool) -> Git {
        let mut git = git.clone();
        if let Some(authorities) = &self.authorities {
            git = git.setting("http.sslCAInfo", authorities.to_string_lossy());
        }
        if let Some((user, password)) = &self.password {
            // The helper answers for the URL's own host, also when it redirects elsewhere. Both values come by the
            // environment: an argument or a setting could be read by others.
            let host = origin(url);
            let helper = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \
                          \"$STATIONBILL_GIT_USERNAME\" \"$STATIONBILL_GIT_PASSWORD\"; }; f";
            git = git
                .setting("credential.helper", "")
                .setting(&format!("credential.{host}.helper"), helper)
                .variable("STATIONBILL_GIT_USERNAME", user)
                .variable("STATIONBILL_GIT_PASSWORD", password);
        }
        if alone || self.key.is_some() || self.known_hosts.is_some() {
            let mut ssh = vec![
                "ssh".to_owned(),
                "-o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=20".to_owned(),
            ];
            if alone {
                ssh.push("-F none -o IdentitiesOnly=yes -o IdentityAgent=none".to_owned());
            }
            if let Some(key) = &self.key {
                ssh.push(format!("-o IdentitiesOnly=yes -i {}", quoted(key)));
            }
            if let Some(known) = &self.known_hosts {
                let option = format!("UserKnownHostsFile={}", known.display());
                let option = quoted(Path::new(&option));
                ssh.push(format!("-o StrictHostKeyChecking=yes -o {option}"));
            }
            let ssh = ssh.join(" ");
            git = git.variable("GIT_SSH_COMMAND", ssh);
        }
        git
    }

    /// Takes the password out of what a server answered: it may repeat what it was sent.
    fn hide(&self, error: GitError) -> GitError {
        match (error, &self.password) {
            (GitError::Refused { what, said, hint }, Some((user, password))) => {
                let sent = STANDARD.encode(format!("{user}:{password}"));
                let said = [password, &sent]
                    .into_iter()
                    .filter(|secret| !secret.is_empty())
                    .fold(said, |said, secret| said.replace(secret.as_str(), "…"));
                GitError::Refused { what, said, hint }
            }
            (error, _) => error,
        }
    }
}

/// Returns scheme and host of a URL.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// Returns a text as one word of a shell.
fn quoted(text: &Path) -> String {
    format!("'{}'", text.to_string_lossy().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_for_one_host() {
        assert_eq!(
            origin("https://bot@git.example.com:8443/a/b.git"),
            "https://git.example.com:8443"
        );
        let credentials = Credentials {
            password: Some(("bot".to_owned(), "s3cret".to_owned())),
            ..Credentials::default()
        };
        assert!(!format!("{credentials:?}").contains("s3cret"));
        assert_eq!(quoted(Path::new("it's")), r"'it'\''s'");
    }

    #[test]
    fn a_server_that_repeats_a_password_does_not_spread_it() {
        let credentials = Credentials {
            password: Some(("bot".to_owned(), "s3cret".to_owned())),
            ..Credentials::default()
        };
        let sent = STANDARD.encode("bot:s3cret");
        let error = credentials.hide(refused(&format!("no such token s3cret, nor {sent}")));
        assert_eq!(error.to_string(), "git fetch: no such token …, nor …");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_taken_out_is_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let (origin, state) = (folder.path().join("origin"), folder.path().join("state"));
        fs::create_dir(&origin).unwrap();
        let git = Git::within(&origin)
            .setting("user.name", "Barry")
            .setting("user.email", "barry@example.com");
        git.run(&["init", "--quiet", "."]).await.unwrap();
        std::os::unix::fs::symlink("/etc", origin.join("ops")).unwrap();
        fs::write(origin.join("large"), vec![b'x'; 2000]).unwrap();
        git.run(&["add", "--all"]).await.unwrap();
        let commit = ["commit", "--quiet", "--message", "link"];
        git.run(&commit).await.unwrap();

        let mirror = Mirror::open(&state.join("repository")).await.unwrap();
        let remote = Remote {
            url: format!("file://{}", origin.display()),
            ..Remote::default()
        };
        let tip = mirror.fetch(&remote).await.unwrap();
        let into = state.join("files");
        for path in ["ops", "../state", "ops/../.."] {
            let taken = mirror.take_out(&tip, path, &into).await;
            assert!(
                matches!(taken, Err(GitError::Unsafe(_))),
                "{path}: {taken:?}"
            );
        }
        let strangers = mirror.for_others(&["https".to_owned()], 1000);
        let taken = strangers.take_out(&tip, "", &into).await;
        assert!(matches!(taken, Err(GitError::Large { .. })), "{taken:?}");
        let error = strangers.fetch(&remote).await.unwrap_err().to_string();
        assert!(error.contains("'file' not allowed"), "{error}");
    }
}
