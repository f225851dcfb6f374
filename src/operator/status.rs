//! What is said of an object and of a Stack: pure, from what was planned and done to `status`.
//!
//! Conditions are as kstatus wants them: `Ready` always, `Reconciling` and `Stalled` only while true. Times move only
//! when something else does, so that a run that found nothing new writes nothing.

use serde::{Deserialize, Serialize};

use crate::model::Location;
use crate::model::sensitive::hide_addresses;

/// How long a message may be.
const LONGEST: usize = 1000;
/// How many places of an object are listed.
const PLACES: usize = 50;

/// How an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// AWS is as declared.
    InSync,
    /// The Stack is suspended.
    Suspended,
    /// Something differs because the document changed, and will be written.
    Pending,
    /// AWS was changed behind our back, or differs and is only reported.
    Differs,
    /// It is declared and not there.
    Missing,
    /// It is there and nobody's, and nobody asked to adopt it.
    Unowned,
    /// It could not be read.
    Unknown,
    /// It is being deleted.
    Deleting,
    /// A change failed, and is tried again.
    Failed,
    /// It cannot be, or may not; a person must act.
    Blocked,
    /// The document is wrong.
    Invalid,
    /// There is no Stack in the namespace.
    NoStack,
}

impl State {
    /// The word in `status.state` and in conditions.
    pub fn word(self) -> &'static str {
        match self {
            Self::InSync => "InSync",
            Self::Suspended => "Suspended",
            Self::Pending => "Pending",
            Self::Differs => "Differs",
            Self::Missing => "Missing",
            Self::Unowned => "Unowned",
            Self::Unknown => "Unknown",
            Self::Deleting => "Deleting",
            Self::Failed => "Failed",
            Self::Blocked => "Blocked",
            Self::Invalid => "Invalid",
            Self::NoStack => "NoStack",
        }
    }

    fn ready(self) -> &'static str {
        match self {
            Self::InSync => "True",
            Self::Unknown | Self::Suspended => "Unknown",
            _ => "False",
        }
    }

    /// Whether the operator goes on by itself.
    fn reconciles(self) -> bool {
        matches!(self, Self::Pending | Self::Failed | Self::Deleting)
    }

    /// Whether a person must act.
    fn stalls(self) -> bool {
        matches!(
            self,
            Self::Blocked | Self::Invalid | Self::NoStack | Self::Unowned
        )
    }
}

/// `status`, of an object or of a Stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The generation of the spec that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How it stands.
    pub state: String,
    /// The account, or how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region, or how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What AWS knows the object by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Each place, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceStatus>,
    /// Of a Stack: how many objects there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<Counts>,
    /// Of a Stack with a repository: which commit is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceStatus>,
    /// Of a Stack: a hash of what would be done, while there is anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// When AWS was read for this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_checked: Option<String>,
    /// When something was last written to AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_applied: Option<String>,
    /// When AWS was last found changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_drift: Option<String>,
    /// `Ready`, `Reconciling`, `Stalled`.
    pub conditions: Vec<Condition>,
}

/// One place of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlaceStatus {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// How the object stands there.
    pub state: String,
    /// What AWS knows it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why it is not in sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Which commit of a repository is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceStatus {
    /// The commit that was taken up last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The newest commit, while it is not taken up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// How many objects a Stack has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// In the namespace, or in the repository.
    pub declared: usize,
    /// As declared in all their places.
    pub ready: usize,
}

/// A condition, as Kubernetes knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `Ready`, `Reconciling` or `Stalled`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The generation that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Since when.
    pub last_transition_time: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// How an object stands at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// How.
    pub state: State,
    /// What AWS knows it by.
    pub id: Option<String>,
    /// Why it is not in sync.
    pub why: Option<String>,
    /// Whether AWS was found changed.
    pub drifted: bool,
    /// Whether something was written.
    pub applied: bool,
}

