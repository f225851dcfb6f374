//! Saved plans: applied while neither the documents nor AWS have moved, and refused otherwise, with the reason and the
//! plan as of now.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stationbill::sandbox::{Options, Sandbox};

use crate::support::program;

const STACK: &str = "apiVersion: stationbill.dev/v1alpha1
kind: Stack
metadata: { name: shop }
spec: {}
";

const IMPACT: &str = "apiVersion: stationbill.dev/v1alpha1
kind: Dashboard
metadata: { name: impact }
spec:
  body:
    widgets: [{ type: text, x: 0, y: 0, width: 24, height: 2, properties: { markdown: bananas } }]
";

const PEOPLE: &str = "apiVersion: stationbill.dev/v1alpha1
kind: ReplicationSet
metadata: { name: incident-manager }
spec: { regions: [{ name: ap-northeast-1 }] }
---
apiVersion: stationbill.dev/v1alpha1
kind: Contact
metadata: { name: kayoko }
spec:
  displayName: Kayoko
  channels: { sms: { type: SMS, address: { fromEnv: KAYOKO } } }
  stages: [{ durationMinutes: 5, notify: [{ channel: sms, retryIntervalMinutes: 2 }] }]
";

/// A folder with documents, beside it a simulated AWS, and a plan that was saved.
struct Shop {
    folder: tempfile::TempDir,
    phone: &'static str,
}

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Shop {
    fn new() -> Self {
        let shop = Self {
            folder: tempfile::tempdir().unwrap(),
            phone: "+819012345678",
        };
        std::fs::create_dir(shop.path("docs")).unwrap();
        shop.write("docs/stack.yaml", STACK);
        shop.write("docs/impact.yaml", IMPACT);
        shop
    }

    /// Declares a dashboard more than AWS has, and saves the plan.
    fn saved() -> Self {
        let shop = Self::new();
        shop.expect(0, "apply docs --yes");
        shop.write("docs/fleet.yaml", &IMPACT.replace("impact", "fleet"));
        shop.expect(0, "plan docs --out plan.json");
        shop
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn plan(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path("plan.json")).unwrap()).unwrap()
    }

    fn run_as(&self, account: &str, line: &str) -> Answer {
        // The endpoint is not used: the simulated AWS is in the process.
        let output = program("http://127.0.0.1:9")
            .args(line.split(' '))
            .arg("--sandbox=aws")
            .env("AWS_ACCESS_KEY_ID", account)
            .env("KAYOKO", self.phone)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn expect(&self, code: i32, line: &str) -> Answer {
        let answer = self.run_as("111122223333", line);
        assert_eq!(answer.code, code, "{line}: {}{}", answer.out, answer.err);
        answer
    }

    /// The plan is refused for this reason; what is different now is shown, and nothing is done.
    fn refused(&self, why: &str, shown: &str) {
        let before = self.objects();
        let answer = self.expect(2, "apply plan.json --yes");
        let err = &answer.err;
        assert!(err.contains(why), "no `{why}` in: {err}");
        assert!(err.contains(shown), "no `{shown}` in: {err}");
        assert!(answer.out.is_empty(), "{}", answer.out);
        assert_eq!(before, self.objects(), "something was done");
    }

    /// What there is in AWS, whether it stands in the whole state or in the journal.
    fn objects(&self) -> Vec<Value> {
        let sandbox = Sandbox::open(Options {
            state: Some(self.path("aws")),
            ..Options::default()
        });
        let state = sandbox
            .unwrap()
            .with_state(|state| serde_json::to_value(&*state).unwrap());
        let account = &state["accounts"]["111122223333"];
        let services = ["cloudwatch", "contacts"];
        services.map(|service| account[service].clone()).to_vec()
    }
}

#[test]
fn a_plan_is_applied_while_nothing_moved() {
    let shop = Shop::saved();
    // Who only reformats the file changes nothing about it.
    shop.write("plan.json", &shop.plan().to_string());
    let answer = shop.expect(0, "apply plan.json --yes");
    assert!(answer.out.contains("Dashboard/fleet"), "{}", answer.out);
    // Applied once, AWS is no longer what it was.
    shop.refused(
        "AWS has changed since it was saved: Dashboard/fleet",
        "nothing to do: 2 objects are as declared",
    );
}

