//! Declarative ops-as-code for AWS.

pub mod aws;
pub mod kinds;
pub mod model;
pub mod sandbox;
