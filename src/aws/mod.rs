//! AWS: credentials, one set of clients per account and region, limits, and what its errors mean.

mod ambient;
pub mod claims;
mod client;
pub mod contacts;
pub mod enums;
mod error;
pub mod incidents;
pub mod limits;
pub mod memory;
pub mod once;
pub mod owners;
pub mod pages;
mod roles;
pub mod securityhub;
pub mod ssm;
pub mod tags;
pub mod transport;

pub use client::{
    Aws, ConnectError, Connection, Connector, SANDBOX_ACCOUNT, SANDBOX_REGION, connect,
};
pub use error::{AwsError, Class, chain};
pub use memory::Memory;
pub use owners::{Owners, Seen};
pub use pages::{Pages, read_each};
pub use roles::{Assume, Assumed};
