//! `SecurityHub`: which security controls are checked, and which are off, and why.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::spec::Identity;
use crate::model::{Report, Spec, settle};

pub(in crate::kinds) mod check;
mod control;
pub(in crate::kinds) mod remote;
pub(in crate::kinds) mod standard;
mod tagged;
#[cfg(test)]
mod tests;

pub use control::{Control, Parameter};
pub(in crate::kinds) use tagged::tagged;

/// Security Hub CSPM in an account and region: the hub, the standards that it subscribes to, and the controls in them.
///
/// It manages the settings of the hub, its standards, every control that is not as AWS has it, and the tags.
///
/// - **Standards.** `standards` is all that the hub subscribes to: what is not in it is unsubscribed, and all that was said
///   about its controls is lost. Left out, standards are left alone, and a new hub gets AWS's own two: AWS Foundational
///   Security Best Practices, and CIS AWS Foundations Benchmark 1.2.0.
/// - **Controls.** `controls` lists every control that is off, or that has parameters of its own. What it does not list
///   is on in all standards and has AWS's parameters: a control that somebody switched off with a reason, or that went from
///   the document, is switched on again. Left out, controls are left alone. A control that is off without a reason is off
///   by AWS's doing (a new one while AWS rolls it out, or with `autoEnableControls: false`); it is left alone until the
///   document names it.
/// - **Waiting.** AWS takes minutes to subscribe and unsubscribe, and controls cannot be read or changed before that is
///   done. A subscription that AWS could not complete, for instance because AWS Config records nothing, is a note with
///   AWS's reason, and no difference.
///
/// **AWS chooses** `controlFindingGenerator`, by the age of the account.
/// **Forces replacement:** nothing. Disabling the hub drops its standards, the settings of its controls and its members,
/// and AWS deletes its findings and insights after 90 days; so a hub is retained unless `lifecycle.onDelete` is `delete`.
/// Where only standards shall go, write `standards: []`.
///
/// **Left out:** finding aggregators, automation rules, and an organization's configuration and policies, which are kinds of
/// their own (an account under such a policy refuses changes, and the plan's apply says so); members; insights, custom
/// actions and product subscriptions; the newer Security Hub that AWS calls V2; inputs of standards.
///
/// **Calls.** A hub that is as declared costs 3 calls (the hub, its tags, its standards), and, for the controls, one for each
/// 100 controls of each standard to list them, one for each 100 pairs of a standard and a control to see which are off,
/// and one for each 100 controls with parameters to read those: 20 for three standards with 700 controls. It cannot be
/// fewer: AWS lists controls by standard only, tells what is off only for pairs that are named, and has pages of 100.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: SecurityHub
/// metadata: { name: security-hub }
/// spec:
///   standards: [aws-foundational-security-best-practices/v/1.0.0, cis-aws-foundations-benchmark/v/3.0.0]
///   controls:
///     IAM.6: { enabled: false, reason: Nobody holds a hardware token in the remote stands }
///     ACM.1: { parameters: { daysToExpiration: { integer: 20 } } }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityHub {
    /// Whether controls that AWS adds to a standard are switched on by themselves.
    #[serde(default = "yes")]
    pub auto_enable_controls: bool,
    /// Whether a check that several standards share makes one finding, or one for each of them. In an organization the
    /// administrator's account decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_finding_generator: Option<FindingGenerator>,
    /// The standards: `NAME/v/VERSION` as in their ARNs, or the ARN. Left out, they are left alone; `[]` is none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "standard::some"
    )]
    #[schemars(inner(
        length(max = 200),
        regex(pattern = standard::PATTERN)
    ))]
    pub standards: Option<BTreeSet<String>>,
    /// The controls that are off or have parameters of their own, by the id that a control has in all standards, for
    /// instance `EC2.8`. Left out, they are left alone; `{}` is none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "control::remarkable"
    )]
    pub controls: Option<BTreeMap<String, Control>>,
    /// Tags of the hub. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// How findings of shared checks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingGenerator {
    /// One for each standard.
    StandardControl,
    /// One for all standards.
    SecurityControl,
}

fn yes() -> bool {
    true
}

impl Spec for SecurityHub {
    const KIND: &'static str = "SecurityHub";
    const IDENTITY: Identity = Identity::Singleton;
    const LOSES: Option<&'static str> = Some(
        "the hub's findings, insights, members and control settings in the account and region, after 90 days for good",
    );

    fn validate(&self, report: &mut Report) {
        check::check(self, report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            auto_enable_controls: _,
            control_finding_generator,
            standards,
            controls,
            tags,
        } = self;
        settle::value(
            control_finding_generator,
            live.control_finding_generator.as_ref(),
        );
        settle::value(standards, live.standards.as_ref());
        settle::value(controls, live.controls.as_ref());
        settle::value(tags, live.tags.as_ref());
    }
}
