//! Who else may read a document.

use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{invalid, members, operations, put, settings};
use super::{no_document, own_mut};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many accounts can share one document, and how many documents an account can make public.
const MOST_ACCOUNTS: usize = 1000;
const MOST_PUBLIC: usize = 5;

operations! {
    Write "ModifyDocumentPermission" => modify,
    Read "DescribeDocumentPermission" => describe,
}

fn modify(state: &mut State, call: &mut Call<'_>) -> Answer {
    // AWS reports `all` in lower case, whatever was sent.
    let ids = |member: &str| -> Vec<String> {
        call.strings(member)
            .iter()
            .map(|id| id.to_lowercase())
            .collect()
    };
    let (mut added, removed) = (ids("AccountIdsToAdd"), ids("AccountIdsToRemove"));
    let shared_version = call
        .str("SharedDocumentVersion")
        .unwrap_or("$DEFAULT")
        .to_owned();
    let quotas = state.settings.quotas;
    own_mut(state, call)?;
    if added.is_empty() && removed.is_empty() {
        return Err(invalid(
            "You must specify AccountIdsToAdd or AccountIdsToRemove.",
        ));
    }
    let limit = |message: &str| Err(Fault::new("DocumentPermissionLimit", message));
    for ids in [&added, &removed] {
        if ids.len() > 1 && ids.iter().any(|id| id == "all") {
            return limit("Accounts can either be all or a group of AWS accounts");
        }
    }
    // Removing has the higher priority.
    added.retain(|id| !removed.contains(id));
    let store = state.ssm(call.account, call.region);
    let name = call.required("Name");
    if added.iter().any(|id| id == "all") {
        if settings::value(store, settings::PUBLIC_SHARING) == "Disable" {
            return limit("Public sharing of documents is blocked in this account and region.");
        }
        let public = store
            .documents
            .values()
            .filter(|d| d.name != name && d.shares.contains_key("all"))
            .count();
        if quotas && public >= MOST_PUBLIC {
            return limit("You can publicly share at most five documents.");
        }
    }
    let Some(document) = store.documents.get_mut(name) else {
        return Err(no_document(name));
    };
    let mut shares = document.shares.clone();
    shares.retain(|id, _| !removed.contains(id));
    shares.extend(added.into_iter().map(|id| (id, shared_version.clone())));
    if quotas && shares.len() > MOST_ACCOUNTS {
        return limit("The document can't be shared with more than 1,000 accounts.");
    }
    document.shares = shares;
    Ok(Map::new())
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let document = own_mut(state, call)?;
    let shares: Vec<(String, String)> = document.shares.clone().into_iter().collect();
    // [M] `AccountIdList` has 20 at most.
    let listing = Listing {
        default: 20,
        ..Listing::of("DescribeDocumentPermission")
    };
    let (page, token) = listing.page(call, shares, |(id, _)| id.clone())?;
    let ids: Vec<&String> = page.iter().map(|(id, _)| id).collect();
    let infos: Vec<Value> = page
        .iter()
        .map(|(id, version)| json!({ "AccountId": id, "SharedDocumentVersion": version }))
        .collect();
    let mut answer = members(json!({ "AccountIds": ids, "AccountSharingInfoList": infos }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}
