//! Creating what AWS gives neither a token nor a name of its own: nothing but a look stands between a second try and a
//! second object.

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

use super::{AwsError, Class};
use crate::model::Id;
use crate::model::stamp::{self, Stamp};

/// How often a creation is tried: as often as the SDK would.
const TRIES: usize = 3;
/// How often it is looked for an object before the first try, which the engine does too, and after one whose answer was
/// lost: lists can lag behind.
const LOOKS_BEFORE: usize = 1;
const LOOKS_AFTER: usize = 6;

/// Looks for what an earlier call with this stamp made, and creates it where there is nothing.
///
/// `look` finds it by the stamp. `make` sends one request without the SDK's retries, which would not look in between.
/// `refuses` knows the errors, besides those of throttling, with which AWS has made nothing and which may pass.
///
/// # Errors
/// The first of `look`, and of `make` the first that does not pass, or the last.
pub async fn create<L, M>(
    stamp: &Stamp,
    look: impl Fn() -> L,
    make: impl Fn() -> M,
    refuses: impl Fn(&AwsError) -> bool,
) -> Result<Id, AwsError>
where
    L: Future<Output = Result<Option<Id>, AwsError>>,
    M: Future<Output = Result<Id, AwsError>>,
{
    // A stamp that names no object finds none.
    let named = stamp.tags.contains_key(stamp::OBJECT);
    let times = |times| if named { times } else { 0 };
    let mut found = looks(times(LOOKS_BEFORE), &look).await?;
    let mut pause = Duration::from_millis(500);
    let mut tries = 1;
    loop {
        if let Some(id) = found {
            return Ok(id);
        }
        let error = match make().await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        found = match error.class {
            // Refused before anything was made.
            Class::Throttled => None,
            _ if refuses(&error) => None,
            Class::Transient => looks(times(LOOKS_AFTER), &look).await?,
            _ => return Err(error),
        };
        if found.is_none() {
            if tries == TRIES {
                return Err(error);
            }
            tries += 1;
            sleep(pause).await;
            pause *= 2;
        }
    }
}

/// Looks until there is something, at most so many times: 125 ms after the first, then twice as long each time.
///
/// # Errors
/// The first of `look`.
pub async fn looks<L>(times: usize, look: impl Fn() -> L) -> Result<Option<Id>, AwsError>
where
    L: Future<Output = Result<Option<Id>, AwsError>>,
{
    let mut pause = Duration::from_millis(125);
    for time in 0..times {
        if time > 0 {
            sleep(pause).await;
            pause *= 2;
        }
        if let Some(id) = look().await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
