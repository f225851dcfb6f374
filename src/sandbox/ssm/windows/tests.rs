use serde_json::{Value, json};

use crate::sandbox::ssm::testing::Aws;

fn with(base: Value, extra: Value) -> Value {
    let mut all = crate::sandbox::ssm::members(base);
    all.extend(crate::sandbox::ssm::members(extra));
    Value::Object(all)
}

fn new(extra: Value) -> Value {
    let base = json!({ "Name": "night", "Schedule": "cron(0 2 ? * SUN *)", "Duration": 3, "Cutoff": 1,
        "AllowUnassociatedTargets": false });
    with(base, extra)
}

fn create(aws: &mut Aws, extra: Value) -> String {
    let answer = aws.ok("CreateMaintenanceWindow", new(extra));
    answer["WindowId"].as_str().unwrap().to_owned()
}

fn target(aws: &mut Aws, window: &str, name: &str) -> String {
    let input = json!({ "WindowId": window, "ResourceType": "INSTANCE", "Name": name,
        "Targets": [{ "Key": "tag:Patch Group", "Values": ["production"] }] });
    let answer = aws.ok("RegisterTargetWithMaintenanceWindow", input);
    answer["WindowTargetId"].as_str().unwrap().to_owned()
}

fn command(window: &str, target: &str) -> Value {
    json!({ "WindowId": window, "TaskArn": "AWS-RunPatchBaseline", "TaskType": "RUN_COMMAND", "Name": "patch",
        "Targets": [{ "Key": "WindowTargetIds", "Values": [target] }], "MaxConcurrency": "10%", "MaxErrors": "1",
        "TaskInvocationParameters": { "RunCommand": { "Parameters": { "Operation": ["Install"] } } } })
}

fn task(aws: &mut Aws, input: Value) -> String {
    let answer = aws.ok("RegisterTaskWithMaintenanceWindow", input);
    answer["WindowTaskId"].as_str().unwrap().to_owned()
}

#[test]
fn a_window_begins_enabled_and_is_listed_without_one_member() {
    let mut aws = Aws::new();
    let tags = json!([{ "Key": "team", "Value": "banana" }]);
    let id = create(&mut aws, json!({ "Tags": tags }));
    assert!(id.starts_with("mw-") && id.len() == 20);
    let window = aws.ok("GetMaintenanceWindow", json!({ "WindowId": id }));
    assert_eq!(window["Enabled"], true);
    assert_eq!(window["AllowUnassociatedTargets"], false);
    let list = aws.ok("DescribeMaintenanceWindows", json!({}));
    let identity = &list["WindowIdentities"][0];
    assert_eq!(identity["Name"], "night");
    assert_eq!(identity.get("AllowUnassociatedTargets"), None);
    assert_eq!(identity.get("CreatedDate"), None);
    let named = json!({ "ResourceType": "MaintenanceWindow", "ResourceId": id });
    assert_eq!(aws.ok("ListTagsForResource", named)["TagList"], tags);
}

#[test]
fn filters_and_pages_are_those_of_windows() {
    let mut aws = Aws::new();
    for number in 0..12 {
        create(&mut aws, json!({ "Name": format!("night-{number}") }));
    }
    let first = aws.ok("DescribeMaintenanceWindows", json!({ "MaxResults": 10 }));
    assert_eq!(first["WindowIdentities"].as_array().unwrap().len(), 10);
    let rest = json!({ "MaxResults": 10, "NextToken": first["NextToken"] });
    let rest = aws.ok("DescribeMaintenanceWindows", rest);
    assert_eq!(rest["WindowIdentities"].as_array().unwrap().len(), 2);
    assert_eq!(
        aws.err("DescribeMaintenanceWindows", json!({ "MaxResults": 9 })),
        "ValidationException"
    );
    let filtered = |aws: &mut Aws, key: &str, value: &str| {
        let filters = json!({ "Filters": [{ "Key": key, "Values": [value] }] });
        let answer = aws.ok("DescribeMaintenanceWindows", filters);
        answer["WindowIdentities"].as_array().unwrap().len()
    };
    assert_eq!(filtered(&mut aws, "Name", "night-1"), 1);
    assert_eq!(filtered(&mut aws, "Enabled", "True"), 12);
    assert_eq!(filtered(&mut aws, "Enabled", "false"), 0);
    let wrong = json!({ "Filters": [{ "Key": "Owner", "Values": ["x"] }] });
    assert_eq!(
        aws.err("DescribeMaintenanceWindows", wrong),
        "ValidationException"
    );
}

