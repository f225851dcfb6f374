//! Standards, and what the hub subscribes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{arn, catalogue, fault, hub, operation, own_hub, page};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("DescribeStandards", Access::Read, describe),
    operation("BatchEnableStandards", Access::Write, enable),
    operation("BatchDisableStandards", Access::Write, disable),
    operation("GetEnabledStandards", Access::Read, enabled),
];

/// A change that nobody watches is over after about as long as it takes in AWS.
const SETTLES_AFTER_SECONDS: f64 = 180.0;

/// What AWS is doing with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    Pending,
    Ready,
    Deleting,
}

/// A subscription to a standard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Subscription {
    status: Status,
    /// How many reads still see the state in between.
    reads: u32,
    changed: f64,
    /// Why AWS could not enable all of it, if so: a `StatusReasonCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incomplete: Option<String>,
    /// Controls that somebody touched.
    pub(super) controls: BTreeMap<String, Association>,
}

/// A control in a standard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Association {
    pub(super) on: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    pub(super) changed: f64,
}

impl Subscription {
    pub(super) fn new(reads: u32, now: f64) -> Self {
        Self {
            status: Status::Pending,
            reads,
            changed: now,
            incomplete: None,
            controls: BTreeMap::new(),
        }
    }

    /// Ends what was watched, or waited for, long enough; says whether the subscription is still there.
    pub(super) fn settle(&mut self, now: f64) -> bool {
        if self.reads > 0 && now - self.changed < SETTLES_AFTER_SECONDS {
            return true;
        }
        if self.status == Status::Pending {
            self.status = Status::Ready;
        }
        self.status != Status::Deleting
    }

    /// Says whether its controls can be read and changed.
    pub(super) fn is_ready(&self) -> bool {
        self.status == Status::Ready
    }

    /// Returns when it was enabled, of one that is ready.
    pub(super) fn since(&self) -> f64 {
        self.changed
    }

    fn wire(&self) -> &'static str {
        match (self.status, &self.incomplete) {
            (Status::Pending, _) => "PENDING",
            (Status::Ready, None) => "READY",
            (Status::Ready, Some(_)) => "INCOMPLETE",
            (Status::Deleting, _) => "DELETING",
        }
    }

    fn answer(&self, call: &Call<'_>, short: &str) -> Value {
        let standard = catalogue::named(short).map(|standard| standard.arn(call.region));
        let updatable = if self.is_ready() {
            "READY_FOR_UPDATES"
        } else {
            "NOT_READY_FOR_UPDATES"
        };
        let mut answer = json!({
            "StandardsSubscriptionArn": arn(call, &format!("subscription/{short}")),
            "StandardsArn": standard,
            "StandardsInput": {},
            "StandardsStatus": self.wire(),
            "StandardsControlsUpdatable": updatable,
            "Provider": "AWS",
        });
        if let Some(code) = self.incomplete.as_ref().filter(|_| self.is_ready()) {
            answer["StandardsStatusReason"] = json!({"StatusReasonCode": code});
        }
        answer
    }
}

/// Says whether a filter lets AWS's own standards and controls through.
pub(super) fn wants_aws(call: &Call<'_>) -> bool {
    let providers = call.strings("Providers");
    providers.is_empty() || providers.iter().any(|provider| provider == "AWS")
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    hub(state, call)?;
    let standards = catalogue::standards()
        .filter(|_| wants_aws(call))
        .map(|standard| {
            let arn = standard.arn(call.region);
            let answer = json!({
                "StandardsArn": arn,
                "Name": standard.name,
                "Description": format!("The controls of {}.", standard.name),
                "EnabledByDefault": standard.by_default,
                "Provider": "AWS",
                "StandardsManagedBy": {"Company": "AWS", "Product": "Security Hub"},
            });
            (standard.short().to_owned(), answer)
        });
    let standards: BTreeMap<_, _> = standards.collect();
    page::page(call, "Standards", 100, standards)
}

