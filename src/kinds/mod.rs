//! The kinds: one folder each, and two lines here.
//!
//! `mod.rs` of a kind is pure: the struct a user writes, and what it means. `remote.rs` is the only file that names
//! an SDK type. Plan, validation, export, CRDs, documentation and tests loop over [`KINDS`].

use std::collections::BTreeSet;
use std::future::Future;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::aws::{Aws, AwsError, Seen};
pub use action::{Access, Action, Deletes, Limit, reads, writes};

pub use crate::model::live::{Id, Live};
use crate::model::stamp::{Stamp, Tags};
use crate::model::{AnySpec, Erased, Spec, spec};

mod action;
pub mod alarm;
pub mod association;
pub mod automation_rule;
pub mod configuration_policy;
pub mod contact;
pub mod dashboard;
pub mod document;
pub mod escalation_plan;
pub mod finding_aggregator;
pub mod maintenance_window;
pub mod on_call_schedule;
pub mod organization_configuration;
pub mod patch_baseline;
mod rate_control;
pub mod replication_set;
pub mod response_plan;
pub mod rotation;
pub mod runbook;
mod schedule;
pub mod security_hub;
mod selector;
pub mod service_setting;
mod stop_alarm;
mod tags;

/// Every kind, in the order in which plans show them.
pub static KINDS: &[&dyn AnyKind] = &[
    kind::<replication_set::ReplicationSet>(),
    kind::<contact::Contact>(),
    kind::<rotation::Rotation>(),
    kind::<on_call_schedule::OnCallSchedule>(),
    kind::<escalation_plan::EscalationPlan>(),
    kind::<response_plan::ResponsePlan>(),
    kind::<runbook::Runbook>(),
    kind::<document::Document>(),
    kind::<patch_baseline::PatchBaseline>(),
    kind::<maintenance_window::MaintenanceWindow>(),
    kind::<association::Association>(),
    kind::<security_hub::SecurityHub>(),
    kind::<automation_rule::AutomationRule>(),
    kind::<finding_aggregator::FindingAggregator>(),
    kind::<organization_configuration::OrganizationConfiguration>(),
    kind::<configuration_policy::ConfigurationPolicy>(),
    kind::<service_setting::ServiceSetting>(),
    kind::<dashboard::Dashboard>(),
    kind::<alarm::Alarm>(),
];

/// Returns the kind of that name.
pub fn find(name: &str) -> Option<&'static dyn AnyKind> {
    KINDS.iter().copied().find(|kind| kind.kind() == name)
}

/// Returns the pure halves of all kinds, which is all that the planner may see.
pub fn specs() -> Vec<&'static dyn AnySpec> {
    KINDS.iter().map(|kind| *kind as &dyn AnySpec).collect()
}

/// Where declared objects live. The only code that sees an SDK type.
pub trait Remote: Spec {
    /// Every AWS operation that this kind calls; the least policy is printed from it.
    const ACTIONS: &'static [Action];

    /// Every object of this kind in one account and region that `select` wants.
    ///
    /// Lists first, and describes only what is wanted. An error means that nothing is known, never that nothing is
    /// there. Objects shared by other accounts are left out.
    fn list(
        aws: &Aws,
        select: &Select,
    ) -> impl Future<Output = Result<Vec<Live<Self>>, AwsError>> + Send;

    /// Creates the object, stamped by the create call itself wherever AWS allows it, and returns what a reference to
    /// it resolves to. Safe to repeat with the same stamp.
    fn create(&self, aws: &Aws, stamp: &Stamp)
    -> impl Future<Output = Result<Id, AwsError>> + Send;

    /// Takes the next step from `live` to `self`, tags included. The engine reads back and calls again until nothing
    /// differs, so a kind that AWS changes in stages does one stage a call and never waits.
    fn update(
        &self,
        aws: &Aws,
        live: &Live<Self>,
        stamp: &Stamp,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// Deletes the object, or takes the next step to that: the engine reads back, and calls again for what has come to
    /// rest and is still there. One that is gone already is a success.
    fn delete(aws: &Aws, live: &Live<Self>) -> impl Future<Output = Result<(), AwsError>> + Send;
}

/// Which live objects are wanted in full.
#[derive(Clone, Debug)]
pub enum Select {
    /// Those with one of these AWS names, whoever owns them, and those that carry the stamp of `stack`.
    Wanted {
        /// The stack whose objects are wanted.
        stack: String,
        /// The AWS names that documents declare.
        names: BTreeSet<String>,
        /// Whose the objects were when last looked at, where that is remembered.
        seen: Option<Seen>,
    },
    /// Those with one of these AWS names.
    Named(BTreeSet<String>),
    /// All of them.
    Everything,
}

impl Select {
    /// Selects by one AWS name; the empty one stands for a singleton.
    pub fn one(name: &str) -> Self {
        Self::Named(BTreeSet::from([name.to_owned()]))
    }

