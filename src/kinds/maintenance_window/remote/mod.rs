//! `MaintenanceWindow` in Systems Manager.
//!
//! To read a window that has not changed takes its share of `DescribeMaintenanceWindows` (a call for 100), a call each
//! for its tags, itself, its targets and its tasks, and one more for each task: only `GetMaintenanceWindow` says whether
//! nodes without a target are allowed, and only `GetMaintenanceWindowTask` has the parameters. Of windows that nobody
//! wants the tags alone are read.

use std::collections::BTreeMap;

use aws_sdk_ssm::operation::describe_maintenance_windows::DescribeMaintenanceWindowsOutput;
use aws_sdk_ssm::types::{
    MaintenanceWindowFilter, MaintenanceWindowIdentity, ResourceTypeForTagging,
};
use futures::try_join;

use self::children::{Children, Targets, Tasks};
use self::translate::send_window;
use super::MaintenanceWindow;
use crate::aws::{Aws, AwsError, Class, Pages, read_each, ssm, tags};
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags};

mod children;
mod translate;

const WINDOWS: &str = "arn:{partition}:ssm:{region}:{account}:maintenancewindow/*";
const TARGETS: &str = "arn:{partition}:ssm:{region}:{account}:windowtarget/*";
const TASKS: &str = "arn:{partition}:ssm:{region}:{account}:windowtask/*";
const TAGGED: ResourceTypeForTagging = ResourceTypeForTagging::MaintenanceWindow;

impl Remote for MaintenanceWindow {
    // [D] service authorization reference: what is about a target or a task asks for the window and for it.
    const ACTIONS: &'static [Action] = &[
        reads("ssm:DescribeMaintenanceWindows", "*"),
        reads("ssm:GetMaintenanceWindow", WINDOWS),
        reads("ssm:ListTagsForResource", WINDOWS),
        reads("ssm:DescribeMaintenanceWindowTargets", WINDOWS),
        reads("ssm:DescribeMaintenanceWindowTasks", WINDOWS),
        reads("ssm:GetMaintenanceWindowTask", WINDOWS),
        writes("ssm:CreateMaintenanceWindow", "*").stamps(),
        writes("ssm:UpdateMaintenanceWindow", WINDOWS).ours(),
        writes("ssm:DeleteMaintenanceWindow", WINDOWS).ours().ends(),
        writes("ssm:RegisterTargetWithMaintenanceWindow", WINDOWS).ours(),
        // Targets and tasks take no tags: it is the window that says whose they are.
        writes("ssm:UpdateMaintenanceWindowTarget", WINDOWS).ours(),
        writes("ssm:UpdateMaintenanceWindowTarget", TARGETS),
        writes("ssm:DeregisterTargetFromMaintenanceWindow", WINDOWS).ours(),
        writes("ssm:DeregisterTargetFromMaintenanceWindow", TARGETS),
        writes("ssm:RegisterTaskWithMaintenanceWindow", WINDOWS).ours(),
        writes("ssm:UpdateMaintenanceWindowTask", WINDOWS).ours(),
        writes("ssm:UpdateMaintenanceWindowTask", TASKS),
        writes("ssm:DeregisterTaskFromMaintenanceWindow", WINDOWS).ours(),
        writes("ssm:DeregisterTaskFromMaintenanceWindow", TASKS),
        writes("ssm:AddTagsToResource", WINDOWS).tags(),
        writes("ssm:RemoveTagsFromResource", WINDOWS).ours(),
        writes("iam:PassRole", "*").at("/tasks/*/serviceRoleArn"),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let request = aws.ssm.describe_maintenance_windows().max_results(100);
        let request = match select.only() {
            Some(name) => request.filters(named(name)),
            None => request,
        };
        let mut pages = Pages::of(
            request.into_paginator().send(),
            DescribeMaintenanceWindowsOutput::next_token,
        );
        let mut wanted = Vec::new();
        while let Some(page) = pages.next().await {
            let listed = aws.required(
                "DescribeMaintenanceWindows",
                "WindowIdentities",
                page?.window_identities,
            )?;
            for identity in listed {
                let id = identity.window_id.as_deref().unwrap_or_default();
                let name = identity.name.as_deref().unwrap_or_default();
                if !select.rules_out(id, name) {
                    wanted.push(identity);
                }
            }
        }
        let wanted = wanted.into_iter();
        read_each(wanted.map(|identity| read(aws, identity, select))).await
    }

    /// Makes the window alone: the engine reads it back, and updates it with its targets and tasks.
    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&Tags::new()));
        let mut token = stamp.token.clone();
        for earlier in 2..10 {
            let answer = send_window!(aws.ssm.create_maintenance_window(), self)
                .client_token(&token)
                .set_tags(Some(ssm::tag_list(tags.clone())?))
                .send()
                .await?;
            let id = aws.required("CreateMaintenanceWindow", "WindowId", answer.window_id)?;
            // This also tells whether the answer is that of an earlier call whose window is gone: AWS does not say how
            // long it remembers a token.
            let touch = aws.ssm.update_maintenance_window().window_id(&id);
            let touch = touch.enabled(self.enabled).send().await;
            match touch.map_err(AwsError::from) {
                Err(error) if error.class == Class::NotFound => {
                    token = format!("{}-{earlier}", stamp.token);
                }
                answer => return answer.map(|_| Id(id)),
            }
        }
        Err(children::forgotten("windows"))
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let (mut wanted, id) = (self.clone(), &live.id.0);
        wanted.settle(&live.spec);
        if wanted.settings() != live.spec.settings() {
            // Without `replace` AWS merges, and nothing could be cleared.
            send_window!(aws.ssm.update_maintenance_window(), &wanted)
                .window_id(id)
                .enabled(wanted.enabled)
                .replace(true)
                .send()
                .await?;
        }
        if (&wanted.window_targets, &wanted.tasks) != (&live.spec.window_targets, &live.spec.tasks)
        {
            let children = Children {
                aws,
                window: id,
                token: &stamp.token,
                wanted: &wanted,
                live: &live.spec,
            };
            children.converge().await?;
        }
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        ssm::write_tags(aws, TAGGED, id, change).await
    }

    /// Deletes the window; its targets and tasks go with it.
    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.ssm.delete_maintenance_window().window_id(&live.id.0);
        AwsError::gone_is_fine(request.send().await.map(drop))
    }
}

