//! Custom resource definitions: one function for all kinds.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::schema::{OptionalEnum, OptionalIntOrString, StructuralSchemaRewriter};
use schemars::Schema;
use schemars::transform::{AddNullable, Transform};
use serde_json::{Value, json};

use crate::load::API_VERSION;
use crate::model::lifecycle::Lifecycle;
use crate::model::{AnySpec, document, pointer, spec, substitute};

/// Returns the definition of a kind.
///
/// # Errors
/// When a kind's schema does not fit a definition, which a test over all kinds excludes.
pub fn crd(kind: &dyn AnySpec) -> Result<CustomResourceDefinition, serde_json::Error> {
    let (group, version) = API_VERSION
        .split_once('/')
        .unwrap_or(("stationbill.dev", API_VERSION));
    let singular = kind.kind().to_lowercase();
    let plural = format!("{singular}s");
    let schema = kind.schema();
    let documents = document::fields(&schema);
    let mut spec = structural(schema);
    let description = spec.get("description").cloned().unwrap_or_default();
    common(&mut spec, documents);
    validations(kind, &mut spec);
    serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind(),
                "plural": plural,
                "singular": singular,
                "categories": ["stationbill"],
            },
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "additionalPrinterColumns": [
                    column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
                    column("ID", "string", ".status.id"),
                    column("Age", "date", ".metadata.creationTimestamp"),
                ],
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "description": description,
                    "required": ["spec"],
                    "properties": { "spec": spec, "status": status() },
                } },
            }],
        },
    }))
}

/// Returns the file a definition is kept in.
pub fn file_name(kind: &dyn AnySpec) -> String {
    format!("{}.yaml", kind.kind().to_lowercase())
}

fn column(name: &str, kind: &str, path: &str) -> Value {
    json!({ "name": name, "type": kind, "jsonPath": path })
}

/// Applies the transforms that kube's own derive applies.
fn structural(schema: Value) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else {
        return Value::Null;
    };
    AddNullable::default().transform(&mut schema);
    StructuralSchemaRewriter.transform(&mut schema);
    OptionalEnum.transform(&mut schema);
    OptionalIntOrString.transform(&mut schema);
    let mut value = Value::from(schema);
    substitute::allow(&mut value);
    tidy(&mut value);
    value
}

/// Takes out what a definition may not hold.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("$schema");
            map.shift_remove("title");
            map.retain(|key, _| !key.starts_with("x-stationbill-"));
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Adds what every spec may say.
fn common(spec: &mut Value, documents: Vec<String>) {
    let targets = json!({
        "type": "array",
        "description": "The Targets this object is for; the Stack's when left out.",
        "items": { "type": "string" },
    });
    spec["properties"]["targets"] = targets;
    spec["properties"]["lifecycle"] = structural(spec::schema_of::<Lifecycle>());
    for name in documents {
        spec["properties"][format!("{name}From")] = json!({
            "type": "object",
            "description": format!("Where `{name}` is kept instead."),
            "properties": {
                "configMap": {
                    "type": "object",
                    "description": "A key of a ConfigMap in the same namespace.",
                    "required": ["name", "key"],
                    "properties": {
                        "name": { "type": "string", "description": "The ConfigMap's name." },
                        "key": { "type": "string", "description": "The key inside the ConfigMap." },
                    },
                },
            },
        });
        drop_required(spec, &name);
    }
    drop_required(spec, "name");
}

fn drop_required(spec: &mut Value, field: &str) {
    if let Some(required) = spec.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != field);
        if required.is_empty()
            && let Some(spec) = spec.as_object_mut()
        {
            spec.shift_remove("required");
        }
    }
}

/// A kind that is never replaced keeps its create-only fields.
fn validations(kind: &dyn AnySpec, spec: &mut Value) {
    if kind.never_deleted().is_none() && kind.loses().is_none() {
        return;
    }
    for only in kind.create_only() {
        if let [field] = &pointer::steps(only)[..] {
            let rule = json!([{
                "rule": "self == oldSelf",
                "message": format!("{field} cannot be changed"),
            }]);
            if spec["properties"].get(field).is_some() {
                spec["properties"][field]["x-kubernetes-validations"] = rule;
            }
        }
    }
}

/// The status of every kind.
fn status() -> Value {
    json!({
        "type": "object",
        "description": "What the operator last saw.",
        "properties": {
            "observedGeneration": {
                "type": "integer", "format": "int64", "description": "The generation of the spec that was looked at.",
            },
            "id": { "type": "string", "description": "What AWS knows the object by: its ARN, or its id." },
            "lastChecked": {
                "type": "string", "format": "date-time", "description": "When AWS was last read.",
            },
            "lastDrift": {
                "type": "string", "format": "date-time", "description": "When AWS was last found changed.",
            },
            "conditions": {
                "type": "array",
                "description": "Ready, Reconciling, Stalled.",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "type": "object",
                    "required": ["type", "status", "lastTransitionTime", "reason", "message"],
                    "properties": {
                        "type": { "type": "string" },
                        "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                        "observedGeneration": { "type": "integer", "format": "int64" },
                        "lastTransitionTime": { "type": "string", "format": "date-time" },
                        "reason": { "type": "string" },
                        "message": { "type": "string" },
                    },
                },
            },
        },
    })
}
