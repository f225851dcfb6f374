//! Plans and outcomes for people: aligned, complete without colour, and never hiding what changes or goes.

mod layout;
mod objects;
mod outcome;
mod remarks;
#[cfg(test)]
mod tests;

use super::{Style, Title, Wording, places, text, words};
use crate::model::plan::{Change, Note, Plan};
use crate::model::{Address, Location};

pub use outcome::outcome;

/// Returns a plan as people read it, with a line break at its end.
///
/// Creations may collapse to a line of names; nothing that is updated, replaced, deleted or blocked ever does. What is
/// the same in many places is told once.
pub fn plan(plan: &Plan, title: &Title, style: &Style) -> String {
    let column = objects::column(plan, style);
    let clusters = places::clusters(told(plan, title.wording, column, style));
    let mut out = String::new();
    let headers = places::headers(&plan.stack, &clusters, &plan.locations, style);
    for (cluster, header) in clusters.iter().zip(headers) {
        let parts = Parts::of(&cluster.items);
        out.push_str(&header);
        out.push_str("\n\n");
        out.push_str(&objects::block(
            &parts.changes,
            title.wording,
            column,
            style,
        ));
        out.push_str(&remarks::block(&parts, title.wording, style));
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

/// One thing to tell.
#[derive(Clone, Copy)]
enum Item<'a> {
    Change(&'a Change),
    Orphan(&'a Note),
    Retained(&'a Note),
    Note(&'a Note),
}

impl<'a> Parts<'a> {
    fn of(items: &[Item<'a>]) -> Self {
        let mut parts = Self::default();
        for item in items {
            match *item {
                Item::Change(change) => parts.changes.push(change),
                Item::Orphan(note) => parts.orphans.push(note),
                Item::Retained(note) => parts.retained.push(note),
                Item::Note(note) => parts.notes.push(note),
            }
        }
        parts
    }
}

/// Everything that there is to tell, place by place, each in the words by which it is the same elsewhere.
fn told<'a>(
    plan: &'a Plan,
    wording: Wording,
    column: usize,
    style: &Style,
) -> Vec<(&'a Location, Option<&'a Address>, String, Item<'a>)> {
    let changes = plan.changes.iter().map(|change| {
        let words = objects::one(change, wording, column, style);
        (
            &change.location,
            Some(&change.address),
            words,
            Item::Change(change),
        )
    });
    let notes = |heading: &'static str, notes: &'a [Note], item: fn(&'a Note) -> Item<'a>| {
        notes.iter().map(move |note| {
            let words = format!("{heading} {} {}", note.address, note.text);
            (&note.location, None, words, item(note))
        })
    };
    let mut told: Vec<_> = changes
        .chain(notes("orphan", &plan.orphans, Item::Orphan))
        .chain(notes("retained", &plan.retained, Item::Retained))
        .chain(notes("note", &plan.notes, Item::Note))
        .collect();
    told.sort_by_key(|(location, ..)| *location);
    told
}

/// Returns the line that says what there is to do, and at its right what finding that out cost.
fn footer(plan: &Plan, title: &Title, style: &Style) -> String {
    let mut out = String::new();
    if let Some(incomplete) = words::incomplete(plan) {
        let incomplete = style.action(crate::model::plan::Action::Unknown, &incomplete);
        out.push_str(&incomplete);
        out.push('\n');
    }
    let mut summary = words::summary(plan, title);
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
