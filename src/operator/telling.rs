//! The end of a look: what became of everything, written where people and controllers read it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use kube::api::DynamicObject;
use serde_json::Value;

use super::reconcile::{Halt, Look, WRITES};
use super::resource::{LET_GO, goes};
use super::run::{Looked, Run};
use super::status::{Counts, Said, State, Status};
use super::writer::Writer;
use crate::model::Address;
use crate::model::lifecycle::Lifecycle;

/// How many names a message has.
pub(super) const NAMES: usize = 5;

impl Look<'_> {
    /// Writes what became of it; returns whether all is well.
    pub(super) async fn tell(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        doomed: &BTreeMap<Address, Lifecycle>,
    ) -> Result<bool, Halt> {
        let mut calm = self.tell_doomed(run, looked, doomed).await?;
        let live = self.snapshot.objects.iter();
        let live = live.filter(|(_, object)| !goes(object));
        let before = live.map(|(address, object)| {
            let generation = object.metadata.generation;
            (address.clone(), (generation, Writer::status(object)))
        });
        let statuses = self.statuses(run, looked, &before.collect());
        let writes = statuses.iter().map(|(address, status)| async move {
            let object = &self.snapshot.objects[address];
            self.tell_one(address, object, status, looked).await
        });
        // Of a Stack that is being deleted nothing is looked after but what goes with it.
        let writes = writes.filter(|_| !goes(self.stack));
        let mut writes = stream::iter(writes.collect::<Vec<_>>()).buffer_unordered(WRITES);
        let mut failed = None;
        while let Some(written) = writes.next().await {
            failed = failed.or(written.err());
        }
        drop(writes);
        // What a document reads from elsewhere may come to be there, and nobody tells us when.
        calm &= !statuses.values().any(goes_on) && !run.lacks();
        let said = if goes(self.stack) {
            let held = self.held();
            let why = format!(
                "{held} objects of this namespace still need it: delete them, or set the annotation {LET_GO}=true"
            );
            Said::new(State::Deleting, why)
        } else {
            summary(&statuses, looked.orphans())
        };
        self.tell_stack(run, looked, &statuses, &said).await?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(calm),
        }
    }

    /// Says how each of some objects stands; `before` is what was said of them, with their generations.
    pub(super) fn statuses(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        before: &BTreeMap<Address, (Option<i64>, Status)>,
    ) -> BTreeMap<Address, Status> {
        let known = before.iter().filter(|(_, (_, status))| status.id.is_some());
        let known: BTreeSet<Address> = known.map(|(address, _)| address.clone()).collect();
        let stands = looked.findings(run).stands(&known);
        let problems: BTreeMap<&Address, &String> = run
            .loaded
            .objects
            .iter()
            .filter_map(|declared| Some((&declared.address, declared.problem.as_ref()?)))
            .collect();
        let all = before.iter().map(|(address, (generation, before))| {
            let status = if let Some(problem) = problems.get(address) {
                let said = Said::new(State::Invalid, problem);
                before
                    .said(*generation, &said, &self.now)
                    .timed(before, &self.now)
            } else {
                let places = stands.get(address).map_or(&[][..], Vec::as_slice);
                Status::of(before, *generation, places, &self.now)
            };
            (address.clone(), status)
        });
        all.collect()
    }

    async fn tell_one(
        &self,
        address: &Address,
        object: &DynamicObject,
        status: &Status,
        looked: &Looked,
    ) -> Result<(), kube::Error> {
        let writer = &self.reconciler.writer;
        for (reason, note) in looked.changes(address) {
            writer.event(address, object, false, reason, &note).await;
        }
        let before = Writer::status(object);
        if !writer.tell(address, object, status).await? {
            return Ok(());
        }
        if status.last_drift != before.last_drift
            && let Some(drift) = looked.drift(address)
        {
            writer.event(address, object, true, "Drifted", &drift).await;
        }
        let said = status.state != before.state || status.message() != before.message();
        let quiet = [State::InSync, State::Pending]
            .iter()
            .any(|s| s.word() == status.state);
        if said && !quiet {
            writer
                .event(address, object, true, &status.state, status.message())
                .await;
        }
        Ok(())
    }

    /// Lets go of what is gone from AWS; returns whether nothing waits.
    pub(super) async fn tell_doomed(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        doomed: &BTreeMap<Address, Lifecycle>,
    ) -> Result<bool, Halt> {
        let mut calm = true;
        for address in doomed.keys() {
            let object = &self.snapshot.objects[address];
            if let Some(why) = looked.remains(address) {
                calm = false;
                self.waits(address, object, &why).await?;
            } else if let Some(why) = looked.retained(address) {
                self.reconciler.let_go(address, object, &why).await?;
            } else if let Some(place) = run.misses(&Writer::status(object)) {
                calm = false;
                let why = format!("it is in {place}, to which no Target leads any more");
                self.waits(address, object, &why).await?;
            } else {
                let writer = &self.reconciler.writer;
                for (reason, note) in looked.changes(address) {
                    writer.event(address, object, false, reason, &note).await;
                }
                writer.keep(address, object, false).await?;
            }
        }
        Ok(calm)
    }

    /// Writes what there is to say of the Stack.
    pub(super) async fn tell_stack(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        statuses: &BTreeMap<Address, Status>,
        said: &Said,
    ) -> Result<(), Halt> {
        let before = Writer::status(self.stack);
        let generation = self.stack.metadata.generation;
        let ready = |status: &&Status| status.state == State::InSync.word();
        let mut status = before.said(generation, said, &self.now);
        status.objects = Some(Counts {
            declared: statuses.len(),
            ready: statuses.values().filter(ready).count(),
        });
        status.source = self.source(&before, true);
        status.plan = looked.digest();
        (status.account, status.region) = run.places();
        let latest = |of: fn(&Status) -> &Option<String>| {
            let times = statuses.values().filter_map(|status| of(status).clone());
            times.chain(of(&before).clone()).max()
        };
        status.last_applied = latest(|status| &status.last_applied);
        status.last_drift = latest(|status| &status.last_drift);
        let status = status.timed(&before, &self.now);
        let writer = &self.reconciler.writer;
        let told = writer.tell(&self.address, self.stack, &status).await?;
        if told && status.message() != before.message() {
            let warning = said.state != State::InSync;
            writer
                .event(
                    &self.address,
                    self.stack,
                    warning,
                    said.state.word(),
                    &said.message,
                )
                .await;
        }
        Ok(())
    }
}

