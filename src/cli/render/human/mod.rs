//! Plans and outcomes for people: aligned, complete without colour, and never hiding what changes or goes.

mod layout;
mod objects;
mod outcome;
mod remarks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Style, Title, Wording, text, words};
use crate::model::Location;
use crate::model::plan::{Change, Note, Plan};

pub use outcome::outcome;

/// How many places a header names before it counts the rest.
const PLACES: usize = 6;

/// Returns a plan as people read it, with a line break at its end.
///
/// Creations may collapse to a line of names; nothing that is updated, replaced, deleted or blocked ever does. Places
/// at which exactly the same is to be done are told once.
pub fn plan(plan: &Plan, title: &Title, style: &Style) -> String {
    let column = objects::column(plan, style);
    let mut blocks: Vec<(String, Vec<&Location>)> = Vec::new();
    for (location, parts) in by_place(plan) {
        let mut block = objects::block(&parts.changes, title.wording, column, style);
        block.push_str(&remarks::block(&parts, title.wording, style));
        match blocks.iter_mut().find(|(known, _)| *known == block) {
            Some((_, places)) => places.push(location),
            None => blocks.push((block, vec![location])),
        }
    }
    let mut out = String::new();
    for (block, places) in blocks {
        out.push_str(&header(&plan.stack, &places, style));
        out.push_str("\n\n");
        out.push_str(&block);
        out.push('\n');
    }
    out.push_str(&footer(plan, title, style));
    out
}

/// What there is to tell about one place.
#[derive(Default)]
struct Parts<'a> {
    changes: Vec<&'a Change>,
    orphans: Vec<&'a Note>,
    retained: Vec<&'a Note>,
    notes: Vec<&'a Note>,
}

fn by_place(plan: &Plan) -> BTreeMap<&Location, Parts<'_>> {
    let mut places: BTreeMap<&Location, Parts<'_>> = BTreeMap::new();
    for change in &plan.changes {
        places
            .entry(&change.location)
            .or_default()
            .changes
            .push(change);
    }
    for note in &plan.orphans {
        places.entry(&note.location).or_default().orphans.push(note);
    }
    for note in &plan.retained {
        places
            .entry(&note.location)
            .or_default()
            .retained
            .push(note);
    }
    for note in &plan.notes {
        places.entry(&note.location).or_default().notes.push(note);
    }
    places
}

/// Returns `stack → account/region`, for every place that a block is about.
fn header(stack: &str, places: &[&Location], style: &Style) -> String {
    let stack = text::clean(stack);
    let shown = if style.verbose { places.len() } else { PLACES };
    let mut names: Vec<String> = places
        .iter()
        .take(shown)
        .map(|place| text::clean(&place.to_string()).into_owned())
        .collect();
    if places.len() > shown {
        names.push(format!(
            "and {} more places (-v names them)",
            places.len() - shown
        ));
    }
    let indent = text::width(&stack) + 3;
    let room = style.columns().saturating_sub(indent).max(30);
    let lines = text::wrap(&names.join(", "), room);
    let rest = format!("\n{}", " ".repeat(indent));
    format!("{} → {}", style.bold(&stack), lines.join(&rest))
}

/// Returns the line that says what there is to do, and at its right what finding that out cost.
fn footer(plan: &Plan, title: &Title, style: &Style) -> String {
    let mut out = String::new();
    if let Some(incomplete) = words::incomplete(plan) {
        let incomplete = style.action(crate::model::plan::Action::Unknown, &incomplete);
        out.push_str(&incomplete);
        out.push('\n');
    }
    let mut summary = words::summary(plan, title.wording);
    let held = plan.changes.iter().filter(|change| change.held.is_some());
    let would = match title.wording {
        Wording::Drift => 0,
        Wording::Plan | Wording::Destroy => held.count(),
    };
    if would > 0 {
        text::put(&mut summary, format_args!(" ({would} of these left alone)"));
    }
    out.push_str(&layout::both_ends(&summary, &title.cost(), style));
    out.push('\n');
    out
}
