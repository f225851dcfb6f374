//! Where pure code meets AWS: observe, apply, and the events that tell of both.
//!
//! The doors (CLI, operator, Git watcher) differ in what starts a run and who reads the events, and in nothing else.

mod apply;
mod converge;
pub mod desired;
pub mod events;
pub mod fleet;
pub mod lease;
mod observe;
pub mod policy;
pub mod run;
pub mod scrub;
pub mod secrets;

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::kinds::AnyKind;
use crate::model::Location;

pub use apply::apply;
pub use events::{Ending, Event, Events, Outcome};
pub use observe::{Breadth, observe};

/// The places a run covers, and the kinds it knows.
#[derive(Clone)]
pub struct World {
    /// The clients of each place.
    pub places: BTreeMap<Location, Aws>,
    /// The kinds, in registry order.
    pub kinds: &'static [&'static dyn AnyKind],
    /// How long to wait between looks at an object that AWS is still at work on.
    pub patience: Patience,
}

/// How the engine waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The first pause; each further one is twice as long.
    pub first: std::time::Duration,
    /// The longest pause.
    pub longest: std::time::Duration,
    /// How long to wait in all before giving up on one object.
    pub limit: std::time::Duration,
}

impl Default for Patience {
    fn default() -> Self {
        use std::time::Duration;
        // Replication sets take a minute or two for a region, and longer with more data: [O] Incident Manager
        // reference, section 4. Terraform allows two hours; half an hour is what a person watching bears.
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(10),
            limit: Duration::from_mins(30),
        }
    }
}

impl World {
    fn kind(&self, name: &str) -> Option<&'static dyn AnyKind> {
        self.kinds.iter().copied().find(|kind| kind.kind() == name)
    }
}
