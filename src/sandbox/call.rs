//! What an operation of the simulated AWS is given, and what it may answer.

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::Value;

use super::State;

/// Members of an input or output by their names in the service model.
pub type Map = serde_json::Map<String, Value>;

/// What an operation answers: the output's members, or the fault the client sees.
pub type Answer = Result<Map, Fault>;

/// Whether an operation only looks or may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Leaves everything as it was.
    Read,
    /// May change what later calls see.
    Write,
}

/// One operation: its service (botocore's folder name, e.g. `ssm-contacts`), its name, and what it does.
#[derive(Debug)]
pub struct Operation {
    /// The service as botocore names it: `ssm`, `ssm-contacts`, `ssm-incidents`, `cloudwatch`, `securityhub`, `sts`.
    pub service: &'static str,
    /// The operation's name in the service model, for instance `CreateContact`.
    pub name: &'static str,
    /// Whether it may change state.
    pub access: Access,
    /// The behaviour, on an input that the model's constraints have already passed.
    pub run: fn(&mut State, &mut Call<'_>) -> Answer,
}

/// One call, already validated against the service model (required members, lengths, ranges, patterns, enums).
///
/// Members have the model's names; timestamps are JSON numbers of epoch seconds, blobs are base64 strings.
#[derive(Debug)]
pub struct Call<'a> {
    /// The account the credentials belong to: twelve digits.
    pub account: &'a str,
    /// The region of the signature's scope.
    pub region: &'a str,
    /// The caller's ARN.
    pub caller: &'a str,
    /// The validated input.
    pub input: &'a Map,
    /// The moment of the call, on the simulator's clock.
    pub now: Timestamp,
    /// The seeded source of generated ids.
    pub rng: &'a mut SmallRng,
}

impl Call<'_> {
    /// Returns a string member, if it was sent.
    pub fn str(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// Returns a string member that the model requires; empty when the model did not require it after all.
    pub fn required(&self, member: &str) -> &str {
        self.str(member).unwrap_or_default()
    }

    /// Returns an integer member, if it was sent.
    pub fn int(&self, member: &str) -> Option<i64> {
        self.input.get(member).and_then(Value::as_i64)
    }

    /// Returns a boolean member, if it was sent.
    pub fn bool(&self, member: &str) -> Option<bool> {
        self.input.get(member).and_then(Value::as_bool)
    }

    /// Returns a list member, if it was sent.
    pub fn list(&self, member: &str) -> Option<&Vec<Value>> {
        self.input.get(member).and_then(Value::as_array)
    }

    /// Returns a map or structure member, if it was sent.
    pub fn map(&self, member: &str) -> Option<&Map> {
        self.input.get(member).and_then(Value::as_object)
    }

    /// Returns a list of strings; empty when it was not sent.
    pub fn strings(&self, member: &str) -> Vec<String> {
        self.list(member)
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    }

    /// Makes a UUID from the seeded source.
    pub fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random())
            .into_uuid()
            .to_string()
    }

    /// Makes `digits` lower-case hexadecimal digits from the seeded source.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit(self.rng.random_range(0..16), 16).unwrap_or('0'))
            .collect()
    }

    /// Returns the moment of the call as epoch seconds with milliseconds, as answers carry it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double exactly"
    )]
    pub fn now_seconds(&self) -> f64 {
        self.now.as_millisecond() as f64 / 1000.0
    }
}

/// An error as the client sees it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The code on the wire, for instance `ResourceNotFoundException`.
    pub code: String,
    /// The message; left out on the wire where the service's error has no message member.
    pub message: String,
    /// The HTTP status when the code is not in the service model; the model's own status wins.
    pub status: u16,
    /// Further members of the error's shape, by their model names.
    pub members: Map,
}

impl Fault {
    /// Makes a client error (HTTP 400 unless the model says otherwise).
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: 400,
            members: Map::new(),
        }
    }

    /// Adds a member of the error's shape.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}

/// Returns the partition that a region belongs to.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
