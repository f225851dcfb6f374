//! What became of a plan, as a comment: what failed first, what was done folded, and never longer than is allowed.

use std::collections::BTreeMap;

use super::markdown::{code, length};
use super::{Title, text, words};
use crate::engine::{Ending, Outcome};
use crate::model::plan::{Change, Plan};

/// What is kept free for saying what was left out.
const RESERVE: usize = 200;

/// Returns what became of a plan in at most `limit` characters. What ended alike in many places is told once.
pub fn outcome(plan: &Plan, outcome: &Outcome, title: &Title, limit: usize) -> String {
    let mut out = String::new();
    let ended = words::ended(plan, outcome);
    text::put(
        &mut out,
        format_args!("### {}: {ended}\n", code(&plan.stack)),
    );
    let cost = title.cost();
    if !cost.is_empty() {
        text::put(&mut out, format_args!("\n{cost}\n"));
    }
    if let Some(advice) = words::advice(outcome) {
        text::put(&mut out, format_args!("\n**{advice}**\n"));
    }
    let ending = |index: usize| outcome.endings.get(index).and_then(Option::as_ref);
    let all: Vec<(&Change, Option<&Ending>)> = plan
        .changes
        .iter()
        .enumerate()
        .map(|(index, change)| (change, ending(index)))
        .collect();
    let mut left_out = 0;
    for part in Part::ALL {
        let lines = lines(all.iter().filter(|(_, ending)| Part::of(*ending) == part));
        if lines.is_empty() {
            continue;
        }
        let count: usize = lines.iter().map(|(_, count)| count).sum();
        let (head, foot) = part.frame(count);
        let mut room = limit.saturating_sub(length(&out) + length(&head) + foot.len() + RESERVE);
        let mut told = String::new();
        for (line, count) in lines {
            if length(&line) <= room {
                room -= length(&line);
                told.push_str(&line);
            } else {
                left_out += count;
            }
        }
        if !told.is_empty() {
            out.push_str(&head);
            out.push_str(&told);
            out.push_str(foot);
        }
    }
    if left_out > 0 {
        text::put(
            &mut out,
            format_args!(
                "\n**Left out here, because the comment would be too long: {left_out} changes.**\n"
            ),
        );
    }
    if length(&out) > limit {
        out = out.chars().take(limit).collect();
    }
    out
}

/// The parts of an outcome, in the order in which they matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Failed,
    NotTried,
    Left,
    Done,
}

impl Part {
    const ALL: [Self; 4] = [Self::Failed, Self::NotTried, Self::Left, Self::Done];

    fn of(ending: Option<&Ending>) -> Self {
        match ending {
            Some(Ending::Failed(_)) => Self::Failed,
            Some(Ending::Skipped(_)) => Self::NotTried,
            Some(Ending::Done) => Self::Done,
            None => Self::Left,
        }
    }

    /// What stands before and after its lines.
    fn frame(self, count: usize) -> (String, &'static str) {
        let heading = |word: &str| (format!("\n#### {word}: {count}\n\n"), "");
        match self {
            Self::Failed => heading("Failed"),
            Self::NotTried => heading("Not tried"),
            Self::Left => heading("Left alone"),
            Self::Done => (
                format!("\n<details><summary>Done: {count}</summary>\n\n"),
                "\n</details>\n",
            ),
        }
    }
}

/// One line for each change, with how many places it stands for.
fn lines<'a>(
    changes: impl Iterator<Item = &'a (&'a Change, Option<&'a Ending>)>,
) -> Vec<(String, usize)> {
    let mut order: Vec<(String, String)> = Vec::new();
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (change, ending) in changes {
        let why = match ending {
            Some(Ending::Failed(why) | Ending::Skipped(why)) => why,
            Some(Ending::Done) => "",
            None => words::left(change),
        };
        let what = format!("{} {}", change.action.mark(), change.address);
        let key = (what, words::said(change, why));
        let at = places.entry(key.clone()).or_default();
        if at.is_empty() {
            order.push(key);
        }
        at.push(change.location.to_string());
    }
    let line = |key: (String, String)| {
        let places = places.remove(&key).unwrap_or_default();
        let (what, why) = key;
        let place = match &places[..] {
            [one] => code(one),
            many => format!("{} places", many.len()),
        };
        let why = if why.is_empty() {
            why
        } else {
            format!(": {}", code(&why))
        };
        (format!("- {} in {place}{why}\n", code(&what)), places.len())
    };
    order.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Wording;
    use super::super::samples::{assert_discreet, ended, fleet, many, rich, title};
    use super::*;

    #[test]
    fn a_run_with_something_of_everything() {
        let rich = rich();
        let shown = outcome(&rich, &ended(&rich), &title(Wording::Plan), 60_000);
        assert_discreet(&shown);
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn it_is_never_longer_than_allowed() {
        for whole in [rich(), many(), fleet()] {
            let failed = |change: &Change| {
                change
                    .acts()
                    .then(|| Ending::Failed("AWS said no ".repeat(9)))
            };
            let bad = Outcome {
                endings: whole.changes.iter().map(failed).collect(),
                interrupted: false,
            };
            for limit in [0, 100, 1_000, 2_000, 60_000] {
                let shown = outcome(&whole, &bad, &Title::default(), limit);
                assert!(length(&shown) <= limit, "{shown}");
            }
            let shown = outcome(&whole, &bad, &Title::default(), 600);
            assert!(shown.contains("Left out here"), "{shown}");
        }
    }
}
