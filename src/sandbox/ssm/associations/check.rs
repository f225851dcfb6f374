//! What AWS refuses in an association. [T] aws-systems-manager reference, section 5; texts are AWS's where a source is
//! named.

use serde_json::Value;

use super::super::automation::parameters::check_values;
use super::super::documents::{self, content};
use super::super::invalid;
use super::schedule;
use crate::sandbox::{Call, Fault, Map, State};

/// Checks what an association would say.
pub(super) fn check(state: &State, call: &Call<'_>, fields: &Map) -> Result<(), Fault> {
    let said = Said(fields);
    let name = said.text("Name").unwrap_or_default();
    let found = documents::find(state, call, name)?;
    let kind = found.document.kind.as_str();
    if !["Command", "Policy", "Automation"].contains(&kind) {
        // The text: terraform-provider-aws issue 35664, for a package.
        return Err(Fault::new(
            "InvalidDocument",
            format!("Document type {kind} is not supported for associations"),
        ));
    }
    let version = found.version(said.text("DocumentVersion"), None)?;
    let body = content::parse(&version.format, &version.content)?;
    check_node(&said, &body)?;
    let is_runbook = kind == "Automation";
    check_targets(&said, is_runbook)?;
    check_parameters(&said, &body, is_runbook)?;
    check_schedule(&said)?;
    check_output(&said)?;
    let locations = said.list("TargetLocations");
    if locations
        .iter()
        .any(|location| location.get("TargetLocationAlarmConfiguration").is_some())
    {
        // [M] "The TargetLocationAlarmConfiguration parameter is not supported by State Manager."
        return Err(invalid(
            "The TargetLocationAlarmConfiguration parameter is not supported by State Manager.",
        ));
    }
    Ok(())
}

/// What a request says.
struct Said<'a>(&'a Map);

impl<'a> Said<'a> {
    fn has(&self, member: &str) -> bool {
        self.0.contains_key(member)
    }

    fn text(&self, member: &str) -> Option<&'a str> {
        self.0.get(member).and_then(Value::as_str)
    }

    fn list(&self, member: &str) -> &'a [Value] {
        let list = self.0.get(member).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// The keys and values of its targets.
    fn targets(&self) -> Vec<(&'a str, Vec<&'a str>)> {
        let pair = |target: &'a Value| {
            let key = target.get("Key").and_then(Value::as_str);
            let values = target.get("Values").and_then(Value::as_array);
            let values = values.into_iter().flatten().filter_map(Value::as_str);
            (key.unwrap_or_default(), values.collect())
        };
        self.list("Targets").iter().map(pair).collect()
    }
}

/// The old form names one node, runs documents of the old schema alone, and has few members beside.
fn check_node(said: &Said<'_>, body: &Value) -> Result<(), Fault> {
    if !said.has("InstanceId") {
        return Ok(());
    }
    let schema = body.get("schemaVersion").and_then(Value::as_str);
    if let Some(schema) = schema.filter(|schema| *schema != "1.2") {
        // The text: aws-cli issue 6878.
        return Err(Fault::new(
            "InvalidDocument",
            format!(
                "Document schema version, {schema}, is not supported by association that is created with instance id"
            ),
        ));
    }
    // [M] CreateAssociation, `InstanceId`.
    let excluded = [
        "AssociationName",
        "MaxErrors",
        "MaxConcurrency",
        "OutputLocation",
        "ScheduleExpression",
        "Targets",
    ];
    match excluded.iter().find(|member| said.has(member)) {
        Some(member) => Err(invalid(format!(
            "{member} cannot be specified together with InstanceId."
        ))),
        None => Ok(()),
    }
}

