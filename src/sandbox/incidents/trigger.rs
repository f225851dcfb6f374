//! What sets an incident off: a person, an alarm, an event rule, or something outside AWS.

use serde_json::Value;

use super::fault;
use crate::sandbox::{Call, Fault};

/// The source of incidents that somebody starts by hand (samples of the API reference).
const MANUAL: &str = "aws.ssm-incidents.custom";

/// The services that start incidents, with what their resources' ARNs have in them, and whom they call as.
const SERVICES: &[(&str, &str, &str)] = &[
    ("aws.cloudwatch", ":cloudwatch:", "cloudwatch.amazonaws.com"),
    ("aws.events", ":events:", "events.amazonaws.com"),
];

/// What set the incident off.
#[derive(Debug)]
pub(super) struct Trigger {
    /// Whether a person called without a word about why.
    pub(super) by_hand: bool,
    pub(super) source: String,
    pub(super) resource: Option<String>,
    /// The service principal, when a service called.
    pub(super) service: Option<&'static str>,
    pub(super) time: Option<f64>,
    pub(super) raw: Option<String>,
}

impl Trigger {
    /// Reads the trigger of a call.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Fault> {
        let Some(details) = call.map("triggerDetails") else {
            return Ok(Self {
                by_hand: true,
                source: MANUAL.to_owned(),
                resource: None,
                service: None,
                time: None,
                raw: None,
            });
        };
        let text = |member: &str| details.get(member).and_then(Value::as_str);
        let source = text("source").unwrap_or_default();
        let resource = text("triggerArn");
        let service = SERVICES
            .iter()
            .find(|(name, mark, _)| {
                source == *name && resource.is_some_and(|arn| arn.contains(mark))
            })
            .map(|(_, _, principal)| *principal);
        // "Customer-generated events can have any value here, as long as it doesn't begin with `aws.`" (service model).
        // Nothing here is an alarm or a rule, so who names one as the trigger stands in for its service.
        if source.starts_with("aws.") && source != MANUAL && service.is_none() {
            return Err(fault::invalid(format!(
                "The source {source} is reserved: only AWS services start with `aws.`."
            )));
        }
        Ok(Self {
            by_hand: false,
            source: source.to_owned(),
            resource: resource.map(str::to_owned),
            service,
            time: details.get("timestamp").and_then(Value::as_f64),
            raw: text("rawData").map(str::to_owned),
        })
    }

    /// Alarms and event rules need no string of their own to be told apart.
    pub(super) fn dedupe_string(&self) -> Option<&str> {
        self.service.and(self.resource.as_deref())
    }

    /// The resources that an event names.
    pub(super) fn resources(&self) -> Vec<String> {
        let raw = self.raw.as_deref().unwrap_or_default();
        let raw: Value = serde_json::from_str(raw).unwrap_or_default();
        let resources = raw.get("resources").and_then(Value::as_array);
        resources
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|arn| arn.starts_with("arn:"))
            .map(str::to_owned)
            .collect()
    }
}
