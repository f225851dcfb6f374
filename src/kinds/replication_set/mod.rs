//! `ReplicationSet`: the regions in which Incident Manager keeps an account's data.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::contact::rules::has_variable;
use super::tags;
use crate::model::spec::Identity;
use crate::model::{Location, Report, Spec, settle};

mod remote;

/// What would be lost with the set.
const EVERYTHING: &str =
    "all of the account's response plans, incidents, contacts, escalation plans and schedules";

/// The replication set of an account: it sets Incident Manager up, and says in which regions.
///
/// It manages the regions, the protection against deletion and the tags. Regions are added before others are removed,
/// one at a time; each takes AWS minutes. Everything else in Incident Manager waits until the set is active.
///
/// **AWS chooses** the id. There is one set an account, seen from each of its regions, whatever its document is
/// called.
/// **Forces replacement:** nothing; a run never replaces or deletes a set, for that deletes all data of Incident
/// Manager, and AWS lets no new accounts in. The keys of a set cannot be changed.
///
/// AWS refuses a set in an account that never had Incident Manager: it is closed to new customers since 2025-11-07.
/// The region that the run is in must be one of the set's, and is not removed from it. With several regions of a
/// Target that is the first of them, which keeps everything of Incident Manager: AWS replicates it to the others, and
/// takes tags of contacts in the set's first region alone.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: ReplicationSet
/// metadata: { name: incidents }
/// spec:
///   regions:
///     - name: ap-northeast-1
///     - name: ap-southeast-1
///   deletionProtected: true
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicationSet {
    /// The regions, one to three.
    #[schemars(length(min = 1, max = 3))]
    pub regions: BTreeSet<Region>,
    /// Whether AWS refuses to delete the set.
    #[serde(default)]
    pub deletion_protected: bool,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// A region of the set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Region {
    /// The region, for instance `eu-west-1`.
    #[schemars(length(min = 1, max = 20))]
    pub name: String,
    /// The ARN of the customer managed key of that region that encrypts the data. Either every region has one, or
    /// none has; then AWS's own key is used. `DefaultKey` is the same as none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "own_key"
    )]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^(DefaultKey|arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/.+)?$")
    )]
    pub sse_kms_key_id: Option<String>,
}

/// Reads a key; AWS says `DefaultKey` where there is none.
fn own_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer).map(without_default)
}

fn without_default(key: Option<String>) -> Option<String> {
    key.filter(|key| !key.is_empty() && key != "DefaultKey")
}

impl ReplicationSet {
    /// Returns the keys by region.
    fn keys(&self) -> BTreeMap<&str, Option<&str>> {
        self.regions
            .iter()
            .map(|region| (region.name.as_str(), region.sse_kms_key_id.as_deref()))
            .collect()
    }
}

