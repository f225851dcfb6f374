//! `destroy`: delete everything the stack owns.

use clap::Args;

use super::apply::{Asking, carry_out};
use super::args::Paths;
use super::context::Context;
use super::exit::Exit;
use super::planning::Planned;
use super::render::Wording;

/// Delete everything the stack owns, after asking twice
///
/// What `lifecycle.onDelete` retains stays, people and replication sets among it unless told otherwise.
#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    paths: Paths,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Destroy {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some(mut planned) = Planned::make(context, &self.paths.paths, false, |wish, _| {
            wish.destroy = true;
        })
        .await?
        else {
            return Ok(Exit::Failed);
        };
        let asking = if self.yes {
            Asking::Reviewed
        } else {
            Asking::Twice
        };
        carry_out(context, &mut planned, asking, Wording::Destroy).await
    }
}
