//! `schema`: print the JSON Schema of documents or of plans.

use clap::Args;
use serde_json::{Value, json};

use super::context::{self, Context};
use super::exit::Exit;
use super::render::json::plan_schema;
use super::validate::pretty;
use crate::kinds::KINDS;
use crate::load::{API_VERSION, StackSpec, TargetSpec};
use crate::model::lifecycle::Lifecycle;
use crate::model::spec::schema_of;
use crate::model::{AnySpec, Spec, document, substitute};

/// Print the JSON Schema of documents or of plans
///
/// Without WHAT the schema of every document, for an editor's completion; with a kind the schema of that kind; with
/// `plan` the schema of `--output json`.
#[derive(Debug, Args)]
pub struct Schema {
    /// A kind, `Stack`, `Target`, or `plan`
    what: Option<String>,
}

impl Schema {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let schema = match self.what.as_deref() {
            Some("plan") => plan_schema(),
            Some(StackSpec::KIND) => headed(own::<StackSpec>()),
            Some(TargetSpec::KIND) => headed(own::<TargetSpec>()),
            Some(name) => headed(whole(context::kind(name)?)),
            None => headed(json!({
                "title": "A Stationbill document",
                "oneOf": KINDS.iter().map(|kind| whole(*kind)).chain([own::<StackSpec>(), own::<TargetSpec>()]).collect::<Vec<_>>(),
            })),
        };
        context.printer.answer(&pretty(&schema))?;
        Ok(Exit::Ok)
    }
}

fn headed(mut schema: Value) -> Value {
    substitute::allow(&mut schema);
    portable(&mut schema);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema
}

/// Takes out what validators choke on: classes of Unicode, which not every language's expressions know, and `nullable`,
/// which is `OpenAPI`. Allows variables. `validate` checks all of it.
fn portable(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|key, value| match (key.as_str(), &*value) {
                ("pattern", Value::String(pattern)) => !pattern.contains(r"\p{"),
                ("nullable", Value::Bool(_)) => false,
                _ => true,
            });
            map.values_mut().for_each(portable);
        }
        Value::Array(list) => list.iter_mut().for_each(portable),
        _ => {}
    }
}

/// The schema of a whole document of one kind.
fn whole(kind: &dyn AnySpec) -> Value {
    let mut spec = kind.schema();
    let description = spec.get("description").cloned().unwrap_or_default();
    // `metadata.name` stands in for it.
    relax(&mut spec, "name");
    for name in document::fields(&spec) {
        spec["properties"][format!("{name}From")] = json!({
            "type": "object",
            "description": format!("The file that holds `{name}`, relative to this one."),
            "properties": { "file": { "type": "string" } },
            "required": ["file"],
            "additionalProperties": false,
        });
        // Either form will do, so the schema can require neither.
        relax(&mut spec, &name);
    }
    let lifecycle = schema_of::<Lifecycle>();
    spec["properties"]["targets"] = json!({
        "type": "array",
        "items": { "type": "string" },
        "description": "The Targets this object is for.",
    });
    spec["properties"]["lifecycle"] = without_head(lifecycle);
    enveloped(kind.kind(), &description, &spec)
}

/// The schema of a document that configures Stationbill itself.
fn own<K: Spec>() -> Value {
    let spec = without_head(schema_of::<K>());
    let description = spec.get("description").cloned().unwrap_or_default();
    enveloped(K::KIND, &description, &spec)
}

fn enveloped(kind: &str, description: &Value, spec: &Value) -> Value {
    json!({
        "type": "object",
        "title": kind,
        "description": description,
        "properties": {
            "apiVersion": { "const": API_VERSION },
            "kind": { "const": kind },
            "metadata": {
                "type": "object",
                "properties": { "name": { "type": "string" } },
                "required": ["name"],
            },
            "spec": spec,
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
    })
}

/// A schema inside another has no head of its own.
fn without_head(mut schema: Value) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.shift_remove("$schema");
        map.shift_remove("title");
    }
    schema
}

fn relax(spec: &mut Value, field: &str) {
    if let Some(required) = spec.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != field);
    }
}
