//! `ConfigurationPolicy` in Security Hub CSPM.
//!
//! To read one that has not changed takes its share of `ListConfigurationPolicies` (a call for 100), a call for its tags,
//! `GetConfigurationPolicy`, and its share of `ListConfigurationPolicyAssociations` (a call for 100 targets). Of policies
//! that nobody wants the tags alone are read.

use aws_sdk_securityhub::config::retry::RetryConfig;
use aws_sdk_securityhub::operation::list_configuration_policies::ListConfigurationPoliciesOutput;
use tokio::sync::Mutex;

use self::applied::{Applied, Target};
use super::{Associations, ConfigurationPolicy};
use crate::aws::{Aws, AwsError, Class, Pages, once, read_each, securityhub, tags};
use crate::kinds::security_hub::tagged;
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{OBJECT, STACK, Stamp, Tags};

mod applied;
mod translate;

const HUB: &str = "arn:{partition}:securityhub:{region}:{account}:hub/default";
const POLICIES: &str = "arn:{partition}:securityhub:{region}:{account}:configuration-policy/*";

impl Remote for ConfigurationPolicy {
    // [D] service authorization reference: what associates is asked for the hub, and so no policy can tell whose it is.
    const ACTIONS: &'static [Action] = &[
        reads("securityhub:ListConfigurationPolicies", "*"),
        reads("securityhub:ListTagsForResource", POLICIES),
        reads("securityhub:GetConfigurationPolicy", POLICIES),
        reads("securityhub:ListConfigurationPolicyAssociations", "*"),
        writes("securityhub:CreateConfigurationPolicy", "*").stamps(),
        writes("securityhub:UpdateConfigurationPolicy", POLICIES).ours(),
        writes("securityhub:DeleteConfigurationPolicy", POLICIES)
            .ours()
            .ends(),
        writes("securityhub:StartConfigurationPolicyAssociation", HUB),
        writes("securityhub:StartConfigurationPolicyDisassociation", HUB).deletes(),
        writes("securityhub:TagResource", POLICIES).tags(),
        writes("securityhub:UntagResource", POLICIES).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let wanted = tagged(aws, listed(aws).await?, select).await?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let applied = Applied::read(aws).await?;
        let wanted = wanted.into_iter();
        read_each(wanted.map(|(arn, tags)| read(aws, arn, tags, &applied))).await
    }

    /// Looks for what an earlier call made, and creates: `CreateConfigurationPolicy` has no token. The engine comes back
    /// for the targets. [M] `CreateConfigurationPolicyRequest`.
    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&Tags::new()));
        // AWS takes no empty map.
        let tags = (!tags.is_empty()).then(|| tags.into_iter().collect());
        let make = || async {
            let once = aws_sdk_securityhub::Config::builder().retry_config(RetryConfig::disabled());
            let request = aws.securityhub.create_configuration_policy();
            let answer = request
                .name(&self.name)
                .set_description(self.description.clone())
                .configuration_policy(translate::body(aws, self))
                .set_tags(Clone::clone(&tags))
                .customize()
                .config_override(once)
                .send()
                .await?;
            aws.required("CreateConfigurationPolicy", "Arn", answer.arn)
                .map(Id)
        };
        // Too many calls, or too many policies: the code is the same. [M] HTTP 429.
        let refuses = |error: &AwsError| error.code.as_deref() == Some("LimitExceededException");
        once::create(stamp, || self.made(aws, stamp), make, refuses).await
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let (mut wanted, arn) = (self.clone(), &live.id.0);
        wanted.settle(&live.spec);
        // Whatever is written goes to every account: only what differs is a reason to write.
        if wanted.settings() != live.spec.settings() {
            // AWS keeps what is left out, and replaces the configuration whole.
            let request = aws.securityhub.update_configuration_policy();
            request
                .identifier(arn)
                .name(&wanted.name)
                .set_description(wanted.description.clone())
                .updated_reason(reason(stamp))
                .configuration_policy(translate::body(aws, &wanted))
                .send()
                .await?;
        }
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        securityhub::write_tags(aws, arn, change).await?;
        hand_over(
            aws,
            arn,
            &live.spec.associations,
            &wanted.associations,
            stamp,
        )
        .await
    }

    /// Disassociates all targets, and deletes the policy once AWS is done with that.
    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let arn = &live.id.0;
        let held = TARGETS.lock().await;
        for target in Applied::read(aws).await?.of(arn) {
            disassociate(aws, arn, &target).await?;
        }
        drop(held);
        let request = aws.securityhub.delete_configuration_policy();
        let answer = request.identifier(arn).send().await.map(drop);
        match AwsError::gone_is_fine(answer) {
            // Targets are still associated: the engine reads, waits, and comes back.
            Err(error) if error.class == Class::Conflict => Ok(()),
            answer => answer,
        }
    }
}

impl ConfigurationPolicy {
    /// Returns what `UpdateConfigurationPolicy` writes.
    fn settings(&self) -> Self {
        Self {
            associations: Associations::default(),
            tags: None,
            ..self.clone()
        }
    }

