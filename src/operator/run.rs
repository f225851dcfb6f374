//! The middle of a look: what the engine does for every door.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::reconcile::{Halt, Look};
use super::resource::goes;
use super::stands::Findings;
use super::status::{State, Status};
use crate::aws::Connection;
use crate::engine::fleet::{Fleet, Rollout, Selection};
use crate::engine::lease::LeaseError;
use crate::engine::run::{digest, leased, look, stack_name, wish};
use crate::engine::secrets::Sources;
use crate::engine::{Ending, Outcome, Patience, World};
use crate::load::Loaded;
use crate::model::lifecycle::Lifecycle;
use crate::model::plan::{Action, Change, Desired, Plan, Wish};
use crate::model::{Address, Location};

/// What a look works with.
pub(super) struct Run<'a> {
    look: &'a Look<'a>,
    connection: &'a Connection,
    pub(super) loaded: Loaded,
    fleet: Fleet,
    world: World,
    desired: Desired,
    wish: Wish,
}

/// What a look found and did.
pub(super) struct Looked {
    first: Plan,
    done: Option<(Plan, Outcome)>,
    last: Plan,
}

impl<'a> Run<'a> {
    /// Finds the places, and what is desired there.
    pub(super) async fn prepare(
        look: &'a Look<'a>,
        connection: &'a Connection,
        loaded: Loaded,
        doomed: &BTreeMap<Address, Lifecycle>,
    ) -> Result<Self, Halt> {
        let limits = look.reconciler.limits.as_ref();
        let fence = limits.map(|limits| limits.of(look.namespace));
        let selection = Selection::default();
        let fleet = Fleet::find_within(connection, &loaded, &selection, fence.as_ref());
        let fleet = Box::pin(fleet).await?;
        let sources = Sources::Cluster(look.secrets());
        let desired = fleet.desired(&stack_name(&loaded), &loaded, &sources).await;
        let today = look.now.get(..10).unwrap_or_default().to_owned();
        let mut wish = wish(&loaded, today);
        // What cannot be listed is not gone.
        wish.prune &= look.snapshot.complete;
        // Where objects are not read, nobody knows what shall become of what they stand for.
        wish.prune &= look.unread().next().is_none();
        wish.gone.clone_from(doomed);
        let patience = Patience {
            // A look that waits keeps other Stacks from theirs; what AWS is still at work on is looked at again.
            limit: Duration::from_mins(5),
            ..Patience::default()
        };
        Ok(Self {
            world: fleet.world(patience),
            look,
            connection,
            loaded,
            fleet,
            desired,
            wish,
        })
    }

    /// Plans, and carries out what may be carried out.
    pub(super) async fn work(&mut self) -> Result<Looked, Halt> {
        let first = self.plan().await;
        if !first.changes.iter().any(Change::acts) || self.look.stop.is_cancelled() {
            return Ok(Looked {
                last: first.clone(),
                first,
                done: None,
            });
        }
        let lent = self.look.lent;
        let stack = self.desired.stack.clone();
        let told = |text: &str| tracing::info!(stack, text);
        let this = &*self;
        let work = |stop| async move {
            // Somebody may have been at work until now.
            let plan = this.plan().await;
            this.fresh(&plan).await?;
            let rollout = Rollout {
                plan: &plan,
                world: &this.world,
                desired: &this.desired,
                wish: &this.wish,
                max_failures: None,
            };
            let outcome = this.fleet.apply(&rollout, &|_| {}, &stop).await;
            Ok::<_, Halt>((plan, outcome))
        };
        let holds = Some(lent.holds.clone());
        let (connection, region) = (self.connection, self.fleet.lease_region(self.connection));
        let done = leased(
            connection,
            region,
            &stack,
            holds,
            &told,
            self.look.stop,
            work,
        )
        .await;
        let done = done.map_err(|error| match &error {
            LeaseError::Taken { .. } | LeaseError::Interrupted => {
                Halt::Retry(State::Pending, error.to_string())
            }
            LeaseError::Aws { .. } => Halt::Retry(State::Failed, crate::aws::chain(&error)),
        })??;
        // Read back once more, for the ids, and to say only what is true.
        let last = self.plan().await;
        Ok(Looked {
            first,
            done: Some(done),
            last,
        })
    }

    /// Says whether something that documents read from elsewhere could not be read.
    pub(super) fn lacks(&self) -> bool {
        let right = |address: &Address| {
            let mut declared = self.loaded.objects.iter();
            declared.any(|one| one.address == *address && one.problem.is_none())
        };
        let mut problems = self.desired.objects.iter().filter(|o| o.problem.is_some());
        let mut findings = self.loaded.report.diagnostics.iter();
        problems.any(|object| right(&object.address))
            || findings.any(|finding| finding.code == "content-missing")
    }

    async fn plan(&self) -> Plan {
        let mut plan = look(&self.fleet, &self.world, &self.desired, &self.wish, &|_| {}).await;
        if goes(self.look.stack) {
            // Of a Stack that is being deleted nothing is made or changed any more.
            plan.changes
                .retain(|change| self.wish.gone.contains_key(&change.address) || !change.acts());
        }
        plan
    }