/// Lists the first few, and says by a sign that there are more.
pub(super) fn few(all: impl IntoIterator<Item = String>, between: &str) -> String {
    let mut all = all.into_iter();
    let mut told: Vec<String> = all.by_ref().take(NAMES).collect();
    told.extend(all.next().map(|_| "…".to_owned()));
    told.join(between)
}

/// Says whether the operator goes on with an object by itself.
pub(super) fn goes_on(status: &Status) -> bool {
    [State::Pending, State::Failed, State::Unknown]
        .iter()
        .any(|state| state.word() == status.state)
}

/// Words how a Stack stands.
pub(super) fn summary(statuses: &BTreeMap<Address, Status>, orphans: usize) -> Said {
    let total = statuses.len();
    let bad: Vec<(&Address, &Status)> = statuses
        .iter()
        .filter(|(_, status)| status.state != State::InSync.word())
        .collect();
    let mut text = match bad.len() {
        0 if total == 1 => "1 object is as declared".to_owned(),
        0 => format!("{total} objects are as declared"),
        count => {
            let names = bad.iter();
            let names = names.map(|(address, status)| format!("{address} ({})", status.state));
            format!(
                "{count} of {total} objects are not as declared: {}",
                few(names, ", ")
            )
        }
    };
    if orphans > 0 {
        text = format!("{text}; {orphans} in AWS are in no document");
    }
    let worst = bad.iter().filter_map(|(_, status)| {
        serde_json::from_value::<State>(Value::from(status.state.clone())).ok()
    });
    Said::new(worst.max().unwrap_or(State::InSync), text)
}
