//! The replication set: the account's one switch, with states that settle while somebody watches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{SERVICE, Store, fault, idempotency, page, store};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State, contacts};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "CreateReplicationSet",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "CreateReplicationSet", create),
    },
    Operation {
        service: SERVICE,
        name: "GetReplicationSet",
        access: Access::Read,
        run: get,
    },
    Operation {
        service: SERVICE,
        name: "ListReplicationSets",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "UpdateReplicationSet",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "UpdateReplicationSet", update),
    },
    Operation {
        service: SERVICE,
        name: "UpdateDeletionProtection",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "UpdateDeletionProtection", protect),
    },
    Operation {
        service: SERVICE,
        name: "DeleteReplicationSet",
        access: Access::Write,
        run: delete,
    },
];

/// Where Incident Manager is offered (endpoint table of botocore 1.44.5).
const OFFERED: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// How a Region without a customer's key reads back.
const DEFAULT_KEY: &str = "DefaultKey";

/// A set holds three Regions at most (service model).
const MOST_REGIONS: usize = 3;

/// A change that nobody watches is over after about as long as it takes in AWS.
const SETTLES_AFTER_SECONDS: f64 = 120.0;

/// The state of the set, and of a Region in it (which is never UPDATING).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    Active,
    Creating,
    Updating,
    Deleting,
}

impl Status {
    pub(super) const fn wire(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

/// One Region of the set.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Region {
    key: String,
    status: Status,
    changed: f64,
}

/// The account's replication set.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReplicationSet {
    pub(super) arn: String,
    pub(super) status: Status,
    pub(super) regions: BTreeMap<String, Region>,
    pub(super) tags: BTreeMap<String, String>,
    /// How many reads still see the pending state.
    reads: u32,
    deletion_protected: bool,
    created_by: String,
    created: f64,
    modified_by: String,
    modified: f64,
}

impl ReplicationSet {
    /// Tells whether calls to this Region are served.
    pub(super) fn serves(&self, region: &str) -> bool {
        let seen = self.reads == 0;
        let set = match self.status {
            Status::Active | Status::Updating => true,
            Status::Creating => seen,
            Status::Deleting => false,
        };
        let region = self
            .regions
            .get(region)
            .is_some_and(|region| match region.status {
                Status::Active | Status::Updating => true,
                Status::Creating => seen,
                Status::Deleting => !seen,
            });
        set && region
    }

    fn begin(&mut self, status: Status, reads: u32, call: &Call<'_>) {
        self.status = status;
        self.reads = reads;
        self.modified = call.now_seconds();
        call.caller.clone_into(&mut self.modified_by);
    }

    fn answer(&self) -> Value {
        let regions: Map = self
            .regions
            .iter()
            .map(|(name, region)| {
                let info = json!({
                    "sseKmsKeyId": region.key,
                    "status": region.status.wire(),
                    "statusUpdateDateTime": region.changed,
                });
                (name.clone(), info)
            })
            .collect();
        json!({
            "arn": self.arn,
            "createdBy": self.created_by,
            "createdTime": self.created,
            "deletionProtected": self.deletion_protected,
            "lastModifiedBy": self.modified_by,
            "lastModifiedTime": self.modified,
            "regionMap": regions,
            "status": self.status.wire(),
        })
    }
}

impl Store {
    /// Ends the set's pending change when it was watched, or waited for, long enough.
    pub(in crate::sandbox) fn settle(&mut self, now: f64) {
        let Some(set) = &mut self.set else {
            return;
        };
        let over = set.reads == 0 || now - set.modified >= SETTLES_AFTER_SECONDS;
        if set.status == Status::Active || !over {
            return;
        }
        if set.status == Status::Deleting {
            self.set = None;
            return;
        }
        set.status = Status::Active;
        set.reads = 0;
        set.regions
            .retain(|_, region| region.status != Status::Deleting);
        for region in set.regions.values_mut() {
            if region.status != Status::Active {
                region.status = Status::Active;
                region.changed = now;
            }
        }
    }
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let closed = state.settings.closed_to_new_customers;
    let reads = state.settings.async_reads;
    let store = store(state, call);
    if closed && !store.onboarded {
        // Not in the service model: seen by clients since AWS closed the service to new accounts on 2025-11-07.
        return Err(Fault::new(
            "UnsupportedOperationException",
            "AWS Systems Manager Incident Manager is no longer open to new customers.",
        ));
    }
    if let Some(set) = &store.set {
        return Err(fault::conflict(
            fault::Kind::ReplicationSet,
            &set.arn,
            "A replication set already exists in this account.",
        ));
    }
    let asked = call.map("regions").cloned().unwrap_or_default();
    if !asked.contains_key(call.region) {
        return Err(fault::invalid(format!(
            "The replication set must include the Region of the call, {}.",
            call.region
        )));
    }
    let now = call.now_seconds();
    let mut regions = BTreeMap::new();
    for (name, value) in &asked {
        let region = new_region(name, value, now)?;
        regions.insert(name.clone(), region);
    }
    same_kind_of_key(&regions)?;

    let id = call.uuid();
    let arn = format!(
        "arn:aws:ssm-incidents::{}:replication-set/{id}",
        call.account
    );
    store.onboarded = true;
    store.set = Some(ReplicationSet {
        arn: arn.clone(),
        status: Status::Creating,
        regions,
        tags: super::tags::from_input(call.map("tags")),
        reads,
        deletion_protected: false,
        created_by: call.caller.to_owned(),
        created: now,
        modified_by: call.caller.to_owned(),
        modified: now,
    });
    Ok(Map::from_iter([("arn".to_owned(), Value::from(arn))]))
}

