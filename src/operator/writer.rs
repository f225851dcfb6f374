//! What the operator writes to the API server: status, finalizers, events. Nothing when nothing changed.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::referred::{Referral, Referred};
use super::resource::{self, FINALIZER};
use super::status::{Said, Status};
use crate::aws::chain;
use crate::load::API_VERSION;
use crate::model::Address;
use crate::model::sensitive::hide_addresses;

/// Who owns the fields of `status`.
const MANAGER: &str = "stationbill";
/// How long the note of an event may be, in bytes.
const NOTE: usize = 1000;

/// The way to the API server.
#[derive(Clone)]
pub(super) struct Writer {
    client: Client,
    recorder: Recorder,
    /// What documents referred to, when it was read.
    pub(super) referred: Referred,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is as wanted.
    Done,
    /// The object is not there any more, or not as we know it.
    Moved,
}

impl Writer {
    /// Makes one; `me` is what events call the replica.
    pub(super) fn new(client: Client, me: &str) -> Self {
        let reporter = Reporter {
            controller: MANAGER.to_owned(),
            instance: Some(me.to_owned()),
        };
        Self {
            recorder: Recorder::new(client.clone(), reporter),
            client,
            referred: Referred::default(),
        }
    }

    fn api(&self, kind: &str, object: &DynamicObject) -> Api<DynamicObject> {
        let namespace = object.namespace().unwrap_or_default();
        Api::namespaced_with(self.client.clone(), &namespace, &resource::resource(kind))
    }

    /// Returns what an object's status says now.
    pub(super) fn status(object: &DynamicObject) -> Status {
        let status = object.data.get("status").cloned().unwrap_or_default();
        serde_json::from_value(status).unwrap_or_default()
    }

