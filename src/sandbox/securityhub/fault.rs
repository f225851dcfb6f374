//! The faults of this service, each in one place.

use crate::sandbox::{Call, Fault};

fn fault(code: &str, message: impl Into<String>) -> Fault {
    Fault::new(code, message).with("Code", code)
}

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    fault("InvalidInputException", message)
}

pub(super) fn not_found(message: impl Into<String>) -> Fault {
    fault("ResourceNotFoundException", message)
}

pub(super) fn in_use(message: impl Into<String>) -> Fault {
    fault("ResourceInUseException", message)
}

pub(super) fn conflict(message: impl Into<String>) -> Fault {
    fault("ResourceConflictException", message)
}

/// There are as many as there may be. The same code says that there were too many calls.
pub(super) fn limit(message: impl Into<String>) -> Fault {
    fault("LimitExceededException", message)
}

/// The caller may not do this, whatever its permissions are.
pub(super) fn denied(message: impl Into<String>) -> Fault {
    fault("AccessDeniedException", message)
}

/// Central configuration is for the home region; seen word for word by clients.
pub(super) fn not_at_home() -> Fault {
    denied("Central Configuration APIs can only be called from the aggregation region")
}

/// The caller's account is not one that may do this.
pub(super) fn no_access(message: impl Into<String>) -> Fault {
    fault("InvalidAccessException", message)
}

/// Security Hub is not enabled here: what nearly every operation says then, with HTTP 401.
pub(super) fn not_subscribed(call: &Call<'_>) -> Fault {
    let message = format!(
        "Account {} is not subscribed to AWS Security Hub",
        call.account
    );
    no_access(message)
}
