//! A Git server over HTTP that asks for a password: `git http-backend` behind a socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A server of all repositories in a folder; it ends with the process.
pub(crate) struct GitServer {
    pub(crate) url: String,
}

impl GitServer {
    /// Serves whoever knows the password. What is asked for below `/echo` is refused to everybody, with all that was
    /// sent in the answer, as a careless server might do it.
    pub(crate) fn open(folder: &Path, user: &str, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (folder, proof) = (
            folder.to_owned(),
            STANDARD.encode(format!("{user}:{password}")),
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (folder, proof) = (folder.clone(), proof.clone());
                thread::spawn(move || serve(stream.unwrap(), &folder, &proof));
            }
        });
        Self { url }
    }
}

/// Answers one request; whoever asked may be gone.
fn serve(stream: TcpStream, folder: &PathBuf, proof: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or_default()];
    reader.read_exact(&mut body).ok()?;
    let sent = header("authorization");
    let sent = sent.strip_prefix("Basic ").unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut stream = stream;
    let mut say = |status: &str, rest: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        stream.write_all(&[head.as_bytes(), rest].concat()).ok()
    };
    if sent.is_empty() || (sent != proof && !path.starts_with("/echo")) {
        return say(
            "401 Unauthorized",
            b"WWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\r\n",
        );
    }
    if path.starts_with("/echo") {
        let plain = STANDARD.decode(sent).unwrap_or_default();
        let plain = String::from_utf8_lossy(&plain).into_owned();
        let text = format!("you are {plain}, or {sent}, and may not");
        let rest = format!(
            "Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        return say("403 Forbidden", rest.as_bytes());
    }
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    backend.stdin.take()?.write_all(&body).ok()?;
    let answer = backend.wait_with_output().ok()?.stdout;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
    let status = status.unwrap_or("200 OK").to_owned();
    say(&status, &answer)
}
