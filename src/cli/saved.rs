//! Saved plans: a proposal about a world that moves, applied only while neither it nor the documents have moved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::args::Global;
use super::planning::Planned;
use super::render::json;
use crate::engine::fleet::Selection;
use crate::load::Loaded;
use crate::model::Location;
use crate::model::digest::sha256;
use crate::model::plan::{Change, Desired, Plan, Scope, Wish};
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
    /// The day by which the plan decided what had expired.
    today: String,
    stack: String,
    paths: Vec<PathBuf>,
    locations: BTreeSet<Location>,
    prune: bool,
    adopt: bool,
    kinds: BTreeSet<String>,
    names: BTreeSet<String>,
    /// Which places were asked for.
    #[serde(default)]
    selection: Selection,
    /// What a change of the documents could affect, when only that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    /// A hash of each document, by what it declares.
    documents: BTreeMap<String, String>,
    /// A hash of what each object is with its personal values read and its variables replaced.
    values: BTreeMap<String, String>,
    changes: Vec<SavedChange>,
    /// The plan as `--output json` has it, for people and policies to read.
    plan: Value,
    /// A hash of all of it.
    #[serde(skip)]
    digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SavedChange {
    object: String,
    location: String,
    action: String,
    digest: String,
}

/// The member that tells whether the file is as it was written: a hash of all the others.
const DIGEST: &str = "digest";

fn saved(planned: &Planned, paths: &[PathBuf]) -> Saved {
    let Planned {
        places: _,
        documents,
        session: _,
        desired,
        wish,
        plan,
        selection,
        max_failures: _,
    } = planned;
    Saved {
        api_version: "stationbill.dev/v1alpha1".to_owned(),
        kind: "Plan".to_owned(),
        version: VERSION,
        today: wish.today.clone(),
        stack: plan.stack.clone(),
        paths: paths.to_vec(),
        locations: plan.locations.clone(),
        prune: wish.prune,
        adopt: wish.adopt,
        kinds: wish.kinds.clone(),
        names: wish.names.clone(),
        selection: selection.clone(),
        scope: wish.scope.clone(),
        documents: documents.clone(),
        values: values(desired),
        changes: plan.changes.iter().map(change).collect(),
        plan: json::plan(plan),
        digest: String::new(),
    }
}

/// Writes a plan; returns the text, and the hash by which `apply --plan-hash` knows it.
pub(super) fn save(planned: &Planned, paths: &[PathBuf]) -> (String, String) {
    let mut value = serde_json::to_value(saved(planned, paths)).unwrap_or_default();
    let digest = digest(&value);
    if let Some(members) = value.as_object_mut() {
        members.insert(DIGEST.to_owned(), digest.as_str().into());
    }
    (format!("{value:#}\n"), digest)
}

/// Reads a saved plan when the first path is one; answers with it and the paths after it.
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Option<(Saved, Vec<PathBuf>)>> {
    let Some((first, rest)) = paths.split_first() else {
        return Ok(None);
    };
    let shown = first.display();
    let small = std::fs::metadata(first).is_ok_and(|file| file.is_file() && file.len() <= LARGEST);
    let Some(text) = small.then(|| std::fs::read_to_string(first).ok()).flatten() else {
        return Ok(None);
    };
    // Some editors put a mark of the byte order before it.
    let text = text.trim_start_matches('\u{feff}');
    if !looks_like_a_plan(text) {
        return Ok(None);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        anyhow!("the saved plan in `{shown}` is damaged: {error}\nhint: save it anew")
    })?;
    if value.get("kind") != Some(&json!("Plan")) {
        return Ok(None);
    }
    let version = value.get("version").and_then(Value::as_u64);
    if version != Some(u64::from(VERSION)) {
        let version = version.map_or("?".to_owned(), |v| v.to_string());
        bail!(
            "the plan in `{shown}` has format {version}, and this program applies format {VERSION}\nhint: save it anew"
        );
    }
    let mut members = value;
    let written = members.as_object_mut().and_then(|m| m.shift_remove(DIGEST));
    let digest = digest(&members);
    if written != Some(digest.as_str().into()) {
        bail!(
            "the saved plan in `{shown}` is not as it was saved: it was edited or damaged\nhint: save it anew"
        );
    }
    let saved: Saved = serde_json::from_value(members)
        .map_err(|error| anyhow!("`{shown}` is no plan of ours: {error}\nhint: save it anew"))?;
    Ok(Some((Saved { digest, ..saved }, rest.to_vec())))
}

