//! `--changed-since`: a part of the whole plan, and all of what the change can affect.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use stationbill::aws::{Connector, connect};
use stationbill::cli::since;
use stationbill::engine::fleet::{Fleet, Rollout, Selection};
use stationbill::engine::secrets::Sources;
use stationbill::engine::{Breadth, Patience};
use stationbill::kinds::{self, Select};
use stationbill::load::changed::Concerned;
use stationbill::load::{Loaded, load};
use stationbill::model::plan::{Change, Plan, Wish, plan};
use stationbill::sandbox::{Enforce, Options, Sandbox};
use tokio_util::sync::CancellationToken;

/// How many commits the history has.
const COMMITS: usize = 100;

/// A Git repository in a folder.
pub(crate) struct Repository(pub(crate) PathBuf);

impl Repository {
    pub(crate) fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let repository = Self(folder.to_owned());
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repository
    }

    /// Calls `git`, whatever this machine's own settings are.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Barry")
            .env("GIT_AUTHOR_EMAIL", "barry@example.com")
            .env("GIT_COMMITTER_NAME", "Barry")
            .env("GIT_COMMITTER_EMAIL", "barry@example.com")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// The documents of a history, as they are meant to be now.
struct Estate {
    rng: Rng,
    contacts: BTreeSet<usize>,
    schedules: BTreeSet<usize>,
    plans: BTreeSet<usize>,
    dashboards: BTreeSet<usize>,
    baselines: BTreeSet<usize>,
    /// What makes a text another one.
    edits: usize,
    texts: std::collections::BTreeMap<String, usize>,
    next: usize,
    tier: usize,
    other: usize,
    regions: usize,
    concurrency: usize,
    deletes: usize,
}

impl Estate {
    fn new(seed: u64) -> Self {
        let mut estate = Self {
            rng: Rng::with_seed(seed),
            contacts: (0..4).collect(),
            schedules: (0..2).collect(),
            plans: (0..2).collect(),
            dashboards: (0..3).collect(),
            baselines: (0..2).collect(),
            edits: 0,
            texts: std::collections::BTreeMap::new(),
            next: 10,
            tier: 0,
            other: 0,
            regions: 1,
            concurrency: 3,
            deletes: 50,
        };
        estate.next = 10;
        estate
    }

    fn text(&self, of: &str) -> usize {
        self.texts.get(of).copied().unwrap_or(0)
    }

