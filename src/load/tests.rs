//! Whole folders, from files to findings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::cli::render::diagnostics::{human, to_json};
use crate::model::spec::Identity;
use crate::model::{Document, Erased, Ref, Sensitive, Spec};

/// Somebody, with an address and friends.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Person {
    /// The name in AWS. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 20), regex(pattern = r"^[a-z0-9-]+$"))]
    name: String,
    #[serde(default)]
    address: Option<Sensitive>,
    #[serde(default)]
    friends: Vec<Ref<Person>>,
    #[serde(default)]
    boss: Option<Ref<Person>>,
    #[serde(default)]
    #[schemars(range(min = 1, max = 30))]
    minutes: Option<u32>,
    #[serde(default)]
    dog: Option<Ref<Dog>>,
    #[serde(default)]
    active: bool,
}

/// A dog with a story.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Dog {
    /// What the dog does.
    content: Document,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Somebody without friends, whose name lives among those of persons.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Robot {
    /// The name in AWS.
    name: String,
}

impl Spec for Robot {
    const KIND: &'static str = "Robot";
    const NAMESPACE: &'static str = Person::KIND;
}

/// There is one sun.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sun {}

impl Spec for Person {
    const KIND: &'static str = "Person";

    fn validate(&self, report: &mut Report) {
        if self.minutes == Some(13) {
            report.error("out-of-range", "/minutes", "13 brings bad luck", "take 12");
        }
        if let Some(Sensitive::Value(text)) = &self.address
            && !text.contains('@')
        {
            report.error(
                "unknown-value",
                "/address",
                format!("{text} is no address"),
                "write one",
            );
        }
    }
}

impl Spec for Dog {
    const KIND: &'static str = "Dog";

    fn validate(&self, report: &mut Report) {
        if let Ok(Some(value)) = self.content.parse()
            && value.get("bark").is_some_and(|bark| !bark.is_string())
        {
            report.error("bad-document", "/content/bark", "a bark is a text", "woof");
        }
    }
}

impl Spec for Sun {
    const KIND: &'static str = "Sun";
    const IDENTITY: Identity = Identity::Singleton;
}

static PERSON: Erased<Person> = Erased::new();
static DOG: Erased<Dog> = Erased::new();
static SUN: Erased<Sun> = Erased::new();

static ROBOT: Erased<Robot> = Erased::new();

fn kinds() -> [&'static dyn AnySpec; 4] {
    [&PERSON, &DOG, &SUN, &ROBOT]
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self) -> Loaded {
        load(&[self.path().to_owned()], &kinds()).unwrap()
    }

    /// Returns what a person sees, with short file names.
    fn seen(&self) -> String {
        let loaded = self.load();
        self.short(&human(&loaded.report, &loaded.sources, false))
    }

    fn short(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.path().display()), "")
    }

    /// Returns `file:line:column code` of every finding.
    fn found(&self) -> Vec<String> {
        let line = |d: &Diagnostic| match &d.place {
            Some(p) => format!("{}:{}:{} {}", p.file, p.line, p.column, d.code),
            None => d.code.clone(),
        };
        self.load()
            .report
            .diagnostics
            .iter()
            .map(|d| self.short(&line(d)))
            .collect()
    }
}

fn person(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: stationbill.dev/v1alpha1\nkind: Person\nmetadata: {{ name: {name} }}\nspec:\n{spec}\n"
    )
}

fn one(text: &str) -> Vec<String> {
    Folder::new(&[("a.yaml", text)]).found()
}

