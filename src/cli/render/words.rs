//! What every format says about a change, in the same words.

use serde_json::Value;

use super::text;
use super::{Title, Wording};
use crate::engine::Outcome;
use crate::engine::scrub::Scrubber;
use crate::model::plan::{Action, Because, Change, Plan};
use crate::model::sensitive::{MARKER, marked, mask};

/// Returns a sentence about a change without any personal value of that change, and safe to show.
pub(super) fn said(change: &Change, sentence: &str) -> String {
    let mut scrubber = Scrubber::default();
    let differences = change.differences.iter();
    let specs = differences
        .flat_map(|difference| difference.old.iter().chain(&difference.new))
        .chain(change.desired.as_deref())
        .chain(change.live.as_ref().map(|live| &live.spec));
    specs.for_each(|spec| scrubber.learn(spec));
    let sentence: Vec<&str> = sentence.split_whitespace().collect();
    text::clean(&scrubber.scrub(&sentence.join(" "))).into_owned()
}

/// Returns `pending, drift`.
pub(super) fn because(change: &Change) -> String {
    let words: Vec<&str> = change
        .because
        .iter()
        .map(|because| because.word())
        .collect();
    words.join(", ")
}

/// Says whether AWS changed and the document did not: then each difference tells what AWS did.
pub(super) fn only_drifted(change: &Change) -> bool {
    change.because == [Because::Drift]
}

/// Returns what stands beside the address, for formats that break no lines.
pub(super) fn sentence(change: &Change, wording: Wording) -> String {
    headline(change, wording).replace(text::GLUE, " ")
}

/// Returns what stands beside the address.
pub(super) fn headline(change: &Change, wording: Wording) -> String {
    let reason = change.reason.as_deref().map(|reason| said(change, reason));
    let parts = match change.action {
        Action::Create if wording == Wording::Drift => {
            vec!["deleted in AWS or never applied".to_owned()]
        }
        Action::Create => birth(change).into_iter().collect(),
        Action::Update | Action::Replace | Action::Blocked
            if wording == Wording::Drift && change.because.contains(&Because::Drift) =>
        {
            vec![drifted(change).to_owned()]
        }
        Action::Update | Action::Replace => vec![because(change)],
        Action::Delete if reason.is_none() && wording == Wording::Plan => {
            vec!["in no document any more".to_owned()]
        }
        Action::Adopt if change.differences.is_empty() => {
            vec!["nobody owns it; it is as declared".to_owned()]
        }
        Action::Adopt => vec!["nobody owns it; it would become as declared".to_owned()],
        Action::Unknown if reason.is_none() => vec!["it could not be read".to_owned()],
        Action::Delete | Action::Blocked | Action::Unknown => Vec::new(),
    };
    let parts = parts.into_iter().chain(reason);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}

fn drifted(change: &Change) -> &'static str {
    if change.because.contains(&Because::Pending) {
        "changed in AWS, and the document changed too"
    } else {
        "changed in AWS"
    }
}

/// Returns what would happen with one difference of an object that drifted.
pub(super) fn fate(change: &Change, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    if !only_drifted(change) {
        return None;
    }
    let (did, would) = match (old, new) {
        (None, _) => ("removed in AWS", "would be put back"),
        (_, None) => ("added in AWS", "would be removed"),
        (Some(_), Some(_)) => ("changed in AWS", "would be set back"),
    };
    if !change.acts() {
        return Some(did.to_owned());
    }
    let to = new
        .filter(|_| old.is_some())
        .filter(|new| text::reference(new).is_some() || !(new.is_object() || new.is_array()))
        .map(text::value)
        .filter(|to| text::width(to) <= 24);
    Some(match to {
        Some(to) => format!("{did}, {would} to {to}"),
        None => format!("{did}, {would}"),
    })
}

/// Returns what a new object is, in one line, whatever its kind: the members of a map that holds addresses, or a title.
pub(super) fn birth(change: &Change) -> Option<String> {
    let spec = change.desired.as_ref()?.as_object()?;
    let addresses = spec.iter().find_map(|(key, members)| {
        let members = members.as_object().filter(|_| marked(members).is_none())?;
        let shown: Vec<String> = members
            .iter()
            .filter_map(|(name, member)| {
                let address = mask(address(member)?);
                let address = text::clean(&address);
                Some(format!("{}{}{address}", text::clean(name), text::GLUE))
            })
            .collect();
        let noun = match shown.len() {
            0 => return None,
            1 => key.strip_suffix('s').unwrap_or(key),
            _ => key,
        };
        Some(format!("{} {noun}: {}", members.len(), shown.join(", ")))
    });
    addresses.or_else(|| {
        let titles = ["displayName", "title", "description"];
        let title = titles.iter().find_map(|key| spec.get(*key)?.as_str())?;
        let title = title.lines().next().unwrap_or_default();
        Some(text::clean(title).into_owned()).filter(|title| !title.is_empty())
    })
}

