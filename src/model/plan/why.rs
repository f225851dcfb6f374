//! Why an object differs: the document changed, AWS changed, or both.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Because;
use super::compare::Seen;
use crate::model::diff::Difference;
use crate::model::stamp::{Applied, Tags};
use crate::model::{Address, AnySpec, pointer};

/// How many members of one field AWS may have chosen and are still told apart from those that were declared.
const MOST_CHOSEN: usize = 6;

/// Compares each difference with what the stamp says was last applied.
pub(super) fn because(
    spec: &dyn AnySpec,
    address: &Address,
    tags: &Tags,
    seen: &Seen,
    differences: &[Difference],
) -> Vec<Because> {
    let Seen {
        declared,
        settled: _,
        lifted: live,
    } = seen;
    let Some(applied) = Applied::read(tags) else {
        return vec![Because::Pending];
    };
    let mut found = BTreeSet::new();
    let mut follows = false;
    for difference in differences {
        let Some(field) = pointer::steps(&difference.path).into_iter().next() else {
            continue;
        };
        let at = pointer::join("", &field);
        if spec.write_only().contains(&at.as_str()) {
            // What AWS does to it goes unseen.
            found.insert(Because::Pending);
        } else if !applied.unchanged(address, declared, difference) {
            found.insert(Because::Pending);
            // Read again: sets are ordered by what is in them.
            let ever = |live: &Value| {
                spec.parse(live)
                    .is_ok_and(|live| applied.holds(address, &field, live.get(&field)))
            };
            if !ever(live) && !without_chosen(spec, live, &at).iter().any(ever) {
                found.insert(Because::Drift);
            }
        } else if declared.get(&field).is_none() && is_chosen(spec, live, &at) {
            // Left for AWS to choose, and then and now: it follows from what differs besides.
            follows = true;
        } else {
            found.insert(Because::Drift);
        }
    }
    if found.is_empty() && follows {
        found.insert(Because::Drift);
    }
    found.into_iter().collect()
}

/// Says whether a document that leaves out what AWS has at a place would take it over.
fn is_chosen(spec: &dyn AnySpec, live: &Value, at: &str) -> bool {
    let mut left_out = live.clone();
    pointer::remove(&mut left_out, at);
    spec.settle(&left_out, live)
        .is_ok_and(|settled| settled.pointer(at) == live.pointer(at))
}

/// What else a live object may have been made from, as far as one field goes: without some of the members that AWS may
/// have chosen.
fn without_chosen(spec: &dyn AnySpec, live: &Value, at: &str) -> Vec<Value> {
    let mut members = Vec::new();
    if let Some(value) = live.pointer(at) {
        collect(value, at, &mut members);
    }
    let chosen: Vec<String> = members
        .into_iter()
        .filter(|at| is_chosen(spec, live, at))
        .take(MOST_CHOSEN)
        .collect();
    (1..1_usize << chosen.len())
        .map(|some| {
            let mut live = live.clone();
            for (index, at) in chosen.iter().enumerate() {
                if some & (1 << index) != 0 {
                    pointer::remove(&mut live, at);
                }
            }
            live
        })
        .collect()
}

fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                let at = pointer::join(at, key);
                found.push(at.clone());
                collect(member, &at, found);
            }
        }
        Value::Array(list) => {
            for (index, member) in list.iter().enumerate() {
                collect(member, &pointer::join(at, index), found);
            }
        }
        _ => {}
    }
}
