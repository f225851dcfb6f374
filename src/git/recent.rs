//! Which commits were taken up lately: all that a watcher remembers.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// When each commit was last taken up, in milliseconds since 1970; kept in a file, which is safe to lose.
///
/// It is written before the work begins, so that a process which is killed over and over does not work over and over.
#[derive(Debug)]
pub struct Recent {
    file: PathBuf,
    begun: BTreeMap<String, i64>,
}

impl Recent {
    /// Reads the file; one that is missing or damaged says nothing.
    pub fn open(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        Self {
            file: file.to_owned(),
            begun: serde_json::from_str(&text).unwrap_or_default(),
        }
    }

    /// Says how long it is until a commit may be taken up again; `None` when it may now. A moment in the future, by a
    /// clock that was set back, says nothing.
    pub fn wait(&self, commit: &str, interval: Duration, now: i64) -> Option<Duration> {
        let begun = *self.begun.get(commit)?;
        let passed = Duration::from_millis(u64::try_from(now - begun).ok()?);
        interval.checked_sub(passed).filter(|left| !left.is_zero())
    }

    /// Says whether a commit was ever taken up, as far as that is remembered.
    pub fn knows(&self, commit: &str) -> bool {
        self.begun.contains_key(commit)
    }

    /// Takes note that a commit is taken up now, and forgets those for which the interval has passed.
    ///
    /// # Errors
    /// When the file cannot be written. Then nothing may be begun.
    pub fn begin(&mut self, commit: &str, interval: Duration, now: i64) -> io::Result<()> {
        let waits: Vec<String> = self
            .begun
            .keys()
            .filter(|known| self.wait(known, interval, now).is_some())
            .cloned()
            .collect();
        self.begun.retain(|known, _| waits.contains(known));
        self.begun.insert(commit.to_owned(), now);
        let text = serde_json::to_string(&self.begun)?;
        let new = self.file.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_waits_for_its_interval_whatever_came_between() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recent.json");
        let minute = Duration::from_mins(1);
        let mut recent = Recent::open(&file);
        assert_eq!(recent.wait("a", minute, 0), None);
        recent.begin("a", minute, 1_000).unwrap();
        recent.begin("b", minute, 2_000).unwrap();
        let again = Recent::open(&file);
        assert_eq!(
            again.wait("a", minute, 11_000),
            Some(Duration::from_secs(50))
        );
        assert_eq!(again.wait("a", minute, 61_000), None);
        assert_eq!(again.wait("a", minute, 500), None, "the clock was set back");
        recent.begin("b", minute, 62_000).unwrap();
        assert!(!recent.knows("a"));
        fs::write(&file, "{").unwrap();
        assert!(!Recent::open(&file).knows("b"));
    }
}
