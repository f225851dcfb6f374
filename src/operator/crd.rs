//! Custom resource definitions: one function for all kinds.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::schema::{OptionalEnum, OptionalIntOrString, StructuralSchemaRewriter};
use schemars::Schema;
use schemars::transform::{AddNullable, Transform};
use serde_json::{Value, json};

use super::resource::{GROUP, plural};
use crate::load::API_VERSION;
use crate::model::lifecycle::Lifecycle;
use crate::model::{AnySpec, document, pointer, spec, substitute};

/// Returns the definition of a kind.
///
/// # Errors
/// When a kind's schema does not fit a definition, which a test over all kinds excludes.
pub fn crd(kind: &dyn AnySpec) -> Result<CustomResourceDefinition, serde_json::Error> {
    let (group, version) = API_VERSION.split_once('/').unwrap_or((GROUP, API_VERSION));
    let singular = kind.kind().to_lowercase();
    let plural = plural(kind.kind());
    let role = Role::of(kind);
    let schema = kind.schema();
    let documents = document::fields(&schema);
    let mut spec = structural(schema, role == Role::Managed);
    let description = spec.get("description").cloned().unwrap_or_default();
    if role == Role::Managed {
        common(&mut spec, documents);
    }
    validations(kind, &mut spec);
    machines(&mut spec);
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
                "shortNames": [short(kind.kind())],
                "categories": ["stationbill"],
            },
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "additionalPrinterColumns": role.columns(),
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "description": description,
                    "required": ["spec"],
                    "properties": { "spec": spec, "status": status(role) },
                } },
            }],
        },
    }))
}

/// Returns the file a definition is kept in.
pub fn file_name(kind: &dyn AnySpec) -> String {
    format!("{}.yaml", kind.kind().to_lowercase())
}

/// What a kind is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It stands for something in AWS.
    Managed,
    Stack,
    Target,
}

impl Role {
    fn of(kind: &dyn AnySpec) -> Self {
        match kind.kind() {
            "Stack" => Self::Stack,
            "Target" => Self::Target,
            _ => Self::Managed,
        }
    }

    fn columns(self) -> Value {
        let ready = column("Ready", ".status.conditions[?(@.type==\"Ready\")].status");
        let state = column("State", ".status.state");
        let account = column("Account", ".status.account");
        let region = column("Region", ".status.region");
        let message = wide(
            "Message",
            ".status.conditions[?(@.type==\"Ready\")].message",
        );
        let age =
            json!({ "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" });
        let applied = json!({ "name": "Applied", "type": "date", "jsonPath": ".status.lastApplied", "priority": 1 });
        let drifted = json!({ "name": "Drifted", "type": "date", "jsonPath": ".status.lastDrift", "priority": 1 });
        match self {
            Self::Managed => json!([
                ready,
                state,
                account,
                region,
                age,
                wide("ID", ".status.id"),
                applied,
                drifted,
                message
            ]),
            Self::Stack => json!([
                ready,
                state,
                number("Objects", ".status.objects.declared"),
                number("In sync", ".status.objects.ready"),
                column("Mode", ".spec.mode"),
                account,
                region,
                age,
                wide("Commit", ".status.source.commit"),
                applied,
                drifted,
                message
            ]),
            Self::Target => json!([
                column("Role", ".spec.role.name"),
                column("Regions", ".spec.regions"),
                age
            ]),
        }
    }
}

fn column(name: &str, path: &str) -> Value {
    json!({ "name": name, "type": "string", "jsonPath": path })
}

/// A column that `kubectl get -o wide` shows.
fn wide(name: &str, path: &str) -> Value {
    json!({ "name": name, "type": "string", "jsonPath": path, "priority": 1 })
}

fn number(name: &str, path: &str) -> Value {
    json!({ "name": name, "type": "integer", "jsonPath": path })
}

/// Returns the short name of a kind: `sb` and its initials, or the beginning of its one word.
fn short(kind: &str) -> String {
    let initials: String = kind.chars().filter(char::is_ascii_uppercase).collect();
    let rest = match initials.len() {
        1 => kind.chars().take(4).collect(),
        _ => initials,
    };
    format!("sb{}", rest.to_lowercase())
}