/// What there is to say.
#[derive(Clone, Debug)]
pub struct Said {
    /// How it stands.
    pub state: State,
    /// Why, for people.
    pub message: String,
}

impl Said {
    /// Says something; addresses in it are masked.
    pub fn new(state: State, message: impl AsRef<str>) -> Self {
        Self {
            state,
            message: clean(message.as_ref()),
        }
    }
}

impl Status {
    /// Says how an object stands at its places. `before` is what its status says now.
    pub fn of(before: &Self, generation: Option<i64>, places: &[Stands], now: &str) -> Self {
        let worst = places.iter().max_by_key(|place| place.state);
        let said = match worst {
            None => Said::new(State::Blocked, "no Target leads to any place for it"),
            Some(worst) => Said::new(worst.state, message(worst, places)),
        };
        let mut status = Self {
            account: one_of(places, "accounts", |place| &place.account),
            region: one_of(places, "regions", |place| &place.region),
            id: match places {
                [only] => only.id.clone(),
                _ => None,
            },
            places: match places {
                [] | [_] => Vec::new(),
                several => several.iter().take(PLACES).map(listed).collect(),
            },
            ..before.said(generation, &said, now)
        };
        if places.iter().any(|place| place.applied) {
            status.last_applied = Some(now.to_owned());
        }
        // What stays as it was found is told once.
        let told = before.state == said.state.word() && before.last_drift.is_some();
        if places.iter().any(|place| place.drifted) && !(told && said.state != State::InSync) {
            status.last_drift = Some(now.to_owned());
        }
        status.timed(before, now)
    }

    /// Says something; what is known of AWS stays.
    #[must_use]
    pub fn said(&self, generation: Option<i64>, said: &Said, now: &str) -> Self {
        let Said { state, message } = said;
        let mut conditions = vec![("Ready", state.ready())];
        if state.reconciles() {
            conditions.push(("Reconciling", "True"));
        }
        if state.stalls() {
            conditions.push(("Stalled", "True"));
        }
        let conditions = conditions.into_iter().map(|(kind, status)| {
            let before = self.conditions.iter().find(|c| c.kind == kind);
            let since = before.filter(|before| before.status == status);
            Condition {
                kind: kind.to_owned(),
                status: status.to_owned(),
                observed_generation: generation,
                last_transition_time: since
                    .map_or_else(|| now.to_owned(), |c| c.last_transition_time.clone()),
                reason: state.word().to_owned(),
                message: message.clone(),
            }
        });
        Self {
            observed_generation: generation,
            state: state.word().to_owned(),
            conditions: conditions.collect(),
            ..self.clone()
        }
    }

    /// Sets when AWS was read, if anything else has changed.
    #[must_use]
    pub fn timed(mut self, before: &Self, now: &str) -> Self {
        if self != *before {
            self.last_checked = Some(now.to_owned());
        }
        self
    }

    /// Returns the places where the object was found or made; of very many only the first.
    pub fn locations(&self) -> Vec<Location> {
        let at = |account: &String, region: &String| Location {
            account: account.clone(),
            region: region.clone(),
        };
        if let (Some(account), Some(region), Some(_)) = (&self.account, &self.region, &self.id) {
            return vec![at(account, region)];
        }
        let there = self.places.iter().filter(|place| place.id.is_some());
        there
            .map(|place| at(&place.account, &place.region))
            .collect()
    }

    /// Returns the sentence of the condition `Ready`.
    pub fn message(&self) -> &str {
        let ready = self.conditions.iter().find(|c| c.kind == "Ready");
        ready.map_or("", |ready| &ready.message)
    }
}

fn listed(place: &Stands) -> PlaceStatus {
    PlaceStatus {
        account: place.account.clone(),
        region: place.region.clone(),
        state: place.state.word().to_owned(),
        id: place.id.clone(),
        message: place.why.as_deref().map(clean),
    }
}

