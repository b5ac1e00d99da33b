//! Which worker the current thread is, if any.

use std::cell::Cell;
use std::ptr;

use super::worker::Worker;
use crate::rt_sync::whole::thread_local;
use crate::task::Keeper;

/// Makes the current thread `worker` until dropped.
pub(super) struct Installed {
    previous: *const Worker,
    /// A thread that runs tasks keeps their memory.
    _keeper: Keeper,
}

pub(super) fn install(worker: &Worker) -> Installed {
    Installed {
        previous: WORKER.replace(worker),
        _keeper: Keeper::start(),
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        WORKER.set(self.previous);
    }
}

/// Calls `f` with the current thread's worker.
#[inline]
pub(super) fn with<R>(f: impl FnOnce(Option<&Worker>) -> R) -> R {
    // A const-initialised cell without a destructor is there even while other thread locals are being destroyed.
    let worker = WORKER.get();
    // SAFETY: not null means between `install` and the drop of its guard, for which time the guard's owner keeps the worker
    // alive; the cell is this thread's own, and `f` cannot leak the reference.
    f(unsafe { worker.as_ref() })
}

/// The poll that this thread is in, of a task or of a root, was so many of others as well: a worker's pace is by all of them.
pub(crate) fn count_polls(polls: u32) {
    with(|worker| {
        // It may have handed its seat over in this poll.
        if let Some(core) = worker.and_then(|worker| worker.core.get()) {
            core.pace.count(polls);
        }
    });
}

/// True on the thread that drives a current-thread runtime, in everything that it calls.
pub(crate) fn drives_current_thread() -> bool {
    with(|worker| worker.is_some_and(|worker| worker.shared.is_current_thread()))
}

/// Which of the numbered workers the thread is, if any.
pub(crate) fn worker_index() -> Option<usize> {
    with(|worker| worker.filter(|worker| worker.has_seat())?.number())
}

thread_local! {
    static WORKER: Cell<*const Worker> = const { Cell::new(ptr::null()) };
}
