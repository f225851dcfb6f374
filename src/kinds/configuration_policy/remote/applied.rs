//! What policies are applied to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_securityhub::operation::list_configuration_policy_associations::ListConfigurationPolicyAssociationsOutput;
use aws_sdk_securityhub::types as sdk;

use super::super::Associations;
use crate::aws::{Aws, AwsError, Pages, securityhub};

/// What stands for a policy where a target was told to manage itself. [M] `StartConfigurationPolicyAssociation`.
const SELF_MANAGED: &str = "SELF_MANAGED_SECURITY_HUB";

/// How many targets of one state are named in a note.
const MOST_NAMED: usize = 5;

/// Something that a policy is applied to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Account(String),
    OrganizationalUnit(String),
    Root(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account {id}"),
            Self::OrganizationalUnit(id) => write!(f, "unit {id}"),
            Self::Root(id) => write!(f, "root {id}"),
        }
    }
}

impl Target {
    /// Lists what a document applies a policy to.
    pub(super) fn all(associations: &Associations) -> BTreeSet<Self> {
        let Associations {
            accounts,
            organizational_units,
            root,
        } = associations;
        let accounts = accounts.iter().cloned().map(Self::Account);
        let units = organizational_units.iter().cloned();
        let units = units.map(Self::OrganizationalUnit);
        accounts
            .chain(units)
            .chain(root.clone().map(Self::Root))
            .collect()
    }

    /// Returns targets as a document has them.
    pub(super) fn sorted(targets: BTreeSet<Self>) -> Associations {
        let mut sorted = Associations::default();
        for target in targets {
            match target {
                Self::Account(id) => drop(sorted.accounts.insert(id)),
                Self::OrganizationalUnit(id) => drop(sorted.organizational_units.insert(id)),
                // An organization has one.
                Self::Root(id) => sorted.root = Some(id),
            }
        }
        sorted
    }

    /// Returns it as AWS takes it.
    pub(super) fn sent(&self) -> sdk::Target {
        match self {
            Self::Account(id) => sdk::Target::AccountId(id.clone()),
            Self::OrganizationalUnit(id) => sdk::Target::OrganizationalUnitId(id.clone()),
            Self::Root(id) => sdk::Target::RootId(id.clone()),
        }
    }
}

/// The policy that a target has, and how far AWS is with it.
#[derive(Debug)]
struct State {
    /// The UUID of the policy.
    policy: String,
    status: Option<sdk::ConfigurationPolicyAssociationStatus>,
    message: Option<String>,
}

/// Everything that some policy is applied to; what is inherited is left out.
#[derive(Debug)]
pub(super) struct Applied(BTreeMap<Target, State>);

