//! Crashes: the program dies at every AWS call of an apply, before and after its effect; run again, it converges.
//!
//! What a run killed at a call leaves behind is the state of AWS at that moment, and nothing else, for there is no
//! state file. So one apply of the real program is recorded state by state, and a new run begins from each of them;
//! and the real program is killed at every call, before it and after it. `STATIONBILL_CRASHES=N` kills it at N points.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stationbill::kinds;
use stationbill::load::Declared;
use stationbill::model::plan::Wish;
use stationbill::model::reference::{Names, lift};
use stationbill::sandbox::{Enforce, Options, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::support::calls::Moment;
use crate::support::door::{Door, Watch};
use crate::support::{STACK, Scene, documents, each, example, number, program, told};

/// Everything that is there, without what AWS made up.
type Shape = BTreeMap<(String, String), Value>;

async fn shape(scene: &Scene) -> Shape {
    let estate = scene.everything().await;
    let names: Names = estate
        .iter()
        .map(|((kind, id), live)| (id.clone(), format!("{kind}/{}", live.name)))
        .collect();
    let mut shape = Shape::new();
    for ((kind, _), live) in estate {
        // Read again: sets are ordered by what is in them.
        let spec = kinds::find(&kind)
            .unwrap()
            .parse(&lift(live.spec, &names))
            .unwrap();
        let what = json!([spec, live.tags]);
        let twice = shape.insert((kind, live.name), what);
        assert_eq!(twice, None, "an object is there twice");
    }
    shape
}

fn empty() -> Arc<Sandbox> {
    let options = Options {
        quotas: Enforce::Off,
        exchanges: Some(crate::support::exchanges()),
        ..Options::default()
    };
    Sandbox::open(options).unwrap()
}

fn start(url: &str) -> Child {
    program(url)
        .arg("apply")
        .arg(example("banana-stand"))
        .arg("--yes")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Lets the real program apply the example, watched; answers with how many calls it made, and whether it succeeded.
async fn apply(
    sandbox: Arc<Sandbox>,
    watch: impl FnOnce(Arc<Mutex<Child>>) -> Arc<Watch>,
) -> (u64, bool) {
    let door = Door::open(sandbox).await;
    let child = Arc::new(Mutex::new(start(&door.url)));
    let stop = CancellationToken::new();
    let watch = watch(child.clone());
    let wait = async {
        loop {
            if let Some(status) = child.lock().unwrap().try_wait().unwrap() {
                stop.cancel();
                return status.success();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let (calls, success) = tokio::join!(door.serve(watch, stop.clone()), wait);
    (calls, success)
}

/// Runs again from a state, once, and compares with what an undisturbed run makes.
async fn resume(state: &Value, documents: &[Declared], wanted: &Shape) -> Result<(), String> {
    let scene = Scene::restored(state, 7).await;
    let wish = Wish::default();
    let plan = scene.plan(STACK, documents, &wish).await.2;
    let outcome = scene.apply(&plan).await;
    let rest = scene.plan(STACK, documents, &wish).await.2;
    if !rest.is_empty() {
        return Err(format!(
            "something is left:\n{}after\n{}{:?}",
            told(&rest),
            told(&plan),
            outcome.endings
        ));
    }
    let found = shape(&scene).await;
    if found == *wanted {
        return Ok(());
    }
    let lines = wanted
        .keys()
        .chain(found.keys())
        .collect::<BTreeSet<_>>()
        .into_iter();
    let lines = lines.filter(|key| wanted.get(key) != found.get(key));
    let lines =
        lines.map(|key| format!("{key:?}\n  {:?}\n  {:?}\n", wanted.get(key), found.get(key)));
    Err(format!(
        "AWS is not as after an undisturbed run:\n{}",
        lines.collect::<String>()
    ))
}

#[test]
fn a_run_goes_on_from_wherever_an_earlier_one_died() {
    let runtime = runtime();
    let sandbox = empty();
    let states = Arc::new(Mutex::new(BTreeMap::<String, Value>::new()));
    let (behind, seen) = (sandbox.clone(), states.clone());
    let watch = move |_: Arc<Mutex<Child>>| -> Arc<Watch> {
        Arc::new(move |_, _, _| {
            let state = behind.with_state(|state| serde_json::to_value(state).unwrap());
            let mut states = seen.lock().unwrap();
            states.entry(essence(&state).to_string()).or_insert(state);
            false
        })
    };
    let (calls, success) = runtime.block_on(apply(sandbox.clone(), watch));
    assert!(success);
    let wanted = runtime.block_on(async { shape(&Scene::of(sandbox).await).await });
    let states = std::mem::take(&mut *states.lock().unwrap());
    let states: Vec<Value> = states.into_values().collect();
    let documents = documents("banana-stand");
    let failed = each(states.len() as u64, |index| {
        let state = &states[usize::try_from(index).unwrap()];
        let again = runtime.block_on(resume(state, &documents, &wanted));
        again.map_err(|why| format!("state {index}: {why}"))
    });
    assert!(
        calls > 100 && states.len() > 60,
        "{calls} calls, {} states",
        states.len()
    );
    assert!(
        failed.is_empty(),
        "{} of {} states:\n{}",
        failed.len(),
        states.len(),
        failed.join("\n")
    );
}

#[test]
fn the_real_program_may_be_killed_at_every_call() {
    let runtime = runtime();
    let sandbox = empty();
    let (calls, success) = runtime.block_on(apply(sandbox.clone(), |_| Arc::new(|_, _, _| false)));
    assert!(success);
    let wanted = runtime.block_on(async { shape(&Scene::of(sandbox).await).await });
    let crash = Crash {
        runtime,
        calls,
        wanted,
        documents: documents("banana-stand"),
        seen: Mutex::default(),
    };
    let points = number("STATIONBILL_CRASHES").map_or(2 * calls, |some| some.min(2 * calls));
    // Spread over the run where not all are asked for.
    let failed = each(points, |point| crash.at(2 * calls * point / points));
    assert!(
        failed.is_empty(),
        "{} of {points} points:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

struct Crash {
    runtime: tokio::runtime::Runtime,
    calls: u64,
    wanted: Shape,
    documents: Vec<Declared>,
    /// The states from which a run has gone on already: a call that only reads leaves what the one before it left.
    seen: Mutex<BTreeSet<String>>,
}

/// What a later run can see of a state: all but the moments, and who held the lease.
fn essence(state: &Value) -> Value {
    match state {
        Value::Number(number) if number.as_f64().is_some_and(|n| n > 1e9) => Value::Null,
        Value::Object(map) => {
            let lease = |key: &str| key.starts_with("/stationbill/");
            let members = map.iter().filter(|(key, _)| !lease(key));
            Value::Object(members.map(|(k, v)| (k.clone(), essence(v))).collect())
        }
        Value::Array(list) => list.iter().map(essence).collect(),
        other => other.clone(),
    }
}

impl Crash {
    /// Kills the real program before or after one of its calls, and runs again: every tenth time the real program,
    /// which must find its way past the lease of the dead one too, and otherwise what it is made of.
    fn at(&self, point: u64) -> Result<(), String> {
        let (at, when) = match point % 2 {
            0 => (point / 2 + 1, Moment::Before),
            _ => (point / 2 + 1, Moment::After),
        };
        let here = format!("killed {when:?} call {at} of {}", self.calls);
        let sandbox = empty();
        let dead = Arc::new(AtomicBool::new(false));
        let killer = dead.clone();
        let watch = move |child: Arc<Mutex<Child>>| -> Arc<Watch> {
            Arc::new(move |number, _, moment| {
                if number == at && moment == when {
                    let mut child = child.lock().unwrap();
                    child.kill().unwrap();
                    child.wait().unwrap();
                    killer.store(true, Ordering::SeqCst);
                }
                killer.load(Ordering::SeqCst)
            })
        };
        let (_, success) = self.runtime.block_on(apply(sandbox.clone(), watch));
        // The lease is renewed by the clock, so that one run makes a call more than another.
        if !dead.load(Ordering::SeqCst) {
            return if success && at + 3 > self.calls {
                Ok(())
            } else {
                Err(format!("{here}: it did not come"))
            };
        }
        if point.is_multiple_of(10) {
            sandbox.clock().advance(stationbill::engine::lease::LASTS);
            let again = apply(sandbox.clone(), |_| Arc::new(|_, _, _| false));
            if !self.runtime.block_on(again).1 {
                return Err(format!("{here}: the next run failed"));
            }
        }
        let again = async {
            let state = Scene::of(sandbox).await.snapshot();
            let essence = essence(&state).to_string();
            if !self.seen.lock().unwrap().insert(essence) {
                return Ok(());
            }
            resume(&state, &self.documents, &self.wanted).await
        };
        let again = self.runtime.block_on(again);
        again.map_err(|why| format!("{here}: {why}"))
    }
}
