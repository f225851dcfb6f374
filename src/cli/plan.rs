//! `plan`: compare documents with live AWS.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::answer;
use super::args::{Output, Paths};
use super::context::Context;
use super::exit::Exit;
use super::planning::Planned;
use super::render::Wording;
use super::saved;
use crate::engine::fleet::Selection;
use crate::model::plan::{Action, Wish};

/// Compare documents with live AWS; reads, never writes
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    paths: Paths,
    /// Exit with 1 when there is something to do
    #[arg(long)]
    exit_code: bool,
    /// Save the plan, to be applied later by `apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan to delete what the stack owns and no document declares
    #[arg(long)]
    prune: bool,
    /// Plan to take over objects that nobody owns
    #[arg(long)]
    adopt: bool,
}

impl PlanArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let adjust = |wish: &mut Wish, _: &mut Selection| {
            wish.prune |= self.prune;
            wish.adopt |= self.adopt;
        };
        let (paths, saved) = (&self.paths.paths, self.out.is_some());
        let Some(planned) = Planned::make(context, paths, saved, adjust).await? else {
            return Ok(Exit::Failed);
        };
        let mut text = answer::plan(context, &planned, Wording::Plan)?;
        let saved = self
            .out
            .as_ref()
            .map(|file| (file, saved::save(&planned, paths)));
        if let (Output::Markdown, Some((_, (_, hash)))) = (context.global.output, &saved) {
            // Whoever approves the comment approves this very plan: `apply --plan-hash` takes no other.
            text = format!("{text}\nplan `{hash}`\n");
        }
        context.printer.answer(&text)?;
        if let Some((file, (text, hash))) = saved {
            std::fs::write(file, text)
                .with_context(|| format!("cannot write `{}`", file.display()))?;
            let file = file.display();
            context.printer.say(&format!(
                "saved: apply it with `stationbill apply {file}`; its hash is {hash}"
            ));
        }
        Ok(exit(&planned.plan, self.exit_code))
    }
}

/// An incomplete plan is a failure in part; differences are an answer only when asked for.
pub(super) fn exit(plan: &crate::model::plan::Plan, asked: bool) -> Exit {
    if plan.count(Action::Unknown) > 0 {
        Exit::Failed
    } else if asked && !plan.is_empty() {
        Exit::No
    } else {
        Exit::Ok
    }
}
