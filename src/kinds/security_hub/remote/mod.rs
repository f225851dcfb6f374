//! `SecurityHub` in Security Hub CSPM.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::operation::get_enabled_standards::GetEnabledStandardsOutput;
use aws_sdk_securityhub::types as sdk;

use super::standard::{arn, short, subscription};
use super::{FindingGenerator, SecurityHub};
use crate::aws::{Aws, AwsError, Class, Pages, enums, securityhub, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags, user_tags};

mod controls;
pub(in crate::kinds) mod parameters;

const HUB: &str = "arn:{partition}:securityhub:{region}:{account}:hub/default";
const SERVICE_ROLES: &str =
    "arn:{partition}:iam::{account}:role/aws-service-role/securityhub.amazonaws.com/*";

/// How many standards one call subscribes to or unsubscribes from: [M] `StandardsSubscriptionArns`.
const STANDARDS_A_CALL: usize = 25;

impl Remote for SecurityHub {
    const ACTIONS: &'static [Action] = &[
        reads("securityhub:DescribeHub", HUB),
        reads("securityhub:ListTagsForResource", HUB),
        reads("securityhub:GetEnabledStandards", HUB),
        reads("securityhub:ListSecurityControlDefinitions", "*"),
        reads("securityhub:BatchGetStandardsControlAssociations", "*"),
        reads("securityhub:BatchGetSecurityControls", "*"),
        // Never called: AWS asks for it beside the two above, and for the last one of all beside the calls that change
        // controls. [D] service authorization reference, "dependent actions".
        reads("securityhub:DescribeStandardsControls", HUB),
        writes("securityhub:EnableSecurityHub", HUB).stamps(),
        // The first hub brings the service's own role with it.
        writes("iam:CreateServiceLinkedRole", SERVICE_ROLES),
        writes("securityhub:UpdateSecurityHubConfiguration", HUB).ours(),
        writes("securityhub:DisableSecurityHub", HUB).ours().ends(),
        writes("securityhub:BatchEnableStandards", HUB).ours(),
        writes("securityhub:BatchDisableStandards", HUB).ours(),
        writes("securityhub:ListStandardsControlAssociations", "*"),
        writes("securityhub:BatchUpdateStandardsControlAssociations", "*"),
        writes("securityhub:UpdateSecurityControl", "*"),
        writes("securityhub:TagResource", HUB).tags(),
        writes("securityhub:UntagResource", HUB).ours(),
        writes("securityhub:UpdateStandardsControl", HUB).ours(),
    ];

    async fn list(aws: &Aws, _: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let answer = aws.securityhub.describe_hub().send().await;
        let hub = match answer.map_err(AwsError::from) {
            // An account without a hub is "not subscribed".
            Err(error) if error.class == Class::NotFound => return Ok(Vec::new()),
            answer => answer?,
        };
        let id = aws.required("DescribeHub", "HubArn", hub.hub_arn)?;
        let tags = securityhub::read_tags(aws, &id).await?;
        let standards = Standards::read(aws).await?;
        let controls = controls::read(aws, &standards.readable).await?;
        let generator = hub.control_finding_generator;
        let generator = generator.map(|word| enums::read("ControlFindingGenerator", word.as_str()));
        let spec = Self {
            auto_enable_controls: hub.auto_enable_controls.unwrap_or(true),
            control_finding_generator: generator.transpose()?,
            standards: Some(standards.subscribed),
            controls: Some(controls.remarkable),
            tags: Some(user_tags(&tags)),
        };
        Ok(vec![Live {
            id: Id(id),
            name: String::new(),
            spec,
            tags,
            ready: !standards.at_work && !controls.at_work,
            notes: standards.notes,
        }])
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            // Cannot be said here: the engine comes back for it, and for the standards and controls.
            auto_enable_controls: _,
            control_finding_generator,
            standards,
            controls: _,
            tags,
        } = self;
        let tags = stamp.with(tags.as_ref().unwrap_or(&Tags::new()));
        // AWS takes no empty map.
        let tags = (!tags.is_empty()).then(|| tags.into_iter().collect());
        aws.securityhub
            .enable_security_hub()
            .set_tags(tags)
            .enable_default_standards(standards.is_none())
            .set_control_finding_generator(control_finding_generator.map(word))
            .send()
            .await?;
        let place = &aws.location;
        let (partition, region, account) = (place.partition(), &place.region, &place.account);
        Ok(Id(format!(
            "arn:{partition}:securityhub:{region}:{account}:hub/default"
        )))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        if !live.ready {
            // What AWS is at work on cannot be changed, nor wholly read; the engine waits and comes back.
            return Ok(());
        }
        let mut wanted = self.clone();
        wanted.settle(&live.spec);
        wanted.configure(aws, &live.spec).await?;
        if wanted.subscribe(aws, &live.spec).await? {
            // Controls of a standard are there when AWS is done with it.
            return Ok(());
        }
        controls::write(aws, wanted.controls.as_ref(), live.spec.controls.as_ref()).await?;
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        securityhub::write_tags(aws, &live.id.0, change).await
    }

    async fn delete(aws: &Aws, _: &Live<Self>) -> Result<(), AwsError> {
        let answer = aws.securityhub.disable_security_hub().send().await;
        AwsError::gone_is_fine(answer.map(drop))
    }
}

