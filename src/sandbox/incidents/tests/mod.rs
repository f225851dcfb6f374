//! An account to call operations in, without a wire.

mod incident;
mod replication_set;
mod response_plan;
mod runbook;
mod sharing;
mod tags;
mod timeline;

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::OPERATIONS;
use crate::sandbox::{Call, Fault, Map, Operation, State};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";
const CALLER: &str = "arn:aws:iam::111122223333:user/tester";

/// A state, a clock, and somebody who calls.
struct World {
    state: State,
    region: &'static str,
    account: &'static str,
    now: Timestamp,
    rng: SmallRng,
}

impl World {
    /// An account that never used Incident Manager.
    fn fresh() -> Self {
        Self {
            state: State::default(),
            region: REGION,
            account: ACCOUNT,
            now: Timestamp::from_second(1_767_225_600).unwrap(),
            rng: SmallRng::seed_from_u64(7),
        }
    }

    /// An account whose replication set is ACTIVE.
    fn active() -> Self {
        let mut world = Self::fresh();
        world.ok(
            "CreateReplicationSet",
            &json!({ "regions": { REGION: {}, "us-east-1": {} } }),
        );
        world.wait(300);
        world
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Fault> {
        self.call_of(OPERATIONS, operation, input)
    }

    /// Calls an operation of a service that works together with this one.
    fn call_of(
        &mut self,
        operations: &[&[Operation]],
        operation: &str,
        input: &Value,
    ) -> Result<Value, Fault> {
        let operation = operations
            .iter()
            .flat_map(|group| group.iter())
            .find(|known| known.name == operation)
            .unwrap();
        let input = input.as_object().cloned().unwrap_or_else(Map::new);
        let caller = CALLER.replace(ACCOUNT, self.account);
        let mut call = Call {
            account: self.account,
            region: self.region,
            caller: &caller,
            input: &input,
            now: self.now,
            rng: &mut self.rng,
        };
        (operation.run)(&mut self.state, &mut call).map(Value::from)
    }

    fn ok(&mut self, operation: &str, input: &Value) -> Value {
        match self.call(operation, input) {
            Ok(answer) => answer,
            Err(fault) => panic!("{operation}: {fault:?}"),
        }
    }

    fn fails(&mut self, operation: &str, input: &Value) -> Fault {
        match self.call(operation, input) {
            Ok(answer) => panic!("{operation} answered {answer}"),
            Err(fault) => fault,
        }
    }

    /// The ARN of the replication set.
    fn set(&mut self) -> String {
        let list = self.ok("ListReplicationSets", &json!({}));
        list["replicationSetArns"][0].as_str().unwrap().to_owned()
    }

    /// Makes a plan with only what is required and returns its ARN.
    fn plan(&mut self, name: &str) -> String {
        let template = json!({ "title": "down", "impact": 2 });
        let input = json!({ "name": name, "incidentTemplate": template });
        let answer = self.ok("CreateResponsePlan", &input);
        answer["arn"].as_str().unwrap().to_owned()
    }

    /// Starts an incident from the plan and returns its ARN.
    fn incident(&mut self, plan: &str) -> String {
        let answer = self.ok("StartIncident", &json!({ "responsePlanArn": plan }));
        answer["incidentRecordArn"].as_str().unwrap().to_owned()
    }
}
