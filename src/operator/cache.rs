//! What the API server has, as far as it told us: every object of our kinds, by namespace.
//!
//! Each kind is listed once and then watched, with bookmarks; a watch that breaks goes on where it was, or lists anew. A
//! kind that was never listed is not empty but unknown, and whoever plans to delete must ask [`Snapshot::complete`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use kube::api::DynamicObject;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::resource::{self, Wanted};
use crate::aws::chain;
use crate::model::{Address, AnySpec};

/// An object as it is kept.
pub type Object = Arc<DynamicObject>;

/// Everything that is known.
pub struct Cache {
    known: Mutex<Known>,
    /// What there is to list.
    parts: BTreeSet<Part>,
    /// Told of a namespace in which something is wanted that was not wanted before.
    wanted: UnboundedSender<String>,
}

#[derive(Default)]
struct Known {
    namespaces: BTreeMap<String, BTreeMap<Address, Object>>,
    /// What was listed: a kind, of one namespace or of all.
    listed: BTreeSet<Part>,
    /// Why a part cannot be listed or watched just now.
    troubles: BTreeMap<Part, String>,
}

/// A kind, of one namespace or of all.
pub type Part = (&'static str, Option<String>);

/// What one namespace has.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// The Stacks, by age and name: the first is the one that counts.
    pub stacks: Vec<Object>,
    /// The Targets.
    pub targets: Vec<Object>,
    /// Everything else, by `Kind/name`.
    pub objects: BTreeMap<Address, Object>,
    /// Whether all kinds could be listed.
    pub complete: bool,
}

impl Cache {
    /// Makes an empty one of these namespaces, or of all when none is named.
    pub fn new(namespaces: &[String], wanted: UnboundedSender<String>) -> Self {
        let kinds = resource::kinds().into_iter().map(AnySpec::kind);
        let parts = kinds.flat_map(|kind| match namespaces {
            [] => vec![(kind, None)],
            some => some.iter().map(|name| (kind, Some(name.clone()))).collect(),
        });
        Self {
            known: Mutex::default(),
            parts: parts.collect(),
            wanted,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what a namespace has.
    pub fn snapshot(&self, namespace: &str) -> Snapshot {
        let known = self.known();
        let mut found = Snapshot {
            complete: known.listed == self.parts,
            ..Snapshot::default()
        };
        for (address, object) in known.namespaces.get(namespace).into_iter().flatten() {
            match address.kind.as_str() {
                "Stack" => found.stacks.push(object.clone()),
                "Target" => found.targets.push(object.clone()),
                _ => drop(found.objects.insert(address.clone(), object.clone())),
            }
        }
        found.stacks.sort_by_key(|stack| age(stack));
        found
    }

    /// Returns the Stacks of a name in all namespaces, the oldest first.
    pub fn stacks_named(&self, name: &str) -> Vec<Object> {
        let known = self.known();
        let address = Address::new("Stack", name);
        let mut found: Vec<Object> = known
            .namespaces
            .values()
            .filter_map(|objects| objects.get(&address).cloned())
            .collect();
        found.sort_by_key(|stack| age(stack));
        found
    }

    /// Returns the namespaces that have anything.
    pub fn namespaces(&self) -> Vec<String> {
        self.known().namespaces.keys().cloned().collect()
    }

    /// Returns what there is to watch.
    pub fn parts(&self) -> &BTreeSet<Part> {
        &self.parts
    }

    /// Says whether the Stacks were listed, and everything else that can be.
    pub fn ready(&self) -> bool {
        let known = self.known();
        self.parts.iter().all(|part| {
            let failed = known.troubles.contains_key(part) && part.0 != "Stack";
            known.listed.contains(part) || failed
        })
    }

    /// Returns why parts cannot be listed or watched just now.
    pub fn troubles(&self) -> BTreeMap<Part, String> {
        self.known().troubles.clone()
    }

    /// Keeps one part up to date until `stop`.
    pub async fn watch(&self, client: Client, part: &Part, stop: CancellationToken) {
        let (kind, namespace) = part;
        let resource = resource::resource(kind);
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        let events = watcher(api, watcher::Config::default()).default_backoff();
        let mut events = Box::pin(events);
        let mut seen = BTreeSet::new();
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = events.next() => event,
            };
            match event {
                None => return,
                Some(Ok(event)) => self.take(part, event, &mut seen),
                Some(Err(error)) => self.trouble(part, &error),
            }
        }
    }

