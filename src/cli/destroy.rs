//! `destroy`: delete everything the stack owns.

use clap::Args;

use super::apply::{Asking, carry_out};
use super::args::Paths;
use super::context::Context;
use super::exit::Exit;
use super::planning::Planned;
use super::render::Wording;
use crate::engine::fleet::Selection;
use crate::model::plan::Wish;

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
        let adjust = |wish: &mut Wish, _: &mut Selection| wish.destroy = true;
        let planning = Box::pin(Planned::make(context, &self.paths.paths, false, adjust));
        let Some(planned) = context.cancel.run_until_cancelled(planning).await else {
            return Ok(Exit::Interrupted);
        };
        let Some(mut planned) = planned? else {
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
