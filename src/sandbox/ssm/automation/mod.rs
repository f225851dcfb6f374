//! Automation executions. Nothing is run: an execution goes through its states, and claims no outputs.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::paging::Listing;
use super::{documents, invalid, members, operations, put, tags};
use crate::sandbox::{Answer, Call, Fault, Map, Shelf, State};

mod filters;
pub(super) mod parameters;
#[cfg(test)]
mod tests;

/// How many tags an execution can be started with.
const MOST_TAGS: usize = 5;

/// What Automation remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Automations {
    executions: Shelf<Execution>,
    /// What was started with which client token: the request's text and the execution's id.
    tokens: Shelf<(String, String)>,
}

impl Automations {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.executions.contains_key(id)
    }
}

/// One execution of a runbook.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Execution {
    id: String,
    document: String,
    version: String,
    /// What the request said and the answers repeat.
    request: Map,
    steps: Vec<Step>,
    started: f64,
    ended: Option<f64>,
    user: String,
    status: Status,
    /// How many reads still see a status that is on its way to another.
    reads_left: u32,
}

/// One step of the runbook, as its text has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    id: String,
    name: String,
    action: String,
    timeout: Option<i64>,
    on_failure: Option<String>,
    attempts: i64,
    next: Option<String>,
    is_end: bool,
    is_critical: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    InProgress,
    Success,
    Cancelling,
    Cancelled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Success => "Success",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Execution {
    /// Counts one read, and moves on when there were enough.
    fn settle(&mut self, now: f64) {
        let next = match self.status {
            Status::InProgress => Status::Success,
            Status::Cancelling => Status::Cancelled,
            Status::Success | Status::Cancelled => return,
        };
        self.reads_left = self.reads_left.saturating_sub(1);
        if self.reads_left == 0 {
            self.status = next;
            self.ended = Some(now);
        }
    }

    fn is_cross_account(&self) -> bool {
        self.request.contains_key("TargetLocations")
            || self.request.contains_key("TargetLocationsURL")
    }

    /// Returns what the detailed read and the listing have in common.
    fn shown(&self) -> Map {
        let mut map = members(json!({
            "AutomationExecutionId": self.id,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "AutomationExecutionStatus": self.status.name(),
            "ExecutionStartTime": self.started,
            "ExecutedBy": self.user,
            "Mode": "Auto",
            // Without any, the AWS CLI's examples of both reads show these empty and not absent.
            "Outputs": {},
            "Targets": [],
            "ResolvedTargets": { "ParameterValues": [], "Truncated": false },
        }));
        put(&mut map, "ExecutionEndTime", self.ended);
        let current = self
            .steps
            .first()
            .filter(|_| self.status == Status::InProgress);
        put(
            &mut map,
            "CurrentStepName",
            current.map(|step| step.name.as_str()),
        );
        put(
            &mut map,
            "CurrentAction",
            current.map(|step| step.action.as_str()),
        );
        for member in REPEATED {
            put(&mut map, member, self.request.get(member).cloned());
        }
        map
    }
}

/// The members of the request that both reads answer again.
const REPEATED: [&str; 8] = [
    "Mode",
    "TargetParameterName",
    "Targets",
    "TargetMaps",
    "MaxConcurrency",
    "MaxErrors",
    "AlarmConfiguration",
    "TargetLocationsURL",
];

operations! {
    Write "StartAutomationExecution" => start,
    Read "GetAutomationExecution" => get,
    Read "DescribeAutomationExecutions" => list,
    Write "StopAutomationExecution" => stop,
}

