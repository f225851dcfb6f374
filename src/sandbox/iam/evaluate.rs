//! Whether a policy lets a request pass. [D] IAM user guide, "Policy evaluation logic".

use std::collections::BTreeMap;

use super::condition::Key;
use super::policy::{Patterns, Policy, Statement};

/// Tags by their keys.
pub(super) type Tags = BTreeMap<String, String>;

/// What a policy may ask about a request.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) caller: &'a str,
    pub(super) region: &'a str,
    /// Tags that the request would set.
    pub(super) request_tags: &'a Tags,
    /// Keys of tags that the request would set or remove.
    pub(super) tag_keys: &'a [String],
    /// The tags of the resource, where it exists and its type lets policies look at them.
    pub(super) resource_tags: Option<Tags>,
}

/// What a policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

impl Policy {
    /// Decides on a request: one denial is enough, without any permission nothing is allowed.
    pub(super) fn decide(&self, context: &Context<'_>) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in &self.statements {
            if statement.is_about(context) {
                if !statement.allows {
                    return Decision::Denied;
                }
                decision = Decision::Allowed;
            }
        }
        decision
    }
}

impl Statement {
    fn is_about(&self, context: &Context<'_>) -> bool {
        let action = |pattern: &str, action: &str| {
            matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
        };
        self.actions.take_in(context.action, action)
            && self.resources.take_in(context.resource, arns_match)
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(context))
    }
}

impl Patterns {
    fn take_in(&self, what: &str, matches: impl Fn(&str, &str) -> bool) -> bool {
        self.list.iter().any(|pattern| matches(pattern, what)) != self.but
    }
}

impl Context<'_> {
    /// Returns what the request has under a key; nothing where the key is not there.
    pub(super) fn values(&self, key: &Key) -> Option<Vec<String>> {
        // The key of a tag is part of the condition key, and has no case either.
        let tag = |tags: &Tags, wanted: &str| {
            let mut tags = tags.iter();
            let (_, value) = tags.find(|(key, _)| key.eq_ignore_ascii_case(wanted))?;
            Some(vec![value.clone()])
        };
        let account = |arn: &str| {
            let account = arn
                .split(':')
                .nth(4)
                .filter(|account| !account.is_empty())?;
            Some(vec![account.to_owned()])
        };
        match key {
            Key::RequestTag(key) => tag(self.request_tags, key),
            Key::ResourceTag(key) => tag(self.resource_tags.as_ref()?, key),
            Key::TagKeys => Some(self.tag_keys.to_vec()).filter(|keys| !keys.is_empty()),
            Key::RequestedRegion => Some(vec![self.region.to_owned()]),
            Key::PrincipalArn => Some(vec![self.caller.to_owned()]),
            Key::PrincipalAccount => account(self.caller),
            Key::ResourceAccount => account(self.resource),
        }
    }
}

/// Matches a text with a pattern of `*` and `?`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star is, and what it has taken so far.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Matches an ARN part by part: no wildcard reaches from one of its six parts into the next. What a pattern leaves out
/// at its end counts as `*`. [D] IAM user guide, "IAM JSON policy elements: Resource".
pub(super) fn arns_match(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut parts = arn.splitn(6, ':');
    let mut patterns = pattern.splitn(6, ':');
    loop {
        match (patterns.next(), parts.next()) {
            (None, _) => return true,
            (Some(pattern), Some(part)) if matches(pattern, part) => {}
            (Some(_), _) => return false,
        }
    }
}
