//! Shapes: the types of members, and what is asked of their values.

use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::pattern::Pattern;

/// The kind of value that a shape describes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum TimestampFormat {
    #[serde(rename = "unixTimestamp")]
    Epoch,
    #[serde(rename = "iso8601")]
    Iso8601,
    #[serde(rename = "rfc822")]
    HttpDate,
}

/// One shape: a type with its constraints.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a trait of the model"
)]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) members: Members,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    pub(crate) payload: Option<String>,
    pub(crate) member: Option<Member>,
    pub(crate) key: Option<Member>,
    pub(crate) value: Option<Member>,
    #[serde(default)]
    pub(crate) flattened: bool,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(super) pattern: Option<String>,
    #[serde(rename = "enum", default)]
    pub(crate) allowed: Vec<String>,
    #[serde(default)]
    pub(crate) sensitive: bool,
    #[serde(default)]
    pub(crate) union: bool,
    #[serde(default)]
    pub(super) exception: bool,
    #[serde(default)]
    pub(crate) fault: bool,
    error: Option<ErrorTrait>,
    timestamp_format: Option<TimestampFormat>,
    #[serde(skip)]
    compiled: OnceLock<Option<Pattern>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorTrait {
    code: Option<String>,
    http_status_code: Option<u16>,
}

/// Where a member travels in restJson1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Location {
    Uri,
    Querystring,
    Header,
    Headers,
    StatusCode,
}

/// A member of a structure, list or map.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(super) shape: String,
    pub(crate) location: Option<Location>,
    location_name: Option<String>,
    #[serde(default)]
    pub(crate) idempotency_token: bool,
    #[serde(default)]
    flattened: bool,
    timestamp_format: Option<TimestampFormat>,
}

impl Member {
    /// Returns the member's name on the wire.
    pub(crate) fn wire_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.location_name.as_deref().unwrap_or(name)
    }

    /// Returns the name on the wire when the model gives one of its own.
    pub(crate) fn location_name(&self) -> Option<&str> {
        self.location_name.as_deref()
    }

    /// Says whether a list or map is repeated in place rather than wrapped.
    pub(crate) fn flattened(&self, shape: &Shape) -> bool {
        self.flattened || shape.flattened
    }

    /// Returns how a moment in this member is written, `otherwise` when the model does not say.
    pub(crate) fn timestamp_format(
        &self,
        shape: &Shape,
        otherwise: TimestampFormat,
    ) -> TimestampFormat {
        self.timestamp_format
            .or(shape.timestamp_format)
            .unwrap_or(otherwise)
    }
}

/// A structure's members in the model's order, which is the order in which violations are reported.
#[derive(Debug, Default)]
pub(crate) struct Members(Vec<(String, Member)>);

impl Members {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(name, member)| (name.as_str(), member))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Member> {
        self.iter()
            .find(|(n, _)| *n == name)
            .map(|(_, member)| member)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    members.push(entry);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Shape {
    /// Returns the compiled pattern, if the shape has one.
    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        self.compiled
            .get_or_init(|| self.pattern.as_deref().and_then(Pattern::new))
            .as_ref()
    }

    /// Returns the code that awsQuery clients know an error by.
    pub(crate) fn error_code(&self) -> Option<&str> {
        self.error.as_ref()?.code.as_deref()
    }

    /// Returns the HTTP status of an error, if the model gives one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.error.as_ref()?.http_status_code
    }

    /// Returns the name of an error's message member, if it has one.
    pub(crate) fn message_member(&self) -> Option<&str> {
        self.members
            .iter()
            .map(|(name, _)| name)
            .find(|name| name.eq_ignore_ascii_case("message"))
    }
}
