//! `Dashboard` in CloudWatch.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::list_dashboards::ListDashboardsOutput;
use aws_sdk_cloudwatch::types::Tag;

use super::Dashboard;
use crate::aws::{Aws, AwsError, Pages, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::stamp::{Stamp, user_tags};
use crate::model::{Document, Format};

const DASHBOARDS: &str = "arn:{partition}:cloudwatch::{account}:dashboard/{name}";

impl Remote for Dashboard {
    const ACTIONS: &'static [Action] = &[
        reads("cloudwatch:ListDashboards", "*"),
        reads("cloudwatch:GetDashboard", DASHBOARDS),
        reads("cloudwatch:ListTagsForResource", DASHBOARDS),
        writes("cloudwatch:PutDashboard", DASHBOARDS).not_others(),
        writes("cloudwatch:DeleteDashboards", DASHBOARDS)
            .ours()
            .deletes(),
        writes("cloudwatch:TagResource", DASHBOARDS).tags(),
        writes("cloudwatch:UntagResource", DASHBOARDS).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let mut found = Vec::new();
        let request = aws.cloudwatch.list_dashboards();
        let request = request.set_dashboard_name_prefix(select.only().map(str::to_owned));
        let mut pages = Pages::of(
            request.into_paginator().send(),
            ListDashboardsOutput::next_token,
        );
        while let Some(page) = pages.next().await {
            for entry in page?.dashboard_entries.unwrap_or_default() {
                let name = entry.dashboard_name.unwrap_or_default();
                if select.rules_out(&name) {
                    continue;
                }
                let arn = arn(aws, &name);
                let answer = aws
                    .cloudwatch
                    .list_tags_for_resource()
                    .resource_arn(&arn)
                    .send()
                    .await?;
                let tags = answer
                    .tags
                    .unwrap_or_default()
                    .into_iter()
                    .map(pair)
                    .collect();
                if select.wants(&name, &tags) {
                    let answer = aws
                        .cloudwatch
                        .get_dashboard()
                        .dashboard_name(&name)
                        .send()
                        .await?;
                    let text =
                        aws.required("GetDashboard", "DashboardBody", answer.dashboard_body)?;
                    let body = Document {
                        format: Format::Json,
                        text,
                    };
                    let spec = Self {
                        name: name.clone(),
                        body,
                        tags: Some(user_tags(&tags)),
                    };
                    found.push(Live {
                        id: Id(arn),
                        name,
                        spec,
                        tags,
                        ready: true,
                        notes: Vec::new(),
                    });
                }
            }
        }
        Ok(found)
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&BTreeMap::default()));
        let tags = tags
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        self.put(aws, Some(tags)).await?;
        Ok(Id(arn(aws, &self.name)))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        if !self.body.same_meaning(&live.spec.body) {
            // PutDashboard ignores tags on a dashboard that exists: [M] service model, "Tags".
            self.put(aws, None).await?;
        }
        let change = tags::change(&live.tags, self.tags.as_ref(), stamp);
        if !change.set.is_empty() {
            let tags = change
                .set
                .into_iter()
                .map(|(k, v)| Tag::builder().key(k).value(v).build())
                .collect();
            aws.cloudwatch
                .tag_resource()
                .resource_arn(&live.id.0)
                .set_tags(Some(tags))
                .send()
                .await?;
        }
        if !change.remove.is_empty() {
            aws.cloudwatch
                .untag_resource()
                .resource_arn(&live.id.0)
                .set_tag_keys(Some(change.remove))
                .send()
                .await?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let answer = aws
            .cloudwatch
            .delete_dashboards()
            .dashboard_names(&live.name)
            .send()
            .await;
        AwsError::gone_is_fine(answer.map(|_| ()))
    }
}

impl Dashboard {
    async fn put(&self, aws: &Aws, tags: Option<Vec<Tag>>) -> Result<(), AwsError> {
        let Self {
            name,
            body,
            tags: _,
        } = self;
        let text = body
            .written_as(Format::Json)
            .map_err(|e| AwsError::unexpected("the dashboard body", &e))?;
        aws.cloudwatch
            .put_dashboard()
            .dashboard_name(name)
            .dashboard_body(text)
            .set_tags(tags)
            .send()
            .await?;
        Ok(())
    }
}

fn arn(aws: &Aws, name: &str) -> String {
    // A dashboard's ARN has no region: it is global to the account.
    format!(
        "arn:{}:cloudwatch::{}:dashboard/{name}",
        aws.location.partition(),
        aws.location.account
    )
}

fn pair(tag: Tag) -> (String, String) {
    (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())
}
