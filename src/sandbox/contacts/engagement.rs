//! Engagements: starting, stopping and looking at them. What happens in between is in `escalation`.

use serde_json::Value;

use super::arn::Kind;
use super::escalation::{self, Engagement, Message};
use super::sharing::enter_at;
use super::{Store, contact, enter, fault, once, paging, read, time, write};
use crate::sandbox::{Answer, Call, Fault, Map, Operation, State};

/// The engagement operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("StartEngagement", start),
    write("StopEngagement", stop),
    read("DescribeEngagement", describe),
    read("ListEngagements", list),
];

/// Opens the store of the engagement that a call names.
pub(super) fn at<'s>(
    state: &'s mut State,
    call: &Call<'_>,
    action: &str,
) -> Result<(&'s mut Store, String), Fault> {
    enter_at(state, call, "EngagementId", Kind::Engagement, action)
}

/// Finds an engagement of the caller's account.
pub(super) fn find<'s>(store: &'s Store, id: &str) -> Result<&'s Engagement, Fault> {
    store
        .engagements
        .get(id)
        .ok_or_else(|| fault::missing(Kind::Engagement, id))
}

impl Message {
    /// Adds what is told to an answer about an engagement or a page.
    pub(super) fn show_content(&self, shown: &mut Map) {
        shown.insert("Subject".to_owned(), self.subject.clone().into());
        shown.insert("Content".to_owned(), self.content.clone().into());
        for (member, text) in [
            ("PublicSubject", &self.public_subject),
            ("PublicContent", &self.public_content),
        ] {
            if let Some(text) = text {
                shown.insert(member.to_owned(), text.clone().into());
            }
        }
    }
}

fn summary(id: &str, engagement: &Engagement) -> Map {
    let mut shown = Map::new();
    shown.insert("EngagementArn".to_owned(), id.into());
    shown.insert("ContactArn".to_owned(), engagement.contact.clone().into());
    shown.insert(
        "Sender".to_owned(),
        engagement.message.sender.clone().into(),
    );
    if let Some(incident) = &engagement.message.incident {
        shown.insert("IncidentId".to_owned(), incident.clone().into());
    }
    shown.insert("StartTime".to_owned(), time::seconds(engagement.start));
    if let Some(stop) = engagement.stop {
        shown.insert("StopTime".to_owned(), time::seconds(stop));
    }
    shown
}

fn start(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (store, contact) = enter_at(state, call, "ContactId", Kind::Contact, "StartEngagement")?;
    if let Some(answer) = once::earlier(store, call, "StartEngagement")? {
        return Ok(answer);
    }
    contact::find(store, &contact)?;
    let text = |member: &str| call.str(member).map(str::to_owned);
    let message = Message {
        sender: call.required("Sender").to_owned(),
        subject: call.required("Subject").to_owned(),
        content: call.required("Content").to_owned(),
        public_subject: text("PublicSubject"),
        public_content: text("PublicContent"),
        incident: text("IncidentId").filter(|incident| !incident.is_empty()),
    };
    let uuid = call.uuid();
    let id = escalation::start(store, &contact, &uuid, message, time::now(call));
    let answer = Map::from_iter([("EngagementArn".to_owned(), Value::from(id.clone()))]);
    once::remember(store, call, "StartEngagement", &id, &answer);
    Ok(answer)
}

