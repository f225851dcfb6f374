//! The whole way of a call, with a few operations made for it: raw requests, and the SDK over both doors.

mod operations;
mod raw;
mod sdk;
mod server;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use super::service::{Enforce, Options, Sandbox};

/// Opens a sandbox that has the operations of these tests.
fn sandbox(options: Options) -> Arc<Sandbox> {
    Sandbox::open_with(options, operations::ALL).unwrap()
}

/// Options for tests that call faster than AWS lets one call.
fn unhurried() -> Options {
    Options {
        quotas: Enforce::Off,
        ..Options::default()
    }
}

/// Signs for a service in eu-west-1.
fn authorization(key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

fn signed(service: &str) -> http::request::Builder {
    Request::builder()
        .method("POST")
        .header("authorization", authorization("222233334444", service))
}

async fn send(
    sandbox: &Sandbox,
    request: http::request::Builder,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    sandbox.handle(request.body(body.into()).unwrap()).await
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}
