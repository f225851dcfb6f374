//! Which namespace is looked at when. Pure but for the clock that it is given.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long to wait for more after something changed: whoever applies a folder sends one object after the other.
const QUIET: Duration = Duration::from_millis(150);
/// How long to wait at most.
const AT_MOST: Duration = Duration::from_secs(1);

/// What is due.
#[derive(Debug, Default)]
pub struct Queue {
    due: BTreeMap<String, Due>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    at: Instant,
    /// Since when something is wanted, unless it is only the interval that has passed.
    since: Option<Instant>,
}

impl Queue {
    /// Something is wanted in a namespace.
    pub fn wanted(&mut self, namespace: &str, now: Instant) {
        let since = self.due.get(namespace).and_then(|due| due.since);
        let since = since.unwrap_or(now);
        let at = (now + QUIET).min(since + AT_MOST);
        let due = Due {
            at,
            since: Some(since),
        };
        self.due.insert(namespace.to_owned(), due);
    }

    /// A namespace is to be looked at again, unless something is wanted there before.
    pub fn again(&mut self, namespace: &str, at: Instant) {
        let due = self.due.get(namespace);
        if due.is_none_or(|due| at < due.at) {
            let due = Due { at, since: None };
            self.due.insert(namespace.to_owned(), due);
        }
    }

    /// Forgets a namespace.
    pub fn forget(&mut self, namespace: &str) {
        self.due.remove(namespace);
    }

    /// Takes the namespace that is due longest, of those that `may` be looked at now.
    pub fn take(&mut self, now: Instant, may: impl Fn(&str) -> bool) -> Option<String> {
        let due = self
            .due
            .iter()
            .filter(|(name, due)| due.at <= now && may(name));
        let name = due.min_by_key(|(_, due)| due.at)?.0.clone();
        self.due.remove(&name);
        Some(name)
    }

    /// Returns when the next is due, of those that `may` be looked at.
    pub fn next(&self, may: impl Fn(&str) -> bool) -> Option<Instant> {
        let due = self.due.iter().filter(|(name, _)| may(name));
        due.map(|(_, due)| due.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_one_look_and_no_burst_waits_for_ever() {
        let begin = Instant::now();
        let mut queue = Queue::default();
        for step in 0..20 {
            queue.wanted("shop", begin + Duration::from_millis(step * 100));
        }
        assert_eq!(queue.next(|_| true), Some(begin + AT_MOST));
        assert_eq!(
            queue.take(begin + AT_MOST, |_| true).as_deref(),
            Some("shop")
        );
        assert_eq!(queue.take(begin + AT_MOST, |_| true), None);
    }

    #[test]
    fn an_edit_does_not_wait_for_the_interval_nor_the_interval_for_an_edit() {
        let now = Instant::now();
        let mut queue = Queue::default();
        queue.again("shop", now + Duration::from_mins(10));
        queue.wanted("shop", now);
        assert_eq!(queue.next(|_| true), Some(now + QUIET));
        queue.again("shop", now + Duration::from_mins(10));
        assert_eq!(queue.next(|_| true), Some(now + QUIET));
        assert_eq!(queue.next(|name| name != "shop"), None);
    }
}
