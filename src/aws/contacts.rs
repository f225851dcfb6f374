//! What the kinds that live in ssm-contacts have in common: one list of contacts, one plan each, the same tags.

use std::collections::BTreeMap;
use std::future::Future;

use aws_sdk_ssmcontacts::operation::list_contacts::ListContactsOutput;
use aws_sdk_ssmcontacts::types::{Contact, ContactType, Plan, Tag};
use aws_smithy_types::error::operation::BuildError;

use super::{Aws, AwsError, Class, Pages, read_each, tags};
use crate::model::stamp::{Stamp, Tags};

/// The ARN pattern of contacts of all types.
pub const CONTACTS: &str = "arn:{partition}:ssm-contacts:{region}:{account}:contact/{name}";
/// The ARN pattern of rotations.
pub const ROTATIONS: &str = "arn:{partition}:ssm-contacts:{region}:{account}:rotation/*";

/// Says whether an object belongs to the account, for lists name what other accounts share, too.
pub fn is_own(aws: &Aws, arn: &str) -> bool {
    arn.split(':').nth(4) == Some(aws.location.account.as_str())
}

/// Lists the account's own contacts, sorted by ARN, each once.
pub async fn list(
    aws: &Aws,
    kind: Option<ContactType>,
    prefix: Option<&str>,
) -> Result<Vec<Contact>, AwsError> {
    let mut found = BTreeMap::new();
    let mut pages = Pages::of(
        aws.contacts
            .list_contacts()
            .set_type(kind)
            .set_alias_prefix(prefix.map(str::to_owned))
            .into_paginator()
            .send(),
        ListContactsOutput::next_token,
    );
    while let Some(page) = pages.next().await {
        for contact in page?.contacts.unwrap_or_default() {
            // The SDK fills in an empty text for a required member that is missing.
            if contact.contact_arn.is_empty() || contact.alias.is_empty() {
                return Err(AwsError::unexpected(
                    "ListContacts",
                    "a contact in the answer has no ContactArn or no Alias",
                ));
            }
            if is_own(aws, &contact.contact_arn) {
                found.insert(contact.contact_arn.clone(), contact);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Reads objects one by one, several at a time, and keeps their order. One that is gone by now is simply not there.
pub async fn each<R, T, F>(
    listed: impl IntoIterator<Item = R>,
    read: impl Fn(R) -> F,
) -> Result<Vec<T>, AwsError>
where
    F: Future<Output = Result<Option<T>, AwsError>>,
{
    read_each(listed.into_iter().map(|row| if_there(read(row)))).await
}

async fn if_there<T, F>(read: F) -> Result<Option<T>, AwsError>
where
    F: Future<Output = Result<Option<T>, AwsError>>,
{
    match read.await {
        Err(error) if error.class == Class::NotFound => Ok(None),
        other => other,
    }
}

/// A contact that is to be made, of any type.
pub struct New<'a> {
    /// Its alias.
    pub alias: &'a str,
    /// Its type.
    pub kind: ContactType,
    /// Its name for people.
    pub display_name: Option<&'a String>,
    /// Its plan.
    pub plan: Plan,
    /// The user's tags.
    pub tags: Option<&'a Tags>,
}

/// Creates a contact, stamped, and returns its ARN.
pub async fn create(aws: &Aws, new: New<'_>, stamp: &Stamp) -> Result<String, AwsError> {
    let New {
        alias,
        kind,
        display_name,
        plan,
        tags,
    } = new;
    let answer = aws
        .contacts
        .create_contact()
        .alias(alias)
        .set_display_name(display_name.filter(|name| !name.is_empty()).cloned())
        .r#type(kind)
        .plan(plan)
        .set_tags(Some(stamped(tags, stamp)))
        .idempotency_token(&stamp.token)
        .send()
        .await?;
    Ok(answer.contact_arn)
}

/// Returns the display name to send: nothing where it stays, the empty text where it goes.
pub fn renamed(declared: Option<&String>, live: Option<&String>) -> Option<String> {
    (declared != live).then(|| declared.cloned().unwrap_or_default())
}

/// Updates what is given of a contact; what is not given stays as it is.
pub async fn update(
    aws: &Aws,
    arn: &str,
    display_name: Option<String>,
    plan: Option<Plan>,
) -> Result<(), AwsError> {
    if display_name.is_none() && plan.is_none() {
        return Ok(());
    }
    aws.contacts
        .update_contact()
        .contact_id(arn)
        .set_display_name(display_name)
        .set_plan(plan)
        .send()
        .await?;
    Ok(())
}

/// Deletes a contact of any type.
pub async fn delete(aws: &Aws, arn: &str) -> Result<(), AwsError> {
    let answer = aws.contacts.delete_contact().contact_id(arn).send().await;
    AwsError::gone_is_fine(answer.map(|_| ()))
}

/// Reads an object's tags.
pub async fn tags(aws: &Aws, arn: &str) -> Result<Tags, AwsError> {
    let answer = aws
        .contacts
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await?;
    let tags = answer.tags.unwrap_or_default().into_iter();
    Ok(tags
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect())
}

/// Returns the tags that a create call carries: the user's and the stamp's.
pub fn stamped(user: Option<&Tags>, stamp: &Stamp) -> Vec<Tag> {
    let tags = stamp.with(user.unwrap_or(&Tags::new()));
    tags.into_iter().map(tag).collect()
}

/// Brings an object's tags from `live` to the user's and the stamp's.
pub async fn retag(
    aws: &Aws,
    arn: &str,
    live: &Tags,
    user: Option<&Tags>,
    stamp: &Stamp,
) -> Result<(), AwsError> {
    let tags::Change { set, remove } = tags::change(live, user, stamp);
    if !remove.is_empty() {
        aws.contacts
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(remove))
            .send()
            .await?;
    }
    if !set.is_empty() {
        aws.contacts
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(set.into_iter().map(tag).collect()))
            .send()
            .await?;
    }
    Ok(())
}

fn tag((key, value): (String, String)) -> Tag {
    Tag::builder().key(key).value(value).build()
}

/// Turns the SDK's complaint about an unfinished structure into an error.
pub fn built<T>(structure: Result<T, BuildError>) -> Result<T, AwsError> {
    structure.map_err(|e| AwsError::unexpected("the request", &e.to_string()))
}
