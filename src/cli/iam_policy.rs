//! `iam-policy`: print the least IAM policy that the documents need.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::args::Paths;
use super::context::Context;
use super::exit::Exit;
use super::validate::pretty;
use crate::kinds::{self, Access, Action};
use crate::model::{Location, sensitive};

/// Print the least IAM policy that the documents need
///
/// Made from the same table that names each operation a kind calls.
#[derive(Debug, Args)]
pub struct IamPolicy {
    #[command(flatten)]
    paths: Paths,
    /// What the policy shall allow
    #[arg(long = "for", value_enum, default_value_t = Purpose::Apply)]
    purpose: Purpose,
    /// The account, for the resources' ARNs [default: any]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

/// Where the leases of `apply` and `destroy` are kept.
const LEASES: &str = "arn:{partition}:ssm:{region}:{account}:parameter/stationbill/*";

/// What the policy shall allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// `plan`, `drift` and `export`: reading alone
    Plan,
    /// `apply` and `destroy` too
    Apply,
}

impl IamPolicy {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some(loaded) = context.load(&self.paths.paths)? else {
            return Ok(Exit::Failed);
        };
        let declared: BTreeSet<&str> = loaded
            .objects
            .iter()
            .map(|object| object.address.kind.as_str())
            .collect();
        let mut actions: BTreeSet<Action> = declared
            .iter()
            .filter_map(|kind| kinds::find(kind))
            .flat_map(kinds::AnyKind::actions)
            .copied()
            .collect();
        if loaded
            .objects
            .iter()
            .any(|object| sensitive::reads_parameters(&object.spec))
        {
            actions.insert(kinds::reads(
                "ssm:GetParameter",
                "arn:{partition}:ssm:{region}:{account}:parameter/*",
            ));
        }
        actions.extend([
            kinds::writes("ssm:GetParameter", LEASES),
            kinds::writes("ssm:PutParameter", LEASES),
        ]);
        actions.retain(|action| self.purpose == Purpose::Apply || action.access == Access::Read);
        let region = context
            .global
            .region
            .clone()
            .unwrap_or_else(|| "*".to_owned());
        let location = Location {
            account: self.account.clone().unwrap_or_else(|| "*".to_owned()),
            region,
        };
        context
            .printer
            .answer(&pretty(&policy(&actions, &location)))?;
        Ok(Exit::Ok)
    }
}

/// One statement for each access and resource, actions sorted.
fn policy(actions: &BTreeSet<Action>, location: &Location) -> Value {
    let mut statements: BTreeMap<(Access, String), BTreeSet<&str>> = BTreeMap::new();
    for action in actions {
        let resource = action
            .resource
            .replace("{partition}", location.partition())
            .replace("{region}", &location.region)
            .replace("{account}", &location.account);
        statements
            .entry((action.access, resource))
            .or_default()
            .insert(action.name);
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .enumerate()
        .map(|(index, ((access, resource), actions))| {
            let sid = match access {
                Access::Read => "Read",
                Access::Write => "Write",
            };
            json!({ "Sid": format!("{sid}{index}"), "Effect": "Allow", "Action": actions, "Resource": resource })
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}
