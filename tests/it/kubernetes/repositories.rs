//! Stacks whose documents come from a repository: the same as the folder's, whatever becomes of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};
use stationbill::operator::resource::{LET_GO, RECONCILE};
use stationbill::{kinds, load};

use super::lives::{gone, there, with};
use super::stand::{behind_our_back, latest, planned};
use super::{Operator, PATIENCE, Stage, command, copy, read, stack};
use crate::changed_since::Repository;
use crate::support::{STACK, example};

pub(super) const KEY: &str = "OPERATOR";

/// A repository beside the stage.
pub(super) struct Origin {
    pub(super) repository: Repository,
    pub(super) state: PathBuf,
}

impl Origin {
    pub(super) fn beside(stage: &Stage) -> Self {
        Self {
            repository: Repository::new(&stage.folder.path().join("origin")),
            state: stage.folder.path().join("state"),
        }
    }

    fn url(&self) -> String {
        format!("file://{}", self.repository.0.display())
    }

    /// Writes documents of the folder `ops`, one a file, and nothing else there.
    pub(super) fn write(&self, documents: &[Value]) {
        let ops = self.repository.0.join("ops");
        fs::remove_dir_all(&ops).ok();
        fs::create_dir_all(&ops).unwrap();
        for document in documents {
            let name = document["metadata"]["name"].as_str().unwrap();
            let text = serde_yaml::to_string(document).unwrap();
            fs::write(ops.join(format!("{name}.yaml")), text).unwrap();
        }
    }

    pub(super) fn commit(&self, documents: &[Value]) -> String {
        self.write(documents);
        self.repository.commit("documents")
    }

    pub(super) fn operator(&self, stage: &Stage) -> Operator {
        let folder = self.state.to_str().unwrap();
        stage.operator(
            KEY,
            &["--git-state", folder, "--git-protocols", "file,http,https"],
        )
    }

    /// A Stack that follows the folder `ops`, looked at every second.
    pub(super) fn stack(&self, name: &str, more: &Value) -> Value {
        let git = json!({ "url": self.url(), "path": "ops", "poll": "1s" });
        let mut spec = json!({ "source": { "git": git }, "interval": "1h" });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        stack(name, &spec)
    }
}

impl Stage {
    async fn source(&self, name: &str) -> (Value, Value) {
        let stack = self.get("Stack", name).await.unwrap();
        let source = &stack.data["status"]["source"];
        (source["commit"].clone(), source["refused"].clone())
    }

    async fn message(&self, name: &str) -> String {
        let stack = self.get("Stack", name).await.unwrap();
        let conditions = stack.data["status"]["conditions"].as_array().cloned();
        let ready = conditions
            .unwrap_or_default()
            .into_iter()
            .find(|c| c["type"] == "Ready");
        ready
            .map(|c| c["message"].as_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// Waits until a Stack has taken a commit up and is as declared.
    pub(super) async fn takes_up(&self, name: &str, commit: &str) {
        let began = Instant::now();
        loop {
            let (taken, refused) = self.source(name).await;
            if taken == commit && refused.is_null() && self.state("Stack", name).await == "InSync" {
                return;
            }
            let state = self.state("Stack", name).await;
            let late = began.elapsed() > PATIENCE;
            assert!(!late, "{state}: {taken}, not {commit}\n{}", self.log(KEY));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for what a Stack says; its message then.
    pub(super) async fn says(&self, name: &str, text: &str) -> String {
        let began = Instant::now();
        loop {
            let message = self.message(name).await;
            if message.contains(text) {
                return message;
            }
            let late = began.elapsed() > PATIENCE;
            assert!(!late, "`{text}` is not in `{message}`\n{}", self.log(KEY));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), self.namespace());
        events.list(&ListParams::default()).await.unwrap().items
    }

    /// Repairs what somebody changes, although the interval is far: an annotation asks for it.
    pub(super) async fn repairs(&self, stack: &str, to: &str) {
        behind_our_back(self, "changed by somebody").await;
        let now = format!("{:?}", Instant::now());
        self.annotate("Stack", stack, RECONCILE, &now).await;
        let began = Instant::now();
        while latest(self).await != to {
            assert!(began.elapsed() < PATIENCE, "{}", self.log(KEY));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Puts the stand into a repository; its addresses go into a Secret, which is answered.
fn stand_of(origin: &Origin) -> Value {
    let folder = origin.repository.0.join("stand");
    copy(&example(STACK), &folder);
    let people = folder.join("people");
    let mut addresses = serde_json::Map::new();
    for entry in fs::read_dir(people.join("addresses")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        addresses.insert(name, fs::read_to_string(&path).unwrap().into());
    }
    fs::remove_dir_all(people.join("addresses")).unwrap();
    for entry in fs::read_dir(&people).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        for name in addresses.keys() {
            let from = format!("{{ fromFile: addresses/{name} }}");
            let to = format!("{{ fromSecret: {{ name: people, key: {name} }} }}");
            text = text.replace(&from, &to);
        }
        assert!(!text.contains("fromFile"), "{text}");
        fs::write(&path, text).unwrap();
    }
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "people" }, "stringData": addresses })
}

#[test]
fn the_stand_of_a_repository_is_the_stand_of_the_folder() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let secret = stand_of(&origin);
    let commit = origin.repository.commit("the stand");
    let expected = stage.runtime.block_on(planned(&stage));
    let before = stage.aws();
    let _operator = origin.operator(&stage);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        stage.apply(namespace, &secret).await.unwrap();
        let git = json!({ "url": origin.url(), "ref": "main", "path": "stand", "poll": "1s" });
        let mut stand = stack(
            STACK,
            &json!({ "mode": "report", "source": { "git": git } }),
        );
        stage.apply(namespace, &stand).await.unwrap();
        let began = Instant::now();
        loop {
            let stack = stage.get("Stack", STACK).await.unwrap();
            if stack.data["status"]["plan"] == expected.as_str() {
                break;
            }
            let status = &stack.data["status"];
            let late = began.elapsed() > PATIENCE;
            assert!(!late, "{expected} {status:#?}\n{}", stage.log(KEY));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(stage.aws()["accounts"], before["accounts"]);

        stand["spec"]["mode"] = "enforce".into();
        stage.apply(namespace, &stand).await.unwrap();
        stage.takes_up(STACK, &commit).await;
        let loaded = load::load(&[example(STACK)], &kinds::specs()).unwrap();
        let status = stage.get("Stack", STACK).await.unwrap().data["status"].clone();
        assert_eq!(status["objects"]["declared"], loaded.objects.len());
        assert_eq!(status["objects"]["ready"], loaded.objects.len());
        stage.is_as_declared(&loaded.objects).await;
    });
}

