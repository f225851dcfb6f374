//! Reviews of change templates.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{members, operations, put};
use super::{Document, Version, find, no_document, own_mut};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How far the review of one version is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    Approved,
    #[default]
    NotReviewed,
    Pending,
    Rejected,
}

/// The review of one version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Review {
    status: Status,
    responses: Vec<Response>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Response {
    created: f64,
    updated: f64,
    status: Status,
    comment: Value,
    reviewer: String,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::NotReviewed => "NOT_REVIEWED",
            Self::Pending => "PENDING",
            Self::Rejected => "REJECTED",
        }
    }
}

operations! {
    Write "UpdateDocumentMetadata" => update,
    Read "ListDocumentMetadataHistory" => history,
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let document = own_mut(state, call)?;
    let number = match call.str("DocumentVersion") {
        None | Some("$LATEST") => document.latest(),
        Some("$DEFAULT") => document.default,
        Some(number) => number.parse().unwrap_or(0),
    };
    let refused = |message: &str| Err(Fault::new("InvalidDocumentOperation", message));
    let pending = document
        .versions
        .values()
        .find(|v| is(v, Status::Pending))
        .map(|v| v.number);
    let Some(version) = document.versions.get_mut(&number) else {
        return Err(super::no_version());
    };
    let Some(review) = &mut version.review else {
        return refused("Only the versions of a change template are reviewed.");
    };
    let asked = call.map("DocumentReviews");
    let member = |name: &str| asked.and_then(|reviews| reviews.get(name));
    let status = match member("Action").and_then(Value::as_str) {
        Some("SendForReview") if pending.is_some_and(|other| other != number) => {
            return refused("Only one version of a document can be in review at a time.");
        }
        Some("SendForReview") => Status::Pending,
        _ if review.status != Status::Pending => {
            return refused("The version is not in review.");
        }
        Some("Approve") => Status::Approved,
        Some("Reject") => Status::Rejected,
        _ => Status::Pending,
    };
    let now = call.now_seconds();
    let reviewer: String = call
        .caller
        .rsplit('/')
        .next()
        .unwrap_or(call.caller)
        .chars()
        .take(50)
        .collect();
    review.status = status;
    review.responses.push(Response {
        created: now,
        updated: now,
        status,
        comment: member("Comment").cloned().unwrap_or_else(|| json!([])),
        reviewer,
    });
    if status == Status::Approved {
        // When a new version is approved, the one approved before it becomes rejected.
        let others = document
            .versions
            .values_mut()
            .filter(|v| v.number != number);
        for review in others.filter_map(|v| v.review.as_mut()) {
            if review.status == Status::Approved {
                review.status = Status::Rejected;
            }
        }
    }
    Ok(Map::new())
}

fn history(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = call.required("Name");
    let found = find(state, call, name)?;
    if found.owner != call.account {
        return Err(no_document(name));
    }
    let version = found.version(call.str("DocumentVersion"), None)?;
    let mut responses: Vec<(usize, &Response)> = version
        .review
        .iter()
        .flat_map(|r| &r.responses)
        .enumerate()
        .collect();
    // The newest comes first, and who sends a version for review is no reviewer: CLI example
    // list-document-metadata-history.
    responses.reverse();
    let (page, token) = Listing::of("ListDocumentMetadataHistory").page(
        call,
        responses,
        // Counted back, so that more of them push none to another page.
        |(at, _)| format!("{:020}", usize::MAX - at),
    )?;
    let shown: Vec<Value> = page
        .into_iter()
        .map(|(_, response)| {
            let mut shown = json!({
                "CreateTime": response.created,
                "UpdatedTime": response.updated,
                "ReviewStatus": response.status.name(),
                "Comment": response.comment,
            });
            if response.status != Status::Pending {
                shown["Reviewer"] = json!(response.reviewer);
            }
            shown
        })
        .collect();
    let mut answer = members(json!({
        "Name": found.document.name,
        "DocumentVersion": version.number.to_string(),
        "Author": version.author,
        "Metadata": { "ReviewerResponse": shown },
    }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

fn is(version: &Version, status: Status) -> bool {
    version
        .review
        .as_ref()
        .is_some_and(|review| review.status == status)
}

/// Returns the status that answers carry; only change templates have one.
pub(super) fn status(version: &Version) -> Option<&'static str> {
    version.review.as_ref().map(|review| review.status.name())
}

/// Adds to a description what it says about reviews.
pub(super) fn describe(document: &Document, version: &Version, map: &mut Map) {
    let Some(review) = &version.review else {
        return;
    };
    put(map, "Author", Some(version.author.as_str()));
    put(map, "ReviewStatus", Some(review.status.name()));
    let infos: Vec<Value> = review
        .responses
        .iter()
        .map(|r| json!({ "ReviewedTime": r.updated, "Status": r.status.name(), "Reviewer": r.reviewer }))
        .collect();
    put(
        map,
        "ReviewInformation",
        (!infos.is_empty()).then_some(infos),
    );
    let with = |status| {
        document
            .versions
            .values()
            .find(|v| is(v, status))
            .map(|v| v.number.to_string())
    };
    put(map, "ApprovedVersion", with(Status::Approved));
    put(map, "PendingReviewVersion", with(Status::Pending));
}
