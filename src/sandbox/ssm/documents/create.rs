//! Making a document, and adding a version to one.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::{invalid, members, operations, tags};
use super::{Document, Found, Settling, Version, content, derive, no_document, own_mut, review};
use crate::sandbox::{Answer, Call, Fault, State};

/// How many documents an account has in a region, and how many versions a document has.
const MOST_DOCUMENTS: usize = 500;
const MOST_VERSIONS: usize = 1000;

/// The starts of names that AWS keeps for itself, in any case.
const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];

operations! {
    Write "CreateDocument" => create,
    Write "UpdateDocument" => update,
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = call.required("Name").to_owned();
    let lower = name.to_ascii_lowercase();
    if RESERVED.iter().any(|reserved| lower.starts_with(reserved)) {
        return Err(invalid(format!(
            "Invalid document name {name}: the prefixes aws, amazon and amzn are reserved."
        )));
    }
    let kind = call.str("DocumentType").unwrap_or("Command").to_owned();
    if kind == "DeploymentStrategy" {
        return Err(invalid(
            "Document type DeploymentStrategy is reserved for AppConfig.",
        ));
    }
    let sent = tags::sent(call)?;
    check_requires(&kind, call)?;
    let version = version(
        call,
        &kind,
        1,
        Settling::Creating,
        state.settings.async_reads,
    )?;
    let quotas = state.settings.quotas;
    let store = state.ssm(call.account, call.region);
    if store.documents.contains_key(&name) {
        return Err(Fault::new(
            "DocumentAlreadyExists",
            format!("Document with same name {name} already exists"),
        ));
    }
    if quotas && store.documents.len() >= MOST_DOCUMENTS {
        return Err(Fault::new(
            "DocumentLimitExceeded",
            format!("You can have at most {MOST_DOCUMENTS} active SSM documents."),
        ));
    }
    let document = Document {
        name: name.clone(),
        kind,
        requires: call.input.get("Requires").cloned(),
        default: 1,
        last: 1,
        versions: BTreeMap::from([(1, version)]),
        shares: BTreeMap::new(),
    };
    store.documents.insert(name.clone(), document);
    tags::set(store, "Document", &name, sent);
    description(state, call, &name, 1)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (async_reads, quotas) = (state.settings.async_reads, state.settings.quotas);
    let document = own_mut(state, call)?;
    let name = document.name.clone();
    let latest_number = document.latest();
    let Some(latest) = document.versions.get(&latest_number) else {
        return Err(no_document(&name));
    };
    let superseded = match call.str("DocumentVersion") {
        None | Some("$LATEST") => latest_number,
        Some("$DEFAULT") => document.default,
        Some(number) => number.parse().unwrap_or(0),
    };
    if superseded != latest_number {
        return Err(Fault::new(
            "InvalidDocumentVersion",
            format!(
                "Version provided for document {name} is not latest. Please provide the latest version to update \
                 document {name}"
            ),
        ));
    }
    // Documents of schema 1.x run by the old plugins only and are replaced, not updated; sessions are the exception.
    if document.kind == "Command" && latest.derived.schema_version.as_deref() == Some("1.2") {
        return Err(Fault::new(
            "InvalidDocumentSchemaVersion",
            "You can't update a document with schema version 1.2.",
        ));
    }
    let number = document.last + 1;
    let mut new = version(
        call,
        &document.kind,
        number,
        Settling::Updating,
        async_reads,
    )?;
    if new.display_name.is_none() {
        new.display_name.clone_from(&latest.display_name);
    }
    // Terraform's tests show that AWS takes the same text again with another target type.
    let same_attachments = new.attachments.is_empty() || new.attachments == latest.attachments;
    if new.content == latest.content && new.target_type == latest.target_type && same_attachments {
        return Err(Fault::new(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the content of the document \
             and try again.",
        ));
    }
    let taken = |v: &Version| v.named.is_some() && v.named == new.named;
    if document.versions.values().any(taken) {
        return Err(Fault::new(
            "DuplicateDocumentVersionName",
            "The version name has already been used in this document. Specify a different version name, and then \
             try again.",
        ));
    }
    if quotas && document.versions.len() >= MOST_VERSIONS {
        return Err(Fault::new(
            "DocumentVersionLimitExceeded",
            "The document has too many versions. Delete one or more document versions and try again.",
        ));
    }
    document.last = number;
    document.versions.insert(number, new);
    description(state, call, &name, number)
}

/// Makes a version of what the request says.
fn version(
    call: &Call<'_>,
    kind: &str,
    number: u64,
    settling: Settling,
    async_reads: u32,
) -> Result<Version, Fault> {
    let text = call.required("Content");
    let format = call.str("DocumentFormat").unwrap_or("JSON");
    content::check_size(text)?;
    let derived = derive::derive(kind, format, text)?;
    let member = |name: &str| call.str(name).map(str::to_owned);
    Ok(Version {
        number,
        content: text.to_owned(),
        format: format.to_owned(),
        named: member("VersionName"),
        display_name: member("DisplayName"),
        target_type: member("TargetType"),
        attachments: call.list("Attachments").cloned().unwrap_or_default(),
        created: call.now_seconds(),
        author: call.caller.to_owned(),
        derived,
        settling: (async_reads > 0).then_some((settling, async_reads)),
        review: (kind == "Automation.ChangeTemplate").then(review::Review::default),
    })
}

/// A configuration for `AppConfig` is checked against a schema document, which it must name.
fn check_requires(kind: &str, call: &Call<'_>) -> Result<(), Fault> {
    if kind == "ApplicationConfiguration" && call.list("Requires").is_none_or(Vec::is_empty) {
        return Err(invalid(
            "An ApplicationConfiguration document requires an ApplicationConfigurationSchema document.",
        ));
    }
    Ok(())
}

fn description(state: &State, call: &Call<'_>, name: &str, number: u64) -> Answer {
    let found: Found<'_> = super::find(state, call, name)?;
    let version = found.version(Some(&number.to_string()), None)?;
    Ok(members(
        json!({ "DocumentDescription": found.description(version) }),
    ))
}
