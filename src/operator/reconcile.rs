//! One look at one namespace: load, observe, plan, apply as every door does, and say what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, Object, Snapshot};
use super::fate::{Fate, fate};
use super::limits::Limits;
use super::resource::{self, ADOPT, LET_GO, asks, goes, kept};
use super::run::Run;
use super::shards::Lent;
use super::sources::{Reading, Sources};
use super::status::{Said, State, Status};
use super::writer::{Writer, Written};
use crate::aws::{Connection, Connector, connect};
use crate::engine::fleet::FleetError;
use crate::kinds;
use crate::load::{self, Kept, Loaded, Maps, StackSpec};
use crate::model::Address;
use crate::model::lifecycle::{Lifecycle, Mode};
use crate::model::sensitive::SecretKey;
use crate::service::{self, Ended, Metrics, Work};

/// How often a Stack is looked at that does not say.
const INTERVAL: Duration = Duration::from_mins(10);
/// How many writes to the API server are on their way at once.
pub(super) const WRITES: usize = 8;
/// For how many seconds an object may be without a Stack, or a Target be deleted, before that is acted upon: what is of
/// one folder does not come and go at once.
const YOUNG: i64 = 5;

/// What all looks share.
pub(super) struct Reconciler {
    /// What the API server has.
    pub(super) cache: Arc<Cache>,
    /// The way to it.
    pub(super) writer: Writer,
    /// The way to AWS.
    pub(super) connector: Connector,
    /// Which namespaces may use what; none without a file.
    pub(super) limits: Option<Limits>,
    /// One connection for each namespace: each has a gate of its own.
    pub(super) connections: Mutex<BTreeMap<String, Connection>>,
    /// What is counted and measured.
    pub(super) metrics: Metrics,
    /// The repositories that Stacks name.
    pub(super) sources: Arc<Sources>,
    /// How the objects of repositories stood when last looked at, by namespace: they have no status of their own.
    pub(super) stood: Mutex<BTreeMap<String, BTreeMap<Address, Status>>>,
}

/// When to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// When something is wanted.
    Wanted,
    /// After the interval of the Stack; all is well, or a person must act.
    Interval(Duration),
    /// At once.
    Soon,
    /// After a while that grows: something failed.
    Retry,
}

/// Why a look ends early.
#[derive(Debug)]
pub(super) enum Halt {
    /// A person must act.
    Stall(String),
    /// It may be better later.
    Retry(State, String),
    /// An object is not as we know it any more.
    Moved,
    /// The repository was not looked at yet.
    Awaited,
}

impl From<kube::Error> for Halt {
    fn from(error: kube::Error) -> Self {
        let why = format!("the API server said: {}", crate::aws::chain(&error));
        Self::Retry(State::Failed, why)
    }
}

impl From<FleetError> for Halt {
    fn from(error: FleetError) -> Self {
        let text = error.to_string().replace("\nhint: ", "; ");
        match error {
            FleetError::Organization { .. } => Self::Retry(State::Unknown, text),
            _ => Self::Stall(text),
        }
    }
}

/// One look.
pub(super) struct Look<'a> {
    pub(super) reconciler: &'a Reconciler,
    pub(super) namespace: &'a str,
    pub(super) snapshot: &'a Snapshot,
    pub(super) stack: &'a Object,
    pub(super) address: Address,
    /// What the Stack says, as far as it can be read; where a repository holds it back, as that says.
    pub(super) spec: StackSpec,
    /// What is known of its repository, if it has one.
    pub(super) reading: Option<Reading>,
    pub(super) lent: &'a Lent,
    pub(super) stop: &'a CancellationToken,
    pub(super) now: String,
}

