//! `FindingAggregator`: which regions send their findings home.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::rules::has_variable;
use crate::model::address::must_be_enabled;
use crate::model::spec::Identity;
use crate::model::{Location, Report, Spec, settle};

mod remote;

/// The finding aggregator of Security Hub CSPM in an account: its home region, and the regions that send their findings
/// there.
///
/// It manages the whole aggregator. An account has one over all regions of its partition, whatever its document is
/// called. It is seen from every region, and AWS lets it be changed in its home region alone. Its home is the region that
/// the run is in; with several regions of a Target that is the first of them. A plan from anywhere else is blocked, and
/// says where its home is.
///
/// It has no tags. Whose it is stands in a parameter of its home region, the claim,
/// `/stationbill/claims/securityhub/finding-aggregator`, whose value is the stamp that other objects carry as tags. It
/// is claimed before it is created or adopted, and let go once it is deleted; the policy that `iam-policy` prints is
/// limited to that parameter.
///
/// **AWS chooses** the id. `homeRegion` need not be said; whoever says it is told of a run in the wrong region.
/// **Forces replacement:** nothing. AWS moves no aggregator: to have another home, delete it where it is, and create it
/// where it shall be. Links and what was sent so far stay with the old one.
/// **Left out:** nothing that AWS has.
///
/// An account that is a member of an administrator's in Security Hub can have none: it shares the administrator's. While
/// central configuration is on it cannot be deleted. Deleting it stops the sending; what was sent stays at home.
///
/// **Calls.** Three: one to list it, one to read it, one for the claim.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: FindingAggregator
/// metadata: { name: findings }
/// spec:
///   regionLinkingMode: SPECIFIED_REGIONS
///   regions: [ap-southeast-1, eu-west-1]
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingAggregator {
    /// Where findings are sent: the region that the run is in, and none that an account must enable first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 30))]
    pub home_region: Option<String>,
    /// Which regions send their findings there.
    pub region_linking_mode: RegionLinkingMode,
    /// The regions that the mode speaks of; with `SPECIFIED_REGIONS` and `ALL_REGIONS_EXCEPT_SPECIFIED` only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(length(min = 1, max = 30)))]
    pub regions: BTreeSet<String>,
}

/// Which regions send their findings home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum RegionLinkingMode {
    /// All in which Security Hub is enabled, and those to come.
    AllRegions,
    /// The same without some.
    AllRegionsExceptSpecified,
    /// Some, and none to come.
    SpecifiedRegions,
    /// None.
    NoRegions,
}

impl RegionLinkingMode {
    /// Says whether it speaks of some regions.
    fn names_some(self) -> bool {
        matches!(
            self,
            Self::AllRegionsExceptSpecified | Self::SpecifiedRegions
        )
    }
}

impl Spec for FindingAggregator {
    const KIND: &'static str = "FindingAggregator";
    const IDENTITY: Identity = Identity::Singleton;
    const PER_ACCOUNT: bool = true;
    const AFTER: &'static [&'static str] = &["SecurityHub"];

    fn validate(&self, report: &mut Report) {
        let Self {
            home_region,
            region_linking_mode,
            regions,
        } = self;
        let mut bad = |at: String, message: String, hint: &str| {
            report.error("bad-finding-aggregator", at, message, hint);
        };
        match (region_linking_mode.names_some(), regions.is_empty()) {
            (true, true) => bad(
                "/regions".to_owned(),
                "the mode speaks of some regions, and there are none".to_owned(),
                "list them, or write `ALL_REGIONS` or `NO_REGIONS`",
            ),
            (false, false) => bad(
                "/regions".to_owned(),
                "the mode speaks of no regions, and there are some".to_owned(),
                "take them out, or write `SPECIFIED_REGIONS` or `ALL_REGIONS_EXCEPT_SPECIFIED`",
            ),
            _ => {}
        }
        let places = regions.iter().enumerate();
        let places = places.map(|(index, region)| (format!("/regions/{index}"), region));
        let home = home_region.iter();
        for (at, region) in places.chain(home.map(|home| ("/homeRegion".to_owned(), home))) {
            if !has_variable(region) && !is_region(region) {
                let message = format!("`{region}` is no region");
                bad(at, message, "write its code, for instance `eu-west-1`");
            }
        }
        let home = home_region.as_ref().filter(|home| !has_variable(home));
        if home.is_some_and(|home| is_region(home) && must_be_enabled(home)) {
            bad(
                "/homeRegion".to_owned(),
                "AWS takes no home that accounts must enable first".to_owned(),
                "choose a region that every account has",
            );
        }
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            home_region,
            region_linking_mode: _,
            regions: _,
        } = self;
        settle::value(home_region, live.home_region.as_ref());
    }

    fn impossible(&self, live: &Self, _at: &Location) -> Option<String> {
        let (wanted, there) = (self.home_region.as_ref()?, live.home_region.as_ref()?);
        (wanted != there).then(|| {
            format!(
                "its home is {there}, and AWS moves none: delete it there, which stops its sending, and create it in \
                 {wanted}"
            )
        })
    }

    fn misplaced(&self, at: &Location) -> Option<String> {
        let here = at.region.as_str();
        match self.home_region.as_deref() {
            Some(home) if home != here => Some(format!(
                "its home is {home}, where alone AWS lets it be changed: run in that region, which of a Target is the \
                 first, or delete it there and create it here"
            )),
            // [D] user guide, "Enabling cross-Region aggregation".
            _ if must_be_enabled(here) => Some(format!(
                "AWS takes no home that accounts must enable first, as {here} is: run in another region, which of a \
                 Target is the first"
            )),
            _ => None,
        }
    }
}

