//! The plan: every decision, and why. What `apply` does was printed by `plan`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diff::Difference;
use super::lifecycle::Lifecycle;
use super::stamp::{self, Owner};
use super::{Address, AnySpec, Held, Live, Location};

mod compare;
mod decide;
mod doom;
mod matching;
#[cfg(test)]
mod once;
mod scope;
mod why;

pub use compare::remaining;
pub(in crate::model) use decide::create_before_delete;
pub use decide::plan;
pub use scope::{Scope, names_kind};

/// What the documents declare, for each place.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// The stack: the unit of ownership.
    pub stack: String,
    /// The objects.
    pub objects: Vec<Object>,
    /// Where each account of a Target keeps what AWS has once for an account; empty without a Target.
    pub homes: BTreeMap<String, Location>,
    /// Places of the same accounts that the run leaves out.
    pub left_out: BTreeSet<Location>,
    /// The kinds that are looked at; `None` for all.
    pub kinds: Option<BTreeSet<String>>,
}

impl Desired {
    /// Says whether a kind is looked at in a place: what an account has once would otherwise be seen in each region.
    pub fn looks_at(&self, spec: &dyn AnySpec, location: &Location) -> bool {
        let home = self.homes.get(&location.account);
        let wanted = |kinds: &BTreeSet<String>| kinds.contains(spec.kind());
        self.kinds.as_ref().is_none_or(wanted)
            && (!spec.per_account() || home.is_none_or(|home| home == location))
    }
}

/// One declared object at one place.
#[derive(Clone, Debug)]
pub struct Object {
    /// Which it is.
    pub address: Address,
    /// Where it shall be.
    pub location: Location,
    /// The canonical spec: references by name, variables replaced, personal values read.
    pub spec: Arc<Value>,
    /// What the document says about its life.
    pub lifecycle: Lifecycle,
    /// Why it cannot be planned, for instance because a personal value's source could not be read.
    pub problem: Option<String>,
}

/// What AWS has, by place and kind. What could not be read stays visibly unread.
#[derive(Clone, Debug, Default)]
pub struct Observed(pub BTreeMap<Location, BTreeMap<String, Found>>);

/// The objects of one kind at one place, or why there is no telling.
pub type Found = Result<Vec<Live<Held>>, Unreadable>;

/// Why a kind could not be read at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The service is not set up or not to be had there.
    NotAvailable(String),
    /// The region is not enabled in this account of a Target: nothing can be there, and that is no mistake.
    NotEnabled(String),
    /// Denied, throttled to the end, unreachable.
    Failed(String),
}

/// What the user asks for.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent wishes, each a flag"
)]
pub struct Wish {
    /// Whether everything the stack owns shall go.
    pub destroy: bool,
    /// Whether objects that no document declares any more shall go.
    pub prune: bool,
    /// Whether objects that nobody owns may be taken over.
    pub adopt: bool,
    /// Whether nothing may be written at all (a stack in `mode: report`).
    pub report_only: bool,
    /// How many objects one run may delete.
    pub max_deletes: Option<usize>,
    /// How many objects one run may replace.
    pub max_replacements: Option<usize>,
    /// Today, `YYYY-MM-DD`, to tell which `ignore` entries have expired.
    pub today: String,
    /// Objects whose documents were taken away on purpose, with what those said of their lives: they go although nothing
    /// else is pruned.
    pub gone: BTreeMap<Address, Lifecycle>,
    /// Only these kinds; empty for all.
    pub kinds: BTreeSet<String>,
    /// Only these names; empty for all.
    pub names: BTreeSet<String>,
    /// Only what a change can affect; `None` for all.
    pub scope: Option<Scope>,
}

impl Wish {
    /// Says whether an object that no document declares shall go.
    pub(in crate::model) fn lets_go(&self, address: &Address) -> bool {
        self.destroy || self.prune || self.gone.contains_key(address)
    }

    /// Says whether an object is among those asked for.
    pub fn selects(&self, address: &Address) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&address.kind))
            && (self.names.is_empty() || self.names.contains(&address.name))
    }
}

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing of that identity is there.
    Create,
    /// It is ours and differs.
    Update,
    /// A field differs that AWS cannot change in place.
    Replace,
    /// It is ours and in no document.
    Delete,
    /// It is there, unowned, and would become ours.
    Adopt,
    /// It cannot be, or may not.
    Blocked,
    /// It could not be read.
    Unknown,
}

impl Action {
    /// The mark in front of a plan's line; understood without colour.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "±",
            Self::Delete => "-",
            Self::Adopt => "=",
            Self::Blocked => "!",
            Self::Unknown => "?",
        }
    }

    /// The word in summaries and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }

    /// All actions, in the order of summaries.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Update,
        Self::Replace,
        Self::Delete,
        Self::Adopt,
        Self::Blocked,
        Self::Unknown,
    ];
}

/// Why an object differs. For people and reports; it never steers what `apply` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Because {
    /// The document changed since it was last applied.
    Pending,
    /// AWS changed since then.
    Drift,
    /// It is declared and not there.
    Missing,
}

impl Because {
    /// The word in plans and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Drift => "drift",
            Self::Missing => "missing",
        }
    }
}

