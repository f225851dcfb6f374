//! `Association` in Systems Manager.
//!
//! To read one that has not changed takes its share of `ListAssociations` (a call for 50), a call for its tags, which no
//! list has and none can be filtered by, and `DescribeAssociation`: the list lacks most of it, and
//! `ListAssociationVersions` the alarm. Of associations that nobody wants the tags alone are read.

use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::operation::list_associations::ListAssociationsOutput;
use aws_sdk_ssm::types as sdk;
use aws_sdk_ssm::types::ResourceTypeForTagging;
use uuid::Uuid;

use self::translate::send;
use super::Association;
use crate::aws::{Aws, AwsError, Pages, enums, once, read_each, ssm, tags};
use crate::kinds::selector::remote as selectors;
use crate::kinds::stop_alarm::remote as stop_alarm;
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags};

mod translate;

const ASSOCIATIONS: &str = "arn:{partition}:ssm:{region}:{account}:association/*";
// AWS's own documents have no account, and shared ones another's: [T] aws-systems-manager reference, section 0.3.
const DOCUMENT: &str = "arn:{partition}:ssm:{region}:*:document/{value}";
const TAGGED: ResourceTypeForTagging = ResourceTypeForTagging::Association;

impl Remote for Association {
    // [D] service authorization reference: whoever creates or updates an association is asked for its document too.
    const ACTIONS: &'static [Action] = &[
        reads("ssm:ListAssociations", "*"),
        reads("ssm:DescribeAssociation", ASSOCIATIONS),
        reads("ssm:ListTagsForResource", ASSOCIATIONS),
        writes("ssm:CreateAssociation", ASSOCIATIONS).stamps(),
        writes("ssm:CreateAssociation", DOCUMENT).at("/document/ref"),
        writes("ssm:CreateAssociation", DOCUMENT).at("/document/name"),
        writes("ssm:CreateAssociation", DOCUMENT).at("/document/arn"),
        writes("ssm:UpdateAssociation", ASSOCIATIONS).ours(),
        writes("ssm:UpdateAssociation", DOCUMENT).at("/document/ref"),
        writes("ssm:UpdateAssociation", DOCUMENT).at("/document/name"),
        writes("ssm:UpdateAssociation", DOCUMENT).at("/document/arn"),
        writes("ssm:DeleteAssociation", ASSOCIATIONS).ours().ends(),
        writes("ssm:AddTagsToResource", ASSOCIATIONS).tags(),
        writes("ssm:RemoveTagsFromResource", ASSOCIATIONS).ours(),
        writes("iam:PassRole", "*").at("/dispatchRoleArn"),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let listed = listed(aws, select.only()).await?.into_iter();
        let wanted = listed.filter(|(id, name)| !select.rules_out(id, name));
        read_each(wanted.map(|(id, name)| read(aws, id, name, select))).await
    }

    /// Looks for what an earlier call made, and creates: `CreateAssociation` has no token, and names need not be unique,
    /// so that a repeated call makes another association. [M] `CreateAssociationRequest`.
    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&Tags::new()));
        let tags = ssm::tag_list(tags)?;
        let make = || async {
            let once = aws_sdk_ssm::Config::builder().retry_config(RetryConfig::disabled());
            let answer = send!(aws.ssm.create_association(), aws, self)
                .set_tags(Some(tags.clone()))
                .customize()
                .config_override(once)
                .send()
                .await?;
            let made = answer
                .association_description
                .and_then(|d| d.association_id);
            aws.required("CreateAssociation", "AssociationId", made)
                .map(Id)
        };
        once::create(stamp, || self.made(aws, stamp), make, |_| false).await
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let (mut wanted, id) = (self.clone(), &live.id.0);
        wanted.settle(&live.spec);
        // Every update runs the association, also one that changes nothing; so only what differs is written, and then
        // all of it, for AWS clears what an update leaves out: [M] `UpdateAssociation`.
        if wanted.settings() != live.spec.settings() {
            send!(aws.ssm.update_association(), aws, &wanted)
                .association_id(id)
                .send()
                .await?;
        }
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        ssm::write_tags(aws, TAGGED, id, change).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.ssm.delete_association().association_id(&live.id.0);
        AwsError::gone_is_fine(request.send().await.map(drop))
    }
}

impl Association {
    /// Returns what `UpdateAssociation` writes.
    fn settings(&self) -> Self {
        Self {
            tags: None,
            ..self.clone()
        }
    }

