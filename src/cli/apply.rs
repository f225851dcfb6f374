//! `apply`: make AWS as declared.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Progress};
use super::args::{Output, Paths};
use super::context::Context;
use super::exit::Exit;
use super::planning::Planned;
use super::render::progress::Phase;
use super::render::{Style, Title, Wording, human};
use super::{question, saved};
use crate::aws::chain;
use crate::engine::Outcome;
use crate::engine::fleet::Selection;
use crate::engine::lease::LeaseError;
use crate::engine::run::leased;
use crate::model::plan::{Action, Change, Plan, Wish};

/// Plan, ask, and make AWS as declared
///
/// PATH is a folder or file with documents, or a plan saved by `plan --out`. A saved plan is refused when the
/// documents or AWS have moved since.
#[derive(Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    paths: Paths,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
    /// Delete what the stack owns and no document declares
    #[arg(long)]
    prune: bool,
    /// Take over objects that nobody owns
    #[arg(long)]
    adopt: bool,
    /// Apply no other saved plan than the one of this hash, which `plan --out` tells
    #[arg(long, value_name = "HASH")]
    plan_hash: Option<String>,
    /// Begin nothing new once this many changes have failed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_failures: Option<u32>,
}

impl Apply {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let saved = saved::read(&self.paths.paths)?;
        let (paths, rest): (Vec<PathBuf>, _) = match &saved {
            Some((saved, rest)) => (
                if rest.is_empty() {
                    saved.paths()
                } else {
                    rest.clone()
                },
                Some(saved),
            ),
            None => (self.paths.paths.clone(), None),
        };
        match (&self.plan_hash, rest) {
            (Some(hash), Some(saved)) => saved.must_be(hash)?,
            (Some(_), None) => bail!(
                "--plan-hash is about a saved plan, and there is none\nhint: name the file that `plan --out` wrote"
            ),
            (None, _) => {}
        }
        if let Some(saved) = rest
            && let Some(flag) = saved.contradicts(self.prune, self.adopt, &context.global)
        {
            bail!(
                "a saved plan is applied as it was saved, and not with this {flag}\nhint: leave it out, or save the plan anew"
            );
        }
        if let Some(saved) = rest
            && let Some(gone) = paths.iter().find(|path| !path.exists())
        {
            let (gone, from) = (gone.display(), saved.paths());
            let from: Vec<String> = from.iter().map(|path| path.display().to_string()).collect();
            bail!(
                "the documents of the saved plan were in `{}`, and there is no `{gone}` here\n\
                 hint: apply it in the folder in which it was saved, or name the documents behind it",
                from.join("`, `")
            );
        }
        let adjust = |wish: &mut Wish, selection: &mut Selection| {
            wish.prune |= self.prune;
            wish.adopt |= self.adopt;
            if let Some(saved) = rest {
                saved.ask_again(wish, selection);
            }
        };
        let planning = Box::pin(Planned::make(context, &paths, rest.is_some(), adjust));
        let Some(planned) = context.cancel.run_until_cancelled(planning).await else {
            return Ok(Exit::Interrupted);
        };
        let Some(mut planned) = planned? else {
            return Ok(Exit::Failed);
        };
        planned.max_failures = self.max_failures.map(|failures| failures as usize);
        if let Some(saved) = rest
            && let Some(moved) = saved.moved(&planned)
        {
            complain_of(context, &planned.plan);
            bail!(
                "the saved plan is not applied: {moved}\nhint: above is the plan as of now; look at it and save it anew"
            );
        }
        let asking = match (self.yes, rest) {
            (false, _) => Asking::Once,
            (true, None) => Asking::Unattended,
            (true, Some(_)) => Asking::Reviewed,
        };
        carry_out(context, &mut planned, asking, Wording::Plan).await
    }
}

/// How often to ask before anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Not at all: `--yes` was given, and whatever the documents need is done.
    Unattended,
    /// Not at all: `--yes` was given with a saved plan, and nothing but that plan is done.
    Reviewed,
    /// Once.
    Once,
    /// Twice, the second time for the stack's name.
    Twice,
}

/// Shows a plan, asks, applies it, and tells what became of it.
pub(super) async fn carry_out(
    context: &Context,
    planned: &mut Planned,
    asking: Asking,
    wording: Wording,
) -> anyhow::Result<Exit> {
    let human = context.global.output == Output::Human;
    if human {
        let text = answer::plan(context, planned, wording)?;
        context.printer.answer(&text)?;
    } else if matches!(asking, Asking::Once | Asking::Twice) {
        // Nobody agrees to what they have not seen.
        complain_of(context, &planned.plan);
    }
    if !planned.plan.changes.iter().any(Change::acts) {
        let nothing = Outcome {
            endings: vec![None; planned.plan.changes.len()],
            interrupted: false,
        };
        if !human {
            let text = answer::outcome(context, planned, &nothing, wording)?;
            context.printer.answer(&text)?;
        }
        return Ok(exit(&planned.plan, &nothing));
    }
    if !agreed(context, &planned.plan, asking).await? {
        if context.cancel.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        context.printer.say("nothing was done");
        return Ok(Exit::No);
    }
    let done = under_lease(context, planned, asking).await?;
    let text = answer::outcome(context, planned, &done.outcome, wording)?;
    context.printer.answer(&text)?;
    done.held()?;
    Ok(exit(&planned.plan, &done.outcome))
}

