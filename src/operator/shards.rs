//! Which replica works on which namespaces: so many shards, a Lease each.
//!
//! A replica renews the Leases it holds, takes those that are free while it has fewer than its share, and asks for one
//! of a replica that has more than its own, which then ends what it is doing there and gives it up. Every write names
//! the version that it replaces, so of two replicas one wins.
//!
//! No clock of another machine is trusted: a Lease has run out when nobody renewed it for its duration before our own
//! eyes, and ours lasts from before the request that renewed it was sent, by a clock that also runs while the process
//! stands still. Whoever comes back late finds that it does not hold any more before it finds out why.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::aws::transport::Holds;
use crate::engine::lease::Stopwatch;

/// How long a Lease lasts without being renewed.
pub const LASTS: Duration = Duration::from_secs(8);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_millis(2500);
/// How often the Leases are looked at.
const LOOKED: Duration = Duration::from_secs(1);
/// For how long a Lease that was given up is kept for whoever asked for it.
const PROMISED: Duration = Duration::from_secs(3);
/// How long before it runs out nothing is sent any more.
const MARGIN: Duration = Duration::from_secs(1);
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// The label of the Leases of operators with the same number of shards.
const LABEL: &str = "stationbill.dev/shards";
/// Who asks for a Lease that another one holds.
const WANTED: &str = "stationbill.dev/wanted-by";

/// The shards of this replica.
pub struct Shards {
    number: u32,
    me: String,
    leases: Api<Lease>,
    stopwatch: Stopwatch,
    held: Mutex<BTreeMap<u32, Held>>,
    /// Told whenever a shard is gained or lost.
    changed: UnboundedSender<()>,
}

/// A shard that is held.
struct Held {
    /// Until when, by the stopwatch.
    until: Arc<Mutex<Duration>>,
    renewed: Duration,
    lease: Lease,
    /// Cancelled when the shard is lost or given up.
    stop: CancellationToken,
    /// One for each run, and this one.
    runs: Arc<()>,
}

/// What a run gets of its shard: it works while it may.
#[derive(Clone)]
pub struct Lent {
    /// Cancelled when the shard is lost or given up.
    pub stop: CancellationToken,
    /// Whether the Lease still lasts.
    pub holds: Holds,
    /// The shard is not given up before the run has ended.
    _runs: Arc<()>,
}

/// What was seen of a Lease, and since when.
struct Seen {
    version: Option<String>,
    since: Duration,
}

