//! `PatchBaseline` in Systems Manager.

use std::collections::BTreeSet;

use aws_sdk_ssm::operation::describe_patch_baselines::DescribePatchBaselinesOutput;
use aws_sdk_ssm::types as sdk;
use aws_sdk_ssm::types::ResourceTypeForTagging;
use tokio::sync::Mutex;

use self::translate::{filter_group, rule_group, send, source, spec};
use super::{OperatingSystem, PatchBaseline};
use crate::aws::{Aws, AwsError, Class, Pages, enums, read_each, ssm, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags};

mod translate;

const BASELINES: &str = "arn:{partition}:ssm:{region}:{account}:patchbaseline/*";
// AWS's own baselines are in an account of AWS's: [T] aws-systems-manager reference, section 2.2.
const ALL_BASELINES: &str = "arn:{partition}:ssm:{region}:*:patchbaseline/*";
const TAGGED: ResourceTypeForTagging = ResourceTypeForTagging::PatchBaseline;

impl Remote for PatchBaseline {
    const ACTIONS: &'static [Action] = &[
        reads("ssm:DescribePatchBaselines", "*"),
        reads("ssm:GetPatchBaseline", BASELINES),
        reads("ssm:ListTagsForResource", BASELINES),
        writes("ssm:CreatePatchBaseline", "*").stamps(),
        writes("ssm:UpdatePatchBaseline", BASELINES).ours(),
        writes("ssm:DeletePatchBaseline", BASELINES).ours().ends(),
        writes("ssm:RegisterDefaultPatchBaseline", ALL_BASELINES)
            .not_others()
            .deletes(),
        writes("ssm:RegisterPatchBaselineForPatchGroup", BASELINES).ours(),
        writes("ssm:DeregisterPatchBaselineForPatchGroup", BASELINES)
            .ours()
            .deletes(),
        writes("ssm:GetDefaultPatchBaseline", "*").deletes(),
        writes("ssm:GetPatchBaselineForPatchGroup", "*"),
        writes("ssm:AddTagsToResource", BASELINES).tags(),
        writes("ssm:RemoveTagsFromResource", BASELINES).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let request = aws
            .ssm
            .describe_patch_baselines()
            .filters(filter("OWNER", "Self"));
        let request = match select.only() {
            Some(name) => request.filters(filter("NAME_PREFIX", name)),
            None => request,
        };
        let mut pages = Pages::of(
            request.max_results(100).into_paginator().send(),
            DescribePatchBaselinesOutput::next_token,
        );
        let mut wanted = Vec::new();
        while let Some(page) = pages.next().await {
            let listed = aws.required(
                "DescribePatchBaselines",
                "BaselineIdentities",
                page?.baseline_identities,
            )?;
            for identity in listed {
                let id = identity.baseline_id.as_deref().unwrap_or_default();
                let name = identity.baseline_name.as_deref().unwrap_or_default();
                let system = identity
                    .operating_system
                    .as_ref()
                    .map_or("", |os| os.as_str());
                // One for an operating system that is newer than this program is nobody's of ours.
                let known = enums::known::<OperatingSystem>(system).is_some();
                if known && !select.rules_out(id, name) {
                    wanted.push(identity);
                }
            }
        }
        let wanted = wanted.into_iter();
        read_each(wanted.map(|identity| read(aws, identity, select))).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let id = self.create_living(aws, stamp).await?;
        self.register(aws, &id, &BTreeSet::new()).await?;
        if self.default {
            make_default(aws, &id).await?;
        }
        Ok(Id(id))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let (mut wanted, id) = (self.clone(), &live.id.0);
        wanted.settle(&live.spec);
        if wanted.settings() != live.spec.settings() {
            // Without `replace` AWS merges, and nothing could be cleared.
            send!(aws.ssm.update_patch_baseline(), &wanted)
                .baseline_id(id)
                .replace(true)
                .send()
                .await?;
        }
        for group in live.spec.patch_groups.difference(&wanted.patch_groups) {
            deregister(aws, id, group).await?;
        }
        wanted.register(aws, id, &live.spec.patch_groups).await?;
        match (wanted.default, live.spec.default) {
            (true, false) => make_default(aws, id).await?,
            (false, true) => restore_default(aws, id, live.spec.operating_system).await?,
            (true, true) | (false, false) => {}
        }
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        ssm::write_tags(aws, TAGGED, id, change).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        // AWS deletes no baseline that a group uses or that is a default: ResourceInUseException.
        for group in &live.spec.patch_groups {
            AwsError::gone_is_fine(deregister(aws, &live.id.0, group).await)?;
        }
        if live.spec.default {
            restore_default(aws, &live.id.0, live.spec.operating_system).await?;
        }
        let request = aws.ssm.delete_patch_baseline().baseline_id(&live.id.0);
        AwsError::gone_is_fine(request.send().await.map(drop))
    }
}

