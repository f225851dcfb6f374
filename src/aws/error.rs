//! What AWS's errors mean: one function classifies them all.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What an error means for whoever called; it decides what happens next, everywhere alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The object is not there.
    NotFound,
    /// An object of that name is there already.
    Exists,
    /// Too many calls, even after the SDK's own retries.
    Throttled,
    /// The credentials may not do this.
    Denied,
    /// AWS does not accept the input.
    Invalid,
    /// Something else stands in the way: a dependent, another change at work.
    Conflict,
    /// Somebody else is writing the same object at this moment; trying again helps, and the SDK does not.
    Busy,
    /// The service is not set up, or not to be had, in this account and region.
    NotAvailable,
    /// The network or the service failed; trying again may help.
    Transient,
    /// Anything else.
    Other,
}

/// What Security Hub says to an account whose hub its organization configures. [O] terraform-provider-aws #39687.
const CENTRALLY_CONFIGURED: &str = "associated with a central configuration policy";

/// An error from AWS, with what a person needs to follow it up.
#[derive(Clone, Debug)]
pub struct AwsError {
    /// What it means.
    pub class: Class,
    /// The error code on the wire, when AWS answered.
    pub code: Option<String>,
    /// What AWS said; may hold personal values, so it is scrubbed before any output.
    pub message: String,
    /// AWS's id of the request, when it answered.
    pub request_id: Option<String>,
}

impl std::fmt::Display for AwsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.code {
            Some(code) if self.message.is_empty() => f.write_str(code),
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }?;
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl StdError for AwsError {}

impl AwsError {
    /// Makes an error about an answer or a document that is not as it must be.
    pub fn unexpected(what: &str, message: &str) -> Self {
        Self {
            class: Class::Other,
            code: None,
            message: format!("{what}: {message}"),
            request_id: None,
        }
    }

    /// Makes an error of a class that AWS did not itself report.
    pub fn of(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            code: None,
            message: message.into(),
            request_id: None,
        }
    }

    /// Returns what to do about credentials that may not do this, and about what AWS says in one word.
    fn advice(&self) -> Option<&'static str> {
        if self.code.as_deref() == Some("AssociatedInstances") {
            return Some("associations still apply the document: delete them first");
        }
        if self.message.contains(CENTRALLY_CONFIGURED) {
            return Some("say it in a ConfigurationPolicy, or take the account out of its policy");
        }
        if self.class != Class::Denied {
            return None;
        }
        match self.code.as_deref()? {
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
                Some("`stationbill iam-policy` prints the policy that the documents need")
            }
            "ExpiredToken" | "ExpiredTokenException" => {
                Some("the credentials have expired: log in again")
            }
            "OptInRequired" => None,
            _ => Some("check the credentials"),
        }
    }

    /// Turns "not found" into success: what is to be deleted may be gone.
    pub fn gone_is_fine<E>(answer: Result<(), E>) -> Result<(), Self>
    where
        Self: From<E>,
    {
        match answer.map_err(Self::from) {
            Err(error) if error.class == Class::NotFound => Ok(()),
            other => other,
        }
    }
}

impl<E, R> From<SdkError<E, R>> for AwsError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self::read(&error)
    }
}

impl AwsError {
    /// Reads the SDK's error.
    pub(super) fn read<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
        let Some(meta) = meta else {
            let class = if matches!(error, SdkError::ConstructionFailure(_)) {
                Class::Invalid
            } else {
                Class::Transient
            };
            return Self {
                class,
                code: None,
                message: chain(error),
                request_id: None,
            };
        };
        let code = meta.code().unwrap_or("Unknown").to_owned();
        let message = meta.message().unwrap_or_default().to_owned();
        let request_id = meta.extra("aws_request_id").map(str::to_owned);
        Self {
            class: classify(&code, &message),
            code: Some(code),
            message,
            request_id,
        }
    }
}

/// Writes an error and its causes on one line, each once.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let layer = error.to_string();
        if !text.contains(&layer) {
            text = format!("{text}: {layer}");
        }
        cause = error.source();
    }
    text
}

/// Says whether an error code means that there were too many calls.
pub(super) fn throttles(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
    )
}

/// Classifies an error code. The one place where AWS's codes are named.
fn classify(code: &str, message: &str) -> Class {
    // The only places where a message decides. An account without Incident Manager answers a plain ValidationException.
    // [T][O] aws-incident-manager reference, section 1.
    if code == "ValidationException" && message.contains("Account not found for the request") {
        return Class::NotAvailable;
    }
    // An account in which Security Hub is not enabled gets the code of one that may not. [O] what Terraform looks for.
    if code == "InvalidAccessException" {
        return if message.contains("is not subscribed to") {
            Class::NotFound
        } else {
            Class::Denied
        };
    }
    // Configuration policies are refused like this where there is no central configuration. [O] what Terraform's users see.
    if code == "AccessDeniedException" && message.contains("delegated administrator with Central") {
        return Class::NotAvailable;
    }
    // No policy of IAM would help an account that configures itself though its organization does that.
    if code == "AccessDeniedException" && message.contains(CENTRALLY_CONFIGURED) {
        return Class::Conflict;
    }
    match code {
        "ResourceNotFoundException"
        | "ResourceNotFound"
        | "InvalidDocument"
        | "DoesNotExistException"
        | "ParameterNotFound"
        | "ServiceSettingNotFound"
        | "AssociationDoesNotExist"
        | "InvalidDocumentVersion"
        | "NotFoundException" => Class::NotFound,
        "DocumentAlreadyExists"
        | "AlreadyExistsException"
        | "ParameterAlreadyExists"
        | "AssociationAlreadyExists" => Class::Exists,
        "ConflictException"
        | "ResourceInUseException"
        | "InvalidDocumentOperation"
        | "AssociatedInstances"
        | "ResourceConflict"
        | "ResourceConflictException"
        | "DuplicateDocumentContent"
        | "DuplicateDocumentVersionName"
        | "IdempotentParameterMismatch" => Class::Conflict,
        "TooManyUpdates" | "ConcurrentModificationException" => Class::Busy,
        code if throttles(code) => Class::Throttled,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "OptInRequired" => Class::Denied,
        "UnsupportedOperationException" | "UnknownOperationException" => Class::NotAvailable,
        "InternalServerError"
        | "InternalServerException"
        | "InternalServiceError"
        | "InternalFailure"
        | "InternalServiceFault"
        | "InternalException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException" => Class::Transient,
        code if code.starts_with("Invalid")
            || code.starts_with("Validation")
            || code.contains("LimitExceeded")
            || code.starts_with("Missing")
            || code.contains("QuotaExceeded") =>
        {
            Class::Invalid
        }
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, message: &str) -> (Class, String) {
        let class = classify(code, message);
        let error = AwsError {
            code: Some(code.to_owned()),
            ..AwsError::of(class, message)
        };
        (class, error.to_string())
    }

    #[test]
    fn advice_is_given_where_it_helps() {
        let (class, text) = told("AccessDeniedException", "User is not authorized");
        assert_eq!(class, Class::Denied);
        assert!(text.contains("iam-policy"), "{text}");
        let message =
            "This account is currently associated with a central configuration policy, so only …";
        let (class, text) = told("AccessDeniedException", message);
        assert_eq!(class, Class::Conflict);
        assert!(
            text.ends_with("take the account out of its policy"),
            "{text}"
        );
    }
}