    /// Finds the association that an earlier call with this stamp made.
    async fn made(&self, aws: &Aws, stamp: &Stamp) -> Result<Option<Id>, AwsError> {
        for (id, _) in listed(aws, Some(&self.name)).await? {
            match ssm::read_tags(aws, TAGGED, &id).await {
                Err(error) if ssm::is_gone(&error) => {}
                Ok(tags) if stamp.is_on(&tags) => return Ok(Some(Id(id))),
                answer => drop(answer?),
            }
        }
        Ok(None)
    }
}

/// Lists the ids and names of all associations, or of those with one name.
async fn listed(aws: &Aws, only: Option<&str>) -> Result<Vec<(String, String)>, AwsError> {
    let operation = "ListAssociations";
    let request = aws.ssm.list_associations().max_results(50);
    // What looks like an id may stand for an association without a name.
    let request = match only.filter(|name| Uuid::try_parse(name).is_err()) {
        Some(name) => request.association_filter_list(named(name)?),
        None => request,
    };
    let mut pages = Pages::of(
        request.into_paginator().send(),
        ListAssociationsOutput::next_token,
    );
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        for association in aws.required(operation, "Associations", page?.associations)? {
            let id = aws.required(operation, "AssociationId", association.association_id)?;
            // One in the old form is for one node, and says less.
            if association.instance_id.is_none() {
                let name = association.association_name.filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| id.clone());
                found.push((id, name));
            }
        }
    }
    Ok(found)
}

fn named(name: &str) -> Result<sdk::AssociationFilter, AwsError> {
    sdk::AssociationFilter::builder()
        .key(sdk::AssociationFilterKey::AssociationName)
        .value(name)
        .build()
        .map_err(|error| AwsError::unexpected("a filter", &error.to_string()))
}

/// Reads one association, if it is wanted and still there.
async fn read(
    aws: &Aws,
    id: String,
    name: String,
    select: &Select,
) -> Result<Option<Live<Association>>, AwsError> {
    match read_whole(aws, id, name, select).await {
        // Gone since it was listed.
        Err(error) if ssm::is_gone(&error) => Ok(None),
        answer => answer,
    }
}

async fn read_whole(
    aws: &Aws,
    id: String,
    name: String,
    select: &Select,
) -> Result<Option<Live<Association>>, AwsError> {
    let tags = ssm::read_tags(aws, TAGGED, &id).await?;
    if !select.takes(&id, &name, &tags) {
        return Ok(None);
    }
    let request = aws.ssm.describe_association().association_id(&id);
    let answer = request.send().await?.association_description;
    let answer = aws.required("DescribeAssociation", "AssociationDescription", answer)?;
    Ok(Some(Live {
        notes: answer.overview.iter().filter_map(note).collect(),
        spec: translate::spec(aws, &name, answer, &tags)?,
        id: Id(id),
        name,
        tags,
        ready: true,
    }))
}

/// Says how it last went, unless it went well. It may have gone on many nodes, so this is never a difference.
fn note(overview: &sdk::AssociationOverview) -> Option<String> {
    let status = overview
        .status
        .as_deref()
        .filter(|status| *status != "Success")?;
    let detailed = overview.detailed_status.as_deref();
    let detail = detailed.filter(|detailed| *detailed != status && !detailed.is_empty());
    let mut counts: Vec<String> = overview
        .association_status_aggregated_count
        .iter()
        .flatten()
        .map(|(status, count)| format!("{status}: {count}"))
        .collect();
    counts.sort_unstable();
    let parts: Vec<String> = detail
        .map(str::to_owned)
        .into_iter()
        .chain(counts)
        .collect();
    let parts = if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    };
    Some(format!("its status is {status}{parts}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_went_is_told_unless_it_went_well() {
        let overview = |status: &str, detailed: &str| {
            sdk::AssociationOverview::builder()
                .status(status)
                .detailed_status(detailed)
        };
        let well = overview("Success", "Success").build();
        assert_eq!(note(&well), None);
        let new = overview("Pending", "Creating").build();
        assert_eq!(
            note(&new).as_deref(),
            Some("its status is Pending (Creating)")
        );
        let failed = overview("Failed", "Failed")
            .association_status_aggregated_count("Success", 7)
            .association_status_aggregated_count("Failed", 2)
            .build();
        let told = "its status is Failed (Failed: 2, Success: 7)";
        assert_eq!(note(&failed).as_deref(), Some(told));
        assert_eq!(note(&sdk::AssociationOverview::builder().build()), None);
    }
}
