//! Plans as comments on pull requests: the counts first, every object folded, and never longer than is allowed.
//!
//! What comes from documents or from AWS stands in code, escaped, or in a fence that it cannot close, so that it can
//! neither break the comment nor call anybody's name.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{Body, shown};
use super::places::{self, clusters, whereabouts};
use super::{Title, Wording, text, words};
use crate::model::Location;
use crate::model::plan::{Action, Change, Note, Plan};

/// How long a comment may be; GitHub takes 65,536 characters.
pub const LIMIT: usize = 60_000;

/// How many places the table of counts lists.
const PLACES: usize = 40;

/// More objects than this that would all be created, of one kind, are folded.
const MANY: usize = 12;

/// How many lines one object shows.
const LINES: usize = 300;

/// What to do about drift, for whoever reads of it in an issue.
const NEXT: &str = "`stationbill apply` sets back what changed in AWS. What shall stay as it is now belongs into the \
                    documents, or into `lifecycle.ignore` with a reason.";

/// What is kept free for saying what was left out.
const RESERVE: usize = 300;

/// Returns a plan of at most `limit` characters. What is the same in many places is told once.
///
/// When it does not fit, what changes and goes stays longest: first the details go, then the lines about creations.
pub fn plan(plan: &Plan, title: &Title, limit: usize) -> String {
    let head = head(plan, title);
    let clusters = clusters(plan.changes.iter().map(|change| {
        let entry = Entry::of(change, title);
        let words = entry.full.clone().unwrap_or_else(|| entry.line.clone());
        (&change.location, Some(&change.address), words, entry)
    }));
    let headings = whereabouts(&clusters, &plan.locations, places::PLACES, "");
    let headings: Vec<String> = headings.iter().map(|place| heading(place)).collect();
    let entries = clusters.iter().enumerate();
    let entries: Vec<(usize, &Entry<'_>)> = entries
        .flat_map(|(cluster, found)| found.items.iter().map(move |entry| (cluster, entry)))
        .collect();
    let mut budget = Budget(limit.saturating_sub(length(&head) + RESERVE));
    let chosen = choose(&entries, &headings, &mut budget);
    let remarks = remarks(plan, &mut budget);
    let mut out = head;
    let mut place = None;
    let mut births: Vec<&Entry<'_>> = Vec::new();
    let mut rest = Vec::new();
    for (index, (cluster, entry)) in entries.into_iter().enumerate() {
        let Some(told) = chosen.get(&index) else {
            let count = clusters[cluster].places.len();
            rest.extend(std::iter::repeat_n(entry.change.clone(), count));
            continue;
        };
        if place != Some(cluster) {
            fold(&mut out, &mut births, title);
            place = Some(cluster);
            out.push_str(&headings[cluster]);
        }
        let kind = |other: &&Entry<'_>| other.change.address.kind == entry.change.address.kind;
        if !births.last().is_none_or(kind) {
            fold(&mut out, &mut births, title);
        }
        if entry.change.action == Action::Create && *told == entry.line {
            births.push(entry);
        } else {
            fold(&mut out, &mut births, title);
            out.push_str(told);
        }
    }
    fold(&mut out, &mut births, title);
    out.push_str(&remarks);
    out.push_str(&left_out(rest));
    if length(&out) > limit {
        out = out.chars().take(limit).collect();
    }
    out
}

/// One change, told shortly and at length.
struct Entry<'a> {
    change: &'a Change,
    line: String,
    full: Option<String>,
}

impl<'a> Entry<'a> {
    fn of(change: &'a Change, title: &Title) -> Self {
        Self {
            change,
            line: format!("\n{}\n", line(change, title)),
            full: full(change, title),
        }
    }
}

/// Writes creations of one kind: many are folded, and take less room so than they were chosen for.
fn fold(out: &mut String, births: &mut Vec<&Entry<'_>>, title: &Title) {
    let births = std::mem::take(births);
    if births.len() <= MANY {
        out.extend(births.iter().map(|entry| entry.line.as_str()));
        return;
    }
    let kind = &births[0].change.address.kind;
    let summary = code(&format!("+ {} {kind}", births.len()));
    let lines: Vec<String> = births
        .iter()
        .map(|entry| {
            let name = format!("+ {}", entry.change.address);
            let sentence = sentence(entry.change, title);
            let line = format!("{} {sentence}", text::clean(&name));
            line.trim_end().to_owned()
        })
        .collect();
    let body = lines.join("\n");
    let fence = fence(&body);
    text::put(
        out,
        format_args!(
            "\n<details><summary>{summary}</summary>\n\n{fence}\n{body}\n{fence}\n\n</details>\n"
        ),
    );
}