#[test]
fn good_documents_become_canonical_objects() {
    let folder = Folder::new(&[
        (
            "b/people.yml",
            &format!(
                "{}---\n{}",
                person(
                    "kayoko",
                    "  lifecycle: { protect: true }\n  address: { fromEnv: MAIL }"
                ),
                person("ken", "  friends: [{ ref: kayoko }]\n  boss:\n")
            ),
        ),
        (
            "a.json",
            r#"{"apiVersion": "stationbill.dev/v1alpha1", "kind": "Dog", "metadata": {"name": "pochi", "labels": {"a": "b"}}, "spec": {"contentFrom": {"file": "pochi.txt.yaml"}}}"#,
        ),
        ("pochi.txt.yaml", "bark: woof # loud\r\n"),
    ]);
    let loaded = folder.load();
    assert_eq!(loaded.report, Report::default());
    let names: Vec<String> = loaded
        .objects
        .iter()
        .map(|o| o.address.to_string())
        .collect();
    assert_eq!(names, ["Dog/pochi", "Person/kayoko", "Person/ken"]);
    assert_eq!(
        loaded.objects[0].spec["content"]["$document"]["text"],
        "bark: woof # loud\r\n"
    );
    assert_eq!(loaded.objects[0].labels["a"], "b");
    assert_eq!(
        loaded.objects[1].spec,
        json!({"active": false, "address": {"fromEnv": "MAIL"}, "friends": [], "name": "kayoko"})
    );
    assert!(loaded.objects[1].lifecycle.protect);
    assert_eq!(
        loaded.objects[2].spec["friends"],
        json!([{"ref": "Person/kayoko"}])
    );
}

#[test]
fn findings_are_drawn_with_carets() {
    let folder = Folder::new(&[
        (
            "people.yaml",
            &person("kayoko", "  minutes: 31\n  freinds: []\n  dog: pochi"),
        ),
        (
            "team/ken.yaml",
            &person(
                "ken",
                "  friends:\n    - ref: kayokp\n  address: { value: 0312345 }",
            ),
        ),
    ]);
    insta::assert_snapshot!(folder.seen());
}

#[test]
fn personal_values_never_reach_an_output() {
    let mail = "very.secret@example.com";
    for spec in [
        format!("  address: {mail}"),
        format!("  address: {{ value: {mail}, fromEnv: X }}"),
        format!("  address: {{ {mail}: }}"),
        format!("  address: {{ value: [{mail}] }}"),
        "  address: { value: very.secret }".to_owned(),
        "  address:\n    value: |\n      very.secret\n  minutes: 99".to_owned(),
        "  address: { value: very.secret } }".to_owned(),
        "  address: { valeu: very.secret }".to_owned(),
    ] {
        let folder = Folder::new(&[("a.yaml", &person("kayoko", &spec))]);
        let loaded = folder.load();
        let text =
            human(&loaded.report, &loaded.sources, false) + &to_json(&loaded.report).to_string();
        assert!(!loaded.report.is_ok(), "{spec}");
        assert!(
            !text.contains("very") && !text.contains("secret"),
            "{spec}\n{text}"
        );
        assert!(!format!("{loaded:?}").contains("very"), "{spec}");
    }
}

#[test]
fn a_kind_validates_although_the_schema_found_something_else() {
    assert_eq!(
        one(&person("kayoko", "  minutes: 13\n  oops: 1\n  active: yes")),
        [
            "a.yaml:5:12 out-of-range",
            "a.yaml:6:3 unknown-field",
            "a.yaml:7:11 wrong-type",
        ]
    );
}

#[test]
fn envelopes_are_checked() {
    assert_eq!(
        one("kind: Person\nmetadata: { name: A_b, nam: x }\nspec: {}\nspce: 1\n"),
        [
            "a.yaml:1:1 missing-field",
            "a.yaml:2:19 bad-name",
            "a.yaml:2:24 unknown-field",
            "a.yaml:4:1 unknown-field",
        ]
    );
    assert_eq!(
        one("apiVersion: stationbill.dev/v1\nkind: Persn\n"),
        [
            "a.yaml:1:1 missing-field",
            "a.yaml:1:13 unknown-version",
            "a.yaml:2:7 unknown-kind",
        ]
    );
    assert_eq!(
        one(
            "apiVersion: stationbil.dev/v1alpha1\nkind: Person\nmetadata: { name: 12 }\nspec: []\n"
        ),
        [
            "a.yaml:1:13 unknown-version",
            "a.yaml:3:19 wrong-type",
            "a.yaml:4:7 wrong-type",
        ]
    );
    assert_eq!(one("apiVersion: v1\nkind: Service\n"), ["no-documents"]);
    assert_eq!(one("a: 1\n"), ["a.yaml:1:1 not-a-document"]);
    assert_eq!(one("- a\n"), ["a.yaml:1:3 not-a-document"]);
    assert_eq!(one(""), ["no-documents"]);
}