/// Says whether a file is a saved plan, also one that was cut off, where the kind stands at its beginning, or whose
/// members were put into another order.
fn looks_like_a_plan(text: &str) -> bool {
    let whole = serde_json::from_str::<Value>(text);
    if whole.is_ok_and(|value| value.get("kind") == Some(&json!("Plan"))) {
        return true;
    }
    let head: String = text.chars().take(200).collect();
    let packed: String = head.split_whitespace().collect();
    packed.starts_with('{') && packed.contains(r#""kind":"Plan""#)
}

/// Hashes a plan by its meaning, so that who reformats the file breaks nothing.
fn digest(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    hash(&value)
}

fn hash(value: &Value) -> String {
    sha256(&value.to_string())
}

impl Saved {
    /// Refuses a plan that is not the one of this hash, which may be cut to its first 12 digits or more.
    pub(super) fn must_be(&self, hash: &str) -> anyhow::Result<()> {
        if hash.len() >= 12 && self.digest.starts_with(hash) {
            return Ok(());
        }
        bail!(
            "the saved plan is not the one that was asked for: its hash is {}\nhint: see who saved it, and whether it is \
             the one that was reviewed",
            self.digest
        )
    }

    /// Where the documents were.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.paths.clone()
    }

    /// Names a flag that asks for something else than this plan was made for.
    pub(super) fn contradicts(&self, prune: bool, adopt: bool, global: &Global) -> Option<&str> {
        let differs = |asked: &[String], then: &BTreeSet<String>| {
            !asked.is_empty() && asked.iter().cloned().collect::<BTreeSet<_>>() != *then
        };
        // Without Targets it says where the run is, and which places those are is compared later.
        let targets = self.documents.keys().any(|key| key.starts_with("Target/"));
        let region = global.region.as_slice();
        let region = if targets { region } else { &[] };
        [
            ("--prune", prune && !self.prune),
            ("--adopt", adopt && !self.adopt),
            ("--changed-since", global.changed_since.is_some()),
            ("--kind", differs(&global.kind, &self.kinds)),
            ("--name", differs(&global.name, &self.names)),
            ("--target", differs(&global.target, &self.selection.targets)),
            (
                "--account",
                differs(&global.account, &self.selection.accounts),
            ),
            ("--region", differs(region, &self.selection.regions)),
        ]
        .into_iter()
        .find_map(|(flag, differs)| differs.then_some(flag))
    }

    /// Asks for what was asked for then.
    pub(super) fn ask_again(&self, wish: &mut Wish, selection: &mut Selection) {
        selection.clone_from(&self.selection);
        wish.prune = self.prune;
        wish.adopt = self.adopt;
        wish.kinds.clone_from(&self.kinds);
        wish.names.clone_from(&self.names);
        wish.scope.clone_from(&self.scope);
    }

    /// Says what moved since the plan was saved; `None` when nothing did.
    pub(super) fn moved(&self, planned: &Planned) -> Option<String> {
        let now = saved(planned, &self.paths);
        if self.stack != now.stack {
            return Some(format!(
                "it is for stack `{}`, and the documents are stack `{}`",
                self.stack, now.stack
            ));
        }
        if self.locations != now.locations {
            return Some(self.elsewhere(&now));
        }
        let documents = differing(&self.documents, &now.documents);
        if !documents.is_empty() {
            return Some(format!(
                "the documents have changed since it was saved: {documents}"
            ));
        }
        let values = differing(&self.values, &now.values);
        if !values.is_empty() {
            return Some(format!(
                "what the documents read from elsewhere has changed since it was saved: {values}"
            ));
        }
        let changes =
            |saved: &Self| -> BTreeSet<SavedChange> { saved.changes.iter().cloned().collect() };
        let (then, at_present) = (changes(self), changes(&now));
        let moved: BTreeSet<&str> = then
            .symmetric_difference(&at_present)
            .map(|change| change.object.as_str())
            .collect();
        if moved.is_empty() {
            // What a person or a policy has read must be what is done.
            let same = self.plan.get("changes") == now.plan.get("changes");
            return (!same).then(|| "it does not say what would be done".to_owned());
        }
        let names: Vec<&str> = moved.iter().copied().collect();
        let names = names.join(", ");
        Some(if moved.iter().all(|name| self.expired(planned, name)) {
            format!("an `ignore` has expired since it was saved: {names}")
        } else {
            format!("AWS has changed since it was saved: {names}")
        })
    }

    /// Says which account or region it is for.
    fn elsewhere(&self, now: &Self) -> String {
        let list = |saved: &Self, what: fn(&Location) -> &String| {
            let all: BTreeSet<&str> = saved.locations.iter().map(|at| what(at).as_str()).collect();
            all.into_iter().collect::<Vec<_>>().join(", ")
        };
        let (account, region) = (list(self, |at| &at.account), list(self, |at| &at.region));
        let (account_now, region_now) = (list(now, |at| &at.account), list(now, |at| &at.region));
        if account == account_now {
            format!("it is for region {region}, and this is {region_now}")
        } else {
            format!("it is for account {account}, and this is {account_now}")
        }
    }

    /// Says whether a difference of an object was accepted when the plan was saved, and is no longer.
    fn expired(&self, planned: &Planned, object: &str) -> bool {
        let mut objects = planned.desired.objects.iter();
        let object = objects.find(|candidate| candidate.address.to_string() == object);
        let mut ignored = object.into_iter().flat_map(|o| &o.lifecycle.ignore);
        ignored.any(|ignore| {
            let until = ignore.until.as_ref();
            until.is_some_and(|until| self.today <= *until && *until < planned.wish.today)
        })
    }
}

