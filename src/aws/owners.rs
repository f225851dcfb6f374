//! Whose objects are, as their tags said when they were last read.
//!
//! Most lists tell no tags, so whoever looks for what a stack owns must ask for the tags of everything in the account. A
//! hundred stacks in one account would each ask for those of all: here they tell each other what they have read. What
//! another stack owns, or nobody, is not asked again for a while, unless a document names it. So an object that somebody
//! gives the stamp of a stack by hand is noticed later as one that no document declares; nothing is deleted or made on
//! the strength of it.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::Location;
use crate::model::stamp::{STACK, Tags, stack_tag};

/// For how long at least an object is not asked again.
const TRUSTED: Duration = Duration::from_mins(30);
/// Up to how much longer, so that not all are asked in one look.
const SPREAD: Duration = Duration::from_mins(30);

/// All that is known, by place and kind. A copy is the same.
#[derive(Clone, Debug, Default)]
pub struct Owners(Arc<Mutex<HashMap<(Location, &'static str), Seen>>>);

/// What is known of a kind at a place.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<String, Tagged>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Tagged {
    /// The tag that names the stack; `None` without a stamp.
    stack: Option<String>,
    until: Instant,
}

impl Owners {
    /// Returns what is known of a kind at a place.
    pub fn of(&self, location: &Location, kind: &'static str) -> Seen {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = all.entry((location.clone(), kind)).or_default().clone();
        drop(all);
        seen.sweep();
        seen
    }
}

impl Seen {
    /// Learns the tags of an object.
    pub fn learn(&self, id: &str, tags: &Tags) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let longer = Duration::from_secs(hash % SPREAD.as_secs());
        let tagged = Tagged {
            stack: tags.get(STACK).cloned(),
            until: Instant::now() + TRUSTED + longer,
        };
        self.known().by_id.insert(id.to_owned(), tagged);
    }

    /// Says whether an object was another's than this stack's when its tags were last read.
    pub fn is_anothers(&self, id: &str, stack: &str) -> bool {
        let known = self.known();
        let tagged = known.by_id.get(id);
        tagged.is_some_and(|tagged| {
            let ours = tagged.stack.as_deref() == Some(&stack_tag(stack));
            !ours && Instant::now() < tagged.until
        })
    }

    /// Forgets what is too old to be trusted: it may be gone.
    fn sweep(&self) {
        let mut known = self.known();
        let now = Instant::now();
        if known.swept.is_none_or(|swept| swept + TRUSTED <= now) {
            known.by_id.retain(|_, tagged| now < tagged.until);
            known.swept = Some(now);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(stack: &str) -> Tags {
        Tags::from([(STACK.to_owned(), stack_tag(stack))])
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_trusted_for_a_while() {
        let owners = Owners::default();
        let here = Location {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let seen = owners.of(&here, "Alarm");
        assert!(!seen.is_anothers("of-shop", "bank"));
        seen.learn("of-shop", &stamped("shop"));
        seen.learn("nobodys", &Tags::new());
        let again = owners.of(&here, "Alarm");
        assert!(again.is_anothers("of-shop", "bank"));
        assert!(!again.is_anothers("of-shop", "shop"));
        assert!(again.is_anothers("nobodys", "shop"));
        assert!(!owners.of(&here, "Dashboard").is_anothers("of-shop", "bank"));

        seen.learn("nobodys", &stamped("shop"));
        assert!(!seen.is_anothers("nobodys", "shop"));

        tokio::time::advance(TRUSTED).await;
        assert!(owners.of(&here, "Alarm").is_anothers("of-shop", "bank"));
        tokio::time::advance(SPREAD).await;
        assert!(!seen.is_anothers("of-shop", "bank"));
        // What is too old is not kept either.
        assert_eq!(owners.of(&here, "Alarm").known().by_id.len(), 0);
    }
}
