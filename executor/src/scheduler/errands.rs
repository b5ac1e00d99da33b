//! Code of the user that the guard has to call and must not wait for: wakers that are not tasks' own, and the hook for stalls.
//!
//! Each errand calls a thread that has no seat (see `spares`), which runs what it finds. So if one blocks, the next one gets another thread.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Shared;
use super::hand_over::Call;
use crate::rt_sync::whole::Mutex;
use crate::task::drop_quietly;

/// What waits for a thread.
#[derive(Default)]
pub(super) struct Errands(Mutex<VecDeque<Errand>>);

type Errand = Box<dyn FnOnce() + Send>;

impl Shared {
    /// Has `errand` run on another thread; here only if the system refuses that one.
    pub(super) fn send_on_errand(&self, errand: impl FnOnce() + Send + 'static) {
        self.errands.0.lock().push_back(Box::new(errand));
        if self.call_thread(Call::Errands).is_err() {
            self.run_errands();
        }
    }

    /// Runs what waits. A panic is reported by the panic hook, and goes no further.
    pub(super) fn run_errands(&self) {
        // Not in the loop's condition: there the lock would be held while the errand runs.
        let next = || self.errands.0.lock().pop_front();
        while let Some(errand) = next() {
            drop_quietly(catch_unwind(AssertUnwindSafe(errand)));
        }
    }
}

impl fmt::Debug for Errands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Errands")
            .field(&self.0.lock().len())
            .finish()
    }
}
