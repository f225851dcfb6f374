//! What can be said about an automation rule before AWS sees it. [M] service model; [D] user guide, "Understanding
//! automation rules in Security Hub CSPM".

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::criteria::Filters;
use super::{
    AutomationRule, DateFilter, FindingFieldsUpdate, NumberFilter, Severity, StringComparison,
    StringFilter,
};
use crate::kinds::contact::rules::has_variable;
use crate::kinds::tags;
use crate::model::{Diagnostic, Report, pointer};

const RULE: &str = "bad-automation-rule";

/// Fields that have no other values than these: [M] the enumerations of those names.
const WORDS: [(&str, &[&str]); 7] = [
    (
        "complianceStatus",
        &["PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"],
    ),
    ("recordState", &["ACTIVE", "ARCHIVED"]),
    ("resourcePartition", &["aws", "aws-cn", "aws-us-gov"]),
    ("resourceProvider", &["AWS", "Azure"]),
    (
        "severityLabel",
        &["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"],
    ),
    (
        "verificationState",
        &[
            "UNKNOWN",
            "TRUE_POSITIVE",
            "FALSE_POSITIVE",
            "BENIGN_POSITIVE",
        ],
    ),
    (
        "workflowStatus",
        &["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"],
    ),
];

/// Reports everything wrong with a rule that its schema cannot express.
pub(super) fn check(rule: &AutomationRule, report: &mut Report) {
    let AutomationRule {
        name: _,
        description: _,
        order: _,
        enabled: _,
        terminal: _,
        criteria,
        finding_fields_update,
        tags,
    } = rule;
    let fields = criteria.fields();
    // [D] "one or more rule criteria".
    if fields.iter().all(|(_, filters)| filters.is_empty()) {
        report.error(
            RULE,
            "/criteria",
            "the rule has no criteria",
            "say which findings it is for, by at least one field",
        );
    }
    for (name, filters) in fields {
        let name = camel(name);
        let at = pointer::join("/criteria", &name);
        match filters {
            Filters::Strings(filters) => {
                together(filters.iter().map(|filter| filter.comparison), &at, report);
                check_words(&name, filters, &at, report);
            }
            Filters::Maps(filters) => {
                let comparisons = filters.iter().map(|filter| filter.comparison.into());
                together(comparisons, &at, report);
            }
            Filters::Dates(filters) => {
                for (index, filter) in filters.iter().enumerate() {
                    check_date(filter, &pointer::join(&at, index), report);
                }
            }
            Filters::Numbers(filters) => {
                for (index, filter) in filters.iter().enumerate() {
                    check_number(filter, &pointer::join(&at, index), report);
                }
            }
        }
    }
    check_update(finding_fields_update, report);
    tags::check(tags.as_ref(), tags::Alphabet::SecurityHub, report);
}

/// Returns a field as documents have it.
fn camel(field: &str) -> String {
    let mut name = String::new();
    for (index, word) in field.trim_start_matches("r#").split('_').enumerate() {
        let (first, rest) = word.split_at(word.len().min(1));
        if index == 0 {
            name.push_str(first);
        } else {
            name.push_str(&first.to_ascii_uppercase());
        }
        name.push_str(rest);
    }
    name
}

/// Reports comparisons that AWS does not take on one field: [M] `StringFilter`, `MapFilter`, `Comparison`.
fn together(comparisons: impl Iterator<Item = StringComparison>, at: &str, report: &mut Report) {
    use StringComparison as C;
    let found: BTreeSet<C> = comparisons.collect();
    let alone = |one: C| {
        let other = found.iter().copied().find(|other| *other != one);
        other
            .filter(|_| found.contains(&one))
            .map(|other| (one, other))
    };
    let against = |other: C| {
        (found.contains(&C::Equals) && found.contains(&other)).then_some((C::Equals, other))
    };
    let clash = alone(C::Contains)
        .or_else(|| alone(C::NotContains))
        .or_else(|| against(C::NotEquals))
        .or_else(|| against(C::PrefixNotEquals));
    if let Some((one, other)) = clash {
        let (one, other) = (spelled(one), spelled(other));
        report.error(
            RULE,
            at,
            format!("`{one}` and `{other}` do not go together on one field"),
            "write two rules, or say it with one of them",
        );
    }
}

