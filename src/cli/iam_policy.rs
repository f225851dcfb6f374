//! `iam-policy`: print the least IAM policy that the documents need.

use clap::{Args, ValueEnum};

use super::args::Paths;
use super::context::Context;
use super::exit::Exit;
use super::validate::pretty;
use crate::engine::fleet::targets;
use crate::engine::policy::{Need, Purpose};
use crate::engine::run::stack_name;
use crate::model::Location;

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
    /// What carries no stack's tag may then be changed. Documents with `lifecycle.adopt` mean the same.
    #[arg(long)]
    adopt: bool,
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

/// How many characters AWS takes in a managed policy, white space not counted.
const MOST: usize = 6144;

impl IamPolicy {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some(loaded) = context.load(&self.paths.paths)? else {
            return Ok(Exit::Failed);
        };
        let any = || "*".to_owned();
        let location = Location {
            account: match &context.global.account[..] {
                [account] => account.clone(),
                _ => any(),
            },
            region: context.global.region.clone().unwrap_or_else(any),
        };
        let prunes = loaded.stack.as_ref().is_some_and(|stack| stack.prune);
        let mut objects = loaded.objects.iter();
        let selection = context.selection(&loaded);
        let mut targets = targets(&loaded, &selection)?;
        let asked = &selection.targets;
        targets.retain(|target| asked.is_empty() || asked.contains(&target.name));
        let need = Need {
            stack: &stack_name(&loaded),
            declared: &loaded.objects,
            targets: &targets,
            purpose: match self.purpose {
                For::Plan => Purpose::Plan,
                For::Apply if !prunes => Purpose::Apply,
                For::Apply | For::Destroy => Purpose::Destroy,
            },
            adopt: self.adopt || objects.any(|object| object.lifecycle.adopt),
            names: true,
            location: &location,
        };
        let mut policy = need.policy();
        if policy.to_string().len() > MOST {
            policy = Need {
                names: false,
                ..need
            }
            .policy();
            context.printer.say(
                "with the names of all objects the policy would be longer than AWS takes, so it allows every name",
            );
            let length = policy.to_string().len();
            if length > MOST {
                context.printer.say(&format!(
                    "AWS takes managed policies of {MOST} characters, and this one has {length}: put it into the role \
                     itself, or its statements into several policies"
                ));
            }
        }
        context.printer.answer(&pretty(&policy))?;
        Ok(Exit::Ok)
    }
}
