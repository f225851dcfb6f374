//! Choosing the default version, and deleting a version or the whole document.

use serde_json::json;

use super::super::{arn, associations, members, operations, put, tags};
use super::{no_document, no_version, own_mut};
use crate::sandbox::{Answer, Call, Fault, Map, State};

operations! {
    Write "UpdateDocumentDefaultVersion" => set_default,
    Write "DeleteDocument" => delete,
}

fn set_default(state: &mut State, call: &mut Call<'_>) -> Answer {
    let document = own_mut(state, call)?;
    let number: u64 = call
        .required("DocumentVersion")
        .parse()
        .map_err(|_| no_version())?;
    let version = document.versions.get(&number).ok_or_else(no_version)?;
    document.default = number;
    let mut description = members(json!({
        "Name": document.name,
        "DefaultVersion": number.to_string(),
    }));
    put(
        &mut description,
        "DefaultVersionName",
        version.named.as_deref(),
    );
    Ok(members(json!({ "Description": description })))
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let document = own_mut(state, call)?;
    let refused = |message: &str| Err(Fault::new("InvalidDocumentOperation", message));
    if !document.shares.is_empty() {
        return refused("Must unshare document first before delete");
    }
    if document.kind == "ApplicationConfigurationSchema" && call.bool("Force") != Some(true) {
        return refused(
            "A document of type ApplicationConfigurationSchema is deleted only with the Force flag.",
        );
    }
    let named = match (call.str("DocumentVersion"), call.str("VersionName")) {
        (None, None) => None,
        (Some("$LATEST"), _) => Some(document.latest()),
        (Some("$DEFAULT"), _) => Some(document.default),
        (Some(number), _) => Some(number.parse().unwrap_or(0)),
        (None, Some(name)) => {
            let version = document
                .versions
                .values()
                .find(|v| v.named.as_deref() == Some(name));
            Some(version.map_or(0, |v| v.number))
        }
    };
    let Some(number) = named else {
        let name = call.required("Name");
        let own = arn(call, &format!("document/{name}"));
        let store = state.ssm(call.account, call.region);
        // [M] `AssociatedInstances`: "You must disassociate a document from all managed nodes before you can delete it."
        // The text of the operation says instead that it deletes the associations; what refuses does less harm.
        if associations::any_with(&store.associations, name, &own) {
            return Err(Fault::new("AssociatedInstances", ""));
        }
        store.documents.remove(name);
        tags::forget(store, "Document", name);
        return Ok(Map::new());
    };
    if !document.versions.contains_key(&number) {
        return Err(no_document(&document.name));
    }
    if number == document.default {
        return refused("Default version of the document can't be deleted.");
    }
    document.versions.remove(&number);
    Ok(Map::new())
}
