//! The simulated AWS behind its wire: valid requests of every protocol, mutated in their structure, and plain bytes.
//! An answer comes, whatever was asked, and never one that says the simulation itself is broken.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use http::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use stationbill::sandbox::{Enforce, Operation, Options, Sandbox, operations};

static OPERATIONS: LazyLock<Vec<&'static Operation>> = LazyLock::new(|| operations().collect());

fn request(protocol: u8, operation: &Operation, path: &str, body: &[u8]) -> Option<Request<Bytes>> {
    let Operation { service, name, .. } = operation;
    let signed = match *service {
        "cloudwatch" => "monitoring",
        other => other,
    };
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=111122223333/20260105/eu-west-1/{signed}/aws4_request, SignedHeaders=host, Signature=00"
    );
    let mut builder = Request::builder()
        .method("POST")
        .header("authorization", scope);
    builder = match protocol % 5 {
        0 => builder
            .uri("/")
            .header("x-amz-target", format!("AmazonSSM.{name}"))
            .header("content-type", "application/x-amz-json-1.1"),
        1 => builder
            .uri("/")
            .header("x-amz-target", format!("SSMContacts.{name}"))
            .header("content-type", "application/x-amz-json-1.1"),
        2 => builder
            .uri(format!(
                "/service/GraniteServiceVersion20100801/operation/{name}"
            ))
            .header("smithy-protocol", "rpc-v2-cbor"),
        3 => builder
            .uri("/")
            .header("content-type", "application/x-www-form-urlencoded"),
        _ => builder
            .method(if path.len() % 2 == 0 { "POST" } else { "GET" })
            .uri(format!("/{path}")),
    };
    builder.body(Bytes::copy_from_slice(body)).ok()
}

fuzz_target!(|input: (u8, u16, &str, Vec<(u8, &[u8])>)| {
    let (protocol, first, path, bodies) = input;
    let sandbox = Sandbox::open(Options {
        quotas: Enforce::Off,
        ..Options::default()
    })
    .expect("a sandbox");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for (turn, (choice, body)) in bodies.into_iter().take(8).enumerate() {
        let number = usize::from(first) + usize::from(choice) + turn;
        let operation = OPERATIONS[number % OPERATIONS.len()];
        let Some(request) = request(protocol.wrapping_add(choice), operation, path, body) else {
            continue;
        };
        let response = runtime.block_on(sandbox.handle(request));
        let text = String::from_utf8_lossy(response.body());
        assert!(
            !text.contains("the sandbox's answer"),
            "{} {}: {text}",
            operation.service,
            operation.name
        );
        let _ = serde_json::from_slice::<Value>(response.body());
    }
});
