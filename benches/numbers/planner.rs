//! The pure planner: no AWS, no files, only values. Each size has a process of its own, so that its memory is its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stationbill::kinds;
use stationbill::model::plan::{Desired, Object, Observed, Wish, plan};
use stationbill::model::reference::resolve;
use stationbill::model::stamp::Stamp;
use stationbill::model::{Address, Id, Live, Location};

use crate::estate::{self, STACK};
use crate::measure::{most_memory, own_cpu, own_memory, run};
use crate::table::{self, Row, say};

/// The word that makes this program measure one plan and no more.
pub(crate) const CHILD: &str = "--one-plan";

/// How many objects of each ten are of which kind.
const MIX: [&str; 10] = [
    "Contact",
    "Runbook",
    "Dashboard",
    "Runbook",
    "EscalationPlan",
    "Document",
    "Runbook",
    "Contact",
    "Runbook",
    "PatchBaseline",
];

pub(crate) fn all() -> Result<()> {
    for (changed, places, what) in [
        ("unchanged", 1, "nothing changed, one place"),
        ("unchanged", 400, "nothing changed, 400 places"),
        ("changed", 1, "everything changed, one place"),
    ] {
        say(&format!(
            "planner: {what}; reach: 100,000 unchanged in 1 s; 'adds' is what the planner adds to what is compared"
        ));
        table::head(false);
        let mut before = None;
        for size in [1_000usize, 10_000, 100_000] {
            let mut command = std::process::Command::new(std::env::current_exe()?);
            command.args([CHILD, &size.to_string(), &places.to_string(), changed]);
            let ran = run(&mut command)?;
            ensure!(ran.code == 0, "{}", ran.told);
            let mut numbers = ran.told.split_whitespace();
            let seconds = numbers.next().context("no time")?.parse()?;
            let cpu = numbers.next().context("no processor time")?.parse()?;
            let peak = numbers.next().context("no memory")?.parse()?;
            let adds: f64 = numbers.next().context("no growth")?.parse()?;
            let row = Row::new(size, seconds, cpu, peak);
            let row = row.remark(format!("adds {:.1} MB", adds / 1e6));
            before = Some(row.print(before));
        }
    }
    Ok(())
}

/// Plans once, and prints the seconds, those of processors, and the bytes.
pub(crate) fn child(arguments: &[String]) -> Result<()> {
    let [size, places, changed] = arguments else {
        anyhow::bail!("{CHILD} takes a size, a number of places and `changed` or `unchanged`");
    };
    let size: usize = size.parse()?;
    let (desired, observed) = world(size, places.parse()?, changed == "changed")?;
    let (before, idle, began) = (own_memory(), own_cpu(), Instant::now());
    let plan = plan(&desired, &observed, &kinds::specs(), &Wish::default());
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), own_cpu() - idle);
    let different = plan.changes.len();
    let expected = if changed == "changed" { size } else { 0 };
    ensure!(different == expected, "{different} of {expected} differ");
    let peak = most_memory("self");
    let adds = peak.saturating_sub(before);
    table::line(&format!("{seconds} {cpu} {peak} {adds}"));
    Ok(())
}

/// Makes up what is declared, and an AWS that has it.
fn world(size: usize, places: usize, changed: bool) -> Result<(Desired, Observed)> {
    let mut templates = BTreeMap::new();
    for kind in MIX {
        templates.insert(kind, estate::copy(kind, 0)?["spec"].take());
    }
    let (mut objects, mut observed) = (Vec::new(), Observed::default());
    for index in 0..size {
        let kind = MIX[index % MIX.len()];
        let location = Location {
            account: "111122223333".to_owned(),
            // All of ten are in one place, for they refer to each other.
            region: format!("place-{}", index / MIX.len() % places),
        };
        let address = Address::new(kind, format!("object-{index}"));
        let spec = Arc::new(spec(kind, &templates[kind], index)?);
        let id = |name: &str| format!("arn:aws:made-up:{}::{name}", location.region);
        let mut live_spec = Value::clone(&spec);
        if changed {
            live_spec["tags"] = json!({ "team": "another" });
        }
        let contact = format!("Contact/object-{}", index / MIX.len() * MIX.len());
        let ids = BTreeMap::from([(contact.clone(), id(&contact))]);
        let found = observed.0.entry(location.clone()).or_default();
        let found = found.entry(kind.to_owned()).or_insert(Ok(Vec::new()));
        if let Ok(found) = found {
            let live = Live {
                id: Id(id(&address.to_string())),
                name: address.name.clone(),
                spec: resolve(live_spec, &ids),
                tags: Stamp::new(STACK, &address, &spec, None).tags,
                ready: true,
                notes: Vec::new(),
            };
            found.push(live.held(Some(&spec)));
        }
        objects.push(Object {
            address,
            location,
            spec,
            lifecycle: stationbill::model::lifecycle::Lifecycle::default(),
            problem: None,
        });
    }
    let stack = STACK.to_owned();
    let desired = Desired {
        stack,
        objects,
        homes: BTreeMap::new(),
        left_out: std::collections::BTreeSet::new(),
        kinds: None,
    };
    Ok((desired, observed))
}

/// Returns the canonical spec of one object.
fn spec(kind: &str, template: &Value, index: usize) -> Result<Value> {
    let mut spec = template.clone();
    spec["name"] = json!(format!("object-{index}"));
    spec["tags"] = json!({ "team": "banana" });
    if kind == "EscalationPlan" {
        let contact =
            json!({ "contact": { "ref": format!("object-{}", index / MIX.len() * MIX.len()) } });
        spec["stages"] = json!([{ "durationMinutes": 5, "engage": [contact] }]);
    }
    let kind = kinds::find(kind).context("no such kind")?;
    Ok(kind.parse(&spec)?)
}
