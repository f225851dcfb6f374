//! Pages: single messages to single channels, their receipts, and the way that led to them.

use std::ops::Bound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::escalation::Engagement;
use super::sharing::enter_at;
use super::{Store, contact, engagement, enter, escalation, fault, paging, read, time, write};
use crate::sandbox::{Answer, Call, Fault, Map, Operation, State};

/// A page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    /// The engagement it is part of.
    pub(crate) engagement: String,
    /// The place of the run that sent it.
    pub(crate) run: usize,
    /// The person it was sent to.
    pub(crate) contact: String,
    /// The channel it was sent through.
    pub(crate) channel: String,
    /// That channel's type.
    pub(crate) channel_type: String,
    /// What the reader has to enter.
    pub(crate) code: String,
    /// When it was sent.
    pub(crate) sent: Timestamp,
    /// When it arrived.
    pub(crate) delivered: Option<Timestamp>,
    /// When it was acknowledged.
    pub(crate) read: Option<Timestamp>,
    /// Everything that happened to it, in the order of time.
    pub(crate) receipts: Vec<Receipt>,
}

/// Something that happened to a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// `SENT`, `DELIVERED`, `READ` or `STOP`.
    pub(crate) kind: String,
    /// What was said about it.
    pub(crate) info: Option<String>,
    /// When.
    pub(crate) at: Timestamp,
}

/// The page operations.
pub(super) const OPERATIONS: &[Operation] = &[
    read("DescribePage", describe),
    read("ListPagesByContact", list_by_contact),
    read("ListPagesByEngagement", list_by_engagement),
    read("ListPageReceipts", list_receipts),
    read("ListPageResolutions", list_resolutions),
    write("AcceptPage", accept),
];

fn find<'s>(store: &'s Store, id: &str) -> Result<(&'s Page, &'s Engagement), Fault> {
    let page = store.pages.get(id);
    page.and_then(|page| Some((page, store.engagements.get(&page.engagement)?)))
        .ok_or_else(|| fault::missing(Kind::Page, id))
}

fn summary(id: &str, page: &Page, engagement: &Engagement) -> Map {
    let mut shown = Map::new();
    for (member, text) in [
        ("PageArn", id),
        ("EngagementArn", &page.engagement),
        ("ContactArn", &page.contact),
        ("Sender", &engagement.message.sender),
    ] {
        shown.insert(member.to_owned(), text.into());
    }
    if let Some(incident) = &engagement.message.incident {
        shown.insert("IncidentId".to_owned(), incident.clone().into());
    }
    for (member, at) in [
        ("SentTime", Some(page.sent)),
        ("DeliveryTime", page.delivered),
        ("ReadTime", page.read),
    ] {
        if let Some(at) = at {
            shown.insert(member.to_owned(), time::seconds(at));
        }
    }
    shown
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "PageId", Kind::Page)?;
    let (page, engagement) = find(store, &id)?;
    let mut answer = summary(&id, page, engagement);
    engagement.message.show_content(&mut answer);
    Ok(answer)
}

