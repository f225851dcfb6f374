//! `AutomationRule`: what Security Hub changes of findings by itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::spec::Identity;
use crate::model::{Report, Spec, settle};

mod check;
mod criteria;
mod remote;
mod update;

pub use criteria::{
    Amount, Criteria, DateComparison, DateFilter, DateRange, DateUnit, MapComparison, MapFilter,
    NumberFilter, StringComparison, StringFilter,
};
pub use update::{
    FindingFieldsUpdate, Note, RelatedFinding, Severity, SeverityLabel, VerificationState,
    WorkflowStatus,
};

/// An automation rule of Security Hub CSPM: which findings it is for, and what AWS changes of them as they come in and
/// whenever they are updated.
///
/// It manages the whole rule: what the document leaves out has AWS's default. A rule works on the findings of its
/// account, and of the account's members if it is their administrator (AWS lets no member make rules), in its region
/// alone. For several regions the document has several of them among its targets.
///
/// - **Order.** A rule with a lower `order` is applied first, so that the highest has the last word, unless one before
///   it is `terminal`. Several may have the same: then AWS applies the one first whose last change is the oldest, and
///   each change of one of them gives it the last word. Give each its own where that matters.
/// - **Where Security Hub is not enabled** there are no rules. One that is declared is created after the `SecurityHub`
///   of the same documents, and goes before it; without such a document the plan says that it cannot be.
///
/// **AWS chooses** the id, a UUID; names need not be unique. Of `severity` it may fill in `label` from `normalized`.
/// **Forces replacement:** nothing.
/// **Left out:** the rules of the newer Security Hub that AWS calls V2.
///
/// **Calls.** A call for each 100 rules to list them, one for the tags of each rule, and one for each 100 rules of ours
/// to read them. Creating has no token: the rule is looked for by its stamp before each try.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: AutomationRule
/// metadata: { name: accepted-risk }
/// spec:
///   description: The router of the stall is reached by SSH until BANANA-198 is done
///   order: 10
///   criteria:
///     complianceSecurityControlId: [{ comparison: EQUALS, value: EC2.13 }]
///     resourceTags: [{ key: role, comparison: EQUALS, value: router }]
///   findingFieldsUpdate:
///     workflowStatus: SUPPRESSED
///     note: { text: "Accepted until the end of the year, see BANANA-198", updatedBy: security-team }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AutomationRule {
    /// The rule's name in Security Hub. Default: `metadata.name`.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// What it is for.
    #[schemars(regex(pattern = r"\S"))]
    pub description: String,
    /// When it is applied: lower ones first.
    #[schemars(range(min = 1, max = 1000))]
    pub order: i32,
    /// Whether it is applied at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether no rule after it is applied to the same finding.
    #[serde(default)]
    pub terminal: bool,
    /// Which findings it is for.
    pub criteria: Criteria,
    /// What it changes of them.
    pub finding_fields_update: FindingFieldsUpdate,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

fn yes() -> bool {
    true
}

impl Spec for AutomationRule {
    const KIND: &'static str = "AutomationRule";
    const IDENTITY: Identity = Identity::SharedName;
    const AFTER: &'static [&'static str] = &["SecurityHub"];

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            description: _,
            order: _,
            enabled: _,
            terminal: _,
            criteria: _,
            finding_fields_update,
            tags,
        } = self;
        let live_severity = &live.finding_fields_update.severity;
        if let (Some(wanted), Some(live)) = (&mut finding_fields_update.severity, live_severity) {
            wanted.settle(live);
        }
        settle::value(tags, live.tags.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::canonical::canonical;

    fn rule(update: Value) -> AutomationRule {
        let mut spec = json!({
            "name": "accepted",
            "description": "Risks that we bear.",
            "order": 10,
            "criteria": {"severityLabel": [{"comparison": "EQUALS", "value": "LOW"}]},
        });
        spec["findingFieldsUpdate"] = update;
        serde_json::from_value(spec).unwrap()
    }

    fn severity(severity: &Value) -> AutomationRule {
        rule(json!({ "severity": severity }))
    }

    #[test]
    fn what_is_left_out_has_the_default_of_aws() {
        let spec = rule(json!({"workflowStatus": "SUPPRESSED"}));
        let spec = canonical(serde_json::to_value(spec).unwrap());
        assert_eq!(
            spec,
            json!({
                "name": "accepted",
                "description": "Risks that we bear.",
                "order": 10,
                "enabled": true,
                "terminal": false,
                "criteria": {"severityLabel": [{"comparison": "EQUALS", "value": "LOW"}]},
                "findingFieldsUpdate": {"workflowStatus": "SUPPRESSED"},
            })
        );
    }

    #[test]
    fn filters_are_sets() {
        let filters = |values: [&str; 3]| -> Criteria {
            let filter = |value| json!({"comparison": "PREFIX", "value": value});
            serde_json::from_value(json!({"title": values.map(filter)})).unwrap()
        };
        assert_eq!(filters(["b", "a", "b"]), filters(["a", "a", "b"]));
        let numbers: Criteria =
            serde_json::from_value(json!({"confidence": [{"gte": 50.0}, {"gte": 50}]})).unwrap();
        assert_eq!(numbers.confidence.len(), 1);
    }

    #[test]
    fn a_severity_may_be_said_in_one_way_where_aws_says_it_in_two() {
        let settled = |wanted: &Value, live: &Value| {
            let mut wanted = severity(wanted);
            wanted.settle(&severity(live));
            wanted == severity(live)
        };
        let both = json!({"label": "HIGH", "normalized": 75});
        assert!(settled(&json!({"normalized": 75}), &both));
        assert!(!settled(
            &json!({"normalized": 75}),
            &json!({"label": "LOW", "normalized": 75})
        ));
        // What is not what AWS would make of it was set by somebody.
        assert!(!settled(&json!({"label": "HIGH"}), &both));
        assert!(settled(
            &json!({"label": "HIGH"}),
            &json!({"label": "HIGH", "normalized": 70})
        ));
    }
}
