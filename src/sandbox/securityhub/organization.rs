//! Who administers Security Hub for an organization, and how its accounts are configured: each by itself, or centrally.
//!
//! [D] user guide, "Integrating Security Hub CSPM with AWS Organizations" and the pages on central configuration.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Pending, central, enabled, fault, operation, page, store};
use crate::sandbox::organizations::Organization;
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("EnableOrganizationAdminAccount", Access::Write, appoint),
    operation("DisableOrganizationAdminAccount", Access::Write, dismiss),
    operation("ListOrganizationAdminAccounts", Access::Read, list),
    operation("DescribeOrganizationConfiguration", Access::Read, describe),
    operation("UpdateOrganizationConfiguration", Access::Write, update),
];

/// The feature that an administrator is of when a request names none, and that all of this is about.
const FEATURE: &str = "SecurityHub";

/// Whom the management account chose in a region, for a feature.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Appointment {
    account: String,
    /// It is being removed; once that is over, nobody administers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaving: Option<Pending>,
}

/// What becomes of accounts that join the organization, in one region, while each is configured by itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Joining {
    auto_enable: bool,
    standards: String,
}

impl Default for Joining {
    /// [M] `DescribeOrganizationConfigurationResponse`.
    fn default() -> Self {
        Self {
            auto_enable: false,
            standards: "DEFAULT".to_owned(),
        }
    }
}

/// Returns what the management account chose in a region.
fn chosen<'s>(
    organization: &Organization,
    state: &'s State,
    region: &str,
    feature: &str,
) -> Option<&'s Appointment> {
    let management = state.accounts.get(&organization.management_account)?;
    management
        .securityhub
        .get(region)?
        .administrators
        .get(feature)
}

/// Returns the account that was chosen in a region, or by the organization's file.
fn appointed<'s>(state: &'s State, region: &str, feature: &str) -> Option<&'s str> {
    let organization = state.settings.organization.as_ref()?;
    match chosen(organization, state, region, feature) {
        Some(Appointment { account, leaving }) => leaving.is_none().then_some(account.as_str()),
        None if feature == FEATURE => organization.security_hub_administrator.as_deref(),
        None => None,
    }
}

/// Returns the regions in which the management account chose somebody.
fn regions(state: &State) -> impl Iterator<Item = &String> {
    let organization = state.settings.organization.as_ref();
    let management = organization.and_then(|o| state.accounts.get(&o.management_account));
    management
        .into_iter()
        .flat_map(|account| account.securityhub.keys())
}

/// Returns who administers Security Hub in a region.
pub(super) fn administrator<'s>(state: &'s State, region: &str) -> Option<&'s str> {
    appointed(state, region, FEATURE).or_else(|| {
        // [D] "Enabling central configuration": "the same delegated administrator is automatically set in all linked
        // Regions as well".
        let mut elsewhere = regions(state).filter_map(|other| appointed(state, other, FEATURE));
        elsewhere.find(|account| central::reaches(state, account, region))
    })
}

/// Says whether an account administers Security Hub in any region.
pub(super) fn administers(state: &State, account: &str) -> bool {
    let organization = state.settings.organization.as_ref();
    let seeded = organization.and_then(|found| found.security_hub_administrator.as_deref());
    seeded == Some(account)
        || regions(state).any(|region| appointed(state, region, FEATURE) == Some(account))
}

/// Says whether an account is a member of another that administers Security Hub, as far as is simulated: central
/// configuration makes accounts members.
pub(super) fn is_member(state: &State, call: &Call<'_>) -> bool {
    administrator(state, call.region)
        .is_some_and(|admin| admin != call.account && central::configures(state, admin, call))
}

/// Returns the organization, for its management account.
fn management<'s>(state: &'s State, call: &Call<'_>) -> Result<&'s Organization, Fault> {
    let organization = state.settings.organization.as_ref();
    let own = organization.filter(|found| found.management_account == call.account);
    own.ok_or_else(|| {
        let why = "is not the management account of an organization";
        fault::no_access(format!("Account {} {why}", call.account))
    })
}

fn feature(call: &Call<'_>) -> String {
    call.str("Feature").unwrap_or(FEATURE).to_owned()
}

fn appoint(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (feature, wanted) = (feature(call), call.required("AdminAccountId").to_owned());
    let now = call.now_seconds();
    let organization = management(state, call)?;
    if organization.member(&wanted).is_none() {
        let why = format!("Account {wanted} is not in the organization");
        return Err(fault::invalid(why));
    }
    let busy = chosen(organization, state, call.region, &feature)
        .and_then(|there| there.leaving.as_ref())
        .is_some_and(|leaving| !leaving.is_over(now));
    if busy {
        let why = "The administrator account is being disabled. Please try later";
        return Err(fault::invalid(why));
    }
    // [D] "Designating a Security Hub administrator account": in each region it is the delegated administrator of all
    // regions, or the management account; for another, the present one is removed in all regions first.
    let other = |region: &str| {
        let there = appointed(state, region, &feature);
        there.filter(|there| *there != wanted).map(str::to_owned)
    };
    let management = &organization.management_account;
    let elsewhere = regions(state).filter_map(|region| other(region));
    let elsewhere = elsewhere.filter(|there| there != management && wanted != *management);
    if let Some(there) = other(call.region).or_else(|| elsewhere.min()) {
        let why = format!("Account {there} is the administrator account already; disable it first");
        return Err(fault::invalid(why));
    }
    let appointment = Appointment {
        account: wanted.clone(),
        leaving: None,
    };
    let store = store(state, call);
    store.administrators.insert(feature.clone(), appointment);
    Ok(Map::from_iter([
        ("AdminAccountId".to_owned(), wanted.into()),
        ("Feature".to_owned(), feature.into()),
    ]))
}

