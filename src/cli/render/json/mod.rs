//! Plans and outcomes for programs: a stable format. Members may be added; none changes its meaning or goes.

mod schema;

use serde_json::{Map, Value, json};

use super::words;
use crate::engine::{Ending, Outcome};
use crate::model::Document;
use crate::model::plan::{Action, Change, Note, Plan};
use crate::model::sensitive::masked;

pub use schema::plan_schema;

/// The version of the format.
pub const VERSION: u32 = 1;

/// Returns a plan.
pub fn plan(plan: &Plan) -> Value {
    let changes = plan
        .changes
        .iter()
        .map(|change| Value::Object(changed(change)));
    Value::Object(members(plan, changes.collect()))
}

/// Returns a plan and what became of it.
///
/// Each change gets an `outcome`: `done`, `failed`, `skipped` (not tried), or `left` (alone). `error` says why it
/// failed or was not tried.
pub fn applied(plan: &Plan, outcome: &Outcome) -> Value {
    let changes = plan.changes.iter().enumerate().map(|(index, change)| {
        let (word, error) = match outcome.endings.get(index).and_then(Option::as_ref) {
            Some(Ending::Done) => ("done", None),
            Some(Ending::Failed(why)) => ("failed", Some(why)),
            Some(Ending::Skipped(why)) => ("skipped", Some(why)),
            None => ("left", None),
        };
        let mut members = changed(change);
        members.insert("outcome".to_owned(), word.into());
        let error = error.map(|why| words::said(change, why));
        members.insert("error".to_owned(), error.into());
        Value::Object(members)
    });
    let mut members = members(plan, changes.collect());
    let counts = json!({
        "done": outcome.done(),
        "failed": outcome.failed(),
        "skipped": outcome.skipped(),
        "interrupted": outcome.interrupted,
    });
    members.insert("applied".to_owned(), counts);
    Value::Object(members)
}

fn members(plan: &Plan, changes: Vec<Value>) -> Map<String, Value> {
    let mut summary = Map::new();
    for action in Action::ALL {
        summary.insert(action.word().to_owned(), plan.count(action).into());
    }
    summary.insert("unchanged".to_owned(), plan.unchanged.into());
    let mut members = Map::new();
    members.insert("version".to_owned(), VERSION.into());
    members.insert("complete".to_owned(), plan.complete().into());
    members.insert("summary".to_owned(), Value::Object(summary));
    members.insert("changes".to_owned(), Value::Array(changes));
    members.insert("stack".to_owned(), plan.stack.as_str().into());
    members.insert(
        "orphans".to_owned(),
        plan.orphans.iter().map(noted).collect(),
    );
    members.insert(
        "retained".to_owned(),
        plan.retained.iter().map(noted).collect(),
    );
    members.insert("notes".to_owned(), plan.notes.iter().map(noted).collect());
    members
}

fn changed(change: &Change) -> Map<String, Value> {
    let differences = change.differences.iter().map(|difference| {
        json!({
            "path": difference.path,
            "old": shown(difference.old.as_ref()),
            "new": shown(difference.new.as_ref()),
        })
    });
    let said = |text: &Option<String>| text.as_deref().map(|text| words::said(change, text));
    let because: Vec<&str> = change
        .because
        .iter()
        .map(|because| because.word())
        .collect();
    let mut members = Map::new();
    members.insert("object".to_owned(), change.address.to_string().into());
    members.insert(
        "account".to_owned(),
        change.location.account.as_str().into(),
    );
    members.insert("region".to_owned(), change.location.region.as_str().into());
    members.insert("action".to_owned(), change.action.word().into());
    members.insert("because".to_owned(), because.into());
    members.insert("differences".to_owned(), differences.collect());
    members.insert("reason".to_owned(), said(&change.reason).into());
    members.insert("held".to_owned(), said(&change.held).into());
    members
}

fn noted(note: &Note) -> Value {
    json!({
        "object": note.address,
        "account": note.location.account,
        "region": note.location.region,
        "text": note.text,
    })
}

/// Returns a value as it may be shown: masked, each document as its text, `null` where there is none.
fn shown(value: Option<&Value>) -> Value {
    value.map_or(Value::Null, |value| texts(masked(value)))
}

