//! Declarative ops-as-code for AWS.

pub mod model;
pub mod sandbox;
