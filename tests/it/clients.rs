//! AWS's own clients against the simulated AWS: boto3 for every operation of every service, the AWS CLI, and both beside
//! this program on one account. What goes over the wire is checked against AWS's published models on the way.
//!
//! The clients are Python programs: `tests/clients`. They run in a virtual environment that is made on first use.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stationbill");
/// The organization of the parts that have one.
const ORGANIZATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/organization.yaml");
/// Set to `1`, it leaves these tests out, for machines without Python or without a network.
const SKIP: &str = "STATIONBILL_SKIP_CLIENTS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{command:?}: {e}"))?;
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{command:?}: {}\n{text}", output.status))
    }
}

/// Says whether somebody left AWS's clients out.
pub(crate) fn skipped() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch for machines without Python"
    )]
    let skip = std::env::var(SKIP);
    skip.is_ok_and(|value| value == "1")
}

/// Returns the Python that has the clients; makes its environment when there is none of these requirements yet.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let requirements = folder().join("requirements.txt");
        let system = output(Command::new("python3").arg("--version")).unwrap_or_else(|error| {
            panic!(
                "the clients of AWS in these tests need Python 3.11 or later with the module venv \
                 (Debian: apt-get install python3-venv); {SKIP}=1 leaves them out\n{error}"
            )
        });
        let mut key = Sha256::new();
        key.update(fs::read(&requirements).unwrap());
        key.update(&system);
        let key = key.finalize();
        let key = u64::from_be_bytes(*key.first_chunk().unwrap());
        let environment =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("aws-clients-{key:016x}"));
        let python = environment.join("bin/python");
        // Two runs of the tests at once: the second waits for the first's environment.
        let lock = File::create(environment.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let complete = environment.join("complete");
        if !complete.exists() {
            let hint = "the clients of AWS could not be installed";
            let make = ["-m", "venv", "--clear"];
            output(Command::new("python3").args(make).arg(&environment))
                .unwrap_or_else(|error| panic!("{hint}; {SKIP}=1 leaves them out\n{error}"));
            let install = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ];
            output(Command::new(&python).args(install).arg(&requirements))
                .unwrap_or_else(|error| panic!("{hint}; {SKIP}=1 leaves them out\n{error}"));
            File::create(complete).unwrap();
        }
        python
    })
}

/// A running `stationbill sandbox`, ended when dropped.
struct Sandbox {
    process: Child,
    url: String,
    state: tempfile::TempDir,
}

impl Sandbox {
    fn start(options: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut process = Command::new(PROGRAM)
            .arg("sandbox")
            .args(options)
            .arg("--state")
            .arg(state.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        Self {
            process,
            url: url.trim().to_owned(),
            state,
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Runs one part of `tests/clients` against a sandbox of its own.
fn part(name: &str, options: &[&str]) {
    if skipped() {
        return;
    }
    let python = python();
    let sandbox = Sandbox::start(options);
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    command
        .arg(folder().join("run.py"))
        .arg(name)
        .current_dir(scratch.path())
        .env("AWS_ENDPOINT_URL", &sandbox.url)
        .env("AWS_ACCESS_KEY_ID", "111122223333")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("STATIONBILL", PROGRAM)
        .env("STATIONBILL_STATE", sandbox.state.path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Err(error) = output(&mut command) {
        panic!("{error}");
    }
}

/// Has a folder of recorded exchanges judged.
pub(crate) fn judge(exchanges: &Path) {
    let mut command = Command::new(python());
    command
        .arg(folder().join("judge.py"))
        .arg(exchanges)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Err(error) = output(&mut command) {
        panic!("{error}");
    }
}

#[test]
fn sts_answers_boto3_and_no_service_is_left_out() {
    part("accounts", &["--quotas", "off"]);
}

#[test]
fn an_organization_answers_boto3_and_the_aws_cli() {
    part(
        "organization",
        &["--quotas", "off", "--organization", ORGANIZATION],
    );
}

#[test]
fn cloudwatch_answers_boto3_in_each_protocol() {
    part("cloudwatch", &["--quotas", "off"]);
}

#[test]
fn contacts_answer_boto3() {
    part("contacts", &["--quotas", "off"]);
}

#[test]
fn incidents_answer_boto3() {
    part("incidents", &["--quotas", "off"]);
}

#[test]
fn systems_manager_answers_boto3() {
    part("systems_manager", &["--quotas", "off"]);
}

#[test]
fn security_hub_answers_boto3() {
    part("security_hub", &["--quotas", "off"]);
}

#[test]
fn security_hub_of_an_organization_answers_boto3_and_the_aws_cli() {
    part(
        "security_hub_organization",
        &["--quotas", "off", "--organization", ORGANIZATION],
    );
}

#[test]
fn every_family_answers_the_aws_cli() {
    part("command_line", &["--quotas", "off"]);
}

#[test]
fn an_aws_that_others_wrote_is_kept_in_order_too() {
    part("moto", &["--quotas", "off"]);
}

#[test]
fn the_banana_stand_is_broken_by_the_aws_cli_found_and_repaired() {
    part("banana_stand", &["--quotas", "documented"]);
}
