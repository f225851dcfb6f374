//! What the tests of this service share: one account, a clock, and a call by the operation's name.

use jiff::{Timestamp, ToSpan};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use crate::sandbox::{Call, Fault, Map, State, operations};

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const HOME: &str = "eu-west-1";

/// A simulated AWS with one account, called through its operations.
pub(super) struct World {
    pub(super) state: State,
    pub(super) now: Timestamp,
    pub(super) region: &'static str,
    account: &'static str,
    rng: SmallRng,
}

impl World {
    /// An account without a replication set.
    pub(super) fn fresh() -> Self {
        let mut state = State::default();
        state.settings.async_reads = 0;
        Self {
            state,
            now: "2026-01-05T09:00:00Z".parse().unwrap(),
            region: HOME,
            account: ACCOUNT,
            rng: SmallRng::seed_from_u64(7),
        }
    }

    /// An account with an active replication set in two regions.
    pub(super) fn new() -> Self {
        let mut world = Self::fresh();
        world.onboard();
        world
    }

    fn onboard(&mut self) {
        if operations().any(|op| op.name == "CreateReplicationSet") {
            let regions = json!({ "regions": { HOME: {}, "us-east-1": {} }, "clientToken": "set" });
            let made = self
                .on("ssm-incidents", "CreateReplicationSet", regions)
                .unwrap();
            for _ in 0..5 {
                let set = json!({ "arn": made["arn"] });
                self.on("ssm-incidents", "GetReplicationSet", set).unwrap();
            }
        } else {
            let set = json!({ "active_regions": [HOME, "us-east-1"] });
            self.state.account(self.account).incidents = serde_json::from_value(set).unwrap();
        }
        assert!(self.state.account(self.account).incidents.active_in(HOME));
    }

    /// Goes on as another account, with a replication set of its own.
    pub(super) fn enter_account(&mut self, account: &'static str) {
        self.account = account;
        self.onboard();
    }

    pub(super) fn on(&mut self, service: &str, name: &str, input: Value) -> Result<Value, Fault> {
        let operation = operations()
            .find(|op| op.service == service && op.name == name)
            .unwrap_or_else(|| panic!("no operation {name}"));
        let Value::Object(input) = input else {
            panic!("an input is an object");
        };
        let mut call = Call {
            account: self.account,
            region: self.region,
            caller: "arn:aws:iam::111122223333:user/kayoko",
            input: &input,
            now: self.now,
            rng: &mut self.rng,
        };
        (operation.run)(&mut self.state, &mut call).map(Value::Object)
    }

    /// Calls an operation of this service.
    pub(super) fn call(&mut self, name: &str, input: Value) -> Result<Value, Fault> {
        self.on("ssm-contacts", name, input)
    }

    /// Calls an operation that must succeed.
    pub(super) fn ok(&mut self, name: &str, input: Value) -> Value {
        self.call(name, input)
            .unwrap_or_else(|fault| panic!("{name}: {fault:?}"))
    }

    /// Calls an operation that must fail, and returns the code and the members of the fault.
    pub(super) fn fault(&mut self, name: &str, input: Value) -> (String, Map) {
        let fault = self.call(name, input).expect_err(name);
        (fault.code, fault.members)
    }

    /// Calls an operation that must fail, and returns the fault's code.
    pub(super) fn code(&mut self, name: &str, input: Value) -> String {
        self.fault(name, input).0
    }

    pub(super) fn pass(&mut self, minutes: i64) {
        self.now = self.now.checked_add(minutes.minutes()).unwrap();
    }

    pub(super) fn contact(&mut self, alias: &str, kind: &str, plan: Value) -> String {
        let mut input = json!({ "Alias": alias, "Type": kind });
        input["Plan"] = plan;
        text(&self.ok("CreateContact", input)["ContactArn"])
    }

    pub(super) fn person(&mut self, alias: &str) -> String {
        self.contact(alias, "PERSONAL", json!({ "Stages": [] }))
    }

    /// Makes a channel that is not activated.
    pub(super) fn channel(&mut self, contact: &str, name: &str, address: &str) -> String {
        let kind = if address.starts_with('+') {
            "SMS"
        } else {
            "EMAIL"
        };
        let input = json!({
            "ContactId": contact, "Name": name, "Type": kind,
            "DeliveryAddress": { "SimpleAddress": address },
        });
        text(&self.ok("CreateContactChannel", input)["ContactChannelArn"])
    }

    pub(super) fn activate(&mut self, channel: &str) {
        let contacts = &self.state.account(ACCOUNT).contacts;
        let code = contacts.activation_code(channel).unwrap().to_owned();
        let input = json!({ "ContactChannelId": channel, "ActivationCode": code });
        self.ok("ActivateContactChannel", input);
    }

    /// Makes a person with one activated channel, which the plan pages at once and again after 5 minutes.
    pub(super) fn reachable(&mut self, alias: &str) -> String {
        let person = self.person(alias);
        let channel = self.channel(&person, "mail", &format!("{alias}@example.com"));
        self.activate(&channel);
        let target = json!({ "ChannelTargetInfo": { "ContactChannelId": channel } });
        let plan = json!({ "Stages": [
            { "DurationInMinutes": 5, "Targets": [target] },
            { "DurationInMinutes": 0, "Targets": [target] },
        ] });
        self.ok(
            "UpdateContact",
            json!({ "ContactId": person, "Plan": plan }),
        );
        person
    }

    /// Makes a rotation that hands off at 09:00 UTC every day.
    pub(super) fn rotation(&mut self, name: &str, contacts: &[&str]) -> String {
        let input = json!({
            "Name": name, "ContactIds": contacts, "TimeZoneId": "UTC", "Recurrence": daily(),
            "StartTime": 1_767_603_600, // 2026-01-05T09:00:00Z
        });
        text(&self.ok("CreateRotation", input)["RotationArn"])
    }

    /// Calls a list operation until its last page, and returns everything it listed.
    pub(super) fn all(&mut self, name: &str, member: &str, mut input: Value) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let mut answer = self.ok(name, input.clone());
            if let Some(Value::Array(items)) = answer.get_mut(member) {
                found.append(items);
            }
            match answer.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return found,
            }
        }
    }
}

pub(super) fn daily() -> Value {
    json!({
        "NumberOfOnCalls": 1, "RecurrenceMultiplier": 1,
        "DailySettings": [{ "HourOfDay": 9, "MinuteOfHour": 0 }],
    })
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
