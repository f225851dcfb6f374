//! `completions`: print shell completions.

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::exit::Exit;

/// Print shell completions
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "stationbill", &mut text);
        context.printer.answer(&String::from_utf8_lossy(&text))?;
        Ok(Exit::Ok)
    }
}
