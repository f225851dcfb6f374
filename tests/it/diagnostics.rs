//! A folder with one mistake after the other: every one is found in one run, and points at its place.

use std::path::{Path, PathBuf};

use stationbill::cli::render::diagnostics::{human, to_json, to_sarif};
use stationbill::kinds;
use stationbill::load::{Loaded, codes, load};

const FOLDER: &str = "tests/it/fixtures/thirty-mistakes/in";

fn mistakes() -> Loaded {
    load(&[PathBuf::from(FOLDER)], &kinds::specs()).unwrap()
}

#[test]
fn thirty_mistakes_are_found_in_one_run() {
    let loaded = mistakes();
    assert!(loaded.report.diagnostics.len() >= 30);
    let text = human(&loaded.report, &loaded.sources, false);
    insta::assert_snapshot!(text.replace(&format!("{FOLDER}/"), ""));
}

#[test]
fn every_finding_has_a_place_and_a_documented_code() {
    for finding in mistakes().report.diagnostics {
        assert!(finding.place.is_some(), "{finding:?}");
        assert!(codes::describe(&finding.code).is_some(), "{}", finding.code);
    }
}

#[test]
fn machines_get_the_same_findings() {
    let loaded = mistakes();
    let count = loaded.report.diagnostics.len();
    assert_eq!(to_json(&loaded.report).as_array().unwrap().len(), count);
    let sarif = to_sarif(&loaded.report);
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), count);
}

#[test]
fn the_examples_are_valid() {
    for folder in ["examples/banana-stand", "examples/fleet", "examples/kinds"] {
        assert!(Path::new(folder).is_dir());
        let loaded = load(&[PathBuf::from(folder)], &kinds::specs()).unwrap();
        let text = human(&loaded.report, &loaded.sources, false);
        assert!(loaded.report.diagnostics.is_empty(), "{text}");
    }
}