/// Says whether a text looks like the code of a region: AWS adds some now and then.
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let area = parts.next().unwrap_or_default();
    let number = parts.next_back().unwrap_or_default();
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let middle: Vec<&str> = parts.collect();
    area.len() == 2
        && lower(area)
        && !middle.is_empty()
        && middle.into_iter().all(lower)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn aggregator(spec: Value) -> FindingAggregator {
        serde_json::from_value(spec).unwrap()
    }

    fn at(region: &str) -> Location {
        Location {
            account: "111122223333".to_owned(),
            region: region.to_owned(),
        }
    }

    #[test]
    fn regions_go_with_the_modes_that_speak_of_some() {
        let found = |mode: &str, regions: Value| {
            let mut report = Report::default();
            let spec = json!({ "regionLinkingMode": mode, "regions": regions });
            aggregator(spec).validate(&mut report);
            let found = report.diagnostics.into_iter();
            found.map(|d| d.at).collect::<Vec<_>>().concat()
        };
        for (mode, some) in [
            ("ALL_REGIONS", false),
            ("NO_REGIONS", false),
            ("SPECIFIED_REGIONS", true),
            ("ALL_REGIONS_EXCEPT_SPECIFIED", true),
        ] {
            assert_eq!(found(mode, json!(["eu-west-1"])).is_empty(), some, "{mode}");
            assert_eq!(found(mode, json!([])).is_empty(), !some, "{mode}");
        }
        for (region, fits) in [
            ("us-gov-west-1", true),
            ("${target.vars.linked}", true),
            ("Ireland", false),
            ("eu-west", false),
            ("eu-1", false),
        ] {
            let at = if fits { "" } else { "/regions/0" };
            assert_eq!(found("SPECIFIED_REGIONS", json!([region])), at, "{region}");
        }
    }

    #[test]
    fn its_home_is_where_the_run_is() {
        let any = aggregator(json!({ "regionLinkingMode": "ALL_REGIONS" }));
        let home = json!({ "regionLinkingMode": "ALL_REGIONS", "homeRegion": "eu-west-1" });
        let home = aggregator(home);
        assert_eq!(any.misplaced(&at("eu-west-1")), None);
        assert_eq!(home.misplaced(&at("eu-west-1")), None);
        let why = home.misplaced(&at("us-east-1")).unwrap();
        assert!(why.starts_with("its home is eu-west-1"), "{why}");
        let why = any.misplaced(&at("eu-south-1")).unwrap();
        assert!(why.contains("as eu-south-1 is"), "{why}");
        // Whoever says nothing means the home that it has.
        let mut settled = any.clone();
        settled.settle(&home);
        assert!(settled.misplaced(&at("us-east-1")).is_some());
        assert_eq!(settled.impossible(&home, &at("eu-west-1")), None);
        let mut moved = home.clone();
        moved.home_region = Some("us-east-1".to_owned());
        let why = moved.impossible(&home, &at("us-east-1")).unwrap();
        assert!(why.contains("delete it there"), "{why}");
    }

    #[test]
    fn a_home_is_one_that_every_account_has() {
        let mut report = Report::default();
        let home = json!({ "regionLinkingMode": "NO_REGIONS", "homeRegion": "eu-south-1" });
        aggregator(home).validate(&mut report);
        assert_eq!(report.diagnostics[0].at, "/homeRegion");
    }
}
