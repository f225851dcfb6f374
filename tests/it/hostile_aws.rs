//! A broken or malicious endpoint: whatever it answers, nothing of it counts as "there is nothing", nothing panics and
//! nothing waits for ever.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{example, program};

/// How long a command may take; each call is tried once.
const PATIENCE: Duration = Duration::from_mins(2);

/// Writes a whole HTTP answer to a request that is not `GetCallerIdentity`.
type Answer = fn(&mut TcpStream, u64) -> std::io::Result<()>;

fn whole(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)
}

const JSON: &str = "application/x-amz-json-1.1";
const HTML: &[u8] = b"<html><body>It works!</body></html>";

const CASES: &[(&str, Answer)] = &[
    ("JSON that is cut off", |s, _| {
        whole(
            s,
            "200 OK",
            JSON,
            b"{\"DocumentIdentifiers\": [{\"Name\": \"x",
        )
    }),
    ("a body that is cut off", |s, _| {
        s.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"Contacts\": [")
    }),
    ("a connection that ends", |_, _| Ok(())),
    ("no HTTP", |s, _| s.write_all(b"SSH-2.0-OpenSSH_9.6\r\n")),
    ("a page", |s, _| whole(s, "200 OK", "text/html", HTML)),
    ("a page of a gateway", |s, _| {
        whole(s, "502 Bad Gateway", "text/html", HTML)
    }),
    ("a page that refuses", |s, _| {
        whole(s, "403 Forbidden", "text/html", HTML)
    }),
    ("a page that finds nothing", |s, _| {
        whole(s, "404 Not Found", "text/html", HTML)
    }),
    ("a number", |s, _| whole(s, "200 OK", JSON, b"7")),
    ("other types", |s, _| {
        whole(
            s,
            "200 OK",
            JSON,
            br#"{"DocumentIdentifiers": "x", "BaselineIdentities": {}, "Contacts": 5, "Rotations": "x", "responsePlanSummaries": 1, "replicationSetArns": {"a": 1}, "DashboardEntries": 3, "Parameters": true, "WindowIdentities": 5, "MetricAlarms": "x", "CompositeAlarms": {}}"#,
        )
    }),
    ("nested deeply", |s, _| {
        let body = "{\"a\":".repeat(100_000);
        whole(s, "200 OK", JSON, body.as_bytes())
    }),
    ("100 MB", |s, call| match call {
        0 => whole(s, "200 OK", JSON, &vec![b'"'; 100 << 20]),
        _ => Ok(()),
    }),
    ("itself as a better place", |s, _| {
        s.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
    }),
    ("the same page for ever", |s, _| {
        whole(
            s,
            "200 OK",
            JSON,
            br#"{"NextToken": "again", "nextToken": "again", "DocumentIdentifiers": [], "BaselineIdentities": [], "Contacts": [], "Rotations": [], "responsePlanSummaries": [], "replicationSetArns": [], "WindowIdentities": []}"#,
        )
    }),
];

const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/x</Arn><UserId>x</UserId><Account>111122223333</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;

/// Reads a request; answers with its body.
fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
            if bytes.len() >= head + 4 + length.unwrap_or(0) {
                return Ok(String::from_utf8_lossy(&bytes[head + 4..]).into_owned());
            }
        }
        match stream.read(&mut part)? {
            0 => return Ok(String::new()),
            count => bytes.extend(&part[..count]),
        }
    }
}

/// Serves until told to stop.
fn serve(listener: &TcpListener, answer: Answer, stop: &AtomicBool) {
    let calls = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for stream in listener.incoming() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let (mut stream, calls) = (stream.unwrap(), &calls);
            scope.spawn(move || {
                stream
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .unwrap();
                let Ok(body) = request(&mut stream) else {
                    return;
                };
                // The client may hang up on what it does not like.
                if body.contains("GetCallerIdentity") {
                    whole(&mut stream, "200 OK", "text/xml", IDENTITY.as_bytes()).ok();
                } else {
                    answer(&mut stream, calls.fetch_add(1, Ordering::SeqCst)).ok();
                }
            });
        }
    });
}

/// Runs a command against an endpoint that answers so.
fn run(answer: Answer, words: &[&str]) -> (Option<i32>, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let server = {
        let stop = stop.clone();
        std::thread::spawn(move || serve(&listener, answer, &stop))
    };
    let mut command = program(&format!("http://{address}"));
    command.args(words).arg(example("banana-stand"));
    for name in ["KAYOKO", "SAKURA", "HARUTO"] {
        command.env(name, "x@example.com");
    }
    let mut child = command
        .env("AWS_MAX_ATTEMPTS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reads = [
        std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).ok();
            text
        }),
        std::thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).ok();
            text
        }),
    ];
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if began.elapsed() > PATIENCE {
            child.kill().ok();
            child.wait().ok();
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    stop.store(true, Ordering::SeqCst);
    TcpStream::connect(address).ok();
    server.join().unwrap();
    let [out, err] = reads.map(|read| read.join().unwrap());
    (code, out, err)
}

#[test]
fn nothing_that_it_answers_counts_as_absent() {
    for (name, answer) in CASES {
        let (code, out, err) = run(*answer, &["plan", "--output", "json"]);
        let start: String = format!("{out}{err}").chars().take(3000).collect();
        assert!(!err.contains("panicked"), "{name}\n{start}");
        assert_eq!(code, Some(2), "{name}\n{start}");
        let Ok(plan) = serde_json::from_str::<Value>(&out) else {
            assert!(err.contains("error"), "{name}\n{start}");
            continue;
        };
        assert_eq!(plan["complete"], false, "{name}\n{start}");
        for change in plan["changes"].as_array().unwrap() {
            assert!(
                ["unknown", "blocked"].contains(&change["action"].as_str().unwrap()),
                "{name}: {change}"
            );
        }
    }
}

#[test]
fn nothing_that_it_answers_lets_an_apply_begin() {
    for (name, answer) in CASES {
        let (code, out, err) = run(*answer, &["apply", "--yes", "--output", "json"]);
        let start: String = format!("{out}{err}").chars().take(3000).collect();
        assert!(!err.contains("panicked"), "{name}\n{start}");
        assert_eq!(code, Some(2), "{name}\n{start}");
    }
}
