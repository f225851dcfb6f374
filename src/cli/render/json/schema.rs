//! The published schema of the plan format.

use serde_json::{Value, json};

use super::VERSION;
use crate::model::plan::{Action, Because};

/// Returns the JSON Schema of what `plan`, `drift` and `apply` answer with `--output json`.
pub fn plan_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://stationbill.dev/schemas/v1/plan.json",
        "title": "Plan",
        "description": "What `plan`, `drift` and `apply` answer with `--output json`. Members may be added within a version; readers ignore those that they do not know.",
        "type": "object",
        "required": ["version", "complete", "summary", "changes"],
        "properties": {
            "version": { "description": "The version of this format.", "const": VERSION },
            "complete": { "description": "Whether everything could be read: no change is `unknown`.", "type": "boolean" },
            "summary": summary(),
            "changes": {
                "description": "Every object that is not as declared: by place, then kind, then name. Unchanged objects are counted and not listed.",
                "type": "array",
                "items": { "$ref": "#/$defs/change" },
            },
            "stack": { "description": "The stack.", "type": "string" },
            "orphans": notes("Objects of the stack that no document declares, left alone because nobody asked to prune."),
            "retained": notes("Objects of the stack that would be deleted, and are kept because of their lifecycle."),
            "notes": notes("Warnings about objects that need no change."),
            "applied": {
                "description": "Only of `apply` and `destroy`: how many changes ended how.",
                "type": "object",
                "required": ["done", "failed", "skipped", "interrupted"],
                "properties": {
                    "done": count("Made, and read back."),
                    "failed": count("Failed; nothing or a part of it was done."),
                    "skipped": count("Not tried."),
                    "interrupted": { "description": "Whether somebody interrupted the run.", "type": "boolean" },
                },
            },
        },
        "$defs": { "change": change(), "note": note() },
    })
}

fn summary() -> Value {
    let words: Vec<&str> = Action::ALL
        .into_iter()
        .map(Action::word)
        .chain(["unchanged"])
        .collect();
    let counts: serde_json::Map<String, Value> = words
        .iter()
        .map(|word| {
            (
                (*word).to_owned(),
                json!({ "type": "integer", "minimum": 0 }),
            )
        })
        .collect();
    json!({
        "description": "How many objects there are of each action.",
        "type": "object",
        "required": words,
        "properties": counts,
    })
}

fn change() -> Value {
    let actions = Action::ALL.map(Action::word);
    let because = [Because::Pending, Because::Drift, Because::Missing].map(Because::word);
    json!({
        "description": "One object at one place.",
        "type": "object",
        "required": ["object", "account", "region", "action", "because", "differences", "reason"],
        "properties": {
            "object": object(),
            "account": account(),
            "region": { "description": "The region.", "type": "string" },
            "action": { "description": "What is to be done with it.", "enum": actions },
            "because": {
                "description": "Why it differs: the document changed, AWS changed, or it is declared and not there.",
                "type": "array",
                "items": { "enum": because },
            },
            "differences": {
                "description": "Every difference.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["path", "old", "new"],
                    "properties": {
                        "path": { "description": "JSON Pointer into the spec.", "type": "string" },
                        "old": { "description": "What AWS has; null where it has nothing. Personal values are masked, and a document is its text." },
                        "new": { "description": "What is declared; null where nothing is." },
                    },
                },
            },
            "reason": text("What a person should know: which field forces a replacement, who owns it, why it could not be read."),
            "held": text("Why `apply` would leave it alone although it is no error."),
            "outcome": {
                "description": "Only of `apply` and `destroy`: how it ended.",
                "enum": ["done", "failed", "skipped", "left"],
            },
            "error": text("Only of `apply` and `destroy`: why it failed or was not tried."),
        },
    })
}

fn note() -> Value {
    json!({
        "description": "Something about one object that is no change.",
        "type": "object",
        "required": ["object", "account", "region", "text"],
        "properties": {
            "object": object(),
            "account": account(),
            "region": { "description": "The region.", "type": "string" },
            "text": { "description": "What there is to say.", "type": "string" },
        },
    })
}

fn object() -> Value {
    json!({ "description": "`Kind/name`.", "type": "string", "pattern": "^[^/]+/.+$" })
}

fn account() -> Value {
    json!({ "description": "The account: twelve digits.", "type": "string" })
}

fn notes(description: &str) -> Value {
    json!({ "description": description, "type": "array", "items": { "$ref": "#/$defs/note" } })
}

fn count(description: &str) -> Value {
    json!({ "description": description, "type": "integer", "minimum": 0 })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": ["string", "null"] })
}
