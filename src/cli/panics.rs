//! Panics: a message may quote what somebody wrote, an address among it.

use std::backtrace::Backtrace;
use std::io::Write as _;

use crate::model::sensitive::hide_addresses;

/// Lets a panic say where and why it happened, and no address.
pub fn hide() {
    std::panic::set_hook(Box::new(|panic| {
        let why = hide_addresses(&panic.to_string());
        let trace = Backtrace::capture();
        // Whoever reads nothing any more is told nothing.
        let _ = writeln!(std::io::stderr(), "{why}\n{trace}");
    }));
}
