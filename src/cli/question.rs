//! Questions, only to somebody who is there to answer.

use std::io::{self, BufRead, IsTerminal};

use anyhow::bail;

use super::context::Context;

/// Asks, and says whether the answer is exactly `wanted`. Whoever is asked to stop meanwhile gets no.
///
/// # Errors
/// When nobody is there to answer: the hint names `--yes`.
pub(super) async fn ask(context: &Context, question: &str, wanted: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("this needs a yes, and there is no terminal to ask on\nhint: pass --yes");
    }
    context.printer.complain(question);
    // A thread of its own waits for the line; when the program ends first, it ends with it.
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        answer = answer => Ok(answer??.trim() == wanted),
        () = context.cancel.cancelled() => Ok(false),
    }
}
