use super::super::samples::{assert_discreet, change, ended, fleet, many, rich, style, title};
use super::*;
use crate::engine::Outcome;
use crate::model::plan::Action;

#[test]
fn a_plan_with_something_of_everything() {
    let shown = plan(&rich(), &title(Wording::Plan), &style());
    assert_discreet(&shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_narrow_terminal_breaks_lines_and_loses_nothing() {
    let narrow = Style {
        width: 60,
        ..style()
    };
    let shown = plan(&rich(), &title(Wording::Plan), &narrow);
    assert_discreet(&shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn verbose_shows_everything_at_length() {
    let verbose = Style {
        verbose: true,
        ..style()
    };
    let shown = plan(&rich(), &title(Wording::Plan), &verbose);
    assert_discreet(&shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn drift_speaks_about_what_aws_did() {
    let shown = plan(&rich().drift_only(), &title(Wording::Drift), &style());
    assert_discreet(&shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn many_creations_collapse_and_a_deletion_among_them_does_not() {
    insta::assert_snapshot!(plan(&many(), &Title::default(), &style()));
}

#[test]
fn colours_add_nothing_but_colours() {
    let color = Style {
        color: true,
        ..style()
    };
    let coloured = plan(&rich(), &title(Wording::Plan), &color);
    let plain: String = anstyle_free(&coloured);
    assert_eq!(plain, plan(&rich(), &title(Wording::Plan), &style()));
    assert_ne!(plain, coloured);
}

/// Takes the colours out of a text.
fn anstyle_free(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        out + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

#[test]
fn nothing_to_do_is_one_line() {
    let empty = |unchanged| Plan {
        unchanged,
        ..Plan::default()
    };
    let shown = |unchanged, wording| {
        plan(
            &empty(unchanged),
            &Title {
                wording,
                ..Title::default()
            },
            &style(),
        )
    };
    assert_eq!(
        shown(41, Wording::Plan),
        "nothing to do: 41 objects are as declared\n"
    );
    assert_eq!(
        shown(1, Wording::Plan),
        "nothing to do: 1 object is as declared\n"
    );
    assert_eq!(
        shown(0, Wording::Plan),
        "nothing to do: nothing is declared\n"
    );
    assert_eq!(
        shown(2, Wording::Drift),
        "no drift: 2 objects are as declared\n"
    );
    assert_eq!(shown(0, Wording::Destroy), "nothing to delete\n");
}

#[test]
fn places_where_the_same_is_to_be_done_are_told_once() {
    let mut everywhere = Plan {
        stack: "s".to_owned(),
        ..Plan::default()
    };
    for region in ["eu-west-1", "eu-west-2", "us-east-1"] {
        let mut gone = change("Runbook", "old", Action::Delete);
        gone.location.region = region.to_owned();
        everywhere.changes.push(gone);
    }
    let shown = plan(&everywhere, &Title::default(), &style());
    assert_eq!(shown.matches("Runbook/old").count(), 1);
    assert!(shown.starts_with(
        "s → 111122223333/eu-west-1, 111122223333/eu-west-2, 111122223333/us-east-1\n"
    ));
    assert!(shown.ends_with("3 to delete\n"));
}

#[test]
fn an_outcome_says_what_was_done_what_was_not_and_why() {
    let rich = rich();
    let shown = outcome(&rich, &ended(&rich), &title(Wording::Plan), &style());
    assert_discreet(&shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn an_error_that_quotes_an_address_is_masked() {
    let rich = rich();
    let endings = rich.changes.iter().map(|change| {
        change
            .acts()
            .then(|| crate::engine::Ending::Failed("refused: kayoko@example.com".to_owned()))
    });
    let failed = Outcome {
        endings: endings.collect(),
        interrupted: true,
    };
    let knows = |change: &&Change| change.address.name == "kayoko";
    let only: Vec<usize> = (0..rich.changes.len())
        .filter(|i| knows(&&rich.changes[*i]))
        .collect();
    let plan = Plan {
        changes: only.iter().map(|i| rich.changes[*i].clone()).collect(),
        ..Plan::default()
    };
    let failed = Outcome {
        endings: only.iter().map(|i| failed.endings[*i].clone()).collect(),
        ..failed
    };
    let shown = outcome(&plan, &failed, &Title::default(), &style());
    assert_discreet(&shown);
    assert!(shown.contains("refused: k•••@example.com"));
    assert!(shown.contains("interrupted:"));
}

#[test]
fn a_hundred_equal_changes_read_as_one_and_those_that_differ_are_named() {
    let fleet = fleet();
    insta::assert_snapshot!(plan(&fleet, &Title::default(), &style()));
    let endings = fleet.changes.iter().map(|change| {
        let lost = change.location.account.ends_with("42");
        let failed = || crate::engine::Ending::Failed("denied".to_owned());
        change.acts().then(|| {
            if lost {
                failed()
            } else {
                crate::engine::Ending::Done
            }
        })
    });
    let ended = Outcome {
        endings: endings.collect(),
        interrupted: false,
    };
    insta::assert_snapshot!(outcome(&fleet, &ended, &Title::default(), &style()));
}

#[test]
fn an_account_that_cannot_be_entered_is_told_once() {
    let mut closed = Plan::default();
    for (kind, name) in [
        ("Contact", "*"),
        ("Runbook", "old"),
        ("Dashboard", "impact"),
    ] {
        let mut unknown = change(kind, name, Action::Unknown);
        unknown.reason = Some("sts:AssumeRole of `ops` failed".to_owned());
        closed.changes.push(unknown);
    }
    let mut other = change("Runbook", "new", Action::Unknown);
    other.reason = Some("denied".to_owned());
    closed.changes.push(other);
    insta::assert_snapshot!(plan(&closed, &Title::default(), &style()));
}
