//! The `Stack` document: what belongs together, and what one run may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::lifecycle::Mode;
use crate::model::{Place, Report, Spec};

/// The unit of ownership and of a run.
///
/// **What it manages:** nothing in AWS; its name is in the stamp of everything the stack owns.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Stack
/// metadata: { name: banana-stand }
/// spec:
///   prune: true
///   limits: { deletes: 3, replacements: 1 }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StackSpec {
    /// The names of the Targets that objects go to unless they say otherwise. Default: the account of the
    /// credentials at hand and the configured region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// `report` shows differences and writes nothing.
    #[serde(default)]
    pub mode: Mode,
    /// How often the operator and the Git watcher look, for instance `10m` or `1h30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Deletes what the stack owns and no document declares any more.
    #[serde(default)]
    pub prune: bool,
    /// How much one run may destroy; the command `destroy` has no limit.
    #[serde(default)]
    pub limits: Limits,
    /// Stops the operator and the Git watcher for this stack.
    #[serde(default)]
    pub suspend: bool,
    /// Where the operator takes the documents from. Default: the objects of the Stack's namespace. With a repository they
    /// all come from there, Targets too, and objects of the namespace are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// How much one run may destroy; whatever goes over a limit is blocked. The command `destroy` has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many objects one run may delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<u32>,
    /// How many objects one run may replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacements: Option<u32>,
}

/// Where the documents of a stack come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// A folder of a Git repository.
    pub git: Git,
}

/// A folder of a Git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Git {
    /// The repository: `https://…`, `ssh://…` or `user@host:path`. A password belongs into a Secret, not here.
    #[schemars(length(min = 1))]
    pub url: String,
    /// The branch or tag. Default: the repository's default branch.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The folder in the repository. Default: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often the repository is looked at, for instance `30s`. Default: a minute. AWS is looked at on every `interval`
    /// of the Stack, and when there is a new commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<String>,
    /// A Secret in the Stack's namespace that proves who asks. For HTTPS it has `password`, which may be a token, and
    /// `username` where the server wants a certain one; `ca.crt` has the authorities to trust. For SSH it has
    /// `identity`, a private key without a passphrase, and `known_hosts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// Who may sign commits, by SSH. With it a commit that none of them signed is not taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_signers: Option<AllowedSigners>,
}

/// A Secret in the Stack's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1))]
    pub name: String,
}

/// Where the list of those who may sign commits is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllowedSigners {
    /// A key of a ConfigMap in the Stack's namespace, with a line for each signer as `ssh-keygen` reads it.
    pub config_map: ConfigMapKey,
}

/// A key of a ConfigMap in the Stack's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigMapKey {
    /// The ConfigMap's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The key inside the ConfigMap.
    #[schemars(length(min = 1))]
    pub key: String,
}

impl Spec for StackSpec {
    const KIND: &'static str = "Stack";

    fn validate(&self, report: &mut Report) {
        let poll = self.source.as_ref().map(|source| &source.git.poll);
        let durations = [
            ("/interval", Some(&self.interval)),
            ("/source/git/poll", poll),
        ];
        for (at, text) in durations {
            if let Some(Some(text)) = text
                && interval(text).is_none()
            {
                let message = format!("`{text}` is no duration");
                report.error(
                    "bad-duration",
                    at,
                    message,
                    "for instance `10m`, `90s` or `1h30m`; at least one second",
                );
            }
        }
    }
}

/// Reads a duration of at least a second.
pub fn interval(text: &str) -> Option<std::time::Duration> {
    let duration: jiff::SignedDuration = text.parse().ok()?;
    let duration = std::time::Duration::try_from(duration).ok()?;
    (duration.as_secs() > 0).then_some(duration)
}

/// The one `Stack` of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// `metadata.name`, which is in the stamp of everything the stack owns.
    pub name: String,
    /// The names of the default Targets.
    pub targets: Vec<String>,
    /// Whether differences are written or only reported.
    pub mode: Mode,
    /// How often the operator and the Git watcher look.
    pub interval: Option<std::time::Duration>,
    /// Whether what is in no document is deleted.
    pub prune: bool,
    /// How much one run may destroy.
    pub limits: Limits,
    /// Whether the operator and the Git watcher leave the stack alone.
    pub suspend: bool,
    /// Where the operator takes the documents from.
    pub source: Option<Source>,
    /// Where it is declared.
    pub place: Place,
}

impl Stack {
    pub(super) fn new(name: String, spec: StackSpec, place: Place) -> Self {
        let StackSpec {
            targets,
            mode,
            interval: every,
            prune,
            limits,
            suspend,
            source,
        } = spec;
        Self {
            name,
            targets,
            mode,
            interval: every.as_deref().and_then(interval),
            prune,
            limits,
            suspend,
            source,
            place,
        }
    }

    /// Returns the Stack of a cluster over the one that its repository declares.
    ///
    /// The cluster's decides. The repository's own holds where it is more careful: `mode: report`, `suspend`, a lower
    /// limit; and its default Targets and `interval` where the cluster's has none.
    #[must_use]
    pub fn over(self, theirs: Option<&Self>) -> Self {
        let Some(theirs) = theirs else {
            return self;
        };
        let lower = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        Self {
            targets: if self.targets.is_empty() {
                theirs.targets.clone()
            } else {
                self.targets
            },
            mode: if theirs.mode == Mode::Report {
                theirs.mode
            } else {
                self.mode
            },
            interval: self.interval.or(theirs.interval),
            limits: Limits {
                deletes: lower(self.limits.deletes, theirs.limits.deletes),
                replacements: lower(self.limits.replacements, theirs.limits.replacements),
            },
            suspend: self.suspend || theirs.suspend,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::files;

    fn stack(spec: &str) -> Stack {
        let spec = serde_yaml::from_str(spec).unwrap();
        Stack::new("shop".to_owned(), spec, files::start_of(""))
    }

    #[test]
    fn a_repository_may_hold_back_and_not_go_further() {
        let cluster = "{ targets: [production], interval: 10m, limits: { deletes: 3 } }";
        let theirs = stack(
            "{ mode: report, suspend: true, prune: true, interval: 1m, targets: [all], \
             limits: { deletes: 9, replacements: 1 } }",
        );
        let both = stack(cluster).over(Some(&theirs));
        let expected = stack(
            "{ targets: [production], interval: 10m, mode: report, suspend: true, \
             limits: { deletes: 3, replacements: 1 } }",
        );
        assert_eq!(both, expected);
        let bare = stack("{ prune: true }").over(Some(&stack("{ interval: 1m, targets: [all] }")));
        assert_eq!(bare, stack("{ prune: true, interval: 1m, targets: [all] }"));
    }
}
