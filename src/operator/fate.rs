//! What becomes of an object whose document is being deleted. Pure.
//!
//! Deleting in AWS is asked for by the object (`lifecycle.onDelete: delete`) or by the Stack (`prune: true`); otherwise
//! the finalizer goes and AWS keeps what it has, with its stamp.

use kube::api::DynamicObject;
use serde::Deserialize as _;

use super::resource::{LET_GO, asks};
use crate::model::AnySpec;
use crate::model::lifecycle::{Lifecycle, Mode, OnDelete};

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes from the cluster and stays in AWS, and why.
    Stays(&'static str),
    /// It goes from AWS first, as this says.
    Doomed(Lifecycle),
}

/// Decides about an object that is being deleted.
pub(super) fn fate(kind: &dyn AnySpec, object: &DynamicObject, prunes: bool, mode: Mode) -> Fate {
    let lifecycle = object.data.pointer("/spec/lifecycle").cloned();
    let lifecycle = lifecycle.map(Lifecycle::deserialize).and_then(Result::ok);
    let lifecycle = lifecycle.unwrap_or_default();
    if asks(object, LET_GO) {
        Fate::Stays("an annotation says to let it go")
    } else {
        fate_of_declared(kind, &lifecycle, prunes, mode)
    }
}

/// Decides about what was declared so, and is declared no more.
pub(super) fn fate_of_declared(
    kind: &dyn AnySpec,
    lifecycle: &Lifecycle,
    prunes: bool,
    mode: Mode,
) -> Fate {
    if mode == Mode::Report {
        Fate::Stays("the Stack is in mode `report`")
    } else if lifecycle.mode == Mode::Report {
        Fate::Stays("`lifecycle.mode` is `report`")
    } else if let Some(why) = kind.never_deleted() {
        Fate::Stays(why)
    } else {
        match lifecycle.on_delete {
            Some(OnDelete::Retain) => Fate::Stays("`lifecycle.onDelete` is `retain`"),
            Some(OnDelete::Delete) => Fate::Doomed(lifecycle.clone()),
            None if prunes => Fate::Doomed(lifecycle.clone()),
            None => Fate::Stays(
                "neither its `lifecycle.onDelete` nor `prune` of the Stack says to delete it",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::api::ApiResource;
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds;

    fn fate_of(kind: &str, lifecycle: &Value, prunes: bool) -> Fate {
        let resource = ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
        let object = DynamicObject::new("a", &resource);
        let object = object.data(json!({ "spec": { "lifecycle": lifecycle } }));
        fate(kinds::find(kind).unwrap(), &object, prunes, Mode::Enforce)
    }

    fn stays(fate: &Fate) -> bool {
        matches!(fate, Fate::Stays(_))
    }

    #[test]
    fn deleting_is_asked_for() {
        assert!(stays(&fate_of("Dashboard", &json!({}), false)));
        assert!(!stays(&fate_of("Dashboard", &json!({}), true)));
        assert!(!stays(&fate_of(
            "Dashboard",
            &json!({ "onDelete": "delete" }),
            false
        )));
        assert!(stays(&fate_of(
            "Dashboard",
            &json!({ "onDelete": "retain" }),
            true
        )));
        assert!(stays(&fate_of(
            "Dashboard",
            &json!({ "onDelete": "delete", "mode": "report" }),
            true
        )));
        assert!(stays(&fate_of(
            "ReplicationSet",
            &json!({ "onDelete": "delete" }),
            true
        )));
    }
}
