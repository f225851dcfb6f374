//! Response plans: nested when created and read, flat when updated.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::policy::Policy;
use super::tags::{self, Tags};
use super::{SERVICE, fault, idempotency, page, sharing, store, usable};
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        service: SERVICE,
        name: "CreateResponsePlan",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "CreateResponsePlan", create),
    },
    Operation {
        service: SERVICE,
        name: "GetResponsePlan",
        access: Access::Read,
        run: get,
    },
    Operation {
        service: SERVICE,
        name: "ListResponsePlans",
        access: Access::Read,
        run: list,
    },
    Operation {
        service: SERVICE,
        name: "UpdateResponsePlan",
        access: Access::Write,
        run: |state, call| idempotency::once(state, call, "UpdateResponsePlan", update),
    },
    Operation {
        service: SERVICE,
        name: "DeleteResponsePlan",
        access: Access::Write,
        run: delete,
    },
];

/// A response plan. Each optional member is `None` when absent and when cleared: both read back as nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) name: String,
    display_name: Option<Value>,
    pub(super) template: Template,
    pub(super) chat_channel: Option<Value>,
    pub(super) engagements: Option<Value>,
    pub(super) actions: Option<Value>,
    integrations: Option<Value>,
    pub(super) tags: Tags,
    pub(super) policies: Vec<Policy>,
}

/// What an incident started from the plan begins with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Template {
    pub(super) title: Value,
    pub(super) impact: Value,
    pub(super) summary: Option<Value>,
    pub(super) dedupe_string: Option<Value>,
    pub(super) notification_targets: Option<Value>,
    pub(super) incident_tags: Option<Value>,
}

impl Plan {
    fn answer(&self, arn: &str) -> Map {
        let Self {
            name,
            display_name,
            template,
            chat_channel,
            engagements,
            actions,
            integrations,
            tags: _,
            policies: _,
        } = self;
        present([
            ("actions", actions.clone()),
            ("arn", Some(Value::from(arn))),
            ("chatChannel", chat_channel.clone()),
            ("displayName", display_name.clone()),
            ("engagements", engagements.clone()),
            ("incidentTemplate", Some(template.answer())),
            ("integrations", integrations.clone()),
            ("name", Some(Value::from(name.clone()))),
        ])
    }
}

impl Template {
    fn answer(&self) -> Value {
        let Self {
            title,
            impact,
            summary,
            dedupe_string,
            notification_targets,
            incident_tags,
        } = self;
        present([
            ("dedupeString", dedupe_string.clone()),
            ("impact", Some(impact.clone())),
            ("incidentTags", incident_tags.clone()),
            ("notificationTargets", notification_targets.clone()),
            ("summary", summary.clone()),
            ("title", Some(title.clone())),
        ])
        .into()
    }
}

/// Makes a map of the members that are there.
pub(super) fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Map {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Returns a value, or nothing for the empty forms that stand for nothing: `""`, `[]`, `{}` and `{"empty": {}}`.
pub(super) fn settled(value: Option<&Value>) -> Option<Value> {
    let value = value?;
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        // A tag may be called `empty` too, but its value is a string.
        Value::Object(members) => {
            members.is_empty() || members.get("empty").is_some_and(Value::is_object)
        }
        Value::Bool(_) | Value::Number(_) => false,
    };
    (!empty).then(|| value.clone())
}

/// Overwrites an optional member when the update sent it; an omitted one stays as it is.
pub(super) fn overwrite(member: &mut Option<Value>, sent: Option<&Value>) {
    if sent.is_some() {
        *member = settled(sent);
    }
}

/// Refuses a chat channel whose topics are not topics, or not of the account that they have to be of.
pub(super) fn check_chat_channel(
    channel: Option<&Value>,
    owner: Option<&str>,
) -> Result<(), Fault> {
    let topics = channel
        .and_then(|channel| channel.get("chatbotSns"))
        .and_then(Value::as_array);
    for topic in topics.into_iter().flatten() {
        check_topic(topic.as_str().unwrap_or_default(), owner)?;
    }
    Ok(())
}

/// Refuses notification targets that are not topics, or not of the account that they have to be of.
pub(super) fn check_targets(targets: Option<&Value>, owner: Option<&str>) -> Result<(), Fault> {
    for target in targets.and_then(Value::as_array).into_iter().flatten() {
        let topic = target.get("snsTopicArn").and_then(Value::as_str);
        check_topic(topic.unwrap_or_default(), owner)?;
    }
    Ok(())
}

/// A plan has topics of its own account alone, in any region: [D] user guide, "Working with shared contacts and
/// response plans", limitations.
fn check_topic(arn: &str, owner: Option<&str>) -> Result<(), Fault> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, name]
            if !region.is_empty() && account.len() == 12 && !name.is_empty() =>
        {
            match owner {
                Some(owner) if *account != owner => Err(fault::invalid(format!(
                    "{arn} is an Amazon SNS topic of another account."
                ))),
                _ => Ok(()),
            }
        }
        _ => Err(fault::invalid(format!(
            "{arn} is not the ARN of an Amazon SNS topic."
        ))),
    }
}

/// Returns the ARN of a plan, which follows from its name.
pub(super) fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:ssm-incidents::{account}:response-plan/{name}")
}

/// Returns the name in a plan's ARN, when it is a plan of this account.
pub(super) fn name_in<'a>(arn: &'a str, account: &str) -> Option<&'a str> {
    arn.strip_prefix("arn:aws:ssm-incidents::")?
        .strip_prefix(account)?
        .strip_prefix(":response-plan/")
}

