//! The targets and tasks of a window. They can carry no tags: each is known by its name.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::operation::describe_maintenance_window_targets::DescribeMaintenanceWindowTargetsOutput;
use aws_sdk_ssm::operation::describe_maintenance_window_tasks::DescribeMaintenanceWindowTasksOutput;
use aws_sdk_ssm::types as sdk;
use futures::try_join;
use uuid::Uuid;

use super::super::{MaintenanceWindow, WindowTarget, WindowTask, is_service_linked};
use super::translate::{self, invocation, send_target, send_task, task_targets};
use crate::aws::{Aws, AwsError, Class, Pages, enums, read_each};
use crate::kinds::selector::remote as selectors;
use crate::kinds::stop_alarm::remote as stop_alarm;

/// Gives every child its key: its name, or its id when it has none or another child with a lower id has it too.
fn keyed<T>(found: BTreeMap<String, (Option<String>, T)>) -> BTreeMap<String, (String, T)> {
    let mut keyed: BTreeMap<String, (String, T)> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for (id, (name, child)) in found {
        match name {
            Some(name) if !keyed.contains_key(&name) => {
                keyed.insert(name, (id, child));
            }
            _ => unnamed.push((id, child)),
        }
    }
    for (id, child) in unnamed {
        let mut key = id.clone();
        while keyed.contains_key(&key) {
            key.push('.');
        }
        keyed.insert(key, (id, child));
    }
    keyed
}

/// A target as AWS has it.
struct Known {
    id: String,
    name: Option<String>,
    target: WindowTarget,
}

/// The targets of a window by key.
pub(super) struct Targets(BTreeMap<String, Known>);

impl Targets {
    pub(super) async fn read(aws: &Aws, window: &str) -> Result<Self, AwsError> {
        let request = aws.ssm.describe_maintenance_window_targets();
        let request = request.window_id(window).max_results(100);
        let mut pages = Pages::of(
            request.into_paginator().send(),
            DescribeMaintenanceWindowTargetsOutput::next_token,
        );
        let mut found = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for target in page?.targets.unwrap_or_default() {
                let operation = "DescribeMaintenanceWindowTargets";
                let id = target.window_target_id.clone();
                let id = aws.required(operation, "WindowTargetId", id)?;
                let name = target.name.clone();
                found.insert(id, (name.clone(), (name, translate::target(target))));
            }
        }
        let known = keyed(found).into_iter().map(|(key, (id, found))| {
            let (name, target) = found;
            (key, Known { id, name, target })
        });
        Ok(Self(known.collect()))
    }

    pub(super) fn specs(&self) -> BTreeMap<String, WindowTarget> {
        let all = self.0.iter();
        all.map(|(key, known)| (key.clone(), known.target.clone()))
            .collect()
    }
}

/// The tasks of a window by key, with their ids; without the parameters, which the list does not have.
pub(super) struct Tasks(BTreeMap<String, (String, sdk::MaintenanceWindowTask)>);

impl Tasks {
    pub(super) async fn read(aws: &Aws, window: &str) -> Result<Self, AwsError> {
        let request = aws.ssm.describe_maintenance_window_tasks();
        let request = request.window_id(window).max_results(100);
        let mut pages = Pages::of(
            request.into_paginator().send(),
            DescribeMaintenanceWindowTasksOutput::next_token,
        );
        let mut found = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for task in page?.tasks.unwrap_or_default() {
                let operation = "DescribeMaintenanceWindowTasks";
                let id = task.window_task_id.clone();
                let id = aws.required(operation, "WindowTaskId", id)?;
                found.insert(id, (task.name.clone(), task));
            }
        }
        Ok(Self(keyed(found)))
    }

    /// Reads every task whole.
    pub(super) async fn whole(
        self,
        aws: &Aws,
        window: &str,
        targets: &Targets,
    ) -> Result<BTreeMap<String, WindowTask>, AwsError> {
        let names = targets.names();
        let tasks = self.0.into_iter();
        let reading = tasks.map(|(key, (id, _))| whole(aws, window, key, id, &names));
        Ok(read_each(reading).await?.into_iter().collect())
    }
}

