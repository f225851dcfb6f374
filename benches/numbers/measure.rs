//! Runs the program and the sandbox as processes, and takes their measure.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// What a run of the program took.
pub(crate) struct Run {
    pub(crate) seconds: f64,
    /// The seconds of processors that it took, which other work beside it changes less.
    pub(crate) cpu: f64,
    /// The most memory it had at once, in bytes.
    pub(crate) peak: u64,
    pub(crate) code: i32,
    /// What it wrote on both streams.
    pub(crate) told: String,
}

/// Returns the program, ready to act in a simulated AWS, and knowing nothing else of this machine.
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

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<Run> {
    let mut told = tempfile::tempfile()?;
    let (out, err) = (told.try_clone()?, told.try_clone()?);
    let before = cpu("self", OF_CHILDREN);
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()?;
    let (id, over, peak) = (child.id(), AtomicBool::new(false), AtomicU64::new(0));
    let (status, seconds) = std::thread::scope(|scope| {
        // The kernel keeps the maximum itself, and forgets it when the process ends: the last look may be 2 ms early.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(most_memory(&id.to_string()), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let status = child.wait();
        let seconds = began.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        (status, seconds)
    });
    let mut text = Vec::new();
    told.rewind()?;
    told.read_to_end(&mut text)?;
    Ok(Run {
        seconds,
        cpu: cpu("self", OF_CHILDREN) - before,
        peak: peak.into_inner(),
        code: status?.code().unwrap_or(-1),
        told: String::from_utf8_lossy(&text).into_owned(),
    })
}

/// Returns the most memory that a process had at once, in bytes; 0 when it is gone.
pub(crate) fn most_memory(process: &str) -> u64 {
    memory(process, "VmHWM:")
}

/// Returns the memory that this process has, in bytes.
pub(crate) fn own_memory() -> u64 {
    memory("self", "VmRSS:")
}

fn memory(process: &str, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let kib = found.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// Where `/proc/PID/stat` has the times, counted behind the name: in the program and in the kernel, of the process
/// itself, and of its children that ended and were waited for (proc(5)).
const ITS_OWN: [usize; 2] = [11, 12];
const OF_CHILDREN: [usize; 2] = [13, 14];

/// Returns the seconds of processors that this process took so far.
pub(crate) fn own_cpu() -> f64 {
    cpu("self", ITS_OWN)
}

/// Returns the seconds of processors that a process took.
fn cpu(process: &str, fields: [usize; 2]) -> f64 {
    /// Of Linux, on every platform that it tells times by.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before them may hold anything.
    let behind = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let all: Vec<f64> = behind
        .split(' ')
        .map(|field| field.trim().parse().unwrap_or_default())
        .collect();
    let ticks = fields.iter().filter_map(|at| all.get(*at)).sum::<f64>();
    ticks / TICKS_A_SECOND
}

/// A sandbox process.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    record: PathBuf,
}

/// One call as the sandbox recorded it.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) code: Option<String>,
}

impl Server {
    /// Serves the state in a folder.
    pub(crate) fn start(state: &Path, latency: &str, quotas: &str) -> Result<Self> {
        Self::with(state, latency, quotas, &[])
    }

    /// Serves the state in a folder, with further flags.
    pub(crate) fn with(
        state: &Path,
        latency: &str,
        quotas: &str,
        flags: &[&OsStr],
    ) -> Result<Self> {
        // What another process recorded of this state belongs to another run.
        let record = state.join("calls.jsonl");
        std::fs::remove_file(&record).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_stationbill"));
        command
            .args([
                "sandbox",
                "--latency",
                latency,
                "--quotas",
                quotas,
                "--state",
            ])
            .arg(state)
            .arg("--record")
            .arg(&record)
            .args(flags);
        let mut child = command.env_clear().stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        let out = child.stdout.take().context("no stdout")?;
        BufReader::new(out).read_line(&mut url)?;
        Ok(Self {
            child,
            url: url.trim().to_owned(),
            record,
        })
    }

    /// Returns the seconds of processors that it took so far.
    pub(crate) fn cpu(&self) -> f64 {
        cpu(&self.child.id().to_string(), ITS_OWN)
    }

    /// Returns the calls so far.
    pub(crate) fn calls(&self) -> Result<Vec<Call>> {
        let lines = BufReader::new(File::open(&self.record)?).lines();
        lines
            .map(|line| Ok(serde_json::from_str(&line?)?))
            .collect()
    }

    /// Does something, and returns with its result when the last call came that `counts`, in seconds from the beginning.
    pub(crate) fn last<T>(
        &self,
        counts: impl Fn(&Call) -> bool + Sync,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(T, f64)> {
        let mut record = BufReader::new(File::open(&self.record)?);
        let (began, over) = (Instant::now(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let watched = scope.spawn(|| -> Result<f64> {
                let (mut line, mut last) = (String::new(), 0.0);
                loop {
                    let ends = over.load(Ordering::Relaxed);
                    while record.read_line(&mut line)? > 0 && line.ends_with('\n') {
                        if counts(&serde_json::from_str(&line)?) {
                            last = began.elapsed().as_secs_f64();
                        }
                        line.clear();
                    }
                    if ends {
                        return Ok(last);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let result = work();
            over.store(true, Ordering::Relaxed);
            let last = watched.join();
            Ok((result?, last.ok().context("the record was not read")??))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
