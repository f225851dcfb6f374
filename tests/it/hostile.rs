//! Hostile files: whatever lies in the folder, the program ends soon, in little memory, and says where and why.
//!
//! The real program runs with its memory limited by the system, so that a bomb kills it rather than the machine.

mod corpus;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use corpus::{CASES, Case, embedded, object, write};

/// How much memory the program may have, in KiB: a fraction of what the bombs would take.
const MEMORY: u32 = 1 << 20;
/// How long it may take; the machine may be busy, and the program is not optimized here.
const PATIENCE: Duration = Duration::from_mins(3);

/// How a run ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program in a folder, within bounds.
fn run(folder: &Path, words: &[&str]) -> Ended {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_stationbill"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("COLUMNS", "100")
        // Each thread's arena would reserve much that it never uses.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let read = |mut stream: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).ok();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = read(Box::new(child.stdout.take().unwrap()));
    let err = read(Box::new(child.stderr.take().unwrap()));
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if began.elapsed() > PATIENCE {
            child.kill().ok();
            child.wait().ok();
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ended {
        code: status.and_then(|status| status.code()),
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

/// Holds what is true of every run, and returns what it said, short enough for people.
fn told(name: &str, ended: &Ended) -> String {
    let Ended { code, out, err } = ended;
    let all = format!("{out}{err}");
    let start: String = all.chars().take(2000).collect();
    let code = code.unwrap_or_else(|| panic!("{name} was killed: out of time or memory\n{start}"));
    assert!(matches!(code, 0..=2), "{name} ended with {code}\n{start}");
    assert!(!all.contains("panicked"), "{name}\n{start}");
    assert!(
        all.len() < 4 << 20,
        "{name} said {} bytes\n{start}",
        all.len()
    );
    if code == 1 {
        // Each problem has its place and a hint.
        let count = |what: &str| all.lines().filter(|line| line.starts_with(what)).count();
        let errors = count("error[") + count("warning[");
        assert!(errors > 0, "{name}\n{start}");
        assert_eq!(
            count(" --> "),
            errors,
            "{name}: a place is missing\n{start}"
        );
        assert_eq!(
            count("hint: "),
            errors,
            "{name}: a hint is missing\n{start}"
        );
    }
    let lines: Vec<String> = all
        .lines()
        .map(|line| line.chars().take(160).collect())
        .collect();
    let mut told = format!("== {name}: exit {code}\n");
    for line in lines.iter().take(14) {
        told.push_str(line.trim_end());
        told.push('\n');
    }
    if lines.len() > 14 {
        let _ = writeln!(told, "(and more, in the end: {})", lines[lines.len() - 1]);
    }
    told
}

#[test]
fn no_file_is_stronger_than_the_program() {
    let mut all = String::new();
    for Case { name, files } in CASES {
        let folder = tempfile::tempdir().unwrap();
        for (file, bytes) in files() {
            write(folder.path(), file, &bytes);
        }
        all.push_str(&told(
            name,
            &run(folder.path(), &["validate", "--color", "never"]),
        ));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}

#[test]
fn no_embedded_document_is_stronger_either() {
    let mut all = String::new();
    for (name, text) in embedded() {
        for (kind, field) in [
            ("Runbook", "content"),
            ("Document", "content"),
            ("Dashboard", "body"),
        ] {
            if kind == "Document" && text.len() > 100_000 {
                continue; // the same reader as a Runbook's; once is enough for the large ones
            }
            let folder = tempfile::tempdir().unwrap();
            let more = if kind == "Document" {
                "  documentType: Command\n"
            } else {
                ""
            };
            let spec = format!("{more}  {field}From: {{ file: text.yml }}\n");
            write(folder.path(), "a.yaml", object(kind, &spec).as_bytes());
            write(folder.path(), "text.yml", text.as_bytes());
            let ended = run(folder.path(), &["validate", "--color", "never"]);
            all.push_str(&told(&format!("{name} in a {kind}"), &ended));
            all.push('\n');
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn no_kind_of_file_hangs_it() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "out.yaml", b"x: 1");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "dir.yaml/inner.yaml", b"x: 1");
    symlink(path, path.join("loop")).unwrap();
    symlink("two.yaml", path.join("one.yaml")).unwrap();
    symlink("one.yaml", path.join("two.yaml")).unwrap();
    symlink("/dev/zero", path.join("zero.yaml")).unwrap();
    symlink(outside.path(), path.join("outside")).unwrap();
    symlink(outside.path().join("out.yaml"), path.join("out.yaml")).unwrap();
    let pipe = Command::new("mkfifo").arg(path.join("pipe.yaml")).status();
    assert!(pipe.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(path.join("socket.yaml")).unwrap();
    let content = object("Runbook", "  contentFrom: { file: pipe.yaml }\n");
    write(path, "runbook.yaml", content.as_bytes());
    let mut all = told("odd files", &run(path, &["validate", "--color", "never"]));
    for file in [
        "pipe.yaml",
        "zero.yaml",
        "one.yaml",
        "socket.yaml",
        "/dev/zero",
    ] {
        all.push_str(&told(
            file,
            &run(path, &["validate", "--color", "never", file]),
        ));
        let applied = run(path, &["apply", "--sandbox", "--yes", file]);
        assert_eq!(applied.code, Some(2), "{file}");
        told(file, &applied);
    }
    let secret = path.join("secret.yaml");
    write(path, "secret.yaml", b"x: 1");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    // Who may read everything finds an ordinary stray file there.
    let ended = run(path, &["validate", "--color", "never", "secret.yaml"]);
    assert_eq!(ended.code, Some(1));
    told("unreadable", &ended);
    insta::assert_snapshot!(all);
}

#[test]
fn a_file_that_changes_while_it_is_read_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    let good = object(
        "Runbook",
        "  content: { schemaVersion: '0.3', mainSteps: [] }\n",
    )
    .repeat(200);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0_usize;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                turn += 1;
                match turn % 3 {
                    0 => drop(fs::remove_file(&path)),
                    1 => drop(fs::write(&path, &good)),
                    _ => drop(fs::write(
                        &path,
                        &good.as_bytes()[..(turn * 37) % good.len()],
                    )),
                }
            }
        });
        for turn in 0..10 {
            told(
                &format!("turn {turn}"),
                &run(folder.path(), &["validate", "--color", "never"]),
            );
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_hundred_thousand_files_are_many_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..100_000 {
        let below = folder.path().join(format!("{:03}", n % 400));
        if n < 400 {
            fs::create_dir(&below).unwrap();
        }
        fs::write(below.join(format!("{n}.yaml")), "# nothing\n").unwrap();
    }
    let ended = run(folder.path(), &["validate", "--color", "never"]);
    let said = told("many files", &ended);
    assert!(
        said.contains("no Stationbill document in 100000 files"),
        "{said}"
    );
}

#[test]
fn a_saved_plan_is_read_with_the_same_care() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let huge = format!(
        "{{\"kind\": \"Plan\", \"version\": 1, \"x\": \"{}\"}}",
        "x".repeat(30 << 20)
    );
    let plans: &[(&str, String)] = &[
        (
            "of another version",
            r#"{"kind": "Plan", "version": 99}"#.into(),
        ),
        ("of no version", r#"{"kind": "Plan"}"#.into()),
        (
            "with a version of another type",
            r#"{"kind": "Plan", "version": "1"}"#.into(),
        ),
        (
            "with nothing in it",
            r#"{"kind": "Plan", "version": 1}"#.into(),
        ),
        (
            "with a list for a text",
            r#"{"kind": "Plan", "version": 1, "stack": []}"#.into(),
        ),
        (
            "cut off",
            r#"{"kind": "Plan", "version": 1, "stack""#.into(),
        ),
        (
            "nested deeply",
            format!("{{\"kind\": \"Plan\", \"version\": 1, \"plan\": {deep}}}"),
        ),
        ("with a long text", huge),
    ];
    let mut all = String::new();
    for (name, text) in plans {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "plan.json", text.as_bytes());
        let words = [
            "apply",
            "plan.json",
            "--sandbox",
            "--yes",
            "--color",
            "never",
        ];
        let ended = run(folder.path(), &words);
        // What is no plan is read as a document, and is none.
        assert_ne!(ended.code, Some(0), "{name}: {}{}", ended.out, ended.err);
        all.push_str(&told(name, &ended));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}
