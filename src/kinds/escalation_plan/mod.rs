//! `EscalationPlan`: who is called next when nobody answers.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::{Contact, rules};
use super::on_call_schedule::OnCallSchedule;
use crate::model::{Ref, Report, Spec, pointer};

mod remote;

/// An escalation plan of Incident Manager: a contact of type ESCALATION whose stages engage people and on-call
/// schedules, one stage after the other, until somebody essential acknowledges.
///
/// **AWS chooses** nothing.
/// **Forces replacement:** `name`.
///
/// A stage begins when the stages before it have lasted their time. The duration of the last one delays nothing.
/// Contacts and schedules must be of the same account: one that another account shares cannot be engaged. Names are
/// shared with contacts and on-call schedules: no two may be the same.
///
/// Left out: nothing that AWS has.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: EscalationPlan
/// metadata: { name: banana-checkout }
/// spec:
///   displayName: Banana checkout
///   stages:
///     - durationMinutes: 5
///       engage: [{ schedule: { ref: banana-primary } }]
///     - durationMinutes: 10
///       engage: [{ contact: { ref: kayoko } }, { contact: { ref: supervisor }, essential: false }]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscalationPlan {
    /// The alias in Incident Manager. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9_\-]*$"))]
    pub name: String,
    /// The plan's name in full. Left out, whatever somebody has set is left alone; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255), regex(pattern = r"^[\p{L}\p{Z}\p{N}_.\-]*$"))]
    pub display_name: Option<String>,
    /// The stages, in the order of time. Without stages nobody is engaged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// A step of the escalation: whom to engage, and how long to wait for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// How many minutes to wait before the next stage; 0 only when the stage engages somebody.
    #[schemars(range(min = 0, max = 30))]
    pub duration_minutes: i32,
    /// Those who are engaged at once. A stage without any is only a pause.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub engage: BTreeSet<Engage>,
}

/// A person or a schedule in a stage: exactly one of `contact` and `schedule`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Engage {
    /// A person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Ref<Contact>>,
    /// An on-call schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Ref<OnCallSchedule>>,
    /// Whether the escalation stops when this one acknowledges. Default: true.
    #[serde(default = "yes")]
    pub essential: bool,
}

fn yes() -> bool {
    true
}

impl Spec for EscalationPlan {
    const KIND: &'static str = "EscalationPlan";
    const NAMESPACE: &'static str = "ssm-contacts";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const AFTER: &'static [&'static str] = &["ReplicationSet"];
    const PER_ACCOUNT: bool = true;

    fn validate(&self, report: &mut Report) {
        for (index, stage) in self.stages.iter().enumerate() {
            let at = pointer::join("/stages", index);
            if stage.duration_minutes == 0 && stage.engage.is_empty() {
                report.error(
                    "empty-stage",
                    &at,
                    "the stage neither waits nor engages anybody",
                    "give it a contact or a schedule in `engage`, or a `durationMinutes` of at least 1",
                );
            }
            for (index, engage) in stage.engage.iter().enumerate() {
                let problem = match (&engage.contact, &engage.schedule) {
                    (Some(_), None) | (None, Some(_)) => continue,
                    (None, None) => "it names neither a `contact` nor a `schedule`",
                    (Some(_), Some(_)) => "it names both a `contact` and a `schedule`",
                };
                report.error(
                    "bad-target",
                    pointer::join(&pointer::join(&at, "engage"), index),
                    problem,
                    "name exactly one; a stage may engage several, each in its own list entry",
                );
            }
        }
        rules::check_tags(self.tags.as_ref(), report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            display_name,
            stages: _,
            tags,
        } = self;
        rules::settle_text(display_name, live.display_name.as_ref());
        *tags = tags.take().or_else(|| live.tags.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{AnySpec, Erased};

    const KIND: Erased<EscalationPlan> = Erased::new();

    fn checkout() -> Value {
        json!({
            "name": "checkout",
            "stages": [
                { "durationMinutes": 5, "engage": [{ "schedule": { "ref": "primary" } }] },
                { "durationMinutes": 0, "engage": [
                    { "contact": { "ref": "supervisor" }, "essential": false },
                    { "contact": { "ref": "kayoko" } },
                ] },
            ],
        })
    }

    fn findings(spec: &Value) -> Vec<(String, String)> {
        let mut report = Report::default();
        KIND.validate(&KIND.parse(spec).unwrap(), &mut report);
        let found = report.diagnostics.into_iter();
        found.map(|d| (d.code, d.at)).collect()
    }

    #[test]
    fn whoever_is_engaged_is_essential_unless_told_otherwise() {
        let spec = KIND.parse(&checkout()).unwrap();
        assert_eq!(
            spec["stages"][1]["engage"],
            json!([
                { "contact": { "ref": "Contact/kayoko" }, "essential": true },
                { "contact": { "ref": "Contact/supervisor" }, "essential": false },
            ])
        );
        assert_eq!(KIND.parse(&spec).unwrap(), spec);
        assert!(findings(&checkout()).is_empty());
    }

    #[test]
    fn a_target_is_a_contact_or_a_schedule() {
        let mut spec = checkout();
        spec["stages"][0]["engage"] =
            json!([{ "contact": { "ref": "a" }, "schedule": { "ref": "b" } }]);
        let at = "/stages/0/engage/0".to_owned();
        assert_eq!(findings(&spec), [("bad-target".to_owned(), at.clone())]);
        spec["stages"][0]["engage"] = json!([{ "essential": true }]);
        assert_eq!(findings(&spec), [("bad-target".to_owned(), at)]);
    }

    #[test]
    fn a_reference_to_another_kind_is_refused() {
        let mut spec = checkout();
        spec["stages"][0]["engage"] = json!([{ "contact": { "ref": "Rotation/a" } }]);
        assert!(KIND.parse(&spec).is_err());
    }

    #[test]
    fn a_stage_must_do_something() {
        let mut spec = checkout();
        spec["stages"][1] = json!({ "durationMinutes": 0 });
        assert_eq!(
            findings(&spec),
            [("empty-stage".to_owned(), "/stages/1".to_owned())]
        );
        spec["stages"][1] = json!({ "durationMinutes": 1 });
        assert!(findings(&spec).is_empty());
    }
}
