//! `watch`: keep AWS as the newest commit of a Git repository declares.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::answer;
use super::apply::{Asking, exit, under_lease};
use super::args::Output;
use super::context::Context;
use super::exit::Exit;
use super::planning::Planned;
use super::render::{self, Wording};
use crate::engine::Outcome;
use crate::engine::run::stack_name;
use crate::git::recent::Recent;
use crate::git::{Credentials, Followed, Follower, Mirror, Obstacle, Remote, Signers};
use crate::kinds;
use crate::load;
use crate::model::plan::{Action, Change};
use crate::service::{self, Ended, Run, Status, Work};

/// The interval when neither a flag nor the Stack says any.
const INTERVAL: Duration = Duration::from_mins(5);

/// Keep AWS as the newest commit of a Git repository declares
///
/// Looks at the repository every minute. Plans, or applies with `--apply`, when there is a new commit and then on every
/// interval, and reports what changed in AWS in between. A commit is taken up at most once in an interval, also when
/// the process is killed and started again. A commit whose documents are wrong, or that is not signed by an allowed
/// signer, is told and left alone; the last good one stays in force. Ends on SIGTERM and Ctrl-C, when what is in flight
/// has ended.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent flags of a command line"
)]
#[command(group(ArgGroup::new("work").args(["apply", "plan"])))]
pub struct Watch {
    /// The repository, in any form that the `git` program takes
    #[arg(
        long,
        value_name = "URL",
        env = "STATIONBILL_GIT",
        hide_env_values = true
    )]
    git: String,
    /// The branch or tag [default: the repository's default branch]
    #[arg(long = "ref", value_name = "BRANCH")]
    reference: Option<String>,
    /// The folder in the repository that holds the documents
    #[arg(long, value_name = "DIR", default_value = ".")]
    path: String,
    /// How often a commit is taken up again, for instance 5m or 1h30m [default: the Stack's, or 5m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    interval: Option<Duration>,
    /// How often the repository is looked at
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    poll: Duration,
    /// Make AWS as declared
    #[arg(long)]
    apply: bool,
    /// Only say what would be done; the default
    #[arg(long)]
    plan: bool,
    /// Delete what the stack owns and no document declares
    #[arg(long)]
    prune: bool,
    /// Take over objects that nobody owns
    #[arg(long)]
    adopt: bool,
    /// Only commits that one of these signers has signed by SSH; a file as `ssh-keygen` reads it
    ///
    /// The newest commit must be signed; what came before it is not looked at. See `gpg.ssh.allowedSignersFile` of
    /// git-config.
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// The user name for HTTPS, with --password-file
    #[arg(long, value_name = "NAME", default_value = "stationbill")]
    username: String,
    /// A file with the password or token for HTTPS [default: what the user's own Git knows]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A file with the private key for SSH [default: what the user's own SSH knows]
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    /// A file with the host keys that are known, for SSH
    #[arg(long, value_name = "FILE")]
    ssh_known_hosts: Option<PathBuf>,
    /// Folder for the last good commit; safe to lose
    #[arg(long, value_name = "DIR", default_value = ".stationbill/watch")]
    state: PathBuf,
    /// Where to serve /metrics, /healthz and /readyz, for instance 127.0.0.1:9187 [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Reads a duration.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is, for instance, `5m`, `90s` or `1h30m`".to_owned();
    let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let duration = Duration::try_from(duration).map_err(|_| wrong())?;
    if duration < Duration::from_millis(10) {
        return Err(wrong());
    }
    Ok(duration)
}

/// What counts of the documents of a commit that are right.
struct Documents {
    stack: String,
    interval: Option<Duration>,
    suspend: bool,
}

/// A commit whose documents are right.
type Good = crate::git::Good<Documents>;

/// Why a commit is taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It is new.
    Commit,
    /// The interval has passed.
    Interval,
}

/// Everything a watcher holds. All of it but the last good commit is gone with the process.
struct Watcher<'a> {
    context: &'a Context,
    flags: &'a Watch,
    followed: Followed,
    follower: Follower<Documents>,
    recent: Recent,
    status: Status,
    /// What was last told about the repository.
    told: Option<Obstacle>,
}

/// Git runs in a folder of its own: a path of this one must lead there from anywhere.
fn from_anywhere(url: &str) -> String {
    let path = std::fs::canonicalize(url).ok();
    let path = path.and_then(|path| path.to_str().map(str::to_owned));
    path.unwrap_or_else(|| url.to_owned())
}

