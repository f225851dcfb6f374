//! The Secrets and ConfigMaps that documents refer to: a change in one calls for a look.
//!
//! They are not watched. Whoever may watch Secrets may list them with all that they hold, and to get the metadata of
//! one whose name a document says needs no right that the operator has not. What was read is remembered by its version
//! alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::shards::Shards;
use super::writer::Writer;

/// How long to wait before all of them are looked at again.
const EVERY: Duration = Duration::from_secs(15);
/// How long to wait between two: the API server has other work.
const BETWEEN: Duration = Duration::from_millis(40);

/// What a document may refer to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Referral {
    /// A Secret of this name.
    Secret(String),
    /// A ConfigMap of this name.
    ConfigMap(String),
}

/// Which version was read of what; `None` of what is not there. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Referred {
    versions: Arc<Mutex<Versions>>,
}

/// By namespace.
type Versions = BTreeMap<String, BTreeMap<Referral, Option<String>>>;

impl Referred {
    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what was read.
    pub(super) fn read(&self, namespace: &str, referral: Referral, version: Option<String>) {
        let mut versions = self.versions();
        let of = versions.entry(namespace.to_owned()).or_default();
        of.insert(referral, version);
    }

    /// Forgets what the documents of a namespace referred to.
    pub(super) fn forget(&self, namespace: &str) {
        self.versions().remove(namespace);
    }

    /// Looks at all of them again and again, and tells of the namespaces in which one is another, until `stop`.
    pub(super) async fn run(
        &self,
        writer: &Writer,
        shards: &Shards,
        tells: &UnboundedSender<String>,
        stop: &CancellationToken,
    ) {
        let round = async {
            loop {
                sleep(EVERY).await;
                let all = self.versions().clone();
                for (namespace, referred) in all {
                    if shards.has(&namespace) && self.moved(writer, &namespace, referred).await {
                        // Nobody listens any more when the operator ends.
                        let _ = tells.send(namespace);
                    }
                }
            }
        };
        tokio::select! {
            () = round => {}
            () = stop.cancelled() => {}
        }
    }

    /// Says whether anything is not as it was read.
    async fn moved(
        &self,
        writer: &Writer,
        namespace: &str,
        referred: BTreeMap<Referral, Option<String>>,
    ) -> bool {
        let mut moved = false;
        for (referral, version) in referred {
            sleep(BETWEEN).await;
            // What cannot be read now is read at the next interval, and told then.
            if let Ok(now) = writer.version(namespace, &referral).await
                && now != version
            {
                moved = true;
                self.read(namespace, referral, now);
            }
        }
        moved
    }
}
