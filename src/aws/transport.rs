//! Around the HTTP client of every SDK client: counts calls, bounds how many are in flight, and logs one line each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Semaphore;

use crate::model::Location;

/// How many requests one service may have in flight in one account and region.
pub const IN_FLIGHT: usize = 8;

/// Counts requests by service and operation; retries count, because AWS counts them too.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<(String, String), u64>>>);

impl Calls {
    /// Returns how many requests were sent.
    pub fn total(&self) -> u64 {
        self.by_operation().values().sum()
    }

    /// Returns the counts by service and operation.
    pub fn by_operation(&self) -> BTreeMap<(String, String), u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn count(&self, service: &str, operation: &str) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls
            .entry((service.to_owned(), operation.to_owned()))
            .or_default() += 1;
    }
}

/// AWS's clock, as its answers tell it: this machine's own may be wrong.
#[derive(Clone, Debug, Default)]
pub struct ServerClock(Arc<Mutex<Option<(Duration, Instant)>>>);

impl ServerClock {
    /// Returns AWS's time since 1970, to the second; `None` before the first answer.
    pub fn now(&self) -> Option<Duration> {
        let seen = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map(|(then, at)| then + at.elapsed())
    }

    fn see(&self, date: Option<&str>) {
        let parsed = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        if let Some(seconds) =
            parsed.and_then(|moment| u64::try_from(moment.timestamp().as_second()).ok())
        {
            let seen = (Duration::from_secs(seconds), Instant::now());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        }
    }
}

/// Whether writes may still leave: none does once a lease is lost.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Option<Holds>>>);

/// Says whether the lease is still held.
type Holds = Arc<dyn Fn() -> bool + Send + Sync>;

impl Gate {
    /// Lets writes pass only while `holds` says so.
    pub fn guard(&self, holds: Holds) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(holds);
    }

    fn passes(&self, operation: &str) -> bool {
        let holds = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let reads = ["Get", "List", "Describe", "get", "list", "GET"]
            .iter()
            .any(|verb| operation.starts_with(verb));
        // The lease itself is renewed and released by PutParameter.
        reads || operation == "PutParameter" || holds.is_none_or(|holds| holds())
    }
}

/// An HTTP client that counts and bounds.
#[derive(Clone)]
pub struct Metered {
    inner: SharedHttpClient,
    meter: Meter,
}

#[derive(Clone)]
struct Meter {
    location: Location,
    calls: Calls,
    clock: ServerClock,
    gate: Gate,
    limits: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

impl fmt::Debug for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered")
            .field("location", &self.meter.location)
            .finish_non_exhaustive()
    }
}

impl Metered {
    /// Wraps a client for one account and region.
    pub fn new(
        inner: SharedHttpClient,
        location: Location,
        calls: Calls,
        clock: ServerClock,
        gate: Gate,
    ) -> Self {
        Self {
            inner,
            meter: Meter {
                location,
                calls,
                clock,
                gate,
                limits: Arc::default(),
            },
        }
    }
}

impl Meter {
    fn limit(&self, service: &str) -> Arc<Semaphore> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits
            .entry(service.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(IN_FLIGHT)))
            .clone()
    }
}

impl HttpClient for Metered {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(MeteredConnector {
            inner,
            meter: self.meter.clone(),
        })
    }
}

struct MeteredConnector {
    inner: SharedHttpConnector,
    meter: Meter,
}

impl fmt::Debug for MeteredConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeteredConnector")
    }
}

impl HttpConnector for MeteredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (service, operation) = name_call(&request);
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            let limit = meter.limit(&service);
            // A closed semaphore is not possible: nobody closes it. Going on without a permit is harmless.
            let _permit = limit.acquire().await.ok();
            meter.calls.count(&service, &operation);
            if !meter.gate.passes(&operation) {
                return Err(ConnectorError::user(
                    "the lease was lost; nothing more is written".into(),
                ));
            }
            let location = &meter.location;
            tracing::debug!(%location, service, operation, "call");
            let answer = inner.call(request).await;
            if let Ok(answer) = &answer {
                meter.clock.see(answer.headers().get("date"));
            }
            answer
        })
    }
}

/// Finds out the signing service and the operation of a signed request.
fn name_call(request: &HttpRequest) -> (String, String) {
    let scope = request
        .headers()
        .get("authorization")
        .and_then(|a| a.split("Credential=").nth(1));
    let service = scope
        .and_then(|scope| scope.split('/').nth(3))
        .unwrap_or("unknown")
        .to_owned();
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.rsplit('.').next());
    let uri = request.uri();
    let path = uri.split("://").last().unwrap_or_default();
    let path = path
        .find('/')
        .map_or("", |at| &path[at..])
        .split('?')
        .next()
        .unwrap_or_default();
    let operation = match target {
        Some(target) => target.to_owned(),
        None if path.starts_with("/tags/") => format!("{} /tags", request.method()),
        None => match path.rsplit('/').next().filter(|last| !last.is_empty()) {
            Some(last) => last.to_owned(),
            None => query_action(request).unwrap_or_else(|| "unknown".to_owned()),
        },
    };
    (service, operation)
}

fn query_action(request: &HttpRequest) -> Option<String> {
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    body.split('&')
        .find_map(|pair| pair.strip_prefix("Action="))
        .map(str::to_owned)
}
