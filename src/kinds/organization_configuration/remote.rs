//! `OrganizationConfiguration` in Security Hub CSPM, and the claim in Parameter Store that says whose it is.

use aws_sdk_securityhub::types as sdk;

use super::{AutoEnableStandards, ConfigurationType, OrganizationConfiguration};
use crate::aws::{Aws, AwsError, claims, enums, securityhub};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{STACK, Stamp, Tags};

const HUB: &str = "arn:{partition}:securityhub:{region}:{account}:hub/default";
const CLAIM: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims/securityhub/organization-configuration";

/// What it is claimed by.
const CLAIMED: &str = "/securityhub/organization-configuration";
const WHAT: &str = "configuration of the organization";
/// In how many steps it is reset at most: central configuration is switched off, and the rest is reset.
const RESETS: usize = 2;

impl Remote for OrganizationConfiguration {
    const ACTIONS: &'static [Action] = &[
        reads("securityhub:DescribeOrganizationConfiguration", HUB),
        reads("ssm:GetParameter", CLAIM),
        // It takes no tags, and so no policy can tell whose it is.
        writes("securityhub:UpdateOrganizationConfiguration", HUB).deletes(),
        writes("ssm:PutParameter", CLAIM),
        writes("ssm:DeleteParameter", CLAIM).deletes(),
    ];

    async fn list(aws: &Aws, _: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let there = There::read(aws).await?;
        let claim = claims::of(aws, CLAIMED).await?;
        if claim.is_none() && there.is_reset() {
            return Ok(Vec::new());
        }
        Ok(vec![there.live(aws, claim)])
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        // What is not to be had is not claimed either.
        let there = There::read(aws).await?;
        claims::claim(aws, CLAIMED, WHAT, stamp).await?;
        self.set(aws, &there).await?;
        Ok(id(aws))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        if !live.ready {
            // What AWS is at work on cannot be changed; the engine waits and comes back.
            return Ok(());
        }
        let ours = live.tags.get(STACK) == stamp.tags.get(STACK);
        if !ours {
            claims::claim(aws, CLAIMED, WHAT, stamp).await?;
        }
        let there = There::read(aws).await?;
        self.set(aws, &there).await?;
        if ours && live.tags != stamp.tags {
            claims::write(aws, CLAIMED, &stamp.tags, true).await?;
        }
        Ok(())
    }

    /// Resets it, as far as AWS follows at once, and lets go of it once that is done: until then it is ours.
    async fn delete(aws: &Aws, _: &Live<Self>) -> Result<(), AwsError> {
        for _ in 0..=RESETS {
            let there = There::read(aws).await?;
            if there.is_reset() {
                return claims::release(aws, CLAIMED).await;
            }
            if there.pending {
                break;
            }
            Self::RESET.set(aws, &there).await?;
        }
        Ok(())
    }
}

impl OrganizationConfiguration {
    /// Takes the next step from what is there: what new accounts get is said once central configuration is off.
    async fn set(&self, aws: &Aws, there: &There) -> Result<(), AwsError> {
        let mut wanted = self.clone();
        wanted.settle(&there.spec());
        if there.is(&wanted) {
            return Ok(());
        }
        let Self {
            configuration_type,
            auto_enable,
            auto_enable_standards,
        } = wanted;
        let request = aws.securityhub.update_organization_configuration();
        // Said only if it is another: an organization that has always been local need not know of it.
        let switches = configuration_type != there.configuration_type || there.failed;
        let request = if switches {
            let kind = enums::spelled(configuration_type);
            let central = sdk::OrganizationConfiguration::builder();
            let central = central.configuration_type(kind.as_str().into()).build();
            // AWS wants these for the one way, and they are what there is for the other.
            request
                .organization_configuration(central)
                .auto_enable(false)
                .auto_enable_standards(sdk::AutoEnableStandards::None)
        } else {
            let standards = auto_enable_standards.map(enums::spelled);
            let standards = standards.map(|word| word.as_str().into());
            request
                .auto_enable(auto_enable)
                .set_auto_enable_standards(standards)
        };
        request.send().await?;
        Ok(())
    }
}

