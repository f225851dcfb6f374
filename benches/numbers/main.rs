//! The numbers of the design, measured against the program that users run.
//!
//! `cargo bench -- --full` adds the largest sizes, and words choose cases: `cargo bench -- --full planner apply`. Each
//! case is one long run against a sandbox process, which is why no statistics library is at work here: what counts is
//! the time of that run, and what it was spent on.

mod calls;
mod estate;
mod fleet;
mod floor;
mod measure;
mod planner;
mod table;
mod trouble;

use anyhow::{Context as _, Result, ensure};

use estate::Estate;
use measure::{Server, program, run};
use table::{Row, say};

/// How long each call takes.
const LATENCY: &str = "40ms";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A case that is measured in a process of its own.
    if let [word, rest @ ..] = &arguments[..]
        && word == planner::CHILD
    {
        return planner::child(rest);
    }
    let full = arguments.iter().any(|word| word == "--full");
    let chosen: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let wanted = |case: &str| chosen.is_empty() || chosen.iter().any(|word| *word == case);
    if wanted("planner") {
        planner::all()?;
    }
    if wanted("validate") {
        validate()?;
    }
    if wanted("calls") {
        calls::table()?;
    }
    if wanted("plan") {
        plan(full)?;
    }
    if wanted("fleet") {
        fleet::plans(full)?;
    }
    if wanted("trouble") {
        trouble::beside_others()?;
    }
    if wanted("apply") {
        for kind in ["Alarm", "Dashboard", "Contact", "Runbook"] {
            apply(kind, full)?;
        }
    }
    Ok(())
}

/// From the start of the program to the answer, without AWS. The best of five runs: the rest is this machine's noise.
fn validate() -> Result<()> {
    for (what, make) in [
        (
            "a small estate",
            Estate::small as fn(usize) -> Result<Estate>,
        ),
        ("a mixed estate", Estate::mixed),
    ] {
        say(&format!(
            "validate: {what}, from the start of the program to its answer, best of five; reach: 1,000 documents in 0.3 s"
        ));
        table::head(false);
        let mut before = None;
        for size in [10, 100, 1_000] {
            let estate = make(size)?;
            let mut best: Option<measure::Run> = None;
            for _ in 0..5 {
                let ran = run(program("").arg("validate").arg(estate.folder()))?;
                ensure!(ran.code == 0, "validate failed: {}", ran.told);
                best = best
                    .filter(|best| best.seconds <= ran.seconds)
                    .or(Some(ran));
            }
            let ran = best.context("nothing was run")?;
            before = Some(Row::alone(estate.len(), &ran).print(before));
        }
    }
    estate::about()
}

/// Plans a mixed estate of one account and region: all of it missing, and none of it different.
fn plan(full: bool) -> Result<()> {
    let sizes: &[usize] = if full {
        &[100, 1_000, 10_000]
    } else {
        &[100, 1_000]
    };
    for applied in [false, true] {
        say(if applied {
            "plan: a mixed estate in one account and region, all of it applied, nothing to do"
        } else {
            "plan: a mixed estate in one account and region, none of it there yet"
        });
        table::head(true);
        let mut before = None;
        for &size in sizes {
            let estate = Estate::mixed(size)?;
            let state = tempfile::tempdir()?;
            if applied {
                estate.fill(state.path())?;
            }
            let server = Server::start(state.path(), LATENCY, "documented")?;
            let ran = run(program(&server.url).arg("plan").arg(estate.folder()))?;
            ensure!(ran.code == 0, "plan failed: {}", ran.told);
            let nothing = format!("nothing to do: {} objects", estate.len());
            ensure!(
                ran.told.contains(&nothing) == applied,
                "the plan is another: {}",
                ran.told
            );
            before = Some(Row::against(estate.len(), &ran, &server.calls()?).print(before));
        }
    }
    estate::about()
}

/// Creates objects of one kind in one region.
fn apply(kind: &str, full: bool) -> Result<()> {
    say(&format!(
        "apply: new objects of the kind {kind} in one account and region"
    ));
    table::head(true);
    let sizes: &[usize] = match (full, kind) {
        // An account may have no more documents.
        (true, "Runbook") => &[10, 100, 500],
        (true, _) => &[10, 100, 1_000],
        (false, _) => &[10, 100],
    };
    let mut before = None;
    for &size in sizes {
        let state = tempfile::tempdir()?;
        Estate::needs(kind)?.fill(state.path())?;
        let estate = Estate::of(kind, size)?;
        let server = Server::start(state.path(), LATENCY, "documented")?;
        let mut apply = program(&server.url);
        let ran = run(apply.args(["apply", "--yes"]).arg(estate.folder()))?;
        ensure!(ran.code == 0, "apply failed: {}", ran.told);
        before = Some(Row::against(size, &ran, &server.calls()?).print(before));
    }
    Ok(())
}
