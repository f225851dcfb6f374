//! Deterministic simulation: whole runs against the simulated AWS while everything goes wrong, on a clock that stands
//! still but for who waits for it.
//!
//! Each seed is a world of its own: a random part of the examples, edited at random on both sides, with random faults
//! in between. `STATIONBILL_SEEDS=N` runs more seeds, `STATIONBILL_SEED=n` runs one.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use stationbill::engine::{Ending, Outcome};
use stationbill::kinds::{self, Live};
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Change, Observed, Plan, Wish};
use stationbill::model::reference::references;
use stationbill::model::report::Report;
use stationbill::model::spec::Identity;
use stationbill::model::stamp::{self, Owner, Stamp};
use stationbill::model::{Address, substitute};
use stationbill::sandbox::Faults;

use crate::support::calls::{Look, Moment};
use crate::support::glance::Glance;
use crate::support::{Estate, STACK, Scene};
use crate::support::{administering, documents, free_name, number, told};

/// How many seeds `cargo test` runs.
const SEEDS: u64 = 300;

/// Without which nothing can be of the kinds that come after them.
const FOUNDATIONS: [&str; 3] = [
    "SecurityHub",
    "FindingAggregator",
    "OrganizationConfiguration",
];

static CATALOGUES: LazyLock<[Vec<Declared>; 2]> =
    LazyLock::new(|| [documents("banana-stand"), documents("kinds")]);

#[test]
fn whatever_goes_wrong_every_world_ends_as_declared() {
    if let Some(seed) = number("STATIONBILL_SEED") {
        return live(seed);
    }
    let seeds = number("STATIONBILL_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    if catch_unwind(AssertUnwindSafe(|| live(seed))).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    assert!(
        failed.is_empty(),
        "{} of {seeds} seeds failed: {failed:?}; STATIONBILL_SEED=n runs one of them again",
        failed.len()
    );
}

/// Lives through one world.
pub(crate) fn live(seed: u64) {
    // The SDK draws the jitter of its retries from here.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut story = Story::begin(seed).await;
        for _ in 0..story.rng.random_range(2..5) {
            story.edit_documents();
            story.edit_aws().await;
            story.run().await;
        }
        story.end().await;
    });
}

