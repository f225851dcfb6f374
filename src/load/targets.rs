//! What only objects and Targets together can have wrong: variables that some Target lacks, and places that two reach.

use std::collections::BTreeSet;

use super::across::{Entry, Variable};
use super::stack::Stack;
use super::target::Target;
use super::{Declared, Loaded};
use crate::model::{Diagnostic, Report, suggest};

impl Loaded {
    /// Returns the Targets that an object is for: its own, otherwise the Stack's, otherwise all.
    pub fn targets_of(&self, declared: &Declared) -> Vec<&Target> {
        let own = declared.targets.iter().map(String::as_str);
        targets_of(own, self.stack.as_ref(), &self.targets)
    }
}

fn targets_of<'n, 't>(
    own: impl Iterator<Item = &'n str>,
    stack: Option<&'n Stack>,
    targets: &'t [Target],
) -> Vec<&'t Target> {
    let mut names: Vec<&str> = own.collect();
    if names.is_empty() {
        let of_stack = stack.map_or(&[][..], |stack| &stack.targets);
        names.extend(of_stack.iter().map(String::as_str));
    }
    if names.is_empty() {
        return targets.iter().collect();
    }
    let mut seen = BTreeSet::new();
    let wanted = names.into_iter().filter(|name| seen.insert(*name));
    wanted
        .filter_map(|name| targets.iter().find(|target| target.name == name))
        .collect()
}

/// Reports what is wrong between objects and the Targets that they are for, as far as that is known without AWS.
pub(super) fn check(
    entries: &[Entry],
    stack: Option<&Stack>,
    targets: &[Target],
    report: &mut Report,
) {
    let mut met = BTreeSet::new();
    for entry in entries {
        if matches!(entry.address.kind.as_str(), "Stack" | "Target") {
            continue;
        }
        let own = entry.targets.iter().map(|(name, _)| name.as_str());
        let meant = targets_of(own, stack, targets);
        for used in &entry.variables {
            let lacks = meant.iter().find_map(|target| missing(target, &used.name));
            if let Some(finding) = lacks {
                report.push(placed(finding, entry, used));
            }
        }
        for (index, first) in meant.iter().enumerate() {
            for second in &meant[index + 1..] {
                if met.insert((&first.name, &second.name)) {
                    twice(entry, first, second, report);
                }
            }
        }
    }
}

fn placed(mut finding: Diagnostic, entry: &Entry, used: &Variable) -> Diagnostic {
    finding.at.clone_from(&used.at);
    finding.object = Some(entry.address.to_string());
    finding.place(used.place.clone())
}

/// Reports a variable that a Target lacks: everywhere, or at a place that is known.
fn missing(target: &Target, name: &str) -> Option<Diagnostic> {
    let Target { name: of, spec, .. } = target;
    let defined: BTreeSet<&str> = spec
        .variables
        .keys()
        .chain(
            spec.overrides
                .iter()
                .flat_map(|other| other.variables.keys()),
        )
        .map(String::as_str)
        .collect();
    let error = |whereabouts: String, hint: String| {
        let message = format!("`${{target.vars.{name}}}` stands for nothing in {whereabouts}");
        Some(Diagnostic::error("unknown-variable", "", message).hint(hint))
    };
    if !defined.contains(name) {
        let hint = match suggest::closest(name, defined.iter().copied()) {
            Some(near) => format!("did you mean `${{target.vars.{near}}}`?"),
            None => format!("add `{name}` to `variables` of the Target"),
        };
        return error(format!("Target `{of}`"), hint);
    }
    let places = known_places(target);
    let lacks = places
        .iter()
        .find(|(account, region)| !spec.variables_at(account, region).contains_key(name));
    let (account, region) = lacks?;
    error(
        format!("{account}/{region} of Target `{of}`"),
        format!("add `{name}` to `variables` of the Target, which every place has"),
    )
}

/// The places of a Target that are known without AWS.
fn known_places(target: &Target) -> BTreeSet<(&str, &str)> {
    let spec = &target.spec;
    let regions = || spec.regions.iter().map(String::as_str);
    let accounts = spec.accounts.iter();
    accounts
        .flat_map(|account| regions().map(move |region| (account.as_str(), region)))
        .collect()
}

/// Reports a place that two Targets of one object reach.
fn twice(entry: &Entry, first: &Target, second: &Target, report: &mut Report) {
    let (a, b) = (known_places(first), known_places(second));
    let Some((account, region)) = a.intersection(&b).next() else {
        return;
    };
    let message = format!(
        "Targets `{}` and `{}` both put {} into {account}/{region}",
        first.name, second.name, entry.address
    );
    let hint =
        "name one of them in `spec.targets` of the object, or take the place out of one of them";
    let finding = Diagnostic::error("place-twice", "", message).hint(hint);
    report.push(finding.place(second.place.clone()));
}
