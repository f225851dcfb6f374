//! Carries out a plan and makes no decisions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::converge::{Target, gone, patiently, read, resolved, turned};
use super::scrub::Scrubber;
use super::{Ending, Event, Events, Outcome, World};
use crate::aws::{Aws, AwsError, Class, once};
use crate::kinds::{AnyKind, Select};
use crate::model::graph::{Graph, Part, Step, order};
use crate::model::plan::{Action, Change, Plan};
use crate::model::reference::references;
use crate::model::spec::{Identity, aws_name};
use crate::model::stamp::{self, Owner, Stamp};
use crate::model::{AnySpec, Id, Live, Location, pointer};

/// Why nothing more is begun after somebody cancelled a run.
pub(super) const INTERRUPTED: &str = "the run was interrupted";

/// How many changes are in flight at once of one kind in one place. More than a service takes calls at once: some wait
/// for AWS to finish, or for the pace of a write.
const CHANGES: usize = 16;
/// How many changes are in flight at once in all, which bounds the memory.
const ALL_CHANGES: usize = 256;
/// How many creations that failed are named of a deletion that comes after many.
const OBSTACLES: usize = 3;
/// How often it is looked for an object of ours before another of its name is made: lists can lag behind.
const LOOKS: usize = 2;

/// Carries out a plan, each change as soon as those it needs are done.
///
/// A change that fails stops only what depends on it. After `cancel` nothing new starts, and what is in flight ends.
pub async fn apply(
    plan: &Plan,
    world: &World,
    events: Events<'_>,
    cancel: &CancellationToken,
) -> Outcome {
    let specs: Vec<&dyn AnySpec> = world
        .kinds
        .iter()
        .map(|kind| *kind as &dyn AnySpec)
        .collect();
    let graph = order(plan, &specs);
    let run = Run {
        plan,
        world,
        events,
        ids: Mutex::new(plan.ids.clone()),
        scrubber: scrubber(plan),
    };
    let mut progress = Progress::new(plan, &graph);
    let mut flight = FuturesUnordered::new();
    loop {
        while flight.len() < ALL_CHANGES && !cancel.is_cancelled() {
            let Some(step) = progress.next() else { break };
            match progress.obstacle(step) {
                Some(why) => run.tell(progress.end(step, Err(Ending::Skipped(why)))),
                None => flight.push(run.step(step, graph.steps[step])),
            }
        }
        let Some((step, result)) = flight.next().await else {
            break;
        };
        run.tell(progress.end(step, result.map_err(Ending::Failed)));
    }
    let interrupted = cancel.is_cancelled() && !progress.waiting.is_empty();
    while let Some(step) = progress.waiting.pop_first() {
        run.tell(progress.end(step, Err(Ending::Skipped(INTERRUPTED.to_owned()))));
    }
    Outcome {
        endings: progress.endings,
        interrupted,
    }
}

fn scrubber(plan: &Plan) -> Scrubber {
    let mut scrubber = Scrubber::default();
    for change in &plan.changes {
        change.desired.iter().for_each(|spec| scrubber.learn(spec));
        change
            .live
            .iter()
            .for_each(|live| scrubber.learn(&live.spec));
    }
    scrubber
}

/// Where a change is made, and its kind.
type Queue<'a> = (&'a Location, &'a str);

/// The steps of one queue that can be taken, and how many were taken and have not ended.
#[derive(Default)]
struct Ready {
    steps: BTreeSet<usize>,
    taken: usize,
}

/// Creations that deletions come after.
#[derive(Default)]
struct Gate {
    /// How many of them have not ended.
    unmet: usize,
    /// Those that did not end well.
    failed: BTreeSet<usize>,
    /// The deletions.
    behind: Vec<usize>,
}

/// Which steps wait, which can be taken, which ended well, and how each change ended.
struct Progress<'a> {
    plan: &'a Plan,
    graph: &'a Graph,
    waiting: BTreeSet<usize>,
    /// Of those that wait, the ones whose needs have all ended, kind by kind in each place: the writes of one may be
    /// slow, and the others go on meanwhile.
    ready: BTreeMap<Queue<'a>, Ready>,
    /// How many needs of each step have not ended.
    unmet: Vec<usize>,
    /// The steps that need each step.
    dependents: Vec<Vec<usize>>,
    gates: Vec<Gate>,
    /// The gates that each step keeps shut.
    gates_of: Vec<Vec<usize>>,
    well: BTreeMap<usize, bool>,
    /// How many steps of each change are still to come.
    left: Vec<usize>,
    endings: Vec<Option<Ending>>,
}

