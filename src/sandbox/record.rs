//! What went by: a line for each call, to show what was called; and whole exchanges, to be judged by somebody else.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::Error;

/// How many exchanges of one shape are kept.
const OF_A_SHAPE: u64 = 4;

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

/// A folder that gets a file for every request and its answer, as they were on the wire. Of those that differ in their
/// values only, a few are kept.
#[derive(Debug)]
pub(crate) struct Exchanges {
    folder: PathBuf,
    kept: Mutex<BTreeSet<(u64, u64)>>,
}

impl Exchanges {
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(|source| Error::Record {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            kept: Mutex::default(),
        })
    }

    pub(crate) fn keep(&self, request: &Parts, body: &Bytes, answer: &Response<Bytes>) {
        let path = request.uri.path();
        let mut shape = DefaultHasher::new();
        (&request.method, answer.status().as_u16()).hash(&mut shape);
        let header = |name| request.headers.get(name).map(http::HeaderValue::as_bytes);
        (header("x-amz-target"), header("content-type")).hash(&mut shape);
        // What stands in the path is a value where the service speaks REST: an ARN, mostly.
        let path: String = path.chars().take_while(|c| *c != '%').collect();
        path.hash(&mut shape);
        for body in [body, answer.body()] {
            match serde_json::from_slice::<Value>(body) {
                Ok(value) => {
                    let mut members = BTreeSet::new();
                    outline(&value, "", &mut members);
                    members.hash(&mut shape);
                }
                Err(_) => body.is_empty().hash(&mut shape),
            }
        }
        let shape = shape.finish();
        let mut values = DefaultHasher::new();
        (body, answer.body(), request.uri.path_and_query()).hash(&mut values);
        let key = (shape, values.finish() % OF_A_SHAPE);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.insert(key) {
            return;
        }
        drop(kept);
        let file = self.folder.join(format!("{:016x}-{}.json", key.0, key.1));
        let whole = json!({
            "method": request.method.as_str(),
            "target": request.uri.path_and_query().map(ToString::to_string),
            "headers": headers(&request.headers),
            "body": STANDARD.encode(body),
            "status": answer.status().as_u16(),
            "answerHeaders": headers(answer.headers()),
            "answer": STANDARD.encode(answer.body()),
        });
        // Another sandbox of this process may have written it.
        if !file.exists()
            && let Err(error) = fs::write(&file, whole.to_string())
        {
            tracing::warn!(%error, "an exchange is missing from the record");
        }
    }
}

/// Collects the names of members, with the types of what is in them.
fn outline(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                outline(member, &format!("{at}/{name}"), into);
            }
        }
        Value::Array(items) => {
            for item in items {
                outline(item, &format!("{at}/*"), into);
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
    into.insert(format!("{at} {}", value.is_string()));
}

fn headers(headers: &HeaderMap) -> Value {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), text(value)]))
        .collect()
}
