//! The faults of this service, each in one place.

use super::replication_set::ReplicationSet;
use crate::sandbox::Fault;

/// What a fault is about: `resourceType` of the service model.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    ResponsePlan,
    IncidentRecord,
    TimelineEvent,
    ReplicationSet,
    ResourcePolicy,
}

impl Kind {
    const fn wire(self) -> &'static str {
        match self {
            Self::ResponsePlan => "RESPONSE_PLAN",
            Self::IncidentRecord => "INCIDENT_RECORD",
            Self::TimelineEvent => "TIMELINE_EVENT",
            Self::ReplicationSet => "REPLICATION_SET",
            Self::ResourcePolicy => "RESOURCE_POLICY",
        }
    }
}

/// How long a pending replication set asks callers to wait.
const RETRY_SECONDS: f64 = 30.0;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("ValidationException", message)
}

pub(super) fn not_found(kind: Kind, identifier: &str, message: impl Into<String>) -> Fault {
    let fault = Fault::new("ResourceNotFoundException", message).with("resourceType", kind.wire());
    if identifier.is_empty() {
        fault
    } else {
        fault.with("resourceIdentifier", identifier)
    }
}

pub(super) fn conflict(kind: Kind, identifier: &str, message: impl Into<String>) -> Fault {
    Fault::new("ConflictException", message)
        .with("resourceIdentifier", identifier)
        .with("resourceType", kind.wire())
}

/// The set is between two states; the call can be made again once it is ACTIVE.
pub(super) fn pending(set: &ReplicationSet, now: f64) -> Fault {
    let message = format!("The replication set is {}.", set.status.wire());
    conflict(Kind::ReplicationSet, &set.arn, message).with("retryAfter", now + RETRY_SECONDS)
}

/// A resource can carry 50 tags.
pub(super) fn too_many_tags(arn: &str) -> Fault {
    Fault::new(
        "ServiceQuotaExceededException",
        "A resource can have at most 50 tags.",
    )
    .with("resourceIdentifier", arn)
    .with("serviceCode", super::SERVICE)
    .with("quotaCode", "TagsPerResource")
}
