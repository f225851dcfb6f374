//! What the kinds of Incident Manager have in common: their tags.

use super::tags::Change;
use super::{Aws, AwsError};
use crate::model::stamp::Tags;

/// Writes a difference of tags.
pub async fn write_tags(aws: &Aws, arn: &str, change: Change) -> Result<(), AwsError> {
    let Change { set, remove } = change;
    if !set.is_empty() {
        aws.incidents
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(set.into_iter().collect()))
            .send()
            .await?;
    }
    if !remove.is_empty() {
        aws.incidents
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(remove))
            .send()
            .await?;
    }
    Ok(())
}

/// Reads the tags of one object.
pub async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags, AwsError> {
    let answer = aws
        .incidents
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await?;
    Ok(answer.tags.into_iter().collect())
}
