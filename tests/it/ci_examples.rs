//! The workflows in `examples/ci/` can be read by their CI systems, and use only what the program has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stationbill::cli;

fn examples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        (name, serde_yaml::from_str(&text).unwrap())
    };
    paths.into_iter().map(read).collect()
}

/// Every script of a workflow: the steps of GitHub's jobs, and GitLab's lists.
fn scripts(value: &Value, found: &mut Vec<String>) {
    if let Value::Object(map) = value {
        for key in ["run", "script", "before_script"] {
            match map.get(key) {
                Some(Value::String(text)) => found.push(text.clone()),
                Some(Value::Array(lines)) => {
                    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                    found.push(lines.join("\n"));
                }
                _ => {}
            }
        }
        for member in map.values() {
            scripts(member, found);
        }
    } else if let Value::Array(list) = value {
        for member in list {
            scripts(member, found);
        }
    }
}

/// The words of each call of the program in a script, up to where its output goes.
fn calls(script: &str) -> Vec<Vec<String>> {
    let whole = script.replace("\\\n", " ");
    let lines = whole.lines().map(str::trim);
    let calls = lines.filter(|line| line.starts_with("stationbill "));
    calls
        .map(|line| {
            let end = line.find(['>', '|', ';']).unwrap_or(line.len());
            let words = line[..end].split_whitespace();
            words
                .map(|word| word.trim_matches('"').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn they_call_the_program_as_it_is() {
    let mut seen = Vec::new();
    for (name, workflow) in examples() {
        let mut found = Vec::new();
        scripts(&workflow, &mut found);
        for words in found.iter().flat_map(|script| calls(script)) {
            let parsed = cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{name}: {words:?}: {}", parsed.unwrap_err());
            seen.push(format!("{name} {}", words[1]));
        }
    }
    for wanted in ["validate", "plan", "apply", "drift"] {
        for name in ["github-actions.yaml", "gitlab-ci.yaml"] {
            assert!(
                seen.contains(&format!("{name} {wanted}")),
                "{name}: {wanted}: {seen:?}"
            );
        }
    }
}

/// What a shell cannot read fails on the CI system alone, weeks later.
#[test]
fn a_shell_can_read_every_script() {
    for (name, workflow) in examples() {
        let mut found = Vec::new();
        scripts(&workflow, &mut found);
        assert!(found.len() >= 4, "{name}");
        for script in found {
            let checked = Command::new("bash")
                .args(["-n", "-c", &script])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&checked.stderr);
            assert!(checked.status.success(), "{name}: {said}\n{script}");
        }
    }
}

/// Only the job that applies gets the role that may write, and only it runs on the main branch.
#[test]
fn a_pull_request_gets_no_right_to_write() {
    for (name, workflow) in examples() {
        let jobs = workflow.get("jobs").unwrap_or(&workflow);
        for (job, content) in jobs.as_object().unwrap() {
            let text = content.to_string();
            let writes = text.contains("APPLY_ROLE");
            assert_eq!(writes, job == "apply", "{name}: {job}");
            if job == "apply" {
                assert!(text.contains("--plan-hash"), "{name}");
                let main = text.contains("CI_DEFAULT_BRANCH") || text.contains("== 'push'");
                assert!(main, "{name}");
            }
        }
    }
    let (_, github) = examples()
        .into_iter()
        .find(|(name, _)| name.starts_with("github"))
        .unwrap();
    assert_eq!(github["permissions"], serde_json::json!({}));
    // `on` is a word that YAML 1.1 takes for a truth; GitHub does not.
    let events = github.get("on").or_else(|| github.get("true")).unwrap();
    assert_eq!(events["push"]["branches"], serde_json::json!(["main"]));
}

/// A saved plan is told from any other by the hash that stands in the comment.
#[test]
fn the_hash_of_the_comment_is_the_one_that_apply_takes() {
    let folder = tempfile::tempdir().unwrap();
    let document = "apiVersion: stationbill.dev/v1alpha1\nkind: Dashboard\nmetadata: { name: one }\nspec: { body: { widgets: [] } }\n";
    fs::create_dir(folder.path().join("operations")).unwrap();
    fs::write(folder.path().join("operations/one.yaml"), document).unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_stationbill"))
            .args(args)
            .args(["--sandbox=.sandbox", "--output", "markdown"])
            .current_dir(folder.path())
            .env("AWS_REGION", "eu-west-1")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, comment, said) = run(&["plan", "--out", "plan.json", "operations"]);
    assert_eq!(code, Some(0), "{said}");
    let found = fancy_regex::Regex::new("plan `([0-9a-f]{64})`").unwrap();
    let found = found.captures(&comment).unwrap().unwrap();
    let hash = found.get(1).unwrap().as_str().to_owned();
    let other = hash.replace(|c: char| c.is_ascii_digit(), "a");
    let apply = |hash: &str| {
        run(&[
            "apply",
            "plan.json",
            "operations",
            "--plan-hash",
            hash,
            "--yes",
        ])
    };
    for wrong in [&other, &hash[..8], ""] {
        let (code, answer, said) = apply(wrong);
        assert_eq!((code, answer.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains("not the one that was asked for"), "{said}");
    }
    let (code, answer, said) = apply(&hash);
    assert_eq!(code, Some(0), "{said}");
    assert!(answer.contains("1 done"), "{answer}");
    let (code, _, said) = run(&["apply", "operations", "--plan-hash", &hash, "--yes"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("there is none"), "{said}");
}
