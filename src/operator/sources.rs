//! The repositories that Stacks name: which is looked at when, and what was found there.
//!
//! They are looked at beside the looks at AWS and not within them, so that a server that does not answer keeps nobody
//! waiting but its own Stack. A look takes what was found last; what is new calls for one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, Object};
use super::poll::{Poll, Slot};
use super::resource::Wanted;
use super::shards::Shards;
use super::status::State;
use super::writer::Writer;
use super::{LONGEST, far, jittered};
use crate::git::Commit;
use crate::load::{Git, Repository, StackSpec, interval};
use crate::model::sensitive::hide_addresses;

/// How often a repository is looked at whose Stack does not say.
const POLL: Duration = Duration::from_mins(1);
/// How many repositories are looked at at once.
const AT_ONCE: usize = 8;

/// Where repositories are kept, and how they may be reached.
#[derive(Clone, Debug)]
pub struct GitOptions {
    /// A folder for them; it is safe to lose.
    pub folder: PathBuf,
    /// The protocols that a Stack may name, as Git calls them.
    pub protocols: Vec<String>,
}

/// What is known of all repositories.
pub(super) struct Sources {
    /// Where they are kept; `None` where the operator keeps none.
    pub(super) options: Option<GitOptions>,
    /// What the API server has.
    pub(super) cache: Arc<Cache>,
    /// The way to it.
    pub(super) writer: Writer,
    known: Mutex<BTreeMap<String, Reading>>,
    asks: UnboundedSender<String>,
    /// Told of a namespace whose repository has something new.
    tells: UnboundedSender<String>,
}

/// What is known of the repository of a Stack.
#[derive(Clone)]
pub(super) struct Reading {
    /// Which one.
    pub(super) git: Git,
    /// The last good commit.
    pub(super) good: Option<Checkout>,
    /// Why the newest commit is not in force, if it is not.
    pub(super) hindrance: Option<Hindrance>,
}

/// A commit whose documents are right.
#[derive(Clone)]
pub(super) struct Checkout {
    /// The commit.
    pub(super) commit: Commit,
    /// Its documents.
    pub(super) documents: Arc<Documents>,
}

/// Documents, and what they were found right with.
pub(super) struct Documents {
    /// What the repository says.
    pub(super) repository: Repository,
    /// The default Targets of the cluster's Stack then: they must be there.
    pub(super) targets: Vec<String>,
}

/// Why the newest commit is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hindrance {
    /// Whether a person must act.
    pub(super) state: State,
    /// What to say.
    pub(super) why: String,
    /// The newest commit, where it is known.
    pub(super) newest: Option<Commit>,
}

impl Hindrance {
    /// Says that it may be better later.
    pub(super) fn later(why: impl Into<String>) -> Self {
        Self {
            state: State::Failed,
            why: hide_addresses(&why.into()),
            newest: None,
        }
    }

    /// Says that a person must act.
    pub(super) fn wrong(why: impl Into<String>) -> Self {
        Self {
            state: State::Invalid,
            why: hide_addresses(&why.into()),
            newest: None,
        }
    }

    /// Says whether it is the same as before: times and numbers of ports in what Git says differ each time.
    fn same(&self, before: &Self) -> bool {
        let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        let Self { state, why, newest } = self;
        *state == before.state && *newest == before.newest && words(why) == words(&before.why)
    }
}

impl Reading {
    /// Says whether it calls for a look at AWS.
    fn news(&self, before: &Self) -> bool {
        let of = |reading: &Self| {
            let good = reading.good.as_ref();
            good.map(|good| (good.commit.clone(), good.documents.targets.clone()))
        };
        self.git != before.git || of(self) != of(before) || self.hindrance != before.hindrance
    }
}

