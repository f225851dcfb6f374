//! What became of a plan: what was done, what was not, and why.

use super::super::{Style, Title, text, words};
use super::layout::{beside, both_ends, lines_beside};
use super::places;
use crate::engine::{Ending, Outcome};
use crate::model::plan::{Action, Change, Plan};
use crate::model::{Address, Location};

/// How many names one action shows.
const NAMES: usize = 12;

/// Where the sentences of an outcome begin when addresses are short enough.
const MOST: usize = 44;

/// Returns what was done, what was not and why, and a last line that counts, with a line break at its end.
pub fn outcome(plan: &Plan, outcome: &Outcome, title: &Title, style: &Style) -> String {
    let mut told: Vec<(&Location, Option<&Address>, String, Ended<'_>)> = Vec::new();
    for (index, change) in plan.changes.iter().enumerate() {
        let ended = (change, outcome.endings.get(index).and_then(Option::as_ref));
        told.push((
            &change.location,
            Some(&change.address),
            block(&[ended], style),
            ended,
        ));
    }
    told.sort_by_key(|(location, ..)| *location);
    let clusters = places::clusters(told);
    let mut out = String::new();
    let headers = places::headers(&plan.stack, &clusters, &plan.locations, style);
    for (cluster, header) in clusters.iter().zip(headers) {
        out.push_str(&header);
        out.push_str("\n\n");
        out.push_str(&block(&cluster.items, style));
        out.push('\n');
    }
    if let Some(advice) = words::advice(outcome) {
        out.push_str(advice);
        out.push('\n');
    }
    out.push_str(&both_ends(
        &words::ended(plan, outcome),
        &title.cost(),
        style,
    ));
    out.push('\n');
    out
}

/// A change and how it ended.
type Ended<'a> = (&'a Change, Option<&'a Ending>);

fn block(changes: &[Ended<'_>], style: &Style) -> String {
    let pick = |which: &dyn Fn(Option<&Ending>) -> bool| -> Vec<Ended<'_>> {
        changes
            .iter()
            .filter(|(_, ending)| which(*ending))
            .copied()
            .collect()
    };
    let done = pick(&|ending| matches!(ending, Some(Ending::Done)));
    let failed = pick(&|ending| matches!(ending, Some(Ending::Failed(_))));
    let skipped = pick(&|ending| matches!(ending, Some(Ending::Skipped(_))));
    let left = pick(&|ending| ending.is_none());
    let mut sections = Vec::new();
    if !done.is_empty() {
        sections.push(format!(
            "  {}\n{}",
            style.bold("done"),
            done_lines(&done, style)
        ));
    }
    for (heading, changes) in [
        ("failed", failed),
        ("not tried", skipped),
        ("left alone", left),
    ] {
        if !changes.is_empty() {
            let lines = undone_lines(&changes, style);
            sections.push(format!("  {}\n{lines}", style.bold(heading)));
        }
    }
    sections.join("\n")
}

/// What was done needs no explanation: one line for each action.
fn done_lines(changes: &[Ended<'_>], style: &Style) -> String {
    let mut out = String::new();
    for action in Action::ALL {
        let names: Vec<String> = changes
            .iter()
            .filter(|(change, _)| change.action == action)
            .map(|(change, _)| text::clean(&change.address.to_string()).into_owned())
            .collect();
        if names.is_empty() {
            continue;
        }
        let count = format!("{} {}", names.len(), past(action));
        let column = 6 + 16;
        let room = style.columns().saturating_sub(column).max(20);
        let lines = if style.verbose || names.len() <= NAMES {
            text::wrap(&names.join(", "), room)
        } else {
            let some = text::names(names.iter().map(String::as_str), room * 2);
            text::wrap(&format!("{some} (-v names them)"), room)
        };
        let mark = style.action(action, action.mark());
        let taken = 6 + text::width(&count);
        out.push_str(&lines_beside(
            &format!("    {mark} {count}"),
            taken,
            column,
            &lines,
        ));
    }
    out
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "adopted",
        Action::Blocked => "blocked",
        Action::Unknown => "unknown",
    }
}

fn undone_lines(changes: &[Ended<'_>], style: &Style) -> String {
    let widths = changes
        .iter()
        .map(|(change, _)| 6 + text::width(&change.address.to_string()));
    let column = widths.filter(|width| *width <= MOST).max().unwrap_or(MOST) + 2;
    let mut out = String::new();
    for (change, ending) in changes {
        let why = match ending {
            Some(Ending::Failed(why) | Ending::Skipped(why)) => why.as_str(),
            Some(Ending::Done) => "",
            None => words::left(change),
        };
        let address = change.address.to_string();
        let address = text::clean(&address);
        let mark = style.action(change.action, change.action.mark());
        let taken = 6 + text::width(&address);
        let before = format!("    {mark} {address}");
        let why = words::said(change, why);
        out.push_str(&beside(&before, taken, column, &why, style));
    }
    out
}
