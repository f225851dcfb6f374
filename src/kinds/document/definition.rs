//! What a `Document` and a `Runbook` have in common: both are SSM documents.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DocumentType;
use crate::model::{self, Format, Spec, settle};

/// What AWS calls every account.
pub(super) const EVERYBODY: &str = "all";

/// Who may use a document besides its own account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sharing {
    /// The accounts that may use it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 1000), inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: BTreeSet<String>,
    /// Whether every account may use it.
    #[serde(default)]
    pub public: bool,
    /// Which version they may use. Left out, AWS's choice for a new share is `$DEFAULT`, and what is there is left
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<SharedVersion>,
}

impl Sharing {
    /// Says whether nobody else may use the document.
    pub fn is_nobody(&self) -> bool {
        *self == Self::default()
    }

    /// Lists whom AWS is told, [`EVERYBODY`] for everybody.
    pub(super) fn with_whom(&self) -> BTreeSet<String> {
        let everybody = self.public.then(|| EVERYBODY.to_owned());
        self.accounts.iter().cloned().chain(everybody).collect()
    }
}

/// The versions of a document that are shared.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline)]
pub enum SharedVersion {
    /// The newest version.
    #[serde(rename = "$LATEST")]
    Latest,
    /// The default version.
    #[serde(rename = "$DEFAULT")]
    Default,
    /// Every version.
    #[serde(rename = "$ALL")]
    All,
}

/// A document that this one cannot do without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// The other document's name or ARN.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.:/]{3,128}$"))]
    pub name: String,
    /// Its version: a number, `$LATEST` or `$DEFAULT`. Left out, AWS chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([$]LATEST|[$]DEFAULT|[1-9][0-9]*)$"))]
    pub version: Option<String>,
    /// What it is required for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{1,128}$"))]
    pub require_type: Option<String>,
    /// The name of its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{1,128}$"))]
    pub version_name: Option<String>,
}

/// A file that belongs to a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// How the place of the file is written.
    pub key: AttachmentKey,
    /// The place: exactly one.
    #[schemars(length(min = 1, max = 1), inner(length(min = 1, max = 1024)))]
    pub values: Vec<String>,
    /// The name under which the document knows the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,128}$"))]
    pub name: Option<String>,
}

/// How the place of an attachment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum AttachmentKey {
    /// A folder in S3: `s3://bucket/prefix`.
    SourceUrl,
    /// A file in S3: `s3://bucket/prefix/file`.
    S3FileUrl,
    /// A file of another document: `document/version/file`.
    AttachmentReference,
}

/// An SSM document, whichever of our kinds it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Its name in AWS.
    pub name: String,
    /// Its type in AWS.
    pub document_type: DocumentType,
    /// The content of its default version.
    pub content: model::Document,
    /// The format that AWS keeps the content in.
    pub document_format: Option<Format>,
    /// The resource type that it runs against.
    pub target_type: Option<String>,
    /// The name of the version.
    pub version_name: Option<String>,
    /// The name for people.
    pub display_name: Option<String>,
    /// What it requires.
    pub requires: BTreeSet<Requirement>,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// Who else may use it.
    pub sharing: Sharing,
    /// Its tags.
    pub tags: Option<BTreeMap<String, String>>,
}

/// A kind whose objects are SSM documents.
pub trait SsmDocument: Spec {
    /// The one AWS type that it holds; `None` for all that no other kind holds.
    const TYPE: Option<DocumentType>;

    /// Takes the spec apart.
    fn definition(self) -> Definition;

    /// Puts a spec together.
    fn from_definition(definition: Definition) -> Self;
}

impl Definition {
    /// Returns the format and the text as they are sent.
    pub(super) fn sent(&self) -> Result<(Format, String), String> {
        let format = self.document_format.unwrap_or(self.content.format);
        Ok((format, self.content.written_as(format)?.into_owned()))
    }

    /// Takes over from `live` what the user left open.
    pub fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            document_type: _,
            content,
            document_format,
            target_type,
            version_name: _,
            display_name,
            requires,
            attachments: _,
            sharing,
            tags,
        } = self;
        if document_format.is_none() {
            // A format is no drift while the content means the same; a new version is sent in the author's own.
            *document_format = if content.same_meaning(&live.content) {
                live.document_format
            } else {
                Some(content.format)
            };
        }
        settle::value(target_type, live.target_type.as_ref());
        settle::text(display_name, live.display_name.as_ref());
        *requires = std::mem::take(requires)
            .into_iter()
            .map(|wanted| settle_requirement(wanted, &live.requires))
            .collect();
        settle::value(&mut sharing.version, live.sharing.version.as_ref());
        if sharing.with_whom().is_empty() {
            sharing.version = None;
        }
        settle::value(tags, live.tags.as_ref());
        if self.version_name.is_none() && self.same_version(live) {
            self.version_name.clone_from(&live.version_name);
        }
    }

    /// Says whether all that a version holds, its name aside, is the same.
    pub(super) fn same_version(&self, live: &Self) -> bool {
        self.content.same_meaning(&live.content)
            && self.document_format == live.document_format
            && self.target_type == live.target_type
            // A new version that is given no display name has that of the newest one, whatever it is.
            && (self.display_name.is_none() || self.display_name == live.display_name)
    }

    /// Says whether a version of the document is the one that is wanted, by its name too if one is wanted.
    pub(super) fn fulfilled_by(&self, version: &Self) -> bool {
        self.same_version(version)
            && (self.version_name.is_none() || self.version_name == version.version_name)
    }

    /// Says why AWS cannot be brought to this document.
    pub fn impossible(&self, live: &Self) -> Option<String> {
        let name = self.version_name.as_deref();
        let renamed = name.is_some() && self.version_name != live.version_name;
        let as_sent = self.sent().ok();
        let as_live = live.sent().ok();
        if renamed && as_sent == as_live && self.target_type == live.target_type {
            return Some(format!(
                "AWS makes no new version of a document whose content stays the same, and cannot rename a version; \
                 change the content together with `versionName`, or take `versionName: {}` out",
                name.unwrap_or_default()
            ));
        }
        let new_files = !self.attachments.is_empty() && self.attachments != live.attachments;
        if as_sent == as_live
            && self.display_name != live.display_name
            && self.target_type == live.target_type
            && !new_files
        {
            return Some(
                "AWS makes no new version of a document whose content stays the same, and `displayName` belongs to \
                 the version; change the content together with it"
                    .to_owned(),
            );
        }
        if name.is_some() && !renamed && (new_files || !self.same_version(live)) {
            return Some(format!(
                "the version that AWS has is called `{}` already, and names of versions are used once; \
                 choose a new `versionName`, or leave it out",
                name.unwrap_or_default()
            ));
        }
        let old_schema = super::check::schema_version(&live.content)
            .is_some_and(|version| version.starts_with("1."));
        if live.document_type == DocumentType::Command && old_schema && !self.same_version(live) {
            // [T] InvalidDocumentSchemaVersion on every update of a command document of schema 1.x.
            return Some(
                "AWS cannot update a command document of schema version 1.x; \
                 declare one of schema version 2.2 under a new name"
                    .to_owned(),
            );
        }
        None
    }
}

fn settle_requirement(mut wanted: Requirement, live: &BTreeSet<Requirement>) -> Requirement {
    if let Some(live) = live.iter().find(|live| live.name == wanted.name) {
        settle::value(&mut wanted.version, live.version.as_ref());
        settle::value(&mut wanted.require_type, live.require_type.as_ref());
        settle::value(&mut wanted.version_name, live.version_name.as_ref());
    }
    wanted
}
