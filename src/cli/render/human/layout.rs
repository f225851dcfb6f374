//! Columns and hanging indents.

use super::super::{Style, text};

/// Puts a text beside what stands before it, at a column, and its further lines under it.
///
/// `before` may be painted; `taken` is the width that it takes.
pub(super) fn beside(
    before: &str,
    taken: usize,
    column: usize,
    text: &str,
    style: &Style,
) -> String {
    let lines = text::wrap(text, style.columns().saturating_sub(column).max(20));
    lines_beside(before, taken, column, &lines)
}

/// Puts ready lines beside what stands before them.
pub(super) fn lines_beside(before: &str, taken: usize, column: usize, lines: &[String]) -> String {
    let mut out = before.to_owned();
    for (index, line) in lines.iter().enumerate() {
        if index == 0 && taken + 2 <= column {
            out.push_str(&" ".repeat(column - taken));
        } else {
            out.push('\n');
            out.push_str(&" ".repeat(column));
        }
        out.push_str(line);
    }
    out.push('\n');
    out
}

/// Puts one text at the left end of a line and another at its right; on two lines when they do not fit.
pub(super) fn both_ends(left: &str, right: &str, style: &Style) -> String {
    if right.is_empty() {
        return left.to_owned();
    }
    let used = text::width(left) + text::width(right);
    if used + 2 > style.columns() {
        return format!("{left}\n{}", style.dim(right));
    }
    let gap = " ".repeat(style.columns() - used);
    format!("{left}{gap}{}", style.dim(right))
}