struct Story {
    seed: u64,
    rng: SmallRng,
    scene: Scene,
    catalogue: &'static [Declared],
    documents: Vec<Declared>,
    /// Which addresses a replacement may have left two objects of.
    replacing: BTreeSet<String>,
    /// Counts what is made up, so that no name comes twice.
    made_up: usize,
    log: Vec<String>,
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let catalogue = &CATALOGUES[usize::from(rng.random_bool(0.3))];
        let mut story = Self {
            seed,
            scene: Scene::with(seed, administering()).await,
            rng,
            catalogue,
            documents: Vec::new(),
            replacing: BTreeSet::new(),
            made_up: 0,
            log: Vec::new(),
        };
        for _ in 0..story.rng.random_range(1..5) {
            story.declare_another();
        }
        if story.rng.random_bool(0.5) {
            let plan = story
                .scene
                .plan(STACK, &story.documents, &Wish::default())
                .await
                .2;
            story.scene.apply(&plan).await;
        }
        for _ in 0..story.rng.random_range(1..4) {
            story.foreign().await;
        }
        story
    }

    fn say(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    fn fail(&self, what: &str) -> ! {
        panic!("seed {}: {what}\n{}", self.seed, self.log.join("\n"));
    }

    /// Adds a document of the catalogue, and those that it needs.
    fn declare_another(&mut self) {
        let Some(first) = self.catalogue.choose(&mut self.rng) else {
            return;
        };
        let (before, mut waiting) = (self.documents.len(), vec![first.address.to_string()]);
        while let Some(name) = waiting.pop() {
            if self.documents.iter().any(|d| d.address.to_string() == name) {
                continue;
            }
            let Some(found) = self
                .catalogue
                .iter()
                .find(|d| d.address.to_string() == name)
            else {
                continue;
            };
            // A renamed document may still have the name in AWS.
            let same = |d: &Declared| {
                (d.address.kind == found.address.kind && d.spec["name"] == found.spec["name"])
                    && d.address.kind != "ReplicationSet"
            };
            let claims = |d: &Declared| disputes(d, found);
            if self.documents.iter().any(|d| same(d) || claims(d)) {
                return self.documents.truncate(before);
            }
            self.documents.push(found.clone());
            waiting.extend(references(&found.spec).into_iter().map(|(_, name)| name));
            let after = kinds::find(&found.address.kind).unwrap().after();
            let sets = self
                .catalogue
                .iter()
                .filter(|d| after.contains(&d.address.kind.as_str()));
            waiting.extend(sets.map(|d| d.address.to_string()));
        }
    }

    /// Makes an object that is not ours: nobody's, or another stack's. Sometimes it has the name of one of ours.
    async fn foreign(&mut self) {
        let alone: Vec<&Declared> = self
            .catalogue
            .iter()
            .filter(|d| references(&d.spec).is_empty() && !is_singleton(&d.address.kind))
            .collect();
        let Some(model) = alone.choose(&mut self.rng) else {
            return;
        };
        let (kind, mut spec) = (
            kinds::find(&model.address.kind).unwrap(),
            model.spec.clone(),
        );
        let variables = substitute::Variables {
            location: self.scene.aws.location.clone(),
            target: "here".to_owned(),
            vars: BTreeMap::new(),
        };
        spec = substitute::substitute(spec, &variables).unwrap();
        if !self.rng.random_bool(0.2) && model.address.name != "session-preferences" {
            self.made_up += 1;
            let name = format!("foreign-{}", self.made_up);
            spec["name"] = json!(free_name(&model.address.kind, &name));
            if let Some(spec) = spec.as_object_mut() {
                spec.remove("patchGroups");
                spec.remove("default");
            }
        }
        if model.address.kind == "Contact" {
            spec["channels"] =
                json!({"mail": {"type": "EMAIL", "address": {"$sensitive": "f@example.com"}}});
            spec["stages"] = json!([]);
        }
        let stamp = if self.rng.random_bool(0.5) {
            Stamp {
                tags: BTreeMap::new(),
                token: format!("foreign-{}-{}", self.seed, self.made_up),
            }
        } else {
            Stamp::new("another", &model.address, &spec, None)
        };
        let spec = kind.parse(&spec).unwrap();
        let made = kind.create(&self.scene.aws, &spec, &stamp).await;
        let line = format!(
            "foreign {} {}: {:?}",
            kind.kind(),
            spec["name"],
            made.map_err(|e| e.to_string())
        );
        self.say(line);
    }

    fn edit_documents(&mut self) {
        for _ in 0..self.rng.random_range(0..3) {
            match self.rng.random_range(0..10) {
                0 => self.declare_another(),
                1 | 2 => self.drop_one(),
                3 => self.rename_one(),
                _ => {
                    if self.documents.is_empty() {
                        continue;
                    }
                    let at = self.rng.random_range(0..self.documents.len());
                    let people: Vec<String> = self
                        .documents
                        .iter()
                        .filter(|d| d.address.kind == "Contact")
                        .map(|d| d.address.to_string())
                        .collect();
                    let kind = self.documents[at].address.kind.clone();
                    if let Some(spec) =
                        change(&mut self.rng, &kind, &self.documents[at].spec, &people)
                    {
                        let mut changed = self.documents[at].clone();
                        changed.spec = spec;
                        let others = self
                            .documents
                            .iter()
                            .filter(|d| d.address != changed.address);
                        if others.clone().any(|other| disputes(other, &changed)) {
                            continue;
                        }
                        let line = format!("document {} changed", changed.address);
                        self.say(line);
                        self.documents[at] = changed;
                    }
                }
            }
        }
    }

    /// Drops a document that nothing refers to.
    fn drop_one(&mut self) {
        let needed: BTreeSet<String> = self
            .documents
            .iter()
            .flat_map(|d| references(&d.spec).into_iter().map(|(_, name)| name))
            .collect();
        // Without Security Hub, its home and central configuration nothing can be that is part of it.
        let first: BTreeSet<&str> = self
            .documents
            .iter()
            .flat_map(|d| kinds::find(&d.address.kind).unwrap().after())
            .filter(|kind| FOUNDATIONS.contains(kind))
            .copied()
            .collect();
        let free: Vec<usize> = (0..self.documents.len())
            .filter(|&i| {
                let address = &self.documents[i].address;
                let first =
                    address.kind == "ReplicationSet" || first.contains(address.kind.as_str());
                !first && !needed.contains(&address.to_string())
            })
            .collect();
        if let Some(&at) = free.choose(&mut self.rng) {
            let gone = self.documents.remove(at);
            self.say(format!("document {} dropped", gone.address));
        }
    }

    /// Gives a document another name, in AWS too or only here, and tells those that refer to it.
    fn rename_one(&mut self) {
        if self.documents.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.documents.len());
        self.made_up += 1;
        let (kind, old) = {
            let address = &self.documents[at].address;
            (address.kind.clone(), address.name.clone())
        };
        if kind == "ReplicationSet" || old == "session-preferences" {
            return;
        }
        let new = format!("renamed-{}", self.made_up);
        // People keep their name in AWS: another would lose their history, which is refused.
        // There are no other settings than AWS's.
        let fixed = kind == "Contact" || kind == "ServiceSetting" || is_singleton(&kind);
        if !fixed && self.rng.random_bool(0.5) {
            self.documents[at].spec["name"] = json!(new);
        }
        self.documents[at].address = Address::new(kind.clone(), new.clone());
        let (from, to) = (format!("{kind}/{old}"), format!("{kind}/{new}"));
        for document in &mut self.documents {
            retarget(&mut document.spec, &from, &to);
        }
        self.say(format!("document {from} renamed to {new}"));
    }

    /// Changes AWS by hand: only what is ours, for what is not must stay as it is.
    async fn edit_aws(&mut self) {
        for _ in 0..self.rng.random_range(0..3) {
            let estate = self.scene.everything().await;
            let ours: Vec<_> = estate
                .into_iter()
                .filter(|(_, live)| stamp::owner(&live.tags, STACK) == Owner::Us)
                .collect();
            let Some(((kind, _), live)) = ours.choose(&mut self.rng) else {
                return;
            };
            let (aws, any) = (&self.scene.aws, kinds::find(kind).unwrap());
            let done = match self.rng.random_range(0..4) {
                0 if kind != "ReplicationSet" => ("deleted", any.delete(aws, live).await),
                _ => {
                    let Some(spec) = change(&mut self.rng, kind, &live.spec, &[]) else {
                        continue;
                    };
                    let stamp = Stamp {
                        tags: stamp_of(live),
                        token: "by-hand".to_owned(),
                    };
                    ("changed", any.update(aws, &spec, live, &stamp).await)
                }
            };
            let said = format!(
                "AWS: {kind}/{} {}: {:?}",
                live.name,
                done.0,
                done.1.map_err(|e| e.to_string())
            );
            self.say(said);
        }
    }

    /// One run with faults, and a look at what it did.
    async fn run(&mut self) {
        let (faults, named) = faults(&mut self.rng);
        let wish = Wish {
            prune: self.rng.random_bool(0.5),
            today: "2026-01-01".to_owned(),
            ..Wish::default()
        };
        self.say(format!("run with {named}, prune {}", wish.prune));
        let steps = Arc::new(Mutex::new(Steps::default()));
        let (sandbox, seen) = (self.scene.sandbox.clone(), steps.clone());
        let look: Arc<Look> = Arc::new(move |call, moment| {
            if moment == Moment::After && call.writes {
                let glance = Glance::at(&sandbox);
                seen.lock().unwrap().step(&call.operation, &glance);
            }
        });
        // A new connection each time, like a new process.
        self.scene = Scene::seen(self.scene.sandbox.clone(), Some(look)).await;
        let there = self.scene.everything().await;
        self.scene.sandbox.set_faults(faults);
        let (_, observed, plan) = self.scene.plan(STACK, &self.documents, &wish).await;
        let planned = told(&plan);
        self.say(planned);
        self.check_unknown(&plan, &observed);
        // Where AWS tells no lies, what is there is never missed: neither was it read, nor does it count as absent.
        if !["missingItem", "staleReads"]
            .iter()
            .any(|lie| named.contains(lie))
        {
            self.check_missed(&plan, &there);
        }
        self.replacing.extend(
            plan.changes
                .iter()
                .filter(|c| c.action == Action::Replace)
                .map(|c| c.address.to_string()),
        );
        steps.lock().unwrap().begin(
            Glance::at(&self.scene.sandbox),
            self.replacing.clone(),
            adopted(&plan),
        );
        let apply = self.scene.apply(&plan);
        // Sometimes the process dies in the middle.
        let outcome = if self.rng.random_bool(0.2) {
            let moment = Duration::from_millis(self.rng.random_range(0..2000));
            tokio::time::timeout(moment, apply).await.ok()
        } else {
            Some(apply.await)
        };
        let line = match &outcome {
            None => "the run was killed".to_owned(),
            Some(outcome) => format!("{:?}", outcome.endings),
        };
        self.say(line);
        let broken = std::mem::take(&mut steps.lock().unwrap().broken);
        if !broken.is_empty() {
            self.fail(&broken.join("\n"));
        }
        self.scene.sandbox.set_faults(Faults::default());
        self.settle().await;
        if let Some(outcome) = outcome {
            self.check_done(&plan, &outcome).await;
        }
    }

    /// What is said to be done is done.
    async fn check_done(&mut self, plan: &Plan, outcome: &Outcome) {
        let done: BTreeSet<&Address> = plan
            .changes
            .iter()
            .zip(&outcome.endings)
            .filter(|(change, ending)| {
                change.action != Action::Delete && matches!(ending, Some(Ending::Done))
            })
            .map(|(change, _)| &change.address)
            .collect();
        let wish = Wish {
            today: "2026-01-01".to_owned(),
            ..Wish::default()
        };
        let rest = self.scene.plan(STACK, &self.documents, &wish).await.2;
        let left = rest.changes.iter().find(|change| {
            change.acts() && change.action != Action::Delete && done.contains(&change.address)
        });
        if let Some(change) = left {
            self.fail(&format!(
                "{} is said to be done, and then:\n{}",
                change.address,
                told(&rest)
            ));
        }
    }

    fn check_missed(&self, plan: &Plan, there: &Estate) {
        for change in plan.changes.iter().filter(|c| c.action == Action::Create) {
            let missed = there.iter().any(|((kind, _), live)| {
                *kind == change.address.kind
                    && stamp::owner(&live.tags, STACK) == Owner::Us
                    && stamp::names(&live.tags, &change.address)
            });
            if missed {
                self.fail(&format!(
                    "{} is there, and the plan creates it",
                    change.address
                ));
            }
        }
    }

    /// Lets reads catch up with writes.
    async fn settle(&mut self) {
        let fresh = Scene::with(self.rng.random(), administering()).await;
        self.scene = fresh.having(&self.scene.snapshot());
    }

    fn check_unknown(&self, plan: &Plan, observed: &Observed) {
        for change in &plan.changes {
            let read = observed
                .0
                .get(&change.location)
                .and_then(|kinds| kinds.get(&change.address.kind));
            let acts = matches!(
                change.action,
                Action::Create | Action::Replace | Action::Delete
            );
            let known = match read {
                Some(Ok(_)) => true,
                // Incident Manager is not there until the replication set of the same plan is.
                Some(Err(stationbill::model::plan::Unreadable::NotAvailable(_))) => {
                    change.action == Action::Create
                }
                _ => false,
            };
            if acts && !known {
                self.fail(&format!(
                    "{} is planned from what could not be read",
                    change.address
                ));
            }
        }
    }

    fn check(&self, plan: &Plan, before: &Estate, after: &Estate) {
        for (key, was) in before {
            if stamp::owner(&was.tags, STACK) == Owner::Us {
                continue;
            }
            let adopted = plan.changes.iter().any(|change| {
                change.action == Action::Adopt
                    && change.acts()
                    && change.live.as_ref().is_some_and(|live| live.id == was.id)
            });
            let same = after.get(key).is_some_and(|is| {
                (unowned(&key.0, is), &is.tags) == (unowned(&key.0, was), &was.tags)
            });
            if !adopted && !same {
                self.fail(&format!(
                    "{key:?} is not ours and was changed: {:?} {:?}",
                    was.spec,
                    after.get(key)
                ));
            }
        }
        for (object, count) in twice(after) {
            if !self.replacing.contains(&object) {
                self.fail(&format!("{object} is there {count} times"));
            }
        }
        let dangled = dangling(before);
        if let Some((who, whom)) = dangling(after).difference(&dangled).next() {
            self.fail(&format!("{who} now refers to {whom}, which is not there"));
        }
    }

    /// Once nothing goes wrong any more, two runs are enough, and nothing is left to do.
    async fn end(&mut self) {
        let wish = Wish {
            prune: true,
            today: "2026-01-01".to_owned(),
            ..Wish::default()
        };
        let before = self.scene.everything().await;
        for turn in 0..1 {
            let plan = self.scene.plan(STACK, &self.documents, &wish).await.2;
            let outcome = self.scene.apply(&plan).await;
            let line = format!(
                "without faults, turn {turn}\n{}{:?}",
                told(&plan),
                outcome.endings
            );
            self.say(line);
            let after = self.scene.everything().await;
            self.check(&plan, &before, &after);
        }
        let plan = self.scene.plan(STACK, &self.documents, &wish).await.2;
        let after = self.scene.everything().await;
        let stays = |change: &&Change| excused(change, &before, &after);
        let stuck: Vec<&Change> = plan.changes.iter().filter(stays).collect();
        // What needs one of those, or comes after all of its kind, waits for it.
        let waits = |change: &Change| {
            let named = change.desired.as_deref().map(references);
            let named: Vec<String> = named.into_iter().flatten().map(|(_, name)| name).collect();
            let first = kinds::find(&change.address.kind).unwrap().after();
            let mut stuck = stuck.iter().map(|change| &change.address);
            stuck.any(|a| named.contains(&a.to_string()) || first.contains(&a.kind.as_str()))
        };
        let left: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| !stays(change) && !waits(change))
            .collect();
        if !left.is_empty() {
            self.fail(&format!(
                "after a run without faults there is something left:\n{}",
                told(&plan)
            ));
        }
        if let Some((object, count)) = twice(&after).into_iter().next() {
            self.fail(&format!("{object} is there {count} times in the end"));
        }
        let known: BTreeSet<String> = after.keys().map(|(_, id)| id.clone()).collect();
        for document in &self.documents {
            let address = &document.address;
            let there = after.iter().any(|((kind, _), live)| {
                *kind == address.kind
                    && stamp::owner(&live.tags, STACK) == Owner::Us
                    && stamp::names(&live.tags, address)
            });
            let excused = plan.changes.iter().any(|change| change.address == *address);
            if !there && !excused {
                self.fail(&format!("{address} is lost; there are {known:?}"));
            }
        }
    }
}

