//! Permissions: an identity policy that every request to the simulated AWS is held to.
//!
//! What a request needs is a table (`requests.txt`), what a policy says of it follows IAM's evaluation logic. Policies of
//! resources, boundaries and organizations do not exist here.

mod condition;
mod evaluate;
mod policy;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use evaluate::{Context, Decision, Tags};
pub use policy::Policy;
use requests::{Place, needed, tag_keys, tags_in, tags_request};

use super::Map;

/// A request whose sender is to be authorised.
pub(super) struct Request<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) input: &'a Map,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) caller: &'a str,
}

impl Policy {
    /// Says why a request is not allowed, and adds the actions that it needs to `asked`. `list_tags` calls the
    /// `ListTagsForResource` of a service.
    pub(super) fn refuse(
        &self,
        request: &Request<'_>,
        asked: &mut BTreeSet<String>,
        mut list_tags: impl FnMut(&str, &Map) -> Option<Map>,
    ) -> Option<String> {
        let Request {
            service,
            operation,
            input,
            account,
            region,
            caller,
        } = *request;
        let place = Place { account, region };
        let (request_tags, keys): (Tags, Vec<String>) = (tags_in(input), tag_keys(input));
        for needed in needed(service, operation, input, place) {
            asked.insert(needed.action.clone());
            let tags = tags_request(&needed.resource, place);
            let tags = tags.and_then(|(service, input)| list_tags(service, &input));
            let context = Context {
                action: &needed.action,
                resource: &needed.resource,
                caller,
                region,
                request_tags: &request_tags,
                tag_keys: &keys,
                resource_tags: tags.as_ref().map(tags_in),
            };
            let why = match self.decide(&context) {
                Decision::Allowed => continue,
                Decision::NotAllowed => {
                    format!(
                        "because no identity-based policy allows the {} action",
                        needed.action
                    )
                }
                Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
            };
            // Systems Manager names an ARN even where an action is about no resource.
            let resource = match (needed.resource.as_str(), service) {
                ("*", "ssm") => format!(" on resource: arn:aws:ssm:{region}:{account}:*"),
                ("*", _) => String::new(),
                (arn, _) => format!(" on resource: {arn}"),
            };
            return Some(format!(
                "User: {caller} is not authorized to perform: {}{resource} {why}",
                needed.action
            ));
        }
        None
    }
}
