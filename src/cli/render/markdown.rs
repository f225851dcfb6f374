//! Plans as comments on pull requests: the counts first, every object folded, and never longer than is allowed.
//!
//! What comes from documents or from AWS stands in code, escaped, or in a fence that it cannot close, so that it can
//! neither break the comment nor call anybody's name.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{Body, shown};
use super::{Title, text, words};
use crate::model::Location;
use crate::model::plan::{Action, Change, Note, Plan};

/// How long a comment may be; GitHub takes 65,536 characters.
pub const LIMIT: usize = 60_000;

/// How many places the table of counts lists.
const PLACES: usize = 40;

/// How many lines one object shows.
const LINES: usize = 300;

/// What is kept free for saying what was left out.
const RESERVE: usize = 300;

/// Returns a plan of at most `limit` characters.
///
/// When it does not fit, what changes and goes stays longest: first the details go, then the lines about creations.
pub fn plan(plan: &Plan, title: &Title, limit: usize) -> String {
    let head = head(plan, title);
    let mut budget = Budget(limit.saturating_sub(length(&head) + RESERVE));
    let chosen = choose(plan, title, &mut budget);
    let remarks = remarks(plan, &mut budget);
    let mut out = head;
    let mut place = None;
    for (index, change) in plan.changes.iter().enumerate() {
        let Some(entry) = chosen.get(&index) else {
            continue;
        };
        if place != Some(&change.location) {
            place = Some(&change.location);
            out.push_str(&heading(&change.location));
        }
        out.push_str(entry);
    }
    out.push_str(&remarks);
    out.push_str(&left_out(plan, &chosen));
    if length(&out) > limit {
        out = out.chars().take(limit).collect();
    }
    out
}

/// Says what there was no room for.
fn left_out(plan: &Plan, chosen: &BTreeMap<usize, String>) -> String {
    let rest = plan.changes.iter().enumerate();
    let rest = rest.filter(|(index, _)| !chosen.contains_key(index));
    let rest = Plan {
        changes: rest.map(|(_, change)| change.clone()).collect(),
        ..Plan::default()
    };
    if rest.is_empty() {
        return String::new();
    }
    let counts = words::counts(&rest).join(", ");
    format!("\n**Left out here, because the comment would be too long: {counts}.**\n")
}

struct Budget(usize);