    /// One thing that a person would do.
    fn step(&mut self) -> &'static str {
        self.edits += 1;
        let pick = |rng: &mut Rng, from: &BTreeSet<usize>| {
            let all: Vec<usize> = from.iter().copied().collect();
            rng.choice(all).unwrap_or(0)
        };
        let what = self.rng.usize(..16);
        let edit = |this: &mut Self, key: String| {
            let edits = this.edits;
            this.texts.insert(key, edits);
        };
        match what {
            0 | 1 => {
                let one = pick(&mut self.rng, &self.contacts);
                edit(self, format!("contact-{one}"));
                "edit a contact"
            }
            2 => {
                let one = pick(&mut self.rng, &self.plans);
                edit(self, format!("plan-{one}"));
                "edit an escalation plan"
            }
            3 => {
                let one = pick(&mut self.rng, &self.dashboards);
                edit(self, format!("body-{one}"));
                "edit the file of a dashboard"
            }
            4 => {
                let one = pick(&mut self.rng, &self.baselines);
                edit(self, format!("baseline-{one}"));
                "edit a baseline"
            }
            5 => {
                self.contacts.insert(self.next);
                self.next += 1;
                "add a contact"
            }
            6 => {
                self.plans.insert(self.next);
                self.next += 1;
                "add an escalation plan"
            }
            7 => {
                self.dashboards.insert(self.next);
                self.next += 1;
                "add a dashboard"
            }
            8 => {
                if let Some(one) = self.plans.last().copied().filter(|_| self.plans.len() > 1) {
                    self.plans.remove(&one);
                }
                "remove an escalation plan"
            }
            9 => {
                if let Some(one) = self.dashboards.pop_first() {
                    self.dashboards.insert(one + 100);
                }
                "rename a dashboard"
            }
            10 => {
                if let Some(one) = self.contacts.last().copied().filter(|one| *one > 3) {
                    self.contacts.remove(&one);
                }
                "remove a contact"
            }
            11 => {
                self.tier += 1;
                "change a variable"
            }
            12 => {
                self.other += 1;
                "change a file that no document reads"
            }
            13 if self.rng.usize(..3) == 0 => {
                self.regions = 3 - self.regions;
                "change the regions of a Target"
            }
            14 => {
                self.concurrency += 1;
                "change how fast a Target goes"
            }
            15 if self.rng.usize(..4) == 0 => {
                self.deletes += 1;
                "change the Stack"
            }
            _ => {
                let one = pick(&mut self.rng, &self.schedules);
                edit(self, format!("schedule-{one}"));
                "edit a schedule"
            }
        }
    }

    fn write(&self, folder: &Path) {
        empty(folder);
        let head = |kind: &str, name: &str| {
            format!(
                "apiVersion: stationbill.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: {name} }}\n"
            )
        };
        let put = |file: String, text: String| {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let regions = ["eu-west-1", "us-east-1"][..self.regions].join(", ");
        put(
            "stack.yaml".to_owned(),
            format!(
                "{}spec: {{ prune: true, targets: [hub], limits: {{ deletes: {} }} }}\n---\n{}spec:\n  regions: [{regions}]\n  \
                 concurrency: {}\n  variables: {{ tier: gold-{}, calm: yes }}\n---\n{}spec:\n  accounts: [\"444455556666\"]\n  \
                 regions: [eu-west-1]\n  role: {{ name: stationbill }}\n  variables: {{ tier: silver, calm: no }}\n",
                head("Stack", "shop"),
                self.deletes,
                head("Target", "hub"),
                self.concurrency,
                self.tier,
                head("Target", "branch"),
            )
            .replace("yes", "\"yes\"")
            .replace("calm: no", "calm: \"no\""),
        );
        put(
            "replication-set.yaml".to_owned(),
            format!(
                "{}spec:\n  regions: [{{ name: eu-west-1 }}]\n",
                head("ReplicationSet", "incidents")
            ),
        );
        put("README.md".to_owned(), format!("edit {}\n", self.other));
        for one in &self.contacts {
            let title = self.text(&format!("contact-{one}"));
            put(
                format!("people/contact-{one}.yaml"),
                format!(
                    "{}spec:\n  lifecycle: {{ onDelete: delete }}\n  displayName: Person {one} {title}\n  channels:\n    mail: \
                     {{ type: EMAIL, address: {{ value: person-{one}@example.com }} }}\n  stages:\n    - \
                     durationMinutes: 5\n      notify: [{{ channel: mail }}]\n",
                    head("Contact", &format!("person-{one}")),
                ),
            );
        }
        let people: Vec<usize> = self.contacts.iter().copied().collect();
        for one in &self.plans {
            let title = self.text(&format!("plan-{one}"));
            let person = people[(one + title) % people.len()];
            put(
                format!("plans/plan-{one}.yaml"),
                format!(
                    "{}spec:\n  displayName: Plan {title}\n  stages:\n    - durationMinutes: 5\n      engage: [{{ contact: \
                     {{ ref: person-{person} }} }}]\n",
                    head("EscalationPlan", &format!("plan-{one}")),
                ),
            );
        }
        for one in &self.dashboards {
            let (title, targets) = match one % 3 {
                0 => ("${target.vars.tier}", "\n  targets: [hub, branch]"),
                1 => ("${target.vars.calm}", ""),
                _ => ("plain", "\n  targets: [branch]"),
            };
            put(
                format!("dashboards/dashboard-{one}.yaml"),
                format!(
                    "{}spec:{targets}\n  bodyFrom: {{ file: ../bodies/{one}.json }}\n",
                    head("Dashboard", &format!("dashboard-{one}")),
                ),
            );
            let edit = self.text(&format!("body-{one}"));
            put(
                format!("bodies/{one}.json"),
                format!(
                    "{{\"widgets\": [{{\"type\": \"text\", \"x\": 0, \"y\": 0, \"width\": 6, \"height\": 3, \
                     \"properties\": {{\"markdown\": \"{title} {edit}\"}}}}]}}\n"
                ),
            );
        }
        for one in self.baselines.iter().chain(&self.schedules) {
            let edit =
                self.text(&format!("baseline-{one}")) + self.text(&format!("schedule-{one}"));
            put(
                format!("patches/baseline-{one}.yaml"),
                format!(
                    "{}spec:\n  targets: [hub, branch]\n  operatingSystem: AMAZON_LINUX_2\n  description: edit {edit}\n",
                    head("PatchBaseline", &format!("baseline-{one}")),
                ),
            );
        }
    }
}