    /// Selects what a stack owns, and what has one of these AWS names; nothing is remembered.
    pub fn of(stack: &str, names: BTreeSet<String>) -> Self {
        let (stack, seen) = (stack.to_owned(), None);
        Self::Wanted { stack, names, seen }
    }

    /// Says whether an object is wanted, by its name and tags.
    pub fn wants(&self, name: &str, tags: &Tags) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(names) => names.contains(name),
            Self::Wanted { stack, names, .. } => {
                names.contains(name)
                    || crate::model::stamp::owner(tags, stack) == crate::model::stamp::Owner::Us
            }
        }
    }

    /// As [`Self::wants`], of an object whose tags had to be asked for; `id` tells it from all others of its kind there.
    pub fn takes(&self, id: &str, name: &str, tags: &Tags) -> bool {
        if let Self::Wanted {
            seen: Some(seen), ..
        } = self
        {
            seen.learn(id, tags);
        }
        self.wants(name, tags)
    }

    /// Says whether it is settled already that an object is not wanted, so that its tags need not be asked for.
    pub fn rules_out(&self, id: &str, name: &str) -> bool {
        match self {
            Self::Everything => false,
            Self::Named(names) => !names.contains(name),
            Self::Wanted { stack, names, seen } => {
                let seen = seen.as_ref().filter(|_| !names.contains(name));
                seen.is_some_and(|seen| seen.is_anothers(id, stack))
            }
        }
    }

    /// Returns the one name that is wanted, if there is just one: a list can then ask for a prefix.
    pub fn only(&self) -> Option<&str> {
        match self {
            Self::Named(names) if names.len() == 1 => names.first().map(String::as_str),
            Self::Named(_) | Self::Wanted { .. } | Self::Everything => None,
        }
    }
}

/// The object-safe twin of [`Remote`]: it speaks JSON values.
pub trait AnyKind: AnySpec {
    /// [`Remote::ACTIONS`].
    fn actions(&self) -> &'static [Action];
    /// [`Remote::list`].
    fn list<'a>(
        &'a self,
        aws: &'a Aws,
        select: &'a Select,
    ) -> BoxFuture<'a, Result<Vec<Live<Value>>, AwsError>>;
    /// [`Remote::create`]; every reference in `spec` is resolved.
    fn create<'a>(
        &'a self,
        aws: &'a Aws,
        spec: &'a Value,
        stamp: &'a Stamp,
    ) -> BoxFuture<'a, Result<Id, AwsError>>;
    /// [`Remote::update`]; every reference in `spec` is resolved.
    fn update<'a>(
        &'a self,
        aws: &'a Aws,
        spec: &'a Value,
        live: &'a Live<Value>,
        stamp: &'a Stamp,
    ) -> BoxFuture<'a, Result<(), AwsError>>;
    /// [`Remote::delete`].
    fn delete<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live<Value>,
    ) -> BoxFuture<'a, Result<(), AwsError>>;
}

/// Returns a kind for the registry.
pub const fn kind<K: Remote>() -> &'static dyn AnyKind {
    const { &Erased::<K>::new() }
}

fn untyped_live<S: Spec>(live: Live<S>) -> Result<Live<Value>, AwsError> {
    let spec = spec::untyped(&live.spec).map_err(|e| AwsError::unexpected(S::KIND, &e.message))?;
    Ok(live.map(|_| spec))
}

fn typed_live<S: Spec>(live: &Live<Value>) -> Result<Live<S>, AwsError> {
    Ok(live.with(typed(&live.spec)?))
}

fn typed<S: Spec>(spec: &Value) -> Result<S, AwsError> {
    spec::typed(spec).map_err(|e| AwsError::unexpected(S::KIND, &e.message))
}

impl<K: Remote> AnyKind for Erased<K> {
    fn actions(&self) -> &'static [Action] {
        K::ACTIONS
    }

    fn list<'a>(
        &'a self,
        aws: &'a Aws,
        select: &'a Select,
    ) -> BoxFuture<'a, Result<Vec<Live<Value>>, AwsError>> {
        Box::pin(async move {
            let mut found = K::list(aws, select).await?;
            // An object that moves while pages are read comes twice; the second one must not pass for another object.
            let mut seen = BTreeSet::new();
            found.retain(|live| seen.insert(live.id.clone()));
            found.into_iter().map(untyped_live).collect()
        })
    }

    fn create<'a>(
        &'a self,
        aws: &'a Aws,
        spec: &'a Value,
        stamp: &'a Stamp,
    ) -> BoxFuture<'a, Result<Id, AwsError>> {
        Box::pin(async move { typed::<K>(spec)?.create(aws, stamp).await })
    }

    fn update<'a>(
        &'a self,
        aws: &'a Aws,
        spec: &'a Value,
        live: &'a Live<Value>,
        stamp: &'a Stamp,
    ) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(async move {
            typed::<K>(spec)?
                .update(aws, &typed_live(live)?, stamp)
                .await
        })
    }

    fn delete<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live<Value>,
    ) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(async move { K::delete(aws, &typed_live(live)?).await })
    }
}
