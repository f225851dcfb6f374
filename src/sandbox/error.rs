//! Why a sandbox cannot be opened or served.

use std::io;
use std::path::PathBuf;

use thiserror::Error as ThisError;

/// Why a sandbox cannot be opened or served.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The state directory cannot be made or used.
    #[error("cannot use `{}` as the sandbox's directory", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the state directory.
    #[error(
        "`{0}` is in use by another process; to share one sandbox, run `stationbill sandbox --state {0}` and set \
         AWS_ENDPOINT_URL to the URL that it prints",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The state file is not one of ours, or is damaged.
    #[error("`{}` is not a state of the sandbox; move it away to begin with an empty one", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
    /// The state file was written by a later version.
    #[error("`{}` has version {version} of the sandbox's state; this program knows version {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's version.
        version: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// The faults cannot be read.
    #[error("cannot read `{}`", path.display())]
    FaultsFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The faults are not rules.
    #[error("`{}`: {why}", path.display())]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The policy cannot be read.
    #[error("cannot read `{}`", path.display())]
    PolicyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The policy is not one that the sandbox can enforce.
    #[error("`{}`: {why}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The organization cannot be read.
    #[error("cannot read `{}`", path.display())]
    OrganizationFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file describes no organization.
    #[error("`{}`: {why}", path.display())]
    Organization {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The record of calls cannot be opened.
    #[error("cannot write the record of calls to `{}`", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
