//! The lease: one apply of a stack at a time.
//!
//! A parameter in SSM Parameter Store holds who is at work and is renewed while they live. The store has one atomic
//! write (create if absent) and no compare-and-swap. But every overwrite answers with its version, no two writers get
//! the same one, and so each write says which version it means to replace: one that came to stand anywhere else has
//! raced, or was late, and counts for nothing to anybody who reads it. The lease is whose write counted last.
//!
//! Nothing here trusts this machine's wall clock: how old a lease is follows from AWS's own times, and how long ours
//! still lasts from a clock that only runs forward, also while the machine sleeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ssm::types::ParameterType;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::converge::patiently;
use crate::aws::transport::ServerClock;
use crate::aws::{Aws, AwsError, Class};

/// How long a lease lasts without being renewed.
pub const LASTS: Duration = Duration::from_secs(12);
/// How often AWS may leave the first write of a lease without an answer.
const SILENT: u32 = 4;
/// How often it is renewed; well within the three writes a second that AWS allows an account.
const RENEWED: Duration = Duration::from_secs(2);
/// How long before it runs out nothing is sent any more, so that what is on its way arrives while it lasts.
const MARGIN: Duration = Duration::from_secs(1);

/// How many may race for a lease and still be told apart.
const MOST_RIVALS: i64 = 20;

/// A clock that only runs forward: the time since some moment in the past.
pub type Stopwatch = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Returns the stopwatch of this machine. It goes on while the machine sleeps, as [`std::time::Instant`] does not: a
/// laptop that is opened an hour later must not take its lease for a fresh one.
pub fn stopwatch() -> Stopwatch {
    #[cfg(unix)]
    {
        use rustix::time::{ClockId, clock_gettime};
        // What Linux calls boot time is what the monotonic clock of the BSDs and macOS shows.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = ClockId::Monotonic;
        Arc::new(move || Duration::try_from(clock_gettime(clock)).unwrap_or_default())
    }
    #[cfg(not(unix))]
    {
        let began = std::time::Instant::now();
        Arc::new(move || began.elapsed())
    }
}

/// What the parameter holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    /// Whose credentials, and which process.
    holder: String,
    /// Tells two runs of one holder apart.
    nonce: String,
    /// Since when, RFC 3339, by AWS's clock; for people.
    since: String,
    /// The version that this write replaces, if it counts.
    #[serde(default)]
    replaces: i64,
    /// Whether the holder gave it back.
    #[serde(default)]
    free: bool,
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else is at work.
    #[error(
        "{holder} is at work on this stack since {since}; the lease runs until {until} unless it is renewed"
    )]
    Taken {
        /// Whose credentials, and which process.
        holder: String,
        /// Since when.
        since: String,
        /// Until when, if it is not renewed.
        until: String,
        /// The parameter that holds the lease.
        parameter: String,
    },
    /// The run was interrupted before it had the lease.
    #[error("the run was interrupted")]
    Interrupted,
    /// The parameter could not be read or written.
    #[error("cannot take the lease `{parameter}`")]
    Aws {
        /// The parameter that holds the lease.
        parameter: String,
        /// Why.
        #[source]
        source: AwsError,
    },
}

/// A lease that is held.
pub struct Lease {
    store: Store,
    held: Held,
    stopwatch: Stopwatch,
    term: Arc<Mutex<Term>>,
}

/// How long a lease lasts, and which version of the parameter says so.
#[derive(Clone, Copy, Debug)]
struct Term {
    version: i64,
    until: Duration,
}

/// Returns the parameter that holds the lease of a stack.
pub fn parameter(stack: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            c
        } else {
            '-'
        }
    };
    format!(
        "/stationbill/{}/lease",
        stack.chars().map(safe).collect::<String>()
    )
}