fn address(member: &Value) -> Option<&str> {
    if let Some(text) = marked(member) {
        return Some(text);
    }
    let mut members = member.as_object()?.values();
    members.find_map(|value| value.get(MARKER).and_then(|_| marked(value)))
}

/// Returns `6 to create`, `1 blocked` and so on, without what there is none of.
pub(super) fn counts(plan: &Plan) -> Vec<String> {
    let counted = Action::ALL.into_iter().filter_map(|action| {
        let count = plan.count(action);
        let word = action.word();
        match (count, action) {
            (0, _) => None,
            (_, Action::Blocked | Action::Unknown) => Some(format!("{count} {word}")),
            _ => Some(format!("{count} to {word}")),
        }
    });
    let unchanged = match plan.unchanged {
        0 => None,
        count => Some(format!("{count} unchanged")),
    };
    counted.chain(unchanged).collect()
}

/// Returns `2 changed in AWS`, `1 missing` and so on.
fn what_aws_did(plan: &Plan) -> Vec<String> {
    let unknown = plan.count(Action::Unknown);
    let missing = plan.changes.iter().filter(|change| {
        change.action != Action::Unknown && change.because.contains(&Because::Missing)
    });
    let missing = missing.count();
    let others = plan
        .changes
        .iter()
        .filter(|change| plan.is_not_ours(change));
    let others = others.count();
    let changed = plan.changes.len() - unknown - missing - others;
    let counts = [
        (changed, "changed in AWS"),
        (others, "not of this stack"),
        (missing, "missing"),
        (unknown, "unknown"),
        (plan.unchanged, "as declared"),
    ];
    let shown = counts.iter().filter(|(count, _)| *count > 0);
    shown
        .map(|(count, word)| format!("{count} {word}"))
        .collect()
}

/// Returns the one line that says what there is to do, or that there is nothing.
pub(super) fn summary(plan: &Plan, title: &Title) -> String {
    let wording = title.wording;
    if !plan.is_empty() {
        return match wording {
            Wording::Drift => what_aws_did(plan).join(", "),
            Wording::Plan | Wording::Destroy => counts(plan).join(", "),
        };
    }
    let nothing = match wording {
        Wording::Plan => "nothing to do",
        Wording::Drift => "no drift",
        Wording::Destroy => return "nothing to delete".to_owned(),
    };
    match plan.unchanged {
        0 if title.narrowed => format!("{nothing}: no object is concerned"),
        // What only the documents did is not among the changes of a report of drift.
        0 if wording == Wording::Drift => format!("{nothing}: nothing changed in AWS"),
        0 => format!("{nothing}: nothing is declared"),
        1 => format!("{nothing}: 1 object is as declared"),
        count => format!("{nothing}: {count} objects are as declared"),
    }
}

/// Returns the line about what could not be read, if anything could not.
pub(super) fn incomplete(plan: &Plan) -> Option<String> {
    let read = match plan.count(Action::Unknown) {
        0 => return None,
        1 => "1 object could not be read and is".to_owned(),
        count => format!("{count} objects could not be read and are"),
    };
    Some(format!("incomplete: {read} left alone"))
}

/// Says which action of a change matters most, for what has no room for all.
pub(super) fn weight(action: Action) -> usize {
    match action {
        Action::Blocked => 0,
        Action::Replace => 1,
        Action::Delete => 2,
        Action::Unknown => 3,
        Action::Update => 4,
        Action::Adopt => 5,
        Action::Create => 6,
    }
}

/// Why `apply` left a change alone.
pub(super) fn left(change: &Change) -> &str {
    let why = change.held.as_deref().or(change.reason.as_deref());
    why.unwrap_or(match change.action {
        Action::Unknown => "it could not be read",
        _ => "",
    })
}

/// Says what to do after a run that did not end well.
pub(super) fn advice(outcome: &Outcome) -> Option<&'static str> {
    if outcome.interrupted {
        Some(
            "interrupted: what was in flight has ended, nothing else was started; run it again to go on",
        )
    } else if outcome.failed() > 0 {
        Some("what is done stays done; run it again to try the rest")
    } else {
        None
    }
}

/// Returns `12 done, 1 failed, 2 not tried`, without what there is none of.
pub(super) fn ended(plan: &Plan, outcome: &Outcome) -> String {
    let left = |which: &dyn Fn(Action) -> bool| {
        let changes = plan.changes.iter().enumerate();
        changes
            .filter(|(index, change)| {
                outcome.endings.get(*index).is_none_or(Option::is_none) && which(change.action)
            })
            .count()
    };
    let stuck = |action| matches!(action, Action::Blocked | Action::Unknown);
    let counts = [
        (outcome.done(), "done"),
        (outcome.failed(), "failed"),
        (outcome.skipped(), "not tried"),
        (left(&|action| action == Action::Blocked), "blocked"),
        (left(&|action| action == Action::Unknown), "unknown"),
        (left(&|action| !stuck(action)), "left alone"),
        (plan.unchanged, "unchanged"),
    ];
    let shown: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if shown.is_empty() {
        "nothing to do".to_owned()
    } else {
        shown.join(", ")
    }
}
