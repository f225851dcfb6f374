//! What can be said about a response plan before AWS sees it. [M] service model; [T] aws-incident-manager reference,
//! section 5.

use super::{Engagement, ResponsePlan, RunbookAction};
use crate::kinds::tags::{self, Alphabet};
use crate::model::{Report, pointer};

/// Reports everything wrong with a plan that its schema cannot express.
pub(super) fn check(plan: &ResponsePlan, report: &mut Report) {
    for (index, engagement) in plan.engagements.iter().enumerate() {
        let Engagement {
            contact,
            schedule,
            escalation_plan,
        } = engagement;
        let named = [
            contact.is_some(),
            schedule.is_some(),
            escalation_plan.is_some(),
        ];
        let problem = match named.into_iter().filter(|named| *named).count() {
            1 => continue,
            0 => "it names nobody",
            _ => "it names more than one",
        };
        report.error(
            "bad-engagement",
            format!("/engagements/{index}"),
            problem,
            "name exactly one of `contact`, `schedule` and `escalationPlan`; a plan may engage five",
        );
    }
    tags::check(plan.tags.as_ref(), Alphabet::Incidents, report);
    for key in plan.incident_template.incident_tags.keys() {
        if !tags::is_key(key, Alphabet::Incidents) {
            report.error(
                "bad-tag",
                pointer::join("/incidentTemplate/incidentTags", key),
                format!("AWS does not accept the tag key `{key}`"),
                tags::KEY_HINT,
            );
        }
    }
    if let Some(runbook) = &plan.runbook {
        check_runbook(runbook, report);
    }
}

fn check_runbook(runbook: &RunbookAction, report: &mut Report) {
    runbook.document.check("/runbook/document", report);
    let names = runbook
        .parameters
        .keys()
        .chain(runbook.dynamic_parameters.keys());
    for name in names.filter(|name| name.is_empty() || name.chars().count() > 50) {
        report.error(
            "bad-parameter",
            "/runbook",
            format!("`{name}` is no name of a parameter"),
            "1 to 50 characters",
        );
    }
    for name in runbook.dynamic_parameters.keys() {
        if runbook.parameters.contains_key(name) {
            report.error(
                "bad-parameter",
                pointer::join("/runbook/dynamicParameters", name),
                format!("`{name}` has a fixed value too"),
                "take it out of `parameters` or out of `dynamicParameters`",
            );
        }
    }
    for (name, values) in &runbook.parameters {
        if values.len() > 100 || values.iter().any(|value| value.chars().count() > 512) {
            report.error(
                "bad-parameter",
                pointer::join("/runbook/parameters", name),
                "the values are more than AWS takes",
                "at most 100, each of at most 512 characters",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findings(extra: Value) -> Vec<String> {
        let mut spec = json!({"name": "p", "incidentTemplate": {"title": "t", "impact": 2}});
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        let plan: ResponsePlan = serde_json::from_value(spec).unwrap();
        let mut report = Report::default();
        check(&plan, &mut report);
        report
            .diagnostics
            .into_iter()
            .map(|d| format!("{} {}", d.code, d.at))
            .collect()
    }

    #[test]
    fn an_engagement_names_exactly_one() {
        let engagements = json!([{}, {"contact": {"ref": "a"}},
            {"contact": {"ref": "a"}, "schedule": {"ref": "b"}}]);
        assert_eq!(
            findings(json!({ "engagements": engagements })),
            [
                "bad-engagement /engagements/0",
                "bad-engagement /engagements/2"
            ]
        );
    }

    #[test]
    fn a_runbook_by_name_is_one_of_aws_and_a_parameter_has_one_value() {
        let runbook = json!({"document": {"name": "my-own"}, "roleArn": "r",
            "parameters": {"a": ["x"]}, "dynamicParameters": {"a": "INVOLVED_RESOURCES"}});
        assert_eq!(
            findings(json!({ "runbook": runbook })),
            [
                "bad-document-reference /runbook/document/name",
                "bad-parameter /runbook/dynamicParameters/a"
            ]
        );
    }
}
