//! One look at the repository of one Stack: the credentials, the newest commit, and whether its documents are right.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::cache::Object;
use super::sources::{Checkout, Documents, GitOptions, Hindrance, Reading, Sources};
use super::writer::Writer;
use crate::aws::chain;
use crate::git::{Credentials, Followed, Follower, Mirror, Obstacle, Remote, Signers};
use crate::kinds;
use crate::load::{self, Git, StackSpec};
use crate::model::digest::sha256;
use crate::model::{Report, Severity, Spec as _};

/// How many bytes of files a repository may have. Other Stacks share the memory, and documents are small.
const MOST: u64 = 32 << 20;
/// How many problems of a commit are told.
const TOLD: usize = 3;
/// What begins the names of folders with credentials.
const PROOF: &str = "proof-";
/// The user name for HTTPS where the Secret has none: with a token most servers take any.
const USER: &str = "stationbill";

/// One look.
pub(super) struct Poll<'a> {
    pub(super) sources: &'a Sources,
    pub(super) namespace: &'a str,
    pub(super) stack: &'a Object,
    pub(super) spec: &'a StackSpec,
    pub(super) git: &'a Git,
}

/// What is kept between two looks.
pub(super) struct Slot {
    /// The repository that is followed.
    git: Git,
    /// What else decides whether a commit is good.
    subject: String,
    /// Whether the commit that was kept by whoever was here before has been judged.
    resumed: bool,
    follower: Follower<Arc<Documents>>,
}

/// Credentials, in files that go with this value.
struct Proof {
    credentials: Credentials,
    signers: Option<Signers>,
    /// What tells one list of signers from another.
    signed_by: String,
    files: TempDir,
}

