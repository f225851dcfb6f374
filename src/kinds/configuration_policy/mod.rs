//! `ConfigurationPolicy`: how Security Hub is configured in accounts of an organization.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::security_hub::{Parameter, standard};
use crate::model::spec::{Exclusive, Identity};
use crate::model::{Report, Spec, pointer, settle};

mod check;
mod remote;

/// A configuration policy of Security Hub CSPM: whether it is on, with which standards and controls, and which accounts,
/// organizational units or root of an organization it is for.
///
/// It manages the whole policy and all that it is applied to. It is made by the account that administers Security Hub for
/// its organization, in the home region alone, while central configuration is on: after the `OrganizationConfiguration` of
/// the same documents, and it goes before that. A run keeps it where it keeps what an account has once: with several
/// regions of a Target in the first of them.
///
/// - **Associations.** What is listed here has the policy, and what is below it in the organization inherits it; what is
///   inherited is nowhere written down and no difference. What goes from the list is disassociated: it inherits from what
///   is above it, or manages itself and keeps its settings.
/// - **One policy for each.** A target has one policy. When it goes from the list of one document to that of another of the
///   same stack, it changes hands in one step. One that has the policy of another stack, or of nobody, keeps it, and the
///   apply says so: take it out there first. What was set to manage itself is taken over.
/// - **Waiting.** AWS may need a day to bring a policy everywhere. No run waits for that: an association that is pending
///   or has failed is told in plans, and is no difference.
///
/// **AWS chooses** the id, a UUID; whether it keeps names unique is documented nowhere, so the stamp tells one from another.
/// What is left out of `description` is left as AWS has it, for AWS takes no empty one.
/// **Forces replacement:** nothing. Before it is deleted its targets are disassociated.
/// **Left out:** targets that shall manage themselves (`SELF_MANAGED_SECURITY_HUB`).
///
/// **Calls.** One for each 100 policies to list them, one for the tags of each, one for each of ours to read it, and one for
/// each 100 targets that any policy was applied to. Creating has no token: the policy is looked for by its stamp before
/// each try.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: ConfigurationPolicy
/// metadata: { name: stalls }
/// spec:
///   description: What every stall is checked for
///   standards: [aws-foundational-security-best-practices/v/1.0.0]
///   controls:
///     disabled: [CloudTrail.2]
///     parameters:
///       ACM.1: { daysToExpiration: { integer: 15 } }
///   associations:
///     organizationalUnits: [ou-ab12-stalls01]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigurationPolicy {
    /// The policy's name in Security Hub. Default: `metadata.name`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9.!*/-]+$"))]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"\S"))]
    pub description: Option<String>,
    /// Whether Security Hub is on in the accounts. Where it is off, nothing is said of standards and controls.
    #[serde(default = "yes")]
    pub service_enabled: bool,
    /// The standards that the accounts subscribe to: `NAME/v/VERSION` as in their ARNs, or the ARN. None if left out.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        deserialize_with = "standard::all"
    )]
    #[schemars(inner(
        length(max = 200),
        regex(pattern = standard::PATTERN)
    ))]
    pub standards: BTreeSet<String>,
    /// The controls of those standards. Left out, all of them are on and have AWS's parameters.
    #[serde(default, skip_serializing_if = "Controls::is_usual")]
    pub controls: Controls,
    /// What the policy is applied to. Left out, to nothing.
    #[serde(default, skip_serializing_if = "Associations::is_empty")]
    pub associations: Associations,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

fn yes() -> bool {
    true
}

/// Which controls are on, by the id that a control has in all standards, for instance `EC2.8`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Controls {
    /// Those that are on: all others are off, those to come too. Instead of `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<BTreeSet<String>>,
    /// Those that are off: all others are on, those to come too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub disabled: BTreeSet<String>,
    /// Values of parameters, by control and parameter; one that is left out has AWS's value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, BTreeMap<String, Parameter>>,
}

impl Controls {
    /// Says whether nothing is said: all controls are on.
    fn is_usual(&self) -> bool {
        let Self {
            enabled,
            disabled,
            parameters,
        } = self;
        enabled.is_none() && disabled.is_empty() && parameters.is_empty()
    }
}

/// What a policy is applied to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Associations {
    /// Accounts: twelve digits.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: BTreeSet<String>,
    /// Organizational units, `ou-…`, with all that is below them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(pattern = r"^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$")))]
    pub organizational_units: BTreeSet<String>,
    /// The root of the organization, `r-…`, and so everything that has nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^r-[0-9a-z]{4,32}$"))]
    pub root: Option<String>,
}

impl Associations {
    /// Says whether the policy is applied to nothing.
    fn is_empty(&self) -> bool {
        let Self {
            accounts,
            organizational_units,
            root,
        } = self;
        accounts.is_empty() && organizational_units.is_empty() && root.is_none()
    }
}