#[test]
fn a_list_holds_documents() {
    let item = person("x", "    minutes: 0").replace('\n', "\n    ");
    let text = format!("apiVersion: v1\nkind: List\nitems:\n  - {item}");
    assert_eq!(one(&text), ["a.yaml:8:18 out-of-range"]);
}

#[test]
fn lifecycle_and_targets_are_checked_for_every_kind() {
    let spec = "  targets: [prod]\n  lifecycle:\n    onDelete: retian\n    protec: true";
    assert_eq!(
        one(&person("x", spec)),
        ["a.yaml:7:15 unknown-value", "a.yaml:8:5 unknown-field"]
    );
    let spec = "  targets: [prod]\n  lifecycle: { ignore: [{ path: /nam, reason: x, until: 2031-02-30 }] }";
    assert_eq!(
        one(&person("x", spec)),
        [
            "a.yaml:5:13 unknown-target",
            "a.yaml:6:33 bad-pointer",
            "a.yaml:6:57 bad-date"
        ]
    );
}

#[test]
fn names_are_checked_across_documents() {
    let folder = Folder::new(&[
        ("a.yaml", &person("x", "  name: same")),
        ("b.yaml", &person("x", "  {}")),
        ("c.yaml", &person("y", "  name: same")),
        (
            "d.yaml",
            "apiVersion: stationbill.dev/v1alpha1\nkind: Sun\nmetadata: { name: a }\nspec: {}\n---\napiVersion: stationbill.dev/v1alpha1\nkind: Sun\nmetadata: { name: b }\nspec: {}\n",
        ),
    ]);
    assert_eq!(
        folder.found(),
        [
            "b.yaml:3:19 duplicate-object",
            "c.yaml:5:9 duplicate-name",
            "d.yaml:8:19 second-singleton"
        ]
    );
}

#[test]
fn dangling_references_say_what_is_there() {
    let folder = Folder::new(&[(
        "a.yaml",
        &person(
            "kayoko",
            "  dog: { ref: kayoko }\n  boss: { ref: kayko }\n  friends: [{ ref: zzz }, { ref: Dog/kayoko }]",
        ),
    )]);
    insta::assert_snapshot!(folder.seen());
}

#[test]
fn circles_are_named_whole_and_once() {
    let folder = Folder::new(&[
        ("a.yaml", &person("a", "  boss: { ref: b }")),
        ("b.yaml", &person("b", "  boss: { ref: c }")),
        (
            "c.yaml",
            &person("c", "  boss: { ref: a }\n  friends: [{ ref: d }]"),
        ),
        ("d.yaml", &person("d", "  boss: { ref: d }")),
        ("e.yaml", &person("e", "  boss: { ref: a }")),
    ]);
    let loaded = folder.load();
    let messages: Vec<_> = loaded
        .report
        .diagnostics
        .iter()
        .map(|d| d.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "`Person/a` → `Person/b` → `Person/c` → `Person/a` is a circle",
            "`Person/d` → `Person/d` is a circle"
        ]
    );
}

#[test]
fn variables_that_stand_for_nothing_are_found() {
    assert_eq!(
        one(&person("x", "  name: a-${target.regoin}")),
        ["a.yaml:5:9 unknown-variable"]
    );
    assert_eq!(
        one(&person("x", "  name: a-${target.region}")),
        Vec::<String>::new()
    );
}

