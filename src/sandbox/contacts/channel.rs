//! Contact channels: the ways to reach a person, and the codes that prove they work.

use std::sync::LazyLock;

use fancy_regex::Regex;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind};
use super::contact::{self, Type};
use super::{Store, enter, fault, once, paging, read, write};
use crate::sandbox::{Answer, Call, Fault, Map, Operation, State};

/// A contact channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Channel {
    /// The ARN of the person it belongs to.
    pub(crate) contact: String,
    /// A label; nothing is looked up by it.
    pub(crate) name: String,
    /// `SMS`, `VOICE` or `EMAIL`; never changes.
    pub(crate) kind: String,
    /// A phone number or a mail address.
    pub(crate) address: String,
    /// Whether it may be paged.
    pub(crate) activated: bool,
    /// The activation code that was last sent to it.
    pub(crate) code: Option<String>,
    /// How many activation codes were sent to it.
    pub(crate) codes_sent: u32,
}

impl Channel {
    /// Sends a new activation code to the device, which makes an older one useless.
    fn send_code(&mut self, call: &mut Call<'_>) {
        self.code = Some(format!("{:06}", call.rng.random_range(0..1_000_000)));
        self.codes_sent += 1;
    }

    fn status(&self) -> &'static str {
        if self.activated {
            "ACTIVATED"
        } else {
            "NOT_ACTIVATED"
        }
    }

    fn show(&self, id: &str) -> Map {
        let shown = json!({
            "ContactChannelArn": id,
            "ContactArn": self.contact,
            "Name": self.name,
            "Type": self.kind,
            "DeliveryAddress": { "SimpleAddress": self.address },
            "ActivationStatus": self.status(),
        });
        match shown {
            Value::Object(shown) => shown,
            _ => Map::new(),
        }
    }
}

/// The channel operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateContactChannel", create),
    read("GetContactChannel", get),
    read("ListContactChannels", list),
    write("UpdateContactChannel", update),
    write("DeleteContactChannel", delete),
    write("SendActivationCode", send_activation_code),
    write("ActivateContactChannel", activate),
    write("DeactivateContactChannel", deactivate),
];

/// E.164: a plus, a country code that does not begin with 0, at most 15 digits.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\+[1-9][0-9]{1,14}$").ok());
static MAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$").ok());

/// Reads the address out of `DeliveryAddress`, and checks it against the channel's type.
fn address(call: &Call<'_>, kind: &str) -> Result<Option<String>, Fault> {
    let Some(delivery) = call.map("DeliveryAddress") else {
        return Ok(None);
    };
    // The model does not require the one member that the structure has.
    let Some(address) = delivery.get("SimpleAddress").and_then(Value::as_str) else {
        return Err(fault::field("SimpleAddress", "is required"));
    };
    let (pattern, form) = match kind {
        "EMAIL" => (&MAIL, "a mail address"),
        _ => (&PHONE, "'+' followed by the country code and phone number"),
    };
    let sound = pattern
        .as_ref()
        .is_some_and(|p| p.is_match(address).unwrap_or(false));
    if sound {
        Ok(Some(address.to_owned()))
    } else {
        Err(fault::field(
            "SimpleAddress",
            format_args!("the address of a channel of type {kind} must be {form}"),
        ))
    }
}

fn find<'s>(store: &'s mut Store, id: &str) -> Result<&'s mut Channel, Fault> {
    store
        .channels
        .get_mut(id)
        .ok_or_else(|| fault::missing(Kind::Channel, id))
}

