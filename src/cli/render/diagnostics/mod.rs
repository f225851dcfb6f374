//! Draws what is wrong with the documents: for people, as JSON, as SARIF 2.1.0, as `JUnit` XML.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use crate::load::Sources;
use crate::model::{Diagnostic, Place, Report, Severity};

mod machine;

pub use machine::{to_json, to_junit, to_sarif};

/// How many columns of a source line are shown.
const WIDTH: usize = 100;
const TAB: usize = 4;

/// Draws every finding with its source line and a caret, and a summary at the end. Empty when there is nothing.
pub fn human(report: &Report, sources: &Sources, colour: bool) -> String {
    let paint = Paint { colour };
    let mut out = String::new();
    let mut lines = Lines::new(sources);
    for finding in &report.diagnostics {
        draw(&mut out, finding, &mut lines, &paint);
        out.push('\n');
    }
    if !report.diagnostics.is_empty() {
        let _ = writeln!(out, "{}", summary(report));
    }
    out
}

/// Returns `3 errors, 1 warning in 2 files`.
pub fn summary(report: &Report) -> String {
    let of = |severity| {
        report
            .diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    let counted = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{number} {what}s")),
    };
    let parts: Vec<String> = [
        counted(of(Severity::Error), "error"),
        counted(of(Severity::Warning), "warning"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "no problems".to_owned();
    }
    let files: BTreeSet<&str> = report
        .diagnostics
        .iter()
        .filter_map(|d| Some(d.place.as_ref()?.file.as_str()))
        .collect();
    let files = counted(files.len(), "file")
        .map(|files| format!(" in {files}"))
        .unwrap_or_default();
    format!("{}{files}", parts.join(", "))
}

struct Paint {
    colour: bool,
}

impl Paint {
    fn with(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn frame(&self, text: &str) -> String {
        self.with(AnsiColor::Blue.on_default().bold(), text)
    }
}

/// The lines of the files, the last one at hand: a file may be one line with thousands of findings.
struct Lines<'s> {
    sources: &'s Sources,
    last: Option<(&'s str, usize, Vec<char>)>,
}

impl<'s> Lines<'s> {
    fn new(sources: &'s Sources) -> Self {
        Self {
            sources,
            last: None,
        }
    }

    fn line(&mut self, file: &'s str, line: usize) -> Option<&[char]> {
        let at_hand = matches!(&self.last, Some((f, l, _)) if *f == file && *l == line);
        if !at_hand {
            let text = self.sources.line(file, line)?;
            self.last = Some((file, line, text.chars().collect()));
        }
        self.last.as_ref().map(|(_, _, chars)| chars.as_slice())
    }
}

fn draw<'s>(out: &mut String, finding: &'s Diagnostic, lines: &mut Lines<'s>, paint: &Paint) {
    let (word, colour) = match finding.severity {
        Severity::Error => ("error", AnsiColor::Red),
        Severity::Warning => ("warning", AnsiColor::Yellow),
    };
    let style = colour.on_default().bold();
    let head = paint.with(style, &format!("{word}[{}]", finding.code));
    let message = paint.with(
        Style::new().bold(),
        &format!(": {}", printable(&finding.message)),
    );
    let _ = writeln!(out, "{head}{message}");
    if let Some(place) = &finding.place {
        let Place {
            file,
            line,
            column,
            length,
        } = place;
        let _ = writeln!(
            out,
            " {} {}:{line}:{column}",
            paint.frame("-->"),
            printable(file)
        );
        if let Some(text) = lines.line(file, *line) {
            let (text, before, under) = excerpt(text, *column, *length);
            let gutter = " ".repeat(line.to_string().len());
            let bar = paint.frame("|");
            let _ = writeln!(out, "{gutter} {bar}");
            let _ = writeln!(
                out,
                "{} {bar} {}",
                paint.frame(&line.to_string()),
                text.trim_end()
            );
            let carets = paint.with(style, &"^".repeat(under));
            let _ = writeln!(out, "{gutter} {bar} {}{carets}", " ".repeat(before));
        }
    }
    if let Some(hint) = &finding.hint {
        let _ = writeln!(
            out,
            "{}: {}",
            paint.with(AnsiColor::Cyan.on_default().bold(), "hint"),
            printable(hint)
        );
    }
}

/// Replaces what could move the cursor or change colours.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}

/// Returns what is shown of a line, how many columns come before the caret, and how many it underlines.
///
/// A long line is cut around the caret; tabs become spaces; columns are counted as a terminal counts them.
fn excerpt(line: &[char], column: usize, length: usize) -> (String, usize, usize) {
    let start = column.saturating_sub(1).min(line.len());
    let end = start.saturating_add(length).min(line.len()).max(start);
    // Never looks further than what can be shown: a line may be megabytes long.
    let width = |range: std::ops::Range<usize>| {
        let columns = line[range].iter().map(|c| columns(*c));
        columns.take(4 * WIDTH).sum::<usize>()
    };
    let (mut from, mut to) = (0, line.len());
    if line.len() > 4 * WIDTH || width(0..line.len()) > WIDTH {
        from = start.saturating_sub(WIDTH);
        while width(from..start) > WIDTH / 3 && width(from..end) > WIDTH * 2 / 3 {
            from += 1;
        }
        let mut used = 0;
        to = line
            .iter()
            .enumerate()
            .skip(from)
            .find_map(|(index, c)| {
                used += columns(*c).max(1);
                (used > WIDTH).then_some(index)
            })
            .unwrap_or(line.len());
    }
    let mut shown = String::new();
    for c in &line[from..to] {
        match c {
            '\t' => shown.push_str(&" ".repeat(TAB)),
            c if c.is_control() => shown.push('·'),
            c => shown.push(*c),
        }
    }
    let mut before = width(from..start.min(to).max(from));
    if from > 0 {
        shown.insert(0, '…');
        before += 1;
    }
    if to < line.len() {
        shown.push('…');
    }
    (shown, before, width(start.min(to)..end.min(to)).max(1))
}

/// Returns how many columns of a terminal a character takes as it is shown.
fn columns(c: char) -> usize {
    match c {
        '\t' => TAB,
        c if c.is_control() => 1,
        c => c.width().unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(line: &str, column: usize, length: usize) -> (String, usize, usize) {
        super::excerpt(&line.chars().collect::<Vec<_>>(), column, length)
    }

    #[test]
    fn carets_stand_under_wide_characters() {
        assert_eq!(excerpt("名前: x", 5, 1), ("名前: x".into(), 6, 1));
        assert_eq!(excerpt("\tname: x", 2, 4), ("    name: x".into(), 4, 4));
        assert_eq!(excerpt("ab", 9, 5), ("ab".into(), 2, 1));
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{}here{}", "a".repeat(300), "b".repeat(300));
        let (shown, before, under) = excerpt(&line, 301, 4);
        assert_eq!(under, 4);
        assert_eq!(
            shown.chars().skip(before).take(4).collect::<String>(),
            "here"
        );
        assert!(shown.starts_with('…') && shown.ends_with('…'));
        assert!(shown.chars().count() <= WIDTH + 2);
    }

    #[test]
    fn the_summary_counts() {
        let mut report = Report::default();
        assert_eq!(summary(&report), "no problems");
        let place = |file: &str| Place {
            file: file.into(),
            line: 1,
            column: 1,
            length: 1,
        };
        report.push(Diagnostic::error("a", "", "x").place(place("f")));
        report.push(Diagnostic::error("a", "", "y").place(place("g")));
        report.push(Diagnostic::warning("a", "", "z"));
        assert_eq!(summary(&report), "2 errors, 1 warning in 2 files");
    }

    #[test]
    fn nothing_in_a_document_can_move_the_cursor() {
        let mut report = Report::default();
        report.push(Diagnostic::error("a", "", "x\u{1b}[2J"));
        assert!(!human(&report, &Sources::default(), false).contains('\u{1b}'));
        assert!(human(&report, &Sources::default(), true).contains("\u{1b}["));
    }
}
