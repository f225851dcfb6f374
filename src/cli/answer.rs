//! Chooses the format of an answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use indicatif::ProgressDrawTarget;

use super::args::Output;
use super::context::Context;
use super::planning::Planned;
use super::render::progress::{self, Phase};
use super::render::{
    Style, Title, Wording, gitlab, human, json, junit, markdown, markdown_outcome, sarif,
};
use super::validate::pretty;
use crate::engine::{Event, Outcome};
use crate::model::Location;

/// The size that GitHub and GitLab take for one comment, with room to spare.
const COMMENT: usize = 60_000;

/// Writes a plan in the format that was asked for.
pub(super) fn plan(
    context: &Context,
    planned: &Planned,
    wording: Wording,
) -> anyhow::Result<String> {
    let title = title(planned, wording);
    Ok(match context.global.output {
        Output::Human => human::plan(&planned.plan, &title, &context.style()),
        Output::Json => pretty(&json::plan(&planned.plan)),
        Output::Markdown => markdown::plan(&planned.plan, &title, COMMENT),
        Output::Sarif => {
            let place = |address: &_| planned.places.get(address).cloned();
            pretty(&sarif::plan(&planned.plan, &title, &place))
        }
        Output::Junit => junit::plan(&planned.plan, &title)?,
        Output::Gitlab => pretty(&gitlab::plan(&planned.plan)),
    })
}

/// Writes what became of a plan in the format that was asked for.
pub(super) fn outcome(
    context: &Context,
    planned: &Planned,
    outcome: &Outcome,
    wording: Wording,
) -> anyhow::Result<String> {
    let title = title(planned, wording);
    let plan = &planned.plan;
    Ok(match context.global.output {
        Output::Json => pretty(&json::applied(plan, outcome)),
        Output::Markdown => markdown_outcome::outcome(plan, outcome, &title, COMMENT),
        Output::Junit => junit::outcome(plan, outcome, &title)?,
        Output::Human | Output::Sarif | Output::Gitlab => {
            human::outcome(plan, outcome, &title, &context.style())
        }
    })
}

fn title(planned: &Planned, wording: Wording) -> Title {
    Title {
        wording,
        calls: Some(planned.session.connection.calls.total()),
        elapsed: Some(planned.session.began.elapsed()),
        narrowed: planned.wish.scope.is_some(),
    }
}

/// Tells of a run as it goes: a moving line on a terminal, a line for each change elsewhere.
pub(super) struct Progress {
    terminal: Option<Arc<progress::Terminal>>,
    places: BTreeSet<Location>,
    lines: bool,
    style: Style,
    printer: super::printer::Printer,
}

impl Progress {
    /// Begins a phase. `lines` says whether each event gets a line where no moving line can be drawn.
    pub(super) fn begin(
        context: &Context,
        phase: Phase,
        places: BTreeSet<Location>,
        lines: bool,
    ) -> Self {
        let style = Style {
            color: context.printer.color_err,
            ..context.style()
        };
        let terminal = context.printer.progress.then(|| {
            let terminal = progress::Terminal::new(ProgressDrawTarget::stderr(), style);
            terminal.begin(phase);
            Arc::new(terminal)
        });
        Self {
            terminal,
            places,
            lines,
            style,
            printer: context.printer,
        }
    }

    /// Takes in an event.
    pub(super) fn tell(&self, event: &Event) {
        match &self.terminal {
            Some(terminal) => terminal.tell(event),
            None if self.lines
                && (self.style.verbose || !matches!(event, Event::Waiting { .. })) =>
            {
                if let Some(line) = progress::line(event, &self.places, &self.style) {
                    self.printer.say(&line);
                }
            }
            None => {}
        }
    }

    /// Takes the moving line away.
    pub(super) fn end(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.end();
        }
    }
}
