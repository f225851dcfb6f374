//! Claims: the parameters of Parameter Store that say whose something is that carries no tags.
//!
//! Each is called `/stationbill/claims` with an id behind it, and its value is the stamp that other objects carry as
//! tags, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput;
use aws_sdk_ssm::types as sdk;

use super::{Aws, AwsError, Class, Pages};
use crate::model::stamp::{STACK, Stamp, Tags};

/// Below which the claims are.
const PATH: &str = "/stationbill/claims";

/// How the ids of what belongs to Security Hub begin; those of Systems Manager's settings are its own.
pub const SECURITY_HUB: &str = "/securityhub/";

/// Claims what has this id and what nobody has claimed; first come, first served. `what` it is stands in errors.
///
/// It comes before any change, so that nothing is changed that nobody answers for.
pub async fn claim(aws: &Aws, id: &str, what: &str, stamp: &Stamp) -> Result<(), AwsError> {
    match write(aws, id, &stamp.tags, false).await {
        Err(error) if error.class == Class::Exists => {}
        answer => return answer,
    }
    let Some(there) = of(aws, id).await? else {
        // It went in this moment, or this read lags behind.
        let message = format!("the {what} is being claimed");
        return Err(AwsError::of(Class::Busy, message));
    };
    match there.get(STACK) {
        // A person emptied it.
        None => write(aws, id, &stamp.tags, true).await,
        // Our own: the answer to an earlier try was lost.
        Some(_) if stamp.is_on(&there) => Ok(()),
        // Our own under another name: what it was for never came about, and its document was renamed.
        own if own == stamp.tags.get(STACK) => write(aws, id, &stamp.tags, true).await,
        Some(stack) => {
            let message = format!("the {what} is claimed by stack `{stack}`");
            Err(AwsError::of(Class::Exists, message))
        }
    }
}

/// Writes a claim.
pub async fn write(aws: &Aws, id: &str, tags: &Tags, overwrite: bool) -> Result<(), AwsError> {
    let value = serde_json::to_string(tags)
        .map_err(|error| AwsError::unexpected("the claim", &error.to_string()))?;
    let request = aws
        .ssm
        .put_parameter()
        .name(parameter(id))
        .value(value)
        .r#type(sdk::ParameterType::String)
        // The account's default may be a tier that costs money.
        .tier(sdk::ParameterTier::Standard)
        .overwrite(overwrite);
    request.send().await?;
    Ok(())
}

/// Lets go of what has this id; if nobody has claimed it, that is fine.
pub async fn release(aws: &Aws, id: &str) -> Result<(), AwsError> {
    let request = aws.ssm.delete_parameter().name(parameter(id));
    AwsError::gone_is_fine(request.send().await.map(drop))
}

/// Reads one claim.
pub async fn of(aws: &Aws, id: &str) -> Result<Option<Tags>, AwsError> {
    let request = aws.ssm.get_parameter().name(parameter(id));
    match request.send().await.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => Ok(None),
        answer => {
            let parameter = answer?.parameter;
            Ok(Some(tags(parameter.as_ref().and_then(|p| p.value()))))
        }
    }
}

/// Reads the claims to these ids.
pub async fn of_each(
    aws: &Aws,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, Tags>, AwsError> {
    let mut claims = BTreeMap::new();
    for id in ids.iter().filter(|id| !id.is_empty()) {
        if let Some(tags) = of(aws, id).await? {
            claims.insert(id.clone(), tags);
        }
    }
    Ok(claims)
}

/// Reads every claim of the account and region.
pub async fn all(aws: &Aws) -> Result<BTreeMap<String, Tags>, AwsError> {
    let mut claims = BTreeMap::new();
    let request = aws.ssm.get_parameters_by_path().path(PATH).recursive(true);
    let mut pages = Pages::of(
        request.into_paginator().send(),
        GetParametersByPathOutput::next_token,
    );
    while let Some(page) = pages.next().await {
        let listed = aws.required("GetParametersByPath", "Parameters", page?.parameters)?;
        for parameter in listed {
            let name = parameter.name.unwrap_or_default();
            if let Some(id) = name.strip_prefix(PATH) {
                claims.insert(id.to_owned(), tags(parameter.value.as_deref()));
            }
        }
    }
    Ok(claims)
}

/// Returns the parameter that holds the claim to what has this id.
fn parameter(id: &str) -> String {
    format!("{PATH}/{}", id.trim_start_matches('/'))
}

/// Reads what a claim says; one that a person wrote says nothing.
fn tags(value: Option<&str>) -> Tags {
    value
        .and_then(|value| serde_json::from_str(value).ok())
        .unwrap_or_default()
}
