//! An engagement in time: which stages begin when, whom they page, and what an acknowledgement stops.
//!
//! Nothing runs in the background. [`advance`] is called at the beginning of every operation and does what would have
//! happened since the last one, in the order of time and with the contacts, channels and rotations as they are: they
//! cannot have changed in between, because every change is an operation too. Ids of pages and their codes come from a
//! digest and not from the source of randomness, so that looking more or less often makes no difference.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Store;
use super::arn::{self, Kind};
use super::contact::Type;
use super::page::{Page, Receipt};
use super::plan::{Stage, Target};

/// One run of a contact's plan, and of the plans that it leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Engagement {
    /// The contact that was engaged.
    pub(crate) contact: String,
    /// What is told to people.
    pub(crate) message: Message,
    /// When it began.
    pub(crate) start: Timestamp,
    /// When it was stopped; one that runs out of stages has no end, as in the service's own examples.
    pub(crate) stop: Option<Timestamp>,
    /// The contacts engaged so far, the first one first; each after the one that led to it.
    pub(crate) runs: Vec<Run>,
    /// How many pages were sent.
    pub(crate) sent: u32,
}

/// What an engagement tells people, and who tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Who started it.
    pub(crate) sender: String,
    /// For voice and mail.
    pub(crate) subject: String,
    /// For voice and mail.
    pub(crate) content: String,
    /// For SMS.
    pub(crate) public_subject: Option<String>,
    /// For SMS.
    pub(crate) public_content: Option<String>,
    /// The incident it is part of.
    pub(crate) incident: Option<String>,
}

/// One contact being engaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The contact.
    pub(crate) contact: String,
    /// Its type.
    pub(crate) kind: Type,
    /// The run that led to this one, by its place.
    pub(crate) parent: Option<usize>,
    /// The stage of the escalation plan that led here.
    pub(crate) stage: Option<usize>,
    /// Whether an acknowledgement here is one of the parent too.
    essential: bool,
    /// The plan as it was when the contact was engaged.
    stages: Vec<Stage>,
    /// The stage that begins next.
    next: usize,
    /// When it begins.
    due: Timestamp,
    /// When it was acknowledged.
    acknowledged: Option<Timestamp>,
}

impl Run {
    fn pending(&self) -> bool {
        self.acknowledged.is_none() && self.next < self.stages.len()
    }
}

impl Engagement {
    /// Returns the runs that led to this one, the engaged contact first and this one last.
    pub(super) fn path(&self, run: usize) -> Vec<&Run> {
        let mut path = Vec::new();
        let mut step = Some(run);
        while let Some(run) = step.and_then(|place| self.runs.get(place)) {
            path.push(run);
            step = run.parent;
        }
        path.reverse();
        path
    }
}

/// Starts an engagement, does what is due at once, and returns its ARN.
pub(super) fn start(
    store: &mut Store,
    contact: &str,
    uuid: &str,
    message: Message,
    now: Timestamp,
) -> String {
    let alias = arn::parse(contact, &[Kind::Contact]).map_or("", |parts| parts.alias());
    let id = arn::beside(contact, Kind::Engagement, &format!("{alias}/{uuid}"));
    let mut engagement = Engagement {
        contact: contact.to_owned(),
        message,
        start: now,
        stop: None,
        runs: Vec::new(),
        sent: 0,
    };
    engagement.enlist(store, contact, None, None, true, now);
    store.engagements.insert(id.clone(), engagement);
    store.running.insert(id.clone());
    advance(store, now);
    id
}

/// Does everything that was due until now.
pub(super) fn advance(store: &mut Store, now: Timestamp) {
    for id in store.running.clone() {
        // Taken out so that it and the rest of the store can be used together.
        let Some(mut engagement) = store.engagements.remove(&id) else {
            store.running.remove(&id);
            continue;
        };
        while let Some(place) = engagement.due(now) {
            engagement.begin_stage(store, &id, place);
        }
        if !engagement.runs.iter().any(Run::pending) {
            store.running.remove(&id);
        }
        store.engagements.insert(id, engagement);
    }
}

/// Notes that somebody acknowledged a page, and lets that stop what it stops.
pub(super) fn acknowledge(store: &mut Store, engagement: &str, run: usize, at: Timestamp) {
    let Some(engagement) = store.engagements.get_mut(engagement) else {
        return;
    };
    let mut step = Some(run);
    while let Some(run) = step.and_then(|place| engagement.runs.get_mut(place)) {
        run.acknowledged.get_or_insert(at);
        step = run.parent.filter(|_| run.essential);
    }
}