#[test]
fn the_last_good_commit_stays_in_force_whatever_becomes_of_the_repository() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let first = origin.commit(&[command("say", "first")]);
    let operator = origin.operator(&stage);
    let second = stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let shop = origin.stack("shop", &json!({}));
        stage.apply(namespace, &shop).await.unwrap();
        stage.takes_up("shop", &first).await;
        assert_eq!(latest(&stage).await, "first");

        let second = origin.commit(&[command("say", "second")]);
        stage.takes_up("shop", &second).await;
        assert_eq!(latest(&stage).await, "second");

        // A commit that is broken: told with its file and line, once, and nothing of it is done.
        let mut broken = command("say", "third");
        broken["kind"] = "Dokument".into();
        let third = origin.commit(&[broken]);
        stage.becomes("Stack", "shop", "Invalid", KEY).await;
        let message = stage.message("shop").await;
        for part in [
            &third[..12],
            "is not taken up",
            "ops/say.yaml:",
            "did you mean `Document`?",
            "stays in force",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        let (commit, refused) = stage.source("shop").await;
        assert_eq!((commit, refused), (second.clone().into(), third.into()));
        let stack = stage.get("Stack", "shop").await.unwrap();
        assert!(stack.data["status"].to_string().contains("Stalled"));
        stage.repairs("shop", "second").await;
        second
    });
    operator.stop();

    // Another replica, whose folder is empty: it goes back to the commit that the Stack says.
    let elsewhere = Origin {
        state: stage.folder.path().join("elsewhere"),
        ..Origin::beside_again(&origin)
    };
    let _operator = elsewhere.operator(&stage);
    stage.runtime.block_on(async {
        stage.repairs("shop", "second").await;
        assert_eq!(stage.source("shop").await.0, second);

        // A force-push: what was before it does not count.
        origin.write(&[command("say", "fourth")]);
        origin.repository.git(&["add", "--all"]);
        origin
            .repository
            .git(&["commit", "--quiet", "--amend", "--message", "amend"]);
        let fourth = origin.repository.git(&["rev-parse", "HEAD"]);
        stage.takes_up("shop", &fourth).await;
        assert_eq!(latest(&stage).await, "fourth");

        // The repository is away, and comes back.
        let away = stage.folder.path().join("away");
        fs::rename(&origin.repository.0, &away).unwrap();
        stage.says("shop", "the repository is out of reach").await;
        assert_eq!(stage.state("Stack", "shop").await, "Failed");
        stage.repairs("shop", "fourth").await;
        fs::rename(&away, &origin.repository.0).unwrap();
        let fifth = origin.commit(&[command("say", "fifth")]);
        stage.takes_up("shop", &fifth).await;

        // One that has no documents is a mistake, and no reason to delete everything.
        fs::remove_dir_all(origin.repository.0.join("ops")).unwrap();
        fs::create_dir(origin.repository.0.join("ops")).unwrap();
        fs::write(origin.repository.0.join("ops/README.md"), "moved").unwrap();
        origin.repository.commit("move");
        stage.says("shop", "no document of Stationbill").await;
        assert_eq!(there(&stage).await, ["say"]);

        let reasons: Vec<String> = stage
            .events()
            .await
            .into_iter()
            .filter_map(|event| event.reason)
            .collect();
        for reason in ["TakenUp", "Invalid", "Created", "Updated", "Failed"] {
            assert!(
                reasons.iter().any(|known| known == reason),
                "{reason}: {reasons:?}"
            );
        }
    });
}

