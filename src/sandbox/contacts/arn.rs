//! The ARNs of `ssm-contacts`: how they are made, and which of them an operation takes.

use uuid::Uuid;

use super::fault;
use crate::sandbox::call::partition;
use crate::sandbox::{Call, Fault};

/// What an ARN (or an id) of this service names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person, an escalation plan or an on-call schedule.
    Contact,
    /// A way to reach a person.
    Channel,
    /// People taking turns.
    Rotation,
    /// A change of who is on call, inside a rotation; it has an id and no ARN.
    Override,
    /// One run of a contact's plan.
    Engagement,
    /// One message to one channel.
    Page,
}

impl Kind {
    /// Returns the ARN's path segment.
    fn segment(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            // The IAM reference writes `contactchannel/`; ARNs in the service's own examples have the hyphen.
            Self::Channel => "contact-channel",
            Self::Rotation => "rotation",
            Self::Override => "rotation-override",
            Self::Engagement => "engagement",
            Self::Page => "page",
        }
    }

    /// Returns the name that faults carry in `ResourceType`.
    pub(super) fn resource_type(self) -> &'static str {
        match self {
            Self::Contact => "CONTACT",
            Self::Channel => "CONTACT_CHANNEL",
            Self::Rotation => "ROTATION",
            Self::Override => "ROTATION_OVERRIDE",
            Self::Engagement => "ENGAGEMENT",
            Self::Page => "PAGE",
        }
    }

    /// Returns the name that messages use.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Contact => "Contact",
            Self::Channel => "Contact channel",
            Self::Rotation => "Rotation",
            Self::Override => "Rotation override",
            Self::Engagement => "Engagement",
            Self::Page => "Page",
        }
    }

    /// Returns whether the part after the path segment can belong to this kind.
    fn accepts(self, id: &str) -> bool {
        match self {
            Self::Contact => is_alias(id),
            Self::Channel | Self::Engagement | Self::Page => id
                .split_once('/')
                .is_some_and(|(alias, uuid)| is_alias(alias) && is_uuid(uuid)),
            Self::Rotation | Self::Override => is_uuid(id),
        }
    }
}

fn is_alias(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// The parts of a well-formed ARN of this service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The twelve digits.
    pub(super) account: &'a str,
    /// What it names.
    pub(super) kind: Kind,
    /// What follows the kind's path segment: `ALIAS`, `ALIAS/UUID` or `UUID`.
    pub(super) id: &'a str,
}

impl<'a> Parts<'a> {
    /// Returns the alias that is part of every ARN but a rotation's.
    pub(super) fn alias(&self) -> &'a str {
        self.id.split_once('/').map_or(self.id, |(alias, _)| alias)
    }
}

/// Makes an ARN.
pub(super) fn make(region: &str, account: &str, kind: Kind, id: &str) -> String {
    let partition = partition(region);
    let segment = kind.segment();
    format!("arn:{partition}:ssm-contacts:{region}:{account}:{segment}/{id}")
}

/// Makes an ARN beside another one: same partition, region and account.
pub(super) fn beside(arn: &str, kind: Kind, id: &str) -> String {
    let stem: Vec<&str> = arn.splitn(6, ':').take(5).collect();
    format!("{}:{}/{id}", stem.join(":"), kind.segment())
}

/// Reads an ARN of one of the kinds.
pub(super) fn parse<'a>(arn: &'a str, kinds: &[Kind]) -> Result<Parts<'a>, Fault> {
    read(arn)
        .filter(|parts| kinds.contains(&parts.kind))
        .ok_or_else(|| fault::invalid(format_args!("Invalid resource Arn {arn}")))
}

fn read(arn: &str) -> Option<Parts<'_>> {
    let mut fields = arn.splitn(6, ':');
    let (prefix, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
    let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
    let (segment, id) = resource.split_once('/')?;
    let kind = [
        Kind::Contact,
        Kind::Channel,
        Kind::Rotation,
        Kind::Engagement,
        Kind::Page,
    ]
    .into_iter()
    .find(|kind| kind.segment() == segment)?;
    let sound = prefix == "arn"
        && matches!(partition, "aws" | "aws-cn" | "aws-us-gov")
        && service == "ssm-contacts"
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && kind.accepts(id);
    sound.then_some(Parts { account, kind, id })
}

/// Reads a member that names something of the caller's account, and returns its ARN.
pub(super) fn member(call: &Call<'_>, member: &str, kind: Kind) -> Result<String, Fault> {
    let arn = call.required(member);
    own(call, arn, &[kind])?;
    Ok(arn.to_owned())
}

/// Checks that an ARN is one of the kinds and of the caller's account.
pub(super) fn own<'a>(call: &Call<'_>, arn: &'a str, kinds: &[Kind]) -> Result<Parts<'a>, Fault> {
    let parts = parse(arn, kinds)?;
    if parts.account != call.account {
        return Err(fault::denied(call.caller, arn));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "02f506b9-ea5d-4764-af89-2daa793ff024";

    #[test]
    fn arns_have_the_documented_forms() {
        assert_eq!(
            make("us-east-2", "111122223333", Kind::Contact, "akuam"),
            "arn:aws:ssm-contacts:us-east-2:111122223333:contact/akuam"
        );
        let page = beside(
            "arn:aws:ssm-contacts:us-east-2:111122223333:contact/akuam",
            Kind::Page,
            &format!("akuam/{UUID}"),
        );
        assert_eq!(
            page,
            format!("arn:aws:ssm-contacts:us-east-2:111122223333:page/akuam/{UUID}")
        );
        assert!(make("cn-north-1", "1", Kind::Rotation, UUID).starts_with("arn:aws-cn:"));
        assert!(make("us-gov-west-1", "1", Kind::Rotation, UUID).starts_with("arn:aws-us-gov:"));
    }

    #[test]
    fn an_arn_of_another_kind_or_form_is_invalid() {
        let stem = "arn:aws:ssm-contacts:us-east-2:111122223333";
        for bad in [
            format!("{stem}:rotation/{UUID}"),
            format!("{stem}:contact/Upper"),
            format!("{stem}:contact/"),
            format!("{stem}:contact"),
            format!("{stem}:contact-channel/akuam/{UUID}"),
            "arn:aws:ssm-contacts:us-east-2:1:contact/akuam".to_owned(),
            "arn:aws:ssm:us-east-2:111122223333:contact/akuam".to_owned(),
            "akuam".to_owned(),
        ] {
            let fault = parse(&bad, &[Kind::Contact]).unwrap_err();
            assert_eq!(fault.code, "ValidationException", "{bad}");
        }
        assert!(parse(&format!("{stem}:rotation/primary"), &[Kind::Rotation]).is_err());
        assert!(parse(&format!("{stem}:contact-channel/akuam/x"), &[Kind::Channel]).is_err());
        let page = format!("{stem}:page/akuam/{UUID}");
        let parts = parse(&page, &[Kind::Page]).unwrap();
        assert_eq!((parts.alias(), parts.kind), ("akuam", Kind::Page));
    }
}
