//! Associations: which policy is for which accounts and units, by itself or by what is above it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::{fault, operation, page};
use super::{Central, Pending, SELF_MANAGED, open};
use crate::sandbox::organizations::Unit;
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(in crate::sandbox::securityhub) const OPERATIONS: &[Operation] = &[
    operation(
        "StartConfigurationPolicyAssociation",
        Access::Write,
        associate,
    ),
    operation(
        "StartConfigurationPolicyDisassociation",
        Access::Write,
        disassociate,
    ),
    operation("GetConfigurationPolicyAssociation", Access::Read, get),
    operation(
        "BatchGetConfigurationPolicyAssociations",
        Access::Read,
        batch_get,
    ),
    operation("ListConfigurationPolicyAssociations", Access::Read, list),
];

/// What was applied to an account, a unit or the root.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Association {
    /// The id of a policy, or [`SELF_MANAGED`].
    pub(super) policy: String,
    updated: f64,
    pending: Pending,
    /// It is being taken away.
    leaving: bool,
}

impl Association {
    pub(super) fn is_gone(&self, now: f64) -> bool {
        self.leaving && self.pending.is_over(now)
    }

    /// Says whether it has succeeded.
    pub(super) fn is_settled(&self, now: f64) -> bool {
        !self.leaving && self.pending.is_over(now)
    }
}

impl Central {
    /// Says whether a policy is for anything.
    pub(super) fn is_associated(&self, policy: &str) -> bool {
        let mut associations = self.targets.values();
        associations.any(|association| association.policy == policy)
    }

    /// A policy was changed: whoever it is for gets it anew.
    pub(super) fn begin_again(&mut self, policy: &str, pending: &Pending) {
        let targets = self.targets.iter();
        let these = targets.filter(|(_, there)| there.policy == policy && !there.leaving);
        let these: Vec<String> = these.map(|(id, _)| id.clone()).collect();
        for id in these {
            if let Some(association) = self.targets.get_mut(&id) {
                association.pending = *pending;
            }
        }
    }

    /// Returns what a target is configured by: whose association it is, and that.
    fn effective(&self, target: &Target, now: f64) -> Option<(&String, &Association)> {
        let nearest = std::iter::once(&target.id).chain(target.above.iter().rev());
        nearest
            .filter_map(|id| self.targets.get_key_value(id))
            .find(|(_, association)| !association.is_gone(now))
    }

    /// Notes that somebody saw an association.
    fn was_read(&mut self, source: &str) {
        if let Some(association) = self.targets.get_mut(source) {
            association.pending.was_read();
        }
    }
}

/// An account, a unit or the root.
#[derive(Debug)]
struct Target {
    id: String,
    kind: &'static str,
    /// What is above it, the root first.
    above: Vec<String>,
}

/// Returns everything that can be configured.
fn tree(state: &State) -> Vec<Target> {
    let Some(organization) = &state.settings.organization else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open: Vec<(&Unit, Vec<String>)> = vec![(&organization.root, Vec::new())];
    while let Some((unit, above)) = open.pop() {
        let mut below = above.clone();
        below.push(unit.id.clone());
        found.extend(unit.accounts.iter().map(|member| Target {
            id: member.id.clone(),
            kind: "ACCOUNT",
            above: below.clone(),
        }));
        open.extend(unit.units.iter().map(|unit| (unit, below.clone())));
        let kind = if above.is_empty() {
            "ROOT"
        } else {
            "ORGANIZATIONAL_UNIT"
        };
        let id = unit.id.clone();
        found.push(Target { id, kind, above });
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// Returns what an account is configured by.
pub(super) fn of_account<'c>(
    state: &State,
    central: &'c Central,
    account: &str,
    now: f64,
) -> Option<&'c Association> {
    let organization = state.settings.organization.as_ref()?;
    let (member, above) = organization.member(account)?;
    let target = Target {
        id: member.id.clone(),
        kind: "ACCOUNT",
        above: above.into_iter().map(str::to_owned).collect(),
    };
    Some(central.effective(&target, now)?.1)
}

/// Finds what a request means.
fn find(tree: Vec<Target>, asked: Option<&Value>) -> Result<Target, Fault> {
    let asked = asked.and_then(Value::as_object);
    let mut named = asked.into_iter().flatten().filter_map(|(member, id)| {
        let kind = match member.as_str() {
            "AccountId" => "ACCOUNT",
            "OrganizationalUnitId" => "ORGANIZATIONAL_UNIT",
            "RootId" => "ROOT",
            _ => return None,
        };
        Some((kind, id.as_str()?))
    });
    let (Some((kind, id)), None) = (named.next(), named.next()) else {
        return Err(fault::invalid(
            "Invalid parameter 'Target'. It names one target.",
        ));
    };
    let mut tree = tree.into_iter();
    let found = tree.find(|target| target.kind == kind && target.id == id);
    found.ok_or_else(|| fault::not_found(format!("{id} is not in the organization")))
}

