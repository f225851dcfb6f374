//! The simulated AWS over HTTP, with somebody who watches every call and may cut it off.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use stationbill::sandbox::Sandbox;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::calls::{Call, Moment};

/// Sees each call twice, with its number from 1; answers whether the connection is cut there.
pub(crate) type Watch = dyn Fn(u64, &Call, Moment) -> bool + Send + Sync;

/// A server on loopback.
pub(crate) struct Door {
    pub(crate) url: String,
    listener: TcpListener,
    sandbox: Arc<Sandbox>,
}

impl Door {
    pub(crate) async fn open(sandbox: Arc<Sandbox>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self {
            url,
            listener,
            sandbox,
        }
    }

    /// Serves until `stop`; answers with how many calls came.
    pub(crate) async fn serve(&self, watch: Arc<Watch>, stop: CancellationToken) -> u64 {
        let calls = Arc::new(AtomicU64::new(0));
        let mut connections = JoinSet::new();
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted.unwrap().0,
            };
            let (sandbox, watch, calls) = (self.sandbox.clone(), watch.clone(), calls.clone());
            connections.spawn(async move {
                let service = service_fn(|request| answer(&sandbox, &*watch, &calls, request));
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
        calls.load(Ordering::SeqCst)
    }
}

/// Why a connection is cut.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

async fn answer(
    sandbox: &Sandbox,
    watch: &Watch,
    calls: &AtomicU64,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let number = calls.fetch_add(1, Ordering::SeqCst) + 1;
    let call = Call::of(&parts, &body);
    if watch(number, &call, Moment::Before) {
        return Err(Cut);
    }
    let response = sandbox.exchange(Request::from_parts(parts, body)).await;
    if watch(number, &call, Moment::After) {
        return Err(Cut);
    }
    response.map(|r| r.map(Full::new)).map_err(|_| Cut)
}
