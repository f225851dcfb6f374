//! The tags of what Security Hub lists: its lists tell none.

use crate::aws::{Aws, AwsError, read_each, securityhub};
use crate::kinds::Select;
use crate::model::stamp::Tags;

/// Of what a list named, ARN and name each, reads the tags where they may matter, and keeps what is wanted and still there.
pub(in crate::kinds) async fn tagged(
    aws: &Aws,
    listed: Vec<(String, String)>,
    select: &Select,
) -> Result<Vec<(String, Tags)>, AwsError> {
    let maybe = listed.into_iter();
    let maybe = maybe.filter(|(arn, name)| !select.rules_out(arn, name));
    let read = async |arn: String, name: String| {
        let tags = securityhub::tags_of(aws, &arn).await?;
        let wanted = tags.filter(|tags| select.takes(&arn, &name, tags));
        Ok(wanted.map(|tags| (arn, tags)))
    };
    read_each(maybe.map(|(arn, name)| read(arn, name))).await
}