impl Poll<'_> {
    /// Looks at the repository. What is in force stays so, whatever is found.
    pub(super) async fn run(&self, slot: Option<Slot>) -> (Option<Slot>, Reading) {
        let mut slot = slot.filter(|slot| slot.git == *self.git);
        let looked = self.look(&mut slot).await;
        let good = slot.as_ref().and_then(|slot| slot.follower.good());
        let good = good.map(|good| Checkout {
            commit: good.commit.clone(),
            documents: good.documents.clone(),
        });
        let reading = Reading {
            git: self.git.clone(),
            good,
            hindrance: looked.err(),
        };
        (slot, reading)
    }

    /// Says why the newest commit is not in force, if it is not.
    async fn look(&self, slot: &mut Option<Slot>) -> Result<(), Hindrance> {
        let Some(options) = &self.sources.options else {
            let why = "this operator keeps no repositories: start it with `--git-state DIR`";
            return Err(Hindrance::wrong(why));
        };
        self.allowed(options).map_err(Hindrance::wrong)?;
        let folder = self.folder(options);
        let slot = match slot {
            Some(slot) => slot,
            none => none.insert(self.open(options, &folder).await?),
        };
        let proof = match self.proof(&folder).await {
            Ok(proof) => proof,
            Err(hindrance) => {
                // What was kept stays in force without the repository, but not without its signature.
                if self.git.allowed_signers.is_none() {
                    self.resume(slot, &self.followed(None)).await?;
                }
                return Err(hindrance);
            }
        };
        let subject = format!("{:?} {}", self.spec.targets, proof.signed_by);
        if slot.subject != subject {
            slot.subject = subject;
            slot.follower.doubt();
        }
        let followed = self.followed(Some(&proof));
        self.resume(slot, &followed).await?;
        let Some(obstacle) = slot.follower.look(&followed, self.check()).await else {
            return Ok(());
        };
        if let (Obstacle::Refused { .. }, None) = (&obstacle, slot.follower.good())
            && let Some(source) = Writer::status(self.stack).source
            && let Some(commit) = source.commit
        {
            // Whoever followed before us knew a good one, and its folder has gone with it.
            let back = slot.follower.recall(&followed, &commit, self.check());
            back.await;
        }
        let told = obstacle.to_string();
        Err(match obstacle {
            Obstacle::Away { .. } => Hindrance::later(told),
            Obstacle::Refused { commit, .. } => Hindrance {
                newest: Some(commit),
                ..Hindrance::wrong(told)
            },
        })
    }

    /// Judges what was kept by whoever was here before.
    async fn resume(&self, slot: &mut Slot, followed: &Followed) -> Result<(), Hindrance> {
        if !slot.resumed {
            let resumed = slot.follower.resume(followed, self.check()).await;
            resumed.map_err(|error| Hindrance::later(chain(&error)))?;
            slot.resumed = true;
        }
        Ok(())
    }

    /// Says why a repository may not be asked at all.
    fn allowed(&self, options: &GitOptions) -> Result<(), String> {
        let mut report = Report::default();
        self.spec.validate(&mut report);
        if let Some(finding) = report.diagnostics.first() {
            return Err(load::told(finding));
        }
        let Some(protocol) = protocol(&self.git.url) else {
            return Err("`source.git.url` is no repository: write `https://…`, `ssh://…` or `user@host:path`".to_owned());
        };
        if has_password(&self.git.url) {
            return Err(
                "`source.git.url` has a password in it: put it into a Secret, and name that in `source.git.secretRef`"
                    .to_owned(),
            );
        }
        if !options.protocols.iter().any(|known| known == protocol) {
            return Err(format!(
                "`source.git.url` wants the protocol `{protocol}`, and this operator allows {} (`--git-protocols`)",
                options.protocols.join(", ")
            ));
        }
        if protocol == "ssh" && self.git.secret_ref.is_none() {
            return Err("SSH needs a Secret with `identity` and `known_hosts`: name it in `source.git.secretRef`".to_owned());
        }
        Ok(())
    }

    /// Returns the folder of a repository; those of others that the namespace had go.
    fn folder(&self, options: &GitOptions) -> PathBuf {
        let Git {
            url,
            reference,
            path,
            ..
        } = self.git;
        let which = format!("{url}\n{reference:?}\n{path:?}");
        let mut name = sha256(&which);
        name.truncate(16);
        let all = options.folder.join(self.namespace);
        for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
            if entry.file_name() != *name {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        all.join(name)
    }

    async fn open(&self, options: &GitOptions, folder: &Path) -> Result<Slot, Hindrance> {
        // Whoever was killed could not take its credentials away.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(PROOF) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let mirror = Mirror::open(&folder.join("repository")).await;
        let mirror = mirror.map_err(|error| Hindrance::later(chain(&error)))?;
        let mirror = mirror.for_others(&options.protocols, MOST);
        Ok(Slot {
            git: self.git.clone(),
            subject: String::new(),
            resumed: false,
            follower: Follower::new(mirror, folder),
        })
    }

    fn followed(&self, proof: Option<&Proof>) -> Followed {
        Followed {
            remote: Remote {
                url: self.git.url.clone(),
                reference: self.git.reference.clone(),
                credentials: proof
                    .map(|proof| proof.credentials.clone())
                    .unwrap_or_default(),
            },
            path: self.git.path.clone().unwrap_or_default(),
            signers: proof.and_then(|proof| proof.signers.clone()),
        }
    }

    /// Reads what proves who asks, and who may sign.
    async fn proof(&self, folder: &Path) -> Result<Proof, Hindrance> {
        let writer = &self.sources.writer;
        let files = tempfile::Builder::new()
            .prefix(PROOF)
            .tempdir_in(folder)
            .map_err(|error| {
                Hindrance::later(format!("cannot write to `{}`: {error}", folder.display()))
            })?;
        let mut proof = Proof {
            credentials: Credentials::default(),
            signers: None,
            signed_by: String::new(),
            files,
        };
        if let Some(secret) = &self.git.secret_ref {
            let name = &secret.name;
            let cannot = |why: &str| format!("Secret `{name}` cannot be read: {why}");
            let data = writer.secret_data(self.namespace, name).await;
            let data = data.map_err(|why| Hindrance::later(cannot(&why)))?;
            let text = |key: &str| {
                let bytes = data.get(key)?;
                Some(String::from_utf8_lossy(bytes).trim_end().to_owned())
                    .filter(|text| !text.is_empty())
            };
            let lacks = |what: &str| Hindrance::later(format!("Secret `{name}` has no {what}"));
            let write = |name: &str, text: &str| {
                let file = proof.files.path().join(name);
                private(&file, text)
                    .map_err(|error| Hindrance::later(cannot(&error.to_string())))?;
                Ok::<_, Hindrance>(file)
            };
            let credentials = if protocol(&self.git.url) == Some("ssh") {
                let (Some(identity), Some(hosts)) = (text("identity"), text("known_hosts")) else {
                    return Err(lacks("`identity` and `known_hosts`, which SSH needs"));
                };
                Credentials {
                    key: Some(write("identity", &identity)?),
                    known_hosts: Some(write("known_hosts", &hosts)?),
                    ..Credentials::default()
                }
            } else {
                let (password, authorities) = (text("password"), text("ca.crt"));
                if password.is_none() && authorities.is_none() {
                    return Err(lacks("`password`, nor `ca.crt`"));
                }
                let user = text("username").unwrap_or_else(|| USER.to_owned());
                let authorities = authorities.map(|text| write("ca.crt", &text));
                Credentials {
                    password: password.map(|password| (user, password)),
                    authorities: authorities.transpose()?,
                    ..Credentials::default()
                }
            };
            proof.credentials = credentials;
        }
        if let Some(from) = &self.git.allowed_signers {
            let map = &from.config_map;
            let text = writer.config_map(self.namespace, &map.name, &map.key).await;
            let text = text.map_err(|why| {
                Hindrance::later(format!(
                    "key `{}` of ConfigMap `{}` cannot be read: {why}",
                    map.key, map.name
                ))
            })?;
            let file = proof.files.path().join("allowed_signers");
            let written = private(&file, &text);
            written.map_err(|error| {
                Hindrance::later(format!("cannot write to `{}`: {error}", folder.display()))
            })?;
            proof.signers = Some(Signers(file));
            proof.signed_by = text;
        }
        Ok(proof)
    }

    /// Returns what makes of the files of a commit its documents, or says why they are wrong.
    fn check(&self) -> impl Fn(&Path) -> Result<Arc<Documents>, String> {
        let (name, spec) = (self.name(), self.spec.clone());
        let path = self.git.path.clone().unwrap_or_default();
        move |folder: &Path| {
            let read = load::of_repository(folder, &name, spec.clone(), &kinds::specs());
            let mut repository = read.map_err(|error| chain(&error))?;
            let report = &repository.loaded.report;
            if !report.is_ok() {
                return Err(told(report, folder, &path));
            }
            if let Some(own) = repository.own.as_ref().filter(|own| own.name != name) {
                return Err(format!(
                    "the repository has a Stack `{}`, and this one is `{name}`: whose an AWS object is goes by the name",
                    own.name
                ));
            }
            if repository.loaded.objects.is_empty() && repository.loaded.targets.is_empty() {
                return Err(
                    "it has no document of Stationbill there; see `source.git.path`".to_owned(),
                );
            }
            // The files were right: nobody will draw carets in them.
            repository.loaded.sources = load::Sources::default();
            Ok(Arc::new(Documents {
                repository,
                targets: spec.targets.clone(),
            }))
        }
    }

    fn name(&self) -> String {
        self.stack.metadata.name.clone().unwrap_or_default()
    }
}