impl Reconciler {
    /// Looks at a namespace.
    pub(super) async fn reconcile(
        &self,
        namespace: &str,
        lent: &Lent,
        stop: &CancellationToken,
    ) -> Next {
        let snapshot = self.cache.snapshot(namespace);
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let Some((stack, others)) = snapshot.stacks.split_first() else {
            self.forget(namespace);
            self.stood().remove(namespace);
            return self.without_stack(&snapshot, &now).await;
        };
        for other in others {
            let why = format!(
                "Stack `{}` of this namespace is older, and one namespace has one Stack",
                stack.name_any()
            );
            self.refuse(other, &why, &now).await;
        }
        let name = stack.name_any();
        if let Some(older) = self.cache.stacks_named(&name).first()
            && older.namespace() != stack.namespace()
        {
            let why = format!(
                "a Stack of this name is older, in namespace `{}`; whose an AWS object is goes by the name",
                older.namespace().unwrap_or_default()
            );
            self.refuse(stack, &why, &now).await;
            return Next::Interval(INTERVAL);
        }
        let spec = stack.data.get("spec").cloned().unwrap_or_default();
        let mut spec: StackSpec = serde_json::from_value(spec).unwrap_or_default();
        let git = spec.source.as_ref().map(|source| &source.git);
        let reading = git.and_then(|git| self.sources.reading(namespace, git));
        let good = reading.as_ref().and_then(|reading| reading.good.as_ref());
        if let Some(own) = good.and_then(|good| good.documents.repository.own.as_ref()) {
            if own.mode == Mode::Report {
                spec.mode = own.mode;
            }
            spec.suspend |= own.suspend && !goes(stack);
        }
        let look = Look {
            reconciler: self,
            namespace,
            snapshot: &snapshot,
            stack,
            address: Address::new("Stack", name),
            spec,
            reading,
            lent,
            stop,
            now,
        };
        look.go().await
    }

    /// Forgets the way to AWS of a namespace.
    pub(super) fn forget(&self, namespace: &str) {
        let mut known = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.remove(namespace);
    }

    /// How the objects of a repository stood.
    pub(super) fn stood(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<Address, Status>>> {
        self.stood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a namespace that is not ours to look at any more.
    pub(super) fn leave(&self, namespace: &str) {
        self.forget(namespace);
        self.stood().remove(namespace);
        self.writer.referred.forget(namespace);
        for stack in self.cache.snapshot(namespace).stacks {
            self.metrics
                .forget(&format!("{namespace}/{}", stack.name_any()));
        }
    }

    /// Refuses a Stack that does not count, and lets it go when it is deleted.
    async fn refuse(&self, stack: &DynamicObject, why: &str, now: &str) {
        let address = Address::new("Stack", stack.name_any());
        let result = if goes(stack) {
            self.writer.keep(&address, stack, false).await.map(drop)
        } else {
            let said = Said::new(State::Blocked, why);
            self.writer.say(&address, stack, &said, now).await.map(drop)
        };
        if let Err(error) = result {
            tracing::warn!(%address, error = crate::aws::chain(&error), "cannot write");
        }
    }

    /// Objects of a namespace without a Stack: nothing is done with them, and nothing holds them.
    async fn without_stack(&self, snapshot: &Snapshot, now: &str) -> Next {
        let said = Said::new(State::NoStack, "there is no Stack in this namespace");
        // Whoever applies a folder may send the Stack last.
        let made = |object: &&Object| young(object.metadata.creation_timestamp.as_ref());
        if snapshot
            .objects
            .values()
            .any(|object| !goes(object) && made(&object))
        {
            return Next::Interval(Duration::from_secs(YOUNG.unsigned_abs()));
        }
        let mut well = true;
        for (address, object) in &snapshot.objects {
            let result = if goes(object) {
                self.let_go(address, object, "there is no Stack in this namespace")
                    .await
            } else {
                let told = self.writer.say(address, object, &said, now).await;
                told.map(drop)
            };
            well &= result.is_ok();
        }
        well &= self.release(&snapshot.targets).await.is_ok();
        if well { Next::Wanted } else { Next::Retry }
    }

    /// Lets Targets go that are being deleted.
    pub(super) async fn release(&self, targets: &[Object]) -> Result<(), kube::Error> {
        for target in targets.iter().filter(|target| goes(target)) {
            let address = Address::new("Target", target.name_any());
            self.writer.keep(&address, target, false).await?;
        }
        Ok(())
    }

    /// Lets an object go that stays in AWS, and says so.
    pub(super) async fn let_go(
        &self,
        address: &Address,
        object: &DynamicObject,
        why: &str,
    ) -> Result<(), kube::Error> {
        if !kept(object) {
            return Ok(());
        }
        if self.writer.keep(address, object, false).await? == Written::Done {
            let note = match Writer::status(object).id {
                Some(id) => format!("{id} stays in AWS: {why}"),
                None => format!("whatever it stood for stays in AWS: {why}"),
            };
            tracing::info!(%address, note, "let go");
            let writer = &self.writer;
            writer
                .event(address, object, false, "LeftBehind", &note)
                .await;
        }
        Ok(())
    }
}

/// Says whether something happened only just.
fn young(when: Option<&Time>) -> bool {
    when.is_some_and(|when| Timestamp::now().as_second() - when.0.as_second() < YOUNG)
}

impl Look<'_> {
    async fn go(&self) -> Next {
        let interval = self.spec.interval.as_deref().and_then(load::interval);
        let interval = interval.or_else(|| self.own()?.interval);
        let interval = interval.unwrap_or(INTERVAL);
        let began = std::time::Instant::now();
        let steps = Box::pin(self.steps()).await;
        let ended = match &steps {
            Ok(true) => Some(Ended::Success),
            Ok(false) | Err(Halt::Retry(..)) => Some(Ended::Failure),
            Err(Halt::Stall(_)) => Some(Ended::Invalid),
            Err(Halt::Moved | Halt::Awaited) => None,
        };
        if let Some(ended) = ended {
            self.reconciler.metrics.ran(&service::Run {
                stack: &self.label(),
                work: if self.spec.mode == Mode::Report {
                    Work::Plan
                } else {
                    Work::Apply
                },
                ended,
                took: began.elapsed(),
                at: Timestamp::now().as_second(),
            });
        }
        match steps {
            Ok(true) => Next::Interval(interval),
            Ok(false) => Next::Retry,
            Err(Halt::Moved) => Next::Soon,
            Err(Halt::Awaited) => Next::Wanted,
            Err(Halt::Stall(why)) => {
                self.halted(State::Invalid, &why).await;
                Next::Interval(interval)
            }
            Err(Halt::Retry(state, why)) => {
                // Credentials may have been renewed meanwhile.
                self.reconciler.forget(self.namespace);
                self.halted(state, &why).await;
                Next::Retry
            }
        }
    }

    /// Counts the objects of the namespace that have our finalizer.
    pub(super) fn held(&self) -> usize {
        let objects = self.snapshot.objects.values();
        objects.filter(|object| kept(object)).count()
    }

    /// What metrics call the Stack.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.namespace, self.address.name)
    }

