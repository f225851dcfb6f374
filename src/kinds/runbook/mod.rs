//! `Runbook`: what is done in an incident, by machines where they can.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Attachment, Definition, DocumentType, Requirement, Sharing, SsmDocument};
use crate::kinds::document;
use crate::model::{Document, Format, Location, Report, Spec};

mod remote;

/// A runbook: an SSM document of type `Automation`.
///
/// It manages the default version: its content, what is set on it, who else may use the runbook, and its tags. A
/// change of the content makes a new version, and the default moves to it once AWS has taken it in. Older versions
/// stay. Formatting and comments are kept as written and are no difference.
///
/// **AWS chooses** the number of the version; what is left out of `targetType`, `displayName`, `versionName`, of a
/// requirement and of `sharing.version` is left as AWS has it.
/// **Forces replacement:** `name`, `requires`.
/// **Left out:** executions. AWS never gives `attachments` back, so what others change there goes unseen, and it takes
/// new ones only with a new content.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Runbook
/// metadata: { name: banana-restart }
/// spec:
///   targetType: /AWS::EC2::Instance
///   content:
///     schemaVersion: "0.3"
///     description: Restarts the banana stand
///     assumeRole: "{{ AutomationAssumeRole }}"
///     parameters:
///       AutomationAssumeRole: { type: String }
///       InstanceId: { type: StringList }
///     mainSteps:
///       - name: restart
///         action: aws:executeAutomation
///         inputs:
///           DocumentName: AWS-RestartEC2Instance
///           RuntimeParameters: { InstanceId: "{{ InstanceId }}" }
///         isEnd: true
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runbook {
    /// The runbook's name in Systems Manager. Default: `metadata.name`.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,128}$"))]
    pub name: String,
    /// The content, at most 64 KB.
    pub content: Document,
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
    /// Documents that it cannot do without.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requires: BTreeSet<Requirement>,
    /// Files that belong to it, scripts for instance. AWS takes them and never gives them back.
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

impl Spec for Runbook {
    const KIND: &'static str = "Runbook";
    const NAMESPACE: &'static str = "ssm documents";
    const CREATE_ONLY: &'static [&'static str] = &["/name", "/requires"];
    const WRITE_ONLY: &'static [&'static str] = &["/attachments"];

    fn validate(&self, report: &mut Report) {
        document::check(&self.clone().definition(), report);
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

impl SsmDocument for Runbook {
    const TYPE: Option<DocumentType> = Some(DocumentType::Automation);

    fn definition(self) -> Definition {
        let Self {
            name,
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
            document_type: DocumentType::Automation,
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
            document_type: _,
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

    fn runbook(spec: Value) -> Runbook {
        serde_json::from_value(spec).unwrap()
    }

    fn codes(runbook: &Runbook) -> Vec<String> {
        let mut report = Report::default();
        runbook.validate(&mut report);
        report.diagnostics.into_iter().map(|d| d.code).collect()
    }

    #[test]
    fn inline_content_is_kept_as_yaml() {
        let runbook = runbook(json!({"name": "restart", "content": {
            "schemaVersion": "0.3", "mainSteps": [{"name": "a", "action": "aws:sleep"}]}}));
        assert_eq!(runbook.content.format, Format::Yaml);
        assert_eq!(codes(&runbook), [""; 0]);
    }

    #[test]
    fn a_change_template_is_no_runbook() {
        let runbook = runbook(
            json!({"name": "amzn-change", "content": {"schemaVersion": "0.3",
            "executableRunBooks": [], "mainSteps": [{"name": "a", "action": "aws:approve"}]}}),
        );
        assert_eq!(codes(&runbook), ["reserved-name", "bad-document-type"]);
    }

    #[test]
    fn settling_with_itself_changes_nothing() {
        let live = runbook(json!({"name": "restart", "content": "schemaVersion: '0.3'",
            "documentFormat": "YAML", "displayName": "Restart", "sharing": {"public": true, "version": "$ALL"},
            "tags": {"a": "b"}}));
        let mut again = live.clone();
        again.settle(&live);
        assert_eq!(again, live);
    }
}
