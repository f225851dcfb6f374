//! A real API server: etcd and kube-apiserver, one pair for the whole test binary.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, Config};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use stationbill::aws::chain;
use stationbill::operator::{crd, resource};

/// Who may do everything.
pub(crate) const ADMIN: &str = "the-administrator-of-the-tests";

/// Runs the two until its input ends, which is when whoever started it has ended, in whatever way.
const KEEPER: &str = r#"
folder=$1; etcd=$2; server=$3; shift 3
"$etcd" --data-dir="$folder/etcd" --unsafe-no-fsync --listen-client-urls="$1" --advertise-client-urls="$1" \
  --listen-peer-urls="$2" --initial-advertise-peer-urls="$2" --initial-cluster="default=$2" >"$folder/etcd.log" 2>&1 &
first=$!
"$server" --etcd-servers="$1" --cert-dir="$folder" --bind-address=127.0.0.1 --secure-port="$3" \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$folder/sa.pub" \
  --service-account-signing-key-file="$folder/sa.key" --token-auth-file="$folder/tokens.csv" \
  --authorization-mode=RBAC --service-cluster-ip-range=10.0.0.0/24 --disable-admission-plugins=ServiceAccount \
  --max-requests-inflight=0 --max-mutating-requests-inflight=0 --enable-priority-and-fairness=false \
  >"$folder/server.log" 2>&1 &
second=$!
read -r _ || true
kill -9 "$second" "$first"
wait
rm -rf "$folder"
"#;

/// The API server.
pub(crate) struct Server {
    pub(crate) url: String,
    /// The certificate to trust, PEM.
    ca: String,
    _keeper: Child,
}

/// Says whether the tests that need an API server are switched off.
#[expect(clippy::disallowed_methods, reason = "the switch of these tests")]
fn skipped() -> bool {
    std::env::var_os("STATIONBILL_SKIP_KUBERNETES").is_some_and(|value| value == "1")
}

/// Returns the API server; `None` when these tests are switched off.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    if skipped() {
        return None;
    }
    // What does not begin once is not begun again by every other test.
    let server = SERVER.get_or_init(|| {
        std::panic::catch_unwind(Server::start).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.unwrap_or_else(|| "the API server does not begin".to_owned())
        })
    });
    Some(server.as_ref().unwrap_or_else(|why| panic!("{why}")))
}

fn binaries() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubernetes/build");
    let output = Command::new(build).arg(target).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// Makes a key for the tokens of service accounts: the private half (PKCS 8) and the public one.
fn key() -> (String, String) {
    /// What comes before a point of the curve P-256 in a SubjectPublicKeyInfo: RFC 5480.
    const INFO: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let (random, curve) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
    let private = EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(curve, private.as_ref(), &random).unwrap();
    let public = [&INFO, pair.public_key().as_ref()].concat();
    let pem = |what: &str, bytes: &[u8]| {
        format!(
            "-----BEGIN {what}-----\n{}\n-----END {what}-----\n",
            STANDARD.encode(bytes)
        )
    };
    (
        pem("PRIVATE KEY", private.as_ref()),
        pem("PUBLIC KEY", &public),
    )
}

impl Server {
    fn start() -> Self {
        let binaries = binaries();
        let folder = tempfile::Builder::new().prefix("apiserver-").tempdir();
        let folder = folder.unwrap().keep();
        let (private, public) = key();
        fs::write(folder.join("sa.key"), private).unwrap();
        fs::write(folder.join("sa.pub"), public).unwrap();
        fs::write(
            folder.join("tokens.csv"),
            format!("{ADMIN},admin,1,\"system:masters\"\n"),
        )
        .unwrap();
        let [client, peer, port] = free_ports();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .arg(binaries.join("etcd"))
            .arg(binaries.join("kube-apiserver"))
            .arg(format!("http://127.0.0.1:{client}"))
            .arg(format!("http://127.0.0.1:{peer}"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            // Ctrl-C is for us; it hears of it by the end of its input.
            .process_group(0)
            .spawn()
            .unwrap();
        let certificate = folder.join("apiserver.crt");
        let began = Instant::now();
        let ca = loop {
            match fs::read_to_string(&certificate) {
                Ok(text) if text.contains("END CERTIFICATE") => break text,
                _ => wait(&folder, began),
            }
        };
        let server = Self {
            url: format!("https://127.0.0.1:{port}"),
            ca,
            _keeper: keeper,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        // The thread that asks first may be a runtime's.
        let thread = || {
            runtime.block_on(async {
                while !server.ready().await {
                    wait(&folder, began);
                }
                install(&server.admin().await).await;
            });
        };
        let ended = std::thread::scope(|scope| scope.spawn(thread).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        server
    }

    async fn ready(&self) -> bool {
        let client = self.admin().await;
        let request = http::Request::get("/readyz").body(Vec::new()).unwrap();
        client
            .request_text(request)
            .await
            .is_ok_and(|text| text == "ok")
    }

    /// Returns somebody who may do everything.
    pub(crate) async fn admin(&self) -> Client {
        self.client(ADMIN, "default").await
    }

    /// Returns the holder of a token.
    pub(crate) async fn client(&self, token: &str, namespace: &str) -> Client {
        let file = Kubeconfig::from_yaml(&self.kubeconfig(token, namespace)).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(file, &options)
            .await
            .unwrap();
        Client::try_from(config).unwrap()
    }

    /// Returns a file with the way to the server for the holder of a token.
    pub(crate) fn kubeconfig(&self, token: &str, namespace: &str) -> String {
        let cluster =
            json!({ "server": self.url, "certificate-authority-data": STANDARD.encode(&self.ca) });
        let context = json!({ "cluster": "tests", "user": "who", "namespace": namespace });
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "tests", "cluster": cluster }],
            "users": [{ "name": "who", "user": { "token": token } }],
            "contexts": [{ "name": "it", "context": context }],
            "current-context": "it",
        })
        .to_string()
    }
}

/// Installs the definitions of all kinds.
async fn install(client: &Client) {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    for kind in resource::kinds() {
        let crd = crd::crd(kind).unwrap();
        let name = crd.metadata.name.clone().unwrap();
        let params = PatchParams::apply("tests").force();
        let crd = serde_json::to_value(&crd).unwrap();
        let applied = crds.patch(&name, &params, &Patch::Apply(crd)).await;
        assert!(
            applied.is_ok(),
            "{}: {}",
            kind.kind(),
            chain(&applied.unwrap_err())
        );
        await_condition(crds.clone(), &name, conditions::is_crd_established())
            .await
            .unwrap();
    }
}

/// Waits a little; gives up, with what the two last said, when it takes too long.
fn wait(folder: &Path, began: Instant) {
    let last = |name: &str| {
        let file = fs::File::open(folder.join(name));
        let lines = file
            .into_iter()
            .flat_map(|file| BufReader::new(file).lines());
        let lines: Vec<String> = lines.map_while(Result::ok).collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    };
    let died = last("server.log").contains("command failed");
    assert!(
        !died && began.elapsed() < Duration::from_mins(2),
        "the API server does not begin:\n{}\n{}",
        last("etcd.log"),
        last("server.log")
    );
    std::thread::sleep(Duration::from_millis(100));
}