fn new_region(name: &str, value: &Value, now: f64) -> Result<Region, Fault> {
    if !OFFERED.contains(&name) {
        return Err(fault::invalid(format!(
            "{name} is not a Region that a replication set can have."
        )));
    }
    let key = value
        .get("sseKmsKeyId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if key == DEFAULT_KEY {
        return Err(fault::invalid(format!("{key} is not a KMS key.")));
    }
    Ok(Region {
        key: if key.is_empty() { DEFAULT_KEY } else { key }.to_owned(),
        status: Status::Creating,
        changed: now,
    })
}

/// All Regions use the key that AWS owns, or all use keys of the customer (Terraform's documentation of the resource).
fn same_kind_of_key(regions: &BTreeMap<String, Region>) -> Result<(), Fault> {
    let owned = regions.values().filter(|r| r.key == DEFAULT_KEY).count();
    if owned == 0 || owned == regions.len() {
        return Ok(());
    }
    Err(fault::invalid(
        "Either all Regions of a replication set have a customer managed key, or none.",
    ))
}

/// Finds the set that the caller means, as seen from the caller's Region.
fn find<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut ReplicationSet, Fault> {
    let arn = call.required("arn");
    let store = store(state, call);
    let here = store.reaches(call.region);
    match &mut store.set {
        Some(set) if here && set.arn == arn => Ok(set),
        _ => Err(fault::not_found(
            fault::Kind::ReplicationSet,
            arn,
            "The replication set does not exist.",
        )),
    }
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let set = find(state, call)?;
    set.reads = set.reads.saturating_sub(1);
    Ok(Map::from_iter([(
        "replicationSet".to_owned(),
        set.answer(),
    )]))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = store(state, call);
    let here = store.reaches(call.region);
    let arns = store
        .set
        .iter()
        .filter(|_| here)
        .map(|set| (set.arn.clone(), Value::from(set.arn.clone())))
        .collect();
    page::page(call, "replicationSetArns", arns)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let reads = state.settings.async_reads;
    let now = call.now_seconds();
    let Some([action]) = call.list("actions").map(Vec::as_slice) else {
        return Err(fault::invalid(
            "A replication set is updated by exactly one action.",
        ));
    };
    let set = find(state, call)?;
    if set.status != Status::Active {
        return Err(fault::pending(set, now));
    }
    if let Some(add) = action.get("addRegionAction") {
        add_region(set, add, now)?;
        set.begin(Status::Updating, reads, call);
        return Ok(Map::new());
    }
    let name = action
        .pointer("/deleteRegionAction/regionName")
        .and_then(Value::as_str)
        .ok_or_else(|| fault::invalid("The action adds or deletes a Region."))?;
    let last = set.regions.len() == 1;
    let Some(region) = set.regions.get_mut(name) else {
        return Err(fault::invalid(format!(
            "{name} is not a Region of the replication set."
        )));
    };
    if last {
        // Deleting the last Region is deleting the set (service model, DeletionProtected).
        return remove(state, call);
    }
    region.status = Status::Deleting;
    region.changed = now;
    set.begin(Status::Updating, reads, call);
    Ok(Map::new())
}

fn add_region(set: &mut ReplicationSet, add: &Value, now: f64) -> Result<(), Fault> {
    let name = add
        .get("regionName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if set.regions.contains_key(name) {
        return Err(fault::invalid(format!(
            "{name} already is a Region of the replication set."
        )));
    }
    if set.regions.len() == MOST_REGIONS {
        return Err(fault::invalid(
            "A replication set can have at most three Regions.",
        ));
    }
    let region = new_region(name, add, now)?;
    let ours = set.regions.values().any(|r| r.key == DEFAULT_KEY);
    if ours != (region.key == DEFAULT_KEY) {
        return Err(fault::invalid(
            "Either all Regions of a replication set have a customer managed key, or none.",
        ));
    }
    set.regions.insert(name.to_owned(), region);
    Ok(())
}

fn protect(state: &mut State, call: &mut Call<'_>) -> Answer {
    let protected = call.bool("deletionProtected").unwrap_or_default();
    let set = find(state, call)?;
    set.deletion_protected = protected;
    // Not `begin`: a pending change goes on as before.
    call.caller.clone_into(&mut set.modified_by);
    if set.status == Status::Active {
        set.modified = call.now_seconds();
    }
    Ok(Map::new())
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let set = find(state, call)?;
    if set.status == Status::Deleting {
        return Ok(Map::new());
    }
    remove(state, call)
}

/// Takes the whole set and all Incident Manager data with it.
fn remove(state: &mut State, call: &mut Call<'_>) -> Answer {
    let reads = state.settings.async_reads;
    let now = call.now_seconds();
    let set = find(state, call)?;
    if set.deletion_protected {
        return Err(fault::invalid(
            "The replication set is protected: turn deletion protection off first.",
        ));
    }
    set.begin(Status::Deleting, reads, call);
    for region in set.regions.values_mut() {
        region.status = Status::Deleting;
        region.changed = now;
    }
    let account = state.account(call.account);
    account.contacts = contacts::Store::default();
    account.incidents.plans.clear();
    account.incidents.incidents.clear();
    account.incidents.tokens.clear();
    account.incidents.settle(now);
    Ok(Map::new())
}
