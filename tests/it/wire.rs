//! What goes over the wire in all these tests, judged by somebody else: `tests/clients` reads AWS's published models by
//! itself and checks every request that our code makes and every answer that the simulated AWS gives.
//!
//! Tests begin in the order of their names, so this one begins last and finds what the others left; alone, it finds
//! what it makes.

use std::fs;

use crate::support::exchanges;
use crate::{clients, simulation};

/// How many worlds this test adds, whatever else ran.
const SEEDS: u64 = 12;

#[test]
fn zz_the_wire_is_as_aws_publishes_it() {
    if clients::skipped() {
        return;
    }
    for seed in 9000..9000 + SEEDS {
        simulation::live(seed);
    }
    let folder = exchanges();
    let files = fs::read_dir(&folder).unwrap().count();
    assert!(files > 200, "only {files} exchanges were kept");
    clients::judge(&folder);
}