/// One line of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which object.
    pub address: Address,
    /// Where.
    pub location: Location,
    /// What is to be done.
    pub action: Action,
    /// Why it differs.
    pub because: Vec<Because>,
    /// Every difference.
    pub differences: Vec<Difference>,
    /// What a person should know: which field forces a replacement, who owns it, why it could not be read.
    pub reason: Option<String>,
    /// Why `apply` would leave it alone although it is no error, for instance an adoption nobody asked for.
    pub held: Option<String>,
    /// The declared spec, references by name.
    pub desired: Option<Arc<Value>>,
    /// What AWS has, as it has it.
    pub live: Option<Live<Value>>,
    /// The live spec with references by name.
    pub lifted: Option<Value>,
    /// What the document says about deletion; goes into the stamp.
    pub lifecycle: Lifecycle,
    /// Pointers to what is left as AWS has it: accepted differences that have not expired.
    pub ignored: Vec<String>,
}

impl Change {
    /// Makes a change of which nothing is known yet but what is to be done, to what, and where.
    pub fn new(address: Address, location: Location, action: Action) -> Self {
        Self {
            address,
            location,
            action,
            because: Vec::new(),
            differences: Vec::new(),
            reason: None,
            held: None,
            desired: None,
            live: None,
            lifted: None,
            lifecycle: Lifecycle::default(),
            ignored: Vec::new(),
        }
    }

    /// Says whether `apply` acts on it.
    pub fn acts(&self) -> bool {
        self.held.is_none() && !matches!(self.action, Action::Blocked | Action::Unknown)
    }
}

/// Something that is no change and still worth a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Which object.
    pub address: Address,
    /// Where.
    pub location: Location,
    /// What there is to say.
    pub text: String,
}

/// What is to be done, object by object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The stack.
    pub stack: String,
    /// The places it covers.
    pub locations: BTreeSet<Location>,
    /// The changes: by place, then kind in registry order, then name.
    pub changes: Vec<Change>,
    /// How many objects are as declared.
    pub unchanged: usize,
    /// Ours, in no document, and left alone because nobody asked to prune.
    pub orphans: Vec<Note>,
    /// Ours, to be deleted, and kept because of their lifecycle.
    pub retained: Vec<Note>,
    /// Warnings about objects that need no change.
    pub notes: Vec<Note>,
    /// The AWS id of every object of ours that exists, by place and `Kind/name`.
    pub ids: BTreeMap<Location, HashMap<String, String>>,
}

impl Plan {
    /// Says whether everything could be read.
    pub fn complete(&self) -> bool {
        self.count(Action::Unknown) == 0
    }

    /// Says whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Counts the changes of one kind.
    pub fn count(&self, action: Action) -> usize {
        self.changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    }

    /// Says whether a change is about something that is declared and there, and not this stack's: its stamp was taken
    /// off or changed, or somebody else made it.
    pub fn is_not_ours(&self, change: &Change) -> bool {
        let live = change.live.as_ref();
        matches!(change.action, Action::Adopt | Action::Blocked)
            && live.is_some_and(|live| stamp::owner(&live.tags, &self.stack) != Owner::Us)
    }

    /// Returns what is to be told about AWS alone: what changed behind our back, what is declared and not there or not
    /// ours, and what could not be read or not be compared. What only the documents did is left out, and so are objects
    /// that no document declares.
    #[must_use]
    pub fn drift_only(&self) -> Self {
        // What could not even be compared may have changed.
        let known = |change: &Change| {
            let mut change = change.clone();
            let compared = change.live.is_some() || !change.because.is_empty();
            if change.action == Action::Blocked && !compared {
                change.action = Action::Unknown;
            }
            change
        };
        let aws_did = |change: &Change| {
            change.action == Action::Unknown
                || change.because.contains(&Because::Drift)
                || change.because.contains(&Because::Missing)
                || self.is_not_ours(change)
        };
        Self {
            changes: self.changes.iter().map(known).filter(aws_did).collect(),
            orphans: Vec::new(),
            retained: Vec::new(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, action: Action, because: &[Because]) -> Change {
        let location = Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        Change {
            because: because.to_vec(),
            ..Change::new(Address::new("Contact", name), location, action)
        }
    }

    #[test]
    fn drift_tells_what_aws_did_and_what_nobody_could_read() {
        let changes = vec![
            change("never-applied-or-gone", Action::Create, &[Because::Missing]),
            change("edited-here", Action::Update, &[Because::Pending]),
            change("edited-there", Action::Update, &[Because::Drift]),
            change(
                "edited-twice",
                Action::Replace,
                &[Because::Pending, Because::Drift],
            ),
            change("undeclared", Action::Delete, &[Because::Pending]),
            change("unowned", Action::Adopt, &[]),
            change("protected", Action::Blocked, &[Because::Drift]),
            change("denied", Action::Unknown, &[]),
        ];
        let plan = Plan {
            changes,
            unchanged: 3,
            ..Plan::default()
        };
        let drift = plan.drift_only();
        let names: Vec<&str> = drift
            .changes
            .iter()
            .map(|c| c.address.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "never-applied-or-gone",
                "edited-there",
                "edited-twice",
                "protected",
                "denied"
            ]
        );
        assert_eq!(drift.unchanged, 3);
        assert!(!drift.complete());
    }
}
