//! The record of calls: one JSON line each, without bodies, to show afterwards what was called.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Error;

/// A file that grows by a line per call.
#[derive(Debug)]
pub(crate) struct Record(Mutex<File>);

/// One call.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) protocol: &'a str,
    /// The HTTP status; nothing when no answer went out.
    pub(crate) status: Option<u16>,
    /// The error's code, if it was one.
    pub(crate) code: Option<&'a str>,
    /// `read` or `write`; nothing for an operation without behaviour.
    pub(crate) access: Option<&'a str>,
}

impl Record {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|source| Error::Record {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(Mutex::new(file)))
    }

    pub(crate) fn write(&self, line: &Line<'_>) {
        let Ok(mut text) = serde_json::to_string(line) else {
            return;
        };
        text.push('\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::warn!(%error, "a call is missing from the record");
        }
    }
}
