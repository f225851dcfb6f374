//! People, turns, schedules and escalations against the simulated AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ssmincidents::types::RegionMapInputValue;
use serde_json::{Value, json};
use stationbill::aws::{Aws, Connector, connect};
use stationbill::kinds::{self, AnyKind, Live, Select};
use stationbill::model::stamp::Stamp;
use stationbill::model::{Address, Id, reference};
use stationbill::sandbox::{Enforce, Faults, Options, Sandbox};

struct World {
    sandbox: Arc<Sandbox>,
    aws: Aws,
    ids: BTreeMap<String, String>,
}

impl World {
    async fn new() -> Self {
        let options = Options {
            quotas: Enforce::Off,
            exchanges: Some(crate::support::exchanges()),
            ..Options::default()
        };
        let sandbox = Sandbox::open(options).unwrap();
        let connector = Connector {
            sandbox: Some(sandbox.clone()),
            ..Connector::default()
        };
        let aws = connect(&connector).await.unwrap().aws;
        let region = RegionMapInputValue::builder().build();
        let create = aws.incidents.create_replication_set();
        let set = create.regions("ap-northeast-1", region).send().await;
        let arn = set.unwrap().arn;
        for _ in 0..5 {
            let get = aws.incidents.get_replication_set().arn(&arn);
            get.send().await.unwrap();
        }
        let ids = BTreeMap::new();
        Self { sandbox, aws, ids }
    }

    /// Writes an object's spec the way a call gets it: canonical, references resolved.
    fn spec(&self, kind: &dyn AnyKind, spec: &Value) -> Value {
        let spec = kind.parse(spec).unwrap();
        kind.parse(&reference::resolve(spec, &self.ids)).unwrap()
    }

    fn stamp(kind: &str, spec: &Value) -> Stamp {
        let address = Address::new(kind, spec["name"].as_str().unwrap());
        Stamp::new("tests", &address, spec, None)
    }

    async fn create(&mut self, kind: &str, spec: Value) -> Id {
        let found = kinds::find(kind).unwrap();
        let ready = self.spec(found, &spec);
        let stamp = Self::stamp(kind, &ready);
        let id = found.create(&self.aws, &ready, &stamp).await.unwrap();
        let address = format!("{kind}/{}", spec["name"].as_str().unwrap());
        self.ids.insert(address, id.0.clone());
        self.holds(kind, &spec).await;
        id
    }

    async fn live(&self, kind: &str, name: &str) -> Live<Value> {
        let names = BTreeSet::from([name.to_owned()]);
        let mut found = self.list(kind, &Select::Named(names)).await;
        assert_eq!(found.len(), 1, "{kind}/{name}");
        found.remove(0)
    }

    async fn list(&self, kind: &str, select: &Select) -> Vec<Live<Value>> {
        let kind = kinds::find(kind).unwrap();
        kind.list(&self.aws, select).await.unwrap()
    }

    async fn update(&self, kind: &str, spec: &Value) {
        let live = self.live(kind, spec["name"].as_str().unwrap()).await;
        let found = kinds::find(kind).unwrap();
        let ready = self.spec(found, spec);
        let stamp = Self::stamp(kind, &ready);
        found
            .update(&self.aws, &ready, &live, &stamp)
            .await
            .unwrap();
        self.holds(kind, spec).await;
    }

    /// Asserts that AWS has what is declared, stamp included.
    async fn holds(&self, kind: &str, spec: &Value) {
        let live = self.live(kind, spec["name"].as_str().unwrap()).await;
        let found = kinds::find(kind).unwrap();
        let ready = self.spec(found, spec);
        let settled = found.settle(&ready, &live.spec).unwrap();
        assert_eq!(settled, found.parse(&live.spec).unwrap(), "{kind}");
        for (key, value) in Self::stamp(kind, &ready).tags {
            assert_eq!(live.tags.get(&key), Some(&value), "{kind}: {key}");
        }
        assert!(live.ready);
    }

