//! The operator, as a process of its own, against a real API server and the simulated AWS.
//!
//! `STATIONBILL_SKIP_KUBERNETES=1` leaves these tests out; `KUBEBUILDER_ASSETS` names a folder with the binaries.

mod accepted;
mod chart;
mod lives;
mod replicas;
mod repositories;
mod scale;
mod server;
mod stand;
mod trust;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};
use stationbill::load::Declared;
use stationbill::model::plan::Wish;
use stationbill::operator::resource;
use stationbill::sandbox::{Enforce, Options, Sandbox};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::support::calls::{Call, Moment};
use crate::support::door::{Door, Watch};
use crate::support::{STACK, Scene, program, told};
use server::Server;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A few namespaces of the API server, a simulated AWS, and operators that have nothing else.
struct Stage {
    runtime: Runtime,
    server: &'static Server,
    client: Client,
    sandbox: Arc<Sandbox>,
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    namespaces: Vec<String>,
    folder: tempfile::TempDir,
}

/// An operator; it ends with the test.
struct Operator(Child);

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Operator {
    fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        kill.arg(format!("-{name}")).arg(self.0.id().to_string());
        assert!(kill.status().unwrap().success());
    }

    /// Ends it as Kubernetes would.
    fn stop(mut self) {
        self.signal("TERM");
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Stage {
    /// Opens a stage of so many namespaces; `None` when these tests are switched off.
    fn open(namespaces: usize) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let server = server::server()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let options = Options {
            quotas: Enforce::Off,
            ..Options::default()
        };
        let sandbox = Sandbox::open(options).unwrap();
        let door = runtime.block_on(Door::open(sandbox.clone()));
        let (url, calls) = (door.url.clone(), Arc::new(Mutex::new(Vec::new())));
        let log = calls.clone();
        let look: Arc<Watch> = Arc::new(move |_, call, moment| {
            if moment == Moment::Before {
                log.lock().unwrap().push(call.clone());
            }
            false
        });
        runtime.spawn(async move { door.serve(look, CancellationToken::new()).await });
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let names = (0..namespaces).map(|index| format!("stage-{number}-{index}"));
        let stage = Self {
            client: runtime.block_on(server.admin()),
            runtime,
            server,
            sandbox,
            url,
            calls,
            namespaces: names.collect(),
            folder: tempfile::tempdir().unwrap(),
        };
        stage.runtime.block_on(stage.furnish());
        Some(stage)
    }

    fn namespace(&self) -> &str {
        &self.namespaces[0]
    }

    /// Makes the namespaces, and a ServiceAccount in the first with the chart's rights and no others.
    async fn furnish(&self) {
        let all: Api<Namespace> = Api::all(self.client.clone());
        for name in &self.namespaces {
            let namespace = json!({ "metadata": { "name": name } });
            let namespace = serde_json::from_value(namespace).unwrap();
            all.create(&PostParams::default(), &namespace)
                .await
                .unwrap();
        }
        let manifest = read(Path::new("examples/kubernetes/operator.yaml"));
        let rules = |kind: &str| {
            let role = manifest.iter().find(|document| document["kind"] == kind);
            role.unwrap()["rules"].clone()
        };
        let home = self.namespace();
        let subject = json!({ "kind": "ServiceAccount", "name": "operator", "namespace": home });
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "operator" } });
        self.apply(home, &account).await.unwrap();
        for (name, rules, namespaces) in [
            ("operator", rules("ClusterRole"), &self.namespaces[..]),
            ("leases", rules("Role"), &self.namespaces[..1]),
        ] {
            for namespace in namespaces {
                let role = json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "Role",
                    "metadata": { "name": name },
                    "rules": rules,
                });
                let binding = json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "RoleBinding",
                    "metadata": { "name": name },
                    "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
                    "subjects": [subject],
                });
                self.apply(namespace, &role).await.unwrap();
                self.apply(namespace, &binding).await.unwrap();
            }
        }
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), home);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(3600),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let params = PostParams::default();
        let token = accounts.create_token_request("operator", &params, &request);
        let token = token.await.unwrap().status.unwrap().token.unwrap();
        let file = self.server.kubeconfig(&token, home);
        fs::write(self.kubeconfig(), file).unwrap();
    }

    /// Gives the ServiceAccount the chart's rights in every namespace, as the chart does unless it is told otherwise.
    async fn may_do_that_everywhere(&self) {
        let manifest = read(Path::new("examples/kubernetes/operator.yaml"));
        let role = manifest
            .iter()
            .find(|document| document["kind"] == "ClusterRole");
        let name = format!("operator-{}", self.namespace());
        let subject =
            json!({ "kind": "ServiceAccount", "name": "operator", "namespace": self.namespace() });
        let api_group = "rbac.authorization.k8s.io";
        let role = json!({
            "metadata": { "name": name },
            "rules": role.unwrap()["rules"],
        });
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": api_group, "kind": "ClusterRole", "name": name },
            "subjects": [subject],
        });
        let roles: Api<ClusterRole> = Api::all(self.client.clone());
        let role = serde_json::from_value(role).unwrap();
        roles.create(&PostParams::default(), &role).await.unwrap();
        let bindings: Api<ClusterRoleBinding> = Api::all(self.client.clone());
        let binding = serde_json::from_value(binding).unwrap();
        bindings
            .create(&PostParams::default(), &binding)
            .await
            .unwrap();
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Starts an operator with an access key of its own.
    fn operator(&self, key: &str, more: &[&str]) -> Operator {
        self.operator_of(key, &self.namespaces, more)
    }

    /// Starts one that watches these namespaces; all of them when none is named.
    fn operator_of(&self, key: &str, namespaces: &[String], more: &[&str]) -> Operator {
        let log = fs::File::create(self.folder.path().join(format!("{key}.log"))).unwrap();
        let mut command = program(&self.url);
        command
            .env("AWS_ACCESS_KEY_ID", key)
            .env("KUBECONFIG", self.kubeconfig())
            .env("STATIONBILL_LOG", "stationbill=debug")
            .args([
                "operator",
                "--identity",
                key,
                "--log-format",
                "json",
                "--listen",
                "127.0.0.1:0",
            ])
            .args(namespaces.iter().flat_map(|name| ["--namespace", name]))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Operator(command.spawn().unwrap())
    }

    /// What an operator had to say, for messages of tests.
    fn log(&self, key: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{key}.log"))).unwrap_or_default()
    }

    fn api(&self, namespace: &str, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &resource::resource(kind))
    }

    /// Applies a document as `kubectl apply --server-side` does.
    async fn apply(&self, namespace: &str, document: &Value) -> Result<DynamicObject, kube::Error> {
        self.send(namespace, document, false).await
    }

    async fn send(
        &self,
        namespace: &str,
        document: &Value,
        dry: bool,
    ) -> Result<DynamicObject, kube::Error> {
        let text = |at: &str| {
            document
                .pointer(at)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let kind = text("/kind");
        let resource = match text("/apiVersion").split_once('/') {
            Some((group, version)) => {
                kube::api::ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
            }
            None => kube::api::ApiResource::from_gvk(&GroupVersionKind::gvk(
                "",
                text("/apiVersion"),
                kind,
            )),
        };
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        let mut params = PatchParams::apply("people").force().validation_strict();
        params.dry_run = dry;
        api.patch(text("/metadata/name"), &params, &Patch::Apply(document))
            .await
    }

    async fn apply_all(&self, namespace: &str, documents: &[Value]) {
        for document in documents {
            let applied = self.apply(namespace, document).await;
            assert!(
                applied.is_ok(),
                "{}: {:?}",
                document["metadata"]["name"],
                applied.err()
            );
        }
    }

    async fn delete(&self, namespace: &str, kind: &str, name: &str) {
        let api = self.api(namespace, kind);
        api.delete(name, &DeleteParams::default()).await.unwrap();
    }

    async fn annotate(&self, kind: &str, name: &str, annotation: &str, value: &str) {
        let patch = json!({ "metadata": { "annotations": { annotation: value } } });
        let api = self.api(self.namespace(), kind);
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    async fn get(&self, kind: &str, name: &str) -> Option<DynamicObject> {
        self.api(self.namespace(), kind)
            .get_opt(name)
            .await
            .unwrap()
    }

    /// Returns the state that an object's status tells, for the generation that it has.
    async fn state(&self, kind: &str, name: &str) -> String {
        let Some(object) = self.get(kind, name).await else {
            return "gone".to_owned();
        };
        let status = &object.data["status"];
        if status["observedGeneration"].as_i64() != object.metadata.generation {
            return format!("behind, was {}", status["state"]);
        }
        status["state"].as_str().unwrap_or_default().to_owned()
    }

    async fn list(&self, namespace: &str, kind: &str) -> Vec<DynamicObject> {
        let api = self.api(namespace, kind);
        api.list(&ListParams::default()).await.unwrap().items
    }

    /// Returns every object of ours of a namespace that is not in sync, with its state.
    async fn not_in_sync(&self, namespace: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for kind in resource::kinds() {
            if kind.kind() == "Target" {
                continue;
            }
            for object in self.list(namespace, kind.kind()).await {
                let status = &object.data["status"];
                let now = status["observedGeneration"].as_i64() == object.metadata.generation;
                if !now || status["state"] != "InSync" {
                    let name = object.metadata.name.clone().unwrap_or_default();
                    found.insert(format!("{}/{name}", kind.kind()), status.to_string());
                }
            }
        }
        found
    }

    /// Waits until every object of a namespace is in sync.
    async fn settled(&self, namespace: &str, key: &str) {
        let began = Instant::now();
        loop {
            let open = self.not_in_sync(namespace).await;
            if open.is_empty() {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{open:#?}\n{}", self.log(key));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for an object to be in a state.
    async fn becomes(&self, kind: &str, name: &str, state: &str, key: &str) {
        let began = Instant::now();
        loop {
            let now = self.state(kind, name).await;
            if now == state {
                return;
            }
            if began.elapsed() >= PATIENCE {
                let object = self.get(kind, name).await.map(|object| object.data);
                panic!(
                    "{kind}/{name} is {now}, not {state}: {object:#?}\n{}",
                    self.log(key)
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lists the calls that somebody made which may change something, from the `from`th call on. A session of a role
    /// changes nothing.
    fn writes(&self, from: usize) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        calls[from..]
            .iter()
            .filter(|call| call.writes && call.operation != "AssumeRole")
            .cloned()
            .collect()
    }

    fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// Asserts that AWS has all of the banana stand as these documents declare it, and nothing else of it; returns it.
    async fn is_as_declared(&self, objects: &[Declared]) -> Scene {
        let scene = Scene::of(self.sandbox.clone()).await;
        let prune = Wish {
            prune: true,
            ..Wish::default()
        };
        let (_, _, left) = scene.plan(STACK, objects, &prune).await;
        assert!(
            left.is_empty() && left.orphans.is_empty(),
            "{}",
            told(&left)
        );
        assert_eq!(left.unchanged, objects.len());
        scene
    }

    /// Everything that the simulated AWS remembers.
    fn aws(&self) -> Value {
        self.sandbox
            .with_state(|state| serde_json::to_value(state).unwrap())
    }
}

/// Reads the documents of a file.
fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let documents = serde_yaml::Deserializer::from_str(&text);
    let documents = documents.map(|document| serde::Deserialize::deserialize(document).unwrap());
    documents
        .filter(|document: &Value| !document.is_null())
        .collect()
}

/// Reads the documents of a folder, each with the folder of its file; what is no document of ours is left out.
fn read_all(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(read_all(&path));
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let documents = read(&path).into_iter();
            let ours = documents.filter(|document| {
                document["apiVersion"] == resource::resource("Stack").api_version
            });
            found.extend(ours.map(|document| (folder.to_owned(), document)));
        }
    }
    found
}

/// Makes of the documents of a folder what a cluster takes: texts come from a ConfigMap, addresses from a Secret. Those
/// two come first.
fn for_cluster(documents: Vec<(PathBuf, Value)>) -> Vec<Value> {
    let (mut texts, mut addresses) = (BTreeMap::new(), BTreeMap::new());
    let mut all: Vec<Value> = documents
        .into_iter()
        .map(|(folder, mut document)| {
            moved(&folder, &mut document["spec"], &mut texts, &mut addresses);
            document
        })
        .collect();
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "texts" }, "data": texts });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "people" }, "stringData": addresses });
    all.splice(0..0, [map, secret]);
    all
}