    /// Says why nothing was done, of the Stack and of what waits to be deleted.
    async fn halted(&self, state: State, why: &str) {
        tracing::warn!(
            stack = self.address.name,
            namespace = self.namespace,
            why,
            "halted"
        );
        let _ = self
            .say(&self.address, self.stack, &Said::new(state, why))
            .await;
        for (address, object) in &self.snapshot.objects {
            if goes(object) && kept(object) {
                let _ = self.waits(address, object, why).await;
            }
        }
    }

    /// Says why an object is still there.
    pub(super) async fn waits(
        &self,
        address: &Address,
        object: &DynamicObject,
        why: &str,
    ) -> Result<(), kube::Error> {
        let message = format!(
            "it waits to be deleted in AWS: {why}; the annotation {LET_GO}=true leaves it behind"
        );
        self.say(address, object, &Said::new(State::Deleting, message))
            .await
    }

    pub(super) async fn say(
        &self,
        address: &Address,
        object: &DynamicObject,
        said: &Said,
    ) -> Result<(), kube::Error> {
        let before = Writer::status(object);
        let mut status = before.said(object.metadata.generation, said, &self.now);
        if address.kind == "Stack" {
            status.source = self.source(&before, false);
        }
        let status = status.timed(&before, &self.now);
        let writer = &self.reconciler.writer;
        if writer.tell(address, object, &status).await? {
            let warning = !matches!(said.state, State::Suspended | State::InSync);
            writer
                .event(address, object, warning, said.state.word(), &said.message)
                .await;
        }
        Ok(())
    }

    /// Returns whether all is well.
    async fn steps(&self) -> Result<bool, Halt> {
        let reconciler = self.reconciler;
        if goes(self.stack) && asks(self.stack, LET_GO) {
            reconciler
                .let_go(&self.address, self.stack, "an annotation says to let it go")
                .await?;
            return Err(Halt::Moved);
        }
        if self.spec.suspend {
            return self.suspended().await.map(|()| true).map_err(Halt::from);
        }
        if self.spec.source.is_some() {
            return Box::pin(self.steps_by_repository()).await;
        }
        reconciler.metrics.no_source(&self.label());
        reconciler.stood().remove(self.namespace);
        let doomed = self.send_off(&BTreeSet::new()).await?;
        self.release_targets().await?;
        if goes(self.stack) && self.held() == 0 {
            reconciler
                .writer
                .keep(&self.address, self.stack, false)
                .await?;
            return Ok(true);
        }
        reconciler.writer.referred.forget(self.namespace);
        let mut loaded = self.load().await;
        let fatal = loaded.fatal();
        if !fatal.is_empty() {
            let all: Vec<String> = fatal.into_iter().map(load::told).collect();
            return Err(Halt::Stall(all.join("; ")));
        }
        self.adopt(&mut loaded);
        let connection = self.connection().await?;
        let mut run = Run::prepare(self, &connection, loaded, &doomed).await?;
        let report = self.spec.mode == Mode::Report;
        if !report && !goes(self.stack) {
            self.hold(&run.loaded).await?;
        }
        let looked = run.work().await?;
        self.reconciler.metrics.found(&self.label(), looked.last());
        self.tell(&run, &looked, &doomed).await
    }