    /// Refuses to delete what the API server has after all: what we know of it may be old.
    async fn fresh(&self, plan: &Plan) -> Result<(), Halt> {
        let deletes = plan.changes.iter().filter(|change| {
            change.action == Action::Delete
                && change.acts()
                && !self.wish.gone.contains_key(&change.address)
        });
        for change in deletes {
            let writer = &self.look.reconciler.writer;
            // A second object with the stamp of one that is declared is no matter of what the API server has.
            let declared = self
                .loaded
                .objects
                .iter()
                .any(|d| d.address == change.address);
            if !declared
                && writer
                    .is_there(self.look.namespace, &change.address)
                    .await?
            {
                return Err(Halt::Moved);
            }
        }
        Ok(())
    }

    /// Returns a place where an object was when last looked at, and where this run does not look.
    pub(super) fn misses(&self, status: &Status) -> Option<Location> {
        let looked_at = self.fleet.places();
        let mut was = status.locations().into_iter();
        was.find(|location| !looked_at.contains(location))
    }

    /// Names the account and the region, or says how many there are.
    pub(super) fn places(&self) -> (Option<String>, Option<String>) {
        let places = self.fleet.places();
        let name = |what: &str, of: fn(&Location) -> &String| {
            let all: BTreeSet<&String> = places.iter().map(of).collect();
            match all.len() {
                0 => None,
                1 => all.first().map(|only| (*only).clone()),
                several => Some(format!("{several} {what}")),
            }
        };
        (
            name("accounts", |place| &place.account),
            name("regions", |place| &place.region),
        )
    }
}

impl Looked {
    /// Returns what there is to go by.
    pub(super) fn findings<'a>(&'a self, run: &'a Run<'_>) -> Findings<'a> {
        Findings {
            desired: &run.desired,
            first: &self.first,
            done: self.done.as_ref().map(|(plan, outcome)| (plan, outcome)),
            last: &self.last,
        }
    }

    /// Returns what AWS did to an object, for people.
    pub(super) fn drift(&self, address: &Address) -> Option<String> {
        super::stands::drift(&self.first, address)
    }

    /// Returns what was done to an object: a reason and a note for each place.
    pub(super) fn changes(&self, address: &Address) -> Vec<(&'static str, String)> {
        let Some((plan, outcome)) = &self.done else {
            return Vec::new();
        };
        let ended = plan.changes.iter().zip(&outcome.endings);
        let ours = ended.filter(|(change, ending)| {
            change.address == *address && **ending == Some(Ending::Done)
        });
        ours.map(|(change, _)| {
            let reason = match change.action {
                Action::Create => "Created",
                Action::Update => "Updated",
                Action::Replace => "Replaced",
                Action::Delete => "Deleted",
                Action::Adopt => "Adopted",
                Action::Blocked => "Blocked",
                Action::Unknown => "Unknown",
            };
            (
                reason,
                format!("{} in {}", reason.to_lowercase(), change.location),
            )
        })
        .collect()
    }

    /// Returns what was deleted.
    pub(super) fn deleted(&self) -> BTreeSet<Address> {
        let plans = self.done.iter().flat_map(|(plan, _)| &plan.changes);
        let deleted = plans.filter(|change| change.action == Action::Delete);
        deleted.map(|change| change.address.clone()).collect()
    }

    /// Says why an object that should go is still there.
    pub(super) fn remains(&self, address: &Address) -> Option<String> {
        if let Some((plan, outcome)) = &self.done {
            let ended = plan.changes.iter().zip(&outcome.endings);
            let failed = ended.filter(|(change, _)| change.address == *address);
            for (_, ending) in failed {
                if let Some(Ending::Failed(why) | Ending::Skipped(why)) = ending {
                    return Some(why.clone());
                }
            }
        }
        let any = |change: &&Change| {
            change.address.kind == address.kind
                && match change.action {
                    Action::Unknown => {
                        change.address.name == "*" || change.address.name == address.name
                    }
                    _ => change.address.name == address.name,
                }
        };
        let change = self.last.changes.iter().find(any)?;
        let reason = change.reason.clone().or_else(|| change.held.clone());
        Some(reason.unwrap_or_else(|| "it is tried again".to_owned()))
    }

    /// Says why an object stays in AWS although it might have gone.
    pub(super) fn retained(&self, address: &Address) -> Option<String> {
        let notes = &self.first.retained;
        let note = notes.iter().find(|note| note.address == *address)?;
        Some(note.text.clone())
    }

    /// Returns the plan as it is now.
    pub(super) fn last(&self) -> &Plan {
        &self.last
    }

    /// Counts what is ours and in no document.
    pub(super) fn orphans(&self) -> usize {
        self.last.orphans.len()
    }

    /// Returns a hash of what is left to do.
    pub(super) fn digest(&self) -> Option<String> {
        (!self.last.is_empty()).then(|| digest(&self.last))
    }
}
