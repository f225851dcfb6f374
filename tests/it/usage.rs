//! What somebody sees who holds it wrong: the exit code, and a hint about what to do.

use std::path::Path;
use std::process::{Command, Stdio};

fn run(folder: &Path, line: &str) -> (i32, String) {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/banana-stand");
    let output = Command::new(env!("CARGO_BIN_EXE_stationbill"))
        .args(line.replace("STAND", examples).split(' '))
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn wrong_use_fails_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (line, hint) in [
        (
            "plan nosuch --sandbox",
            "there is no file or folder `nosuch`",
        ),
        ("plan STAND", "pass --region"),
        (
            "plan STAND --sandbox --region EU",
            "a region is, for instance, `eu-west-1`",
        ),
        (
            "plan STAND --sandbox --kind contact",
            "did you mean `Contact`?",
        ),
        (
            "validate STAND --kind Foo",
            "the kinds are `ReplicationSet`",
        ),
        (
            "plan STAND --sandbox --name nosuch",
            "--name takes `metadata.name`",
        ),
        (
            "plan STAND --sandbox --output wrong",
            "[possible values: human",
        ),
        ("export --sandbox --output json", "use --output human"),
        ("apply STAND --sandbox", "pass --yes"),
        ("plan --frobnicate", "unexpected argument"),
        ("pla", "a similar subcommand exists: 'plan'"),
        ("schema contact", "did you mean `Contact`?"),
        ("man aply", "`stationbill --help` lists them"),
    ] {
        let (code, text) = run(folder.path(), line);
        assert_eq!(code, 2, "{line}: {text}");
        assert!(text.contains(hint), "{line}: {text}");
    }
}

#[test]
fn the_sandbox_needs_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = run(
        folder.path(),
        "apply STAND --sandbox --yes --kind Dashboard",
    );
    assert_eq!(code, 0, "{text}");
    assert!(folder.path().join(".stationbill/sandbox").is_dir());
    let (code, text) = run(
        folder.path(),
        "plan STAND --sandbox --kind Dashboard --exit-code",
    );
    assert_eq!(code, 0, "{text}");
}

#[test]
fn what_is_printed_for_others_is_of_their_form() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "schema",
        "schema Stack",
        "schema plan",
        "schema Contact",
        "iam-policy STAND --quiet",
    ] {
        let (code, text) = run(folder.path(), line);
        assert_eq!(code, 0, "{line}: {text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    for (line, begin) in [
        ("completions bash", "_stationbill"),
        ("completions zsh", "#compdef stationbill"),
        ("completions fish", "# Print"),
        ("man", ".ie"),
        ("man apply", ".ie"),
        ("crds", "---\napiVersion: apiextensions.k8s.io/v1"),
    ] {
        let (code, text) = run(folder.path(), line);
        assert_eq!(code, 0, "{line}: {text}");
        assert!(text.starts_with(begin), "{line}: {text}");
    }
}
