//! `ServiceSetting` in Systems Manager, and the claims in Parameter Store that say whose each is.

use std::collections::BTreeSet;

use aws_sdk_ssm::types as sdk;

use super::{DEFAULT_ROLE, DOCUMENTED, ServiceSetting};
use crate::aws::{Aws, AwsError, Class, claims, read_each};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Owner, STACK, Stamp, Tags, owner};

const SETTING: &str = "arn:{partition}:ssm:{region}:{account}:servicesetting{name}";
const SETTINGS: &str = "arn:{partition}:ssm:{region}:{account}:servicesetting/*";
const CLAIM: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims{name}";
const CLAIMS: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims";
const ALL_CLAIMS: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims/*";
const ROLE: &str = "arn:{partition}:iam::{account}:role/{value}";

/// What is claimed, in errors.
const WHAT: &str = "setting";
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
            .when("/name", &[DEFAULT_ROLE]),
        // A setting has no tags, and what no document declares is in no policy by name.
        writes("ssm:ResetServiceSetting", SETTINGS).deletes(),
        writes("ssm:DeleteParameter", ALL_CLAIMS).deletes(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let (ids, claims) = match select {
            Select::Named(names) => (names.clone(), claims::of_each(aws, names).await?),
            Select::Wanted { stack, names, .. } => {
                let claims = claims::all(aws).await?;
                let ours = |tags: &Tags| owner(tags, stack) == Owner::Us;
                let claimed = claims.iter().filter(|(_, tags)| ours(tags));
                let ids = claimed.map(|(id, _)| id).chain(names).cloned();
                (ids.collect::<BTreeSet<_>>(), claims)
            }
            Select::Everything => {
                let claims = claims::all(aws).await?;
                let documented = DOCUMENTED.iter().map(|(id, _)| (*id).to_owned());
                (documented.chain(claims.keys().cloned()).collect(), claims)
            }
        };
        let reading = ids
            .into_iter()
            // Other kinds claim what is theirs beside the settings.
            .filter(|id| !id.is_empty() && !id.starts_with(claims::SECURITY_HUB))
            .map(|id| {
                let claim = claims.get(&id).cloned();
                read(aws, id, claim)
            });
        read_each(reading).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        // What AWS does not know is not claimed either.
        let Some(setting) = get(aws, &self.name).await? else {
            let message = format!("AWS knows no setting `{}`", self.name);
            return Err(AwsError::of(Class::Invalid, message));
        };
        let id = aws.required("GetServiceSetting", "ARN", setting.arn)?;
        claims::claim(aws, &self.name, WHAT, stamp).await?;
        self.set(aws).await?;
        Ok(Id(id))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let ours = live.tags.get(STACK) == stamp.tags.get(STACK);
        if !ours {
            claims::claim(aws, &self.name, WHAT, stamp).await?;
        }
        if self.value != live.spec.value {
            self.set(aws).await?;
        }
        if ours && live.tags != stamp.tags {
            claims::write(aws, &self.name, &stamp.tags, true).await?;
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
        claims::release(aws, &live.name).await
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
