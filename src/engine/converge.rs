//! After every write, read back: an object is done when AWS is at rest and nothing differs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::World;
use crate::aws::{Aws, AwsError, Class};
use crate::kinds::{AnyKind, Select};
use crate::model::diff::Difference;
use crate::model::plan::{Change, remaining};
use crate::model::reference::{self, Names};
use crate::model::spec::{Identity, aws_name};
use crate::model::stamp::Stamp;
use crate::model::{Id, Live, sensitive};

/// How often a write that AWS accepted may show no effect before that is an error: reads can lag behind writes.
const LAG: u32 = 5;

/// One object on its way to what its document says.
pub(super) struct Target<'a> {
    pub(super) world: &'a World,
    pub(super) aws: &'a Aws,
    pub(super) kind: &'a dyn AnyKind,
    pub(super) change: &'a Change,
    pub(super) stamp: &'a Stamp,
    /// The spec with every reference resolved.
    pub(super) spec: &'a Value,
    /// AWS id to `Kind/name` of everything that the spec refers to.
    pub(super) names: &'a Names,
}

impl Target<'_> {
    /// Reads, waits and writes until nothing differs. `id` is what the create call answered, or the live id.
    pub(super) async fn converge(
        &self,
        id: &Id,
        waiting: &(dyn Fn() + Send + Sync),
    ) -> Result<(), AwsError> {
        let mut pause = Pause::new(self.world);
        let mut before: Option<Vec<Difference>> = None;
        let mut lag = 0;
        loop {
            let Some(live) = self.read(id).await? else {
                lag += 1;
                if lag > LAG {
                    return Err(AwsError::unexpected(
                        "reading back",
                        "AWS accepted the write, and the object is not there",
                    ));
                }
                pause.take().await?;
                continue;
            };
            if !live.ready {
                waiting();
                pause.take().await?;
                continue;
            }
            let differences = self.differences(&live)?;
            if differences.is_empty() {
                return Ok(());
            }
            if before.as_ref() == Some(&differences) {
                lag += 1;
                if lag > LAG {
                    return Err(did_not_take(&differences, &live.notes));
                }
                pause.take().await?;
            }
            before = Some(differences);
            patiently(|| self.kind.update(self.aws, self.spec, &live, self.stamp)).await?;
        }
    }

    fn differences(&self, live: &Live<Value>) -> Result<Vec<Difference>, AwsError> {
        let Some(desired) = &self.change.desired else {
            return Ok(Vec::new());
        };
        let found = remaining(
            self.kind,
            &self.change.address,
            desired,
            &self.change.ignored,
            live,
            self.names,
        );
        let mut found = found.map_err(|e| AwsError::unexpected("reading back", &e.message))?;
        for (key, value) in &self.stamp.tags {
            if live.tags.get(key) != Some(value) {
                let path = format!("/tags/{key}");
                let old = live.tags.get(key).cloned().map(Value::String);
                found.push(Difference {
                    path,
                    old,
                    new: Some(Value::String(value.clone())),
                });
            }
        }
        Ok(found)
    }

    async fn read(&self, id: &Id) -> Result<Option<Live<Value>>, AwsError> {
        let name = aws_name(self.spec).unwrap_or_default();
        read(self.aws, self.kind, name, id).await
    }
}

/// Reads one object by name and id.
pub(super) async fn read(
    aws: &Aws,
    kind: &dyn AnyKind,
    name: &str,
    id: &Id,
) -> Result<Option<Live<Value>>, AwsError> {
    let found = kind.list(aws, &Select::one(name)).await?;
    let singleton = kind.identity() == Identity::Singleton;
    Ok(found.into_iter().find(|live| singleton || live.id == *id))
}

/// Waits until a deleted object is gone. Where AWS lets go in stages, what has come to rest takes the next one.
pub(super) async fn gone(
    world: &World,
    aws: &Aws,
    kind: &dyn AnyKind,
    live: &Live<Value>,
) -> Result<(), AwsError> {
    let mut pause = Pause::new(world);
    loop {
        match read(aws, kind, &live.name, &live.id).await {
            Ok(None) => return Ok(()),
            Ok(Some(now)) => {
                pause.take().await?;
                // Something else may have come in its place meanwhile.
                if now.ready && now.tags == live.tags {
                    match patiently(|| kind.delete(aws, &now)).await {
                        // There are no rights to what is gone, and the read lagged behind.
                        Err(error) if error.class == Class::Denied => {}
                        answer => answer?,
                    }
                }
            }
            // The service goes with its last object.
            Err(error) if matches!(error.class, Class::NotFound | Class::NotAvailable) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

/// Calls, and calls again while somebody else is writing the same object. The SDK retries everything else itself.
pub(super) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let mut pause = Duration::from_millis(100);
    for _ in 0..6 {
        match call().await {
            Err(error) if error.class == Class::Busy => sleep(pause).await,
            other => return other,
        }
        pause *= 2;
    }
    call().await
}

/// Says what AWS did not take, and what else is known of the object: it may say why.
fn did_not_take(differences: &[Difference], notes: &[String]) -> AwsError {
    let fields: Vec<String> = differences
        .iter()
        .map(|Difference { path, old, .. }| {
            let old = old.as_ref().map_or("nothing".to_owned(), |old| {
                sensitive::masked(old).to_string()
            });
            format!(
                "{path} is still {}",
                old.chars().take(80).collect::<String>()
            )
        })
        .collect();
    let said = std::iter::once(fields.join(", ")).chain(notes.iter().cloned());
    let said: Vec<String> = said.collect();
    let message = format!(
        "AWS accepted the write, and it did not take: {}",
        said.join("; ")
    );
    AwsError::unexpected("reading back", &message)
}

/// Pauses that grow, and end.
struct Pause {
    next: Duration,
    longest: Duration,
    until: Instant,
}

impl Pause {
    fn new(world: &World) -> Self {
        let patience = world.patience;
        Self {
            next: patience.first,
            longest: patience.longest,
            until: Instant::now() + patience.limit,
        }
    }

    async fn take(&mut self) -> Result<(), AwsError> {
        if Instant::now() + self.next > self.until {
            return Err(AwsError::of(
                Class::Transient,
                "AWS is still at work on it; run again later to go on",
            ));
        }
        sleep(self.next).await;
        self.next = (self.next * 2).min(self.longest);
        Ok(())
    }
}

/// Returns the ids that references may name, turned round.
pub(super) fn turned(ids: &BTreeMap<String, String>) -> Names {
    ids.iter()
        .map(|(name, id)| (id.clone(), name.clone()))
        .collect()
}

/// Resolves every reference of a spec, or says which cannot be.
pub(super) fn resolved(spec: &Value, ids: &BTreeMap<String, String>) -> Result<Value, AwsError> {
    let resolved = reference::resolve(spec.clone(), ids);
    match reference::references(&resolved).first() {
        None => Ok(resolved),
        Some((at, name)) => Err(AwsError::unexpected(at, &format!("{name} is not there"))),
    }
}
