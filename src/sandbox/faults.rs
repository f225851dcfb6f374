//! Faults on request: what goes wrong, for which calls, and when.
//!
//! A file is a list of rules; the first that strikes a call decides:
//!
//! ```yaml
//! - match: { service: ssm, operation: PutParameter }
//!   when: { rate: 0.1 }
//!   then: throttle
//! - match: { service: ssm-contacts, account: "111122223333" }
//!   when: { calls: [2, 3] }
//!   then: { error: { code: InternalServerException, status: 500, message: try again } }
//! - match: { operation: CreateContact }
//!   then: { staleReads: 2 }
//! - then: { delay: 250 }
//! ```

use std::path::Path;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use serde::Deserialize;

use super::{Access, Error};

/// The rules, and how often each one's calls came by.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Counted>);

#[derive(Clone, Debug)]
struct Counted {
    rule: Rule,
    seen: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rule {
    #[serde(rename = "match", default)]
    calls: Match,
    #[serde(default)]
    when: When,
    then: Then,
}

/// Which calls a rule is about; what is left out, or `*`, matches all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Match {
    service: Option<String>,
    operation: Option<String>,
    account: Option<String>,
    region: Option<String>,
}

/// Which of its calls a rule strikes; all of them by default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct When {
    /// Each call, with this probability.
    rate: Option<f64>,
    /// The calls with these numbers, counted from 1.
    calls: Option<Vec<u64>>,
    /// The first so many calls.
    first: Option<u64>,
}

/// What happens to a call.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) enum Then {
    /// The service's own throttling error.
    Throttle,
    /// Any error.
    Error {
        code: String,
        status: Option<u16>,
        #[serde(default)]
        message: String,
    },
    /// The access-denied error.
    Deny,
    /// Nothing happens, and no answer comes.
    TimeoutBefore,
    /// It happens, and no answer comes.
    TimeoutAfter,
    /// Nothing happens, and the connection is lost.
    DisconnectBefore,
    /// It happens, and the connection is lost.
    DisconnectAfter,
    /// So many milliseconds pass first. The rules after this one still apply.
    Delay(u64),
    /// After a write, so many reads of the same service and account do not see it. Only counts and strikes writes; the
    /// rules after this one still apply.
    StaleReads(u32),
    /// A list answers one item a page, where its caller may choose the size of a page.
    ShortPages,
    /// A list lacks its last item, as one does that has not caught up yet.
    MissingItem,
    /// A list names its last item twice, as one does when an object moves from one page to the next.
    RepeatedItem,
    /// A list refuses the token of a further page.
    ExpiredPage,
}

impl Then {
    /// Says whether this only happens to lists of objects.
    fn is_about_lists(&self) -> bool {
        matches!(
            self,
            Self::ShortPages | Self::MissingItem | Self::RepeatedItem | Self::ExpiredPage
        )
    }
}

/// What the rules decided for one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) stale_reads: u32,
    pub(crate) fault: Option<Then>,
}

