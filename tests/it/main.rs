//! The one integration binary: one module per subject.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod changed_since;
mod ci_examples;
mod clients;
mod conformance;
mod crash;
mod diagnostics;
mod docs;
mod fields;
mod fleet;
mod generated;
mod hostile;
mod hostile_aws;
mod kinds_aggregator;
mod kinds_alarms;
mod kinds_associations;
mod kinds_central;
mod kinds_oncall;
mod kinds_rules;
mod kinds_security;
mod kinds_settings;
mod kinds_systems;
mod kinds_windows;
mod kubernetes;
mod layering;
mod memory;
mod ownership;
mod personal_data;
mod privilege;
mod properties;
mod races;
mod rates;
mod scene;
mod simulation;
mod stale_plans;
mod support;
mod tour;
mod usage;
mod watch;
mod wire;