fn dog(spec: &str) -> String {
    person("pochi", spec).replace("Person", "Dog")
}

#[test]
fn an_empty_entry_of_a_map_is_reported_and_an_empty_field_left_out() {
    let spec = "  content: { a: null, b: [~] }\n  tags:\n    a:\n    b: ~\n    c: \"\"";
    assert_eq!(
        one(&dog(spec)),
        ["a.yaml:7:5 wrong-type", "a.yaml:8:8 wrong-type"]
    );
    assert_eq!(one(&person("x", "  minutes:\n  dog: ~")), [""; 0]);
}

#[test]
fn content_comes_from_files_of_the_folder_alone() {
    let outside = Folder::new(&[("secret.yaml", "x: 1")]);
    let folder = Folder::new(&[
        ("d/a.yaml", &dog("  contentFrom: { file: ../story.yaml }")),
        (
            "d/b.yaml",
            &dog("  contentFrom: { file: ../../etc/passwd }").replace("pochi", "b"),
        ),
        (
            "d/c.yaml",
            &dog("  contentFrom: { file: /etc/passwd }").replace("pochi", "c"),
        ),
        (
            "d/d.yaml",
            &dog("  contentFrom: { file: link.yaml }").replace("pochi", "d"),
        ),
        (
            "d/e.yaml",
            &dog("  contentFrom: { file: ../stroy.yaml }").replace("pochi", "e"),
        ),
        (
            "d/f.yaml",
            &dog("  content: {}\n  contentFrom: { file: ../story.yaml }").replace("pochi", "f"),
        ),
        (
            "d/g.yaml",
            &dog("  contentFrom: { configMap: { name: x, key: y } }").replace("pochi", "g"),
        ),
        (
            "d/h.yaml",
            &dog("  contentFrom: story.yaml").replace("pochi", "h"),
        ),
        ("d/i.yaml", &dog("  {}").replace("pochi", "i")),
        ("story.yaml", "mood: good\nbark: 3\nregion: ${target.x}\n"),
    ]);
    std::os::unix::fs::symlink(
        outside.path().join("secret.yaml"),
        folder.path().join("d/link.yaml"),
    )
    .unwrap();
    assert_eq!(
        folder.found(),
        [
            "d/b.yaml:5:24 content-outside",
            "d/c.yaml:5:24 content-outside",
            "d/d.yaml:5:24 content-outside",
            "d/e.yaml:5:24 content-missing",
            "d/f.yaml:6:3 content-twice",
            "d/g.yaml:5:18 content-needs-cluster",
            "d/h.yaml:5:16 wrong-type",
            "d/i.yaml:4:1 missing-field",
            "d/link.yaml:1:1 link-outside",
            "story.yaml:2:7 bad-document",
            "story.yaml:3:9 unknown-variable",
        ]
    );
}

#[test]
fn what_is_wrong_in_an_embedded_document_has_its_own_place() {
    let named = |name: &str, spec: &str| dog(spec).replace("pochi", name);
    let block = "  content: |\n    {\n      \"mood\": \"good\",\n      \"bark\": [1, ]\n    }";
    let twice = "  content: |\n    # a story\n    mood: good\n    bark: x\n    mood: bad";
    let wrapped = "  content: >\n    mood: good\n\n    mood: bad";
    let folder = Folder::new(&[
        ("a.yaml", &dog("  contentFrom: { file: story.txt }")),
        ("b.yaml", &named("b", block)),
        ("c.yaml", &named("c", "  content: '{\"mood\": 1,}'")),
        ("d.yaml", &named("d", twice)),
        ("e.yaml", &named("e", wrapped)),
        (
            "story.txt",
            "{\n  \"mood\": \"good\",\n  \"bark\": [1, ]\n}\n",
        ),
    ]);
    assert_eq!(
        folder.found(),
        [
            "b.yaml:8:19 bad-document",
            "c.yaml:5:24 bad-document",
            "d.yaml:9:5 bad-document",
            "e.yaml:5:3 bad-document",
            "story.txt:3:15 bad-document",
        ]
    );
    let found = folder.load().report.diagnostics;
    assert_eq!(found[0].message, "the JSON cannot be read: trailing comma");
    let first = |finding: &Diagnostic| finding.hint.clone().unwrap();
    assert_eq!(
        [first(&found[2]), first(&found[3])],
        [7, 6].map(|line| format!("the first is in line {line}, column 5: remove one of them"))
    );
    assert!(found[3].message.ends_with("in line 2 of the text"));
}

