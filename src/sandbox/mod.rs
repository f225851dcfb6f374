//! The simulated AWS: part of the product, and the far side of the tests.
//!
//! A request comes in over loopback (`server`) or straight from the SDK in process (`connector`).
//! `wire` recognises the protocol, finds the operation in tables made from AWS's published service models,
//! validates the input against them and hands an operation one [`Call`]. An operation is one small function from
//! [`State`] and [`Call`] to an answer; it never sees HTTP. The simulator is held to AWS's behaviour, not to ours.

pub mod call;
mod clock;
pub mod connector;
mod error;
mod faults;
pub mod iam;
mod models;
mod quotas;
mod record;
pub mod server;
mod service;
mod shelf;
pub mod state;
mod store;
mod wire;

pub mod cloudwatch;
pub mod contacts;
pub mod incidents;
pub mod organizations;
pub mod securityhub;
pub mod ssm;
pub mod sts;

pub use call::{Access, Answer, Call, Fault, Map, Operation};
pub use clock::Clock;
pub use error::Error;
pub use faults::Faults;
pub use organizations::Organization;
pub use quotas::{burst, rate};
pub use service::{Enforce, Lost, Options, Sandbox};
pub use shelf::Shelf;
pub use state::{Account, Settings, State};

/// Every operation that the simulated AWS has; anything else answers that it is unknown.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        cloudwatch::OPERATIONS,
        contacts::OPERATIONS,
        incidents::OPERATIONS,
        organizations::OPERATIONS,
        securityhub::OPERATIONS,
        ssm::OPERATIONS,
        sts::OPERATIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .flatten()
}

/// Says whether a request only looks or may change something, as the simulated AWS reads it; `None` for one that it
/// does not know.
pub fn access(parts: &http::request::Parts, body: &bytes::Bytes) -> Option<Access> {
    let signed = wire::credentials::Signature::read(parts).ok();
    let route = wire::route(parts, body, signed.as_ref().map(|s| s.service.as_str())).ok()?;
    let (service, name) = (route.service.name, route.name);
    operations()
        .find(|o| (o.service, o.name) == (service, name))
        .map(|o| o.access)
}

#[cfg(test)]
mod tests;
