//! Arbitrary text in every field of the kinds that hold texts of another language: runbooks, documents, dashboards,
//! recurrences, schedules, rules and expressions. The first byte chooses the field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use stationbill::kinds;
use stationbill::model::{Document, Report};

fn specs(text: &str) -> Vec<(&'static str, Value)> {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    vec![
        ("Runbook", json!({"name": "pochi", "content": text})),
        (
            "Document",
            json!({"name": "pochi", "documentType": "Command", "content": text}),
        ),
        (
            "Document",
            json!({"name": "pochi", "documentType": "ChangeCalendar", "content": text}),
        ),
        (
            "Document",
            json!({"name": "pochi", "documentType": "Session", "content": text}),
        ),
        (
            "Document",
            json!({"name": "pochi", "documentType": "Automation.ChangeTemplate", "content": text}),
        ),
        ("Dashboard", json!({"name": "pochi", "body": text})),
        (
            "Rotation",
            json!({"name": "pochi", "members": [], "start": text, "timeZone": text, "recurrence": value}),
        ),
        (
            "PatchBaseline",
            json!({"name": "pochi", "operatingSystem": text, "approvalRules": value}),
        ),
        (
            "ResponsePlan",
            json!({"name": "pochi", "incidentTemplate": value, "actions": [{"runbook": text}]}),
        ),
        (
            "Alarm",
            json!({"name": "pochi", "type": "composite", "rule": text, "alarms": {"a": "b", "c": text}}),
        ),
        (
            "Alarm",
            json!({"name": "pochi", "metrics": {"m": {"expression": text, "returnData": true}, "n": value},
                   "evaluationPeriods": 1, "comparisonOperator": "GreaterThanThreshold", "threshold": 1}),
        ),
        (
            "MaintenanceWindow",
            json!({"name": "pochi", "schedule": text, "scheduleTimezone": text, "startDate": text,
                   "duration": 3, "cutoff": 1, "tasks": value}),
        ),
        (
            "Association",
            json!({"name": "pochi", "document": {"name": text}, "schedule": text, "parameters": value,
                   "select": [{"key": text, "values": [text]}]}),
        ),
        (
            "AutomationRule",
            json!({"name": "pochi", "description": text, "order": 1, "criteria": value, "findingFieldsUpdate": value}),
        ),
        (
            "SecurityHub",
            json!({"name": "pochi", "standards": value, "controls": {text: value}}),
        ),
    ]
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let all = specs(text);
    let (kind, spec) = &all[usize::from(*choice) % all.len()];
    let Some(kind) = kinds::find(kind) else {
        return;
    };
    if let Ok(spec) = kind.parse(spec) {
        kind.validate(&spec, &mut Report::default());
        let settled = kind.settle(&spec, &spec).expect("what parses settles");
        assert_eq!(settled, spec);
    }
    let document = Document::from_text(text);
    assert!(document.same_meaning(&document));
    let _ = document.readable();
    let _ = document.parse();
});
