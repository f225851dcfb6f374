//! What can be said about an association before AWS sees it. [M] service model; [T] aws-systems-manager reference,
//! section 5; [D] user guide, "Reference: Cron and rate expressions for Systems Manager".

use std::collections::BTreeSet;

use super::{Association, SyncCompliance};
use crate::kinds::contact::rules::has_variable;
use crate::kinds::document::DocumentRef;
use crate::kinds::selector::Selector;
use crate::kinds::{schedule, tags};
use crate::model::{Report, pointer};

/// Selects nothing: [T] issue 32471, for runbooks that need no targets.
const NO_OPERATION: &str = "aws:NoOpAutomationTag";

/// What a runbook may select besides: [M] `Target`.
const OF_RUNBOOKS: [&str; 5] = [
    "ParameterValues",
    "ResourceGroup",
    "AWS::EC2::Instance",
    "CloudConnector",
    NO_OPERATION,
];

/// Reports everything wrong with an association that its schema cannot express.
pub(super) fn check(association: &Association, report: &mut Report) {
    association.document.check("/document", report);
    check_schedule(association, report);
    check_selection(association, report);
    check_runbook(association, report);
    // [T] issues 22945 and 23515: it reports compliance by itself.
    let document = named(association);
    if document == Some("AWS-RunPatchBaselineAssociation")
        && association.sync_compliance == SyncCompliance::Auto
    {
        report.error(
            "bad-association",
            "/syncCompliance",
            "AWS-RunPatchBaselineAssociation says by itself which nodes comply",
            "write `syncCompliance: MANUAL`",
        );
    }
    if association.parameters.contains_key("") {
        let at = pointer::join("/parameters", "");
        report.error("bad-parameter", at, "a parameter has no name", "name it");
    }
    tags::check(association.tags.as_ref(), tags::Alphabet::Systems, report);
}

fn named(association: &Association) -> Option<&str> {
    match &association.document {
        DocumentRef::Name(name) => Some(name),
        DocumentRef::Ref(..) | DocumentRef::Arn(_) => None,
    }
}

/// Says what the document is, where its kind says it.
fn is_runbook(association: &Association) -> Option<bool> {
    match &association.document {
        DocumentRef::Ref(name, _) => Some(name.starts_with("Runbook/")),
        DocumentRef::Name(_) | DocumentRef::Arn(_) => None,
    }
}

fn check_schedule(association: &Association, report: &mut Report) {
    let only = association.apply_only_at_cron_interval;
    let text = association.schedule.as_deref();
    if let Some(text) = text {
        schedule::check_association(text, "/schedule", report);
    }
    let mut bad = |at: &str, message: &str, hint: &str| {
        report.error("bad-association", at, message, hint);
    };
    match text {
        None if only => bad(
            "/applyOnlyAtCronInterval",
            "without a schedule it is never applied",
            "write a `schedule`, or take it out",
        ),
        Some(text) if only && text.starts_with("rate(") => bad(
            "/applyOnlyAtCronInterval",
            "AWS does not know it for `rate(…)`",
            "write the schedule as `cron(…)`, or take it out",
        ),
        _ => {}
    }
    if association.schedule_offset.is_some() && !(only && text.is_some_and(schedule::is_cron)) {
        bad(
            "/scheduleOffset",
            "only a cron expression can have an offset, and only with `applyOnlyAtCronInterval`",
            "take it out, or write `cron(…)` and `applyOnlyAtCronInterval: true`",
        );
    }
    if association.duration.is_some() && !only {
        bad(
            "/duration",
            "AWS keeps to it only with `applyOnlyAtCronInterval`",
            "take it out, or write `applyOnlyAtCronInterval: true`",
        );
    }
}