impl Origin {
    fn beside_again(other: &Self) -> Self {
        Self {
            repository: Repository(other.repository.0.clone()),
            state: other.state.clone(),
        }
    }
}

#[test]
fn a_steady_repository_costs_no_writes_and_the_stack_holds_it_back() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let own = |spec: &Value| stack("steady", spec);
    let first = origin.commit(&[command("say", "first"), own(&json!({}))]);
    let _operator = origin.operator(&stage);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = origin.stack("steady", &json!({ "interval": "1s" }));
        stage.apply(namespace, &shop).await.unwrap();
        stage.takes_up("steady", &first).await;
        let version = || async {
            stage
                .get("Stack", "steady")
                .await
                .unwrap()
                .metadata
                .resource_version
        };
        let (before, from) = (version().await, stage.count());
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(version().await, before);
        assert_eq!(stage.writes(from).len(), 0);
        assert!(stage.count() > from, "AWS was looked at");
        behind_our_back(&stage, "changed by somebody").await;
        let began = Instant::now();
        while latest(&stage).await != "first" {
            assert!(began.elapsed() < PATIENCE, "{}", stage.log(KEY));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        // The repository's own Stack may hold back.
        let second = origin.commit(&[command("say", "second"), own(&json!({ "mode": "report" }))]);
        stage.says("steady", "Document/say (Differs)").await;
        assert_eq!(stage.source("steady").await.0, second);
        assert_eq!(latest(&stage).await, "first");
        origin.commit(&[command("say", "second"), own(&json!({ "suspend": true }))]);
        stage.becomes("Stack", "steady", "Suspended", KEY).await;
        let third = origin.commit(&[command("say", "third"), own(&json!({}))]);
        stage.takes_up("steady", &third).await;

        // And so may the cluster's.
        shop["spec"]["suspend"] = true.into();
        stage.apply(namespace, &shop).await.unwrap();
        stage.becomes("Stack", "steady", "Suspended", KEY).await;
        let from = stage.count();
        let fourth = origin.commit(&[command("say", "fourth"), own(&json!({}))]);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(stage.count(), from);
        shop["spec"]["suspend"] = false.into();
        stage.apply(namespace, &shop).await.unwrap();
        stage.takes_up("steady", &fourth).await;

        // Whose an object is goes by the name: a Stack of another one does not count.
        origin.commit(&[command("say", "fifth"), stack("other", &json!({}))]);
        stage
            .says("steady", "the repository has a Stack `other`")
            .await;
        // Neither do Targets that are not there.
        origin.commit(&[command("say", "fifth")]);
        stage.says("steady", "1 object is as declared").await;
        shop["spec"]["targets"] = json!(["nowhere"]);
        stage.apply(namespace, &shop).await.unwrap();
        stage.says("steady", "no Target named `nowhere`").await;
    });
}

#[test]
fn objects_beside_a_repository_are_refused_and_nothing_is_lost_by_moving() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let _operator = origin.operator(&stage);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        stage
            .apply(namespace, &command("say", "here"))
            .await
            .unwrap();
        stage
            .apply(namespace, &command("more", "here"))
            .await
            .unwrap();
        stage
            .apply(namespace, &stack("moves", &json!({ "prune": true })))
            .await
            .unwrap();
        stage.settled(namespace, KEY).await;

        // The documents move into a repository, all but one: nothing goes while objects are there that are not read.
        let commit = origin.commit(&[command("say", "there")]);
        let moved = origin.stack("moves", &json!({ "prune": true }));
        stage.apply(namespace, &moved).await.unwrap();
        stage.becomes("Document", "more", "Blocked", KEY).await;
        stage.becomes("Document", "say", "Blocked", KEY).await;
        stage
            .says(
                "moves",
                "2 objects of this namespace are not read, and nothing is pruned",
            )
            .await;
        assert_eq!(latest(&stage).await, "there");
        assert_eq!(there(&stage).await, ["more", "say"]);

        // What the repository declares too stays; the other one goes as its Stack says.
        stage.delete(namespace, "Document", "say").await;
        gone(&stage, "Document", "say").await;
        assert_eq!(there(&stage).await, ["more", "say"]);
        stage.delete(namespace, "Document", "more").await;
        gone(&stage, "Document", "more").await;
        stage.takes_up("moves", &commit).await;
        assert_eq!(there(&stage).await, ["say"]);

        // Without such objects it is pruned what no commit declares any more.
        let commit = origin.commit(&[command("other", "there")]);
        stage.takes_up("moves", &commit).await;
        assert_eq!(there(&stage).await, ["other"]);
    });
}

