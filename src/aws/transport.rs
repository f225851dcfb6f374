//! Around the HTTP client of every SDK client: counts calls, keeps to AWS's rates, bounds how many are in flight, and
//! logs one line each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::error::throttles;
use super::limits::{Paces, Rate};
use crate::model::Location;

/// How many requests one service may have in flight in one account and region.
pub const IN_FLIGHT: usize = 8;

/// How many requests may be under way in one region, over all accounts and services: what is open at once is bounded,
/// and a region that does not answer keeps no other waiting.
const IN_REGION: usize = 64;

/// How large one answer may be, in bytes: more is not read. AWS's largest, of documents and of lists, are some megabytes.
const LARGEST: usize = 32 << 20;

/// How long AWS may take to answer a request. The SDK bounds only how long connecting takes, and one connection that a
/// firewall forgot would hold a run, its lease and its place among the requests for ever. AWS's other tools wait as
/// long: [D] boto3, `read_timeout` of `botocore.config.Config`.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a call that AWS throttles is sent again before the SDK learns of it, which gives up after three attempts
/// whatever their reason. Throttled calls have done nothing.
const MORE_TRIES: u32 = 4;
/// How long the first of these pauses lasts at most, besides what the pace asks for; each may last twice as long as the one
/// before.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts requests by service and operation; retries count, because AWS counts them too. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<(String, String), Count>>>);

/// What is counted of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The requests that were sent.
    pub sent: u64,
    /// Those of them that AWS throttled.
    pub throttled: u64,
}

impl Calls {
    /// Returns how many requests were sent.
    pub fn total(&self) -> u64 {
        self.counts().values().map(|count| count.sent).sum()
    }

    /// Returns how many requests were sent, by service and operation.
    pub fn by_operation(&self) -> BTreeMap<(String, String), u64> {
        let counts = self.counts().into_iter();
        counts.map(|(key, count)| (key, count.sent)).collect()
    }

    /// Returns what was counted, by service and operation.
    pub fn counts(&self) -> BTreeMap<(String, String), Count> {
        self.lock().clone()
    }

    /// Says whether anybody else still counts with it.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(crate) fn count(&self, service: &str, operation: &str) {
        self.at(service, operation, |count| count.sent += 1);
    }

    pub(crate) fn count_throttle(&self, service: &str, operation: &str) {
        self.at(service, operation, |count| count.throttled += 1);
    }

    fn at(&self, service: &str, operation: &str, change: impl FnOnce(&mut Count)) {
        let key = (service.to_owned(), operation.to_owned());
        change(self.lock().entry(key).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub(super) fn see(&self, date: Option<&str>) {
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

/// Says whether a lease is still held.
pub type Holds = Arc<dyn Fn() -> bool + Send + Sync>;

impl Gate {
    /// Lets writes pass only while `holds` says so.
    pub fn guard(&self, holds: Holds) {
        self.set(Some(holds));
    }

    /// Lets writes pass only while `holds` says so, or all of them.
    pub fn set(&self, holds: Option<Holds>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = holds;
    }

    fn passes(&self, operation: &str) -> bool {
        let holds = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // To assume a role changes nothing either, and what is read after it must not fail for want of credentials.
        let reads = ["Get", "List", "Describe", "BatchGet", "AssumeRole"]
            .iter()
            .any(|verb| operation.starts_with(verb));
        // The lease's own writes too: one that comes late would say that it is held, or free, when neither is true.
        reads || holds.is_none_or(|holds| holds())
    }
}

/// How fast each place may be called, and how many requests are under way: AWS counts all of them together, whichever
/// connection they come by. A copy is the same.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Lanes>>);

#[derive(Debug, Default)]
struct Lanes {
    places: BTreeMap<Location, Lane>,
    regions: BTreeMap<String, Arc<Semaphore>>,
}

/// The traffic of one account and region.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    paces: Paces,
    /// The requests that each service may have in flight.
    services: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
    /// Those of the whole region.
    region: Arc<Semaphore>,
}

impl Traffic {
    /// Returns the traffic of a place, which begins with these rates.
    pub(super) fn lane(&self, location: &Location, rates: &'static [Rate]) -> Lane {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Lanes { places, regions } = &mut *lanes;
        let lane = places.entry(location.clone()).or_insert_with(|| {
            let region = regions
                .entry(location.region.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(IN_REGION)));
            Lane {
                paces: Paces::new(rates),
                services: Arc::default(),
                region: Arc::clone(region),
            }
        });
        lane.clone()
    }
}

/// An HTTP client that counts, paces and bounds.
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
    lane: Lane,
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
    pub(super) fn new(
        inner: SharedHttpClient,
        location: Location,
        calls: Calls,
        clock: ServerClock,
        gate: Gate,
        lane: Lane,
    ) -> Self {
        Self {
            inner,
            meter: Meter {
                location,
                calls,
                clock,
                gate,
                lane,
            },
        }
    }
}

