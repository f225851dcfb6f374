//! `OrganizationConfiguration`: whether the accounts of an organization configure Security Hub themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::spec::Identity;
use crate::model::{Report, Spec, settle};

mod remote;

/// How Security Hub CSPM is configured in an organization: each account by itself, or centrally, and what happens in
/// accounts that join.
///
/// It belongs to the account that administers Security Hub for its organization. It is always there, has defaults, can be
/// changed and reset, and has no tags. Whose it is stands in a parameter of Parameter Store, the claim,
/// `/stationbill/claims/securityhub/organization-configuration`: what is said of `ServiceSetting` is true of it too.
///
/// - **Central configuration** needs a home region: it is switched on after the `FindingAggregator` of the same documents,
///   and off before that goes. Policies of the kind `ConfigurationPolicy` come after it and go before it; while there are
///   any, AWS does not switch it off.
/// - **Waiting.** AWS needs minutes to switch it on. The run waits for it, for no policy can be made before. Where it
///   could not be switched on, it counts as off, and AWS's reason is told.
/// - **Region.** A run keeps it where it keeps what an account has once: with several regions of a Target in the first of
///   them, which must be the home region. With `LOCAL` AWS has these settings for each region by itself; for others than
///   the first write a stack for each.
/// - Deleting it resets it: each account configures itself, nothing is enabled in accounts that join, and where somebody
///   enables it there it comes with the default standards.
///
/// **AWS chooses** `autoEnableStandards`: left out, it is left alone, and with `CENTRAL` it is `NONE`.
/// **Forces replacement:** nothing.
/// **Left out:** who administers Security Hub, which only the organization's management account can say; accounts and units
/// that shall manage themselves.
///
/// **Calls.** Two: one to read it, one for the claim.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: OrganizationConfiguration
/// metadata: { name: organization }
/// spec:
///   configurationType: CENTRAL
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationConfiguration {
    /// Who configures accounts.
    pub configuration_type: ConfigurationType,
    /// Whether Security Hub is enabled in accounts that join. With `LOCAL` only.
    #[serde(default)]
    pub auto_enable: bool,
    /// Which standards accounts that join subscribe to. With `CENTRAL` that is `NONE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_enable_standards: Option<AutoEnableStandards>,
}

/// Who configures the accounts of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum ConfigurationType {
    /// Each account itself.
    Local,
    /// The administrator, by policies.
    Central,
}

/// Which standards accounts that join subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum AutoEnableStandards {
    /// None.
    None,
    /// AWS's own two: AWS Foundational Security Best Practices, and CIS AWS Foundations Benchmark 1.2.0.
    Default,
}

impl OrganizationConfiguration {
    /// What an organization has in which nobody has changed anything. [M] `UpdateOrganizationConfigurationRequest`.
    const RESET: Self = Self {
        configuration_type: ConfigurationType::Local,
        auto_enable: false,
        auto_enable_standards: Some(AutoEnableStandards::Default),
    };
}

impl Spec for OrganizationConfiguration {
    const KIND: &'static str = "OrganizationConfiguration";
    const IDENTITY: Identity = Identity::Singleton;
    const PER_ACCOUNT: bool = true;
    const AFTER: &'static [&'static str] = &["SecurityHub", "FindingAggregator"];
    const DELETING: Option<&'static str> = Some("it is reset to its default");

    fn validate(&self, report: &mut Report) {
        let Self {
            configuration_type,
            auto_enable,
            auto_enable_standards,
        } = self;
        if *configuration_type == ConfigurationType::Local {
            return;
        }
        let mut bad = |at: &str, message: &str| {
            let hint =
                "take it out, and say it in a ConfigurationPolicy that is applied to the accounts";
            report.error("bad-organization-configuration", at, message, hint);
        };
        if *auto_enable {
            let message = "with central configuration policies say where Security Hub is enabled";
            bad("/autoEnable", message);
        }
        if *auto_enable_standards == Some(AutoEnableStandards::Default) {
            let message = "with central configuration policies say which standards accounts have";
            bad("/autoEnableStandards", message);
        }
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            configuration_type,
            auto_enable: _,
            auto_enable_standards,
        } = self;
        match configuration_type {
            // AWS has no others then.
            ConfigurationType::Central => {
                let none = live
                    .auto_enable_standards
                    .map(|_| AutoEnableStandards::None);
                settle::value(auto_enable_standards, none.as_ref());
            }
            ConfigurationType::Local => {
                settle::value(auto_enable_standards, live.auto_enable_standards.as_ref());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn configuration(spec: Value) -> OrganizationConfiguration {
        serde_json::from_value(spec).unwrap()
    }

    fn findings(spec: Value) -> Vec<String> {
        let mut report = Report::default();
        configuration(spec).validate(&mut report);
        report.diagnostics.into_iter().map(|d| d.at).collect()
    }

    #[test]
    fn central_configuration_leaves_nothing_to_accounts_that_join() {
        let spec = |kind: &str, enable: bool, standards: &str| json!({"configurationType": kind, "autoEnable": enable, "autoEnableStandards": standards});
        assert!(findings(spec("LOCAL", true, "DEFAULT")).is_empty());
        assert!(findings(spec("CENTRAL", false, "NONE")).is_empty());
        assert_eq!(
            findings(spec("CENTRAL", true, "DEFAULT")),
            ["/autoEnable", "/autoEnableStandards"]
        );
    }

    #[test]
    fn standards_that_nothing_is_said_of_are_left_alone_or_none() {
        let live =
            configuration(json!({"configurationType": "LOCAL", "autoEnableStandards": "DEFAULT"}));
        let settled = |kind: &str| {
            let mut wanted = configuration(json!({ "configurationType": kind }));
            wanted.settle(&live);
            wanted.auto_enable_standards
        };
        assert_eq!(settled("LOCAL"), Some(AutoEnableStandards::Default));
        assert_eq!(settled("CENTRAL"), Some(AutoEnableStandards::None));
    }
}
