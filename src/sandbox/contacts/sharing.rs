//! Contacts that are shared with other accounts, by their resource policies.
//!
//! The other accounts see such a contact in `ListContacts`, may look at it and engage it as far as the policy goes, and
//! cannot change it: only the operations that call [`enter_at`] look beyond the caller's own account.

use serde_json::Value;

use super::arn::{self, Kind};
use super::contact::Contact;
use super::{Store, enter, escalation, fault};
use crate::sandbox::{Call, Fault, State};

/// Opens the store that holds what an ARN names: the caller's, or that of an account which shares the contact.
pub(super) fn enter_at<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    member: &str,
    kind: Kind,
    action: &str,
) -> Result<(&'s mut Store, String), Fault> {
    enter(state, call)?;
    let id = call.required(member).to_owned();
    let parts = arn::parse(&id, &[kind])?;
    if parts.account == call.account {
        return Ok((&mut state.account(call.account).contacts, id));
    }
    let contact = arn::beside(&id, Kind::Contact, parts.alias());
    let owner = state.accounts.get_mut(parts.account);
    let shared = owner.filter(|owner| {
        let contact = owner.contacts.contacts.get(&contact);
        let policy = contact.and_then(|contact| contact.policy.as_deref());
        policy.is_some_and(|policy| allows(policy, call.account, action, &id))
    });
    let Some(owner) = shared else {
        return Err(fault::denied(call.caller, &id));
    };
    escalation::advance(&mut owner.contacts, call.now);
    Ok((&mut owner.contacts, id))
}

/// Returns the contacts that other accounts share with the caller, by ARN.
pub(super) fn shared_with<'s>(
    state: &'s State,
    account: &str,
) -> impl Iterator<Item = (&'s String, &'s Contact)> {
    state
        .accounts
        .iter()
        .filter(move |(id, _)| *id != account)
        .flat_map(|(_, other)| {
            let (ids, contacts) = (&other.contacts.shared, &other.contacts.contacts);
            ids.iter().filter_map(|id| contacts.get_key_value(id))
        })
        .filter(move |(id, contact)| {
            let policy = contact.policy.as_deref();
            policy.is_some_and(|policy| allows(policy, account, "GetContact", id))
        })
}

/// Tells whether a policy lets an account do something with a resource of the contact.
fn allows(policy: &str, account: &str, action: &str, resource: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return false;
    };
    let action = format!("ssm-contacts:{action}");
    let mut effects = one_or_many(&policy["Statement"])
        .iter()
        .filter(|statement| {
            means(&statement["Principal"], account)
                && any(&statement["Action"], |pattern| matches(pattern, &action))
                && any(&statement["Resource"], |pattern| matches(pattern, resource))
        })
        .map(|statement| &statement["Effect"])
        .peekable();
    effects.peek().is_some() && effects.all(|effect| effect == "Allow")
}

/// Tells whether a principal means the account: `*`, its twelve digits, or an ARN in it.
fn means(principal: &Value, account: &str) -> bool {
    let test =
        |text: &str| text == "*" || text == account || text.split(':').nth(4) == Some(account);
    any(principal, test) || any(&principal["AWS"], test)
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(many) => many,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn any(value: &Value, test: impl Fn(&str) -> bool) -> bool {
    one_or_many(value)
        .iter()
        .filter_map(Value::as_str)
        .any(test)
}

/// Matches a text against a pattern in which `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to go on when the text after the last star turns out not to fit.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(one) if *one == b'?' || *one == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = retry else {
                    return false;
                };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_shared_contact_is_listed_read_and_engaged_and_not_changed() {
        let mut world = World::new();
        let (ana, bo) = (world.reachable("ana"), world.person("bo"));
        // The service's own example of a policy.
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "ExampleResourcePolicy", "Effect": "Allow", "Principal": { "AWS": "222233334444" },
            "Action": [
                "ssm-contacts:GetContact", "ssm-contacts:StartEngagement", "ssm-contacts:DescribeEngagement",
                "ssm-contacts:ListPagesByEngagement", "ssm-contacts:StopEngagement",
            ],
            "Resource": [
                "arn:aws:ssm-contacts:*:111122223333:contact/ana",
                "arn:aws:ssm-contacts:*:111122223333:engagement/ana/*",
            ],
        }] });
        let put = json!({ "ContactArn": ana, "Policy": policy.to_string() });
        world.ok("PutContactPolicy", put);
        world.enter_account("222233334444");
        let own = world.person("own");
        let listed = world.all("ListContacts", "Contacts", json!({ "MaxResults": 1 }));
        let ids: Vec<&str> = listed
            .iter()
            .filter_map(|c| c["ContactArn"].as_str())
            .collect();
        assert_eq!(ids, [ana.as_str(), own.as_str()]);
        let read = world.ok("GetContact", json!({ "ContactId": ana }));
        assert_eq!(read["Alias"], "ana");
        let engage = json!({ "ContactId": ana, "Sender": "s", "Subject": "s", "Content": "c" });
        let id = world.ok("StartEngagement", engage)["EngagementArn"].clone();
        let engagement = json!({ "EngagementId": id });
        world.pass(5);
        let pages = world.ok("ListPagesByEngagement", engagement.clone());
        assert_eq!(pages["Pages"].as_array().map(Vec::len), Some(2));
        world.ok("StopEngagement", engagement.clone());
        let shown = world.ok("DescribeEngagement", engagement);
        assert!(shown.get("StopTime").is_some());
        let page = &pages["Pages"][0]["PageArn"];
        for (name, input) in [
            ("GetContact", json!({ "ContactId": bo })),
            (
                "UpdateContact",
                json!({ "ContactId": ana, "DisplayName": "" }),
            ),
            ("DeleteContact", json!({ "ContactId": ana })),
            ("ListContactChannels", json!({ "ContactId": ana })),
            ("ListTagsForResource", json!({ "ResourceARN": ana })),
            ("GetContactPolicy", json!({ "ContactArn": ana })),
            ("DescribePage", json!({ "PageId": page })),
        ] {
            assert_eq!(world.code(name, input), "AccessDeniedException", "{name}");
        }
    }

    #[test]
    fn a_denial_weighs_more_than_a_permission() {
        let statement = |effect: &str, principal: &Value, action: &str| json!({ "Effect": effect, "Principal": principal, "Action": action, "Resource": "*" });
        let root = json!({ "AWS": ["arn:aws:iam::222233334444:root"] });
        let everyone = statement("Allow", &json!("*"), "ssm-contacts:Get*");
        let denied = statement("Deny", &root, "ssm-contacts:*");
        let ours = statement("Allow", &root, "ssm-contacts:StartEngagement");
        let arn = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/ana";
        let allowed = |statements: &[&Value], account: &str, action: &str| {
            let policy = json!({ "Statement": statements }).to_string();
            allows(&policy, account, action, arn)
        };
        assert!(allowed(&[&everyone], "222233334444", "GetContact"));
        assert!(!allowed(&[&everyone], "222233334444", "StartEngagement"));
        assert!(!allowed(
            &[&everyone, &denied],
            "222233334444",
            "GetContact"
        ));
        assert!(allowed(&[&ours], "222233334444", "StartEngagement"));
        assert!(!allowed(&[&ours], "555566667777", "StartEngagement"));
    }

    #[test]
    fn patterns_match_as_in_iam() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*:contact/ana", "arn:x:contact/ana", true),
            ("*:contact/ana", "arn:x:contact/ana2", false),
            ("a*b*c", "aXbXbXc", true),
            ("abc", "abc", true),
            ("abc", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
