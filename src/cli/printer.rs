//! The one way to the terminal: stdout is the answer, stderr is the conversation.

use std::io::{self, IsTerminal, Write};

use super::args::{Color, Global};

/// Writes the answer to stdout and the conversation to stderr.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts about two streams"
)]
pub struct Printer {
    quiet: bool,
    /// Whether the answer may use colour.
    pub color_out: bool,
    /// Whether the conversation may use colour.
    pub color_err: bool,
    /// Whether progress may be drawn.
    pub progress: bool,
}

impl Printer {
    /// Decides about colour and progress, per stream.
    pub fn new(global: &Global, no_color: bool) -> Self {
        let color = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            quiet: global.quiet,
            color_out: color(out),
            color_err: color(err),
            progress: err && !global.quiet && global.verbose == 0,
        }
    }

    #[expect(clippy::unused_self, reason = "whoever has no printer cannot write")]
    /// Writes a part of the answer. A reader who has gone away is no error.
    pub fn answer(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Says something besides the answer; `-q` silences it.
    pub fn say(self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    #[expect(clippy::unused_self, reason = "whoever has no printer cannot write")]
    /// Says something that `-q` does not silence.
    pub fn complain(self, text: &str) {
        let mut err = io::stderr().lock();
        // Nobody is left to be told that stderr is gone.
        let _ = err.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = err.write_all(b"\n");
        }
    }
}