impl Faults {
    /// Reads rules from YAML or JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        // By way of JSON values: serde_yaml itself wants YAML tags for what is `{ delay: 250 }` here.
        let values: Vec<serde_json::Value> =
            serde_yaml::from_str(text).map_err(|e| e.to_string())?;
        let rules: Vec<Rule> = values
            .into_iter()
            .enumerate()
            .map(|(i, value)| {
                serde_json::from_value(value).map_err(|e| format!("rule {}: {e}", i + 1))
            })
            .collect::<Result<_, _>>()?;
        for (i, Rule { when, .. }) in rules.iter().enumerate() {
            let ways = [
                when.rate.is_some(),
                when.calls.is_some(),
                when.first.is_some(),
            ];
            if ways.into_iter().filter(|way| *way).count() > 1 {
                return Err(format!(
                    "rule {}: `when` takes one of `rate`, `calls`, `first`",
                    i + 1
                ));
            }
            if when.rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
                return Err(format!("rule {}: `rate` is between 0 and 1", i + 1));
            }
        }
        Ok(Self(
            rules
                .into_iter()
                .map(|rule| Counted { rule, seen: 0 })
                .collect(),
        ))
    }

    /// Reads a file of rules.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::FaultsFile {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|why| Error::Faults {
            path: path.to_owned(),
            why,
        })
    }

    /// Decides what happens to a call.
    pub(crate) fn judge(
        &mut self,
        service: &str,
        operation: &str,
        access: Option<Access>,
        account: &str,
        region: &str,
        rng: &mut SmallRng,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        for Counted { rule, seen } in &mut self.0 {
            let wanted = [
                (&rule.calls.service, service),
                (&rule.calls.operation, operation),
                (&rule.calls.account, account),
                (&rule.calls.region, region),
            ];
            let is_meant = |(wanted, is): &(&Option<String>, &str)| {
                wanted
                    .as_deref()
                    .is_none_or(|wanted| wanted == "*" || wanted == *is)
            };
            let is_read = access != Some(Access::Write);
            let only_writes = matches!(rule.then, Then::StaleReads(_));
            let is_list = lists_objects(operation);
            if !wanted.iter().all(is_meant)
                || (is_read && only_writes)
                || (!is_list && rule.then.is_about_lists())
            {
                continue;
            }
            *seen += 1;
            let strikes = match &rule.when {
                When {
                    rate: Some(rate), ..
                } => rng.random_bool(*rate),
                When {
                    calls: Some(calls), ..
                } => calls.contains(seen),
                When {
                    first: Some(first), ..
                } => *seen <= *first,
                When { .. } => true,
            };
            match &rule.then {
                _ if !strikes => {}
                Then::Delay(ms) => verdict.delay += Duration::from_millis(*ms),
                Then::StaleReads(reads) => verdict.stale_reads = *reads,
                then => verdict.fault = verdict.fault.or_else(|| Some(then.clone())),
            }
        }
        verdict
    }
}

/// Says whether an operation lists objects; the tags of one are no such list.
fn lists_objects(operation: &str) -> bool {
    ["List", "Describe"]
        .iter()
        .any(|verb| operation.starts_with(verb))
        && !operation.contains("Tags")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn judge(faults: &mut Faults, operation: &str, rng: &mut SmallRng) -> Verdict {
        let access = Some(Access::Write);
        faults.judge("ssm", operation, access, "111122223333", "eu-west-1", rng)
    }

    #[test]
    fn rules_strike_by_number_and_by_match() {
        let mut faults = Faults::parse(
            "- match: { service: ssm, operation: PutParameter }\n  when: { calls: [2] }\n  then: timeoutAfter\n\
             - match: { region: '*' }\n  when: { first: 1 }\n  then: { delay: 5 }\n",
        )
        .unwrap();
        let rng = &mut SmallRng::seed_from_u64(0);
        assert_eq!(
            judge(&mut faults, "PutParameter", rng).delay,
            Duration::from_millis(5)
        );
        assert_eq!(judge(&mut faults, "GetParameter", rng), Verdict::default());
        assert_eq!(
            judge(&mut faults, "PutParameter", rng).fault,
            Some(Then::TimeoutAfter)
        );
        assert_eq!(judge(&mut faults, "PutParameter", rng), Verdict::default());
    }

    #[test]
    fn rates_are_seeded() {
        let strikes = |seed| {
            let mut faults =
                Faults::parse("[{\"when\": {\"rate\": 0.5}, \"then\": \"throttle\"}]").unwrap();
            let rng = &mut SmallRng::seed_from_u64(seed);
            let struck = |_| judge(&mut faults, "GetParameter", rng).fault.is_some();
            (0..64).map(struck).collect::<Vec<_>>()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
    }

    #[test]
    fn unknown_fields_are_errors() {
        for text in [
            "- then: { staleReads: some }",
            "- then: throttle\n  what: ever",
            "- match: { servise: ssm }\n  then: throttle",
            "- when: { rate: 2 }\n  then: throttle",
            "- when: { rate: 1, first: 2 }\n  then: throttle",
            "- match: {}",
        ] {
            assert!(Faults::parse(text).is_err(), "{text}");
        }
    }
}
