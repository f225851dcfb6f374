//! `Runbook` in Systems Manager: an SSM document like any other.

use super::Runbook;
use crate::aws::{Aws, AwsError};
use crate::kinds::document::remote;
use crate::kinds::{Action, Id, Live, Remote, Select};
use crate::model::stamp::Stamp;

impl Remote for Runbook {
    const ACTIONS: &'static [Action] = remote::ACTIONS;

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        remote::list(aws, select).await
    }

    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        remote::create(self, aws, stamp).await
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        remote::update(self, aws, live, stamp).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        remote::delete(aws, live).await
    }
}
