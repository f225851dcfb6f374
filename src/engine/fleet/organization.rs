//! The accounts of an organization, unit by unit.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_organizations::Client;
use aws_sdk_organizations::operation::list_accounts_for_parent::ListAccountsForParentOutput;
use aws_sdk_organizations::operation::list_organizational_units_for_parent::ListOrganizationalUnitsForParentOutput;
use futures::future::{BoxFuture, try_join, try_join_all};

use crate::aws::{AwsError, Connection, Pages};
use crate::load::Organization;

/// The accounts found.
#[derive(Default)]
pub(super) struct Members {
    /// Those that can be worked in, with the units above each.
    pub(super) active: BTreeMap<String, Vec<String>>,
    /// Those that cannot, and what they are.
    pub(super) skipped: BTreeMap<String, String>,
}

/// Lists the accounts of all units with everything in them, without what is excluded; or says of which unit that
/// failed.
pub(super) async fn members(
    connection: &Connection,
    organization: &Organization,
) -> Result<Members, (String, AwsError)> {
    let walk = Walk {
        client: connection.organizations(),
        excluded: &organization.exclude.units,
    };
    let units = organization.units.iter();
    let found = try_join_all(units.map(|unit| walk.unit(unit.clone(), Vec::new()))).await?;
    let mut members = Members::default();
    for (account, state, units) in found.into_iter().flatten() {
        if organization.exclude.accounts.contains(&account) {
            continue;
        }
        if state == "ACTIVE" {
            members.active.insert(account, units);
        } else {
            let state = state.to_lowercase().replace('_', " ");
            members.skipped.insert(account, state);
        }
    }
    Ok(members)
}

/// An account, its state, and the units above it.
type Found = (String, String, Vec<String>);

struct Walk<'a> {
    client: Client,
    excluded: &'a BTreeSet<String>,
}

impl Walk<'_> {
    fn unit(
        &self,
        unit: String,
        mut above: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<Found>, (String, AwsError)>> {
        Box::pin(async move {
            if self.excluded.contains(&unit) {
                return Ok(Vec::new());
            }
            let (accounts, units) = try_join(self.accounts(&unit), self.units(&unit))
                .await
                .map_err(|error| (unit.clone(), error))?;
            above.push(unit);
            let mut found: Vec<Found> = accounts
                .into_iter()
                .map(|(account, state)| (account, state, above.clone()))
                .collect();
            let below = units.into_iter().map(|unit| self.unit(unit, above.clone()));
            found.extend(try_join_all(below).await?.into_iter().flatten());
            Ok(found)
        })
    }

    async fn accounts(&self, unit: &str) -> Result<Vec<(String, String)>, AwsError> {
        let request = self.client.list_accounts_for_parent().parent_id(unit);
        let mut pages = Pages::of(
            request.into_paginator().send(),
            ListAccountsForParentOutput::next_token,
        );
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page?.accounts.unwrap_or_default());
        }
        let mut accounts = Vec::with_capacity(found.len());
        for account in found {
            let id = account.id.unwrap_or_default();
            // `Status` is what older answers have; `State` says more.
            // <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html>
            let status = account.status.map(|status| status.as_str().to_owned());
            let state = account.state.map(|state| state.as_str().to_owned());
            accounts.push((id, state.or(status).unwrap_or_default()));
        }
        Ok(accounts)
    }

    async fn units(&self, unit: &str) -> Result<Vec<String>, AwsError> {
        let request = self
            .client
            .list_organizational_units_for_parent()
            .parent_id(unit);
        let mut pages = Pages::of(
            request.into_paginator().send(),
            ListOrganizationalUnitsForParentOutput::next_token,
        );
        let mut units = Vec::new();
        while let Some(page) = pages.next().await {
            let found = page?.organizational_units.unwrap_or_default();
            units.extend(found.into_iter().filter_map(|unit| unit.id));
        }
        Ok(units)
    }
}
