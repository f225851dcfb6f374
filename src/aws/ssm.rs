//! What several kinds of Systems Manager have in common: their tags, and how they say that something is gone.

use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag};

use super::tags::Change;
use super::{Aws, AwsError, Class};
use crate::model::stamp::Tags;

/// Writes a difference of tags.
pub async fn write_tags(
    aws: &Aws,
    kind: ResourceTypeForTagging,
    id: &str,
    change: Change,
) -> Result<(), AwsError> {
    let Change { set, remove } = change;
    if !set.is_empty() {
        aws.ssm
            .add_tags_to_resource()
            .resource_type(kind.clone())
            .resource_id(id)
            .set_tags(Some(tag_list(set)?))
            .send()
            .await?;
    }
    if !remove.is_empty() {
        aws.ssm
            .remove_tags_from_resource()
            .resource_type(kind)
            .resource_id(id)
            .set_tag_keys(Some(remove))
            .send()
            .await?;
    }
    Ok(())
}

/// Reads the tags of one object.
pub async fn read_tags(
    aws: &Aws,
    kind: ResourceTypeForTagging,
    id: &str,
) -> Result<Tags, AwsError> {
    let answer = aws
        .ssm
        .list_tags_for_resource()
        .resource_type(kind)
        .resource_id(id)
        .send()
        .await?;
    Ok(tags_of(answer.tag_list.unwrap_or_default()))
}

/// Says whether what was listed a moment ago is gone; the tag calls have a code of their own for that.
pub fn is_gone(error: &AwsError) -> bool {
    error.class == Class::NotFound || error.code.as_deref() == Some("InvalidResourceId")
}

/// Turns tags into the list that create calls take.
pub fn tag_list(tags: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Tag>, AwsError> {
    tags.into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|e| AwsError::unexpected("a tag", &e.to_string()))
}

/// Reads the list that answers carry.
pub fn tags_of(list: Vec<Tag>) -> Tags {
    list.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