async fn whole(
    aws: &Aws,
    window: &str,
    key: String,
    id: String,
    targets: &BTreeMap<String, String>,
) -> Result<Option<(String, WindowTask)>, AwsError> {
    let request = aws.ssm.get_maintenance_window_task();
    let answer = request.window_id(window).window_task_id(id).send().await;
    match answer.map_err(AwsError::from) {
        // Gone since it was listed.
        Err(error) if error.class == Class::NotFound => Ok(None),
        answer => Ok(Some((key, translate::task(aws, answer?, targets)?))),
    }
}

/// A window on the way to the targets and tasks that it shall have.
pub(super) struct Children<'a> {
    pub(super) aws: &'a Aws,
    pub(super) window: &'a str,
    /// What the tokens of new children are made from.
    pub(super) token: &'a str,
    pub(super) wanted: &'a MaintenanceWindow,
    pub(super) live: &'a MaintenanceWindow,
}

impl Children<'_> {
    /// Targets come before the tasks that name them, and go after those that named them. A task goes before another
    /// takes its place, so that nothing runs twice.
    pub(super) async fn converge(&self) -> Result<(), AwsError> {
        let (mut targets, tasks) = try_join!(
            Targets::read(self.aws, self.window),
            Tasks::read(self.aws, self.window)
        )?;
        let mut ids = BTreeMap::new();
        for (name, wanted) in &self.wanted.window_targets {
            let id = match targets.take(name, wanted) {
                Some(known) if known.target == *wanted => known.id,
                Some(known) => self.update_target(name, wanted, known.id).await?,
                None => self.register_target(name, wanted).await?,
            };
            ids.insert(name.as_str(), id);
        }
        let mut kept = BTreeMap::new();
        for (key, (id, listed)) in tasks.0 {
            let kind = listed.r#type.as_ref().map_or("", |kind| kind.as_str());
            let wanted = self.wanted.tasks.get(&key);
            if wanted.is_some_and(|task| translate::kind(task) == kind) {
                kept.insert(key, (id, listed));
            } else {
                let request = self.aws.ssm.deregister_task_from_maintenance_window();
                let request = request.window_id(self.window).window_task_id(id);
                AwsError::gone_is_fine(request.send().await.map(drop))?;
            }
        }
        for (name, wanted) in &self.wanted.tasks {
            let named = wanted.targets.iter();
            let on: Vec<String> = named
                .filter_map(|target| ids.get(target.as_str()).cloned())
                .collect();
            match kept.remove(name) {
                Some((_, listed))
                    if self.live.tasks.get(name) == Some(wanted) && runs_on(&listed, &on) => {}
                Some((id, _)) => self.update_task(name, wanted, &on, id).await?,
                None => self.register_task(name, wanted, &on).await?,
            }
        }
        for known in targets.0.into_values() {
            let request = self.aws.ssm.deregister_target_from_maintenance_window();
            let request = request
                .window_id(self.window)
                .window_target_id(known.id)
                .safe(true);
            AwsError::gone_is_fine(request.send().await.map(drop))?;
        }
        Ok(())
    }

    async fn update_target(
        &self,
        name: &str,
        target: &WindowTarget,
        id: String,
    ) -> Result<String, AwsError> {
        let request = self.aws.ssm.update_maintenance_window_target();
        send_target!(request, name, target)
            .window_id(self.window)
            .window_target_id(&id)
            .replace(true)
            .send()
            .await?;
        Ok(id)
    }

    async fn register_target(&self, name: &str, target: &WindowTarget) -> Result<String, AwsError> {
        let kind = if target.is_groups() {
            sdk::MaintenanceWindowResourceType::ResourceGroup
        } else {
            sdk::MaintenanceWindowResourceType::Instance
        };
        for attempt in 0..8 {
            let request = self.aws.ssm.register_target_with_maintenance_window();
            let answer = send_target!(request, name, target)
                .window_id(self.window)
                .resource_type(kind.clone())
                .client_token(self.token(&["target", name, &format!("{target:?}")], attempt))
                .send()
                .await?;
            let operation = "RegisterTargetWithMaintenanceWindow";
            let id = self
                .aws
                .required(operation, "WindowTargetId", answer.window_target_id)?;
            let touch = self.aws.ssm.update_maintenance_window_target().name(name);
            let touch = touch.window_id(self.window).window_target_id(&id);
            if lives(touch.send().await)? {
                return Ok(id);
            }
        }
        Err(forgotten("targets"))
    }

    async fn update_task(
        &self,
        name: &str,
        task: &WindowTask,
        on: &[String],
        id: String,
    ) -> Result<(), AwsError> {
        let request = self.aws.ssm.update_maintenance_window_task();
        send_task!(request, self.aws, name, task, on)
            .window_id(self.window)
            .window_task_id(id)
            .replace(true)
            .send()
            .await?;
        Ok(())
    }

    async fn register_task(
        &self,
        name: &str,
        task: &WindowTask,
        on: &[String],
    ) -> Result<(), AwsError> {
        let body = format!("{task:?} {on:?}");
        for attempt in 0..8 {
            let request = self.aws.ssm.register_task_with_maintenance_window();
            let answer = send_task!(request, self.aws, name, task, on)
                .window_id(self.window)
                .task_type(translate::kind(task).into())
                .client_token(self.token(&["task", name, &body], attempt))
                .send()
                .await?;
            let operation = "RegisterTaskWithMaintenanceWindow";
            let id = self
                .aws
                .required(operation, "WindowTaskId", answer.window_task_id)?;
            let touch = self.aws.ssm.update_maintenance_window_task().name(name);
            let touch = touch.window_id(self.window).window_task_id(&id);
            if lives(touch.send().await)? {
                return Ok(());
            }
        }
        Err(forgotten("tasks"))
    }

    /// Makes an idempotency token that stands for the whole request: a target that was registered anew makes another of
    /// the tasks that name it.
    fn token(&self, parts: &[&str], attempt: u8) -> String {
        let attempt = attempt.to_string();
        let begin = [self.token, self.window, &attempt];
        let text = [&begin[..], parts].concat().join("\u{0}");
        Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
    }
}

