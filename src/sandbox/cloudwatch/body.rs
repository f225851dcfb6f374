//! What CloudWatch says about the body of a dashboard: errors refuse it, warnings do not.
//!
//! The rules are those of "Dashboard Body Structure and Syntax" in the API reference. Words and places of the errors
//! are those that callers of the service have reported (quoted in issues of aws-cdk, pulumi and others).

use serde_json::{Value, json};

use super::metric;
use crate::sandbox::{Fault, Map};

/// One remark on a body, with the place it is about.
#[derive(Debug)]
pub(super) struct Message {
    path: String,
    text: String,
}

impl Message {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    pub(super) fn to_answer(&self) -> Value {
        json!({ "DataPath": self.path, "Message": self.text })
    }
}

/// What was found, by how bad it is.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: Vec<Message>,
    warnings: Vec<Message>,
}

impl Findings {
    pub(super) fn error(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.errors.push(Message::new(path, text));
    }

    fn warning(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.warnings.push(Message::new(path, text));
    }

    /// Returns how many errors there are so far.
    pub(super) fn count(&self) -> usize {
        self.errors.len()
    }

    /// Notes a member that is not there.
    pub(super) fn require(&mut self, path: &str, members: &Map, member: &str) -> bool {
        let there = members.contains_key(member);
        if !there {
            self.error(path, format!("Should have required property '{member}'"));
        }
        there
    }
}

/// How many widgets a dashboard holds.
const MOST_WIDGETS: usize = 500;

/// How many metrics a dashboard holds.
const MOST_METRICS: usize = 2500;

/// The types of widgets.
const TYPES: &[&str] = &[
    "alarm", "chart", "custom", "explorer", "log", "metric", "text",
];

/// The members of a body and of a widget.
const BODY: &[&str] = &["end", "periodOverride", "start", "variables", "widgets"];
const WIDGET: &[&str] = &["height", "properties", "type", "width", "x", "y"];

/// The grid: each member with its smallest and its largest value.
const GRID: &[(&str, i64, i64)] = &[
    ("x", 0, 23),
    ("y", 0, i64::MAX),
    ("width", 1, 24),
    ("height", 1, 1000),
];

/// Returns the warnings about a body, or the fault that refuses it.
pub(super) fn validate(text: &str) -> Result<Vec<Message>, Fault> {
    let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) else {
        let message = "The field DashboardBody must be a valid JSON object";
        return Err(refused(message.to_owned(), &[Message::new("", message)]));
    };
    let mut findings = Findings::default();
    check(&body, &mut findings);
    let Findings { errors, warnings } = findings;
    if errors.is_empty() {
        return Ok(warnings);
    }
    let listed: Vec<Value> = errors
        .iter()
        .map(|error| json!({ "dataPath": error.path, "message": error.text }))
        .collect();
    let message = format!(
        "The dashboard body is invalid, there are {} validation errors:\n{:#}",
        errors.len(),
        Value::from(listed)
    );
    Err(refused(message, &errors))
}

fn refused(message: String, errors: &[Message]) -> Fault {
    let messages: Vec<Value> = errors.iter().map(Message::to_answer).collect();
    Fault::new("InvalidParameterInput", message).with("dashboardValidationMessages", messages)
}

fn check(body: &Map, findings: &mut Findings) {
    for member in unknown(body, BODY) {
        let text = format!("The \"{member}\" property is not expected, will be ignored");
        findings.warning("", text);
    }
    if let Some(over) = body.get("periodOverride")
        && !matches!(over.as_str(), Some("auto" | "inherit"))
    {
        let text = "Should be equal to one of the allowed values";
        findings.error("/periodOverride", text);
    }
    if body.contains_key("end") && !body.contains_key("start") {
        // The dashboard is made and the setting ignored (aws-cdk pull request 27124).
        let text = "The \"end\" property needs a \"start\" property, will be ignored";
        findings.warning("/end", text);
    }
    if body.get("variables").is_some_and(|v| !v.is_array()) {
        findings.error("/variables", "Should be array");
    }
    if !findings.require("", body, "widgets") {
        return;
    }
    let Some(widgets) = body.get("widgets").and_then(Value::as_array) else {
        findings.error("/widgets", "Should be array");
        return;
    };
    if widgets.len() > MOST_WIDGETS {
        let text = format!("Should NOT have more than {MOST_WIDGETS} items");
        findings.error("/widgets", text);
    }
    for (at, widget) in widgets.iter().enumerate() {
        check_widget(&format!("/widgets/{at}"), widget, findings);
    }
    let metrics: usize = widgets.iter().map(metric::count).sum();
    if metrics > MOST_METRICS {
        let text = format!("A dashboard can have at most {MOST_METRICS} metrics");
        findings.error("/widgets", text);
    }
}

fn unknown<'a>(members: &'a Map, known: &[&str]) -> impl Iterator<Item = &'a str> {
    members
        .keys()
        .map(String::as_str)
        .filter(|member| !known.contains(member))
}

fn check_widget(path: &str, widget: &Value, findings: &mut Findings) {
    let Some(widget) = widget.as_object() else {
        findings.error(path, "Should be object");
        return;
    };
    for member in unknown(widget, WIDGET) {
        let text = format!(
            "The \"{member}\" property is not expected to be part of a widget definition, will be ignored"
        );
        findings.warning(path, text);
    }
    for (member, least, most) in GRID {
        if let Some(value) = widget.get(*member)
            && let Some(text) = off_grid(value, *least, *most)
        {
            findings.warning(format!("{path}/{member}"), text);
        }
    }
    let typed = findings.require(path, widget, "type");
    if !findings.require(path, widget, "properties") || !typed {
        return;
    }
    let inside = format!("{path}/properties");
    let Some(properties) = widget.get("properties").and_then(Value::as_object) else {
        findings.error(inside, "Should be object");
        return;
    };
    match widget.get("type").and_then(Value::as_str) {
        Some("alarm") => check_alarms(&inside, properties, findings),
        Some("custom") => {
            findings.require(&inside, properties, "endpoint");
        }
        Some("log") => {
            findings.require(&inside, properties, "region");
            findings.require(&inside, properties, "query");
        }
        Some("metric") => metric::check(&inside, properties, findings),
        Some("text") => {
            findings.require(&inside, properties, "markdown");
        }
        Some(kind) if TYPES.contains(&kind) => {}
        _ => {
            let text = "Should be equal to one of the allowed values";
            findings.warning(format!("{path}/type"), text);
        }
    }
}

fn off_grid(value: &Value, least: i64, most: i64) -> Option<String> {
    match value.as_i64() {
        None => Some("Should be integer".to_owned()),
        Some(at) if at < least => Some(format!("Should be >= {least}")),
        Some(at) if at > most => Some(format!("Should be <= {most}")),
        Some(_) => None,
    }
}

fn check_alarms(path: &str, properties: &Map, findings: &mut Findings) {
    if !findings.require(path, properties, "alarms") {
        return;
    }
    let path = format!("{path}/alarms");
    match properties.get("alarms").and_then(Value::as_array) {
        None => findings.error(path, "Should be array"),
        Some(alarms) if alarms.is_empty() => {
            findings.error(path, "Should NOT have less than 1 items");
        }
        Some(alarms) if alarms.len() > 100 => {
            findings.error(path, "Should NOT have more than 100 items");
        }
        Some(_) => {}
    }
}
