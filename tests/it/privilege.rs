//! Least privilege: the policy that `iam-policy` prints is what the documents need, all of it and nothing else.
//!
//! The simulated AWS holds every call to the policy. Data-driven over the registry: a new kind is in by its data in
//! `fields/`, and fails here where its `ACTIONS` lack one, have one too many, or reach what another stack owns.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use stationbill::aws::Class;
use stationbill::engine::policy::{Need, Purpose};
use stationbill::engine::{self, Breadth, Ending};
use stationbill::kinds::{AnyKind, Deletes, KINDS, Limit, Live};
use stationbill::load::Declared;
use stationbill::model::lifecycle::OnDelete;
use stationbill::model::plan::{Action, Change, Plan, Wish};
use stationbill::model::spec::Identity;
use stationbill::model::stamp::Stamp;
use stationbill::model::{Report, pointer};
use stationbill::sandbox::iam::Policy;
use stationbill::sandbox::{Enforce, Faults, Options, Sandbox};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fields;
use crate::scene::{STACK, Scene};
use crate::support::door::Door;
use crate::support::{administering, example, free_name, program};

/// What is done under a policy, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Plan,
    Create,
    Change,
    /// What was there at first is there again.
    Back,
    /// Tags of the user's go.
    Clear,
    Destroy,
    /// Once more, and the first answer to each write is lost.
    CreateAgain,
    /// The same.
    DestroyAgain,
}

const PHASES: [Phase; 8] = [
    Phase::Plan,
    Phase::Create,
    Phase::Change,
    Phase::Back,
    Phase::Clear,
    Phase::Destroy,
    Phase::CreateAgain,
    Phase::DestroyAgain,
];

/// One pair of documents of a kind, in a scene of their own.
struct Case {
    kind: &'static dyn AnyKind,
    number: String,
    scene: Scene,
    needs: Vec<Declared>,
    before: Declared,
    after: Declared,
    back: Declared,
    cleared: Declared,
}

impl Case {
    async fn of(kind: &'static dyn AnyKind, number: String) -> Result<Self> {
        let (scene, needs, [mut before, mut after]) = fields::prepared(kind, &number).await?;
        // What cannot be changed stays, so that everything else is.
        for field in kind.create_only() {
            pointer::transplant(&before.spec, &mut after.spec, field);
        }
        // Where that decides what else there can be, such as the type of an alarm, nothing is changed.
        let mut report = Report::default();
        kind.validate(&after.spec, &mut report);
        if !report.is_ok() {
            after.spec = before.spec.clone();
        }
        before.lifecycle.on_delete = Some(OnDelete::Delete);
        after.lifecycle.on_delete = Some(OnDelete::Delete);
        // Files are sent as new ones each time, and AWS takes no name of a version twice.
        let mut back = before.clone();
        for field in kind.write_only() {
            pointer::remove(&mut back.spec, field);
        }
        let mut cleared = after.clone();
        cleared.spec["tags"] = json!({});
        Ok(Self {
            kind,
            number,
            scene,
            needs,
            before,
            after,
            back,
            cleared,
        })
    }

    /// Everything that the case ever declares.
    fn declared(&self) -> Vec<Declared> {
        let pair = [self.before.clone(), self.after.clone()];
        [self.needs.clone(), pair.to_vec()].concat()
    }

    fn policy(&self, purpose: Purpose) -> Value {
        policy(&self.scene, &self.declared(), purpose)
    }

