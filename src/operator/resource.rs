//! What the operator calls things in an API server.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt as _;
use kube::api::{ApiResource, DynamicObject};
use serde_json::{Value, json};

use crate::kinds;
use crate::load::{self, API_VERSION, Kept};
use crate::model::{Address, AnySpec};

/// The finalizer: while an object has it, what the object stands for in AWS has been looked after.
pub const FINALIZER: &str = "stationbill.dev/aws";
/// Any new value makes the operator look at once.
pub const RECONCILE: &str = "stationbill.dev/reconcile";
/// `true` on an object or a Stack takes over what nobody owns in AWS.
pub const ADOPT: &str = "stationbill.dev/adopt";
/// `true` on an object or a Stack that is being deleted lets it go, whatever is left behind in AWS.
pub const LET_GO: &str = "stationbill.dev/let-go";
/// What begins the names of the annotations that the operator reads.
const PREFIX: &str = "stationbill.dev/";

/// The group of all kinds.
pub const GROUP: &str = "stationbill.dev";

/// Returns every kind: those that configure Stationbill, and those that stand for something in AWS.
pub fn kinds() -> Vec<&'static dyn AnySpec> {
    let configuration = load::configuration();
    let specs = kinds::specs();
    configuration.into_iter().chain(specs).collect()
}

/// Returns the resource of a kind.
pub fn resource(kind: &str) -> ApiResource {
    let (group, version) = API_VERSION.split_once('/').unwrap_or((GROUP, API_VERSION));
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: API_VERSION.to_owned(),
        kind: kind.to_owned(),
        plural: plural(kind),
    }
}

/// Returns the name of a kind in paths.
pub fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    }
}

/// Returns the `Kind/name` of an object; the kind is the one that it was asked for by.
pub fn address(kind: &str, object: &DynamicObject) -> Address {
    Address::new(kind, object.name_any())
}

/// Returns the object as a document.
pub fn document(address: &Address, object: &DynamicObject) -> Kept {
    let namespace = object.namespace().unwrap_or_default();
    Kept {
        origin: format!("{namespace}/{}/{}", address.kind, address.name),
        document: json!({
            "apiVersion": API_VERSION,
            "kind": address.kind,
            "metadata": { "name": address.name, "labels": object.labels() },
            "spec": object.data.get("spec").cloned().unwrap_or(Value::Null),
        }),
    }
}

/// Says whether an annotation is `true`.
pub fn asks(object: &DynamicObject, annotation: &str) -> bool {
    object.annotations().get(annotation).map(String::as_str) == Some("true")
}

/// Says whether an object is being deleted.
pub fn goes(object: &DynamicObject) -> bool {
    object.metadata.deletion_timestamp.is_some()
}

/// Says whether an object has our finalizer.
pub fn kept(object: &DynamicObject) -> bool {
    object.finalizers().iter().any(|name| name == FINALIZER)
}

/// Returns what events are attached to.
pub fn reference(address: &Address, object: &DynamicObject) -> ObjectReference {
    ObjectReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(address.kind.clone()),
        name: Some(address.name.clone()),
        namespace: object.namespace(),
        uid: object.uid(),
        ..ObjectReference::default()
    }
}

/// What of an object may call for a run: what a person or a controller wants of it, and nothing that we write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    uid: Option<String>,
    generation: Option<i64>,
    goes: bool,
    labels: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
}

impl Wanted {
    /// Returns what an object asks for.
    pub fn of(object: &DynamicObject) -> Self {
        let pairs = |pairs: &std::collections::BTreeMap<String, String>, prefix: &str| {
            let ours = pairs.iter().filter(|(key, _)| key.starts_with(prefix));
            ours.map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        Self {
            uid: object.uid(),
            generation: object.metadata.generation,
            goes: goes(object),
            labels: pairs(object.labels(), ""),
            annotations: pairs(object.annotations(), PREFIX),
        }
    }
}
