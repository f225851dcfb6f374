//! Who calls: read from the signature, whose value is not verified.

use http::HeaderMap;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};

use crate::sandbox::{Fault, State};

/// The account of credentials that name none.
pub(crate) const DEFAULT_ACCOUNT: &str = "111122223333";

/// What a signature says about its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) access_key: String,
    pub(crate) region: String,
    /// The service in the scope; the request itself decides where it goes.
    pub(crate) service: String,
}

/// Why a request has no usable signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    Missing,
    Incomplete(String),
}

impl Signature {
    /// Reads the `Authorization` header, or the query of a presigned request.
    pub(crate) fn read(parts: &Parts) -> Result<Self, Unsigned> {
        if let Some(header) = parts.headers.get(http::header::AUTHORIZATION) {
            return Self::from_header(header.to_str().unwrap_or_default(), &parts.headers);
        }
        let query = parts.uri.query().unwrap_or_default();
        super::form::pairs(query)
            .iter()
            .find(|(name, _)| name == "X-Amz-Credential")
            .map_or(Err(Unsigned::Missing), |(_, scope)| {
                Self::from_scope(scope, &parts.headers)
            })
    }

    fn from_header(header: &str, headers: &HeaderMap) -> Result<Self, Unsigned> {
        let incomplete = |what: &str| {
            Unsigned::Incomplete(format!("Authorization header requires '{what}' parameter."))
        };
        let Some((algorithm, fields)) = header.trim().split_once(' ') else {
            return Err(incomplete("Credential"));
        };
        if !algorithm.starts_with("AWS4-") {
            return Err(Unsigned::Incomplete(format!(
                "Unsupported AWS 'algorithm': '{algorithm}'."
            )));
        }
        let field = |name: &str| {
            fields
                .split(',')
                .filter_map(|field| field.trim().split_once('='))
                .find(|(n, _)| *n == name)
                .map(|(_, value)| value)
        };
        for name in ["Credential", "Signature", "SignedHeaders"] {
            if field(name).is_none_or(str::is_empty) {
                return Err(incomplete(name));
            }
        }
        Self::from_scope(field("Credential").unwrap_or_default(), headers)
    }