fn enable(state: &mut State, call: &mut Call<'_>) -> Answer {
    let reads = state.settings.async_reads;
    let now = call.now_seconds();
    let hub = own_hub(state, call)?;
    let asked = call
        .list("StandardsSubscriptionRequests")
        .cloned()
        .unwrap_or_default();
    let mut standards = Vec::new();
    for request in &asked {
        let named = request["StandardsArn"].as_str().unwrap_or_default();
        let standard = catalogue::standard(named, call.region)
            .ok_or_else(|| fault::invalid(format!("Standard(s) not found: [\"{named}\"]")))?;
        standards.push(standard.short().to_owned());
    }
    let going = |short: &&String| {
        let subscription = hub.subscriptions.get(*short);
        subscription.is_some_and(|subscription| subscription.status == Status::Deleting)
    };
    let going: Vec<&String> = standards.iter().filter(going).collect();
    if !going.is_empty() {
        return Err(busy(call, "DELETING", &going));
    }
    let answers: Vec<Value> = standards
        .iter()
        .map(|short| {
            // A subscription that is there stays as it is: the call can be repeated.
            let subscription = hub.subscriptions.entry(short.clone());
            let subscription = subscription.or_insert_with(|| Subscription::new(reads, now));
            subscription.answer(call, short)
        })
        .collect();
    Ok(Map::from_iter([(
        "StandardsSubscriptions".to_owned(),
        answers.into(),
    )]))
}

/// AWS is still at work on subscriptions; seen by clients word for word (aws-control-tower-securityhub-enabler #18).
fn busy(call: &Call<'_>, status: &str, standards: &[&String]) -> Fault {
    let arns = standards
        .iter()
        .map(|short| arn(call, &format!("subscription/{short}")));
    let arns = Value::from(arns.collect::<Vec<_>>());
    fault::invalid(format!(
        "StandardsSubscription(s) in state {status}, please try later: {arns}"
    ))
}

/// Reads the subscriptions that a call names.
fn named(call: &Call<'_>) -> Result<Vec<String>, Fault> {
    let prefix = arn(call, "subscription/");
    let names = call
        .strings("StandardsSubscriptionArns")
        .into_iter()
        .map(|named| {
            named
                .strip_prefix(&prefix)
                .map(str::to_owned)
                .ok_or_else(|| {
                    fault::invalid(format!("Invalid standards subscription ARN: {named}"))
                })
        });
    names.collect()
}

fn disable(state: &mut State, call: &mut Call<'_>) -> Answer {
    let reads = state.settings.async_reads;
    let now = call.now_seconds();
    let names = named(call)?;
    let hub = own_hub(state, call)?;
    if let Some(unknown) = names
        .iter()
        .find(|name| !hub.subscriptions.contains_key(*name))
    {
        let message = format!("Account is not subscribed to {unknown}");
        return Err(fault::invalid(message));
    }
    for (status, wire) in [(Status::Pending, "PENDING"), (Status::Deleting, "DELETING")] {
        let at_work = |name: &&String| hub.subscriptions[*name].status == status;
        let at_work: Vec<&String> = names.iter().filter(at_work).collect();
        if !at_work.is_empty() {
            return Err(busy(call, wire, &at_work));
        }
    }
    let mut answers = Vec::new();
    for name in &names {
        if let Some(subscription) = hub.subscriptions.get_mut(name) {
            subscription.status = Status::Deleting;
            subscription.reads = reads;
            subscription.changed = now;
            answers.push(subscription.answer(call, name));
        }
    }
    Ok(Map::from_iter([(
        "StandardsSubscriptions".to_owned(),
        answers.into(),
    )]))
}

fn enabled(state: &mut State, call: &mut Call<'_>) -> Answer {
    let names = named(call)?;
    let hub = hub(state, call)?;
    let mut found = Vec::new();
    for (short, subscription) in &mut hub.subscriptions {
        if wants_aws(call) && (names.is_empty() || names.contains(short)) {
            subscription.reads = subscription.reads.saturating_sub(1);
            found.push((short.clone(), subscription.answer(call, short)));
        }
    }
    page::page(call, "StandardsSubscriptions", 100, found)
}