/// Removes everything but the repository.
fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != ".git") {
            if path.is_dir() {
                fs::remove_dir_all(&path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
        }
    }
}

/// Everything that a plan says of a change.
fn whole(change: &Change) -> String {
    format!("{change:?}")
}

struct Run {
    sandbox: Arc<Sandbox>,
}

/// A plan, and what is needed to carry it out.
struct Look {
    fleet: Fleet,
    world: stationbill::engine::World,
    desired: stationbill::model::plan::Desired,
    wish: Wish,
    plan: Plan,
    calls: u64,
}

impl Run {
    /// Plans as the command does, for everything or for what is concerned.
    async fn look(&self, mut loaded: Loaded, concerned: Option<&Concerned>) -> Look {
        let connector = Connector {
            sandbox: Some(self.sandbox.clone()),
            region: Some("eu-west-1".to_owned()),
            ..Connector::default()
        };
        let connection = connect(&connector).await.unwrap();
        let mut wish = Wish {
            prune: true,
            ..Wish::default()
        };
        let mut selection = Selection::default();
        if let Some(Concerned::Some { scope, targets }) = concerned {
            wish.scope = Some(scope.clone());
            selection.concerned = Some(targets.clone());
        }
        let fleet = Box::pin(Fleet::find(&connection, &loaded, &selection));
        let fleet = fleet.await.unwrap();
        let kinds = wish
            .scope
            .as_ref()
            .map(|scope| scope.kinds(&kinds::specs()));
        if let Some(kinds) = &kinds {
            loaded
                .objects
                .retain(|object| kinds.contains(&object.address.kind));
        }
        let sources = Sources::Machine(Arc::new(|_| None));
        let mut desired = fleet.desired("shop", &loaded, &sources).await;
        desired.kinds = kinds;
        let world = fleet.world(Patience {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(20),
            limit: Duration::from_mins(1),
        });
        let observed = fleet.observe(&world, &desired, Breadth::Owned, &|_| {});
        let observed = observed.await;
        let plan = plan(&desired, &observed, &kinds::specs(), &wish);
        Look {
            fleet,
            world,
            desired,
            wish,
            plan,
            calls: connection.calls.total(),
        }
    }

    /// Somebody deletes a dashboard behind our back.
    async fn drift(&self, look: &Look, rng: &mut Rng) {
        let aws = look.world.places.values().next().unwrap();
        let kind = kinds::find("Dashboard").unwrap();
        let live = kind.list(aws, &Select::Everything).await.unwrap();
        if let Some(one) = rng.choice(&live) {
            kind.delete(aws, one).await.unwrap();
        }
    }
}

impl Look {
    async fn apply(&self) {
        let rollout = Rollout {
            plan: &self.plan,
            world: &self.world,
            desired: &self.desired,
            wish: &self.wish,
            max_failures: None,
        };
        let cancel = CancellationToken::new();
        let outcome = self.fleet.apply(&rollout, &|_| {}, &cancel).await;
        assert_eq!(outcome.failed(), 0, "{outcome:?}");
    }

    fn changes(&self) -> BTreeSet<String> {
        self.plan.changes.iter().map(whole).collect()
    }
}

fn documents(folder: &Path) -> Loaded {
    let loaded = load(&[folder.to_owned()], &kinds::specs()).unwrap();
    assert!(loaded.report.is_ok(), "{:?}", loaded.report.diagnostics);
    loaded
}