/// Answers pages in the order in which they were sent.
fn listed<'s>(
    store: &'s Store,
    call: &Call<'_>,
    operation: &str,
    pages: impl Iterator<Item = (&'s String, &'s Page)>,
) -> Answer {
    let mut found: Vec<(String, Value)> = pages
        .filter_map(|(id, page)| {
            let engagement = store.engagements.get(&page.engagement)?;
            let key = format!("{}/{id}", time::sortable(page.sent));
            Some((key, Value::Object(summary(id, page, engagement))))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    paging::page(call, operation, "Pages", found.into_iter())
}

fn list_by_contact(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (store, id) = enter_at(
        state,
        call,
        "ContactId",
        Kind::Contact,
        "ListPagesByContact",
    )?;
    contact::find(store, &id)?;
    let (from, to) = contact::under(&id, Kind::Page).unwrap_or_default();
    let bounds = (Bound::Included(from.as_str()), Bound::Excluded(to.as_str()));
    let pages = store.pages.range::<str, _>(bounds);
    listed(store, call, "ListPagesByContact", pages)
}

fn list_by_engagement(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (store, id) = engagement::at(state, call, "ListPagesByEngagement")?;
    engagement::find(store, &id)?;
    let pages = store.pages.iter().filter(|(_, page)| page.engagement == id);
    listed(store, call, "ListPagesByEngagement", pages)
}

fn list_receipts(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "PageId", Kind::Page)?;
    let (page, _) = find(store, &id)?;
    let receipts = page.receipts.iter().enumerate().map(|(place, receipt)| {
        let mut shown = json!({
            "ContactChannelArn": page.channel,
            "ReceiptType": receipt.kind,
            "ReceiptTime": time::seconds(receipt.at),
        });
        if let Some(info) = &receipt.info {
            shown["ReceiptInfo"] = info.clone().into();
        }
        (format!("{place:010}"), shown)
    });
    paging::page(call, "ListPageReceipts", "Receipts", receipts)
}

fn list_resolutions(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "PageId", Kind::Page)?;
    let (page, engagement) = find(store, &id)?;
    let steps = engagement.path(page.run).into_iter().enumerate();
    let steps = steps.map(|(place, run)| {
        let shown = contact::resolution(&run.contact, run.kind, run.stage);
        (format!("{place:010}"), shown)
    });
    paging::page(call, "ListPageResolutions", "PageResolutions", steps)
}