impl Spec for ReplicationSet {
    const KIND: &'static str = "ReplicationSet";
    const IDENTITY: Identity = Identity::Singleton;
    const PER_ACCOUNT: bool = true;
    const LOSES: Option<&'static str> = Some(EVERYTHING);
    const NEVER_DELETED: Option<&'static str> = Some(
        "deleting a replication set deletes all data of Incident Manager, and AWS may not let the account in again",
    );

    fn validate(&self, report: &mut Report) {
        tags::check(self.tags.as_ref(), tags::Alphabet::Incidents, report);
        let keys = self.keys();
        if keys.len() < self.regions.len() {
            report.error(
                "bad-regions",
                "/regions",
                "a region is listed twice, with different keys",
                "list each region once",
            );
        }
        let with_key = keys.values().filter(|key| key.is_some()).count();
        if with_key > 0 && with_key < keys.len() {
            report.error(
                "bad-regions",
                "/regions",
                "some regions have a customer managed key and others have none",
                "give every region a key of its own, or none",
            );
        }
        for (index, region) in self.regions.iter().enumerate() {
            let Some(key) = &region.sse_kms_key_id else {
                continue;
            };
            let key_region = key.split(':').nth(3).unwrap_or_default();
            if !has_variable(&region.name) && !has_variable(key) && key_region != region.name {
                report.error(
                    "bad-regions",
                    format!("/regions/{index}/sseKmsKeyId"),
                    format!("the key is in `{key_region}`, not in `{}`", region.name),
                    "name a key of the same region",
                );
            }
        }
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            regions: _,
            deletion_protected: _,
            tags,
        } = self;
        settle::value(tags, live.tags.as_ref());
    }

    fn impossible(&self, live: &Self, at: &Location) -> Option<String> {
        let (wanted, have) = (self.keys(), live.keys());
        let here = at.region.as_str();
        if have.contains_key(here) && !wanted.contains_key(here) {
            return Some(format!(
                "{here} is the region that this run is in, and cannot be taken out of the replication set from here; \
                 run with a region that stays"
            ));
        }
        for (region, key) in &wanted {
            if have.get(region).is_some_and(|live| live != key) {
                return Some(format!(
                    "AWS cannot change the key of {region}; take the region out, apply, and add it again with the new \
                     key, or write the key that it has"
                ));
            }
        }
        let customer_managed = |keys: &BTreeMap<_, Option<_>>| keys.values().any(Option::is_some);
        (customer_managed(&wanted) != customer_managed(&have) && !have.is_empty()).then(|| {
            "AWS cannot mix customer managed keys and its own in one replication set; give the new regions keys of the \
             kind that the others have"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234";

    fn set(regions: Value) -> ReplicationSet {
        let members = std::iter::once(("regions".to_owned(), regions));
        serde_json::from_value(Value::Object(members.collect())).unwrap()
    }

    fn at(region: &str) -> Location {
        Location {
            account: "111122223333".to_owned(),
            region: region.to_owned(),
        }
    }

    fn problems(regions: Value) -> Vec<String> {
        let mut report = Report::default();
        set(regions).validate(&mut report);
        report.diagnostics.into_iter().map(|d| d.message).collect()
    }

    #[test]
    fn the_default_key_is_none_and_repetition_means_nothing() {
        let regions = json!([{"name": "eu-west-1", "sseKmsKeyId": "DefaultKey"}, {"name": "eu-west-1"},
            {"name": "eu-west-1", "sseKmsKeyId": ""}]);
        assert_eq!(set(regions), set(json!([{"name": "eu-west-1"}])));
    }

    #[test]
    fn keys_are_for_all_regions_or_none_and_of_their_region() {
        assert_eq!(
            problems(json!([{"name": "eu-west-1", "sseKmsKeyId": KEY}, {"name": "eu-west-2"}])),
            ["some regions have a customer managed key and others have none"]
        );
        assert_eq!(
            problems(json!([{"name": "eu-west-2", "sseKmsKeyId": KEY}])),
            ["the key is in `eu-west-1`, not in `eu-west-2`"]
        );
        assert_eq!(
            problems(json!([{"name": "eu-west-1", "sseKmsKeyId": KEY},
                {"name": "eu-west-1", "sseKmsKeyId": format!("{KEY}5")}])),
            ["a region is listed twice, with different keys"]
        );
    }

    #[test]
    fn keys_cannot_be_changed_nor_mixed() {
        let (here, elsewhere) = (at("eu-west-1"), at("us-east-1"));
        let (plain, keyed) = (
            set(json!([{"name": "eu-west-1"}])),
            set(json!([{"name": "eu-west-1", "sseKmsKeyId": KEY}])),
        );
        assert!(
            keyed
                .impossible(&plain, &here)
                .unwrap()
                .contains("key of eu-west-1")
        );
        let other = set(json!([{"name": "eu-west-2"}]));
        assert!(
            other
                .impossible(&keyed, &elsewhere)
                .unwrap()
                .contains("cannot mix")
        );
        let more = set(json!([{"name": "eu-west-1"}, {"name": "eu-west-2"}]));
        assert_eq!(more.impossible(&plain, &here), None);
        assert_eq!(plain.impossible(&more, &here), None);
    }

    #[test]
    fn a_run_does_not_saw_off_the_branch_it_sits_on() {
        let both = set(json!([{"name": "eu-west-1"}, {"name": "eu-west-2"}]));
        let other = set(json!([{"name": "eu-west-2"}]));
        let why = other.impossible(&both, &at("eu-west-1")).unwrap();
        assert!(why.contains("run with a region that stays"), "{why}");
        assert_eq!(other.impossible(&both, &at("eu-west-2")), None);
    }
}
