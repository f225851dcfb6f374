//! What is no change and still worth a line: orphans, what is kept, notes.

use super::super::{Style, Wording, text};
use super::Parts;
use super::layout::lines_beside;
use crate::model::plan::Note;

/// More notes of the same words than this are named in as many lines as fit, with a count.
const MANY: usize = 12;

/// Returns the lines about one place.
pub(super) fn block(parts: &Parts<'_>, wording: Wording, style: &Style) -> String {
    let kept = match wording {
        Wording::Destroy => "stays in AWS",
        Wording::Plan | Wording::Drift => "kept in AWS",
    };
    let sections = [
        ("not declared", &parts.orphans),
        (kept, &parts.retained),
        ("notes", &parts.notes),
    ];
    let mut out = String::new();
    let mut first = parts.changes.is_empty();
    for (heading, notes) in sections {
        if notes.is_empty() {
            continue;
        }
        if !first {
            out.push('\n');
        }
        first = false;
        text::put(&mut out, format_args!("  {}\n", style.dim(heading)));
        for (words, notes) in grouped(notes) {
            out.push_str(&group(words, &notes, style));
        }
    }
    out
}

/// Notes of the same words together, in the order of their first.
fn grouped<'a>(notes: &[&'a Note]) -> Vec<(&'a str, Vec<&'a Note>)> {
    let mut groups: Vec<(&str, Vec<&Note>)> = Vec::new();
    for note in notes {
        match groups.iter_mut().find(|(words, _)| *words == note.text) {
            Some((_, group)) => group.push(note),
            None => groups.push((&note.text, vec![note])),
        }
    }
    groups
}

fn group(words: &str, notes: &[&Note], style: &Style) -> String {
    let addresses: Vec<String> = notes
        .iter()
        .map(|note| text::clean(&note.address.to_string()).into_owned())
        .collect();
    let room = style.columns().saturating_sub(6).max(20);
    let words = text::wrap(&text::clean(words), room);
    if let [address] = &addresses[..] {
        let before = format!("    {address}");
        let taken = text::width(&before);
        let column = taken + 2;
        let beside = text::wrap(&words.join(" "), style.columns().saturating_sub(column));
        if beside.len() == 1 {
            return lines_beside(&before, taken, column, &beside);
        }
        return lines_beside(&before, taken, 6, &words);
    }
    let mut names = if style.verbose || addresses.len() <= MANY {
        text::wrap(&addresses.join(", "), room)
    } else {
        let hint = "(-v names them)";
        let names = text::names(addresses.iter().map(String::as_str), room * 2);
        text::wrap(&format!("{names} {hint}"), room)
    };
    names.extend(words.into_iter().map(|line| format!("  {line}")));
    let lines = names.iter().map(|line| format!("    {line}\n"));
    lines.collect()
}
