//! The data types of parameters, and what each demands of a value.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::super::invalid;
use crate::sandbox::Fault;

/// Data types that only advanced parameters can have.
pub(super) fn needs_advanced(data_type: &str) -> bool {
    matches!(data_type, "url" | "json" | "jsonc")
}

/// Checks a value against its data type.
pub(super) fn check(data_type: &str, value: &str) -> Result<(), Fault> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let valid = match data_type {
        // An image is looked up later, see `image_exists`.
        "text" | "aws:ec2:image" | "aws:ssm:integration" => true,
        "aws:region" => {
            value.split('-').count() >= 3
                && value
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        }
        "aws:account:id" => value.len() == 12 && digits(value),
        "boolean" => matches!(value, "true" | "false"),
        "integer" => digits(value.strip_prefix('-').unwrap_or(value)),
        "float" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "binary" => is_base64(value),
        "hostname" => is_hostname(value),
        "email" => value
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && is_hostname(host)),
        "ipv4-address" => value.parse::<Ipv4Addr>().is_ok(),
        "ipv6-address" => value.parse::<Ipv6Addr>().is_ok(),
        "url" => value
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()),
        "json" => serde_json::from_str::<Value>(value).is_ok(),
        // Comments are what tells it from `json`; YAML's flow style is no judge of them, so the brackets have to do.
        "jsonc" => value.trim_start().starts_with(['{', '[', '"', '/']),
        _ => {
            return Err(invalid(format!(
                "The following data type is not supported: {data_type} (Data type names are all lowercase.)"
            )));
        }
    };
    if valid {
        Ok(())
    } else {
        Err(invalid(format!(
            "The parameter value is not valid for the data type {data_type}."
        )))
    }
}

/// Returns whether a value can be the id of an image.
///
/// AWS checks images after it has answered: a wrong one gets a success, and the parameter is not written.
pub(super) fn image_exists(value: &str) -> bool {
    value.strip_prefix("ami-").is_some_and(|id| {
        matches!(id.len(), 8 | 17)
            && id
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    })
}

fn is_base64(value: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(value)
        .is_ok()
}

fn is_hostname(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 253
        && value.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}
