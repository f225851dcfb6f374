//! A company of several accounts in a simulated AWS, and runs over all of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stationbill::aws::{Connection, Connector, connect};
use stationbill::engine::fleet::{Fleet, FleetError, Rollout, Selection};
use stationbill::engine::run::look;
use stationbill::engine::secrets::Sources;
use stationbill::engine::{Events, Outcome, Patience, World};
use stationbill::kinds;
use stationbill::load::{Loaded, load};
use stationbill::model::plan::{Change, Desired, Plan, Wish};
use stationbill::sandbox::{Enforce, Options, Sandbox, Settings};
use tokio_util::sync::CancellationToken;

/// The account of the credentials at hand.
pub(crate) const HUB: &str = "111122223333";

pub(crate) struct Company {
    pub(crate) sandbox: Arc<Sandbox>,
    folder: tempfile::TempDir,
}

/// One look at everything, and what would be done.
pub(crate) struct Look {
    pub(crate) fleet: Fleet,
    pub(crate) connection: Connection,
    pub(crate) world: World,
    pub(crate) desired: Desired,
    pub(crate) wish: Wish,
    pub(crate) plan: Plan,
}

impl Company {
    /// A simulated AWS in which every account works.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let options = Options {
            quotas: Enforce::Off,
            settings,
            ..Options::default()
        };
        Self {
            sandbox: Sandbox::open(options).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Writes the documents of the company.
    pub(crate) fn declare(&self, documents: &[&str]) {
        let text = documents.join("\n---\n");
        std::fs::write(self.folder.path().join("all.yaml"), text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn loaded(&self) -> Loaded {
        let loaded = load(&[self.path().to_owned()], &kinds::specs()).unwrap();
        let wrong: Vec<_> = loaded
            .report
            .diagnostics
            .iter()
            .map(|d| &d.message)
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        loaded
    }

    /// What is wrong with the documents, each with its place.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let loaded = load(&[self.path().to_owned()], &kinds::specs()).unwrap();
        let found = loaded.report.diagnostics.into_iter();
        found
            .map(|d| {
                let place = d.place.map_or(0, |place| place.line);
                let hint = d.hint.unwrap_or_default();
                format!("{place} {}: {} ({hint})", d.code, d.message)
            })
            .collect()
    }

    pub(crate) async fn connection(&self) -> Connection {
        self.connection_in("eu-west-1").await
    }

    /// Connects as a machine does that has a region configured.
    pub(crate) async fn connection_in(&self, region: &str) -> Connection {
        let connector = Connector {
            sandbox: Some(self.sandbox.clone()),
            region: Some(region.to_owned()),
            ..Connector::default()
        };
        connect(&connector).await.unwrap()
    }

    pub(crate) async fn find(&self, selection: &Selection) -> Result<Fleet, FleetError> {
        self.find_from(&self.connection().await, selection).await
    }

    pub(crate) async fn find_from(
        &self,
        connection: &Connection,
        selection: &Selection,
    ) -> Result<Fleet, FleetError> {
        Fleet::find(connection, &self.loaded(), selection).await
    }

    pub(crate) async fn look(&self) -> Look {
        self.look_for(&Wish::default(), &Selection::default()).await
    }

    pub(crate) async fn look_for(&self, wish: &Wish, selection: &Selection) -> Look {
        let (connection, loaded) = (self.connection().await, self.loaded());
        let fleet = Fleet::find(&connection, &loaded, selection);
        let fleet = Box::pin(fleet).await.unwrap();
        let world = fleet.world(Patience {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(20),
            limit: Duration::from_mins(1),
        });
        let sources = Sources::Machine(Arc::new(|_| None));
        let desired = fleet.desired("shop", &loaded, &sources).await;
        let plan = look(&fleet, &world, &desired, wish, &|_| {}).await;
        Look {
            fleet,
            connection,
            world,
            desired,
            wish: wish.clone(),
            plan,
        }
    }

    /// Makes everything as declared, and looks again.
    pub(crate) async fn apply(&self) -> Look {
        let look = Box::pin(self.look()).await;
        let outcome = look.apply().await;
        assert_eq!((outcome.failed(), outcome.skipped()), (0, 0), "{outcome:?}");
        Box::pin(self.look()).await
    }
}

impl Look {
    pub(crate) async fn apply(&self) -> Outcome {
        self.roll_out(None, &|_| {}).await
    }

    pub(crate) async fn roll_out(
        &self,
        max_failures: Option<usize>,
        events: Events<'_>,
    ) -> Outcome {
        let rollout = Rollout {
            plan: &self.plan,
            world: &self.world,
            desired: &self.desired,
            wish: &self.wish,
            max_failures,
        };
        let cancel = CancellationToken::new();
        self.fleet.apply(&rollout, events, &cancel).await
    }

    /// What would be done, one line for each change.
    pub(crate) fn told(&self) -> Vec<String> {
        self.plan.changes.iter().map(told).collect()
    }

    /// The places at which something is unknown, with why.
    pub(crate) fn unknown(&self) -> BTreeSet<String> {
        let changes = self.plan.changes.iter();
        let unknown = changes.filter(|change| change.action.word() == "unknown");
        unknown
            .map(|change| {
                let reason = change.reason.clone().unwrap_or_default();
                format!("{}: {reason}", change.location)
            })
            .collect()
    }
}

fn told(change: &Change) -> String {
    format!(
        "{} {} {}",
        change.action.word(),
        change.location,
        change.address
    )
}