/// Says what there was no room for.
fn left_out(changes: Vec<Change>) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let rest = Plan {
        changes,
        ..Plan::default()
    };
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

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

fn head(plan: &Plan, title: &Title) -> String {
    let mut out = String::new();
    let summary = words::summary(plan, title);
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
    if title.wording == Wording::Drift && plan.changes.len() > plan.count(Action::Unknown) {
        text::put(&mut out, format_args!("\n{NEXT}\n"));
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

fn heading(place: &str) -> String {
    format!("\n#### {}\n", code(place))
}

/// Decides what is told of each entry: all, a line, or nothing. With each entry comes the number of its heading.
fn choose<'e>(
    entries: &[(usize, &'e Entry<'_>)],
    headings: &[String],
    budget: &mut Budget,
) -> BTreeMap<usize, &'e str> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| words::weight(entries[*index].1.change.action));
    let creates = |index: &&usize| entries[**index].1.change.action == Action::Create;
    let mut headed = BTreeSet::new();
    let mut chosen = BTreeMap::new();
    let mut lines = |index: usize, budget: &mut Budget, chosen: &mut BTreeMap<usize, &'e str>| {
        let (cluster, entry) = entries[index];
        let mut cost = length(&entry.line);
        if !headed.contains(&cluster) {
            cost += length(&headings[cluster]);
        }
        if budget.take(cost) {
            headed.insert(cluster);
            chosen.insert(index, entry.line.as_str());
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
        if let Some(full) = &entries[*index].1.full
            && budget.take(length(full).saturating_sub(length(line)))
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
    let sentence = sentence(change, title);
    if sentence.is_empty() {
        code(&name)
    } else {
        format!("{} {}", code(&name), code(&sentence))
    }
}

/// Returns what stands beside the address.
fn sentence(change: &Change, title: &Title) -> String {
    let mut sentence = words::sentence(change, title.wording);
    if let Some(held) = &change.held {
        let separator = if sentence.is_empty() { "" } else { "; " };
        text::put(
            &mut sentence,
            format_args!("{separator}left alone: {}", words::said(change, held)),
        );
    }
    sentence
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
pub(super) fn code(text: &str) -> String {
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
    use super::super::samples::{assert_discreet, change, differs, fleet, many, rich, title};
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
    fn what_is_the_same_in_many_places_is_told_once_and_counted_each_time() {
        let shown = plan(&fleet(), &Title::default(), LIMIT);
        insta::assert_snapshot!(shown);
        let head = shown.split("\n#### ").next().unwrap();
        let cut = plan(&fleet(), &Title::default(), length(head) + RESERVE);
        assert!(cut.contains("294 to create, 6 blocked"), "{cut}");
    }

    #[test]
    fn three_thousand_changes_fit_and_what_matters_is_there() {
        let create =
            |name: usize| change("Dashboard", &format!("dashboard-{name}"), Action::Create);
        let update = |name: usize| {
            let (old, new) = (json!({ "title": "x".repeat(60) }), json!({ "title": name }));
            let name = format!("contact-{name}");
            differs(
                "Contact",
                &name,
                Action::Update,
                &[Because::Pending],
                &old,
                &new,
            )
        };
        let mut changes: Vec<Change> = (0..200).map(update).collect();
        changes.extend((0..2_797).map(create));
        changes.extend(["a", "b", "c"].map(|name| change("Contact", name, Action::Delete)));
        let whole = Plan {
            changes,
            ..Plan::default()
        };
        let shown = plan(&whole, &Title::default(), LIMIT);
        // GitHub's limit; GitLab's is a million.
        assert!(length(&shown) <= 65_536);
        assert!(length(&shown) > LIMIT * 8 / 10, "{}", length(&shown));
        assert!(shown.starts_with("### <code></code>: 2797 to create, 200 to update, 3 to delete"));
        for name in [
            "- Contact/a",
            "- Contact/c",
            "Contact/contact-0",
            "Contact/contact-199",
        ] {
            assert!(shown.contains(name), "{name}");
        }
        let folds = shown.matches("<details>").count();
        assert_eq!(folds, shown.matches("</details>").count());
        assert!(folds > 200, "{folds}");
        let left_out = shown.lines().rev().find(|line| !line.is_empty()).unwrap();
        assert!(left_out.starts_with("**Left out here"), "{left_out}");
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