fn check_selection(association: &Association, report: &mut Report) {
    let (select, maps) = (&association.select, &association.target_maps);
    if !select.is_empty() && !maps.is_empty() {
        report.error(
            "bad-association-target",
            "/targetMaps",
            "it selects and it maps",
            "write one of `select` and `targetMaps`",
        );
    }
    let nowhere = select.is_empty() && maps.is_empty() && association.target_locations.is_empty();
    if nowhere {
        report.error(
            "bad-association-target",
            "",
            "it is for no nodes",
            "write `select`; `[{ key: InstanceIds, values: [\"*\"] }]` is every node of the account and region",
        );
    }
    check_selectors(select, is_runbook(association), "/select", report);
    for (index, location) in association.target_locations.iter().enumerate() {
        let at = format!("/targetLocations/{index}/select");
        check_selectors(&location.select, Some(true), &at, report);
        if !location.select.is_empty() && association.automation_target_parameter_name.is_none() {
            // [M] `TargetLocation`, "Targets".
            report.error(
                "bad-association-target",
                at,
                "no parameter gets what is selected",
                "write `automationTargetParameterName`",
            );
        }
    }
    for (index, map) in maps.iter().enumerate() {
        let fits = (1..=20).contains(&map.len())
            && map.iter().all(|(name, values)| {
                let short = |text: &String| (1..=50).contains(&text.chars().count());
                short(name) && values.len() <= 25 && values.iter().all(short)
            });
        if !fits {
            report.error(
                "bad-association-target",
                format!("/targetMaps/{index}"),
                "the map is not as AWS takes it",
                "1 to 20 parameters, each with at most 25 values, all of 1 to 50 characters",
            );
        }
    }
}

/// Checks what is selected; `runbook` says whether it is for one, where that is known.
fn check_selectors(
    select: &BTreeSet<Selector>,
    runbook: Option<bool>,
    at: &str,
    report: &mut Report,
) {
    let keys: Vec<&str> = select.iter().map(|s| s.key.as_str()).collect();
    if select.iter().any(|s| s.values.is_empty()) {
        let hint = "each needs a value";
        report.error(
            "bad-association-target",
            at,
            "a selector has no values",
            hint,
        );
    }
    let tag = |key: &&str| *key == "tag-key" || key.starts_with("tag:");
    let fits = match keys[..] {
        ["InstanceIds" | "resource-groups:Name"] => true,
        [key] if OF_RUNBOOKS.contains(&key) => runbook != Some(false),
        _ => keys.iter().all(tag),
    };
    if !fits && !keys.iter().any(|key| has_variable(key)) {
        report.error(
            "bad-association-target",
            at,
            "these keys do not go together in an association",
            "`InstanceIds` alone, `resource-groups:Name` alone, or `tag:…` and `tag-key`; for a runbook also what \
             Automation knows, alone",
        );
    }
}

