//! What the proofs have in common: a simulated AWS, whole runs against it, and a look behind it.

pub(crate) mod calls;
pub(crate) mod door;
pub(crate) mod git_server;
pub(crate) mod glance;
pub(crate) mod recorded;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use stationbill::aws::{Aws, Connector, connect};
use stationbill::engine::desired::desired;
use stationbill::engine::secrets::Sources;
use stationbill::engine::{self, Breadth, Outcome, Patience, World};
use stationbill::kinds::{self, KINDS, Live, Select};
use stationbill::load::{self, Declared};
use stationbill::model::plan::{Change, Desired, Observed, Plan, Wish, plan};
use stationbill::sandbox::{Enforce, Options, Organization, Sandbox, Settings, State};
use tokio_util::sync::CancellationToken;

use calls::{Look, watched};

/// The stack of every proof.
pub(crate) const STACK: &str = "banana-stand";

/// A simulated AWS and a connection to it.
pub(crate) struct Scene {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) aws: Aws,
    pub(crate) world: World,
}

/// Kinds of which only the account has any that administers Security Hub for an organization.
pub(crate) const ADMINISTRATORS: [&str; 2] = ["OrganizationConfiguration", "ConfigurationPolicy"];

/// An AWS in which the account of the tests administers Security Hub for an organization.
pub(crate) fn administering() -> Settings {
    let organization = Organization::parse(include_str!("organization.yaml")).unwrap();
    Settings {
        organization: Some(organization),
        ..Settings::default()
    }
}

/// Live objects by kind and AWS id.
pub(crate) type Estate = BTreeMap<(String, String), Live<Value>>;

impl Scene {
    pub(crate) async fn new(seed: u64) -> Self {
        Self::with(seed, Settings::default()).await
    }

    pub(crate) async fn with(seed: u64, settings: Settings) -> Self {
        let options = Options {
            quotas: Enforce::Off,
            seed,
            settings,
            exchanges: Some(exchanges()),
            ..Options::default()
        };
        Self::of(Sandbox::open(options).unwrap()).await
    }

    pub(crate) async fn of(sandbox: Arc<Sandbox>) -> Self {
        Self::seen(sandbox, None).await
    }

    /// A scene in which somebody sees every call.
    pub(crate) async fn seen(sandbox: Arc<Sandbox>, look: Option<Arc<Look>>) -> Self {
        let connector = Connector {
            http: look.map(|look| watched(sandbox.clone(), look)),
            ..Connector::default()
        };
        Self::by(sandbox, connector).await
    }

    /// A scene in another region of the same account.
    pub(crate) async fn elsewhere(&self, region: &str) -> Self {
        let connector = Connector {
            region: Some(region.to_owned()),
            ..Connector::default()
        };
        Self::by(self.sandbox.clone(), connector).await
    }

    async fn by(sandbox: Arc<Sandbox>, connector: Connector) -> Self {
        let connector = Connector {
            sandbox: Some(sandbox.clone()),
            ..connector
        };
        let aws = connect(&connector).await.unwrap().aws;
        let world = World {
            places: BTreeMap::from([(aws.location.clone(), aws.clone())]),
            kinds: KINDS,
            patience: Patience {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(50),
                limit: Duration::from_secs(20),
            },
        };
        Self {
            sandbox,
            aws,
            world,
        }
    }

    /// Opens a simulated AWS that has what `state` had.
    pub(crate) async fn restored(state: &Value, seed: u64) -> Self {
        Self::new(seed).await.having(state)
    }

    /// Makes AWS what `state` had.
    pub(crate) fn having(self, state: &Value) -> Self {
        let mut state: State = serde_json::from_value(state.clone()).unwrap();
        self.sandbox.with_state(|now| {
            state.settings = now.settings.clone();
            *now = state;
        });
        self
    }

    /// Returns everything that the simulated AWS remembers.
    pub(crate) fn snapshot(&self) -> Value {
        self.sandbox
            .with_state(|state| serde_json::to_value(state).unwrap())
    }