/// What must hold after every single call that writes, whatever became of its answer.
#[derive(Default)]
struct Steps {
    before: Glance,
    dangled: BTreeSet<(String, String)>,
    replacing: BTreeSet<String>,
    adopted: BTreeSet<String>,
    broken: Vec<String>,
}

/// What a plan takes over because a document says so.
fn adopted(plan: &Plan) -> BTreeSet<String> {
    let adopts = |change: &&Change| change.action == Action::Adopt && change.acts();
    let adopts = plan.changes.iter().filter(adopts);
    let keys = adopts.filter_map(|change| {
        let live = change.live.as_ref()?;
        Some(Glance::key(&change.address.kind, &change.location, live))
    });
    keys.collect()
}

impl Steps {
    fn begin(&mut self, before: Glance, replacing: BTreeSet<String>, adopted: BTreeSet<String>) {
        *self = Self {
            dangled: before.dangling(),
            before,
            replacing,
            adopted,
            broken: Vec::new(),
        };
    }

    fn step(&mut self, operation: &str, now: &Glance) {
        let mut found = now.touched(&self.before, &self.adopted);
        for twice in now.twice().difference(&self.replacing) {
            found.push(format!("{twice} is there twice"));
        }
        for (who, whom) in now.dangling().difference(&self.dangled) {
            found.push(format!("{who} refers to {whom}, which is not there"));
        }
        let after = found.into_iter();
        self.broken
            .extend(after.map(|what| format!("after {operation}: {what}")));
    }
}

