//! The Kubernetes door: the same engine, started by what an API server has.
//!
//! The unit is a namespace with its Stack: all of its objects are loaded, observed, planned and applied together, so that
//! a hundred of them cost two list calls and not a hundred. [`cache`] knows what the API server has, [`queue`] when to
//! look where, [`shards`] which replica looks, [`reconcile`] what a look does, and [`status`] what is said of it. [`sources`]
//! knows the repositories that Stacks name, which are looked at beside all this. Nothing here knows a kind.

pub mod cache;
pub mod crd;
mod fate;
pub mod limits;
mod poll;
pub mod queue;
mod reconcile;
mod referred;
mod repository;
pub mod resource;
mod run;
pub mod shards;
mod sources;
mod stands;
pub mod status;
mod telling;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::aws::Connector;
use crate::engine::lease::stopwatch;
use crate::service::{self, Status as Service};
use cache::Cache;
use limits::Limits;
use queue::Queue;
use reconcile::{Next, Reconciler};
use shards::Shards;
pub use sources::GitOptions;
use sources::Sources;
use writer::Writer;

/// How long to wait after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(2);
/// How long to wait at most.
const LONGEST: Duration = Duration::from_mins(5);

/// What the operator is told.
pub struct Options {
    /// The namespaces to watch; all of them when none is named.
    pub namespaces: Vec<String>,
    /// The namespace of the Leases.
    pub home: String,
    /// How many shards there are; every replica must say the same.
    pub shards: u32,
    /// How many namespaces are looked at at once.
    pub concurrency: usize,
    /// Which namespaces may use what.
    pub limits: Option<Limits>,
    /// Where repositories are kept that Stacks name; `None` when there is no place for them.
    pub git: Option<GitOptions>,
    /// The way to AWS.
    pub connector: Connector,
    /// What tells this replica from all others.
    pub me: String,
    /// What is shown over HTTP.
    pub service: Service,
}

/// The operator, ready to run.
pub struct Operator {
    client: Client,
    options: Options,
    cache: Arc<Cache>,
    shards: Arc<Shards>,
    wanted: UnboundedReceiver<String>,
    /// Told of a namespace in which something is to be looked at.
    tell: UnboundedSender<String>,
    changed: UnboundedReceiver<()>,
}

/// One look that is under way.
struct Running {
    stop: CancellationToken,
    task: tokio::task::Id,
    /// Whether it began when nothing was to be begun any more.
    halted: bool,
}

impl Operator {
    /// Makes one that does nothing yet.
    pub fn new(client: Client, options: Options) -> Self {
        let (tell, wanted) = unbounded_channel();
        let (shout, changed) = unbounded_channel();
        let shards = Shards::new(
            client.clone(),
            &options.home,
            options.shards.max(1),
            options.me.clone(),
            stopwatch(),
            shout,
        );
        Self {
            cache: Arc::new(Cache::new(&options.namespaces, tell.clone())),
            shards: Arc::new(shards),
            client,
            options,
            wanted,
            tell,
            changed,
        }
    }

    /// Returns what it knows of the API server.
    pub fn cache(&self) -> Arc<Cache> {
        self.cache.clone()
    }

    /// Returns its shards.
    pub fn shards(&self) -> Arc<Shards> {
        self.shards.clone()
    }

    /// Works until `stop`: then nothing new begins, what is in flight ends, and the shards are given up.
    pub async fn run(self, stop: &CancellationToken) {
        let Self {
            client,
            options,
            cache,
            shards,
            wanted,
            tell,
            changed,
        } = self;
        let writer = Writer::new(client.clone(), &options.me);
        let (ask, asked) = unbounded_channel();
        let sources = Sources::new(
            options.git,
            cache.clone(),
            writer.clone(),
            ask,
            tell.clone(),
        );
        let sources = Arc::new(sources);
        let reconciler = Arc::new(Reconciler {
            cache: cache.clone(),
            writer: writer.clone(),
            sources: sources.clone(),
            stood: std::sync::Mutex::default(),
            connector: options.connector.clone(),
            limits: options.limits.clone(),
            connections: std::sync::Mutex::default(),
            metrics: options.service.metrics.clone(),
        });
        let watching = CancellationToken::new();
        let parts = cache.parts().iter();
        let watches = parts.map(|part| cache.watch(client.clone(), part, watching.clone()));
        let desk = Desk {
            reconciler,
            cache: cache.clone(),
            sources: sources.clone(),
            shards: shards.clone(),
            health: options.service.health.clone(),
            concurrency: options.concurrency.max(1),
            queue: Queue::default(),
            running: BTreeMap::new(),
            failures: BTreeMap::new(),
            looks: JoinSet::new(),
        };
        let work = async {
            let polls = sources.run(asked, &shards, stop);
            let rounds = writer.referred.run(&writer, &shards, &tell, stop);
            tokio::join!(
                desk.run(wanted, changed, stop),
                polls,
                rounds,
                shards.run(stop)
            );
            watching.cancel();
        };
        tokio::join!(work, join_all(watches));
    }
}

/// What decides which namespace is looked at when.
struct Desk {
    reconciler: Arc<Reconciler>,
    cache: Arc<Cache>,
    sources: Arc<Sources>,
    shards: Arc<Shards>,
    health: service::Health,
    concurrency: usize,
    queue: Queue,
    running: BTreeMap<String, Running>,
    failures: BTreeMap<String, u32>,
    looks: JoinSet<(String, Next)>,
}

