//! Plans of other accounts: a plan's resource policies let them be read and incidents be started and worked on.

use serde_json::Value;

use super::{Store, response_plan::Plan};
use crate::sandbox::{Call, State};

/// Returns the account in the ARN of a response plan or an incident record, and the plan's name.
fn parse(arn: &str) -> Option<(&str, &str)> {
    let (account, resource) = arn
        .strip_prefix("arn:aws:ssm-incidents::")?
        .split_once(':')?;
    let name = match resource.split_once('/')? {
        ("response-plan", name) => name,
        ("incident-record", rest) => rest.split_once('/')?.0,
        _ => return None,
    };
    Some((account, name))
}

/// Returns the store that holds what the ARN names, when it is the caller's own or shared with the caller.
pub(super) fn store<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    arn: &str,
    action: &str,
) -> Option<&'s mut Store> {
    let (owner, name) = parse(arn)?;
    let store = &mut state.accounts.get_mut(owner)?.incidents;
    store.settle(call.now_seconds());
    let allowed = owner == call.account
        || store
            .plans
            .get(name)
            .is_some_and(|plan| shares(plan, call, arn, action));
    (allowed && store.reaches(call.region)).then_some(store)
}

/// Tells whether the plan's policies allow the caller the action on the ARN.
pub(super) fn shares(plan: &Plan, call: &Call<'_>, arn: &str, action: &str) -> bool {
    let action = format!("ssm-incidents:{action}");
    plan.policies
        .iter()
        .filter_map(|policy| serde_json::from_str::<Value>(&policy.document).ok())
        .flat_map(|policy| listed(policy.get("Statement")))
        .any(|statement| {
            statement.get("Effect").is_some_and(|e| e == "Allow")
                && names(&statement, "Action").any(|pattern| glob(&pattern, &action))
                && names(&statement, "Resource").any(|pattern| glob(&pattern, arn))
                && admits(statement.get("Principal"), call)
        })
}

/// Policies write one element where a list is meant.
fn listed(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    }
}

fn names(statement: &Value, member: &str) -> impl Iterator<Item = String> {
    listed(statement.get(member))
        .into_iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
}

fn admits(principal: Option<&Value>, call: &Call<'_>) -> bool {
    let root = format!("arn:aws:iam::{}:root", call.account);
    let fits =
        |name: &str| name == "*" || name == call.account || name == root || name == call.caller;
    match principal {
        Some(Value::String(name)) => fits(name),
        Some(principal) => names(principal, "AWS").any(|name| fits(&name)),
        None => false,
    }
}

/// Matches `*` with anything and `?` with one character.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern_rest.as_str();
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| glob(rest, &text[at..]))
        }
        Some(wanted) => {
            let mut text_rest = text.chars();
            let there = text_rest.next();
            there.is_some_and(|c| wanted == '?' || wanted == c)
                && glob(pattern_rest.as_str(), text_rest.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn star_matches_anything_even_nothing() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a:*:b", "a::b", true),
            ("a:*:b", "a:eu-west-1:b", true),
            ("plan/*", "plan/x/y", true),
            ("plan/?", "plan/x", true),
            ("plan/?", "plan/", false),
            ("plan/x", "plan/xy", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
