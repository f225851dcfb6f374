//! Saved plans: a proposal about a world that moves, applied only while neither it nor the documents have moved.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::render::json;
use crate::model::plan::{Change, Desired, Plan, Wish};
use crate::model::sensitive::fingerprinted;

/// How large a saved plan may be, in bytes: one of 100,000 objects has a tenth of it.
const LARGEST: u64 = 256 << 20;

/// The format that this version writes and reads.
const VERSION: u32 = 1;

/// A plan as it is saved. Personal values are masked and stand for short fingerprints.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Saved {
    api_version: String,
    kind: String,
    version: u32,
    stack: String,
    paths: Vec<PathBuf>,
    locations: BTreeSet<String>,
    prune: bool,
    adopt: bool,
    kinds: BTreeSet<String>,
    names: BTreeSet<String>,
    /// A hash of everything declared.
    documents: String,
    changes: Vec<SavedChange>,
    /// The plan as `--output json` has it, for people and policies to read.
    plan: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SavedChange {
    object: String,
    location: String,
    action: String,
    digest: String,
}

/// Writes a plan.
pub(super) fn save(plan: &Plan, desired: &Desired, wish: &Wish, paths: &[PathBuf]) -> String {
    let saved = Saved {
        api_version: "stationbill.dev/v1alpha1".to_owned(),
        kind: "Plan".to_owned(),
        version: VERSION,
        stack: plan.stack.clone(),
        paths: paths.to_vec(),
        locations: plan.locations.iter().map(ToString::to_string).collect(),
        prune: wish.prune,
        adopt: wish.adopt,
        kinds: wish.kinds.clone(),
        names: wish.names.clone(),
        documents: documents(desired),
        changes: plan.changes.iter().map(change).collect(),
        plan: json::plan(plan),
    };
    let value = serde_json::to_value(saved).unwrap_or_default();
    format!("{value:#}\n")
}

/// Reads a saved plan when the first path is one; answers with it and the paths after it.
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Option<(Saved, Vec<PathBuf>)>> {
    let Some((first, rest)) = paths.split_first() else {
        return Ok(None);
    };
    if !is_plan(first) {
        return Ok(None);
    }
    let text = std::fs::read_to_string(first)
        .with_context(|| format!("cannot read `{}`", first.display()))?;
    let value: Value = serde_json::from_str(&text)
        .with_context(|| format!("`{}` is not JSON", first.display()))?;
    let version = value.get("version").and_then(Value::as_u64);
    if version != Some(u64::from(VERSION)) {
        bail!(
            "the plan in `{}` has format {}, and this program applies format {VERSION}\nhint: save it anew",
            first.display(),
            version.map_or("?".to_owned(), |v| v.to_string())
        );
    }
    let saved = serde_json::from_value(value)
        .with_context(|| format!("`{}` is no plan of ours", first.display()))?;
    Ok(Some((saved, rest.to_vec())))
}

fn is_plan(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST)
        && std::fs::read_to_string(path)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .is_some_and(|value| value.get("kind") == Some(&json!("Plan")))
}

impl Saved {
    /// Where the documents were.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.paths.clone()
    }

    /// Asks for what was asked for then.
    pub(super) fn ask_again(&self, wish: &mut Wish) {
        wish.prune = self.prune;
        wish.adopt = self.adopt;
        wish.kinds.clone_from(&self.kinds);
        wish.names.clone_from(&self.names);
    }

    /// Says what moved since the plan was saved; `None` when nothing did.
    pub(super) fn moved(&self, plan: &Plan, desired: &Desired) -> Option<String> {
        if self.stack != plan.stack {
            return Some(format!(
                "it is for stack `{}`, and the documents are stack `{}`",
                self.stack, plan.stack
            ));
        }
        let now: BTreeSet<String> = plan.locations.iter().map(ToString::to_string).collect();
        if self.locations != now {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
            return Some(format!(
                "it is for {}, and this is {}",
                list(&self.locations),
                list(&now)
            ));
        }
        if self.documents != documents(desired) {
            return Some("the documents have changed since it was saved".to_owned());
        }
        let now: BTreeSet<SavedChange> = plan.changes.iter().map(change).collect();
        let then: BTreeSet<SavedChange> = self.changes.iter().cloned().collect();
        let moved: BTreeSet<&str> = then
            .symmetric_difference(&now)
            .map(|change| change.object.as_str())
            .collect();
        if moved.is_empty() {
            return None;
        }
        let names: Vec<&str> = moved.into_iter().collect();
        Some(format!(
            "AWS has changed since it was saved: {}",
            names.join(", ")
        ))
    }
}

/// Returns a digest of every change, to tell whether two plans are the same.
pub(super) fn changes(plan: &Plan) -> BTreeSet<SavedChange> {
    plan.changes.iter().map(change).collect()
}

fn documents(desired: &Desired) -> String {
    let mut hash = Sha256::new();
    for object in &desired.objects {
        let key = object.address.to_string();
        let lifecycle = serde_json::to_value(&object.lifecycle).unwrap_or_default();
        hash.update(format!(
            "{key}@{} {lifecycle} {}\n",
            object.location,
            fingerprinted(&object.spec, &key)
        ));
    }
    hex(&hash.finalize())
}

fn change(change: &Change) -> SavedChange {
    let Change {
        address,
        location,
        action,
        because: _,
        differences,
        reason,
        held,
        desired,
        live,
        lifted,
        lifecycle: _,
        ignored: _,
    } = change;
    let key = address.to_string();
    let print = |value: &Option<Value>| value.as_ref().map(|value| fingerprinted(value, &key));
    let differences: Vec<Value> = differences
        .iter()
        .map(|d| json!([d.path, print(&d.old), print(&d.new)]))
        .collect();
    let id = live.as_ref().map(|live| live.id.0.clone());
    let whole = json!([differences, reason, held, print(desired), print(lifted), id]);
    SavedChange {
        object: key,
        location: location.to_string(),
        action: action.word().to_owned(),
        digest: hex(&Sha256::digest(whole.to_string())),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
