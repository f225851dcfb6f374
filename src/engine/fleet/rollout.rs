//! Carries out a plan over many accounts: so many at once, stage by stage, until too much fails.
//!
//! Whatever belongs together is in one account, so each account's part of a plan is carried out by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;

use futures::{StreamExt, future, stream};
use tokio_util::sync::CancellationToken;

use super::Fleet;
use crate::engine::apply::{INTERRUPTED, apply};
use crate::engine::run::look;
use crate::engine::{Ending, Event, Events, Outcome, World};
use crate::load::Target;
use crate::model::plan::{Action, Change, Desired, Plan, Wish};

/// In how many accounts changes are made at once when a Target does not say.
const ACCOUNTS: usize = 10;

/// What is carried out, and what is needed to look again.
pub struct Rollout<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The places that can be reached.
    pub world: &'a World,
    /// What is declared.
    pub desired: &'a Desired,
    /// What the user asks for.
    pub wish: &'a Wish,
    /// After how many failed changes nothing new begins.
    pub max_failures: Option<usize>,
}

impl Fleet {
    /// Carries out a plan, as the Targets say. After `cancel` nothing new starts, and what is in flight ends.
    pub async fn apply(
        &self,
        rollout: &Rollout<'_>,
        events: Events<'_>,
        cancel: &CancellationToken,
    ) -> Outcome {
        let run = Run {
            fleet: self,
            rollout,
            events,
            cancel,
            stop: cancel.child_token(),
            failed: Mutex::new(0),
            endings: Mutex::new(vec![None; rollout.plan.changes.len()]),
        };
        let lanes = run.lanes();
        future::join_all(lanes.values().map(|lane| run.lane(lane))).await;
        let endings = run
            .endings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let unfinished = |ending: &Option<Ending>| matches!(ending, Some(Ending::Skipped(why)) if why == INTERRUPTED);
        Outcome {
            interrupted: cancel.is_cancelled() && endings.iter().any(unfinished),
            endings,
        }
    }
}

/// The accounts of one Target, by stage. An account of several Targets is in the lane that gets to it last.
#[derive(Default)]
struct Lane<'a> {
    target: Option<&'a Target>,
    stages: BTreeMap<usize, BTreeMap<&'a str, Vec<usize>>>,
}

impl Lane<'_> {
    fn named(&self, stage: usize) -> String {
        let Some(target) = self.target else {
            return String::new();
        };
        match target.spec.stages.get(stage) {
            Some(stage) => format!("stage `{}` of Target `{}`", stage.name, target.name),
            None => format!("Target `{}`", target.name),
        }
    }
}

struct Run<'a> {
    fleet: &'a Fleet,
    rollout: &'a Rollout<'a>,
    events: Events<'a>,
    cancel: &'a CancellationToken,
    /// Cancelled too when too many changes have failed.
    stop: CancellationToken,
    failed: Mutex<usize>,
    endings: Mutex<Vec<Option<Ending>>>,
}