    /// Says that nothing is done, and lets go of what an annotation says.
    pub(super) async fn suspended(&self) -> Result<(), kube::Error> {
        for (address, object) in &self.snapshot.objects {
            if goes(object) && asks(object, LET_GO) {
                let why = "an annotation says to let it go";
                self.reconciler.let_go(address, object, why).await?;
            } else if goes(object) && kept(object) {
                self.waits(address, object, "the Stack is suspended")
                    .await?;
            }
        }
        let said = Said::new(State::Suspended, "`suspend` is set");
        self.say(&self.address, self.stack, &said).await
    }

    /// Lets go of what stays in AWS; returns what must go from there first. What is `declared` elsewhere too stays.
    pub(super) async fn send_off(
        &self,
        declared: &BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, Lifecycle>, Halt> {
        let mut doomed = BTreeMap::new();
        for (address, object) in &self.snapshot.objects {
            let kind = kinds::find(&address.kind);
            let (true, Some(kind)) = (goes(object) && kept(object), kind) else {
                continue;
            };
            if declared.contains(address) {
                let why = "the repository of the Stack declares it too";
                self.reconciler.let_go(address, object, why).await?;
                continue;
            }
            match fate(kind, object, self.spec.prune, self.spec.mode) {
                Fate::Stays(why) => self.reconciler.let_go(address, object, why).await?,
                Fate::Doomed(lifecycle) => drop(doomed.insert(address.clone(), lifecycle)),
            }
        }
        Ok(doomed)
    }

    /// Returns the Targets that say where objects are. One that is being deleted still does while what goes is for it,
    /// and while there is no other: nothing must be left behind, or be made elsewhere, because its Target went first.
    fn targets(&self) -> Vec<&Object> {
        let all = &self.snapshot.targets;
        let none = !all.iter().any(|target| !goes(target));
        let named = self.targets_of_doomed();
        let needed = |target: &&Object| {
            !goes(target)
                || self.held() > 0
                    && !asks(target, LET_GO)
                    && (none || goes(self.stack) || named.contains(&target.name_any()))
        };
        all.iter().filter(needed).collect()
    }

    /// The Targets of the objects that are being deleted: their own, the Stack's, or all.
    fn targets_of_doomed(&self) -> BTreeSet<String> {
        let objects = self.snapshot.objects.values();
        let all = || self.snapshot.targets.iter().map(|one| one.name_any());
        let mut named = BTreeSet::new();
        for object in objects.filter(|object| goes(object) && kept(object)) {
            let own = object.data["spec"]["targets"].as_array();
            let own: Vec<&str> = own
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            match (own.is_empty(), self.spec.targets.is_empty()) {
                (false, _) => named.extend(own.into_iter().map(str::to_owned)),
                (true, false) => named.extend(self.spec.targets.iter().cloned()),
                (true, true) => named.extend(all()),
            }
        }
        named
    }

    /// Lets Targets go that nothing needs any more; says of the others why they are still there.
    async fn release_targets(&self) -> Result<(), Halt> {
        let needed: BTreeSet<String> = self.targets().iter().map(|one| one.name_any()).collect();
        for target in self.snapshot.targets.iter().filter(|target| goes(target)) {
            let address = Address::new("Target", target.name_any());
            if needed.contains(&address.name) {
                let held = self.held();
                let why = format!(
                    "{held} objects of this namespace may be in its places; the annotation {LET_GO}=true forgets it"
                );
                let said = Said::new(State::Deleting, why);
                self.say(&address, target, &said).await?;
            } else if kept(target)
                && self.held() > 0
                && young(target.metadata.deletion_timestamp.as_ref())
            {
                // Whoever deletes a folder may have begun with it.
                let why = format!("{address} is being deleted: what is for it may be, too");
                return Err(Halt::Retry(State::Pending, why));
            } else {
                let writer = &self.reconciler.writer;
                writer.keep(&address, target, false).await?;
            }
        }
        Ok(())
    }

    /// Loads the documents: everything that is not being deleted.
    async fn load(&self) -> Loaded {
        let mut documents = vec![resource::document(&self.address, self.stack)];
        let targets = self.targets().into_iter();
        documents.extend(
            targets.map(|target| {
                resource::document(&Address::new("Target", target.name_any()), target)
            }),
        );
        let objects = self.snapshot.objects.iter();
        let live = objects.filter(|(_, object)| !goes(object));
        documents.extend(live.map(|(address, object)| resource::document(address, object)));
        let maps = self.maps(&documents).await;
        let mut loaded = load::from_cluster(documents, maps, &kinds::specs());
        loaded.further_targets = self.targets_of_doomed();
        loaded
    }

    async fn maps(&self, documents: &[Kept]) -> Maps {
        let mut named = BTreeSet::new();
        for Kept { document, .. } in documents {
            load::maps(&document["spec"], &mut named);
        }
        let writer = &self.reconciler.writer;
        let read = named.into_iter().map(|(name, key)| async move {
            let text = writer.config_map(self.namespace, &name, &key).await;
            ((name, key), text.map(Arc::from))
        });
        stream::iter(read).buffer_unordered(WRITES).collect().await
    }

    /// Marks what an annotation says to take over.
    pub(super) fn adopt(&self, loaded: &mut Loaded) {
        let all = asks(self.stack, ADOPT);
        for declared in &mut loaded.objects {
            let object = self.snapshot.objects.get(&declared.address);
            declared.lifecycle.adopt |= all || object.is_some_and(|object| asks(object, ADOPT));
        }
    }

    pub(super) async fn connection(&self) -> Result<Connection, Halt> {
        let reconciler = self.reconciler;
        let known = {
            let known = reconciler
                .connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            known.get(self.namespace).cloned()
        };
        if let Some(connection) = known {
            return Ok(connection);
        }
        let connection = connect(&reconciler.connector)
            .await
            .map_err(|error| Halt::Retry(State::Unknown, crate::aws::chain(&error)))?;
        let mut known = reconciler
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        reconciler.metrics.count(&connection.calls);
        known.insert(self.namespace.to_owned(), connection.clone());
        Ok(connection)
    }

    /// Puts the finalizer on everything that is about to be looked after.
    async fn hold(&self, loaded: &Loaded) -> Result<(), Halt> {
        let writer = &self.reconciler.writer;
        if writer.keep(&self.address, self.stack, true).await? == Written::Moved {
            return Err(Halt::Moved);
        }
        let right = loaded.objects.iter().filter(|declared| {
            declared.problem.is_none() && declared.lifecycle.mode == Mode::Enforce
        });
        let jobs = right.filter_map(|declared| {
            let object = self.snapshot.objects.get(&declared.address)?;
            Some(async move { writer.keep(&declared.address, object, true).await })
        });
        let targets = self.snapshot.targets.iter().filter(|target| !goes(target));
        let targets = targets.map(|target| (Address::new("Target", target.name_any()), target));
        for (address, target) in targets {
            if writer.keep(&address, target, true).await? == Written::Moved {
                return Err(Halt::Moved);
            }
        }
        let mut pending = stream::iter(jobs.collect::<Vec<_>>()).buffer_unordered(WRITES);
        let mut moved = false;
        while let Some(written) = pending.next().await {
            moved |= written? == Written::Moved;
        }
        // What was deleted meanwhile must not be made by this look.
        if moved { Err(Halt::Moved) } else { Ok(()) }
    }

    /// Reads a Secret of the namespace for a document.
    pub(super) fn secrets(&self) -> crate::engine::secrets::Secrets {
        let (writer, namespace) = (self.reconciler.writer.clone(), self.namespace.to_owned());
        let read: Arc<tokio::sync::Mutex<BTreeMap<SecretKey, Result<String, String>>>> =
            Arc::default();
        Arc::new(move |key: SecretKey| {
            let (writer, namespace, read) = (writer.clone(), namespace.clone(), read.clone());
            Box::pin(async move {
                // Every place of an object asks; the API server is asked once in a look.
                let mut read = read.lock().await;
                if let Some(known) = read.get(&key) {
                    return known.clone();
                }
                let value = writer.secret(&namespace, &key.name, &key.key).await;
                read.insert(key, value.clone());
                value
            })
        })
    }
}
