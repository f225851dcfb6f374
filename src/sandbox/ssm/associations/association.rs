//! Associations themselves: create, update, read, delete.

use serde_json::{Value, json};

use super::super::{invalid, members, operations, tags};
use super::{Association, FIELDS, Version, check, named};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many associations an account has in a region, and how many versions an association: [D] AWS General Reference,
/// Systems Manager quotas.
const MOST: usize = 2_000;
const MOST_VERSIONS: usize = 1_000;

operations! {
    Write "CreateAssociation" => create,
    Write "UpdateAssociation" => update,
    Read "DescribeAssociation" => describe,
    Write "DeleteAssociation" => delete,
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let fields = said(call);
    check::check(state, call, &fields)?;
    let sent = tags::sent(call).map_err(|fault| Fault::new("InvalidTag", fault.message))?;
    let (id, run) = (call.uuid(), call.uuid());
    let now = call.now_seconds();
    let store = state.ssm(call.account, call.region);
    let instance = fields.get("InstanceId").and_then(Value::as_str);
    if let Some(instance) = instance {
        let name = call.required("Name");
        let mut others = store.associations.values();
        if others.any(|other| other.is_of(name, instance)) {
            return Err(Fault::new("AssociationAlreadyExists", ""));
        }
    }
    if quotas && store.associations.len() >= MOST {
        return Err(Fault::new("AssociationLimitExceeded", ""));
    }
    let mut association = Association {
        id: id.clone(),
        created: now,
        versions: vec![Version {
            fields,
            created: now,
        }],
        runs: Vec::new(),
        status: None,
    };
    run_at_once(&mut association, run, now);
    let answer = association.description(1);
    store.associations.insert(id.clone(), association);
    tags::set(store, "Association", &id, sent);
    Ok(members(json!({ "AssociationDescription": answer })))
}

/// Writes the whole association anew: [M] "the system removes all optional parameters from the request and overwrites
/// the association with null values for those parameters". Every update is a version, also one that changes nothing.
fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let run = call.uuid();
    let (now, mut fields) = (call.now_seconds(), said(call));
    let store = state.ssm(call.account, call.region);
    let id = named(&store.associations, call)?;
    let Some(before) = store.associations.get(&id) else {
        return Err(super::unknown(&id));
    };
    let latest = before.versions.len();
    match call.str("AssociationVersion") {
        None | Some("$LATEST") => {}
        Some(version) if version == latest.to_string() => {}
        Some(_) => {
            return Err(Fault::new(
                "InvalidAssociationVersion",
                format!("The latest version of the association is {latest}."),
            ));
        }
    }
    // An association cannot be without a document, and has no other node.
    for member in ["Name", "InstanceId"] {
        if let Some(value) = before.newest().get(member)
            && !fields.contains_key(member)
        {
            fields.insert(member.to_owned(), value.clone());
        }
    }
    if quotas && latest >= MOST_VERSIONS {
        return Err(Fault::new(
            "AssociationVersionLimitExceeded",
            format!("An association can have at most {MOST_VERSIONS} versions."),
        ));
    }
    check::check(state, call, &fields)?;
    let store = state.ssm(call.account, call.region);
    let Some(association) = store.associations.get_mut(&id) else {
        return Err(super::unknown(&id));
    };
    association.versions.push(Version {
        fields,
        created: now,
    });
    run_at_once(association, run, now);
    let answer = association.description(latest + 1);
    Ok(members(json!({ "AssociationDescription": answer })))
}

/// [M] "By default, when you create a new association, the system runs it immediately after it is created"; the same
/// for an update.
fn run_at_once(association: &mut Association, run: String, now: f64) {
    let waits = association.newest().get("ApplyOnlyAtCronInterval") == Some(&json!(true));
    if !waits {
        association.begin(run, now);
    }
}

/// Returns what a request says, with what AWS fills in where it says nothing.
fn said(call: &Call<'_>) -> Map {
    let mut fields = Map::new();
    for name in FIELDS {
        if let Some(value) = call.input.get(name) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    for (member, default) in [
        ("DocumentVersion", json!("$DEFAULT")),
        ("SyncCompliance", json!("AUTO")),
        ("ApplyOnlyAtCronInterval", json!(false)),
    ] {
        fields.entry(member).or_insert(default);
    }
    // AWS's own examples write it small, and read it back as it is here: AWS CLI reference, `create-association`.
    let targets = fields.get_mut("Targets").and_then(Value::as_array_mut);
    for key in targets
        .into_iter()
        .flatten()
        .filter_map(|target| target.get_mut("Key"))
    {
        if key
            .as_str()
            .is_some_and(|key| key.eq_ignore_ascii_case("InstanceIds"))
        {
            *key = json!("InstanceIds");
        }
    }
    if let Some(alarms) = fields
        .get_mut("AlarmConfiguration")
        .and_then(Value::as_object_mut)
    {
        alarms
            .entry("IgnorePollAlarmFailure")
            .or_insert(json!(false));
    }
    fields
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let associations = &state.ssm(call.account, call.region).associations;
    identified(call)?;
    let id = named(associations, call)?;
    let Some(association) = associations.get(&id) else {
        return Err(super::unknown(&id));
    };
    let latest = association.versions.len();
    let number = match call.str("AssociationVersion") {
        None | Some("$LATEST") => latest,
        Some(number) => number.parse().unwrap_or(0),
    };
    if !(1..=latest).contains(&number) {
        return Err(Fault::new(
            "InvalidAssociationVersion",
            format!("The association has no version {number}."),
        ));
    }
    let answer = association.description(number);
    Ok(members(json!({ "AssociationDescription": answer })))
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = state.ssm(call.account, call.region);
    identified(call)?;
    let id = named(&store.associations, call)?;
    store.associations.remove(&id);
    tags::forget(store, "Association", &id);
    Ok(Map::new())
}

/// Refuses a request that names no association in either way: no member is required by the model.
fn identified(call: &Call<'_>) -> Result<(), Fault> {
    let old = call.str("Name").is_some() && call.str("InstanceId").is_some();
    if old || call.str("AssociationId").is_some() {
        return Ok(());
    }
    Err(invalid(
        "Either AssociationId, or Name and InstanceId must be specified.",
    ))
}