impl Budget {
    /// Takes what a text needs, if it is there.
    fn take(&mut self, cost: usize) -> bool {
        let fits = cost <= self.0;
        if fits {
            self.0 -= cost;
        }
        fits
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn head(plan: &Plan, title: &Title) -> String {
    let mut out = String::new();
    let summary = words::summary(plan, title.wording);
    text::put(
        &mut out,
        format_args!("### {}: {summary}\n", code(&plan.stack)),
    );
    let cost = title.cost();
    if !cost.is_empty() {
        text::put(&mut out, format_args!("\n{cost}\n"));
    }
    if let Some(incomplete) = words::incomplete(plan) {
        text::put(&mut out, format_args!("\n**{incomplete}**\n"));
    }
    if !plan.is_empty() {
        out.push('\n');
        out.push_str(&table(plan));
    }
    out
}

fn table(plan: &Plan) -> String {
    let used: Vec<Action> = Action::ALL
        .into_iter()
        .filter(|action| plan.count(*action) > 0)
        .collect();
    let mut rows: BTreeMap<&Location, BTreeMap<Action, usize>> = BTreeMap::new();
    for change in &plan.changes {
        let row = rows.entry(&change.location).or_default();
        *row.entry(change.action).or_default() += 1;
    }
    let words: Vec<String> = used
        .iter()
        .map(|action| format!("`{}` {}", action.mark(), action.word()))
        .collect();
    let mut out = format!("| | {} |\n", words.join(" | "));
    text::put(
        &mut out,
        format_args!("|---|{}\n", "---:|".repeat(used.len())),
    );
    let mut line = |name: &str, counts: &BTreeMap<Action, usize>| {
        let cells: Vec<String> = used
            .iter()
            .map(|action| {
                counts
                    .get(action)
                    .map(ToString::to_string)
                    .unwrap_or_default()
            })
            .collect();
        text::put(
            &mut out,
            format_args!("| {name} | {} |\n", cells.join(" | ")),
        );
    };
    let mut others: BTreeMap<Action, usize> = BTreeMap::new();
    for (index, (location, counts)) in rows.iter().enumerate() {
        if index < PLACES {
            line(&code(&location.to_string()), counts);
        } else {
            for (action, count) in counts {
                *others.entry(*action).or_default() += count;
            }
        }
    }
    if rows.len() > PLACES {
        line(&format!("{} more places", rows.len() - PLACES), &others);
    }
    out
}

fn heading(location: &Location) -> String {
    format!("\n#### {}\n", code(&location.to_string()))
}

/// Decides what is told about each change: all, a line, or nothing.
fn choose(plan: &Plan, title: &Title, budget: &mut Budget) -> BTreeMap<usize, String> {
    let mut order: Vec<usize> = (0..plan.changes.len()).collect();
    order.sort_by_key(|index| words::weight(plan.changes[*index].action));
    let creates = |index: &&usize| plan.changes[**index].action == Action::Create;
    let mut headed = BTreeSet::new();
    let mut chosen = BTreeMap::new();
    let mut lines = |index: usize, budget: &mut Budget, chosen: &mut BTreeMap<usize, String>| {
        let change = &plan.changes[index];
        let line = format!("\n{}\n", line(change, title));
        let mut cost = length(&line);
        if !headed.contains(&change.location) {
            cost += length(&heading(&change.location));
        }
        if budget.take(cost) {
            headed.insert(&change.location);
            chosen.insert(index, line);
        }
    };
    for index in order.iter().filter(|index| !creates(index)) {
        lines(*index, budget, &mut chosen);
    }
    for index in &order {
        if budget.0 == 0 {
            break;
        }
        let Some(line) = chosen.get_mut(index) else {
            continue;
        };
        let full = full(&plan.changes[*index], title);
        if let Some(full) =
            full.filter(|full| budget.take(length(full).saturating_sub(length(line))))
        {
            *line = full;
        }
    }
    for index in order.iter().filter(creates) {
        lines(*index, budget, &mut chosen);
    }
    chosen
}

fn line(change: &Change, title: &Title) -> String {
    let name = format!("{} {}", change.action.mark(), change.address);
    let mut sentence = words::sentence(change, title.wording);
    if let Some(held) = &change.held {
        let separator = if sentence.is_empty() { "" } else { "; " };
        text::put(
            &mut sentence,
            format_args!("{separator}left alone: {}", words::said(change, held)),
        );
    }
    if sentence.is_empty() {
        code(&name)
    } else {
        format!("{} {}", code(&name), code(&sentence))
    }
}

/// Returns the line with all differences folded under it; `None` where there are none.
fn full(change: &Change, title: &Title) -> Option<String> {
    if change.differences.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    for difference in change
        .differences
        .iter()
        .map(|difference| shown(change, difference))
    {
        let path = &difference.path;
        if let Some(fate) = &difference.fate {
            lines.push(format!("# {path}: {fate}"));
        }
        match difference.body {
            Body::Remark(remark) => lines.push(format!("! {path}: {remark}")),
            Body::Values { from, to } => {
                lines.extend(from.map(|from| format!("- {path}: {from}")));
                lines.extend(to.map(|to| format!("+ {path}: {to}")));
            }
            Body::Text(hunks) => {
                for hunk in hunks {
                    let place = text::clean(&hunk.place).into_owned();
                    lines.push(format!("@@ {} @@", format!("{path} {place}").trim_end()));
                    let marked = hunk.lines.iter();
                    lines
                        .extend(marked.map(|(mark, line)| format!("{mark} {}", text::clean(line))));
                }
            }
        }
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(format!("# and {more} more lines"));
    }
    let body = lines.join("\n");
    let fence = fence(&body);
    let summary = line(change, title);
    Some(format!(
        "\n<details><summary>{summary}</summary>\n\n{fence}diff\n{body}\n{fence}\n\n</details>\n"
    ))
}

/// Returns a fence that nothing in the body closes.
fn fence(body: &str) -> String {
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn remarks(plan: &Plan, budget: &mut Budget) -> String {
    let sections = [
        ("Not declared, and left alone", &plan.orphans),
        ("Kept in AWS", &plan.retained),
        ("Notes", &plan.notes),
    ];
    let mut out = String::new();
    for (heading, notes) in sections {
        let whole = section(heading, notes);
        if !notes.is_empty() && budget.take(length(&whole)) {
            out.push_str(&whole);
        }
    }
    out
}

fn section(heading: &str, notes: &[Note]) -> String {
    let lines: Vec<String> = notes
        .iter()
        .map(|note| {
            let what = code(&format!("{} in {}", note.address, note.location));
            format!("- {what} {}\n", code(&note.text))
        })
        .collect();
    let count = notes.len();
    format!(
        "\n<details><summary>{heading}: {count}</summary>\n\n{}\n</details>\n",
        lines.concat()
    )
}

/// Returns a text as code in which nothing is markup, for tables and headings too.
fn code(text: &str) -> String {
    let text = text::clean(text);
    let escaped = text.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_punctuation() && !matches!(c, '/' | '-' | '.' | ',' | ':' | '+' | '=') {
            text::put(&mut out, format_args!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
        out
    });
    format!("<code>{escaped}</code>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Wording;
    use super::super::samples::{assert_discreet, change, differs, many, rich, title};
    use super::*;
    use crate::model::plan::Because;

    #[test]
    fn a_plan_with_something_of_everything() {
        let shown = plan(&rich(), &title(Wording::Plan), LIMIT);
        assert_discreet(&shown);
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn it_is_never_longer_than_allowed_and_keeps_what_goes() {
        for limit in [0, 10, 500, 1_000, 1_500, 2_000, 3_000, 10_000] {
            for whole in [rich(), many()] {
                let shown = plan(&whole, &Title::default(), limit);
                assert!(length(&shown) <= limit);
            }
        }
        let shown = plan(&many(), &Title::default(), 1_200);
        assert!(shown.contains("person-19-old"), "{shown}");
        assert!(shown.contains("Left out here"), "{shown}");
    }

    #[test]
    fn no_value_breaks_out() {
        let evil = "```\n</details> | <script> @everybody\n````\nend";
        let changed = differs(
            "Contact",
            "a|b",
            Action::Update,
            &[Because::Pending],
            &json!({ "text": "one\ntwo", "title": "x" }),
            &json!({ "text": evil, "title": "`</code>`|" }),
        );
        let mut blocked = change("Contact", "c", Action::Blocked);
        blocked.reason = Some(evil.to_owned());
        let whole = Plan {
            stack: "<b>|`x`".to_owned(),
            changes: vec![changed, blocked],
            ..Plan::default()
        };
        insta::assert_snapshot!(plan(&whole, &Title::default(), LIMIT));
    }
}