    /// Finds the policy that an earlier call with this stamp made.
    async fn made(&self, aws: &Aws, stamp: &Stamp) -> Result<Option<Id>, AwsError> {
        let all = listed(aws).await?.into_iter();
        let named = all.filter(|(_, name)| *name == self.name);
        securityhub::made(aws, "policies", named.map(|(arn, _)| arn), stamp).await
    }
}

/// Why a policy was changed, for whoever reads its history.
fn reason(stamp: &Stamp) -> String {
    let tag = |key: &str| stamp.tags.get(key).map_or("?", String::as_str);
    format!("Stationbill applies {} of {}", tag(OBJECT), tag(STACK))
}

/// Held while targets change hands: whoever lets go of one must not undo what another policy of this run has just done.
static TARGETS: Mutex<()> = Mutex::const_new(());

/// Applies a policy to what it lacks, and takes it from what is too much.
///
/// A target has one policy, and to apply one takes it from the other. So nothing is taken from a policy that is not of the
/// same stack; and of what a policy lets go, only that is disassociated which no other one has taken in the meantime.
async fn hand_over(
    aws: &Aws,
    arn: &str,
    have: &Associations,
    want: &Associations,
    stamp: &Stamp,
) -> Result<(), AwsError> {
    if want == have {
        return Ok(());
    }
    let _held = TARGETS.lock().await;
    let applied = Applied::read(aws).await?;
    let (want, have) = (Target::all(want), applied.of(arn));
    let missing: Vec<&Target> = want.difference(&have).collect();
    // All that is refused is known before anything is done.
    for target in &missing {
        if let Some(other) = applied.other(target) {
            may_take(aws, target, other, stamp).await?;
        }
    }
    for target in missing {
        let request = aws.securityhub.start_configuration_policy_association();
        let request = request.configuration_policy_identifier(arn);
        request.target(target.sent()).send().await?;
    }
    for target in have.difference(&want) {
        disassociate(aws, arn, target).await?;
    }
    Ok(())
}

/// Says whether a target may be taken from the policy that it has.
async fn may_take(aws: &Aws, target: &Target, other: &str, stamp: &Stamp) -> Result<(), AwsError> {
    let place = &aws.location;
    let (partition, region, account) = (place.partition(), &place.region, &place.account);
    let other =
        format!("arn:{partition}:securityhub:{region}:{account}:configuration-policy/{other}");
    let Some(tags) = securityhub::tags_of(aws, &other).await? else {
        return Ok(());
    };
    let whose = match tags.get(STACK) {
        stack if stack == stamp.tags.get(STACK) => return Ok(()),
        Some(stack) => format!("of stack `{stack}`"),
        None => "that nobody owns".to_owned(),
    };
    let message = format!(
        "{target} has the policy {other} {whose}: take it from there first, for a target has one policy"
    );
    Err(AwsError::of(Class::Conflict, message))
}

/// Takes a policy from a target, unless it does not have it any more.
async fn disassociate(aws: &Aws, arn: &str, target: &Target) -> Result<(), AwsError> {
    let request = aws.securityhub.start_configuration_policy_disassociation();
    let request = request.configuration_policy_identifier(arn);
    let answer = request.target(target.sent()).send().await.map(drop);
    match AwsError::gone_is_fine(answer) {
        // An earlier call may have done it, whose answer was lost.
        Err(error) if error.class == Class::Invalid => {
            if Applied::read(aws).await?.of(arn).contains(target) {
                Err(error)
            } else {
                Ok(())
            }
        }
        answer => answer,
    }
}

/// Lists the ARNs and names of all policies.
async fn listed(aws: &Aws) -> Result<Vec<(String, String)>, AwsError> {
    let operation = "ListConfigurationPolicies";
    let request = aws.securityhub.list_configuration_policies();
    let mut pages = Pages::of(
        request.max_results(100).into_paginator().send(),
        ListConfigurationPoliciesOutput::next_token,
    );
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(securityhub::only_for_administrators)?;
        let policies = page.configuration_policy_summaries;
        for policy in aws.required(operation, "ConfigurationPolicySummaries", policies)? {
            found.push((
                aws.required(operation, "Arn", policy.arn)?,
                aws.required(operation, "Name", policy.name)?,
            ));
        }
    }
    Ok(found)
}

/// Reads one policy whole, unless it is gone since it was listed.
async fn read(
    aws: &Aws,
    arn: String,
    tags: Tags,
    applied: &Applied,
) -> Result<Option<Live<ConfigurationPolicy>>, AwsError> {
    let request = aws.securityhub.get_configuration_policy().identifier(&arn);
    let answer = match request.send().await.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let associations = Target::sorted(applied.of(&arn));
    let spec = translate::spec(aws, answer, associations, &tags)?;
    Ok(Some(Live {
        name: spec.name.clone(),
        spec,
        tags,
        // AWS may need a day to bring it everywhere, and nothing waits for that.
        ready: true,
        notes: applied.notes(&arn),
        id: Id(arn),
    }))
}
