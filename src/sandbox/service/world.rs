//! What calls share, and how it reaches the disk.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use rand::rngs::SmallRng;

use super::refusal::internal;
use crate::sandbox::faults::Faults;
use crate::sandbox::iam::Policy;
use crate::sandbox::store::Store;
use crate::sandbox::wire::credentials::Signature;
use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

/// What calls share, one at a time.
pub(super) struct World {
    pub(super) state: State,
    pub(super) store: Option<Store>,
    /// Whether something changed that is not on disk: counters that reads move.
    pub(super) unsaved: bool,
    pub(super) ids: SmallRng,
    pub(super) faults: Faults,
    pub(super) policy: Option<Policy>,
    /// The actions that calls have needed under a policy.
    pub(super) asked: BTreeSet<String>,
    /// Apart from `ids`, so that a fault does not change what is generated later.
    pub(super) luck: SmallRng,
    pub(super) requests: SmallRng,
    /// What reads still see instead of the state, by service and account.
    pub(super) lags: Vec<Lag>,
}

/// A write that the next reads do not see yet.
pub(super) struct Lag {
    service: &'static str,
    account: String,
    /// The state just before the write.
    before: State,
    left: u32,
}

impl World {
    /// Runs an operation on the state, and saves it after a write.
    ///
    /// `stale_reads` is how many of the account's next reads of the service do not see what this write does.
    pub(super) fn run(
        &mut self,
        operation: &'static Operation,
        signature: &Signature,
        input: &Map,
        now: Timestamp,
        stale_reads: u32,
    ) -> Answer {
        let account = signature.account();
        let caller = signature.caller(&self.state);
        let before = (operation.access == Access::Write && stale_reads > 0)
            .then(|| copy(&self.state))
            .flatten();
        let lag = self.lags.iter_mut().find(|lag| {
            operation.access == Access::Read
                && lag.service == operation.service
                && lag.account == account
        });
        let state = match lag {
            Some(lag) => {
                lag.left -= 1;
                &mut lag.before
            }
            None => &mut self.state,
        };
        let mut call = Call {
            account,
            region: &signature.region,
            caller: &caller,
            input,
            now,
            rng: &mut self.ids,
        };
        // A mistake in one operation is AWS having an internal error, not the end of the sandbox.
        let answer = catch_unwind(AssertUnwindSafe(|| (operation.run)(state, &mut call)))
            .unwrap_or_else(|_| {
                Err(internal(format!(
                    "The sandbox failed in {}.",
                    operation.name
                )))
            });
        self.lags.retain(|lag| lag.left > 0);
        if answer.is_err() || operation.access == Access::Read {
            self.unsaved = true;
            return answer;
        }
        self.save()?;
        if let Some(before) = before {
            let is_this = |lag: &Lag| lag.service == operation.service && lag.account == account;
            self.lags.retain(|lag| !is_this(lag));
            self.lags.push(Lag {
                service: operation.service,
                account: account.to_owned(),
                before,
                left: stale_reads,
            });
        }
        answer
    }

    /// Runs a read on the state as it is, for the sandbox itself: no caller sees an older state for it or less of one.
    pub(super) fn look(
        &mut self,
        operation: &'static Operation,
        signature: &Signature,
        input: &Map,
        now: Timestamp,
    ) -> Option<Map> {
        let mut call = Call {
            account: signature.account(),
            region: &signature.region,
            caller: "",
            input,
            now,
            rng: &mut self.ids,
        };
        (operation.run)(&mut self.state, &mut call).ok()
    }

    /// Saves the state before the answer of a write goes out.
    ///
    /// When that fails, the write is undone: the state goes back to what is on disk.
    fn save(&mut self) -> Result<(), Fault> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        let Err(error) = store.save(&self.state) else {
            self.unsaved = false;
            return Ok(());
        };
        tracing::error!(%error, "the sandbox's state was not saved");
        if let Ok(mut saved) = store.load() {
            saved.settings = self.state.settings.clone();
            saved.openings = self.state.openings;
            self.state = saved;
        }
        Err(internal(format!(
            "The sandbox could not save its state: {error}"
        )))
    }
}

/// Copies the state the way it is saved.
fn copy(state: &State) -> Option<State> {
    let mut copied: State = serde_json::from_value(serde_json::to_value(state).ok()?).ok()?;
    copied.settings = state.settings.clone();
    Some(copied)
}

impl Drop for World {
    /// Keeps the counters that reads moved, unless nothing but the opening itself would be new.
    fn drop(&mut self) {
        let Some(store) = self.store.as_mut().filter(|_| self.unsaved) else {
            return;
        };
        let Ok(mut saved) = store.load() else { return };
        saved.openings = self.state.openings;
        let same = serde_json::to_vec(&saved).ok() == serde_json::to_vec(&self.state).ok();
        if !same && let Err(error) = store.save(&self.state) {
            tracing::warn!(%error, "the sandbox's last state was not saved");
        }
    }
}
