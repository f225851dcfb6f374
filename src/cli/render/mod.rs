//! How findings look.

pub mod diagnostics;