/// Says whether two documents ask for what only one can have, which is refused.
fn disputes(one: &Declared, other: &Declared) -> bool {
    let kind = kinds::find(&one.address.kind).unwrap();
    let asked = |document: &Declared| -> BTreeSet<(&str, String)> {
        let claims = kind.exclusive().iter();
        claims
            .flat_map(|claim| claim.asked(&document.spec, &document.spec))
            .map(|(at, _, what)| (at, what))
            .collect()
    };
    one.address.kind == other.address.kind && !asked(one).is_disjoint(&asked(other))
}

/// Says whether a change may be left for good: a person must decide it.
fn excused(change: &Change, before: &Estate, after: &Estate) -> bool {
    match change.action {
        // Somebody else's object has the name.
        Action::Adopt => change.held.is_some(),
        Action::Blocked => {
            let wanted = change.desired.as_ref().unwrap();
            let taken = after.iter().any(|((kind, _), live)| {
                stamp::owner(&live.tags, STACK) != Owner::Us
                    && (*kind == change.address.kind
                        || is_alias(kind) && is_alias(&change.address.kind))
                    && live.name == wanted["name"]
            });
            // What needs a blocked one is blocked as well.
            taken || !references(wanted).is_empty()
        }
        // A patch group, or the name of a contact, is taken by an object that is not ours.
        Action::Create | Action::Update | Action::Replace => {
            let wanted = change.desired.as_ref().unwrap();
            after.iter().any(|((kind, _), live)| {
                stamp::owner(&live.tags, STACK) != Owner::Us
                    && (kind == "PatchBaseline"
                        && overlaps(&live.spec["patchGroups"], &wanted["patchGroups"])
                        || is_alias(kind)
                            && is_alias(&change.address.kind)
                            && live.name == wanted["name"])
            })
        }
        // Central configuration does not end while there is a policy, and somebody else's is not ours to delete.
        Action::Delete if change.address.kind == "OrganizationConfiguration" => {
            after.iter().any(|((kind, _), live)| {
                kind == "ConfigurationPolicy" && stamp::owner(&live.tags, STACK) != Owner::Us
            })
        }
        // With a hub that was gone comes what nobody could see then, what is in no document too.
        Action::Delete => {
            let hub = before.keys().any(|(kind, _)| kind == "SecurityHub");
            let parts = ["AutomationRule", "FindingAggregator"];
            parts.contains(&change.address.kind.as_str()) && !hub
        }
        Action::Unknown => false,
    }
}