fn accept(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "PageId", Kind::Page)?;
    let Some(page) = store.pages.get_mut(&id) else {
        return Err(fault::missing(Kind::Page, &id));
    };
    if let Some(channel) = call.str("ContactChannelId") {
        arn::own(call, channel, &[Kind::Channel])?;
        if channel != page.channel {
            return Err(fault::invalid(format_args!(
                "The page was not sent to the contact channel {channel}"
            )));
        }
    }
    let code = call.required("AcceptCode");
    // Enforcing is what the caller may ask for; unless asked, any code will do.
    if call.str("AcceptCodeValidation") == Some("ENFORCE") && code != page.code {
        return Err(fault::invalid("Invalid AcceptCode"));
    }
    let now = time::now(call);
    let info = call.str("Note").unwrap_or(code).to_owned();
    let mut receive = |kind: &str| {
        page.receipts.push(Receipt {
            kind: kind.to_owned(),
            info: Some(info.clone()),
            at: now,
        });
    };
    // What was read was delivered: the service's example of receipts has both, within half a second.
    if page.delivered.is_none() {
        page.delivered = Some(now);
        receive("DELIVERED");
    }
    if call.str("AcceptType") == Some("READ") && page.read.is_none() {
        page.read = Some(now);
        receive("READ");
        let (engagement, run) = (page.engagement.clone(), page.run);
        escalation::acknowledge(store, &engagement, run, now);
    }
    Ok(Map::new())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{ACCOUNT, World, text};

    /// Engages a person with one channel, and returns the page, its channel and its code.
    fn paged(world: &mut World) -> (String, Value, String) {
        let ana = world.reachable("ana");
        world.ok("StartEngagement", json!({
            "ContactId": ana, "Sender": "tester", "Subject": "s", "Content": "c", "IncidentId": "i",
        }));
        let listed = world.ok("ListPagesByContact", json!({ "ContactId": ana }));
        let page = text(&listed["Pages"][0]["PageArn"]);
        let code = world
            .state
            .account(ACCOUNT)
            .contacts
            .accept_code(&page)
            .unwrap()
            .to_owned();
        let plan = world.ok("GetContact", json!({ "ContactId": ana }))["Plan"].clone();
        let channel =
            plan["Stages"][0]["Targets"][0]["ChannelTargetInfo"]["ContactChannelId"].clone();
        (page, channel, code)
    }

    #[test]
    fn a_page_is_described_with_what_it_said() {
        let mut world = World::new();
        let (page, _, _) = paged(&mut world);
        let shown = world.ok("DescribePage", json!({ "PageId": page }));
        assert!(page.starts_with("arn:aws:ssm-contacts:eu-west-1:111122223333:page/ana/"));
        assert_eq!(shown["SentTime"], world.now.as_second());
        assert_eq!(
            (&shown["Subject"], &shown["Content"], &shown["IncidentId"]),
            (&json!("s"), &json!("c"), &json!("i"))
        );
        assert!(shown.get("DeliveryTime").is_none() && shown.get("ReadTime").is_none());
        let other = page.replace(&page[page.len() - 4..], "0000");
        for name in ["DescribePage", "ListPageReceipts", "ListPageResolutions"] {
            let (code, members) = world.fault(name, json!({ "PageId": other }));
            assert_eq!(
                (code.as_str(), &members["ResourceType"]),
                ("ResourceNotFoundException", &json!("PAGE"))
            );
        }
    }

    #[test]
    fn what_is_read_was_delivered_and_both_leave_receipts() {
        let mut world = World::new();
        let (page, channel, code) = paged(&mut world);
        let sent = world.now.as_second();
        world.pass(1);
        let accept = |kind: &str| json!({ "PageId": page, "AcceptType": kind, "AcceptCode": code, "AcceptCodeValidation": "ENFORCE" });
        world.ok("AcceptPage", accept("READ"));
        world.ok("AcceptPage", accept("READ"));
        let read = world.now.as_second();
        let shown = world.ok("DescribePage", json!({ "PageId": page }));
        assert_eq!(
            (&shown["DeliveryTime"], &shown["ReadTime"]),
            (&json!(read), &json!(read))
        );
        let receipts = world.all(
            "ListPageReceipts",
            "Receipts",
            json!({ "PageId": page, "MaxResults": 1 }),
        );
        assert_eq!(
            receipts,
            [
                json!({ "ContactChannelArn": channel, "ReceiptType": "SENT", "ReceiptTime": sent }),
                json!({ "ContactChannelArn": channel, "ReceiptType": "DELIVERED", "ReceiptTime": read, "ReceiptInfo": code }),
                json!({ "ContactChannelArn": channel, "ReceiptType": "READ", "ReceiptTime": read, "ReceiptInfo": code }),
            ]
        );
    }

    #[test]
    fn a_delivered_page_is_not_yet_read() {
        let mut world = World::new();
        let (page, _, code) = paged(&mut world);
        let accept = json!({ "PageId": page, "AcceptType": "DELIVERED", "AcceptCode": code, "Note": "on it" });
        world.ok("AcceptPage", accept);
        let shown = world.ok("DescribePage", json!({ "PageId": page }));
        assert!(shown.get("DeliveryTime").is_some() && shown.get("ReadTime").is_none());
        let receipts = world.ok("ListPageReceipts", json!({ "PageId": page }));
        assert_eq!(receipts["Receipts"][1]["ReceiptInfo"], "on it");
        // Only reading stops the plan.
        world.pass(5);
        let engagement = shown["EngagementArn"].clone();
        let listed = world.ok(
            "ListPagesByEngagement",
            json!({ "EngagementId": engagement }),
        );
        assert_eq!(listed["Pages"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn the_code_and_the_channel_are_checked_when_asked_for() {
        let mut world = World::new();
        let (page, channel, code) = paged(&mut world);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let bo = world.person("bo");
        let other = world.channel(&bo, "mail", "bo@example.com");
        let accept = |code: &str, check: &str, channel: &Value| {
            json!({
                "PageId": page, "AcceptType": "READ", "AcceptCode": code,
                "AcceptCodeValidation": check, "ContactChannelId": channel,
            })
        };
        for bad in [
            accept(wrong, "ENFORCE", &channel),
            accept(&code, "ENFORCE", &json!(other)),
        ] {
            assert_eq!(world.code("AcceptPage", bad), "ValidationException");
        }
        world.ok("AcceptPage", accept(wrong, "IGNORE", &channel));
    }
}