impl SecurityHub {
    /// Writes what differs of the hub's own settings.
    async fn configure(&self, aws: &Aws, live: &Self) -> Result<(), AwsError> {
        let auto = (self.auto_enable_controls != live.auto_enable_controls)
            .then_some(self.auto_enable_controls);
        let generator = self.control_finding_generator;
        let generator = generator.filter(|_| generator != live.control_finding_generator);
        if auto.is_none() && generator.is_none() {
            return Ok(());
        }
        let request = aws.securityhub.update_security_hub_configuration();
        let request = request.set_auto_enable_controls(auto);
        let request = request.set_control_finding_generator(generator.map(word));
        request.send().await?;
        Ok(())
    }

    /// Unsubscribes and subscribes; says whether there was anything to do.
    async fn subscribe(&self, aws: &Aws, live: &Self) -> Result<bool, AwsError> {
        let none = BTreeSet::new();
        let (want, have) = (
            self.standards.as_ref().unwrap_or(&none),
            live.standards.as_ref().unwrap_or(&none),
        );
        let surplus: Vec<&String> = have.difference(want).collect();
        for some in surplus.chunks(STANDARDS_A_CALL) {
            let arns = some.iter().map(|name| subscription(&aws.location, name));
            let request = aws.securityhub.batch_disable_standards();
            let request = request.set_standards_subscription_arns(Some(arns.collect()));
            let answer = request.send().await.map(drop);
            unless_at_work(aws, answer.map_err(AwsError::from)).await?;
        }
        let missing: Vec<&String> = want.difference(have).collect();
        for some in missing.chunks(STANDARDS_A_CALL) {
            let requests = some.iter().map(|name| {
                let request = sdk::StandardsSubscriptionRequest::builder();
                request.standards_arn(arn(&aws.location, name)).build()
            });
            let request = aws.securityhub.batch_enable_standards();
            let request = request.set_standards_subscription_requests(Some(requests.collect()));
            let answer = request.send().await.map(drop);
            unless_at_work(aws, answer.map_err(AwsError::from)).await?;
        }
        Ok(!surplus.is_empty() || !missing.is_empty())
    }
}

/// Takes over an answer about standards. While AWS is at work on one, be it because of an earlier call whose answer was
/// lost, it refuses as plain invalid input, "`StandardsSubscription`(s) in state PENDING, please try later": the engine
/// reads, waits, and comes back.
async fn unless_at_work(aws: &Aws, answer: Result<(), AwsError>) -> Result<(), AwsError> {
    match answer {
        Err(error) if error.code.as_deref() == Some("InvalidInputException") => {
            let standards = Standards::read(aws).await?;
            if standards.at_work {
                Ok(())
            } else {
                Err(error)
            }
        }
        answer => answer,
    }
}

fn word(generator: FindingGenerator) -> sdk::ControlFindingGenerator {
    enums::spelled(generator).as_str().into()
}

/// The standards of a hub.
struct Standards {
    /// All that are subscribed to, or about to be.
    subscribed: BTreeSet<String>,
    /// Those whose controls can be read: short name and ARN.
    readable: BTreeMap<String, String>,
    /// Whether AWS is subscribing or unsubscribing.
    at_work: bool,
    notes: Vec<String>,
}

impl Standards {
    async fn read(aws: &Aws) -> Result<Self, AwsError> {
        let mut all = Self {
            subscribed: BTreeSet::new(),
            readable: BTreeMap::new(),
            at_work: false,
            notes: Vec::new(),
        };
        let request = aws.securityhub.get_enabled_standards().max_results(100);
        let mut pages = Pages::of(
            request.into_paginator().send(),
            GetEnabledStandardsOutput::next_token,
        );
        while let Some(page) = pages.next().await {
            for subscription in page?.standards_subscriptions.unwrap_or_default() {
                all.add(aws, subscription)?;
            }
        }
        Ok(all)
    }

    fn add(&mut self, aws: &Aws, of: sdk::StandardsSubscription) -> Result<(), AwsError> {
        let operation = "GetEnabledStandards";
        let arn = aws.required(operation, "StandardsArn", of.standards_arn)?;
        let status = aws.required(operation, "StandardsStatus", of.standards_status)?;
        let name = short(&arn).to_owned();
        if status == sdk::StandardsStatus::Deleting {
            self.at_work = true;
            return Ok(());
        }
        let why = of
            .standards_status_reason
            .and_then(|r| r.status_reason_code);
        let why = why
            .as_ref()
            .map_or("AWS does not say why", |code| code.as_str());
        match status {
            sdk::StandardsStatus::Incomplete => self
                .notes
                .push(format!("AWS could not enable all of `{name}`: {why}")),
            sdk::StandardsStatus::Failed => self
                .notes
                .push(format!("AWS could not unsubscribe from `{name}`: {why}")),
            _ => {}
        }
        // A standard to which AWS is adding controls of late is PENDING too, and can be changed all the while.
        let usable = match of.standards_controls_updatable {
            Some(updatable) => updatable == sdk::StandardsControlsUpdatable::ReadyForUpdates,
            None => status != sdk::StandardsStatus::Pending,
        };
        self.subscribed.insert(name.clone());
        if usable {
            self.readable.insert(name, arn);
        } else {
            self.at_work = true;
            self.notes.push(format!(
                "the controls of `{name}` cannot be read yet: AWS is still subscribing to it"
            ));
        }
        Ok(())
    }
}