fn is_singleton(kind: &str) -> bool {
    kinds::find(kind).is_some_and(|kind| kind.identity() == Identity::Singleton)
}

fn is_alias(kind: &str) -> bool {
    ["Contact", "OnCallSchedule", "EscalationPlan"].contains(&kind)
}

fn overlaps(one: &Value, other: &Value) -> bool {
    let of = |value: &Value| -> BTreeSet<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    !of(one).is_disjoint(&of(other))
}

/// What must not change of an object that is not ours. There is one default baseline an operating system.
fn unowned(kind: &str, live: &Live<Value>) -> Value {
    let mut spec = live.spec.clone();
    if let Some(spec) = spec.as_object_mut().filter(|_| kind == "PatchBaseline") {
        spec.remove("default");
    }
    spec
}

/// Returns the tags of the stamp that an object carries.
fn stamp_of(live: &Live<Value>) -> stamp::Tags {
    let ours = [stamp::STACK, stamp::OBJECT, stamp::APPLIED];
    let tags = live
        .tags
        .iter()
        .filter(|(key, _)| ours.contains(&key.as_str()));
    tags.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Counts the objects of ours that are there more than once.
fn twice(estate: &Estate) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for ((kind, _), live) in estate {
        if stamp::owner(&live.tags, STACK) == Owner::Us {
            let object = live.tags.get(stamp::OBJECT).cloned().unwrap_or_default();
            assert!(
                object.starts_with(&format!("{kind}/")),
                "{object} is a {kind}"
            );
            *counts.entry(object).or_insert(0) += 1;
        }
    }
    counts.retain(|_, count| *count > 1);
    counts
}

