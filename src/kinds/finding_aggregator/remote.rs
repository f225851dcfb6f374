//! `FindingAggregator` in Security Hub CSPM, and the claim in Parameter Store that says whose it is.

use aws_sdk_securityhub::config::Region;
use aws_sdk_securityhub::operation::list_finding_aggregators::ListFindingAggregatorsOutput;

use super::{FindingAggregator, RegionLinkingMode};
use crate::aws::{Aws, AwsError, Class, Pages, claims, enums};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{STACK, Stamp, Tags};

const HERE: &str = "arn:{partition}:securityhub:{region}:{account}:finding-aggregator/*";
const ANYWHERE: &str = "arn:{partition}:securityhub:*:{account}:finding-aggregator/*";
const CLAIM: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/claims/securityhub/finding-aggregator";

/// What it is claimed by.
const CLAIMED: &str = "/securityhub/finding-aggregator";
const WHAT: &str = "finding aggregator";

impl Remote for FindingAggregator {
    const ACTIONS: &'static [Action] = &[
        reads("securityhub:ListFindingAggregators", "*"),
        reads("securityhub:GetFindingAggregator", ANYWHERE),
        reads("ssm:GetParameter", CLAIM),
        // It takes no tags, and so no policy can tell whose it is.
        writes("securityhub:CreateFindingAggregator", "*"),
        writes("securityhub:UpdateFindingAggregator", HERE),
        writes("securityhub:DeleteFindingAggregator", HERE).deletes(),
        writes("ssm:PutParameter", CLAIM),
        writes("ssm:DeleteParameter", CLAIM).deletes(),
    ];

    async fn list(aws: &Aws, _: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let mut found = Vec::new();
        for arn in listed(aws).await? {
            found.extend(read(aws, arn).await?);
        }
        Ok(found)
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        if let Some(why) = self.misplaced(&aws.location) {
            return Err(AwsError::of(Class::Invalid, why));
        }
        claims::claim(aws, CLAIMED, WHAT, stamp).await?;
        let request = aws.securityhub.create_finding_aggregator();
        let request = request.region_linking_mode(enums::spelled(self.region_linking_mode));
        let answer = request.set_regions(self.named()).send().await;
        match answer.map_err(AwsError::from) {
            // The answer to an earlier try may have been lost: there is one at most, and this one is as it was to be.
            Err(error) if error.class == Class::Invalid => {
                for arn in listed(aws).await? {
                    let there = read(aws, arn).await?;
                    let same = |live: &Live<Self>| {
                        let mut wanted = self.clone();
                        wanted.settle(&live.spec);
                        wanted == live.spec
                    };
                    if let Some(live) = there.filter(same) {
                        return Ok(live.id);
                    }
                }
                Err(error)
            }
            answer => {
                let arn = answer?.finding_aggregator_arn;
                let operation = "CreateFindingAggregator";
                Ok(Id(aws.required(operation, "FindingAggregatorArn", arn)?))
            }
        }
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let mut wanted = self.clone();
        wanted.settle(&live.spec);
        let impossible = wanted.impossible(&live.spec, &aws.location);
        if let Some(why) = impossible.or_else(|| wanted.misplaced(&aws.location)) {
            return Err(AwsError::of(Class::Invalid, why));
        }
        let ours = live.tags.get(STACK) == stamp.tags.get(STACK);
        if !ours {
            claims::claim(aws, CLAIMED, WHAT, stamp).await?;
        }
        if wanted != live.spec {
            let request = aws.securityhub.update_finding_aggregator();
            let request = request.finding_aggregator_arn(&live.id.0);
            let mode = enums::spelled(wanted.region_linking_mode);
            let request = request.region_linking_mode(mode);
            request.set_regions(wanted.named()).send().await?;
        }
        if ours && live.tags != stamp.tags {
            claims::write(aws, CLAIMED, &stamp.tags, true).await?;
        }
        Ok(())
    }

    /// Deletes the aggregator, and lets go of it once that is done.
    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.securityhub.delete_finding_aggregator();
        let answer = request.finding_aggregator_arn(&live.id.0).send().await;
        match AwsError::gone_is_fine(answer.map(drop)) {
            // Nothing shows the claim once the aggregator is gone: that it is left must not pass for a right that nobody
            // needs any more.
            Ok(()) => claims::release(aws, CLAIMED).await.map_err(|error| {
                let message = format!("it is deleted, and its claim is left: {}", error.message);
                let class = match error.class {
                    Class::Denied => Class::Other,
                    class => class,
                };
                AwsError {
                    class,
                    message,
                    ..error
                }
            }),
            // AWS documents no code for it.
            Err(error) if matches!(error.class, Class::Invalid | Class::Conflict) => {
                let hint = "while central configuration is on, AWS keeps it: switch the organization to local \
                            configuration first";
                let message = format!("{}; {hint}", error.message);
                Err(AwsError { message, ..error })
            }
            Err(error) => Err(error),
        }
    }
}

