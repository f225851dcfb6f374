//! The steps of a runbook or a command document: that they are there, and lead where a step is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kinds::contact::rules::has_variable;
use crate::model::Report;

const CODE: &str = "bad-steps";

/// Reports everything wrong with the steps of an automation document.
pub(super) fn check_automation(content: &Value, report: &mut Report) {
    check_steps(
        content.get("mainSteps"),
        "/content/mainSteps",
        Some(&check_targets),
        report,
    );
}

/// Reports everything wrong with the steps of a command document.
pub(super) fn check_command(content: &Value, report: &mut Report) {
    // Schema 1.2 has no steps but a `runtimeConfig`.
    if content.get("runtimeConfig").is_none() {
        check_steps(content.get("mainSteps"), "/content/mainSteps", None, report);
    }
}

type Targets = dyn Fn(&Value, &str, &BTreeSet<&str>, &mut Report);

fn check_steps(steps: Option<&Value>, at: &str, targets: Option<&Targets>, report: &mut Report) {
    let Some(steps) = steps
        .and_then(Value::as_array)
        .filter(|steps| !steps.is_empty())
    else {
        return report.error(
            CODE,
            at,
            "there are no steps",
            "write a list, for instance `mainSteps: [{ name: …, action: …, inputs: … }]`",
        );
    };
    let mut names = BTreeSet::new();
    for (index, step) in steps.iter().enumerate() {
        let at = format!("{at}/{index}");
        match step.get("name").and_then(Value::as_str) {
            None => report.error(
                CODE,
                &at,
                "the step has no `name`",
                "every step has one of its own",
            ),
            Some(name) if !names.insert(name) => report.error(
                CODE,
                format!("{at}/name"),
                format!("`{name}` is the name of two steps"),
                "every step has a name of its own",
            ),
            Some(_) => {}
        }
        if step.get("action").and_then(Value::as_str).is_none() {
            let hint = "for instance `action: aws:executeAwsApi`";
            report.error(CODE, &at, "the step has no `action`", hint);
        }
    }
    if let Some(check) = targets {
        for (index, step) in steps.iter().enumerate() {
            check(step, &format!("{at}/{index}"), &names, report);
        }
    }
}

/// Reports where a step goes on to a step that is not there.
fn check_targets(step: &Value, at: &str, names: &BTreeSet<&str>, report: &mut Report) {
    let mut follow = |target: Option<&Value>, member: &str| {
        let Some(target) = target.and_then(Value::as_str) else {
            return;
        };
        if !names.contains(target) && !target.contains("{{") && !has_variable(target) {
            let names: Vec<_> = names.iter().copied().collect();
            report.error(
                CODE,
                format!("{at}/{member}"),
                format!("no step is named `{target}`"),
                format!("the steps are `{}`", names.join("`, `")),
            );
        }
    };
    follow(step.get("nextStep"), "nextStep");
    for member in ["onFailure", "onCancel"] {
        let step = step.get(member).and_then(Value::as_str);
        let target = step.and_then(|step| step.strip_prefix("step:"));
        follow(target.map(Value::from).as_ref(), member);
    }
    let inputs = step.get("inputs");
    let action = step.get("action").and_then(Value::as_str);
    if action == Some("aws:branch") {
        let choices = inputs
            .and_then(|inputs| inputs.get("Choices"))
            .and_then(Value::as_array);
        for (index, choice) in choices.into_iter().flatten().enumerate() {
            follow(
                choice.get("NextStep"),
                &format!("inputs/Choices/{index}/NextStep"),
            );
        }
        follow(
            inputs.and_then(|inputs| inputs.get("Default")),
            "inputs/Default",
        );
    }
    let end = step.get("isEnd");
    // AWS's own examples write `isEnd: "true"` as well.
    if end.is_some_and(|end| !end.is_boolean() && !matches!(end.as_str(), Some("true" | "false"))) {
        let message = "`isEnd` is neither `true` nor `false`";
        report.error(
            CODE,
            format!("{at}/isEnd"),
            message,
            "write `isEnd: true`, or leave it out",
        );
    }
    if action == Some("aws:loop") {
        let steps = inputs.and_then(|inputs| inputs.get("Steps"));
        check_steps(
            steps,
            &format!("{at}/inputs/Steps"),
            Some(&check_targets),
            report,
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(content: &Value) -> Vec<String> {
        let mut report = Report::default();
        check_automation(content, &mut report);
        report.diagnostics.into_iter().map(|d| d.at).collect()
    }

    #[test]
    fn steps_lead_to_steps() {
        let content = json!({"mainSteps": [
            {"name": "a", "action": "aws:branch", "inputs": {
                "Choices": [{"NextStep": "b"}, {"NextStep": "nowhere"}], "Default": "c"}},
            {"name": "b", "action": "aws:sleep", "onFailure": "step:gone", "onCancel": "Abort", "isEnd": 1},
            {"name": "c", "action": "aws:sleep", "onFailure": "Continue", "nextStep": "a", "isEnd": "true"},
        ]});
        assert_eq!(
            findings(&content),
            [
                "/content/mainSteps/0/inputs/Choices/1/NextStep",
                "/content/mainSteps/1/onFailure",
                "/content/mainSteps/1/isEnd"
            ]
        );
    }

    #[test]
    fn steps_are_there_and_named_once() {
        assert_eq!(findings(&json!({})), ["/content/mainSteps"]);
        assert_eq!(
            findings(&json!({"mainSteps": [{"name": "a", "action": "x"}, {"name": "a"}]})),
            ["/content/mainSteps/1/name", "/content/mainSteps/1"]
        );
    }

    #[test]
    fn a_loop_has_steps_of_its_own() {
        let content = json!({"mainSteps": [
            {"name": "again", "action": "aws:loop", "inputs": {"Steps": [{"name": "in", "action": "x", "nextStep": "again"}]}},
        ]});
        assert_eq!(
            findings(&content),
            ["/content/mainSteps/0/inputs/Steps/0/nextStep"]
        );
    }
}
