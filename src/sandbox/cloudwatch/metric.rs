//! Metric widgets: a Region and metrics, or a Region and an alarm.

use serde_json::Value;

use super::body::Findings;
use crate::sandbox::Map;

/// How many metrics one widget shows.
const MOST: usize = 500;

/// What the object at the end of a metric may say.
const RENDERING: &[&str] = &[
    "accountId",
    "color",
    "expression",
    "id",
    "label",
    "period",
    "region",
    "stat",
    "visible",
    "yAxis",
];

/// Counts the metrics of a widget.
pub(super) fn count(widget: &Value) -> usize {
    let metrics = widget.pointer("/properties/metrics");
    metrics.and_then(Value::as_array).map_or(0, Vec::len)
}

/// Checks the properties of a metric widget.
pub(super) fn check(path: &str, properties: &Map, findings: &mut Findings) {
    let source = match (properties.get("metrics"), properties.get("annotations")) {
        (None, None) => None,
        (metrics, _) => Some(metrics),
    };
    let Some(metrics) = source.filter(|_| properties.contains_key("region")) else {
        // Two shapes are possible and neither fits, so both say what they lack, the Region first.
        let lacks = |member| {
            let region = properties.contains_key("region");
            let member = if region { member } else { "region" };
            format!("Should have required property '{member}'")
        };
        findings.error(path, lacks("metrics"));
        findings.error(
            path,
            "The metric widget should have specified a region and a data source or an alarm annotation",
        );
        findings.error(path, lacks("annotations"));
        return;
    };
    let Some(metrics) = metrics else {
        return;
    };
    let path = format!("{path}/metrics");
    let Some(metrics) = metrics.as_array() else {
        findings.error(path, "Should be array");
        return;
    };
    if metrics.len() > MOST {
        let text = format!("Should NOT have more than {MOST} items");
        findings.error(path.as_str(), text);
    }
    for (at, entry) in metrics.iter().enumerate() {
        check_entry(&format!("{path}/{at}"), entry, findings);
    }
}

fn check_entry(path: &str, entry: &Value, findings: &mut Findings) {
    let Some(fields) = entry.as_array() else {
        findings.error(path, "Should be array");
        findings.error(
            path,
            "Field \"metrics\" has to be an array of array of strings, with an optional metricRenderer object as last element",
        );
        return;
    };
    let (names, rendering) = match fields.split_last() {
        Some((last, names)) if last.is_object() => (names, Some(last)),
        _ => (fields.as_slice(), None),
    };
    let before = findings.count();
    for (at, name) in names.iter().enumerate() {
        if !name.is_string() {
            findings.error(
                format!("{path}/{at}"),
                "Invalid metric field type, only \"String\" type is allowed",
            );
        }
    }
    if findings.count() > before {
        return;
    }
    // `...` stands for any number of fields of the metric above it.
    let repeats = names.iter().any(|name| name == "...");
    let rendered = rendering.is_none_or(renders);
    let odd = !repeats && names.len() % 2 == 1;
    if names.is_empty() && rendering.is_none() {
        findings.error(path, "Should NOT have less than 1 items");
    } else if !rendered {
        // An object that is no rendering counts as a field too many.
        let text = format!("Should NOT have more than {} items", names.len());
        findings.error(path, text);
    } else if odd {
        let text = format!("Should NOT have more than {} items", names.len() - 1);
        findings.error(path, text);
    }
}

/// Tells whether an object says how to draw a metric.
fn renders(object: &Value) -> bool {
    object.as_object().is_some_and(|members| {
        members.iter().all(|(member, value)| {
            RENDERING.contains(&member.as_str())
                && match member.as_str() {
                    "color" => value.as_str().is_some_and(is_color),
                    "period" => value.is_u64(),
                    "stat" => value.as_str().is_some_and(is_statistic),
                    "visible" => value.is_boolean(),
                    "yAxis" => matches!(value.as_str(), Some("left" | "right")),
                    _ => value.is_string(),
                }
        })
    })
}

/// A colour is six hexadecimal digits; names of colours are refused (aws-cdk issue 5026).
fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `Average`, `p99.9`, `tm90`, `TM(10%:90%)`, but not `Sample count`.
fn is_statistic(text: &str) -> bool {
    let named = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let plain = !named.is_empty() && named.chars().all(|c| c.is_ascii_alphabetic());
    let ranged = text.ends_with(')') && text.contains('(');
    // A dashboard variable stands for a statistic too.
    plain || ranged || text.starts_with("${")
}