fn spelled(comparison: StringComparison) -> &'static str {
    use StringComparison as C;
    match comparison {
        C::Equals => "EQUALS",
        C::Prefix => "PREFIX",
        C::NotEquals => "NOT_EQUALS",
        C::PrefixNotEquals => "PREFIX_NOT_EQUALS",
        C::Contains => "CONTAINS",
        C::NotContains => "NOT_CONTAINS",
    }
}

/// Warns of values that no finding has: upper and lower case count.
fn check_words(field: &str, filters: &BTreeSet<StringFilter>, at: &str, report: &mut Report) {
    let words = WORDS.iter().find(|(name, _)| *name == field);
    for (index, filter) in filters.iter().enumerate() {
        let StringFilter { comparison, value } = filter;
        let whole = [StringComparison::Equals, StringComparison::NotEquals].contains(comparison);
        if !whole || has_variable(value) {
            continue;
        }
        let hint = match words {
            Some((_, words)) if !words.contains(&value.as_str()) => {
                format!("one of {}", words.join(", "))
            }
            None if field == "awsAccountId" && !is_account(value) => "twelve digits".to_owned(),
            _ => continue,
        };
        let at = format!("{at}/{index}/value");
        let message = format!("no finding has the {field} `{value}`");
        report.push(Diagnostic::warning("unmatched-filter", at, message).hint(hint));
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit())
}

fn check_date(filter: &DateFilter, at: &str, report: &mut Report) {
    let DateFilter {
        start,
        end,
        date_range,
    } = filter;
    let mut bad = |at: String, message: String, hint: &str| report.error(RULE, at, message, hint);
    let said = start.is_some() || end.is_some();
    if date_range.is_some() == said {
        let message = if said {
            "the filter has a `dateRange` and a `start` or `end` too"
        } else {
            "the filter says nothing"
        };
        let hint = "write `dateRange`, or `start` and `end`, of which one may be left out";
        bad(at.to_owned(), message.to_owned(), hint);
    }
    let mut moments = [None, None];
    let ends = [("start", start), ("end", end)];
    for ((name, text), moment) in ends.into_iter().zip(&mut moments) {
        let Some(text) = text.as_ref().filter(|text| !has_variable(text)) else {
            continue;
        };
        match read(text) {
            Some(read) => *moment = Some(read),
            None => bad(
                pointer::join(at, name),
                format!("`{text}` is no moment that AWS reads"),
                "for instance `2026-01-31T23:00:00Z` or `2026-01-31T23:00:00+09:00`",
            ),
        }
    }
    if let [Some(start), Some(end)] = moments
        && start > end
    {
        let hint = "exchange them";
        bad(at.to_owned(), "it ends before it begins".to_owned(), hint);
    }
}

/// Reads a moment as AWS writes it: [D] API reference, "Timestamps". The date, `T`, the time with its seconds and up to
/// nine digits of them, and `Z` or an offset of at most 18 hours.
fn read(text: &str) -> Option<Timestamp> {
    let time = text.get(19..)?;
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let zone = match time.strip_prefix('.') {
        None => time,
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            rest.get(end..).filter(|_| (1..=9).contains(&end))?
        }
    };
    let offset = zone.strip_prefix(['+', '-']).map(|o| o.replace(':', ""));
    let fits = match &offset {
        None => zone == "Z",
        Some(offset) => {
            let (hours, minutes) = offset.split_at_checked(2)?;
            let least = hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().unwrap_or(0);
            digits(offset) && [0, 2].contains(&minutes.len()) && least <= 18 * 60
        }
    };
    let plain = text.get(10..11) == Some("T") && text.get(16..17) == Some(":");
    (fits && plain).then(|| text.parse().ok()).flatten()
}