#[test]
fn a_token_makes_one_window_and_is_forgotten_with_it() {
    let mut aws = Aws::new();
    let id = create(&mut aws, json!({ "ClientToken": "one" }));
    assert_eq!(create(&mut aws, json!({ "ClientToken": "one" })), id);
    let other = new(json!({ "ClientToken": "one", "Duration": 4 }));
    assert_eq!(
        aws.err("CreateMaintenanceWindow", other),
        "IdempotentParameterMismatch"
    );
    let named = json!({ "WindowId": id });
    aws.ok("DeleteMaintenanceWindow", named.clone());
    aws.ok("DeleteMaintenanceWindow", named.clone());
    assert_eq!(
        aws.err("GetMaintenanceWindow", named),
        "DoesNotExistException"
    );
    assert_ne!(create(&mut aws, json!({ "ClientToken": "one" })), id);
}

#[test]
fn a_replacement_clears_and_another_update_merges() {
    let mut aws = Aws::new();
    let id = create(
        &mut aws,
        json!({ "Description": "At night", "ScheduleOffset": 2 }),
    );
    let changed = json!({ "WindowId": id, "Duration": 5, "Enabled": false });
    let answer = aws.ok("UpdateMaintenanceWindow", changed);
    assert_eq!(answer["Description"], "At night");
    assert_eq!(
        (&answer["Duration"], &answer["Enabled"]),
        (&json!(5), &json!(false))
    );
    let partial = json!({ "WindowId": id, "Name": "night", "Replace": true });
    assert_eq!(
        aws.err("UpdateMaintenanceWindow", partial),
        "ValidationException"
    );
    let whole = new(json!({ "WindowId": id, "Replace": true }));
    let answer = aws.ok("UpdateMaintenanceWindow", whole);
    assert_eq!(answer.get("Description"), None);
    assert_eq!(answer.get("ScheduleOffset"), None);
    assert_eq!(answer["Enabled"], false, "it says nothing about that");
    let unknown = json!({ "WindowId": "mw-00000000000000000" });
    assert_eq!(
        aws.err("UpdateMaintenanceWindow", unknown),
        "DoesNotExistException"
    );
}

#[test]
fn what_is_no_window_is_refused() {
    let mut aws = Aws::new();
    for wrong in [
        json!({ "Schedule": "cron(0 2 * * *)" }),
        json!({ "Schedule": "cron(0 2 1 * SUN *)" }),
        json!({ "Schedule": "cron(0 24 ? * SUN *)" }),
        json!({ "Schedule": "cron(0 2 ? * SUN#6 *)" }),
        json!({ "Schedule": "cron(0/4 2 ? * SUN *)" }),
        json!({ "Schedule": "cron(0,3 * ? * SUN *)" }),
        json!({ "Schedule": "cron(0,56 2-3 ? * SUN *)" }),
        json!({ "Schedule": "cron(0/30 0 2 ? * SUN *)" }),
        json!({ "Schedule": "rate(1 hours)" }),
        json!({ "Schedule": "rate(0 minutes)" }),
        json!({ "Schedule": "at(tomorrow)" }),
        json!({ "Schedule": "every night" }),
        json!({ "Schedule": "rate(7 days)", "ScheduleOffset": 2 }),
        json!({ "Duration": 3, "Cutoff": 3 }),
        json!({ "ScheduleTimezone": "Mars/Olympus" }),
        json!({ "StartDate": "" }),
        json!({ "EndDate": "soon" }),
        json!({ "StartDate": "2026-06-01T00:00:00Z", "EndDate": "2026-06-01T00:00:00Z" }),
        json!({ "StartDate": "2026-06-02", "EndDate": "2026-06-01T23:00:00Z" }),
        // Midnight in Tokyo is three in the afternoon in UTC.
        json!({ "StartDate": "2026-06-01T15:00:00Z", "EndDate": "2026-06-02", "ScheduleTimezone": "Asia/Tokyo" }),
    ] {
        assert_eq!(
            aws.err("CreateMaintenanceWindow", new(wrong.clone())),
            "ValidationException",
            "{wrong}"
        );
    }
    create(
        &mut aws,
        json!({ "Duration": 1, "Cutoff": 0, "StartDate": "2026-01-01T00:00:00-08:00" }),
    );
    // An end that is past is no mistake by itself.
    create(&mut aws, json!({ "EndDate": "2020-01-01T00:00:00Z" }));
    let dates = json!({ "StartDate": "2026-06-01T00:00:00Z", "EndDate": "2026-07-01T00:00:00Z" });
    let summer = create(&mut aws, dates);
    let earlier = json!({ "WindowId": summer, "EndDate": "2026-05-31T00:00:00Z" });
    assert_eq!(
        aws.err("UpdateMaintenanceWindow", earlier),
        "ValidationException"
    );
    for schedule in [
        "cron(0 30 23 ? * TUE#3 *)",
        "cron(0/5 * ? * SUN *)",
        "cron(0,56 2 ? * SUN *)",
        "rate(1 minute)",
    ] {
        create(&mut aws, json!({ "Schedule": schedule }));
    }
}

