//! SSM documents in Systems Manager: `Document`, and all of `Runbook`.

use aws_sdk_ssm::operation::list_documents::ListDocumentsOutput;
use aws_sdk_ssm::types::{
    DocumentIdentifier, DocumentKeyValuesFilter, DocumentStatus, ResourceTypeForTagging,
};

use self::send::{requires, send, sent, sources};
use self::version::{NEWEST, Version, at_work, describe, next_default};
use super::reference::arn;
use super::{Definition, Document, DocumentType, Sharing, SsmDocument};
use crate::aws::{Aws, AwsError, Class, Pages, enums, read_each, ssm, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Address;
use crate::model::canonical::canonical;
use crate::model::digest::sha256;
use crate::model::stamp::{self, Applied, Stamp, Tags, user_tags};

mod send;
mod sharing;
mod version;

const DOCUMENTS: &str = "arn:{partition}:ssm:{region}:{account}:document/{name}";

/// What both kinds call.
pub(in crate::kinds) const ACTIONS: &[Action] = &[
    reads("ssm:ListDocuments", "*"),
    reads("ssm:DescribeDocument", DOCUMENTS),
    reads("ssm:GetDocument", DOCUMENTS),
    reads("ssm:DescribeDocumentPermission", DOCUMENTS),
    writes("ssm:CreateDocument", DOCUMENTS).stamps(),
    // A role that the content names for good is passed when the document is made. [D] service authorization reference.
    writes("iam:PassRole", "*").at("/content/assumeRole"),
    writes("ssm:UpdateDocument", DOCUMENTS).ours(),
    writes("ssm:UpdateDocumentDefaultVersion", DOCUMENTS).ours(),
    writes("ssm:ListDocumentVersions", DOCUMENTS).ours(),
    writes("ssm:ModifyDocumentPermission", DOCUMENTS)
        .ours()
        .deletes(),
    writes("ssm:DeleteDocument", DOCUMENTS).ours().ends(),
    writes("ssm:AddTagsToResource", DOCUMENTS).tags(),
    writes("ssm:RemoveTagsFromResource", DOCUMENTS).ours(),
];

impl Remote for Document {
    const ACTIONS: &'static [Action] = ACTIONS;

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        list(aws, select).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        create(self, aws, stamp).await
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        update(self, aws, live, stamp).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        delete(aws, live).await
    }
}

pub(in crate::kinds) async fn list<K: SsmDocument>(
    aws: &Aws,
    select: &Select,
) -> Result<Vec<Live<K>>, AwsError> {
    let mut filters = vec![filter("Owner", "Self")];
    // This one matches the beginning of names.
    filters.extend(select.only().map(|name| filter("Name", name)));
    filters.extend(K::TYPE.map(|kind| filter("DocumentType", &enums::spelled(kind))));
    let request = aws.ssm.list_documents().set_filters(Some(filters));
    let mut pages = Pages::of(
        request.max_results(50).into_paginator().send(),
        ListDocumentsOutput::next_token,
    );
    let mut wanted = Vec::new();
    while let Some(page) = pages.next().await {
        let listed = aws.required(
            "ListDocuments",
            "DocumentIdentifiers",
            page?.document_identifiers,
        )?;
        for entry in listed {
            let name = aws.required("ListDocuments", "Name", entry.name.clone())?;
            let tags = ssm::tags_of(entry.tags.clone().unwrap_or_default());
            let kind = entry
                .document_type
                .as_ref()
                .map_or("", |kind| kind.as_str());
            if may_be::<K>(kind, &tags) && select.wants(&name, &tags) {
                // Only a plan takes what was read before; after a write it is read again.
                let row = matches!(select, Select::Wanted { .. }).then(|| Row::of(entry));
                wanted.push((name, tags, row));
            }
        }
    }
    let wanted = wanted.into_iter();
    read_each(wanted.map(|(name, tags, row)| read::<K>(aws, name, tags, row))).await
}

fn filter(key: &str, value: &str) -> DocumentKeyValuesFilter {
    DocumentKeyValuesFilter::builder()
        .key(key)
        .values(value)
        .build()
}

/// Says whether a document may be of kind `K`, as far as the list tells.
fn may_be<K: SsmDocument>(reported: &str, tags: &Tags) -> bool {
    match enums::known(reported) {
        // A type that this version does not know, or the analysis of an incident.
        None => false,
        // AWS reports a change template as `Automation` too ([D] user guide, sample of create-document); its content
        // tells, and so does our stamp.
        Some(DocumentType::Automation) => tags
            .get(stamp::OBJECT)
            .is_none_or(|object| object.split('/').next() == Some(K::KIND)),
        Some(_) => K::TYPE.is_none(),
    }
}

