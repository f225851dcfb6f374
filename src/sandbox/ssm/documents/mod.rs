//! SSM documents: what is kept of one, and how a call finds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{arn_in, members, put, tags};
use crate::sandbox::{Call, Fault, Map, State};

mod aws;
pub(super) mod content;
pub(super) mod create;
mod derive;
pub(super) mod read;
pub(super) mod review;
pub(super) mod sharing;
pub(super) mod versions;

#[cfg(test)]
mod tests;

/// One document with all its versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) kind: String,
    requires: Option<Value>,
    default: u64,
    /// The highest number ever given: a deleted version's number is not used again.
    last: u64,
    versions: BTreeMap<u64, Version>,
    /// The accounts that may read it, with the version that each was given; `all` is everybody.
    shares: BTreeMap<String, String>,
}

/// One version of a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) content: String,
    pub(super) format: String,
    /// The `VersionName`.
    named: Option<String>,
    display_name: Option<String>,
    target_type: Option<String>,
    attachments: Vec<Value>,
    created: f64,
    author: String,
    derived: derive::Derived,
    /// The state on the way to `Active`, and how many reads still see it.
    settling: Option<(Settling, u32)>,
    review: Option<review::Review>,
}

/// The states on the way to `Active`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Settling {
    Creating,
    Updating,
}

/// A document as one caller sees it.
pub(super) struct Found<'a> {
    pub(super) document: &'a Document,
    /// The owning account, or `Amazon`.
    owner: &'a str,
    /// The name as answers carry it: an ARN for another account's document.
    name: String,
    /// Which versions the caller may see.
    reach: &'a str,
    tags: Value,
}

impl Document {
    fn latest(&self) -> u64 {
        self.versions.keys().next_back().copied().unwrap_or(0)
    }
}

impl Version {
    fn status(&self) -> &'static str {
        match self.settling {
            None => "Active",
            Some((Settling::Creating, _)) => "Creating",
            Some((Settling::Updating, _)) => "Updating",
        }
    }

    fn hash(&self) -> String {
        super::paging::hex(&Sha256::digest(self.content.as_bytes()))
    }

    /// Returns the names of the attached files, as far as the request names them: a `SourceUrl` is a whole folder.
    fn attachment_names(&self) -> impl Iterator<Item = &str> {
        self.attachments.iter().filter_map(|source| {
            let text = |pointer: &str| source.pointer(pointer).and_then(Value::as_str);
            let file = text("/Values/0").filter(|_| text("/Key") != Some("SourceUrl"));
            text("/Name").or_else(|| file?.rsplit('/').next())
        })
    }
}

impl<'a> Found<'a> {
    /// Finds the version that a request's members name.
    pub(super) fn version(
        &self,
        number: Option<&str>,
        version_name: Option<&str>,
    ) -> Result<&'a Version, Fault> {
        let document = self.document;
        let wanted = match (number, version_name) {
            (Some("$LATEST"), _) => document.latest(),
            (Some("$DEFAULT"), _) => document.default,
            (Some(number), _) => number.parse().map_err(|_| no_version())?,
            (None, Some(named)) => document
                .versions
                .values()
                .find(|v| v.named.as_deref() == Some(named))
                .map(|v| v.number)
                .ok_or_else(no_version)?,
            (None, None) if self.reach == "$LATEST" => document.latest(),
            (None, None) => document.default,
        };
        let within_reach = match self.reach {
            "$LATEST" => wanted == document.latest(),
            "$DEFAULT" => wanted == document.default,
            _ => true,
        };
        document
            .versions
            .get(&wanted)
            .filter(|v| within_reach && version_name.is_none_or(|n| v.named.as_deref() == Some(n)))
            .ok_or_else(no_version)
    }

    /// Returns the document's name if it is the caller's own.
    fn own_name(&self, call: &Call<'_>) -> Option<String> {
        (self.owner == call.account).then(|| self.document.name.clone())
    }

    /// Returns a `DocumentDescription`.
    fn description(&self, version: &Version) -> Map {
        let document = self.document;
        let mut map = members(json!({
            "Hash": version.hash(),
            "HashType": "Sha256",
            "Name": self.name,
            "Owner": self.owner,
            "CreatedDate": version.created,
            "Status": version.status(),
            "DocumentVersion": version.number.to_string(),
            "Parameters": version.derived.parameters,
            "PlatformTypes": version.derived.platform_types,
            "DocumentType": document.kind,
            "LatestVersion": document.latest().to_string(),
            "DefaultVersion": document.default.to_string(),
            "DocumentFormat": version.format,
            "Tags": self.tags,
        }));
        put(&mut map, "DisplayName", version.display_name.as_deref());
        put(&mut map, "VersionName", version.named.as_deref());
        put(
            &mut map,
            "Description",
            version.derived.description.as_deref(),
        );
        put(
            &mut map,
            "SchemaVersion",
            version.derived.schema_version.as_deref(),
        );
        put(&mut map, "TargetType", version.target_type.as_deref());
        put(&mut map, "Requires", document.requires.clone());
        let attachments: Vec<Value> = version
            .attachment_names()
            .map(|name| json!({ "Name": name }))
            .collect();
        put(
            &mut map,
            "AttachmentsInformation",
            (!attachments.is_empty()).then_some(attachments),
        );
        review::describe(document, version, &mut map);
        map
    }
}

