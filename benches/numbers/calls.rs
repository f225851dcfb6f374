//! How many calls an object costs that has not changed, by kind.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;
use stationbill::kinds::KINDS;
use stationbill::model::spec::Identity;

use crate::estate::{self, Estate};
use crate::measure::{Server, program, run};
use crate::table::{self, say};

/// How many objects more the second look has; fewer than any page.
const MORE: usize = 10;

type Counts = BTreeMap<String, usize>;

/// Plans each kind with and without ten objects more; the difference is what they cost.
pub(crate) fn table() -> Result<()> {
    say("calls of a plan for an object that has not changed, by kind");
    table::line(&format!("{:>25} {:>6}  calls", "kind", "each"));
    let base: Vec<Value> = estate::examples()?;
    let fixed = count(&base)?;
    for kind in KINDS {
        if kind.identity() == Identity::Singleton {
            table::line(&format!("{:>25} {:>6}  there is one", kind.kind(), "-"));
            continue;
        }
        let copies: Result<Vec<Value>> = (0..MORE)
            .map(|index| estate::copy(kind.kind(), index))
            .collect();
        // What AWS has under names of its own cannot be there ten times more.
        let Ok(copies) = copies else {
            table::line(&format!("{:>25} {:>6}  one of each", kind.kind(), "-"));
            continue;
        };
        let more: Vec<Value> = base.iter().cloned().chain(copies).collect();
        let extra: Counts = count(&more)?
            .into_iter()
            .map(|(call, count)| {
                let before = fixed.get(&call).copied().unwrap_or_default();
                (call, count.saturating_sub(before))
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let each = extra.values().sum::<usize>().div_ceil(MORE);
        let calls: Vec<String> = extra
            .iter()
            .map(|(call, count)| format!("{call} {}", share(*count)))
            .collect();
        table::line(&format!(
            "{:>25} {each:>6}  {}",
            kind.kind(),
            calls.join(", ")
        ));
    }
    let fixed: Vec<String> = fixed
        .iter()
        .map(|(call, count)| format!("{call} {count}"))
        .collect();
    table::line(&format!(
        "The examples of all kinds together, lists included: {}",
        fixed.join(", ")
    ));
    Ok(())
}

/// Writes a count as so many for each object.
fn share(count: usize) -> String {
    if count.is_multiple_of(MORE) {
        format!("{}", count / MORE)
    } else {
        format!("{count}/{MORE}")
    }
}

/// Applies documents, plans again, and counts the calls of that plan.
fn count(documents: &[Value]) -> Result<Counts> {
    let estate = Estate::write(documents)?;
    let state = tempfile::tempdir()?;
    estate.fill(state.path())?;
    let organization = estate::organization();
    let flags = ["--organization".as_ref(), organization.as_os_str()];
    let server = Server::with(state.path(), "0ms", "documented", &flags)?;
    let ran = run(program(&server.url).arg("plan").arg(estate.folder()))?;
    ensure!(ran.code == 0, "plan failed: {}", ran.told);
    let mut counts = Counts::new();
    for call in server.calls()? {
        *counts
            .entry(format!("{}:{}", call.service, call.operation))
            .or_default() += 1;
    }
    Ok(counts)
}
