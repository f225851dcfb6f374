//! Contacts: people, escalation plans and on-call schedules.

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::plan::{self, Plan};
use super::tags::{self, Tags};
use super::{Store, enter, fault, once, paging, read, sharing, write};
use crate::sandbox::{Answer, Call, Fault, Map, Operation, State};

/// A contact's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Type {
    /// A person.
    Personal,
    /// An escalation plan.
    Escalation,
    /// An on-call schedule.
    OncallSchedule,
}

impl Type {
    /// Reads the model's name of a type.
    fn parse(name: &str) -> Option<Self> {
        [Self::Personal, Self::Escalation, Self::OncallSchedule]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Returns the model's name of the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Personal => "PERSONAL",
            Self::Escalation => "ESCALATION",
            Self::OncallSchedule => "ONCALL_SCHEDULE",
        }
    }
}

/// A contact.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Contact {
    /// Unique in the account, whatever the type.
    pub(crate) alias: String,
    /// What it is; never changes.
    pub(crate) kind: Type,
    /// The full name; absent and empty are the same.
    pub(crate) display_name: Option<String>,
    /// What happens when it is engaged.
    pub(crate) plan: Plan,
    /// The resource policy, for sharing.
    pub(crate) policy: Option<String>,
    /// Tags.
    pub(crate) tags: Tags,
}

/// The contact operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateContact", create),
    read("GetContact", get),
    read("ListContacts", list),
    write("UpdateContact", update),
    write("DeleteContact", delete),
];

/// Finds a contact of the caller's account.
pub(super) fn find<'s>(store: &'s mut Store, id: &str) -> Result<&'s mut Contact, Fault> {
    store
        .contacts
        .get_mut(id)
        .ok_or_else(|| fault::missing(Kind::Contact, id))
}