/// Starts an execution; an incident starts its runbook by the same way.
pub(in crate::sandbox) fn start(state: &mut State, call: &mut Call<'_>) -> Answer {
    let mut request = call.input.clone();
    let token = request
        .remove("ClientToken")
        .and_then(|t| t.as_str().map(str::to_ascii_lowercase));
    request.sort_keys();
    let text = Value::Object(request.clone()).to_string();
    let known = &state.ssm(call.account, call.region).automations.tokens;
    if let Some((before, id)) = token.as_ref().and_then(|token| known.get(token)) {
        return if *before == text {
            Ok(members(json!({ "AutomationExecutionId": id })))
        } else {
            Err(Fault::new(
                "IdempotentParameterMismatch",
                "The client token was used before with other parameters.",
            ))
        };
    }
    let sent = tags::sent(call)?;
    if sent.len() > MOST_TAGS {
        return Err(invalid(format!(
            "An automation can be started with at most {MOST_TAGS} tags."
        )));
    }
    check_targets(call)?;
    let (document, version, body) = runbook(state, call)?;
    parameters::check(call, &body)?;
    let steps = steps(call, &body);
    let async_reads = state.settings.async_reads;
    let id = call.uuid();
    let now = call.now_seconds();
    let done = async_reads == 0;
    let execution = Execution {
        id: id.clone(),
        document,
        version,
        request,
        steps,
        started: now,
        ended: done.then_some(now),
        user: call.caller.to_owned(),
        status: if done {
            Status::Success
        } else {
            Status::InProgress
        },
        reads_left: async_reads,
    };
    let store = state.ssm(call.account, call.region);
    store.automations.executions.insert(id.clone(), execution);
    if let Some(token) = token {
        store.automations.tokens.insert(token, (text, id.clone()));
    }
    tags::set(store, "Automation", &id, sent);
    Ok(members(json!({ "AutomationExecutionId": id })))
}

fn check_targets(call: &Call<'_>) -> Result<(), Fault> {
    let sent = |member: &str| call.list(member).is_some_and(|list| !list.is_empty());
    let wrong = |message: &str| Err(Fault::new("InvalidTarget", message));
    match (
        sent("Targets"),
        sent("TargetMaps"),
        call.str("TargetParameterName"),
    ) {
        (true, true, _) => wrong("Both Targets and TargetMaps can't be specified together."),
        (true, _, None) => wrong("TargetParameterName is required if you specify Targets."),
        (false, false, Some(_)) if !sent("TargetLocations") => {
            wrong("Targets are required if you specify TargetParameterName.")
        }
        _ => Ok(()),
    }
}

/// Finds the runbook to run: its name, the number of its version, and its text.
fn runbook(state: &State, call: &Call<'_>) -> Result<(String, String, Value), Fault> {
    let named = call.required("DocumentName");
    let unknown = || {
        Fault::new(
            "AutomationDefinitionNotFoundException",
            format!("An Automation runbook with the name {named} could not be found."),
        )
    };
    let found = documents::find(state, call, named).map_err(|_| unknown())?;
    if found.document.kind != "Automation" {
        return Err(unknown());
    }
    let version = found.version(call.str("DocumentVersion"), None).map_err(|_| {
        Fault::new(
            "AutomationDefinitionVersionNotFoundException",
            format!("An Automation runbook with the name {named} and that version could not be found."),
        )
    })?;
    let body = documents::content::parse(&version.format, &version.content)?;
    Ok((
        found.document.name.clone(),
        version.number.to_string(),
        body,
    ))
}

/// Takes the steps out of a runbook's text.
fn steps(call: &mut Call<'_>, body: &Value) -> Vec<Step> {
    let listed = body
        .get("mainSteps")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let names: Vec<&str> = listed
        .iter()
        .map(|step| step.get("name").and_then(Value::as_str).unwrap_or_default())
        .collect();
    listed
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let text = |member: &str| step.get(member).and_then(Value::as_str).map(str::to_owned);
            let flag = |member: &str| step.get(member).and_then(Value::as_bool);
            let is_end = flag("isEnd").unwrap_or(at + 1 == listed.len());
            let follower = names
                .get(at + 1)
                .filter(|_| !is_end)
                .map(|name| (*name).to_owned());
            Step {
                id: call.uuid(),
                name: names[at].to_owned(),
                action: text("action").unwrap_or_default(),
                timeout: step.get("timeoutSeconds").and_then(Value::as_i64),
                on_failure: text("onFailure"),
                attempts: step.get("maxAttempts").and_then(Value::as_i64).unwrap_or(1),
                next: text("nextStep").or(follower),
                is_end,
                is_critical: flag("isCritical").unwrap_or(true),
            }
        })
        .collect()
}

