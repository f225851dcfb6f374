//! The time below which a run cannot go, from the calls that it made.
//!
//! Two things bound it, and the floor is the larger:
//!
//! - **rate**: of each group of operations that shares a documented rate in one account and region,
//!   `(calls - burst) / rate`. The rates are the sandbox's own, which refuses what goes beyond them; the burst is one
//!   second's worth.
//! - **latency**: of each service, `calls × latency / calls in flight`. The program has at most [`IN_FLIGHT`] calls of
//!   one service under way in one account and region.
//!
//! Calls that must wait for each other (a page for the page before it, reading back for the write) are not in it, so
//! small runs are above it.

use std::collections::BTreeMap;

use stationbill::aws::transport::IN_FLIGHT;
use stationbill::sandbox;

use crate::measure::Call;

/// The latency of [`crate::LATENCY`], in seconds.
const LATENCY: f64 = 0.04;

/// What a run cannot go below.
pub(crate) struct Floor {
    pub(crate) seconds: f64,
    /// What bounds it.
    pub(crate) by: String,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer than 2^52 calls"
)]
pub(crate) fn floor(calls: &[Call]) -> Floor {
    let mut groups: BTreeMap<_, (f64, f64)> = BTreeMap::new();
    let mut services: BTreeMap<_, f64> = BTreeMap::new();
    for Call {
        account,
        region,
        service,
        operation,
        ..
    } in calls
    {
        let place = (account, region);
        *services.entry((place, service)).or_default() += 1.0;
        if let Some((group, rate)) = sandbox::rate(service, operation) {
            let group = (place, service, group);
            groups.entry(group).or_insert((0.0, rate)).0 += 1.0;
        }
    }
    let by_rate = groups
        .into_iter()
        .map(|((.., group), (count, rate))| Floor {
            seconds: (count - rate).max(0.0) / rate,
            by: format!("{group}, {rate} a second"),
        });
    let by_latency = services.into_iter().map(|((_, service), count)| Floor {
        seconds: count * LATENCY / IN_FLIGHT as f64,
        by: format!("latency of {service}"),
    });
    let none = Floor {
        seconds: 0.0,
        by: "nothing".to_owned(),
    };
    by_rate.chain(by_latency).fold(none, |most, floor| {
        if floor.seconds > most.seconds {
            floor
        } else {
            most
        }
    })
}