fn display_name(call: &Call<'_>) -> Option<String> {
    call.str("DisplayName")
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn summary(id: &str, contact: &Contact) -> Map {
    let mut shown = Map::new();
    shown.insert("ContactArn".to_owned(), id.into());
    shown.insert("Alias".to_owned(), contact.alias.clone().into());
    if let Some(name) = &contact.display_name {
        shown.insert("DisplayName".to_owned(), name.clone().into());
    }
    shown.insert("Type".to_owned(), contact.kind.name().into());
    shown
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let store = enter(state, call)?;
    if let Some(answer) = once::earlier(store, call, "CreateContact")? {
        return Ok(answer);
    }
    let alias = call.required("Alias").to_owned();
    let kind = Type::parse(call.required("Type"))
        .ok_or_else(|| fault::field("Type", "is not a contact type"))?;
    let id = arn::make(call.region, call.account, Kind::Contact, &alias);
    // Contacts are replicated over the set's regions, so one alias means one contact in all of them.
    if let Some((taken, _)) = store.contacts.iter().find(|(_, c)| c.alias == alias) {
        return Err(fault::conflict(
            Kind::Contact,
            taken,
            format_args!("A contact with alias {alias} already exists"),
        ));
    }
    let plan = plan::parse(call.map("Plan").unwrap_or(&Map::new()))?;
    plan.check(kind, &id, store, call, quotas)?;
    let contact = Contact {
        alias,
        kind,
        display_name: display_name(call),
        plan,
        policy: None,
        tags: tags::parse(call.list("Tags"))?,
    };
    store.contacts.insert(id.clone(), contact);
    let answer = Map::from_iter([("ContactArn".to_owned(), Value::from(id.clone()))]);
    once::remember(store, call, "CreateContact", &id, &answer);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (store, id) = sharing::enter_at(state, call, "ContactId", Kind::Contact, "GetContact")?;
    let contact = find(store, &id)?;
    let mut answer = summary(&id, contact);
    answer.insert("Plan".to_owned(), contact.plan.show(contact.kind));
    Ok(answer)
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    enter(state, call)?;
    let prefix = call.str("AliasPrefix").unwrap_or_default();
    let kind = call.str("Type").and_then(Type::parse);
    // User guide, sharing: the list has the contacts that other accounts share, too.
    let own = state.accounts.get(call.account);
    let mut all: Vec<_> = own
        .into_iter()
        .flat_map(|own| &own.contacts.contacts)
        .chain(sharing::shared_with(state, call.account))
        .collect();
    all.sort_by_key(|(id, _)| *id);
    let contacts = all
        .into_iter()
        .filter(|(_, c)| c.alias.starts_with(prefix) && kind.is_none_or(|kind| kind == c.kind))
        .map(|(id, c)| (id.clone(), Value::Object(summary(id, c))));
    paging::page(call, "ListContacts", "Contacts", contacts)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactId", Kind::Contact)?;
    let kind = find(store, &id)?.kind;
    let plan = call.map("Plan").map(plan::parse).transpose()?;
    if let Some(plan) = &plan {
        plan.check(kind, &id, store, call, quotas)?;
    }
    let contact = find(store, &id)?;
    if call.str("DisplayName").is_some() {
        contact.display_name = display_name(call);
    }
    if let Some(plan) = plan {
        contact.plan = plan;
    }
    Ok(Map::new())
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactId", Kind::Contact)?;
    find(store, &id)?;
    let rotations: Vec<String> = store
        .rotations
        .iter()
        .filter(|(_, rotation)| rotation.contact_ids.contains(&id))
        .map(|(rotation, _)| rotation.clone())
        .collect();
    if !rotations.is_empty() {
        return Err(fault::depended_on(
            Kind::Contact,
            &id,
            Kind::Rotation,
            &rotations,
        ));
    }
    // Escalation plans and response plans that name the contact keep its ARN: the API reference says so.
    for channel in channels_of(store, &id) {
        store.channels.remove(&channel);
        once::forget(store, &channel);
    }
    store.contacts.remove(&id);
    store.shared.remove(&id);
    once::forget(store, &id);
    Ok(Map::new())
}

/// Returns the ARNs of a contact's channels.
pub(super) fn channels_of(store: &Store, contact: &str) -> Vec<String> {
    under(contact, Kind::Channel)
        .map(|(from, to)| {
            store
                .channels
                .range::<str, _>((Bound::Included(from.as_str()), Bound::Excluded(to.as_str())))
                .map(|(id, _)| id.clone())
                .collect()
        })
        .unwrap_or_default()
}

/// Returns the range of ARNs that a contact's channels (or pages) lie in.
pub(super) fn under(contact: &str, kind: Kind) -> Option<(String, String)> {
    let alias = arn::parse(contact, &[Kind::Contact]).ok()?.alias();
    // '0' is the character after '/'.
    Some((
        arn::beside(contact, kind, &format!("{alias}/")),
        arn::beside(contact, kind, &format!("{alias}0")),
    ))
}

/// Writes a contact in an answer about something else.
pub(super) fn resolution(id: &str, kind: Type, stage: Option<usize>) -> Value {
    let mut shown = json!({ "ContactArn": id, "Type": kind.name() });
    if let Some(stage) = stage {
        shown["StageIndex"] = stage.into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{HOME, World, text};
    use super::*;

    #[test]
    fn without_a_replication_set_the_account_is_not_found() {
        let mut world = World::fresh();
        for (name, input) in [
            ("ListContacts", json!({})),
            ("ListRotations", json!({})),
            (
                "GetContact",
                json!({ "ContactId": "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/a" }),
            ),
            (
                "CreateContact",
                json!({ "Alias": "a", "Type": "PERSONAL", "Plan": {} }),
            ),
        ] {
            let fault = world.call(name, input).unwrap_err();
            assert_eq!(fault.code, "ValidationException", "{name}");
            assert_eq!(
                fault.message,
                "Invalid value provided - Account not found for the request"
            );
            assert_eq!(fault.members["Reason"], "OTHER");
        }
    }

    #[test]
    fn a_region_outside_the_set_has_no_account() {
        let mut world = World::new();
        world.region = "ap-south-1";
        assert_eq!(world.code("ListContacts", json!({})), "ValidationException");
    }

    #[test]
    fn a_contact_is_seen_from_every_region_of_the_set_under_the_arn_of_its_own() {
        let mut world = World::new();
        let id = world.person("ana");
        assert_eq!(
            id,
            format!("arn:aws:ssm-contacts:{HOME}:111122223333:contact/ana")
        );
        world.region = "us-east-1";
        assert_eq!(
            world.ok("GetContact", json!({ "ContactId": id }))["ContactArn"],
            id
        );
        assert_eq!(world.all("ListContacts", "Contacts", json!({})).len(), 1);
        let again = json!({ "Alias": "ana", "Type": "PERSONAL", "Plan": {} });
        assert_eq!(world.code("CreateContact", again), "ConflictException");
    }

    #[test]
    fn what_was_created_is_what_is_read() {
        let mut world = World::new();
        let input = json!({
            "Alias": "ana", "Type": "PERSONAL", "DisplayName": "Ana Díaz",
            "Plan": { "Stages": [{ "DurationInMinutes": 3, "Targets": [] }] },
            "Tags": [{ "Key": "team", "Value": "a" }],
        });
        let id = world.ok("CreateContact", input)["ContactArn"].clone();
        let read = world.ok("GetContact", json!({ "ContactId": id }));
        assert_eq!(
            read,
            json!({
                "ContactArn": id, "Alias": "ana", "DisplayName": "Ana Díaz", "Type": "PERSONAL",
                "Plan": { "Stages": [{ "DurationInMinutes": 3, "Targets": [] }] },
            })
        );
        let tags = world.ok("ListTagsForResource", json!({ "ResourceARN": id }));
        assert_eq!(tags, json!({ "Tags": [{ "Key": "team", "Value": "a" }] }));
        let listed = world.ok("ListContacts", json!({}));
        assert_eq!(
            listed,
            json!({ "Contacts": [
                { "ContactArn": id, "Alias": "ana", "DisplayName": "Ana Díaz", "Type": "PERSONAL" },
            ] })
        );
    }

    #[test]
    fn an_alias_is_unique_over_all_types() {
        let mut world = World::new();
        let id = world.person("ana");
        let input = json!({ "Alias": "ana", "Type": "ESCALATION", "Plan": { "Stages": [] } });
        let (code, members) = world.fault("CreateContact", input);
        assert_eq!(code, "ConflictException");
        assert_eq!(members["ResourceId"], id);
        assert_eq!(members["ResourceType"], "CONTACT");
    }

    #[test]
    fn a_token_makes_a_contact_once() {
        let mut world = World::new();
        let mut input = json!({
            "Alias": "ana", "Type": "PERSONAL", "Plan": { "Stages": [] }, "IdempotencyToken": "t1",
        });
        let first = world.ok("CreateContact", input.clone());
        assert_eq!(world.ok("CreateContact", input.clone()), first);
        input["DisplayName"] = "Ana".into();
        assert_eq!(
            world.code("CreateContact", input.clone()),
            "ValidationException"
        );
        world.ok("DeleteContact", json!({ "ContactId": first["ContactArn"] }));
        assert_eq!(world.ok("CreateContact", input), first);
    }

    #[test]
    fn an_update_leaves_what_it_does_not_name_and_an_empty_name_clears() {
        let mut world = World::new();
        let stages = json!({ "Stages": [{ "DurationInMinutes": 3, "Targets": [] }] });
        let id = world.contact("ana", "PERSONAL", stages.clone());
        world.ok(
            "UpdateContact",
            json!({ "ContactId": id, "DisplayName": "Ana" }),
        );
        let read = world.ok("GetContact", json!({ "ContactId": id }));
        assert_eq!(
            (&read["DisplayName"], &read["Plan"]),
            (&json!("Ana"), &stages)
        );
        world.ok(
            "UpdateContact",
            json!({ "ContactId": id, "Plan": { "Stages": [] } }),
        );
        let read = world.ok("GetContact", json!({ "ContactId": id }));
        assert_eq!(read["DisplayName"], "Ana");
        assert_eq!(read["Plan"], json!({ "Stages": [] }));
        world.ok(
            "UpdateContact",
            json!({ "ContactId": id, "DisplayName": "" }),
        );
        let read = world.ok("GetContact", json!({ "ContactId": id }));
        assert!(read.get("DisplayName").is_none());
    }

    #[test]
    fn lists_filter_by_prefix_and_type_and_come_in_pages() {
        let mut world = World::new();
        for n in 0..7 {
            world.person(&format!("team-a-{n}"));
        }
        world.person("team-b");
        world.contact("team-a-plan", "ESCALATION", json!({}));
        let mut filter = json!({ "AliasPrefix": "team-a", "Type": "PERSONAL", "MaxResults": 3 });
        let listed = world.all("ListContacts", "Contacts", filter.clone());
        let aliases: Vec<String> = listed.iter().map(|c| text(&c["Alias"])).collect();
        assert_eq!(
            aliases,
            (0..7).map(|n| format!("team-a-{n}")).collect::<Vec<_>>()
        );
        let first = world.ok("ListContacts", filter.clone());
        assert_eq!(first["Contacts"].as_array().map(Vec::len), Some(3));
        // A page that ends with the last item has no token.
        filter["MaxResults"] = 7.into();
        assert!(
            world
                .ok("ListContacts", filter.clone())
                .get("NextToken")
                .is_none()
        );
        // A token belongs to its list, and nobody can make one up.
        for (token, prefix) in [
            (first["NextToken"].clone(), "team-b"),
            ("Mw==".into(), "team-a"),
        ] {
            let bad = json!({ "AliasPrefix": prefix, "Type": "PERSONAL", "NextToken": token });
            assert_eq!(world.code("ListContacts", bad), "ValidationException");
        }
    }

    #[test]
    fn a_list_goes_on_after_what_was_deleted_meanwhile() {
        let mut world = World::new();
        let ids: Vec<String> = ["a", "b", "c"]
            .iter()
            .map(|alias| world.person(alias))
            .collect();
        let first = world.ok("ListContacts", json!({ "MaxResults": 1 }));
        world.ok("DeleteContact", json!({ "ContactId": ids[0] }));
        let rest = json!({ "NextToken": first["NextToken"] });
        assert_eq!(world.all("ListContacts", "Contacts", rest).len(), 2);
    }

    #[test]
    fn a_member_of_a_rotation_cannot_be_deleted() {
        let mut world = World::new();
        let (ana, bo) = (world.person("ana"), world.person("bo"));
        let rotation = world.rotation("primary", &[&ana, &bo]);
        let (code, members) = world.fault("DeleteContact", json!({ "ContactId": ana }));
        assert_eq!(code, "ConflictException");
        assert_eq!(members["ResourceId"], ana);
        assert_eq!(
            members["DependentEntities"][0]["DependentResourceIds"],
            json!([rotation])
        );
        let input = json!({ "RotationId": rotation, "ContactIds": [bo], "Recurrence": super::super::testing::daily() });
        world.ok("UpdateRotation", input);
        world.ok("DeleteContact", json!({ "ContactId": ana }));
    }

    #[test]
    fn deleting_a_contact_takes_its_channels_and_leaves_the_plans_that_name_it() {
        let mut world = World::new();
        let ana = world.person("ana");
        let channel = world.channel(&ana, "mail", "ana@example.com");
        world.person("ana2");
        let target = json!({ "ContactTargetInfo": { "ContactId": ana, "IsEssential": true } });
        let plan = json!({ "Stages": [{ "DurationInMinutes": 0, "Targets": [target] }] });
        let escalation = world.contact("esc", "ESCALATION", plan.clone());
        world.ok("DeleteContact", json!({ "ContactId": ana }));
        for (name, member, id) in [
            ("GetContact", "ContactId", &ana),
            ("DeleteContact", "ContactId", &ana),
            ("GetContactChannel", "ContactChannelId", &channel),
        ] {
            let (code, members) = world.fault(name, json!({ member: id }));
            assert_eq!(code, "ResourceNotFoundException");
            assert_eq!(members["ResourceId"], *id);
        }
        assert_eq!(
            world.ok("GetContact", json!({ "ContactId": escalation }))["Plan"],
            plan
        );
    }

    #[test]
    fn another_accounts_contact_is_denied_and_a_malformed_arn_is_invalid() {
        let mut world = World::new();
        let foreign = "arn:aws:ssm-contacts:eu-west-1:999988887777:contact/ana";
        let get = |id: &str| json!({ "ContactId": id });
        assert_eq!(
            world.code("GetContact", get(foreign)),
            "AccessDeniedException"
        );
        let malformed = "arn:aws:ssm-contacts:eu-west-1:111122223333:rotation/ana";
        let fault = world.call("GetContact", get(malformed)).unwrap_err();
        assert_eq!(fault.code, "ValidationException");
        assert!(
            fault
                .message
                .starts_with("Invalid value provided - Invalid resource Arn")
        );
    }

    #[test]
    fn the_store_survives_being_saved() {
        let mut world = World::new();
        let ana = world.reachable("ana");
        world.rotation("primary", &[&ana]);
        let engage = json!({ "ContactId": ana, "Sender": "me", "Subject": "s", "Content": "c" });
        world.ok("StartEngagement", engage);
        let saved = serde_json::to_value(&world.state).unwrap();
        let loaded: State = serde_json::from_value(saved.clone()).unwrap();
        assert_eq!(serde_json::to_value(&loaded).unwrap(), saved);
    }
}
