//! Two at once: one apply of a stack works, and whoever comes meanwhile, or comes back from the dead, writes nothing.
//!
//! What is promised: no call that writes leaves a process unless its lease still lasts for a second by a clock that
//! also runs while the machine sleeps. What cannot be: Parameter Store has no compare-and-swap and AWS's calls carry no
//! fencing token, so a call that was on its way when its process stood still arrives whenever the network lets it,
//! though never more than five minutes after it was signed.

use std::future::poll_fn;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stationbill::aws::{Connection, Connector, connect};
use stationbill::engine::lease::{LASTS, Lease, LeaseError, Stopwatch, parameter};
use stationbill::engine::{self, Outcome, Patience, World};
use stationbill::kinds::KINDS;
use stationbill::load::Declared;
use stationbill::model::plan::Wish;
use stationbill::sandbox::{Enforce, Faults, Options, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::clients;
use crate::support::calls::{Call, Look, Moment, watched};
use crate::support::door::{Door, Watch};
use crate::support::{STACK, Scene, documents, example, program};

fn empty() -> Arc<Sandbox> {
    let options = Options {
        quotas: Enforce::Off,
        ..Options::default()
    };
    Sandbox::open(options).unwrap()
}

/// Who is told of a call.
type Told = Box<dyn Fn(&Call) + Send>;

/// A simulated AWS on loopback, everything that it was asked, and real programs that ask it.
struct Port {
    runtime: tokio::runtime::Runtime,
    sandbox: Arc<Sandbox>,
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Told of every call before its effect.
    watch: Arc<Mutex<Option<Told>>>,
}

impl Port {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let sandbox = empty();
        let door = runtime.block_on(Door::open(sandbox.clone()));
        let (url, calls) = (door.url.clone(), Arc::new(Mutex::new(Vec::new())));
        let watch: Arc<Mutex<Option<Told>>> = Arc::default();
        let (log, told) = (calls.clone(), watch.clone());
        let look: Arc<Watch> = Arc::new(move |_, call, moment| {
            if moment == Moment::Before {
                log.lock().unwrap().push(call.clone());
                if let Some(watch) = &*told.lock().unwrap() {
                    watch(call);
                }
            }
            false
        });
        runtime.spawn(async move { door.serve(look, CancellationToken::new()).await });
        Self {
            runtime,
            sandbox,
            url,
            calls,
            watch,
        }
    }

    /// Starts the program as somebody with a key of their own.
    fn start(&self, key: &str, line: &str) -> Child {
        program(&self.url)
            .env("AWS_ACCESS_KEY_ID", key)
            .args(line.split(' ').map(|word| match word {
                "STAND" => example("banana-stand").into_os_string(),
                word => word.into(),
            }))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, key: &str, line: &str) -> (i32, String) {
        ended(self.start(key, line).wait_with_output().unwrap())
    }

    /// Starts an apply, and stops it cold just before the effect of its first call of an operation.
    fn stopped_at(&self, key: &'static str, line: &str, operation: &'static str) -> Child {
        let child = self.start(key, line);
        let (id, done) = (child.id(), Arc::new(AtomicBool::new(false)));
        let stopped = done.clone();
        *self.watch.lock().unwrap() = Some(Box::new(move |call| {
            let meant = call.key == key && call.operation == operation;
            if meant && !done.swap(true, Ordering::SeqCst) {
                signal(id, "STOP");
            }
        }));
        within(Duration::from_mins(1), || stopped.load(Ordering::SeqCst));
        // Whatever was on its way has arrived.
        std::thread::sleep(Duration::from_millis(200));
        *self.watch.lock().unwrap() = None;
        child
    }

    /// How many calls there were, or where the first of somebody's is.
    fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// The operations that somebody asked for from the `from`th call on.
    fn asked(&self, key: &str, from: usize) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        let calls = calls[from..].iter().filter(|call| call.key == key);
        calls.cloned().collect()
    }

    fn writes(&self, key: &str, from: usize) -> Vec<String> {
        let asked = self.asked(key, from).into_iter();
        asked
            .filter(|call| call.writes)
            .map(|call| call.operation)
            .collect()
    }
}

fn ended(output: Output) -> (i32, String) {
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap_or(-1), text)
}

