//! What several kinds of Security Hub have in common: their tags, and who may have them.

use super::tags::Change;
use super::{Aws, AwsError, Class};
use crate::model::Id;
use crate::model::stamp::{Stamp, Tags};

/// Reads the tags of one object, by its ARN.
pub async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags, AwsError> {
    let request = aws.securityhub.list_tags_for_resource().resource_arn(arn);
    Ok(request.send().await?.tags.into_iter().flatten().collect())
}

/// Reads the tags of one object, unless it is gone since it was listed.
pub async fn tags_of(aws: &Aws, arn: &str) -> Result<Option<Tags>, AwsError> {
    match read_tags(aws, arn).await {
        Err(error) if error.class == Class::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

/// Finds what an earlier call with this stamp made, among the ARNs of its name. `what` such objects are called stands in
/// the error about two of them.
pub async fn made(
    aws: &Aws,
    what: &str,
    arns: impl IntoIterator<Item = String>,
    stamp: &Stamp,
) -> Result<Option<Id>, AwsError> {
    let mut found = Vec::new();
    for arn in arns {
        if let Some(tags) = tags_of(aws, &arn).await?
            && stamp.is_on(&tags)
        {
            found.push(arn);
        }
    }
    if found.len() > 1 {
        let message = format!(
            "{} {what} carry the stamp of this one, and none can be told from the others: {}",
            found.len(),
            found.join(", ")
        );
        return Err(AwsError::of(Class::Conflict, message));
    }
    Ok(found.pop().map(Id))
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

/// Takes over why what only the administrator of an organization has cannot be listed. In an account that is none, or is
/// not subscribed to Security Hub, it is not to be had; that is neither a failure nor a matter of permissions, for a
/// caller without those gets another code. [M] `InvalidAccessException`.
pub fn only_for_administrators(error: AwsError) -> AwsError {
    let none = error.code.as_deref() == Some("InvalidAccessException");
    let class = if none {
        Class::NotAvailable
    } else {
        error.class
    };
    AwsError { class, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_administers_nothing_is_not_one_without_permissions() {
        let error = |class: Class, code: &str| AwsError {
            class,
            code: Some(code.to_owned()),
            message: String::new(),
            request_id: None,
        };
        for (class, code, becomes) in [
            (Class::Denied, "InvalidAccessException", Class::NotAvailable),
            (
                Class::NotFound,
                "InvalidAccessException",
                Class::NotAvailable,
            ),
            (Class::Denied, "AccessDeniedException", Class::Denied),
            (
                Class::Throttled,
                "TooManyRequestsException",
                Class::Throttled,
            ),
        ] {
            let became = only_for_administrators(error(class, code));
            assert_eq!(became.class, becomes, "{code}");
        }
    }
}
