//! The sandbox itself: takes a request, gives AWS's answer.

mod lists;
mod refusal;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use refusal::{denied, internal, throttled, unknown_credentials, unmentioned, untimely};
use world::World;

use super::faults::{Faults, Then, Verdict};
use super::iam::{self, Policy};
use super::quotas::Quotas;
use super::record::{Exchanges, Line, Record};
use super::store::Store;
use super::wire::{self, Route, credentials, credentials::Signature};
use super::{Access, Answer, Clock, Error, Fault, Map, Operation, Settings, State};

/// How a sandbox is opened.
#[derive(Debug, Default)]
pub struct Options {
    /// The directory that keeps the state; without one it lives in memory.
    pub state: Option<PathBuf>,
    /// How long every call takes.
    pub latency: Duration,
    /// Whether documented quotas and request rates are enforced.
    pub quotas: Enforce,
    /// What generated ids and rates of faults come from.
    pub seed: u64,
    /// What goes wrong on request.
    pub faults: Option<Faults>,
    /// What callers may do; without one, everything.
    pub policy: Option<Policy>,
    /// How the simulation behaves; its `quotas` follows the field above.
    pub settings: Settings,
    /// A file that gets a line for every call.
    pub record: Option<PathBuf>,
    /// A folder that gets requests with their answers, whole: for those who judge the simulation from outside.
    pub exchanges: Option<PathBuf>,
}

/// Whether documented quotas and request rates are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforce {
    /// As AWS documents them.
    #[default]
    Documented,
    /// Not at all.
    Off,
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The call takes longer than anyone waits.
    TimedOut,
    /// The connection is gone.
    Disconnected,
}

/// A simulated AWS.
pub struct Sandbox {
    world: Mutex<World>,
    operations: BTreeMap<(&'static str, &'static str), &'static Operation>,
    clock: Clock,
    latency: Duration,
    quotas: Option<Quotas>,
    record: Option<Record>,
    exchanges: Option<Exchanges>,
}

/// Everything known about a call once its request has been read.
struct Caller<'a> {
    route: &'a Route,
    signature: &'a Signature,
    request_id: &'a str,
}

impl fmt::Debug for Sandbox {
    /// Leaves the state out: it holds what people put into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Opens a sandbox.
    ///
    /// Fails when its directory cannot be used, is held by another process, or holds a damaged state; it never begins
    /// with an empty AWS in place of one that it cannot read.
    pub fn open(options: Options) -> Result<Arc<Self>, Error> {
        Self::open_with(options, super::operations())
    }

    pub(crate) fn open_with(
        options: Options,
        operations: impl IntoIterator<Item = &'static Operation>,
    ) -> Result<Arc<Self>, Error> {
        let (store, mut state) = match &options.state {
            Some(directory) => {
                let (store, state) = Store::open(directory)?;
                (Some(store), state)
            }
            None => (None, State::default()),
        };
        state.settings = Settings {
            quotas: options.quotas == Enforce::Documented,
            ..options.settings
        };
        // A state that is opened again goes on with new ids, though the seed is the same.
        state.openings += 1;
        let seed = options.seed ^ state.openings.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let world = World {
            state,
            store,
            unsaved: false,
            ids: SmallRng::seed_from_u64(seed),
            faults: options.faults.unwrap_or_default(),
            policy: options.policy,
            asked: BTreeSet::new(),
            luck: SmallRng::seed_from_u64(seed.wrapping_add(1)),
            requests: SmallRng::seed_from_u64(seed.wrapping_add(2)),
            lags: Vec::new(),
        };
        Ok(Arc::new(Self {
            world: Mutex::new(world),
            operations: operations
                .into_iter()
                .map(|o| ((o.service, o.name), o))
                .collect(),
            clock: Clock::default(),
            latency: options.latency,
            quotas: (options.quotas == Enforce::Documented).then(Quotas::default),
            record: options.record.as_deref().map(Record::open).transpose()?,
            exchanges: options
                .exchanges
                .as_deref()
                .map(Exchanges::open)
                .transpose()?,
        }))
    }

    /// Returns the clock that the simulation lives by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Says whether the documented request rates are enforced.
    pub fn has_rates(&self) -> bool {
        self.quotas.is_some()
    }

