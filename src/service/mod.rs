//! What every process has that runs for long, the operator and the Git watcher alike: metrics, health, and an end in
//! good order.
//!
//! It knows neither Git nor Kubernetes. Whoever runs things tells [`Metrics`] and [`Health`] about them;
//! [`serve`] shows both over HTTP; [`shutdown`] says when to stop.

mod health;
mod listener;
mod metrics;
pub mod shutdown;

pub use health::Health;
pub use listener::{bind, serve};
pub use metrics::{Ended, Metrics, Run, Work};

/// What is shown over HTTP.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// What was counted and measured: `/metrics`.
    pub metrics: Metrics,
    /// Whether the process does its work: `/readyz`.
    pub health: Health,
}