    fn trouble(&self, part: &Part, error: &watcher::Error) {
        let why = chain(error);
        let before = self.known().troubles.insert(part.clone(), why.clone());
        if before.as_ref() != Some(&why) {
            tracing::warn!(kind = part.0, error = why, "cannot watch");
        }
    }

    fn take(
        &self,
        part: &Part,
        event: Event<DynamicObject>,
        seen: &mut BTreeSet<(String, String)>,
    ) {
        let kind = part.0;
        self.known().troubles.remove(part);
        match event {
            Event::Init => seen.clear(),
            Event::InitApply(object) => {
                seen.insert((object.namespace().unwrap_or_default(), object.name_any()));
                self.put(kind, object);
            }
            Event::InitDone => {
                self.forget_unseen(part, seen);
                let first = self.known().listed.insert(part.clone());
                if first {
                    tracing::info!(kind, objects = seen.len(), "listed");
                    // What was unknown is known now.
                    self.namespaces()
                        .into_iter()
                        .for_each(|name| self.tell(name));
                }
                seen.clear();
            }
            Event::Apply(object) => self.put(kind, object),
            Event::Delete(object) => {
                let namespace = object.namespace().unwrap_or_default();
                self.drop(&namespace, &resource::address(kind, &object));
            }
        }
    }

    fn put(&self, kind: &'static str, mut object: DynamicObject) {
        object.metadata.managed_fields = None;
        let namespace = object.namespace().unwrap_or_default();
        let address = resource::address(kind, &object);
        let wants = Wanted::of(&object);
        let before = {
            let mut known = self.known();
            let objects = known.namespaces.entry(namespace.clone()).or_default();
            objects.insert(address, Arc::new(object))
        };
        if before.is_none_or(|before| Wanted::of(&before) != wants) {
            self.tell(namespace);
        }
    }

    fn drop(&self, namespace: &str, address: &Address) {
        let mut known = self.known();
        if let Some(objects) = known.namespaces.get_mut(namespace) {
            objects.remove(address);
            if objects.is_empty() {
                known.namespaces.remove(namespace);
            }
        }
        drop(known);
        self.tell(namespace.to_owned());
    }

    fn forget_unseen(&self, part: &Part, seen: &BTreeSet<(String, String)>) {
        let (kind, within) = part;
        let gone: Vec<(String, Address)> = {
            let known = self.known();
            let namespaces = known.namespaces.iter();
            let meant =
                namespaces.filter(|(name, _)| within.as_ref().is_none_or(|one| one == *name));
            let all = meant.flat_map(|(namespace, objects)| {
                let of_kind = objects.keys().filter(|address| address.kind == *kind);
                of_kind.map(|address| (namespace.clone(), address.clone()))
            });
            all.filter(|(namespace, address)| {
                !seen.contains(&(namespace.clone(), address.name.clone()))
            })
            .collect()
        };
        for (namespace, address) in gone {
            self.drop(&namespace, &address);
        }
    }

    fn tell(&self, namespace: String) {
        // Nobody listens any more when the operator ends.
        let _ = self.wanted.send(namespace);
    }
}

/// What decides which of two Stacks counts: the older one, then the first by namespace and name.
fn age(stack: &DynamicObject) -> (Option<String>, String, String) {
    let created = stack.metadata.creation_timestamp.as_ref();
    (
        created.map(|time| time.0.to_string()),
        stack.namespace().unwrap_or_default(),
        stack.name_any(),
    )
}