#[test]
fn a_saved_plan_in_the_folder_is_no_document() {
    let version = r#""apiVersion": "stationbill.dev/v1alpha1", "kind": "Plan""#;
    let folder = Folder::new(&[
        ("a.yaml", &person("x", "  {}")),
        ("plan.json", &format!("{{{version}, \"digest\": \"1f\"}}")),
        ("other.json", &format!("{{{version}, \"spec\": {{}}}}")),
    ]);
    assert_eq!(
        folder.found(),
        [
            "other.json:1:1 missing-field",
            "other.json:1:52 unknown-kind"
        ]
    );
}

#[test]
fn odd_files_do_no_harm() {
    let folder = Folder::new(&[
        (".hidden/a.yaml", "x: 1"),
        ("target/a.yaml", "x: 1"),
        ("node_modules/a.yaml", "x: 1"),
        (".b.yaml", "x: 1"),
        ("package.json", "{\"name\": \"x\"}"),
        ("readme.md", "x"),
        ("a.yaml", &person("x", "  {}")),
    ]);
    fs::write(folder.path().join("z.yaml"), b"ok: 1\nbad: \xff\n").unwrap();
    fs::write(folder.path().join("zz.yaml"), b"a\0b").unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("gone.yaml")).unwrap();
    std::os::unix::fs::symlink("a.yaml", folder.path().join("same.yaml")).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(folder.path().join("pipe.yaml"))
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        folder.found(),
        [
            "gone.yaml:1:1 unreadable",
            "pipe.yaml:1:1 unreadable",
            "z.yaml:2:6 not-text",
            "zz.yaml:1:2 not-text"
        ]
    );
    assert!(matches!(
        load(&[folder.path().join("pipe.yaml")], &kinds()),
        Err(LoadError::NotAFile { .. })
    ));
    assert!(matches!(
        load(&[folder.path().join("none")], &kinds()),
        Err(LoadError::Missing { .. })
    ));
    let file = load(&[folder.path().join("a.yaml")], &kinds()).unwrap();
    assert_eq!(file.objects.len(), 1);
}

#[test]
fn a_huge_file_is_refused() {
    let folder = Folder::new(&[]);
    let file = fs::File::create(folder.path().join("a.yaml")).unwrap();
    file.set_len(files::MAX_BYTES + 1).unwrap();
    assert_eq!(folder.found(), ["a.yaml:1:1 too-large"]);
}

#[test]
fn a_broken_document_leaves_its_neighbours_alone() {
    let text = format!(
        "{}---\na: [\n---\n{}",
        person("x", "  minutes: 0"),
        person("y", "  minutes: 0")
    );
    assert_eq!(
        one(&text),
        [
            "a.yaml:5:12 out-of-range",
            "a.yaml:7:4 yaml-syntax",
            "a.yaml:13:12 out-of-range"
        ]
    );
}