impl Lane {
    fn limit(&self, service: &str) -> Arc<Semaphore> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services
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
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (service, operation) = name_call(&request);
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            // A signature is good for five minutes.
            let signed = tokio::time::Instant::now();
            let mut tries = 0;
            loop {
                // First the pace, then the place: who waits for its pace keeps no other operation from going.
                let pace = meter.lane.paces.of(&service, &operation);
                let left = pace.wait().await;
                let limit = meter.lane.limit(&service);
                // A closed semaphore is not possible: nobody closes it. Going on without a permit is harmless.
                let permit = limit.acquire().await.ok();
                let within = meter.lane.region.acquire().await.ok();
                meter.calls.count(&service, &operation);
                if !meter.gate.passes(&operation) {
                    return Err(ConnectorError::user(
                        "the lease was lost; nothing more is written".into(),
                    ));
                }
                let location = &meter.location;
                tracing::debug!(%location, service, operation, "call");
                let again = request.try_clone();
                let (answer, code) = timeout(PATIENCE, answered(&inner, request))
                    .await
                    .map_err(|_| {
                        ConnectorError::timeout("AWS did not answer within a minute".into())
                    })??;
                meter.clock.see(answer.headers().get("date"));
                let throttled = code.is_some_and(|code| throttles(&code));
                if throttled {
                    meter.calls.count_throttle(&service, &operation);
                }
                pace.learn(left, throttled);
                drop((permit, within));
                let early = tries < MORE_TRIES && signed.elapsed() < PATIENCE;
                match again {
                    Some(same) if throttled && early => {
                        let most = PAUSE * 2_u32.pow(tries);
                        sleep(most.mul_f64(fastrand::f64())).await;
                        (request, tries) = (same, tries + 1);
                    }
                    _ => return Ok(answer),
                }
            }
        })
    }
}

/// Sends a request; returns its answer, with the code where that is an error.
async fn answered(
    inner: &SharedHttpConnector,
    request: HttpRequest,
) -> Result<(HttpResponse, Option<String>), ConnectorError> {
    let answer = inner.call(request).await?;
    let mut answer = answer.map(|body| SdkBody::from_body_1_x(Limited::new(body, LARGEST)));
    let code = match answer.status().as_u16() {
        400.. => error_code(&mut answer).await?,
        _ => None,
    };
    Ok((answer, code))
}

/// Reads the error code of an answer, which keeps its body.
///
/// Services that once spoke the query protocol name the code that their clients know in a header of its own.
async fn error_code(answer: &mut HttpResponse) -> Result<Option<String>, ConnectorError> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "__type")]
        code: String,
    }
    let body = answer.take_body().collect().await;
    let body = body.map_err(ConnectorError::io)?.to_bytes();
    *answer.body_mut() = SdkBody::from(body.clone());
    let header = |name: &str| answer.headers().get(name).map(str::to_owned);
    let code = header("x-amzn-query-error")
        .or_else(|| header("x-amzn-errortype"))
        .or_else(|| Some(serde_json::from_slice::<Body>(&body).ok()?.code));
    // `com.amazonaws.ssm#ThrottlingException`, `Throttling;Sender`, `ThrottlingException:http://…`
    let name = |code: String| {
        let end = code.split([';', ':']).next().unwrap_or_default();
        end.rsplit('#').next().unwrap_or_default().to_owned()
    };
    Ok(code.map(name))
}

/// Puts the operation's name on each request of a client: a path does not always tell.
#[derive(Debug)]
pub(super) struct Named;

/// The name of a request's operation.
#[derive(Clone)]
struct OperationName(String);

#[dyn_dispatch_hint]
impl Intercept for Named {
    fn name(&self) -> &'static str {
        "Named"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Metadata>() {
            let name = OperationName(call.name().to_owned());
            context.request_mut().add_extension(name);
        }
        Ok(())
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
    if let Some(OperationName(name)) = request.extension() {
        return (service, name.clone());
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::limits::RATES;

    /// Takes every request and answers none.
    #[derive(Debug)]
    struct Silent;

    impl HttpConnector for Silent {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_an_answer_ends() {
        let location = Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let lane = Traffic::default().lane(&location, &[]);
        let meter = Meter {
            location,
            calls: Calls::default(),
            clock: ServerClock::default(),
            gate: Gate::default(),
            lane,
        };
        let connector = MeteredConnector {
            inner: SharedHttpConnector::new(Silent),
            meter: meter.clone(),
        };
        let began = tokio::time::Instant::now();
        let error = connector.call(HttpRequest::empty()).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(began.elapsed(), PATIENCE);
        // Its place is free for others.
        assert_eq!(meter.lane.region.available_permits(), IN_REGION);
    }

    #[test]
    fn connections_share_what_aws_counts_together() {
        let traffic = Traffic::default();
        let at = |account: &str, region: &str| {
            let (account, region) = (account.to_owned(), region.to_owned());
            traffic.lane(&Location { account, region }, RATES)
        };
        let here = at("111122223333", "eu-west-1");
        let pace = |lane: &Lane| lane.paces.of("monitoring", "PutMetricAlarm");
        let again = at("111122223333", "eu-west-1");
        assert!(Arc::ptr_eq(&pace(&here), &pace(&again)));
        assert!(Arc::ptr_eq(&here.limit("ssm"), &again.limit("ssm")));
        let beside = at("444455556666", "eu-west-1");
        assert!(!Arc::ptr_eq(&pace(&here), &pace(&beside)));
        assert!(Arc::ptr_eq(&here.region, &beside.region));
        let elsewhere = at("111122223333", "us-east-1");
        assert!(!Arc::ptr_eq(&pace(&here), &pace(&elsewhere)));
        assert!(!Arc::ptr_eq(&here.region, &elsewhere.region));
    }
}
