//! What alarms set off. Of all that, only incidents are simulated; the rest is written down in the history.

use serde_json::{Value, json};

use super::{arn, history, of};
use crate::sandbox::{Call, Map, State, incidents};

/// Whom CloudWatch starts incidents as (user guide, service-linked roles).
const ROLE: &str = "assumed-role/AWSServiceRoleForCloudWatchAlarms_ActionSSM/alarm";

/// What an action's ARN names (API reference, `PutMetricAlarm`, `AlarmActions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Topic,
    Function,
    Instance,
    Scaling,
    OpsItem,
    Incident,
    Investigation,
}

impl Target {
    /// Reads an action's ARN; nothing when it has none of the forms.
    pub(super) fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
            return None;
        };
        let own = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let begins = |text: &str| resource.starts_with(text) && resource.len() > text.len();
        let target = match *service {
            "sns" if own && !resource.is_empty() => Self::Topic,
            "lambda" if own && begins("function:") => Self::Function,
            "automate" if *account == "ec2" => Self::Instance,
            "swf" if own && begins("action/actions/") => Self::Instance,
            "autoscaling" if own && begins("scalingPolicy:") => Self::Scaling,
            "ssm" if own && resource.strip_prefix("opsitem:").is_some_and(is_ops_item) => {
                Self::OpsItem
            }
            // The API reference spells `responseplan/`; what works is the plan's own ARN (aws-cdk issue 20552).
            "ssm-incidents"
                if own
                    && region.is_empty()
                    && (begins("response-plan/") || begins("responseplan/")) =>
            {
                return Some(Self::Incident);
            }
            "aiops" if own && begins("investigation-group:") => Self::Investigation,
            _ => return None,
        };
        (partition.starts_with("aws") && !region.is_empty()).then_some(target)
    }
}

/// A severity and, if any, a category: `opsitem:2#CATEGORY=Security` (API reference, `AlarmActions`; Systems Manager
/// user guide, "Configuring CloudWatch alarms to create `OpsItems`").
fn is_ops_item(text: &str) -> bool {
    const CATEGORIES: [&str; 5] = [
        "Availability",
        "Cost",
        "Performance",
        "Recovery",
        "Security",
    ];
    let (severity, category) = match text.split_once("#CATEGORY=") {
        Some((severity, category)) => (severity, Some(category)),
        None => (text, None),
    };
    ["1", "2", "3", "4"].contains(&severity)
        && category.is_none_or(|category| CATEGORIES.contains(&category))
}

/// Sets off what an alarm does in the state that it has come into.
pub(super) fn act(state: &mut State, call: &mut Call<'_>, name: &str) {
    let Some(alarm) = of(state, call).by_name.get(name) else {
        return;
    };
    if !alarm.acts() || suppressed(state, call, name) {
        return;
    }
    let Some(alarm) = of(state, call).by_name.get(name) else {
        return;
    };
    let (actions, composite) = (alarm.actions(&alarm.state), alarm.composite);
    for action in actions {
        let done = if Target::of(&action) == Some(Target::Incident) {
            start(state, call, name, &action)
        } else {
            Ok(())
        };
        let item = history::acted(call, name, composite, &action, done.err().as_deref());
        of(state, call).history.push(item);
    }
}

/// Says whether the suppressor of a composite alarm keeps it quiet. The wait and extension periods pass at once here.
pub(super) fn suppressed(state: &mut State, call: &Call<'_>, name: &str) -> bool {
    let alarms = &of(state, call).by_name;
    let suppressor = alarms
        .get(name)
        .and_then(|alarm| alarm.text("ActionsSuppressor"));
    let suppressor = suppressor.and_then(|alarm| alarms.get(super::name_of(call, alarm)));
    suppressor.is_some_and(|alarm| alarm.state == "ALARM")
}

/// Starts an incident from a response plan of the account.
fn start(state: &mut State, call: &mut Call<'_>, name: &str, plan: &str) -> Result<(), String> {
    let operation = incidents::OPERATIONS
        .iter()
        .flat_map(|group| group.iter())
        .find(|operation| operation.name == "StartIncident");
    let Some(operation) = operation else {
        return Err("there is no Incident Manager".to_owned());
    };
    let trigger = json!({
        "source": "aws.cloudwatch",
        "timestamp": call.now_seconds(),
        "triggerArn": arn(call, name),
    });
    let plan = plan.replace(":responseplan/", ":response-plan/");
    let input = Map::from_iter([
        ("responsePlanArn".to_owned(), Value::from(plan)),
        ("triggerDetails".to_owned(), trigger),
    ]);
    let caller = format!("arn:aws:sts::{}:{ROLE}", call.account);
    let mut start = Call {
        account: call.account,
        region: call.region,
        caller: &caller,
        input: &input,
        now: call.now,
        rng: &mut *call.rng,
    };
    (operation.run)(state, &mut start)
        .map(drop)
        .map_err(|fault| fault.message)
}
