//! What can be said about a document before AWS sees it. [T] aws-systems-manager reference, sections 1.2 to 1.8.

use serde_json::Value;

use super::{Definition, DocumentType, steps};
use crate::kinds::contact::rules::has_variable;
use crate::kinds::tags;
use crate::model::{self, Diagnostic, Format, Report};

/// AWS's limit on the content, in bytes.
const LARGEST: usize = 64 * 1024;

/// How names that only AWS may give begin.
const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];

/// Says whether a name is one that only AWS may give.
pub(crate) fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns the schema version that a content names.
pub(super) fn schema_version(content: &model::Document) -> Option<String> {
    version_text(content.parse().ok()??.get("schemaVersion")?)
}

/// Says whether a content is that of a change template, whatever type AWS reports.
pub(super) fn is_change_template(content: &model::Document) -> bool {
    if !may_name(&content.text, &TEMPLATE_MEMBERS) {
        return false;
    }
    let content = content.parse().ok().flatten();
    content.is_some_and(|content| has_change_template(&content))
}

/// What a change template has and no other runbook.
const TEMPLATE_MEMBERS: [&str; 4] = [
    "templateInformation",
    "executableRunBooks",
    "emergencyChange",
    "autoApprovable",
];

fn has_change_template(content: &Value) -> bool {
    TEMPLATE_MEMBERS
        .iter()
        .any(|member| content.get(member).is_some())
}

/// Says whether a JSON or YAML text can have one of these words for a key, which is told much faster than what it has:
/// a key stands there letter by letter, unless an escape stands for a letter or joins two lines.
fn may_name(text: &str, words: &[&str]) -> bool {
    let escapes = ["\\u", "\\U", "\\x", "\\\n", "\\\r"];
    let mut signs = words.iter().chain(&escapes);
    signs.any(|sign| text.contains(sign))
}

/// Reports everything wrong with a document.
pub(crate) fn check(document: &Definition, report: &mut Report) {
    if is_reserved(&document.name) {
        report.error(
            "reserved-name",
            "/name",
            format!("`{}` begins like a name of AWS's own", document.name),
            "AWS refuses names that begin with `aws`, `amazon` or `amzn`, in any case",
        );
    }
    check_sharing(document, report);
    if document.document_type == DocumentType::ApplicationConfiguration
        && document.requires.is_empty()
    {
        // [M] CreateDocument, "Requires".
        report.error(
            "bad-document",
            "/requires",
            "a document of type `ApplicationConfiguration` requires a schema",
            "name a document of type `ApplicationConfigurationSchema`, for instance `requires: [{ name: … }]`",
        );
    }
    tags::check(document.tags.as_ref(), tags::Alphabet::Systems, report);
    if let Some(content) = readable(document, report) {
        check_schema_version(document.document_type, &content, report);
        match document.document_type {
            DocumentType::Automation => {
                if has_change_template(&content) {
                    report.error(
                        "bad-document-type",
                        "/content",
                        "the content is that of a change template",
                        "write `kind: Document` with `documentType: Automation.ChangeTemplate`",
                    );
                }
                steps::check_automation(&content, report);
            }
            DocumentType::ChangeTemplate => check_change_template(&content, report),
            DocumentType::Command | DocumentType::Policy => steps::check_command(&content, report),
            DocumentType::Session => check_session(&content, report),
            _ => {}
        }
    }
}

fn check_sharing(document: &Definition, report: &mut Report) {
    let sharing = &document.sharing;
    if sharing.version.is_some() && !sharing.public && sharing.accounts.is_empty() {
        report.error(
            "bad-sharing",
            "/sharing/version",
            "a version is shared with nobody",
            "name `accounts`, or take `version` out",
        );
    }
    if sharing.public && !sharing.accounts.is_empty() {
        report.push(
            Diagnostic::warning(
                "bad-sharing",
                "/sharing/accounts",
                "the document is shared with every account already",
            )
            .hint("take `accounts` out, or `public`"),
        );
    }
}

