//! Which accounts and roles the namespaces of a cluster may use.
//!
//! Whoever runs the operator says so in a file; nobody who may only write into a namespace can change it. Without the
//! file every namespace may use what the operator's credentials reach; with it, a namespace that no entry names may use
//! nothing.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::fleet::{Fence, like};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Which namespaces may use what; the first entry that names one counts.
    pub namespaces: Vec<Entry>,
}

/// What some namespaces may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// The namespaces; `*` stands for any characters.
    pub names: Vec<String>,
    /// The accounts and roles.
    pub allow: Fence,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    /// It cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It says what nobody understands.
    #[error("`{path}` is no file of limits: {why}")]
    Wrong {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

impl Limits {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or says what nobody understands.
    pub fn read(path: &Path) -> Result<Self, LimitsError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| LimitsError::Unreadable {
            path: shown.clone(),
            source,
        })?;
        serde_yaml::from_str(&text).map_err(|error| LimitsError::Wrong {
            path: shown,
            why: error.to_string(),
        })
    }

    /// Returns what a namespace may use: nothing when no entry names it.
    pub fn of(&self, namespace: &str) -> Fence {
        let names = |entry: &&Entry| entry.names.iter().any(|name| like(name, namespace));
        let entry = self.namespaces.iter().find(names);
        entry.map(|entry| entry.allow.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_counts_and_nobody_else_may_anything() {
        let limits: Limits = serde_yaml::from_str(
            "namespaces:\n\
             - { names: [shop-eu], allow: { accounts: ['444455556666'] } }\n\
             - { names: ['shop-*'], allow: { accounts: ['111122223333'], roles: ['*'] } }\n",
        )
        .unwrap();
        assert!(limits.of("shop-eu").accounts.contains("444455556666"));
        assert!(limits.of("shop-us").accounts.contains("111122223333"));
        assert_eq!(limits.of("other"), Fence::default());
        assert!(serde_yaml::from_str::<Limits>("namespace: []").is_err());
    }
}
