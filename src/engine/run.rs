//! What every door does: wish what the stack says, look, and work under the lease.

use std::collections::BTreeSet;
use std::future::Future;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::fleet::Fleet;
use super::lease::{Lease, LeaseError, stopwatch};
use super::{Breadth, Events, World};
use crate::aws::Connection;
use crate::aws::transport::Holds;
use crate::kinds;
use crate::load::Loaded;
use crate::model::AnySpec;
use crate::model::digest::sha256;
use crate::model::lifecycle::Mode;
use crate::model::plan::{Action, Because, Change, Desired, Plan, Wish, names_kind, plan};
use crate::model::sensitive::fingerprinted;

/// Returns the name of the stack: what its document says, or `default`.
pub fn stack_name(loaded: &Loaded) -> String {
    loaded
        .stack
        .as_ref()
        .map_or_else(|| "default".to_owned(), |stack| stack.name.clone())
}

/// Returns what the stack document asks for; `today` is `YYYY-MM-DD`.
pub fn wish(loaded: &Loaded, today: String) -> Wish {
    let stack = loaded.stack.as_ref();
    let limit = |number: Option<u32>| number.map(|number| number as usize);
    Wish {
        prune: stack.is_some_and(|stack| stack.prune),
        report_only: stack.is_some_and(|stack| stack.mode == Mode::Report),
        max_deletes: stack.and_then(|stack| limit(stack.limits.deletes)),
        max_replacements: stack.and_then(|stack| limit(stack.limits.replacements)),
        today,
        ..Wish::default()
    }
}

/// Observes AWS and plans.
pub async fn look(
    fleet: &Fleet,
    world: &World,
    desired: &Desired,
    wish: &Wish,
    events: Events<'_>,
) -> Plan {
    let breadth = Breadth::of(wish);
    let observed = fleet.observe(world, desired, breadth, events).await;
    let specs = kinds::specs();
    let found = plan(desired, &observed, &specs, wish);
    if breadth != Breadth::Declared || !needs_more(&found, desired, &specs) {
        return found;
    }
    let breadth = Breadth::Owned;
    let observed = fleet.observe(world, desired, breadth, events).await;
    plan(desired, &observed, &specs, wish)
}

/// Says whether a plan depends on kinds of which nothing is declared: what is replaced may be referred to by such an
/// object, and what seems changed in AWS may only refer to one.
fn needs_more(plan: &Plan, desired: &Desired, specs: &[&dyn AnySpec]) -> bool {
    let of = |which: fn(&Change) -> bool| -> BTreeSet<&str> {
        let changes = plan.changes.iter().filter(|change| which(change));
        changes.map(|change| change.address.kind.as_str()).collect()
    };
    let replaced = of(|change| change.action == Action::Replace);
    let drifted = of(|change| change.because.contains(&Because::Drift));
    let declared = desired.objects.iter();
    let declared: BTreeSet<&str> = declared
        .map(|object| object.address.kind.as_str())
        .collect();
    let looked_at = |kind: &str| desired.kinds.as_ref().is_none_or(|all| all.contains(kind));
    let (seen, unseen): (Vec<&dyn AnySpec>, Vec<&dyn AnySpec>) = specs
        .iter()
        .partition(|spec| declared.contains(spec.kind()));
    let unseen = unseen.into_iter().filter(|spec| looked_at(spec.kind()));
    let unseen: Vec<&dyn AnySpec> = unseen.collect();
    let refers = || {
        unseen.iter().any(|spec| {
            let schema = spec.schema();
            replaced.iter().any(|kind| names_kind(&schema, kind))
        })
    };
    let referred = || {
        let mut of = seen.iter().filter(|spec| drifted.contains(spec.kind()));
        of.any(|spec| {
            let schema = spec.schema();
            unseen.iter().any(|spec| names_kind(&schema, spec.kind()))
        })
    };
    (!replaced.is_empty() && refers()) || referred()
}

/// Works on a stack while its lease is held, which is in this region: [`Fleet::lease_region`]. The token that `work` gets is cancelled with `cancel`, and when the lease
/// is lost; no call that writes is sent then, or while `unless` says no.
///
/// # Errors
/// When there is no lease, or `cancel` came first; nothing was done then.
pub async fn leased<T, F: Future<Output = T>>(
    connection: &Connection,
    region: &str,
    stack: &str,
    unless: Option<Holds>,
    told: &(dyn Fn(&str) + Send + Sync),
    cancel: &CancellationToken,
    work: impl FnOnce(CancellationToken) -> F,
) -> Result<T, LeaseError> {
    let holder = format!("{}, process {}", connection.caller, std::process::id());
    let stopwatch = stopwatch();
    let gate = &connection.gate;
    gate.set(unless.clone());
    let aws = connection.in_region(region);
    let lease = Lease::take(&aws, stack, &holder, &connection.clock, &stopwatch, told);
    let lease = cancel.run_until_cancelled(Box::pin(lease)).await;
    let lease = lease.ok_or(LeaseError::Interrupted)??;
    let holds = lease.holds();
    gate.set(Some(match unless.clone() {
        Some(unless) => std::sync::Arc::new(move || unless() && holds()),
        None => holds,
    }));
    let stop = cancel.child_token();
    let result = {
        let work = work(stop.clone());
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => result,
            () = lease.keep(&stop) => work.await,
        }
    };
    lease.give_back().await;
    // Whoever works next with this connection has a lease of its own to take.
    gate.set(unless);
    Ok(result)
}

/// Returns a short hash of what a plan would do: the same for the same documents and the same AWS, whatever the door.
pub fn digest(plan: &Plan) -> String {
    let lines: BTreeSet<String> = plan.changes.iter().map(line).collect();
    let mut digest = sha256(&json!([plan.stack, lines]).to_string());
    digest.truncate(16);
    digest
}

/// What a change is about, by meaning: how an embedded document is written does not count.
fn line(change: &Change) -> String {
    let key = change.address.to_string();
    let print = |value: Option<&Value>| {
        value.map(|value| fingerprinted(&crate::model::stamp::by_meaning(value), &key))
    };
    let paths: Vec<&str> = change.differences.iter().map(|d| d.path.as_str()).collect();
    let whole = json!([
        key,
        change.location,
        change.action,
        paths,
        change.held.is_some(),
        print(change.desired.as_deref()),
        print(change.lifted.as_ref()),
    ]);
    let mut whole = whole;
    whole.sort_all_objects();
    whole.to_string()
}