    /// Says in a few words how an object stands, unless its status says so; returns whether that is new.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub(super) async fn say(
        &self,
        address: &Address,
        object: &DynamicObject,
        said: &Said,
        now: &str,
    ) -> Result<bool, kube::Error> {
        let before = Self::status(object);
        let status = before.said(object.metadata.generation, said, now);
        let status = status.timed(&before, now);
        self.tell(address, object, &status).await
    }

    /// Writes a status, unless it is there.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub(super) async fn tell(
        &self,
        address: &Address,
        object: &DynamicObject,
        status: &Status,
    ) -> Result<bool, kube::Error> {
        if Self::status(object) == *status {
            return Ok(false);
        }
        let patch = json!({
            "apiVersion": API_VERSION,
            "kind": address.kind,
            // An object of the same name that was made meanwhile is another one.
            "metadata": { "name": address.name, "uid": object.uid() },
            "status": status,
        });
        let params = PatchParams::apply(MANAGER).force();
        let api = self.api(&address.kind, object);
        let patch = Patch::Apply(patch);
        let patched = api.patch_status(&address.name, &params, &patch).await;
        match moved(patched.map(drop)) {
            Ok(_) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Puts the finalizer on an object, or takes it off.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub(super) async fn keep(
        &self,
        address: &Address,
        object: &DynamicObject,
        keep: bool,
    ) -> Result<Written, kube::Error> {
        if resource::kept(object) == keep {
            return Ok(Written::Done);
        }
        let others = object.finalizers().iter().filter(|name| *name != FINALIZER);
        let mut finalizers: Vec<&str> = others.map(String::as_str).collect();
        if keep {
            finalizers.push(FINALIZER);
        }
        let metadata = json!({
            "finalizers": finalizers,
            // The list is replaced as a whole: only if it is still the one that we know.
            "resourceVersion": object.resource_version(),
            "uid": object.uid(),
        });
        let api = self.api(&address.kind, object);
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = api.patch(&address.name, &params, &patch).await;
        moved(patched.map(drop))
    }

    /// Says whether an object is there, by the API server's own word.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub(super) async fn is_there(
        &self,
        namespace: &str,
        address: &Address,
    ) -> Result<bool, kube::Error> {
        let resource = resource::resource(&address.kind);
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        Ok(api.get_metadata_opt(&address.name).await?.is_some())
    }

    /// Tells people. That an event is lost is no reason to stop.
    pub(super) async fn event(
        &self,
        address: &Address,
        object: &DynamicObject,
        warning: bool,
        reason: &str,
        note: &str,
    ) {
        let mut note = hide_addresses(note);
        while note.len() > NOTE {
            note.pop();
        }
        let event = Event {
            type_: if warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: reason.to_owned(),
            note: Some(note),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        let reference = resource::reference(address, object);
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            tracing::debug!(error = chain(&error), "an event is lost");
        }
    }

    /// Reads a key of a ConfigMap, or says why it cannot be read.
    ///
    /// # Errors
    /// Says why, for people.
    pub(super) async fn config_map(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<String, String> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let map = api.get_opt(name).await.map_err(|error| short(&error))?;
        let version = map.as_ref().and_then(ResourceExt::resource_version);
        let referral = Referral::ConfigMap(name.to_owned());
        self.referred.read(namespace, referral, version);
        let map = map.ok_or("there is none of this name")?;
        let text = map.data.and_then(|mut data| data.remove(key));
        text.ok_or_else(|| "it has no such key".to_owned())
    }

    /// Reads a key of a Secret, or says why it cannot be read; never what it holds.
    ///
    /// # Errors
    /// Says why, for people.
    pub(super) async fn secret(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<String, String> {
        let cannot = |why: &str| format!("key `{key}` of Secret `{name}` cannot be read: {why}");
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let secret = api.get_opt(name).await;
        let secret = secret.map_err(|error| cannot(&short(&error)))?;
        let version = secret.as_ref().and_then(ResourceExt::resource_version);
        let referral = Referral::Secret(name.to_owned());
        self.referred.read(namespace, referral, version);
        let secret = secret.ok_or_else(|| cannot("there is none of this name"))?;
        let bytes = secret.data.and_then(|mut data| data.remove(key));
        let bytes = bytes.ok_or_else(|| cannot("it has no such key"))?;
        let text = String::from_utf8(bytes.0).map_err(|_| cannot("it is no text"))?;
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        if text.is_empty() {
            return Err(cannot("it is empty"));
        }
        Ok(text)
    }

    /// Reads a Secret, or says why it cannot be read; never what it holds.
    ///
    /// # Errors
    /// Says why, for people.
    pub(super) async fn secret_data(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let secret = api.get_opt(name).await.map_err(|error| short(&error))?;
        let secret = secret.ok_or("there is none of this name")?;
        let data = secret.data.unwrap_or_default().into_iter();
        Ok(data.map(|(key, bytes)| (key, bytes.0)).collect())
    }
}

impl Writer {
    /// Returns the version of what a document refers to; `None` when it is not there. Nothing else of it is read.
    ///
    /// # Errors
    /// When the API server does not answer, or not to us.
    pub(super) async fn version(
        &self,
        namespace: &str,
        referral: &Referral,
    ) -> Result<Option<String>, kube::Error> {
        let client = self.client.clone();
        let version = match referral {
            Referral::Secret(name) => {
                let api: Api<Secret> = Api::namespaced(client, namespace);
                api.get_metadata_opt(name)
                    .await?
                    .and_then(|it| it.resource_version())
            }
            Referral::ConfigMap(name) => {
                let api: Api<ConfigMap> = Api::namespaced(client, namespace);
                api.get_metadata_opt(name)
                    .await?
                    .and_then(|it| it.resource_version())
            }
        };
        Ok(version)
    }
}

/// What the API server says in a word or a sentence.
fn short(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => chain(other),
    }
}

fn moved(result: Result<(), kube::Error>) -> Result<Written, kube::Error> {
    match result {
        Ok(()) => Ok(Written::Done),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(Written::Moved),
        Err(error) => Err(error),
    }
}