fn check_targets(said: &Said<'_>, is_runbook: bool) -> Result<(), Fault> {
    let refused = |message: String| Err(Fault::new("InvalidTarget", message));
    let targets = said.targets();
    let maps = said.list("TargetMaps");
    if !maps.is_empty() {
        // [M] "Both Targets and TargetMaps can't be specified together"; a mapping is of a runbook's parameters.
        if !targets.is_empty() || !is_runbook {
            return Err(Fault::new(
                "InvalidTargetMaps",
                "TargetMap parameters aren't valid: they go with Automation runbooks, and without Targets.",
            ));
        }
        return Ok(());
    }
    if targets.is_empty() {
        if said.has("InstanceId") || !said.list("TargetLocations").is_empty() {
            return Ok(());
        }
        // The text: terraform-provider-aws issue 10261.
        return refused("Instance ID or targets must be specified".to_owned());
    }
    if let Some((key, _)) = targets.iter().find(|(_, values)| values.is_empty()) {
        return refused(format!("Target {key} has no values."));
    }
    let node = |key: &str| key == "InstanceIds";
    let group = |key: &str| key == "resource-groups:Name";
    let tag = |key: &str| key == "tag-key" || key.starts_with("tag:");
    // Runbooks know more: [M] `Target`; [T] issue 32471 for one without targets.
    let automation = |key: &str| {
        is_runbook
            && [
                "ParameterValues",
                "ResourceGroup",
                "AWS::EC2::Instance",
                "CloudConnector",
                "aws:NoOpAutomationTag",
            ]
            .contains(&key)
    };
    let keys: Vec<&str> = targets.iter().map(|(key, _)| *key).collect();
    let fits = match keys[..] {
        [key] if node(key) || group(key) || automation(key) => true,
        _ => keys.iter().all(|key| tag(key)),
    };
    if !fits {
        return refused(format!(
            "The target keys {} are not valid, or not together.",
            keys.join(", ")
        ));
    }
    Ok(())
}

fn check_parameters(said: &Said<'_>, body: &Value, is_runbook: bool) -> Result<(), Fault> {
    let refused = |message: String| Err(Fault::new("InvalidParameters", message));
    let declared = body.get("parameters").and_then(Value::as_object);
    let sent = said.0.get("Parameters").and_then(Value::as_object);
    for (name, values) in sent.into_iter().flatten() {
        let Some(parameter) = declared.and_then(|all| all.get(name)) else {
            return refused(format!(
                "Parameter \"{name}\" is not defined in the document."
            ));
        };
        let values = values.as_array().into_iter().flatten();
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        // What stands for a value is looked at when the association runs: [M] `{{ssm:parameter-name}}`.
        if values.iter().any(|value| value.contains("{{")) {
            continue;
        }
        if let Err(message) = check_values(name, parameter, &values) {
            return refused(message);
        }
    }
    let branch = said.text("AutomationTargetParameterName");
    if let Some(name) = branch
        && (!is_runbook || declared.is_none_or(|all| !all.contains_key(name)))
    {
        return refused(format!(
            "AutomationTargetParameterName \"{name}\" is no parameter of an Automation runbook."
        ));
    }
    let mapped = |name: &str| {
        let maps = said.list("TargetMaps").iter();
        maps.filter_map(Value::as_object)
            .any(|map| map.contains_key(name))
    };
    let lacking = declared.into_iter().flatten().find(|(name, parameter)| {
        parameter.get("default").is_none()
            && sent.is_none_or(|sent| !sent.contains_key(*name))
            && branch != Some(name)
            && !mapped(name)
    });
    match lacking {
        // The text: aws-cli issue 6878.
        Some((name, _)) => refused(format!("Parameter \"{name}\" requires a value.")),
        None => Ok(()),
    }
}

fn check_schedule(said: &Said<'_>) -> Result<(), Fault> {
    let refused = |message: &str| Err(Fault::new("InvalidSchedule", message));
    let only = said.0.get("ApplyOnlyAtCronInterval") == Some(&Value::Bool(true));
    let expression = said.text("ScheduleExpression");
    if expression.is_some_and(|text| !schedule::is_valid(text)) {
        return refused(
            "The schedule is invalid. Verify your cron or rate expression and try again.",
        );
    }
    let starts = |form: &str| expression.is_some_and(|text| text.starts_with(form));
    if only && starts("rate(") {
        // [M] "This parameter isn't supported for rate expressions."
        return refused("ApplyOnlyAtCronInterval is not supported for rate expressions.");
    }
    if said.has("ScheduleOffset") && !(only && starts("cron(")) {
        // [M] "To use offsets, you must specify the ApplyOnlyAtCronInterval parameter."
        return refused("ScheduleOffset needs a cron expression and ApplyOnlyAtCronInterval.");
    }
    if said.has("Duration") && !only {
        // [M] `Duration`: "applies only when" both conditions are true; [T] section 5.3.
        return Err(invalid("Duration needs ApplyOnlyAtCronInterval."));
    }
    Ok(())
}

fn check_output(said: &Said<'_>) -> Result<(), Fault> {
    let Some(location) = said.0.get("OutputLocation") else {
        return Ok(());
    };
    match location.pointer("/S3Location/OutputS3BucketName") {
        Some(_) => Ok(()),
        None => Err(Fault::new("InvalidOutputLocation", "")),
    }
}