impl FindingAggregator {
    /// Returns the regions as they are sent: not at all where the mode speaks of none. [M] "An `InvalidInputException`
    /// error results if you populate this field while `RegionLinkingMode` is `NO_REGIONS`".
    fn named(&self) -> Option<Vec<String>> {
        let named = self.region_linking_mode.names_some();
        named.then(|| self.regions.iter().cloned().collect())
    }
}

/// Lists the ARN of the one that there can be; any region tells. [M] `ListFindingAggregators`.
async fn listed(aws: &Aws) -> Result<Vec<String>, AwsError> {
    let request = aws.securityhub.list_finding_aggregators().max_results(100);
    let mut pages = Pages::of(
        request.into_paginator().send(),
        ListFindingAggregatorsOutput::next_token,
    );
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page {
            // Without a hub an account is "not subscribed".
            Err(error) if error.class == Class::NotFound => {
                let class = Class::NotAvailable;
                return Err(AwsError { class, ..error });
            }
            page => page?,
        };
        for one in page.finding_aggregators.into_iter().flatten() {
            let operation = "ListFindingAggregators";
            let arn = one.finding_aggregator_arn;
            found.push(aws.required(operation, "FindingAggregatorArn", arn)?);
        }
    }
    Ok(found)
}

/// Reads an aggregator in its home region.
async fn read(aws: &Aws, arn: String) -> Result<Option<Live<FindingAggregator>>, AwsError> {
    let operation = "GetFindingAggregator";
    let home = arn.split(':').nth(3).unwrap_or_default().to_owned();
    let at_home = home == aws.location.region;
    let request = aws.securityhub.get_finding_aggregator();
    let mut request = request.finding_aggregator_arn(&arn).customize();
    if !at_home {
        let there = aws_sdk_securityhub::Config::builder().region(Region::new(home));
        request = request.config_override(there);
    }
    let answer = match request.send().await.map_err(AwsError::from) {
        // Gone since it was listed. Where Security Hub is not enabled any more, at home, nothing is known of it.
        Err(error) if error.code.as_deref() == Some("ResourceNotFoundException") => {
            return Ok(None);
        }
        answer => answer?,
    };
    let mode = aws.required(operation, "RegionLinkingMode", answer.region_linking_mode)?;
    let mode: RegionLinkingMode = enums::read("RegionLinkingMode", &mode)?;
    let home = answer.finding_aggregation_region;
    let regions = answer.regions.into_iter().flatten();
    // A claim is for whoever is at home: from elsewhere nothing can be done about it.
    let tags = if at_home {
        claims::of(aws, CLAIMED).await?
    } else {
        None
    };
    Ok(Some(Live {
        id: Id(arn),
        name: String::new(),
        spec: FindingAggregator {
            home_region: Some(aws.required(operation, "FindingAggregationRegion", home)?),
            region_linking_mode: mode,
            regions: regions.filter(|_| mode.names_some()).collect(),
        },
        tags: tags.unwrap_or_else(Tags::new),
        ready: true,
        notes: Vec::new(),
    }))
}
