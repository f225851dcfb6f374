//! `OnCallSchedule`: who is on call, day and night.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::rules;
use super::rotation::Rotation;
use crate::model::{Ref, Report, Spec};

mod remote;

/// An on-call schedule of Incident Manager: a contact of type `ONCALL_SCHEDULE` that gathers rotations. Whoever is on
/// shift in one of them is engaged when the schedule is.
///
/// **AWS chooses** nothing.
/// **Forces replacement:** `name`.
///
/// A time that no rotation covers engages nobody, and nobody is told. Rotations of one schedule are best kept in one
/// time zone: where summer time begins on different days, an hour is covered twice or not at all. Names are shared with
/// contacts and escalation plans: no two may be the same.
///
/// Left out: overrides, which people make for a day or two in the console. They belong to the rotation, and they are
/// never touched.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: OnCallSchedule
/// metadata: { name: banana-primary }
/// spec:
///   displayName: Banana stand first line
///   rotations: [{ ref: banana-weekdays }, { ref: banana-weekend }]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnCallSchedule {
    /// The alias in Incident Manager. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9_\-]*$"))]
    pub name: String,
    /// The schedule's name in full. Left out, whatever somebody has set is left alone; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255), regex(pattern = r"^[\p{L}\p{Z}\p{N}_.\-]*$"))]
    pub display_name: Option<String>,
    /// The rotations, at most 8; their order means nothing. Others are taken out of the schedule.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 8))]
    pub rotations: BTreeSet<Ref<Rotation>>,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Spec for OnCallSchedule {
    const KIND: &'static str = "OnCallSchedule";
    const NAMESPACE: &'static str = "ssm-contacts";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const AFTER: &'static [&'static str] = &["ReplicationSet"];
    const PER_ACCOUNT: bool = true;

    fn validate(&self, report: &mut Report) {
        rules::check_tags(self.tags.as_ref(), report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            display_name,
            rotations: _,
            tags,
        } = self;
        rules::settle_text(display_name, live.display_name.as_ref());
        *tags = tags.take().or_else(|| live.tags.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{AnySpec, Erased, reference};

    const KIND: Erased<OnCallSchedule> = Erased::new();

    #[test]
    fn rotations_have_no_order() {
        let spec = |first, second| json!({ "name": "primary", "rotations": [{ "ref": first }, { "ref": second }] });
        let parsed = KIND.parse(&spec("b", "a")).unwrap();
        assert_eq!(parsed, KIND.parse(&spec("a", "b")).unwrap());
        let named = reference::references(&parsed);
        assert_eq!(
            named[0],
            ("/rotations/0".to_owned(), "Rotation/a".to_owned())
        );
    }

    #[test]
    fn silence_about_the_display_name_leaves_it_alone_and_silence_about_rotations_empties_them() {
        let live = json!({ "name": "primary", "displayName": "First line", "rotations": [{ "arn": "arn:x" }] });
        let settled = KIND.settle(&json!({ "name": "primary" }), &live).unwrap();
        assert_eq!(
            settled,
            json!({ "displayName": "First line", "name": "primary" })
        );
    }

    #[test]
    fn aws_allows_eight_rotations() {
        assert_eq!(KIND.schema()["properties"]["rotations"]["maxItems"], 8);
    }
}
