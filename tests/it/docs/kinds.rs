//! `docs/kinds.md`: every kind and field, from the kinds' structs.

use std::fmt::Write as _;

use serde_json::Value;
use stationbill::kinds::{AnyKind, KINDS};
use stationbill::load::{StackSpec, TargetSpec};
use stationbill::model::spec::{Identity, schema_of};
use stationbill::model::{AnySpec, lifecycle::Lifecycle};

use super::{GENERATED, cell, unwrapped};

const COMMON: &str = include_str!("kinds.md");

/// Writes the page.
pub(crate) fn page() -> String {
    let mut page = format!("{GENERATED}\n\n{COMMON}\n### Fields of `lifecycle`\n\n");
    table(&mut page, &schema_of::<Lifecycle>(), &[]);
    for (name, schema) in [
        ("Stack", schema_of::<StackSpec>()),
        ("Target", schema_of::<TargetSpec>()),
    ] {
        let about = schema["description"].as_str().unwrap();
        writeln!(page, "\n## {name}\n\n{}", unwrapped(about)).unwrap();
        table(&mut page, &schema, &[]);
    }
    for kind in KINDS {
        section(&mut page, *kind);
    }
    page
}

fn section(page: &mut String, kind: &dyn AnyKind) {
    let schema = kind.schema();
    let about = schema["description"].as_str().unwrap();
    writeln!(page, "\n## {}\n\n{}", kind.kind(), unwrapped(about)).unwrap();
    writeln!(page, "{}\n", facts(kind)).unwrap();
    table(page, &schema, kind.create_only());
}

/// What the planner knows of a kind besides its fields.
fn facts(kind: &dyn AnySpec) -> String {
    let found = match kind.identity() {
        Identity::UniqueName => "by its name, which AWS keeps unique in an account and region",
        Identity::SharedName => "by its stamp; AWS allows several of one name",
        Identity::Singleton => "as the only one there can be",
    };
    let gone = match (kind.never_deleted(), kind.loses()) {
        (Some(why), _) => format!("Never deleted: {why}."),
        (None, Some(lost)) => {
            format!("`onDelete` is `retain` unless it says otherwise; deleting loses {lost}.")
        }
        (None, None) => "`onDelete` is `delete` unless it says otherwise.".to_owned(),
    };
    let once = if kind.per_account() {
        " AWS keeps it once for an account: of several regions of a [Target](#target) the first keeps it."
    } else {
        ""
    };
    format!("An object is found {found}.{once} {gone}")
}

fn table(page: &mut String, schema: &Value, create_only: &[&str]) {
    page.push_str("| Field | Type | | Meaning |\n|---|---|---|---|\n");
    rows(page, schema, "", create_only);
}

fn rows(page: &mut String, schema: &Value, at: &str, create_only: &[&str]) {
    let required = |name: &str| {
        let list = schema["required"].as_array();
        // `metadata.name` stands in for `name`.
        list.is_some_and(|list| list.iter().any(|r| r == name))
            && !(at.is_empty() && name == "name")
    };
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{at}{name}");
        let fixed = create_only.contains(&format!("/{path}").as_str());
        let note = match (&field["default"], required(name)) {
            (Value::Null, true) => "required".to_owned(),
            (Value::Null, false) => String::new(),
            (default, _) => format!("default `{}`", default.to_string().trim_matches('"')),
        };
        let note = match (note.is_empty(), fixed) {
            (_, false) => note,
            (true, true) => "replaces".to_owned(),
            (false, true) => format!("{note}, replaces"),
        };
        writeln!(
            page,
            "| `{path}` | {} | {note} | {} |",
            cell(&type_of(field)),
            cell(&meaning(field))
        )
        .unwrap();
        nested(page, field, &path);
    }
}

/// Goes into lists, maps and objects, but not into what has a section of its own.
fn nested(page: &mut String, field: &Value, path: &str) {
    let field = present(field);
    if ["ref", "sensitive", "document"]
        .iter()
        .any(|mark| has(field, mark))
    {
        return;
    }
    if field["properties"].is_object() {
        rows(page, field, &format!("{path}."), &[]);
    }
    if field["items"].is_object() {
        nested(page, &field["items"], &format!("{path}[]"));
    }
    if field["additionalProperties"].is_object() {
        nested(page, &field["additionalProperties"], &format!("{path}.*"));
    }
}