    /// Makes a plan the way every command does.
    pub(crate) async fn plan(
        &self,
        stack: &str,
        declared: &[Declared],
        wish: &Wish,
    ) -> (Desired, Observed, Plan) {
        let sources = Sources::Machine(Arc::new(|_| None));
        let desired = desired(stack, declared, &self.world, &sources).await;
        let breadth = if wish.prune || wish.destroy {
            Breadth::Owned
        } else {
            Breadth::Declared
        };
        let observed = engine::observe(&self.world, &desired, breadth, &|_| {}).await;
        let plan = plan(&desired, &observed, &kinds::specs(), wish);
        (desired, observed, plan)
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Outcome {
        engine::apply(plan, &self.world, &|_| {}, &CancellationToken::new()).await
    }

    /// Plans and applies until nothing is left to do, at most so many times; answers with the last plan.
    pub(crate) async fn converge(
        &self,
        declared: &[Declared],
        wish: &Wish,
        times: usize,
    ) -> (Plan, Option<Outcome>) {
        let mut last = None;
        for _ in 0..times {
            let (_, _, plan) = self.plan(STACK, declared, wish).await;
            if !plan.changes.iter().any(Change::acts) {
                return (plan, last);
            }
            last = Some(self.apply(&plan).await);
        }
        (self.plan(STACK, declared, wish).await.2, last)
    }

    /// Lists everything there is. Nothing may go wrong meanwhile.
    pub(crate) async fn everything(&self) -> Estate {
        let mut estate = Estate::new();
        for kind in KINDS {
            let found = match kind.list(&self.aws, &Select::Everything).await {
                Ok(found) => found,
                Err(error) if error.class == stationbill::aws::Class::NotAvailable => Vec::new(),
                Err(error) => panic!("{}: {error}", kind.kind()),
            };
            for live in found {
                let key = (kind.kind().to_owned(), live.id.0.clone());
                assert!(
                    estate.insert(key, live).is_none(),
                    "an object is listed twice"
                );
            }
        }
        estate
    }
}

/// Returns the folder that gets the exchanges of all simulated AWSs of this process, for `wire` to have them judged.
pub(crate) fn exchanges() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exchanges");
        // What earlier runs left; one that still runs keeps its own.
        for old in fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                fs::remove_dir_all(old.path()).ok();
            }
        }
        all.join(std::process::id().to_string())
    });
    folder.clone()
}

/// Returns the folder of an example.
pub(crate) fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

/// Loads the documents of an example; they are valid.
pub(crate) fn documents(name: &str) -> Vec<Declared> {
    let loaded = load::load(&[example(name)], &kinds::specs()).unwrap();
    assert!(loaded.report.is_ok(), "{:?}", loaded.report.diagnostics);
    loaded.objects
}

/// A name in AWS that no example has: this one, where names can be made up. There are no other settings than AWS's.
pub(crate) fn free_name<'a>(kind: &str, made_up: &'a str) -> &'a str {
    match kind {
        "ServiceSetting" => "/ssm/automation/customer-script-log-group-name",
        _ => made_up,
    }
}

/// Says what a plan would do, a line each, for messages of tests.
pub(crate) fn told(plan: &Plan) -> String {
    let lines = plan.changes.iter().map(|change| {
        let paths: Vec<&str> = change.differences.iter().map(|d| d.path.as_str()).collect();
        format!(
            "{} {} {paths:?} {:?} {:?}\n",
            change.action.mark(),
            change.address,
            change.reason,
            change.held
        )
    });
    lines.collect()
}

/// Returns the real program, ready to act in a simulated AWS at a URL and to know nothing of the machine it runs on.
pub(crate) fn program(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stationbill"));
    command
        .env_clear()
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_REGION", "ap-northeast-1")
        .env("AWS_ACCESS_KEY_ID", "111122223333")
        .env("AWS_SECRET_ACCESS_KEY", "sandbox")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent");
    command
}

/// Does all of these, as many at once as there are processors; answers with what went wrong.
pub(crate) fn each<E: Send>(count: u64, at: impl Fn(u64) -> Result<(), E> + Sync) -> Vec<E> {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    if let Err(why) = at(index) {
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

/// Reads a number that the environment asks for.
#[expect(
    clippy::disallowed_methods,
    reason = "how much is tested is asked for outside"
)]
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Asks for a path over HTTP; returns the whole answer.
pub(crate) fn http_get(mut stream: TcpStream, path: &str) -> String {
    let ask = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
