//! Dashboards without a wire.

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::OPERATIONS;
use crate::sandbox::{Call, Fault, State};

const EMPTY: &str = "{\"widgets\": []}";

struct World {
    state: State,
    account: &'static str,
    region: &'static str,
    now: Timestamp,
    rng: SmallRng,
}

impl World {
    fn new() -> Self {
        Self {
            state: State::default(),
            account: "111122223333",
            region: "eu-west-1",
            now: Timestamp::from_second(1_767_225_600).unwrap(),
            rng: SmallRng::seed_from_u64(7),
        }
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Fault> {
        let operation = OPERATIONS
            .iter()
            .flat_map(|group| group.iter())
            .find(|known| known.name == operation)
            .unwrap();
        self.now += SignedDuration::from_secs(1);
        let mut call = Call {
            account: self.account,
            region: self.region,
            caller: "arn:aws:iam::111122223333:user/tester",
            input: input.as_object().unwrap(),
            now: self.now,
            rng: &mut self.rng,
        };
        (operation.run)(&mut self.state, &mut call).map(Value::from)
    }

    fn put(&mut self, name: &str, body: &str) -> Result<Value, Fault> {
        let input = json!({ "DashboardName": name, "DashboardBody": body });
        self.call("PutDashboard", &input)
    }

    fn names(&mut self, input: &Value) -> Vec<String> {
        let answer = self.call("ListDashboards", input).unwrap();
        let entries = answer["DashboardEntries"].as_array().unwrap();
        let names = entries.iter().map(|e| e["DashboardName"].as_str().unwrap());
        names.map(str::to_owned).collect()
    }

    /// The places and words with which a body of one widget is refused.
    fn errors(&mut self, widget: &Value) -> Vec<(String, String)> {
        let body = json!({ "widgets": [widget] }).to_string();
        let fault = self.put("refused", &body).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterInput");
        messages(&fault.members["dashboardValidationMessages"])
    }

    /// The places and words about which a body of one widget is warned.
    fn warnings(&mut self, widget: &Value) -> Vec<(String, String)> {
        let body = json!({ "widgets": [widget] }).to_string();
        let answer = self.put("warned", &body).unwrap();
        messages(&answer["DashboardValidationMessages"])
    }
}

fn messages(list: &Value) -> Vec<(String, String)> {
    let text = |message: &Value, member: &str| message[member].as_str().unwrap().to_owned();
    let list = list.as_array().unwrap().iter();
    list.map(|m| (text(m, "DataPath"), text(m, "Message")))
        .collect()
}

fn metric(metrics: &Value) -> Value {
    let properties = json!({ "region": "eu-west-1", "metrics": metrics });
    json!({ "type": "metric", "properties": properties })
}

#[test]
fn body_is_kept_byte_for_byte() {
    let mut world = World::new();
    let body = "{ \"widgets\" :\n [], \"start\": \"-PT6H\",\t\"periodOverride\":\"auto\" }";
    let answer = world.put("checkout", body).unwrap();
    assert_eq!(answer, json!({ "DashboardValidationMessages": [] }));
    let input = json!({ "DashboardName": "checkout" });
    let arn = "arn:aws:cloudwatch::111122223333:dashboard/checkout";
    assert_eq!(
        world.call("GetDashboard", &input).unwrap(),
        json!({ "DashboardArn": arn, "DashboardBody": body, "DashboardName": "checkout" })
    );
    let list = world.call("ListDashboards", &json!({})).unwrap();
    let entry = &list["DashboardEntries"][0];
    assert_eq!(entry["Size"], body.len());
    assert_eq!(entry["DashboardArn"], arn);
    assert!(entry["LastModified"].is_f64());
}

#[test]
fn dashboards_are_the_same_in_every_region() {
    let mut world = World::new();
    world.put("checkout", EMPTY).unwrap();
    world.region = "us-east-1";
    assert_eq!(world.names(&json!({})), ["checkout"]);
    world.account = "444455556666";
    assert!(world.names(&json!({})).is_empty());
}

#[test]
fn put_replaces_the_body_and_ignores_tags_then() {
    let mut world = World::new();
    let put = |body: &str, value: &str| {
        let tags = json!([{ "Key": "team", "Value": value }]);
        json!({ "DashboardName": "checkout", "DashboardBody": body, "Tags": tags })
    };
    world.call("PutDashboard", &put(EMPTY, "banana")).unwrap();
    let before = world.call("ListDashboards", &json!({})).unwrap();
    let other = "{\"widgets\":[],\"end\":\"P1D\",\"start\":\"P2D\"}";
    world.call("PutDashboard", &put(other, "apple")).unwrap();
    let after = world.call("ListDashboards", &json!({})).unwrap();
    assert_ne!(before, after);
    let arn = json!({ "ResourceARN": "arn:aws:cloudwatch::111122223333:dashboard/checkout" });
    assert_eq!(
        world.call("ListTagsForResource", &arn).unwrap(),
        json!({ "Tags": [{ "Key": "team", "Value": "banana" }] })
    );
}

#[test]
fn name_has_letters_digits_dash_and_underscore() {
    let mut world = World::new();
    let long = "a".repeat(256);
    for name in ["", "two words", "dotted.name", long.as_str()] {
        let fault = world.put(name, EMPTY).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterValue", "{name}");
    }
    world.put(&long[1..], EMPTY).unwrap();
}

#[test]
fn missing_dashboard_is_not_found() {
    let mut world = World::new();
    let input = json!({ "DashboardName": "none" });
    let fault = world.call("GetDashboard", &input).unwrap_err();
    assert_eq!(
        (fault.code.as_str(), fault.status),
        ("ResourceNotFound", 404)
    );
}

#[test]
fn delete_takes_what_it_can_and_names_the_rest() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.put(name, EMPTY).unwrap();
    }
    let fault = world
        .call(
            "DeleteDashboards",
            &json!({ "DashboardNames": ["a", "none", "c"] }),
        )
        .unwrap_err();
    assert_eq!(fault.code, "ResourceNotFound");
    assert_eq!(world.names(&json!({})), ["b"]);
    let answer = world.call("DeleteDashboards", &json!({ "DashboardNames": ["b"] }));
    assert_eq!(answer.unwrap(), json!({}));

    let many: Vec<String> = (0..101).map(|n| format!("d{n}")).collect();
    let fault = world
        .call("DeleteDashboards", &json!({ "DashboardNames": many }))
        .unwrap_err();
    assert_eq!(fault.code, "InvalidParameterValue");
}