/// Refuses a second channel that could not be told from the first one.
fn check_unique(store: &Store, id: Option<&str>, new: &Channel) -> Result<(), Fault> {
    for other in contact::channels_of(store, &new.contact) {
        let same = store.channels.get(&other).is_some_and(|c| {
            (&c.kind, &c.name, &c.address) == (&new.kind, &new.name, &new.address)
        });
        if same && id != Some(other.as_str()) {
            return Err(fault::conflict(
                Kind::Channel,
                &other,
                "The contact already has a channel with this type, name and address",
            ));
        }
    }
    Ok(())
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    if let Some(answer) = once::earlier(store, call, "CreateContactChannel")? {
        return Ok(answer);
    }
    let owner = arn::member(call, "ContactId", Kind::Contact)?;
    // The operation's model has no ResourceNotFoundException, so a missing contact is an invalid value.
    let alias = match store.contacts.get(&owner) {
        Some(contact) if contact.kind == Type::Personal => contact.alias.clone(),
        Some(contact) => {
            return Err(fault::invalid(format_args!(
                "{} contact cannot have contact channels",
                contact.kind.name()
            )));
        }
        None => {
            return Err(fault::invalid(format_args!("Contact not found: {owner}")));
        }
    };
    let kind = call.required("Type").to_owned();
    let Some(address) = address(call, &kind)? else {
        return Err(fault::field("DeliveryAddress", "is required"));
    };
    let mut channel = Channel {
        contact: owner.clone(),
        name: call.required("Name").to_owned(),
        kind,
        address,
        activated: false,
        code: None,
        codes_sent: 0,
    };
    check_unique(store, None, &channel)?;
    if call.bool("DeferActivation") != Some(true) {
        channel.send_code(call);
    }
    let id = arn::beside(&owner, Kind::Channel, &format!("{alias}/{}", call.uuid()));
    store.channels.insert(id.clone(), channel);
    let answer = Map::from_iter([("ContactChannelArn".to_owned(), Value::from(id.clone()))]);
    once::remember(store, call, "CreateContactChannel", &id, &answer);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactChannelId", Kind::Channel)?;
    Ok(find(store, &id)?.show(&id))
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let owner = arn::member(call, "ContactId", Kind::Contact)?;
    contact::find(store, &owner)?;
    let channels = contact::channels_of(store, &owner)
        .into_iter()
        .filter_map(|id| {
            let shown = store.channels.get(&id)?.show(&id);
            Some((id, Value::Object(shown)))
        });
    paging::page(call, "ListContactChannels", "ContactChannels", channels)
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactChannelId", Kind::Channel)?;
    let mut channel = find(store, &id)?.clone();
    if let Some(name) = call.str("Name") {
        name.clone_into(&mut channel.name);
    }
    if let Some(address) = address(call, &channel.kind)?
        && address != channel.address
    {
        // Nobody has proved that they read what is sent to the new address.
        channel.address = address;
        channel.activated = false;
        channel.code = None;
    }
    check_unique(store, Some(&id), &channel)?;
    store.channels.insert(id, channel);
    Ok(Map::new())
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactChannelId", Kind::Channel)?;
    find(store, &id)?;
    // The contact's plan keeps the ARN; the stage is skipped when it runs.
    store.channels.remove(&id);
    once::forget(store, &id);
    Ok(Map::new())
}

fn send_activation_code(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactChannelId", Kind::Channel)?;
    find(store, &id)?.send_code(call);
    Ok(Map::new())
}

fn activate(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactChannelId", Kind::Channel)?;
    let channel = find(store, &id)?;
    if channel.code.as_deref() != call.str("ActivationCode") {
        return Err(fault::invalid("Invalid activation code"));
    }
    // The code stays good: a deactivated channel can be activated again at any time, says the CLI reference.
    channel.activated = true;
    Ok(Map::new())
}

