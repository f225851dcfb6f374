//! Many objects in many Stacks: all of them get there, and then cost the API server nothing.
//!
//! `STATIONBILL_OBJECTS=10000` takes so many, a hundred in each Stack, and an operator that watches the whole cluster, or
//! as many of them as `STATIONBILL_REPLICAS` says; then this test wants to be the only one. `STATIONBILL_ACCOUNTS=100`
//! spreads the Stacks over so many accounts, as a company does; without it one account has them all. `STATIONBILL_LOOKS=6`
//! looks at each Stack so often once all are there: as often as in an hour of ten minutes each.

use std::fs;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream;
use serde_json::{Value, json};

use super::{Operator, Stage, document, measured, stack};
use crate::support::number;

/// How many objects a Stack has.
const EACH: usize = 100;
/// How many objects there are unless more are asked for, in two Stacks.
const FEW: usize = 40;
/// How often a Stack is looked at.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many objects a list of AWS tells at once.
const PAGE: usize = 100;
const KEY: &str = "SCALE";

/// How many the environment asks for.
fn count(name: &str) -> Option<usize> {
    number(name).map(|count| usize::try_from(count).unwrap())
}

#[test]
fn many_objects_get_there_and_then_cost_the_api_server_nothing() {
    let many = count("STATIONBILL_OBJECTS");
    let each = if many.is_some() { EACH } else { FEW / 2 };
    let stacks = many.unwrap_or(FEW).div_ceil(each);
    let spread = count("STATIONBILL_ACCOUNTS");
    let accounts = spread.unwrap_or(1).clamp(1, stacks);
    let Some(stage) = Stage::open(stacks) else {
        return;
    };
    let interval = if many.is_some() {
        Duration::from_mins(1)
    } else {
        INTERVAL
    };
    // Whoever asks for thousands of objects keeps others from them.
    let pause = if many.is_some() {
        Duration::from_secs(5)
    } else {
        Duration::from_millis(500)
    };
    let patience =
        Duration::from_mins(2) + Duration::from_millis(100) * u32::try_from(stacks * each).unwrap();
    stage.runtime.block_on(async {
        let began = Instant::now();
        let all = stage
            .namespaces
            .iter()
            .enumerate()
            .flat_map(|(at, namespace)| {
                let shop = stack(
                    &format!("scale-{at}"),
                    &json!({ "interval": format!("{}s", interval.as_secs()) }),
                );
                let objects = (0..each).map(move |number| (namespace, baseline(at, number)));
                let target = spread.map(|_| (namespace, target(at % accounts)));
                objects.chain(target).chain([(namespace, shop)])
            });
        let all: Vec<(&String, Value)> = all.collect();
        stream::iter(all)
            .for_each_concurrent(16, async |(namespace, document)| {
                stage.apply(namespace, &document).await.unwrap();
            })
            .await;
        measured("all are in the API server", began.elapsed());

        let began = Instant::now();
        let operators: Vec<Operator> = if many.is_some() {
            stage.may_do_that_everywhere().await;
            let replicas = number("STATIONBILL_REPLICAS").unwrap_or(1);
            let keys = (0..replicas).map(|at| match at {
                0 => KEY.to_owned(),
                more => format!("{KEY}-{more}"),
            });
            keys.map(|key| stage.operator_of(&key, &[], &[])).collect()
        } else {
            vec![stage.operator(KEY, &[])]
        };
        loop {
            let open = open(&stage).await;
            if open == 0 {
                break;
            }
            assert!(
                began.elapsed() < patience,
                "{open} are open\n{}",
                stage.log(KEY)
            );
            tokio::time::sleep(pause).await;
        }
        measured("all are in sync", began.elapsed());
        told(&operators, stacks * each);

        // Looks that find nothing new: each lists what its account has.
        let (before, from) = (versions(&stage).await, stage.count());
        let began = Instant::now();
        let pages = (stacks.div_ceil(accounts) * each).div_ceil(PAGE);
        let looks = || {
            let calls = stage.calls.lock().unwrap();
            let lists = calls[from..].iter();
            let lists = lists.filter(|call| call.operation == "DescribePatchBaselines");
            lists.count() / pages
        };
        let rounds = count("STATIONBILL_LOOKS").unwrap_or(2);
        while looks() < rounds * stacks {
            assert!(
                began.elapsed() < patience * u32::try_from(rounds).unwrap(),
                "{} looks\n{}",
                looks(),
                stage.log(KEY)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        measured(
            &format!("all were looked at {rounds} times again"),
            began.elapsed(),
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(stage.writes(from).len(), 0);
        let after = versions(&stage).await;
        assert!(before == after, "something was written");
        told(&operators, stacks * each);
        operators.into_iter().for_each(Operator::stop);
    });
}

/// Another account than the operator's own.
fn target(number: usize) -> Value {
    let account = format!("{:012}", 200_000_000_000 + number);
    let spec = json!({ "accounts": [account], "role": { "name": "stationbill" } });
    document("Target", "there", &spec)
}

/// A small object that needs no other.
fn baseline(stack: usize, number: usize) -> Value {
    let name = format!("scale-{stack}-{number}");
    let spec = json!({ "operatingSystem": "AMAZON_LINUX_2023", "approvedPatches": [format!("kernel-{number}")] });
    document("PatchBaseline", &name, &spec)
}

/// Counts what is not in sync.
async fn open(stage: &Stage) -> usize {
    let mut open = 0;
    for namespace in &stage.namespaces {
        let baselines = stage.list(namespace, "PatchBaseline").await;
        let well = |object: &&kube::api::DynamicObject| object.data["status"]["state"] == "InSync";
        open += baselines.len() - baselines.iter().filter(well).count();
    }
    open
}

/// Returns the version of every object and of every Stack.
async fn versions(stage: &Stage) -> Vec<String> {
    let mut versions = Vec::new();
    for namespace in &stage.namespaces {
        for kind in ["PatchBaseline", "Stack"] {
            let found = stage.list(namespace, kind).await.into_iter();
            versions.extend(found.filter_map(|object| {
                let metadata = object.metadata;
                Some(format!("{} {}", metadata.uid?, metadata.resource_version?))
            }));
        }
    }
    versions
}

/// Says how much memory each operator had at most, and has of its own: the rest is the program itself.
#[expect(clippy::print_stdout, reason = "numbers for whoever reads along")]
fn told(operators: &[Operator], objects: usize) {
    for operator in operators {
        let id = operator.0.id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let of = |name: &str| {
            let mut lines = status.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let (most, own) = (of("VmHWM:"), of("RssAnon:"));
        println!("{objects} objects, {most} at most, {own} of its own");
    }
}
