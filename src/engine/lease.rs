//! The lease: one apply of a stack at a time.
//!
//! A parameter in SSM Parameter Store holds who is at work and is renewed while they live. The store has one atomic
//! write (create if absent) and no compare-and-swap, but every overwrite answers with its version, and no two writers
//! get the same one: whoever read version `n` and is answered `n + 1` has the lease, anybody else has raced and lets
//! go. Nothing here trusts this machine's wall clock: how old a lease is follows from AWS's own times, and how long
//! ours still lasts from the monotonic clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_ssm::types::ParameterType;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::converge::patiently;
use crate::aws::transport::ServerClock;
use crate::aws::{Aws, AwsError, Class};

/// How long a lease lasts without being renewed.
const LASTS: Duration = Duration::from_secs(12);
/// How often it is renewed; well within the three writes a second that AWS allows an account.
const RENEWED: Duration = Duration::from_secs(2);

/// What the parameter holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    /// Whose credentials, and which process; empty once the lease was given back.
    holder: String,
    /// Tells two runs of one holder apart.
    nonce: String,
    /// Since when, RFC 3339, for people.
    since: String,
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
    aws: Aws,
    parameter: String,
    held: Held,
    /// Until when it lasts, on the monotonic clock.
    until: Arc<Mutex<Instant>>,
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
        waiting: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, LeaseError> {
        let parameter = parameter(stack);
        let fail = |source| LeaseError::Aws {
            parameter: parameter.clone(),
            source,
        };
        let held = Held {
            holder: holder.to_owned(),
            nonce: uuid::Uuid::new_v4().to_string(),
            since: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
        };
        let mut told = false;
        let mut first: Option<Seen> = None;
        let began = Instant::now();
        loop {
            let Some(seen) = Seen::read(aws, &parameter, clock).await.map_err(fail)? else {
                let until = Instant::now() + LASTS;
                match write(aws, &parameter, &held, false).await {
                    Ok(_) => return Ok(Self::new(aws, parameter, held, until)),
                    Err(error) if error.class == Class::Exists => continue,
                    Err(error) => return Err(fail(error)),
                }
            };
            let renewed = first
                .as_ref()
                .is_some_and(|first| first.version != seen.version);
            if seen
                .held
                .as_ref()
                .is_some_and(|held| !held.holder.is_empty())
                && seen.age < LASTS
            {
                // Whoever renews is alive, and we get out of the way.
                if renewed {
                    return Err(seen.taken(&parameter));
                }
                if !told && first.is_some() && began.elapsed() > RENEWED + Duration::from_secs(1) {
                    told = true;
                    let left = LASTS.saturating_sub(seen.age).as_secs() + 1;
                    waiting(&format!(
                        "the last run did not give back the lease and seems to have died; it runs out in {left} s"
                    ));
                }
                first.get_or_insert(seen);
                sleep(Duration::from_millis(500)).await;
                continue;
            }
            let until = Instant::now() + LASTS;
            let version = write(aws, &parameter, &held, true).await.map_err(fail)?;
            if version == seen.version + 1 {
                return Ok(Self::new(aws, parameter, held, until));
            }
            // Somebody wrote between our read and our write; theirs was the version after the one we read.
            first = None;
            sleep(Duration::from_millis(
                300 + u64::from(std::process::id() % 400),
            ))
            .await;
        }
    }

    fn new(aws: &Aws, parameter: String, held: Held, until: Instant) -> Self {
        Self {
            aws: aws.clone(),
            parameter,
            held,
            until: Arc::new(Mutex::new(until)),
        }
    }

    /// Returns a look at the lease: whether it still lasts.
    pub fn holds(&self) -> Arc<dyn Fn() -> bool + Send + Sync> {
        let lasts = self.until.clone();
        // A second early, so that a request on its way arrives while the lease still lasts.
        Arc::new(move || Instant::now() + Duration::from_secs(1) < *lock(&lasts))
    }

    /// Renews the lease until it is dropped; cancels `lost` when that fails until it has run out, for then somebody
    /// else may have taken it over.
    pub async fn keep(&self, lost: &CancellationToken) {
        loop {
            sleep(RENEWED).await;
            let until = Instant::now() + LASTS;
            if Instant::now() >= *lock(&self.until) {
                lost.cancel();
                return;
            }
            match write(&self.aws, &self.parameter, &self.held, true).await {
                // Whatever version this is: a raced rival may have written once and let go, and our write puts that right.
                Ok(_) => *lock(&self.until) = until,
                Err(error) => tracing::warn!(%error, "cannot renew the lease"),
            }
        }
    }

    /// Gives the lease back, so that the next run need not wait.
    pub async fn give_back(self) {
        if !(self.holds())() {
            return;
        }
        let free = Held {
            holder: String::new(),
            ..self.held
        };
        if let Err(error) = write(&self.aws, &self.parameter, &free, true).await {
            tracing::warn!(%error, "cannot give the lease back; it runs out by itself");
        }
    }
}

fn lock(until: &Mutex<Instant>) -> std::sync::MutexGuard<'_, Instant> {
    until.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The parameter as it was read.
struct Seen {
    held: Option<Held>,
    version: i64,
    age: Duration,
}

impl Seen {
    async fn read(
        aws: &Aws,
        parameter: &str,
        clock: &ServerClock,
    ) -> Result<Option<Self>, AwsError> {
        let answer = match aws
            .ssm
            .get_parameter()
            .name(parameter)
            .send()
            .await
            .map_err(AwsError::from)
        {
            Err(error) if error.class == Class::NotFound => return Ok(None),
            other => other?,
        };
        let answer = aws.required("GetParameter", "Parameter", answer.parameter)?;
        let modified = answer
            .last_modified_date
            .map(|date| date.as_secs_f64())
            .unwrap_or_default();
        let now = clock.now().map_or(modified, |now| now.as_secs_f64());
        Ok(Some(Self {
            // A value that a person wrote holds nothing.
            held: answer
                .value
                .and_then(|value| serde_json::from_str(&value).ok()),
            version: answer.version,
            age: Duration::try_from_secs_f64(now - modified).unwrap_or_default(),
        }))
    }

    fn taken(&self, parameter: &str) -> LeaseError {
        let held = self.held.as_ref();
        let left = LASTS.saturating_sub(self.age);
        let until =
            jiff::Timestamp::now() + jiff::SignedDuration::try_from(left).unwrap_or_default();
        LeaseError::Taken {
            holder: held.map(|held| held.holder.clone()).unwrap_or_default(),
            since: held.map(|held| held.since.clone()).unwrap_or_default(),
            until: until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            parameter: parameter.to_owned(),
        }
    }
}

async fn write(aws: &Aws, parameter: &str, held: &Held, overwrite: bool) -> Result<i64, AwsError> {
    let value = serde_json::to_string(held)
        .map_err(|e| AwsError::unexpected("the lease", &e.to_string()))?;
    let answer = patiently(|| async {
        let put = aws
            .ssm
            .put_parameter()
            .name(parameter)
            .value(&value)
            .r#type(ParameterType::String);
        Ok(put.overwrite(overwrite).send().await?)
    });
    Ok(answer.await?.version)
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