/// Returns the repository that a Stack names, and all that the Stack says; `None` while it is suspended.
fn followed(stack: &Object) -> Option<(StackSpec, Git)> {
    let spec = stack.data.get("spec").cloned().unwrap_or_default();
    let spec: StackSpec = serde_json::from_value(spec).ok()?;
    let git = spec.source.clone().filter(|_| !spec.suspend)?.git;
    Some((spec, git))
}

impl Sources {
    /// Knows of none yet.
    pub(super) fn new(
        options: Option<GitOptions>,
        cache: Arc<Cache>,
        writer: Writer,
        asks: UnboundedSender<String>,
        tells: UnboundedSender<String>,
    ) -> Self {
        Self {
            options,
            cache,
            writer,
            known: Mutex::default(),
            asks,
            tells,
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Reading>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was found last in the repository of a namespace's Stack; `None` before it was looked at.
    pub(super) fn reading(&self, namespace: &str, git: &Git) -> Option<Reading> {
        let known = self.known();
        known.get(namespace).filter(|r| r.git == *git).cloned()
    }

    /// Asks for a look at the repository of a namespace, if its Stack has one and wants something new.
    pub(super) fn ask(&self, namespace: &str) {
        // Nobody listens any more when the operator ends.
        let _ = self.asks.send(namespace.to_owned());
    }

    /// Looks at repositories until `stop`.
    pub(super) async fn run(
        self: Arc<Self>,
        mut asked: UnboundedReceiver<String>,
        shards: &Shards,
        stop: &CancellationToken,
    ) {
        let mut desk = Desk {
            sources: self,
            due: BTreeMap::new(),
            wanted: BTreeMap::new(),
            slots: BTreeMap::new(),
            failures: BTreeMap::new(),
            running: BTreeMap::new(),
            polls: JoinSet::new(),
        };
        loop {
            desk.begin(shards, stop);
            let next = desk.next();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(namespace) = asked.recv() => desk.asked(&namespace, shards),
                Some(ended) = desk.polls.join_next_with_id() => desk.ended(ended, shards),
                () = sleep_until(next.unwrap_or_else(far)), if next.is_some() => {}
            }
        }
        while desk.polls.join_next().await.is_some() {}
    }
}

/// What one look at a repository brought; `None` when it was broken off.
type Polled = Option<(Option<Slot>, Reading)>;

/// What decides which repository is looked at when.
struct Desk {
    sources: Arc<Sources>,
    due: BTreeMap<String, Instant>,
    /// What each Stack wanted when its repository was last asked for.
    wanted: BTreeMap<String, Wanted>,
    /// What is kept between two looks.
    slots: BTreeMap<String, Slot>,
    failures: BTreeMap<String, u32>,
    running: BTreeMap<String, Id>,
    polls: JoinSet<Polled>,
}

impl Desk {
    fn asked(&mut self, namespace: &str, shards: &Shards) {
        let stacks = self.sources.cache.snapshot(namespace).stacks;
        let stack = stacks.first();
        if !shards.has(namespace) || stack.is_none_or(|stack| followed(stack).is_none()) {
            self.forget(namespace);
            let has = |stack: &Object| stack.data.pointer("/spec/source/git").is_some();
            // What is not ours to look at now, or not known yet, may be so again.
            let known = shards.has(namespace) && self.sources.cache.ready();
            if let Some(options) = &self.sources.options
                && known
                && !stack.is_some_and(has)
            {
                let _ = std::fs::remove_dir_all(options.folder.join(namespace));
            }
            return;
        }
        let wanted = stack.map(|stack| Wanted::of(stack));
        if self.wanted.get(namespace) != wanted.as_ref() {
            self.wanted
                .extend(wanted.map(|wanted| (namespace.to_owned(), wanted)));
            self.due.insert(namespace.to_owned(), Instant::now());
        }
    }

    fn forget(&mut self, namespace: &str) {
        self.due.remove(namespace);
        self.wanted.remove(namespace);
        self.slots.remove(namespace);
        self.failures.remove(namespace);
        self.sources.known().remove(namespace);
    }