impl Desk {
    async fn run(
        mut self,
        mut wanted: UnboundedReceiver<String>,
        mut changed: UnboundedReceiver<()>,
        stop: &CancellationToken,
    ) {
        let mut mine = BTreeSet::new();
        loop {
            self.begin();
            let next = self.next();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(namespace) = wanted.recv() => self.wanted(&namespace),
                Some(()) = changed.recv() => self.shared(&mut mine),
                Some(ended) = self.looks.join_next() => self.ended(ended),
                () = sleep_until(next.unwrap_or_else(far)), if next.is_some() => {}
            }
        }
        self.running.values().for_each(|look| look.stop.cancel());
        while self.looks.join_next().await.is_some() {}
    }

    /// Begins the looks that are due.
    fn begin(&mut self) {
        if !self.cache.ready() {
            let troubles = self.cache.troubles().into_iter();
            let troubles: Vec<String> = troubles
                .map(|((kind, _), why)| format!("{kind}: {why}"))
                .collect();
            let why = format!(
                "the API server has not been read yet; {}",
                troubles.join("; ")
            );
            self.health.unready(why.trim_end_matches("; "));
            return;
        }
        self.health.ready();
        while self.running.len() < self.concurrency {
            let (running, shards) = (&self.running, &self.shards);
            let may = |name: &str| !running.contains_key(name) && shards.has(name);
            let Some(namespace) = self.queue.take(Instant::now(), may) else {
                break;
            };
            let Some(lent) = self.shards.lend(&namespace) else {
                continue;
            };
            let stop = lent.stop.child_token();
            let (reconciler, name) = (self.reconciler.clone(), namespace.clone());
            let (cancel, runtime) = (stop.clone(), tokio::runtime::Handle::current());
            // A thread of its own: planning is work for a processor, and nobody's Lease shall wait for it.
            let task = self.looks.spawn_blocking(move || {
                let next = runtime.block_on(reconciler.reconcile(&name, &lent, &cancel));
                (name, next)
            });
            let task = task.id();
            let halted = self.halts(&namespace);
            self.running
                .insert(namespace, Running { stop, task, halted });
        }
    }

    /// Returns when the next look may begin.
    fn next(&self) -> Option<Instant> {
        if !self.cache.ready() {
            return Some(Instant::now() + Duration::from_millis(200));
        }
        if self.running.len() >= self.concurrency {
            return None;
        }
        let may = |name: &str| !self.running.contains_key(name) && self.shards.has(name);
        self.queue.next(may)
    }

    fn wanted(&mut self, namespace: &str) {
        self.queue.wanted(namespace, Instant::now());
        self.sources.ask(namespace);
        // To suspend a Stack, or to delete it, is to stop what is under way.
        if let Some(look) = self.running.get(namespace)
            && !look.halted
            && self.halts(namespace)
        {
            look.stop.cancel();
        }
    }

    /// Says whether nothing is to be begun in a namespace.
    fn halts(&self, namespace: &str) -> bool {
        let snapshot = self.cache.snapshot(namespace);
        snapshot.stacks.first().is_none_or(|stack| {
            let suspend = stack.data.pointer("/spec/suspend");
            suspend == Some(&serde_json::Value::Bool(true)) || resource::goes(stack)
        })
    }

    /// Looks at every namespace that has become ours, and forgets those that are not any more.
    fn shared(&mut self, mine: &mut BTreeSet<String>) {
        let now: BTreeSet<String> = self
            .cache
            .namespaces()
            .into_iter()
            .filter(|name| self.shards.has(name))
            .collect();
        for gained in now.difference(mine) {
            self.queue.wanted(gained, Instant::now());
            self.sources.ask(gained);
        }
        for lost in mine.difference(&now) {
            self.reconciler.leave(lost);
            self.sources.ask(lost);
        }
        *mine = now;
    }

    fn ended(&mut self, ended: Result<(String, Next), tokio::task::JoinError>) {
        let (namespace, next) = match ended {
            Ok(ended) => ended,
            // A bug, and no reason to leave the other namespaces alone.
            Err(error) => {
                tracing::error!(%error, "a look panicked");
                let mut looks = self.running.iter();
                let Some((name, _)) = looks.find(|(_, look)| look.task == error.id()) else {
                    return;
                };
                (name.clone(), Next::Retry)
            }
        };
        self.running.remove(&namespace);
        let failures = match next {
            Next::Retry => self.failures.get(&namespace).copied().unwrap_or_default() + 1,
            Next::Soon => self.failures.get(&namespace).copied().unwrap_or_default(),
            Next::Wanted | Next::Interval(_) => 0,
        };
        let after = match next {
            Next::Wanted => None,
            Next::Interval(interval) => Some(jittered(interval)),
            Next::Soon => Some(Duration::from_secs(1)),
            Next::Retry => {
                let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
                Some(jittered(doubled.min(LONGEST)))
            }
        };
        match failures {
            0 => drop(self.failures.remove(&namespace)),
            count => drop(self.failures.insert(namespace.clone(), count)),
        }
        if let Some(after) = after {
            self.queue.again(&namespace, Instant::now() + after);
        }
    }
}

/// Spreads looks: what began together need not stay together.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(rand::random_range(0.9..1.1))
}

fn far() -> Instant {
    Instant::now() + LONGEST
}