/// Applies the transforms that kube's own derive applies.
///
/// Where objects go, their texts may hold variables, which no pattern knows.
fn structural(schema: Value, variables: bool) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else {
        return Value::Null;
    };
    AddNullable::default().transform(&mut schema);
    StructuralSchemaRewriter.transform(&mut schema);
    OptionalEnum.transform(&mut schema);
    OptionalIntOrString.transform(&mut schema);
    let mut value = Value::from(schema);
    if variables {
        substitute::allow(&mut value);
    }
    tidy(&mut value);
    value
}

/// Takes out what a definition may not hold. A field may be called as what goes.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("$schema");
            map.shift_remove("title");
            map.retain(|key, _| !key.starts_with("x-stationbill-"));
            for (key, member) in map.iter_mut() {
                match member {
                    Value::Object(fields) if key == "properties" => {
                        fields.values_mut().for_each(tidy);
                    }
                    member => tidy(member),
                }
            }
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
    spec["properties"]["lifecycle"] = structural(spec::schema_of::<Lifecycle>(), true);
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

/// Refuses what only a machine with files and an environment can read. The sources of personal values are those maps
/// that may have `fromFile` and `fromSecret`.
fn machines(schema: &mut Value) {
    let sources = |schema: &Value| {
        let has = |name: &str| schema["properties"].get(name).is_some();
        has("fromFile") && has("fromSecret")
    };
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(machines);
            if sources(schema) {
                schema["x-kubernetes-validations"] = json!([{
                    "rule": "!has(self.fromEnv) && !has(self.fromFile)",
                    "message": "in a cluster a value comes from a Secret (fromSecret) or from a parameter (fromParameter)",
                }]);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(machines),
        _ => {}
    }
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

fn generation(description: &str) -> Value {
    json!({ "type": "integer", "format": "int64", "description": description })
}

fn count(description: &str) -> Value {
    json!({ "type": "integer", "description": description })
}

/// The status: [`super::status::Status`] writes it.
fn status(role: Role) -> Value {
    let mut properties = json!({
        "observedGeneration": generation("The generation of the spec that was looked at."),
        "state": text("How it stands, in one word."),
        "account": text("The account, or how many there are."),
        "region": text("The region, or how many there are."),
        "lastChecked": time(
            "When AWS was read for this status. A look that finds nothing new writes nothing, and moves no time."
        ),
        "lastApplied": time("When something was last written to AWS."),
        "lastDrift": time("When AWS was last found changed."),
        "conditions": {
            "type": "array",
            "description": "Ready, and while they are true Reconciling and Stalled.",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
            "items": {
                "type": "object",
                "required": ["type", "status", "lastTransitionTime", "reason", "message"],
                "properties": {
                    "type": text("Ready, Reconciling or Stalled."),
                    "status": {
                        "type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it is so.",
                    },
                    "observedGeneration": generation("The generation that it is about."),
                    "lastTransitionTime": time("Since when."),
                    "reason": text("Why, in one word."),
                    "message": text("Why, in a sentence."),
                },
            },
        },
    });
    match role {
        Role::Managed => {
            properties["id"] = text("What AWS knows the object by: its ARN, or its id.");
            properties["places"] = json!({
                "type": "array",
                "description": "Each account and region, where there are several; at most 50 of them.",
                "items": {
                    "type": "object",
                    "properties": {
                        "account": text("The account."),
                        "region": text("The region."),
                        "state": text("How the object stands there."),
                        "id": text("What AWS knows it by there."),
                        "message": text("Why it is not in sync."),
                    },
                },
            });
        }
        Role::Stack => {
            properties["objects"] = json!({
                "type": "object",
                "description": "How many objects there are.",
                "properties": {
                    "declared": count("In the namespace, or in the repository."),
                    "ready": count("As declared in all their places."),
                },
            });
            properties["source"] = json!({
                "type": "object",
                "description": "Which commit is in force, where the documents come from a repository.",
                "properties": {
                    "commit": text("The commit that was taken up last."),
                    "refused": text("The newest commit, while it is not taken up; the condition Ready says why."),
                },
            });
            properties["plan"] = text("A hash of what is left to do, while there is anything.");
        }
        Role::Target => {}
    }
    json!({
        "type": "object",
        "description": "What the operator last saw.",
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::operator::resource::kinds;

    #[test]
    fn every_short_name_is_one_kind_s() {
        let all = kinds();
        let names: BTreeSet<String> = all.iter().map(|kind| short(kind.kind())).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
    }
}