#[test]
fn a_plan_is_refused_when_a_document_moved() {
    let shop = Shop::saved();
    shop.write("docs/impact.yaml", &IMPACT.replace("bananas", "apples"));
    shop.refused(
        "the documents have changed since it was saved: Dashboard/impact",
        "apples",
    );
    shop.write("docs/impact.yaml", IMPACT);
    std::fs::remove_file(shop.path("docs/fleet.yaml")).unwrap();
    shop.refused(
        "saved: Dashboard/fleet",
        "nothing to do: 1 object is as declared",
    );
    shop.write("docs/fleet.yaml", &IMPACT.replace("impact", "fleet"));
    shop.write(
        "docs/stack.yaml",
        &STACK.replace("{}", "{ limits: { deletes: 1 } }"),
    );
    shop.refused("saved: Stack/shop", "Dashboard/fleet");
}

#[test]
fn a_plan_is_refused_when_aws_moved() {
    let shop = Shop::saved();
    // The same stack from elsewhere.
    std::fs::create_dir(shop.path("theirs")).unwrap();
    shop.write("theirs/stack.yaml", STACK);
    shop.write("theirs/impact.yaml", &IMPACT.replace("bananas", "pears"));
    shop.expect(0, "apply theirs --yes");
    shop.refused(
        "AWS has changed since it was saved: Dashboard/impact",
        "pears",
    );
}

#[test]
fn a_plan_is_refused_by_another_stack_account_or_region() {
    let shop = Shop::saved();
    shop.write("docs/stack.yaml", &STACK.replace("shop", "stand"));
    shop.refused(
        "it is for stack `shop`, and the documents are stack `stand`",
        "Dashboard/fleet",
    );
    shop.write("docs/stack.yaml", STACK);
    let elsewhere = shop.run_as("444455556666", "apply plan.json --yes");
    let why = "it is for account 111122223333, and this is 444455556666";
    assert_eq!(elsewhere.code, 2);
    assert!(elsewhere.err.contains(why), "{}", elsewhere.err);
    let elsewhere = shop.expect(2, "apply plan.json --yes --region eu-west-1");
    let why = "it is for region ap-northeast-1, and this is eu-west-1";
    assert!(elsewhere.err.contains(why), "{}", elsewhere.err);
    assert!(elsewhere.err.contains("Dashboard/fleet"));
}

#[test]
fn a_plan_is_refused_when_it_is_not_what_was_saved() {
    let shop = Shop::saved();
    let whole = shop.plan();
    let text = format!("{whole:#}");
    for (edit, why) in [
        (
            text.replace("\"version\": 1", "\"version\": 2"),
            "has format 2, and this program applies format 1",
        ),
        (text[..text.len() / 2].to_owned(), "is damaged"),
        (
            text.replace("\"create\"", "\"update\""),
            "it was edited or damaged",
        ),
        (
            text.replace("\"prune\": false", "\"prune\": true"),
            "it was edited or damaged",
        ),
    ] {
        assert_ne!(edit, text);
        shop.write("plan.json", &edit);
        let answer = shop.expect(2, "apply plan.json --yes");
        assert!(answer.err.contains(why), "no `{why}` in: {}", answer.err);
        assert!(answer.err.contains("hint: save it anew"), "{}", answer.err);
    }
    // Who also writes the digest anew shows something other than what would be done.
    let mut forged = whole;
    forged["plan"]["changes"] = json!([]);
    shop.write("plan.json", &resealed(forged).to_string());
    shop.refused("it does not say what would be done", "Dashboard/fleet");
}