#[test]
fn the_next_execution_follows_the_schedule() {
    let mut aws = Aws::new();
    // It is Monday, 4 May 2026, ten o'clock.
    for (extra, next) in [
        (json!({}), "2026-05-10T02:00Z"),
        (
            json!({ "ScheduleTimezone": "Asia/Tokyo" }),
            "2026-05-10T02:00+09:00",
        ),
        (
            json!({ "Schedule": "cron(30 23 ? * TUE#3 *)", "ScheduleOffset": 2 }),
            "2026-05-21T23:30Z",
        ),
        (
            json!({ "Schedule": "cron(0/20 10 L * ? *)" }),
            "2026-05-31T10:00Z",
        ),
        (
            json!({ "Schedule": "cron(15 10 4 5 ? *)" }),
            "2026-05-04T10:15Z",
        ),
        (
            json!({ "Schedule": "cron(0 10 LW * ? *)" }),
            "2026-05-29T10:00Z",
        ),
        (
            json!({ "Schedule": "cron(0 10 ? * 6L *)" }),
            "2026-05-29T10:00Z",
        ),
        (
            json!({ "Schedule": "cron(0 9 3W MAY-JUL ? *)" }),
            "2026-06-03T09:00Z",
        ),
        (json!({ "Schedule": "rate(7 days)" }), "2026-05-11T10:00Z"),
        (
            json!({ "Schedule": "at(2026-07-07T15:55:00)" }),
            "2026-07-07T15:55Z",
        ),
        (json!({ "StartDate": "2026-06-01" }), "2026-06-07T02:00Z"),
    ] {
        let id = create(&mut aws, extra.clone());
        let window = aws.ok("GetMaintenanceWindow", json!({ "WindowId": id }));
        assert_eq!(window["NextExecutionTime"], next, "{extra}");
        let schedule = aws.ok(
            "DescribeMaintenanceWindowSchedule",
            json!({ "WindowId": id }),
        );
        let executions = &schedule["ScheduledWindowExecutions"];
        assert_eq!(executions[0]["ExecutionTime"], next, "{extra}");
    }
    for never in [
        json!({ "Schedule": "at(2020-07-07T15:55:00)" }),
        json!({ "EndDate": "2026-05-09T00:00:00Z" }),
    ] {
        let id = create(&mut aws, never.clone());
        let window = aws.ok("GetMaintenanceWindow", json!({ "WindowId": id }));
        assert_eq!(window.get("NextExecutionTime"), None, "{never}");
    }
}

