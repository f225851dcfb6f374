//! Alarms without a wire.

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use crate::sandbox::cloudwatch::{OPERATIONS, SERVICE};
use crate::sandbox::models::services;
use crate::sandbox::wire::{self, Protocol};
use crate::sandbox::{Call, Fault, State};

const ACCOUNT: &str = "111122223333";

struct World {
    state: State,
    region: &'static str,
    now: Timestamp,
    rng: SmallRng,
}

impl World {
    fn new() -> Self {
        Self {
            state: State::default(),
            region: "eu-west-1",
            now: Timestamp::from_second(1_767_225_600).unwrap(),
            rng: SmallRng::seed_from_u64(7),
        }
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Fault> {
        let groups = OPERATIONS.iter().copied().flatten();
        let groups = groups.chain(
            crate::sandbox::incidents::OPERATIONS
                .iter()
                .copied()
                .flatten(),
        );
        let run = groups
            .into_iter()
            .find(|known| known.name == operation)
            .unwrap()
            .run;
        let service = services().find(|s| s.name == SERVICE).unwrap();
        let input = input.as_object().unwrap();
        if let Some(model) = service.operations.get(operation) {
            wire::validate(service, Protocol::Query, model, input)?;
        }
        self.now += SignedDuration::from_secs(1);
        let mut call = Call {
            account: ACCOUNT,
            region: self.region,
            caller: "arn:aws:iam::111122223333:user/tester",
            input,
            now: self.now,
            rng: &mut self.rng,
        };
        run(&mut self.state, &mut call).map(Value::from)
    }

    fn ok(&mut self, operation: &str, input: &Value) -> Value {
        let answer = self.call(operation, input);
        answer.unwrap_or_else(|fault| panic!("{operation}: {}: {}", fault.code, fault.message))
    }

    /// Calls what must be refused, and returns the code and the message.
    fn refused(&mut self, operation: &str, input: &Value) -> (String, String) {
        let fault = self.call(operation, input).expect_err(operation);
        (fault.code, fault.message)
    }

    fn metric(&mut self, name: &str) {
        self.ok("PutMetricAlarm", &metric(name, &json!({})));
    }

    fn composite(&mut self, name: &str, rule: &str) {
        self.ok(
            "PutCompositeAlarm",
            &json!({ "AlarmName": name, "AlarmRule": rule }),
        );
    }

    fn set(&mut self, name: &str, state: &str) {
        let input = json!({ "AlarmName": name, "StateValue": state, "StateReason": "by hand" });
        self.ok("SetAlarmState", &input);
    }

    fn alarms(&mut self, input: &Value) -> Vec<Value> {
        let answer = self.ok("DescribeAlarms", input);
        let of = |member: &str| answer[member].as_array().unwrap().clone();
        [of("MetricAlarms"), of("CompositeAlarms")].concat()
    }

    fn names(&mut self, input: &Value) -> Vec<String> {
        let found = self.alarms(input).into_iter();
        found
            .map(|a| a["AlarmName"].as_str().unwrap().to_owned())
            .collect()
    }

    fn state(&mut self, name: &str) -> String {
        let found = self.alarms(&both(&json!({ "AlarmNames": [name] })));
        found[0]["StateValue"].as_str().unwrap().to_owned()
    }
}

fn both(input: &Value) -> Value {
    let mut input = input.clone();
    input["AlarmTypes"] = json!(["MetricAlarm", "CompositeAlarm"]);
    input
}

fn metric(name: &str, extra: &Value) -> Value {
    let mut input = json!({
        "AlarmName": name, "Namespace": "Banana", "MetricName": "Errors", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    for (member, value) in extra.as_object().unwrap() {
        if value.is_null() {
            input.as_object_mut().unwrap().remove(member);
        } else {
            input[member] = value.clone();
        }
    }
    input
}

#[test]
fn a_put_writes_over_everything_but_the_state_and_the_tags() {
    let mut world = World::new();
    let tags = json!([{ "Key": "team", "Value": "banana" }]);
    let first = json!({ "AlarmDescription": "first", "Tags": tags, "Unit": "Count" });
    world.ok("PutMetricAlarm", &metric("a", &first));
    world.set("a", "ALARM");
    let tags = json!([{ "Key": "team", "Value": "mango" }]);
    world.ok(
        "PutMetricAlarm",
        &metric("a", &json!({ "Tags": tags, "Threshold": 2.0 })),
    );
    let alarm = world.alarms(&json!({})).remove(0);
    assert_eq!(
        alarm["AlarmArn"],
        "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"
    );
    assert_eq!(alarm["StateValue"], "ALARM");
    assert_eq!(alarm["Threshold"], 2.0);
    assert_eq!(alarm["ActionsEnabled"], true);
    assert_eq!(alarm["Dimensions"], json!([]));
    assert_eq!(
        (alarm.get("AlarmDescription"), alarm.get("Unit")),
        (None, None)
    );
    let arn = json!({ "ResourceARN": alarm["AlarmArn"] });
    let tags = world.ok("ListTagsForResource", &arn);
    assert_eq!(
        tags,
        json!({ "Tags": [{ "Key": "team", "Value": "banana" }] })
    );
}

#[test]
fn alarms_have_one_namespace_in_a_region() {
    let mut world = World::new();
    world.metric("a");
    world.composite("b", "ALARM(a)");
    let (code, _) = world.refused(
        "PutCompositeAlarm",
        &json!({ "AlarmName": "a", "AlarmRule": "TRUE" }),
    );
    assert_eq!(code, "ValidationError");
    assert_eq!(
        world.refused("PutMetricAlarm", &metric("b", &json!({}))).0,
        "ValidationError"
    );
    world.region = "us-east-1";
    assert!(world.alarms(&both(&json!({}))).is_empty());
    let arn = json!({ "ResourceARN": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a" });
    assert_eq!(
        world.refused("ListTagsForResource", &arn).0,
        "ResourceNotFoundException"
    );
}

#[test]
fn describing_filters_and_has_pages() {
    let mut world = World::new();
    for name in ["shop-a", "shop-b", "other"] {
        world.metric(name);
    }
    let topic = "arn:aws:sns:eu-west-1:111122223333:on-call";
    world.ok(
        "PutMetricAlarm",
        &metric("acts", &json!({ "OKActions": [topic] })),
    );
    world.composite("shop", "ALARM(shop-a) OR ALARM(\"shop-b\")");
    assert_eq!(
        world.names(&json!({})),
        ["acts", "other", "shop-a", "shop-b"]
    );
    assert_eq!(
        world.names(&json!({ "AlarmTypes": ["CompositeAlarm"] })),
        ["shop"]
    );
    assert_eq!(
        world.names(&both(&json!({ "AlarmNamePrefix": "shop" }))),
        ["shop-a", "shop-b", "shop"]
    );
    assert_eq!(
        world.names(&both(&json!({ "AlarmNames": ["shop", "none"] }))),
        ["shop"]
    );
    assert_eq!(
        world.names(&json!({ "ActionPrefix": "arn:aws:sns:" })),
        ["acts"]
    );
    assert_eq!(world.names(&json!({ "StateValue": "OK" })), [""; 0]);
    assert_eq!(
        world.names(&json!({ "ChildrenOfAlarmName": "shop" })),
        ["shop-a", "shop-b"]
    );
    assert_eq!(
        world.names(&json!({ "ParentsOfAlarmName": "shop-b" })),
        ["shop"]
    );
    let page = world.ok("DescribeAlarms", &both(&json!({ "MaxRecords": 4 })));
    let rest = both(&json!({ "MaxRecords": 4, "NextToken": page["NextToken"] }));
    assert_eq!(world.names(&rest), ["shop-b"]);
    let wrong = json!({ "NextToken": "guessed" });
    assert_eq!(
        world.refused("DescribeAlarms", &wrong).0,
        "InvalidNextToken"
    );
    let wrong = json!({ "ChildrenOfAlarmName": "shop", "StateValue": "OK" });
    assert_eq!(world.refused("DescribeAlarms", &wrong).0, "ValidationError");
    for number in 0..100 {
        world.metric(&format!("many-{number:03}"));
    }
    assert_eq!(
        world.names(&json!({ "AlarmNamePrefix": "many" })).len(),
        100
    );
    assert_eq!(world.names(&json!({})).len(), 100, "a page has a hundred");
    let of = json!({ "Namespace": "Banana", "MetricName": "Errors", "Period": 60 });
    let found = world.ok("DescribeAlarmsForMetric", &of);
    assert_eq!(found["MetricAlarms"].as_array().unwrap().len(), 104);
    let of = json!({ "Namespace": "Banana", "MetricName": "Errors", "Dimensions": [{ "Name": "a", "Value": "b" }] });
    assert_eq!(
        world.ok("DescribeAlarmsForMetric", &of),
        json!({ "MetricAlarms": [] })
    );
}

#[test]
fn what_composite_alarms_depend_on_is_there_and_stays() {
    let mut world = World::new();
    let (code, said) = world.refused(
        "PutCompositeAlarm",
        &json!({ "AlarmName": "c", "AlarmRule": "ALARM(a)" }),
    );
    assert_eq!(code, "ValidationError");
    assert!(
        said.contains("alarms [a] in the alarm rule do not exist"),
        "{said}"
    );
    for name in ["a", "b", "quiet"] {
        world.metric(name);
    }
    world.composite(
        "c",
        "ALARM(arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a) AND OK(b)",
    );
    let put = json!({ "AlarmName": "d", "AlarmRule": "ALARM(c)", "ActionsSuppressor": "quiet",
        "ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1 });
    world.ok("PutCompositeAlarm", &put);
    for (names, held) in [
        (json!(["a", "b"]), "a,b as"),
        (json!(["c"]), "c as"),
        (json!(["quiet"]), "quiet as"),
    ] {
        let (code, said) = world.refused("DeleteAlarms", &json!({ "AlarmNames": names }));
        assert_eq!(code, "ValidationError");
        assert!(
            said.contains(held) && said.contains("composite alarm(s) depending on"),
            "{said}"
        );
    }
    let (code, _) = world.refused("DeleteAlarms", &json!({ "AlarmNames": ["c", "d"] }));
    assert_eq!(code, "ValidationError", "one composite alarm at a time");
    world.ok("DeleteAlarms", &json!({ "AlarmNames": ["d", "quiet"] }));
    let (code, said) = world.refused("DeleteAlarms", &json!({ "AlarmNames": ["c", "none"] }));
    assert_eq!(
        (code.as_str(), said.contains("none")),
        ("ResourceNotFound", true)
    );
    assert_eq!(world.names(&both(&json!({}))), ["a", "b"]);
}

#[test]
fn a_circle_cannot_be_deleted_until_it_is_broken() {
    let mut world = World::new();
    world.composite("a", "FALSE");
    world.composite("b", "ALARM(a)");
    world.composite("a", "NOT ALARM(b)");
    for name in ["a", "b"] {
        assert_eq!(
            world
                .refused("DeleteAlarms", &json!({ "AlarmNames": [name] }))
                .0,
            "ValidationError"
        );
    }
    // Nothing is evaluated in a circle.
    assert_eq!(
        (world.state("a"), world.state("b")),
        ("OK".to_owned(), "OK".to_owned())
    );
    world.composite("a", "false");
    world.ok("DeleteAlarms", &json!({ "AlarmNames": ["b"] }));
    world.ok("DeleteAlarms", &json!({ "AlarmNames": ["a"] }));
}

#[test]
fn composite_alarms_follow_those_below_them() {
    let mut world = World::new();
    world.metric("a");
    world.metric("b");
    world.composite("pair", "ALARM(a) AND ALARM(b)");
    world.composite(
        "top",
        "ALARM(pair) OR AT_LEAST(50%, INSUFFICIENT_DATA, (a, b))",
    );
    assert_eq!(
        (world.state("a"), world.state("pair"), world.state("top")),
        (
            "INSUFFICIENT_DATA".to_owned(),
            "OK".to_owned(),
            "ALARM".to_owned()
        )
    );
    world.set("a", "ALARM");
    world.set("b", "OK");
    assert_eq!(
        (world.state("pair"), world.state("top")),
        ("OK".to_owned(), "OK".to_owned())
    );
    world.set("b", "ALARM");
    assert_eq!(
        (world.state("pair"), world.state("top")),
        ("ALARM".to_owned(), "ALARM".to_owned())
    );
    let wrong =
        json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "", "StateReasonData": "{" });
    assert_eq!(world.refused("SetAlarmState", &wrong).0, "InvalidFormat");
    let none = json!({ "AlarmName": "none", "StateValue": "OK", "StateReason": "" });
    assert_eq!(world.refused("SetAlarmState", &none).0, "ResourceNotFound");
}

#[test]
fn an_alarm_opens_an_incident_unless_it_is_kept_quiet() {
    let mut world = World::new();
    world.ok(
        "CreateReplicationSet",
        &json!({ "regions": { "eu-west-1": {} } }),
    );
    let replicated = json!({});
    for _ in 0..3 {
        world.ok("ListReplicationSets", &replicated);
        let sets = world.ok("ListReplicationSets", &replicated);
        world.ok(
            "GetReplicationSet",
            &json!({ "arn": sets["replicationSetArns"][0] }),
        );
    }
    let plan = json!({ "name": "down", "incidentTemplate": { "title": "Down", "impact": 1 } });
    let plan = world.ok("CreateResponsePlan", &plan)["arn"].clone();
    world.metric("a");
    world.metric("quiet");
    let put = json!({ "AlarmName": "c", "AlarmRule": "ALARM(a)", "AlarmActions": [plan], "ActionsSuppressor": "quiet",
        "ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1 });
    world.ok("PutCompositeAlarm", &put);
    let open = |world: &mut World| {
        let list = world.ok("ListIncidentRecords", &json!({}));
        list["incidentRecordSummaries"].as_array().unwrap().len()
    };
    world.set("quiet", "ALARM");
    world.set("a", "ALARM");
    let alarm = world
        .alarms(&json!({ "AlarmTypes": ["CompositeAlarm"] }))
        .remove(0);
    assert_eq!(
        (&alarm["StateValue"], &alarm["ActionsSuppressedBy"]),
        (&json!("ALARM"), &json!("Alarm"))
    );
    assert_eq!(open(&mut world), 0);
    world.set("a", "OK");
    world.set("quiet", "OK");
    world.ok(
        "DisableAlarmActions",
        &json!({ "AlarmNames": ["c", "none"] }),
    );
    world.set("a", "ALARM");
    assert_eq!(open(&mut world), 0);
    world.set("a", "OK");
    world.ok("EnableAlarmActions", &json!({ "AlarmNames": ["c"] }));
    world.set("a", "ALARM");
    assert_eq!(open(&mut world), 1);
    let input = json!({ "AlarmName": "c", "HistoryItemType": "Action" });
    let history = world.ok("DescribeAlarmHistory", &input);
    let said = history["AlarmHistoryItems"][0]["HistorySummary"]
        .as_str()
        .unwrap();
    assert!(
        said.starts_with("Successfully executed action arn:aws:ssm-incidents::"),
        "{said}"
    );
    // The same alarm folds into the incident that is open.
    world.set("a", "OK");
    world.set("a", "ALARM");
    assert_eq!(open(&mut world), 1);
}

#[test]
fn history_outlives_the_alarm() {
    let mut world = World::new();
    world.metric("a");
    world.set("a", "OK");
    world.set("a", "OK");
    world.ok("DeleteAlarms", &json!({ "AlarmNames": ["a"] }));
    let said = |answer: &Value| -> Vec<String> {
        let items = answer["AlarmHistoryItems"].as_array().unwrap().iter();
        items
            .map(|item| item["HistorySummary"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = world.ok("DescribeAlarmHistory", &json!({}));
    assert_eq!(
        said(&all),
        [
            "Alarm \"a\" deleted",
            "Alarm updated from INSUFFICIENT_DATA to OK",
            "Alarm \"a\" created"
        ]
    );
    let input = json!({ "AlarmName": "a", "MaxRecords": 2, "ScanBy": "TimestampAscending" });
    let page = world.ok("DescribeAlarmHistory", &input);
    assert_eq!(said(&page)[0], "Alarm \"a\" created");
    let mut next = input.clone();
    next["NextToken"] = page["NextToken"].clone();
    assert_eq!(
        said(&world.ok("DescribeAlarmHistory", &next)),
        ["Alarm \"a\" deleted"]
    );
}

#[test]
fn what_cloudwatch_refuses_is_refused() {
    let mut world = World::new();
    let odd =
        json!({ "Metric": { "Namespace": "B", "MetricName": "E" }, "Period": 60, "Stat": "Most" });
    let list = |queries: Value| json!({ "MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "Metrics": queries });
    let stat =
        json!({ "Metric": { "Namespace": "B", "MetricName": "E" }, "Period": 60, "Stat": "Sum" });
    for (extra, why) in [
        (json!({ "MetricName": null }), "MetricName must not be null"),
        (json!({ "Period": null }), "Period must not be null"),
        (
            json!({ "Period": 45 }),
            "Period must be 10, 20, 30 or a multiple of 60",
        ),
        (
            json!({ "ExtendedStatistic": "p99" }),
            "Exactly one of Statistic and ExtendedStatistic",
        ),
        (
            json!({ "Statistic": null, "ExtendedStatistic": "p101" }),
            "The value p101 for parameter ExtendedStatistic",
        ),
        (
            list(json!([{ "Id": "m1", "MetricStat": odd }])),
            "the statistic Most is not supported",
        ),
        (
            json!({ "Dimensions": [{ "Name": ":x", "Value": "y" }] }),
            "The dimension :x must",
        ),
        (
            json!({ "Dimensions": [{ "Name": "x", "Value": "é" }] }),
            "The dimension x must",
        ),
        (
            json!({ "AlarmActions": ["arn:aws:ssm:eu-west-1:111122223333:opsitem:9"] }),
            "Invalid arn syntax",
        ),
        (
            json!({ "AlarmActions": ["arn:aws:ssm:eu-west-1:111122223333:opsitem:2#CATEGORY=Foo"] }),
            "Invalid arn syntax",
        ),
        (json!({ "Threshold": null }), "Threshold must not be null"),
        (
            json!({ "DatapointsToAlarm": 2 }),
            "DatapointsToAlarm must be less than or equal",
        ),
        (
            json!({ "EvaluationPeriods": 1441 }),
            "EvaluationPeriods * Period must be <= 86400",
        ),
        (
            json!({ "ComparisonOperator": "LessThanLowerThreshold" }),
            "is only for an anomaly detection model",
        ),
        (
            json!({ "TreatMissingData": "maybe" }),
            "TreatMissingData must be one of",
        ),
        (
            json!({ "AlarmActions": ["on-call"] }),
            "Invalid arn syntax: on-call",
        ),
        (
            json!({ "Metrics": [{ "Id": "m1", "MetricStat": stat }] }),
            "MetricName should not be set if list of Metrics",
        ),
        (
            list(json!([{ "Id": "M1", "MetricStat": stat }])),
            "the id M1 is not valid",
        ),
        (
            list(json!([{ "Id": "m1" }])),
            "either MetricStat or Expression",
        ),
        (
            list(json!([{ "Id": "m1", "MetricStat": stat }, { "Id": "m2", "MetricStat": stat }])),
            "Exactly one element",
        ),
        (
            list(json!([{ "Id": "q1", "Expression": "SELECT SUM(x) FROM y" }])),
            "Period must not be null",
        ),
        (
            json!({ "EvaluationCriteria": { "PromQLCriteria": { "Query": "up" } }, "EvaluationInterval": 60 }),
            "MetricName should not be set if EvaluationCriteria is set",
        ),
    ] {
        let (code, said) = world.refused("PutMetricAlarm", &metric("a", &extra));
        assert_eq!(code, "ValidationError", "{extra}");
        assert!(said.contains(why), "{extra}: {said}");
    }
}

#[test]
fn bands_and_composite_alarms_take_their_own_members() {
    let mut world = World::new();
    let stat =
        json!({ "Metric": { "Namespace": "B", "MetricName": "E" }, "Period": 60, "Stat": "Sum" });
    let band = json!({ "Id": "ad", "Expression": "ANOMALY_DETECTION_BAND(m1)" });
    let mut anomaly = json!({ "MetricName": null, "Namespace": null, "Statistic": null, "Period": null,
        "Metrics": [{ "Id": "m1", "MetricStat": stat }, band] });
    anomaly["Threshold"] = Value::Null;
    anomaly["ThresholdMetricId"] = json!("ad");
    anomaly["ComparisonOperator"] = json!("GreaterThanUpperThreshold");
    world.ok("PutMetricAlarm", &metric("band", &anomaly));
    let read = world.alarms(&json!({ "AlarmNames": ["band"] })).remove(0);
    assert_eq!(read["Metrics"][1]["ReturnData"], true);
    anomaly["AlarmActions"] = json!([
        "arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:1:autoScalingGroupName/a:policyName/b"
    ]);
    let (_, said) = world.refused("PutMetricAlarm", &metric("band", &anomaly));
    assert!(said.contains("Auto Scaling"), "{said}");
    for (extra, why) in [
        (json!({ "AlarmRule": "ALARM(" }), "invalid expression"),
        (
            json!({ "AlarmRule": vec!["TRUE"; 501].join(" OR ") }),
            "501 elements are more than 500",
        ),
        (
            json!({ "OKActions": ["arn:aws:ssm:eu-west-1:111122223333:opsitem:1"] }),
            "do not support this action",
        ),
        (
            json!({ "AlarmActions": ["arn:aws:automate:eu-west-1:ec2:stop"] }),
            "do not support this action",
        ),
        (
            json!({ "ActionsSuppressor": "band" }),
            "ActionsSuppressorWaitPeriod must not be null",
        ),
        (
            json!({ "ActionsSuppressorWaitPeriod": 1 }),
            "should not be set if ActionsSuppressor is not set",
        ),
    ] {
        let mut put = json!({ "AlarmName": "c", "AlarmRule": "TRUE" });
        put.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let (code, said) = world.refused("PutCompositeAlarm", &put);
        assert_eq!(code, "ValidationError");
        assert!(said.contains(why), "{extra}: {said}");
    }
}
