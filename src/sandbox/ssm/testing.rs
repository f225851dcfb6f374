//! What the unit tests of this service share.

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use crate::sandbox::models::{Kind, Service, Shape, services};
use crate::sandbox::wire::{self, Protocol};
use crate::sandbox::{Answer, Call, State};

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const OTHER: &str = "444455556666";
pub(super) const REGION: &str = "eu-west-1";

/// A simulated AWS with one caller and a clock that stands still until it is moved.
pub(super) struct Aws {
    pub(super) state: State,
    pub(super) now: Timestamp,
    rng: SmallRng,
}

impl Aws {
    pub(super) fn new() -> Self {
        Self {
            state: State::default(),
            now: "2026-05-04T10:00:00Z".parse().unwrap(),
            rng: SmallRng::seed_from_u64(7),
        }
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Calls an operation as the usual account.
    pub(super) fn call(&mut self, operation: &str, input: Value) -> Answer {
        self.call_as(ACCOUNT, operation, input)
    }

    pub(super) fn call_as(&mut self, account: &str, operation: &str, input: Value) -> Answer {
        let run = super::OPERATIONS
            .iter()
            .copied()
            .flatten()
            .find(|o| o.name == operation)
            .unwrap_or_else(|| panic!("no operation {operation}"))
            .run;
        let input = super::members(input);
        let service = services().find(|s| s.name == "ssm").unwrap();
        let model = &service.operations[operation];
        wire::validate(service, Protocol::Json("1.1"), model, &input)?;
        let mut call = Call {
            account,
            region: REGION,
            caller: &format!("arn:aws:iam::{account}:user/kayoko"),
            input: &input,
            now: self.now,
            rng: &mut self.rng,
        };
        let answer = run(&mut self.state, &mut call);
        if let (Ok(output), Some(shape)) = (&answer, &model.output) {
            fits(
                service,
                service.shape(shape),
                &Value::Object(output.clone()),
                operation,
            );
        }
        answer
    }

    /// Calls an operation that must succeed, and returns its output as one value.
    pub(super) fn ok(&mut self, operation: &str, input: Value) -> Value {
        match self.call(operation, input) {
            Ok(output) => Value::Object(output),
            Err(fault) => panic!("{operation}: {}: {}", fault.code, fault.message),
        }
    }

    /// Calls an operation that must fail, and returns the error's code.
    pub(super) fn err(&mut self, operation: &str, input: Value) -> String {
        match self.call(operation, input) {
            Ok(output) => panic!("{operation} succeeded: {}", Value::Object(output)),
            Err(fault) => fault.code,
        }
    }
}

/// Checks that an answer has only members that the model knows, and in their types.
fn fits(service: &Service, shape: &Shape, value: &Value, path: &str) {
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            for (name, value) in members {
                let path = format!("{path}.{name}");
                let member = shape.members.get(name);
                let member = member.unwrap_or_else(|| panic!("{path} is not in the model"));
                fits(service, service.of(member), value, &path);
            }
        }
        (Kind::List, Value::Array(items)) => {
            let member = service.of(shape.member.as_ref().unwrap());
            for item in items {
                fits(service, member, item, path);
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            let member = service.of(shape.value.as_ref().unwrap());
            for value in entries.values() {
                fits(service, member, value, path);
            }
        }
        (Kind::String, Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Timestamp | Kind::Integer | Kind::Long, Value::Number(_)) => {}
        (kind, value) => panic!("{path}: {value} is no {kind:?}"),
    }
}

#[test]
fn what_is_remembered_can_be_saved() {
    let mut aws = Aws::new();
    let book =
        r#"{"schemaVersion":"0.3","mainSteps":[{"name":"wait","action":"aws:sleep","inputs":{}}]}"#;
    let tags = json!([{ "Key": "team", "Value": "a" }]);
    for (operation, input) in [
        (
            "CreateDocument",
            json!({ "Name": "book", "Content": book, "DocumentType": "Automation", "Tags": tags }),
        ),
        (
            "ModifyDocumentPermission",
            json!({ "Name": "book", "PermissionType": "Share", "AccountIdsToAdd": [OTHER] }),
        ),
        (
            "PutParameter",
            json!({ "Name": "/a/b", "Value": "1", "Type": "String", "Tags": tags }),
        ),
        ("DeleteParameter", json!({ "Name": "/a/b" })),
        (
            "PutParameter",
            json!({ "Name": "/a/c", "Value": "1", "Type": "SecureString" }),
        ),
        (
            "CreatePatchBaseline",
            json!({ "Name": "mine", "ClientToken": "token" }),
        ),
        (
            "UpdateServiceSetting",
            json!({ "SettingId": "/ssm/managed-instance/activation-tier", "SettingValue": "advanced" }),
        ),
        (
            "StartAutomationExecution",
            json!({ "DocumentName": "book" }),
        ),
    ] {
        aws.ok(operation, input);
    }
    let saved = serde_json::to_string(&aws.state).unwrap();
    let read: State = serde_json::from_str(&saved).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), saved);
}
