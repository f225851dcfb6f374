//! `ReplicationSet` in Incident Manager.

use aws_sdk_ssmincidents::operation::list_replication_sets::ListReplicationSetsOutput;
use aws_sdk_ssmincidents::types::{
    AddRegionAction, DeleteRegionAction, RegionInfo, RegionMapInputValue, RegionStatus,
    ReplicationSetStatus, UpdateReplicationSetAction,
};

use super::{Region, ReplicationSet, without_default};
use crate::aws::{Aws, AwsError, Class, Pages, incidents, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags, user_tags};

const SETS: &str = "arn:{partition}:ssm-incidents::{account}:replication-set/*";
const SERVICE_ROLES: &str =
    "arn:{partition}:iam::{account}:role/aws-service-role/ssm-incidents.amazonaws.com/*";

/// How many regions a set has at most: [M] `RegionMapInput`.
const MOST_REGIONS: usize = 3;

impl Remote for ReplicationSet {
    const ACTIONS: &'static [Action] = &[
        reads("ssm-incidents:ListReplicationSets", "*"),
        reads("ssm-incidents:GetReplicationSet", SETS),
        reads("ssm-incidents:ListTagsForResource", SETS),
        writes("ssm-incidents:CreateReplicationSet", "*").stamps(),
        // The first set brings the service's own role with it. [D] service authorization reference.
        writes("iam:CreateServiceLinkedRole", SERVICE_ROLES),
        writes("ssm-incidents:UpdateReplicationSet", SETS).ours(),
        writes("ssm-incidents:UpdateDeletionProtection", SETS).ours(),
        writes("ssm-incidents:TagResource", SETS).tags(),
        writes("ssm-incidents:UntagResource", SETS).ours(),
    ];

    async fn list(aws: &Aws, _: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        // There is one at most, without a name to select it by.
        let mut found = Vec::new();
        let mut pages = Pages::of(
            aws.incidents
                .list_replication_sets()
                .into_paginator()
                .send(),
            ListReplicationSetsOutput::next_token,
        );
        while let Some(page) = pages.next().await {
            for arn in page?.replication_set_arns {
                found.extend(read(aws, arn).await?);
            }
        }
        Ok(found)
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let Self {
            regions,
            // Only a set that is active can be protected: the engine comes back for it.
            deletion_protected: _,
            tags,
        } = self;
        let regions = regions.iter().map(|region| {
            let Region {
                name,
                sse_kms_key_id,
            } = region;
            let value = RegionMapInputValue::builder().set_sse_kms_key_id(sse_kms_key_id.clone());
            (name.clone(), value.build())
        });
        let tags = stamp.with(tags.as_ref().unwrap_or(&Tags::new()));
        let answer = aws
            .incidents
            .create_replication_set()
            .set_regions(Some(regions.collect()))
            .set_tags(Some(tags.into_iter().collect()))
            .client_token(&stamp.token)
            .send()
            .await?;
        Ok(Id(answer.arn))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut wanted = self.clone();
        wanted.settle(&live.spec);
        if let Some(why) = wanted.impossible(&live.spec, &aws.location) {
            return Err(AwsError::of(Class::Invalid, why));
        }
        let (want, have) = (wanted.keys(), live.spec.keys());
        // One step a call: AWS takes one change of regions at a time, and works on it for minutes. While there is
        // room, new regions come first, so that there is never less than both lists have in common.
        let missing = want.iter().find(|(region, _)| !have.contains_key(*region));
        let surplus = have.keys().find(|region| !want.contains_key(*region));
        match (missing, surplus) {
            (Some((region, key)), surplus) if have.len() < MOST_REGIONS || surplus.is_none() => {
                let action = AddRegionAction::builder()
                    .region_name(*region)
                    .set_sse_kms_key_id(key.map(str::to_owned));
                let action = action.build().map_err(unbuilt)?;
                return change(
                    aws,
                    live,
                    UpdateReplicationSetAction::AddRegionAction(action),
                )
                .await;
            }
            (_, Some(region)) => {
                let action = DeleteRegionAction::builder().region_name(*region).build();
                let action = action.map_err(unbuilt)?;
                return change(
                    aws,
                    live,
                    UpdateReplicationSetAction::DeleteRegionAction(action),
                )
                .await;
            }
            _ => {}
        }
        if wanted.deletion_protected != live.spec.deletion_protected {
            aws.incidents
                .update_deletion_protection()
                .arn(&live.id.0)
                .deletion_protected(wanted.deletion_protected)
                .send()
                .await?;
            return Ok(());
        }
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        incidents::write_tags(aws, &live.id.0, change).await
    }

    async fn delete(_: &Aws, _: &Live<Self>) -> Result<(), AwsError> {
        let why = Self::NEVER_DELETED.unwrap_or_default();
        Err(AwsError::of(Class::Invalid, why))
    }
}

async fn change(
    aws: &Aws,
    live: &Live<ReplicationSet>,
    action: UpdateReplicationSetAction,
) -> Result<(), AwsError> {
    let request = aws.incidents.update_replication_set().arn(&live.id.0);
    request.actions(action).send().await?;
    Ok(())
}

fn unbuilt(error: impl std::error::Error) -> AwsError {
    AwsError::unexpected("the replication set", &error.to_string())
}

/// Reads a set; `None` when it is gone.
async fn read(aws: &Aws, arn: String) -> Result<Option<Live<ReplicationSet>>, AwsError> {
    let answer = aws.incidents.get_replication_set().arn(&arn).send().await;
    let answer = match answer.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let set = aws.required(
        "GetReplicationSet",
        "replicationSet",
        answer.replication_set,
    )?;
    let tags = incidents::read_tags(aws, &arn).await?;
    let mut regions: Vec<(String, RegionInfo)> = set.region_map.into_iter().collect();
    regions.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut notes = Vec::new();
    if set.status == ReplicationSetStatus::Failed {
        notes.push("AWS reports the replication set as failed".to_owned());
    }
    for (region, info) in &regions {
        if info.status == RegionStatus::Failed {
            let why = info
                .status_message
                .as_deref()
                .unwrap_or("AWS does not say why");
            notes.push(format!("AWS reports {region} as failed: {why}"));
        }
    }
    let regions = regions
        .into_iter()
        .filter(|(_, info)| info.status != RegionStatus::Deleting)
        .map(|(name, info)| Region {
            name,
            sse_kms_key_id: without_default(info.sse_kms_key_id),
        });
    let spec = ReplicationSet {
        regions: regions.collect(),
        deletion_protected: set.deletion_protected,
        tags: Some(user_tags(&tags)),
    };
    Ok(Some(Live {
        id: Id(arn),
        name: String::new(),
        spec,
        tags,
        ready: !at_work(&set.status),
        notes,
    }))
}

fn at_work(status: &ReplicationSetStatus) -> bool {
    use ReplicationSetStatus as S;
    matches!(status, S::Creating | S::Updating | S::Deleting)
}
