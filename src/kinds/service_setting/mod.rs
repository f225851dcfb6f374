//! `ServiceSetting`: the switches that Systems Manager has for an account and region.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::rules::has_variable;
use crate::model::{Report, Spec, suggest};

mod remote;

/// A service setting of Systems Manager: default host management, the tier of parameters, the sharing of documents.
///
/// One document is one setting. Every setting is always there and has a default; it can be changed and reset, and it has
/// no tags. Whose it is stands therefore in a parameter of Parameter Store, the claim, `/stationbill/claims` with the id
/// of the setting behind it. Its value is the stamp that other objects carry as tags. It is written before the setting
/// is changed, and goes once the setting has its default again:
///
/// - A setting that has its default and no claim counts as absent. It is created by claiming and changing it, even if
///   the value wanted is the default.
/// - A setting that somebody has changed and nobody has claimed is there and nobody's: it is adopted.
/// - A setting that another stack has claimed is blocked. Of two stacks that claim one at the same time, the first has it.
/// - Deleting it resets it to its default, whatever value it had before.
/// - Whoever deletes a claim by hand makes the setting nobody's.
///
/// Claims and settings have no tags that a policy could look at: what `iam-policy` prints limits changes to the declared
/// settings, but whoever may delete what no document declares may reset any setting and delete any claim.
///
/// **AWS chooses** nothing. `activation-tier` takes AWS up to half an hour, to change as well as to reset; the run waits
/// for it, and the setting stays claimed until then.
/// **Forces replacement:** `name`.
/// **Left out:** nothing that AWS has. AWS adds settings now and then, so every id is taken; of those that are
/// documented the value is checked as well. `export` finds those that are documented or claimed. Session Manager's
/// preferences are a `Document`.
///
/// **Calls.** One for each 10 claims in the account and region, and one for each setting that is declared or ours.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: ServiceSetting
/// metadata: { name: default-host-management }
/// spec:
///   name: /ssm/managed-instance/default-ec2-instance-management-role
///   value: service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSetting {
    /// The id of the setting, for instance `/ssm/opsinsights/opscenter`.
    #[schemars(length(min = 1, max = 1000))]
    pub name: String,
    /// Its value, spelled as AWS spells it: `True` and `true` are not the same.
    #[schemars(length(min = 1, max = 4096))]
    pub value: String,
}

/// The settings that AWS documents, and the values that they take; none listed means any.
/// [M] service model, `UpdateServiceSetting`.
const DOCUMENTED: [(&str, &[&str]); 10] = [
    ("/ssm/appmanager/appmanager-enabled", &["True", "False"]),
    (
        "/ssm/automation/customer-script-log-destination",
        &["CloudWatch"],
    ),
    ("/ssm/automation/customer-script-log-group-name", &[]),
    (
        "/ssm/automation/enable-adaptive-concurrency",
        &["True", "False"],
    ),
    (
        "/ssm/documents/console/public-sharing-permission",
        &["Enable", "Disable"],
    ),
    (
        "/ssm/managed-instance/activation-tier",
        &["standard", "advanced"],
    ),
    (DEFAULT_ROLE, &[]),
    ("/ssm/opsinsights/opscenter", &["Enabled", "Disabled"]),
    (
        "/ssm/parameter-store/default-parameter-tier",
        &["Standard", "Advanced", "Intelligent-Tiering"],
    ),
    (
        "/ssm/parameter-store/high-throughput-enabled",
        &["true", "false"],
    ),
];

const DEFAULT_ROLE: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

impl Spec for ServiceSetting {
    const KIND: &'static str = "ServiceSetting";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const DELETING: Option<&'static str> = Some("it is reset to its default");

    fn validate(&self, report: &mut Report) {
        let Self { name, value } = self;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
        let whole = name.starts_with('/') && !name.ends_with('/') && !name.contains("//");
        // An ARN would name a region as well, and the run is where its target is.
        let fine = has_variable(name) || (whole && name.chars().all(fits));
        if !fine || name.starts_with("arn:") {
            let known = DOCUMENTED.iter().map(|(id, _)| *id);
            let near = known.clone().find(|id| id.ends_with(&format!("/{name}")));
            let near = near.or_else(|| Some(name.split_once(":servicesetting")?.1));
            let near = near.or_else(|| suggest::closest(name, known));
            let hint = match near {
                Some(near) => format!("did you mean `name: {near}`?"),
                None => {
                    "write the id of the setting, for instance `name: /ssm/opsinsights/opscenter`"
                        .to_owned()
                }
            };
            let message = format!("`{name}` is no id of a setting");
            return report.error("bad-setting", "/name", message, hint);
        }
        if has_variable(value) {
            return;
        }
        let documented = DOCUMENTED.iter().find(|(id, _)| id == name);
        let allowed = documented.map_or(&[][..], |(_, allowed)| allowed);
        if !allowed.is_empty() && !allowed.contains(&value.as_str()) {
            let message = format!("`{value}` is no value of this setting");
            let hint = format!("one of {}", allowed.join(", "));
            report.error("bad-setting", "/value", message, hint);
        }
        if name == DEFAULT_ROLE && value.starts_with("arn:") {
            let message = "this setting takes the name of a role, not its ARN";
            let hint = "what stands behind `role/`, with its path";
            report.error("bad-setting", "/value", message, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(name: &str, value: &str) -> Vec<String> {
        let setting: ServiceSetting =
            serde_json::from_value(json!({"name": name, "value": value})).unwrap();
        let mut report = Report::default();
        setting.validate(&mut report);
        let found = report.diagnostics.into_iter();
        found
            .map(|d| format!("{} {}", d.at, d.hint.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn values_are_spelled_as_aws_spells_them() {
        let id = "/ssm/parameter-store/high-throughput-enabled";
        assert!(findings(id, "true").is_empty());
        assert_eq!(findings(id, "True"), ["/value one of true, false"]);
        assert!(findings(DEFAULT_ROLE, "service-role/MyRole").is_empty());
        assert_eq!(findings(DEFAULT_ROLE, "arn:aws:iam::1:role/x").len(), 1);
        assert!(
            findings("/ssm/opsdata/Association", "Enabled").is_empty(),
            "AWS adds settings"
        );
    }

    #[test]
    fn the_name_of_the_document_is_no_id() {
        let found = findings("opscenter", "Enabled");
        assert_eq!(
            found,
            ["/name did you mean `name: /ssm/opsinsights/opscenter`?"]
        );
        assert_eq!(findings("x y", "Enabled").len(), 1);
    }

    #[test]
    fn an_arn_would_name_a_region_as_well() {
        let arn = "arn:aws:ssm:eu-west-1:111122223333:servicesetting/ssm/opsinsights/opscenter";
        let found = findings(arn, "Enabled");
        assert_eq!(
            found,
            ["/name did you mean `name: /ssm/opsinsights/opscenter`?"]
        );
    }
}
