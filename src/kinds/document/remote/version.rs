//! The versions of a document: reading one, and seeing to it that the wanted one is there.

use aws_sdk_ssm::error::SdkError;
use aws_sdk_ssm::operation::list_document_versions::ListDocumentVersionsOutput;
use aws_sdk_ssm::operation::update_document::UpdateDocumentError;
use aws_sdk_ssm::types::{
    DocumentDescription, DocumentFormat, DocumentHashType, DocumentIdentifier, DocumentRequires,
    DocumentStatus,
};

use super::super::check::is_change_template;
use super::super::{Definition, DocumentType, Requirement, Sharing};
use super::filled;
use super::send::{send, sent, sources};
use crate::aws::{Aws, AwsError, Class, Pages, enums};
use crate::model;
use crate::model::digest::sha256;

/// What AWS calls the newest version.
pub(super) const NEWEST: &str = "$LATEST";

/// Says whether AWS is still at work on a version.
pub(super) fn at_work(status: &DocumentStatus) -> bool {
    use DocumentStatus as S;
    matches!(status, S::Creating | S::Updating | S::Deleting)
}

/// One version of a document.
pub(super) struct Version {
    pub(super) definition: Definition,
    pub(super) number: String,
    pub(super) default: String,
    pub(super) newest: String,
    pub(super) status: DocumentStatus,
    pub(super) information: Option<String>,
    /// The SHA-256 of the content.
    pub(super) hash: String,
}

impl Version {
    /// Reads a version, the default one unless another is named; neither sharing nor tags.
    pub(super) async fn read(
        aws: &Aws,
        name: &str,
        version: Option<&str>,
    ) -> Result<Self, AwsError> {
        const OPERATION: &str = "DescribeDocument";
        let described = describe(aws, name, version).await?;
        let number = aws.required(OPERATION, "DocumentVersion", described.document_version)?;
        let format = aws.required(OPERATION, "DocumentFormat", described.document_format)?;
        let kind = aws.required(OPERATION, "DocumentType", described.document_type)?;
        // The hash is that of the content as it was sent: [D] DocumentDescription, "Hash". Most often it is the one
        // that is declared.
        let comparable = described.hash_type == Some(DocumentHashType::Sha256);
        let hash = described.hash.filter(|_| comparable);
        let known = hash.as_deref().and_then(|hash| aws.memory.text(hash));
        let text = match known {
            Some(text) => text,
            None => get(aws, name, &number, &format).await?,
        };
        let hash = hash.unwrap_or_else(|| sha256(&text));
        let content = model::Document {
            format: enums::read("DocumentFormat", format.as_str())?,
            text,
        };
        let document_type = type_of(kind.as_str(), &content)?;
        let definition = Definition {
            name: name.to_owned(),
            document_type,
            document_format: Some(content.format),
            content,
            target_type: filled(described.target_type),
            version_name: filled(described.version_name),
            display_name: filled(described.display_name),
            requires: described
                .requires
                .into_iter()
                .flatten()
                .map(requirement)
                .collect(),
            attachments: Vec::new(),
            sharing: Sharing::default(),
            tags: None,
        };
        Ok(Self {
            definition,
            newest: described.latest_version.unwrap_or_else(|| number.clone()),
            default: described.default_version.unwrap_or_else(|| number.clone()),
            number,
            status: described.status.unwrap_or(DocumentStatus::Active),
            information: described.status_information,
            hash,
        })
    }

    /// Takes the default version from what the list tells of it and its content, when that is known.
    pub(super) fn listed(
        aws: &Aws,
        entry: &DocumentIdentifier,
        hash: String,
        text: String,
    ) -> Result<Self, AwsError> {
        const OPERATION: &str = "ListDocuments";
        let DocumentIdentifier {
            name,
            display_name,
            version_name,
            document_version,
            document_type,
            document_format,
            target_type,
            requires,
            ..
        } = entry.clone();
        let number = aws.required(OPERATION, "DocumentVersion", document_version)?;
        let format = aws.required(OPERATION, "DocumentFormat", document_format)?;
        let kind = aws.required(OPERATION, "DocumentType", document_type)?;
        let content = model::Document {
            format: enums::read("DocumentFormat", format.as_str())?,
            text,
        };
        let definition = Definition {
            name: name.unwrap_or_default(),
            document_type: type_of(kind.as_str(), &content)?,
            document_format: Some(content.format),
            content,
            target_type: filled(target_type),
            version_name: filled(version_name),
            display_name: filled(display_name),
            requires: requires.into_iter().flatten().map(requirement).collect(),
            attachments: Vec::new(),
            sharing: Sharing::default(),
            tags: None,
        };
        Ok(Self {
            definition,
            default: number.clone(),
            newest: number.clone(),
            number,
            status: DocumentStatus::Active,
            information: None,
            hash,
        })
    }

