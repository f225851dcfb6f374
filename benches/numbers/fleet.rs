//! One folder for many accounts and regions.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::LATENCY;
use crate::estate::{self, Estate};
use crate::measure::{Server, program, run};
use crate::table::{self, Row, say};

pub(crate) const REGIONS: [&str; 4] = ["ap-northeast-1", "eu-west-1", "us-east-1", "us-west-2"];

/// What every account has in every region: 25 objects. Alarms and dashboards are few, for AWS lets them be read slowly.
const MIX: [(&str, usize); 5] = [
    ("Runbook", 12),
    ("Document", 7),
    ("PatchBaseline", 3),
    ("MaintenanceWindow", 1),
    ("Alarm", 2),
];

/// Until the time of a change tells it from the next one, which AWS writes in seconds.
const SETTLE: Duration = Duration::from_secs(6);

/// Plans for fleets of growing size: none of it there, all of it there, and all of it there and seen before.
pub(crate) fn plans(full: bool) -> Result<()> {
    let fleets: &[(usize, usize)] = if full {
        &[(10, 1), (100, 1), (1_000, 8)]
    } else {
        &[(1, 1), (10, 1)]
    };
    let fleets: Result<Vec<Fleet>> = fleets
        .iter()
        .map(|&(accounts, share)| Fleet::new(accounts, share))
        .collect();
    let fleets = fleets?;
    say("fleet: plan, none of it there yet; reach: 10,000 objects in 60 s and 300 MB");
    table::head(true);
    let mut before = None;
    for fleet in &fleets {
        let state = tempfile::tempdir()?;
        let server = Server::start(state.path(), LATENCY, "documented")?;
        before = Some(fleet.plan(&server, None, false)?.print(before));
    }
    for warm in [false, true] {
        say(if warm {
            "fleet: plan, nothing to do, after one with the same --cache; reach: 10 s"
        } else {
            "fleet: plan, nothing to do, nothing seen before"
        });
        table::head(true);
        let mut before = None;
        for fleet in &fleets {
            let cache = tempfile::tempdir()?;
            if warm {
                let server = Server::start(fleet.state.path(), "0ms", "off")?;
                fleet.plan(&server, Some(cache.path()), true)?;
            }
            let server = Server::start(fleet.state.path(), LATENCY, "documented")?;
            let cache = warm.then_some(cache.path());
            before = Some(fleet.plan(&server, cache, true)?.print(before));
        }
    }
    table::line(&format!(
        "Each account has the same in each of {} regions: {}. The fleet of 1,000 has an eighth of it.",
        REGIONS.len(),
        MIX.map(|(kind, count)| format!("{count} {kind}"))
            .join(", ")
    ));
    Ok(())
}

/// Declares, for each of these accounts in every region, one object of `share`.
pub(crate) fn estate(accounts: &[String], role: &Value, share: usize) -> Result<Estate> {
    let mut documents = vec![json!({
        "apiVersion": "stationbill.dev/v1alpha1",
        "kind": "Target",
        "metadata": { "name": "all" },
        "spec": { "accounts": accounts, "regions": REGIONS, "role": role },
    })];
    let kinds = MIX
        .iter()
        .flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count));
    let made: Result<Vec<Value>> = kinds
        .enumerate()
        .filter(|(index, _)| index % share == 0)
        .map(|(index, kind)| estate::copy(kind, index))
        .collect();
    documents.extend(made?);
    Estate::write(&documents)
}

struct Fleet {
    accounts: usize,
    estate: Estate,
    /// A simulated AWS that has all of it.
    state: tempfile::TempDir,
}

impl Fleet {
    /// So many accounts, with one object of `share`.
    fn new(accounts: usize, share: usize) -> Result<Self> {
        let ids: Vec<String> = (0..accounts)
            .map(|n| format!("{:012}", 200_000_000_000 + n))
            .collect();
        let fleet = Self {
            accounts,
            estate: estate(&ids, &json!({ "name": "stationbill" }), share)?,
            state: tempfile::tempdir()?,
        };
        let server = Server::start(fleet.state.path(), "0ms", "off")?;
        let mut apply = program(&server.url);
        let ran = run(apply.args(["apply", "--yes"]).arg(fleet.estate.folder()))?;
        ensure!(ran.code == 0, "apply failed: {}", ran.told);
        std::thread::sleep(SETTLE);
        Ok(fleet)
    }

    /// How many objects there are, over all places.
    fn len(&self) -> usize {
        (self.estate.len() - 1) * self.accounts * REGIONS.len()
    }

    fn plan(&self, server: &Server, cache: Option<&Path>, applied: bool) -> Result<Row> {
        let mut plan = program(&server.url);
        plan.arg("plan").arg(self.estate.folder());
        if let Some(cache) = cache {
            plan.arg("--cache").arg(cache);
        }
        let idle = server.cpu();
        let ran = run(&mut plan)?;
        let aws = server.cpu() - idle;
        ensure!(ran.code == 0, "plan failed: {}", ran.told);
        let nothing = ran.told.contains("nothing to do");
        ensure!(nothing == applied, "the plan is another: {}", ran.told);
        let row = Row::against(self.len(), &ran, &server.calls()?);
        Ok(row.remark(format!(
            "{} accounts × {} regions, {aws:.1} s of cpu for the simulated AWS beside it",
            self.accounts,
            REGIONS.len()
        )))
    }
}
