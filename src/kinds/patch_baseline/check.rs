//! What can be said about a patch baseline before AWS sees it. [T] aws-systems-manager reference, sections 2.3 and 3.

use std::collections::BTreeSet;

use super::{FilterKey, OperatingSystem, PatchBaseline, PatchFilter};
use crate::kinds::contact::rules::has_variable;
use crate::kinds::tags;
use crate::model::{Diagnostic, Report};

/// Reports everything wrong with a baseline that its schema cannot express.
pub(super) fn check(baseline: &PatchBaseline, report: &mut Report) {
    let system = baseline.operating_system;
    check_filters(&baseline.global_filters, "/globalFilters", system, report);
    for (index, rule) in baseline.approval_rules.iter().enumerate() {
        let at = format!("/approvalRules/{index}");
        match (rule.approve_after_days, &rule.approve_until_date) {
            (Some(_), None) => {}
            (None, Some(date)) => {
                let fits = date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok();
                if !fits && !has_variable(date) {
                    report.error(
                        "bad-date",
                        format!("{at}/approveUntilDate"),
                        format!("`{date}` is no day"),
                        "write it as `YYYY-MM-DD`",
                    );
                }
            }
            (both, _) => {
                let message = match both {
                    Some(_) => "the rule has both `approveAfterDays` and `approveUntilDate`",
                    None => "the rule has neither `approveAfterDays` nor `approveUntilDate`",
                };
                let hint = "write one of them; `approveAfterDays: 0` approves at once";
                report.error("bad-approval-rule", &at, message, hint);
            }
        }
        if rule.enable_non_security {
            linux_only(system, &format!("{at}/enableNonSecurity"), report);
        }
        check_filters(
            &rule.patch_filters,
            &format!("{at}/patchFilters"),
            system,
            report,
        );
    }
    if baseline.approved_patches_enable_non_security {
        linux_only(system, "/approvedPatchesEnableNonSecurity", report);
    }
    if !baseline.sources.is_empty() {
        linux_only(system, "/sources", report);
    }
    if baseline
        .available_security_updates_compliance_status
        .is_some()
        && system != OperatingSystem::Windows
    {
        report.error(
            "wrong-operating-system",
            "/availableSecurityUpdatesComplianceStatus",
            "only baselines for Windows have it",
            "take it out",
        );
    }
    let mut names = BTreeSet::new();
    for (index, source) in baseline.sources.iter().enumerate() {
        if !names.insert(&source.name) {
            report.error(
                "bad-source",
                format!("/sources/{index}/name"),
                format!("`{}` is the name of two sources", source.name),
                "give every source a name of its own",
            );
        }
    }
    tags::check(baseline.tags.as_ref(), tags::Alphabet::Systems, report);
    for patch in baseline
        .approved_patches
        .intersection(&baseline.rejected_patches)
    {
        let message = format!("`{patch}` is both approved and rejected, and so rejected");
        let finding =
            Diagnostic::warning("both-approved-and-rejected", "/approvedPatches", message);
        report.push(finding.hint("take it out of one of the two lists"));
    }
    for (index, group) in baseline.patch_groups.iter().enumerate() {
        if group.trim() != group {
            let at = format!("/patchGroups/{index}");
            let message = format!("the group `{group}` begins or ends with a space");
            let finding = Diagnostic::warning("odd-patch-group", at, message);
            report.push(finding.hint("servers' tags must be written with the same spaces"));
        }
    }
}

fn linux_only(system: OperatingSystem, at: &str, report: &mut Report) {
    if !system.is_linux() {
        let message = "only baselines for a Linux have it";
        report.error("wrong-operating-system", at, message, "take it out");
    }
}

fn check_filters(
    filters: &BTreeSet<PatchFilter>,
    at: &str,
    system: OperatingSystem,
    report: &mut Report,
) {
    for (index, filter) in filters.iter().enumerate() {
        let fits = match filter.key {
            FilterKey::MsrcSeverity | FilterKey::ProductFamily | FilterKey::PatchSet => {
                system == OperatingSystem::Windows
            }
            FilterKey::Priority | FilterKey::Section => system.is_debian(),
            FilterKey::Severity => system.is_linux() && !system.is_debian(),
            FilterKey::Classification => !system.is_debian(),
            _ => true,
        };
        if !fits {
            let message = "patches of this operating system do not have this property";
            let finding =
                Diagnostic::warning("unused-filter", format!("{at}/{index}/key"), message);
            report.push(finding.hint("`aws ssm describe-patch-properties` lists what they have"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findings(spec: Value) -> Vec<String> {
        let baseline: PatchBaseline = serde_json::from_value(spec).unwrap();
        let mut report = Report::default();
        check(&baseline, &mut report);
        report
            .diagnostics
            .into_iter()
            .map(|d| format!("{} {}", d.code, d.at))
            .collect()
    }

    #[test]
    fn a_rule_has_one_of_two_times() {
        let spec = json!({"name": "x-y", "approvalRules": [
            {"approveAfterDays": 0},
            {"approveUntilDate": "2026-01-31", "complianceLevel": "LOW"},
            {"approveUntilDate": "2026-02-30"},
            {"complianceLevel": "HIGH"},
            {"approveAfterDays": 1, "approveUntilDate": "2026-01-31"},
        ]});
        assert_eq!(
            findings(spec),
            [
                "bad-approval-rule /approvalRules/0",
                "bad-date /approvalRules/2/approveUntilDate",
                "bad-approval-rule /approvalRules/4"
            ]
        );
    }

    #[test]
    fn each_system_has_fields_of_its_own() {
        let rule = json!({"approveAfterDays": 7, "enableNonSecurity": true,
            "patchFilters": [{"key": "MSRC_SEVERITY", "values": ["Critical"]}, {"key": "SEVERITY", "values": ["Low"]}]});
        let source = json!({"name": "mine", "products": ["*"], "configuration": "[x]"});
        assert_eq!(
            findings(
                json!({"name": "x-y", "approvalRules": [rule], "sources": [source],
                "approvedPatchesEnableNonSecurity": true})
            ),
            [
                "wrong-operating-system /approvalRules/0/enableNonSecurity",
                "unused-filter /approvalRules/0/patchFilters/1/key",
                "wrong-operating-system /approvedPatchesEnableNonSecurity",
                "wrong-operating-system /sources"
            ]
        );
        assert_eq!(
            findings(json!({"name": "x-y", "operatingSystem": "UBUNTU",
                "availableSecurityUpdatesComplianceStatus": "COMPLIANT",
                "globalFilters": [{"key": "PRIORITY", "values": ["Required"]}]})),
            ["wrong-operating-system /availableSecurityUpdatesComplianceStatus"]
        );
    }
}