    fn from_scope(scope: &str, headers: &HeaderMap) -> Result<Self, Unsigned> {
        let parts: Vec<&str> = scope.split('/').collect();
        let (access_key, region, service) = match parts[..] {
            [key, _date, region, service, "aws4_request"] => (key, region, service),
            // A signature for several regions (SigV4a) names them in a header of its own.
            [key, _date, service, "aws4_request"] => (key, region_set(headers), service),
            _ => {
                return Err(Unsigned::Incomplete(format!(
                    "Credential must have at least 5 slash-delimited elements, e.g. \
                     keyid/date/region/service/term, got '{scope}'."
                )));
            }
        };
        Ok(Self {
            access_key: access_key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// Returns the account that the credentials belong to.
    pub(crate) fn account(&self) -> &str {
        let key = self.access_key.as_str();
        if is_account(key) {
            return key;
        }
        // AssumeRole hands out `ASIA`, the account, and four letters.
        match key
            .strip_prefix("ASIA")
            .and_then(|rest| rest.split_at_checked(12))
        {
            Some((account, letters)) if is_account(account) && letters.len() == 4 => account,
            _ => DEFAULT_ACCOUNT,
        }
    }

    /// Returns the caller's ARN: the assumed role's session, or the account's one simulated user.
    pub(crate) fn caller(&self, state: &State) -> String {
        state
            .sessions
            .get(&self.access_key)
            .cloned()
            .unwrap_or_else(|| format!("arn:aws:iam::{}:user/sandbox", self.account()))
    }
}

/// How far a signature's time may be from the service's.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Refuses a signature that is too old or from the future, in the words of Signature Version 4: "Troubleshooting
/// signed requests", IAM user guide. A request without a time passes: nothing here verifies a signature's value.
pub(crate) fn untimely(parts: &Parts, now: Timestamp) -> Result<(), String> {
    const FORM: &str = "%Y%m%dT%H%M%SZ";
    let header = parts.headers.get("x-amz-date");
    let signed = header.and_then(|date| date.to_str().ok()).unwrap_or("");
    let Ok(moment) = jiff::civil::DateTime::strptime(FORM, signed)
        .and_then(|moment| jiff::tz::TimeZone::UTC.to_timestamp(moment))
    else {
        return Ok(());
    };
    let limit = |by: SignedDuration| now.saturating_add(by).unwrap_or(now);
    let (first, last) = (limit(-TOLERANCE), limit(TOLERANCE));
    let form = |moment: Timestamp| moment.strftime(FORM).to_string();
    if moment < first {
        Err(format!(
            "Signature expired: {signed} is now earlier than {} ({} - 5 min.)",
            form(first),
            form(now)
        ))
    } else if moment > last {
        Err(format!(
            "Signature not yet current: {signed} is still later than {} ({} + 5 min.)",
            form(last),
            form(now)
        ))
    } else {
        Ok(())
    }
}

impl Unsigned {
    /// Returns the fault, by the name that the protocol gives it.
    pub(crate) fn fault(&self, suffix: &str) -> Fault {
        let mut fault = match self {
            Self::Missing => Fault::new(
                format!("MissingAuthenticationToken{suffix}"),
                "Missing Authentication Token",
            ),
            Self::Incomplete(why) => Fault::new(format!("IncompleteSignature{suffix}"), why),
        };
        fault.status = 403;
        fault
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn region_set(headers: &HeaderMap) -> &str {
    headers
        .get("x-amz-region-set")
        .and_then(|value| value.to_str().ok())
        .and_then(|set| set.split(',').next())
        .filter(|region| !region.contains('*') && !region.is_empty())
        .unwrap_or("us-east-1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(credential: &str) -> Result<Signature, Unsigned> {
        let header =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let request = http::Request::builder()
            .header("authorization", header)
            .body(())
            .unwrap();
        Signature::read(&request.into_parts().0)
    }

    #[test]
    fn the_scope_names_region_and_service() {
        let read = signature("222233334444/20260101/eu-west-1/ssm/aws4_request").unwrap();
        assert_eq!(
            (read.region.as_str(), read.service.as_str()),
            ("eu-west-1", "ssm")
        );
        assert_eq!(read.account(), "222233334444");
    }

    #[test]
    fn keys_name_accounts() {
        let account = |key: &str| {
            let read = signature(&format!("{key}/20260101/eu-west-1/ssm/aws4_request")).unwrap();
            read.account().to_owned()
        };
        assert_eq!(account("ASIA222233334444QRST"), "222233334444");
        assert_eq!(account("AKIAIOSFODNN7EXAMPLE"), DEFAULT_ACCOUNT);
        assert_eq!(account("ASIAIOSFODNN7EXAMPLE"), DEFAULT_ACCOUNT);
        assert_eq!(account("test"), DEFAULT_ACCOUNT);
    }

    #[test]
    fn a_presigned_request_is_signed() {
        let request = http::Request::builder()
            .uri("/?Action=GetCallerIdentity&X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fsts%2Faws4_request")
            .body(())
            .unwrap();
        let read = Signature::read(&request.into_parts().0).unwrap();
        assert_eq!(read.service, "sts");
    }

    #[test]
    fn a_signature_holds_for_five_minutes_either_way() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let asked = |time: &str| {
            let request = http::Request::builder().header("x-amz-date", time);
            untimely(&request.body(()).unwrap().into_parts().0, now)
        };
        for time in ["20260101T115501Z", "20260101T120459Z", "nonsense"] {
            assert_eq!(asked(time), Ok(()), "{time}");
        }
        assert!(
            asked("20260101T115459Z")
                .unwrap_err()
                .ends_with("is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)")
        );
        assert!(
            asked("20260101T120501Z")
                .unwrap_err()
                .ends_with("is still later than 20260101T120500Z (20260101T120000Z + 5 min.)")
        );
    }

    #[test]
    fn a_request_without_signature_is_refused() {
        let request = http::Request::builder().body(()).unwrap();
        assert_eq!(
            Signature::read(&request.into_parts().0),
            Err(Unsigned::Missing)
        );
        assert!(matches!(
            signature("AKIA/20260101"),
            Err(Unsigned::Incomplete(_))
        ));
    }
}