fn deactivate(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactChannelId", Kind::Channel)?;
    find(store, &id)?.activated = false;
    Ok(Map::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{ACCOUNT, World};

    #[test]
    fn what_was_created_is_what_is_read() {
        let mut world = World::new();
        let ana = world.person("ana");
        let id = world.channel(&ana, "mobile", "+15005550199");
        assert!(id.starts_with("arn:aws:ssm-contacts:eu-west-1:111122223333:contact-channel/ana/"));
        let shown = json!({
            "ContactChannelArn": id, "ContactArn": ana, "Name": "mobile", "Type": "SMS",
            "DeliveryAddress": { "SimpleAddress": "+15005550199" }, "ActivationStatus": "NOT_ACTIVATED",
        });
        assert_eq!(
            world.ok("GetContactChannel", json!({ "ContactChannelId": id })),
            shown
        );
        world.person("ana2");
        let listed = world.ok("ListContactChannels", json!({ "ContactId": ana }));
        assert_eq!(listed, json!({ "ContactChannels": [shown] }));
    }

    #[test]
    fn an_address_has_the_form_that_its_type_asks_for() {
        let mut world = World::new();
        let ana = world.person("ana");
        for (kind, address, good) in [
            ("SMS", "+15005550199", true),
            ("VOICE", "+818012345678", true),
            ("SMS", "15005550199", false),
            ("SMS", "+05005550199", false),
            ("VOICE", "+1 500 555", false),
            ("VOICE", "+1234567890123456", false),
            ("SMS", "ana@example.com", false),
            ("EMAIL", "ana.d+x@mail.example.com", true),
            ("EMAIL", "ana@example", false),
            ("EMAIL", "ana example.com", false),
            ("EMAIL", "a@b@example.com", false),
            ("EMAIL", "+15005550199", false),
        ] {
            let input = json!({
                "ContactId": ana, "Name": "n", "Type": kind, "DeliveryAddress": { "SimpleAddress": address },
            });
            let answer = world.call("CreateContactChannel", input);
            assert_eq!(answer.is_ok(), good, "{kind} {address}");
        }
        let input = json!({ "ContactId": ana, "Name": "n", "Type": "SMS", "DeliveryAddress": {} });
        assert_eq!(
            world.code("CreateContactChannel", input),
            "ValidationException"
        );
    }

    #[test]
    fn only_a_person_that_exists_has_channels() {
        let mut world = World::new();
        let plan = world.contact("esc", "ESCALATION", json!({}));
        let missing = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody";
        for owner in [plan.as_str(), missing] {
            let input = json!({
                "ContactId": owner, "Name": "n", "Type": "EMAIL",
                "DeliveryAddress": { "SimpleAddress": "a@example.com" },
            });
            assert_eq!(
                world.code("CreateContactChannel", input),
                "ValidationException"
            );
        }
        let list = json!({ "ContactId": missing });
        assert_eq!(
            world.code("ListContactChannels", list),
            "ResourceNotFoundException"
        );
    }

    #[test]
    fn the_code_that_was_sent_activates() {
        let mut world = World::new();
        let ana = world.person("ana");
        let input = json!({
            "ContactId": ana, "Name": "mail", "Type": "EMAIL", "DeferActivation": true,
            "DeliveryAddress": { "SimpleAddress": "a@example.com" },
        });
        let id = world.ok("CreateContactChannel", input)["ContactChannelArn"].clone();
        let channel = json!({ "ContactChannelId": id });
        let code = |world: &mut World| {
            let contacts = &world.state.account(ACCOUNT).contacts;
            contacts
                .activation_code(id.as_str().unwrap())
                .map(str::to_owned)
        };
        let status = |world: &mut World| {
            world.ok("GetContactChannel", channel.clone())["ActivationStatus"].clone()
        };
        let enter = |code: &str| json!({ "ContactChannelId": id, "ActivationCode": code });
        // Deferred: no code, so none is right.
        assert_eq!(code(&mut world), None);
        assert_eq!(
            world.code("ActivateContactChannel", enter("123456")),
            "ValidationException"
        );
        world.ok("SendActivationCode", channel.clone());
        let sent = code(&mut world).unwrap();
        assert_eq!(sent.len(), 6);
        let wrong = if sent == "000000" { "000001" } else { "000000" };
        assert_eq!(
            world.code("ActivateContactChannel", enter(wrong)),
            "ValidationException"
        );
        assert_eq!(status(&mut world), "NOT_ACTIVATED");
        world.ok("ActivateContactChannel", enter(&sent));
        assert_eq!(status(&mut world), "ACTIVATED");
        world.ok("DeactivateContactChannel", channel.clone());
        assert_eq!(status(&mut world), "NOT_ACTIVATED");
        world.ok("ActivateContactChannel", enter(&sent));
        assert_eq!(status(&mut world), "ACTIVATED");
    }

    #[test]
    fn a_code_is_sent_on_creation_unless_deferred() {
        let mut world = World::new();
        let ana = world.person("ana");
        let id = world.channel(&ana, "mail", "ana@example.com");
        let store = &world.state.account(ACCOUNT).contacts;
        assert_eq!(store.channels[&id].codes_sent, 1);
    }

    #[test]
    fn a_new_address_must_be_activated_again_and_a_new_name_need_not() {
        let mut world = World::new();
        let ana = world.person("ana");
        let id = world.channel(&ana, "mail", "ana@example.com");
        world.activate(&id);
        let read = json!({ "ContactChannelId": id });
        world.ok(
            "UpdateContactChannel",
            json!({ "ContactChannelId": id, "Name": "work mail" }),
        );
        let same = json!({ "ContactChannelId": id, "DeliveryAddress": { "SimpleAddress": "ana@example.com" } });
        world.ok("UpdateContactChannel", same);
        let shown = world.ok("GetContactChannel", read.clone());
        assert_eq!(
            (&shown["Name"], &shown["ActivationStatus"]),
            (&json!("work mail"), &json!("ACTIVATED"))
        );
        let other = json!({ "ContactChannelId": id, "DeliveryAddress": { "SimpleAddress": "ana@example.org" } });
        world.ok("UpdateContactChannel", other);
        let shown = world.ok("GetContactChannel", read);
        assert_eq!(shown["ActivationStatus"], "NOT_ACTIVATED");
        assert_eq!(shown["DeliveryAddress"]["SimpleAddress"], "ana@example.org");
        let phone = json!({ "ContactChannelId": id, "DeliveryAddress": { "SimpleAddress": "+15005550199" } });
        assert_eq!(
            world.code("UpdateContactChannel", phone),
            "ValidationException"
        );
    }

    #[test]
    fn names_may_repeat_but_not_the_whole_channel() {
        let mut world = World::new();
        let ana = world.person("ana");
        let first = world.channel(&ana, "mail", "ana@example.com");
        let second = world.channel(&ana, "mail", "ana@example.org");
        let twin = json!({
            "ContactId": ana, "Name": "mail", "Type": "EMAIL",
            "DeliveryAddress": { "SimpleAddress": "ana@example.com" },
        });
        let (code, members) = world.fault("CreateContactChannel", twin);
        assert_eq!(code, "ConflictException");
        assert_eq!(members["ResourceId"], first);
        assert_eq!(members["ResourceType"], "CONTACT_CHANNEL");
        let twin = json!({ "ContactChannelId": second, "DeliveryAddress": { "SimpleAddress": "ana@example.com" } });
        assert_eq!(
            world.code("UpdateContactChannel", twin),
            "ConflictException"
        );
    }

    #[test]
    fn a_deleted_channel_stays_in_the_plan() {
        let mut world = World::new();
        let ana = world.reachable("ana");
        let plan = world.ok("GetContact", json!({ "ContactId": ana }))["Plan"].clone();
        let id = plan["Stages"][0]["Targets"][0]["ChannelTargetInfo"]["ContactChannelId"].clone();
        world.ok("DeleteContactChannel", json!({ "ContactChannelId": id }));
        let again = json!({ "ContactChannelId": id });
        assert_eq!(
            world.code("DeleteContactChannel", again),
            "ResourceNotFoundException"
        );
        assert_eq!(
            world.ok("GetContact", json!({ "ContactId": ana }))["Plan"],
            plan
        );
    }

    #[test]
    fn a_token_makes_a_channel_once() {
        let mut world = World::new();
        let ana = world.person("ana");
        let input = json!({
            "ContactId": ana, "Name": "mail", "Type": "EMAIL", "IdempotencyToken": "t",
            "DeliveryAddress": { "SimpleAddress": "ana@example.com" },
        });
        let first = world.ok("CreateContactChannel", input.clone());
        assert_eq!(world.ok("CreateContactChannel", input), first);
        assert_eq!(
            world
                .all(
                    "ListContactChannels",
                    "ContactChannels",
                    json!({ "ContactId": ana })
                )
                .len(),
            1
        );
    }
}