impl Spec for ConfigurationPolicy {
    const KIND: &'static str = "ConfigurationPolicy";
    const IDENTITY: Identity = Identity::SharedName;
    const PER_ACCOUNT: bool = true;
    const AFTER: &'static [&'static str] = &["OrganizationConfiguration"];
    const EXCLUSIVE: &'static [Exclusive] = &[
        Exclusive::passing("/associations/accounts"),
        Exclusive::passing("/associations/organizationalUnits"),
        Exclusive::passing("/associations/root"),
    ];

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            description,
            service_enabled: _,
            standards: _,
            controls: _,
            associations: _,
            tags,
        } = self;
        settle::value(description, live.description.as_ref());
        settle::value(tags, live.tags.as_ref());
    }

    fn consequence(&self, changed: Option<&[&str]>) -> Option<&'static str> {
        const NAMES: [&str; 3] = ["/name", "/description", "/tags"];
        let reaches = |at: &&str| !NAMES.iter().any(|name| pointer::under(at, name));
        let written = changed.is_none_or(|paths| paths.iter().any(reaches));
        let concerns = !self.associations.is_empty();
        (written && concerns).then_some(EVERYWHERE)
    }
}

/// [D] user guide, "Reviewing the status and details of configuration policies".
const EVERYWHERE: &str = "AWS brings it to every account that it is for, which may take a day";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::canonical::canonical;

    fn policy(extra: Value) -> ConfigurationPolicy {
        let mut spec = json!({"name": "stalls"});
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        serde_json::from_value(spec).unwrap()
    }

    fn findings(extra: Value) -> Vec<String> {
        let mut report = Report::default();
        policy(extra).validate(&mut report);
        let found = report.diagnostics.into_iter();
        found.map(|d| format!("{}: {}", d.at, d.message)).collect()
    }

    #[test]
    fn what_is_left_out_has_the_default_of_aws() {
        let usual = json!({"controls": {"disabled": []}, "associations": {"accounts": []}});
        let spec = canonical(serde_json::to_value(policy(usual)).unwrap());
        assert_eq!(spec, json!({"name": "stalls", "serviceEnabled": true}));
    }

    #[test]
    fn a_policy_with_which_nothing_is_on_is_not_one_with_which_all_is_on() {
        let none = policy(json!({"controls": {"enabled": []}}));
        assert_ne!(none, policy(json!({})));
        let written = serde_json::to_value(&none).unwrap();
        assert_eq!(written["controls"], json!({"enabled": []}));
    }

    #[test]
    fn a_standard_is_the_same_by_name_and_by_arn() {
        let arn = "arn:aws:securityhub:eu-west-1::standards/pci-dss/v/3.2.1";
        assert_eq!(
            policy(json!({"standards": [arn]})),
            policy(json!({"standards": ["pci-dss/v/3.2.1"]}))
        );
    }

    #[test]
    fn where_security_hub_is_off_nothing_else_is_said() {
        assert!(findings(json!({"serviceEnabled": false})).is_empty());
        let found = findings(json!({
            "serviceEnabled": false,
            "standards": ["pci-dss/v/3.2.1"],
            "controls": {"disabled": ["IAM.6"]},
        }));
        assert_eq!(
            found,
            [
                "/standards: Security Hub is off in the accounts, and standards are listed",
                "/controls: Security Hub is off in the accounts, and something is said of controls",
            ]
        );
    }

    #[test]
    fn controls_are_listed_in_one_way() {
        let found = findings(json!({"controls": {"enabled": ["IAM.6"], "disabled": ["IAM.4"]}}));
        assert_eq!(
            found,
            ["/controls/enabled: controls are listed both as on and as off"]
        );
        let found = findings(json!({"controls": {"disabled": ["1.14"]}}));
        assert_eq!(
            found,
            ["/controls/disabled/0: `1.14` is not the id of a control"]
        );
    }

    #[test]
    fn parameters_have_a_value() {
        let parameters = json!({"ACM.1": {"daysToExpiration": {}}, "IAM.7": {}});
        let found = findings(json!({"controls": { "parameters": parameters }}));
        assert_eq!(
            found,
            [
                "/controls/parameters/ACM.1/daysToExpiration: a parameter has exactly one value, not 0",
                "/controls/parameters/IAM.7: no parameter of the control is given a value",
            ]
        );
    }

    #[test]
    fn a_description_that_is_left_out_stays() {
        let mut wanted = policy(json!({}));
        let live = policy(json!({"description": "old", "tags": {}}));
        wanted.settle(&live);
        assert_eq!(wanted, live);
    }

    #[test]
    fn it_is_told_when_aws_goes_everywhere() {
        let nowhere = policy(json!({}));
        assert_eq!(nowhere.consequence(None), None);
        let somewhere = policy(json!({"associations": {"accounts": ["111122223333"]}}));
        assert_eq!(somewhere.consequence(None), Some(EVERYWHERE));
        assert_eq!(
            somewhere.consequence(Some(&["/tags/team", "/controls/disabled"])),
            Some(EVERYWHERE)
        );
        assert_eq!(somewhere.consequence(Some(&["/tags/team", "/name"])), None);
    }
}
