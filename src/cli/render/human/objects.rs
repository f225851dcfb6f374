//! The lines about objects: mark, address, why, and every difference.

use std::collections::{BTreeMap, BTreeSet};

use super::super::difference::{Body, Shown, shown};
use super::super::udiff::Hunk;
use super::super::{Style, Wording, text, words};
use super::layout::{beside, lines_beside};
use crate::model::plan::{Action, Change, Plan};

/// More objects than this that would all be created, of one kind, collapse to one line.
const MANY: usize = 12;

/// How many lines of a text difference are shown.
const LINES: usize = 24;

/// One line of the plan: a change, or many of one kind, or all that could not be read for one reason.
enum Row<'a> {
    One(&'a Change),
    Many(Vec<&'a Change>),
    Unread(Vec<&'a Change>),
}

/// Returns the column at which everything beside an address or a path stands.
pub(super) fn column(plan: &Plan, style: &Style) -> usize {
    let most = (style.columns() * 2 / 5).max(24);
    let widths = plan.changes.iter().flat_map(|change| {
        let paths = change.differences.iter().map(|d| 6 + text::width(&d.path));
        paths.chain([4 + text::width(&change.address.to_string())])
    });
    // What is wider than that breaks its line and does not push everything to the right.
    widths.filter(|width| *width <= most).max().unwrap_or(most) + 2
}

/// Returns the lines about the changes at one place.
pub(super) fn block(changes: &[&Change], wording: Wording, column: usize, style: &Style) -> String {
    let mut out = String::new();
    for row in rows(changes, style) {
        match row {
            Row::One(change) => out.push_str(&one(change, wording, column, style)),
            Row::Many(changes) => out.push_str(&many(&changes, wording, column, style)),
            Row::Unread(changes) => out.push_str(&unread(&changes, wording, column, style)),
        }
    }
    out
}

fn rows<'a>(changes: &[&'a Change], style: &Style) -> Vec<Row<'a>> {
    let collapses = |change: &Change| matches!(change.action, Action::Create | Action::Unknown);
    let alike = |a: &Change, b: &Change| {
        a.address.kind == b.address.kind
            && a.action == b.action
            && a.reason == b.reason
            && a.held == b.held
    };
    // An account that cannot be entered has one reason for everything in it.
    let mut kinds: BTreeMap<&Option<String>, BTreeSet<&str>> = BTreeMap::new();
    for change in changes
        .iter()
        .filter(|change| change.action == Action::Unknown)
    {
        let kind = change.address.kind.as_str();
        kinds.entry(&change.reason).or_default().insert(kind);
    }
    let together = |change: &Change| {
        let unread = change.action == Action::Unknown && !style.verbose;
        unread
            && kinds
                .get(&change.reason)
                .is_some_and(|kinds| kinds.len() > 1)
    };
    let mut unread: BTreeMap<&Option<String>, Vec<&Change>> = BTreeMap::new();
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in changes {
        if together(change) {
            unread.entry(&change.reason).or_default().push(change);
            continue;
        }
        let known = if style.verbose || !collapses(change) {
            None
        } else {
            let kind = groups.iter_mut().rev();
            let mut kind = kind.take_while(|group| group[0].address.kind == change.address.kind);
            kind.find(|group| alike(group[0], change))
        };
        match known {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    let mut rows: Vec<Row<'_>> = unread.into_values().map(Row::Unread).collect();
    for group in groups {
        if group.len() > MANY {
            rows.push(Row::Many(group));
        } else {
            rows.extend(group.into_iter().map(Row::One));
        }
    }
    rows
}

fn many(changes: &[&Change], wording: Wording, column: usize, style: &Style) -> String {
    let first = changes[0];
    let what = format!("{} {}", changes.len(), text::clean(&first.address.kind));
    let names: Vec<_> = changes
        .iter()
        .map(|change| text::clean(&change.address.name))
        .collect();
    let hint = "(-v lists them)";
    let room = style
        .columns()
        .saturating_sub(column + text::width(hint) + 1)
        .max(20);
    let names = text::names(names.iter().map(AsRef::as_ref), room);
    let mut lines = vec![format!("{names} {}", style.dim(hint))];
    let why = match first.action {
        Action::Create if wording == Wording::Plan => first.reason.clone(),
        _ => Some(words::headline(first, wording)),
    };
    let room = style.columns().saturating_sub(column).max(20);
    lines.extend(why.iter().flat_map(|why| text::wrap(why, room)));
    let (before, taken) = head(first.action, &what, style);
    let mut out = lines_beside(&before, taken, column, &lines);
    out.push_str(&held(first, style));
    out
}

/// Names what could not be read, with the one reason.
fn unread(changes: &[&Change], wording: Wording, column: usize, style: &Style) -> String {
    let names: Vec<String> = changes
        .iter()
        .map(|change| text::clean(&change.address.to_string()).into_owned())
        .collect();
    let room = style.columns().saturating_sub(column).max(20);
    let mut lines = if names.len() <= MANY {
        text::wrap(&names.join(", "), room)
    } else {
        let hint = "(-v lists them)";
        let room = room.saturating_sub(text::width(hint) + 1);
        let names = text::names(names.iter().map(String::as_str), room);
        vec![format!("{names} {}", style.dim(hint))]
    };
    lines.extend(text::wrap(&words::headline(changes[0], wording), room));
    let (before, taken) = head(Action::Unknown, &format!("{} unread", changes.len()), style);
    lines_beside(&before, taken, column, &lines)
}

fn head(action: Action, what: &str, style: &Style) -> (String, usize) {
    let mark = style.action(action, action.mark());
    (
        format!("  {mark} {}", style.bold(what)),
        4 + text::width(what),
    )
}

/// Returns the lines about one change.
pub(super) fn one(change: &Change, wording: Wording, column: usize, style: &Style) -> String {
    let address = change.address.to_string();
    let (before, taken) = head(change.action, &text::clean(&address), style);
    let headline = words::headline(change, wording);
    let mut out = beside(&before, taken, column, &headline, style);
    out.push_str(&held(change, style));
    let shown: Vec<Shown> = change
        .differences
        .iter()
        .map(|difference| shown(change, difference))
        .collect();
    let fates = fate_column(&shown, column, style);
    for difference in &shown {
        out.push_str(&difference_lines(difference, column, fates, style));
    }
    out
}

fn held(change: &Change, style: &Style) -> String {
    let Some(why) = &change.held else {
        return String::new();
    };
    let why = format!("left alone: {}", words::said(change, why));
    let lines = text::wrap(&why, style.columns().saturating_sub(6).max(20));
    let lines = lines
        .iter()
        .map(|line| format!("      {}\n", style.dim(line)));
    lines.collect()
}

/// The column at which a change's differences say what would happen to them: as far right as all of that fits.
fn fate_column(differences: &[Shown], column: usize, style: &Style) -> usize {
    let fates = differences.iter().filter_map(|d| d.fate.as_deref());
    let widest_fate = fates.map(text::width).max().unwrap_or(0);
    let room = style.columns().saturating_sub(column + widest_fate + 2);
    let widths = differences
        .iter()
        .filter(|difference| difference.fate.is_some())
        .filter_map(|difference| match &difference.body {
            Body::Values { from, to } => {
                let (from, to) = (or_none(from.as_deref()), or_none(to.as_deref()));
                Some(text::width(from) + 3 + text::width(to))
            }
            Body::Remark(remark) => Some(text::width(remark)),
            Body::Text(_) => None,
        });
    let widest = widths.filter(|width| *width <= room).max();
    column + widest.unwrap_or(0).max(14.min(room)) + 2
}

fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("(none)")
}

