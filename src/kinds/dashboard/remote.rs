//! `Dashboard` in CloudWatch.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::list_dashboards::ListDashboardsOutput;
use aws_sdk_cloudwatch::types::{DashboardEntry, Tag};

use super::Dashboard;
use crate::aws::{Aws, AwsError, Class, Pages, read_each, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::digest::sha256;
use crate::model::stamp::{Stamp, Tags, user_tags};
use crate::model::{Document, Format, Spec as _};

const DASHBOARDS: &str = "arn:{partition}:cloudwatch::{account}:dashboard/{name}";

impl Remote for Dashboard {
    const ACTIONS: &'static [Action] = &[
        reads("cloudwatch:ListDashboards", "*"),
        reads("cloudwatch:GetDashboard", DASHBOARDS),
        reads("cloudwatch:ListTagsForResource", DASHBOARDS),
        writes("cloudwatch:PutDashboard", DASHBOARDS).not_others(),
        writes("cloudwatch:DeleteDashboards", DASHBOARDS)
            .ours()
            .ends(),
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
            let listed = page?.dashboard_entries.unwrap_or_default();
            let wanted = listed.into_iter().filter(|entry| {
                let name = entry.dashboard_name().unwrap_or_default();
                !select.rules_out(name, name)
            });
            found.extend(read_each(wanted.map(|entry| read(aws, entry, select))).await?);
        }
        Ok(found)
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        // Putting a dashboard writes over one that is there, whoever has it: look first, and not at a list, which lags.
        let arn = arn(aws, &self.name);
        match tags_of(aws, &arn).await {
            Ok(live) if !stamp.is_on(&live) => {
                let message = format!("there is a dashboard `{}` already", self.name);
                return Err(AwsError::of(Class::Exists, message));
            }
            Err(error) if error.class != Class::NotFound => return Err(error),
            Ok(_) | Err(_) => {}
        }
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&BTreeMap::default()));
        let tags = tags
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        self.put(aws, Some(tags)).await?;
        Ok(Id(arn))
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

/// Reads a dashboard; `None` when it is not wanted.
async fn read(
    aws: &Aws,
    entry: DashboardEntry,
    select: &Select,
) -> Result<Option<Live<Dashboard>>, AwsError> {
    let name = entry.dashboard_name().unwrap_or_default().to_owned();
    let arn = arn(aws, &name);
    let tags = tags_of(aws, &arn).await?;
    if !select.takes(&name, &name, &tags) {
        return Ok(None);
    }
    // Only a plan takes what was read before; after a write it is read again.
    let text = match select {
        Select::Wanted { .. } => known_body(aws, &name, &entry).await?,
        Select::Named(_) | Select::Everything => body(aws, &name).await?,
    };
    let body = Document {
        format: Format::Json,
        text,
    };
    let spec = Dashboard {
        name: name.clone(),
        body,
        tags: Some(user_tags(&tags)),
    };
    Ok(Some(Live {
        id: Id(arn),
        name,
        spec,
        tags,
        ready: true,
        notes: Vec::new(),
    }))
}

async fn tags_of(aws: &Aws, arn: &str) -> Result<Tags, AwsError> {
    let request = aws.cloudwatch.list_tags_for_resource().resource_arn(arn);
    let answer = request.send().await?;
    Ok(answer.tags.into_iter().flatten().map(pair).collect())
}

async fn body(aws: &Aws, name: &str) -> Result<String, AwsError> {
    let request = aws.cloudwatch.get_dashboard().dashboard_name(name);
    let answer = request.send().await?;
    aws.required("GetDashboard", "DashboardBody", answer.dashboard_body)
}

/// Returns the body, without reading it when size and time are what they were.
async fn known_body(aws: &Aws, name: &str, entry: &DashboardEntry) -> Result<String, AwsError> {
    let (memory, kind) = (&aws.memory, Dashboard::KIND);
    let row = sha256(&format!("{entry:?}"));
    if let Some(text) = memory.recall(&aws.location, kind, name, &row) {
        return Ok(text);
    }
    let text = body(aws, name).await?;
    if let Some(modified) = entry.last_modified() {
        memory.remember(&aws.location, kind, name, &row, modified.secs(), &text);
    }
    Ok(text)
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
