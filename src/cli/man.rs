//! `man`: print the manual page.

use clap::Args;

use super::context::Context;
use super::exit::Exit;

/// Print the manual page
///
/// Without a command the program's own page; with one the page of that command.
#[derive(Debug, Args)]
pub struct Man {
    /// The command whose page is wanted
    command: Option<String>,
}

impl Man {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut whole = super::command();
        whole.build();
        let command = match &self.command {
            None => whole,
            Some(name) => match whole.find_subcommand(name) {
                Some(command) => command.clone(),
                None => anyhow::bail!(
                    "no command is called `{name}`\nhint: `stationbill --help` lists them"
                ),
            },
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(command).render(&mut text)?;
        context.printer.answer(&String::from_utf8_lossy(&text))?;
        Ok(Exit::Ok)
    }
}