fn difference_lines(difference: &Shown, column: usize, fates: usize, style: &Style) -> String {
    let path = format!("      {}", difference.path);
    let taken = text::width(&path);
    let room = style.columns().saturating_sub(column).max(20);
    let fate = difference.fate.as_deref();
    let mut lines = match &difference.body {
        Body::Text(hunks) => {
            let mut out = beside(&path, taken, column, fate.unwrap_or_default(), style);
            out.push_str(&hunk_lines(hunks, style));
            return out;
        }
        Body::Remark(remark) if style.verbose => vec![remark.clone()],
        Body::Remark(remark) => vec![text::shorten(remark, room).into_owned()],
        Body::Values { from, to } => value_lines(
            or_none(from.as_deref()),
            or_none(to.as_deref()),
            room,
            style,
        ),
    };
    if let Some(fate) = fate {
        let width = lines.first().map_or(0, |line| text::width(line));
        let fits = column + width + 2 <= fates && fates + text::width(fate) <= style.columns();
        if let ([line], true) = (&mut lines[..], fits) {
            *line = format!("{}{}", text::pad(line, fates - column), style.dim(fate));
        } else {
            lines.extend(text::wrap(fate, room).iter().map(|line| style.dim(line)));
        }
    }
    lines_beside(&path, taken, column, &lines)
}

/// Both values on one line, or each on its own, shortened in the middle.
fn value_lines(from: &str, to: &str, room: usize, style: &Style) -> Vec<String> {
    let pair = format!("{from} → {to}");
    if text::width(&pair) <= room {
        return vec![pair];
    }
    let (from, to) = if style.verbose {
        (from.to_owned(), to.to_owned())
    } else {
        text::shorten_pair(from, to, room.saturating_sub(2))
    };
    vec![format!("  {from}"), format!("→ {to}")]
}

fn hunk_lines(hunks: &[Hunk], style: &Style) -> String {
    let room = style.columns().saturating_sub(8);
    let fit = |line: String| {
        if style.verbose {
            line
        } else {
            text::cut(&line, room).into_owned()
        }
    };
    let mut lines = Vec::new();
    for hunk in hunks {
        let place = format!("@@ {}", text::clean(&hunk.place));
        lines.push(('@', place.trim_end().to_owned()));
        for (mark, line) in &hunk.lines {
            let line = format!("{mark} {}", text::clean(line));
            lines.push((*mark, line.trim_end().to_owned()));
        }
    }
    let shown = if style.verbose || lines.len() <= LINES + 2 {
        lines.len()
    } else {
        LINES
    };
    let rest = lines.len() - shown;
    let mut out = String::new();
    for (mark, line) in lines.into_iter().take(shown) {
        text::put(
            &mut out,
            format_args!("        {}\n", style.line(mark, &fit(line))),
        );
    }
    if rest > 0 {
        let rest = format!("… {rest} more lines (-v shows them)");
        text::put(&mut out, format_args!("        {}\n", style.dim(&rest)));
    }
    out
}
