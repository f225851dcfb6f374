//! Questions, only to somebody who is there to answer.

use std::io::{self, BufRead, IsTerminal};

use anyhow::bail;

use super::context::Context;

/// Asks, and says whether the answer is exactly `wanted`.
///
/// # Errors
/// When nobody is there to answer: the hint names `--yes`.
pub(super) fn ask(context: &Context, question: &str, wanted: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("this needs a yes, and there is no terminal to ask on\nhint: pass --yes");
    }
    context.printer.complain(question);
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == wanted)
}