    async fn channel_arns(&self, contact: &Id) -> BTreeMap<String, String> {
        let list = self.aws.contacts.list_contact_channels();
        let answer = list.contact_id(&contact.0).send().await.unwrap();
        let channels = answer.contact_channels.into_iter();
        channels.map(|c| (c.name, c.contact_channel_arn)).collect()
    }
}

fn kayoko(channels: Value, notify: &[&str]) -> Value {
    let notify: Vec<Value> = notify.iter().map(|c| json!({ "channel": c })).collect();
    let stages = json!([{ "durationMinutes": 5, "notify": notify }]);
    let mut spec = json!({ "name": "kayoko", "stages": stages });
    spec["channels"] = channels;
    spec
}

fn mail(address: &str) -> Value {
    json!({ "type": "EMAIL", "address": { "value": address } })
}

fn phone(kind: &str) -> Value {
    json!({ "type": kind, "address": { "value": "+12065550100" } })
}

#[tokio::test]
async fn the_examples_are_created_and_nothing_differs_then() {
    let mut world = World::new().await;
    for file in ["contact", "rotation", "on-call-schedule", "escalation-plan"] {
        let path = format!("{}/examples/kinds/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let mut spec = document["spec"].clone();
        spec["name"] = document["metadata"]["name"].clone();
        world.create(document["kind"].as_str().unwrap(), spec).await;
    }
    let kayoko = world.live("Contact", "kayoko").await;
    assert_eq!(kayoko.notes.len(), 1, "{:?}", kayoko.notes);
    assert!(kayoko.notes[0].starts_with("not activated: `"));
    let plan = world.live("EscalationPlan", "banana-checkout").await;
    let engage = &plan.spec["stages"][0]["engage"][0];
    assert!(engage["schedule"]["arn"].is_string(), "{engage}");
}

#[tokio::test]
async fn channels_are_changed_in_place_and_keep_what_they_can() {
    let mut world = World::new().await;
    let first = json!({ "mail": mail("a@example.com"), "phone": phone("SMS"), "old": mail("old@example.com") });
    let id = world
        .create("Contact", kayoko(first, &["mail", "phone", "old"]))
        .await;
    let before = world.channel_arns(&id).await;

    // A new name for an address, another type, one gone, one new.
    let second = json!({ "work": mail("a@example.com"), "phone": phone("VOICE"), "new": mail("new@example.com") });
    world
        .update("Contact", &kayoko(second, &["work", "phone", "new"]))
        .await;
    let after = world.channel_arns(&id).await;
    assert_eq!(before["mail"], after["work"]);
    assert_ne!(before["phone"], after["phone"]);
    assert_eq!(after.keys().collect::<Vec<_>>(), ["new", "phone", "work"]);

    let third = json!({ "work": mail("b@example.com") });
    world.update("Contact", &kayoko(third, &["work"])).await;
    assert_eq!(world.channel_arns(&id).await["work"], after["work"]);

    let mut nothing = json!({ "name": "kayoko" });
    world.update("Contact", &nothing).await;
    nothing["displayName"] = json!("Kayoko");
    nothing["tags"] = json!({ "team": "shop" });
    world.update("Contact", &nothing).await;
    nothing["displayName"] = json!("");
    nothing["tags"] = json!({ "squad": "shop" });
    world.update("Contact", &nothing).await;
    let live = world.live("Contact", "kayoko").await;
    assert_eq!(
        live.spec,
        json!({ "name": "kayoko", "tags": { "squad": "shop" } })
    );
}

#[tokio::test]
async fn a_channel_that_was_deleted_by_hand_is_made_anew() {
    let mut world = World::new().await;
    let spec = kayoko(
        json!({ "mail": mail("a@example.com"), "sms": phone("SMS") }),
        &["mail", "sms"],
    );
    let id = world.create("Contact", spec.clone()).await;
    for _ in 0..2 {
        let arn = world.channel_arns(&id).await["sms"].clone();
        let delete = world.aws.contacts.delete_contact_channel();
        delete.contact_channel_id(&arn).send().await.unwrap();
        let live = world.live("Contact", "kayoko").await;
        assert_eq!(live.spec["stages"][0]["notify"][0]["channel"], arn.as_str());
        world.update("Contact", &spec).await;
    }
}

#[tokio::test]
async fn a_channel_goes_from_the_plan_first_though_a_list_had_left_it_out() {
    let mut world = World::new().await;
    let two = json!({ "mail": mail("a@example.com"), "sms": phone("SMS") });
    let id = world.create("Contact", kayoko(two, &["mail", "sms"])).await;
    let arns = world.channel_arns(&id).await;
    let mut live = world.live("Contact", "kayoko").await;
    live.spec["channels"].as_object_mut().unwrap().remove("sms");
    live.spec["stages"][0]["notify"][1]["channel"] = json!(arns["sms"]);
    let voice = json!({ "mail": mail("a@example.com"), "sms": phone("VOICE") });
    let spec = kayoko(voice, &["mail", "sms"]);
    let contact = kinds::find("Contact").unwrap();
    let stamp = World::stamp("Contact", &spec);
    // The channel is deleted, and the next call is lost.
    let lose = json!([{ "match": { "operation": "CreateContactChannel" }, "then": "deny" }]);
    let faults = Faults::parse(&lose.to_string()).unwrap();
    world.sandbox.set_faults(faults);
    let ready = world.spec(contact, &spec);
    let outcome = contact.update(&world.aws, &ready, &live, &stamp).await;
    assert!(outcome.is_err());
    world.sandbox.set_faults(Faults::default());
    assert!(!world.channel_arns(&id).await.contains_key("sms"));
    let plan = world.live("Contact", "kayoko").await.spec["stages"].clone();
    assert_eq!(plan[0]["notify"], json!([{ "channel": "mail" }]));
}

#[tokio::test]
async fn channels_of_one_name_are_told_apart() {
    let mut world = World::new().await;
    let id = world
        .create(
            "Contact",
            kayoko(json!({ "mail": mail("a@example.com") }), &["mail"]),
        )
        .await;
    let again = world
        .aws
        .contacts
        .create_contact_channel()
        .contact_id(&id.0)
        .name("mail");
    let address = aws_sdk_ssmcontacts::types::ContactChannelAddress::builder();
    let again = again.delivery_address(address.simple_address("b@example.com").build());
    again
        .r#type("EMAIL".into())
        .defer_activation(true)
        .send()
        .await
        .unwrap();
    let live = world.live("Contact", "kayoko").await;
    let names: Vec<&String> = live.spec["channels"].as_object().unwrap().keys().collect();
    assert_eq!(names[0], "mail");
    assert_eq!(names[1].len(), "mail-01234567".len());
}

#[tokio::test]
async fn the_same_creation_twice_makes_one_object() {
    let mut world = World::new().await;
    let channels = json!({ "mail": mail("a@example.com"), "sms": phone("SMS") });
    let spec = kayoko(channels, &["mail"]);
    let id = world.create("Contact", spec.clone()).await;
    assert_eq!(world.create("Contact", spec).await, id);
    assert_eq!(world.channel_arns(&id).await.len(), 2);

    let id = world.create("Rotation", weeks()).await;
    assert_eq!(world.create("Rotation", weeks()).await, id);
}

fn weeks() -> Value {
    json!({
        "name": "weeks",
        "contacts": [{ "ref": "kayoko" }],
        "timeZoneId": "Asia/Tokyo",
        "recurrence": {
            "numberOfOnCalls": 1,
            "recurrenceMultiplier": 2,
            "weeklySettings": [{ "dayOfWeek": "FRI", "handOffTime": "15:57" }, { "dayOfWeek": "WED", "handOffTime": "04:25" }],
            "shiftCoverages": { "SUN": [{ "start": "09:00", "end": "00:00" }] },
        },
    })
}

#[tokio::test]
async fn a_recurrence_is_replaced_as_a_whole() {
    let mut world = World::new().await;
    world.create("Contact", kayoko(json!({}), &[])).await;
    let mut bruno = kayoko(json!({}), &[]);
    bruno["name"] = json!("bruno");
    world.create("Contact", bruno).await;
    world.create("Rotation", weeks()).await;
    let mut spec = weeks();
    spec["contacts"] = json!([{ "ref": "kayoko" }, { "ref": "bruno" }]);
    spec["startTime"] = json!("2027-01-04T09:00:00.5+09:00");
    spec["recurrence"] = json!({ "numberOfOnCalls": 1, "recurrenceMultiplier": 1, "dailySettings": ["21:00", "09:00"] });
    spec["tags"] = json!({ "team": "shop" });
    world.update("Rotation", &spec).await;
    let live = world.live("Rotation", "weeks").await;
    assert_eq!(live.spec["startTime"], "2027-01-04T00:00:00Z");
    spec["contacts"] = json!([{ "ref": "bruno" }, { "ref": "kayoko" }]);
    world.update("Rotation", &spec).await;
}

#[tokio::test]
async fn a_schedule_and_a_plan_can_be_emptied() {
    let mut world = World::new().await;
    world.create("Contact", kayoko(json!({}), &[])).await;
    world.create("Rotation", weeks()).await;
    let mut schedule = json!({ "name": "primary", "displayName": "First line", "rotations": [{ "ref": "weeks" }] });
    world.create("OnCallSchedule", schedule.clone()).await;
    let mut plan = json!({ "name": "checkout", "stages": [{ "durationMinutes": 0, "engage": [
        { "schedule": { "ref": "primary" } }, { "contact": { "ref": "kayoko" }, "essential": false },
    ] }] });
    world.create("EscalationPlan", plan.clone()).await;
    schedule["rotations"] = json!([]);
    schedule["displayName"] = json!("");
    world.update("OnCallSchedule", &schedule).await;
    plan["stages"] = json!([{ "durationMinutes": 3 }]);
    world.update("EscalationPlan", &plan).await;
    plan["stages"] = json!([]);
    world.update("EscalationPlan", &plan).await;

    for (kind, name) in [
        ("EscalationPlan", "checkout"),
        ("OnCallSchedule", "primary"),
        ("Rotation", "weeks"),
        ("Contact", "kayoko"),
    ] {
        let live = world.live(kind, name).await;
        let found = kinds::find(kind).unwrap();
        found.delete(&world.aws, &live).await.unwrap();
        // One that is gone already is a success.
        found.delete(&world.aws, &live).await.unwrap();
        assert!(world.list(kind, &Select::Everything).await.is_empty());
    }
}

#[tokio::test]
async fn only_what_is_wanted_is_returned() {
    let mut world = World::new().await;
    for name in ["kayoko", "kayoko-2"] {
        world.create("Contact", json!({ "name": name })).await;
    }
    world.live("Contact", "kayoko").await;
    let wanted = |stack: &str| Select::of(stack, BTreeSet::from(["kayoko-2".to_owned()]));
    assert_eq!(world.list("Contact", &wanted("tests")).await.len(), 2);
    assert_eq!(world.list("Contact", &wanted("others")).await.len(), 1);
    assert!(
        world
            .list("OnCallSchedule", &Select::Everything)
            .await
            .is_empty()
    );
    assert!(
        world
            .list("EscalationPlan", &Select::Everything)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn an_account_without_incident_manager_is_not_available() {
    let connector = Connector {
        sandbox: Some(Sandbox::open(Options::default()).unwrap()),
        ..Connector::default()
    };
    let aws = connect(&connector).await.unwrap().aws;
    for kind in ["Contact", "Rotation", "OnCallSchedule", "EscalationPlan"] {
        let found = kinds::find(kind).unwrap();
        let error = found.list(&aws, &Select::Everything).await.unwrap_err();
        assert_eq!(
            error.class,
            stationbill::aws::Class::NotAvailable,
            "{kind}: {error}"
        );
    }
}