fn find<'s>(state: &'s mut State, call: &Call<'_>) -> Result<&'s mut Execution, Fault> {
    let id = call.required("AutomationExecutionId");
    let executions = &mut state.ssm(call.account, call.region).automations.executions;
    executions.get_mut(id).ok_or_else(|| {
        Fault::new(
            "AutomationExecutionNotFoundException",
            format!("There is no automation execution information for the requested automation execution ID {id}."),
        )
    })
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let execution = find(state, call)?;
    let mut map = execution.shown();
    let steps: Vec<Map> = execution
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| step_shown(execution, step, at == 0))
        .collect();
    map.extend(members(json!({
        "StepExecutions": steps,
        "StepExecutionsTruncated": false,
    })));
    // At least one, says the model: without any the member is absent.
    let parameters = execution.request.get("Parameters");
    put(
        &mut map,
        "Parameters",
        parameters.filter(|sent| **sent != json!({})).cloned(),
    );
    put(
        &mut map,
        "TargetLocations",
        execution.request.get("TargetLocations").cloned(),
    );
    execution.settle(call.now_seconds());
    Ok(members(json!({ "AutomationExecution": map })))
}

fn step_shown(execution: &Execution, step: &Step, is_first: bool) -> Map {
    let status = match execution.status {
        Status::InProgress | Status::Cancelling if !is_first => "Pending",
        status => status.name(),
    };
    let mut map = members(json!({
        "StepName": step.name,
        "Action": step.action,
        "StepStatus": status,
        "StepExecutionId": step.id,
        "Inputs": {},
        // Empty and not absent: CLI example get-automation-execution.
        "OverriddenParameters": {},
        "MaxAttempts": step.attempts,
        "OnFailure": step.on_failure.as_deref().unwrap_or("Abort"),
        "IsEnd": step.is_end,
        "IsCritical": step.is_critical,
    }));
    put(&mut map, "TimeoutSeconds", step.timeout);
    put(&mut map, "NextStep", step.next.as_deref());
    let began = status != "Pending" && (is_first || execution.status == Status::Success);
    put(
        &mut map,
        "ExecutionStartTime",
        began.then_some(execution.started),
    );
    put(
        &mut map,
        "ExecutionEndTime",
        execution.ended.filter(|_| began),
    );
    map
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = filters::parse(call)?;
    let store = state.ssm(call.account, call.region);
    let mut found: Vec<(String, &Execution)> = store
        .automations
        .executions
        .values()
        .filter(|e| {
            filters
                .iter()
                .all(|filter| filter.matches(e, tags::of(store, "Automation", &e.id)))
        })
        .map(|e| (newest_first(e), e))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (page, token) =
        Listing::of("DescribeAutomationExecutions").page(call, found, |(key, _)| key.clone())?;
    let shown: Vec<Map> = page
        .iter()
        .map(|(_, e)| {
            let mut map = e.shown();
            let kind = if e.is_cross_account() {
                "CrossAccount"
            } else {
                "Local"
            };
            put(&mut map, "AutomationType", Some(kind));
            put(&mut map, "LogFile", Some(""));
            map
        })
        .collect();
    let ids: Vec<String> = page.iter().map(|(_, e)| e.id.clone()).collect();
    let now = call.now_seconds();
    for id in ids {
        if let Some(execution) = store.automations.executions.get_mut(&id) {
            execution.settle(now);
        }
    }
    let mut answer = members(json!({ "AutomationExecutionMetadataList": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

/// Makes a key whose ascending order is that of the listing.
fn newest_first(execution: &Execution) -> String {
    // Counted back from a moment that is far enough away.
    format!("{:020.3}\n{}", 1e12 - execution.started, execution.id)
}

fn stop(state: &mut State, call: &mut Call<'_>) -> Answer {
    let async_reads = state.settings.async_reads;
    let execution = find(state, call)?;
    if execution.status != Status::InProgress {
        return Err(Fault::new(
            "InvalidAutomationStatusUpdateException",
            format!(
                "An automation in status {} can't be stopped.",
                execution.status.name()
            ),
        ));
    }
    // `Complete` lets what runs come to its end, and only begins nothing new.
    if call.str("Type") != Some("Complete") {
        if async_reads == 0 {
            execution.status = Status::Cancelled;
            execution.ended = Some(call.now_seconds());
        } else {
            execution.status = Status::Cancelling;
            execution.reads_left = async_reads;
        }
    }
    Ok(Map::new())
}
