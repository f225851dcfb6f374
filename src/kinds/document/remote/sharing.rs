//! Who else may use a document.

use std::collections::BTreeSet;

use aws_sdk_ssm::types::DocumentPermissionType;

use super::super::definition::EVERYBODY;
use super::super::{SharedVersion, Sharing};
use super::filled;
use crate::aws::pages::fresh;
use crate::aws::{Aws, AwsError, enums};

/// How many accounts one call takes.
const BATCH: usize = 20;

/// Reads with whom a document is shared.
pub(super) async fn read(aws: &Aws, name: &str) -> Result<Sharing, AwsError> {
    let (mut sharing, mut versions) = (Sharing::default(), BTreeSet::new());
    let (mut token, mut seen) = (None, BTreeSet::new());
    loop {
        // The SDK has no paginator for this operation.
        let request = aws.ssm.describe_document_permission().name(name);
        let request = request.permission_type(DocumentPermissionType::Share);
        let answer = request.set_next_token(token).send().await?;
        for account in answer.account_ids.unwrap_or_default() {
            if account.eq_ignore_ascii_case(EVERYBODY) {
                sharing.public = true;
            } else {
                sharing.accounts.insert(account);
            }
        }
        for share in answer.account_sharing_info_list.unwrap_or_default() {
            versions.insert(match filled(share.shared_document_version) {
                Some(version) => enums::read("SharedDocumentVersion", &version)?,
                None => SharedVersion::Default,
            });
        }
        token = filled(answer.next_token);
        match &token {
            Some(token) => fresh(&mut seen, token)?,
            None => break,
        }
    }
    // Where accounts share different versions there is none to speak of: naming one is then a difference.
    sharing.version = versions.pop_first().filter(|_| versions.is_empty());
    Ok(sharing)
}

/// Shares the document with whom is wanted and nobody else.
pub(super) async fn write(
    aws: &Aws,
    name: &str,
    live: &Sharing,
    wanted: &Sharing,
) -> Result<(), AwsError> {
    let (have, want) = (live.with_whom(), wanted.with_whom());
    let new_version = wanted.version.is_some() && wanted.version != live.version;
    let remove: Vec<_> = have.difference(&want).cloned().collect();
    let add: Vec<_> = want
        .into_iter()
        .filter(|account| new_version || !have.contains(account))
        .collect();
    let request = || {
        let request = aws.ssm.modify_document_permission().name(name);
        request.permission_type(DocumentPermissionType::Share)
    };
    let (everybody, accounts): (Vec<_>, Vec<_>) =
        remove.into_iter().partition(|id| id == EVERYBODY);
    for accounts in accounts.chunks(BATCH).chain(everybody.chunks(1)) {
        request()
            .set_account_ids_to_remove(Some(accounts.to_vec()))
            .send()
            .await?;
    }
    // Everybody goes in a call of its own: [M] ModifyDocumentPermission, "AccountIdsToAdd".
    let (everybody, accounts): (Vec<_>, Vec<_>) = add.into_iter().partition(|id| id == EVERYBODY);
    for accounts in accounts.chunks(BATCH).chain(everybody.chunks(1)) {
        request()
            .set_account_ids_to_add(Some(accounts.to_vec()))
            .set_shared_document_version(wanted.version.map(enums::spelled))
            .send()
            .await?;
    }
    Ok(())
}
