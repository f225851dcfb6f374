//! What somebody sees who holds it wrong: the exit code, and a hint about what to do.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn run(folder: &Path, line: &str) -> (i32, String) {
    with(folder, &[], line)
}

fn with(folder: &Path, variables: &[(&str, &str)], line: &str) -> (i32, String) {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/banana-stand");
    let output = Command::new(env!("CARGO_BIN_EXE_stationbill"))
        .args(line.replace("STAND", examples).split(' '))
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
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

/// Nothing of this reaches a network: it fails before, or at a port that nobody listens to.
#[test]
fn what_the_environment_cannot_mean_is_said_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text = "[default]\n[profile odd]\nmax_attempts = lots\n";
    std::fs::write(&config, text).unwrap();
    let broken = folder.path().join("broken");
    std::fs::write(&broken, "[profile x\n").unwrap();
    let usual = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    for (name, value, said) in [
        (
            "AWS_REGION",
            "",
            "no region is configured\nhint: set AWS_REGION",
        ),
        ("AWS_REGION", "no where", "`no where` is no region\nhint: "),
        (
            "AWS_MAX_ATTEMPTS",
            "lots",
            "`AWS_MAX_ATTEMPTS` is `lots`: it must be a whole number",
        ),
        (
            "AWS_RETRY_MODE",
            "never",
            "`AWS_RETRY_MODE` is `never`: it must be `standard` or",
        ),
        (
            "AWS_PROFILE",
            "nobody",
            "there is no profile `nobody`\nhint: `AWS_PROFILE` names it",
        ),
        (
            "AWS_CONFIG_FILE",
            broken.to_str().unwrap(),
            "broken on line 1",
        ),
        (
            "AWS_CA_BUNDLE",
            "/nonexistent",
            "in `/nonexistent`: No such file",
        ),
        (
            "AWS_ENDPOINT_URL",
            "localhost:9",
            "`localhost:9` is no endpoint of AWS",
        ),
        (
            "AWS_ENDPOINT_URL_SSM",
            "ssm",
            "`ssm` is no endpoint of AWS: `AWS_ENDPOINT_URL_SSM`",
        ),
        // Set to nothing is not set: they get as far as the port.
        ("AWS_ENDPOINT_URL_SSM", "", "Connection refused"),
        ("AWS_ENDPOINT_URL_STS", " ", "Connection refused"),
        ("AWS_MAX_ATTEMPTS", "", "Connection refused"),
        ("AWS_PROFILE", "", "Connection refused"),
        ("AWS_RETRY_MODE", "legacy", "Connection refused"),
        ("STATIONBILL_OUTPUT", "", "Connection refused"),
        ("STATIONBILL_COLOR", "", "Connection refused"),
    ] {
        let variables = [&usual[..], &[(name, value)]].concat();
        let (code, text) = with(folder.path(), &variables, "plan STAND");
        assert_eq!(code, 2, "{name}={value}: {text}");
        assert!(text.contains(said), "{name}={value}: {text}");
    }
    let variables = [
        &usual[..],
        &[("AWS_PROFILE", "odd"), ("AWS_MAX_ATTEMPTS", "")],
    ]
    .concat();
    let (code, text) = with(folder.path(), &variables, "plan STAND");
    assert_eq!(code, 2, "{text}");
    let said = "`max_attempts` of the profile `odd` is `lots`";
    assert!(text.contains(said), "{text}");
    // Where less said would mean more touched, it stays refused.
    let (code, text) = with(folder.path(), &[("STATIONBILL_SANDBOX", "")], "plan STAND");
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("a value is required for '--sandbox"),
        "{text}"
    );
}

/// One environment serves all commands of a pipeline, and not each has each output.
#[test]
fn an_output_of_the_environment_is_a_wish_and_one_that_is_asked_for_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let sarif = &[("STATIONBILL_OUTPUT", "sarif")];
    let (code, text) = with(folder.path(), sarif, "apply STAND --sandbox --yes");
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("$schema"), "{text}");
    let (code, text) = with(folder.path(), sarif, "validate STAND");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("$schema"), "{text}");
    for line in [
        "apply STAND --sandbox --yes -o sarif",
        "-o sarif apply STAND",
    ] {
        let (code, text) = with(folder.path(), sarif, line);
        assert_eq!(code, 2, "{line}: {text}");
        let said = "this command has no such output\nhint: use --output human or json or markdown";
        assert!(text.contains(said), "{line}: {text}");
    }
}