#[test]
fn the_schedule_lists_what_comes_in_the_order_of_time() {
    let mut aws = Aws::new();
    // It is Monday, 4 May 2026, ten o'clock.
    let weekly = create(&mut aws, json!({ "EndDate": "2026-05-25T00:00:00Z" }));
    let once = json!({ "Schedule": "at(2026-05-12T15:00:00)", "Name": "once" });
    let once = create(&mut aws, once);
    create(&mut aws, json!({ "Schedule": "at(2026-05-01T15:00:00)" }));
    let list = |aws: &mut Aws, input: Value| -> Vec<(String, String)> {
        let (mut all, mut token) = (Vec::new(), json!(""));
        loop {
            let input = with(
                input.clone(),
                json!({ "NextToken": token, "MaxResults": 2 }),
            );
            let page = aws.ok("DescribeMaintenanceWindowSchedule", input);
            let executions = page["ScheduledWindowExecutions"].as_array().unwrap();
            assert!(executions.len() <= 2);
            let text = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
            all.extend(
                executions
                    .iter()
                    .map(|one| (text(one, "WindowId"), text(one, "ExecutionTime"))),
            );
            token = page["NextToken"].clone();
            if token.is_null() {
                return all;
            }
        }
    };
    let whole = [
        (weekly.clone(), "2026-05-10T02:00Z".to_owned()),
        (once.clone(), "2026-05-12T15:00Z".to_owned()),
        (weekly.clone(), "2026-05-17T02:00Z".to_owned()),
        (weekly, "2026-05-24T02:00Z".to_owned()),
    ];
    assert_eq!(list(&mut aws, json!({})), whole);
    let alone = json!({ "WindowId": once });
    assert_eq!(list(&mut aws, alone), whole[1..2]);
    let filter = |key: &str, date: &str| json!({ "Filters": [{ "Key": key, "Values": [date] }] });
    let before = filter("ScheduledBefore", "2026-05-12T15:00:00Z");
    assert_eq!(list(&mut aws, before), whole[..1]);
    let after = filter("ScheduledAfter", "2026-05-12T15:00:00Z");
    assert_eq!(list(&mut aws, after), whole[2..]);
    for wrong in [
        filter("ScheduledAfter", "soon"),
        filter("Name", "night"),
        json!({ "Targets": [{ "Key": "InstanceIds", "Values": ["i-1"] }], "ResourceType": "INSTANCE" }),
    ] {
        assert_eq!(
            aws.err("DescribeMaintenanceWindowSchedule", wrong),
            "ValidationException"
        );
    }
}

#[test]
fn the_schedule_ends_after_a_year_or_a_hundred_executions() {
    let mut aws = Aws::new();
    for (schedule, count) in [
        ("rate(7 days)", 52),
        ("rate(1 hour)", 100),
        ("cron(0 2 1 * ? *)", 12),
        // The first is told however far away it is.
        ("cron(0 2 29 2 ? *)", 1),
    ] {
        let id = create(&mut aws, json!({ "Schedule": schedule }));
        let input = json!({ "WindowId": id, "MaxResults": 1000 });
        let answer = aws.ok("DescribeMaintenanceWindowSchedule", input);
        let executions = answer["ScheduledWindowExecutions"].as_array().unwrap();
        assert_eq!(executions.len(), count, "{schedule}");
    }
}

#[test]
fn a_target_in_use_is_kept_when_that_is_asked() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let target = target(&mut aws, &window, "servers");
    let task = task(&mut aws, command(&window, &target));
    let safely = json!({ "WindowId": window, "WindowTargetId": target, "Safe": true });
    let refused = aws.call("DeregisterTargetFromMaintenanceWindow", safely);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, "TargetInUseException");
    assert!(refused.message.ends_with(&task), "{}", refused.message);
    let anyway = json!({ "WindowId": window, "WindowTargetId": target });
    aws.ok("DeregisterTargetFromMaintenanceWindow", anyway.clone());
    assert_eq!(
        aws.err("DeregisterTargetFromMaintenanceWindow", anyway),
        "DoesNotExistException"
    );
    let left = json!({ "WindowId": window, "WindowTaskId": task });
    let left = aws.ok("GetMaintenanceWindowTask", left);
    assert_eq!(left["Targets"][0]["Values"], json!([target]));
    let other = json!({ "WindowId": window, "WindowTaskId": task, "Priority": 7 });
    aws.ok("UpdateMaintenanceWindowTask", other);
    assert_eq!(
        aws.err(
            "RegisterTaskWithMaintenanceWindow",
            command(&window, &target)
        ),
        "DoesNotExistException"
    );
}