/// Returns a digest of every change, to tell whether two plans are the same.
pub(super) fn changes(plan: &Plan) -> BTreeSet<SavedChange> {
    plan.changes.iter().map(change).collect()
}

/// Hashes each document. The stack's and the Targets' are among them: they say what a run may do, and where.
pub(super) fn documents(loaded: &Loaded) -> BTreeMap<String, String> {
    let mut hashes = BTreeMap::new();
    for object in &loaded.objects {
        let key = object.address.to_string();
        let spec = fingerprinted(&object.spec, &key);
        let whole = json!([spec, object.lifecycle, object.targets]);
        hashes.insert(key, hash(&whole));
    }
    if let Some(stack) = &loaded.stack {
        let whole = json!([stack.mode, stack.prune, stack.limits, stack.targets]);
        let key = format!("Stack/{}", stack.name);
        hashes.insert(key, hash(&whole));
    }
    for target in &loaded.targets {
        let key = format!("Target/{}", target.name);
        hashes.insert(key, hash(&json!(target.spec)));
    }
    hashes
}

fn values(desired: &Desired) -> BTreeMap<String, String> {
    let mut hashes = BTreeMap::new();
    for object in &desired.objects {
        let key = object.address.to_string();
        let whole = json!([fingerprinted(&object.spec, &key), object.problem]);
        let at = format!("{key} in {}", object.location);
        hashes.insert(at, hash(&whole));
    }
    hashes
}

/// Names what two sets of hashes do not have in common.
fn differing(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> String {
    let names: BTreeSet<&str> = then
        .keys()
        .chain(now.keys())
        .filter(|key| then.get(*key) != now.get(*key))
        .map(String::as_str)
        .collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
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
    let print = |value: Option<&Value>| value.map(|value| fingerprinted(value, &key));
    let differences: Vec<Value> = differences
        .iter()
        .map(|d| json!([d.path, print(d.old.as_ref()), print(d.new.as_ref())]))
        .collect();
    let id = live.as_ref().map(|live| live.id.0.clone());
    let whole = json!([
        differences,
        reason,
        held,
        print(desired.as_deref()),
        print(lifted.as_ref()),
        id
    ]);
    SavedChange {
        object: key,
        location: location.to_string(),
        action: action.word().to_owned(),
        digest: hash(&whole),
    }
}