/// Parses the content; `None` when it cannot be read, which is reported, or has no structure.
fn readable(document: &Definition, report: &mut Report) -> Option<Value> {
    let kind = document.document_type;
    if document.content.text.is_empty() {
        // [M] DocumentContent, min 1.
        let message = "the content is empty";
        report.error(
            "bad-document",
            "/content",
            message,
            "AWS takes at least one character",
        );
        return None;
    }
    let parsed = match document.content.parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = format!("the content cannot be read: {error}");
            let hint = "a document is a map, written in YAML or JSON";
            report.error("bad-document", "/content", message, hint);
            return None;
        }
    };
    let format = document.document_format.unwrap_or(document.content.format);
    if parsed.is_none() && format != Format::Text {
        report.error(
            "bad-document",
            "/documentFormat",
            "the content is plain text, which has no structure to write in this format",
            "write `documentFormat: TEXT`, or leave it out",
        );
        return None;
    }
    if kind == DocumentType::ChangeCalendar && format != Format::Text {
        report.error(
            "bad-document",
            "/content",
            "a change calendar is an iCalendar text",
            "the content begins with `BEGIN:VCALENDAR`, and `documentFormat` is `TEXT` or left out",
        );
        return None;
    }
    if structured(kind)
        && (format == Format::Text || !parsed.as_ref().is_some_and(Value::is_object))
    {
        report.error(
            "bad-document",
            "/content",
            "the content is no map",
            "a document of this type is a map, written in YAML or JSON",
        );
        return None;
    }
    if let Ok((_, text)) = document.sent()
        && text.len() > LARGEST
    {
        let message = format!(
            "{} bytes are more than the 64 KB that AWS takes",
            text.len()
        );
        let hint = "split the document, or move scripts into attachments";
        report.error("too-large", "/content", message, hint);
    }
    parsed
}

/// Says whether a document of that type is a map for certain.
fn structured(kind: DocumentType) -> bool {
    use DocumentType as T;
    matches!(
        kind,
        T::Automation
            | T::Command
            | T::Policy
            | T::Session
            | T::Package
            | T::ChangeTemplate
            | T::ProblemAnalysisTemplate
    )
}