/// Returns an association as answers have it.
fn row(target: &Target, source: &str, association: &Association, now: f64) -> Map {
    let own = source == target.id;
    let settled = association.is_settled(now);
    Map::from_iter([
        (
            "ConfigurationPolicyId".to_owned(),
            json!(association.policy),
        ),
        ("TargetId".to_owned(), json!(target.id)),
        ("TargetType".to_owned(), json!(target.kind)),
        (
            "AssociationType".to_owned(),
            json!(if own { "APPLIED" } else { "INHERITED" }),
        ),
        ("UpdatedAt".to_owned(), json!(association.updated)),
        (
            "AssociationStatus".to_owned(),
            json!(if settled { "SUCCESS" } else { "PENDING" }),
        ),
    ])
}

/// Returns the id of the policy that a request names, or the word for none.
fn policy(central: &Central, call: &Call<'_>) -> Result<String, Fault> {
    match call.required("ConfigurationPolicyIdentifier") {
        SELF_MANAGED => Ok(SELF_MANAGED.to_owned()),
        identifier => central.policy(identifier),
    }
}

/// Applies a policy, whatever the target was configured by before.
fn associate(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (tree, now) = (tree(state), call.now_seconds());
    let pending = Pending::new(state, call);
    let central = open(state, call)?;
    let policy = policy(central, call)?;
    let target = find(tree, call.input.get("Target"))?;
    let there = central.targets.get(&target.id);
    if !there.is_some_and(|there| there.policy == policy && !there.leaving) {
        let association = Association {
            policy,
            updated: now,
            pending,
            leaving: false,
        };
        central.targets.insert(target.id.clone(), association);
    }
    let there = central.targets.get(&target.id);
    Ok(there
        .map(|there| row(&target, &target.id, there, now))
        .unwrap_or_default())
}

/// [D] "You can disassociate only a directly applied configuration, not an inherited configuration."
fn disassociate(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (tree, now) = (tree(state), call.now_seconds());
    let pending = Pending::new(state, call);
    let central = open(state, call)?;
    let policy = policy(central, call)?;
    let target = find(tree, call.input.get("Target"))?;
    let there = central.targets.get_mut(&target.id);
    let there = there.filter(|there| there.policy == policy && !there.leaving);
    let Some(there) = there else {
        let why = format!("{} is not associated with {policy}", target.id);
        return Err(fault::not_found(why));
    };
    there.leaving = true;
    there.updated = now;
    there.pending = pending;
    Ok(Map::new())
}

/// Reads the association of a target.
fn read(central: &mut Central, target: &Target, now: f64) -> Result<Map, Fault> {
    let found = central.effective(target, now);
    let (source, association) = found.ok_or_else(|| {
        fault::not_found(format!(
            "{} is not associated with a configuration",
            target.id
        ))
    })?;
    let (answer, source) = (row(target, source, association, now), source.clone());
    central.was_read(&source);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (tree, now) = (tree(state), call.now_seconds());
    let central = open(state, call)?;
    let target = find(tree, call.input.get("Target"))?;
    read(central, &target, now)
}

fn batch_get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let now = call.now_seconds();
    let asked = call.list("ConfigurationPolicyAssociationIdentifiers");
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    open(state, call)?;
    for asked in asked.cloned().unwrap_or_default() {
        let tree = tree(state);
        let central = open(state, call)?;
        let answer = find(tree, asked.get("Target")).and_then(|target| read(central, &target, now));
        match answer {
            Ok(answer) => found.push(Value::from(answer)),
            Err(fault) => unprocessed.push(json!({
                "ConfigurationPolicyAssociationIdentifiers": asked,
                // [M] "An HTTP status code that identifies why".
                "ErrorCode": if fault.code == "ResourceNotFoundException" { "404" } else { "400" },
                "ErrorReason": fault.message,
            })),
        }
    }
    Ok(Map::from_iter([
        ("ConfigurationPolicyAssociations".to_owned(), found.into()),
        (
            "UnprocessedConfigurationPolicyAssociations".to_owned(),
            unprocessed.into(),
        ),
    ]))
}

/// Lists what was applied, and what inherits it.
fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (tree, now) = (tree(state), call.now_seconds());
    let central = open(state, call)?;
    let filters = call.map("Filters").cloned().unwrap_or_default();
    let filter = |name: &str| filters.get(name).and_then(Value::as_str);
    let policy = filter("ConfigurationPolicyId");
    // An id of what is not there fits nothing.
    let policy = policy.map(|named| central.policy(named).unwrap_or_else(|_| named.to_owned()));
    let wanted = [
        ("ConfigurationPolicyId", policy.as_deref()),
        ("AssociationType", filter("AssociationType")),
        ("AssociationStatus", filter("AssociationStatus")),
    ];
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    for target in &tree {
        let Some((source, association)) = central.effective(target, now) else {
            continue;
        };
        let row = row(target, source, association, now);
        let fits = |(member, wanted): &(&str, Option<&str>)| {
            wanted.is_none_or(|wanted| row.get(*member).is_some_and(|value| value == wanted))
        };
        if wanted.iter().all(fits) {
            found.push((target.id.clone(), Value::from(row)));
            seen.push(source.clone());
        }
    }
    seen.sort();
    seen.dedup();
    for source in &seen {
        central.was_read(source);
    }
    // As of policies.
    page::page(call, "ConfigurationPolicyAssociationSummaries", 100, found)
}