#[test]
fn deleting_the_stack_deletes_what_its_repository_says() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let delete = json!({ "onDelete": "delete" });
    let all = |protect: bool| {
        let kept = json!({ "onDelete": "delete", "protect": protect });
        [
            command("plain", "a"),
            with(command("retained", "b"), json!({ "onDelete": "retain" })),
            with(command("deleted", "c"), delete.clone()),
            with(command("protected", "d"), kept),
        ]
    };
    let commit = origin.commit(&all(true));
    let operator = origin.operator(&stage);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        stage
            .apply(namespace, &origin.stack("ends", &json!({})))
            .await
            .unwrap();
        stage.takes_up("ends", &commit).await;
        assert_eq!(there(&stage).await.len(), 4);
        stage.delete(namespace, "Stack", "ends").await;
        let message = stage.says("ends", "`lifecycle.protect` forbids").await;
        assert!(
            message.contains(LET_GO) && message.contains("Document/protected"),
            "{message}"
        );
        assert_eq!(there(&stage).await, ["plain", "protected", "retained"]);
        // A commit that says otherwise is heard, also now.
        origin.commit(&all(false));
        gone(&stage, "Stack", "ends").await;
        assert_eq!(there(&stage).await, ["plain", "retained"]);
        let events = stage.events().await.into_iter();
        let notes: Vec<String> = events
            .filter(|event| event.reason.as_deref() == Some("LeftBehind"))
            .filter_map(|event| event.note)
            .collect();
        assert!(
            notes
                .iter()
                .any(|note| note.contains("2 objects stay in AWS: Document/plain")),
            "{notes:?}"
        );

        // With nobody who knows what was declared, it waits until it is told to go.
        let again = origin.stack("ends", &json!({}));
        stage.apply(namespace, &again).await.unwrap();
        stage.becomes("Stack", "ends", "InSync", KEY).await;
    });
    operator.stop();
    stage.runtime.block_on(async {
        stage.delete(stage.namespace(), "Stack", "ends").await;
    });
    fs::remove_dir_all(&origin.state).unwrap();
    fs::remove_dir_all(&origin.repository.0).unwrap();
    let _operator = origin.operator(&stage);
    stage.runtime.block_on(async {
        stage.says("ends", "what it declares is not known").await;
        assert_eq!(stage.state("Stack", "ends").await, "Deleting");
        stage.annotate("Stack", "ends", LET_GO, "true").await;
        gone(&stage, "Stack", "ends").await;
        assert_eq!(there(&stage).await.len(), 4);
    });
}

#[test]
fn without_a_folder_for_repositories_a_stack_says_so() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let _operator = stage.operator(KEY, &[]);
    stage.runtime.block_on(async {
        let shop = origin.stack("nowhere", &json!({}));
        stage.apply(stage.namespace(), &shop).await.unwrap();
        stage.becomes("Stack", "nowhere", "Invalid", KEY).await;
        let message = stage.message("nowhere").await;
        assert!(message.contains("--git-state"), "{message}");
    });
}

#[test]
fn the_example_is_taken_and_what_nobody_means_is_not() {
    let Some(stage) = Stage::open(1) else { return };
    stage.runtime.block_on(async {
        let documents = read(Path::new("examples/kubernetes/git-stack.yaml"));
        assert_eq!(documents.len(), 3);
        for document in &documents {
            let sent = stage.send(stage.namespace(), document, true).await;
            assert!(sent.is_ok(), "{document}: {:?}", sent.err());
        }
        let git = |more: Value| {
            let mut git = json!({ "url": "https://git.example.com/ops.git" });
            for (key, value) in more.as_object().unwrap() {
                git[key] = value.clone();
            }
            stack("wrong", &json!({ "source": { "git": git } }))
        };
        for wrong in [
            json!({ "url": "" }),
            json!({ "branch": "main" }),
            json!({ "secretRef": {} }),
            json!({ "secretRef": { "name": "" } }),
            json!({ "allowedSigners": { "configMap": { "name": "signers" } } }),
        ] {
            let sent = stage
                .send(stage.namespace(), &git(wrong.clone()), true)
                .await;
            assert!(sent.is_err(), "{wrong} is taken");
        }
    });
}
