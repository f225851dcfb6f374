//! What goes wrong.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};
use stationbill::sandbox::Faults;

/// Draws what goes wrong.
pub(super) fn faults(rng: &mut SmallRng) -> (Faults, String) {
    let calm = rng.random_bool(0.15);
    let mut rules = Vec::new();
    let menu: [(f64, f64, Value); 14] = [
        (0.5, 0.3, json!("throttle")),
        (
            0.5,
            0.1,
            json!({"error": {"code": "InternalFailure", "status": 500, "message": "try again"}}),
        ),
        (
            0.3,
            0.03,
            json!({"error": {"code": "ValidationException", "status": 400, "message": "no"}}),
        ),
        (0.2, 0.05, json!("deny")),
        (0.4, 0.05, json!("timeoutBefore")),
        (0.4, 0.05, json!("timeoutAfter")),
        (0.4, 0.05, json!("disconnectBefore")),
        (0.4, 0.05, json!("disconnectAfter")),
        (0.3, 0.2, json!({"staleReads": rng.random_range(1..4)})),
        (0.4, 0.5, json!("shortPages")),
        (0.3, 0.2, json!("repeatedItem")),
        (0.2, 0.1, json!("missingItem")),
        (0.2, 0.2, json!("expiredPage")),
        (0.2, 0.3, json!({"delay": rng.random_range(1..500)})),
    ];
    for (chance, rate, then) in menu {
        if !calm && rng.random_bool(chance) {
            rules.push(json!({"when": {"rate": rate}, "then": then}));
        }
    }
    rules.shuffle(rng);
    let text = serde_json::to_string(&rules).unwrap();
    (Faults::parse(&text).unwrap(), text)
}