fn version_text(version: &Value) -> Option<String> {
    match version {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn check_schema_version(kind: DocumentType, content: &Value, report: &mut Report) {
    let fitting: &[&str] = match kind {
        DocumentType::Automation | DocumentType::ChangeTemplate => &["0.3"],
        DocumentType::Command => &["2.2", "2.0", "1.2"],
        DocumentType::Policy => &["2.2", "2.0"],
        DocumentType::Session => &["1.0"],
        DocumentType::Package => &["2.0"],
        _ => return,
    };
    let at = "/content/schemaVersion";
    let hint = format!("write `schemaVersion: \"{}\"`", fitting[0]);
    let Some(member) = content.get("schemaVersion") else {
        let message = "the content has no `schemaVersion`";
        return report.error("bad-schema-version", "/content", message, hint);
    };
    let version = version_text(member).unwrap_or_default();
    if !fitting.contains(&version.as_str()) {
        let message = format!("schema version `{version}` does not fit this type of document");
        report.error("bad-schema-version", at, message, hint);
    } else if !member.is_string() {
        let message = format!("schema version {version} is a number, and AWS wants a text");
        report.push(Diagnostic::warning("bad-schema-version", at, message).hint(hint));
    }
}

fn check_change_template(content: &Value, report: &mut Report) {
    for (index, runbook) in list(content, "executableRunBooks").iter().enumerate() {
        if runbook
            .get("version")
            .is_some_and(|version| !version.is_string())
        {
            report.error(
                "bad-change-template",
                format!("/content/executableRunBooks/{index}/version"),
                "the version of a runbook is no text",
                "write it in quotes, for instance `version: \"1\"`",
            );
        }
    }
    for (index, step) in list(content, "mainSteps").iter().enumerate() {
        if step.get("action").and_then(Value::as_str) != Some("aws:approve") {
            report.error(
                "bad-change-template",
                format!("/content/mainSteps/{index}"),
                "a change template only asks for approval",
                "write `action: aws:approve`",
            );
        }
    }
    steps::check_automation(content, report);
}

/// Returns the list in a member; an empty one when there is none.
fn list<'a>(content: &'a Value, member: &str) -> &'a [Value] {
    content
        .get(member)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn check_session(content: &Value, report: &mut Report) {
    const TYPES: [&str; 4] = [
        "Standard_Stream",
        "InteractiveCommands",
        "NonInteractiveCommands",
        "Port",
    ];
    let kind = content.get("sessionType").and_then(Value::as_str);
    if !kind.is_some_and(|kind| TYPES.contains(&kind)) {
        report.error(
            "bad-session",
            "/content/sessionType",
            "the content has no `sessionType` that AWS knows",
            format!("one of `{}`", TYPES.join("`, `")),
        );
    }
    let inputs = content.get("inputs").unwrap_or(&Value::Null);
    for (member, largest, empty) in [
        ("idleSessionTimeout", 60, false),
        ("maxSessionDuration", 1440, true),
    ] {
        let Some(minutes) = inputs.get(member) else {
            continue;
        };
        let text = version_text(minutes).unwrap_or_default();
        let fits = text
            .parse()
            .is_ok_and(|minutes: u32| (1..=largest).contains(&minutes));
        if !(fits || empty && text.is_empty() || has_variable(&text)) {
            report.error(
                "bad-session",
                format!("/content/inputs/{member}"),
                format!("`{member}` is `{text}`, not 1 to {largest} minutes"),
                format!("write it in quotes, for instance `{member}: \"{largest}\"`"),
            );
        }
    }
    for member in [
        "s3EncryptionEnabled",
        "cloudWatchEncryptionEnabled",
        "cloudWatchStreamingEnabled",
        "runAsEnabled",
    ] {
        if inputs
            .get(member)
            .is_some_and(|value| !value.is_boolean() && !value.as_str().is_some_and(has_variable))
        {
            report.error(
                "bad-session",
                format!("/content/inputs/{member}"),
                format!("`{member}` is neither `true` nor `false`"),
                "write it without quotes",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Document, SsmDocument};
    use super::*;

    fn findings(kind: &str, content: &str) -> Vec<String> {
        let spec = json!({"name": "some-document", "documentType": kind, "content": content});
        let document: Document = serde_json::from_value(spec).unwrap();
        let mut report = Report::default();
        check(&document.definition(), &mut report);
        report
            .diagnostics
            .into_iter()
            .map(|d| format!("{} {}", d.code, d.at))
            .collect()
    }

    #[test]
    fn a_schema_version_fits_the_type() {
        assert_eq!(
            findings("Session", "schemaVersion: '2.0'\nsessionType: Port"),
            ["bad-schema-version /content/schemaVersion"]
        );
        assert_eq!(
            findings("Session", "schemaVersion: '1.0'\nsessionType: Port"),
            [""; 0]
        );
        assert_eq!(
            findings("Command", "mainSteps: [{action: a, name: b}]"),
            ["bad-schema-version /content"]
        );
    }

    #[test]
    fn session_preferences_have_their_ranges() {
        let content = "schemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: '90'\n  maxSessionDuration: ''\n  runAsEnabled: 'no'\n";
        assert_eq!(
            findings("Session", content),
            [
                "bad-session /content/inputs/idleSessionTimeout",
                "bad-session /content/inputs/runAsEnabled"
            ]
        );
    }

    #[test]
    fn a_change_template_only_asks_for_approval() {
        let content = "schemaVersion: '0.3'\nexecutableRunBooks: [{name: AWS-HelloWorld, version: 1}]\nmainSteps: [{name: a, action: aws:sleep}]";
        assert_eq!(
            findings("Automation.ChangeTemplate", content),
            [
                "bad-change-template /content/executableRunBooks/0/version",
                "bad-change-template /content/mainSteps/0"
            ]
        );
    }

    #[test]
    fn a_calendar_is_text_and_a_command_is_a_map() {
        assert_eq!(
            findings("ChangeCalendar", "BEGIN:VCALENDAR\nEND:VCALENDAR"),
            [""; 0]
        );
        assert_eq!(
            findings("ChangeCalendar", "a: b"),
            ["bad-document /content"]
        );
        assert_eq!(findings("Command", "just text"), ["bad-document /content"]);
        assert_eq!(findings("Command", "{\"a\": "), ["bad-document /content"]);
    }

    #[test]
    fn names_of_aws_are_refused() {
        assert!(
            is_reserved("Amazon-x")
                && is_reserved("awsome")
                && !is_reserved("SSM-SessionManagerRunShell")
        );
    }

    #[test]
    fn what_is_too_large_is_named() {
        let content = format!(
            "schemaVersion: '2.2'\ndescription: {}\nmainSteps: [{{action: a, name: b}}]",
            "x".repeat(70_000)
        );
        assert_eq!(findings("Command", &content), ["too-large /content"]);
    }

    #[test]
    fn a_change_template_is_known_by_its_members_however_they_are_written() {
        let is = |format, text: &str| {
            let text = text.to_owned();
            is_change_template(&model::Document { format, text })
        };
        let (json, yaml) = (model::Format::Json, model::Format::Yaml);
        assert!(is(json, r#"{"emergencyChange": true}"#));
        assert!(is(json, r#"{"emergency\u0043hange": true}"#));
        assert!(is(yaml, "autoApprovable: false"));
        assert!(is(yaml, "\"auto\\x41pprovable\": false"));
        assert!(is(yaml, "? \"auto\\\n  Approvable\"\n: false"));
        assert!(!is(yaml, "description: no emergencyChange here"));
        assert!(!is(yaml, "description: nothing of the kind"));
    }
}
