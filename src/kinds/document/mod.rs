//! `Document`: everything in Systems Manager that is written as a document and is no runbook.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{self, Format, Location, Report, Spec};

mod check;
mod definition;
mod reference;
pub(super) mod remote;
mod steps;

pub(super) use check::check;
pub use definition::{
    Attachment, AttachmentKey, Definition, Requirement, SharedVersion, Sharing, SsmDocument,
};
pub(in crate::kinds) use reference::arn;
pub use reference::{Automation, Command, DocumentRef, Named};

/// An SSM document of any type but `Automation`, which is a `Runbook`.
///
/// It manages the default version: its content, what is set on it, who else may use the document, and its tags. A
/// change of the content makes a new version, and the default moves to it once AWS has taken it in. Older versions
/// stay. Formatting and comments are kept as written and are no difference.
///
/// **AWS chooses** the number of the version; what is left out of `targetType`, `displayName`, `versionName`, of a
/// requirement and of `sharing.version` is left as AWS has it.
/// **Forces replacement:** `name`, `documentType`, `requires`.
/// **Left out:** reviews of a change template, which people make; documents of type `ProblemAnalysis`, which hold the
/// analysis of an incident. AWS never gives `attachments` back, so what others change there goes unseen, and it takes
/// new ones only with a new content.
///
/// The session preferences of an account are the document `SSM-SessionManagerRunShell` of type `Session`. Whoever
/// opened the preferences in the console has one already; it is adopted.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Document
/// metadata: { name: session-preferences }
/// spec:
///   name: SSM-SessionManagerRunShell
///   documentType: Session
///   content:
///     schemaVersion: "1.0"
///     description: Sessions are logged and end when idle
///     sessionType: Standard_Stream
///     inputs:
///       cloudWatchLogGroupName: /ops/sessions
///       cloudWatchEncryptionEnabled: true
///       cloudWatchStreamingEnabled: true
///       s3BucketName: ""
///       s3EncryptionEnabled: true
///       runAsEnabled: false
///       idleSessionTimeout: "20"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// The document's name in Systems Manager. Default: `metadata.name`.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,128}$"))]
    pub name: String,
    /// What kind of document it is.
    pub document_type: DocumentType,
    /// The content, at most 64 KB.
    pub content: model::Document,
    /// The format that AWS keeps the content in. Default: the one that it is written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_format: Option<Format>,
    /// The type of resource that it runs against, for instance `/AWS::EC2::Instance`; `/` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200), regex(pattern = r"^/[\w.\-:/]*$"))]
    pub target_type: Option<String>,
    /// A name for the version. AWS takes each once, and only with a content that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{1,128}$"))]
    pub version_name: Option<String>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^[\w.\-:/ ]*$"))]
    pub display_name: Option<String>,
    /// Documents that it cannot do without: the schema of an application configuration, for instance.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requires: BTreeSet<Requirement>,
    /// Files that belong to it. AWS takes them and never gives them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub attachments: Vec<Attachment>,
    /// Who else may use it. Default: nobody.
    #[serde(default, skip_serializing_if = "Sharing::is_nobody")]
    pub sharing: Sharing,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The types of SSM documents, as AWS spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum DocumentType {
    /// A runbook; declare a `Runbook`.
    #[schemars(skip)]
    Automation,
    /// What Run Command runs on servers.
    Command,
    /// What State Manager collects from servers.
    Policy,
    /// How sessions behave.
    Session,
    /// Software for Distributor.
    Package,
    /// A configuration for `AppConfig`.
    ApplicationConfiguration,
    /// The schema of configurations for `AppConfig`.
    ApplicationConfigurationSchema,
    /// How `AppConfig` rolls a configuration out.
    DeploymentStrategy,
    /// When changes may happen: an iCalendar.
    ChangeCalendar,
    /// How a change is approved.
    #[serde(rename = "Automation.ChangeTemplate")]
    ChangeTemplate,
    /// How an incident is analysed afterwards.
    ProblemAnalysisTemplate,
    /// A template of `CloudFormation`.
    CloudFormation,
    /// A conformance pack of AWS Config.
    ConformancePackTemplate,
    /// A configuration of Quick Setup.
    QuickSetup,
    /// Which access requests are approved by people.
    ManualApprovalPolicy,
    /// Which access requests are approved at once.
    AutoApprovalPolicy,
}

impl Spec for Document {
    const KIND: &'static str = "Document";
    const NAMESPACE: &'static str = "ssm documents";
    const CREATE_ONLY: &'static [&'static str] = &["/name", "/documentType", "/requires"];
    const WRITE_ONLY: &'static [&'static str] = &["/attachments"];

    fn validate(&self, report: &mut Report) {
        if self.document_type == DocumentType::Automation {
            report.error(
                "bad-document-type",
                "/documentType",
                "a document of type `Automation` is a `Runbook`",
                "write `kind: Runbook`, without `documentType`",
            );
        }
        check::check(&self.clone().definition(), report);
    }

    fn settle(&mut self, live: &Self) {
        let mut definition = self.clone().definition();
        definition.settle(&live.clone().definition());
        *self = Self::from_definition(definition);
    }

    fn impossible(&self, live: &Self, _at: &Location) -> Option<String> {
        let live = live.clone().definition();
        self.clone().definition().impossible(&live)
    }
}

