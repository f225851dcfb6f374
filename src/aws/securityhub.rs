//! What several kinds of Security Hub have in common: their tags.

use super::tags::Change;
use super::{Aws, AwsError};
use crate::model::stamp::Tags;

/// Reads the tags of one object, by its ARN.
pub async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags, AwsError> {
    let request = aws.securityhub.list_tags_for_resource().resource_arn(arn);
    Ok(request.send().await?.tags.into_iter().flatten().collect())
}

/// Writes a difference of tags.
pub async fn write_tags(aws: &Aws, arn: &str, change: Change) -> Result<(), AwsError> {
    let Change { set, remove } = change;
    if !set.is_empty() {
        let request = aws.securityhub.tag_resource().resource_arn(arn);
        let set = set.into_iter().collect();
        request.set_tags(Some(set)).send().await?;
    }
    if !remove.is_empty() {
        let request = aws.securityhub.untag_resource().resource_arn(arn);
        request.set_tag_keys(Some(remove)).send().await?;
    }
    Ok(())
}
