//! How far each place can be reached: its account's role is assumed once, whatever the number of its regions.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};

use super::Site;
use crate::aws::{Assume, Assumed, Aws, AwsError, Class, Connection};
use crate::load::Role;
use crate::model::Location;
use crate::model::plan::Unreadable;

/// How many roles are assumed at once; AWS takes many more.
const ROLES: usize = 32;

/// Reaches every place, or says why not.
pub(super) async fn reach(
    connection: &Connection,
    sites: &[Site],
) -> BTreeMap<Location, Result<Aws, Unreadable>> {
    let mut accounts: BTreeMap<&str, Option<&Role>> = BTreeMap::new();
    for site in sites {
        let role = site
            .target
            .as_ref()
            .and_then(|target| target.spec.role.as_ref());
        accounts.insert(&site.location.account, role);
    }
    let between = between(connection, &accounts).await;
    let between = &between;
    let assumed: BTreeMap<&str, Result<Assumed, String>> =
        stream::iter(accounts)
            .map(|(account, role)| async move {
                (account, enter(connection, between, account, role).await)
            })
            .buffer_unordered(ROLES)
            .collect()
            .await;
    let reached = |location: &Location| match assumed.get(location.account.as_str()) {
        Some(Ok(credentials)) => Ok(connection.place(credentials, location.clone())),
        Some(Err(why)) => Err(Unreadable::Failed(why.clone())),
        None => Err(Unreadable::Failed("it was not looked at".to_owned())),
    };
    sites
        .iter()
        .map(|site| (site.location.clone(), reached(&site.location)))
        .collect()
}

/// The roles that others are assumed through, each assumed once.
type Between<'a> = BTreeMap<&'a Role, Result<Assumed, String>>;

async fn between<'a>(
    connection: &Connection,
    accounts: &BTreeMap<&str, Option<&'a Role>>,
) -> Between<'a> {
    let mut between = Between::new();
    for role in accounts.values().flatten() {
        if let Some(via) = &role.via
            && !between.contains_key(*role)
        {
            // The external id is what the roles in the accounts ask for, not the one in between.
            let through = Role {
                external_id: None,
                duration_seconds: None,
                ..(*role).clone()
            };
            let assumed = match connection.own() {
                Some(own) => assume(connection, &own, via.clone(), &through).await,
                None => Err(no_credentials()),
            };
            between.insert(*role, assumed);
        }
    }
    between
}

/// Returns credentials that act in an account, or says why there are none.
async fn enter(
    connection: &Connection,
    between: &Between<'_>,
    account: &str,
    role: Option<&Role>,
) -> Result<Assumed, String> {
    let home = &connection.aws.location;
    let own = || connection.own().ok_or_else(no_credentials);
    let Some(role) = role else {
        return if account == home.account {
            own()
        } else {
            Err(format!(
                "the credentials at hand are those of account {}, and the Target names no `role` to assume in {account}",
                home.account
            ))
        };
    };
    let partition = home.partition();
    let Role { name, path, .. } = role;
    let arn = format!("arn:{partition}:iam::{account}:role{path}{name}");
    match between.get(role) {
        Some(Ok(through)) => assume(connection, through, arn, role).await,
        Some(Err(why)) => Err(why.clone()),
        None => assume(connection, &own()?, arn, role).await,
    }
}

async fn assume(
    connection: &Connection,
    from: &Assumed,
    arn: String,
    role: &Role,
) -> Result<Assumed, String> {
    let wanted = Assume {
        arn,
        external_id: role.external_id.clone(),
        session_name: role.session_name.clone(),
        lasts: role
            .duration_seconds
            .map(|seconds| Duration::from_secs(seconds.into())),
    };
    let assumed = connection.assume(from, &wanted).await;
    assumed.map_err(|error| refused(&wanted.arn, role, &error))
}

/// Names the role and the action. AWS does not say whether a role is missing, does not trust the caller, or wants
/// another external id.
fn refused(arn: &str, role: &Role, error: &AwsError) -> String {
    let doubt = match (error.class, &role.external_id) {
        (Class::Denied, None) => {
            "; it may be missing, not trust these credentials, or want an external id"
        }
        (Class::Denied, Some(_)) => {
            "; it may be missing, not trust these credentials, or want another external id"
        }
        _ => "",
    };
    format!("sts:AssumeRole of `{arn}` failed{doubt}: {error}")
}

fn no_credentials() -> String {
    "there are no credentials at hand".to_owned()
}