impl<'a> Run<'a> {
    fn lanes(&self) -> BTreeMap<&'a str, Lane<'a>> {
        let mut by_account: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, change) in self.rollout.plan.changes.iter().enumerate() {
            let account = change.location.account.as_str();
            by_account.entry(account).or_default().push(index);
        }
        let mut last: BTreeMap<&str, (usize, Option<&Target>)> = BTreeMap::new();
        for site in &self.fleet.sites {
            let target = site.target.as_deref();
            let known = last
                .entry(&site.location.account)
                .or_insert((site.stage, target));
            if known.0 < site.stage {
                *known = (site.stage, target);
            }
        }
        let mut lanes: BTreeMap<&str, Lane<'_>> = BTreeMap::new();
        for (account, changes) in by_account {
            let (stage, target) = last.get(account).copied().unwrap_or_default();
            let lane = lanes
                .entry(target.map_or("", |target| &target.name))
                .or_default();
            lane.target = target;
            lane.stages
                .entry(stage)
                .or_default()
                .insert(account, changes);
        }
        lanes
    }

    /// Works through the stages of a Target.
    async fn lane(&self, lane: &Lane<'a>) {
        let tolerance = lane.target.and_then(|target| target.spec.failure_tolerance);
        let within = tolerance.map(|accounts| accounts as usize);
        let between = within.unwrap_or(0);
        let at_once = lane.target.and_then(|target| target.spec.concurrency);
        let at_once = at_once.map_or(ACCOUNTS, |accounts| accounts as usize);
        let mut bad: BTreeSet<&str> = BTreeSet::new();
        let mut stopped: Option<String> = None;
        for (number, accounts) in &lane.stages {
            if let Some(why) = &stopped {
                accounts
                    .values()
                    .flatten()
                    .for_each(|&index| self.skip(index, why));
                continue;
            }
            let failures = Mutex::new(BTreeSet::new());
            let work = accounts.iter().map(|(account, changes)| {
                let (failures, bad) = (&failures, &bad);
                async move {
                    let failed = lock(failures).len() + bad.len();
                    if within.is_some_and(|within| failed > within) {
                        let accounts = if failed == 1 { "account" } else { "accounts" };
                        let why = format!(
                            "{failed} {accounts} of {} failed, which is more than its `failureTolerance` allows",
                            lane.named(usize::MAX)
                        );
                        for &index in changes {
                            self.skip(index, &why);
                        }
                    } else if !self.account(account, changes).await {
                        lock(failures).insert(*account);
                    }
                }
            });
            stream::iter(work)
                .buffer_unordered(at_once)
                .collect::<Vec<()>>()
                .await;
            bad.extend(
                failures
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner),
            );
            let more = lane
                .stages
                .range(number + 1..)
                .flat_map(|(_, accounts)| accounts.values().flatten());
            let more = more.into_iter().any(|&index| self.change(index).acts());
            if !more || self.stop.is_cancelled() {
                continue;
            }
            let here: BTreeSet<&str> = accounts.keys().copied().collect();
            bad.extend(self.unsettled(&here).await);
            if bad.len() > between {
                let names: Vec<&str> = bad.iter().copied().collect();
                stopped = Some(format!(
                    "{} is not as declared in account {}; what comes after it is left untouched",
                    lane.named(*number),
                    names.join(", ")
                ));
            }
        }
    }

    /// Carries out what is to be done in one account; says whether all went well.
    async fn account(&self, account: &str, changes: &[usize]) -> bool {
        let whole = self.rollout.plan;
        let ids = whole
            .ids
            .iter()
            .filter(|(location, _)| location.account == account);
        let part = Plan {
            stack: whole.stack.clone(),
            changes: changes
                .iter()
                .map(|&index| self.change(index).clone())
                .collect(),
            ids: ids
                .map(|(location, ids)| (location.clone(), ids.clone()))
                .collect(),
            ..Plan::default()
        };
        let events = |event: Event| self.tell(event);
        let outcome = apply(&part, self.rollout.world, &events, &self.stop).await;
        let well = part
            .changes
            .iter()
            .zip(&outcome.endings)
            .all(|(change, ending)| match ending {
                Some(ending) => *ending == Ending::Done,
                None => !matches!(change.action, Action::Unknown | Action::Blocked),
            });
        for (&index, ending) in changes.iter().zip(outcome.endings) {
            lock(&self.endings)[index] = ending.map(|ending| self.meant(ending));
        }
        well
    }

    /// Passes an event on; counts what failed.
    fn tell(&self, event: Event) {
        let event = match event {
            Event::Ended {
                address,
                location,
                action,
                ending,
            } => {
                if matches!(ending, Ending::Failed(_)) {
                    let mut failed = lock(&self.failed);
                    *failed += 1;
                    if self
                        .rollout
                        .max_failures
                        .is_some_and(|most| *failed >= most)
                    {
                        self.stop.cancel();
                    }
                }
                let ending = self.meant(ending);
                Event::Ended {
                    address,
                    location,
                    action,
                    ending,
                }
            }
            other => other,
        };
        (self.events)(event);
    }

    /// What was not begun because of failures was not interrupted by anybody.
    fn meant(&self, ending: Ending) -> Ending {
        match ending {
            Ending::Skipped(why) if why == INTERRUPTED && !self.cancel.is_cancelled() => {
                let failed = *lock(&self.failed);
                let changes = if failed == 1 {
                    "change has"
                } else {
                    "changes have"
                };
                Ending::Skipped(format!(
                    "{failed} {changes} failed, and --max-failures begins nothing new then"
                ))
            }
            other => other,
        }
    }

    /// Looks at accounts once more, and returns those that are not as declared.
    async fn unsettled(&self, accounts: &BTreeSet<&str>) -> BTreeSet<&'a str> {
        let Rollout {
            world,
            desired,
            wish,
            ..
        } = self.rollout;
        let here = |account: &str| accounts.contains(account);
        let mut world = World::clone(world);
        world.places.retain(|location, _| here(&location.account));
        let desired = Desired {
            stack: desired.stack.clone(),
            objects: desired
                .objects
                .iter()
                .filter(|object| here(&object.location.account))
                .cloned()
                .collect(),
            homes: desired.homes.clone(),
            left_out: desired.left_out.clone(),
            kinds: desired.kinds.clone(),
        };
        let now = look(self.fleet, &world, &desired, wish, &|_| {}).await;
        let open = now.changes.iter().filter(|change| change.held.is_none());
        let open: BTreeSet<&str> = open
            .map(|change| change.location.account.as_str())
            .collect();
        let known = self
            .fleet
            .sites
            .iter()
            .map(|site| site.location.account.as_str());
        known
            .filter(|account| here(account) && open.contains(account))
            .collect()
    }

    fn skip(&self, index: usize, why: &str) {
        let change = self.change(index);
        if !change.acts() {
            return;
        }
        let ending = Ending::Skipped(why.to_owned());
        lock(&self.endings)[index] = Some(ending.clone());
        (self.events)(Event::Ended {
            address: change.address.clone(),
            location: change.location.clone(),
            action: change.action,
            ending,
        });
    }

    fn change(&self, index: usize) -> &'a Change {
        &self.rollout.plan.changes[index]
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
