//! From a definition to what AWS is sent.

use aws_sdk_ssm::types::{AttachmentsSource, DocumentFormat, DocumentRequires};

use super::super::{Attachment, Definition, Requirement};
use crate::aws::{AwsError, enums};
use crate::model::Format;

/// Sets what creating and updating have in common; the SDK gives them different types with the same setters.
macro_rules! send {
    ($request:expr, $definition:expr) => {{
        let (format, text) = sent($definition)?;
        let Definition {
            name,
            document_type: _,
            content: _,
            document_format: _,
            target_type,
            version_name,
            display_name,
            requires: _,
            attachments,
            sharing: _,
            tags: _,
        } = $definition;
        $request
            .name(name)
            .content(text)
            .document_format(format)
            .set_target_type(target_type.clone())
            .set_version_name(version_name.clone())
            .set_display_name(display_name.clone())
            .set_attachments(sources(attachments))
    }};
}
pub(super) use send;

/// Returns the format and the content.
pub(super) fn sent(definition: &Definition) -> Result<(DocumentFormat, String), AwsError> {
    let sent = definition.sent();
    let (format, text) = sent.map_err(|e| AwsError::unexpected("the content", &e))?;
    let format = match format {
        Format::Json => DocumentFormat::Json,
        Format::Yaml => DocumentFormat::Yaml,
        Format::Text => DocumentFormat::Text,
    };
    Ok((format, text))
}

/// Returns the attachments, if there are any.
pub(super) fn sources(attachments: &[Attachment]) -> Option<Vec<AttachmentsSource>> {
    let sources = attachments.iter().map(|attachment| {
        let Attachment { key, values, name } = attachment;
        AttachmentsSource::builder()
            .key(enums::spelled(key).as_str().into())
            .set_values(Some(values.clone()))
            .set_name(name.clone())
            .build()
    });
    Some(sources.collect()).filter(|sources: &Vec<_>| !sources.is_empty())
}

/// Returns one requirement.
pub(super) fn requires(requirement: &Requirement) -> Result<DocumentRequires, AwsError> {
    let Requirement {
        name,
        version,
        require_type,
        version_name,
    } = requirement;
    DocumentRequires::builder()
        .name(name)
        .set_version(version.clone())
        .set_require_type(require_type.clone())
        .set_version_name(version_name.clone())
        .build()
        .map_err(|e| AwsError::unexpected("a requirement", &e.to_string()))
}