/// The fault of a plan that is not there.
pub(super) fn missing(arn: &str) -> Fault {
    fault::not_found(
        fault::Kind::ResponsePlan,
        arn,
        "The response plan does not exist.",
    )
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = usable(state, call)?;
    let name = call.required("name");
    let arn = arn(call.account, name);
    if store.plans.contains_key(name) {
        return Err(fault::conflict(
            fault::Kind::ResponsePlan,
            &arn,
            format!("A response plan with the name {name} already exists."),
        ));
    }
    let empty = Map::new();
    let template = call.map("incidentTemplate").unwrap_or(&empty);
    check_chat_channel(call.input.get("chatChannel"), Some(call.account))?;
    check_targets(template.get("notificationTargets"), Some(call.account))?;
    let plan = Plan {
        name: name.to_owned(),
        display_name: settled(call.input.get("displayName")),
        template: Template {
            title: template.get("title").cloned().unwrap_or_default(),
            impact: template.get("impact").cloned().unwrap_or_default(),
            summary: settled(template.get("summary")),
            dedupe_string: settled(template.get("dedupeString")),
            notification_targets: settled(template.get("notificationTargets")),
            incident_tags: settled(template.get("incidentTags")),
        },
        chat_channel: settled(call.input.get("chatChannel")),
        engagements: settled(call.input.get("engagements")),
        actions: settled(call.input.get("actions")),
        integrations: settled(call.input.get("integrations")),
        tags: tags::from_input(call.map("tags")),
        policies: Vec::new(),
    };
    store.plans.insert(name.to_owned(), plan);
    Ok(Map::from_iter([("arn".to_owned(), Value::from(arn))]))
}

/// Finds the plan that the call's ARN names, as seen from the caller's account and Region.
pub(super) fn find<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    arn: &str,
) -> Result<&'s mut Plan, Fault> {
    let store = store(state, call);
    let here = store.reaches(call.region);
    name_in(arn, call.account)
        .and_then(|name| store.plans.get_mut(name))
        .filter(|_| here)
        .ok_or_else(|| missing(arn))
}

/// Finds the plan that the ARN names: the caller's own, or one that another account shares.
pub(super) fn find_shared<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    arn: &str,
    action: &str,
) -> Result<&'s mut Plan, Fault> {
    let (_, name) = arn.rsplit_once('/').unwrap_or_default();
    sharing::store(state, call, arn, action)
        .and_then(|store| store.plans.get_mut(name))
        .filter(|_| arn.contains(":response-plan/"))
        .ok_or_else(|| missing(arn))
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arn = call.required("arn");
    Ok(find_shared(state, call, arn, "GetResponsePlan")?.answer(arn))
}

/// Lists the account's plans, and those that others share with it (user guide, "Working with shared contacts and
/// response plans").
fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = store(state, call);
    let mut summaries = Vec::new();
    if store.reaches(call.region) {
        for (owner, account) in &state.accounts {
            let shared = account.incidents.plans.values().filter(|plan| {
                let arn = arn(owner, &plan.name);
                owner == call.account || sharing::shares(plan, call, &arn, "GetResponsePlan")
            });
            summaries.extend(shared.map(|plan| {
                let arn = arn(owner, &plan.name);
                let summary = present([
                    ("arn", Some(json!(arn))),
                    ("displayName", plan.display_name.clone()),
                    ("name", Some(json!(plan.name))),
                ]);
                (arn, Value::from(summary))
            }));
        }
    }
    summaries.sort_by(|(a, _), (b, _)| a.cmp(b));
    page::page(call, "responsePlanSummaries", summaries)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    usable(state, call)?;
    let sent = |member: &str| call.input.get(member);
    let plan = find(state, call, call.required("arn"))?;
    let targets = sent("incidentTemplateNotificationTargets");
    check_chat_channel(sent("chatChannel"), Some(call.account))?;
    check_targets(targets, Some(call.account))?;

    let template = &mut plan.template;
    if let Some(title) = sent("incidentTemplateTitle") {
        template.title = title.clone();
    }
    if let Some(impact) = sent("incidentTemplateImpact") {
        template.impact = impact.clone();
    }
    overwrite(&mut template.summary, sent("incidentTemplateSummary"));
    overwrite(
        &mut template.dedupe_string,
        sent("incidentTemplateDedupeString"),
    );
    overwrite(
        &mut template.notification_targets,
        sent("incidentTemplateNotificationTargets"),
    );
    overwrite(&mut template.incident_tags, sent("incidentTemplateTags"));
    overwrite(&mut plan.display_name, sent("displayName"));
    overwrite(&mut plan.chat_channel, sent("chatChannel"));
    overwrite(&mut plan.engagements, sent("engagements"));
    overwrite(&mut plan.actions, sent("actions"));
    overwrite(&mut plan.integrations, sent("integrations"));
    Ok(Map::new())
}

/// Deletes the plan; its incidents stay. A missing plan is no fault: the model lists no `ResourceNotFoundException`.
#[expect(clippy::unnecessary_wraps, reason = "an operation may fail")]
fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arn = call.required("arn");
    let store = store(state, call);
    if store.reaches(call.region)
        && let Some(name) = name_in(arn, call.account)
        && store.plans.remove(name).is_some()
    {
        store.forget(arn);
    }
    Ok(Map::new())
}
