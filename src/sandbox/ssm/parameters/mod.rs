//! Parameter Store: what is kept of a parameter, and how answers show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Store, arn, members, put, tags};
use crate::sandbox::{Call, Fault, Map, State};

mod data_types;
pub(super) mod delete;
pub(super) mod describe;
mod filters;
pub(super) mod labels;
mod names;
mod policies;
pub(super) mod put;
pub(super) mod read;

#[cfg(test)]
mod tests;

/// One parameter with the versions that are still kept, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parameter {
    name: String,
    kind: String,
    versions: Vec<Version>,
}

/// One version: everything but name and type can differ from the one before.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    number: i64,
    value: String,
    key: Option<String>,
    description: Option<String>,
    allowed_pattern: Option<String>,
    tier: String,
    data_type: String,
    policies: Vec<policies::Policy>,
    labels: Vec<String>,
    modified: f64,
    user: String,
}

impl Parameter {
    fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    fn value(&self, version: &Version, decrypt: bool) -> String {
        if self.kind == "SecureString" && !decrypt {
            encrypted(&self.name, version)
        } else {
            version.value.clone()
        }
    }

    /// Returns a `Parameter` as the getting operations answer it.
    fn shown(&self, call: &Call<'_>, version: &Version, decrypt: bool) -> Map {
        members(json!({
            "Name": self.name,
            "Type": self.kind,
            "Value": self.value(version, decrypt),
            "Version": version.number,
            "LastModifiedDate": version.modified,
            "ARN": parameter_arn(call, &self.name),
            "DataType": version.data_type,
        }))
    }

    /// Returns what the histories and the descriptions have in common.
    fn metadata(&self, version: &Version) -> Map {
        let policies: Vec<Value> = version
            .policies
            .iter()
            .map(policies::Policy::shown)
            .collect();
        let mut map = members(json!({
            "Name": self.name,
            "Type": self.kind,
            "LastModifiedDate": version.modified,
            "LastModifiedUser": version.user,
            "Version": version.number,
            "Tier": version.tier,
            "Policies": policies,
            "DataType": version.data_type,
        }));
        put(&mut map, "KeyId", version.key.as_deref());
        put(
            &mut map,
            "Description",
            version.description.as_deref().filter(|d| !d.is_empty()),
        );
        put(
            &mut map,
            "AllowedPattern",
            version.allowed_pattern.as_deref().filter(|p| !p.is_empty()),
        );
        map
    }
}

/// A name without a leading slash gets one in its ARN, a name with one keeps it: there is always exactly one.
fn parameter_arn(call: &Call<'_>, name: &str) -> String {
    arn(call, &format!("parameter/{}", name.trim_start_matches('/')))
}

/// Returns what a secure string looks like to who may not, or does not want to, decrypt it.
///
/// It has the look of KMS's ciphertext and is made of hashes, so that the value cannot be read out of it.
fn encrypted(name: &str, version: &Version) -> String {
    let mut bytes = vec![1, 2, 2, 0, 0x78];
    let mut block = Sha256::digest(format!("{name}\n{}\n{}", version.number, version.value));
    // The ciphertext of KMS is the text and about 150 bytes more.
    while bytes.len() < version.value.len() + 150 {
        bytes.extend_from_slice(&block);
        block = Sha256::digest(block);
    }
    bytes.truncate(version.value.len() + 150);
    STANDARD.encode(bytes)
}

/// Returns the store of the caller's region, without the parameters whose time is over.
///
/// AWS scans for expired parameters now and then; here they are gone as soon as anybody looks.
fn current<'s>(state: &'s mut State, call: &Call<'_>) -> &'s mut Store {
    let store = state.ssm(call.account, call.region);
    let now = call.now_seconds();
    let expired: Vec<String> = store
        .parameters
        .values()
        .filter(|p| {
            p.latest()
                .is_some_and(|v| v.policies.iter().any(|policy| policy.expired(now)))
        })
        .map(|p| p.name.clone())
        .collect();
    for name in expired {
        remove(store, call, &name);
    }
    store
}

/// Deletes a parameter; returns whether there was one.
fn remove(store: &mut Store, call: &Call<'_>, name: &str) -> bool {
    let existed = store.parameters.remove(name).is_some();
    if tags::forget(store, "Parameter", name) {
        store
            .stale_names
            .insert(name.to_owned(), call.now_seconds());
    }
    existed
}

fn not_found(name: &str) -> Fault {
    Fault::new("ParameterNotFound", format!("Parameter {name} not found."))
}

fn no_version(what: &str, name: &str) -> Fault {
    Fault::new(
        "ParameterVersionNotFound",
        format!(
            "Systems Manager could not find version {what} of {name}. Verify the version and try again."
        ),
    )
}
