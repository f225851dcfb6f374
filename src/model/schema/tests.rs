//! One kind that has every shape, and one mistake after the other.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::model::{AnySpec, Document, Erased, Ref, Sensitive, Spec};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Thing {
    /// The name in AWS. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 8), regex(pattern = r"^[a-z0-9-]+$"))]
    name: String,
    #[serde(default)]
    #[schemars(range(min = 1, max = 30))]
    minutes: Option<u32>,
    /// The colour.
    #[serde(default)]
    color: Option<Color>,
    friend: Option<Ref<Thing>>,
    /// Where to call.
    address: Option<Sensitive>,
    #[serde(default)]
    #[schemars(length(min = 1, max = 2))]
    stages: Vec<Stage>,
    #[serde(default)]
    recurrence: Option<Recurrence>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    tags: BTreeSet<String>,
    body: Option<Document>,
    flag: Option<bool>,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Color {
    /// Like a rose.
    Red,
    /// Like grass.
    Green,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stage {
    duration_minutes: u32,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Recurrence {
    /// Every day.
    Daily { times: Vec<String> },
    /// Every week.
    Weekly { day: String },
    /// Not at all.
    Never,
}

impl Spec for Thing {
    const KIND: &'static str = "Thing";
}

fn schema() -> Schema {
    Schema::compile(&Erased::<Thing>::new().schema(), &["targets", "lifecycle"])
}

/// Returns `code at: message (hint)` of everything found.
fn found(value: &Value) -> Vec<String> {
    schema()
        .walk(value)
        .violations
        .into_iter()
        .map(|v| {
            format!(
                "{} {}: {} ({})",
                v.code,
                v.at,
                v.message,
                v.hint.unwrap_or_default()
            )
        })
        .collect()
}

fn one(mut value: Value) -> String {
    if value.get("name").is_none() {
        value["name"] = json!("x");
    }
    let found = found(&value);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn what_is_right_is_not_reported() {
    let value = json!({
        "name": "x", "minutes": 3, "color": "RED", "friend": {"ref": "y"},
        "address": {"fromEnv": "X"}, "stages": [{"durationMinutes": 5}],
        "recurrence": {"weekly": {"day": "MON"}}, "labels": {"a": "b"}, "tags": ["a"],
        "body": {"anything": [null]}, "flag": true,
    });
    assert_eq!(found(&value), Vec::<String>::new());
    assert!(Erased::<Thing>::new().parse(&value).is_ok());
    assert_eq!(
        found(&json!({"name": "x", "minutes": null, "recurrence": "never"})),
        Vec::<String>::new()
    );
}

#[test]
fn an_empty_entry_of_a_map_is_not_left_out() {
    assert_eq!(
        one(json!({"labels": {"a": null, "b": "x"}})),
        "wrong-type /labels/a: `a` is empty (write its value, or remove the line)"
    );
    let body = json!({"name": "x", "body": {"a": null}});
    assert_eq!(found(&body), Vec::<String>::new());
    let mut value = json!({"labels": {"a": null}, "body": {"a": null}, "minutes": null});
    schema().fill(&mut value, &mut |_| None);
    assert_eq!(value, json!({"labels": {"a": null}, "body": {"a": null}}));
}

#[test]
fn a_misspelt_field_is_named_with_the_right_one() {
    assert_eq!(
        one(json!({"stages": [{"durationMinutes": 1, "nota": "x"}]})),
        "unknown-field /stages/0/nota: unknown field `nota` (did you mean `note`?)"
    );
    assert_eq!(
        one(json!({"lifecycl": {}})),
        "unknown-field /lifecycl: unknown field `lifecycl` (did you mean `lifecycle`?)"
    );
    assert_eq!(
        one(json!({"bodyFro": {}})),
        "unknown-field /bodyFro: unknown field `bodyFro` (did you mean `bodyFrom`?)"
    );
    assert!(
        one(json!({"stages": [{"durationMinutes": 1, "zzz": "x"}]}))
            .ends_with("(the fields here are `durationMinutes`, `note`)")
    );
}

#[test]
fn a_missing_field_says_what_it_is() {
    assert_eq!(
        found(&json!({})),
        ["missing-field : `name` is missing in `spec` (add `name: …`: The name in AWS)"]
    );
    assert_eq!(
        one(json!({"stages": [{}]})),
        "missing-field /stages/0: `durationMinutes` is missing in item 1 of `stages` (add `durationMinutes: …`)"
    );
}

#[test]
fn wrong_types_come_with_a_cure() {
    assert_eq!(
        one(json!({"name": 12})),
        "wrong-type /name: `name` wants a text, found `12` (quote it: `\"12\"`)"
    );
    assert_eq!(
        one(json!({"flag": "yes"})),
        "wrong-type /flag: `flag` wants `true` or `false`, found a text (write `true`, without quotes)"
    );
    assert_eq!(
        one(json!({"minutes": "5"})),
        "wrong-type /minutes: `minutes` wants a whole number, found a text (write the number without quotes)"
    );
    for (text, hint) in [
        (
            "05",
            "digits behind a zero are a text: write the number without leading zeros",
        ),
        (
            "-00",
            "digits behind a zero are a text: write the number without leading zeros",
        ),
        ("1e400", "the number is too large: write one nearer to zero"),
        (
            "99999999999999999999",
            "the number is too large: write one nearer to zero",
        ),
        ("+0.5", "write the number without quotes"),
        ("nan", ""),
    ] {
        let found = one(json!({ "minutes": text }));
        assert!(
            found.ends_with(&format!("found a text ({hint})")),
            "{found}"
        );
    }
    assert_eq!(
        one(json!({"minutes": 1.5})),
        "wrong-type /minutes: `minutes` wants a whole number, found `1.5` ()"
    );
    assert_eq!(
        one(json!({"friend": "kayoko"})),
        "wrong-type /friend: `friend` wants a map, found a text (write `{ ref: kayoko }`)"
    );
    assert!(
        one(json!({"stages": {"durationMinutes": 1}}))
            .starts_with("wrong-type /stages: `stages` wants a list, found a map (write a list")
    );
    assert_eq!(
        one(json!({"recurrence": "daily"})),
        "wrong-type /recurrence: `recurrence` wants a map or a text, found a text (write `{ daily: … }`)"
    );
    assert!(one(json!({"body": [1]})).starts_with(
        "wrong-type /body: `body` wants a map, or a text that holds one, found a list"
    ));
}

#[test]
fn values_are_checked_against_their_rules() {
    assert_eq!(
        one(json!({"color": "red"})),
        "unknown-value /color: `color` cannot be `red` (did you mean `RED`? The values are `RED`, `GREEN`)"
    );
    assert_eq!(
        one(json!({"minutes": 31})),
        "out-of-range /minutes: `minutes` is 31, allowed is from 1 to 30 ()"
    );
    assert_eq!(
        one(json!({"stages": [{"durationMinutes": -1}]})),
        "out-of-range /stages/0/durationMinutes: `durationMinutes` is -1, allowed is from 0 to 4294967295 ()"
    );
    assert_eq!(
        one(json!({"name": ""})),
        "too-short /name: `name` is empty (what belongs here: The name in AWS)"
    );
    assert_eq!(
        one(json!({"name": "abcdefghij"})),
        "too-long /name: `name` has 10 characters, at most 8 are allowed (shorten it by 2 characters)"
    );
    assert_eq!(
        one(json!({"name": "A b"})),
        "pattern-mismatch /name: `name` is `A b`, which does not match `^[a-z0-9-]+$` (use only lower-case letters, digits and `-`)"
    );
    assert_eq!(
        one(json!({"stages": []})),
        "wrong-count /stages: `stages` is empty, at least 1 is wanted ()"
    );
    assert_eq!(
        one(json!({"tags": ["a", "b", "a"]})),
        "duplicate-item /tags/2: item 3 of `tags` is the same as item 1 (remove one of them: the order does not matter here)"
    );
}

#[test]
fn exactly_one_of_several_keys_is_wanted() {
    assert_eq!(
        one(json!({"friend": {"ref": "x", "arn": "y"}})),
        "one-of /friend: `friend` has `ref`, `arn` at once (keep exactly one of them)"
    );
    assert_eq!(
        one(json!({"friend": {}})),
        "one-of /friend: `friend` has none of `ref`, `arn` (write exactly one of them)"
    );
    assert_eq!(
        one(json!({"recurrence": {"daily": {"times": []}, "weekly": {"day": "x"}}})),
        "one-of /recurrence: `recurrence` has `daily`, `weekly` at once (keep exactly one of them)"
    );
    assert_eq!(
        one(json!({"recurrence": {"dayly": {"times": []}}})),
        "unknown-field /recurrence/dayly: unknown field `dayly` (did you mean `daily`?)"
    );
}

#[test]
fn personal_values_are_found_and_never_shown() {
    for address in [
        json!("kayoko@example.com"),
        json!({"kayoko@example.com": null}),
        json!({"value": 819_012_345_612_u64}),
        json!(819_012_345_612_u64),
    ] {
        let findings = schema().walk(&json!({"name": "x", "address": address}));
        assert_eq!(findings.sensitive, ["/address"]);
        let text = format!("{:?}", findings.violations);
        assert_eq!(findings.violations.len(), 1, "{text}");
        assert!(!text.contains("kayoko") && !text.contains("8190"), "{text}");
    }
}

#[test]
fn references_are_found_where_they_stand() {
    let findings = schema().walk(&json!({"name": "x", "friend": {"ref": "kayoko"}}));
    let found = Found {
        at: "/friend/ref".into(),
        kind: "Thing".into(),
        name: "kayoko".into(),
    };
    assert_eq!(findings.references, [found]);
    assert_eq!(
        one(json!({"friend": {"ref": "Contact/kayoko"}})),
        "wrong-ref /friend/ref: a Thing is wanted here, not a Contact (a reference is written `{ ref: name }`, with the `metadata.name` of a Thing)"
    );
}

#[test]
fn what_may_be_a_reference_is_one_of_the_first_kind_unless_it_says() {
    let schema = Schema::compile(
        &json!({"type": "object", "properties": {"document": {"type": "object",
            "properties": {"ref": {"type": "string"}, "name": {"type": "string"}},
            "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
            "x-stationbill-may-ref": ["Document", "Runbook"]}}}),
        &[],
    );
    let found = |document: Value| {
        let findings = schema.walk(&json!({ "document": document }));
        let named = findings.references.into_iter();
        let named = named.map(|found| format!("{}/{}", found.kind, found.name));
        let wrong = findings.violations.into_iter().map(|v| v.message);
        named.chain(wrong).collect::<Vec<_>>()
    };
    assert_eq!(found(json!({"ref": "a"})), ["Document/a"]);
    assert_eq!(found(json!({"ref": "Runbook/a"})), ["Runbook/a"]);
    assert_eq!(found(json!({"name": "AWS-X"})), [""; 0]);
    assert_eq!(
        found(json!({"ref": "Contact/a"})),
        ["a Document or Runbook is wanted here, not a Contact"]
    );
}

#[test]
fn several_mistakes_are_several_findings() {
    assert_eq!(
        found(&json!({"name": "A", "minutes": 99, "x": 1, "stages": [{"y": 2}, 3]})).len(),
        6
    );
}

#[test]
fn files_fill_documents_and_nulls_go_away() {
    let mut value = json!({"name": "x", "bodyFrom": {"file": "a.yaml"}, "flag": null, "stages": [{"note": null, "durationMinutes": 1}]});
    let mut seen = Vec::new();
    schema().fill(&mut value, &mut |slot| {
        seen.push(format!(
            "{} {} {} {}",
            slot.at, slot.content, slot.field, slot.both
        ));
        Some("text".to_owned())
    });
    assert_eq!(seen, ["/bodyFrom /body body false"]);
    assert_eq!(
        value,
        json!({"name": "x", "body": "text", "stages": [{"durationMinutes": 1}]})
    );
}

#[test]
fn pointers_can_be_asked_for() {
    let schema = schema();
    assert!(
        schema.knows("/stages/*/note") && schema.knows("/body/x/y") && schema.knows("/labels/a")
    );
    assert!(!schema.knows("/stage") && !schema.knows("/name/x"));
    assert!(schema.requires_text("name") && !schema.requires_text("minutes"));
}