impl Targets {
    /// Returns the keys by the ids.
    fn names(&self) -> BTreeMap<String, String> {
        let all = self.0.iter();
        all.map(|(key, known)| (known.id.clone(), key.clone()))
            .collect()
    }

    /// Takes out the target of a name that can become what is wanted, best the one that is so already: there may be
    /// several of a name, and AWS does not make resource groups of nodes.
    fn take(&mut self, name: &str, wanted: &WindowTarget) -> Option<Known> {
        let same = |(key, known): &(&String, &Known)| {
            (known.name.as_deref() == Some(name) || *key == name)
                && known.target.is_groups() == wanted.is_groups()
        };
        let mut found = self.0.iter().filter(same);
        let equal = found.clone().find(|(_, known)| known.target == *wanted);
        let key = equal.or_else(|| found.next())?.0.clone();
        self.0.remove(&key)
    }
}

/// Says whether a task runs on the targets with these ids.
fn runs_on(task: &sdk::MaintenanceWindowTask, ids: &[String]) -> bool {
    let targets = task.targets.iter().flatten();
    let named = targets.filter(|target| target.key.as_deref() == Some("WindowTargetIds"));
    let named: BTreeSet<&String> = named.filter_map(|t| t.values.as_ref()).flatten().collect();
    named == ids.iter().collect()
}

/// Says whether what a registration answered is there: AWS may remember a token for longer than what it stood for. The
/// check is a write, for a read might lag behind.
fn lives<T, E>(touch: Result<T, E>) -> Result<bool, AwsError>
where
    AwsError: From<E>,
{
    match touch.map_err(AwsError::from) {
        Err(error) if error.class == Class::NotFound => Ok(false),
        answer => answer.map(|_| true),
    }
}

/// Makes the error of the last resort.
pub(super) fn forgotten(what: &str) -> AwsError {
    let message = format!(
        "AWS answers with {what} that were deleted; change the document, or try again tomorrow"
    );
    AwsError::of(Class::Conflict, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_known_by_its_name_or_by_its_id() {
        let found = [
            ("1", Some("patch")),
            ("2", Some("patch")),
            ("3", None),
            ("4", Some("3")),
        ];
        let found = found.map(|(id, name)| (id.to_owned(), (name.map(str::to_owned), ())));
        let keyed = keyed(found.into());
        let keys: Vec<_> = keyed
            .iter()
            .map(|(key, (id, ()))| (key.as_str(), id.as_str()))
            .collect();
        assert_eq!(keys, [("2", "2"), ("3", "4"), ("3.", "3"), ("patch", "1")]);
    }
}