/// Reads one document; `None` when it is gone, or of the other kind after all.
async fn read<K: SsmDocument>(
    aws: &Aws,
    name: String,
    tags: Tags,
    row: Option<Row>,
) -> Result<Option<Live<K>>, AwsError> {
    let default = match version(aws, &name, row, K::KIND).await {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let Version {
        mut definition,
        number,
        default: _,
        newest,
        status,
        information,
        hash: _,
    } = default;
    let of_this_kind = match K::TYPE {
        Some(kind) => definition.document_type == kind,
        None => definition.document_type != DocumentType::Automation,
    };
    if !of_this_kind {
        return Ok(None);
    }
    let mut statuses = vec![(number.clone(), status, information)];
    let mut notes = Vec::new();
    if newest != number {
        let latest = describe(aws, &name, Some(NEWEST)).await?;
        notes.push(format!(
            "version {newest} is newer than the default version {number}"
        ));
        let status = latest.status.unwrap_or(DocumentStatus::Active);
        statuses.push((newest, status, latest.status_information));
    }
    for (number, status, information) in &statuses {
        if *status == DocumentStatus::Failed {
            let why = information.as_deref().unwrap_or("AWS does not say why");
            notes.push(format!("AWS could not make version {number}: {why}"));
        }
    }
    definition.sharing = sharing::read(aws, &name).await?;
    definition.tags = Some(user_tags(&tags));
    Ok(Some(Live {
        id: Id(arn(&aws.location, &name)),
        name,
        spec: K::from_definition(definition),
        tags,
        ready: statuses.iter().all(|(_, status, _)| !at_work(status)),
        notes,
    }))
}

/// What the list tells of a document.
struct Row {
    entry: DocumentIdentifier,
    /// A hash of all of it but the tags, which are read each time.
    hash: String,
}

impl Row {
    fn of(entry: DocumentIdentifier) -> Self {
        let mut untagged = entry.clone();
        untagged.tags = None;
        let hash = sha256(&format!("{untagged:?}"));
        Self { entry, hash }
    }
}

/// Reads the default version, unless the list tells the same of the document as when it was last read: the content of
/// a version never changes.
async fn version(aws: &Aws, name: &str, row: Option<Row>, kind: &str) -> Result<Version, AwsError> {
    let Some(Row { entry, hash: row }) = row else {
        return Version::read(aws, name, None).await;
    };
    let hash: Option<String> = aws.memory.recall(&aws.location, kind, name, &row);
    let content = hash.as_deref().and_then(|hash| aws.memory.text(hash));
    if let (Some(hash), Some(content)) = (hash, content) {
        return Version::listed(aws, &entry, hash, content);
    }
    let version = Version::read(aws, name, None).await?;
    // A document that was made anew has another date.
    if let Some(created) = entry.created_date.filter(|_| version.is_settled()) {
        let memory = &aws.memory;
        memory.remember(
            &aws.location,
            kind,
            name,
            &row,
            created.secs(),
            &version.hash,
        );
    }
    Ok(version)
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

pub(in crate::kinds) async fn create<K: SsmDocument>(
    spec: &K,
    aws: &Aws,
    stamp: &Stamp,
) -> Result<Id, AwsError> {
    let wanted = spec.clone().definition();
    let user = wanted.tags.clone().unwrap_or_default();
    let requires = wanted
        .requires
        .iter()
        .map(requires)
        .collect::<Result<Vec<_>, _>>()?;
    // CreateDocument has no token; the engine finds out whether one that exists is ours from a lost answer.
    send!(aws.ssm.create_document(), &wanted)
        .document_type(enums::spelled(wanted.document_type).as_str().into())
        .set_requires(Some(requires).filter(|requires| !requires.is_empty()))
        .set_tags(Some(ssm::tag_list(stamp.with(&user))?))
        .send()
        .await?;
    sharing::write(aws, &wanted.name, &Sharing::default(), &wanted.sharing).await?;
    Ok(Id(arn(&aws.location, &wanted.name)))
}

pub(in crate::kinds) async fn update<K: SsmDocument>(
    spec: &K,
    aws: &Aws,
    live: &Live<K>,
    stamp: &Stamp,
) -> Result<(), AwsError> {
    let (mut wanted, have) = (spec.clone().definition(), live.spec.clone().definition());
    wanted.settle(&have);
    let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
    let new_files = files_changed(&wanted, &live.tags, stamp);
    let kind = ResourceTypeForTagging::Document;
    if new_files || !wanted.fulfilled_by(&have) {
        let next = next_default(&wanted, new_files, aws).await?;
        // The tags come before the default moves: once it has moved, nothing but them would say what was applied,
        // and a difference in the files would seem to be left.
        ssm::write_tags(aws, kind, &wanted.name, change).await?;
        if let Some(version) = next {
            let request = aws.ssm.update_document_default_version().name(&wanted.name);
            request.document_version(version).send().await?;
        }
        return Ok(());
    }
    sharing::write(aws, &wanted.name, &have.sharing, &wanted.sharing).await?;
    ssm::write_tags(aws, kind, &wanted.name, change).await
}

/// Says whether the files are others than those last applied.
fn files_changed(wanted: &Definition, live: &Tags, stamp: &Stamp) -> bool {
    let address = stamp
        .tags
        .get(stamp::OBJECT)
        .and_then(|object| object.parse::<Address>().ok());
    let (Some(address), Some(applied)) = (address, Applied::read(live)) else {
        return false;
    };
    let files = serde_json::to_value(&wanted.attachments).map(canonical);
    let files = files.ok().filter(|_| !wanted.attachments.is_empty());
    files.is_some() && !applied.holds(&address, "attachments", files.as_ref())
}

pub(in crate::kinds) async fn delete<K: SsmDocument>(
    aws: &Aws,
    live: &Live<K>,
) -> Result<(), AwsError> {
    let definition = live.spec.clone().definition();
    // AWS deletes no document that is shared: [T] issue 5308.
    let unshared = sharing::write(aws, &live.name, &definition.sharing, &Sharing::default()).await;
    AwsError::gone_is_fine(unshared)?;
    // AppConfig's documents are deleted by force only: [M] DeleteDocument, "Force".
    let by_force = matches!(
        definition.document_type,
        DocumentType::ApplicationConfiguration
            | DocumentType::ApplicationConfigurationSchema
            | DocumentType::DeploymentStrategy
    );
    let request = aws.ssm.delete_document().name(&live.name);
    let answer = request.set_force(by_force.then_some(true)).send().await;
    AwsError::gone_is_fine(answer.map(drop))
}