fn check_number(filter: &NumberFilter, at: &str, report: &mut Report) {
    let NumberFilter {
        gte,
        lte,
        eq,
        gt,
        lt,
    } = filter;
    if [gte, lte, eq, gt, lt].iter().all(|said| said.is_none()) {
        let hint = "write one of `gte`, `lte`, `eq`, `gt`, `lt`";
        report.error(RULE, at, "the filter says nothing", hint);
        return;
    }
    let least = [gte, eq].into_iter().flatten().max();
    let most = [lte, eq].into_iter().flatten().min();
    let above = least.zip(most).is_some_and(|(least, most)| least > most);
    let strict = [
        gt.as_ref().zip(most),
        least.zip(lt.as_ref()),
        gt.as_ref().zip(lt.as_ref()),
    ];
    let mut strict = strict.into_iter().flatten();
    if above || strict.any(|(low, high)| low >= high) {
        let hint = "all that one filter says must hold; several filters are alternatives";
        report.error(RULE, at, "no number is all of that", hint);
    }
}

fn check_update(update: &FindingFieldsUpdate, report: &mut Report) {
    let at = "/findingFieldsUpdate";
    if update.is_empty() {
        let hint = "say what becomes of the findings, for instance `workflowStatus: SUPPRESSED`";
        report.error(RULE, at, "the rule changes nothing", hint);
    }
    if let Some(severity) = &update.severity {
        let Severity {
            label,
            normalized,
            product,
        } = severity;
        if label.is_none() && normalized.is_none() && product.is_none() {
            let hint = "write `label`";
            report.error(RULE, format!("{at}/severity"), "it says nothing", hint);
        }
    }
    for (name, value) in &update.user_defined_fields {
        if name.trim().is_empty() || value.trim().is_empty() {
            let at = pointer::join(&format!("{at}/userDefinedFields"), name);
            let hint = "AWS wants names and values that are more than spaces";
            report.error(RULE, at, "the name or the value is empty", hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findings(criteria: &Value, update: &Value) -> Vec<String> {
        let spec = json!({
            "name": "accepted", "description": "x", "order": 1,
            "criteria": criteria, "findingFieldsUpdate": update,
        });
        let rule: AutomationRule = serde_json::from_value(spec).unwrap();
        let mut report = Report::default();
        check(&rule, &mut report);
        let found = report.diagnostics.into_iter();
        found.map(|d| format!("{} {}", d.code, d.at)).collect()
    }

    fn of(criteria: &Value) -> Vec<String> {
        findings(criteria, &json!({"workflowStatus": "SUPPRESSED"}))
    }

    #[test]
    fn a_rule_is_for_something_and_does_something() {
        let low = json!({"severityLabel": [{"comparison": "EQUALS", "value": "LOW"}]});
        assert_eq!(of(&low), [""; 0]);
        assert_eq!(of(&json!({})), ["bad-automation-rule /criteria"]);
        assert_eq!(of(&json!({"title": []})), ["bad-automation-rule /criteria"]);
        assert_eq!(
            findings(&low, &json!({})),
            ["bad-automation-rule /findingFieldsUpdate"]
        );
        assert_eq!(
            findings(&low, &json!({"severity": {}})),
            ["bad-automation-rule /findingFieldsUpdate/severity"]
        );
        assert_eq!(
            findings(&low, &json!({"userDefinedFields": {"a": " ", "b": "c"}})),
            ["bad-automation-rule /findingFieldsUpdate/userDefinedFields/a"]
        );
    }

    #[test]
    fn some_comparisons_do_not_go_together() {
        for (comparisons, fits) in [
            (&["EQUALS", "PREFIX"][..], true),
            (&["PREFIX", "NOT_EQUALS", "PREFIX_NOT_EQUALS"], true),
            (&["CONTAINS"], true),
            (&["EQUALS", "NOT_EQUALS"], false),
            (&["EQUALS", "PREFIX_NOT_EQUALS"], false),
            (&["CONTAINS", "EQUALS"], false),
            (&["NOT_CONTAINS", "NOT_EQUALS"], false),
            (&["CONTAINS", "NOT_CONTAINS"], false),
        ] {
            let filter = |c: &&str| json!({"comparison": c, "value": "x"});
            let filters: Vec<Value> = comparisons.iter().map(filter).collect();
            let expected: &[&str] = if fits {
                &[]
            } else {
                &["bad-automation-rule /criteria/type"]
            };
            assert_eq!(of(&json!({"type": filters})), expected, "{comparisons:?}");
        }
        let tags = json!({"resourceTags": [
            {"key": "a", "comparison": "EQUALS", "value": "x"},
            {"key": "b", "comparison": "NOT_EQUALS", "value": "x"},
        ]});
        assert_eq!(of(&tags), ["bad-automation-rule /criteria/resourceTags"]);
    }

    #[test]
    fn what_no_finding_has_is_told() {
        let filter =
            |comparison: &str, value: &str| json!([{"comparison": comparison, "value": value}]);
        for (field, comparison, value, fits) in [
            ("severityLabel", "EQUALS", "HIGH", true),
            ("severityLabel", "EQUALS", "High", false),
            ("severityLabel", "PREFIX", "Hi", true),
            ("workflowStatus", "NOT_EQUALS", "Suppressed", false),
            ("recordState", "EQUALS", "${target.vars.state}", true),
            ("awsAccountId", "EQUALS", "111122223333", true),
            ("awsAccountId", "EQUALS", "11112222333", false),
            ("title", "EQUALS", "High", true),
        ] {
            let expected = format!("unmatched-filter /criteria/{field}/0/value");
            let expected: Vec<String> = (!fits).then_some(expected).into_iter().collect();
            let found = of(&json!({ field: filter(comparison, value) }));
            assert_eq!(found, expected, "{field} {value}");
        }
    }

    #[test]
    fn dates_are_moments_and_end_after_they_begin() {
        let range = json!({"value": 30, "unit": "DAYS", "comparison": "OLDER_THAN"});
        let date = |filter: Value| of(&json!({ "createdAt": [filter] }));
        for good in [
            json!({"dateRange": range}),
            json!({"start": "2026-01-31T23:00:00Z"}),
            json!({"start": "2026-01-31T23:00:00.123456789+17:59"}),
            json!({"start": "2026-01-31T23:00:00-1759", "end": "2026-02-28T00:00:00+09"}),
            json!({"end": "${target.vars.end}"}),
        ] {
            assert_eq!(date(good.clone()), [""; 0], "{good}");
        }
        let at = "bad-automation-rule /criteria/createdAt/0";
        for bad in [
            json!({}),
            json!({"dateRange": range, "start": "2026-01-31T23:00:00Z"}),
            json!({"start": "2026-01-31T23:00:00Z", "end": "2026-01-31T23:00:00+09:00"}),
        ] {
            assert_eq!(date(bad.clone()), [at], "{bad}");
        }
        for bad in [
            "2026-01-31",
            "2026-13-31T23:00:00Z",
            "2026-01-31 23:00:00Z",
            "2026-01-31T23:00:00",
            "2026-01-31T23:00:00.Z",
            "2026-01-31T23:00:00+19:00",
            "2026-01-31T23:00:00+09:00[Asia/Tokyo]",
        ] {
            let found = date(json!({"start": bad}));
            assert_eq!(found, [format!("{at}/start")], "{bad}");
        }
    }

    #[test]
    fn a_number_can_be_all_that_is_said() {
        let number = |filter: &Value| of(&json!({ "confidence": [filter] }));
        for good in [
            json!({"gte": 50}),
            json!({"gte": 50, "lte": 50}),
            json!({"gt": 50, "lt": 50.5}),
            json!({"eq": 50, "gte": 10}),
        ] {
            assert_eq!(number(&good), [""; 0], "{good}");
        }
        for bad in [
            json!({}),
            json!({"gte": 51, "lte": 50}),
            json!({"gt": 50, "lte": 50}),
            json!({"gt": 50, "lt": 50}),
            json!({"eq": 50, "gt": 50}),
        ] {
            let at = "bad-automation-rule /criteria/confidence/0";
            assert_eq!(number(&bad), [at], "{bad}");
        }
    }
}
