//! A caller of the operations of this service, for their tests.

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::Value;

use super::OPERATIONS;
use crate::sandbox::{Call, Fault, State};

/// A simulated AWS, and somebody in it who calls once a second.
pub(super) struct World {
    pub(super) state: State,
    pub(super) now: Timestamp,
    pub(super) account: &'static str,
    pub(super) region: &'static str,
    rng: SmallRng,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            state: State::default(),
            now: Timestamp::from_second(1_767_225_600).unwrap(),
            account: "111122223333",
            region: "eu-west-1",
            rng: SmallRng::seed_from_u64(7),
        }
    }

    pub(super) fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Fault> {
        let mut operations = OPERATIONS.iter().flat_map(|group| group.iter());
        let operation = operations.find(|o| o.name == operation);
        self.now += SignedDuration::from_secs(1);
        let mut call = Call {
            account: self.account,
            region: self.region,
            caller: &format!("arn:aws:iam::{}:user/tester", self.account),
            input: input.as_object().unwrap(),
            now: self.now,
            rng: &mut self.rng,
        };
        (operation.unwrap().run)(&mut self.state, &mut call).map(Value::from)
    }

    pub(super) fn ok(&mut self, operation: &str, input: &Value) -> Value {
        let answer = self.call(operation, input);
        answer.unwrap_or_else(|fault| panic!("{operation}: {}", fault.message))
    }

    pub(super) fn refused(&mut self, operation: &str, input: &Value) -> (String, String) {
        let fault = self.call(operation, input).unwrap_err();
        (fault.code, fault.message)
    }
}
