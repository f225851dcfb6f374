//! What need not be read again: texts that documents declare, known by their hash, and what was read before, known by
//! what a list still tells about it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::transport::ServerClock;
use crate::model::digest::sha256;
use crate::model::{Document, Location};

/// The form of the file. What another version has written is not read.
const VERSION: u32 = 1;

/// The name of the file in the folder.
const FILE: &str = "observed.json";

/// How long ago something must have changed for its time of change to tell it from the next change: AWS tells seconds.
const SETTLED: Duration = Duration::from_secs(5);

/// After how many days what nobody asked for is forgotten.
const DAYS: u64 = 30;

/// What is known of live AWS without asking. Losing it costs calls and nothing else, and no deletion is based on it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    known: Arc<Mutex<Known>>,
    clock: ServerClock,
}

#[derive(Debug, Default)]
struct Known {
    /// Where a text of this hash is: a declared spec, and its field.
    texts: HashMap<String, (Arc<Value>, String)>,
    read: BTreeMap<String, Read>,
}

/// What was read of one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Read {
    /// What the list told of it.
    row: String,
    /// What reading it gave.
    was: Value,
    /// When it was last asked for, in days since 1970.
    day: u64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    read: BTreeMap<String, Read>,
}

impl Memory {
    /// Makes an empty one, which takes the time from `clock`.
    pub fn new(clock: ServerClock) -> Self {
        let known = Arc::default();
        Self { known, clock }
    }

    /// Keeps the texts of these declared specs at hand, and no others.
    pub fn learn<'a>(&self, specs: impl IntoIterator<Item = &'a Arc<Value>>) {
        let mut texts = HashMap::new();
        for spec in specs {
            for (field, value) in spec.as_object().into_iter().flatten() {
                if let Some(text) = Document::marked_text(value) {
                    texts.insert(sha256(text), (Arc::clone(spec), field.clone()));
                }
            }
        }
        self.known().texts = texts;
    }

    /// Returns the text of a SHA-256, in lower-case hexadecimal digits, if some document declares it.
    pub fn text(&self, hash: &str) -> Option<String> {
        let known = self.known();
        let (spec, field) = known.texts.get(hash)?;
        Document::marked_text(spec.get(field)?).map(str::to_owned)
    }

    /// Returns what was read of an object when a list told the same of it as now.
    pub fn recall<T: DeserializeOwned>(
        &self,
        at: &Location,
        kind: &str,
        name: &str,
        row: &str,
    ) -> Option<T> {
        let today = self.today();
        let mut known = self.known();
        let read = known.read.get_mut(&key(at, kind, name))?;
        if read.row != row {
            return None;
        }
        read.day = today.unwrap_or(read.day);
        T::deserialize(&read.was).ok()
    }

    /// Keeps what was read of an object, of which a list told `row`; `changed` is when AWS says it last changed, in
    /// seconds since 1970. What has just changed is not kept: the next change may happen in the same second.
    pub fn remember<T: Serialize>(
        &self,
        at: &Location,
        kind: &str,
        name: &str,
        row: &str,
        changed: i64,
        was: &T,
    ) {
        let (Some(now), Some(day)) = (self.clock.now(), self.today()) else {
            return;
        };
        let changed = Duration::from_secs(changed.try_into().unwrap_or_default());
        if now < changed + SETTLED {
            return;
        }
        if let Ok(was) = serde_json::to_value(was) {
            let row = row.to_owned();
            let read = Read { row, was, day };
            self.known().read.insert(key(at, kind, name), read);
        }
    }

    /// Takes over what an earlier run has written into a folder; nothing where there is none.
    ///
    /// # Errors
    /// When the file is there and cannot be read. What it holds may be damaged: then it is as if it were not there.
    pub fn load(&self, folder: &Path) -> io::Result<()> {
        let text = match std::fs::read(folder.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        match serde_json::from_slice(&text) {
            Ok(Written { version, read }) if version == VERSION => self.known().read.extend(read),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "what was observed earlier cannot be used");
            }
        }
        Ok(())
    }

    /// Writes what was read into a folder, which is made; a file is there whole or not at all, for its owner alone.
    ///
    /// # Errors
    /// When the folder cannot be made or the file cannot be written.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        let mut read = self.known().read.clone();
        if let Some(today) = self.today() {
            read.retain(|_, read| read.day + DAYS >= today);
        }
        std::fs::create_dir_all(folder)?;
        let written = Written {
            version: VERSION,
            read,
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.persist(folder.join(FILE))?;
        Ok(())
    }

    fn today(&self) -> Option<u64> {
        self.clock.now().map(|now| now.as_secs() / 86_400)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(at: &Location, kind: &str, name: &str) -> String {
    format!("{at} {kind}/{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "Mon, 02 Mar 2026 10:00:00 GMT";
    const THEN: i64 = 1_772_445_600 - 3600;

    fn memory() -> Memory {
        let clock = ServerClock::default();
        clock.see(Some(NOW));
        Memory::new(clock)
    }

    fn here() -> Location {
        Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        }
    }

    #[test]
    fn what_a_list_tells_otherwise_is_not_recalled() {
        let memory = memory();
        memory.remember(&here(), "Dashboard", "shop", "row", THEN, &json!("hash"));
        let recall = |name, row| memory.recall::<Value>(&here(), "Dashboard", name, row);
        assert_eq!(recall("shop", "row"), Some(json!("hash")));
        assert_eq!(recall("shop", "another row"), None);
        assert_eq!(recall("bank", "row"), None);
    }

    #[test]
    fn what_has_just_changed_is_not_kept() {
        let memory = memory();
        memory.remember(
            &here(),
            "Dashboard",
            "shop",
            "row",
            THEN + 3598,
            &json!("hash"),
        );
        let recalled = memory.recall::<Value>(&here(), "Dashboard", "shop", "row");
        assert_eq!(recalled, None);
    }

    #[test]
    fn a_declared_text_is_known_by_its_hash() {
        let memory = memory();
        let document = Document::from_text("a: 1\n");
        memory.learn([&Arc::new(json!({ "content": document, "name": "fix" }))]);
        assert_eq!(memory.text(&sha256("a: 1\n")).as_deref(), Some("a: 1\n"));
        assert_eq!(memory.text(&sha256("a: 2\n")), None);
        let other = Document::from_text("a: 2\n");
        memory.learn([&Arc::new(json!({ "content": other, "name": "fix" }))]);
        assert_eq!(memory.text(&sha256("a: 1\n")), None);
    }

    #[test]
    fn what_was_read_survives_in_a_folder_and_damage_is_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("cache");
        let first = memory();
        first.remember(&here(), "Dashboard", "shop", "row", THEN, &json!("hash"));
        first.save(&within).unwrap();
        let recall = || {
            let next = memory();
            next.load(&within).unwrap();
            next.recall::<Value>(&here(), "Dashboard", "shop", "row")
        };
        assert_eq!(recall(), Some(json!("hash")));
        std::fs::write(within.join(FILE), "{ \"version\": 1, \"read\"").unwrap();
        assert_eq!(recall(), None);
        std::fs::write(within.join(FILE), "{ \"version\": 0, \"read\": {} }").unwrap();
        assert_eq!(recall(), None);
        std::fs::remove_dir_all(&within).unwrap();
        assert_eq!(recall(), None);
    }
}
