//! Personal data: no address leaves the program but to AWS, whatever the command, the format and the failure.
//!
//! Documents hold addresses that occur nowhere else. Every command runs in every format with everything logged, and
//! every stream and every file that it leaves is searched for each of them, in each form that it could have taken.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;
use stationbill::sandbox::{Enforce, Faults, Options, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::support::door::Door;
use crate::support::program;

/// Every address that the documents of this test name, before and after they change.
const ADDRESSES: &[&str] = &[
    "zaphod.value+7f3a@example.com",
    "trillian.env+91bc@example.com",
    "marvin.file+e05d@example.com",
    "slartibart.param+4c2e@example.com",
    "arthur.wrong+aa17@example.com",
    "+819051117001",
    "+819051117002",
    "+819051117003",
    "+819051117004",
];

/// What of an address is searched for: masks keep the domain, two digits at the end and the prefix.
fn needle(address: &str) -> &str {
    match address.split_once('@') {
        Some((local, _)) => &local[1..],
        None => &address[3..],
    }
}

/// Every form in which a text could be written.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![text.to_owned()];
    let encode = |upper: bool| -> String {
        text.bytes()
            .map(|b| match b {
                b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => (b as char).to_string(),
                b if upper => format!("%{b:02X}"),
                b => format!("%{b:02x}"),
            })
            .collect()
    };
    forms.extend([encode(true), encode(false)]);
    forms.push(text.replace('+', "\\u002b").replace('@', "\\u0040"));
    forms.push(text.replace('+', "&#43;").replace('@', "&#64;"));
    // As Rust writes bytes it does not take for text.
    forms.push(format!("{:?}", text.as_bytes()).replace(['[', ']'], ""));
    for before in 0..3 {
        // In base64 a text looks in three ways, after where it begins; its first and last characters depend on neighbours.
        let padded = [vec![b'x'; before], text.as_bytes().to_vec()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let from = [0, 2, 3][before];
            let to = text.len() - usize::from(!padded.len().is_multiple_of(3));
            forms.push(text[from..to].to_owned());
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn leaks(what: &[u8], from: &str, into: &mut Vec<String>) {
    for address in ADDRESSES {
        for form in forms(needle(address)) {
            if let Some(at) = what.windows(form.len()).position(|window| window == form) {
                let around = &what[at.saturating_sub(160)..(at + form.len() + 40).min(what.len())];
                let around = String::from_utf8_lossy(around);
                into.push(format!("{from} has {address}: …{around}…"));
                break;
            }
        }
    }
}

#[test]
fn the_search_finds_every_form() {
    let address = ADDRESSES[0];
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{address}, and more");
        let written = [
            text.clone(),
            STANDARD_NO_PAD.encode(&text),
            URL_SAFE_NO_PAD.encode(&text),
            format!("{:?}", text.as_bytes()),
            text.replace('+', "%2B").replace('@', "%40"),
            text.replace('+', "%2b").replace('@', "%40"),
            text.replace('+', "\\u002b").replace('@', "\\u0040"),
        ];
        for text in written {
            let mut found = Vec::new();
            leaks(text.as_bytes(), "here", &mut found);
            assert_eq!(found.len(), 1, "{text}");
        }
    }
    let mut found = Vec::new();
    leaks(
        "z•••@example.com +81•••••••01".as_bytes(),
        "here",
        &mut found,
    );
    assert_eq!(found, [""; 0]);
}

struct Stage {
    folder: tempfile::TempDir,
    sandbox: Arc<Sandbox>,
    runtime: tokio::runtime::Runtime,
    url: String,
    stop: CancellationToken,
    leaks: Vec<String>,
    runs: usize,
    logged: bool,
}

impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = Options {
            quotas: Enforce::Off,
            exchanges: Some(crate::support::exchanges()),
            ..Options::default()
        };
        let sandbox = Sandbox::open(options).unwrap();
        let stop = CancellationToken::new();
        let door = runtime.block_on(Door::open(sandbox.clone()));
        let url = door.url.clone();
        let until = stop.clone();
        drop(runtime.spawn(async move { door.serve(Arc::new(|_, _, _| false), until).await }));
        Self {
            folder: tempfile::tempdir().unwrap(),
            sandbox,
            runtime,
            url,
            stop,
            leaks: Vec::new(),
            runs: 0,
            logged: false,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a document and what it reads from.
    fn declare(&self, telephone: &str) {
        let documents = self.path("documents");
        fs::create_dir_all(&documents).unwrap();
        fs::write(self.path("address"), "marvin.file+e05d@example.com\n").unwrap();
        let text = format!(
            r#"
apiVersion: stationbill.dev/v1alpha1
kind: ReplicationSet
metadata: {{ name: set }}
spec: {{ regions: [{{ name: ap-northeast-1 }}] }}
---
apiVersion: stationbill.dev/v1alpha1
kind: Contact
metadata: {{ name: person }}
spec:
  lifecycle: {{ onDelete: delete }}
  channels:
    value: {{ type: EMAIL, address: {{ value: zaphod.value+7f3a@example.com }} }}
    env: {{ type: EMAIL, address: {{ fromEnv: ADDRESS }} }}
    file: {{ type: EMAIL, address: {{ fromFile: ../address }} }}
    parameter: {{ type: EMAIL, address: {{ fromParameter: /address }} }}
    sms: {{ type: SMS, address: {{ value: "{telephone}" }} }}
    voice: {{ type: VOICE, address: {{ fromEnv: TELEPHONE }} }}
  stages:
    - durationMinutes: 5
      notify: [{{ channel: value }}, {{ channel: sms }}]
"#
        );
        fs::write(documents.join("person.yaml"), text).unwrap();
    }

    /// Runs the program, with everything logged, and searches what it says.
    fn run(&mut self, arguments: &[&str]) -> Output {
        let mut last = None;
        for log in [None, Some("trace")] {
            last = Some(self.run_with(arguments, log));
        }
        last.unwrap()
    }

    fn run_with(&mut self, arguments: &[&str], log: Option<&str>) -> Output {
        let mut command = program(&self.url);
        command
            .current_dir(self.folder.path())
            .env("ADDRESS", "trillian.env+91bc@example.com")
            .env("TELEPHONE", "+819051117002")
            .env("RUST_BACKTRACE", "1")
            .arg("-vvv")
            .args(arguments);
        if let Some(log) = log {
            command.env("STATIONBILL_LOG", log);
        }
        let output = command.output().unwrap();
        self.runs += 1;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        // There is nothing to find in a log that is not written.
        self.logged |= log.is_some() && said.contains("DEBUG") && said.contains("ssm-contacts");
        for (stream, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let from = format!("{stream} of {arguments:?} ({log:?})");
            leaks(text, &from, &mut self.leaks);
        }
        output
    }

    fn fault(&self, operation: &str, code: &str, message: &str) {
        let error = json!({"code": code, "status": 400, "message": message});
        let rule = json!([{"match": {"operation": operation}, "then": {"error": error}}]);
        self.sandbox
            .set_faults(Faults::parse(&rule.to_string()).unwrap());
    }

    fn calm(&self) {
        self.sandbox.set_faults(Faults::default());
    }

    /// Searches every file but those that are meant to hold addresses.
    fn search_files(&mut self, but: &[&str]) {
        let mut files = Vec::new();
        walk(self.folder.path(), &mut files);
        for file in files {
            let name = file.strip_prefix(self.folder.path()).unwrap();
            let name = name.to_str().unwrap().to_owned();
            if !but.iter().any(|but| name.starts_with(but)) {
                leaks(&fs::read(&file).unwrap(), &name, &mut self.leaks);
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, into);
        } else {
            into.push(path);
        }
    }
}

fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn no_address_is_in_any_output_of_any_command() {
    let mut stage = Stage::new();
    stage.declare("+819051117001");
    let put = async {
        let scene = crate::support::Scene::of(stage.sandbox.clone()).await;
        let put = scene.aws.ssm.put_parameter().name("/address");
        let put = put.value("slartibart.param+4c2e@example.com");
        put.r#type("SecureString".into()).send().await.unwrap();
    };
    stage.runtime.block_on(put);
    let plans = ["human", "json", "markdown", "sarif", "junit"];
    for output in ["human", "json", "sarif", "junit"] {
        succeeded(&stage.run(&["validate", "documents", "-o", output]));
    }
    for purpose in ["plan", "apply"] {
        succeeded(&stage.run(&["iam-policy", "documents", "--for", purpose]));
    }
    for output in plans {
        succeeded(&stage.run(&["plan", "documents", "-o", output, "--out", "new.plan"]));
    }
    // What AWS says about a value that it does not accept has the value in it.
    let said = "Value 'marvin.file+e05d@example.com' at 'deliveryAddress' failed: zaphod.value%2B7f3a%40example.com";
    stage.fault("CreateContactChannel", "ValidationException", said);
    for output in ["human", "json", "markdown", "junit"] {
        assert!(
            !stage
                .run(&["apply", "documents", "--yes", "-o", output])
                .status
                .success()
        );
    }
    stage.calm();
    succeeded(&stage.run(&["apply", "documents", "--yes", "--log-format", "json"]));
    for output in plans {
        succeeded(&stage.run(&["plan", "documents", "-o", output]));
    }
    // Somebody's number changes: both the old and the new one are in the difference.
    stage.declare("+819051117003");
    for output in plans {
        succeeded(&stage.run(&["plan", "documents", "-o", output, "--out", "change.plan"]));
        stage.run(&["drift", "documents", "-o", output]);
    }
    for (operation, message) in [
        (
            "ListContacts",
            "nothing for +819051117001 and +819051117003",
        ),
        (
            "ListContactChannels",
            "ask arthur.wrong+aa17@example.com or +81 9051117001",
        ),
    ] {
        stage.fault(operation, "AccessDeniedException", message);
        for output in plans {
            assert!(
                !stage
                    .run(&["plan", "documents", "-o", output])
                    .status
                    .success()
            );
            stage.run(&["drift", "documents", "-o", output]);
        }
        stage.run(&["export"]);
        stage.run(&["destroy", "documents", "--yes"]);
        stage.run(&["apply", "documents", "--yes"]);
    }
    stage.fault(
        "GetParameter",
        "ParameterNotFound",
        "not slartibart.param+4c2e@example.com",
    );
    stage.run(&["plan", "documents"]);
    stage.calm();
    succeeded(&stage.run_with(&["apply", "change.plan", "--yes"], Some("trace")));
    stage.run(&["apply", "change.plan", "--yes"]);
    succeeded(&stage.run(&["export"]));
    succeeded(&stage.run(&["export", "--out", "exported"]));
    succeeded(&stage.run(&["export", "--out", "exported", "--secrets", "secrets"]));
    for output in ["human", "json", "markdown", "junit"] {
        stage.run(&["destroy", "documents", "--yes", "-o", output]);
    }
    // The program's own simulated AWS keeps its state in a folder of its own, and records calls without bodies.
    stage.run(&["apply", "documents", "--yes", "--sandbox=state"]);
    let mut secrets = Vec::new();
    leaks(
        &fs::read(stage.path("secrets")).unwrap(),
        "secrets",
        &mut secrets,
    );
    assert_eq!(
        secrets.len(),
        6,
        "the secrets file has each address that is in AWS"
    );
    stage.search_files(&["documents", "address", "secrets", "state/"]);
    assert!(stage.runs > 80 && stage.logged, "{}", stage.runs);
    assert!(
        stage.leaks.is_empty(),
        "{} leaks:\n{}",
        stage.leaks.len(),
        stage.leaks.join("\n")
    );
}

/// The simulated AWS is told every address, and says and records none, however much it logs.
#[test]
fn no_address_is_in_what_the_served_simulation_says() {
    let mut stage = Stage::new();
    stage.declare("+819051117001");
    // The state holds what it is told; it is the simulated AWS itself.
    let folder = stage.path("served");
    stage.runtime.block_on(async {
        let options = Options {
            state: Some(folder),
            ..Options::default()
        };
        let scene = crate::support::Scene::of(Sandbox::open(options).unwrap()).await;
        let put = scene.aws.ssm.put_parameter().name("/address");
        let put = put.value("slartibart.param+4c2e@example.com");
        put.r#type("SecureString".into()).send().await.unwrap();
    });
    let log = fs::File::create(stage.path("served.log")).unwrap();
    let mut serving = program(&stage.url)
        .current_dir(stage.folder.path())
        .args([
            "sandbox", "-vvv", "--quotas", "off", "--state", "served", "--record", "record",
        ])
        .env("STATIONBILL_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut said = BufReader::new(serving.stdout.take().unwrap());
    said.read_line(&mut first).unwrap();
    stage.url = first.trim().to_owned();
    succeeded(&stage.run_with(&["apply", "documents", "--yes"], None));
    stage.declare("+819051117003");
    succeeded(&stage.run_with(&["apply", "documents", "--yes"], None));
    serving.kill().unwrap();
    serving.wait().unwrap();
    let logged = fs::read_to_string(stage.path("served.log")).unwrap();
    assert!(
        logged.contains("sandbox call") && logged.contains("CreateContactChannel"),
        "{logged}"
    );
    assert!(fs::metadata(stage.path("record")).unwrap().len() > 1000);
    stage.search_files(&["documents", "address", "served/"]);
    assert!(stage.leaks.is_empty(), "{}", stage.leaks.join("\n"));
}

/// A panic of the program quotes what it stumbled over. The hook is the process's own, so this test runs itself again.
#[test]
fn no_address_is_in_the_message_of_a_panic() {
    #[expect(clippy::disallowed_methods, reason = "tells the two runs apart")]
    if std::env::var_os("STATIONBILL_PANICS").is_some() {
        stationbill::cli::panics::hide();
        panic!("cannot reach {} and {}", ADDRESSES[4], ADDRESSES[8]);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "personal_data::no_address_is_in_the_message_of_a_panic",
        ])
        .env("STATIONBILL_PANICS", "1")
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot reach a•••@example.com and +81"),
        "{said}"
    );
    let mut found = Vec::new();
    leaks(
        &[output.stdout.as_slice(), &output.stderr].concat(),
        "a panic",
        &mut found,
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_address_is_in_what_is_said_about_wrong_documents() {
    let mut stage = Stage::new();
    let wrong = [
        // A mistake beside the address, in the line that is shown.
        "channels: { mail: { type: EMAIL, adress: { value: arthur.wrong+aa17@example.com } } }",
        "channels: { mail: { type: PIGEON, address: { value: arthur.wrong+aa17@example.com } } }",
        "channels: { mail: { type: EMAIL, address: arthur.wrong+aa17@example.com } }",
        "channels: { mail: { type: EMAIL, address: { valu: arthur.wrong+aa17@example.com } } }",
        "channels: { mail: { type: EMAIL, address: { value: [arthur.wrong+aa17@example.com] } } }",
        "channels: { mail: { type: EMAIL, address: { value: { arthur.wrong+aa17@example.com: x } } } }",
        "channels: { mail: { type: arthur.wrong+aa17@example.com, address: { value: x@example.com } } }",
        "channels: { mail: { type: SMS, address: { value: arthur.wrong+aa17@example.com } } }",
        "channels: { sms: { type: SMS, address: { value: +819051117004 } } }",
        "channels: { sms: { type: EMAIL, address: { value: \"+819051117004\" } } }",
        "channels: { mail: { type: EMAIL, address: { value: arthur.wrong+aa17@example.com }",
        "channels: { mail: { type: EMAIL, address: { value: \"arthur.wrong+aa17@example.com } } }",
        "channels: { mail: { type: EMAIL, address: { value: \"arthur.wrong+aa17@example.com\\q\" } } }",
        "channels: { mail: { type: EMAIL, address: { value: arthur.wrong+aa17@example.com, value: b@example.com } } }",
        "channels: { mail: { type: EMAIL, address: { value: *arthur.wrong+aa17@example.com } } }",
        "channels: { mail: { type: EMAIL, address: { fromEnv: arthur.wrong+aa17@example.com } } }",
        "channels: { mail: { type: EMAIL, address: { value: 'arthur.wrong+aa17@example.com ${target.nothing}' } } }",
        "channels:\n    mail:\n      type: EMAIL\n      address:\n        value: |\n          arthur.wrong+aa17@example.com\n       bad",
        "stages: [{ durationMinutes: 1, notify: [{ channel: arthur.wrong+aa17@example.com }] }]",
        "arthur.wrong+aa17@example.com: mail",
    ];
    for (index, line) in wrong.iter().enumerate() {
        let documents = stage.path("documents");
        fs::create_dir_all(&documents).unwrap();
        let text = format!(
            "apiVersion: stationbill.dev/v1alpha1\nkind: Contact\nmetadata: {{ name: person }}\nspec:\n  {line}\n"
        );
        fs::write(documents.join("person.yaml"), text).unwrap();
        for output in ["human", "json", "sarif", "junit"] {
            let before = stage.leaks.len();
            stage.run_with(&["validate", "documents", "-o", output], None);
            for leak in &mut stage.leaks[before..] {
                *leak = format!("case {index} `{line}`: {leak}");
            }
        }
        stage.run_with(&["plan", "documents"], Some("trace"));
    }
    assert!(
        stage.leaks.is_empty(),
        "{} leaks:\n{}",
        stage.leaks.len(),
        stage.leaks.join("\n")
    );
}