/// Returns who refers to whom in vain.
fn dangling(estate: &Estate) -> BTreeSet<(String, String)> {
    let ids: BTreeSet<&str> = estate.keys().map(|(_, id)| id.as_str()).collect();
    let mut found = BTreeSet::new();
    for ((kind, _), live) in estate {
        let mut named = Vec::new();
        arns(&live.spec, &mut named);
        for arn in named {
            // Topics are nothing that a kind makes.
            if !arn.contains(":sns:") && !ids.contains(arn.as_str()) {
                found.insert((format!("{kind}/{}", live.name), arn));
            }
        }
    }
    found
}

fn arns(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(arn) = map.get("arn").and_then(Value::as_str) {
                into.push(arn.to_owned());
            }
            map.values().for_each(|member| arns(member, into));
        }
        Value::Array(list) => list.iter().for_each(|member| arns(member, into)),
        _ => {}
    }
}

fn retarget(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(map) => {
            if map.get("ref").and_then(Value::as_str) == Some(from) {
                map.insert("ref".to_owned(), json!(to));
            }
            map.values_mut()
                .for_each(|member| retarget(member, from, to));
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|member| retarget(member, from, to)),
        _ => {}
    }
}

/// Draws what goes wrong.
fn faults(rng: &mut SmallRng) -> (Faults, String) {
    let calm = rng.random_bool(0.15);
    let mut rules = Vec::new();
    let menu: [(f64, f64, Value); 14] = [
        (0.5, 0.3, json!("throttle")),
        (
            0.5,
            0.1,
            json!({"error": {"code": "InternalFailure", "status": 500, "message": "try again"}}),
        ),
        (
            0.3,
            0.03,
            json!({"error": {"code": "ValidationException", "status": 400, "message": "no"}}),
        ),
        (0.2, 0.05, json!("deny")),
        (0.4, 0.05, json!("timeoutBefore")),
        (0.4, 0.05, json!("timeoutAfter")),
        (0.4, 0.05, json!("disconnectBefore")),
        (0.4, 0.05, json!("disconnectAfter")),
        (0.3, 0.2, json!({"staleReads": rng.random_range(1..4)})),
        (0.4, 0.5, json!("shortPages")),
        (0.3, 0.2, json!("repeatedItem")),
        (0.2, 0.1, json!("missingItem")),
        (0.2, 0.2, json!("expiredPage")),
        (0.2, 0.3, json!({"delay": rng.random_range(1..500)})),
    ];
    for (chance, rate, then) in menu {
        if !calm && rng.random_bool(chance) {
            rules.push(json!({"when": {"rate": rate}, "then": then}));
        }
    }
    rules.shuffle(rng);
    let text = serde_json::to_string(&rules).unwrap();
    (Faults::parse(&text).unwrap(), text)
}

/// Kinds whose objects carry no tags.
const UNTAGGED: [&str; 3] = [
    "ServiceSetting",
    "FindingAggregator",
    "OrganizationConfiguration",
];

/// Changes one thing about a spec, if that leaves it valid.
fn change(rng: &mut SmallRng, kind: &str, spec: &Value, people: &[String]) -> Option<Value> {
    let any = kinds::find(kind).unwrap();
    let mut spec = spec.clone();
    let number = rng.random_range(1..20);
    let tagged = !UNTAGGED.contains(&kind);
    if tagged && rng.random_bool(0.25) {
        let value = json!(format!("v{number}"));
        match spec.get_mut("tags").and_then(Value::as_object_mut) {
            Some(tags) => drop(tags.insert("changed".to_owned(), value)),
            None => spec["tags"] = json!({ "changed": value }),
        }
    } else {
        one_field(rng, kind, &mut spec, number, people)?;
    }
    let spec = any.parse(&spec).ok()?;
    let mut report = Report::default();
    any.validate(&spec, &mut report);
    report.is_ok().then_some(spec)
}