#[test]
fn targets_are_of_two_sorts() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let input = |kind: &str, key: &str, values: Value| json!({ "WindowId": window, "ResourceType": kind, "Targets": [{ "Key": key, "Values": values }] });
    for (kind, key, values) in [
        ("INSTANCE", "InstanceIds", json!(["i-1", "i-2"])),
        ("INSTANCE", "tag-key", json!(["Patch Group"])),
        ("RESOURCE_GROUP", "resource-groups:Name", json!(["servers"])),
    ] {
        aws.ok(
            "RegisterTargetWithMaintenanceWindow",
            input(kind, key, values),
        );
    }
    for (kind, key, values) in [
        ("INSTANCE", "resource-groups:Name", json!(["servers"])),
        ("INSTANCE", "instanceids", json!(["i-1"])),
        ("INSTANCE", "tag:Patch Group", json!([])),
        ("RESOURCE_GROUP", "InstanceIds", json!(["i-1"])),
    ] {
        assert_eq!(
            aws.err(
                "RegisterTargetWithMaintenanceWindow",
                input(kind, key, values)
            ),
            "ValidationException",
            "{kind} {key}"
        );
    }
    let for_target = json!({ "ResourceType": "INSTANCE", "Targets": [{ "Key": "InstanceIds", "Values": ["i-2"] }] });
    let found = aws.ok("DescribeMaintenanceWindowsForTarget", for_target);
    assert_eq!(
        found["WindowIdentities"],
        json!([{ "WindowId": window, "Name": "night" }])
    );
    let groups =
        json!({ "WindowId": window, "Filters": [{ "Key": "Type", "Values": ["RESOURCE_GROUP"] }] });
    let groups = aws.ok("DescribeMaintenanceWindowTargets", groups);
    assert_eq!(groups["Targets"].as_array().unwrap().len(), 1);
}

#[test]
fn an_updated_target_shows_empty_what_is_not_set() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let target = target(&mut aws, &window, "servers");
    let named = json!({ "WindowId": window, "WindowTargetId": target });
    let answer = aws.ok("UpdateMaintenanceWindowTarget", named.clone());
    assert_eq!(answer["Name"], "servers");
    assert_eq!(
        (&answer["Description"], &answer["OwnerInformation"]),
        (&json!(""), &json!(""))
    );
    let described = with(named, json!({ "Description": "At night" }));
    let answer = aws.ok("UpdateMaintenanceWindowTarget", described);
    assert_eq!(answer["Description"], "At night");
    let listed = aws.ok(
        "DescribeMaintenanceWindowTargets",
        json!({ "WindowId": window }),
    );
    assert_eq!(listed["Targets"][0].get("OwnerInformation"), None);
}

#[test]
fn a_task_without_targets_has_no_limits_of_its_own() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let automation = |extra: Value| {
        let base = json!({ "WindowId": window, "TaskArn": "AWS-RestartEC2Instance", "TaskType": "AUTOMATION" });
        with(base, extra)
    };
    let id = task(&mut aws, automation(json!({})));
    let named = json!({ "WindowId": window, "WindowTaskId": id });
    let read = aws.ok("GetMaintenanceWindowTask", named.clone());
    assert_eq!(
        (&read["MaxConcurrency"], &read["MaxErrors"]),
        (&json!("1"), &json!("1"))
    );
    assert_eq!(read["CutoffBehavior"], "CONTINUE_TASK");
    assert!(
        read["ServiceRoleArn"]
            .as_str()
            .unwrap()
            .ends_with("/AWSServiceRoleForAmazonSSM")
    );
    let refused = aws.call(
        "RegisterTaskWithMaintenanceWindow",
        automation(json!({ "MaxErrors": "0" })),
    );
    assert_eq!(
        refused.unwrap_err().message,
        "Maintenance window tasks without targets do not support MaxErrors values."
    );
    // Merging into it must not take the placeholders for limits.
    aws.ok(
        "UpdateMaintenanceWindowTask",
        with(named.clone(), json!({ "Priority": 3 })),
    );
    let with_target = json!({ "Targets": [{ "Key": "InstanceIds", "Values": ["i-1"] }] });
    assert_eq!(
        aws.err(
            "UpdateMaintenanceWindowTask",
            with(named, with_target.clone())
        ),
        "ValidationException"
    );
    let limited = with(
        with_target,
        json!({ "MaxErrors": "0", "MaxConcurrency": "100%" }),
    );
    task(&mut aws, automation(limited));
}

