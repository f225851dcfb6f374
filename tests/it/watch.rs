//! `watch`: AWS is as the newest good commit declares, whatever happens on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::Value;
use stationbill::model::plan::Plan;
use stationbill::service::{Ended, Metrics, Run, Work};

use crate::changed_since::Repository;
use crate::support::http_get;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stationbill");

/// A simulated AWS, a repository, and a watcher between them.
struct Scene {
    folder: tempfile::TempDir,
    repository: Repository,
    sandbox: Child,
    url: String,
    /// What watchers wrote to stdout, line by line, one after the other.
    answers: Arc<Mutex<Vec<String>>>,
    /// What they wrote to stderr.
    said: Arc<Mutex<Vec<String>>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.sandbox.kill().ok();
        self.sandbox.wait().ok();
    }
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::new(&folder.path().join("origin"));
        let mut sandbox = Command::new(PROGRAM)
            .args(["sandbox", "--quotas", "off"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut out = BufReader::new(sandbox.stdout.take().unwrap());
        out.read_line(&mut url).unwrap();
        Self {
            folder,
            repository,
            sandbox,
            url: url.trim().to_owned(),
            answers: Arc::default(),
            said: Arc::default(),
            readers: Vec::new(),
        }
    }

    fn program(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(self.folder.path())
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "111122223333")
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .env("AWS_REGION", "eu-west-1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }

    fn origin(&self) -> String {
        format!("file://{}", self.repository.0.display())
    }

    fn watch(&mut self, flags: &[&str]) -> Child {
        let mut child = self
            .program()
            .args(["watch", "--git", &self.origin(), "--path", "ops"])
            .args(["--state", "state", "--output", "json"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (answers, said) = (Arc::clone(&self.answers), Arc::clone(&self.said));
        self.readers
            .push(thread::spawn(move || collect(out, &answers)));
        self.readers
            .push(thread::spawn(move || collect(err, &said)));
        child
    }

    fn answers(&self) -> Vec<Value> {
        let lines = self.answers.lock().unwrap();
        let read = |line: &String| serde_json::from_str(line).ok();
        lines.iter().filter_map(read).collect()
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    fn write(&self, estate: &BTreeMap<usize, usize>) {
        let ops = self.repository.0.join("ops");
        fs::remove_dir_all(&ops).ok();
        fs::create_dir_all(&ops).unwrap();
        fs::write(
            ops.join("stack.yaml"),
            "apiVersion: stationbill.dev/v1alpha1\nkind: Stack\nmetadata: { name: shop }\nspec: { prune: true }\n",
        )
        .unwrap();
        for (name, edit) in estate {
            let document = format!(
                "apiVersion: stationbill.dev/v1alpha1\nkind: Dashboard\nmetadata: {{ name: one-{name} }}\nspec:\n  body:\n    \
                 widgets:\n      - {{ type: text, x: 0, y: 0, width: 6, height: 3, properties: {{ markdown: edit {edit} }} }}\n"
            );
            fs::write(ops.join(format!("one-{name}.yaml")), document).unwrap();
        }
    }

    /// What the last good commit leaves to do.
    fn left(&self) -> (Option<i32>, String) {
        let output = self
            .program()
            .args(["plan", "--exit-code", "--output", "json"])
            .arg(self.repository.0.join("ops"))
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }

    /// Waits until something is so; fails after a time that no machine needs.
    fn wait(&self, what: &str, mut is: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is(self) {
            let late = began.elapsed() > Duration::from_mins(2);
            assert!(!late, "{what}\n{}\n{:#?}", self.said(), self.answers());
            thread::sleep(Duration::from_millis(30));
        }
    }
}

fn collect(from: impl std::io::Read, into: &Mutex<Vec<String>>) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        into.lock().unwrap().push(line);
    }
}

fn terminate(child: &mut Child) -> Option<i32> {
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    child.wait().unwrap().code()
}

fn commit_of(answer: &Value) -> &str {
    answer["commit"].as_str().unwrap()
}

/// How long a commit waits for its next turn in the long run below, in milliseconds.
const INTERVAL: u64 = 1_500;

#[test]
fn killed_at_random_it_ends_with_the_last_good_commit_and_never_works_twice_in_an_interval() {
    let mut scene = Scene::new();
    let mut rng = Rng::with_seed(11);
    let mut estate: BTreeMap<usize, usize> = (0..3).map(|name| (name, 0)).collect();
    scene.write(&estate);
    scene.repository.commit("begin");
    let interval = format!("{INTERVAL}ms");
    let flags = ["--apply", "--interval", &interval, "--poll", "100ms"];
    let mut watcher = scene.watch(&flags);
    let mut bad: BTreeSet<String> = BTreeSet::new();
    let mut last_is_good = true;
    let away = scene.folder.path().join("away");
    for step in 0..40 {
        match rng.usize(..10) {
            0..=2 => {
                estate.insert(rng.usize(..6), step);
                scene.write(&estate);
                scene.repository.commit("edit");
                last_is_good = true;
            }
            3 => {
                estate.pop_last();
                scene.write(&estate);
                scene.repository.commit("remove");
                last_is_good = true;
            }
            4 => {
                // A force-push: the last commit is replaced by another one.
                estate.insert(rng.usize(..6), step + 1_000);
                scene.write(&estate);
                scene.repository.git(&["add", "--all"]);
                scene
                    .repository
                    .git(&["commit", "--quiet", "--amend", "--message", "amend"]);
                last_is_good = true;
            }
            5 => {
                fs::write(
                    scene.repository.0.join("ops/broken.yaml"),
                    "kind: [\napiVersion: stationbill.dev/v1alpha1",
                )
                .unwrap();
                bad.insert(scene.repository.commit("break"));
                last_is_good = false;
            }
            6 | 7 => {
                watcher.kill().unwrap();
                watcher.wait().unwrap();
                watcher = scene.watch(&flags);
            }
            8 => {
                fs::rename(&scene.repository.0, &away).unwrap();
                thread::sleep(Duration::from_millis(rng.u64(..400)));
                fs::rename(&away, &scene.repository.0).unwrap();
            }
            _ => {}
        }
        thread::sleep(Duration::from_millis(rng.u64(..700)));
    }
    if !last_is_good {
        scene.write(&estate);
        scene.repository.commit("mend");
    }
    let head = scene.repository.git(&["rev-parse", "HEAD"]);
    scene.wait("the last commit is in force", |scene| {
        let answers = scene.answers();
        let ended = |answer: &Value| {
            commit_of(answer) == head && answer["plan"]["changes"] == Value::Array(Vec::new())
        };
        answers.iter().any(ended)
    });
    assert_eq!(terminate(&mut watcher), Some(0));
    for reader in std::mem::take(&mut scene.readers) {
        reader.join().unwrap();
    }
    let (code, left) = scene.left();
    assert_eq!(code, Some(0), "{left}");

    let mut turns: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for answer in scene.answers() {
        let turn = turns.entry(commit_of(&answer).to_owned()).or_default();
        turn.push(answer["begun"].as_i64().unwrap());
    }
    for (commit, begun) in &turns {
        assert!(!bad.contains(commit), "a broken commit was taken up");
        let least = i64::try_from(INTERVAL).unwrap();
        let close = begun.windows(2).find(|pair| pair[1] - pair[0] < least);
        assert_eq!(close, None, "{commit} was taken up too often");
    }
    assert!(turns.len() > 5, "{turns:?}");
    assert!(
        bad.is_empty() || scene.said().contains("stays in force"),
        "{}",
        scene.said()
    );
}

fn get(address: &str, path: &str) -> String {
    match TcpStream::connect(address) {
        Ok(stream) => http_get(stream, path),
        Err(_) => String::new(),
    }
}

#[test]
fn it_reports_drift_and_tells_of_itself() {
    let mut scene = Scene::new();
    scene.write(&BTreeMap::from([(0, 0), (1, 0)]));
    scene.repository.commit("begin");
    let listen = ["--listen", "127.0.0.1:0", "--poll", "100ms"];
    let mut watcher = scene.watch(&[&["--apply", "--interval", "1s"][..], &listen].concat());
    scene.wait("it applies", |scene| !scene.answers().is_empty());
    let first = &scene.answers()[0];
    assert_eq!(
        (&first["because"], &first["plan"]["applied"]["done"]),
        (&"commit".into(), &2.into())
    );
    let said = scene.said();
    let address = said
        .lines()
        .find_map(|line| line.strip_prefix("metrics on http://"));
    let address = address.unwrap().trim_end_matches("/metrics").to_owned();
    // Told last of all that a run comes to.
    let ran =
        r#"stationbill_run_duration_seconds_count{stack="shop",work="apply",ended="success"}"#;
    scene.wait("its run is counted", |_| {
        get(&address, "/metrics").contains(ran)
    });
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = get(&address, "/metrics");
    for line in [
        r#"stationbill_objects{stack="shop",state="in_sync"} 2"#,
        r#"stationbill_source_current{stack="shop"} 1"#,
        r#"stationbill_aws_calls_total{service="monitoring",operation="PutDashboard"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }

    // Somebody deletes what is declared: reported, and set back.
    let documents = scene.repository.0.join("ops/one-0.yaml");
    let gone = scene.folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    fs::copy(
        scene.repository.0.join("ops/stack.yaml"),
        gone.join("stack.yaml"),
    )
    .unwrap();
    fs::copy(documents, gone.join("one-0.yaml")).unwrap();
    // Under its lease the watcher may be at work: try until it is not.
    scene.wait("it is deleted", |scene| {
        let destroy = scene
            .program()
            .args(["destroy", "--yes", "--name", "one-0"])
            .arg(&gone)
            .output();
        destroy.unwrap().status.success()
    });
    scene.wait("drift is reported", |scene| {
        scene.answers().iter().any(|answer| {
            answer["because"] == "interval"
                && answer["drift"] == 1
                && answer["plan"]["applied"]["done"] == 1
        })
    });

    // A broken commit is told, and the last good one stays in force.
    fs::write(
        scene.repository.0.join("ops/two.yaml"),
        "apiVersion: stationbill.dev/v1alpha1\nkind: Dashbord\n",
    )
    .unwrap();
    scene.repository.commit("break");
    scene.wait("it is told", |scene| {
        scene.said().contains("is not taken up")
    });
    assert!(scene.said().contains("ops/two.yaml:2"), "{}", scene.said());
    let metrics = get(&address, "/metrics");
    assert!(
        metrics.contains(r#"stationbill_source_current{stack="shop"} 0"#),
        "{metrics}"
    );
    let before = scene.answers().len();
    scene.wait("it goes on", |scene| scene.answers().len() > before + 1);

    // A repository that is away is told, and it goes on as well.
    let away = scene.folder.path().join("away");
    fs::rename(&scene.repository.0, &away).unwrap();
    scene.wait("it is told", |scene| scene.said().contains("out of reach"));
    let before = scene.answers().len();
    scene.wait("it goes on", |scene| scene.answers().len() > before);
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(terminate(&mut watcher), Some(0));

    // Started again without its repository, it still has the last good commit.
    let before = scene.answers().len();
    let mut watcher = scene.watch(&["--plan", "--interval", "1s", "--poll", "100ms"]);
    scene.wait("it plans", |scene| scene.answers().len() > before);
    assert_eq!(scene.answers()[before]["plan"]["summary"]["unchanged"], 2);
    assert_eq!(terminate(&mut watcher), Some(0));
}

#[test]
fn every_metric_is_documented() {
    let page = include_str!("../../docs/watch.md");
    let metrics = Metrics::default();
    metrics.found("shop", &Plan::default());
    metrics.source("shop", true);
    metrics.ran(&Run {
        stack: "shop",
        work: Work::Plan,
        ended: Ended::Success,
        took: Duration::from_secs(1),
        at: 0,
    });
    let text = metrics.text();
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// Makes a key that signs commits.
pub(crate) fn key(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    file
}

#[test]
fn only_signed_commits_are_taken_up_when_that_is_asked_for() {
    let mut scene = Scene::new();
    let folder = scene.folder.path().to_owned();
    let (good, other) = (key(&folder, "good"), key(&folder, "other"));
    let public = fs::read_to_string(good.with_extension("pub")).unwrap();
    fs::write(
        folder.join("signers"),
        format!("barry@example.com {public}"),
    )
    .unwrap();
    let commit = |scene: &Scene, edit: usize, key: Option<&Path>| {
        scene.write(&BTreeMap::from([(0, edit)]));
        scene.repository.git(&["add", "--all"]);
        let mut args = vec!["-c".to_owned(), "gpg.format=ssh".to_owned()];
        if let Some(key) = key {
            args.extend([
                "-c".to_owned(),
                format!("user.signingKey={}", key.display()),
            ]);
        }
        args.extend(["commit", "--quiet", "--message", "edit"].map(str::to_owned));
        if key.is_some() {
            args.push("--gpg-sign".to_owned());
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scene.repository.git(&args);
        scene.repository.git(&["rev-parse", "HEAD"])
    };
    let first = commit(&scene, 1, Some(&good));
    let mut watcher = scene.watch(&[
        "--apply",
        "--allowed-signers",
        "signers",
        "--interval",
        "1s",
        "--poll",
        "100ms",
    ]);
    scene.wait("it applies", |scene| !scene.answers().is_empty());
    let unsigned = commit(&scene, 2, None);
    scene.wait("it is told", |scene| {
        scene
            .said()
            .contains(&format!("commit {} is not signed", &unsigned[..12]))
    });
    let stranger = commit(&scene, 3, Some(&other));
    scene.wait("it is told", |scene| {
        scene
            .said()
            .contains(&format!("commit {} is not signed", &stranger[..12]))
    });
    let before = scene.answers().len();
    scene.wait("it goes on with the first", |scene| {
        scene.answers().len() > before + 1
    });
    assert!(
        scene
            .answers()
            .iter()
            .all(|answer| commit_of(answer) == first)
    );
    let last = commit(&scene, 4, Some(&good));
    scene.wait("the next signed one is taken up", |scene| {
        scene
            .answers()
            .iter()
            .any(|answer| commit_of(answer) == last)
    });
    assert_eq!(terminate(&mut watcher), Some(0));
}
