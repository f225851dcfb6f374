//! Findings for programs: JSON, SARIF 2.1.0, `JUnit` XML.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::load::{Sources, codes};
use crate::model::{Diagnostic, Report, Severity};

/// Returns the findings as a list of `{file, line, column, code, severity, message, hint, object}`.
pub fn to_json(report: &Report) -> Value {
    report
        .diagnostics
        .iter()
        .map(|finding| {
            let Diagnostic {
                code,
                severity,
                message,
                at: _,
                hint,
                place,
                object,
            } = finding;
            let mut value = json!({
                "file": place.as_ref().map(|p| &p.file),
                "line": place.as_ref().map(|p| p.line),
                "column": place.as_ref().map(|p| p.column),
                "code": code,
                "severity": severity,
                "message": message,
                "hint": hint,
            });
            if let Some(object) = object {
                value["object"] = json!(object);
            }
            value
        })
        .collect()
}

/// Returns the findings as a SARIF 2.1.0 log, for code scanning services.
pub fn to_sarif(report: &Report) -> Value {
    let used: BTreeSet<&str> = report.diagnostics.iter().map(|d| d.code.as_str()).collect();
    let index: BTreeMap<&str, usize> = used
        .iter()
        .enumerate()
        .map(|(index, code)| (*code, index))
        .collect();
    let rules: Vec<Value> = used
        .iter()
        .map(|code| json!({ "id": code, "shortDescription": { "text": codes::describe(code).unwrap_or(code) } }))
        .collect();
    let results: Vec<Value> = report
        .diagnostics
        .iter()
        .map(|finding| {
            let text = match &finding.hint {
                Some(hint) => format!("{}. Hint: {hint}", finding.message),
                None => finding.message.clone(),
            };
            let mut result = json!({
                "ruleId": finding.code,
                "ruleIndex": index.get(finding.code.as_str()),
                "level": finding.severity,
                "message": { "text": text },
            });
            if let Some(place) = &finding.place {
                result["locations"] = json!([{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&place.file) },
                        "region": {
                            "startLine": place.line,
                            "startColumn": place.column,
                            "endColumn": place.column + place.length,
                        },
                    },
                }]);
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stationbill",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Writes a path as a relative or file URI.
fn uri(path: &str) -> String {
    const KEEP: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_')
        .remove(b'~');
    let path = path.replace(std::path::MAIN_SEPARATOR, "/");
    let encoded = percent_encoding::utf8_percent_encode(&path, KEEP).to_string();
    if path.starts_with('/') {
        format!("file://{encoded}")
    } else {
        encoded
    }
}

/// Returns the findings as `JUnit` XML: one test case a file, failed when the file has an error.
pub fn to_junit(report: &Report, sources: &Sources) -> String {
    let mut files: BTreeMap<&str, Vec<&Diagnostic>> =
        sources.names().map(|name| (name, Vec::new())).collect();
    for finding in &report.diagnostics {
        let file = finding
            .place
            .as_ref()
            .map_or("documents", |place| place.file.as_str());
        files.entry(file).or_default().push(finding);
    }
    let failed = files
        .values()
        .filter(|all| all.iter().any(|d| d.severity == Severity::Error))
        .count();
    let counts = format!(
        "tests=\"{}\" failures=\"{failed}\" errors=\"0\"",
        files.len()
    );
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"stationbill validate\" {counts}>");
    let _ = writeln!(out, "  <testsuite name=\"stationbill validate\" {counts}>");
    for (file, findings) in files {
        let _ = write!(
            out,
            "    <testcase classname=\"validate\" name=\"{}\"",
            escape(file)
        );
        let (errors, warnings): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|d| d.severity == Severity::Error);
        if errors.is_empty() && warnings.is_empty() {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        if let Some(first) = errors.first() {
            let message = match errors.len() {
                1 => first.message.clone(),
                more => format!("{} (and {} more)", first.message, more - 1),
            };
            let _ = writeln!(
                out,
                "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                escape(&first.code),
                escape(&message),
                escape(&lines(&errors))
            );
        }
        if !warnings.is_empty() {
            let _ = writeln!(
                out,
                "      <system-out>{}</system-out>",
                escape(&lines(&warnings))
            );
        }
        out.push_str("    </testcase>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn lines(findings: &[&Diagnostic]) -> String {
    let line = |finding: &&Diagnostic| {
        let place = finding
            .place
            .as_ref()
            .map(|p| format!("{}:{}:{}: ", p.file, p.line, p.column))
            .unwrap_or_default();
        let hint = finding
            .hint
            .as_ref()
            .map(|hint| format!("\n  hint: {hint}"))
            .unwrap_or_default();
        format!("{place}[{}] {}{hint}", finding.code, finding.message)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Escapes a text for XML, leaving out what XML 1.0 cannot hold.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;

    #[test]
    fn machine_formats_are_well_formed() {
        let mut report = Report::default();
        let place = Place {
            file: "a b/c.yaml".into(),
            line: 3,
            column: 5,
            length: 2,
        };
        report.push(
            Diagnostic::error("unknown-field", "", "<&\"")
                .hint("do")
                .place(place),
        );
        let json = to_json(&report);
        assert_eq!(json[0]["line"], 3);
        let sarif = to_sarif(&report);
        let location = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "a%20b/c.yaml");
        assert_eq!(location["region"]["endColumn"], 7);
        let junit = to_junit(&report, &Sources::default());
        assert!(junit.contains("message=\"&lt;&amp;&quot;\""), "{junit}");
        assert!(junit.contains("failures=\"1\""));
    }
}