/// What AWS has.
struct There {
    configuration_type: ConfigurationType,
    auto_enable: bool,
    auto_enable_standards: AutoEnableStandards,
    /// Whether AWS is switching central configuration on.
    pending: bool,
    /// Whether it could not.
    failed: bool,
    /// Why, in AWS's words.
    message: Option<String>,
}

impl There {
    async fn read(aws: &Aws) -> Result<Self, AwsError> {
        let operation = "DescribeOrganizationConfiguration";
        let request = aws.securityhub.describe_organization_configuration();
        let answer = request.send().await.map_err(AwsError::from);
        let answer = answer.map_err(securityhub::only_for_administrators)?;
        let standards = answer.auto_enable_standards;
        let standards = aws.required(operation, "AutoEnableStandards", standards)?;
        let central = answer.organization_configuration;
        let kind = central.as_ref().and_then(|c| c.configuration_type.clone());
        // Organizations that have never heard of it are local.
        let kind = kind.map_or(Ok(ConfigurationType::Local), |kind| {
            enums::read("ConfigurationType", kind.as_str())
        });
        let status = central.as_ref().and_then(|c| c.status.clone());
        Ok(Self {
            configuration_type: kind?,
            auto_enable: aws.required(operation, "AutoEnable", answer.auto_enable)?,
            auto_enable_standards: enums::read("AutoEnableStandards", standards.as_str())?,
            pending: status == Some(sdk::OrganizationConfigurationStatus::Pending),
            failed: status == Some(sdk::OrganizationConfigurationStatus::Failed),
            message: central.and_then(|c| c.status_message),
        })
    }

    /// Returns it as a document has it. Central configuration that could not be switched on is off: a write that did not
    /// take.
    fn spec(&self) -> OrganizationConfiguration {
        OrganizationConfiguration {
            configuration_type: match self.configuration_type {
                ConfigurationType::Central if self.failed => ConfigurationType::Local,
                kind => kind,
            },
            auto_enable: self.auto_enable,
            auto_enable_standards: Some(self.auto_enable_standards),
        }
    }

    fn is(&self, wanted: &OrganizationConfiguration) -> bool {
        !self.failed && self.spec() == *wanted
    }

    fn is_reset(&self) -> bool {
        !self.pending && self.is(&OrganizationConfiguration::RESET)
    }

    /// Says how far AWS is.
    fn notes(&self) -> Vec<String> {
        let note = match (self.pending, self.failed) {
            (true, _) => "AWS is still switching central configuration on".to_owned(),
            (false, true) => {
                let why = self.message.as_deref().filter(|why| !why.is_empty());
                let why = why.unwrap_or("AWS does not say why");
                format!("AWS could not switch central configuration on: {why}")
            }
            (false, false) => return Vec::new(),
        };
        vec![note]
    }

    fn live(&self, aws: &Aws, claim: Option<Tags>) -> Live<OrganizationConfiguration> {
        Live {
            id: id(aws),
            name: String::new(),
            spec: self.spec(),
            tags: claim.unwrap_or_default(),
            ready: !self.pending,
            notes: self.notes(),
        }
    }
}

/// AWS gives it neither an ARN nor an id.
fn id(aws: &Aws) -> Id {
    let place = &aws.location;
    let (region, account) = (&place.region, &place.account);
    Id(format!(
        "securityhub:{region}:{account}:organization-configuration"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn central() -> There {
        There {
            configuration_type: ConfigurationType::Central,
            auto_enable: false,
            auto_enable_standards: AutoEnableStandards::None,
            pending: false,
            failed: false,
            message: None,
        }
    }

    #[test]
    fn what_could_not_be_switched_on_is_off_and_told() {
        let failed = There {
            failed: true,
            message: Some("the home region is gone".to_owned()),
            ..central()
        };
        assert_eq!(failed.spec().configuration_type, ConfigurationType::Local);
        let told = "AWS could not switch central configuration on: the home region is gone";
        assert_eq!(failed.notes(), [told]);
        // It is tried again, and reset though nothing differs.
        assert!(!failed.is(&central().spec()) && !failed.is(&failed.spec()));
        assert!(!failed.is_reset());
    }

    #[test]
    fn what_is_being_switched_on_is_no_difference() {
        let pending = There {
            pending: true,
            ..central()
        };
        assert_eq!(pending.spec(), central().spec());
        assert_eq!(pending.notes().len(), 1);
        assert!(central().notes().is_empty());
    }
}