/// Writes a file that nobody else may read.
fn private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // SSH reads no key whose last line does not end.
    options
        .open(file)?
        .write_all(format!("{text}\n").as_bytes())
}

/// Returns the protocol of a repository, as Git calls it.
fn protocol(url: &str) -> Option<&str> {
    if let Some((scheme, rest)) = url.split_once("://") {
        return (!scheme.is_empty() && !rest.is_empty()).then_some(scheme);
    }
    // `user@host:path`; with a `/` before the colon it is a file.
    let (host, path) = url.split_once(':')?;
    (!host.is_empty() && !path.is_empty() && !host.contains('/')).then_some("ssh")
}

/// Says whether a URL has more than a user name before the host.
fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    host.rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

/// Words what is wrong with documents, with files as the repository calls them.
fn told(report: &Report, folder: &Path, path: &str) -> String {
    let errors = report.diagnostics.iter();
    let errors: Vec<_> = errors
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    let within = |file: &str| {
        let rest = Path::new(file).strip_prefix(folder);
        rest.map_or_else(
            |_| file.to_owned(),
            |rest| {
                Path::new(path.trim_start_matches("./"))
                    .join(rest)
                    .display()
                    .to_string()
            },
        )
    };
    let mut all: Vec<String> = errors
        .iter()
        .take(TOLD)
        .map(|finding| {
            let place = finding
                .place
                .as_ref()
                .filter(|place| !place.file.is_empty());
            let hint = finding.hint.as_ref();
            let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
            match place {
                Some(place) => {
                    format!(
                        "{}:{}: {}{hint}",
                        within(&place.file),
                        place.line,
                        finding.message
                    )
                }
                None => format!("{}{hint}", finding.message),
            }
        })
        .collect();
    if errors.len() > TOLD {
        all.push(format!("and {} more", errors.len() - TOLD));
    }
    // A message or a hint may name a file by the whole path.
    let place = format!("{}/", folder.display());
    all.join("; ").replace(&place, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_asks_for_is_known() {
        for (url, expected) in [
            ("https://git.example.com/a.git", Some("https")),
            ("ssh://git@git.example.com/a.git", Some("ssh")),
            ("git@git.example.com:a/b.git", Some("ssh")),
            ("file:///etc", Some("file")),
            ("/etc", None),
            ("./a:b", None),
            ("", None),
        ] {
            assert_eq!(protocol(url), expected, "{url}");
        }
        assert!(has_password("https://bot:s3cret@git.example.com/a"));
        assert!(!has_password("https://org@dev.azure.com/org/a:b@c"));
        assert!(!has_password("git@git.example.com:a"));
    }
}
