//! The difference of two texts, with hunk headers that name the place inside the document.

use similar::{ChangeTag, TextDiff};

/// How many unchanged lines stand around a change.
const CONTEXT: usize = 2;

/// The most steps that a hunk header shows.
const STEPS: usize = 6;

/// One run of changed lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Where inside the document: `mainSteps / drain`; empty at its top.
    pub(super) place: String,
    /// The lines, each with `-`, `+` or a space.
    pub(super) lines: Vec<(char, String)>,
}

/// Compares two texts line by line.
pub(super) fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(old, new);
    let (before, after) = (Outline::of(old), Outline::of(new));
    let groups = diff.grouped_ops(CONTEXT);
    let hunks = groups.iter().map(|group| {
        let mut lines = Vec::new();
        let mut place: Option<Vec<&str>> = None;
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            let (mark, steps) = match change.tag() {
                ChangeTag::Equal => (' ', None),
                ChangeTag::Delete => ('-', change.old_index().map(|line| before.path(line))),
                ChangeTag::Insert => ('+', change.new_index().map(|line| after.path(line))),
            };
            lines.push((mark, text));
            if let Some(steps) = steps {
                place = Some(match place {
                    None => steps,
                    Some(place) => common(&place, &steps),
                });
            }
        }
        let mut steps = place.unwrap_or_default();
        steps.truncate(STEPS);
        Hunk {
            place: steps.join(" / "),
            lines,
        }
    });
    hunks.collect()
}

fn common<'a>(a: &[&'a str], b: &[&str]) -> Vec<&'a str> {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    a[..same].to_vec()
}

/// The keys and list items around each line of a YAML text, found by indentation. Anything else has no outline.
#[derive(Debug, Default)]
struct Outline {
    nodes: Vec<Node>,
    /// The innermost node around each line.
    around: Vec<Option<usize>>,
}

#[derive(Debug)]
struct Node {
    parent: Option<usize>,
    label: String,
    is_item: bool,
    items: usize,
    /// How well the label names an item: lower is better.
    rank: usize,
}

/// What names a list item, best first.
const NAMING: [&str; 3] = ["name", "id", "title"];

impl Outline {
    fn of(text: &str) -> Self {
        let mut outline = Self::default();
        // The open keys and items, each with its column.
        let mut open: Vec<(usize, usize)> = Vec::new();
        // The column of what a block text belongs to.
        let mut block: Option<usize> = None;
        let mut top_items = 0;
        for line in text.lines() {
            let mut rest = line.trim_start_matches(' ');
            let mut column = line.len() - rest.len();
            if block.is_some_and(|owner| rest.is_empty() || column > owner) {
                outline.around.push(open.last().map(|(_, node)| *node));
                continue;
            }
            block = None;
            let mut started = false;
            while let Some(item) = rest
                .strip_prefix('-')
                .filter(|after| after.is_empty() || after.starts_with(' '))
            {
                while open.last().is_some_and(|(at, node)| {
                    *at > column || (*at == column && outline.nodes[*node].is_item)
                }) {
                    open.pop();
                }
                started = true;
                let parent = open.last().map(|(_, node)| *node);
                let count = match parent {
                    Some(parent) => &mut outline.nodes[parent].items,
                    None => &mut top_items,
                };
                let label = count.to_string();
                *count += 1;
                open.push((column, outline.add(parent, label, true)));
                if is_block(item) {
                    block = Some(column);
                }
                rest = item.trim_start_matches(' ');
                column = line.len() - rest.len();
            }
            let Some((key, value)) = key(rest) else {
                // An item that is a plain value is no place of its own.
                let inner = open.last().map(|(_, node)| *node);
                outline.around.push(match inner {
                    Some(item) if started && outline.nodes[item].is_item => {
                        outline.nodes[item].parent
                    }
                    inner => inner,
                });
                continue;
            };
            while open.last().is_some_and(|(at, _)| *at >= column) {
                open.pop();
            }
            let around = open.last().map(|(_, node)| *node);
            outline.around.push(around);
            outline.name(around, key, value);
            open.push((column, outline.add(around, key.to_owned(), false)));
            if is_block(value) {
                block = Some(column);
            }
        }
        outline
    }

    fn add(&mut self, parent: Option<usize>, label: String, is_item: bool) -> usize {
        self.nodes.push(Node {
            parent,
            label,
            is_item,
            items: 0,
            rank: usize::MAX,
        });
        self.nodes.len() - 1
    }

