//! What happens during a run, as one stream that the terminal, JSON, status and metrics all read.

use crate::model::plan::{Action, Change, Plan};
use crate::model::{Address, Location};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A kind is about to be listed at a place.
    Observing {
        /// Where.
        location: Location,
        /// The kind.
        kind: &'static str,
    },
    /// A kind was listed, or could not be.
    Observed {
        /// Where.
        location: Location,
        /// The kind.
        kind: &'static str,
        /// How many objects were read, or why none could be.
        found: Result<usize, String>,
    },
    /// A change is being made.
    Started {
        /// Which object.
        address: Address,
        /// Where.
        location: Location,
        /// What is being done.
        action: Action,
    },
    /// AWS is still at work on an object.
    Waiting {
        /// Which object.
        address: Address,
        /// Where.
        location: Location,
    },
    /// A change ended.
    Ended {
        /// Which object.
        address: Address,
        /// Where.
        location: Location,
        /// What was being done.
        action: Action,
        /// How it ended.
        ending: Ending,
    },
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It took: read back from AWS.
    Done,
    /// It failed; nothing or a part of it was done.
    Failed(String),
    /// It was not tried, and why.
    Skipped(String),
}

/// Who is told.
pub type Events<'a> = &'a (dyn Fn(Event) + Send + Sync);

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How each change of [`Plan::changes`] ended; `None` for those that `apply` leaves alone.
    pub endings: Vec<Option<Ending>>,
    /// Whether somebody interrupted the run.
    pub interrupted: bool,
}

impl Outcome {
    /// What becomes of a plan when a run is interrupted before it began.
    pub fn interrupted(plan: &Plan) -> Self {
        let not_tried = |change: &Change| {
            let why = super::apply::INTERRUPTED.to_owned();
            change.acts().then_some(Ending::Skipped(why))
        };
        Self {
            endings: plan.changes.iter().map(not_tried).collect(),
            interrupted: true,
        }
    }

    /// Counts the changes that were made.
    pub fn done(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Done))
    }

    /// Counts the changes that failed.
    pub fn failed(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Failed(_)))
    }

    /// Counts the changes that were not tried.
    pub fn skipped(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Skipped(_)))
    }

    /// Says whether everything that the plan would do was done, and nothing was blocked or unknown.
    pub fn complete(&self, plan: &Plan) -> bool {
        let stuck = plan
            .changes
            .iter()
            .any(|c| matches!(c.action, Action::Blocked | Action::Unknown));
        !stuck && !self.interrupted && self.failed() == 0 && self.skipped() == 0
    }

    fn count(&self, which: impl Fn(&Ending) -> bool) -> usize {
        self.endings
            .iter()
            .flatten()
            .filter(|ending| which(ending))
            .count()
    }
}
