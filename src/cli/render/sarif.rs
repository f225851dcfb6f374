//! Plans as SARIF 2.1.0, for code scanning: one result for each object that is not as declared.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::difference::{Body, shown};
use super::{Title, text, words};
use crate::model::plan::{Action, Because, Change, Plan};
use crate::model::{Address, Place};

/// What a path may not hold in a URI reference.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// How many differences a message tells.
const DIFFERENCES: usize = 10;

/// Returns a plan as a SARIF log. `place` says where an object is declared, if anywhere.
pub fn plan(plan: &Plan, title: &Title, place: &dyn Fn(&Address) -> Option<Place>) -> Value {
    let used: BTreeSet<(Action, Option<Because>)> = plan.changes.iter().map(rule).collect();
    let used: Vec<(Action, Option<Because>)> = used.into_iter().collect();
    let rules: Vec<Value> = used.iter().copied().map(described).collect();
    let results = plan.changes.iter().map(|change| {
        let rule = rule(change);
        let index = used.iter().position(|used| *used == rule);
        let location = &change.location;
        let name = format!("{location}/{}", change.address);
        let mut at = json!({
            "logicalLocations": [{
                "name": change.address.to_string(),
                "fullyQualifiedName": name,
                "kind": "resource",
            }],
        });
        if let Some(place) = place(&change.address) {
            at["physicalLocation"] = physical(&place);
        }
        json!({
            "ruleId": id(rule),
            "ruleIndex": index,
            "level": level(rule),
            "message": { "text": message(change, title) },
            "locations": [at],
            "partialFingerprints": { "stationbillObject/v1": name },
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stationbill",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "automationDetails": { "id": format!("stationbill/{}/", plan.stack) },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": plan.complete() }],
            "results": results.collect::<Vec<Value>>(),
        }],
    })
}

/// The rule of a change: what is to be done and, of several reasons, the one that nobody in this repository caused.
fn rule(change: &Change) -> (Action, Option<Because>) {
    let drift = change
        .because
        .iter()
        .find(|because| **because == Because::Drift);
    (change.action, drift.or(change.because.first()).copied())
}

fn id((action, because): (Action, Option<Because>)) -> String {
    match because {
        Some(because) => format!("{}/{}", action.word(), because.word()),
        None => action.word().to_owned(),
    }
}

fn level((action, because): (Action, Option<Because>)) -> &'static str {
    match (action, because) {
        (Action::Blocked | Action::Unknown, _) => "error",
        (Action::Replace | Action::Delete, _) | (_, Some(Because::Drift)) => "warning",
        (Action::Create | Action::Update | Action::Adopt, _) => "note",
    }
}

fn described(rule: (Action, Option<Because>)) -> Value {
    let what = match rule.0 {
        Action::Create => "An object is declared and not there.",
        Action::Update => "An object differs from what is declared.",
        Action::Replace => "An object differs in a field that cannot be changed in place.",
        Action::Delete => "An object of the stack is in no document.",
        Action::Adopt => "An object is there and nobody owns it.",
        Action::Blocked => "An object cannot be made as declared, or may not.",
        Action::Unknown => "An object could not be read.",
    };
    let why = match rule.1 {
        Some(Because::Pending) => " The documents changed since they were last applied.",
        Some(Because::Drift) => " AWS changed since the documents were last applied.",
        Some(Because::Missing) => " It was never applied, or was deleted in AWS.",
        None => "",
    };
    json!({
        "id": id(rule),
        "shortDescription": { "text": what },
        "fullDescription": { "text": format!("{what}{why}") },
        "defaultConfiguration": { "level": level(rule) },
    })
}

fn message(change: &Change, title: &Title) -> String {
    let mut told = format!(
        "{} {} in {}",
        change.action.word(),
        change.address,
        change.location
    );
    let sentence = words::sentence(change, title.wording);
    if !sentence.is_empty() {
        text::put(&mut told, format_args!(": {sentence}"));
    }
    if let Some(held) = &change.held {
        text::put(
            &mut told,
            format_args!("; left alone: {}", words::said(change, held)),
        );
    }
    for difference in change.differences.iter().take(DIFFERENCES) {
        let difference = shown(change, difference);
        let body = match difference.body {
            Body::Values { from, to } => {
                let none = || "(none)".to_owned();
                format!(
                    "{} → {}",
                    from.unwrap_or_else(none),
                    to.unwrap_or_else(none)
                )
            }
            Body::Remark(remark) => remark,
            Body::Text(hunks) => {
                let changed = hunks.iter().flat_map(|hunk| &hunk.lines);
                let count = changed.filter(|(mark, _)| *mark != ' ').count();
                format!("{count} lines differ")
            }
        };
        text::put(&mut told, format_args!("\n{}: {body}", difference.path));
    }
    let more = change.differences.len().saturating_sub(DIFFERENCES);
    if more > 0 {
        text::put(&mut told, format_args!("\nand {more} more differences"));
    }
    told
}

fn physical(place: &Place) -> Value {
    let file = place.file.replace('\\', "/");
    let file = file.strip_prefix("./").unwrap_or(&file);
    let encoded = utf8_percent_encode(file, PATH).to_string();
    let uri = if encoded.starts_with('/') {
        format!("file://{encoded}")
    } else {
        encoded
    };
    json!({
        "artifactLocation": { "uri": uri },
        "region": {
            "startLine": place.line.max(1),
            "startColumn": place.column.max(1),
            "endColumn": place.column.max(1) + place.length.max(1),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::Wording;
    use super::super::samples::{PERSONAL, rich, title};
    use super::*;

    fn place(address: &Address) -> Option<Place> {
        (address.kind != "Runbook").then(|| Place {
            file: format!("./banana stand/{}.yaml", address.kind.to_lowercase()),
            line: 3,
            column: 9,
            length: address.name.len(),
        })
    }

    #[test]
    fn a_plan_with_something_of_everything() {
        let mut shown = plan(&rich(), &title(Wording::Plan), &place);
        shown["runs"][0]["tool"]["driver"]["semanticVersion"] = "0.0.0".into();
        let text = shown.to_string();
        assert!(PERSONAL.iter().all(|personal| !text.contains(personal)));
        insta::assert_json_snapshot!(shown);
    }

    #[test]
    fn every_result_names_one_of_the_rules() {
        let shown = plan(&rich(), &Title::default(), &|_| None);
        let run = &shown["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(
                run["tool"]["driver"]["rules"][index]["id"],
                result["ruleId"]
            );
        }
    }
}
