//! Deterministic simulation: whole runs against the simulated AWS while everything goes wrong, on a clock that stands
//! still but for who waits for it.
//!
//! Each seed is a world of its own: a random part of the examples, edited at random on both sides, with random faults
//! in between. `STATIONBILL_SEEDS=N` runs more seeds, `STATIONBILL_SEED=n` runs one.

mod edits;
mod faults;
mod invariants;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use stationbill::kinds;
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Change, Wish};
use stationbill::model::reference::references;
use stationbill::model::stamp::{self, Owner};
use stationbill::sandbox::Faults;

use self::faults::faults;
use self::invariants::{Steps, adopted, excused, twice};
use crate::support::calls::{Look, Moment};
use crate::support::glance::Glance;
use crate::support::{STACK, Scene, administering, documents, each, number, told};

/// How many seeds `cargo test` runs.
const SEEDS: u64 = 300;

static CATALOGUES: LazyLock<[Vec<Declared>; 2]> =
    LazyLock::new(|| [documents("banana-stand"), documents("kinds")]);

#[test]
fn whatever_goes_wrong_every_world_ends_as_declared() {
    if let Some(seed) = number("STATIONBILL_SEED") {
        return live(seed);
    }
    let seeds = number("STATIONBILL_SEEDS").unwrap_or(SEEDS);
    let mut failed = each(seeds, |seed| {
        catch_unwind(AssertUnwindSafe(|| live(seed))).map_err(|_| seed)
    });
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

    /// Lets reads catch up with writes.
    async fn settle(&mut self) {
        let fresh = Scene::with(self.rng.random(), administering()).await;
        self.scene = fresh.having(&self.scene.snapshot());
    }

    /// Once nothing goes wrong any more, one run is enough, and nothing is left to do.
    async fn end(&mut self) {
        let wish = Wish {
            prune: true,
            today: "2026-01-01".to_owned(),
            ..Wish::default()
        };
        let before = self.scene.everything().await;
        let plan = self.scene.plan(STACK, &self.documents, &wish).await.2;
        let outcome = self.scene.apply(&plan).await;
        self.say(format!(
            "without faults\n{}{:?}",
            told(&plan),
            outcome.endings
        ));
        let after = self.scene.everything().await;
        self.check(&plan, &before, &after);
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
