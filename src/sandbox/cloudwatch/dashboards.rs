//! Dashboards: put by name, kept byte for byte.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::{self, Message};
use super::{SERVICE, tags};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, Shelf, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "PutDashboard",
        access: Access::Write,
        run: put,
    },
    Operation {
        service: SERVICE,
        name: "GetDashboard",
        access: Access::Read,
        run: get,
    },
    Operation {
        service: SERVICE,
        name: "ListDashboards",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "DeleteDashboards",
        access: Access::Write,
        run: delete,
    },
];

/// A page of `ListDashboards`; callers cannot ask for less.
const PAGE: usize = 1000;

/// How many dashboards one call deletes.
const MOST_DELETED: usize = 100;

/// How long a dashboard's name can be.
const MOST_NAME: usize = 255;

/// Dashboards by name.
pub(super) type Dashboards = Shelf<Dashboard>;

/// One dashboard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Dashboard {
    body: String,
    modified: f64,
    pub(super) tags: BTreeMap<String, String>,
}

/// Returns the account's dashboards.
pub(super) fn of<'s>(state: &'s mut State, call: &Call<'_>) -> &'s mut Dashboards {
    &mut state.account(call.account).cloudwatch.dashboards
}

/// Returns the ARN of a dashboard, which names no Region.
fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch::{account}:dashboard/{name}")
}

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValue", message)
}

fn missing(name: &str) -> Fault {
    let mut fault = Fault::new(
        "ResourceNotFound",
        format!("Dashboard {name} does not exist"),
    );
    fault.status = 404;
    fault
}

/// The model does not say what a name looks like; the service does (wording as in aws-cdk issue 2976).
fn check_name(field: &str, name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(invalid(format!("The parameter {field} is required.")));
    }
    if name.len() > MOST_NAME {
        return Err(invalid(format!(
            "The value {name} for field {field} is longer than {MOST_NAME} characters."
        )));
    }
    if name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    {
        return Ok(());
    }
    Err(invalid(format!(
        "The value {name} for field {field} contains invalid characters. \
         It can only contain alphanumerics, dash (-) and underscore (_)."
    )))
}

fn put(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = call.required("DashboardName");
    check_name("DashboardName", name)?;
    let text = call.required("DashboardBody");
    let warnings = body::validate(text)?;
    let tags = tags::from_input(call.list("Tags"))?;
    let modified = call.now_seconds();
    of(state, call)
        .entry(name.to_owned())
        .and_modify(|dashboard| {
            // Tags of an update are ignored (service model).
            text.clone_into(&mut dashboard.body);
            dashboard.modified = modified;
        })
        .or_insert_with(|| Dashboard {
            body: text.to_owned(),
            modified,
            tags,
        });
    let warnings: Vec<Value> = warnings.iter().map(Message::to_answer).collect();
    Ok(Map::from_iter([(
        "DashboardValidationMessages".to_owned(),
        warnings.into(),
    )]))
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = call.required("DashboardName");
    check_name("DashboardName", name)?;
    let dashboard = of(state, call).get(name).ok_or_else(|| missing(name))?;
    Ok(Map::from_iter([
        ("DashboardArn".to_owned(), json!(arn(call.account, name))),
        ("DashboardBody".to_owned(), json!(dashboard.body)),
        ("DashboardName".to_owned(), json!(name)),
    ]))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let prefix = call.str("DashboardNamePrefix").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if prefix.len() > MOST_NAME || !prefix.chars().all(fits) {
        return Err(invalid(format!(
            "The value {prefix} for field DashboardNamePrefix is not the start of a dashboard's name."
        )));
    }
    let after = match call.str("NextToken").filter(|token| !token.is_empty()) {
        Some(token) => Some(open(token).ok_or_else(|| invalid("The NextToken is not valid."))?),
        None => None,
    };
    let mut rest = of(state, call)
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .filter(|(name, _)| after.as_ref().is_none_or(|after| *name > after))
        .peekable();
    let mut entries = Vec::new();
    let mut last = "";
    while entries.len() < PAGE
        && let Some((name, dashboard)) = rest.next()
    {
        entries.push(json!({
            "DashboardName": name,
            "DashboardArn": arn(call.account, name),
            "LastModified": dashboard.modified,
            "Size": dashboard.body.len(),
        }));
        last = name;
    }
    let mut answer = Map::from_iter([("DashboardEntries".to_owned(), entries.into())]);
    if rest.peek().is_some() {
        answer.insert("NextToken".to_owned(), json!(seal(last)));
    }
    Ok(answer)
}

/// A page's token is opaque, but remembers the last name shown.
fn seal(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("dashboards/{name}"))
}

fn open(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("dashboards/").map(str::to_owned)
}

/// Deletes what it can, then names what was not there.
///
/// "If there is an error during this call, the operation attempts to delete as many dashboards as possible" (service
/// model); a name that is not there is such an error (API reference of the earlier models, `DashboardNotFoundError`).
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let names = call.strings("DashboardNames");
    if names.is_empty() {
        return Err(invalid("The parameter DashboardNames is required."));
    }
    if names.len() > MOST_DELETED {
        return Err(invalid(format!(
            "At most {MOST_DELETED} dashboards can be deleted at once."
        )));
    }
    for name in &names {
        check_name("DashboardNames", name)?;
    }
    let dashboards = of(state, call);
    let absent: Vec<&str> = names
        .iter()
        .filter(|name| dashboards.remove(name).is_none())
        .map(String::as_str)
        .collect();
    match absent.first() {
        None => Ok(Map::new()),
        Some(_) => Err(missing(&absent.join(", "))),
    }
}