impl SsmDocument for Document {
    const TYPE: Option<DocumentType> = None;

    fn definition(self) -> Definition {
        let Self {
            name,
            document_type,
            content,
            document_format,
            target_type,
            version_name,
            display_name,
            requires,
            attachments,
            sharing,
            tags,
        } = self;
        Definition {
            name,
            document_type,
            content,
            document_format,
            target_type,
            version_name,
            display_name,
            requires,
            attachments,
            sharing,
            tags,
        }
    }

    fn from_definition(definition: Definition) -> Self {
        let Definition {
            name,
            document_type,
            content,
            document_format,
            target_type,
            version_name,
            display_name,
            requires,
            attachments,
            sharing,
            tags,
        } = definition;
        Self {
            name,
            document_type,
            content,
            document_format,
            target_type,
            version_name,
            display_name,
            requires,
            attachments,
            sharing,
            tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(spec: Value) -> Document {
        serde_json::from_value(spec).unwrap()
    }

    fn command(text: &str) -> Document {
        document(json!({"name": "patch-now", "documentType": "Command", "content": text}))
    }

    const JSON: &str =
        r#"{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"x"}]}"#;
    const YAML: &str =
        "# kept\nschemaVersion: \"2.2\"\nmainSteps:\n- {name: x, action: aws:runShellScript}\n";

    fn live(text: &str, version_name: Option<&str>) -> Document {
        let mut live = command(text);
        live.document_format = Some(live.content.format);
        live.version_name = version_name.map(str::to_owned);
        live.tags = Some(BTreeMap::new());
        live
    }

    #[test]
    fn the_format_is_no_difference_while_the_meaning_is_the_same() {
        let mut wanted = command(YAML);
        wanted.settle(&live(JSON, None));
        assert_eq!(wanted.document_format, Some(Format::Json));
        assert!(
            wanted
                .clone()
                .definition()
                .same_version(&live(JSON, None).definition())
        );
        let again = wanted.clone();
        wanted.settle(&live(JSON, None));
        assert_eq!(wanted, again);
    }

    fn here() -> Location {
        Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        }
    }

    #[test]
    fn a_new_version_does_not_take_over_the_name_of_the_old_one() {
        let mut wanted = command(&YAML.replace("name: x", "name: y"));
        let live = live(JSON, Some("one"));
        wanted.settle(&live);
        assert_eq!(wanted.version_name, None);
        assert_eq!(wanted.document_format, Some(Format::Yaml));
        assert_eq!(wanted.impossible(&live, &here()), None);
    }

    #[test]
    fn a_version_keeps_the_name_that_others_gave_it() {
        let (mut wanted, live) = (command(YAML), live(YAML, Some("one")));
        wanted.settle(&live);
        assert_eq!(wanted.version_name.as_deref(), Some("one"));
    }

    #[test]
    fn a_version_cannot_be_renamed_and_a_name_is_used_once() {
        let live = live(YAML, Some("one"));
        let mut renamed = command(YAML);
        renamed.version_name = Some("two".into());
        renamed.settle(&live);
        assert!(
            renamed
                .impossible(&live, &here())
                .unwrap()
                .contains("cannot rename a version")
        );

        let mut changed = command(&YAML.replace("name: x", "name: y"));
        changed.version_name = Some("one".into());
        changed.settle(&live);
        assert!(
            changed
                .impossible(&live, &here())
                .unwrap()
                .contains("used once")
        );

        changed.version_name = Some("two".into());
        assert_eq!(changed.impossible(&live, &here()), None);
    }

    #[test]
    fn a_command_of_the_first_schema_cannot_be_updated() {
        let old = r#"{"schemaVersion":"1.2","runtimeConfig":{}}"#;
        let (mut wanted, live) = (command(YAML), live(old, None));
        wanted.settle(&live);
        assert!(
            wanted
                .impossible(&live, &here())
                .unwrap()
                .contains("new name")
        );
    }

    #[test]
    fn an_unshared_document_says_nothing_about_sharing() {
        let value = serde_json::to_value(command(YAML)).unwrap();
        assert_eq!(value.get("sharing"), None);
    }

    #[test]
    fn a_requirement_takes_over_the_version_that_aws_chose() {
        let mut wanted = command(YAML);
        wanted.requires = [serde_json::from_value(json!({"name": "schema"})).unwrap()].into();
        let mut live = live(YAML, None);
        live.requires =
            [serde_json::from_value(json!({"name": "schema", "version": "1"})).unwrap()].into();
        wanted.settle(&live);
        assert_eq!(wanted.requires, live.requires);
    }
}
