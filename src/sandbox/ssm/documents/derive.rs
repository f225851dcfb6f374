//! What AWS takes out of a document's text, and what it refuses to find there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::put;
use super::content::{parse, wrong};
use crate::sandbox::Fault;

/// What the text says of itself; answers carry it beside the text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Derived {
    pub(super) schema_version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) parameters: Vec<Value>,
    pub(super) platform_types: Vec<String>,
}

const PLATFORMS: [&str; 3] = ["Windows", "Linux", "MacOS"];

/// Checks the text for its document type, and takes out of it what AWS shows.
pub(super) fn derive(kind: &str, format: &str, content: &str) -> Result<Derived, Fault> {
    if kind == "ChangeCalendar" {
        return calendar(format, content);
    }
    if format == "TEXT" {
        return match kind {
            "ApplicationConfiguration" => Ok(Derived::default()),
            _ => Err(wrong(format!(
                "Document format TEXT is not supported for document type {kind}."
            ))),
        };
    }
    let value = parse(format, content)?;
    let Some(body) = value.as_object() else {
        if kind == "ApplicationConfiguration" {
            return Ok(Derived::default());
        }
        return Err(wrong(format!(
            "{format} not well-formed. at Line: 1, Column: 1"
        )));
    };
    let schema_version = schema_version(kind, body)?;
    check_structure(kind, schema_version.as_deref(), body)?;
    Ok(Derived {
        platform_types: platforms(kind, body),
        parameters: parameters(kind, body)?,
        description: body
            .get("description")
            .and_then(Value::as_str)
            .map(str::to_owned),
        schema_version,
    })
}

fn calendar(format: &str, content: &str) -> Result<Derived, Fault> {
    if format != "TEXT" {
        return Err(wrong(
            "Document type ChangeCalendar supports the document format TEXT only.",
        ));
    }
    let content = content.trim();
    if content.starts_with("BEGIN:VCALENDAR") && content.ends_with("END:VCALENDAR") {
        Ok(Derived::default())
    } else {
        Err(wrong("The content is not a valid iCalendar object."))
    }
}

/// Which schema versions a document type knows; none means that the type has no such rule.
fn known_schemas(kind: &str) -> &'static [&'static str] {
    match kind {
        "Command" => &["1.2", "2.0", "2.2"],
        "Policy" => &["2.0", "2.2"],
        "Automation" | "Automation.ChangeTemplate" => &["0.3"],
        "Session" => &["1.0"],
        "Package" => &["2.0"],
        _ => &[],
    }
}

