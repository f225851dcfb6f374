//! What can be said about a maintenance window before AWS sees it. [M] service model; [T] aws-systems-manager reference,
//! section 4.

use super::{MaintenanceWindow, WindowTarget, WindowTask};
use crate::kinds::contact::rules::has_variable;
use crate::kinds::{rotation, schedule, tags};
use crate::model::{Diagnostic, Document, Format, Report, pointer};

/// Reports everything wrong with a window that its schema cannot express.
pub(super) fn check(window: &MaintenanceWindow, report: &mut Report) {
    schedule::check(&window.schedule, "/schedule", report);
    if window.schedule_offset.is_some() && !schedule::is_cron(&window.schedule) {
        report.error(
            "bad-window",
            "/scheduleOffset",
            "only a cron expression can have an offset",
            "take it out, or write the schedule as `cron(…)`",
        );
    }
    if let Some(zone) = &window.schedule_timezone {
        rotation::check_zone(zone, "/scheduleTimezone", report);
    }
    if window.cutoff >= window.duration {
        report.error(
            "bad-window",
            "/cutoff",
            format!(
                "the cutoff is {} hours before the end of a window of {}",
                window.cutoff, window.duration
            ),
            format!("at most {}", window.duration - 1),
        );
    }
    check_dates(window, report);
    for (name, target) in &window.window_targets {
        let at = pointer::join("/windowTargets", name);
        check_name(name, "target", &at, report);
        check_target(target, &at, report);
    }
    for (name, task) in &window.tasks {
        let at = pointer::join("/tasks", name);
        check_name(name, "task", &at, report);
        check_task(window, task, &at, report);
    }
    tags::check(window.tags.as_ref(), tags::Alphabet::Systems, report);
}

fn check_dates(window: &MaintenanceWindow, report: &mut Report) {
    let dates = [
        ("/startDate", &window.start_date),
        ("/endDate", &window.end_date),
    ];
    for (at, date) in dates {
        let Some(date) = date else { continue };
        let reads = date.parse::<jiff::Timestamp>().is_ok()
            || date.parse::<jiff::civil::DateTime>().is_ok()
            || date.parse::<jiff::civil::Date>().is_ok();
        if !reads && !has_variable(date) {
            let hint = "for instance `2026-01-31T00:00:00+09:00`";
            report.error("bad-window", at, format!("`{date}` is no date"), hint);
        }
    }
    let moment = |date: &Option<String>| date.as_ref()?.parse::<jiff::Timestamp>().ok();
    if let (Some(start), Some(end)) = (moment(&window.start_date), moment(&window.end_date))
        && end <= start
    {
        let message = "the window ends before it begins, and never opens";
        report.error("bad-window", "/endDate", message, "write a later date");
    }
}

/// A key is the name that AWS knows the child by: [M] `MaintenanceWindowName`.
fn check_name(name: &str, what: &str, at: &str, report: &mut Report) {
    let fits = (3..=128).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if !fits {
        report.error(
            "bad-window",
            at,
            format!("`{name}` is no name of a {what}"),
            "3 to 128 letters, digits and `_-.`",
        );
    }
}

fn check_target(target: &WindowTarget, at: &str, report: &mut Report) {
    let at = format!("{at}/select");
    let keys: Vec<&str> = target.select.iter().map(|s| s.key.as_str()).collect();
    if target.select.iter().any(|s| s.values.is_empty()) {
        let hint = "each needs a value";
        report.error("bad-window-target", &at, "a selector has no values", hint);
    }
    let is_tag = |key: &&str| *key == "tag-key" || key.starts_with("tag:");
    let is_group = |key: &&str| {
        [
            "resource-groups:Name",
            "resource-groups:ResourceTypeFilters",
        ]
        .contains(key)
    };
    let fits = keys == ["InstanceIds"] || keys.iter().all(is_tag) || keys.iter().all(is_group);
    if !fits && !keys.iter().any(|key| has_variable(key)) {
        report.error(
            "bad-window-target",
            at,
            "these keys do not go together in a target",
            "`InstanceIds` alone, or `tag:…` and `tag-key`, or `resource-groups:Name` and \
             `resource-groups:ResourceTypeFilters`",
        );
    }
}

