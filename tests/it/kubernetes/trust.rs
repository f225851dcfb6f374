//! Whose commits a Stack takes up, and what it may show to reach them.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::{Value, json};

use super::lives::there;
use super::repositories::{KEY, Origin};
use super::stand::latest;
use super::{Stage, command};
use crate::support::git_server::GitServer;
use crate::support::http_get;
use crate::watch::key;

#[test]
fn only_signed_commits_are_taken_up_where_signers_are_named() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let (good, other) = (
        key(stage.folder.path(), "good"),
        key(stage.folder.path(), "other"),
    );
    let line = |key: &Path| {
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        format!("barry@example.com {public}")
    };
    let signed = |text: &str, key: &Path| {
        origin.write(&[command("say", text)]);
        origin.repository.git(&["add", "--all"]);
        let key = format!("user.signingKey={}", key.display());
        let args = [
            "-c",
            "gpg.format=ssh",
            "-c",
            &key,
            "commit",
            "--quiet",
            "--gpg-sign",
            "--message",
            "signed",
        ];
        origin.repository.git(&args);
        origin.repository.git(&["rev-parse", "HEAD"])
    };
    let map = |text: String| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "signers" }, "data": { "list": text } });
    let first = signed("first", &good);
    let _operator = origin.operator(&stage);
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = origin.stack("signed", &json!({}));
        shop["spec"]["source"]["git"]["allowedSigners"] =
            json!({ "configMap": { "name": "signers", "key": "list" } });
        stage.apply(namespace, &shop).await.unwrap();
        stage
            .says("signed", "key `list` of ConfigMap `signers` cannot be read")
            .await;
        stage.apply(namespace, &map(line(&good))).await.unwrap();
        stage.takes_up("signed", &first).await;
        origin.commit(&[command("say", "unsigned")]);
        stage.says("signed", "it has no signature").await;
        let third = signed("by another", &other);
        stage
            .says(
                "signed",
                &format!("commit {} is not signed by an allowed signer", &third[..12]),
            )
            .await;
        assert_eq!(latest(&stage).await, "first");
        // Who may sign is read anew, and the same commit with it.
        stage
            .apply(namespace, &map(line(&good) + &line(&other)))
            .await
            .unwrap();
        stage.takes_up("signed", &third).await;
        assert_eq!(latest(&stage).await, "by another");
    });
}

/// The Secret of a repository.
fn secret(data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "ops-git" }, "stringData": data,
    })
}

/// Reads what an operator serves.
fn served(stage: &Stage, path: &str) -> String {
    let log = stage.log(KEY);
    let address = log.lines().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        let fields = &line["fields"];
        (fields["message"] == "listening").then(|| fields["address"].as_str().map(str::to_owned))?
    });
    let address = address.unwrap_or_else(|| panic!("{log}"));
    http_get(TcpStream::connect(address).unwrap(), path)
}

#[test]
fn credentials_stay_in_their_secret() {
    const PASSWORD: &str = "t0ken-never-seen";
    const WRONG: &str = "wr0ng-never-seen";
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let first = origin.commit(&[command("say", "first")]);
    let server = GitServer::open(stage.folder.path(), "bot", PASSWORD);
    let _operator = origin.operator(&stage);
    let secret = |password| secret(&json!({ "username": "bot", "password": password }));
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = origin.stack("private", &json!({}));
        let url = format!("{}/origin/.git", server.url);
        shop["spec"]["source"]["git"]["url"] = url.clone().into();
        stage.apply(namespace, &shop).await.unwrap();
        let message = stage
            .says("private", "the repository is out of reach")
            .await;
        assert_eq!(stage.state("Stack", "private").await, "Failed", "{message}");
        shop["spec"]["source"]["git"]["secretRef"] = json!({ "name": "ops-git" });
        stage.apply(namespace, &shop).await.unwrap();
        stage
            .says(
                "private",
                "Secret `ops-git` cannot be read: there is none of this name",
            )
            .await;
        stage.apply(namespace, &secret(WRONG)).await.unwrap();
        stage.says("private", "Authentication failed").await;
        assert_eq!(there(&stage).await.len(), 0);
        stage.apply(namespace, &secret(PASSWORD)).await.unwrap();
        stage.takes_up("private", &first).await;

        // Wrong again: the last good commit stays in force.
        stage.apply(namespace, &secret(WRONG)).await.unwrap();
        let message = stage.says("private", "Authentication failed").await;
        assert!(message.contains("stays in force"), "{message}");
        stage.repairs("private", "first").await;
        let metrics = served(&stage, "/metrics");
        let label = format!("stationbill_source_current{{stack=\"{namespace}/private\"}} 0");
        assert!(metrics.contains(&label), "{metrics}");

        // A server that repeats what it was sent, a password in the URL, and what is not allowed.
        stage.apply(namespace, &secret(PASSWORD)).await.unwrap();
        shop["spec"]["source"]["git"]["url"] = format!("{}/echo/.git", server.url).into();
        stage.apply(namespace, &shop).await.unwrap();
        let message = stage.says("private", "may not").await;
        assert!(
            message.contains("you are bot:…, or …, and may not"),
            "{message}"
        );
        let with = url.replace("http://", &format!("http://bot:{PASSWORD}@"));
        shop["spec"]["source"]["git"]["url"] = with.into();
        stage.apply(namespace, &shop).await.unwrap();
        stage.says("private", "put it into a Secret").await;
        shop["spec"]["source"]["git"]["url"] = "ssh://git@git.example.com/ops.git".into();
        stage.apply(namespace, &shop).await.unwrap();
        stage
            .says("private", "this operator allows file, http, https")
            .await;

        let mut said = stage.log(KEY) + &served(&stage, "/metrics");
        let stack = stage.get("Stack", "private").await.unwrap();
        said.push_str(&stack.data["status"].to_string());
        let events = stage.events().await;
        assert!(!events.is_empty());
        said.push_str(&serde_json::to_string(&events).unwrap());
        for part in [
            "never-seen",
            "bmV2ZXItc2Vlb",
            "5ldmVyLXNlZW",
            "uZXZlci1zZWVu",
        ] {
            assert!(!said.contains(part), "{part}: {said}");
        }
        // Nor is anything left on the disk but the repository.
        let mut left = Command::new("grep");
        left.args(["-rlE", "never-seen"]).arg(&origin.state);
        let left = left.output().unwrap();
        assert!(
            left.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&left.stdout)
        );
    });
}

