//! Behaviour of Organizations: the tree that a file describes, read by its management account and delegated
//! administrators. Nothing changes it.
//!
//! Facts are from the API reference (<https://docs.aws.amazon.com/organizations/latest/APIReference/>).

mod file;
mod pages;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::{Access, Answer, Call, Fault, Map, Operation, State, securityhub};
use pages::page;

pub(in crate::sandbox) use file::is_always_enabled;
pub use file::{Member, Organization, Role, Unit};

const fn read(name: &'static str, run: fn(&mut State, &mut Call<'_>) -> Answer) -> Operation {
    Operation {
        service: "organizations",
        name,
        access: Access::Read,
        run,
    }
}

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[&[
    read("DescribeAccount", describe_account),
    read("DescribeOrganization", describe_organization),
    read("DescribeOrganizationalUnit", describe_unit),
    read("ListAccounts", list_accounts),
    read("ListAccountsForParent", list_accounts_for_parent),
    read("ListChildren", list_children),
    read("ListOrganizationalUnitsForParent", list_units),
    read("ListParents", list_parents),
    read("ListRoots", list_roots),
]];

/// Returns the organization that the caller's account is in.
fn joined<'s>(state: &'s State, call: &Call<'_>) -> Result<&'s Organization, Fault> {
    let organization = state.settings.organization.as_ref();
    let joined = organization.filter(|found| found.member(call.account).is_some());
    joined.ok_or_else(|| {
        let message = "Your account is not a member of an organization.";
        Fault::new("AWSOrganizationsNotInUseException", message)
    })
}

/// Returns the organization for those who may look around in it.
fn trusted<'s>(state: &'s State, call: &Call<'_>) -> Result<&'s Organization, Fault> {
    let organization = joined(state, call)?;
    if organization.management_account == call.account
        || organization.delegated_administrators.contains(call.account)
        // Whoever administers a service is a delegated administrator.
        || securityhub::administers(state, call.account)
    {
        return Ok(organization);
    }
    let message = "You don't have permissions to access this resource.";
    Err(Fault::new("AccessDeniedException", message))
}

fn answer(member: &str, value: Value) -> Map {
    Map::from_iter([(member.to_owned(), value)])
}

fn describe_organization(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = joined(state, call)?;
    let management = &organization.management_account;
    let email = organization
        .member(management)
        .map(|(member, _)| member.email());
    Ok(answer(
        "Organization",
        json!({
            "Id": organization.id,
            "Arn": organization.arn("organization", &[]),
            "FeatureSet": "ALL",
            "MasterAccountArn": organization.arn("account", &[management]),
            "MasterAccountId": management,
            "MasterAccountEmail": email,
            // Deprecated, and always this one: the real list is ListRoots'.
            "AvailablePolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
        }),
    ))
}

fn list_roots(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let root = &organization.root;
    let value = json!({
        "Id": root.id,
        "Arn": organization.arn("root", &[&root.id]),
        "Name": "Root",
        "PolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
    });
    page(call, "Roots", vec![(root.id.clone(), value)])
}

fn account(organization: &Organization, member: &Member, above: &[&str]) -> Value {
    // What `State` says in five words `Status` said in three; a closed account was suspended there.
    let status = match member.state.as_str() {
        state @ ("ACTIVE" | "PENDING_CLOSURE") => state,
        _ => "SUSPENDED",
    };
    let joined = if member.id == organization.management_account {
        "INVITED"
    } else {
        "CREATED"
    };
    json!({
        "Id": member.id,
        "Arn": organization.arn("account", &[&member.id]),
        "Email": member.email(),
        "Name": member.name(),
        "Status": status,
        "State": member.state,
        "Paths": [organization.path(above, Some(&member.id))],
        "JoinedMethod": joined,
        "JoinedTimestamp": 1_577_836_800,
    })
}

fn unit(organization: &Organization, unit: &Unit, above: &[&str]) -> Value {
    let mut path = above.to_vec();
    path.push(&unit.id);
    json!({
        "Id": unit.id,
        "Arn": organization.arn("ou", &[&unit.id]),
        "Name": unit.name(),
        "Path": organization.path(&path, None),
    })
}

fn describe_account(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let id = call.required("AccountId");
    let (member, above) = organization.member(id).ok_or_else(|| {
        let message = "You specified an account that doesn't exist.";
        Fault::new("AccountNotFoundException", message)
    })?;
    Ok(answer("Account", account(organization, member, &above)))
}

fn describe_unit(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let id = call.required("OrganizationalUnitId");
    let (found, above) = organization
        .unit(id)
        .filter(|(unit, _)| unit.id.starts_with("ou-"))
        .ok_or_else(|| {
            let message = "You specified an organizational unit that doesn't exist.";
            Fault::new("OrganizationalUnitNotFoundException", message)
        })?;
    Ok(answer(
        "OrganizationalUnit",
        unit(organization, found, &above),
    ))
}

fn list_accounts(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let members = organization.members().into_iter();
    let accounts =
        members.map(|(member, above)| (member.id.clone(), account(organization, member, &above)));
    page(call, "Accounts", accounts.collect())
}

/// Returns the root or unit that is asked for, and what is above it.
fn parent<'s>(
    organization: &'s Organization,
    call: &Call<'_>,
) -> Result<(&'s Unit, Vec<&'s str>), Fault> {
    organization.unit(call.required("ParentId")).ok_or_else(|| {
        let message = "You specified parent that doesn't exist.";
        Fault::new("ParentNotFoundException", message)
    })
}

fn list_accounts_for_parent(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let (parent, mut above) = parent(organization, call)?;
    above.push(&parent.id);
    let accounts = parent
        .accounts
        .iter()
        .map(|member| (member.id.clone(), account(organization, member, &above)));
    page(call, "Accounts", accounts.collect())
}

fn list_units(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let (parent, mut above) = parent(organization, call)?;
    above.push(&parent.id);
    let units = parent.units.iter();
    let units = units.map(|found| (found.id.clone(), unit(organization, found, &above)));
    page(call, "OrganizationalUnits", units.collect())
}

fn list_children(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let (parent, _) = parent(organization, call)?;
    let kind = call.required("ChildType").to_owned();
    let ids: Vec<&str> = if kind == "ACCOUNT" {
        parent
            .accounts
            .iter()
            .map(|member| member.id.as_str())
            .collect()
    } else {
        parent.units.iter().map(|unit| unit.id.as_str()).collect()
    };
    let children = ids.into_iter();
    let children = children.map(|id| (id.to_owned(), json!({ "Id": id, "Type": kind })));
    page(call, "Children", children.collect())
}

fn list_parents(state: &mut State, call: &mut Call<'_>) -> Answer {
    let organization = trusted(state, call)?;
    let child = call.required("ChildId");
    let above = match organization.member(child) {
        Some((_, above)) => Some(above),
        None => organization.unit(child).map(|(_, above)| above),
    };
    let Some(parent) = above.as_ref().and_then(|above| above.last()) else {
        let message = "You specified a child that doesn't exist.";
        return Err(Fault::new("ChildNotFoundException", message));
    };
    let kind = if parent.starts_with("r-") {
        "ROOT"
    } else {
        "ORGANIZATIONAL_UNIT"
    };
    let value = json!({ "Id": parent, "Type": kind });
    page(call, "Parents", vec![((*parent).to_owned(), value)])
}
