//! `AutomationRule` in Security Hub CSPM.
//!
//! To read one that has not changed takes its share of `ListAutomationRules` and of `BatchGetAutomationRules` (a call
//! for 100 each), and a call for its tags, which neither has. Of rules that nobody wants the tags alone are read.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::config::retry::RetryConfig;
use aws_sdk_securityhub::types as sdk;

use self::translate::send;
use super::AutomationRule;
use crate::aws::pages::fresh;
use crate::aws::{Aws, AwsError, Class, once, securityhub, tags};
use crate::kinds::security_hub::tagged;
use crate::kinds::{Action, Id, Live, Remote, Select, reads, writes};
use crate::model::Spec as _;
use crate::model::stamp::{Stamp, Tags};

mod translate;

const RULES: &str = "arn:{partition}:securityhub:{region}:{account}:automation-rule/*";

/// How many rules one call lists, and reads: [M] `MaxResults`, `AutomationRulesArnsList`.
const A_CALL: usize = 100;

impl Remote for AutomationRule {
    const ACTIONS: &'static [Action] = &[
        reads("securityhub:ListAutomationRules", "*"),
        reads("securityhub:ListTagsForResource", RULES),
        reads("securityhub:BatchGetAutomationRules", RULES),
        writes("securityhub:CreateAutomationRule", "*").stamps(),
        writes("securityhub:BatchUpdateAutomationRules", RULES).ours(),
        writes("securityhub:BatchDeleteAutomationRules", RULES)
            .ours()
            .ends(),
        writes("securityhub:TagResource", RULES).tags(),
        writes("securityhub:UntagResource", RULES).ours(),
    ];

    async fn list(aws: &Aws, select: &Select) -> Result<Vec<Live<Self>>, AwsError> {
        let wanted = tagged(aws, listed(aws).await?, select).await?;
        let wanted: BTreeMap<String, Tags> = wanted.into_iter().collect();
        let arns: Vec<&String> = wanted.keys().collect();
        let mut found = Vec::new();
        for some in arns.chunks(A_CALL) {
            found.extend(read(aws, some, &wanted).await?);
        }
        Ok(found)
    }

    /// Looks for what an earlier call made, and creates: `CreateAutomationRule` has no token, and names need not be
    /// unique, so that a repeated call makes another rule. [M] `CreateAutomationRuleRequest`.
    async fn create(&self, aws: &Aws, stamp: &Stamp) -> Result<Id, AwsError> {
        let tags = stamp.with(self.tags.as_ref().unwrap_or(&Tags::new()));
        // AWS takes no empty map.
        let tags = (!tags.is_empty()).then(|| tags.into_iter().collect());
        let make = || async {
            let once = aws_sdk_securityhub::Config::builder().retry_config(RetryConfig::disabled());
            let answer = send!(aws.securityhub.create_automation_rule(), self)
                .set_tags(Clone::clone(&tags))
                .customize()
                .config_override(once)
                .send()
                .await?;
            aws.required("CreateAutomationRule", "RuleArn", answer.rule_arn)
                .map(Id)
        };
        // Too many calls, or too many rules: the code is the same. [M] HTTP 429.
        let refuses = |error: &AwsError| error.code.as_deref() == Some("LimitExceededException");
        once::create(stamp, || self.made(aws, stamp), make, refuses).await
    }

    async fn update(&self, aws: &Aws, live: &Live<Self>, stamp: &Stamp) -> Result<(), AwsError> {
        let (mut wanted, arn) = (self.clone(), &live.id.0);
        wanted.settle(&live.spec);
        // Among rules of the same order the one that was changed last has the last word: only what differs is a reason
        // to change one. [D] user guide, "Editing automation rule order".
        if wanted.settings() != live.spec.settings() {
            // AWS keeps what is left out, and replaces criteria and actions whole: all is sent, and so nothing is kept
            // that the document does not have.
            let builder = sdk::UpdateAutomationRulesRequestItem::builder();
            let item = send!(builder, &wanted).rule_arn(arn).build();
            let request = aws.securityhub.batch_update_automation_rules();
            let request = request.update_automation_rules_request_items(item);
            let failed = request.send().await?.unprocessed_automation_rules;
            if let Some(failed) = failed.into_iter().flatten().next() {
                return Err(refused(failed));
            }
        }
        let change = tags::change(&live.tags, wanted.tags.as_ref(), stamp);
        securityhub::write_tags(aws, arn, change).await
    }

    async fn delete(aws: &Aws, live: &Live<Self>) -> Result<(), AwsError> {
        let request = aws.securityhub.batch_delete_automation_rules();
        let answer = request.automation_rules_arns(&live.id.0).send().await;
        let answer = match answer.map_err(AwsError::from) {
            Err(error) if error.class == Class::NotFound => return Ok(()),
            answer => answer?,
        };
        let failed = answer.unprocessed_automation_rules.into_iter().flatten();
        match failed.map(refused).next() {
            // AWS does not document by which number it says that a rule is gone: the list tells.
            Some(error) if there(aws).await?.contains(&live.id.0) => Err(error),
            _ => Ok(()),
        }
    }
}