impl Lease {
    /// Takes the lease of a stack, or says who has it.
    ///
    /// A lease that is not renewed while we look belongs to somebody who died: we wait until it runs out, tell
    /// `waiting` so, and take it over.
    ///
    /// # Errors
    /// When somebody else is at work, or the store does not answer.
    pub async fn take(
        aws: &Aws,
        stack: &str,
        holder: &str,
        clock: &ServerClock,
        stopwatch: &Stopwatch,
        waiting: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, LeaseError> {
        let store = Store {
            aws: aws.clone(),
            parameter: parameter(stack),
        };
        let fail = |source| LeaseError::Aws {
            parameter: store.parameter.clone(),
            source,
        };
        let mut held = Held {
            holder: holder.to_owned(),
            nonce: uuid::Uuid::new_v4().to_string(),
            since: String::new(),
            replaces: 0,
            free: false,
        };
        // The version that we look at, and since when.
        let mut watched: Option<(i64, Duration)> = None;
        let mut told = false;
        let mut silent = 0;
        let mut until = Duration::ZERO;
        loop {
            let seen = store.read(clock).await.map_err(fail)?;
            let top = seen.as_ref().map_or(0, |seen| seen.top);
            let mut age = LASTS;
            if let Some(seen) = &seen
                && let Some(other) = seen.held.as_ref().filter(|held| !held.free)
            {
                // The answer to our write was lost. Where it was waited for too long, it is written once more.
                let ours = other.nonce == held.nonce;
                if ours && stopwatch() + MARGIN < until {
                    let version = top;
                    return Ok(Self::new(store, held, stopwatch, Term { version, until }));
                }
                // Whoever renews is alive, and we get out of the way.
                if !ours && watched.is_some_and(|(before, _)| before != seen.version) {
                    return Err(taken(&store, other, seen.age, clock));
                }
                let now = stopwatch();
                let (_, since) = *watched.get_or_insert((seen.version, now));
                let looked = now.saturating_sub(since);
                // What nobody renewed for so long before our eyes has run out, whatever AWS's times say.
                age = if ours { LASTS } else { seen.age.max(looked) };
                if age < LASTS && !told && looked > RENEWED + Duration::from_secs(1) {
                    told = true;
                    let left = LASTS.saturating_sub(age).as_secs() + 1;
                    waiting(&format!(
                        "{} does not renew its lease of this stack and seems to have died; it runs out in {left} s",
                        other.holder
                    ));
                }
            }
            if age < LASTS {
                sleep(Duration::from_millis(500)).await;
                continue;
            }
            until = stopwatch() + LASTS;
            held.since = moment(clock, Duration::ZERO);
            held.replaces = top;
            match timeout(LASTS, store.write(&held, seen.is_some())).await {
                Ok(Ok(written)) if written == top + 1 => {
                    let term = Term {
                        version: written,
                        until,
                    };
                    return Ok(Self::new(store, held, stopwatch, term));
                }
                // Somebody wrote between our read and our write, or the SDK wrote twice: the next look tells.
                Ok(Ok(written)) => {
                    let ours = store.whose(top, written, &held.nonce, false);
                    if ours.await.map_err(fail)? {
                        let term = Term {
                            version: written,
                            until,
                        };
                        return Ok(Self::new(store, held, stopwatch, term));
                    }
                }
                Ok(Err(error)) if error.class == Class::Exists => {}
                Ok(Err(error)) => return Err(fail(error)),
                // It may have arrived all the same: the next look tells.
                Err(_) if silent < SILENT => {
                    silent += 1;
                    waiting("AWS does not answer the write of the lease; it is tried again");
                }
                Err(_) => {
                    let message = "AWS did not answer its write";
                    return Err(fail(AwsError::of(Class::Transient, message)));
                }
            }
            watched = None;
            sleep(Duration::from_millis(
                300 + u64::from(std::process::id() % 400),
            ))
            .await;
        }
    }

    fn new(store: Store, held: Held, stopwatch: &Stopwatch, term: Term) -> Self {
        Self {
            store,
            held,
            stopwatch: stopwatch.clone(),
            term: Arc::new(Mutex::new(term)),
        }
    }

    /// Returns a look at the lease: whether it still lasts.
    pub fn holds(&self) -> Arc<dyn Fn() -> bool + Send + Sync> {
        let (term, stopwatch) = (self.term.clone(), self.stopwatch.clone());
        Arc::new(move || stopwatch() + MARGIN < lock(&term).until)
    }

    /// Renews the lease until it is dropped; cancels `lost` when somebody else may have taken it over: when it could
    /// not be renewed before it ran out, or when a person has broken it.
    pub async fn keep(&self, lost: &CancellationToken) {
        let holds = self.holds();
        loop {
            sleep(RENEWED).await;
            if !holds() {
                break;
            }
            match timeout(LASTS, self.write(&self.held)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => break,
                Ok(Err(error)) => tracing::warn!(%error, "cannot renew the lease"),
                Err(_) => tracing::warn!("cannot renew the lease in time"),
            }
        }
        lock(&self.term).until = Duration::ZERO;
        lost.cancel();
    }

    /// Gives the lease back, so that the next run need not wait.
    pub async fn give_back(self) {
        if !(self.holds())() {
            return;
        }
        let free = Held {
            free: true,
            ..self.held.clone()
        };
        match timeout(LASTS, self.write(&free)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot give the lease back; it runs out by itself");
            }
            Err(_) => tracing::warn!("cannot give the lease back in time; it runs out by itself"),
        }
    }

    /// Writes until the write counts; says whether the lease is still ours.
    async fn write(&self, held: &Held) -> Result<bool, AwsError> {
        // Only rivals that raced us for it write at all, and each of them once.
        for _ in 0..3 {
            let before = lock(&self.term).version;
            let until = (self.stopwatch)() + LASTS;
            let held = Held {
                replaces: before,
                ..held.clone()
            };
            let version = self.store.write(&held, true).await?;
            let counts = version == before + 1;
            if !counts && !self.store.whose(before, version, &held.nonce, true).await? {
                return Ok(false);
            }
            *lock(&self.term) = Term { version, until };
            if counts {
                break;
            }
        }
        Ok(true)
    }
}