/// Stops an engagement: nobody else is engaged, and every page that nobody read says so.
pub(super) fn stop(store: &mut Store, id: &str, reason: Option<&str>, at: Timestamp) {
    store.running.remove(id);
    if let Some(engagement) = store.engagements.get_mut(id) {
        engagement.stop = Some(at);
    }
    let open = store
        .pages
        .values_mut()
        .filter(|page| page.engagement == id && page.read.is_none());
    for page in open {
        page.receipts.push(Receipt {
            kind: "STOP".to_owned(),
            info: reason.map(str::to_owned),
            at,
        });
    }
}

impl Engagement {
    /// Returns the place of the run whose stage is due first.
    fn due(&self, now: Timestamp) -> Option<usize> {
        self.runs
            .iter()
            .enumerate()
            .filter(|(_, run)| run.pending() && run.due <= now)
            .min_by_key(|(place, run)| (run.due, *place))
            .map(|(place, _)| place)
    }

    /// Begins a run's next stage: all of its targets at once.
    fn begin_stage(&mut self, store: &mut Store, id: &str, place: usize) {
        let run = &mut self.runs[place];
        let (index, at) = (run.next, run.due);
        let stage = run.stages[index].clone();
        run.next += 1;
        run.due = at
            .checked_add(stage.duration_in_minutes.minutes())
            .unwrap_or(Timestamp::MAX);
        for target in &stage.targets {
            self.engage(store, id, place, index, target, at);
        }
    }

    fn engage(
        &mut self,
        store: &mut Store,
        id: &str,
        place: usize,
        stage: usize,
        target: &Target,
        at: Timestamp,
    ) {
        if let Some(channel) = &target.channel_target_info {
            self.page(store, id, place, &channel.contact_channel_id, at);
        }
        if let Some(contact) = &target.contact_target_info
            && let Some(to) = &contact.contact_id
        {
            self.enlist(
                store,
                to,
                Some(place),
                Some(stage),
                contact.is_essential,
                at,
            );
        }
    }

    /// Engages a contact by its own plan; a schedule at once leads to those who are on call.
    fn enlist(
        &mut self,
        store: &Store,
        id: &str,
        parent: Option<usize>,
        stage: Option<usize>,
        essential: bool,
        at: Timestamp,
    ) {
        // A contact that is gone is skipped. One that is already on the way here would go round for ever: it was
        // made anew, as another type, under the alias of a member of its plan.
        let round =
            parent.is_some_and(|place| self.path(place).iter().any(|run| run.contact == id));
        let Some(contact) = store.contacts.get(id).filter(|_| !round) else {
            return;
        };
        let place = self.runs.len();
        self.runs.push(Run {
            contact: id.to_owned(),
            kind: contact.kind,
            parent,
            stage,
            essential,
            stages: contact.plan.stages.clone(),
            next: 0,
            due: at,
            acknowledged: None,
        });
        for person in on_call(store, &contact.plan.rotation_ids, at) {
            self.enlist(store, &person, Some(place), None, true, at);
        }
    }

    /// Sends one page, if the channel is there and activated.
    fn page(&mut self, store: &mut Store, id: &str, run: usize, channel: &str, at: Timestamp) {
        let active = store.channels.get(channel).filter(|c| c.activated);
        let Some(kind) = active.map(|c| c.kind.clone()) else {
            return;
        };
        let digest = Sha256::digest(format!("{id} page {}", self.sent));
        self.sent += 1;
        let contact = self.runs[run].contact.clone();
        let alias = arn::parse(&contact, &[Kind::Contact]).map_or("", |parts| parts.alias());
        let (mut uuid, mut number) = ([0; 16], [0; 4]);
        uuid.copy_from_slice(&digest[..16]);
        number.copy_from_slice(&digest[16..20]);
        let uuid = uuid::Builder::from_random_bytes(uuid).into_uuid();
        let page = arn::beside(&contact, Kind::Page, &format!("{alias}/{uuid}"));
        store.pages.insert(
            page,
            Page {
                engagement: id.to_owned(),
                run,
                contact,
                channel: channel.to_owned(),
                channel_type: kind,
                code: format!("{:06}", u32::from_be_bytes(number) % 1_000_000),
                sent: at,
                delivered: None,
                read: None,
                receipts: vec![Receipt {
                    kind: "SENT".to_owned(),
                    info: None,
                    at,
                }],
            },
        );
    }
}

/// Returns who is on call in any of the rotations, each person once.
fn on_call(store: &Store, rotations: &[String], at: Timestamp) -> Vec<String> {
    let mut people: Vec<String> = Vec::new();
    for rotation in rotations.iter().filter_map(|id| store.rotations.get(id)) {
        for person in rotation.on_call(at) {
            if !people.contains(&person) {
                people.push(person);
            }
        }
    }
    people
}

#[cfg(test)]
mod tests;
