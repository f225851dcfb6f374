//! The finding aggregator: an account has one, or none, over all regions of its partition.
//!
//! It is kept; no finding comes by that could be sent home. [D] user guide, "Understanding cross-Region aggregation".

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{arn, central, enabled, fault, operation, organization, page};
use crate::sandbox::organizations::is_always_enabled;
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("CreateFindingAggregator", Access::Write, create),
    operation("GetFindingAggregator", Access::Read, get),
    operation("ListFindingAggregators", Access::Read, list),
    operation("UpdateFindingAggregator", Access::Write, update),
    operation("DeleteFindingAggregator", Access::Write, delete),
];

/// An aggregator.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Aggregator {
    arn: String,
    home: String,
    mode: String,
    regions: Vec<String>,
}

impl Aggregator {
    /// Returns the region that findings are sent to.
    pub(super) fn home(&self) -> &str {
        &self.home
    }

    /// Says whether a region is the home, or linked to it.
    pub(super) fn reaches(&self, region: &str) -> bool {
        let named = self.regions.iter().any(|one| one == region);
        self.home == region
            || match self.mode.as_str() {
                "ALL_REGIONS" => true,
                "ALL_REGIONS_EXCEPT_SPECIFIED" => !named,
                "SPECIFIED_REGIONS" => named,
                _ => false,
            }
    }

    fn answer(&self) -> Map {
        let mut answer = Map::from_iter([
            ("FindingAggregatorArn".to_owned(), json!(self.arn)),
            ("FindingAggregationRegion".to_owned(), json!(self.home)),
            ("RegionLinkingMode".to_owned(), json!(self.mode)),
        ]);
        if !self.regions.is_empty() {
            answer.insert("Regions".to_owned(), json!(self.regions));
        }
        answer
    }
}

/// Reads what a request says, and refuses what does not go together: [M] `RegionLinkingMode`, `Regions`.
fn said(call: &Call<'_>) -> Result<(String, Vec<String>), Fault> {
    let (mode, regions) = (call.required("RegionLinkingMode"), call.strings("Regions"));
    let named = match mode {
        "ALL_REGIONS" | "NO_REGIONS" => false,
        "ALL_REGIONS_EXCEPT_SPECIFIED" | "SPECIFIED_REGIONS" => true,
        _ => {
            return Err(fault::invalid(format!(
                "Invalid parameter 'RegionLinkingMode'. '{mode}' is not a linking mode."
            )));
        }
    };
    if named == regions.is_empty() {
        let must = if named { "must" } else { "must not" };
        return Err(fault::invalid(format!(
            "Invalid parameter 'Regions'. Regions {must} be given with {mode}."
        )));
    }
    Ok((mode.to_owned(), regions))
}

fn slot<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Option<Aggregator>, Fault> {
    enabled(state, call)?;
    let account = state.account(call.account);
    Ok(&mut account.securityhub_everywhere.aggregator)
}

/// Finds the aggregator that a request names.
fn named<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Option<Aggregator>, Fault> {
    let named = call.required("FindingAggregatorArn");
    let slot = slot(state, call)?;
    if slot.as_ref().is_some_and(|there| there.arn == named) {
        Ok(slot)
    } else {
        Err(fault::not_found(format!("{named} does not exist.")))
    }
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let id = call.uuid();
    let (mode, regions) = said(call)?;
    enabled(state, call)?;
    // Its administrator's is a member's too: seen word for word (terraform-aws-secure-baseline #254).
    if organization::is_member(state, call) {
        let why = "A finding aggregator cannot be created by a member account.";
        return Err(fault::invalid(why));
    }
    // [D] user guide, "Enabling cross-Region aggregation".
    if !is_always_enabled(call.region) {
        return Err(fault::invalid(format!(
            "{} is disabled by default, and cannot be a home Region.",
            call.region
        )));
    }
    let slot = slot(state, call)?;
    if let Some(there) = slot {
        // [M] The operation has no conflict.
        let why = format!("A finding aggregator exists already in {}.", there.home);
        return Err(fault::invalid(why));
    }
    let aggregator = Aggregator {
        arn: arn(call, &format!("finding-aggregator/{id}")),
        home: call.region.to_owned(),
        mode,
        regions,
    };
    Ok(slot.insert(aggregator).answer())
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let there = named(state, call)?.as_ref();
    Ok(there.map(Aggregator::answer).unwrap_or_default())
}

/// [M] "You can run this operation from any Amazon Web Services Region."
fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let there = slot(state, call)?.iter();
    let there: Vec<(String, Value)> = there
        .map(|one| (one.arn.clone(), json!({ "FindingAggregatorArn": one.arn })))
        .collect();
    page::page(call, "FindingAggregators", 100, there)
}

/// [M] "You can invoke this operation from the current home Region only."
fn at_home(there: &Aggregator, call: &Call<'_>) -> Result<(), Fault> {
    if there.home == call.region {
        return Ok(());
    }
    let why = format!(
        "The home Region of the finding aggregator is {}.",
        there.home
    );
    Err(fault::invalid(why))
}

/// Replaces mode and regions.
fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (mode, regions) = said(call)?;
    let Some(there) = named(state, call)? else {
        return Ok(Map::new());
    };
    at_home(there, call)?;
    there.mode = mode;
    there.regions = regions;
    Ok(there.answer())
}

/// [D] user guide, "Stopping cross-Region aggregation": from the home Region only.
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    if let Some(there) = named(state, call)? {
        at_home(there, call)?;
    }
    let everywhere = &mut state.account(call.account).securityhub_everywhere;
    // Configuration policies hang on it: first comes local configuration.
    if central::is_on(everywhere) {
        let why =
            "The finding aggregator cannot be deleted while central configuration is enabled.";
        return Err(fault::invalid(why));
    }
    everywhere.aggregator = None;
    Ok(Map::new())
}