fn message(worst: &Stands, places: &[Stands]) -> String {
    let why = worst.why.clone().unwrap_or_default();
    match places {
        [_] if why.is_empty() => "as declared".to_owned(),
        [_] => why,
        _ if worst.state == State::InSync => format!("as declared in {} places", places.len()),
        _ => {
            let so = places.iter().filter(|place| place.state == worst.state);
            let Stands {
                account, region, ..
            } = worst;
            let of = format!("{} of {} places", so.count(), places.len());
            format!("in {of}, for instance {account}/{region}: {why}")
        }
    }
}

/// Names what all places have in common, or counts.
fn one_of(places: &[Stands], what: &str, of: impl Fn(&Stands) -> &String) -> Option<String> {
    let all: std::collections::BTreeSet<&String> = places.iter().map(of).collect();
    match all.len() {
        0 => None,
        1 => all.first().map(|only| (*only).clone()),
        several => Some(format!("{several} {what}")),
    }
}

/// Masks addresses, and cuts what nobody would read.
fn clean(text: &str) -> String {
    let hidden = hide_addresses(text);
    if hidden.chars().count() <= LONGEST {
        return hidden;
    }
    hidden.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "2031-01-01T00:00:00Z";
    const NOW: &str = "2031-01-01T00:10:00Z";

    fn stands(region: &str, state: State, why: Option<&str>) -> Stands {
        Stands {
            account: "111122223333".to_owned(),
            region: region.to_owned(),
            state,
            id: Some("arn".to_owned()),
            why: why.map(str::to_owned),
            drifted: state == State::Differs,
            applied: false,
        }
    }

    fn kinds(status: &Status) -> Vec<(&str, &str)> {
        let conditions = status.conditions.iter();
        conditions
            .map(|c| (c.kind.as_str(), c.status.as_str()))
            .collect()
    }

    #[test]
    fn nothing_new_is_nothing_to_write() {
        let places = [stands("eu-west-1", State::InSync, None)];
        let first = Status::of(&Status::default(), Some(1), &places, BEFORE);
        assert_eq!(first.last_checked.as_deref(), Some(BEFORE));
        assert_eq!(Status::of(&first, Some(1), &places, NOW), first);
        let drift = [stands("eu-west-1", State::Differs, Some("/a differs"))];
        let drifted = Status::of(&first, Some(1), &drift, NOW);
        assert_eq!(drifted.last_drift.as_deref(), Some(NOW));
        assert_eq!(Status::of(&drifted, Some(1), &drift, "later"), drifted);
    }

    #[test]
    fn conditions_are_there_while_they_are_true() {
        let of = |state| {
            Status::of(
                &Status::default(),
                Some(3),
                &[stands("a", state, Some("why"))],
                NOW,
            )
        };
        assert_eq!(kinds(&of(State::InSync)), [("Ready", "True")]);
        assert_eq!(kinds(&of(State::Unknown)), [("Ready", "Unknown")]);
        assert_eq!(kinds(&of(State::Differs)), [("Ready", "False")]);
        assert_eq!(
            kinds(&of(State::Failed)),
            [("Ready", "False"), ("Reconciling", "True")]
        );
        assert_eq!(
            kinds(&of(State::Blocked)),
            [("Ready", "False"), ("Stalled", "True")]
        );
    }

    #[test]
    fn the_worst_place_speaks_for_all() {
        let places = [
            stands("eu-west-1", State::InSync, None),
            stands(
                "us-east-1",
                State::Failed,
                Some("AWS said no to k@example.com"),
            ),
        ];
        let status = Status::of(&Status::default(), None, &places, NOW);
        assert_eq!(status.region.as_deref(), Some("2 regions"));
        assert_eq!(status.account.as_deref(), Some("111122223333"));
        assert_eq!(
            status.message(),
            "in 1 of 2 places, for instance 111122223333/us-east-1: AWS said no to k•••@example.com"
        );
        assert_eq!(status.places.len(), 2);
    }
}
