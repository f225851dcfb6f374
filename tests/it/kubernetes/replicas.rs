//! Operators that are killed, and several at once: the work goes on, nothing is made twice, and of one Stack there is
//! never more than one writer.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use super::{PATIENCE, Stage, command, measured, stack};
use crate::support::calls::Call;
use crate::support::glance::Glance;
use crate::support::{STACK, Scene, number};

/// How often the operator is killed, in all.
const KILLS: u64 = 24;
/// In how many stages at once: a new operator waits for the Lease of the killed one.
const STAGES: u64 = 4;

#[test]
fn killed_at_any_moment_it_converges_and_makes_nothing_twice() {
    if Stage::open(1).is_none() {
        return;
    }
    let kills = number("STATIONBILL_KILLS")
        .unwrap_or(KILLS)
        .div_ceil(STAGES);
    thread::scope(|scope| {
        for seed in 0..STAGES {
            scope.spawn(move || killed(seed, kills));
        }
    });
}

fn killed(seed: u64, kills: u64) {
    const NAMES: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
    let stage = Stage::open(1).unwrap();
    let mut random = Rng::with_seed(seed);
    let mut declared: BTreeMap<&str, String> = BTreeMap::new();
    let shop = stack(STACK, &json!({ "prune": true, "interval": "1s" }));
    stage
        .runtime
        .block_on(async { stage.apply(stage.namespace(), &shop).await.unwrap() });
    for round in 0..kills {
        let key = format!("KEY{round}");
        let mut operator = stage.operator(&key, &[]);
        // Wait until it works, or the kill would hit nothing but the wait for the Lease.
        stage.runtime.block_on(async {
            let began = Instant::now();
            while !stage.log(&key).contains("took the shard") {
                assert!(began.elapsed() < PATIENCE, "{}", stage.log(&key));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            for _ in 0..random.usize(1..4) {
                let name = NAMES[random.usize(..NAMES.len())];
                if declared.contains_key(name) && random.u8(..3) == 0 {
                    declared.remove(name);
                    stage.delete(stage.namespace(), "Document", name).await;
                } else {
                    let text = format!("round {round} {}", random.u16(..));
                    stage.apply_again(&command(name, &text)).await;
                    declared.insert(name, text);
                }
            }
            tokio::time::sleep(Duration::from_millis(random.u64(..1200))).await;
        });
        operator.0.kill().unwrap();
        operator.0.wait().unwrap();
        assert_eq!(Glance::at(&stage.sandbox).twice(), BTreeSet::new());
    }
    let _operator = stage.operator("LAST", &[]);
    stage.runtime.block_on(async {
        let began = Instant::now();
        loop {
            let objects = stage.list(stage.namespace(), "Document").await;
            let left: BTreeSet<String> = objects
                .into_iter()
                .filter_map(|o| o.metadata.name)
                .collect();
            let wanted: BTreeSet<String> = declared.keys().map(|name| (*name).to_owned()).collect();
            let open = stage.not_in_sync(stage.namespace()).await;
            if left == wanted && open.is_empty() && texts(&stage).await == declared_texts(&declared)
            {
                break;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{left:?} {wanted:?} {open:#?}\n{}",
                stage.log("LAST")
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    assert_eq!(Glance::at(&stage.sandbox).twice(), BTreeSet::new());
}

fn declared_texts(declared: &BTreeMap<&str, String>) -> BTreeMap<String, String> {
    let pairs = declared.iter();
    pairs
        .map(|(name, text)| ((*name).to_owned(), text.clone()))
        .collect()
}

/// The descriptions of all documents in AWS.
async fn texts(stage: &Stage) -> BTreeMap<String, String> {
    let scene = Scene::of(stage.sandbox.clone()).await;
    let mut found = BTreeMap::new();
    for ((kind, _), live) in scene.everything().await {
        if kind == "Document" {
            let answer = scene
                .aws
                .ssm
                .get_document()
                .name(&live.name)
                .send()
                .await
                .unwrap();
            let content: Value = serde_json::from_str(&answer.content.unwrap()).unwrap();
            let text = content["description"].as_str().unwrap_or_default();
            found.insert(live.name, text.to_owned());
        }
    }
    found
}

#[test]
fn replicas_share_the_work_and_never_a_stack() {
    let Some(stage) = Stage::open(6) else { return };
    let namespaces = stage.namespaces.clone();
    let edit = |round: usize| {
        let (stage, namespaces) = (&stage, &namespaces);
        async move {
            for (index, namespace) in namespaces.iter().enumerate() {
                let name = format!("say-{index}");
                let document = command(&name, &format!("round {round}"));
                stage.apply(namespace, &document).await.unwrap();
            }
        }
    };
    let first = stage.operator("FIRST", &["--shards", "6"]);
    let second = stage.operator("SECOND", &["--shards", "6"]);
    stage.runtime.block_on(async {
        edit(0).await;
        for (index, namespace) in namespaces.iter().enumerate() {
            let shop = stack(&format!("shop-{index}"), &json!({ "interval": "2s" }));
            stage.apply(namespace, &shop).await.unwrap();
        }
        all_settled(&stage).await;
        // Both have work: each shard is one's.
        let began = Instant::now();
        let mut round = 0;
        loop {
            round += 1;
            let from = stage.count();
            edit(round).await;
            all_settled(&stage).await;
            let keys: BTreeSet<String> = stage
                .writes(from)
                .into_iter()
                .map(|call| call.key)
                .collect();
            if keys.len() == 2 {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{keys:?}");
        }

        // One stands still in the middle of its work; the other takes over within seconds.
        let from = stage.count();
        edit(100).await;
        let began = Instant::now();
        while !stage.writes(from).iter().any(|call| call.key == "FIRST") {
            assert!(began.elapsed() < PATIENCE, "{}", stage.log("FIRST"));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        first.signal("STOP");
        let stopped = Instant::now();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let from = stage.count();
        edit(101).await;
        all_settled(&stage).await;
        let after = stopped.elapsed();
        measured(
            "what a replica did that stands still is done by another",
            after,
        );
        assert!(after < Duration::from_secs(45), "{after:?}");
        assert!(stage.writes(from).iter().all(|call| call.key == "SECOND"));

        // It wakes up, and must not go on where it was.
        first.signal("CONT");
        edit(102).await;
        all_settled(&stage).await;

        // One is killed for good.
        drop(first);
        let killed = Instant::now();
        edit(103).await;
        all_settled(&stage).await;
        measured("what a killed replica left is done", killed.elapsed());
    });
    one_writer(&stage.calls.lock().unwrap());
    // The last one gives its Leases back, so that the next one need not wait.
    second.stop();
    let third = stage.operator("THIRD", &["--shards", "6"]);
    let began = Instant::now();
    stage.runtime.block_on(async {
        edit(104).await;
        all_settled(&stage).await;
    });
    measured("an orderly end, and the next one is done", began.elapsed());
    drop(third);
}

async fn all_settled(stage: &Stage) {
    for namespace in &stage.namespaces {
        stage.settled(namespace, "SECOND").await;
    }
}

/// Every write to a Stack was made by whoever wrote its lease last, and had not given it back.
fn one_writer(calls: &[Call]) {
    let mut holders: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut writes = 0;
    for call in calls.iter().filter(|call| call.writes) {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let name = body["Name"].as_str().unwrap_or_default();
        if let Some(stack) = name
            .strip_prefix("/stationbill/")
            .and_then(|rest| rest.strip_suffix("/lease"))
        {
            let value: Value = serde_json::from_str(body["Value"].as_str().unwrap_or_default())
                .unwrap_or_default();
            let holder = (value["free"] != true).then(|| call.key.clone());
            holders.insert(stack.to_owned(), holder);
        } else if let Some(index) = name.strip_prefix("say-") {
            writes += 1;
            let holder = holders.get(&format!("shop-{index}")).cloned().flatten();
            assert_eq!(
                holder.as_ref(),
                Some(&call.key),
                "{} of {name}",
                call.operation
            );
        }
    }
    assert!(writes > 30, "{writes}");
}

impl Stage {
    /// Applies a document; one of the same name that is still being deleted has to go first.
    async fn apply_again(&self, document: &Value) {
        let name = document["metadata"]["name"].as_str().unwrap();
        let api = self.api(self.namespace(), "Document");
        let began = Instant::now();
        while api
            .get_opt(name)
            .await
            .unwrap()
            .is_some_and(|object| object.metadata.deletion_timestamp.is_some())
        {
            assert!(began.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.apply(self.namespace(), document).await.unwrap();
    }
}
