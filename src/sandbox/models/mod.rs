//! Tables of AWS's published service models: what goes over the wire, and what AWS's front end refuses.
//!
//! `generate.py` writes the tables; nothing here knows an operation by name.

mod pattern;
mod shape;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

pub(crate) use shape::{Kind, Location, Member, Shape, TimestampFormat};

/// One service's table.
#[derive(Debug)]
pub(crate) struct Service {
    /// The service as botocore names it.
    pub(crate) name: &'static str,
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, OperationModel>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
struct Table {
    metadata: Metadata,
    operations: BTreeMap<String, OperationModel>,
    shapes: BTreeMap<String, Shape>,
}

/// What holds for every operation of a service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    /// Present when the service once spoke awsQuery, and its clients still match on the old error codes.
    aws_query_compatible: Option<serde_json::Value>,
    endpoint_prefix: String,
    json_version: Option<String>,
    protocol: String,
    #[serde(default)]
    protocols: Vec<String>,
    signing_name: Option<String>,
    pub(crate) target_prefix: Option<String>,
    pub(crate) xml_namespace: Option<String>,
}

impl Metadata {
    /// Says whether the service speaks a protocol, by botocore's name for it.
    pub(crate) fn speaks(&self, protocol: &str) -> bool {
        self.protocol == protocol || self.protocols.iter().any(|p| p == protocol)
    }

    /// Returns the name of the service in a signature's scope.
    pub(crate) fn signing_name(&self) -> &str {
        self.signing_name
            .as_deref()
            .unwrap_or(&self.endpoint_prefix)
    }

    /// Returns the version of awsJson that the service speaks, `1.0` or `1.1`.
    pub(crate) fn json_version(&self) -> &str {
        self.json_version.as_deref().unwrap_or("1.1")
    }

    /// Says whether errors carry the codes of the awsQuery protocol beside the shapes' names.
    pub(crate) fn query_compatible(&self) -> bool {
        self.aws_query_compatible.is_some()
    }
}

/// One operation's table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationModel {
    pub(crate) http: Http,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) result_wrapper: Option<String>,
    errors: Vec<String>,
}

impl OperationModel {
    /// Says whether the operation's own errors have one of that name.
    pub(crate) fn fails_with(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error == name)
    }
}

/// How restJson1 reaches an operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
    pub(crate) response_code: Option<u16>,
}

impl Service {
    /// Returns the shape of that name.
    ///
    /// # Panics
    ///
    /// When the table lacks it: a test walks every table from its operations to the last shape.
    pub(crate) fn shape(&self, name: &str) -> &Shape {
        self.shapes
            .get(name)
            .expect("the generator writes every shape that a kept shape names")
    }

    /// Returns the shape that a member has.
    pub(crate) fn of(&self, member: &Member) -> &Shape {
        self.shape(&member.shape)
    }

    /// Finds the error that a code means, by the shape's name or by its code in the awsQuery protocol.
    ///
    /// The operation's own errors come first: `CloudWatch` has a shape `ResourceNotFound` beside `DashboardNotFoundError`,
    /// whose code is `ResourceNotFound` too.
    pub(crate) fn error(
        &self,
        operation: Option<&OperationModel>,
        code: &str,
    ) -> Option<(&str, &Shape)> {
        let own = operation.iter().flat_map(|o| &o.errors);
        let all = self.shapes.iter().filter(|(_, shape)| shape.exception);
        own.filter_map(|name| self.shapes.get_key_value(name))
            .chain(all.clone().filter(|(name, _)| *name == code))
            .chain(all)
            .find(|(name, shape)| *name == code || shape.error_code() == Some(code))
            .map(|(name, shape)| (name.as_str(), shape))
    }
}

macro_rules! table {
    ($name:literal) => {
        LazyLock::new(|| load($name, include_str!(concat!($name, ".json"))))
    };
}

static TABLES: [LazyLock<Service>; 7] = [
    table!("cloudwatch"),
    table!("organizations"),
    table!("securityhub"),
    table!("ssm"),
    table!("ssm-contacts"),
    table!("ssm-incidents"),
    table!("sts"),
];

fn load(name: &'static str, text: &str) -> Service {
    let Table {
        metadata,
        operations,
        shapes,
    } = serde_json::from_str(text).expect("the committed tables are the generator's");
    Service {
        name,
        metadata,
        operations,
        shapes,
    }
}

/// Makes a service of a table written in a test.
#[cfg(test)]
pub(crate) fn made_up(text: &str) -> &'static Service {
    Box::leak(Box::new(load("made-up", text)))
}

/// Every service that the sandbox has a table of, read on first use.
pub(crate) fn services() -> impl Iterator<Item = &'static Service> {
    TABLES.iter().map(|table| &**table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_shape_is_in_its_table() {
        for service in services() {
            for operation in service.operations.values() {
                for name in operation.input.iter().chain(&operation.output) {
                    service.shape(name);
                }
            }
            for shape in service.shapes.values() {
                let parts = [&shape.member, &shape.key, &shape.value];
                for member in shape
                    .members
                    .iter()
                    .map(|(_, m)| m)
                    .chain(parts.into_iter().flatten())
                {
                    service.of(member);
                }
            }
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for service in services() {
            for (name, shape) in &service.shapes {
                assert_eq!(
                    shape.pattern.is_some(),
                    shape.pattern().is_some(),
                    "{} {name}: {:?}",
                    service.name,
                    shape.pattern
                );
            }
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "names what is still to be written")]
    fn implemented_operations_are_in_the_tables() {
        let implemented: Vec<_> = crate::sandbox::operations()
            .map(|o| (o.service, o.name))
            .collect();
        let mut tables: Vec<_> = services()
            .flat_map(|s| s.operations.keys().map(move |o| (s.name, o.as_str())))
            .collect();
        for operation in &implemented {
            assert!(
                tables.contains(operation),
                "{operation:?} is in no table: add it to operations.txt and run generate.py"
            );
        }
        tables.retain(|operation| !implemented.contains(operation));
        eprintln!(
            "{} operations in tables without behaviour: {tables:?}",
            tables.len()
        );
    }

    #[test]
    fn errors_are_found_by_code_and_by_name() {
        let cloudwatch = services().find(|s| s.name == "cloudwatch").unwrap();
        let found = |code| cloudwatch.error(None, code).map(|(name, _)| name);
        assert_eq!(
            found("InvalidParameterInput"),
            Some("DashboardInvalidInputError")
        );
        assert_eq!(
            found("DashboardNotFoundError"),
            Some("DashboardNotFoundError")
        );
        assert_eq!(found("ValidationError"), Some("ValidationException"));
        assert_eq!(found("Nonsense"), None);
        let get = cloudwatch.operations.get("GetDashboard");
        let found = cloudwatch
            .error(get, "ResourceNotFound")
            .map(|(name, _)| name);
        assert_eq!(found, Some("DashboardNotFoundError"));
    }
}
