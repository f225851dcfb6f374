//! The faults of `ssm-contacts`, with the members that its error shapes require.

use std::fmt::Display;

use serde_json::{Value, json};

use super::arn::Kind;
use crate::sandbox::Fault;

/// Refuses an input that the model's constraints let through.
pub(super) fn invalid(why: impl Display) -> Fault {
    // The prefix is AWS's: "Invalid value provided - Account not found for the request" and others were seen so.
    Fault::new(
        "ValidationException",
        format!("Invalid value provided - {why}"),
    )
    .with("Reason", "OTHER")
}

/// Refuses one member of the input.
pub(super) fn field(name: &str, why: impl Display) -> Fault {
    let why = why.to_string();
    Fault::new(
        "ValidationException",
        format!("Invalid value provided - {name}: {why}"),
    )
    .with("Reason", "FIELD_VALIDATION_FAILED")
    .with("Fields", json!([{ "Name": name, "Message": why }]))
}

/// Answers every operation of an account that has no active replication set in the region.
pub(super) fn not_onboarded() -> Fault {
    invalid("Account not found for the request")
}

/// Says that something named by its ARN (or, for an override, its id) is not there.
pub(super) fn missing(kind: Kind, id: &str) -> Fault {
    Fault::new(
        "ResourceNotFoundException",
        format!("{} not found: {id}", kind.label()),
    )
    .with("ResourceId", id)
    .with("ResourceType", kind.resource_type())
}

/// Says that a change would leave an inconsistent state behind.
pub(super) fn conflict(kind: Kind, id: &str, why: impl Display) -> Fault {
    Fault::new("ConflictException", why.to_string())
        .with("ResourceId", id)
        .with("ResourceType", kind.resource_type())
}

/// Says which resources stand in the way of a change.
pub(super) fn depended_on(kind: Kind, id: &str, relation: Kind, dependents: &[String]) -> Fault {
    conflict(
        kind,
        id,
        format!(
            "{} is in use by {} resource(s) of type {}: {id}",
            kind.label(),
            dependents.len(),
            relation.resource_type()
        ),
    )
    .with(
        "DependentEntities",
        Value::Array(vec![json!({
            "RelationType": relation.resource_type(),
            "DependentResourceIds": dependents,
        })]),
    )
}

/// Says that a documented quota would be exceeded.
///
/// The real codes are not published (they need an account to look up), so the quota's name stands for its code.
pub(super) fn quota(code: &str, kind: Kind, id: &str, why: impl Display) -> Fault {
    Fault::new("ServiceQuotaExceededException", why.to_string())
        .with("QuotaCode", code)
        .with("ServiceCode", "ssm-contacts")
        .with("ResourceId", id)
        .with("ResourceType", kind.resource_type())
}

/// Refuses the use of another account's resource.
pub(super) fn denied(caller: &str, arn: &str) -> Fault {
    Fault::new(
        "AccessDeniedException",
        format!("User: {caller} is not authorized to access this resource: {arn}"),
    )
}