/// What a change plan says that another does not, by object.
fn differing(then: &Plan, now: &Plan) -> BTreeSet<String> {
    let told = |plan: &Plan| -> BTreeSet<(String, String)> {
        let changes = plan.changes.iter();
        changes.map(|c| (c.address.to_string(), whole(c))).collect()
    };
    let (then, now) = (told(then), told(now));
    let both = then.symmetric_difference(&now);
    both.map(|(object, _)| object.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_whole_plan_as_far_as_the_change_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (here, then) = (folder.path().join("here"), folder.path().join("then"));
    fs::create_dir_all(&then).unwrap();
    let repository = Repository::new(&here);
    let options = Options {
        quotas: Enforce::Off,
        ..Options::default()
    };
    let run = Run {
        sandbox: Sandbox::open(options).unwrap(),
    };
    let mut estate = Estate::new(7);
    estate.write(&here);
    repository.commit("begin");
    run.look(documents(&here), None).await.apply().await;
    let mut saved = (0, 0);
    let (mut narrowed, mut empty) = (0, 0);
    for number in 1..=COMMITS {
        estate.write(&then);
        let mut messages = Vec::new();
        for _ in 0..=estate.rng.usize(..2) {
            messages.push(estate.step());
        }
        estate.write(&here);
        repository.commit(&messages.join(", "));
        let loaded = documents(&here);
        let paths = [here.clone()];
        let concerned = since::find("HEAD~1", &paths, &loaded).await.unwrap();
        let full = run.look(loaded, None).await;
        let before = run.look(documents(&then), None).await;
        let some = run.look(documents(&here), Some(&concerned)).await;
        let told = format!("commit {number}: {messages:?}: {concerned:?}");

        // Nothing but the whole plan's, and each change as it is there.
        let (all, part) = (full.changes(), some.changes());
        let strange: Vec<&String> = part.difference(&all).collect();
        assert!(
            strange.is_empty(),
            "{told}\nnot in the whole plan: {strange:#?}"
        );
        // Whatever the commit made another is in it.
        let differing = differing(&before.plan, &full.plan);
        let lost: Vec<String> = full
            .plan
            .changes
            .iter()
            .filter(|change| differing.contains(&change.address.to_string()))
            .map(whole)
            .filter(|change| !part.contains(change))
            .collect();
        assert!(lost.is_empty(), "{told}\nleft out: {lost:#?}");
        if let Concerned::Some { scope, .. } = &concerned {
            let missing = differing.iter().find(|name| {
                let gone = !full
                    .plan
                    .changes
                    .iter()
                    .any(|c| c.address.to_string() == **name);
                !gone && !scope.objects.contains(*name) && !scope.undeclared
            });
            assert_eq!(missing, None, "{told}");
            narrowed += 1;
            empty += usize::from(scope.objects.is_empty());
            saved = (saved.0 + some.calls, saved.1 + full.calls);
        } else {
            assert_eq!(all, part, "{told}");
        }
        match estate.rng.usize(..6) {
            0 | 1 => full.apply().await,
            2 => some.apply().await,
            3 => run.drift(&full, &mut estate.rng).await,
            _ => {}
        }
    }
    // It is worth something, and the history had something of everything.
    assert!(narrowed > COMMITS * 2 / 3, "{narrowed}");
    assert!(empty > 3, "{empty}");
    assert!(saved.0 * 10 < saved.1 * 8, "{saved:?}");
}

/// Runs the program over the documents of a folder, and returns its answer.
fn stationbill(folder: &Path, args: &[&str]) -> (Option<i32>, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stationbill"))
        .args(args)
        .args(["--sandbox=.sandbox", "--output", "json"])
        .current_dir(folder)
        .env("AWS_REGION", "eu-west-1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), answer, said)
}

const DASHBOARD: &str = "apiVersion: stationbill.dev/v1alpha1
kind: Dashboard
metadata: { name: NAME }
spec:
  body:
    widgets:
      - { type: text, x: 0, y: 0, width: 6, height: 3, properties: { markdown: TEXT } }
";

fn dashboard(folder: &Path, name: &str, text: &str) {
    let document = DASHBOARD.replace("NAME", name).replace("TEXT", text);
    fs::write(folder.join(format!("{name}.yaml")), document).unwrap();
}

fn objects(answer: &Value) -> Vec<String> {
    let changes = answer["changes"].as_array().unwrap().iter();
    changes
        .map(|change| {
            format!(
                "{} {}",
                change["action"].as_str().unwrap(),
                change["object"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn every_command_that_plans_takes_it_and_a_saved_plan_remembers_it() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path());
    let here = folder.path();
    fs::write(here.join(".gitignore"), ".sandbox\n.plan.json\n").unwrap();
    dashboard(here, "one", "a");
    dashboard(here, "two", "a");
    repository.commit("begin");
    let (code, ..) = stationbill(here, &["apply", "--yes"]);
    assert_eq!(code, Some(0));
    // Never applied, and older than what is asked about.
    dashboard(here, "two", "b");
    repository.commit("older");
    dashboard(here, "one", "b");
    let (_, answer, said) = stationbill(here, &["plan", "--changed-since", "HEAD"]);
    assert_eq!(objects(&answer), ["update Dashboard/one"]);
    assert!(said.contains("1 of 2 objects are concerned"), "{said}");
    let (_, answer, _) = stationbill(here, &["plan", "--changed-since", "HEAD~1"]);
    assert_eq!(
        objects(&answer),
        ["update Dashboard/one", "update Dashboard/two"]
    );

    // Deleted documents count, when whoever plans prunes.
    fs::remove_file(here.join("one.yaml")).unwrap();
    let since = ["--changed-since", "HEAD", "--prune"];
    let (_, answer, said) = stationbill(
        here,
        &[&["plan", "--out", ".plan.json"][..], &since].concat(),
    );
    assert_eq!(objects(&answer), ["delete Dashboard/one"]);
    assert!(
        said.contains("and 1 that no document declares any more"),
        "{said}"
    );
    let (code, _, said) = stationbill(
        here,
        &["apply", ".plan.json", "--yes", "--changed-since", "HEAD"],
    );
    assert_eq!(code, Some(2));
    assert!(said.contains("--changed-since"), "{said}");
    let (code, answer, said) = stationbill(here, &["apply", ".plan.json", "--yes"]);
    assert_eq!(
        (code, answer["applied"]["done"].as_u64()),
        (Some(0), Some(1)),
        "{said}"
    );
    let (_, answer, _) = stationbill(here, &["plan", "--prune"]);
    assert_eq!(objects(&answer), ["update Dashboard/two"]);

    // What is broken already is no problem of this change.
    fs::write(here.join("old.yaml"), DASHBOARD.replace("spec:", "spac:")).unwrap();
    repository.commit("broken");
    let (code, answer, _) = stationbill(here, &["validate"]);
    assert_eq!(code, Some(1), "{answer}");
    let text = fs::read_to_string(here.join("old.yaml")).unwrap();
    fs::write(here.join("old.yaml"), format!("# moved\n\n{text}")).unwrap();
    let (code, answer, said) = stationbill(here, &["validate", "--changed-since", "HEAD"]);
    assert_eq!(
        (code, answer),
        (Some(0), Value::Array(Vec::new())),
        "{said}"
    );
    fs::write(
        here.join("new.yaml"),
        "apiVersion: stationbill.dev/v1alpha1\nkind: Dashbord\n",
    )
    .unwrap();
    let (code, answer, _) = stationbill(here, &["validate", "--changed-since", "HEAD"]);
    assert_eq!(code, Some(1));
    assert_eq!(answer[0]["file"], "new.yaml");
    // What cannot be compared with is all looked at.
    fs::remove_file(here.join("new.yaml")).unwrap();
    fs::remove_file(here.join("old.yaml")).unwrap();
    let (_, answer, said) = stationbill(here, &["plan", "--changed-since", "HEAD"]);
    assert_eq!(objects(&answer), ["update Dashboard/two"]);
    assert!(said.contains("were not valid then"), "{said}");
}

#[test]
fn what_it_cannot_do_it_says() {
    let folder = tempfile::tempdir().unwrap();
    dashboard(folder.path(), "one", "a");
    let (code, _, said) = stationbill(folder.path(), &["plan", "--changed-since", "HEAD"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("needs a Git repository"), "{said}");
    let repository = Repository::new(folder.path());
    repository.commit("begin");
    for revision in ["nowhere", "--all", "HEAD^{tree}x"] {
        let flag = format!("--changed-since={revision}");
        let (code, _, said) = stationbill(folder.path(), &["plan", &flag]);
        assert_eq!(code, Some(2));
        assert!(said.contains("fetch-depth: 0"), "{said}");
    }
    let (code, _, said) = stationbill(folder.path(), &["destroy", "--changed-since", "HEAD"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("has no --changed-since"), "{said}");
}