impl Applied {
    pub(super) async fn read(aws: &Aws) -> Result<Self, AwsError> {
        let operation = "ListConfigurationPolicyAssociations";
        let request = aws.securityhub.list_configuration_policy_associations();
        let only = sdk::AssociationFilters::builder();
        let only = only.association_type(sdk::AssociationType::Applied).build();
        let mut pages = Pages::of(
            request
                .filters(only)
                .max_results(100)
                .into_paginator()
                .send(),
            ListConfigurationPolicyAssociationsOutput::next_token,
        );
        let mut found = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(securityhub::only_for_administrators)?;
            let all = page.configuration_policy_association_summaries;
            let all = aws.required(operation, "ConfigurationPolicyAssociationSummaries", all)?;
            for one in all {
                // The filter is not trusted: whatever is inherited would be disassociated.
                if one.association_type != Some(sdk::AssociationType::Applied) {
                    continue;
                }
                let id = aws.required(operation, "TargetId", one.target_id)?;
                let target = match aws.required(operation, "TargetType", one.target_type)? {
                    sdk::TargetType::Account => Target::Account(id),
                    sdk::TargetType::OrganizationalUnit => Target::OrganizationalUnit(id),
                    sdk::TargetType::Root => Target::Root(id),
                    other => {
                        let message =
                            format!("AWS answered {other}, which this version does not know");
                        return Err(AwsError::unexpected("TargetType", &message));
                    }
                };
                let policy = one.configuration_policy_id;
                let state = State {
                    policy: aws.required(operation, "ConfigurationPolicyId", policy)?,
                    status: one.association_status,
                    message: one.association_status_message,
                };
                found.insert(target, state);
            }
        }
        Ok(Self(found))
    }

    /// Lists what a policy is applied to, by its ARN.
    pub(super) fn of(&self, arn: &str) -> BTreeSet<Target> {
        self.states(arn).map(|(target, _)| target.clone()).collect()
    }

    fn states<'a>(&'a self, arn: &'a str) -> impl Iterator<Item = (&'a Target, &'a State)> {
        let all = self.0.iter();
        all.filter(|(_, state)| id(arn) == id(&state.policy))
    }

    /// Returns the policy that a target has; none for one that manages itself.
    pub(super) fn other(&self, target: &Target) -> Option<&str> {
        let policy = self.0.get(target).map(|state| state.policy.as_str());
        policy.filter(|policy| *policy != SELF_MANAGED)
    }

    /// Says how far AWS is with a policy.
    pub(super) fn notes(&self, arn: &str) -> Vec<String> {
        use sdk::ConfigurationPolicyAssociationStatus as S;
        let mut pending = Vec::new();
        let mut notes = Vec::new();
        for (target, state) in self.states(arn) {
            match &state.status {
                Some(S::Success) | None => {}
                Some(S::Pending) => pending.push(target.to_string()),
                Some(S::Failed) => {
                    let why = state.message.as_deref();
                    let why = why.unwrap_or("AWS does not say why");
                    notes.push(format!("AWS could not bring it to {target}: {why}"));
                }
                Some(other) => notes.push(format!("its association with {target} is {other}")),
            }
        }
        if !pending.is_empty() {
            let more = pending.len().saturating_sub(MOST_NAMED);
            pending.truncate(MOST_NAMED);
            if more > 0 {
                pending.push(format!("{more} more"));
            }
            let named = pending.join(", ");
            notes.push(format!(
                "AWS is bringing it to {named}, which may take a day"
            ));
        }
        notes
    }
}

/// Returns the UUID of a policy that is named by it or by its ARN.
fn id(identifier: &str) -> &str {
    identifier.rsplit_once('/').map_or(identifier, |(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:securityhub:eu-west-1:111122223333:configuration-policy/a1";

    fn applied(states: &[(Target, &str, &str)]) -> Applied {
        let states = states.iter().map(|(target, policy, status)| {
            let state = State {
                policy: (*policy).to_owned(),
                status: Some((*status).into()),
                message: (*status == "FAILED").then(|| "no hub".to_owned()),
            };
            (target.clone(), state)
        });
        Applied(states.collect())
    }

    fn account(number: usize) -> Target {
        Target::Account(format!("{number:012}"))
    }

    #[test]
    fn a_target_has_a_policy_or_manages_itself() {
        let root = Target::Root("r-ab12".to_owned());
        let all = applied(&[
            (account(1), "a1", "SUCCESS"),
            (account(2), SELF_MANAGED, "SUCCESS"),
            (root.clone(), "b2", "SUCCESS"),
        ]);
        assert_eq!(all.of(ARN), BTreeSet::from([account(1)]));
        assert_eq!(all.other(&root), Some("b2"));
        assert_eq!(all.other(&account(2)), None);
        assert_eq!(all.other(&account(3)), None);
        assert!(all.notes(ARN).is_empty());
    }

    #[test]
    fn what_is_not_done_is_told_of_its_own_targets() {
        let mut states: Vec<_> = (1..8).map(|n| (account(n), "a1", "PENDING")).collect();
        states.push((
            Target::OrganizationalUnit("ou-1".to_owned()),
            "a1",
            "FAILED",
        ));
        states.push((account(9), "b2", "FAILED"));
        let notes = applied(&states).notes(ARN);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert_eq!(notes[0], "AWS could not bring it to unit ou-1: no hub");
        assert!(
            notes[1].contains("000000000005, 2 more, which"),
            "{}",
            notes[1]
        );
    }

    #[test]
    fn targets_go_there_and_back() {
        let associations = Associations {
            accounts: BTreeSet::from(["111122223333".to_owned()]),
            organizational_units: BTreeSet::from(["ou-ab12-stalls01".to_owned()]),
            root: Some("r-ab12".to_owned()),
        };
        assert_eq!(Target::sorted(Target::all(&associations)), associations);
    }
}
