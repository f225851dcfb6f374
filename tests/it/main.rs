//! The one integration binary: one module per subject.

#[test]
fn the_library_is_there() {
    assert!(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/lib.rs")
            .is_file()
    );
}