impl<'a> Progress<'a> {
    fn new(plan: &'a Plan, graph: &'a Graph) -> Self {
        let mut left = vec![0; plan.changes.len()];
        graph.steps.iter().for_each(|step| left[step.change] += 1);
        let mut unmet: Vec<usize> = graph.needs.iter().map(BTreeSet::len).collect();
        let mut dependents = vec![Vec::new(); graph.steps.len()];
        for (step, needs) in graph.needs.iter().enumerate() {
            for &need in needs {
                dependents[need].push(step);
            }
        }
        let mut gates_of = vec![Vec::new(); graph.steps.len()];
        let mut gates: Vec<Gate> = Vec::new();
        for (gate, steps) in graph.gates.iter().enumerate() {
            for &step in steps {
                gates_of[step].push(gate);
            }
            let unmet = steps.len();
            gates.push(Gate {
                unmet,
                ..Gate::default()
            });
        }
        for (&step, &gate) in &graph.behind {
            gates[gate].behind.push(step);
            unmet[step] += 1;
        }
        let mut progress = Self {
            plan,
            graph,
            waiting: (0..graph.steps.len()).collect(),
            ready: BTreeMap::new(),
            unmet,
            dependents,
            gates,
            gates_of,
            well: BTreeMap::new(),
            left,
            endings: vec![None; plan.changes.len()],
        };
        for step in 0..graph.steps.len() {
            if progress.unmet[step] == 0 {
                progress.queue(step).steps.insert(step);
            }
        }
        progress
    }

    fn queue(&mut self, step: usize) -> &mut Ready {
        let change = &self.plan.changes[self.graph.steps[step].change];
        let queue = (&change.location, change.address.kind.as_str());
        self.ready.entry(queue).or_default()
    }

    /// Takes the first step whose needs have all ended, of a queue that has fewest under way.
    fn next(&mut self) -> Option<usize> {
        let queues = self.ready.values_mut();
        let open = queues.filter(|queue| queue.taken < CHANGES && !queue.steps.is_empty());
        let queue = open.min_by_key(|queue| (queue.taken, queue.steps.first().copied()))?;
        let step = queue.steps.pop_first()?;
        queue.taken += 1;
        self.waiting.remove(&step);
        Some(step)
    }

    /// Why a step cannot be taken: one that it needs did not end well.
    fn obstacle(&self, step: usize) -> Option<String> {
        let needs = self.graph.needs[step].iter();
        let needs = needs.filter(|need| self.well.get(need) != Some(&true));
        let gate = self.graph.behind.get(&step);
        let gate = gate.into_iter().flat_map(|&gate| &self.gates[gate].failed);
        let change = |step: &usize| &self.plan.changes[self.graph.steps[*step].change];
        let mut bad: Vec<String> = needs
            .chain(gate.take(OBSTACLES))
            .map(|step| change(step).address.to_string())
            .collect();
        bad.sort();
        bad.dedup();
        (!bad.is_empty()).then(|| {
            format!(
                "it waits for {}, which failed or was not tried",
                bad.join(", ")
            )
        })
    }

    /// Ends a step; answers with the change and its ending once that is settled.
    fn end(&mut self, step: usize, result: Result<(), Ending>) -> Option<(&'a Change, Ending)> {
        let index = self.graph.steps[step].change;
        self.well.insert(step, result.is_ok());
        // What was never taken ends here too, when a run is interrupted.
        let queue = self.queue(step);
        queue.taken = queue.taken.saturating_sub(1);
        let mut dependents = std::mem::take(&mut self.dependents[step]);
        for gate in std::mem::take(&mut self.gates_of[step]) {
            let gate = &mut self.gates[gate];
            gate.unmet -= 1;
            if result.is_err() {
                gate.failed.insert(step);
            }
            if gate.unmet == 0 {
                dependents.append(&mut gate.behind);
            }
        }
        for dependent in dependents {
            self.unmet[dependent] -= 1;
            if self.unmet[dependent] == 0 {
                self.queue(dependent).steps.insert(dependent);
            }
        }
        self.left[index] -= 1;
        if self.endings[index].is_some() {
            return None;
        }
        let ending = match result {
            Err(ending) => ending,
            Ok(()) if self.left[index] == 0 => Ending::Done,
            Ok(()) => return None,
        };
        self.endings[index] = Some(ending.clone());
        Some((&self.plan.changes[index], ending))
    }
}

struct Run<'a> {
    plan: &'a Plan,
    world: &'a World,
    events: Events<'a>,
    ids: Mutex<BTreeMap<Location, HashMap<String, String>>>,
    scrubber: Scrubber,
}