/// Finds the document that a reading operation names, by name or by ARN.
pub(super) fn find<'a>(
    state: &'a State,
    call: &'a Call<'_>,
    name: &'a str,
) -> Result<Found<'a>, Fault> {
    look(state, call, name).ok_or_else(|| no_document(name))
}

fn look<'a>(state: &'a State, call: &'a Call<'_>, name: &'a str) -> Option<Found<'a>> {
    let (owner, name) = if name.contains(':') {
        let mut parts = name.splitn(6, ':').skip(2);
        let (service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if service != "ssm" || region != call.region {
            return None;
        }
        // A runbook's own ARN form carries the version after the name; here only the document's form counts.
        (Some(account), resource.strip_prefix("document/")?)
    } else {
        (None, name)
    };
    match owner {
        None => own(state, call, name).or_else(|| amazon(name)),
        Some("") => amazon(name),
        Some(account) if account == call.account => own(state, call, name),
        Some(account) => shared(state, call, account, name),
    }
}

fn own<'a>(state: &'a State, call: &'a Call<'_>, name: &str) -> Option<Found<'a>> {
    let store = state.accounts.get(call.account)?.ssm.get(call.region)?;
    store.documents.get(name).map(|document| Found {
        document,
        owner: call.account,
        name: document.name.clone(),
        reach: "$ALL",
        tags: tags::shown(store, "Document", name),
    })
}

fn amazon<'a>(name: &str) -> Option<Found<'a>> {
    aws::documents().get(name).map(amazon_found)
}

fn amazon_found(document: &Document) -> Found<'_> {
    Found {
        document,
        owner: "Amazon",
        name: document.name.clone(),
        reach: "$ALL",
        tags: json!([]),
    }
}

fn shared<'a>(
    state: &'a State,
    call: &'a Call<'_>,
    account: &'a str,
    name: &str,
) -> Option<Found<'a>> {
    let document = state
        .accounts
        .get(account)?
        .ssm
        .get(call.region)?
        .documents
        .get(name)?;
    shared_found(call, account, document)
}

fn shared_found<'a>(
    call: &'a Call<'_>,
    account: &'a str,
    document: &'a Document,
) -> Option<Found<'a>> {
    let reach = document
        .shares
        .get(call.account)
        .or_else(|| document.shares.get("all"))?;
    Some(Found {
        document,
        owner: account,
        name: arn_in(call.region, account, &format!("document/{}", document.name)),
        reach,
        tags: json!([]),
    })
}

/// Finds the document that a changing operation names: only the caller's own will do.
fn own_mut<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Document, Fault> {
    let name = call.required("Name");
    state
        .ssm(call.account, call.region)
        .documents
        .get_mut(name)
        .ok_or_else(|| no_document(name))
}

/// Counts one read of a document, for each of its versions that is on its way to `Active`.
///
/// It does not matter which version is read: the others' time goes by as well.
fn settle(state: &mut State, call: &Call<'_>, name: Option<String>) {
    let documents = &mut state.ssm(call.account, call.region).documents;
    let document = name.and_then(|name| documents.get_mut(&name));
    for version in document.into_iter().flat_map(|d| d.versions.values_mut()) {
        version.settling = version
            .settling
            .and_then(|(kind, left)| (left > 1).then(|| (kind, left - 1)));
    }
}

fn no_document(name: &str) -> Fault {
    Fault::new(
        "InvalidDocument",
        format!("Document with name {name} does not exist."),
    )
}

fn no_version() -> Fault {
    Fault::new(
        "InvalidDocumentVersion",
        "The document version is not valid or does not exist.",
    )
}