/// Checks what goes with runbooks alone, where the document is known to be one or none.
fn check_runbook(association: &Association, report: &mut Report) {
    match is_runbook(association) {
        Some(false) => {
            let has = [
                (
                    "/automationTargetParameterName",
                    association.automation_target_parameter_name.is_some(),
                ),
                ("/targetMaps", !association.target_maps.is_empty()),
                ("/targetLocations", !association.target_locations.is_empty()),
            ];
            for (at, _) in has.iter().filter(|(_, has)| *has) {
                let message = "it goes with a runbook, and the document is none";
                let hint = "take it out, or refer to a Runbook as `{ ref: Runbook/name }`";
                report.error("bad-association", *at, message, hint);
            }
        }
        Some(true) => {
            let idle = |s: &Selector| s.key == NO_OPERATION;
            if association.automation_target_parameter_name.is_none()
                && association.select.iter().any(|s| !idle(s))
            {
                report.error(
                    "bad-association",
                    "/select",
                    "no parameter of the runbook gets what is selected",
                    "write `automationTargetParameterName`",
                );
            }
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findings(extra: Value) -> Vec<String> {
        let mut spec = json!({
            "name": "scan",
            "document": {"name": "AWS-RunPatchBaseline"},
            "select": [{"key": "InstanceIds", "values": ["*"]}],
        });
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        let association: Association = serde_json::from_value(spec).unwrap();
        let mut report = Report::default();
        check(&association, &mut report);
        let found = report.diagnostics.into_iter();
        found.map(|d| format!("{} {}", d.code, d.at)).collect()
    }

    #[test]
    fn what_waits_for_its_time_needs_one() {
        let weekly = "cron(0 2 ? * SUN *)";
        for good in [
            json!({}),
            json!({"schedule": "rate(30 minutes)"}),
            json!({"schedule": weekly, "applyOnlyAtCronInterval": true, "scheduleOffset": 2, "duration": 3}),
            json!({"schedule": "at(2030-07-07T15:55:00)", "applyOnlyAtCronInterval": true}),
        ] {
            assert_eq!(findings(good), [""; 0]);
        }
        for (bad, found) in [
            (
                json!({"applyOnlyAtCronInterval": true}),
                "bad-association /applyOnlyAtCronInterval",
            ),
            (
                json!({"schedule": "rate(1 day)", "applyOnlyAtCronInterval": true}),
                "bad-association /applyOnlyAtCronInterval",
            ),
            (
                json!({"schedule": weekly, "scheduleOffset": 2}),
                "bad-association /scheduleOffset",
            ),
            (
                json!({"schedule": weekly, "duration": 2}),
                "bad-association /duration",
            ),
            (
                json!({"schedule": "rate(5 minutes)"}),
                "bad-schedule /schedule",
            ),
        ] {
            assert_eq!(findings(bad), [found]);
        }
    }

    #[test]
    fn what_is_selected_is_of_one_sort() {
        let key = |key: &str| json!({"key": key, "values": ["x"]});
        for good in [
            json!([key("tag:Patch Group"), key("tag-key")]),
            json!([key("resource-groups:Name")]),
            json!([key("ParameterValues")]),
            json!([key("${target.vars.key}")]),
        ] {
            assert_eq!(findings(json!({"select": good})), [""; 0]);
        }
        for bad in [
            json!([key("InstanceIds"), key("tag:x")]),
            json!([key("instanceids")]),
            json!([{"key": "tag:x", "values": []}]),
        ] {
            let found = findings(json!({"select": bad}));
            assert_eq!(found, ["bad-association-target /select"]);
        }
        assert_eq!(findings(json!({"select": []})), ["bad-association-target "]);
        let maps = json!([{"InstanceId": ["i-1"]}]);
        assert_eq!(
            findings(json!({"targetMaps": maps})),
            ["bad-association-target /targetMaps"]
        );
        assert_eq!(
            findings(json!({"select": [], "targetMaps": [{}]})),
            ["bad-association-target /targetMaps/0"]
        );
    }

    #[test]
    fn what_goes_with_runbooks_goes_with_nothing_else() {
        let command = json!({"ref": "Document/drain"});
        let runbook = json!({"ref": "Runbook/restart"});
        let location = json!([{"accounts": ["444455556666"], "regions": ["eu-west-1"]}]);
        assert_eq!(
            findings(
                json!({"document": command, "automationTargetParameterName": "X", "targetLocations": location})
            ),
            [
                "bad-association /automationTargetParameterName",
                "bad-association /targetLocations"
            ]
        );
        assert_eq!(
            findings(
                json!({"document": command, "select": [{"key": "ParameterValues", "values": ["x"]}]})
            ),
            ["bad-association-target /select"]
        );
        assert_eq!(
            findings(json!({"document": runbook})),
            ["bad-association /select"]
        );
        let idle = json!([{"key": "aws:NoOpAutomationTag", "values": ["x"]}]);
        assert_eq!(
            findings(json!({"document": runbook, "select": idle})),
            [""; 0]
        );
        let mut inner = location.clone();
        inner[0]["select"] = json!([{"key": "tag:x", "values": ["y"]}]);
        assert_eq!(
            findings(json!({"document": runbook, "select": [], "targetLocations": inner})),
            ["bad-association-target /targetLocations/0/select"]
        );
    }

    #[test]
    fn one_document_wants_to_speak_for_itself() {
        let document = json!({"name": "AWS-RunPatchBaselineAssociation"});
        assert_eq!(
            findings(json!({"document": document})),
            ["bad-association /syncCompliance"]
        );
        assert_eq!(
            findings(json!({"document": document, "syncCompliance": "MANUAL"})),
            [""; 0]
        );
        assert_eq!(
            findings(json!({"document": {"name": "mine"}})),
            ["bad-document-reference /document/name"]
        );
    }
}