impl Watch {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let password = self.password_file.as_deref().map(secret).transpose()?;
        let remote = Remote {
            url: from_anywhere(&self.git),
            reference: self.reference.clone(),
            credentials: Credentials {
                password: password.map(|password| (self.username.clone(), password)),
                key: self.ssh_key.as_deref().map(there).transpose()?,
                known_hosts: self.ssh_known_hosts.as_deref().map(there).transpose()?,
                // What the user's own Git trusts is for the user to say there.
                authorities: None,
            },
        };
        let signers = self.allowed_signers.as_deref().map(there).transpose()?;
        let mirror = Mirror::open(&self.state.join("repository")).await?;
        let status = Status::default();
        let mut serving = JoinSet::new();
        if let Some(address) = self.listen {
            let listener = service::bind(address).await;
            let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
            let address = listener.local_addr()?;
            context
                .printer
                .say(&format!("metrics on http://{address}/metrics"));
            serving.spawn(service::serve(
                listener,
                status.clone(),
                context.cancel.clone(),
            ));
        }
        let followed = Followed {
            remote,
            path: self.path.clone(),
            signers: signers.map(Signers),
        };
        let mut watcher = Watcher {
            context,
            flags: &self,
            followed,
            follower: Follower::new(mirror, &self.state),
            recent: Recent::open(&self.state.join("recent.json")),
            status,
            told: None,
        };
        let exit = watcher.watch().await;
        while serving.join_next().await.is_some() {}
        exit
    }

    fn work(&self) -> Work {
        if self.apply { Work::Apply } else { Work::Plan }
    }
}

fn there(file: &Path) -> anyhow::Result<PathBuf> {
    let found = file.canonicalize();
    found.with_context(|| format!("cannot read `{}`", file.display()))
}

fn secret(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read `{}`", file.display()))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

impl Watcher<'_> {
    async fn watch(&mut self) -> anyhow::Result<Exit> {
        let context = self.context;
        let check = move |folder: &Path| documents(context, folder);
        let obstacle = self.follower.resume(&self.followed, check).await?;
        self.current(obstacle);
        loop {
            let obstacle = self.follower.look(&self.followed, check).await;
            self.current(obstacle);
            let due = self.due();
            if let Some((why, None)) = due {
                if self.take_up(why).await? == Exit::Interrupted {
                    return Ok(Exit::Interrupted);
                }
                continue;
            }
            let pause = due.and_then(|(_, wait)| wait).unwrap_or(self.flags.poll);
            tokio::select! {
                () = self.context.cancel.cancelled() => return Ok(Exit::Ok),
                () = tokio::time::sleep(pause.min(self.flags.poll)) => {}
            }
        }
    }

    /// Takes note of whether the newest commit is in force, and says so once if it is not.
    fn current(&mut self, obstacle: Option<Obstacle>) {
        let good = self.follower.good();
        if let Some(good) = good {
            let stack = &good.documents.stack;
            self.status.metrics.source(stack, obstacle.is_none());
        } else if let Some(obstacle) = &obstacle {
            self.status.health.unready(obstacle.to_string());
        }
        if let Some(obstacle) = &obstacle
            && self.told.as_ref() != Some(obstacle)
        {
            let stays = match good {
                Some(good) => format!("; commit {} stays in force", good.commit),
                None => "; there is none before it".to_owned(),
            };
            self.context.printer.complain(&format!("{obstacle}{stays}"));
        }
        self.told = obstacle;
    }

    fn interval(&self, good: &Good) -> Duration {
        self.flags
            .interval
            .or(good.documents.interval)
            .unwrap_or(INTERVAL)
    }

    /// Says why the good commit is taken up, and how long that is still to wait for.
    fn due(&self) -> Option<(Why, Option<Duration>)> {
        let good = self.follower.good()?;
        if good.documents.suspend {
            return None;
        }
        let id = good.commit.id();
        let wait = self.recent.wait(id, self.interval(good), now());
        let why = if self.recent.knows(id) {
            Why::Interval
        } else {
            Why::Commit
        };
        Some((why, wait))
    }

    /// Plans or applies the good commit.
    async fn take_up(&mut self, why: Why) -> anyhow::Result<Exit> {
        let Some(good) = self.follower.good() else {
            return Ok(Exit::Ok);
        };
        let at = now();
        let begun = self.recent.begin(good.commit.id(), self.interval(good), at);
        begun.with_context(|| format!("cannot write to `{}`", self.flags.state.display()))?;
        let clock = Instant::now();
        let result = Box::pin(self.run(good, at, why)).await;
        let (metrics, health) = (&self.status.metrics, &self.status.health);
        let (ended, exit) = match result {
            Ok(Some(Exit::Ok)) => {
                health.ready();
                (Ended::Success, Exit::Ok)
            }
            Ok(Some(exit)) => {
                health.unready(format!("commit {} is not in force as a whole", good.commit));
                (Ended::Failure, exit)
            }
            Ok(None) => {
                health.unready(format!("the documents of commit {} are wrong", good.commit));
                (Ended::Invalid, Exit::Failed)
            }
            Err(error) => {
                let told = format!("commit {}: {error:#}", good.commit);
                self.context.printer.complain(&format!("error: {told}"));
                health.unready(told);
                (Ended::Failure, Exit::Failed)
            }
        };
        metrics.ran(&Run {
            stack: &good.documents.stack,
            work: self.flags.work(),
            ended,
            took: clock.elapsed(),
            at: now() / 1000,
        });
        Ok(exit)
    }

    async fn run(&self, good: &Good, begun: i64, why: Why) -> anyhow::Result<Option<Exit>> {
        let Self { context, flags, .. } = self;
        let paths = [good.folder.clone()];
        let made = Planned::make(context, &paths, false, |wish, _| {
            wish.prune |= flags.prune;
            wish.adopt |= flags.adopt;
        });
        let Some(mut planned) = made.await? else {
            return Ok(None);
        };
        let metrics = &self.status.metrics;
        metrics.count(&planned.session.connection.calls);
        metrics.found(&good.documents.stack, &planned.plan);
        let drift = planned.plan.drift_only();
        let drifted = drift.changes.iter().filter(|c| c.action != Action::Unknown);
        let drifted = if why == Why::Interval {
            drifted.count()
        } else {
            0
        };
        let human = context.global.output == Output::Human;
        if human {
            let told = match why {
                Why::Commit => "new".to_owned(),
                Why::Interval if drifted > 0 => format!("{drifted} changed in AWS since"),
                Why::Interval => "as before".to_owned(),
            };
            context
                .printer
                .answer(&format!("commit {}: {told}\n", good.commit))?;
            context
                .printer
                .answer(&answer::plan(context, &planned, Wording::Plan)?)?;
        }
        let acts = planned.plan.changes.iter().any(Change::acts);
        let mut outcome = None;
        if flags.apply && acts {
            let done = under_lease(context, &mut planned, Asking::Unattended).await?;
            if human {
                let text = answer::outcome(context, &planned, &done.outcome, Wording::Plan)?;
                context.printer.answer(&text)?;
            }
            done.held()?;
            outcome = Some(done.outcome);
        }
        if !human {
            let line = line(good, begun, why, drifted, &planned, outcome.as_ref());
            context.printer.answer(&format!("{line}\n"))?;
        }
        Ok(Some(match outcome {
            Some(outcome) => {
                let ended = exit(&planned.plan, &outcome);
                if ended == Exit::Ok {
                    // What was done is as declared: each change was read back.
                    metrics.found(&good.documents.stack, &in_sync(&planned));
                }
                ended
            }
            None if planned.plan.count(Action::Unknown) > 0 => Exit::Failed,
            None if flags.apply && planned.plan.count(Action::Blocked) > 0 => Exit::Failed,
            None => Exit::Ok,
        }))
    }
}

