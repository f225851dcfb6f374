//! What holds of every format alike.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::samples::{change, differs, style, title};
use super::{Style, Wording, human, json, junit, markdown, markdown_outcome, progress, sarif};
use crate::engine::{Ending, Event, Outcome};
use crate::model::plan::{Action, Because, Change, Note, Plan};
use crate::model::{Address, Document};

/// Personal texts that contain nothing which could come from elsewhere.
fn personal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{4,8}\\.personal@example\\.com",
        "\\+8190[0-9]{8}",
        "pw-[a-z]{8,12}",
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    let text = any::<String>();
    prop_oneof![
        personal().prop_map(|text| json!({ "$sensitive": text })),
        text.prop_map(Value::from),
        "(Kind/[a-z]{1,4})".prop_map(|name| json!({ "ref": name })),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null),
        "([a-z]{1,3}: [a-z`]{0,5}\n){0,6}(```\n)?"
            .prop_map(|text| { serde_json::to_value(Document::from_text(text)).unwrap() }),
    ]
}

fn spec() -> impl Strategy<Value = Value> {
    let inner = leaf().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-d/~|]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-d]", inner, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn any_change() -> impl Strategy<Value = (Change, Option<Ending>)> {
    let because = prop::sample::subsequence(vec![Because::Pending, Because::Drift], 0..=2);
    (
        spec(),
        spec(),
        prop::sample::select(&Action::ALL[..]),
        because,
        any::<String>(),
        0..4_u8,
    )
        .prop_map(|(old, new, action, because, sentence, ending)| {
            let mut change = differs("Kind", "name", action, &because, &old, &new);
            let mut leak = sentence;
            for spec in [&old, &new] {
                crate::model::sensitive::each(spec, &mut |text| leak.extend([" ", text]));
            }
            if action == Action::Create {
                change.live = None;
            }
            change.reason = (ending > 0).then(|| leak.clone());
            change.held = (ending > 1).then(|| leak.clone());
            let ending = match ending {
                0 => None,
                1 => Some(Ending::Done),
                2 => Some(Ending::Skipped(leak)),
                _ => Some(Ending::Failed(leak)),
            };
            (change, ending)
        })
}

/// Every format's answer about a plan, and whether it is laid out for a terminal.
fn everything(plan: &Plan, outcome: &Outcome) -> Vec<String> {
    let title = title(Wording::Plan);
    let verbose = Style {
        verbose: true,
        ..style()
    };
    let narrow = Style {
        width: 0,
        ..style()
    };
    vec![
        human::plan(plan, &title, &style()),
        human::plan(plan, &title, &verbose),
        human::plan(
            &plan.drift_only(),
            &super::Title {
                wording: Wording::Drift,
                ..title
            },
            &narrow,
        ),
        human::outcome(plan, outcome, &title, &verbose),
        markdown::plan(plan, &title, markdown::LIMIT),
        markdown_outcome::outcome(plan, outcome, &title, markdown::LIMIT),
        junit::outcome(plan, outcome, &title).unwrap(),
        junit::plan(plan, &title).unwrap(),
        sarif::plan(plan, &title, &|_| None).to_string(),
        json::plan(plan).to_string(),
        json::applied(plan, outcome).to_string(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_format_tells_a_personal_value(changes in prop::collection::vec(any_change(), 0..5)) {
        let mut known = BTreeSet::new();
        for (change, _) in &changes {
            let specs = change.desired.as_deref().into_iter().chain(change.live.as_ref().map(|live| &live.spec));
            specs.for_each(|spec| crate::model::sensitive::each(spec, &mut |text| {
                known.insert(text.to_owned());
            }));
        }
        let (changes, endings) = changes.into_iter().unzip();
        let plan = Plan { stack: "stack".to_owned(), changes, ..Plan::default() };
        let outcome = Outcome { endings, interrupted: false };
        for text in everything(&plan, &outcome) {
            for personal in &known {
                prop_assert!(!text.contains(personal.as_str()), "{personal} in\n{text}");
            }
            let steers = text.chars().any(|c| c.is_control() && c != '\n');
            prop_assert!(!steers, "{text:?}");
        }
        prop_assert!(markdown::plan(&plan, &title(Wording::Plan), 700).chars().count() <= 700);
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let rich = super::samples::rich();
    let outcome = super::samples::ended(&rich);
    assert_eq!(everything(&rich, &outcome), everything(&rich, &outcome));
}

#[test]
fn names_from_elsewhere_steer_no_terminal() {
    let evil = "a\u{1b}[2Jb\nc";
    let mut gone = change("Runbook", evil, Action::Delete);
    gone.location.region = evil.to_owned();
    let note = Note {
        address: Address::new("Runbook", evil),
        location: gone.location.clone(),
        text: evil.to_owned(),
    };
    let ended = Event::Ended {
        address: gone.address.clone(),
        location: gone.location.clone(),
        action: Action::Delete,
        ending: Ending::Failed(evil.to_owned()),
    };
    let places = BTreeSet::from([super::samples::tokyo(), gone.location.clone()]);
    let line = progress::line(&ended, &places, &style()).unwrap();
    let plan = Plan {
        stack: evil.to_owned(),
        changes: vec![gone],
        orphans: vec![note.clone()],
        retained: vec![note.clone()],
        notes: vec![note],
        ..Plan::default()
    };
    let outcome = Outcome {
        endings: vec![Some(Ending::Done)],
        interrupted: false,
    };
    for text in everything(&plan, &outcome).into_iter().chain([line]) {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
