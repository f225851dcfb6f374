//! How other kinds name the document they run.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::check;
use crate::model::{Location, Report};

/// Which kinds of ours a [`DocumentRef`] may name.
pub trait Named {
    /// The kinds; a bare name is one of the first.
    const KINDS: &'static [&'static str];
    /// What is wanted, for the schema.
    const WHAT: &'static str;
}

/// An automation document, which is a `Runbook`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Automation;

/// A document of any other type, which is a `Document`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command;

impl Named for Automation {
    const KINDS: &'static [&'static str] = &["Runbook"];
    const WHAT: &'static str = "An automation document: `{ ref: name }` for a Runbook of ours, `{ arn: … }` for one that is not, `{ name: AWS-… }` for one of AWS's own.";
}

impl Named for Command {
    const KINDS: &'static [&'static str] = &["Document"];
    const WHAT: &'static str = "A command document: `{ ref: name }` for a Document of ours, `{ arn: … }` for one that is not, `{ name: AWS-… }` for one of AWS's own.";
}

/// A reference to a document: one of ours, another account's, or one of AWS's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentRef<N = Automation> {
    /// One of ours, as `Kind/name`; written `{ ref: name }`.
    Ref(String, PhantomData<N>),
    /// A document that is not ours; written `{ arn: … }`.
    Arn(String),
    /// A document of AWS's own; written `{ name: AWS-… }`.
    Name(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written {
    Ref(String),
    Arn(String),
    Name(String),
}

impl<N> DocumentRef<N> {
    /// Reads what AWS answers: a bare name that is not AWS's own is a document of this account and region.
    pub(crate) fn from_aws(name: String, location: &Location) -> Self {
        if name.contains(':') {
            Self::Arn(name)
        } else if check::is_reserved(&name) {
            Self::Name(name)
        } else {
            Self::Arn(arn(location, &name))
        }
    }

    /// Returns what AWS is told: the bare name of a document of this account and region. `None` while the reference
    /// is not resolved.
    pub(crate) fn to_aws(&self, location: &Location) -> Option<String> {
        match self {
            Self::Ref(..) => None,
            Self::Name(name) => Some(name.clone()),
            Self::Arn(text) => Some(
                text.strip_prefix(&arn(location, ""))
                    .unwrap_or(text)
                    .to_owned(),
            ),
        }
    }
}

/// Returns the ARN of a document of this account and region, which is what identifies it for references.
pub(in crate::kinds) fn arn(location: &Location, name: &str) -> String {
    let (partition, region, account) = (location.partition(), &location.region, &location.account);
    format!("arn:{partition}:ssm:{region}:{account}:document/{name}")
}

impl<N: Named> DocumentRef<N> {
    /// Reports what is named in a wrong way.
    pub(in crate::kinds) fn check(&self, at: &str, report: &mut Report) {
        if let Self::Name(name) = self
            && !check::is_reserved(name)
        {
            report.error(
                "bad-document-reference",
                format!("{at}/name"),
                format!("`{name}` is no name of a document of AWS's own"),
                format!(
                    "write `{{ ref: … }}` for a {} of yours, `{{ arn: … }}` for any other document",
                    N::KINDS.join(" or ")
                ),
            );
        }
    }
}

impl<N> Serialize for DocumentRef<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ref(name, _) => Written::Ref(name.clone()),
            Self::Arn(arn) => Written::Arn(arn.clone()),
            Self::Name(name) => Written::Name(name.clone()),
        }
        .serialize(serializer)
    }
}

impl<'de, N: Named> Deserialize<'de> for DocumentRef<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Arn(arn) => Self::Arn(arn),
            Written::Name(name) => Self::Name(name),
            Written::Ref(name) => match name.split_once('/') {
                None => Self::Ref(format!("{}/{name}", N::KINDS[0]), PhantomData),
                Some((kind, _)) if N::KINDS.contains(&kind) => Self::Ref(name, PhantomData),
                Some((kind, _)) => {
                    let wanted = N::KINDS.join(" or ");
                    let message = format!("a {wanted} is wanted here, not a {kind}");
                    return Err(serde::de::Error::custom(message));
                }
            },
        })
    }
}

impl<N: Named> JsonSchema for DocumentRef<N> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}DocumentRef", N::KINDS.concat()).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": N::WHAT,
            "properties": {
                "ref": { "type": "string", "minLength": 1, "description": format!("`metadata.name` of a {}.", N::KINDS.join(" or ")) },
                "arn": { "type": "string", "minLength": 1, "description": "ARN of a document that is not ours." },
                "name": { "type": "string", "minLength": 1, "description": "Name of a document of AWS's own." },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "x-stationbill-may-ref": N::KINDS,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn location() -> Location {
        Location {
            account: "111122223333".into(),
            region: "eu-west-1".into(),
        }
    }

    #[test]
    fn an_own_document_travels_by_its_bare_name() {
        let read: DocumentRef = DocumentRef::from_aws("repair".into(), &location());
        assert_eq!(
            read,
            DocumentRef::Arn("arn:aws:ssm:eu-west-1:111122223333:document/repair".into())
        );
        assert_eq!(read.to_aws(&location()).as_deref(), Some("repair"));
    }

    #[test]
    fn foreign_documents_stay_as_they_are() {
        for text in [
            "AWS-RestartEC2Instance",
            "arn:aws:ssm:eu-west-1:444455556666:document/x",
        ] {
            let read: DocumentRef = DocumentRef::from_aws(text.into(), &location());
            assert_eq!(read.to_aws(&location()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_reference_names_its_kind() {
        let read: DocumentRef = serde_json::from_value(json!({"ref": "repair"})).unwrap();
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            json!({"ref": "Runbook/repair"})
        );
        let read = |value| serde_json::from_value::<DocumentRef>(value);
        assert!(read(json!({"ref": "Contact/x"})).is_err());
        assert!(read(json!({"ref": "x", "arn": "y"})).is_err());
        let command: DocumentRef<Command> =
            serde_json::from_value(json!({"ref": "drain"})).unwrap();
        assert_eq!(
            serde_json::to_value(&command).unwrap(),
            json!({"ref": "Document/drain"})
        );
    }
}
