//! The wall around the pure core: no I/O, no AWS, no clock, no randomness inside it.

use std::path::{Path, PathBuf};

const FORBIDDEN: &[&str] = &[
    "aws_sdk",
    "aws_smithy",
    "aws_config",
    "aws_types",
    "kube::",
    "k8s_openapi",
    "tokio::",
    "std::fs",
    "std::env",
    "SystemTime",
    "Instant",
    "Zoned::now",
    "Timestamp::now",
    "rand::",
    "crate::engine",
    "crate::aws",
    "crate::sandbox",
    "crate::cli",
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `remote.rs` and what it alone uses is where a kind meets AWS.
fn is_remote(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "remote.rs")
        || path.components().any(|c| c.as_os_str() == "remote")
}

/// The SDK's paginators end quietly when an answer names its own page as the next.
#[test]
fn lists_are_read_to_their_end_or_not_at_all() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let text = std::fs::read_to_string(&path).unwrap();
        let count = |what: &str| text.matches(what).count();
        assert_eq!(
            count(".into_paginator()"),
            count("Pages::of("),
            "{}: wrap the paginator in `aws::Pages`",
            path.display()
        );
    }
}

#[test]
fn the_core_and_the_specs_are_pure() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let kinds = rust_files(&src.join("kinds")).into_iter();
    let kinds =
        kinds.filter(|path| path.ends_with("mod.rs") && path.parent() != Some(&src.join("kinds")));
    let kinds = kinds.filter(|path| !is_remote(path));
    let mut broken = Vec::new();
    for path in rust_files(&src.join("model"))
        .into_iter()
        .chain(kinds)
        .chain([src.join("export.rs")])
    {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for forbidden in FORBIDDEN {
                if code.contains(forbidden) {
                    broken.push(format!("{}:{}: {forbidden}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(
        broken.is_empty(),
        "the core must stay pure:\n{}",
        broken.join("\n")
    );
}

#[test]
fn only_remote_names_the_sdk() {
    let kinds = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kinds");
    let named: Vec<PathBuf> = rust_files(&kinds)
        .into_iter()
        .filter(|path| !is_remote(path))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("aws_sdk_"))
        .collect();
    assert!(
        named.is_empty(),
        "only remote.rs may name an SDK type: {named:?}"
    );
}
