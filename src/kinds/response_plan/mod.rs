//! `ResponsePlan`: what happens when an incident begins.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::Contact;
use super::document::DocumentRef;
use super::escalation_plan::EscalationPlan;
use super::on_call_schedule::OnCallSchedule;
use crate::model::{Ref, Report, Spec, settle};

mod check;
mod remote;

/// A response plan of Incident Manager: how an incident is titled and rated, whom it engages, where people talk about
/// it, and which runbook runs.
///
/// It manages the whole plan: what the document leaves out is cleared in AWS.
///
/// **AWS chooses** nothing; what is left out of `displayName`, `incidentTemplate.summary`,
/// `incidentTemplate.dedupeString` and `runbook.documentVersion` is left as AWS has it, and `""` clears it.
/// **Forces replacement:** `name`.
/// **Left out:** the policy that shares a plan with other accounts, which AWS Resource Access Manager writes.
///
/// The topics of `chatbotSns` and `notificationTargets` must let `ssm-incidents.amazonaws.com` publish, and AWS sends
/// a test message to a chat topic when it is written.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: ResponsePlan
/// metadata: { name: banana-checkout-down }
/// spec:
///   displayName: Banana checkout is down
///   incidentTemplate:
///     title: Banana checkout is down
///     impact: 2
///   engagements:
///     - { escalationPlan: { ref: banana-checkout } }
///   runbook:
///     document: { ref: banana-restart }
///     roleArn: arn:aws:iam::${target.account}:role/banana-runbook
///     dynamicParameters: { IncidentArn: INCIDENT_RECORD_ARN }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponsePlan {
    /// The plan's name in Incident Manager. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[a-zA-Z0-9_-]*$"))]
    pub name: String,
    /// The plan's name in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub display_name: Option<String>,
    /// What a new incident looks like.
    pub incident_template: IncidentTemplate,
    /// Who is engaged when an incident begins, all at once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 5))]
    pub engagements: BTreeSet<Engagement>,
    /// The topics that bring the incident into chat channels: ARNs of SNS topics.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(
        length(max = 5),
        inner(length(max = 1000), regex(pattern = r"^arn:aws(-cn|-us-gov)?:sns:"))
    )]
    pub chatbot_sns: BTreeSet<String>,
    /// The runbook that runs when an incident begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<RunbookAction>,
    /// The `PagerDuty` service that gets an incident of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pager_duty: Option<PagerDuty>,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// What a new incident looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentTemplate {
    /// The title.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// How bad it is: 1 critical, 2 high, 3 medium, 4 low, 5 none.
    #[schemars(range(min = 1, max = 5))]
    pub impact: i32,
    /// What is known from the start, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8000))]
    pub summary: Option<String>,
    /// Incidents of one text are one incident while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub dedupe_string: Option<String>,
    /// The topics that hear of every change of the incident: ARNs of SNS topics.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(
        length(max = 10),
        inner(length(max = 1000), regex(pattern = r"^arn:aws(-cn|-us-gov)?:sns:"))
    )]
    pub notification_targets: BTreeSet<String>,
    /// Tags of the incident.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub incident_tags: BTreeMap<String, String>,
}

/// Who is engaged: exactly one of `contact`, `schedule` and `escalationPlan`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Engagement {
    /// A person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Ref<Contact>>,
    /// Whoever is on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Ref<OnCallSchedule>>,
    /// One after the other, until somebody answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation_plan: Option<Ref<EscalationPlan>>,
}

impl Engagement {
    /// Returns what is engaged by its ARN, once it is known.
    fn arn(&self) -> Option<&str> {
        let Self {
            contact,
            schedule,
            escalation_plan,
        } = self;
        let contact = contact.as_ref().and_then(Ref::resolved);
        let schedule = schedule.as_ref().and_then(Ref::resolved);
        let plan = escalation_plan.as_ref().and_then(Ref::resolved);
        contact.or(schedule).or(plan)
    }
}

/// How a runbook is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunbookAction {
    /// The runbook.
    pub document: DocumentRef,
    /// Its version: a number or `$DEFAULT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub document_version: Option<String>,
    /// The role that the runbook runs as.
    #[schemars(
        length(max = 1000),
        regex(pattern = r"^arn:aws(-cn|-us-gov)?:iam::([0-9]{12})?:role/.+$")
    )]
    pub role_arn: String,
    /// The account that it runs in.
    #[serde(default)]
    pub target_account: TargetAccount,
    /// Parameters with fixed values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 200))]
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Parameters that the incident gives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 200))]
    pub dynamic_parameters: BTreeMap<String, Variable>,
}

/// The account that a runbook runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum TargetAccount {
    /// The one that has the response plan.
    #[default]
    ResponsePlanOwnerAccount,
    /// The one that the incident is in.
    ImpactedAccount,
}

