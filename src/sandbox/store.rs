//! The state on disk, in a directory that one process holds at a time: the whole state in one JSON file, and behind it a
//! journal with a line for every write since.
//!
//! A write is on disk before it is answered, and costs what it changed. Once the journal is larger than the state, the
//! state is written whole again and a new journal begins. Each whole state has a number, and a journal belongs to the
//! state of its number alone, so that wherever a process dies, a whole state and a journal that fits it are there. A
//! last line without its end was not answered, and counts for nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shelf::{merge, write};
use super::{Error, State};

/// The version of the files' form.
const VERSION: u32 = 2;

/// A journal may be as large as this before it is compared with the state.
const SMALL_JOURNAL: usize = 1 << 20;

/// A state directory, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    /// The number of the whole state that was read or written last.
    number: u64,
    /// The journal of that state; `None` when the next writing must be of the whole state.
    journal: Option<Journal>,
    _lock: File,
}

/// A journal that lines can be added to.
#[derive(Debug)]
struct Journal {
    file: File,
    bytes: usize,
    most: usize,
}

#[derive(Serialize)]
struct Saved<'a> {
    version: u32,
    number: u64,
    state: &'a State,
}

#[derive(Deserialize)]
struct Header {
    version: u32,
    /// Version 1 had no journal, and no number.
    #[serde(default)]
    number: u64,
}

#[derive(Deserialize)]
struct Loaded<S> {
    state: S,
}

impl Store {
    /// Locks a directory, made when it is not there, and reads the state in it.
    pub(crate) fn open(directory: &Path) -> Result<(Self, State), Error> {
        let unusable = |source| Error::Directory {
            path: directory.to_owned(),
            source,
        };
        fs::create_dir_all(directory).map_err(unusable)?;
        let lock = private(OpenOptions::new().write(true).create(true))
            .open(directory.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse {
                    path: directory.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let mut store = Self {
            directory: directory.to_owned(),
            number: 0,
            journal: None,
            _lock: lock,
        };
        let state = store.load()?;
        Ok((store, state))
    }

    fn file(&self) -> PathBuf {
        self.directory.join("state.json")
    }

    fn journal_file(&self, number: u64) -> PathBuf {
        self.directory.join(format!("journal-{number}.jsonl"))
    }

    /// Reads the state; an empty one when nothing was ever saved. The next writing is of the whole state.
    pub(crate) fn load(&mut self) -> Result<State, Error> {
        self.journal = None;
        let path = self.file();
        let Some(bytes) = read(&path)? else {
            return Ok(State::default());
        };
        let corrupt = |source| Error::Corrupt {
            path: path.clone(),
            source,
        };
        let Header { version, number } = serde_json::from_slice(&bytes).map_err(corrupt)?;
        if version > VERSION {
            return Err(Error::Version {
                path,
                version,
                known: VERSION,
            });
        }
        self.number = number;
        let path = self.journal_file(number);
        let changes = read(&path)?.unwrap_or_default();
        if changes.is_empty() {
            let Loaded { state } = serde_json::from_slice(&bytes).map_err(corrupt)?;
            return Ok(state);
        }
        let Loaded { mut state } =
            serde_json::from_slice::<Loaded<Value>>(&bytes).map_err(corrupt)?;
        let corrupt = |source| Error::Corrupt {
            path: path.clone(),
            source,
        };
        let end = changes.iter().rposition(|byte| *byte == b'\n');
        let whole = changes[..end.unwrap_or(0)].split(|byte| *byte == b'\n');
        for line in whole.filter(|line| !line.is_empty()) {
            merge(&mut state, serde_json::from_slice(line).map_err(corrupt)?);
        }
        serde_json::from_value(state).map_err(corrupt)
    }

    /// Writes what changed so that it is there when the next process looks, whatever happens to this one.
    pub(crate) fn save(&mut self, state: &State) -> io::Result<()> {
        match self.journal.take() {
            Some(journal) if journal.bytes < journal.most => {
                // A line that could not be written whole leaves no journal behind: the next writing is of everything.
                self.journal = Some(journal.append(state)?);
                Ok(())
            }
            _ => self.save_whole(state),
        }
    }

    /// Writes the whole state so that a reader finds either the old one or the new one.
    fn save_whole(&mut self, state: &State) -> io::Result<()> {
        let number = self.number + 1;
        // One that a process left which died before its state was in place.
        let journal = self.journal_file(number);
        let journal =
            private(OpenOptions::new().write(true).create(true).truncate(true)).open(journal)?;
        let saved = Saved {
            version: VERSION,
            number,
            state,
        };
        let bytes = write(&saved, false)?;
        let temporary = self.directory.join("state.json.new");
        // The state holds what was put into it, telephone numbers and parameters among it.
        let mut file =
            private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, self.file())?;
        sync_directory(&self.directory)?;
        // It is of no use any more, and does no harm.
        let _ = fs::remove_file(self.journal_file(self.number));
        self.number = number;
        self.journal = Some(Journal {
            file: journal,
            bytes: 0,
            most: bytes.len().max(SMALL_JOURNAL),
        });
        Ok(())
    }
}

impl Journal {
    fn append(mut self, state: &State) -> io::Result<Self> {
        let mut line = write(state, true)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.bytes += line.len();
        Ok(self)
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Directory {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Lets only the owner read what is opened.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a rename last; only Unix lets a directory be opened for that.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, mut state) = Store::open(directory.path()).unwrap();
        state.account("111122223333");
        store.save(&state).unwrap();
        drop(store);
        let (_store, state) = Store::open(directory.path()).unwrap();
        assert!(state.accounts.contains_key("111122223333"));
    }