#[test]
fn where_nothing_is_declared_nothing_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("empty")).unwrap();
    fs::write(path.join("nothing.json"), "").unwrap();
    fs::write(path.join("null.json"), "null\n").unwrap();
    let stand = "apiVersion: stationbill.dev/v1alpha1\nkind: Dashboard\nmetadata: { name: front }\nspec: { body: { widgets: [] } }\n";
    fs::write(path.join("front.yaml"), stand).unwrap();
    let (code, text) = run(path, "apply front.yaml --sandbox=aws --yes");
    assert_eq!(code, 0, "{text}");
    for line in [
        "apply empty --yes --prune",
        "apply nothing.json --yes --prune",
        "apply null.json --yes --prune",
        "destroy empty --yes",
        "plan empty --prune",
        "drift empty",
    ] {
        let (code, text) = run(path, &format!("{line} --sandbox=aws"));
        assert_eq!(code, 2, "{line}: {text}");
        assert!(text.contains("hint:"), "{line}: {text}");
    }
    let (code, text) = run(path, "plan front.yaml --exit-code --sandbox=aws");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_saved_plan_is_known_whatever_the_order_of_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (code, text) = run(path, "plan STAND --sandbox=aws --out plan.json");
    assert_eq!(code, 0, "{text}");
    let saved = fs::read_to_string(path.join("plan.json")).unwrap();
    let mut plan: serde_json::Value = serde_json::from_str(&saved).unwrap();
    plan.sort_all_objects();
    let sorted = format!("\u{feff}{plan:#}");
    assert!(!sorted[..200].contains("\"kind\": \"Plan\""));
    fs::write(path.join("sorted.json"), sorted).unwrap();
    let (code, text) = run(path, "apply sorted.json --yes --sandbox=aws");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("done"), "{text}");
}

/// Somebody whose number is read from elsewhere.
const KAY: &str = "apiVersion: stationbill.dev/v1alpha1\nkind: Contact\nmetadata: { name: kay }\nspec:\n  \
        displayName: Kay\n  channels: { phone: { type: VOICE, address: { fromEnv: KAY } } }\n  \
        stages: [{ durationMinutes: 5, notify: [{ channel: phone }] }]\n---\n\
        apiVersion: stationbill.dev/v1alpha1\nkind: ReplicationSet\nmetadata: { name: all }\nspec: { regions: [{ name: ap-northeast-1 }] }\n";

/// What cannot be compared with AWS may have changed there.
#[test]
fn drift_does_not_call_in_sync_what_it_could_not_compare() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("kay.yaml"), KAY).unwrap();
    let known = &[("KAY", "+819012345678")];
    let (code, text) = with(path, known, "apply . --sandbox=aws --yes");
    assert_eq!(code, 0, "{text}");
    let (code, text) = with(path, known, "drift . --sandbox=aws");
    assert_eq!(code, 0, "{text}");
    let (code, text) = run(path, "drift . --sandbox=aws");
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("environment variable `KAY` is not set"),
        "{text}"
    );
}

/// An address is only known once it is read, and AWS would refuse it half-way.
#[test]
fn what_is_read_is_checked_as_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("kay.yaml"), KAY).unwrap();
    for number in [
        "090 1234 5678",
        "+81 90 1234 5678",
        "+819012345678\n+819012345679",
    ] {
        let (code, text) = with(path, &[("KAY", number)], "apply . --sandbox=aws --yes");
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("is no telephone"), "{text}");
        assert!(!text.contains("1234"), "{text}");
    }
    let (code, text) = with(path, &[("KAY", "+819012345678")], "plan . --sandbox=aws");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("+ Contact/kay"), "{text}");
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
