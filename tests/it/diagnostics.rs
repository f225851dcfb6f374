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

/// Loads documents of one kind, each with its name and its spec; answers with line, column, code and message.
fn findings(kind: &str, documents: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents.iter().map(|(name, spec)| {
        format!(
            "apiVersion: stationbill.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:\n{spec}---\n"
        )
    });
    std::fs::write(
        folder.path().join("all.yaml"),
        documents.collect::<String>(),
    )
    .unwrap();
    let loaded = load(&[folder.path().to_owned()], &kinds::specs()).unwrap();
    let mut found: Vec<String> = loaded
        .report
        .diagnostics
        .into_iter()
        .map(|d| {
            let place = d.place.unwrap();
            let (line, column, message) = (place.line, place.column, d.message);
            format!("{line}:{column} {}: {message}", d.code)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_target_that_two_policies_ask_for_is_found_offline() {
    let one = "  associations: { accounts: [\"222233334444\"], root: r-ab12 }\n";
    let other = "  associations:
    root: r-ab12
    accounts:
      - \"333344445555\"
      - \"222233334444\"
";
    let both = "ConfigurationPolicy/one and ConfigurationPolicy/other both ask for";
    assert_eq!(
        findings("ConfigurationPolicy", &[("one", one), ("other", other)]),
        [
            format!("12:11 second-owner: {both} `r-ab12`, and only one can have it"),
            format!("15:9 second-owner: {both} `222233334444`, and only one can have it"),
        ]
    );
}

#[test]
fn a_patch_group_or_a_default_that_two_baselines_ask_for_is_found_offline() {
    let windows = "  default: true\n  patchGroups: [web, app]\n";
    let said = "  operatingSystem: WINDOWS\n  patchGroups: [db, app]\n  default: true\n";
    let linux =
        "  operatingSystem: AMAZON_LINUX_2023\n  patchGroups: [web, app]\n  default: true\n";
    let both = "PatchBaseline/one and PatchBaseline/other both ask for";
    assert_eq!(
        findings("PatchBaseline", &[("one", windows), ("other", said)]),
        [
            format!("13:21 second-owner: {both} `app` for `WINDOWS`, and only one can have it"),
            format!("14:12 second-owner: {both} `default` for `WINDOWS`, and only one can have it"),
        ]
    );
    // Each operating system has its own.
    let found = findings("PatchBaseline", &[("one", windows), ("other", linux)]);
    assert!(found.is_empty(), "{found:?}");
}