impl PatchBaseline {
    /// Returns what `UpdatePatchBaseline` writes.
    fn settings(&self) -> Self {
        Self {
            patch_groups: BTreeSet::new(),
            default: false,
            tags: None,
            ..self.clone()
        }
    }

    /// Creates the baseline, and makes sure that the answer is not that of an earlier call whose baseline is gone: AWS
    /// does not say how long it remembers a token. The check is a write, for a read might lag behind.
    async fn create_living(&self, aws: &Aws, stamp: &Stamp) -> Result<String, AwsError> {
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&Tags::new()));
        let mut token = stamp.token.clone();
        for earlier in 2..10 {
            let answer = send!(aws.ssm.create_patch_baseline(), self)
                .operating_system(enums::spelled(self.operating_system).as_str().into())
                .client_token(&token)
                .set_tags(Some(ssm::tag_list(tags.clone())?))
                .send()
                .await?;
            let id = aws.required("CreatePatchBaseline", "BaselineId", answer.baseline_id)?;
            // Tags may be written on what is not there, with rights to nothing but objects of ours: then it says so.
            let touch = tags::Change {
                set: tags.clone().into_iter().collect(),
                remove: Vec::new(),
            };
            match ssm::write_tags(aws, TAGGED, &id, touch).await {
                Err(error) if ssm::is_gone(&error) => {
                    token = format!("{}-{earlier}", stamp.token);
                }
                answer => return answer.map(|()| id),
            }
        }
        let message = "AWS answers with baselines that were deleted; change the document, or try again tomorrow";
        Err(AwsError::of(Class::Conflict, message))
    }

    /// Registers the groups that are not registered yet.
    async fn register(
        &self,
        aws: &Aws,
        id: &str,
        registered: &BTreeSet<String>,
    ) -> Result<(), AwsError> {
        for group in self.patch_groups.difference(registered) {
            let request = aws.ssm.register_patch_baseline_for_patch_group();
            let answer = request.baseline_id(id).patch_group(group).send().await;
            match answer.map_err(AwsError::from) {
                // It may be ours already, from a call whose answer was lost; another baseline's stays there.
                Err(error) if error.class == Class::Exists => {
                    let system = enums::spelled(self.operating_system);
                    let request = aws
                        .ssm
                        .get_patch_baseline_for_patch_group()
                        .patch_group(group);
                    let answer = request
                        .operating_system(system.as_str().into())
                        .send()
                        .await?;
                    if answer.baseline_id.as_deref() != Some(id) {
                        // That baseline may be about to give the group away in the same run: the engine tries again.
                        let class = Class::Busy;
                        return Err(AwsError { class, ..error });
                    }
                }
                answer => drop(answer?),
            }
        }
        Ok(())
    }
}

async fn deregister(aws: &Aws, id: &str, group: &str) -> Result<(), AwsError> {
    let request = aws.ssm.deregister_patch_baseline_for_patch_group();
    request.baseline_id(id).patch_group(group).send().await?;
    Ok(())
}

