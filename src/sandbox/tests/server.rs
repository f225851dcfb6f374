//! The server as a socket sees it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::sandbox::server;

struct Served {
    address: String,
    _server: JoinSet<()>,
}

async fn served() -> Served {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut server = JoinSet::new();
    server.spawn(server::serve(
        sandbox(unhurried()),
        listener,
        CancellationToken::new(),
    ));
    Served {
        address,
        _server: server,
    }
}

impl Served {
    /// Sends bytes on a new connection and returns what comes back until the server closes it.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        // A server that has seen enough closes early; what it said is still there.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn request(head: &str, body: &str) -> String {
    let authorization = authorization("222233334444", "ssm");
    format!(
        "{head}\r\nhost: x\r\nauthorization: {authorization}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let served = served().await;
    let get = request(
        "POST / HTTP/1.1\r\nx-amz-target: AmazonSSM.GetParameter",
        r#"{"Name":"/a"}"#,
    );
    let last = get.replace("host: x", "host: x\r\nconnection: close");
    let answers = served.send(format!("{get}{get}{last}").as_bytes()).await;
    assert_eq!(
        answers.matches("HTTP/1.1 400 Bad Request\r\n").count(),
        3,
        "{answers}"
    );
    assert_eq!(
        answers.matches(r#""__type":"ParameterNotFound""#).count(),
        3,
        "{answers}"
    );
}

#[tokio::test]
async fn garbage_is_a_bad_request() {
    let served = served().await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"hello\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ] {
        let mut bytes = garbage.to_vec();
        bytes.extend(b"\r\n\r\n");
        let answer = served.send(&bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let odd = request(
        "PROPFIND /%ff?%zz&=&a HTTP/1.1\r\nconnection: close\r\nx-amz-target: \u{e9}",
        "",
    );
    assert!(
        served
            .send(odd.as_bytes())
            .await
            .starts_with("HTTP/1.1 400")
    );
}

#[tokio::test]
async fn a_large_body_is_not_read() {
    let served = served().await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n";
    let answer = served.send(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn a_wildcard_address_is_reached_over_loopback() {
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    assert!(
        server::base_url(&listener)
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}
