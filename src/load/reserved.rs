//! `spec.targets` and `spec.lifecycle`: the same for every kind, and seen by none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::draft::Draft;
use crate::model::Diagnostic;
use crate::model::lifecycle::Lifecycle;
use crate::model::schema::{Focus, Schema};
use crate::model::spec::schema_of;

/// Fields of every spec that no kind sees.
pub(super) const RESERVED: &[&str] = &["targets", "lifecycle"];

/// What is taken off every spec.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Reserved {
    #[serde(default)]
    pub(super) targets: Vec<String>,
    #[serde(default)]
    pub(super) lifecycle: Lifecycle,
}

/// Takes `targets` and `lifecycle` off a spec and checks them.
pub(super) fn take(value: &mut Value, schema: &Schema, draft: &mut Draft) -> Reserved {
    let Value::Object(map) = value else {
        return Reserved::default();
    };
    let taken: Map<String, Value> = RESERVED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), map.shift_remove(*name)?)))
        .collect();
    if taken.is_empty() {
        return Reserved::default();
    }
    thread_local! {
        static SCHEMA: Schema = Schema::compile(&schema_of::<Reserved>(), &[]);
    }
    let mut taken = Value::Object(taken);
    let findings = SCHEMA.with(|schema| {
        schema.fill(&mut taken, &mut |_| None);
        schema.walk(&taken)
    });
    draft.violations(&findings, &[]);
    if !findings.violations.is_empty() {
        return Reserved::default();
    }
    let reserved = Reserved::deserialize(taken).unwrap_or_default();
    for (index, ignore) in reserved.lifecycle.ignore.iter().enumerate() {
        let at = format!("/lifecycle/ignore/{index}");
        if !ignore.path.starts_with('/') || !schema.knows(&ignore.path) {
            let message = format!("`{}` is no field of this kind", ignore.path);
            let hint = format!(
                "a path is a JSON Pointer into the spec, for instance `/{}`",
                schema.fields().first().unwrap_or(&"name")
            );
            draft.push(
                Diagnostic::error("bad-pointer", format!("{at}/path"), message).hint(hint),
                Focus::Value,
            );
        }
        if let Some(until) = ignore.until.as_ref().filter(|until| !is_date(until)) {
            let message = format!("`{until}` is no date");
            let finding = Diagnostic::error("bad-date", format!("{at}/until"), message);
            draft.push(
                finding.hint("write year, month and day, for instance `2031-12-24`"),
                Focus::Value,
            );
        }
    }
    reserved
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}