#[test]
fn the_stack_is_read() {
    let stack = "apiVersion: stationbill.dev/v1alpha1\nkind: Stack\nmetadata: { name: shop }\nspec: { prune: true, limits: { deletes: 3 }, interval: 1h30m, source: { git: { url: x, ref: main } } }\n";
    let loaded = Folder::new(&[("a.yaml", stack)]).load();
    assert_eq!(loaded.report, Report::default());
    let stack_read = loaded.stack.unwrap();
    assert_eq!(
        (
            stack_read.name.as_str(),
            stack_read.prune,
            stack_read.limits.deletes
        ),
        ("shop", true, Some(3))
    );
    assert_eq!(
        stack_read.interval,
        Some(std::time::Duration::from_mins(90))
    );
    assert_eq!(
        one(&format!("{stack}---\n{}", stack.replace("shop", "two"))),
        ["a.yaml:8:19 second-stack"]
    );
    assert_eq!(
        one(&stack.replace("1h30m", "often")),
        ["a.yaml:4:56 bad-duration"]
    );
    assert_eq!(
        one(&stack.replace("prune: true", "prune: yes, targets: [x]")),
        ["a.yaml:4:16 wrong-type", "a.yaml:4:31 unknown-target"]
    );
}

#[test]
fn quoting_hints_show_what_was_written() {
    let text = person("x", "  name: 1.0");
    let loaded = Folder::new(&[("a.yaml", &text)]).load();
    assert_eq!(
        loaded.report.diagnostics[0].hint.as_deref(),
        Some("quote it: `\"1.0\"`")
    );
    let folder = Folder::new(&[("a.yaml", &person("x", "  active: yes"))]);
    assert_eq!(
        folder.load().report.diagnostics[0].hint.as_deref(),
        Some("write `true`, without quotes")
    );
}

#[test]
fn thousands_of_mistakes_are_found_in_seconds() {
    let text: String = (0..3000)
        .map(|n| {
            person(
                &format!("p{n}"),
                &format!("  boss: {{ ref: q{n} }}\n  x: 1"),
            ) + "---\n"
        })
        .collect();
    let began = std::time::Instant::now();
    assert_eq!(
        Folder::new(&[("a.yaml", &text)])
            .seen()
            .matches("error[")
            .count(),
        6000
    );
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn objects_that_share_a_namespace_in_aws_are_told_apart() {
    let folder = Folder::new(&[
        ("a.yaml", &person("same", "  {}")),
        ("b.yaml", &person("same", "  {}").replace("Person", "Robot")),
    ]);
    assert_eq!(folder.found(), ["b.yaml:3:19 duplicate-name"]);
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let folder = Folder::new(&[
        ("a.yaml", &person("x", "  oops: 1\n  more: 2")),
        ("b.yaml", &person("x", "  boss: { ref: q }")),
    ]);
    assert_eq!(folder.seen(), folder.seen());
}

fn check_bytes(bytes: &[u8]) {
    let folder = Folder::new(&[]);
    fs::write(folder.path().join("a.yaml"), bytes).unwrap();
    let loaded = folder.load();
    human(&loaded.report, &loaded.sources, true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_bytes(&bytes);
    }

    #[test]
    fn no_yaml_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ", ", "&x ", "*x", "<<: ", "|\n", ">-\n", "'", "\"", "#", "---\n", "...\n",
        "? ", "!t ", "!!str ", "~", "1.0", "é", "\t", "\r\n", "%YAML 1.2\n", "apiVersion: stationbill.dev/v1alpha1\n", "kind: Person\n",
        "metadata: { name: x }\n", "spec:\n", "  name: y\n", "  address: ", "  friends: ", "ref: ", "contentFrom: ", "${target.", "\u{feff}",
    ]), 0..40)) {
        check_bytes(parts.concat().as_bytes());
    }

    /// Takes a good document, and cuts or doubles a piece of it.
    #[test]
    fn no_mutilated_document_panics(from in 0usize..200, length in 0usize..40, double in any::<bool>()) {
        let text = person("kayoko", "  friends:\n    - ref: \"x\"\n  address: { value: a@b.c }\n  lifecycle: { ignore: [{ path: /name, reason: r }] }");
        let mut bytes = text.into_bytes();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        let piece: Vec<u8> = bytes[from..to].to_vec();
        if double {
            bytes.splice(from..from, piece);
        } else {
            bytes.drain(from..to);
        }
        check_bytes(&bytes);
    }
}