#[test]
fn list_has_a_thousand_to_the_page() {
    let mut world = World::new();
    for n in 0..1001 {
        world.put(&format!("d{n:04}"), EMPTY).unwrap();
    }
    world.put("other", EMPTY).unwrap();
    let prefix = json!({ "DashboardNamePrefix": "d" });
    let page = world.call("ListDashboards", &prefix).unwrap();
    assert_eq!(page["DashboardEntries"].as_array().unwrap().len(), 1000);
    let next = json!({ "DashboardNamePrefix": "d", "NextToken": page["NextToken"] });
    assert_eq!(world.names(&next), ["d1000"]);
    for input in [
        json!({ "NextToken": "guessed" }),
        json!({ "DashboardNamePrefix": "a b" }),
    ] {
        let fault = world.call("ListDashboards", &input).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterValue");
    }
}

#[test]
fn body_must_be_an_object_with_widgets() {
    let mut world = World::new();
    for (body, path) in [
        ("", ""),
        ("widgets: []", ""),
        ("[]", ""),
        ("{}", ""),
        ("{\"widgets\": {}}", "/widgets"),
        ("{\"widgets\": [1]}", "/widgets/0"),
        (
            "{\"widgets\": [], \"periodOverride\": \"no\"}",
            "/periodOverride",
        ),
    ] {
        let fault = world.put("refused", body).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterInput", "{body}");
        let messages = messages(&fault.members["dashboardValidationMessages"]);
        assert_eq!(messages[0].0, path, "{body}");
    }
    assert!(world.names(&json!({})).is_empty());
    let many: Vec<Value> = (0..501).map(|_| text()).collect();
    let body = json!({ "widgets": many }).to_string();
    assert!(world.put("refused", &body).is_err());
}

fn text() -> Value {
    json!({ "type": "text", "properties": { "markdown": "# Hello" } })
}

#[test]
fn error_lists_all_mistakes_as_json() {
    let mut world = World::new();
    let widget = json!({ "type": "text", "properties": {} });
    let body = json!({ "widgets": [widget, { "type": "log" }] }).to_string();
    let fault = world.put("refused", &body).unwrap_err();
    let (head, list) = fault.message.split_once('\n').unwrap();
    assert_eq!(
        head,
        "The dashboard body is invalid, there are 2 validation errors:"
    );
    let list: Value = serde_json::from_str(list).unwrap();
    assert_eq!(
        list,
        json!([
            { "dataPath": "/widgets/0/properties", "message": "Should have required property 'markdown'" },
            { "dataPath": "/widgets/1", "message": "Should have required property 'properties'" },
        ])
    );
}

#[test]
fn doubtful_widgets_are_warned_about_and_saved() {
    let mut world = World::new();
    let mut widget = text();
    for (member, value) in [("x", 24), ("y", -1), ("width", 25), ("height", 0)] {
        widget[member] = json!(value);
    }
    widget["colour"] = json!("red");
    let warnings = world.warnings(&widget);
    let paths: Vec<&str> = warnings.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/widgets/0",
            "/widgets/0/x",
            "/widgets/0/y",
            "/widgets/0/width",
            "/widgets/0/height"
        ]
    );
    assert_eq!(
        warnings[0].1,
        "The \"colour\" property is not expected to be part of a widget definition, will be ignored"
    );
    let unknown = json!({ "type": "hologram", "properties": {} });
    assert_eq!(world.warnings(&unknown)[0].0, "/widgets/0/type");
    assert_eq!(world.names(&json!({})), ["warned"]);
}

