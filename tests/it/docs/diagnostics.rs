//! `docs/diagnostics.md`: what each code of `validate` says.

use std::fmt::Write as _;

use stationbill::load::codes::CODES;

use super::{GENERATED, cell};

/// Writes the page.
pub(crate) fn page() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# Diagnostics\n\n\
         `validate`, and every command that reads documents, shows all problems at once. Each has a code, a place (file, \
         line, column) and a hint. Codes are stable: scripts and code-scanning services may match on them. `stationbill \
         validate --output json` and `--output sarif` carry them too.\n\n\
         | Code | What it says |\n|---|---|\n"
    );
    for (code, text) in CODES {
        writeln!(page, "| `{code}` | {} |", cell(text)).unwrap();
    }
    page
}
