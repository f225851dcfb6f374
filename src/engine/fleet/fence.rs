//! Which accounts documents may lead to, and by which roles: where several teams share one operator, the documents of one
//! must not reach the accounts of another.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FleetError, Site};
use crate::aws::Connection;
use crate::load::Role;

/// What may be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fence {
    /// The accounts, by their ids; `*` stands for all.
    #[serde(default)]
    pub accounts: BTreeSet<String>,
    /// The ARNs of the roles that may be assumed; `*` stands for any characters. Without a role the credentials at hand
    /// reach their own account alone.
    #[serde(default)]
    pub roles: BTreeSet<String>,
}

impl Fence {
    fn account(&self, id: &str) -> bool {
        self.accounts.iter().any(|one| one == id || one == "*")
    }

    fn role(&self, arn: &str) -> bool {
        self.roles.iter().any(|pattern| like(pattern, arn))
    }
}

/// Says whether a text is like a pattern in which `*` stands for any characters.
pub fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let part: &str = part;
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.ends_with(last),
    }
}

/// Refuses places outside the fence.
pub(super) fn check(
    fence: Option<&Fence>,
    connection: &Connection,
    sites: &[Site],
) -> Result<(), FleetError> {
    let Some(fence) = fence else { return Ok(()) };
    let refuse = |what: String, hint: &str| {
        let hint = hint.to_owned();
        Err(FleetError::Fenced { what, hint })
    };
    for site in sites {
        let account = &site.location.account;
        if !fence.account(account) {
            let what = format!("account {account} is not one that this namespace may use");
            return refuse(what, "whoever runs the operator allows it in its limits");
        }
        let target = site.target.as_ref();
        let Some(Role {
            path, name, via, ..
        }) = target.and_then(|target| target.spec.role.as_ref())
        else {
            continue;
        };
        let partition = connection.aws.location.partition();
        let arn = format!("arn:{partition}:iam::{account}:role{path}{name}");
        for arn in std::iter::once(&arn).chain(via) {
            if !fence.role(arn) {
                let what = format!("`{arn}` is not a role that this namespace may use");
                return refuse(what, "whoever runs the operator allows it in its limits");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let arn = "arn:aws:iam::111122223333:role/teams/payments";
        for good in [
            "*",
            arn,
            "arn:aws:iam::*:role/teams/*",
            "arn:*payments",
            "*:role/*",
        ] {
            assert!(like(good, arn), "{good}");
        }
        for bad in [
            "",
            "arn",
            "*/shop",
            "arn:aws:iam::*:role/payments",
            "arn:*:role/*/x/*",
        ] {
            assert!(!like(bad, arn), "{bad}");
        }
        assert!(!like("a*a", "a"));
    }
}