/// Loads the documents of a commit; those that are wrong are told at length, and in short.
fn documents(context: &Context, folder: &Path) -> Result<Documents, String> {
    let loaded = load::load(&[folder.to_owned()], &kinds::specs());
    let loaded = loaded.map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
    if !loaded.report.is_ok() {
        let (report, sources) = (&loaded.report, &loaded.sources);
        let told = render::diagnostics::human(report, sources, context.printer.color_err);
        context.printer.complain(&told);
        return Err(render::diagnostics::summary(report));
    }
    let stack = loaded.stack.as_ref();
    Ok(Documents {
        stack: stack_name(&loaded),
        interval: stack.and_then(|stack| stack.interval),
        suspend: stack.is_some_and(|stack| stack.suspend),
    })
}

/// Returns a plan of which nothing is left to do.
fn in_sync(planned: &Planned) -> crate::model::plan::Plan {
    let plan = &planned.plan;
    let stays = |change: &&Change| change.desired.is_some();
    crate::model::plan::Plan {
        stack: plan.stack.clone(),
        unchanged: plan.unchanged + plan.changes.iter().filter(stays).count(),
        ..crate::model::plan::Plan::default()
    }
}

/// One line for programs.
fn line(
    good: &Good,
    begun: i64,
    why: Why,
    drifted: usize,
    planned: &Planned,
    outcome: Option<&Outcome>,
) -> Value {
    let plan = match outcome {
        Some(outcome) => render::json::applied(&planned.plan, outcome),
        None => render::json::plan(&planned.plan),
    };
    json!({
        "version": render::json::VERSION,
        "commit": good.commit.id(),
        "because": match why { Why::Commit => "commit", Why::Interval => "interval" },
        "begun": begun,
        "drift": drifted,
        "plan": plan,
    })
}

/// Returns the time, in milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