impl Shards {
    /// Makes a replica that holds nothing yet. `me` tells it from all others.
    pub fn new(
        client: Client,
        namespace: &str,
        number: u32,
        me: String,
        stopwatch: Stopwatch,
        changed: UnboundedSender<()>,
    ) -> Self {
        Self {
            number,
            me,
            leases: Api::namespaced(client, namespace),
            stopwatch,
            held: Mutex::default(),
            changed,
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u32, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a namespace is this replica's to work on.
    pub fn has(&self, namespace: &str) -> bool {
        self.held()
            .get(&shard(namespace, self.number))
            .is_some_and(|held| !held.stop.is_cancelled())
    }

    /// Returns how many shards are held.
    pub fn count(&self) -> usize {
        self.held().len()
    }

    /// Lends the shard of a namespace to a run.
    pub fn lend(&self, namespace: &str) -> Option<Lent> {
        let held = self.held();
        let held = held.get(&shard(namespace, self.number))?;
        let (until, stopwatch) = (held.until.clone(), self.stopwatch.clone());
        let holds = move || stopwatch() + MARGIN < *lock(&until);
        (!held.stop.is_cancelled()).then(|| Lent {
            stop: held.stop.clone(),
            holds: Arc::new(holds),
            _runs: held.runs.clone(),
        })
    }

    /// Takes, renews and gives up shards until `stop`; what is held then is given up once its runs have ended.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut seen: BTreeMap<u32, Seen> = BTreeMap::new();
        while !stop.is_cancelled() {
            if let Err(error) = self.turn(&mut seen).await {
                tracing::warn!(error, "cannot look at the Leases");
            }
            self.drop_expired();
            tokio::select! {
                () = sleep(LOOKED) => {}
                () = stop.cancelled() => {}
            }
        }
        self.held().values().for_each(|held| held.stop.cancel());
        while self.count() > 0 {
            self.renew_or_give_up().await;
            self.drop_expired();
            if self.count() > 0 {
                sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Looks at all Leases once, and does what there is to do.
    async fn turn(&self, seen: &mut BTreeMap<u32, Seen>) -> Result<(), String> {
        self.renew_or_give_up().await;
        let params = ListParams::default().labels(&format!("{LABEL}={}", self.number));
        let listed = timeout(PATIENCE, self.leases.list(&params)).await;
        let listed = listed.map_err(|_| "no answer in time".to_owned())?;
        let listed = listed.map_err(|error| crate::aws::chain(&error))?.items;
        let now = (self.stopwatch)();
        let named = listed.into_iter().filter_map(|lease| {
            let name = lease.metadata.name.clone()?;
            let shard = (0..self.number).find(|shard| self.name(*shard) == name)?;
            Some((shard, lease))
        });
        let leases: BTreeMap<u32, Lease> = named.collect();
        for (shard, lease) in &leases {
            let version = lease.metadata.resource_version.clone();
            let entry = seen.entry(*shard).or_insert_with(|| Seen {
                version: version.clone(),
                since: now,
            });
            if entry.version != version {
                *entry = Seen {
                    version,
                    since: now,
                };
            }
        }
        let lasts = |shard: &u32, lease: &Lease| {
            let looked = seen
                .get(shard)
                .map_or(Duration::ZERO, |s| now.saturating_sub(s.since));
            holder(lease).is_some() && looked < duration(lease)
        };
        let live = leases.iter().filter(|(shard, lease)| lasts(shard, lease));
        let mut holders: BTreeMap<String, usize> = BTreeMap::new();
        for (_, lease) in live {
            *holders
                .entry(holder(lease).unwrap_or_default().to_owned())
                .or_default() += 1;
        }
        holders.entry(self.me.clone()).or_default();
        // Those who wait for a shard count too, while what they asked for is fresh: they may have died since.
        let waited = |shard: &u32| {
            let seen = seen.get(shard);
            seen.map_or(Duration::ZERO, |seen| now.saturating_sub(seen.since))
        };
        for (shard, lease) in &leases {
            if let Some(other) = wanted_by(lease).filter(|_| waited(shard) <= PROMISED) {
                holders.entry(other.to_owned()).or_default();
            }
        }
        let replicas = holders.len();
        let most = (self.number as usize).div_ceil(replicas);
        let free = (0..self.number).filter(|shard| {
            leases.get(shard).is_none_or(|lease| {
                let promised = wanted_by(lease).is_some_and(|other| other != self.me);
                !lasts(shard, lease) && (!promised || waited(shard) > PROMISED)
            })
        });
        let mut none_free = true;
        for shard in free {
            none_free = false;
            if self.count() < most {
                self.take(shard, leases.get(&shard)).await;
            }
        }
        let least = self.number as usize / replicas;
        let asked = leases
            .values()
            .any(|lease| wanted_by(lease) == Some(&self.me));
        if none_free && self.count() < least && !asked {
            self.ask(&leases, &holders).await;
        }
        Ok(())
    }

    /// Asks for a shard of the replica that has most.
    async fn ask(&self, leases: &BTreeMap<u32, Lease>, holders: &BTreeMap<String, usize>) {
        let richest = holders.iter().max_by_key(|(_, count)| **count);
        let Some((richest, _)) = richest.filter(|(_, count)| **count > self.count() + 1) else {
            return;
        };
        let mut theirs = leases
            .values()
            .filter(|lease| holder(lease) == Some(richest));
        let Some(lease) = theirs.find(|lease| wanted_by(lease).is_none()) else {
            return;
        };
        let mut lease = lease.clone();
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.insert(WANTED.to_owned(), self.me.clone());
        // Whoever renewed it meanwhile made this fail; the next look tries again.
        let _ = self.write(&lease).await;
    }

    async fn take(&self, shard: u32, lease: Option<&Lease>) {
        let now = (self.stopwatch)();
        let fresh = self.fresh(shard, lease);
        let written = if lease.is_some() {
            self.write(&fresh).await
        } else {
            let params = PostParams::default();
            let created = self.leases.create(&params, &fresh);
            timeout(PATIENCE, created).await.ok().and_then(Result::ok)
        };
        let Some(lease) = written else { return };
        tracing::info!(shard, of = self.number, "took the shard");
        let held = Held {
            until: Arc::new(Mutex::new(now + LASTS)),
            renewed: now,
            lease,
            stop: CancellationToken::new(),
            runs: Arc::default(),
        };
        self.held().insert(shard, held);
        let _ = self.changed.send(());
    }

    fn fresh(&self, shard: u32, lease: Option<&Lease>) -> Lease {
        let before = lease.cloned().unwrap_or_default();
        let spec = before.spec.unwrap_or_default();
        let now = MicroTime(Timestamp::now());
        Lease {
            metadata: ObjectMeta {
                name: Some(self.name(shard)),
                labels: Some(BTreeMap::from([(
                    LABEL.to_owned(),
                    self.number.to_string(),
                )])),
                resource_version: before.metadata.resource_version,
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.me.clone()),
                lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
                acquire_time: Some(now.clone()),
                renew_time: Some(now),
                lease_transitions: Some(spec.lease_transitions.unwrap_or_default() + 1),
                ..LeaseSpec::default()
            }),
        }
    }

    /// Renews every shard that is held; gives up those that are wanted by others, or that nobody works on any more.
    async fn renew_or_give_up(&self) {
        let now = (self.stopwatch)();
        let held: Vec<(u32, Lease, bool, bool)> = {
            let held = self.held();
            let all = held.iter().map(|(shard, held)| {
                let idle = held.stop.is_cancelled() && Arc::strong_count(&held.runs) == 1;
                let due = now.saturating_sub(held.renewed) >= RENEWED;
                (*shard, held.lease.clone(), idle, due)
            });
            all.filter(|(_, _, idle, due)| *idle || *due).collect()
        };
        let work = held
            .into_iter()
            .map(|(shard, lease, idle, _)| self.renew(shard, lease, idle));
        join_all(work).await;
    }

    async fn renew(&self, shard: u32, mut lease: Lease, give_up: bool) {
        let now = (self.stopwatch)();
        let spec = lease.spec.get_or_insert_default();
        if give_up {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
        }
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        let written = timeout(
            PATIENCE,
            self.leases
                .replace(&self.name(shard), &PostParams::default(), &lease),
        )
        .await;
        match written {
            Ok(Ok(_)) if give_up => {
                tracing::info!(shard, of = self.number, "gave up the shard");
                self.lose(shard);
            }
            Ok(Ok(lease)) => {
                if let Some(held) = self.held().get_mut(&shard) {
                    *lock(&held.until) = now + LASTS;
                    held.renewed = now;
                    held.lease = lease;
                }
            }
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => self.look(shard).await,
            Ok(Err(error)) => {
                tracing::warn!(
                    shard,
                    error = crate::aws::chain(&error),
                    "cannot renew the Lease"
                );
            }
            Err(_) => tracing::warn!(shard, "cannot renew the Lease in time"),
        }
    }

    /// Somebody has written a Lease of ours: either asks for it, or has taken it.
    async fn look(&self, shard: u32) {
        let name = self.name(shard);
        let Ok(Ok(lease)) = timeout(PATIENCE, self.leases.get(&name)).await else {
            return;
        };
        if holder(&lease) != Some(&self.me) {
            tracing::warn!(shard, holder = holder(&lease), "lost the shard");
            self.lose(shard);
            return;
        }
        if let Some(held) = self.held().get_mut(&shard) {
            if let Some(other) = wanted_by(&lease) {
                tracing::info!(shard, wanted_by = other, "giving up the shard");
                held.stop.cancel();
            }
            held.lease = lease;
            // It is renewed at the next look.
            held.renewed = Duration::ZERO;
        }
        let _ = self.changed.send(());
    }

    fn drop_expired(&self) {
        let now = (self.stopwatch)();
        let expired: BTreeSet<u32> = {
            let held = self.held();
            let expired = held.iter().filter(|(_, held)| *lock(&held.until) <= now);
            expired.map(|(shard, _)| *shard).collect()
        };
        for shard in expired {
            tracing::warn!(shard, "the Lease of the shard ran out");
            self.lose(shard);
        }
    }

    fn lose(&self, shard: u32) {
        let lost = self.held().remove(&shard);
        if let Some(held) = lost {
            *lock(&held.until) = Duration::ZERO;
            held.stop.cancel();
            let _ = self.changed.send(());
        }
    }

    async fn write(&self, lease: &Lease) -> Option<Lease> {
        let name = lease.metadata.name.clone().unwrap_or_default();
        let params = PostParams::default();
        let written = self.leases.replace(&name, &params, lease);
        timeout(PATIENCE, written).await.ok().and_then(Result::ok)
    }

    fn name(&self, shard: u32) -> String {
        format!("stationbill-shard-{shard}-of-{}", self.number)
    }
}

fn lock(until: &Mutex<Duration>) -> MutexGuard<'_, Duration> {
    until.lock().unwrap_or_else(PoisonError::into_inner)
}

fn holder(lease: &Lease) -> Option<&str> {
    let holder = lease.spec.as_ref()?.holder_identity.as_deref();
    holder.filter(|holder| !holder.is_empty())
}

fn wanted_by(lease: &Lease) -> Option<&str> {
    let annotations = lease.metadata.annotations.as_ref()?;
    annotations.get(WANTED).map(String::as_str)
}

fn duration(lease: &Lease) -> Duration {
    let seconds = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_duration_seconds);
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(LASTS, Duration::from_secs)
}

/// Returns the shard of a namespace: FNV-1a, the same in every version.
fn shard(namespace: &str, number: u32) -> u32 {
    struct Fnv(u64);
    impl std::hash::Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(namespace.as_bytes());
    // The low bits of FNV mix worst.
    let mixed = hasher.finish() ^ (hasher.finish() >> 32);
    u32::try_from(mixed % u64::from(number.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_spread_over_all_shards() {
        let mut counts = [0_u32; 6];
        for number in 0..600 {
            counts[shard(&format!("team-{number}"), 6) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (70..130).contains(count)),
            "{counts:?}"
        );
        assert_eq!(shard("anything", 1), 0);
    }
}