    async fn run(&self, phase: Phase) -> Result<()> {
        let documents =
            |object: &Declared| [self.needs.as_slice(), std::slice::from_ref(object)].concat();
        let wish = |destroy| Wish {
            destroy,
            ..Wish::default()
        };
        let (object, destroy) = match phase {
            Phase::Plan | Phase::Create | Phase::CreateAgain => (&self.before, false),
            Phase::Change => (&self.after, false),
            Phase::Back => (&self.back, false),
            Phase::Clear => (&self.cleared, false),
            Phase::Destroy => (&self.cleared, true),
            Phase::DestroyAgain => (&self.before, true),
        };
        if matches!(phase, Phase::CreateAgain | Phase::DestroyAgain) {
            self.scene.sandbox.set_faults(self.lost()?);
        }
        let documents = documents(object);
        let result = done(
            &self.scene,
            &documents,
            &wish(destroy),
            phase != Phase::Plan,
        )
        .await;
        self.scene.sandbox.set_faults(Faults::default());
        result
    }

    /// Loses the first answer to each operation that writes.
    fn lost(&self) -> Result<Faults> {
        let operations = self
            .kind
            .actions()
            .iter()
            .filter_map(|action| action.name.split(':').nth(1));
        let reads = |operation: &str| {
            ["Get", "List", "Describe"]
                .iter()
                .any(|verb| operation.starts_with(verb))
        };
        let rules = operations.filter(|operation| !reads(operation)).map(|operation| {
            json!({ "match": { "operation": operation }, "when": { "first": 1 }, "then": "disconnectAfter" })
        });
        Faults::parse(&rules.collect::<Value>().to_string()).map_err(anyhow::Error::msg)
    }

    fn permit(&self, policy: Option<&Value>) {
        permit(&self.scene, policy);
    }
}

fn policy(scene: &Scene, declared: &[Declared], purpose: Purpose) -> Value {
    need(scene, declared, purpose).policy()
}

fn need<'a>(scene: &'a Scene, declared: &'a [Declared], purpose: Purpose) -> Need<'a> {
    static ALL: LazyLock<Wish> = LazyLock::new(Wish::default);
    Need {
        stack: STACK,
        declared,
        targets: &[],
        purpose,
        adopt: false,
        names: true,
        locations: std::slice::from_ref(&scene.aws.location),
        partition: "aws",
        wish: &ALL,
    }
}

fn permit(scene: &Scene, policy: Option<&Value>) {
    let policy = policy.map(|policy| Policy::parse(&policy.to_string()).unwrap());
    scene.sandbox.set_policy(policy);
}

/// Plans, and applies what acts; fails where anything was not read or not done.
async fn done(scene: &Scene, declared: &[Declared], wish: &Wish, apply: bool) -> Result<()> {
    let plan = scene.plan(declared, wish).await;
    read(&plan)?;
    if !apply {
        return Ok(());
    }
    let cancel = CancellationToken::new();
    let outcome = engine::apply(&plan, &scene.world, &|_| {}, &cancel).await;
    for (change, ending) in plan.changes.iter().zip(&outcome.endings) {
        if let Some(Ending::Failed(why)) = ending {
            bail!("{}: {why}", change.address);
        }
    }
    if !wish.destroy {
        let after = scene.plan(declared, wish).await;
        read(&after)?;
        ensure!(
            !after.changes.iter().any(Change::acts),
            "the plan is not empty"
        );
    }
    Ok(())
}

fn read(plan: &Plan) -> Result<()> {
    for change in &plan.changes {
        let why = change.reason.as_deref().unwrap_or_default();
        if change.action == Action::Unknown || why.contains("not authorized") {
            bail!("{}: {why}", change.address);
        }
    }
    Ok(())
}

fn is_denial(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("not authorized to perform")
}

/// Every action of a policy, with the statement that it stands in.
fn actions(policy: &Value) -> Vec<(usize, String)> {
    let statements = policy["Statement"].as_array().unwrap().iter().enumerate();
    let actions = statements.flat_map(|(index, statement)| {
        let actions = statement["Action"].as_array().unwrap().iter();
        actions.map(move |action| (index, action.as_str().unwrap().to_owned()))
    });
    actions.collect()
}

/// Returns the policy without an action in one of its statements.
fn without(policy: &Value, index: usize, action: &str) -> Value {
    let mut policy = policy.clone();
    let list = policy["Statement"][index]["Action"].as_array_mut().unwrap();
    list.retain(|name| name != action);
    if list.is_empty() {
        policy["Statement"].as_array_mut().unwrap().remove(index);
    }
    policy
}