    /// Names an item by its own `name`, or by one a level deeper: the title of a widget is among its properties.
    fn name(&mut self, around: Option<usize>, key: &str, value: &str) {
        let Some(rank) = NAMING.iter().position(|naming| *naming == key) else {
            return;
        };
        let Some(around) = around.filter(|_| !value.is_empty() && !is_block(value)) else {
            return;
        };
        let (item, rank) = if self.nodes[around].is_item {
            (around, rank)
        } else {
            match self.nodes[around]
                .parent
                .filter(|parent| self.nodes[*parent].is_item)
            {
                Some(item) => (item, rank + NAMING.len()),
                None => return,
            }
        };
        if rank < self.nodes[item].rank {
            self.nodes[item].rank = rank;
            value
                .trim_matches(['"', '\''])
                .clone_into(&mut self.nodes[item].label);
        }
    }

    fn path(&self, line: usize) -> Vec<&str> {
        let mut steps = Vec::new();
        let mut node = self.around.get(line).copied().flatten();
        while let Some(index) = node {
            steps.push(self.nodes[index].label.as_str());
            node = self.nodes[index].parent;
        }
        steps.reverse();
        steps
    }
}

/// Splits `key: value`; `None` for anything else.
fn key(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let (key, after) = text[1..].split_once(quote)?;
        let value = after.strip_prefix(':')?;
        return Some((key, value.trim()));
    }
    if let Some((key, value)) = text.split_once(": ") {
        return Some((key, value.trim()));
    }
    text.strip_suffix(':').map(|key| (key, ""))
}

fn is_block(value: &str) -> bool {
    let value = value.trim();
    value.starts_with(['|', '>']) && value.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Document;

    fn places(old: &str, new: &str) -> Vec<String> {
        let readable = |text: &str| Document::from_text(text).readable();
        hunks(&readable(old), &readable(new))
            .into_iter()
            .map(|hunk| hunk.place)
            .collect()
    }

    const RUNBOOK: &str = "
description: repairs
mainSteps:
  - name: look
    action: aws:runCommand
    inputs: { Commands: [df, uptime], Script: \"import os\\n- not: an item\\nprint(1)\\n\" }
  - name: drain
    action: aws:sleep
    onFailure: Abort
    inputs: { Duration: PT1M, Why: because }
    timeoutSeconds: 60
outputs: [look.Output]
";

    #[test]
    fn a_hunk_names_the_step_it_is_in() {
        let new = RUNBOOK.replace("timeoutSeconds: 60", "timeoutSeconds: 120");
        assert_eq!(places(RUNBOOK, &new), ["mainSteps / drain"]);
        let new = RUNBOOK.replace("PT1M", "PT2M");
        assert_eq!(places(RUNBOOK, &new), ["mainSteps / drain / inputs"]);
    }

    #[test]
    fn a_line_inside_a_block_text_is_in_its_key() {
        let new = RUNBOOK.replace("print(1)", "print(2)");
        assert_eq!(
            places(RUNBOOK, &new),
            ["mainSteps / look / inputs / Script"]
        );
    }

    #[test]
    fn a_widget_is_named_by_its_title() {
        let old = r#"{"widgets": [{"type": "text", "x": 0, "properties": {"title": "Orders", "markdown": "a"}}, {"type": "text", "x": 0}]}"#;
        assert_eq!(
            places(old, &old.replace("\"a\"", "\"b\"")),
            ["widgets / Orders / properties"]
        );
        assert_eq!(
            places(old, &old.replace("\"x\": 0}]", "\"x\": 1}]")),
            ["widgets / 1"]
        );
    }

    #[test]
    fn a_plain_item_is_in_its_list() {
        let new = RUNBOOK.replace("uptime", "free");
        assert_eq!(
            places(RUNBOOK, &new),
            ["mainSteps / look / inputs / Commands"]
        );
    }

    #[test]
    fn at_the_top_there_is_no_place() {
        assert_eq!(places(RUNBOOK, &RUNBOOK.replace("repairs", "heals")), [""]);
    }

    #[test]
    fn plain_text_is_compared_by_line() {
        let found = hunks("a\nb\nc\n", "a\nB\nc\n");
        let lines: Vec<String> = found[0]
            .lines
            .iter()
            .map(|(mark, text)| format!("{mark}{text}"))
            .collect();
        assert_eq!(lines, [" a", "-b", "+B", " c"]);
    }
}
