//! A Git server over HTTP or HTTPS that asks for a password: `git http-backend` behind a socket.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server of all repositories in a folder; it ends with the process.
pub(crate) struct GitServer {
    pub(crate) url: String,
    /// The certificate of the authority that vouches for it, PEM; of no use where it speaks plain HTTP.
    pub(crate) authority: String,
}

impl GitServer {
    /// Serves whoever knows the password. What is asked for below `/echo` is refused to everybody, with all that was
    /// sent in the answer, as a careless server might do it.
    pub(crate) fn open(folder: &Path, user: &str, password: &str) -> Self {
        Self::behind(None, String::new(), folder, user, password)
    }

    /// Does the same over HTTPS, with a certificate that only an authority of its own vouches for.
    pub(crate) fn secure(folder: &Path, user: &str, password: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let own = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key)
            .unwrap();
        let pem = authority.pem();
        Self::behind(Some(Arc::new(config)), pem, folder, user, password)
    }

    fn behind(
        tls: Option<Arc<ServerConfig>>,
        authority: String,
        folder: &Path,
        user: &str,
        password: &str,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (folder, proof) = (
            folder.to_owned(),
            STANDARD.encode(format!("{user}:{password}")),
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (folder, proof, tls) = (folder.clone(), proof.clone(), tls.clone());
                thread::spawn(move || answer(stream.unwrap(), tls, &folder, &proof));
            }
        });
        Self { url, authority }
    }
}

/// Answers one request, and ends the connection as it must be ended.
fn answer(
    mut stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    folder: &PathBuf,
    proof: &str,
) -> Option<()> {
    let Some(tls) = tls else {
        return serve(&mut stream, folder, proof);
    };
    let mut stream = StreamOwned::new(ServerConnection::new(tls).ok()?, stream);
    let served = serve(&mut stream, folder, proof);
    stream.conn.send_close_notify();
    stream.flush().ok()?;
    served
}

/// Answers one request; whoever asked may be gone.
fn serve(stream: &mut (impl Read + Write), folder: &PathBuf, proof: &str) -> Option<()> {
    let mut reader = BufReader::new(&mut *stream);
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
