//! `iam-policy`: print the least IAM policy that the documents need.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::args::Paths;
use super::context::Context;
use super::environment;
use super::exit::Exit;
use super::validate::pretty;
use crate::engine::fleet::targets;
use crate::engine::policy::{Need, Purpose, split};
use crate::engine::run::stack_name;
use crate::model::{Location, partition};

/// Print the least IAM policy that the documents need
///
/// Made from the same table that names each operation a kind calls, and limited as far as AWS allows: what is created
/// must carry the stack's tag, what is changed or deleted must carry it already, and what has a name in AWS must have
/// one that a document declares. With it nothing of another stack can be touched. Reading is limited to the kinds that
/// the documents declare, in the account and the region: only what is read can be found to be the stack's or not.
///
/// Where a Target names a role, the policy is for both ends: the credentials at hand need `sts:AssumeRole`, what lists
/// the accounts of the organization, and the parameter of the lease; the role in the accounts needs all the rest.
///
/// Not in the policy: `kms:Decrypt` for a parameter that a key of your own encrypts, and the S3 objects of a document's
/// attachments. `sts:GetCallerIdentity`, which every run calls, needs no permission.
#[derive(Debug, Args)]
pub struct IamPolicy {
    #[command(flatten)]
    paths: Paths,
    /// What the policy shall allow
    #[arg(long = "for", value_enum, default_value_t = For::Apply)]
    purpose: For,
    /// Let `apply` take over objects that nobody owns, too
    ///
    /// What carries no stack's tag may then be changed. A document with `lifecycle.adopt` means its own object.
    #[arg(long)]
    adopt: bool,
    /// Print a list of policies, each as long as AWS takes a managed one
    #[arg(long)]
    split: bool,
    /// Allow every name, and not only those that are declared: shorter, where there are very many
    ///
    /// What carries no stack's tag can then be given the stack's, whatever its name, and after that be changed and
    /// deleted.
    #[arg(long)]
    any_name: bool,
}

/// What the policy shall allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum For {
    /// `plan` and `drift`: reading alone
    Plan,
    /// `apply`: creating and changing too
    Apply,
    /// `destroy` and `--prune` too: reading every kind, and deleting what the stack owns
    Destroy,
}

/// How many characters AWS takes in a managed policy, and in all inline policies of a role together; white space not
/// counted. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MANAGED: usize = 6144;
const INLINE: usize = 10_240;
/// How many managed policies a role has at most, unless AWS was asked for more; from the same page.
const ATTACHED: usize = 10;

impl IamPolicy {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some(loaded) = context.load(&self.paths.paths)? else {
            return Ok(Exit::Failed);
        };
        let any = || "*".to_owned();
        let region = context.global.region.clone();
        let at = |account| Location {
            account,
            region: region.clone().unwrap_or_else(any),
        };
        let accounts = context.global.account.iter().cloned();
        let mut locations: Vec<Location> = accounts.map(at).collect();
        if locations.is_empty() {
            locations.push(at(any()));
        }
        let prunes = loaded.stack.as_ref().is_some_and(|stack| stack.prune);
        let selection = context.selection(&loaded);
        let mut targets = targets(&loaded, &selection)?;
        let asked = &selection.targets;
        targets.retain(|target| asked.is_empty() || asked.contains(&target.name));
        let mut regions = targets.iter().flat_map(|target| &target.spec.regions);
        let usual = || {
            environment::variable("AWS_REGION")
                .or_else(|| environment::variable("AWS_DEFAULT_REGION"))
        };
        let region = region.or_else(|| regions.next().cloned()).or_else(usual);
        let policy = Need {
            stack: &stack_name(&loaded),
            declared: &loaded.objects,
            targets: &targets,
            purpose: match self.purpose {
                For::Plan => Purpose::Plan,
                For::Apply if !prunes => Purpose::Apply,
                For::Apply | For::Destroy => Purpose::Destroy,
            },
            adopt: self.adopt,
            names: !self.any_name,
            locations: &locations,
            partition: partition(&region.unwrap_or_default()),
            wish: &context.wish(&loaded),
        }
        .policy();
        let answer = if self.split {
            let parts = split(&policy, MANAGED);
            if parts.len() > ATTACHED {
                context.printer.say(&format!(
                    "these are {} policies, and AWS attaches {ATTACHED} to a role unless it is asked for more: \
                     `--any-name` makes them shorter",
                    parts.len()
                ));
            }
            Value::from(parts)
        } else {
            if let Some(advice) = advice(policy.to_string().len()) {
                context.printer.say(&advice);
            }
            policy
        };
        context.printer.answer(&pretty(&answer))?;
        Ok(Exit::Ok)
    }
}

/// Says what to do with a policy of that length.
fn advice(length: usize) -> Option<String> {
    let put = if length <= MANAGED {
        return None;
    } else if length <= INLINE {
        "put it into the role itself, or print it with `--split` as several".to_owned()
    } else {
        format!("print it with `--split` as several; a role itself takes {INLINE} in all")
    };
    Some(format!(
        "AWS takes managed policies of {MANAGED} characters, and this one has {length}: {put}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advised_can_be_done() {
        assert_eq!(advice(MANAGED), None);
        assert!(advice(INLINE).is_some_and(|said| said.contains("into the role itself")));
        assert!(advice(INLINE + 1).is_some_and(|said| !said.contains("into the role")));
    }
}