fn check_task(window: &MaintenanceWindow, task: &WindowTask, at: &str, report: &mut Report) {
    let mut bad = |at: String, message: String, hint: &str| {
        report.error("bad-window-task", at, message, hint);
    };
    let types = [
        task.run_command.is_some(),
        task.automation.is_some(),
        task.lambda.is_some(),
        task.step_functions.is_some(),
    ];
    if types.into_iter().filter(|named| *named).count() != 1 {
        bad(
            at.to_owned(),
            "it does not say one thing to run".to_owned(),
            "write exactly one of `runCommand`, `automation`, `lambda` and `stepFunctions`",
        );
    }
    for target in &task.targets {
        if !window.window_targets.contains_key(target) {
            let known: Vec<&str> = window.window_targets.keys().map(String::as_str).collect();
            bad(
                format!("{at}/targets"),
                format!("the window has no target `{target}`"),
                &format!("its targets are: {}", known.join(", ")),
            );
        }
    }
    if !task.targets.is_empty() && !task.instance_ids.is_empty() {
        bad(
            format!("{at}/instanceIds"),
            "it names targets and nodes".to_owned(),
            "write one of them: nodes can be a target of the window",
        );
    }
    let targetless = task.targets.is_empty() && task.instance_ids.is_empty();
    if targetless && task.run_command.is_some() {
        bad(
            at.to_owned(),
            "a command runs nowhere without a target".to_owned(),
            "write `targets` or `instanceIds`",
        );
    }
    for (field, limit) in [
        ("maxConcurrency", &task.max_concurrency),
        ("maxErrors", &task.max_errors),
    ] {
        match limit {
            Some(_) if targetless => bad(
                format!("{at}/{field}"),
                "AWS takes no limit for a task without targets".to_owned(),
                "take it out",
            ),
            None if !targetless => bad(
                at.to_owned(),
                format!("it has no `{field}`"),
                "AWS wants one for a task with targets, for instance `10%`",
            ),
            _ => {}
        }
    }
    if let Some(command) = &task.run_command {
        command
            .document
            .check(&format!("{at}/runCommand/document"), report);
    }
    if let Some(automation) = &task.automation {
        let at = format!("{at}/automation");
        automation.document.check(&format!("{at}/document"), report);
        for (name, values) in &automation.parameters {
            let fits = (1..=50).contains(&name.chars().count())
                && values.len() <= 50
                && values.iter().all(|value| value.chars().count() <= 512);
            if !fits {
                report.error(
                    "bad-parameter",
                    pointer::join(&format!("{at}/parameters"), name),
                    "the parameter is not as AWS takes it",
                    "a name of 1 to 50 characters, and at most 50 values of at most 512",
                );
            }
        }
    }
    if let Some(payload) = task.lambda.as_ref().and_then(|l| l.payload.as_ref()) {
        check_json(payload, &format!("{at}/lambda/payload"), report);
    }
    if let Some(input) = task.step_functions.as_ref().and_then(|s| s.input.as_ref()) {
        check_json(input, &format!("{at}/stepFunctions/input"), report);
    }
    if !task.instance_ids.is_empty() && !window.allow_unassociated_targets {
        let message = "the window does not allow nodes that are in no target";
        let finding =
            Diagnostic::warning("unassociated-nodes", format!("{at}/instanceIds"), message);
        report.push(finding.hint("make a target of them, or set `allowUnassociatedTargets: true`"));
    }
}