#[test]
fn a_server_behind_a_private_authority_is_believed_where_the_secret_says_so() {
    let Some(stage) = Stage::open(1) else { return };
    let origin = Origin::beside(&stage);
    let first = origin.commit(&[command("say", "first")]);
    let server = GitServer::secure(stage.folder.path(), "bot", "t0ken");
    let stranger = GitServer::secure(stage.folder.path(), "bot", "t0ken");
    let _operator = origin.operator(&stage);
    let nobody = json!({ "username": "bot", "password": "t0ken" });
    let trusting = |server: &GitServer| {
        let mut data = nobody.clone();
        data["ca.crt"] = json!(server.authority);
        secret(&data)
    };
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = origin.stack("private", &json!({}));
        shop["spec"]["source"]["git"]["url"] = format!("{}/origin/.git", server.url).into();
        shop["spec"]["source"]["git"]["secretRef"] = json!({ "name": "ops-git" });
        // Nobody vouches for the server, then somebody else does.
        for secret in [secret(&nobody), trusting(&stranger)] {
            stage.apply(namespace, &secret).await.unwrap();
            stage.apply(namespace, &shop).await.unwrap();
            stage.says("private", "certificate").await;
            assert_eq!(there(&stage).await.len(), 0);
        }
        stage.apply(namespace, &trusting(&server)).await.unwrap();
        stage.takes_up("private", &first).await;
    });
}

/// An OpenSSH server of the tests' own; it ends with this.
struct SshServer {
    server: Child,
    folder: PathBuf,
    port: u16,
}

impl SshServer {
    /// Starts one where `STATIONBILL_SSHD` names the program.
    #[expect(clippy::disallowed_methods, reason = "the switch of this test")]
    fn start(folder: &Path) -> Option<Self> {
        let program = std::env::var("STATIONBILL_SSHD").ok()?;
        let folder = folder.join("ssh");
        fs::create_dir(&folder).unwrap();
        for name in ["host", "known", "stranger"] {
            key(&folder, name);
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/known.pub\n\
             StrictModes no\nPasswordAuthentication no\nPidFile none\n"
        );
        fs::write(folder.join("config"), config).unwrap();
        let mut server = Command::new(program);
        server.args(["-D", "-f"]).arg(folder.join("config"));
        server.arg("-E").arg(folder.join("log"));
        Some(Self {
            server: server.spawn().unwrap(),
            folder,
            port,
        })
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// The Secret of whoever shows one key and expects another.
    fn secret(&self, shows: &str, expects: &str) -> Value {
        let host = format!("[127.0.0.1]:{} {}", self.port, self.read(expects));
        secret(&json!({ "identity": self.read(shows), "known_hosts": host }))
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

#[test]
fn over_ssh_both_sides_must_be_known() {
    let Some(stage) = Stage::open(1) else { return };
    let Some(server) = SshServer::start(stage.folder.path()) else {
        return;
    };
    let origin = Origin::beside(&stage);
    let first = origin.commit(&[command("say", "first")]);
    let kept = origin.state.to_str().unwrap();
    // The protocols are what an operator allows by itself.
    let _operator = stage.operator(KEY, &["--git-state", kept]);
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    stage.runtime.block_on(async {
        let namespace = stage.namespace();
        let mut shop = origin.stack("private", &json!({}));
        let (port, path) = (server.port, origin.repository.0.display());
        let url = format!("ssh://{}@127.0.0.1:{port}{path}", user.trim());
        shop["spec"]["source"]["git"]["url"] = url.into();
        stage.apply(namespace, &shop).await.unwrap();
        stage
            .says(
                "private",
                "SSH needs a Secret with `identity` and `known_hosts`",
            )
            .await;
        shop["spec"]["source"]["git"]["secretRef"] = json!({ "name": "ops-git" });
        let wrong = [
            (
                server.secret("known", "stranger.pub"),
                "HOST IDENTIFICATION HAS CHANGED",
            ),
            (server.secret("stranger", "host.pub"), "Permission denied"),
        ];
        for (secret, what) in wrong {
            stage.apply(namespace, &secret).await.unwrap();
            stage.apply(namespace, &shop).await.unwrap();
            let message = stage.says("private", what).await;
            assert!(!message.contains("@@"), "{message}");
            assert_eq!(there(&stage).await.len(), 0);
        }
        let right = server.secret("known", "host.pub");
        stage.apply(namespace, &right).await.unwrap();
        stage.takes_up("private", &first).await;
        let said = stage.log(KEY);
        assert!(!said.contains("OPENSSH PRIVATE KEY"), "{said}");
    });
}
