//! Selectors in the SDK's types.

use std::collections::BTreeSet;

use aws_sdk_ssm::types as sdk;

use super::Selector;

/// Returns selectors as they are sent.
pub(in crate::kinds) fn sent(selectors: &BTreeSet<Selector>) -> Vec<sdk::Target> {
    let one = |selector: &Selector| target(&selector.key, selector.values.iter().cloned());
    selectors.iter().map(one).collect()
}

/// Makes one selector as it is sent.
pub(in crate::kinds) fn target(key: &str, values: impl Iterator<Item = String>) -> sdk::Target {
    let values = Some(values.collect());
    sdk::Target::builder().key(key).set_values(values).build()
}

/// Reads selectors from an answer.
pub(in crate::kinds) fn read(targets: Option<Vec<sdk::Target>>) -> BTreeSet<Selector> {
    let one = |target: sdk::Target| Selector {
        key: target.key.unwrap_or_default(),
        values: target.values.into_iter().flatten().collect(),
    };
    targets.into_iter().flatten().map(one).collect()
}
