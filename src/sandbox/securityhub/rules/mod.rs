//! Automation rules of Security Hub CSPM, which AWS calls those of version 1.
//!
//! They are kept; no finding comes by to which one could be applied. [D] user guide, "Understanding automation rules".

mod check;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{arn, enabled, fault, operation, page, tags};
use crate::sandbox::{Access, Answer, Call, Map, Operation, Shelf, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("CreateAutomationRule", Access::Write, create),
    operation("ListAutomationRules", Access::Read, list),
    operation("BatchGetAutomationRules", Access::Read, get),
    operation("BatchUpdateAutomationRules", Access::Write, update),
    operation("BatchDeleteAutomationRules", Access::Write, delete),
];

/// How many an account has in a region: [D] "a maximum of 100 automation rules for each administrator account".
const MOST: usize = 100;

/// What of a rule can be set; a list tells all but the last two.
const FIELDS: [&str; 7] = [
    "RuleStatus",
    "RuleOrder",
    "RuleName",
    "Description",
    "IsTerminal",
    "Criteria",
    "Actions",
];
const LISTED: usize = 5;

/// A rule.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Rule {
    fields: Map,
    created: f64,
    updated: f64,
    creator: String,
    pub(super) tags: BTreeMap<String, String>,
}

impl Rule {
    /// Returns some of its fields, and what AWS adds.
    fn answer(&self, arn: &str, fields: &[&str]) -> Value {
        let mut answer = json!({
            "RuleArn": arn,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "CreatedBy": self.creator,
        });
        for name in fields {
            if let Some(value) = self.fields.get(*name) {
                answer[*name] = value.clone();
            }
        }
        answer
    }

    /// Takes over what a request says; what it leaves out stays, and what it has replaces the old one whole.
    fn set(&mut self, said: &Map) {
        for name in FIELDS {
            if let Some(value) = said.get(name) {
                self.fields.insert(name.to_owned(), value.clone());
            }
        }
        let actions = self.fields.get_mut("Actions").and_then(Value::as_array_mut);
        actions.into_iter().flatten().for_each(fill_in);
    }
}

/// [M] `SeverityUpdate`: "If you provide `Normalized` and don't provide `Label`, `Label` is set automatically".
fn fill_in(action: &mut Value) {
    let severity = action.pointer_mut("/FindingFieldsUpdate/Severity");
    let Some(severity) = severity.and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(normalized) = severity.get("Normalized").and_then(Value::as_i64) {
        let label = match normalized {
            ..=0 => "INFORMATIONAL",
            1..=39 => "LOW",
            40..=69 => "MEDIUM",
            70..=89 => "HIGH",
            90.. => "CRITICAL",
        };
        severity.entry("Label").or_insert(json!(label));
    }
}

/// Makes another rule each time: there is no token, and names may repeat. [M] `CreateAutomationRule` has no conflict.
fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let id = call.uuid();
    let arn = arn(call, &format!("automation-rule/{id}"));
    let now = call.now_seconds();
    let rules = &mut enabled(state, call)?.rules;
    check::check(call.input).map_err(fault::invalid)?;
    if quotas && rules.len() >= MOST {
        return Err(fault::limit(format!(
            "The account has reached the limit of {MOST} automation rules."
        )));
    }
    let mut rule = Rule {
        fields: Map::from_iter([
            // AWS documents none; this is what the console begins with.
            ("RuleStatus".to_owned(), json!("ENABLED")),
            // [M] "By default, a rule isn't terminal."
            ("IsTerminal".to_owned(), json!(false)),
        ]),
        created: now,
        updated: now,
        creator: call.caller.to_owned(),
        tags: tags::from_input(call.map("Tags")),
    };
    rule.set(call.input);
    rules.insert(arn.clone(), rule);
    Ok(Map::from_iter([("RuleArn".to_owned(), arn.into())]))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let rules = &enabled(state, call)?.rules;
    let found = rules
        .iter()
        .map(|(arn, rule)| (arn.clone(), rule.answer(arn, &FIELDS[..LISTED])));
    // AWS documents the most that one can ask for, and not what it gives whoever asks for nothing.
    page::page(call, "AutomationRulesMetadata", 100, found)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arns = call.strings("AutomationRulesArns");
    let rules = &enabled(state, call)?.rules;
    let mut batch = Batch::default();
    let mut found = Vec::new();
    for arn in arns {
        match rules.get(&arn) {
            Some(rule) => found.push(rule.answer(&arn, &FIELDS)),
            None => batch.lacks(&arn),
        }
    }
    let mut answer = batch.answer();
    answer.remove("ProcessedAutomationRules");
    answer.insert("Rules".to_owned(), found.into());
    Ok(answer)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let items = call.list("UpdateAutomationRulesRequestItems");
    let items = items.cloned().unwrap_or_default();
    let now = call.now_seconds();
    let store = enabled(state, call)?;
    let mut batch = Batch::default();
    for item in items {
        let item = item.as_object().cloned().unwrap_or_default();
        let arn = item.get("RuleArn").and_then(Value::as_str);
        let arn = arn.unwrap_or_default().to_owned();
        match (store.rules.get_mut(&arn), check::check(&item)) {
            (None, _) => batch.lacks(&arn),
            (Some(_), Err(why)) => batch.refuses(&arn, 400, &why),
            (Some(rule), Ok(())) => {
                rule.set(&item);
                rule.updated = now;
                batch.done.push(arn);
            }
        }
    }
    Ok(batch.answer())
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arns = call.strings("AutomationRulesArns");
    let store = enabled(state, call)?;
    let mut batch = Batch::default();
    for arn in arns {
        match store.rules.remove(&arn) {
            Some(_) => batch.done.push(arn),
            None => batch.lacks(&arn),
        }
    }
    Ok(batch.answer())
}

/// What became of the rules that a request names: failures come with HTTP 200.
#[derive(Default)]
struct Batch {
    done: Vec<String>,
    failed: Vec<Value>,
}

impl Batch {
    fn lacks(&mut self, arn: &str) {
        self.refuses(arn, 404, &format!("{arn} does not exist."));
    }

    /// AWS documents that `ErrorCode` is an integer, and none of them: these are the numbers of HTTP.
    fn refuses(&mut self, arn: &str, code: i32, why: &str) {
        self.failed
            .push(json!({"RuleArn": arn, "ErrorCode": code, "ErrorMessage": why}));
    }

    /// The list of failures is there without any too: CLI examples batch-get-automation-rules,
    /// batch-update-automation-rules and batch-delete-automation-rules.
    fn answer(self) -> Map {
        let mut answer = Map::new();
        // [M] `AutomationRulesArnsList` has one or more.
        if !self.done.is_empty() {
            answer.insert("ProcessedAutomationRules".to_owned(), self.done.into());
        }
        answer.insert("UnprocessedAutomationRules".to_owned(), self.failed.into());
        answer
    }
}

/// Finds the tags of a rule.
pub(super) fn tags_of<'s>(
    rules: &'s mut Shelf<Rule>,
    arn: &str,
) -> Option<&'s mut BTreeMap<String, String>> {
    rules.get_mut(arn).map(|rule| &mut rule.tags)
}