/// What was done under a lease.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// Whether the lease was lost on the way.
    lost: bool,
}

impl Done {
    /// What becomes of a plan when somebody interrupts before any of it was begun.
    fn untouched(plan: &Plan) -> Self {
        Self {
            outcome: Outcome::interrupted(plan),
            lost: false,
        }
    }

    /// Fails when the lease was lost on the way.
    pub(super) fn held(&self) -> anyhow::Result<()> {
        if self.lost {
            bail!(
                "the lease was lost, and what was left was not done\nhint: either somebody \
                 else is at work on this stack, or this machine or its network stood still for too long; apply again: it goes \
                 on where this run stopped"
            );
        }
        Ok(())
    }
}

/// Takes the lease, plans once more, and applies. Nobody is asked any more.
pub(super) async fn under_lease(
    context: &Context,
    planned: &mut Planned,
    asking: Asking,
) -> anyhow::Result<Done> {
    let connection = planned.session.connection.clone();
    let stack = planned.plan.stack.clone();
    let told = |text: &str| context.printer.say(text);
    let region = planned.session.fleet.lease_region(&connection).to_owned();
    let untouched = Done::untouched(&planned.plan);
    let result = leased(
        &connection,
        &region,
        &stack,
        None,
        &told,
        &context.cancel,
        move |stop| under(stop, context, planned, asking),
    );
    match result.await {
        Err(LeaseError::Interrupted) => Ok(untouched),
        result => result.map_err(|error| explain(&error, &region))?,
    }
}

async fn agreed(context: &Context, plan: &Plan, asking: Asking) -> anyhow::Result<bool> {
    let stack = &plan.stack;
    let second = format!("this cannot be undone. Type the name of the stack, `{stack}`, to go on:");
    Ok(matches!(asking, Asking::Unattended | Asking::Reviewed)
        || question::ask(context, &what(plan), "yes").await?
            && (asking == Asking::Once || question::ask(context, &second, stack).await?))
}

/// Applies while the lease is held, until `stop`. The plan is made once more first: somebody may have been at work
/// until now.
async fn under(
    stop: CancellationToken,
    context: &Context,
    planned: &mut Planned,
    asking: Asking,
) -> anyhow::Result<Done> {
    let shown = saved::changes(&planned.plan);
    if {
        context
            .cancel
            .run_until_cancelled(Box::pin(planned.again(context)))
    }
    .await
    .is_none()
    {
        return Ok(Done::untouched(&planned.plan));
    }
    if saved::changes(&planned.plan) != shown {
        complain_of(context, &planned.plan);
        if asking == Asking::Unattended {
            context.printer.say("AWS changed since the plan was made; above is the plan as of now, and it is applied");
        } else {
            bail!(
                "AWS changed since the plan was made, and nothing was done\nhint: above is the plan as of now"
            );
        }
    }
    let count = planned
        .plan
        .changes
        .iter()
        .filter(|change| change.acts())
        .count();
    let places = planned.plan.locations.clone();
    let progress = Progress::begin(context, Phase::Doing(count), places, true);
    let events = |event| progress.tell(&event);
    let rollout = planned.rollout();
    let work = planned.session.fleet.apply(&rollout, &events, &stop);
    let outcome = work.await;
    progress.end();
    Ok(Done {
        outcome,
        lost: stop.is_cancelled() && !context.cancel.is_cancelled(),
    })
}

fn complain_of(context: &Context, plan: &Plan) {
    let style = Style {
        color: context.printer.color_err,
        ..context.style()
    };
    context
        .printer
        .complain(&human::plan(plan, &Title::default(), &style));
}

fn explain(error: &LeaseError, region: &str) -> anyhow::Error {
    let hint = match error {
        // Writing is better than deleting: AWS may refuse a deleted name for half a minute, and who held the lease and
        // is alive after all sees in the versions that it was broken.
        LeaseError::Taken { parameter, .. } => format!(
            "\nhint: wait for it to end; if nobody is at work there, break the lease: \
             aws ssm put-parameter --region {region} --name {parameter} --value free --overwrite"
        ),
        LeaseError::Aws { .. } | LeaseError::Interrupted => String::new(),
    };
    anyhow::anyhow!("{}{hint}", chain(error))
}

fn what(plan: &Plan) -> String {
    let grave: Vec<String> = [(Action::Delete, "delete"), (Action::Replace, "replace")]
        .into_iter()
        .map(|(action, word)| {
            (
                plan.changes
                    .iter()
                    .filter(|c| c.action == action && c.acts())
                    .count(),
                word,
            )
        })
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{word} {count}"))
        .collect();
    let acting = plan.changes.iter().filter(|change| change.acts()).count();
    let grave = if grave.is_empty() {
        String::new()
    } else {
        format!(", and {} of them", grave.join(" and "))
    };
    format!("make these {acting} changes{grave}? Only `yes` does:")
}

/// Done only when nothing is left that the documents want.
pub(super) fn exit(plan: &Plan, outcome: &Outcome) -> Exit {
    let unasked = plan
        .changes
        .iter()
        .any(|change| change.action == Action::Adopt && change.held.is_some());
    if outcome.interrupted {
        Exit::Interrupted
    } else if outcome.complete(plan) && !unasked {
        Exit::Ok
    } else {
        Exit::Failed
    }
}
