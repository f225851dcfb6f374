//! Arbitrary bytes as a document file: findings, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stationbill::cli::render::diagnostics::{human, to_json, to_junit, to_sarif};
use stationbill::{kinds, load};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.yaml"), bytes).expect("a file");
    let loaded =
        load::load(&[folder.path().to_owned()], &kinds::specs()).expect("a folder that is there");
    for object in &loaded.objects {
        assert_eq!(
            kinds::find(&object.address.kind).map(|kind| kind.parse(&object.spec).is_ok()),
            Some(true)
        );
    }
    human(&loaded.report, &loaded.sources, true);
    to_junit(&loaded.report, &loaded.sources);
    to_json(&loaded.report);
    to_sarif(&loaded.report);
});