fn lock(term: &Mutex<Term>) -> MutexGuard<'_, Term> {
    term.lock().unwrap_or_else(PoisonError::into_inner)
}

fn taken(store: &Store, other: &Held, age: Duration, clock: &ServerClock) -> LeaseError {
    LeaseError::Taken {
        holder: other.holder.clone(),
        since: other.since.clone(),
        until: moment(clock, LASTS.saturating_sub(age)),
        parameter: store.parameter.clone(),
    }
}

/// Writes a moment by AWS's clock, so far from now.
fn moment(clock: &ServerClock, ahead: Duration) -> String {
    let now = clock.now().unwrap_or_default() + ahead;
    let moment = jiff::SignedDuration::try_from(now)
        .ok()
        .and_then(|since| jiff::Timestamp::from_duration(since).ok());
    let moment = moment.map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    moment.unwrap_or_default()
}

/// The parameter in AWS.
struct Store {
    aws: Aws,
    parameter: String,
}

/// A version of the parameter as it was read.
struct Seen {
    /// Nothing when a person wrote it.
    held: Option<Held>,
    version: i64,
    age: Duration,
    /// The version that the parameter is at.
    top: i64,
}

impl Seen {
    /// Says whether the write replaced what it meant to replace.
    fn counts(&self) -> bool {
        let replaces = self.held.as_ref().map(|held| held.replaces);
        replaces == Some(self.version - 1)
    }
}

impl Store {
    /// Reads what counts: the last write that replaced what it meant to, or that a person made.
    async fn read(&self, clock: &ServerClock) -> Result<Option<Seen>, AwsError> {
        let mut seen = match self.get(&self.parameter, clock).await {
            Err(error) if error.class == Class::NotFound => return Ok(None),
            answer => answer?,
        };
        let top = seen.version;
        while seen.held.is_some() && !seen.counts() && top - seen.version < MOST_RIVALS {
            if seen.version == 1 {
                // Late, after a person had deleted the parameter.
                seen.held = None;
                break;
            }
            let before = format!("{}:{}", self.parameter, seen.version - 1);
            seen = self.get(&before, clock).await?;
        }
        Ok(Some(Seen { top, ..seen }))
    }

    async fn get(&self, name: &str, clock: &ServerClock) -> Result<Seen, AwsError> {
        const CALL: &str = "GetParameter";
        let aws = &self.aws;
        let answer = aws.ssm.get_parameter().name(name).send().await?;
        let answer = aws.required(CALL, "Parameter", answer.parameter)?;
        let value = aws.required(CALL, "Value", answer.value)?;
        let modified = aws.required(CALL, "LastModifiedDate", answer.last_modified_date)?;
        let modified = modified.as_secs_f64();
        let now = clock.now().map_or(modified, |now| now.as_secs_f64());
        Ok(Seen {
            held: serde_json::from_str(&value).ok(),
            version: answer.version,
            top: answer.version,
            age: Duration::try_from_secs_f64(now - modified).unwrap_or_default(),
        })
    }

    /// Says whether the lease is ours after a write of ours came to stand at version `to` instead of just after
    /// `from`: whose write between them counted last.
    async fn whose(
        &self,
        from: i64,
        to: i64,
        nonce: &str,
        mut ours: bool,
    ) -> Result<bool, AwsError> {
        // Versions begin again when a person has deleted the parameter. So many in between are no race: somebody was at
        // work while this process stood still.
        if to <= from || to - from > MOST_RIVALS {
            return Ok(false);
        }
        for version in from + 1..to {
            let name = format!("{}:{version}", self.parameter);
            let seen = self.get(&name, &ServerClock::default()).await?;
            match &seen.held {
                Some(held) if seen.counts() => ours = held.nonce == nonce,
                Some(_) => {}
                // A person broke the lease.
                None => ours = false,
            }
        }
        Ok(ours)
    }

    async fn write(&self, held: &Held, overwrite: bool) -> Result<i64, AwsError> {
        let value = serde_json::to_string(held)
            .map_err(|e| AwsError::unexpected("the lease", &e.to_string()))?;
        let answer = patiently(|| async {
            let put = self
                .aws
                .ssm
                .put_parameter()
                .name(&self.parameter)
                .value(&value)
                .r#type(ParameterType::String);
            Ok(put.overwrite(overwrite).send().await?)
        });
        Ok(answer.await?.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stack_has_a_parameter_of_its_own() {
        assert_eq!(parameter("banana-stand"), "/stationbill/banana-stand/lease");
        assert_eq!(parameter("shop eu/1"), "/stationbill/shop-eu-1/lease");
    }
}
