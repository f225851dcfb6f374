//! `/metrics`, `/healthz` and `/readyz` over HTTP, for Prometheus and for whoever keeps processes alive.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Status;

/// How many may be connected at once; whoever comes beyond that waits.
const CONNECTIONS: usize = 64;

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long answers in flight may take once the process ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Listens on an address; port 0 chooses a free one.
///
/// # Errors
/// When the address is taken, or is none of this machine.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers until `stop` is cancelled.
pub async fn serve(listener: TcpListener, status: Status, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < CONNECTIONS;
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept(), if room => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, status.clone(), stop.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, mostly: waiting lets some connection end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, status: Status, stop: CancellationToken) {
    let handler = service_fn(|request: Request<Incoming>| {
        let answer = answer(&status, request.method(), request.uri().path());
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), handler);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn answer(status: &Status, method: &Method, path: &str) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (code, content_type, body) = match path {
        _ if method != Method::GET && method != Method::HEAD => {
            let only = "only GET and HEAD\n".to_owned();
            (StatusCode::METHOD_NOT_ALLOWED, TEXT, only)
        }
        "/metrics" => (
            StatusCode::OK,
            super::metrics::CONTENT_TYPE,
            status.metrics.text(),
        ),
        "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => match status.health.obstacle() {
            None => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            Some(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                TEXT,
                format!("not ready: {why}\n"),
            ),
        },
        _ => {
            let known = "here are /metrics, /healthz and /readyz\n".to_owned();
            (StatusCode::NOT_FOUND, TEXT, known)
        }
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if code == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    async fn get(address: SocketAddr, request: &'static str) -> String {
        let exchange = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let end = "\r\nHost: here\r\nConnection: close\r\n\r\n";
            stream
                .write_all(format!("{request} HTTP/1.1{end}").as_bytes())
                .unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        tokio::task::spawn_blocking(exchange).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_tells_whether_it_is_ready_and_what_it_counted() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (status, stop) = (Status::default(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, status.clone(), stop.clone()));

        assert!(
            get(address, "GET /healthz")
                .await
                .starts_with("HTTP/1.1 200")
        );
        let text = get(address, "GET /readyz").await;
        assert!(text.starts_with("HTTP/1.1 503"), "{text}");
        assert!(text.ends_with("not ready: it is starting\n"), "{text}");
        status.health.ready();
        assert!(
            get(address, "GET /readyz")
                .await
                .starts_with("HTTP/1.1 200")
        );
        status.health.unready("the repository is away");
        let text = get(address, "GET /readyz").await;
        assert!(
            text.ends_with("not ready: the repository is away\n"),
            "{text}"
        );

        let text = get(address, "GET /metrics?name[]=x").await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(text.contains("content-type: text/plain; version=0.0.4; charset=utf-8"));
        assert!(
            text.contains("\n# TYPE stationbill_build_info gauge\n"),
            "{text}"
        );
        assert!(get(address, "GET /").await.starts_with("HTTP/1.1 404"));
        let text = get(address, "DELETE /metrics").await;
        assert!(text.starts_with("HTTP/1.1 405"), "{text}");
        let text = get(address, "HEAD /metrics").await;
        assert!(text.ends_with("\r\n\r\n"), "{text}");

        // Somebody who says nothing holds up neither the others nor the end.
        let _silent = std::net::TcpStream::connect(address).unwrap();
        stop.cancel();
        tasks.join_next().await.unwrap().unwrap();
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