#[test]
fn a_plan_is_refused_when_a_personal_value_moved() {
    let mut shop = Shop::new();
    shop.write("docs/people.yaml", PEOPLE);
    shop.expect(0, "plan docs --out plan.json");
    shop.expect(0, "apply docs --yes --kind ReplicationSet");
    shop.expect(0, "plan docs --out plan.json");
    let saved = shop.plan().to_string();
    assert!(!saved.contains(shop.phone) && !saved.contains("9012345678"));
    shop.phone = "+819087654321";
    shop.refused(
        "what the documents read from elsewhere has changed since it was saved: Contact/kayoko",
        "Contact/kayoko",
    );
    let answer = shop.expect(2, "apply plan.json --yes");
    assert!(!(answer.out + &answer.err).contains("87654321"));
    shop.phone = "+819012345678";
    shop.expect(0, "apply plan.json --yes");
}

#[test]
fn a_plan_is_refused_when_an_accepted_difference_expired() {
    let shop = Shop::new();
    shop.expect(0, "apply docs --yes");
    let lifecycle = "spec:\n  lifecycle: { ignore: [{ path: /tags, reason: soon, until: \"2026-01-31\" }] }\n  tags: { team: fruit }\n";
    shop.write("docs/impact.yaml", &IMPACT.replace("spec:\n", lifecycle));
    shop.write("docs/fleet.yaml", &IMPACT.replace("impact", "fleet"));
    shop.expect(0, "plan docs --out plan.json");
    // What it said on the last day of the exception.
    let mut then = shop.plan();
    then["today"] = json!("2026-01-31");
    for changes in ["/changes", "/plan/changes"] {
        let changes = then.pointer_mut(changes).unwrap().as_array_mut().unwrap();
        changes.retain(|change| change["object"] != "Dashboard/impact");
        assert_eq!(changes.len(), 1);
    }
    shop.write("plan.json", &resealed(then).to_string());
    shop.refused(
        "an `ignore` has expired since it was saved: Dashboard/impact",
        "/tags",
    );
}

#[test]
fn a_plan_is_applied_with_the_flags_that_it_was_saved_with() {
    let shop = Shop::saved();
    for flag in ["--prune", "--adopt", "--kind Contact", "--name impact"] {
        let answer = shop.expect(2, &format!("apply plan.json --yes {flag}"));
        let why = format!("not with this {}", flag.split(' ').next().unwrap());
        assert!(answer.err.contains(&why), "{}", answer.err);
    }
    shop.expect(0, "plan docs --prune --out plan.json");
    shop.expect(0, "apply plan.json --yes --prune");
    assert!(Path::new(&shop.path("aws/state.json")).exists());
}

/// Writes the digest of a plan as somebody does who knows how it is made.
fn resealed(mut plan: Value) -> Value {
    plan.as_object_mut().unwrap().remove("digest");
    let mut sorted = plan.clone();
    sorted.sort_all_objects();
    let digest = Sha256::digest(sorted.to_string());
    let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    plan["digest"] = json!(digits.concat());
    plan
}

const TARGET: &str = "apiVersion: stationbill.dev/v1alpha1
kind: Target
metadata: { name: production }
spec:
  accounts: ['111122223333', '444455556666']
  regions: [eu-west-1, us-east-1]
  role: { name: ops }
";

#[test]
fn a_plan_of_some_places_is_applied_there_and_nowhere_else() {
    let shop = Shop::new();
    shop.write("docs/target.yaml", TARGET);
    shop.expect(0, "plan docs --out plan.json --account 444455556666");
    for flag in [
        "--account 111122223333",
        "--target production",
        "--region us-east-1",
    ] {
        let err = shop.expect(2, &format!("apply plan.json --yes {flag}")).err;
        let flag = flag.split(' ').next().unwrap();
        let why = format!("a saved plan is applied as it was saved, and not with this {flag}");
        assert!(err.contains(&why), "no `{why}` in: {err}");
    }
    let moved = format!("{TARGET}  variables: {{ tier: gold }}\n");
    shop.write("docs/target.yaml", &moved);
    let err = shop.expect(2, "apply plan.json --yes").err;
    let why = "the documents have changed since it was saved: Target/production";
    assert!(err.contains(why), "no `{why}` in: {err}");

    shop.write("docs/target.yaml", TARGET);
    shop.expect(0, "apply plan.json --yes --account 444455556666");
    shop.expect(0, "plan docs --exit-code --account 444455556666");
    shop.expect(1, "plan docs --exit-code --account 111122223333");
}