fn has(field: &Value, mark: &str) -> bool {
    field.get(format!("x-stationbill-{mark}")).is_some()
}

/// Looks through the form that a schema gives to what may be left out.
fn present(field: &Value) -> &Value {
    let any = field["anyOf"].as_array();
    any.and_then(|any| {
        any.iter()
            .find(|one| one["enum"] != serde_json::json!([null]))
    })
    .unwrap_or(field)
}

fn type_of(field: &Value) -> String {
    let field = present(field);
    if let Some(kind) = field["x-stationbill-ref"].as_str() {
        return format!(
            "[reference](#references) to [{kind}](#{})",
            kind.to_lowercase()
        );
    }
    if has(field, "sensitive") {
        return "[personal value](#personal-values)".to_owned();
    }
    if has(field, "document") {
        return "[embedded document](#embedded-documents)".to_owned();
    }
    if !words(field).is_empty() {
        return "one of".to_owned();
    }
    match field["type"].as_str() {
        Some("array") => {
            let what = if field["uniqueItems"] == true {
                "set"
            } else {
                "list"
            };
            format!("{what} of {}", plural(&type_of(&field["items"])))
        }
        Some("object") if field["additionalProperties"].is_object() => {
            format!(
                "map of {}",
                plural(&type_of(&field["additionalProperties"]))
            )
        }
        Some("string") if field["format"] == "date-time" => "time".to_owned(),
        Some("string") => "text".to_owned(),
        Some(other) => other.to_owned(),
        None => "anything".to_owned(),
    }
}

fn plural(what: &str) -> String {
    match what {
        "text" | "object" | "integer" | "time" => format!("{what}s"),
        "one of" => "words".to_owned(),
        other => other.to_owned(),
    }
}

/// The words a field allows, each with what it means.
fn words(field: &Value) -> Vec<(String, &str)> {
    let field = present(field);
    let one = |schema: &Value| {
        let list = schema["enum"].as_array().cloned().unwrap_or_default();
        let words = list.iter().filter_map(Value::as_str);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all: Vec<(String, &str)> = one(field).into_iter().map(|word| (word, "")).collect();
    for variant in field["oneOf"].as_array().into_iter().flatten() {
        let about = variant["description"].as_str().unwrap_or_default();
        all.extend(one(variant).into_iter().map(|word| (word, about)));
    }
    all
}

/// The description, the words it allows, and the limits that AWS sets.
fn meaning(field: &Value) -> String {
    let mut parts = vec![field["description"].as_str().unwrap_or_default().to_owned()];
    let item = match (&field["items"], &field["additionalProperties"]) {
        (Value::Object(_), _) => &field["items"],
        (_, Value::Object(_)) => &field["additionalProperties"],
        _ => field,
    };
    let words: Vec<String> = words(item)
        .into_iter()
        .map(|(word, about)| match about.trim_end_matches('.') {
            "" => format!("`{word}`"),
            about => format!("`{word}` ({about})"),
        })
        .collect();
    if !words.is_empty() {
        parts.push(format!("{}.", words.join(", ")));
    }
    let field = present(field);
    let mut limits = vec![
        range(field, "minItems", "maxItems", "entries"),
        range(field, "minProperties", "maxProperties", "entries"),
        range(field, "minLength", "maxLength", "characters"),
        range(field, "minimum", "maximum", ""),
    ];
    limits.push(field["pattern"].as_str().map(|p| format!("`{p}`")));
    if !std::ptr::eq(item, field) && item["type"] == "string" {
        let each = [
            range(item, "minLength", "maxLength", "characters"),
            item["pattern"].as_str().map(|p| format!("`{p}`")),
        ];
        limits.extend(each.map(|limit| limit.map(|limit| format!("each {limit}"))));
    }
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if !limits.is_empty() && !has(field, "ref") {
        parts.push(format!("({})", limits.join("; ")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn range(field: &Value, low: &str, high: &str, unit: &str) -> Option<String> {
    let number = |key: &str| field[key].as_f64();
    let text = match (number(low), number(high)) {
        (None, None) => return None,
        (Some(low), Some(high)) if low.total_cmp(&high).is_eq() => format!("exactly {low}"),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
    };
    Some(format!("{text} {unit}").trim_end().to_owned())
}
