//! The sandbox over HTTP, for any AWS client on this machine.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::service::Lost;
use super::{Error, Sandbox};

/// The largest body that is read; every operation's limits are far below.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// How long calls in flight may take to finish once the server ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// Listens on an address; port 0 chooses a free one.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// Returns the base URL of a listener, for `AWS_ENDPOINT_URL`. An address that means all interfaces is reached here
/// over loopback.
pub fn base_url(listener: &TcpListener) -> std::io::Result<String> {
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(format!("http://{address}"))
}

/// Serves a sandbox until `stop` is cancelled; then lets calls in flight finish.
pub async fn serve(sandbox: Arc<Sandbox>, listener: TcpListener, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(sandbox.clone(), stream, stop.clone()));
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

async fn connection(sandbox: Arc<Sandbox>, stream: TcpStream, stop: CancellationToken) {
    // Answers are small and awaited one by one.
    let _ = stream.set_nodelay(true);
    let handler = service_fn(|request| answer(&sandbox, request, &stop));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
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

/// Why a connection is cut without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut on request")
    }
}

impl std::error::Error for Cut {}

async fn answer(
    sandbox: &Sandbox,
    request: Request<Incoming>,
    stop: &CancellationToken,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Ok(too_large());
    }
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(too_large());
        }
        Err(_) => return Err(Cut),
    };
    match sandbox.exchange(Request::from_parts(parts, body)).await {
        Ok(response) => Ok(response.map(Full::new)),
        Err(Lost::Disconnected) => Err(Cut),
        Err(Lost::TimedOut) => {
            // The client gives up first; hyper drops this when it does.
            stop.cancelled().await;
            Err(Cut)
        }
    }
}

fn too_large() -> Response<Full<Bytes>> {
    let body =
        r#"{"__type":"RequestEntityTooLargeException","message":"The request is too large"}"#;
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
