//! What a schema cannot say about a hub.

use std::collections::BTreeMap;

use super::{Control, Parameter, SecurityHub};
use crate::kinds::tags;
use crate::model::{Report, pointer};

/// Reports everything wrong with a hub.
pub(super) fn check(hub: &SecurityHub, report: &mut Report) {
    let SecurityHub {
        auto_enable_controls: _,
        control_finding_generator: _,
        standards,
        controls,
        tags,
    } = hub;
    tags::check(tags.as_ref(), tags::Alphabet::SecurityHub, report);
    for (id, control) in controls.iter().flatten() {
        let at = pointer::join("/controls", id);
        is_control(id, &at, report);
        says_why(control, &at, report);
        for name in &control.enabled_in {
            if standards.as_ref().is_some_and(|all| !all.contains(name)) {
                report.error(
                    "bad-control",
                    format!("{at}/enabledIn"),
                    format!("the hub does not subscribe to `{name}`"),
                    "name standards that `standards` lists",
                );
            }
        }
        have_values(&control.parameters, &format!("{at}/parameters"), report);
    }
}

/// Reports what is no id of a control.
pub(in crate::kinds) fn is_control(id: &str, at: &str, report: &mut Report) {
    if !is_id(id) {
        report.error(
            "bad-control",
            at,
            format!("`{id}` is not the id of a control"),
            "the id that a control has in all standards, for instance `EC2.8`; not the number that one standard gives it",
        );
    }
}

/// Reports parameters of a control that have no value, or several.
pub(in crate::kinds) fn have_values(
    parameters: &BTreeMap<String, Parameter>,
    at: &str,
    report: &mut Report,
) {
    for (name, parameter) in parameters {
        if parameter.values() != 1 {
            report.error(
                "bad-control",
                pointer::join(at, name),
                format!("a parameter has exactly one value, not {}", parameter.values()),
                "for instance `{ integer: 20 }`; `aws securityhub get-security-control-definition` tells the type",
            );
        }
    }
}

fn says_why(control: &Control, at: &str, report: &mut Report) {
    let why = control.reason.as_deref().map(str::trim);
    if control.enabled && (why.is_some() || !control.enabled_in.is_empty()) {
        report.error(
            "bad-control",
            at,
            "a control that is on has neither `reason` nor `enabledIn`",
            "write `enabled: false`, or leave them out",
        );
    } else if !control.enabled && why.is_none_or(str::is_empty) {
        report.error(
            "bad-control",
            at,
            "a control is off and nobody says why",
            "add a `reason`: AWS wants one",
        );
    }
}

fn is_id(id: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    id.split_once('.').is_some_and(|(service, rest)| {
        service.starts_with(|c: char| c.is_ascii_alphabetic())
            && service.chars().all(|c| c.is_ascii_alphanumeric())
            && number(rest)
    })
}