fn moved(
    folder: &Path,
    value: &mut Value,
    texts: &mut BTreeMap<String, String>,
    addresses: &mut BTreeMap<String, String>,
) {
    match value {
        Value::Object(map) => {
            for (key, member) in map.iter_mut() {
                let file = member
                    .get("file")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                if let Some(path) = file.filter(|_| key.ends_with("From")) {
                    let name = path.replace('/', "-");
                    texts.insert(
                        name.clone(),
                        fs::read_to_string(folder.join(&path)).unwrap(),
                    );
                    *member = json!({ "configMap": { "name": "texts", "key": name } });
                }
            }
            if let Some(path) = map.get("fromFile").and_then(Value::as_str) {
                let at = [folder.join(path), PathBuf::from(path)];
                let text = at
                    .iter()
                    .find_map(|path| fs::read_to_string(path).ok())
                    .unwrap();
                let name = path.replace('/', "-");
                addresses.insert(name.clone(), text);
                *value = json!({ "fromSecret": { "name": "people", "key": name } });
                return;
            }
            map.values_mut()
                .for_each(|member| moved(folder, member, texts, addresses));
        }
        Value::Array(list) => {
            for item in list {
                moved(folder, item, texts, addresses);
            }
        }
        _ => {}
    }
}

fn document(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": resource::resource(kind).api_version,
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}

fn stack(name: &str, spec: &Value) -> Value {
    document("Stack", name, spec)
}

/// A small object that needs no other.
fn command(name: &str, text: &str) -> Value {
    let content = json!({
        "schemaVersion": "2.2",
        "description": text,
        "mainSteps": [{ "action": "aws:runShellScript", "name": "say", "inputs": { "runCommand": ["true"] } }],
    });
    document(
        "Document",
        name,
        &json!({ "name": name, "documentType": "Command", "content": content }),
    )
}

/// Says what was measured; nothing is asserted of it, for it depends on the machine.
#[expect(clippy::print_stdout, reason = "a number for whoever reads along")]
fn measured(what: &str, time: Duration) {
    println!("{what} after {} ms", time.as_millis());
}
