//! `ServiceSetting` in Systems Manager, and the claims in Parameter Store that say whose each is.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput;
use aws_sdk_ssm::types as sdk;

use super::{DEFAULT_ROLE, DOCUMENTED, ServiceSetting};
use crate::aws::{Aws, AwsError, Class, Pages, read_each};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{OBJECT, Owner, STACK, Stamp, Tags, owner};

const SETTING: &str = "arn:{partition}:ssm:{region}:{account}:servicesetting{name}";
const SETTINGS: &str = "arn:{partition}:ssm:{region}:{account}:servicesetting/*";
const CLAIM: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims{name}";
const CLAIMS: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims";
const ALL_CLAIMS: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims/*";
const ROLE: &str = "arn:{partition}:iam::{account}:role/{value}";

/// Below which the claims are.
const PATH: &str = "/stationbill/claims";
/// The status of a setting that nobody has changed: [M] `ServiceSetting`.
const DEFAULT: &str = "Default";
const PENDING: &str = "PendingUpdate";

impl Remote for ServiceSetting {
    const ACTIONS: &'static [Action] = &[
        reads("ssm:GetServiceSetting", SETTINGS),
        reads("ssm:GetParametersByPath", CLAIMS),
        writes("ssm:GetParameter", ALL_CLAIMS).deletes(),
        writes("ssm:PutParameter", CLAIM),
        writes("ssm:UpdateServiceSetting", SETTING),
        // Whoever uses it hands a role to servers: [D] user guide, "Default Host Management Configuration".
        writes("iam:PassRole", ROLE)
            .at("/value")
            .when("/name", DEFAULT_ROLE),
        // A setting has no tags, and what no document declares is in no policy by name.
        writes("ssm:ResetServiceSetting", SETTINGS).deletes(),
        writes("ssm:DeleteParameter", ALL_CLAIMS).deletes(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let (ids, claims) = match select {
            Select::Named(names) => (names.clone(), claims_of(aws, names).await?),
            Select::Wanted { stack, names } => {
                let claims = all_claims(aws).await?;
                let ours = |tags: &Tags| owner(tags, stack) == Owner::Us;
                let claimed = claims.iter().filter(|(_, tags)| ours(tags));
                let ids = claimed.map(|(id, _)| id).chain(names).cloned();
                (ids.collect::<BTreeSet<_>>(), claims)
            }
            Select::Everything => {
                let claims = all_claims(aws).await?;
                let documented = DOCUMENTED.iter().map(|(id, _)| (*id).to_owned());
                (documented.chain(claims.keys().cloned()).collect(), claims)
            }
        };
        let reading: Vec<_> = ids
            .into_iter()
            .filter(|id| !id.is_empty())
            .map(|id| {
                let claim = claims.get(&id).cloned();
                read(aws, id, claim)
            })
            .collect();
        read_each(reading).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        // What AWS does not know is not claimed either.
        let Some(setting) = get(aws, &self.name).await? else {
            let message = format!("AWS knows no setting `{}`", self.name);
            return Err(AwsError::of(Class::Invalid, message));
        };
        let id = aws.required("GetServiceSetting", "ARN", setting.arn)?;
        claim(aws, &self.name, stamp).await?;
        self.set(aws).await?;
        Ok(Id(id))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let ours = live.tags.get(STACK) == stamp.tags.get(STACK);
        if !ours {
            claim(aws, &self.name, stamp).await?;
        }
        if self.value != live.spec.value {
            self.set(aws).await?;
        }
        if ours && live.tags != stamp.tags {
            write_claim(aws, &self.name, &stamp.tags, true).await?;
        }
        Ok(())
    }

    /// Resets the setting, and lets go of it once that is done: a slow one is still ours meanwhile.
    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let setting = get(aws, &live.name).await?;
        if setting.is_some_and(|setting| setting.status.as_deref() != Some(DEFAULT)) {
            let request = aws.ssm.reset_service_setting().setting_id(&live.name);
            let setting = request.send().await?.service_setting;
            if setting.is_none_or(|setting| setting.status.as_deref() != Some(DEFAULT)) {
                return Ok(());
            }
        }
        let request = aws.ssm.delete_parameter().name(parameter(&live.name));
        AwsError::gone_is_fine(request.send().await.map(drop))
    }
}

impl ServiceSetting {
    async fn set(&self, aws: &Aws) -> Result<(), AwsError> {
        let Self { name, value } = self;
        let request = aws.ssm.update_service_setting().setting_id(name);
        request.setting_value(value).send().await?;
        Ok(())
    }
}

/// Claims a setting that nobody has claimed; first come, first served.
///
/// It comes before any change, so that nothing is changed that nobody answers for.
async fn claim(aws: &Aws, id: &str, stamp: &Stamp) -> Result<(), AwsError> {
    let ours = &stamp.tags;
    match write_claim(aws, id, ours, false).await {
        Err(error) if error.class == Class::Exists => {}
        answer => return answer,
    }
    let Some(there) = claim_of(aws, id).await? else {
        // It went in this moment, or this read lags behind.
        return Err(AwsError::of(Class::Busy, "the setting is being claimed"));
    };
    let same = |key: &str| there.get(key) == ours.get(key);
    match there.get(STACK) {
        // A person emptied it.
        None => write_claim(aws, id, ours, true).await,
        // Our own: the answer to an earlier try was lost.
        Some(_) if same(STACK) && same(OBJECT) => Ok(()),
        Some(stack) => {
            let message = format!("the setting is claimed by stack `{stack}`");
            Err(AwsError::of(Class::Exists, message))
        }
    }
}

/// Returns the parameter that holds the claim to a setting.
fn parameter(id: &str) -> String {
    format!("{PATH}/{}", id.trim_start_matches('/'))
}

/// Reads what a claim says; one that a person wrote says nothing.
fn tags(value: Option<&str>) -> Tags {
    value
        .and_then(|value| serde_json::from_str(value).ok())
        .unwrap_or_default()
}

async fn all_claims(aws: &Aws) -> Result<BTreeMap<String, Tags>, AwsError> {
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

async fn claims_of(aws: &Aws, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Tags>, AwsError> {
    let mut claims = BTreeMap::new();
    for id in ids.iter().filter(|id| !id.is_empty()) {
        if let Some(tags) = claim_of(aws, id).await? {
            claims.insert(id.clone(), tags);
        }
    }
    Ok(claims)
}

async fn claim_of(aws: &Aws, id: &str) -> Result<Option<Tags>, AwsError> {
    let request = aws.ssm.get_parameter().name(parameter(id));
    match request.send().await.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => Ok(None),
        answer => {
            let parameter = answer?.parameter;
            Ok(Some(tags(parameter.as_ref().and_then(|p| p.value()))))
        }
    }
}

async fn write_claim(aws: &Aws, id: &str, tags: &Tags, overwrite: bool) -> Result<(), AwsError> {
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

async fn get(aws: &Aws, id: &str) -> Result<Option<sdk::ServiceSetting>, AwsError> {
    let request = aws.ssm.get_service_setting().setting_id(id);
    match request.send().await.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => Ok(None),
        answer => Ok(answer?.service_setting),
    }
}

/// Reads a setting; nothing when AWS does not know it, or it has its default and nobody has claimed it.
async fn read(
    aws: &Aws,
    id: String,
    claim: Option<Tags>,
) -> Result<Option<Live<ServiceSetting>>, AwsError> {
    let Some(setting) = get(aws, &id).await? else {
        return Ok(None);
    };
    let status = setting.status.unwrap_or_default();
    if status == DEFAULT && claim.is_none() {
        return Ok(None);
    }
    let value = aws.required("GetServiceSetting", "SettingValue", setting.setting_value)?;
    let spec = ServiceSetting {
        name: id.clone(),
        value,
    };
    Ok(Some(Live {
        id: Id(aws.required("GetServiceSetting", "ARN", setting.arn)?),
        name: id,
        spec,
        tags: claim.unwrap_or_default(),
        // A slow one has for a moment no status at all: [T] what Terraform waits for.
        ready: !status.is_empty() && status != PENDING,
        notes: Vec::new(),
    }))
}
