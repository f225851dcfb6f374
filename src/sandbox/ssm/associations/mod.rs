//! State Manager's associations. There are no nodes here: that a run began is remembered, and nothing ever ends one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{members, put};
use crate::sandbox::{Call, Fault, Map, Shelf};

pub(super) mod association;
mod check;
pub(super) mod list;
pub(super) mod runs;
mod schedule;
#[cfg(test)]
mod tests;

/// All associations, by their ids.
pub(super) type Associations = Shelf<Association>;

/// One association with all its versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Association {
    id: String,
    created: f64,
    /// The oldest first; none is ever deleted.
    versions: Vec<Version>,
    runs: Vec<Run>,
    /// What an agent last said of an association in the old form.
    status: Option<Value>,
}

/// What an association says: what the request said, and what AWS fills in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    fields: Map,
    created: f64,
}

/// A run that began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Run {
    id: String,
    version: usize,
    at: f64,
}

/// What requests say and answers repeat.
const FIELDS: [&str; 21] = [
    "Name",
    "InstanceId",
    "DocumentVersion",
    "AutomationTargetParameterName",
    "Parameters",
    "Targets",
    "ScheduleExpression",
    "OutputLocation",
    "AssociationName",
    "MaxErrors",
    "MaxConcurrency",
    "ComplianceSeverity",
    "SyncCompliance",
    "ApplyOnlyAtCronInterval",
    "CalendarNames",
    "TargetLocations",
    "ScheduleOffset",
    "Duration",
    "TargetMaps",
    "AlarmConfiguration",
    "AssociationDispatchAssumeRole",
];

impl Association {
    fn newest(&self) -> &Map {
        static NONE: std::sync::LazyLock<Map> = std::sync::LazyLock::new(Map::new);
        self.versions
            .last()
            .map_or(&NONE, |version| &version.fields)
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.newest().get(member).and_then(Value::as_str)
    }

    /// Says whether it is of the old form, for one node.
    fn is_of(&self, name: &str, instance: &str) -> bool {
        self.text("Name") == Some(name) && self.text("InstanceId") == Some(instance)
    }

    /// Says whether it associates a document of the account's own, named by name or ARN.
    fn runs_document(&self, name: &str, arn: &str) -> bool {
        let named = self.text("Name").unwrap_or_default();
        named == name || named == arn
    }

    fn begin(&mut self, id: String, at: f64) {
        let version = self.versions.len();
        self.runs.push(Run { id, version, at });
    }

    /// The AWS CLI's example of create-association shows a new one so; nothing here ever leaves that state but one of
    /// the old form whose status somebody reports.
    fn overview(&self) -> Value {
        let reported = self.status.as_ref().and_then(|status| status.get("Name"));
        match reported {
            Some(status) => json!({ "Status": status, "DetailedStatus": status }),
            None => json!({ "Status": "Pending", "DetailedStatus": "Creating" }),
        }
    }

    /// Returns the `AssociationDescription` of one of its versions.
    fn description(&self, number: usize) -> Map {
        let mut answer = members(json!({
            "AssociationId": self.id,
            "AssociationVersion": number.to_string(),
            "Date": self.created,
            "Overview": self.overview(),
        }));
        if let Some(version) = number.checked_sub(1).and_then(|at| self.versions.get(at)) {
            put(
                &mut answer,
                "LastUpdateAssociationDate",
                Some(version.created),
            );
            answer.extend(version.fields.clone());
        }
        put(&mut answer, "Status", self.status.clone());
        // The old form, for one node: AWS CLI reference, `create-association`. Its example has a status too, of a name
        // that the model does not have.
        if let Some(instance) = answer.get("InstanceId").cloned() {
            let targets = json!([{ "Key": "InstanceIds", "Values": [instance] }]);
            answer.entry("Targets").or_insert(targets);
        }
        answer
    }
}

/// Says whether any association of the caller's is with a document of the caller's own.
pub(super) fn any_with(associations: &Associations, document: &str, arn: &str) -> bool {
    associations
        .values()
        .any(|association| association.runs_document(document, arn))
}

/// Finds the association that a request names: by its id, or in the old form by document and node.
fn named(associations: &Associations, call: &Call<'_>) -> Result<String, Fault> {
    if let Some(id) = call.str("AssociationId") {
        // AWS gives out lower-case ids, and the pattern takes both.
        let id = id.to_ascii_lowercase();
        return if associations.contains_key(&id) {
            Ok(id)
        } else {
            Err(unknown(&id))
        };
    }
    let (name, instance) = (call.required("Name"), call.required("InstanceId"));
    let mut all = associations.values();
    all.find(|association| association.is_of(name, instance))
        .map(|association| association.id.clone())
        .ok_or_else(|| unknown(name))
}

fn unknown(what: &str) -> Fault {
    Fault::new(
        "AssociationDoesNotExist",
        format!("The specified association {what} doesn't exist."),
    )
}