    /// Says whether the list alone tells all that is to be known of it but the content.
    pub(super) fn is_settled(&self) -> bool {
        self.newest == self.number
            && self.default == self.number
            && self.status == DocumentStatus::Active
    }
}

/// Returns the content of a version in its own format: without it AWS would convert the content to JSON.
async fn get(
    aws: &Aws,
    name: &str,
    number: &str,
    format: &DocumentFormat,
) -> Result<String, AwsError> {
    let request = aws.ssm.get_document().name(name).document_version(number);
    let answer = request.document_format(format.clone()).send().await?;
    aws.required("GetDocument", "Content", answer.content)
}

fn type_of(reported: &str, content: &model::Document) -> Result<DocumentType, AwsError> {
    Ok(match enums::read("DocumentType", reported)? {
        DocumentType::Automation if is_change_template(content) => DocumentType::ChangeTemplate,
        kind => kind,
    })
}

/// Describes a version, the default one unless another is named.
pub(super) async fn describe(
    aws: &Aws,
    name: &str,
    version: Option<&str>,
) -> Result<DocumentDescription, AwsError> {
    let request = aws.ssm.describe_document().name(name);
    let answer = request
        .set_document_version(version.map(str::to_owned))
        .send()
        .await?;
    aws.required("DescribeDocument", "Document", answer.document)
}

fn requirement(required: DocumentRequires) -> Requirement {
    Requirement {
        name: required.name,
        version: required.version,
        require_type: required.require_type,
        version_name: required.version_name,
    }
}

/// Sees to it that the wanted version is there or being made, and returns its number once it may be the default.
pub(super) async fn next_default(
    wanted: &Definition,
    new_files: bool,
    aws: &Aws,
) -> Result<Option<String>, AwsError> {
    let newest = Version::read(aws, &wanted.name, Some(NEWEST)).await?;
    if newest.default != newest.number && wanted.fulfilled_by(&newest.definition) {
        return match newest.status {
            DocumentStatus::Failed => Err(AwsError::of(
                Class::Invalid,
                format!(
                    "AWS could not make version {} of `{}`: {}; delete that version, or change the content",
                    newest.number,
                    wanted.name,
                    newest.information.unwrap_or_default()
                ),
            )),
            status if at_work(&status) => Ok(None),
            _ => Ok(Some(newest.number)),
        };
    }
    let request = send!(aws.ssm.update_document(), wanted);
    match request.document_version(NEWEST).send().await {
        Ok(_) => Ok(None),
        Err(error) if is_duplicate(&error) => {
            let now = Version::read(aws, &wanted.name, Some(NEWEST)).await?;
            if now.number != newest.number && wanted.fulfilled_by(&now.definition) {
                // An earlier try has made it, and its answer was lost.
                return Ok(None);
            }
            if new_files {
                return Err(error.into());
            }
            // An older version may be the one: then going back to it is all that is to be done.
            if let Some(number) = find_version(wanted, &now, aws).await? {
                return Ok(Some(number));
            }
            // What differs is not in the text, a display name for instance, and AWS refuses the text of the newest
            // version again.
            let Some(anew) = respaced(wanted, &now.definition) else {
                return Err(error.into());
            };
            let request = send!(aws.ssm.update_document(), &anew);
            request.document_version(NEWEST).send().await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns a definition that means the same and is not what the newest version has, to the letter: an empty line more
/// or less means nothing to JSON and YAML.
fn respaced(wanted: &Definition, newest: &Definition) -> Option<Definition> {
    let (format, text) = wanted.sent().ok()?;
    let text = text.trim_end();
    let mut ways = ["\n", "\n\n"].map(|end| format!("{text}{end}")).into_iter();
    let text = ways.find(|way| *way != newest.content.text)?;
    let mut anew = wanted.clone();
    anew.content = model::Document { format, text };
    anew.document_format = Some(format);
    (format != model::Format::Text).then_some(anew)
}

fn is_duplicate<R>(error: &SdkError<UpdateDocumentError, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_duplicate_document_content() || error.is_duplicate_document_version_name()
    })
}

/// Finds the wanted version among the older ones.
async fn find_version(
    wanted: &Definition,
    newest: &Version,
    aws: &Aws,
) -> Result<Option<String>, AwsError> {
    let request = aws
        .ssm
        .list_document_versions()
        .name(&wanted.name)
        .max_results(50);
    let mut pages = Pages::of(
        request.into_paginator().send(),
        ListDocumentVersionsOutput::next_token,
    );
    while let Some(page) = pages.next().await {
        for entry in page?.document_versions.unwrap_or_default() {
            let number = aws.required(
                "ListDocumentVersions",
                "DocumentVersion",
                entry.document_version,
            )?;
            let usable = entry
                .status
                .is_none_or(|status| status == DocumentStatus::Active);
            if usable && number != newest.number {
                let version = Version::read(aws, &wanted.name, Some(&number)).await?;
                if wanted.fulfilled_by(&version.definition) {
                    return Ok(Some(number));
                }
            }
        }
    }
    Ok(None)
}
