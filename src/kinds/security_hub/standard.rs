//! Standards: what a document calls them, and what AWS calls them.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use crate::model::Location;

/// How a standard is written: `NAME/v/VERSION`, or its ARN.
pub(in crate::kinds) const PATTERN: &str =
    r"^(arn:[^:]+:securityhub:[^:]*::(standards|ruleset)/)?[a-z0-9-]+/v/[0-9.]+$";

/// The one standard whose ARN has no region and another word in it. [M] examples of `BatchEnableStandards`.
const CIS_1_2: &str = "cis-aws-foundations-benchmark/v/1.2.0";

/// Takes the region and whatever else is the same for all from an ARN: `NAME/v/VERSION`.
pub(in crate::kinds) fn short(standard: &str) -> &str {
    let named = standard.rsplit_once(':').map_or(standard, |(_, name)| name);
    ["standards/", "ruleset/", "subscription/"]
        .into_iter()
        .find_map(|word| named.strip_prefix(word))
        .unwrap_or(named)
}

/// Returns the ARN of a standard.
pub(in crate::kinds) fn arn(location: &Location, short: &str) -> String {
    let (partition, region) = (location.partition(), &location.region);
    if short == CIS_1_2 {
        format!("arn:{partition}:securityhub:::ruleset/{short}")
    } else {
        format!("arn:{partition}:securityhub:{region}::standards/{short}")
    }
}

/// Returns the ARN of the account's subscription to a standard.
pub(super) fn subscription(location: &Location, short: &str) -> String {
    let (partition, region, account) = (location.partition(), &location.region, &location.account);
    format!("arn:{partition}:securityhub:{region}:{account}:subscription/{short}")
}

/// Reads standards, by ARN or not.
pub(in crate::kinds) fn all<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeSet<String>, D::Error> {
    let read = BTreeSet::<String>::deserialize(d)?;
    Ok(read.iter().map(|name| short(name).to_owned()).collect())
}

/// Reads standards that may be left out.
pub(super) fn some<'de, D: Deserializer<'de>>(d: D) -> Result<Option<BTreeSet<String>>, D::Error> {
    let read = Option::<BTreeSet<String>>::deserialize(d)?;
    Ok(read.map(|all| all.iter().map(|name| short(name).to_owned()).collect()))
}
