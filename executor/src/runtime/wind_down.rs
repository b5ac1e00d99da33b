//! The orderly part of a shutdown: tasks are asked to end, and those that do not are aborted, while the runtime still runs.
//!
//! ```text
//!   ask all ──▶ wait, half of the grace ──▶ abort who is left ──▶ wait for finalizers, a quarter ──▶ close (see `context/start`)
//! ```
//!
//! Nobody is told when the last task ends: that would be a look at a count of all for each task. So the one who waits looks now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::block_on::run_if_free;
use crate::context::{State, is_own_thread};
use crate::rt_sync::whole::{now, thread};
use crate::task::{Cancelled, TaskRef};
use crate::time::sleep;

/// Asks all tasks of the runtime to end, and aborts those that have not within half of `grace`. Returns how many these were.
pub(super) fn wind_down(state: &Arc<State>, request: &Cancelled, grace: Duration) -> usize {
    let core = state.scheduler.core_slot();
    // In a task nothing is waited for: it would be among those. On a thread that drives it there is nobody else to run them.
    if is_own_thread(state)
        || core.is_some_and(|slot| slot.has_driver_here())
        || state.scheduler.is_closed()
        || state.alive() == 0
    {
        return 0;
    }
    let begin = now();
    state.ask_all(request);
    let none_left = || state.alive() == 0;
    if wait(state, begin.checked_add(grace / 2), &none_left) {
        return 0;
    }
    let aborted = state.abort_all();
    // Not for polls that are under way elsewhere: these are waited for when the runtime has closed.
    let finalized = || aborted.iter().all(TaskRef::is_complete) && state.finalizers.is_empty();
    wait(state, begin.checked_add(grace / 4 * 3), &finalized);
    aborted.len()
}

/// Until it is so, or the time is over. True: it is so.
fn wait(state: &Arc<State>, until: Option<Instant>, is_so: &dyn Fn() -> bool) -> bool {
    let is_over = || {
        let out_of_time = until.is_some_and(|until| now() >= until);
        out_of_time || state.scheduler.is_closed() || is_so()
    };
    let core = state.scheduler.core_slot();
    let mut pause = SHORTEST_PAUSE;
    while !is_over() {
        // If nobody else runs the tasks, this thread does; it does not wait for one that may be stuck. Those that are ready run first.
        let ran = core.is_some_and(|slot| {
            run_if_free(state, slot, async {
                crate::task::yield_now().await;
                if !is_over() {
                    sleep(pause).await;
                }
            })
        });
        if !ran {
            thread::park_timeout(pause);
        }
        pause = LONGEST_PAUSE.min(2 * pause);
    }
    is_so()
}

const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);
