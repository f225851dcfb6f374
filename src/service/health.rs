//! Whether a process does its work.

use std::sync::{Arc, Mutex, PoisonError};

/// Whether a process does its work; clones are the same.
///
/// It begins as not ready. That a process is alive at all is told by its answering.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<Option<String>>>);

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some("it is starting".to_owned()))))
    }
}

impl Health {
    /// Says that the work is being done.
    pub fn ready(&self) {
        self.set(None);
    }

    /// Says why the work is not being done.
    pub fn unready(&self, why: impl Into<String>) {
        self.set(Some(why.into()));
    }

    /// Returns why the work is not being done; `None` when it is.
    pub fn obstacle(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, obstacle: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = obstacle;
    }
}