#[expect(
    clippy::too_many_lines,
    reason = "a table of edits, one or two lines each"
)]
fn one_field(
    rng: &mut SmallRng,
    kind: &str,
    spec: &mut Value,
    number: u32,
    people: &[String],
) -> Option<()> {
    let coin = rng.random_range(0..4);
    match (kind, coin) {
        ("Contact", 0) => spec["displayName"] = json!(format!("Person {number}")),
        ("Contact", 1) => {
            let name = format!("extra{}", number % 3);
            let address = json!({"$sensitive": format!("p{number}@example.com")});
            spec["channels"][&name] = json!({"type": "EMAIL", "address": address});
            let notify = spec["stages"]
                .get_mut(0)?
                .get_mut("notify")?
                .as_array_mut()?;
            notify.push(json!({"channel": name}));
        }
        ("Contact", 2) => {
            let channels = spec.get_mut("channels")?.as_object_mut()?;
            let names: Vec<String> = channels.keys().cloned().collect();
            let gone = names.choose(rng)?.clone();
            channels.remove(&gone);
            for stage in spec["stages"].as_array_mut()? {
                if let Some(notify) = stage.get_mut("notify").and_then(Value::as_array_mut) {
                    notify.retain(|n| n["channel"] != gone.as_str());
                }
            }
        }
        ("Contact", _) => {
            for channel in spec.get_mut("channels")?.as_object_mut()?.values_mut() {
                if channel["type"] != "EMAIL" {
                    channel["address"] = json!({"$sensitive": format!("+8190123400{number:02}")});
                }
            }
        }
        ("Rotation", 0) => spec["recurrence"]["recurrenceMultiplier"] = json!(number % 5 + 1),
        ("Rotation", 1) => {
            spec["timeZoneId"] = json!(["Asia/Tokyo", "Europe/Berlin", "UTC"][number as usize % 3]);
        }
        ("Rotation", 2) if !people.is_empty() => {
            let some: Vec<Value> = people
                .sample(rng, 2)
                .map(|name| json!({ "ref": name }))
                .collect();
            spec["contacts"] = json!(some);
        }
        ("Rotation", _) => spec["contacts"].as_array_mut()?.reverse(),
        ("OnCallSchedule", 0 | 1) => drop(spec.get_mut("rotations")?.as_array_mut()?.pop()?),
        ("OnCallSchedule", _) => spec["displayName"] = json!(format!("Schedule {number}")),
        ("EscalationPlan", 0) => drop(spec.get_mut("stages")?.as_array_mut()?.pop()?),
        ("EscalationPlan", 1) => spec["stages"].get_mut(0)?["durationMinutes"] = json!(number),
        ("EscalationPlan", 2) if !people.is_empty() => {
            let who = people.choose(rng)?;
            let stage = json!({"durationMinutes": number, "engage": [{"contact": {"ref": who}}]});
            spec["stages"].as_array_mut()?.push(stage);
        }
        ("EscalationPlan", _) => spec["displayName"] = json!(format!("Plan {number}")),
        ("ResponsePlan", 0) => spec["incidentTemplate"]["impact"] = json!(number % 5 + 1),
        ("ResponsePlan", 1) => drop(spec.get_mut("engagements")?.as_array_mut()?.pop()?),
        ("ResponsePlan", 2) => drop(spec.as_object_mut()?.remove("runbook")?),
        ("ResponsePlan", _) => {
            spec["incidentTemplate"]["summary"] = json!(format!("Summary {number}"));
        }
        ("Runbook" | "Document", _) => {
            let text = spec["content"]["$document"]["text"].as_str()?;
            // The description of the document itself, wherever its format has it.
            let changed = text.replacen("escription: ", &format!("escription: {number} "), 1);
            let changed = changed.replacen(
                "\"description\": \"",
                &format!("\"description\": \"{number} "),
                1,
            );
            // AWS takes no other display name for the same content; the plan says so.
            if coin == 0 && changed != text {
                spec["displayName"] = json!(format!("Document {number}"));
            }
            spec["content"]["$document"]["text"] = json!(changed);
        }
        ("PatchBaseline", 0) => spec["description"] = json!(format!("Baseline {number}")),
        ("PatchBaseline", 1) => spec["rejectedPatches"] = json!([format!("KB50{number:02}")]),
        ("PatchBaseline", 2) => spec["patchGroups"] = json!([format!("group-{}", number % 4)]),
        ("PatchBaseline", _) => {
            let systems = ["RHEL", "CENTOS", "AMAZON_LINUX_2", "ORACLE_LINUX"];
            spec["operatingSystem"] = json!(systems[number as usize % 4]);
            spec["approvalRules"] = json!([]);
            spec["default"] = json!(number.is_multiple_of(3));
        }
        ("MaintenanceWindow", 0) => spec["duration"] = json!(number % 20 + 4),
        ("MaintenanceWindow", 1) => {
            let tasks = spec.get_mut("tasks")?.as_object_mut()?;
            let names: Vec<String> = tasks.keys().cloned().collect();
            tasks.remove(names.choose(rng)?);
        }
        ("MaintenanceWindow", 2) => {
            // A target of another sort, which takes the place of the one that tasks name.
            let sort = if number.is_multiple_of(2) {
                "resource-groups:Name"
            } else {
                "tag:role"
            };
            let select = json!([{"key": sort, "values": [format!("group-{number}")]}]);
            let targets = spec.get_mut("windowTargets")?.as_object_mut()?;
            targets.values_mut().next()?["select"] = select;
        }
        ("MaintenanceWindow", _) => {
            let task = json!({"lambda": {"function": format!("SSM{number}")}});
            spec["tasks"][format!("extra{}", number % 3)] = task;
        }
        ("Association", 0) => spec["maxErrors"] = json!(number.to_string()),
        ("Association", 1) => {
            let select = json!([{"key": "tag:role", "values": [format!("role-{number}")]}]);
            spec["select"] = select;
        }
        ("Association", 2) => {
            let only = spec["applyOnlyAtCronInterval"] == json!(true);
            spec["applyOnlyAtCronInterval"] = json!(!only);
            spec["schedule"] = json!(format!("cron(0 {number} ? * SUN *)"));
            spec.as_object_mut()?.remove("duration");
        }
        ("Association", _) => {
            spec["document"] = json!({"name": "AWS-UpdateSSMAgent"});
            spec["documentVersion"] = json!("$LATEST");
            spec["parameters"] = json!({"allowDowngrade": ["false"]});
        }
        ("Dashboard", _) => {
            let text = spec["body"]["$document"]["text"].as_str()?;
            spec["body"]["$document"]["text"] =
                json!(text.replacen("24", &format!("{}", number + 1), 1));
        }
        ("Alarm", 0) => spec["description"] = json!(format!("Alarm {number}")),
        ("Alarm", 1) => spec["actionsEnabled"] = json!(number.is_multiple_of(2)),
        ("Alarm", 2) if spec["type"] == "composite" => {
            let rule = spec["rule"].as_str()?;
            let (one, other) = if rule.contains(" AND ") {
                (" AND ", " OR ")
            } else {
                (" OR ", " AND ")
            };
            spec["rule"] = json!(rule.replace(one, other));
        }
        ("Alarm", _) if spec["type"] == "metric" => spec["evaluationPeriods"] = json!(number),
        ("Alarm", _) => spec["actionsSuppressor"]["waitPeriod"] = json!(number),
        ("SecurityHub", 0) => {
            let auto = spec["autoEnableControls"] == json!(true);
            spec["autoEnableControls"] = json!(!auto);
        }
        ("SecurityHub", 1) => {
            let controls = spec.get_mut("controls")?.as_object_mut()?;
            let names: Vec<String> = controls.keys().cloned().collect();
            controls.remove(names.choose(rng)?);
        }
        ("SecurityHub", 2) => {
            let standards = spec.get_mut("standards")?.as_array_mut()?;
            let another = json!("pci-dss/v/3.2.1");
            match standards.iter().position(|standard| *standard == another) {
                Some(at) => drop(standards.remove(at)),
                None => standards.push(another),
            }
        }
        ("SecurityHub", _) => {
            let reason = format!("Reason {number}");
            spec.get_mut("controls")?["IAM.9"] = json!({"enabled": false, "reason": reason});
        }
        ("AutomationRule", 0) => spec["order"] = json!(number),
        ("AutomationRule", 1) => {
            let enabled = spec["enabled"] == json!(true);
            spec["enabled"] = json!(!enabled);
        }
        ("AutomationRule", 2) => {
            let title = json!([{"comparison": "PREFIX", "value": format!("Title {number}")}]);
            spec["criteria"] = json!({ "title": title });
        }
        ("AutomationRule", _) => {
            let note = json!({"text": format!("Note {number}"), "updatedBy": "somebody"});
            spec["findingFieldsUpdate"]["note"] = note;
        }
        ("FindingAggregator", 0) => {
            *spec = json!({"regionLinkingMode": "ALL_REGIONS"});
        }
        ("FindingAggregator", _) => {
            let mode = ["SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED"][number as usize % 2];
            let region = ["eu-west-1", "us-east-1", "sa-east-1"][number as usize % 3];
            *spec = json!({"regionLinkingMode": mode, "regions": [region]});
        }
        ("ConfigurationPolicy", 0) => spec["description"] = json!(format!("Policy {number}")),
        ("ConfigurationPolicy", 1) => {
            let controls = json!({ "disabled": [format!("IAM.{}", number % 8 + 1)] });
            spec["serviceEnabled"] = json!(true);
            spec["controls"] = controls;
        }
        // Of all documents this one alone has accounts: a target has one policy.
        ("ConfigurationPolicy", _) => {
            let accounts = spec.get_mut("associations")?.get_mut("accounts")?;
            let account = ["222233334444", "333344445555"][number as usize % 2];
            *accounts = json!([account]);
        }
        ("ServiceSetting", _) => {
            let value = spec["value"].as_str()?;
            spec["value"] = match value {
                "Enable" => json!("Disable"),
                "Disable" => json!("Enable"),
                _ => json!(format!("service-role/role-{number}")),
            };
        }
        ("ReplicationSet", 0 | 1) => {
            let protected = spec["deletionProtected"] == json!(true);
            spec["deletionProtected"] = json!(!protected);
        }
        ("ReplicationSet", _) => {
            let regions = spec.get_mut("regions")?.as_array_mut()?;
            if regions.len() > 1 {
                // The first one is where the run is, and stays.
                regions.truncate(1);
            } else {
                regions.push(json!({"name": "eu-west-1"}));
            }
        }
        // How an organization is configured among them: no policy may be left where each account is for itself again.
        _ => return None,
    }
    Some(())
}
