//! Policies of advanced parameters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::Fault;

/// How many policies one parameter can have.
const MOST: usize = 10;

/// One policy, as it was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    kind: String,
    text: String,
    /// When the parameter is deleted, for an `Expiration`.
    expires: Option<f64>,
}

impl Policy {
    pub(super) fn expired(&self, now: f64) -> bool {
        self.expires.is_some_and(|moment| moment <= now)
    }

    pub(super) fn shown(&self) -> Value {
        json!({ "PolicyText": self.text, "PolicyType": self.kind, "PolicyStatus": "Pending" })
    }
}

/// Reads the JSON array of policies; an empty one takes away what there was.
pub(super) fn parse(text: &str) -> Result<Vec<Policy>, Fault> {
    let attribute = |message: String| Fault::new("InvalidPolicyAttributeException", message);
    let policies: Vec<Value> = match serde_json::from_str(text) {
        Ok(Value::Array(policies)) => policies,
        Ok(Value::Object(map)) if map.is_empty() => Vec::new(),
        _ => return Err(attribute("The policies must be a JSON array.".to_owned())),
    };
    if policies.len() > MOST {
        return Err(Fault::new(
            "PoliciesLimitExceededException",
            format!(
                "You specified more than the maximum number of allowed policies for the parameter. The maximum is {MOST}."
            ),
        ));
    }
    let policies: Vec<Policy> = policies.iter().map(policy).collect::<Result<_, _>>()?;
    if policies.iter().filter(|p| p.kind == "Expiration").count() > 1 {
        return Err(Fault::new(
            "IncompatiblePolicyException",
            "A parameter can have only one Expiration policy.",
        ));
    }
    Ok(policies)
}

fn policy(value: &Value) -> Result<Policy, Fault> {
    let kind = value
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let wrong = |what: &str| {
        Fault::new(
            "InvalidPolicyAttributeException",
            format!("{what} of policy {kind} is missing or not valid."),
        )
    };
    let attribute = |name: &str| {
        value
            .get("Attributes")
            .and_then(|a| a.get(name))
            .and_then(Value::as_str)
    };
    let mut expires = None;
    match kind {
        "Expiration" => {
            let moment = attribute("Timestamp")
                .and_then(|text| text.parse::<Timestamp>().ok())
                .ok_or_else(|| wrong("The attribute Timestamp"))?;
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds since 1970 fit a double exactly"
            )]
            let seconds = moment.as_second() as f64;
            expires = Some(seconds);
        }
        "ExpirationNotification" | "NoChangeNotification" => {
            let amount = attribute(if kind == "ExpirationNotification" {
                "Before"
            } else {
                "After"
            });
            if amount.is_none_or(|text| text.parse::<u32>().is_err()) {
                return Err(wrong("The attribute Before or After"));
            }
            if !matches!(attribute("Unit"), Some("Days" | "Hours")) {
                return Err(wrong("The attribute Unit"));
            }
        }
        _ => {
            return Err(Fault::new(
                "InvalidPolicyTypeException",
                "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, \
                 ExpirationNotification, and NoChangeNotification.",
            ));
        }
    }
    if value.get("Version").and_then(Value::as_str) != Some("1.0") {
        return Err(wrong("The version"));
    }
    Ok(Policy {
        kind: kind.to_owned(),
        text: value.to_string(),
        expires,
    })
}
