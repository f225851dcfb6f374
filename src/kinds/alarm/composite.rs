//! What a composite alarm watches, and how its rule is compared with AWS's.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Alarm;
use super::rule::{Rule, parse};
use crate::model::Ref;

/// An alarm that keeps a composite one quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suppressor {
    /// The alarm.
    pub alarm: Ref<Alarm>,
    /// For how many seconds the actions wait for the suppressor to come into ALARM.
    pub wait_period: u32,
    /// For how many seconds the actions go on waiting once the suppressor is out of ALARM again.
    pub extension_period: u32,
}

type Alarms = BTreeMap<String, Ref<Alarm>>;

/// Takes over AWS's rule where it means the same, and AWS's names for the alarms where it does not.
pub(super) fn settle(wanted: &mut Alarm, live: &Alarm) {
    let (Some(text), Some(live_text)) = (&wanted.rule, &live.rule) else {
        return;
    };
    let (Ok(rule), Ok(live_rule)) = (parse(text), parse(live_text)) else {
        return;
    };
    let meant = rule.renamed(&|name| meaning(name, &[&wanted.alarms, &live.alarms]));
    let there = live_rule.renamed(&|name| meaning(name, &[&live.alarms]));
    if meant.normal() == there.normal() {
        wanted.rule.clone_from(&live.rule);
        wanted.alarms.clone_from(&live.alarms);
    } else if let Some(names) = renames(&rule, wanted, live) {
        let named = |name: &str| names.get(name).map_or(name, |to| to).to_owned();
        let rule = rule.renamed(&|name| named(name));
        let of = |name: &str| {
            let alarm = wanted.alarms.iter().find(|(key, _)| named(key) == name);
            alarm.map_or_else(|| live.alarms.get(name), |(_, alarm)| Some(alarm))
        };
        let alarms: Alarms = rule
            .alarms()
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), of(name)?.clone())))
            .collect();
        wanted.rule = Some(rule.printed(false));
        wanted.alarms = alarms;
    }
}

/// What a name in a rule stands for, said so that it can be compared.
fn meaning(name: &str, alarms: &[&Alarms]) -> String {
    match alarms.iter().find_map(|alarms| alarms.get(name)) {
        Some(alarm) => serde_json::to_string(alarm).unwrap_or_default(),
        None => name.to_owned(),
    }
}

/// How AWS names the alarms that a document gives names of its own; nothing when the two would get mixed up.
fn renames(rule: &Rule, wanted: &Alarm, live: &Alarm) -> Option<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    for name in rule.alarms() {
        let there = wanted.alarms.get(name).and_then(|alarm| {
            let mut same = live.alarms.iter().filter(|(_, there)| *there == alarm);
            same.next()
        });
        let to = there.map_or(name, |(there, _)| there);
        names.insert(name.to_owned(), to.to_owned());
    }
    let mixed = |(name, to): (&String, &String)| {
        let alarm = wanted.alarms.get(name);
        let there = live.alarms.get(to);
        alarm
            .zip(there)
            .is_some_and(|(alarm, there)| alarm != there)
    };
    let different: BTreeSet<&String> = names.values().collect();
    (different.len() == names.len() && !names.iter().any(mixed)).then_some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Spec as _;

    fn alarm(rule: &str, alarms: &Value) -> Alarm {
        let spec = json!({"name": "a", "type": "composite", "rule": rule, "alarms": alarms});
        serde_json::from_value(spec).unwrap()
    }

    fn live() -> Alarm {
        let alarms = json!({"shop-errors": {"ref": "errors"}, "shop-delay": {"arn": "arn:d"}});
        alarm("ALARM(shop-errors) AND OK(shop-delay)", &alarms)
    }

    #[test]
    fn a_rule_that_means_the_same_is_no_difference() {
        for (rule, alarms) in [
            (
                "OK(d) AND ALARM(e)",
                json!({"e": {"ref": "errors"}, "d": {"arn": "arn:d"}}),
            ),
            (
                "(OK(\"shop-delay\")) AND ALARM(e)",
                json!({"e": {"ref": "errors"}}),
            ),
            ("ALARM(shop-errors) AND OK(shop-delay)", json!({})),
        ] {
            let mut wanted = alarm(rule, &alarms);
            wanted.settle(&live());
            assert_eq!(wanted, live(), "{rule}");
        }
    }

    #[test]
    fn another_rule_is_said_in_the_names_that_aws_has() {
        let mut wanted = alarm(
            "ALARM(e) OR  ALARM(new) OR OK(shop-delay)",
            &json!({"e": {"ref": "errors"}, "new": {"ref": "new"}}),
        );
        wanted.settle(&live());
        let alarms = json!({"shop-errors": {"ref": "errors"}, "new": {"ref": "new"}, "shop-delay": {"arn": "arn:d"}});
        let said = "ALARM(shop-errors) OR ALARM(new) OR OK(shop-delay)";
        assert_eq!(wanted, alarm(said, &alarms));
        let once = wanted.clone();
        wanted.settle(&live());
        assert_eq!(wanted, once);
    }

    #[test]
    fn names_that_stand_for_different_alarms_are_not_mixed_up() {
        let alarms = json!({"shop-errors": {"arn": "arn:d"}, "shop-delay": {"ref": "errors"}});
        let mut wanted = alarm("ALARM(shop-errors) AND OK(shop-delay)", &alarms);
        let before = wanted.clone();
        wanted.settle(&live());
        assert_ne!(wanted, live());
        wanted.settle(&live());
        let (rule, was) = (wanted.rule.unwrap(), before.rule.unwrap());
        let of = |rule: &str, alarms: &Alarms| {
            parse(rule)
                .unwrap()
                .renamed(&|name| meaning(name, &[alarms]))
                .normal()
        };
        assert_eq!(of(&rule, &wanted.alarms), of(&was, &before.alarms));
    }
}
