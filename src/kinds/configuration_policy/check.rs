//! What a schema cannot say about a configuration policy.

use super::ConfigurationPolicy;
use crate::kinds::contact::rules::has_variable;
use crate::kinds::security_hub::check::{have_values, is_control};
use crate::kinds::tags;
use crate::model::{Report, pointer};

const RULE: &str = "bad-configuration-policy";

/// Reports everything wrong with a policy.
pub(super) fn check(policy: &ConfigurationPolicy, report: &mut Report) {
    let ConfigurationPolicy {
        name: _,
        description: _,
        service_enabled,
        standards: _,
        controls,
        associations: _,
        tags,
    } = policy;
    if !service_enabled {
        off(policy, report);
    }
    let lists = [
        ("enabled", controls.enabled.as_ref()),
        ("disabled", Some(&controls.disabled)),
    ];
    for (name, ids) in lists {
        for (index, id) in ids.into_iter().flatten().enumerate() {
            if !has_variable(id) {
                is_control(id, &format!("/controls/{name}/{index}"), report);
            }
        }
    }
    if controls.enabled.is_some() && !controls.disabled.is_empty() {
        report.error(
            RULE,
            "/controls/enabled",
            "controls are listed both as on and as off",
            "keep one of the lists: what `enabled` does not list is off, what `disabled` does not list is on",
        );
    }
    for (id, parameters) in &controls.parameters {
        let at = pointer::join("/controls/parameters", id);
        is_control(id, &at, report);
        have_values(parameters, &at, report);
        if parameters.is_empty() {
            report.error(
                RULE,
                at,
                "no parameter of the control is given a value",
                "take it out, or name a parameter, for instance `{ daysToExpiration: { integer: 20 } }`",
            );
        }
    }
    tags::check(tags.as_ref(), tags::Alphabet::SecurityHub, report);
}

/// AWS takes what is said of standards and controls beside `ServiceEnabled: false`, and forgets it: [T] an endless
/// difference.
fn off(policy: &ConfigurationPolicy, report: &mut Report) {
    let hint = "take it out, or write `serviceEnabled: true`";
    if !policy.standards.is_empty() {
        let message = "Security Hub is off in the accounts, and standards are listed";
        report.error(RULE, "/standards", message, hint);
    }
    if !policy.controls.is_usual() {
        let message = "Security Hub is off in the accounts, and something is said of controls";
        report.error(RULE, "/controls", message, hint);
    }
}