fn dismiss(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (feature, named) = (feature(call), call.required("AdminAccountId").to_owned());
    let leaving = Pending::new(state, call);
    management(state, call)?;
    if appointed(state, call.region, &feature) != Some(named.as_str()) {
        let why = format!("Account {named} is not the administrator account of the organization");
        return Err(fault::invalid(why));
    }
    // [D] "Removing or changing the delegated administrator": "When you use central configuration, you can't use the
    // Security Hub console or Security Hub APIs to change or remove the delegated administrator account."
    if feature == FEATURE && central::is_on(&state.account(&named).securityhub_everywhere) {
        let why =
            "The administrator account cannot be disabled while central configuration is enabled";
        return Err(fault::invalid(why));
    }
    let appointment = Appointment {
        account: named,
        leaving: Some(leaving),
    };
    store(state, call)
        .administrators
        .insert(feature, appointment);
    Ok(Map::new())
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (feature, now) = (feature(call), call.now_seconds());
    management(state, call)?;
    let row = |account: &str, status: &str| {
        (
            account.to_owned(),
            json!({ "AccountId": account, "Status": status }),
        )
    };
    let mut found: Vec<(String, Value)> = appointed(state, call.region, &feature)
        .map(|account| row(account, "ENABLED"))
        .into_iter()
        .collect();
    if let Some(there) = store(state, call).administrators.get_mut(&feature)
        && let Some(leaving) = there
            .leaving
            .as_mut()
            .filter(|leaving| !leaving.is_over(now))
    {
        leaving.was_read();
        found.push(row(&there.account, "DISABLE_IN_PROGRESS"));
    }
    let mut answer = page::page(call, "AdminAccounts", 10, found)?;
    answer.insert("Feature".to_owned(), feature.into());
    Ok(answer)
}

/// Refuses whoever does not administer Security Hub here.
fn administering(state: &mut State, call: &Call<'_>) -> Result<(), Fault> {
    enabled(state, call)?;
    if administrator(state, call.region) == Some(call.account) {
        return Ok(());
    }
    // Seen word for word (terraform-provider-aws #23079).
    let why = "is not an administrator for this organization";
    Err(fault::no_access(format!("Account {} {why}", call.account)))
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    administering(state, call)?;
    let everywhere = &mut state.account(call.account).securityhub_everywhere;
    let status = central::status(everywhere, call);
    let Joining {
        auto_enable,
        standards,
    } = &store(state, call).joining;
    let answer = match status {
        // [M] Under central configuration the other two are false and NONE.
        Some(status) => json!({
            "AutoEnable": false,
            "MemberAccountLimitReached": false,
            "AutoEnableStandards": "NONE",
            "OrganizationConfiguration": { "ConfigurationType": "CENTRAL", "Status": status },
        }),
        None => json!({
            "AutoEnable": auto_enable,
            "MemberAccountLimitReached": false,
            "AutoEnableStandards": standards,
            "OrganizationConfiguration": { "ConfigurationType": "LOCAL", "Status": "ENABLED" },
        }),
    };
    Ok(answer.as_object().cloned().unwrap_or_default())
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    administering(state, call)?;
    let is_management = management(state, call).is_ok();
    let opening = Pending::new(state, call);
    let asked = call
        .map("OrganizationConfiguration")
        .and_then(|asked| asked.get("ConfigurationType"))
        .and_then(Value::as_str);
    let everywhere = &state.account(call.account).securityhub_everywhere;
    let on = central::is_on(everywhere);
    let here = on && everywhere.reaches(call.region);
    let auto_enable = call.bool("AutoEnable").unwrap_or_default();
    let standards = match call.str("AutoEnableStandards") {
        Some(standards) => standards.to_owned(),
        // What a request leaves out stays as it is.
        None if here => "NONE".to_owned(),
        None => store(state, call).joining.standards.clone(),
    };
    let stays_central = here && asked.is_none();
    if (stays_central || asked == Some("CENTRAL")) && (auto_enable || standards != "NONE") {
        // Seen word for word (terraform-aws-mcaf-landing-zone #213).
        let why =
            "Auto Enable and AutoEnableStandards can not be enabled for Central Configuration";
        return Err(fault::invalid(why));
    }
    let everywhere = &mut state.account(call.account).securityhub_everywhere;
    match asked {
        Some("CENTRAL") if !on => {
            // [D] "Enabling central configuration", prerequisites. AWS tells no messages for them.
            if is_management {
                let why = "The management account cannot use central configuration";
                return Err(fault::invalid(why));
            }
            match &everywhere.aggregator {
                None => {
                    let why = "Central configuration needs a finding aggregator";
                    return Err(fault::invalid(why));
                }
                Some(there) if there.home() != call.region => return Err(fault::not_at_home()),
                Some(_) => everywhere.central.enable(opening),
            }
        }
        Some("LOCAL") if on => {
            if everywhere.home() != Some(call.region) {
                return Err(fault::not_at_home());
            }
            everywhere.central.disable(call.now_seconds())?;
        }
        _ => {}
    }
    store(state, call).joining = Joining {
        auto_enable,
        standards,
    };
    Ok(Map::new())
}