    /// Returns when the next look may begin.
    fn next(&self) -> Option<Instant> {
        let free = self.running.len() < AT_ONCE;
        let due = self.due.iter().filter(|(name, _)| {
            let running = self.running.contains_key(*name);
            free && !running
        });
        due.map(|(_, at)| *at).min()
    }

    /// Begins the looks that are due.
    fn begin(&mut self, shards: &Shards, stop: &CancellationToken) {
        let now = Instant::now();
        while self.running.len() < AT_ONCE {
            let running = &self.running;
            let due = self
                .due
                .iter()
                .filter(|(name, at)| **at <= now && !running.contains_key(*name));
            let Some((namespace, _)) = due.min_by_key(|(_, at)| **at) else {
                return;
            };
            let namespace = namespace.clone();
            self.due.remove(&namespace);
            let stacks = self.sources.cache.snapshot(&namespace).stacks;
            let stack = stacks.into_iter().next();
            let followed = stack.and_then(|stack| Some((followed(&stack)?, stack)));
            let Some(((spec, git), stack)) = followed.filter(|_| shards.has(&namespace)) else {
                self.forget(&namespace);
                continue;
            };
            let (sources, slot) = (self.sources.clone(), self.slots.remove(&namespace));
            let (stop, runtime) = (stop.clone(), tokio::runtime::Handle::current());
            let name = namespace.clone();
            // A thread of its own: loading documents is work for a processor, and nobody's Lease shall wait for it.
            let task = self.polls.spawn_blocking(move || {
                let poll = Poll {
                    sources: &sources,
                    namespace: &name,
                    stack: &stack,
                    spec: &spec,
                    git: &git,
                };
                runtime.block_on(async {
                    tokio::select! {
                        polled = poll.run(slot) => Some(polled),
                        () = stop.cancelled() => None,
                    }
                })
            });
            self.running.insert(namespace, task.id());
        }
    }

    fn ended(&mut self, ended: Result<(Id, Polled), JoinError>, shards: &Shards) {
        let (id, polled) = match ended {
            Ok(ended) => ended,
            // A bug, and no reason to leave the other repositories alone.
            Err(error) => {
                tracing::error!(%error, "a look at a repository panicked");
                (error.id(), None)
            }
        };
        let mut running = self.running.iter();
        let Some(namespace) = running
            .find(|(_, of)| **of == id)
            .map(|(name, _)| name.clone())
        else {
            return;
        };
        self.running.remove(&namespace);
        if !shards.has(&namespace) || !self.wanted.contains_key(&namespace) {
            return self.forget(&namespace);
        }
        let mut every = POLL;
        let mut well = false;
        if let Some((slot, mut reading)) = polled {
            self.slots
                .extend(slot.map(|slot| (namespace.clone(), slot)));
            every = reading
                .git
                .poll
                .as_deref()
                .and_then(interval)
                .unwrap_or(POLL);
            well = reading
                .hindrance
                .as_ref()
                .is_none_or(|h| h.newest.is_some());
            let before = self.sources.known().get(&namespace).cloned();
            if let Some(then) = before.as_ref().and_then(|before| before.hindrance.as_ref())
                && reading.hindrance.as_ref().is_some_and(|now| now.same(then))
            {
                reading.hindrance = Some(then.clone());
            }
            let news = before.is_none_or(|before| reading.news(&before));
            self.sources.known().insert(namespace.clone(), reading);
            if news {
                let _ = self.sources.tells.send(namespace.clone());
            }
        }
        // A server that is away is asked less and less.
        let failures = self.failures.entry(namespace.clone()).or_default();
        *failures = if well { 0 } else { *failures + 1 };
        let longer = every.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let pause = jittered(longer.min(LONGEST.max(every)));
        let at = Instant::now() + pause;
        let due = self.due.entry(namespace).or_insert(at);
        *due = at.min(*due);
    }
}