    /// Gives access to the state, to prepare a scene or to look behind it. Nothing is saved by this alone.
    pub fn with_state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.world().state)
    }

    /// Sets what goes wrong from now on; rules count their calls from here.
    pub fn set_faults(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// Sets what callers may do from now on.
    pub fn set_policy(&self, policy: Option<Policy>) {
        let world = &mut *self.world();
        world.policy = policy;
        world.asked = BTreeSet::new();
    }

    /// Returns the actions that calls have needed since there is a policy, whether it allows them or not.
    pub fn asked(&self) -> BTreeSet<String> {
        self.world().asked.clone()
    }

    /// Answers a request. A call that a fault leaves without an answer is a gateway's time-out here; use
    /// [`Sandbox::exchange`] to lose it properly.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.exchange(request).await.unwrap_or_else(|_| {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = http::StatusCode::GATEWAY_TIMEOUT;
            response
        })
    }

    /// Answers a request, or loses it where a fault says so.
    pub async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Lost> {
        let (parts, body) = request.into_parts();
        let mut answer = self.answer(&parts, &body).await?;
        let date = wire::http_date(self.clock.now());
        if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
            answer.headers_mut().insert(header::DATE, date);
        }
        if let Some(exchanges) = &self.exchanges {
            exchanges.keep(&parts, &body, &answer);
        }
        Ok(answer)
    }

    async fn answer(&self, parts: &Parts, body: &Bytes) -> Result<Response<Bytes>, Lost> {
        let request_id = uuid::Builder::from_random_bytes(self.world().requests.random())
            .into_uuid()
            .to_string();
        let signature = Signature::read(parts);
        let signed_for = signature.as_ref().ok().map(|s| s.service.as_str());
        let route = wire::route(parts, body, signed_for);
        let (protocol, service, name) = match &route {
            Ok(route) => (route.protocol, Some(route.service), route.name),
            Err(unrouted) => (
                unrouted.protocol,
                unrouted.service,
                unrouted.operation.as_str(),
            ),
        };
        let refuse = |fault: &Fault| {
            let operation = route.as_ref().ok().map(|r| r.operation);
            let response = wire::refuse(protocol, service, operation, fault, None, &request_id);
            let signature = signature.as_ref().ok();
            self.note(&Line {
                service: service.map_or("", |s| s.name),
                operation: name,
                account: signature.map_or("", Signature::account),
                region: signature.map_or("", |s| &s.region),
                protocol: protocol.name(),
                status: Some(response.status().as_u16()),
                code: Some(&fault.code),
                access: None,
            });
            Ok(response)
        };
        let signature = match &signature {
            Ok(signature) => signature,
            Err(unsigned) => return refuse(&unsigned.fault(protocol.suffix())),
        };
        if let Err(why) = credentials::untimely(parts, self.clock.now()) {
            return refuse(&untimely(protocol.suffix(), why));
        }
        let route = match &route {
            Ok(route) => route,
            Err(unrouted) => return refuse(&unrouted.fault()),
        };
        let caller = Caller {
            route,
            signature,
            request_id: &request_id,
        };
        self.call(&caller, parts, body).await
    }

    async fn call(
        &self,
        caller: &Caller<'_>,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Response<Bytes>, Lost> {
        let Caller {
            route, signature, ..
        } = caller;
        let Verdict {
            delay,
            stale_reads,
            fault,
        } = {
            let world = &mut *self.world();
            let (service, name) = (route.service.name, route.name);
            let access = self.operations.get(&(service, name)).map(|o| o.access);
            world.faults.judge(
                service,
                name,
                access,
                signature.account(),
                &signature.region,
                &mut world.luck,
            )
        };
        let pause = self.latency + delay;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let lost = |lost| {
            self.line(caller, None, None);
            Err(lost)
        };
        let refuse = |fault: &Fault, forced| {
            let Caller {
                route, request_id, ..
            } = caller;
            let operation = Some(route.operation);
            let response = wire::refuse(
                route.protocol,
                Some(route.service),
                operation,
                fault,
                forced,
                request_id,
            );
            self.line(caller, Some(response.status().as_u16()), Some(&fault.code));
            Ok(response)
        };
        match &fault {
            Some(Then::TimeoutBefore) => return lost(Lost::TimedOut),
            Some(Then::DisconnectBefore) => return lost(Lost::Disconnected),
            Some(Then::Throttle) => return refuse(&throttled(route), None),
            Some(Then::Deny) => {
                let arn = signature.caller(&self.world().state);
                return refuse(&denied(route, unmentioned(route, &arn)), None);
            }
            Some(Then::Error {
                code,
                status,
                message,
            }) => return refuse(&Fault::new(code, message), *status),
            Some(
                Then::TimeoutAfter
                | Then::DisconnectAfter
                | Then::Delay(_)
                | Then::StaleReads(_)
                | Then::ShortPages
                | Then::MissingItem
                | Then::RepeatedItem
                | Then::ExpiredPage,
            )
            | None => {}
        }
        let answer = self.perform(caller, parts, body, stale_reads, fault.as_ref());
        match &fault {
            Some(Then::TimeoutAfter) => return lost(Lost::TimedOut),
            Some(Then::DisconnectAfter) => return lost(Lost::Disconnected),
            _ => {}
        }
        let encoded = answer.and_then(|output| {
            wire::encode(route, &output, caller.request_id).map_err(|mismatch| {
                let what = format!(
                    "{} {}: the sandbox's answer: {mismatch}",
                    route.service.name, route.name
                );
                tracing::error!("{what}");
                internal(what)
            })
        });
        match encoded {
            Ok(response) => {
                self.line(caller, Some(response.status().as_u16()), None);
                Ok(response)
            }
            Err(fault) => refuse(&fault, None),
        }
    }

    /// Reads the input and runs the operation on the state.
    fn perform(
        &self,
        caller: &Caller<'_>,
        parts: &Parts,
        body: &Bytes,
        stale_reads: u32,
        fault: Option<&Then>,
    ) -> Answer {
        let Caller {
            route, signature, ..
        } = caller;
        let (service, account, region) = (
            route.service,
            signature.account(),
            signature.region.as_str(),
        );
        let operation = self
            .operations
            .get(&(service.name, route.name))
            .ok_or_else(|| {
                wire::unknown_operation(route.protocol, Some(service.name), route.name)
            })?;
        let enabled = self.with_state(|state| {
            let organization = state.settings.organization.as_ref();
            organization.is_none_or(|found| found.has_region(account, region))
        });
        if !enabled {
            return Err(unknown_credentials(route));
        }
        if let Some(quotas) = &self.quotas
            && !quotas.admit(
                account,
                region,
                service.name,
                operation.name,
                tokio::time::Instant::now(),
            )
        {
            return Err(throttled(route));
        }
        let mut input = wire::decode(route, parts, body)?;
        // AWS looks at permissions before it looks at what else is in a request.
        self.authorize(caller, &input)?;
        wire::validate(service, route.protocol, route.operation, &input)?;

        if let Some(fault) = fault {
            lists::before(route, fault, &mut input)?;
        }
        let answer = self
            .world()
            .run(operation, signature, &input, self.clock.now(), stale_reads);
        answer.map(|mut output| {
            if let Some(fault) = fault {
                lists::after(fault, &mut output);
            }
            output
        })
    }

    /// Refuses what the policy does not allow.
    fn authorize(&self, caller: &Caller<'_>, input: &Map) -> Result<(), Fault> {
        let Caller {
            route, signature, ..
        } = caller;
        let world = &mut *self.world();
        // It is put back below: looking at tags needs the rest of the world.
        let Some(policy) = world.policy.take() else {
            return Ok(());
        };
        let arn = signature.caller(&world.state);
        let request = iam::Request {
            service: route.service.name,
            operation: route.name,
            input,
            account: signature.account(),
            region: &signature.region,
            caller: &arn,
        };
        let mut asked = std::mem::take(&mut world.asked);
        let refused = policy.refuse(&request, &mut asked, |service, input| {
            let operation = self.operations.get(&(service, "ListTagsForResource"))?;
            world.look(operation, signature, input, self.clock.now())
        });
        world.policy = Some(policy);
        world.asked = asked;
        refused.map_or(Ok(()), |why| Err(denied(route, why)))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call that reached an operation of the tables.
    fn line(&self, caller: &Caller<'_>, status: Option<u16>, code: Option<&str>) {
        let Caller {
            route, signature, ..
        } = caller;
        let (service, operation) = (route.service.name, route.name);
        let access = self
            .operations
            .get(&(service, operation))
            .map(|o| match o.access {
                Access::Read => "read",
                Access::Write => "write",
            });
        self.note(&Line {
            service,
            operation,
            account: signature.account(),
            region: &signature.region,
            protocol: route.protocol.name(),
            status,
            code,
            access,
        });
    }

    fn note(&self, line: &Line<'_>) {
        let Line {
            service,
            operation,
            account,
            region,
            status,
            code,
            ..
        } = line;
        tracing::debug!(
            service,
            operation,
            account,
            region,
            status,
            code,
            "sandbox call"
        );
        if let Some(record) = &self.record {
            record.write(line);
        }
    }
}