/// Checks what is sent as JSON: [M] at most 4096 bytes.
fn check_json(document: &Document, at: &str, report: &mut Report) {
    match (document.parse(), document.written_as(Format::Json)) {
        (Ok(Some(value)), Ok(text)) if !value.is_null() => {
            if text.len() > 4096 {
                let message = format!("it has {} bytes as JSON", text.len());
                report.error("bad-window-task", at, message, "at most 4096");
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            let message = format!("it cannot be read: {error}");
            report.error("bad-document", at, message, "write a map, or JSON");
        }
        _ => report.error("bad-window-task", at, "it is empty", "take it out"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findings(extra: Value) -> Vec<String> {
        let mut spec =
            json!({"name": "night", "schedule": "cron(0 2 ? * SUN *)", "duration": 3, "cutoff": 1});
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        let window: MaintenanceWindow = serde_json::from_value(spec).unwrap();
        let mut report = Report::default();
        check(&window, &mut report);
        let found = report.diagnostics.into_iter();
        found.map(|d| format!("{} {}", d.code, d.at)).collect()
    }

    #[test]
    fn a_window_must_be_able_to_open() {
        assert_eq!(findings(json!({})), [""; 0]);
        for (extra, found) in [
            (json!({"cutoff": 3}), "bad-window /cutoff"),
            (
                json!({"schedule": "rate(1 day)", "scheduleOffset": 1}),
                "bad-window /scheduleOffset",
            ),
            (json!({"schedule": "daily"}), "bad-schedule /schedule"),
            (
                json!({"scheduleTimezone": "JST"}),
                "bad-time-zone /scheduleTimezone",
            ),
            (json!({"startDate": "soon"}), "bad-window /startDate"),
            (
                json!({"startDate": "2026-02-01T00:00:00Z", "endDate": "2026-01-01T00:00:00Z"}),
                "bad-window /endDate",
            ),
        ] {
            assert_eq!(findings(extra), [found]);
        }
    }

    #[test]
    fn a_target_is_of_one_sort() {
        let select = |select: Value| json!({"windowTargets": {"servers": {"select": select}}});
        let key = |key: &str| json!({"key": key, "values": ["x"]});
        for good in [
            json!([key("InstanceIds")]),
            json!([key("tag:Patch Group"), key("tag-key")]),
            json!([
                key("resource-groups:Name"),
                key("resource-groups:ResourceTypeFilters")
            ]),
        ] {
            assert_eq!(findings(select(good)), [""; 0]);
        }
        for bad in [
            json!([key("InstanceIds"), key("tag:x")]),
            json!([key("instanceids")]),
            json!([{"key": "tag:x", "values": []}]),
        ] {
            assert_eq!(
                findings(select(bad)),
                ["bad-window-target /windowTargets/servers/select"]
            );
        }
        assert_eq!(
            findings(json!({"windowTargets": {"a": {"select": [key("tag:x")]}}})),
            ["bad-window /windowTargets/a"]
        );
    }

    #[test]
    fn a_task_is_as_its_type_wants() {
        let findings = |task: Value| {
            let select = json!([{"key": "tag:x", "values": ["y"]}]);
            findings(
                json!({"windowTargets": {"servers": {"select": select}}, "tasks": {"run": task}}),
            )
        };
        let command = json!({"document": {"name": "AWS-X"}});
        let limits = |mut task: Value| {
            task["maxConcurrency"] = json!("1");
            task["maxErrors"] = json!("0");
            task
        };
        let none = [""; 0];
        assert_eq!(
            findings(limits(
                json!({"runCommand": command, "targets": ["servers"]})
            )),
            none
        );
        assert_eq!(findings(json!({"automation": command})), none);
        let bad = "bad-window-task /tasks/run";
        for (task, found) in [
            (json!({}), vec![bad.to_owned()]),
            (
                json!({"runCommand": command, "automation": command}),
                vec![bad.to_owned(); 2],
            ),
            (
                json!({"automation": command, "maxErrors": "1"}),
                vec![format!("{bad}/maxErrors")],
            ),
            (
                limits(json!({"runCommand": command, "targets": ["others"]})),
                vec![format!("{bad}/targets")],
            ),
            (
                json!({"automation": command, "targets": ["servers"]}),
                vec![bad.to_owned(); 2],
            ),
            (
                json!({"automation": {"document": {"name": "mine"}}}),
                vec!["bad-document-reference /tasks/run/automation/document/name".to_owned()],
            ),
            (
                json!({"lambda": {"function": "f", "payload": ""}}),
                vec![format!("{bad}/lambda/payload")],
            ),
            (
                limits(json!({"runCommand": command, "instanceIds": ["i-1"]})),
                vec!["unassociated-nodes /tasks/run/instanceIds".to_owned()],
            ),
        ] {
            assert_eq!(findings(task), found);
        }
    }
}
