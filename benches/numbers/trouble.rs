//! Accounts in trouble, and whether the others wait for them.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::LATENCY;
use crate::estate::Estate;
use crate::fleet::{REGIONS, estate};
use crate::measure::{Call, Server, program, run};
use crate::table::{line, say};

const ACCOUNTS: usize = 16;
/// The first accounts, and what is wrong with each.
const TROUBLES: [&str; 4] = [
    "its role is missing",
    "its role wants another external id",
    "nine calls of ten are throttled",
    "one of its regions is down",
];
/// How often each case runs, in turns, so that both see the same machine.
const RUNS: usize = 3;

/// Plans of a fleet where all is well, and where four accounts are in trouble: when is the last call for the others?
pub(crate) fn beside_others() -> Result<()> {
    say(&format!(
        "trouble: plan, nothing to do, in {ACCOUNTS} accounts × {} regions, four of the accounts in trouble or none; \
         'others' is when the last call came for the other {}",
        REGIONS.len(),
        ACCOUNTS - TROUBLES.len(),
    ));
    let ids: Vec<String> = (0..ACCOUNTS).map(account).collect();
    let role = json!({ "name": "stationbill", "externalId": "banana" });
    let estate = estate(&ids, &role, 1)?;
    let state = tempfile::tempdir()?;
    let server = Server::start(state.path(), "0ms", "off")?;
    let ran = run(program(&server.url)
        .args(["apply", "--yes"])
        .arg(estate.folder()))?;
    ensure!(ran.code == 0, "apply failed: {}", ran.told);
    drop(server);
    line("trouble    others s     all s   unknown");
    let mut best = [f64::INFINITY; 2];
    for _ in 0..RUNS {
        for trouble in [false, true] {
            let (others, all, unknown) = plan(&estate, state.path(), trouble)?;
            let word = if trouble { "four" } else { "none" };
            line(&format!("{word:<8} {others:>10.3} {all:>9.3} {unknown:>9}"));
            let best = &mut best[usize::from(trouble)];
            *best = best.min(others);
        }
    }
    line(&format!(
        "With four in trouble the others are done in ×{:.2} of the time, best of {RUNS} each. The troubles: {}.",
        best[1] / best[0],
        TROUBLES.join("; "),
    ));
    Ok(())
}

fn account(n: usize) -> String {
    format!("{:012}", 200_000_000_000 + n)
}

/// Plans once; returns when the last call for the accounts without trouble came, when all was over, and how many
/// objects are unknown.
fn plan(estate: &Estate, state: &Path, trouble: bool) -> Result<(f64, f64, usize)> {
    let files = tempfile::tempdir()?;
    let organization = files.path().join("organization.json");
    std::fs::write(&organization, organize(trouble).to_string())?;
    let faults = files.path().join("faults.json");
    std::fs::write(&faults, strike(trouble).to_string())?;
    let flags = [
        "--organization".as_ref(),
        organization.as_os_str(),
        "--faults".as_ref(),
        faults.as_os_str(),
    ];
    let server = Server::with(state, LATENCY, "documented", &flags)?;
    let well = |call: &Call| (TROUBLES.len()..ACCOUNTS).any(|n| call.account == account(n));
    let (ran, others) = server.last(well, || {
        let mut plan = program(&server.url);
        run(plan.args(["plan", "--output", "json"]).arg(estate.folder()))
    })?;
    ensure!(
        (ran.code == 0) != trouble,
        "plan ended with {}: {}",
        ran.code,
        ran.told
    );
    let begins = ran.told.find('{').context("no plan")?;
    let mut values = serde_json::Deserializer::from_str(&ran.told[begins..]).into_iter::<Value>();
    let plan = values.next().context("no plan")??;
    let changes = plan["changes"].as_array().context("no changes")?;
    let unknown = changes
        .iter()
        .filter(|change| change["action"] == "unknown");
    Ok((others, ran.seconds, unknown.count()))
}

fn organize(trouble: bool) -> Value {
    let accounts = (0..ACCOUNTS).map(|n| {
        let role = |external: &str| json!([{ "name": "stationbill", "externalId": external }]);
        let roles = match n {
            0 if trouble => json!([]),
            1 if trouble => role("apple"),
            _ => role("banana"),
        };
        json!({ "id": account(n), "name": format!("Account {n}"), "roles": roles })
    });
    let mut all = vec![json!({ "id": "111122223333", "name": "Management" })];
    all.extend(accounts);
    json!({
        "id": "o-bananastand",
        "managementAccount": "111122223333",
        "root": { "id": "r-ab12", "accounts": all },
    })
}

fn strike(trouble: bool) -> Value {
    if !trouble {
        return json!([]);
    }
    let down =
        json!({ "error": { "code": "InternalServerError", "status": 500, "message": "down" } });
    json!([
        { "match": { "account": account(2) }, "when": { "rate": 0.9 }, "then": "throttle" },
        { "match": { "account": account(3), "region": REGIONS[1] }, "then": down },
    ])
}
