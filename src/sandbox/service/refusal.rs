//! Faults that the front of every service answers with, by the names that the service and the protocol give them.

use crate::sandbox::Fault;
use crate::sandbox::wire::{Protocol, Route};

/// Makes the service's own throttling error.
pub(super) fn throttled(route: &Route) -> Fault {
    let code = match route.service.name {
        // The one error of most of its operations with HTTP 429 (service model).
        _ if route.operation.fails_with("LimitExceededException") => "LimitExceededException",
        // Its one error with HTTP 429 (service model).
        "organizations" => "TooManyRequestsException",
        _ if speaks_query(route) => "Throttling",
        _ => "ThrottlingException",
    };
    let fault = Fault::new(code, "Rate exceeded");
    match route.service.error(None, code) {
        Some((_, shape)) if shape.members.get("quotaCode").is_some() => fault
            .with("serviceCode", route.service.name)
            .with("quotaCode", route.name),
        _ => fault,
    }
}

pub(super) fn internal(message: String) -> Fault {
    let mut fault = Fault::new("InternalFailure", message);
    fault.status = 500;
    fault
}

/// Makes the error of a signature whose time is too far from the service's.
pub(super) fn untimely(suffix: &str, why: String) -> Fault {
    let code = if suffix.is_empty() {
        "SignatureDoesNotMatch"
    } else {
        "InvalidSignatureException"
    };
    let mut fault = Fault::new(code, why);
    fault.status = 403;
    fault
}

/// Says what a caller is told whose policies do not mention the action.
pub(super) fn unmentioned(route: &Route, caller: &str) -> String {
    let (service, operation) = (route.service.name, route.name);
    format!(
        "User: {caller} is not authorized to perform: {service}:{operation} because no identity-based policy allows the \
         {service}:{operation} action"
    )
}

/// Makes the access-denied error.
pub(super) fn denied(route: &Route, message: String) -> Fault {
    if !speaks_query(route) {
        return Fault::new("AccessDeniedException", message);
    }
    let mut fault = Fault::new("AccessDenied", message);
    fault.status = 403;
    fault
}

/// Makes the error of credentials that a region does not know, because their account has not enabled it.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html>
pub(super) fn unknown_credentials(route: &Route) -> Fault {
    let message = "The security token included in the request is invalid.";
    if speaks_query(route) {
        let mut fault = Fault::new("InvalidClientTokenId", message);
        fault.status = 403;
        return fault;
    }
    Fault::new("UnrecognizedClientException", message)
}

/// Says whether clients know the service's errors by the names of the awsQuery protocol.
fn speaks_query(route: &Route) -> bool {
    route.protocol == Protocol::Query || route.service.metadata.query_compatible()
}