/// Runs something for every kind at once, on a clock that does not wait, and returns what went wrong.
fn each_kind(run: impl AsyncFn(&'static dyn AnyKind) -> Result<Vec<String>> + Sync) -> Vec<String> {
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for kind in KINDS {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
                let found = runtime.block_on(run(*kind));
                let found = found.unwrap_or_else(|error| vec![format!("{error:#}")]);
                let found = found
                    .into_iter()
                    .map(|what| format!("{}: {what}", kind.kind()));
                wrong.lock().unwrap().extend(found);
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    wrong
}

/// The state before each phase, and the actions that the phase needed.
type Course = Vec<(Phase, Value, BTreeSet<String>)>;

/// Goes through all phases under the whole policy.
async fn course(case: &Case) -> Result<Course> {
    let (plan, whole) = (case.policy(Purpose::Plan), case.policy(Purpose::Destroy));
    let mut course = Course::new();
    for phase in PHASES {
        let state = case.scene.state()?;
        case.permit(Some(if phase == Phase::Plan { &plan } else { &whole }));
        let what = || format!("{} {phase:?} under the whole policy", case.number);
        case.run(phase).await.with_context(what)?;
        course.push((phase, state, case.scene.sandbox.asked()));
        if phase == Phase::Create {
            case.permit(Some(&plan));
            case.run(Phase::Plan)
                .await
                .context("a plan of what is there, with the right to read alone")?;
        }
    }
    Ok(course)
}

/// Removes every action of the policy in turn, and sees that it is missed where it was needed.
#[test]
fn each_action_of_a_policy_is_needed_and_no_other() {
    let wrong = each_kind(async |kind| {
        let mut cases = Vec::new();
        for number in fields::pairs(kind)? {
            let case = Case::of(kind, number).await?;
            let course = course(&case).await?;
            cases.push((case, course));
        }
        let mut wrong = Vec::new();
        let mut missed: BTreeMap<(String, String), bool> = BTreeMap::new();
        for (case, course) in &cases {
            let policy = case.policy(Purpose::Destroy);
            let of_kind: BTreeSet<&str> = kind.actions().iter().map(|action| action.name).collect();
            for (index, action) in actions(&policy) {
                if !of_kind.contains(action.as_str()) {
                    continue;
                }
                let condition = policy["Statement"][index]["Condition"].to_string();
                let found = missed.entry((action.clone(), condition)).or_default();
                if *found {
                    continue;
                }
                match lacking(case, course, &policy, index, &action).await? {
                    None => {}
                    Some(text) if text.contains(&action) => *found = true,
                    Some(text) => wrong.push(format!("without {action} it says: {text}")),
                }
            }
        }
        let superfluous = missed.into_iter().filter(|(_, found)| !found);
        wrong.extend(
            superfluous.map(|((action, condition), _)| {
                format!("nothing needs {action} under {condition}")
            }),
        );
        Ok(wrong)
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the phases that needed an action without it, until one fails; answers with what it says.
async fn lacking(
    case: &Case,
    course: &Course,
    policy: &Value,
    index: usize,
    action: &str,
) -> Result<Option<String>> {
    let less = without(policy, index, action);
    for (phase, state, asked) in course {
        if asked.contains(action) {
            case.scene.restore(state)?;
            case.permit(Some(&less));
            match case.run(*phase).await {
                Err(error) if is_denial(&error) => return Ok(Some(format!("{error:#}"))),
                _ => {}
            }
        }
    }
    Ok(None)
}

/// What another stack owns can neither be changed nor taken nor deleted with the policy.
#[test]
fn nothing_of_another_stack_can_be_touched() {
    let wrong = each_kind(async |kind| {
        let mut wrong = Vec::new();
        // What an account has once, and without tags, cannot be told from another stack's by any policy: docs/permissions.md.
        let actions = kind.actions().iter();
        let untold = actions
            .copied()
            .all(|action| action.limit == Limit::Unlimited);
        if untold && kind.identity() == Identity::Singleton {
            return Ok(wrong);
        }
        for number in fields::pairs(kind)? {
            let mut case = Case::of(kind, number).await?;
            let name = free_name(kind.kind(), "of-another-stack");
            for object in [&mut case.before, &mut case.after] {
                if object.spec.get("name").is_some() {
                    object.spec["name"] = json!(name);
                }
            }
            let now = case.scene.nothing_left(&case.needs).await?;
            let before = case.scene.ready(&case.before, &now.ids).await?;
            let after = case.scene.ready(&case.after, &now.ids).await?;
            let stamp = |stack| Stamp::new(stack, &case.before.address, &before, None);
            let id = case.scene.create(kind, &before, &stamp("another")).await?;
            let all = case.scene.all(kind).await?;
            let foreign: &Live<Value> = crate::scene::by_id(&all, &id)?;
            let own = Case::of(kind, case.number.clone()).await?;
            case.permit(Some(&policy(
                &case.scene,
                &own.declared(),
                Purpose::Destroy,
            )));
            let aws = &case.scene.aws;
            let mut tries = vec![
                (
                    "changed",
                    kind.update(aws, &after, foreign, &stamp("another")).await,
                ),
                (
                    "taken",
                    kind.update(aws, &before, foreign, &stamp(STACK)).await,
                ),
            ];
            let settled = kind.settle(&after, &foreign.spec)?;
            let impossible = kind.impossible(&settled, &foreign.spec, &aws.location);
            if impossible.is_some() || after == before {
                drop(tries.remove(0));
            }
            // What has no tags cannot be kept from whoever may delete what no document names.
            if kind.never_deleted().is_none() && kind.deleting().is_none() {
                tries.push(("deleted", kind.delete(aws, foreign).await));
            }
            for (what, result) in tries {
                match result {
                    Err(error) if error.class == Class::Denied => {}
                    other => wrong.push(format!("{} was {what}: {other:?}", case.number)),
                }
            }
            case.permit(None);
            let left = case.scene.all(kind).await?;
            // AWS asks for no right to the object itself where something is taken from it: docs/permissions.md.
            let but = |live: &Live<Value>| {
                let mut live = live.clone();
                for passing in kind.exclusive().iter().filter(|one| one.passes) {
                    pointer::remove(&mut live.spec, passing.at);
                    live.notes.clear();
                }
                live
            };
            if but(crate::scene::by_id(&left, &id)?) != but(foreign) {
                wrong.push(format!("{} is not what it was", case.number));
            }
        }
        Ok(wrong)
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A document that takes something over gives no right to delete what nobody owns, nor does it for other names.
#[test]
fn what_nobody_owns_is_not_deleted_because_something_is_taken_over() {
    let wrong = each_kind(async |kind| {
        let ends = |action: &stationbill::kinds::Action| {
            (action.limit, action.deletes) == (Limit::Ours, Deletes::Alone)
        };
        if !kind.actions().iter().any(ends) {
            return Ok(Vec::new());
        }
        let mut case = Case::of(kind, fields::pairs(kind)?.remove(0)).await?;
        let mut declared = case.declared();
        for object in &mut declared {
            object.lifecycle.adopt = true;
        }
        let name = free_name(kind.kind(), "of-nobody");
        for object in [&mut case.before, &mut case.after] {
            if object.spec.get("name").is_some() {
                object.spec["name"] = json!(name);
            }
        }
        let now = case.scene.nothing_left(&case.needs).await?;
        let before = case.scene.ready(&case.before, &now.ids).await?;
        let by_hand = Stamp {
            tags: BTreeMap::new(),
            token: "0".repeat(64),
        };
        let id = case.scene.create(kind, &before, &by_hand).await?;
        let all = case.scene.all(kind).await?;
        let live = crate::scene::by_id(&all, &id)?;
        let mut wrong = Vec::new();
        for adopt in [false, true] {
            let policy = Need {
                adopt,
                ..need(&case.scene, &declared, Purpose::Destroy)
            };
            case.permit(Some(&policy.policy()));
            match kind.delete(&case.scene.aws, live).await {
                Err(error) if error.class == Class::Denied => {}
                other => wrong.push(format!("deleted, with adopt {adopt}: {other:?}")),
            }
        }
        Ok(wrong)
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_association_may_apply_what_it_names_and_nothing_else() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let kind = stationbill::kinds::find("Association").unwrap();
        let case = Case::of(kind, fields::pairs(kind).unwrap().remove(0));
        let case = case.await.unwrap();
        let mut declared = case.before.clone();
        declared.spec["document"] = json!({ "name": "AWS-GatherSoftwareInventory" });
        let now = case.scene.nothing_left(&case.needs).await.unwrap();
        let policy = policy(&case.scene, &[declared.clone()], Purpose::Apply);
        case.permit(Some(&policy));
        let mut other = declared.clone();
        other.spec["document"] = json!({ "name": "AWS-RunShellScript" });
        let spec = case.scene.ready(&other, &now.ids).await.unwrap();
        let stamp = Stamp::new(STACK, &other.address, &spec, None);
        let made = kind.create(&case.scene.aws, &spec, &stamp).await;
        assert!(
            matches!(&made, Err(error) if error.class == Class::Denied),
            "{made:?}"
        );
    });
}

#[test]
fn a_long_policy_is_printed_in_parts_that_aws_takes() {
    let whole = {
        let output = Command::new(env!("CARGO_BIN_EXE_stationbill"))
            .args(["iam-policy", "--for", "destroy"])
            .arg(example("banana-stand"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--split"), "{said}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let output = Command::new(env!("CARGO_BIN_EXE_stationbill"))
        .args(["iam-policy", "--for", "destroy", "--split"])
        .arg(example("banana-stand"))
        .output()
        .unwrap();
    assert!(output.stderr.is_empty());
    let parts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(parts.len() > 1);
    assert!(parts.iter().all(|part| part.to_string().len() <= 6144));
    let pairs = |policies: &[Value]| -> BTreeSet<String> {
        let statements = policies
            .iter()
            .flat_map(|policy| policy["Statement"].as_array().unwrap());
        let list = |value: &Value| value.as_array().unwrap().clone();
        let pairs = statements.flat_map(|statement| {
            let resources = list(&statement["Resource"]);
            let actions = list(&statement["Action"]).into_iter();
            actions.flat_map(move |action| {
                let pair =
                    |resource: &Value| format!("{action} {resource} {}", statement["Condition"]);
                resources.iter().map(pair).collect::<Vec<_>>()
            })
        });
        pairs.collect()
    };
    assert_eq!(pairs(&parts), pairs(&[whole]));
}

/// What no document declares is deleted by a stack that has no document of its kind.
#[test]
fn what_no_document_declares_can_be_deleted() {
    let wrong = each_kind(async |kind| {
        if kind.never_deleted().is_some() {
            return Ok(Vec::new());
        }
        for number in fields::pairs(kind)? {
            let case = Case::of(kind, number).await?;
            case.run(Phase::Create).await?;
            case.permit(Some(&policy(&case.scene, &[], Purpose::Destroy)));
            let observed = case.scene.observe(&[], Breadth::Owned).await;
            let wish = Wish {
                prune: true,
                kinds: BTreeSet::from([kind.kind().to_owned()]),
                ..Wish::default()
            };
            let plan = case.scene.plan_for(&[], &observed, &wish).await;
            read(&plan)?;
            ensure!(plan.changes.iter().any(Change::acts), "nothing is deleted");
            case.scene.carry_out(&plan).await?;
        }
        Ok(Vec::new())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The real program under the policies that it prints: the whole stand is made, found in sync, and destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_does_with_the_policy_that_it_prints() {
    for folder in ["banana-stand", "kinds"] {
        let stage = Stage::open(folder).await;
        let (apply, destroy) = (stage.printed("apply"), stage.printed("destroy"));
        stage.permit(&stage.printed("plan"));
        assert_eq!(stage.run("plan").await.0, 0);
        let (code, text) = stage.run("apply --yes").await;
        assert!(code == 2 && text.contains("ssm:GetParameter"), "{text}");
        for action in ["ssm:PutParameter", "ssm:GetParameter"] {
            let mut less = apply.clone();
            for (index, _) in actions(&apply)
                .into_iter()
                .rev()
                .filter(|(_, name)| name == action)
            {
                less = without(&less, index, action);
            }
            stage.permit(&less);
            let (code, text) = stage.run("apply --yes").await;
            assert!(
                code == 2 && text.contains(action) && text.contains("/lease"),
                "{text}"
            );
            assert!(text.contains("stationbill iam-policy"), "{text}");
        }
        stage.permit(&apply);
        let (code, text) = stage.run("apply --yes").await;
        assert_eq!(code, 0, "{text}");
        stage.permit(&stage.printed("plan"));
        for line in ["plan --exit-code", "drift"] {
            let (code, text) = stage.run(line).await;
            assert_eq!(code, 0, "{line}: {text}");
        }
        stage.permit(&destroy);
        let (code, text) = stage.run("destroy --yes").await;
        assert!(code == 0 && !text.contains("not authorized"), "{text}");
    }
}

/// A run that writes less needs less to be allowed, and reads as much.
#[tokio::test(flavor = "multi_thread")]
async fn what_limits_a_run_limits_its_policy() {
    let stage = Stage::open("banana-stand").await;
    let less = stage.printed("apply --kind Dashboard");
    let allows = |action: &str| actions(&less).iter().any(|(_, name)| name == action);
    assert!(allows("cloudwatch:PutDashboard") && !allows("ssm-contacts:CreateContact"));
    stage.permit(&less);
    let (code, text) = stage.run("apply --kind Dashboard --yes").await;
    assert_eq!(code, 0, "{text}");
    stage.permit(&stage.printed("destroy --kind Dashboard"));
    let (code, text) = stage.run("destroy --kind Dashboard --yes").await;
    assert!(code == 0 && text.contains("deleted"), "{text}");
}

/// The simulated AWS behind a door, and the real program before it.
struct Stage {
    folder: &'static str,
    sandbox: Arc<Sandbox>,
    url: String,
    stop: CancellationToken,
    _serving: JoinSet<u64>,
}

impl Stage {
    async fn open(folder: &'static str) -> Self {
        let options = Options {
            quotas: Enforce::Off,
            settings: administering(),
            ..Options::default()
        };
        let sandbox = Sandbox::open(options).unwrap();
        let door = Door::open(sandbox.clone()).await;
        let (url, stop) = (door.url.clone(), CancellationToken::new());
        let (until, mut serving) = (stop.clone(), JoinSet::new());
        serving.spawn(async move { door.serve(Arc::new(|_, _, _| false), until).await });
        Self {
            folder,
            sandbox,
            url,
            stop,
            _serving: serving,
        }
    }

    async fn run(&self, line: &str) -> (i32, String) {
        let mut command = program(&self.url);
        let mut words = line.split(' ');
        command
            .args(words.next())
            .arg(example(self.folder))
            .args(words);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    }

    fn printed(&self, purpose: &str) -> Value {
        let mut command = program(&self.url);
        command
            .arg("iam-policy")
            .arg(example(self.folder))
            .arg("--for")
            .args(purpose.split(' '));
        let output = command
            .args(["--account", "111122223333", "--region", "ap-northeast-1"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn permit(&self, policy: &Value) {
        self.sandbox
            .set_policy(Some(Policy::parse(&policy.to_string()).unwrap()));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
