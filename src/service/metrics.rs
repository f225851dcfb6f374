//! What a process counts and measures, for Prometheus.
//!
//! Names and labels are stable. Labels are names of stacks, services, operations and results: nothing in them is
//! personal, and none grows without bound.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::aws::transport::{Calls, Count};
use crate::model::plan::{Action, Because, Change, Plan};

/// What [`Metrics::text`] is, for HTTP.
pub(super) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// How long a run takes, in seconds: from one that finds nothing changed to one that waits for AWS for half an hour.
const BUCKETS: [f64; 10] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0];

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Compared, and wrote nothing.
    Plan,
    /// Compared, and made AWS as declared.
    Apply,
    /// Deleted what a stack owned.
    Destroy,
}

impl Work {
    const ALL: [Self; 3] = [Self::Plan, Self::Apply, Self::Destroy];

    fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Destroy => "destroy",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything could be read, and all that was to be done was done.
    Success,
    /// Something failed, was blocked, or could not be read.
    Failure,
    /// The documents are wrong, and nothing was looked at.
    Invalid,
}

impl Ended {
    const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Invalid];

    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Invalid => "invalid",
        }
    }
}

/// One run over a stack.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The stack, with whatever tells it from another of its name, for instance `namespace/name` in a cluster.
    pub stack: &'a str,
    /// What it did.
    pub work: Work,
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
    /// When it ended, in seconds since 1970.
    pub at: i64,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRun {
    stack: String,
    work: &'static str,
    ended: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfStack {
    stack: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfState {
    stack: String,
    state: &'static str,
}

/// What a process counts and measures; clones are the same.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Arc<Sources>,
    runs: Family<OfRun, Histogram, fn() -> Histogram>,
    objects: Family<OfState, Gauge>,
    success: Family<OfStack, Gauge>,
    current: Family<OfStack, Gauge>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("stationbill");
        let calls = Arc::<Sources>::default();
        registry.register_collector(Box::new(Arc::clone(&calls)));
        let runs = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register_with_unit(
            "run_duration",
            "How long runs over a stack took",
            Unit::Seconds,
            runs.clone(),
        );
        let objects = Family::default();
        registry.register(
            "objects",
            "Objects of a stack when it was last looked at, by state",
            objects.clone(),
        );
        let success = Family::default();
        registry.register_with_unit(
            "last_success_timestamp",
            "When a run over a stack last succeeded, since 1970",
            Unit::Seconds,
            success.clone(),
        );
        let current = Family::default();
        registry.register(
            "source_current",
            "1 when the newest documents of a stack are the ones in force, 0 when they are broken or out of reach",
            current.clone(),
        );
        Self {
            registry: Arc::new(registry),
            calls,
            runs,
            objects,
            success,
            current,
        }
    }
}

impl Metrics {
    /// Counts the calls of a connection from now on, and those it has made.
    pub fn count(&self, calls: &Calls) {
        lock(&self.calls.0).live.push(calls.clone());
    }

    /// Takes note of a run.
    pub fn ran(&self, run: &Run<'_>) {
        let Run {
            stack,
            work,
            ended,
            took,
            at,
        } = *run;
        let labels = OfRun {
            stack: stack.to_owned(),
            work: work.word(),
            ended: ended.word(),
        };
        self.runs.get_or_create(&labels).observe(took.as_secs_f64());
        if ended == Ended::Success {
            let stack = stack.to_owned();
            self.success.get_or_create(&OfStack { stack }).set(at);
        }
    }

    /// Takes note of what a stack was found to be.
    pub fn found(&self, stack: &str, plan: &Plan) {
        for state in State::ALL {
            let count = plan
                .changes
                .iter()
                .filter(|change| State::of(change) == state);
            let count = match state {
                State::InSync => plan.unchanged,
                _ => count.count(),
            };
            let labels = OfState {
                stack: stack.to_owned(),
                state: state.word(),
            };
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.objects.get_or_create(&labels).set(count);
        }
    }

    /// Takes note of whether the newest documents of a stack are the ones in force.
    pub fn source(&self, stack: &str, current: bool) {
        let stack = stack.to_owned();
        let gauge = self.current.get_or_create_owned(&OfStack { stack });
        gauge.set(i64::from(current));
    }

    /// Takes note that the documents of a stack come from nowhere that could be broken or out of reach.
    pub fn no_source(&self, stack: &str) {
        let stack = stack.to_owned();
        self.current.remove(&OfStack { stack });
    }

    /// Forgets a stack that is no more.
    pub fn forget(&self, stack: &str) {
        for work in Work::ALL {
            for ended in Ended::ALL {
                self.runs.remove(&OfRun {
                    stack: stack.to_owned(),
                    work: work.word(),
                    ended: ended.word(),
                });
            }
        }
        for state in State::ALL {
            self.objects.remove(&OfState {
                stack: stack.to_owned(),
                state: state.word(),
            });
        }
        let of = OfStack {
            stack: stack.to_owned(),
        };
        self.success.remove(&of);
        self.current.remove(&of);
    }

    /// Writes everything in Prometheus's text format, version 0.0.4.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// What an object is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As declared.
    InSync,
    /// AWS changed it, or has it not: what `drift` tells.
    Drift,
    /// It differs because its document changed, or nobody asked for it to be deleted or taken over.
    Pending,
    /// It cannot be made as declared.
    Blocked,
    /// It could not be read.
    Unknown,
}