impl Run<'_> {
    fn tell(&self, ended: Option<(&Change, Ending)>) {
        if let Some((change, ending)) = ended {
            let (address, location) = (change.address.clone(), change.location.clone());
            (self.events)(Event::Ended {
                address,
                location,
                action: change.action,
                ending,
            });
        }
    }

    async fn step(&self, index: usize, step: Step) -> (usize, Result<(), String>) {
        let change = &self.plan.changes[step.change];
        let (address, location) = (change.address.clone(), change.location.clone());
        (self.events)(Event::Started {
            address,
            location,
            action: change.action,
        });
        let result = match (
            self.world.places.get(&change.location),
            self.world.kind(&change.address.kind),
        ) {
            (Some(aws), Some(kind)) => match step.part {
                Part::Put => self.put(aws, kind, change).await,
                Part::Remove => self.remove(aws, kind, change).await,
            },
            _ => Err(AwsError::unexpected(
                &change.location.to_string(),
                "this place is not part of the run",
            )),
        };
        (
            index,
            result.map_err(|error| self.scrubber.scrub(&error.to_string())),
        )
    }

    async fn put(&self, aws: &Aws, kind: &dyn AnyKind, change: &Change) -> Result<(), AwsError> {
        let Some(desired) = &change.desired else {
            return Ok(());
        };
        let ids = self.ids_in(&change.location, desired);
        let mut spec = resolved(desired, &ids)?;
        if let Some(live) = &change.live {
            let keep = |path: &String| pointer::transplant(&live.spec, &mut spec, path);
            change.ignored.iter().for_each(keep);
        }
        let names = turned(&ids);
        let stamp = Stamp::new(
            &self.plan.stack,
            &change.address,
            desired,
            change.lifecycle.on_delete,
        );
        let target = Target {
            world: self.world,
            aws,
            kind,
            change,
            stamp: &stamp,
            spec: &spec,
            names: &names,
        };
        let waiting = || {
            let (address, location) = (change.address.clone(), change.location.clone());
            (self.events)(Event::Waiting { address, location });
        };
        let id = match (change.action, &change.live) {
            (Action::Update | Action::Adopt, Some(live)) => {
                patiently(|| kind.update(aws, &spec, live, &stamp)).await?;
                live.id.clone()
            }
            _ => self.create(aws, kind, change, &spec, &stamp).await?,
        };
        target.converge(&id, &waiting).await?;
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let key = change.address.to_string();
        // What an account has once is known by its old id in its other regions, too.
        for (at, known) in ids.iter_mut() {
            if kind.per_account() && at.account == change.location.account {
                known.insert(key.clone(), id.0.clone());
            }
        }
        let here = ids.entry(change.location.clone()).or_default();
        here.insert(key, id.0);
        Ok(())
    }

    async fn create(
        &self,
        aws: &Aws,
        kind: &dyn AnyKind,
        change: &Change,
        spec: &Value,
        stamp: &Stamp,
    ) -> Result<Id, AwsError> {
        // Where AWS would make a second object of the same name, a list that lagged behind when it was planned must not
        // lead to one: look again, and not only once.
        if change.action == Action::Create && kind.identity() == Identity::SharedName {
            let ours = once::looks(LOOKS, || self.ours(aws, kind, change, spec)).await?;
            if let Some(id) = ours {
                return Ok(id);
            }
        }
        match patiently(|| kind.create(aws, spec, stamp)).await {
            // It may be the one we have just created: the answer was lost, and the SDK tried again.
            Err(error) if matches!(error.class, Class::Exists | Class::Conflict) => {
                self.ours(aws, kind, change, spec).await?.ok_or(error)
            }
            answer => answer,
        }
    }

    /// Finds the object that a change would create, if it is there already.
    async fn ours(
        &self,
        aws: &Aws,
        kind: &dyn AnyKind,
        change: &Change,
        spec: &Value,
    ) -> Result<Option<Id>, AwsError> {
        let name = aws_name(spec).unwrap_or_default();
        let live = kind.list(aws, &Select::one(name)).await?;
        let ours = |live: &&Live<Value>| {
            (kind.identity() == Identity::Singleton || live.name == name)
                && stamp::owner(&live.tags, &self.plan.stack) == Owner::Us
                && stamp::names(&live.tags, &change.address)
        };
        Ok(live.iter().find(ours).map(|live| live.id.clone()))
    }

    async fn remove(&self, aws: &Aws, kind: &dyn AnyKind, change: &Change) -> Result<(), AwsError> {
        let Some(live) = &change.live else {
            return Ok(());
        };
        match patiently(|| kind.delete(aws, live)).await {
            // With rights to nothing but objects that carry our stamp there are none to one that is gone: the answer
            // was lost, and the SDK tried again.
            Err(error) if error.class == Class::Denied => {
                match read(aws, kind, &live.name, &live.id).await {
                    Ok(None) => return Ok(()),
                    _ => return Err(error),
                }
            }
            answer => answer?,
        }
        gone(self.world, aws, kind, live).await
    }

    /// The ids, as far as they are known by now, of what a spec refers to.
    fn ids_in(&self, location: &Location, spec: &Value) -> BTreeMap<String, String> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        // What an account has once is kept by another of its regions.
        let once = |name: &str| {
            let kind = name.split('/').next().unwrap_or_default();
            self.world.kind(kind).is_some_and(AnySpec::per_account)
        };
        let of_account = ids.iter().filter(|(at, _)| at.account == location.account);
        let find = |name: &String| {
            let here = ids.get(location).and_then(|known| known.get(name));
            let mut others = of_account.clone().filter(|_| once(name));
            here.or_else(|| others.find_map(|(_, known)| known.get(name)))
        };
        let named = references(spec).into_iter();
        named
            .filter_map(|(_, name)| Some((name.clone(), find(&name)?.clone())))
            .collect()
    }
}
