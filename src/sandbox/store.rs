//! The state on disk: one JSON file in a directory that one process holds at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Error, State};

/// The version of the file's form.
const VERSION: u32 = 1;

/// A state directory, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    _lock: File,
}

#[derive(Serialize)]
struct Saved<'a> {
    version: u32,
    state: &'a State,
}

#[derive(Deserialize)]
struct Header {
    version: u32,
}

#[derive(Deserialize)]
struct Loaded {
    state: State,
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
        let store = Self {
            directory: directory.to_owned(),
            _lock: lock,
        };
        let state = store.load()?;
        Ok((store, state))
    }

    fn file(&self) -> PathBuf {
        self.directory.join("state.json")
    }

    /// Reads the state; an empty one when nothing was ever saved.
    pub(crate) fn load(&self) -> Result<State, Error> {
        let path = self.file();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(source) => return Err(Error::Directory { path, source }),
        };
        let corrupt = |source| Error::Corrupt {
            path: path.clone(),
            source,
        };
        let Header { version } = serde_json::from_slice(&bytes).map_err(corrupt)?;
        if version > VERSION {
            return Err(Error::Version {
                path,
                version,
                known: VERSION,
            });
        }
        let Loaded { state } = serde_json::from_slice(&bytes).map_err(corrupt)?;
        Ok(state)
    }

    /// Writes the state so that a reader finds either the old one or the new one, whole.
    pub(crate) fn save(&self, state: &State) -> io::Result<()> {
        let bytes = serde_json::to_vec(&Saved {
            version: VERSION,
            state,
        })?;
        let temporary = self.directory.join("state.json.new");
        // The state holds what was put into it, telephone numbers and parameters among it.
        let mut file =
            private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, self.file())?;
        sync_directory(&self.directory)
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
        let (store, mut state) = Store::open(directory.path()).unwrap();
        state.account("111122223333");
        store.save(&state).unwrap();
        drop(store);
        let (_store, state) = Store::open(directory.path()).unwrap();
        assert!(state.accounts.contains_key("111122223333"));
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
            "{\"version\":2,\"state\":{}}",
        )
        .unwrap();
        assert!(matches!(
            Store::open(directory.path()).unwrap_err(),
            Error::Version { version: 2, .. }
        ));
    }
}
