//! A look at a Stack whose documents come from a repository: everything that is declared there, and nothing of what the
//! namespace has.
//!
//! Such objects have no status of their own: the Stack's tells of them all, and so do its events.

use std::collections::{BTreeMap, BTreeSet};

use super::cache::Object;
use super::fate::{Fate, fate_of_declared};
use super::reconcile::{Halt, Look};
use super::resource::{LET_GO, goes, kept};
use super::run::{Looked, Run};
use super::sources::{Checkout, Hindrance};
use super::status::{Said, SourceStatus, State, Status};
use super::telling::{NAMES, few, goes_on, summary};
use super::writer::{Writer, Written};
use crate::kinds;
use crate::load::{Loaded, Repository, Stack};
use crate::model::Address;
use crate::model::lifecycle::{Lifecycle, Mode};

/// What a Stack that is being deleted leaves behind, and why.
type Left = BTreeMap<Address, String>;

impl Look<'_> {
    /// Returns the objects of the namespace that are not read, because the documents come from elsewhere.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&Address, &Object)> {
        let elsewhere = self.spec.source.is_some();
        let objects = self.snapshot.objects.iter();
        objects.filter(move |(_, object)| elsewhere && !goes(object))
    }

    fn good(&self) -> Option<&Checkout> {
        self.reading.as_ref()?.good.as_ref()
    }

    fn hindrance(&self) -> Option<&Hindrance> {
        self.reading.as_ref()?.hindrance.as_ref()
    }

    /// Returns the Stack that the repository itself declares.
    pub(super) fn own(&self) -> Option<&Stack> {
        self.good()?.documents.repository.own.as_ref()
    }

    /// Says which commit is in force. One that was only found is not, until what it declares was looked after.
    pub(super) fn source(&self, before: &Status, taken_up: bool) -> Option<SourceStatus> {
        self.spec.source.as_ref()?;
        let Some(reading) = &self.reading else {
            return before.source.clone();
        };
        let good = self.good().filter(|_| taken_up);
        let good = good.map(|good| good.commit.id().to_owned());
        let commit = good.or_else(|| before.source.as_ref()?.commit.clone());
        let newest = reading.hindrance.as_ref().and_then(|h| h.newest.as_ref());
        let refused = newest.map(|newest| newest.id().to_owned());
        (commit.is_some() || refused.is_some()).then_some(SourceStatus { commit, refused })
    }

    /// Looks; returns whether all is well.
    pub(super) async fn steps_by_repository(&self) -> Result<bool, Halt> {
        let Some(reading) = &self.reading else {
            return Err(Halt::Awaited);
        };
        let metrics = &self.reconciler.metrics;
        metrics.source(&self.label(), reading.hindrance.is_none());
        let good = reading.good.as_ref();
        if let Some(good) = good
            && good.documents.targets != self.spec.targets
        {
            // They are looked at anew, or were and are wrong.
            return Err(self.halt().unwrap_or(Halt::Awaited));
        }
        let mut loaded = good.map(|good| self.under(&good.documents.repository));
        let declared = loaded.iter().flat_map(|loaded| &loaded.objects);
        let declared: BTreeSet<Address> = declared.map(|one| one.address.clone()).collect();
        let mut doomed = self.send_off(&declared).await?;
        self.turn_away().await?;
        // Those of the namespace say nothing any more.
        self.reconciler.release(&self.snapshot.targets).await?;
        let (mut ours, mut left) = (BTreeSet::new(), Left::new());
        if goes(self.stack) {
            if !kept(self.stack) {
                return Ok(true);
            }
            if self.spec.mode == Mode::Report {
                // Nothing goes from AWS; what was declared need not be known.
                loaded = loaded.or_else(|| Some(self.under(&Repository::default())));
            }
            if let Some(loaded) = &mut loaded {
                let went = self.fates(loaded, &mut left);
                ours = went.keys().cloned().collect();
                doomed.extend(went);
                if doomed.is_empty() && self.held() == 0 {
                    return self.gone(&left).await.map(|()| true);
                }
            }
        }
        let Some(mut loaded) = loaded else {
            return Err(self.halt().unwrap_or(Halt::Awaited));
        };
        self.adopt(&mut loaded);
        self.reconciler.writer.referred.forget(self.namespace);
        let connection = self.connection().await?;
        let mut run = Run::prepare(self, &connection, loaded, &doomed).await?;
        if self.spec.mode == Mode::Enforce && !goes(self.stack) {
            let writer = &self.reconciler.writer;
            if writer.keep(&self.address, self.stack, true).await? == Written::Moved {
                return Err(Halt::Moved);
            }
        }
        let looked = run.work().await?;
        metrics.found(&self.label(), looked.last());
        let objects = doomed
            .iter()
            .filter(|(address, _)| !ours.contains(*address));
        let objects = objects.map(|(address, life)| (address.clone(), life.clone()));
        let calm = self.tell_doomed(&run, &looked, &objects.collect()).await?;
        if goes(self.stack) {
            self.tell_going(&run, &looked, &ours, left).await
        } else {
            Ok(self.tell_repository(&run, &looked).await? && calm)
        }
    }

    /// Returns the documents of a repository under the Stack.
    fn under(&self, repository: &Repository) -> Loaded {
        repository.under(&self.address.name, self.spec.clone())
    }

    /// Says why nothing can be done, where the repository is why.
    fn halt(&self) -> Option<Halt> {
        let Hindrance { state, why, .. } = self.hindrance()?;
        if goes(self.stack) {
            let why = format!(
                "what it declares is not known: {why}; the annotation {LET_GO}=true leaves all of it behind in AWS"
            );
            return Some(Halt::Retry(State::Deleting, why));
        }
        Some(match state {
            State::Invalid => Halt::Stall(why.clone()),
            state => Halt::Retry(*state, why.clone()),
        })
    }

    /// Says of objects in the namespace that they are not read.
    async fn turn_away(&self) -> Result<(), Halt> {
        let why = format!(
            "Stack `{}` of this namespace takes its documents from a repository: declare it there, and delete this one",
            self.address.name
        );
        for (address, object) in self.unread() {
            self.say(address, object, &Said::new(State::Blocked, &why))
                .await?;
        }
        Ok(())
    }

    /// Takes everything out of the documents of a Stack that is being deleted; returns what must go from AWS.
    fn fates(&self, loaded: &mut Loaded, left: &mut Left) -> BTreeMap<Address, Lifecycle> {
        let mut doomed = BTreeMap::new();
        for declared in loaded.objects.drain(..) {
            let Some(kind) = kinds::find(&declared.address.kind) else {
                continue;
            };
            let (prunes, mode) = (self.spec.prune, self.spec.mode);
            match fate_of_declared(kind, &declared.lifecycle, prunes, mode) {
                Fate::Stays(why) => drop(left.insert(declared.address, why.to_owned())),
                Fate::Doomed(life) => drop(doomed.insert(declared.address, life)),
            }
        }
        doomed
    }

    /// Writes what became of a Stack that is being deleted, and lets it go when nothing needs it any more.
    async fn tell_going(
        &self,
        run: &Run<'_>,
        looked: &Looked,
        ours: &BTreeSet<Address>,
        mut left: Left,
    ) -> Result<bool, Halt> {
        self.tell_changes(looked, ours).await;
        let mut waits = Left::new();
        for address in ours {
            if let Some(why) = looked.remains(address) {
                waits.insert(address.clone(), why);
            } else if let Some(why) = looked.retained(address) {
                left.insert(address.clone(), why);
            }
        }
        let held = self.held();
        if waits.is_empty() && held == 0 {
            return self.gone(&left).await.map(|()| true);
        }
        let mut all = Vec::new();
        if !waits.is_empty() {
            let told = waits
                .iter()
                .map(|(address, why)| format!("{address}: {why}"));
            all.push(format!(
                "{} objects wait to be deleted in AWS: {}",
                waits.len(),
                few(told, "; ")
            ));
        }
        if held > 0 {
            all.push(format!("{held} objects of this namespace still need it"));
        }
        all.push(format!("the annotation {LET_GO}=true leaves it all behind"));
        let said = Said::new(State::Deleting, all.join("; "));
        self.tell_stack(run, looked, &BTreeMap::new(), &said)
            .await?;
        Ok(false)
    }

    /// Lets the Stack go, and says what stays in AWS.
    async fn gone(&self, left: &Left) -> Result<(), Halt> {
        let writer = &self.reconciler.writer;
        if writer.keep(&self.address, self.stack, false).await? == Written::Moved {
            return Err(Halt::Moved);
        }
        if !left.is_empty() {
            let told = left
                .iter()
                .map(|(address, why)| format!("{address} ({why})"));
            let note = format!("{} objects stay in AWS: {}", left.len(), few(told, ", "));
            writer
                .event(&self.address, self.stack, false, "LeftBehind", &note)
                .await;
        }
        Ok(())
    }

    /// Writes what became of what the repository declares; returns whether all is well.
    async fn tell_repository(&self, run: &Run<'_>, looked: &Looked) -> Result<bool, Halt> {
        let addresses = run.loaded.objects.iter().map(|one| one.address.clone());
        let addresses: BTreeSet<Address> = addresses.collect();
        let stood = self.reconciler.stood().remove(self.namespace);
        let mut stood = stood.unwrap_or_default();
        let before = addresses.iter().map(|address| {
            let before = stood.remove(address).unwrap_or_default();
            (address.clone(), (None, before))
        });
        let before: BTreeMap<Address, (Option<i64>, Status)> = before.collect();
        let statuses = self.statuses(run, looked, &before);
        self.tell_taken_up().await;
        let mut changed: BTreeSet<Address> = looked.deleted();
        changed.extend(addresses);
        self.tell_changes(looked, &changed).await;
        self.tell_drift(looked, &before, &statuses).await;
        let said = self.summed_up(summary(&statuses, looked.orphans()));
        self.tell_stack(run, looked, &statuses, &said).await?;
        let calm = !statuses.values().any(goes_on) && !run.lacks();
        let mut all = self.reconciler.stood();
        all.insert(self.namespace.to_owned(), statuses);
        Ok(calm)
    }

    /// Adds to how the objects stand what is to be said of the repository and the namespace.
    fn summed_up(&self, said: Said) -> Said {
        let Said { mut state, message } = said;
        let mut all = Vec::new();
        if let (Some(hindrance), Some(good)) = (self.hindrance(), self.good()) {
            state = state.max(hindrance.state);
            all.push(format!(
                "{}; commit {} stays in force",
                hindrance.why, good.commit
            ));
        }
        all.push(message);
        let unread = self.unread().count();
        if unread > 0 {
            state = state.max(State::Blocked);
            all.push(format!(
                "{unread} objects of this namespace are not read, and nothing is pruned while they are there"
            ));
        }
        Said::new(state, all.join("; "))
    }

    /// Tells that another commit is taken up.
    async fn tell_taken_up(&self) {
        let Some(good) = self.good() else {
            return;
        };
        let before = Writer::status(self.stack)
            .source
            .and_then(|source| source.commit);
        if before.as_deref() == Some(good.commit.id()) {
            return;
        }
        let note = match before {
            Some(before) => {
                let short = before.get(..12).unwrap_or(&before);
                format!("commit {} is taken up, in place of {short}", good.commit)
            }
            None => format!("commit {} is taken up", good.commit),
        };
        tracing::info!(
            stack = self.address.name,
            namespace = self.namespace,
            note,
            "taken up"
        );
        let writer = &self.reconciler.writer;
        writer
            .event(&self.address, self.stack, false, "TakenUp", &note)
            .await;
    }

    /// Tells what was done, an event for each thing that may be done.
    async fn tell_changes(&self, looked: &Looked, addresses: &BTreeSet<Address>) {
        let mut done: BTreeMap<&'static str, BTreeSet<&Address>> = BTreeMap::new();
        for address in addresses {
            for (reason, _) in looked.changes(address) {
                done.entry(reason).or_default().insert(address);
            }
        }
        for (reason, all) in done {
            let named: Vec<String> = all.iter().take(NAMES).map(ToString::to_string).collect();
            let more = all.len().saturating_sub(NAMES);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            let note = format!("{}{more}", named.join(", "));
            let writer = &self.reconciler.writer;
            writer
                .event(&self.address, self.stack, false, reason, &note)
                .await;
        }
    }

    /// Tells what AWS did.
    async fn tell_drift(
        &self,
        looked: &Looked,
        before: &BTreeMap<Address, (Option<i64>, Status)>,
        statuses: &BTreeMap<Address, Status>,
    ) {
        let news = statuses.iter().filter(|(address, status)| {
            let then = before
                .get(*address)
                .and_then(|(_, then)| then.last_drift.as_ref());
            status.last_drift.as_ref() != then
        });
        let told: Vec<String> = news
            .filter_map(|(address, _)| Some(format!("{address}: {}", looked.drift(address)?)))
            .collect();
        if !told.is_empty() {
            let note = few(told, "; ");
            let writer = &self.reconciler.writer;
            writer
                .event(&self.address, self.stack, true, "Drifted", &note)
                .await;
        }
    }
}