#[test]
fn metric_widget_needs_a_region_and_something_to_show() {
    let mut world = World::new();
    let custom =
        "The metric widget should have specified a region and a data source or an alarm annotation";
    for (properties, first, last) in [
        (json!({ "region": "eu-west-1" }), "metrics", "annotations"),
        (json!({ "metrics": [["A", "b"]] }), "region", "region"),
    ] {
        let errors = world.errors(&json!({ "type": "metric", "properties": properties }));
        let texts: Vec<&str> = errors.iter().map(|(_, text)| text.as_str()).collect();
        let lacks = |member| format!("Should have required property '{member}'");
        assert_eq!(texts, [lacks(first), custom.to_owned(), lacks(last)]);
    }
    let alarm = json!({ "region": "eu-west-1", "annotations": { "alarms": ["arn"] } });
    let warnings = world.warnings(&json!({ "type": "metric", "properties": alarm }));
    assert!(warnings.is_empty());
}

#[test]
fn metrics_of_all_documented_forms_are_accepted() {
    let mut world = World::new();
    let metrics = json!([
        ["AWS/EC2", "CPUUtilization", "InstanceId", "i-012345"],
        ["AWS/EC2", "NetworkIn"],
        [".", "NetworkOut", ".", "."],
        ["...", "i-6789", { "stat": "p99.9", "yAxis": "right", "color": "#d62728" }],
        ["...", { "stat": "TM(10%:90%)", "visible": false, "period": 60, "label": "x", "id": "m1" }],
        [{ "expression": "SUM(METRICS())", "label": "all", "id": "e1", "region": "us-east-1" }],
    ]);
    assert!(world.warnings(&metric(&metrics)).is_empty());
}

#[test]
fn metrics_are_refused_as_callers_have_seen() {
    let mut world = World::new();
    let more = |n: usize| format!("Should NOT have more than {n} items");
    let strings = "Invalid metric field type, only \"String\" type is allowed".to_owned();
    for (entry, place, text) in [
        (
            json!(["AWS/Lambda", "Errors", { "FunctionName": "f" }]),
            "",
            more(2),
        ),
        (
            json!(["ECSLogs", "Errors", { "color": "red" }]),
            "",
            more(2),
        ),
        (
            json!(["A", "B", "C", "d", { "stat": "Sample count" }]),
            "",
            more(4),
        ),
        (json!([".", ".", ".", "Service", "AmazonS3"]), "", more(4)),
        (
            json!(["A", "B", { "stat": "Sum" }, { "x": "y" }]),
            "/2",
            strings.clone(),
        ),
        (json!(["A", "B", "C", 4]), "/3", strings),
        (json!("A"), "", "Should be array".to_owned()),
    ] {
        let errors = world.errors(&metric(&json!([entry])));
        let place = format!("/widgets/0/properties/metrics/0{place}");
        assert_eq!(errors[0], (place, text), "{entry}");
    }
}

#[test]
fn alarm_widget_needs_alarms() {
    let mut world = World::new();
    let alarms = |alarms: Value| json!({ "type": "alarm", "properties": { "alarms": alarms } });
    let errors = world.errors(&alarms(json!([])));
    let path = "/widgets/0/properties/alarms".to_owned();
    assert_eq!(
        errors,
        [(path, "Should NOT have less than 1 items".to_owned())]
    );
    assert!(world.warnings(&alarms(json!(["arn"]))).is_empty());
}

#[test]
fn tags_belong_to_a_dashboard_that_is_there() {
    let mut world = World::new();
    world.put("checkout", EMPTY).unwrap();
    let arn = "arn:aws:cloudwatch::111122223333:dashboard/checkout";
    let tag = |key: &str| json!({ "ResourceARN": arn, "Tags": [{ "Key": key, "Value": "" }] });
    for n in 0..50 {
        world.call("TagResource", &tag(&format!("k{n}"))).unwrap();
    }
    world.call("TagResource", &tag("k0")).unwrap();
    for key in ["k50", "aws:mine"] {
        let fault = world.call("TagResource", &tag(key)).unwrap_err();
        assert_eq!(fault.code, "InvalidParameterValue");
    }
    let untag = json!({ "ResourceARN": arn, "TagKeys": ["k0", "never"] });
    world.call("UntagResource", &untag).unwrap();
    let list = world.call("ListTagsForResource", &json!({ "ResourceARN": arn }));
    assert_eq!(list.unwrap()["Tags"].as_array().unwrap().len(), 49);

    for (arn, code) in [
        (
            "arn:aws:cloudwatch::111122223333:dashboard/none",
            "ResourceNotFoundException",
        ),
        (
            "arn:aws:cloudwatch::444455556666:dashboard/checkout",
            "ResourceNotFoundException",
        ),
        (
            "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a",
            "ResourceNotFoundException",
        ),
        ("checkout", "InvalidParameterValue"),
    ] {
        let fault = world
            .call("ListTagsForResource", &json!({ "ResourceARN": arn }))
            .unwrap_err();
        assert_eq!(fault.code, code, "{arn}");
    }
}