fn signal(id: u32, name: &str) {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).arg(id.to_string());
    assert!(kill.status().unwrap().success());
}

fn within(limit: Duration, happened: impl Fn() -> bool) {
    let until = Instant::now() + limit;
    while !happened() {
        assert!(Instant::now() < until, "it did not happen in {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const ONE: &str = "ASIA111122223333AAAA";
const TWO: &str = "ASIA111122223333BBBB";
/// Who breaks a lease by hand.
const PERSON: &str = "ASIA111122223333DDDD";

/// Makes the first apply take its time: the contacts are slow.
fn slow(port: &Port, milliseconds: u64) {
    let rule = json!([{"match": {"operation": "CreateContact"}, "when": {"first": 1}, "then": {"delay": milliseconds}}]);
    port.sandbox
        .set_faults(Faults::parse(&rule.to_string()).unwrap());
}

/// With AWS's clock an hour before or behind this machine's, which is the same as this machine's being wrong.
#[test]
fn the_second_apply_stops_at_once_and_says_who_is_at_work_whatever_the_clock_says() {
    std::thread::scope(|scope| {
        for hours in [-1, 1] {
            scope.spawn(move || one_works_and_the_other_stops(hours));
        }
    });
}

fn one_works_and_the_other_stops(hours: i64) {
    let port = Port::open();
    let ahead = jiff::SignedDuration::from_hours(hours);
    port.sandbox.clock().shift(ahead);
    slow(&port, 12_000);
    let mut first = port.start(ONE, "apply STAND --yes");
    let id = first.id();
    within(Duration::from_mins(1), || {
        let asked = port.asked(ONE, 0);
        asked.iter().any(|call| call.operation == "CreateContact")
    });
    let (code, text) = port.run(TWO, "apply STAND --yes");
    assert_eq!(code, 2, "{text}");
    assert_eq!(first.try_wait().unwrap(), None, "not at once");
    let who = format!("process {id} is at work on this stack since ");
    assert!(text.contains(&who), "{text}");
    assert!(text.contains("arn:aws:"), "{text}");
    // By AWS's clock, both of them.
    let now = jiff::Timestamp::now() + ahead;
    for before in ["on this stack since ", "the lease runs until "] {
        let (_, rest) = text.split_once(before).unwrap();
        let moment: jiff::Timestamp = rest[..20].parse().unwrap();
        let off = now.duration_since(moment).abs();
        assert!(off < jiff::SignedDuration::from_secs(40), "{before}{off}");
    }
    assert!(text.contains("hint: wait for it to end; if nobody is at work there, break the lease: aws ssm put-parameter"));
    assert_eq!(port.writes(TWO, 0), [""; 0], "the second wrote");
    let (code, text) = ended(first.wait_with_output().unwrap());
    assert_eq!(code, 0, "{text}");
    let (code, text) = port.run(TWO, "apply STAND --yes");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("nothing to do"), "{text}");
}

#[test]
fn a_holder_that_died_is_followed_once_its_lease_has_run_out() {
    let port = Port::open();
    let mut first = port.stopped_at(ONE, "apply STAND --yes", "CreateContact");
    first.kill().unwrap();
    first.wait().unwrap();
    // A slow machine must not spend the wait before it looks.
    port.sandbox
        .clock()
        .shift(jiff::SignedDuration::from_secs(-10));
    let began = Instant::now();
    let (code, text) = port.run(TWO, "apply STAND --yes");
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains(
            "does not renew its lease of this stack and seems to have died; it runs out in"
        ),
        "{text}"
    );
    assert!(began.elapsed() > Duration::from_secs(5));
    let (code, text) = port.run(TWO, "plan STAND --exit-code");
    assert_eq!(code, 0, "{text}");
}

/// Returns a folder that declares one person, and what people need.
fn alone() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["replication-set.yaml", "contact.yaml"] {
        let example = example("kinds").join(name);
        std::fs::copy(&example, folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn a_holder_that_only_stalled_writes_nothing_after_another_took_over() {
    let port = Port::open();
    // One person, whose calls follow each other: of several at once, one can stand between the last look at the lease
    // and the network, and arrives whenever the process goes on.
    let alone = alone();
    let alone = alone.path().display();
    let first = port.stopped_at(ONE, &format!("apply {alone} --yes"), "CreateContact");
    // Whoever only reads takes no lease and waits for none; another stack has another lease.
    let from = port.count();
    for command in [format!("plan {alone}"), format!("drift {alone}")] {
        let (code, text) = port.run(TWO, &command);
        assert!(code < 2, "{command}: {text}");
    }
    assert_eq!(port.writes(TWO, from), [""; 0]);
    let parameters = ["GetParameter", "PutParameter"];
    let lease = |call: &Call| parameters.contains(&call.operation.as_str());
    assert!(!port.asked(TWO, from).iter().any(lease));
    let folder = tempfile::tempdir().unwrap();
    let stack = "apiVersion: stationbill.dev/v1alpha1\nkind: Stack\nmetadata: { name: another }\nspec: {}\n---\n";
    let dashboard = std::fs::read_to_string(example("kinds").join("dashboard.yaml")).unwrap();
    let text = format!("{stack}{}", dashboard.replace("banana-impact", "another"));
    std::fs::write(folder.path().join("all.yaml"), text).unwrap();
    let line = format!("apply {} --yes", folder.path().display());
    let (code, text) = port.run("ASIA111122223333CCCC", &line);
    assert_eq!(code, 0, "{text}");

    let (code, text) = port.run(TWO, &format!("apply {alone} --yes"));
    assert_eq!(code, 0, "{text}");
    let from = port.count();
    signal(first.id(), "CONT");
    let (code, text) = ended(first.wait_with_output().unwrap());
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the lease was lost"), "{text}");
    assert_eq!(port.writes(ONE, from), [""; 0], "{text}");
}

#[test]
fn whoever_breaks_the_lease_may_begin_at_once_and_the_holder_stops() {
    if clients::skipped() {
        return;
    }
    let aws = clients::python().with_file_name("aws");
    let port = Port::open();
    slow(&port, 20_000);
    let first = port.start(ONE, "apply STAND --yes");
    within(Duration::from_mins(1), || {
        let asked = port.asked(ONE, 0);
        asked.iter().any(|call| call.operation == "CreateContact")
    });
    let (code, text) = port.run(TWO, "apply STAND --yes");
    assert_eq!(code, 2, "{text}");
    let (_, command) = text.split_once("break the lease: aws ").unwrap();
    let command = command.lines().next().unwrap();
    let broken = Command::new(aws)
        .args(command.split(' '))
        .env("AWS_ENDPOINT_URL", &port.url)
        .env("AWS_ACCESS_KEY_ID", PERSON)
        .env("AWS_SECRET_ACCESS_KEY", "sandbox")
        .output()
        .unwrap();
    assert!(broken.status.success(), "{broken:?}");
    let (code, text) = port.run(TWO, "apply STAND --yes");
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("seems to have died"), "{text}");
    let (code, text) = ended(first.wait_with_output().unwrap());
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the lease was lost"), "{text}");
    // It learnt of it from its next renewal, and what was free to go until then went.
    let calls = port.calls.lock().unwrap();
    let from = calls.iter().position(|call| call.key == PERSON).unwrap();
    drop(calls);
    let writes = port.writes(ONE, from);
    let renewals = writes.iter().filter(|call| *call == "PutParameter").count();
    let last = writes.last().map(String::as_str);
    assert!(renewals == 1 && last == Some("PutParameter"), "{writes:?}");
    let (code, text) = port.run(TWO, "plan STAND --exit-code");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn of_many_applies_one_at_a_time_writes() {
    let port = Port::open();
    let keys: Vec<String> = ('A'..='H')
        .map(|letter| format!("ASIA111122223333AAA{letter}"))
        .collect();
    let children: Vec<Child> = keys
        .iter()
        .map(|key| port.start(key, "apply STAND --yes"))
        .collect();
    let mut worked = 0;
    for child in children {
        let (code, text) = ended(child.wait_with_output().unwrap());
        match code {
            0 => worked += 1,
            _ => assert!(text.contains("is at work on this stack"), "{text}"),
        }
    }
    assert!(worked > 0);
    let calls = port.calls.lock().unwrap();
    let writers = calls
        .iter()
        .filter(|call| call.writes && call.operation != "PutParameter")
        .filter(|call| call.operation != "GetCallerIdentity");
    let mut turns: Vec<&str> = writers.map(|call| call.key.as_str()).collect();
    turns.dedup();
    let mut once = turns.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(turns.len(), once.len(), "they took turns: {turns:?}");
    drop(calls);
    let (code, text) = port.run(TWO, "plan STAND --exit-code");
    assert_eq!(code, 0, "{text}");
    drop(port.runtime);
}

/// One run in process, on a clock that is moved by hand.
struct Runner {
    connection: Connection,
    world: World,
    stopwatch: Stopwatch,
    sandbox: Arc<Sandbox>,
}

impl Runner {
    async fn new(sandbox: Arc<Sandbox>, key: &str, look: Arc<Look>) -> Self {
        let connector = Connector {
            http: Some(watched(sandbox.clone(), look)),
            sandbox: Some(sandbox.clone()),
            sandbox_account: Some(key.to_owned()),
            ..Connector::default()
        };
        let connection = connect(&connector).await.unwrap();
        let patience = Patience {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(50),
            limit: Duration::from_mins(1),
        };
        let places = [(connection.aws.location.clone(), connection.aws.clone())].into();
        let began = tokio::time::Instant::now();
        Self {
            connection,
            world: World {
                places,
                kinds: KINDS,
                patience,
            },
            stopwatch: Arc::new(move || began.elapsed()),
            sandbox,
        }
    }

    async fn take(&self) -> Result<Lease, LeaseError> {
        let Connection { aws, clock, .. } = &self.connection;
        let who = self.connection.caller.as_str();
        let lease = Lease::take(aws, STACK, who, clock, &self.stopwatch, &|_| {}).await?;
        self.connection.gate.guard(lease.holds());
        Ok(lease)
    }

    /// Works as `apply` does while it holds the lease.
    async fn work(&self, lease: &Lease, declared: &[Declared]) -> Outcome {
        let scene = Scene {
            sandbox: self.sandbox.clone(),
            aws: self.connection.aws.clone(),
            world: self.world.clone(),
        };
        let stop = CancellationToken::new();
        let work = async {
            let (_, _, plan) = scene.plan(STACK, declared, &Wish::default()).await;
            engine::apply(&plan, &self.world, &|_| {}, &stop).await
        };
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            () = lease.keep(&stop) => work.await,
        }
    }
}

/// What the parameter of the lease holds.
fn lease_of(sandbox: &Sandbox) -> Value {
    let state = sandbox.with_state(|state| serde_json::to_value(state).unwrap());
    let name = parameter(STACK).replace('/', "~1");
    let at = format!("/accounts/111122223333/ssm/ap-northeast-1/parameters/{name}/versions");
    let versions = state.pointer(&at).unwrap().as_array().unwrap();
    let last = versions.last().unwrap();
    serde_json::from_str(last["value"].as_str().unwrap()).unwrap()
}

/// The first write of the lease is lost, or its answer; the SDK waits a minute for it.
#[tokio::test(start_paused = true)]
async fn a_lost_write_of_the_lease_is_written_again() {
    for then in ["timeoutBefore", "timeoutAfter", "disconnectAfter"] {
        let sandbox = empty();
        let rule = json!([
            {"match": {"operation": "PutParameter"}, "when": {"calls": [1]}, "then": then}
        ]);
        sandbox.set_faults(Faults::parse(&rule.to_string()).unwrap());
        let one = Runner::new(sandbox.clone(), ONE, Arc::new(|_, _| {})).await;
        let began = tokio::time::Instant::now();
        let lease = one
            .take()
            .await
            .unwrap_or_else(|error| panic!("{then}: {error}"));
        assert!((lease.holds())(), "{then}");
        assert!(began.elapsed() < LASTS * 2, "{then}: {:?}", began.elapsed());
        let all = documents("kinds");
        let some = |d: &Declared| d.address.kind == "Dashboard";
        let few: Vec<Declared> = all.into_iter().filter(some).collect();
        let outcome = one.work(&lease, &few).await;
        assert_eq!((outcome.failed(), outcome.skipped()), (0, 0), "{then}");
        lease.give_back().await;
        assert_eq!(lease_of(&sandbox)["free"], json!(true), "{then}");
    }
}

#[test]
fn a_holder_that_stalls_after_any_of_its_calls_writes_nothing_after_another_took_over() {
    let all = documents("kinds");
    let some = |d: &Declared| {
        let kinds = ["Dashboard", "Document", "Runbook"];
        kinds.contains(&d.address.kind.as_str())
    };
    let few: Vec<Declared> = all.into_iter().filter(some).collect();
    let (next, ends) = (AtomicUsize::new(1), AtomicUsize::new(usize::MAX));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    if at >= ends.load(Ordering::SeqCst) {
                        break;
                    }
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .start_paused(true)
                        .build()
                        .unwrap();
                    if !runtime.block_on(stalled_after(at, &few)) {
                        ends.fetch_min(at, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let calls = ends.load(Ordering::SeqCst);
    assert!(calls > 20, "only {calls} calls");
}

/// Stalls a run after so many calls; answers with whether it made as many.
async fn stalled_after(at: usize, declared: &[Declared]) -> bool {
    let sandbox = empty();
    let calls = Arc::new(Mutex::new(Vec::<Call>::new()));
    let look = |calls: &Arc<Mutex<Vec<Call>>>| -> Arc<Look> {
        let log = calls.clone();
        Arc::new(move |call, moment| {
            if moment == Moment::Before {
                log.lock().unwrap().push(call.clone());
            }
        })
    };
    let one = Runner::new(sandbox.clone(), ONE, look(&calls)).await;
    let two = Runner::new(sandbox.clone(), TWO, look(&calls)).await;
    let before = calls.lock().unwrap().len();
    let holds = AtomicBool::new(false);
    let first = async {
        let lease = one.take().await?;
        holds.store(true, Ordering::SeqCst);
        let outcome = one.work(&lease, declared).await;
        lease.give_back().await;
        Ok::<_, LeaseError>(outcome)
    };
    tokio::pin!(first);
    let enough = || calls.lock().unwrap().len() >= before + at;
    let ended = poll_fn(|cx| match first.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if enough() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    if let Some(result) = ended.await {
        assert_eq!(result.unwrap().failed(), 0);
        return false;
    }
    // The process stands still; everywhere else time goes on.
    let pause = LASTS + Duration::from_secs(1);
    tokio::time::advance(pause).await;
    sandbox.clock().advance(pause);
    let lease = two.take().await.unwrap();
    let (from, held) = (calls.lock().unwrap().len(), holds.load(Ordering::SeqCst));
    let work = two.work(&lease, declared);
    let outcome = tokio::time::timeout(Duration::from_mins(5), work).await;
    let outcome = outcome.unwrap_or_else(|_| {
        let calls = calls.lock().unwrap();
        let last = calls.iter().filter(|call| call.operation != "PutParameter");
        panic!(
            "{at}: the second hangs after {:?}",
            last.collect::<Vec<_>>()
        )
    });
    assert_eq!(outcome.failed() + outcome.skipped(), 0, "{at}: {outcome:?}");
    let stop = CancellationToken::new();
    let result = tokio::select! {
        result = &mut first => result,
        () = lease.keep(&stop) => panic!("{at}: the second lost the lease to the first"),
    };
    let calls: Vec<Call> = calls.lock().unwrap()[from..].to_vec();
    let late: Vec<&Call> = calls
        .iter()
        .filter(|call| call.key == ONE && call.writes)
        // Who does not hold the lease may try to take it.
        .filter(|call| held || call.operation != "PutParameter")
        .collect();
    assert!(late.is_empty(), "{at}: {late:?}");
    let nothing_done = match &result {
        Ok(outcome) => held || outcome.done() == 0,
        Err(error) => !held && matches!(error, LeaseError::Taken { .. }),
    };
    assert!(nothing_done, "{at}");
    let parameter = lease_of(&two.sandbox);
    assert_eq!(parameter["free"], json!(false), "{at}: {parameter}");
    let holds = lease.holds();
    assert!(holds(), "{at}: the second holds it no longer");
    lease.give_back().await;
    assert_eq!(lease_of(&sandbox)["free"], json!(true), "{at}");
    true
}