fn schema_version(kind: &str, body: &Map<String, Value>) -> Result<Option<String>, Fault> {
    let version = match body.get("schemaVersion") {
        Some(Value::String(text)) => Some(text.clone()),
        // YAML without quotes makes a number of it.
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let known = known_schemas(kind);
    let fault = |message: String| Err(Fault::new("InvalidDocumentSchemaVersion", message));
    match &version {
        _ if known.is_empty() => Ok(version),
        None => fault(format!(
            "The schemaVersion of a {kind} document is missing or not valid."
        )),
        Some(text) if known.contains(&text.as_str()) => Ok(version),
        Some(text) => fault(format!(
            "{text} is not a valid schema version for {kind} document type"
        )),
    }
}

fn check_structure(
    kind: &str,
    schema: Option<&str>,
    body: &Map<String, Value>,
) -> Result<(), Fault> {
    match (kind, schema) {
        ("Command", Some("1.2")) => require(body, &["runtimeConfig"]),
        ("Command" | "Policy" | "Automation" | "Automation.ChangeTemplate", _) => {
            require(body, &["mainSteps"])?;
            check_steps(kind, body)
        }
        ("Session", _) => {
            require(body, &["sessionType"])?;
            let known = [
                "Standard_Stream",
                "InteractiveCommands",
                "NonInteractiveCommands",
                "Port",
            ];
            match body.get("sessionType").and_then(Value::as_str) {
                Some(text) if known.contains(&text) => Ok(()),
                _ => Err(wrong(format!(
                    "sessionType must be one of {}",
                    known.join(", ")
                ))),
            }
        }
        ("Package", _) => require(body, &["packages", "files"]),
        // Seen from AWS: aws-cli #8253.
        ("CloudFormation", _) => require(body, &["schemaVersion", "templateBody"]),
        _ => Ok(()),
    }
}

fn require(body: &Map<String, Value>, names: &[&str]) -> Result<(), Fault> {
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !body.contains_key(*name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(wrong(format!(
        "[message: \"object has missing required properties ({})\" - parent node: /]",
        json!(missing).to_string().replace('"', "\\\"")
    )))
}

/// Which actions, or plugins, the steps of a document type can have, without their prefix `aws:`.
fn actions(kind: &str) -> &'static [&'static str] {
    match kind {
        "Command" | "Policy" => &[
            "applications",
            "cloudWatch",
            "configureDocker",
            "configurePackage",
            "domainJoin",
            "downloadContent",
            "psModule",
            "refreshAssociation",
            "runDockerAction",
            "runDocument",
            "runPowerShellScript",
            "runShellScript",
            "softwareInventory",
            "updateAgent",
            "updateSsmAgent",
        ],
        _ => &[
            "approve",
            "assertAwsResourceProperty",
            "branch",
            "changeInstanceState",
            "copyImage",
            "createImage",
            "createStack",
            "createTags",
            "deleteImage",
            "deleteStack",
            "executeAutomation",
            "executeAwsApi",
            "executeScript",
            "executeStateMachine",
            "invokeLambdaFunction",
            "invokeWebhook",
            "loop",
            "pause",
            "runCommand",
            "runInstances",
            "sleep",
            "updateVariable",
            "waitForAwsResourceProperty",
        ],
    }
}

fn check_steps(kind: &str, body: &Map<String, Value>) -> Result<(), Fault> {
    let steps = body.get("mainSteps").and_then(Value::as_array);
    let Some(steps) = steps.filter(|steps| !steps.is_empty()) else {
        return Err(wrong("mainSteps must be a list with at least one step"));
    };
    let mut names = Vec::new();
    for step in steps {
        let text = |member: &str| step.get(member).and_then(Value::as_str);
        let (Some(name), Some(action)) = (text("name"), text("action")) else {
            return Err(wrong("every step of mainSteps needs a name and an action"));
        };
        if !actions(kind).contains(&action.strip_prefix("aws:").unwrap_or_default()) {
            return Err(wrong(format!(
                "Step {name} has the action {action}, which {kind} documents do not support"
            )));
        }
        if names.contains(&name) {
            return Err(wrong(format!(
                "The step name {name} is used more than once"
            )));
        }
        names.push(name);
    }
    Ok(())
}

fn parameters(kind: &str, body: &Map<String, Value>) -> Result<Vec<Value>, Fault> {
    let declared = match (kind, body.get("parameters")) {
        (
            "Command" | "Policy" | "Automation" | "Automation.ChangeTemplate" | "Session",
            Some(Value::Object(map)),
        ) => map,
        (
            "Command" | "Policy" | "Automation" | "Automation.ChangeTemplate" | "Session",
            Some(other),
        ) if !other.is_null() => {
            return Err(wrong("parameters must be an object"));
        }
        _ => return Ok(Vec::new()),
    };
    declared
        .iter()
        .map(|(name, parameter)| {
            let text = |member: &str| parameter.get(member).and_then(Value::as_str);
            let Some(kind) = text("type") else {
                return Err(wrong(format!("The parameter {name} needs a type")));
            };
            if !is_type(kind) {
                return Err(wrong(format!(
                    "The parameter {name} has the unknown type {kind}"
                )));
            }
            let mut shown = Map::new();
            put(&mut shown, "Name", Some(name.as_str()));
            put(&mut shown, "Type", Some(kind));
            put(&mut shown, "Description", text("description"));
            put(
                &mut shown,
                "DefaultValue",
                parameter.get("default").map(default_value),
            );
            Ok(Value::Object(shown))
        })
        .collect()
}

/// Beside the plain types there are those of AWS's resources, `AWS::EC2::Instance::Id`, and lists of them.
fn is_type(name: &str) -> bool {
    const PLAIN: [&str; 6] = [
        "String",
        "StringList",
        "Boolean",
        "Integer",
        "MapList",
        "StringMap",
    ];
    let item = name
        .strip_prefix("List<")
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(name);
    PLAIN.contains(&name) || item.starts_with("AWS::")
}

/// A default is shown as text whatever its type.
fn default_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn platforms(kind: &str, body: &Map<String, Value>) -> Vec<String> {
    let runs_on = |platform: &str| match kind {
        "Automation" | "Automation.ChangeTemplate" | "Session" => true,
        "Command" | "Policy" => commands(body).any(|(action, step)| {
            action_runs_on(action, platform)
                && precondition(step).is_none_or(|only| only == platform)
        }),
        "Package" => package_runs_on(body, platform),
        _ => false,
    };
    PLATFORMS
        .into_iter()
        .filter(|platform| runs_on(platform))
        .map(str::to_owned)
        .collect()
}

/// Returns the plugins that a command document runs, with what is said about each.
fn commands(body: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    let steps = body
        .get("mainSteps")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let old = body
        .get("runtimeConfig")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    steps
        .filter_map(|step| Some((step.get("action")?.as_str()?, step)))
        .chain(old.map(|(name, plugin)| (name.as_str(), plugin)))
}

fn action_runs_on(action: &str, platform: &str) -> bool {
    match action {
        "aws:runShellScript" => platform != "Windows",
        "aws:psModule" | "aws:applications" | "aws:domainJoin" | "aws:cloudWatch"
        | "aws:updateAgent" => platform == "Windows",
        "aws:runDockerAction" | "aws:configureDocker" => platform != "MacOS",
        _ => true,
    }
}

/// Returns the only platform of a step with a precondition, if it has one.
fn precondition(step: &Value) -> Option<&str> {
    let operands = step.get("precondition")?.get("StringEquals")?.as_array()?;
    let texts: Vec<&str> = operands.iter().filter_map(Value::as_str).collect();
    match texts[..] {
        ["platformType", platform] | [platform, "platformType"] => Some(platform),
        _ => None,
    }
}

fn package_runs_on(body: &Map<String, Value>, platform: &str) -> bool {
    let packages = body.get("packages").and_then(Value::as_object);
    packages
        .into_iter()
        .flatten()
        .any(|(name, _)| match name.as_str() {
            "windows" => platform == "Windows",
            "macos" => platform == "MacOS",
            "_any" => true,
            _ => platform == "Linux",
        })
}
