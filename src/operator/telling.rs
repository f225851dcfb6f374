//! The end of a look: what became of everything, written where people and controllers read it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use kube::api::DynamicObject;
use serde_json::Value;

use super::reconcile::{Halt, Look, WRITES};
use super::resource::{LET_GO, goes, kept};
use super::run::{Looked, Run};
use super::status::{Counts, Said, State, Status};
use super::writer::Writer;
use crate::model::Address;
use crate::model::lifecycle::Lifecycle;

/// How many names a message has.
const NAMES: usize = 5;

impl Look<'_> {
    /// Writes what became of it; returns whether all is well.
    pub(super) async fn tell(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        doomed: &BTreeMap<Address, Lifecycle>,
    ) -> Result<bool, Halt> {
        let mut calm = self.tell_doomed(looked, doomed).await?;
        let statuses = self.statuses(run, looked);
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
        let ready = |status: &&Status| status.state == State::InSync.word();
        let counts = Counts {
            declared: statuses.len(),
            ready: statuses.values().filter(ready).count(),
        };
        let goes_on = |status: &Status| {
            [State::Pending, State::Failed, State::Unknown]
                .iter()
                .any(|s| s.word() == status.state)
        };
        // What a document reads from elsewhere may come to be there, and nobody tells us when.
        calm &= !statuses.values().any(goes_on) && !run.lacks();
        self.tell_stack(run, looked, &statuses, counts).await?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(calm),
        }
    }

    fn statuses(&self, run: &Run<'_>, looked: &Looked) -> BTreeMap<Address, Status> {
        let live = self
            .snapshot
            .objects
            .iter()
            .filter(|(_, object)| !goes(object));
        let known = live
            .clone()
            .filter(|(_, object)| Writer::status(object).id.is_some());
        let known: BTreeSet<Address> = known.map(|(address, _)| address.clone()).collect();
        let stands = looked.findings(run).stands(&known);
        let problems: BTreeMap<&Address, &String> = run
            .loaded
            .objects
            .iter()
            .filter_map(|declared| Some((&declared.address, declared.problem.as_ref()?)))
            .collect();
        live.map(|(address, object)| {
            let before = Writer::status(object);
            let generation = object.metadata.generation;
            let status = if let Some(problem) = problems.get(address) {
                let said = Said::new(State::Invalid, problem);
                before
                    .said(generation, &said, &self.now)
                    .timed(&before, &self.now)
            } else {
                let places = stands.get(address).map_or(&[][..], Vec::as_slice);
                Status::of(&before, generation, places, &self.now)
            };
            (address.clone(), status)
        })
        .collect()
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
    async fn tell_doomed(
        &self,
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

    async fn tell_stack(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        statuses: &BTreeMap<Address, Status>,
        counts: Counts,
    ) -> Result<(), Halt> {
        let before = Writer::status(self.stack);
        let generation = self.stack.metadata.generation;
        let said = if goes(self.stack) {
            let objects = self.snapshot.objects.values();
            let held = objects.filter(|object| kept(object)).count();
            let why = format!(
                "{held} objects of this namespace still need it: delete them, or set the annotation {LET_GO}=true"
            );
            Said::new(State::Deleting, why)
        } else {
            summary(statuses, looked.orphans())
        };
        let mut status = before.said(generation, &said, &self.now);
        status.objects = Some(counts);
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

/// Words how a Stack stands.
fn summary(statuses: &BTreeMap<Address, Status>, orphans: usize) -> Said {
    let total = statuses.len();
    let bad: Vec<(&Address, &Status)> = statuses
        .iter()
        .filter(|(_, status)| status.state != State::InSync.word())
        .collect();
    let mut text = match bad.len() {
        0 if total == 1 => "1 object is as declared".to_owned(),
        0 => format!("{total} objects are as declared"),
        count => {
            let names = bad.iter().take(NAMES);
            let names: Vec<String> = names
                .map(|(address, status)| format!("{address} ({})", status.state))
                .collect();
            let more = if count > NAMES { ", …" } else { "" };
            format!(
                "{count} of {total} objects are not as declared: {}{more}",
                names.join(", ")
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