    /// Adds an account and saves.
    fn grow(store: &mut Store, state: &mut State, account: &str) {
        state.account(account);
        store.save(state).unwrap();
    }

    fn accounts(directory: &Path) -> Vec<String> {
        let (_store, state) = Store::open(directory).unwrap();
        state.accounts.keys().cloned().collect()
    }

    fn journal(directory: &Path) -> PathBuf {
        let files = fs::read_dir(directory).unwrap();
        let mut files = files.map(|entry| entry.unwrap().path());
        let found = files.find(|path| path.extension().is_some_and(|e| e == "jsonl"));
        found.unwrap()
    }

    #[test]
    fn every_write_is_found_whole_or_not_at_all_wherever_the_process_dies() {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, mut state) = Store::open(directory.path()).unwrap();
        let names = ["111122223333", "222233334444", "333344445555"];
        for name in names {
            grow(&mut store, &mut state, name);
        }
        drop(store);
        let text = fs::read(journal(directory.path())).unwrap();
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends: Vec<usize> = ends.map(|(at, _)| at).collect();
        assert_eq!(ends.len(), 2, "the first write is of the whole state");
        for length in 0..=text.len() {
            fs::write(journal(directory.path()), &text[..length]).unwrap();
            let written = 1 + ends.iter().filter(|end| **end < length).count();
            assert_eq!(accounts(directory.path()), names[..written], "{length}");
        }
    }

    #[test]
    fn a_journal_of_another_state_counts_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, mut state) = Store::open(directory.path()).unwrap();
        grow(&mut store, &mut state, "111122223333");
        grow(&mut store, &mut state, "222233334444");
        let old = fs::read(journal(directory.path())).unwrap();
        let old_name = journal(directory.path());
        state.accounts.remove("222233334444");
        store.save_whole(&state).unwrap();
        drop(store);
        // The process died before it could remove this one.
        fs::write(old_name, old).unwrap();
        assert_eq!(accounts(directory.path()), ["111122223333"]);
    }

    #[test]
    fn a_long_journal_becomes_a_whole_state() {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, mut state) = Store::open(directory.path()).unwrap();
        grow(&mut store, &mut state, "111122223333");
        let before = fs::metadata(store.file()).unwrap().len();
        for _ in 0..2 {
            state
                .sessions
                .insert("key".to_owned(), "x".repeat(SMALL_JOURNAL));
            store.save(&state).unwrap();
        }
        assert!(fs::metadata(store.file()).unwrap().len() > before + SMALL_JOURNAL as u64);
        assert_eq!(fs::metadata(journal(directory.path())).unwrap().len(), 0);
    }

    #[test]
    fn a_damaged_line_is_an_error_that_names_the_journal() {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, mut state) = Store::open(directory.path()).unwrap();
        grow(&mut store, &mut state, "111122223333");
        drop(store);
        fs::write(journal(directory.path()), "{\n{}\n").unwrap();
        let refused = Store::open(directory.path()).unwrap_err();
        assert!(refused.to_string().contains("journal-1.jsonl"), "{refused}");
    }

    #[test]
    fn a_second_process_is_told_how_to_share() {
        let directory = tempfile::tempdir().unwrap();
        let _held = Store::open(directory.path()).unwrap();
        let refused = Store::open(directory.path()).unwrap_err();
        assert!(matches!(refused, Error::InUse { .. }));
        assert!(refused.to_string().contains("AWS_ENDPOINT_URL"));
    }

    #[test]
    fn a_damaged_state_is_an_error_that_names_the_file() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            "{\"version\":1}",
            "{\"version\":1,\"state\":3}",
            "null",
        ] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("state.json"), text).unwrap();
            let refused = Store::open(directory.path()).unwrap_err();
            assert!(
                matches!(refused, Error::Corrupt { .. }),
                "{text}: {refused}"
            );
            assert!(refused.to_string().contains("state.json"));
        }
    }

    #[test]
    fn a_later_version_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("state.json"),
            "{\"version\":3,\"state\":{}}",
        )
        .unwrap();
        assert!(matches!(
            Store::open(directory.path()).unwrap_err(),
            Error::Version { version: 3, .. }
        ));
    }
}
