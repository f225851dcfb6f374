//! The pages of `docs/`, written from what the program itself knows.

pub(crate) mod cli;
pub(crate) mod diagnostics;
pub(crate) mod kinds;

/// The first line of every page.
const GENERATED: &str = "<!-- Generated: do not edit. `UPDATE_GENERATED=1 cargo test --test it generated` writes it. -->";

/// Writes a text into a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Joins the lines of each paragraph, as the sources break them for their own width. Code keeps its lines.
fn unwrapped(text: &str) -> String {
    let mut page = String::new();
    let mut code = false;
    for line in text.lines() {
        let fence = line.starts_with("```");
        // A line that begins with a bold word is a statement of its own, and so is an item of a list.
        let goes_on = !code
            && !fence
            && !line.is_empty()
            && !line.starts_with("- ")
            && !line.starts_with("**")
            && !page.is_empty()
            && !page.ends_with("\n\n")
            && !page.ends_with("```\n");
        if goes_on {
            page.pop();
            page.push(' ');
        } else if line.starts_with("**") && !page.is_empty() && !page.ends_with("\n\n") {
            page.push('\n');
        }
        page.push_str(if goes_on { line.trim_start() } else { line });
        page.push('\n');
        code ^= fence;
    }
    page
}