fn texts(value: Value) -> Value {
    if let Some(document) = Document::marked(&value) {
        return Value::String(document.text);
    }
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, member)| (key, texts(member)))
            .collect(),
        Value::Array(list) => list.into_iter().map(texts).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{PERSONAL, ended, rich};
    use super::*;

    #[test]
    fn a_plan_with_something_of_everything() {
        let shown = plan(&rich());
        let text = shown.to_string();
        assert!(PERSONAL.iter().all(|personal| !text.contains(personal)));
        insta::assert_json_snapshot!(shown);
    }

    #[test]
    fn an_outcome_says_how_each_change_ended() {
        let rich = rich();
        let shown = applied(&rich, &ended(&rich));
        assert_eq!(
            shown["applied"],
            json!({ "done": 6, "failed": 1, "skipped": 3, "interrupted": false })
        );
        let changes = shown["changes"].as_array().unwrap();
        let outcomes: Vec<(&str, &str, bool)> = changes
            .iter()
            .map(|change| {
                let text = |key: &str| change[key].as_str().unwrap();
                (text("object"), text("outcome"), change["error"].is_string())
            })
            .collect();
        assert!(outcomes.contains(&("Contact/kayoko", "done", false)));
        assert!(outcomes.contains(&("Rotation/weekend", "failed", true)));
        assert!(outcomes.contains(&("Runbook/restart-checkout", "skipped", true)));
        assert!(outcomes.contains(&("Dashboard/impact", "left", false)));
    }

    #[test]
    fn members_come_in_the_documented_order() {
        let shown = plan(&rich());
        let keys =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(
            keys(&shown)[..4],
            ["version", "complete", "summary", "changes"]
        );
        assert_eq!(
            keys(&shown["summary"]),
            [
                "create",
                "update",
                "replace",
                "delete",
                "adopt",
                "blocked",
                "unknown",
                "unchanged"
            ]
        );
        assert_eq!(
            keys(&shown["changes"][0])[..7],
            [
                "object",
                "account",
                "region",
                "action",
                "because",
                "differences",
                "reason"
            ]
        );
    }

    #[test]
    fn what_is_written_is_what_the_schema_says() {
        let rich = rich();
        for value in [
            plan(&Plan::default()),
            plan(&rich),
            applied(&rich, &ended(&rich)),
        ] {
            let schema = plan_schema();
            let mut wrong = Vec::new();
            check(&value, &schema, &schema, "", &mut wrong);
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }

    /// Checks the few words of JSON Schema that the schema uses; any other word fails.
    fn check(value: &Value, schema: &Value, root: &Value, at: &str, wrong: &mut Vec<String>) {
        for (word, says) in schema.as_object().unwrap() {
            let fine = match word.as_str() {
                "$schema" | "$id" | "title" | "description" | "$defs" | "pattern" => true,
                "$ref" => {
                    let pointer = says.as_str().unwrap().trim_start_matches('#');
                    check(value, root.pointer(pointer).unwrap(), root, at, wrong);
                    true
                }
                "const" => value == says,
                "enum" => says.as_array().unwrap().contains(value),
                "minimum" => value.as_i64() >= says.as_i64(),
                "type" => {
                    let is = |name: &Value| match name.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "integer" => value.is_u64(),
                        "boolean" => value.is_boolean(),
                        "null" => value.is_null(),
                        other => panic!("{other}"),
                    };
                    says.as_array()
                        .map_or_else(|| is(says), |any| any.iter().any(is))
                }
                "required" => says
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|key| value.get(key.as_str().unwrap()).is_some()),
                "properties" => {
                    for (key, member) in value.as_object().into_iter().flatten() {
                        match says.get(key) {
                            Some(schema) => {
                                check(member, schema, root, &format!("{at}/{key}"), wrong);
                            }
                            None => wrong.push(format!("{at}/{key} is not in the schema")),
                        }
                    }
                    true
                }
                "items" => {
                    for (index, member) in value.as_array().into_iter().flatten().enumerate() {
                        check(member, says, root, &format!("{at}/{index}"), wrong);
                    }
                    true
                }
                other => panic!("the test does not know `{other}`"),
            };
            if !fine {
                wrong.push(format!("{at}: {word} {says}, but {value}"));
            }
        }
    }
}
