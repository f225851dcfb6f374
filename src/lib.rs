//! Declarative ops-as-code for AWS.

pub mod aws;
pub mod cli;
pub mod engine;
pub mod export;
pub mod git;
pub mod kinds;
pub mod load;
pub mod model;
pub mod operator;
pub mod sandbox;
pub mod service;
