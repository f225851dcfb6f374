//! Configuration policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::{Everywhere, arn, fault, operation, page, tags};
use super::{Central, check, open};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(in crate::sandbox::securityhub) const OPERATIONS: &[Operation] = &[
    operation("CreateConfigurationPolicy", Access::Write, create),
    operation("GetConfigurationPolicy", Access::Read, get),
    operation("ListConfigurationPolicies", Access::Read, list),
    operation("UpdateConfigurationPolicy", Access::Write, update),
    operation("DeleteConfigurationPolicy", Access::Write, delete),
];

/// A policy.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    arn: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Its `SecurityHub`.
    pub(super) body: Map,
    /// How often its body changed.
    pub(super) revision: u32,
    created: f64,
    updated: f64,
    tags: BTreeMap<String, String>,
}

impl Policy {
    fn answer(&self, id: &str) -> Map {
        let Self {
            arn,
            name,
            description,
            body,
            revision: _,
            created,
            updated,
            tags: _,
        } = self;
        let mut answer = Map::from_iter([
            ("Arn".to_owned(), json!(arn)),
            ("Id".to_owned(), json!(id)),
            ("Name".to_owned(), json!(name)),
            ("UpdatedAt".to_owned(), json!(updated)),
            ("CreatedAt".to_owned(), json!(created)),
            (
                "ConfigurationPolicy".to_owned(),
                json!({ "SecurityHub": body }),
            ),
        ]);
        if let Some(description) = description {
            answer.insert("Description".to_owned(), json!(description));
        }
        answer
    }

    fn summary(&self, id: &str) -> Value {
        let mut answer = self.answer(id);
        answer.remove("CreatedAt");
        answer.remove("ConfigurationPolicy");
        let enabled = self.body.get("ServiceEnabled").cloned();
        answer.insert("ServiceEnabled".to_owned(), enabled.unwrap_or_default());
        answer.into()
    }
}

impl Central {
    /// Returns the id of the policy that an id or ARN names.
    pub(super) fn policy(&self, identifier: &str) -> Result<String, Fault> {
        let mut policies = self.policies.iter();
        let found = policies.find(|(id, policy)| *id == identifier || policy.arn == identifier);
        found.map(|(id, _)| id.clone()).ok_or_else(|| {
            fault::not_found(format!("Configuration policy {identifier} does not exist"))
        })
    }
}

/// Makes another policy each time: there is no token, and AWS documents nowhere that a name must be unique.
fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let id = call.uuid();
    let arn = arn(call, &format!("configuration-policy/{id}"));
    let now = call.now_seconds();
    let central = open(state, call)?;
    let name = call.required("Name");
    check::name(name)?;
    let policy = Policy {
        arn,
        name: name.to_owned(),
        description: call.str("Description").map(str::to_owned),
        body: check::body(call)?.unwrap_or_default(),
        revision: 0,
        created: now,
        updated: now,
        tags: tags::from_input(call.map("Tags")),
    };
    let answer = policy.answer(&id);
    central.policies.insert(id, policy);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let central = open(state, call)?;
    let id = central.policy(call.required("Identifier"))?;
    let policy = central.policies.get(&id);
    Ok(policy.map(|policy| policy.answer(&id)).unwrap_or_default())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let central = open(state, call)?;
    let policies = central.policies.iter();
    let found: Vec<(String, Value)> = policies
        .map(|(id, policy)| (id.clone(), policy.summary(id)))
        .collect();
    // AWS documents the most that one can ask for, and not what it gives whoever asks for nothing.
    page::page(call, "ConfigurationPolicySummaries", 100, found)
}

/// Keeps what a request leaves out, and replaces the policy itself whole; whoever it is for gets it anew.
fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let pending = super::Pending::new(state, call);
    let now = call.now_seconds();
    let central = open(state, call)?;
    let id = central.policy(call.required("Identifier"))?;
    if let Some(name) = call.str("Name") {
        check::name(name)?;
    }
    let body = check::body(call)?;
    let Some(policy) = central.policies.get_mut(&id) else {
        return Ok(Map::new());
    };
    if let Some(name) = call.str("Name") {
        name.clone_into(&mut policy.name);
    }
    if let Some(description) = call.str("Description") {
        policy.description = Some(description.to_owned());
    }
    policy.updated = now;
    let body = body.filter(|body| *body != policy.body);
    let is_new = body.is_some();
    if let Some(body) = body {
        policy.body = body;
        policy.revision += 1;
    }
    let answer = policy.answer(&id);
    if is_new {
        central.begin_again(&id, &pending);
    }
    Ok(answer)
}

/// [D] "you must first disassociate a configuration policy from target accounts, organizational units, or the root".
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let central = open(state, call)?;
    let id = central.policy(call.required("Identifier"))?;
    if central.is_associated(&id) {
        return Err(fault::conflict(format!(
            "Configuration policy {id} is associated with accounts or units; disassociate them first"
        )));
    }
    central.policies.remove(&id);
    Ok(Map::new())
}

/// Finds the tags of a policy; they are there while central configuration is on.
pub(in crate::sandbox::securityhub) fn tags_of<'s>(
    everywhere: &'s mut Everywhere,
    arn: &str,
) -> Option<&'s mut BTreeMap<String, String>> {
    let policies = &mut everywhere.central.policies;
    let (_, id) = arn.rsplit_once('/')?;
    let policy = policies.get_mut(id).filter(|policy| policy.arn == arn)?;
    Some(&mut policy.tags)
}
