//! `Dashboard`: see the impact at one glance.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tags;
use crate::model::{Document, Report, Spec};

mod remote;

/// A CloudWatch dashboard.
///
/// **AWS chooses** nothing.
/// **Forces replacement:** `name`.
///
/// A dashboard belongs to the account and is the same seen from every region. AWS warns about widgets that it cannot
/// draw and saves them all the same.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Dashboard
/// metadata: { name: banana-impact }
/// spec:
///   body:
///     widgets:
///       - { type: text, x: 0, y: 0, width: 24, height: 2, properties: { markdown: "# Banana stand" } }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dashboard {
    /// The dashboard's name in CloudWatch. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub name: String,
    /// The dashboard body: widgets, and how time is shown.
    pub body: Document,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Spec for Dashboard {
    const KIND: &'static str = "Dashboard";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const PER_ACCOUNT: bool = true;

    fn validate(&self, report: &mut Report) {
        tags::check(self.tags.as_ref(), tags::Alphabet::Systems, report);
        let body = match self.body.parse() {
            Ok(body) => body.unwrap_or_default(),
            Err(error) => {
                let hint = "a dashboard body is a map with `widgets`";
                return report.error(
                    "bad-document",
                    "/body",
                    format!("the body cannot be read: {error}"),
                    hint,
                );
            }
        };
        match body.get("widgets").and_then(|w| w.as_array()) {
            None => report.error(
                "bad-dashboard",
                "/body",
                "the body has no list of `widgets`",
                "an empty dashboard is written `widgets: []`",
            ),
            Some(widgets) if widgets.len() > 500 => report.error(
                "bad-dashboard",
                "/body/widgets",
                format!(
                    "{} widgets are more than the 500 that CloudWatch allows",
                    widgets.len()
                ),
                "split the dashboard",
            ),
            Some(widgets) => {
                for (index, widget) in widgets.iter().enumerate() {
                    if widget.get("type").and_then(|t| t.as_str()).is_none() {
                        report.error(
                            "bad-dashboard",
                            format!("/body/widgets/{index}"),
                            "the widget has no `type`",
                            "for instance `type: metric`, `type: text`, `type: log` or `type: alarm`",
                        );
                    }
                }
            }
        }
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            body: _,
            tags,
        } = self;
        *tags = tags.take().or_else(|| live.tags.clone());
    }
}
