//! What `--target`, `--account` and `--region` ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FleetError, Site};
use crate::load::{Loaded, Target};
use crate::model::suggest;

/// Which places are asked for; empty for all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Selection {
    /// Names of Targets.
    pub targets: BTreeSet<String>,
    /// Accounts.
    pub accounts: BTreeSet<String>,
    /// Regions.
    pub regions: BTreeSet<String>,
    /// Only accounts that one of these Targets leads to: in the others a change of the documents can affect nothing.
    /// None of them is then left too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concerned: Option<BTreeSet<String>>,
}

fn wrong(what: String, hint: impl Into<String>) -> FleetError {
    let hint = hint.into();
    FleetError::Selection { what, hint }
}

/// Refuses Targets where no document declares one.
pub(super) fn none(selection: &Selection) -> Result<(), FleetError> {
    match selection.targets.first() {
        None => Ok(()),
        Some(name) => Err(wrong(
            format!("no Target named `{name}`"),
            "no document declares a Target: leave --target out",
        )),
    }
}

/// Returns the Targets of a run: those that the Stack or an object names, or all where there is no default.
///
/// All of them are returned whatever is selected, because where an account keeps what it has once must not depend on
/// that; but what is selected must be among them.
///
/// # Errors
/// When a Target is asked for that is not there.
pub fn targets<'t>(
    loaded: &'t Loaded,
    selection: &Selection,
) -> Result<Vec<&'t Target>, FleetError> {
    let names: Vec<&str> = loaded
        .targets
        .iter()
        .map(|target| target.name.as_str())
        .collect();
    for name in &selection.targets {
        if !names.contains(&name.as_str()) {
            let hint = match suggest::closest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the Targets are {}", suggest::names(names.iter().copied())),
            };
            return Err(wrong(format!("no Target named `{name}`"), hint));
        }
    }
    let of_stack = loaded
        .stack
        .as_ref()
        .map_or(&[][..], |stack| &stack.targets);
    if of_stack.is_empty() {
        return Ok(loaded.targets.iter().collect());
    }
    let of_objects = loaded.objects.iter().flat_map(|object| &object.targets);
    let selected = selection.targets.iter();
    let mut seen = BTreeSet::new();
    let further = loaded.further_targets.iter();
    let wanted = of_stack
        .iter()
        .chain(of_objects)
        .chain(further)
        .chain(selected);
    let wanted = wanted.filter(|name| seen.insert(*name));
    Ok(wanted
        .filter_map(|name| loaded.targets.iter().find(|target| target.name == *name))
        .collect())
}

/// Keeps the places that are asked for.
pub(super) fn narrow(sites: &mut Vec<Site>, selection: &Selection) -> Result<(), FleetError> {
    let all = std::mem::take(sites);
    let known = |sites: &[Site], which: fn(&Site) -> &str| -> BTreeSet<String> {
        sites.iter().map(|site| which(site).to_owned()).collect()
    };
    let asked = [
        (
            "account",
            &selection.accounts,
            known(&all, |site| &site.location.account),
        ),
        (
            "region",
            &selection.regions,
            known(&all, |site| &site.location.region),
        ),
    ];
    for (what, wanted, known) in &asked {
        if let Some(stray) = wanted.difference(known).next() {
            let names = suggest::names(known.iter().map(String::as_str));
            let verb = if known.len() == 1 { "is" } else { "are" };
            return Err(wrong(
                format!("no place of this run is in {what} `{stray}`"),
                format!("known {verb} {names}"),
            ));
        }
    }
    let wants = |site: &Site| {
        let of_target = |target: &Arc<Target>| selection.targets.contains(&target.name);
        let within =
            |wanted: &BTreeSet<String>, is: &String| wanted.is_empty() || wanted.contains(is);
        (selection.targets.is_empty() || site.target.as_ref().is_some_and(of_target))
            && within(&selection.accounts, &site.location.account)
            && within(&selection.regions, &site.location.region)
    };
    let reached = selection.concerned.as_ref().map(|targets| {
        let led = all.iter().filter(|site| {
            let of_target = |target: &Arc<Target>| targets.contains(&target.name);
            site.target.as_ref().is_none_or(of_target)
        });
        let accounts = led.map(|site| site.location.account.clone());
        accounts.collect::<BTreeSet<String>>()
    });
    let concerned = |site: &Site| {
        let account = &site.location.account;
        reached
            .as_ref()
            .is_none_or(|accounts| accounts.contains(account))
    };
    let mut wanted = all.into_iter().filter(wants).peekable();
    if wanted.peek().is_some() {
        sites.extend(wanted.filter(concerned));
    } else {
        return Err(wrong(
            "no place is left to look at".to_owned(),
            "--target, --account and --region together exclude every place",
        ));
    }
    Ok(())
}
