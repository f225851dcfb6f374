//! A simulated AWS of one test's own, with faults, that writes down its calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use stationbill::aws::{Aws, Connector, connect};
use stationbill::sandbox::{Enforce, Faults, Options, Sandbox, Settings};

/// The simulated AWS, the way to it, and where it writes down its calls.
pub(crate) struct Recorded {
    pub(crate) aws: Aws,
    pub(crate) sandbox: Arc<Sandbox>,
    folder: tempfile::TempDir,
}

impl Recorded {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            quotas: Enforce::Off,
            settings,
            record: Some(folder.path().join("calls")),
            ..Options::default()
        };
        let sandbox = Sandbox::open(options).unwrap();
        let connector = Connector {
            sandbox: Some(sandbox.clone()),
            ..Connector::default()
        };
        let aws = connect(&connector).await.unwrap().aws;
        Self {
            aws,
            sandbox,
            folder,
        }
    }

    pub(crate) fn faults(&self, rules: &Value) {
        let faults = Faults::parse(&rules.to_string()).unwrap();
        self.sandbox.set_faults(faults);
    }

    /// The operations that were called, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("calls")).unwrap();
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["operation"].as_str().unwrap().to_owned()
        });
        lines.collect()
    }

    /// How often each operation was called, from the `since`th call on.
    pub(crate) fn counts(&self, since: usize) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.calls().split_off(since) {
            *counts.entry(call).or_default() += 1;
        }
        counts
    }
}