impl State {
    const ALL: [Self; 5] = [
        Self::InSync,
        Self::Drift,
        Self::Pending,
        Self::Blocked,
        Self::Unknown,
    ];

    fn of(change: &Change) -> Self {
        let aws_did = [Because::Drift, Because::Missing];
        match change.action {
            Action::Unknown => Self::Unknown,
            Action::Blocked => Self::Blocked,
            _ if change.because.iter().any(|why| aws_did.contains(why)) => Self::Drift,
            _ => Self::Pending,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Drift => "drift",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }
}

/// The calls of connections: of those that are still in use, and the sum of those that are not.
#[derive(Debug, Default)]
struct Sources(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    live: Vec<Calls>,
    ended: BTreeMap<(String, String), Count>,
}

impl Counted {
    fn total(&mut self) -> BTreeMap<(String, String), Count> {
        for calls in std::mem::take(&mut self.live) {
            if calls.is_shared() {
                self.live.push(calls);
            } else {
                add(&mut self.ended, &calls);
            }
        }
        let mut total = self.ended.clone();
        self.live.iter().for_each(|calls| add(&mut total, calls));
        total
    }
}

fn add(total: &mut BTreeMap<(String, String), Count>, calls: &Calls) {
    for (operation, Count { sent, throttled }) in calls.counts() {
        let sum = total.entry(operation).or_default();
        sum.sent += sent;
        sum.throttled += throttled;
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let version = ConstGauge::new(1_i64);
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        let help = "The version of the program.";
        let mut family = encoder.encode_descriptor("build_info", help, None, MetricType::Gauge)?;
        version.encode(family.encode_family(&labels)?)?;

        let total = lock(&self.0).total();
        let sent: fn(&Count) -> u64 = |count| count.sent;
        let throttled: fn(&Count) -> u64 = |count| count.throttled;
        let families = [
            ("aws_calls", "Requests to AWS, repeated ones too.", sent),
            (
                "aws_throttles",
                "Requests to AWS that were throttled.",
                throttled,
            ),
        ];
        for (name, help, which) in families {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for ((service, operation), count) in &total {
                let labels = [("service", service.as_str()), ("operation", operation)];
                ConstCounter::new(which(count)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Location};

    fn change(name: &str, action: Action, because: &[Because]) -> Change {
        let location = Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        Change {
            because: because.to_vec(),
            ..Change::new(Address::new("Contact", name), location, action)
        }
    }

    #[test]
    fn a_stack_is_told_until_it_is_forgotten() {
        let metrics = Metrics::default();
        let plan = Plan {
            changes: vec![
                change("gone", Action::Create, &[Because::Missing]),
                change(
                    "edited",
                    Action::Update,
                    &[Because::Pending, Because::Drift],
                ),
                change("new text", Action::Update, &[Because::Pending]),
                change("denied", Action::Unknown, &[]),
                change("protected", Action::Blocked, &[Because::Drift]),
            ],
            unchanged: 7,
            ..Plan::default()
        };
        metrics.found("banana", &plan);
        metrics.source("banana", false);
        let run = Run {
            stack: "banana",
            work: Work::Apply,
            ended: Ended::Failure,
            took: Duration::from_secs(2),
            at: 1_700_000_000,
        };
        metrics.ran(&run);
        metrics.ran(&Run {
            work: Work::Plan,
            ended: Ended::Success,
            ..run
        });
        let text = metrics.text();
        for line in [
            "# TYPE stationbill_objects gauge",
            r#"stationbill_objects{stack="banana",state="drift"} 2"#,
            r#"stationbill_objects{stack="banana",state="pending"} 1"#,
            r#"stationbill_objects{stack="banana",state="unknown"} 1"#,
            r#"stationbill_objects{stack="banana",state="blocked"} 1"#,
            r#"stationbill_objects{stack="banana",state="in_sync"} 7"#,
            r#"stationbill_source_current{stack="banana"} 0"#,
            r#"stationbill_last_success_timestamp_seconds{stack="banana"} 1700000000"#,
            "# TYPE stationbill_run_duration_seconds histogram",
            r#"stationbill_run_duration_seconds_count{stack="banana",work="apply",ended="failure"} 1"#,
        ] {
            assert!(
                text.lines().any(|had| had == line),
                "{line} is not in:\n{text}"
            );
        }
        metrics.forget("banana");
        assert!(!metrics.text().contains("banana"));
    }

    #[test]
    fn calls_of_connections_that_ended_still_count() {
        let metrics = Metrics::default();
        let has = |line: &str| {
            let text = metrics.text();
            assert!(
                text.lines().any(|had| had == line),
                "{line} is not in:\n{text}"
            );
        };
        let first = Calls::default();
        first.count("ssm", "GetDocument");
        metrics.count(&first);
        first.count("ssm", "GetDocument");
        first.count_throttle("ssm", "GetDocument");
        has(r#"stationbill_aws_calls_total{service="ssm",operation="GetDocument"} 2"#);
        drop(first);
        let second = Calls::default();
        metrics.count(&second);
        second.count("ssm", "GetDocument");
        for _ in 0..2 {
            has(r#"stationbill_aws_calls_total{service="ssm",operation="GetDocument"} 3"#);
            has(r#"stationbill_aws_throttles_total{service="ssm",operation="GetDocument"} 1"#);
        }
    }
}
