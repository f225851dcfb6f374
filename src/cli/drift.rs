//! `drift`: report what changed in AWS behind our back.

use clap::Args;

use super::answer;
use super::args::Paths;
use super::context::Context;
use super::exit::Exit;
use super::planning::Planned;
use super::render::Wording;
use crate::model::plan::Action;

/// Report what changed in AWS behind our back
///
/// Lists what differs because AWS changed since it was last applied, and what is declared and not there. Exits with 1
/// when there is any. Reads, never writes.
#[derive(Debug, Args)]
pub struct Drift {
    #[command(flatten)]
    paths: Paths,
}

impl Drift {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some(mut planned) = Planned::make(context, &self.paths.paths, false, |_, _| {}).await?
        else {
            return Ok(Exit::Failed);
        };
        planned.plan = planned.plan.drift_only();
        context
            .printer
            .answer(&answer::plan(context, &planned, Wording::Drift)?)?;
        Ok(if planned.plan.count(Action::Unknown) > 0 {
            Exit::Failed
        } else if planned.plan.is_empty() {
            Exit::Ok
        } else {
            Exit::No
        })
    }
}
