//! Keeps personal values out of source lines and messages.

use super::tree::{Content, Node, Range};
use crate::model::{Diagnostic, sensitive};

/// Calls `visit` with every text of a personal value that may not be shown, or with the range of a key that may not.
pub(super) fn hide(node: &Node, visit: &mut dyn FnMut(Option<&Node>, Range)) {
    match &node.content {
        Content::Scalar { value, .. } => {
            if !value.is_null() {
                visit(Some(node), node.range);
            }
        }
        Content::List(items) => items.iter().for_each(|item| hide(item, visit)),
        Content::Map(entries) => {
            for (key, member) in entries {
                match key.text.as_str() {
                    "fromEnv" | "fromFile" | "fromParameter" | "fromSecret" => {}
                    "value" => hide(member, visit),
                    _ => {
                        visit(None, key.range);
                        hide(member, visit);
                    }
                }
            }
        }
    }
}

pub(super) fn written(node: &Node) -> Option<String> {
    let text = node.text().or(node.raw())?;
    (text.chars().count() >= 3).then(|| text.to_owned())
}

/// Replaces personal values in a finding by their masks, whoever put them there.
pub(super) fn scrub(finding: &mut Diagnostic, secrets: &[String]) {
    for secret in secrets {
        let mask = sensitive::mask(secret);
        for text in std::iter::once(&mut finding.message).chain(&mut finding.hint) {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), &mask);
            }
        }
    }
}