impl AutomationRule {
    /// Returns what `BatchUpdateAutomationRules` writes.
    fn settings(&self) -> Self {
        Self {
            tags: None,
            ..self.clone()
        }
    }

    /// Finds the rule that an earlier call with this stamp made.
    async fn made(&self, aws: &Aws, stamp: &Stamp) -> Result<Option<Id>, AwsError> {
        let all = listed(aws).await?.into_iter();
        let named = all.filter(|(_, name)| *name == self.name);
        securityhub::made(aws, "rules", named.map(|(arn, _)| arn), stamp).await
    }
}

/// Lists the ARNs and names of all rules. The SDK has no paginator for it.
async fn listed(aws: &Aws) -> Result<Vec<(String, String)>, AwsError> {
    let operation = "ListAutomationRules";
    let (mut found, mut seen, mut token) = (Vec::new(), BTreeSet::new(), None);
    loop {
        let request = aws.securityhub.list_automation_rules().max_results(100);
        let answer = request.set_next_token(token).send().await;
        let answer = match answer.map_err(AwsError::from) {
            // Without a hub an account is "not subscribed", and has no rules either.
            Err(error) if error.class == Class::NotFound => {
                let class = Class::NotAvailable;
                return Err(AwsError { class, ..error });
            }
            answer => answer?,
        };
        let rules = answer.automation_rules_metadata;
        for rule in aws.required(operation, "AutomationRulesMetadata", rules)? {
            found.push((
                aws.required(operation, "RuleArn", rule.rule_arn)?,
                aws.required(operation, "RuleName", rule.rule_name)?,
            ));
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        match &token {
            Some(token) => fresh(&mut seen, token)?,
            None => return Ok(found),
        }
    }
}

/// Lists the ARNs of the rules that are there; without a hub there are none.
async fn there(aws: &Aws) -> Result<BTreeSet<String>, AwsError> {
    match listed(aws).await {
        Err(error) if error.class == Class::NotAvailable => Ok(BTreeSet::new()),
        found => Ok(found?.into_iter().map(|(arn, _)| arn).collect()),
    }
}

/// Reads some rules whole. What is not answered is an error, unless it is gone.
async fn read(
    aws: &Aws,
    arns: &[&String],
    tags: &BTreeMap<String, Tags>,
) -> Result<Vec<Live<AutomationRule>>, AwsError> {
    let operation = "BatchGetAutomationRules";
    let mut missing: BTreeSet<String> = arns.iter().map(|arn| (*arn).clone()).collect();
    let answer = loop {
        let request = aws.securityhub.batch_get_automation_rules();
        let asked = Some(missing.iter().cloned().collect());
        let answer = request.set_automation_rules_arns(asked).send().await;
        match answer.map_err(AwsError::from) {
            // [M] has this error too, and does not say when: some may be gone since they were listed.
            Err(error) if error.class == Class::NotFound => {
                let (before, left) = (missing.len(), there(aws).await?);
                missing.retain(|arn| left.contains(arn));
                if missing.len() == before {
                    return Err(unclear(error));
                }
                if missing.is_empty() {
                    return Ok(Vec::new());
                }
            }
            answer => break answer?,
        }
    };
    let mut found = Vec::new();
    for rule in answer.rules.into_iter().flatten() {
        let arn = aws.required(operation, "RuleArn", rule.rule_arn.clone())?;
        let Some(tags) = tags.get(&arn).filter(|_| missing.remove(&arn)) else {
            continue;
        };
        let spec = translate::spec(aws, rule, tags)?;
        found.push(Live {
            id: Id(arn),
            name: spec.name.clone(),
            spec,
            tags: tags.clone(),
            ready: true,
            notes: Vec::new(),
        });
    }
    if !missing.is_empty() {
        let failed = answer.unprocessed_automation_rules.unwrap_or_default();
        gone(&missing, &there(aws).await?, failed)?;
    }
    Ok(found)
}

/// Accepts that an answer lacks rules which are not listed any more; it is an error if it lacks others.
fn gone(
    missing: &BTreeSet<String>,
    left: &BTreeSet<String>,
    failed: Vec<sdk::UnprocessedAutomationRule>,
) -> Result<(), AwsError> {
    let Some(lost) = missing.intersection(left).next() else {
        return Ok(());
    };
    let told = failed
        .into_iter()
        .find(|one| one.rule_arn.as_ref() == Some(lost));
    Err(told.map_or_else(
        || {
            let message = format!("the answer leaves out {lost}");
            AwsError::unexpected("BatchGetAutomationRules", &message)
        },
        |failed| unclear(refused(failed)),
    ))
}

/// Takes "not there" for no more than a failure, for the list says otherwise: what could not be read is never absent.
fn unclear(error: AwsError) -> AwsError {
    let class = match error.class {
        Class::NotFound => Class::Other,
        class => class,
    };
    AwsError { class, ..error }
}

/// Makes an error of what a batch call did not do. `ErrorCode` is a number of which AWS documents none; taken for those
/// of HTTP, which decide nothing but what is said and whether it is tried again.
fn refused(failed: sdk::UnprocessedAutomationRule) -> AwsError {
    let sdk::UnprocessedAutomationRule {
        rule_arn,
        error_code,
        error_message,
        ..
    } = failed;
    let class = match error_code {
        Some(401 | 403) => Class::Denied,
        Some(404) => Class::NotFound,
        Some(429) => Class::Throttled,
        Some(500..) => Class::Transient,
        _ => Class::Invalid,
    };
    let arn = rule_arn.unwrap_or_default();
    AwsError {
        class,
        code: error_code.map(|code| code.to_string()),
        message: format!("{arn}: {}", error_message.unwrap_or_default()),
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_leaves_out_is_gone_only_if_the_list_says_so() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let failed = |arn: &str, code: i32| {
            let failed = sdk::UnprocessedAutomationRule::builder().rule_arn(arn);
            failed.error_code(code).error_message("no").build()
        };
        assert!(gone(&set(&["a"]), &set(&["b"]), vec![failed("a", 404)]).is_ok());
        let error = gone(&set(&["a", "b"]), &set(&["b"]), Vec::new()).unwrap_err();
        assert!(error.to_string().contains("leaves out b"), "{error}");
        for (code, class) in [
            (400, Class::Invalid),
            (401, Class::Denied),
            (403, Class::Denied),
            (404, Class::Other),
            (429, Class::Throttled),
            (500, Class::Transient),
        ] {
            let told = vec![failed("a", 400), failed("b", code)];
            let error = gone(&set(&["b"]), &set(&["b"]), told).unwrap_err();
            assert_eq!(error.class, class);
            assert!(error.message.contains("b: no"), "{error}");
        }
    }
}