/// Held while a default is changed: who gives it back must not undo what another change of this run has just done.
static DEFAULTS: Mutex<()> = Mutex::const_new(());

async fn make_default(aws: &Aws, id: &str) -> Result<(), AwsError> {
    let _held = DEFAULTS.lock().await;
    register_default(aws, id).await
}

async fn register_default(aws: &Aws, id: &str) -> Result<(), AwsError> {
    let request = aws.ssm.register_default_patch_baseline().baseline_id(id);
    request.send().await?;
    Ok(())
}

/// Makes AWS's own default the default again, for an operating system cannot be without one; unless another baseline
/// has taken this one's place in the meantime.
async fn restore_default(aws: &Aws, id: &str, system: OperatingSystem) -> Result<(), AwsError> {
    let _held = DEFAULTS.lock().await;
    let system = enums::spelled(system);
    let request = aws.ssm.get_default_patch_baseline();
    let answer = request
        .operating_system(system.as_str().into())
        .send()
        .await?;
    if answer
        .baseline_id
        .is_some_and(|default| default.rsplit('/').next() != Some(id))
    {
        return Ok(());
    }
    let request = aws.ssm.describe_patch_baselines();
    let request = request
        .filters(filter("OWNER", "AWS"))
        .filters(filter("OPERATING_SYSTEM", &system));
    let mut pages = Pages::of(
        request.max_results(100).into_paginator().send(),
        DescribePatchBaselinesOutput::next_token,
    );
    while let Some(page) = pages.next().await {
        for identity in page?.baseline_identities.unwrap_or_default() {
            let name = identity.baseline_name.unwrap_or_default();
            if let Some(id) = identity.baseline_id.filter(|_| is_aws_default(&name)) {
                return register_default(aws, &id).await;
            }
        }
    }
    let message = format!("AWS has no default patch baseline of its own for {system}");
    Err(AwsError::of(Class::NotFound, message))
}

/// Says whether a baseline of AWS's is the default one; for Windows there are others:
/// `AWS-WindowsPredefinedPatchBaseline-OS` and `…-OS-Applications`.
fn is_aws_default(name: &str) -> bool {
    name.strip_prefix("AWS-")
        .and_then(|name| name.strip_suffix("PatchBaseline"))
        .is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn filter(key: &str, value: &str) -> sdk::PatchOrchestratorFilter {
    sdk::PatchOrchestratorFilter::builder()
        .key(key)
        .values(value)
        .build()
}

/// Reads one baseline, if it is wanted and still there.
async fn read(
    aws: &Aws,
    identity: sdk::PatchBaselineIdentity,
    select: &Select,
) -> Result<Option<Live<PatchBaseline>>, AwsError> {
    let operation = "DescribePatchBaselines";
    let id = aws.required(operation, "BaselineId", identity.baseline_id)?;
    let name = aws.required(operation, "BaselineName", identity.baseline_name)?;
    let tags = match ssm::read_tags(aws, TAGGED, &id).await {
        Err(error) if ssm::is_gone(&error) => return Ok(None),
        answer => answer?,
    };
    if !select.takes(&id, &name, &tags) {
        return Ok(None);
    }
    let answer = aws.ssm.get_patch_baseline().baseline_id(&id).send().await;
    let answer = match answer.map_err(AwsError::from) {
        Err(error) if ssm::is_gone(&error) => return Ok(None),
        answer => answer?,
    };
    Ok(Some(Live {
        id: Id(id),
        name,
        spec: spec(aws, answer, identity.default_baseline, &tags)?,
        tags,
        ready: true,
        notes: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_default_of_aws_is_restored() {
        assert!(is_aws_default("AWS-DefaultPatchBaseline"));
        assert!(is_aws_default("AWS-AmazonLinux2023DefaultPatchBaseline"));
        assert!(!is_aws_default("AWS-WindowsPredefinedPatchBaseline-OS"));
        assert!(!is_aws_default(
            "AWS-WindowsPredefinedPatchBaseline-OS-Applications"
        ));
    }
}
