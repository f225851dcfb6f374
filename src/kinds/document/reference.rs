//! How other kinds name the document they run.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::check;
use crate::model::Location;

/// A reference to an automation document: a `Runbook` of ours, another account's, or one of AWS's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentRef {
    /// A `Runbook` of ours, by `metadata.name`; written `{ ref: name }`.
    Ref(String),
    /// A document that is not ours; written `{ arn: … }`.
    Arn(String),
    /// A document of AWS's own; written `{ name: AWS-… }`.
    Name(String),
}

const KIND: &str = "Runbook";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written {
    Ref(String),
    Arn(String),
    Name(String),
}

impl DocumentRef {
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
            Self::Ref(_) => None,
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
pub(super) fn arn(location: &Location, name: &str) -> String {
    let (partition, region, account) = (location.partition(), &location.region, &location.account);
    format!("arn:{partition}:ssm:{region}:{account}:document/{name}")
}

impl Serialize for DocumentRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ref(name) => Written::Ref(format!("{KIND}/{name}")),
            Self::Arn(arn) => Written::Arn(arn.clone()),
            Self::Name(name) => Written::Name(name.clone()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DocumentRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Arn(arn) => Self::Arn(arn),
            Written::Name(name) => Self::Name(name),
            Written::Ref(name) => match name.split_once('/') {
                None => Self::Ref(name),
                Some((KIND, name)) => Self::Ref(name.to_owned()),
                Some((kind, _)) => {
                    let message = format!("a {KIND} is wanted here, not a {kind}");
                    return Err(serde::de::Error::custom(message));
                }
            },
        })
    }
}

impl JsonSchema for DocumentRef {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DocumentRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "An automation document: `{ ref: name }` for a Runbook of ours, `{ arn: … }` for one that is not, `{ name: AWS-… }` for one of AWS's own.",
            "properties": {
                "ref": { "type": "string", "minLength": 1, "description": "`metadata.name` of a Runbook." },
                "arn": { "type": "string", "minLength": 1, "description": "ARN of a document that is not ours." },
                "name": { "type": "string", "minLength": 1, "description": "Name of a document of AWS's own." },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "x-stationbill-may-ref": "Runbook",
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
        let read = DocumentRef::from_aws("repair".into(), &location());
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
            let read = DocumentRef::from_aws(text.into(), &location());
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
        assert!(serde_json::from_value::<DocumentRef>(json!({"ref": "Contact/x"})).is_err());
        assert!(serde_json::from_value::<DocumentRef>(json!({"ref": "x", "arn": "y"})).is_err());
    }
}