impl MaintenanceWindow {
    /// Returns what `UpdateMaintenanceWindow` writes.
    fn settings(&self) -> Self {
        Self {
            window_targets: BTreeMap::new(),
            tasks: BTreeMap::new(),
            tags: None,
            ..self.clone()
        }
    }
}

fn named(name: &str) -> MaintenanceWindowFilter {
    let filter = MaintenanceWindowFilter::builder().key("Name");
    filter.values(name).build()
}

/// Reads one window, if it is wanted and still there.
async fn read(
    aws: &Aws,
    identity: MaintenanceWindowIdentity,
    select: &Select,
) -> Result<Option<Live<MaintenanceWindow>>, AwsError> {
    let operation = "DescribeMaintenanceWindows";
    let id = aws.required(operation, "WindowId", identity.window_id)?;
    let name = aws.required(operation, "Name", identity.name)?;
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
) -> Result<Option<Live<MaintenanceWindow>>, AwsError> {
    let tags = ssm::read_tags(aws, TAGGED, &id).await?;
    if !select.takes(&id, &name, &tags) {
        return Ok(None);
    }
    let window = async {
        let answer = aws.ssm.get_maintenance_window().window_id(&id).send().await;
        answer.map_err(AwsError::from)
    };
    let (window, targets, tasks) =
        try_join!(window, Targets::read(aws, &id), Tasks::read(aws, &id))?;
    let tasks = tasks.whole(aws, &id, &targets).await?;
    Ok(Some(Live {
        spec: translate::window(aws, window, targets.specs(), tasks, &tags)?,
        id: Id(id),
        name,
        tags,
        ready: true,
        notes: Vec::new(),
    }))
}