fn stop(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (store, id) = at(state, call, "StopEngagement")?;
    if find(store, &id)?.stop.is_none() {
        let reason = call.str("Reason").filter(|reason| !reason.is_empty());
        escalation::stop(store, &id, reason, time::now(call));
    }
    Ok(Map::new())
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (store, id) = at(state, call, "DescribeEngagement")?;
    let engagement = find(store, &id)?;
    let mut answer = summary(&id, engagement);
    engagement.message.show_content(&mut answer);
    Ok(answer)
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let incident = call
        .str("IncidentId")
        .filter(|incident| !incident.is_empty());
    let bound = |member: &str| {
        call.map("TimeRangeValue")
            .and_then(|range| range.get(member))
            .map(|value| time::instant(member, value))
            .transpose()
    };
    let (from, to) = (bound("StartTime")?, bound("EndTime")?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(fault::field("EndTime", "must not be before StartTime"));
    }
    let mut found: Vec<(String, Value)> = store
        .engagements
        .iter()
        .filter(|(_, e)| incident.is_none_or(|id| e.message.incident.as_deref() == Some(id)))
        .filter(|(_, e)| from.is_none_or(|from| from <= e.start))
        .filter(|(_, e)| to.is_none_or(|to| e.start <= to))
        .map(|(id, e)| {
            // Newest first, as in the service's own example.
            let key = format!("{}/{id}", time::newest_first(e.start));
            (key, Value::Object(summary(id, e)))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    paging::page(call, "ListEngagements", "Engagements", found.into_iter())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{World, text};

    fn start(contact: &str) -> Value {
        json!({
            "ContactId": contact, "Sender": "tester", "Subject": "s", "Content": "c",
            "PublicSubject": "ps", "PublicContent": "pc",
        })
    }

    #[test]
    fn an_engagement_is_described_as_it_was_started() {
        let mut world = World::new();
        let ana = world.person("ana");
        let id = text(&world.ok("StartEngagement", start(&ana))["EngagementArn"]);
        assert!(id.starts_with("arn:aws:ssm-contacts:eu-west-1:111122223333:engagement/ana/"));
        let shown = world.ok("DescribeEngagement", json!({ "EngagementId": id }));
        assert_eq!(
            shown,
            json!({
                "EngagementArn": id, "ContactArn": ana, "Sender": "tester", "StartTime": world.now.as_second(),
                "Subject": "s", "Content": "c", "PublicSubject": "ps", "PublicContent": "pc",
            })
        );
        let nobody = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody";
        assert_eq!(
            world.code("StartEngagement", start(nobody)),
            "ResourceNotFoundException"
        );
        let other = id.replace(&id[id.len() - 4..], "0000");
        for name in [
            "DescribeEngagement",
            "StopEngagement",
            "ListPagesByEngagement",
        ] {
            let (code, members) = world.fault(name, json!({ "EngagementId": other }));
            assert_eq!(
                (code.as_str(), &members["ResourceType"]),
                ("ResourceNotFoundException", &json!("ENGAGEMENT"))
            );
        }
    }

    #[test]
    fn engagements_are_listed_newest_first_by_incident_and_time() {
        let mut world = World::new();
        let ana = world.person("ana");
        let first = world.now.as_second();
        let mut ids = Vec::new();
        for n in 0..4 {
            let mut input = start(&ana);
            if n % 2 == 1 {
                input["IncidentId"] =
                    "arn:aws:ssm-incidents::111122223333:incident-record/p/1".into();
            }
            ids.push(text(&world.ok("StartEngagement", input)["EngagementArn"]));
            world.pass(10);
        }
        let mut listed = |mut input: Value| -> Vec<String> {
            input["MaxResults"] = 1.into();
            let listed = world.all("ListEngagements", "Engagements", input);
            listed.iter().map(|e| text(&e["EngagementArn"])).collect()
        };
        let newest_first: Vec<String> = ids.iter().rev().cloned().collect();
        assert_eq!(listed(json!({})), newest_first);
        let incident = "arn:aws:ssm-incidents::111122223333:incident-record/p/1";
        assert_eq!(
            listed(json!({ "IncidentId": incident })),
            [ids[3].clone(), ids[1].clone()]
        );
        let range =
            json!({ "TimeRangeValue": { "StartTime": first + 600, "EndTime": first + 1200 } });
        assert_eq!(listed(range), [ids[2].clone(), ids[1].clone()]);
        let range = json!({ "TimeRangeValue": { "StartTime": first + 1, "EndTime": first } });
        assert_eq!(world.code("ListEngagements", range), "ValidationException");
    }

    #[test]
    fn a_token_starts_one_engagement() {
        let mut world = World::new();
        let ana = world.person("ana");
        let mut input = start(&ana);
        input["IdempotencyToken"] = "t".into();
        let first = world.ok("StartEngagement", input.clone());
        assert_eq!(world.ok("StartEngagement", input.clone()), first);
        input["Subject"] = "other".into();
        assert_eq!(world.code("StartEngagement", input), "ValidationException");
    }
}