/// What an incident gives to its runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Variable {
    /// Its ARN, for a parameter of type `String`.
    IncidentRecordArn,
    /// The resources that it involves, for a parameter of type `StringList`.
    InvolvedResources,
}

/// A service of `PagerDuty`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PagerDuty {
    /// A name for the integration.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// The service's id in `PagerDuty`.
    #[schemars(length(min = 1, max = 200))]
    pub service_id: String,
    /// The secret in Secrets Manager, by name or ARN, that holds the credentials; Incident Manager must be allowed to
    /// read it.
    #[schemars(length(min = 1, max = 512))]
    pub secret_id: String,
}

impl Spec for ResponsePlan {
    const KIND: &'static str = "ResponsePlan";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const AFTER: &'static [&'static str] = &["ReplicationSet"];
    const PER_ACCOUNT: bool = true;

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            display_name,
            incident_template,
            engagements,
            chatbot_sns: _,
            runbook,
            pager_duty: _,
            tags,
        } = self;
        settle::text(display_name, live.display_name.as_ref());
        let IncidentTemplate {
            title: _,
            impact: _,
            summary,
            dedupe_string,
            notification_targets: _,
            incident_tags: _,
        } = incident_template;
        settle::text(summary, live.incident_template.summary.as_ref());
        settle::text(dedupe_string, live.incident_template.dedupe_string.as_ref());
        *engagements = std::mem::take(engagements)
            .into_iter()
            .map(|wanted| as_aws_says(wanted, &live.engagements))
            .collect();
        match (runbook, &live.runbook) {
            (Some(wanted), Some(live)) if wanted.document == live.document => {
                settle::text(&mut wanted.document_version, live.document_version.as_ref());
            }
            // The version of another runbook says nothing about this one.
            (Some(wanted), _) => settle::text(&mut wanted.document_version, None),
            (None, _) => {}
        }
        settle::value(tags, live.tags.as_ref());
    }
}

/// Takes over from AWS what it is that an ARN names, for AWS knows better than the document.
fn as_aws_says(wanted: Engagement, live: &BTreeSet<Engagement>) -> Engagement {
    let same = |live: &&Engagement| wanted.arn().is_some() && live.arn() == wanted.arn();
    live.iter().find(same).cloned().unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan(extra: Value) -> ResponsePlan {
        let mut spec = json!({"name": "p", "incidentTemplate": {"title": "t", "impact": 2}});
        if let (Some(spec), Value::Object(members)) = (spec.as_object_mut(), extra) {
            spec.extend(members);
        }
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn empty_texts_clear_and_are_then_no_difference() {
        let template = |summary: Value| json!({"title": "t", "impact": 2, "summary": summary, "dedupeString": summary});
        let mut wanted = plan(json!({"displayName": "", "incidentTemplate": template(json!(""))}));
        wanted.settle(&plan(
            json!({"displayName": "x", "incidentTemplate": template(json!("y"))}),
        ));
        assert_eq!(wanted.display_name.as_deref(), Some(""));
        assert_eq!(wanted.incident_template.summary.as_deref(), Some(""));
        wanted.settle(&plan(json!({})));
        assert_eq!(wanted, plan(json!({})));
    }

    #[test]
    fn what_is_left_out_is_left_alone() {
        let live = plan(json!({"displayName": "x", "tags": {"a": "b"},
            "runbook": {"document": {"name": "AWS-X"}, "documentVersion": "3", "roleArn": "r"}}));
        let mut wanted = plan(json!({"runbook": {"document": {"name": "AWS-X"}, "roleArn": "r"}}));
        wanted.settle(&live);
        assert_eq!(wanted, live);
        let mut other = plan(json!({"runbook": {"document": {"name": "AWS-Y"}, "roleArn": "r"}}));
        other.settle(&live);
        assert_eq!(other.runbook.unwrap().document_version, None);
    }

    #[test]
    fn aws_knows_what_an_arn_names() {
        let live = plan(json!({"engagements": [{"contact": {"arn": "x"}}]}));
        let mut wanted = plan(json!({"engagements": [{"escalationPlan": {"arn": "x"}}]}));
        wanted.settle(&live);
        assert_eq!(wanted, live);
    }

    #[test]
    fn a_reference_names_the_kind_of_its_field() {
        let wanted = plan(
            json!({"engagements": [{"schedule": {"ref": "first"}}, {"contact": {"ref": "a"}}],
            "runbook": {"document": {"ref": "restart"}, "roleArn": "r"}}),
        );
        let value = serde_json::to_value(&wanted).unwrap();
        assert_eq!(
            value["engagements"][0]["schedule"]["ref"],
            "OnCallSchedule/first"
        );
        assert_eq!(value["engagements"][1]["contact"]["ref"], "Contact/a");
        assert_eq!(value["runbook"]["document"]["ref"], "Runbook/restart");
        assert_eq!(
            value["runbook"]["targetAccount"],
            "RESPONSE_PLAN_OWNER_ACCOUNT"
        );
    }
}