#[test]
fn commands_need_targets_and_parameters_of_their_type() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let target = target(&mut aws, &window, "servers");
    let good = command(&window, &target);
    for (wrong, text) in [
        (
            json!({ "Targets": [] }),
            "null is an invalid window task target type",
        ),
        (
            json!({ "Targets": [{ "Key": "tag:x", "Values": ["y"] }] }),
            "tag:x is an invalid window task target type",
        ),
        (
            json!({ "Targets": [{ "Key": "WindowTargetIds", "Values": vec![target.clone(); 11] }] }),
            "The maximum number of window targets is 10",
        ),
        (
            json!({ "TaskInvocationParameters": { "Automation": {} } }),
            "Automation parameters cannot be specified",
        ),
    ] {
        let refused = aws.call(
            "RegisterTaskWithMaintenanceWindow",
            with(good.clone(), wrong),
        );
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, "ValidationException");
        assert!(refused.message.starts_with(text), "{}", refused.message);
    }
}

#[test]
fn a_task_is_listed_without_its_parameters_and_replaced_as_a_whole() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let target = target(&mut aws, &window, "servers");
    let input = with(
        command(&window, &target),
        json!({ "Description": "Patches", "CutoffBehavior": "CANCEL_TASK", "Priority": 5,
            "AlarmConfiguration": { "Alarms": [{ "Name": "checkout" }] } }),
    );
    let id = task(&mut aws, input);
    let list = aws.ok(
        "DescribeMaintenanceWindowTasks",
        json!({ "WindowId": window }),
    );
    let listed = &list["Tasks"][0];
    assert_eq!(listed["Type"], "RUN_COMMAND");
    assert_eq!(
        (
            listed.get("TaskType"),
            listed.get("TaskInvocationParameters")
        ),
        (None, None)
    );
    assert_eq!(
        listed["AlarmConfiguration"]["IgnorePollAlarmFailure"],
        false
    );
    let mut whole = command(&window, &target);
    whole.as_object_mut().unwrap().remove("TaskType");
    let whole = with(whole, json!({ "WindowTaskId": id, "Replace": true }));
    aws.ok("UpdateMaintenanceWindowTask", whole);
    let named = json!({ "WindowId": window, "WindowTaskId": id });
    let read = aws.ok("GetMaintenanceWindowTask", named.clone());
    assert_eq!(read.get("Description"), None);
    assert_eq!(read.get("AlarmConfiguration"), None);
    assert_eq!(
        (&read["CutoffBehavior"], &read["Priority"]),
        (&json!("CONTINUE_TASK"), &json!(0))
    );
    aws.ok("DeregisterTaskFromMaintenanceWindow", named.clone());
    assert_eq!(
        aws.err("DeregisterTaskFromMaintenanceWindow", named),
        "DoesNotExistException"
    );
}

#[test]
fn a_deleted_window_takes_its_children_along() {
    let mut aws = Aws::new();
    let window = create(&mut aws, json!({}));
    let target = target(&mut aws, &window, "servers");
    task(&mut aws, command(&window, &target));
    let named = json!({ "WindowId": window });
    aws.ok("DeleteMaintenanceWindow", named.clone());
    for operation in [
        "DescribeMaintenanceWindowTargets",
        "DescribeMaintenanceWindowTasks",
    ] {
        assert_eq!(aws.err(operation, named.clone()), "DoesNotExistException");
    }
}
