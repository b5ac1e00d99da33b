//! Closes a runtime: from then on no future is polled, and every one is dropped, once.
//!
//! ```text
//!   closer:  closed = true ; fence ; unpark all ; drain          pusher: push ; fence ; closed? then drain
//! ```
//! `drain` may run on any thread, several times and at once. It finds tasks in two ways, and a task is cancelled by whoever holds
//! the right to run it: those with a token by taking the token out of a queue, idle ones by claiming them (`TaskRef::cancel_if_idle`).
//! A task that is being polled is cancelled by its own thread when the poll ends; one whose token is in the hand of a foreign thread that wakes it,
//! by the closer's last drain or one more (`last_drain`). A worker stuck in a poll thus delays nobody's shutdown but its own.

use std::cell::Cell;
use std::sync::Arc;

use super::batch::wake_all;
use super::worker::Worker;
use super::{Failures, Shared, current};
use crate::rt_sync::whole::atomic::Ordering::{Relaxed, SeqCst};
use crate::rt_sync::whole::atomic::fence;
use crate::rt_sync::whole::{thread, thread_local};
use crate::task::Notified;

impl Shared {
    /// Stops polling. Threads end after the poll they are in; the caller then drains.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        // Pairs with the fences in `inject`, `Idle::sleep`, `sleep_deeply` and the drop of `Driving`.
        fence(SeqCst);
        for worker in 0..self.seats.all().len() {
            self.unpark(worker);
        }
        self.guard.unpark();
        self.spares.close();
    }

    /// Cancels every task it can reach, and refuses new ones. Sources and timers that tasks leave behind answer with an error.
    pub(crate) fn drain(&self) {
        // A cancelled task may wake another, whose token comes back here: the outer call finds it, without recursion. Of another
        // runtime, that a destructor drops, there is no outer call.
        let draining = Draining::start(self);
        if std::ptr::eq(draining.outer.0, self) {
            return;
        }
        self.cancel_queued();
        for seat in self.seats.all() {
            let (tasks, last) = seat.tasks.close();
            for task in tasks {
                if task.cancel_if_idle() {
                    self.note_dropped(task.id(), task.origin());
                }
            }
            drop(last);
        }
        self.cancel_queued();
        let mut wakers = Vec::new();
        self.driver.close(&mut wakers);
        wake_all(&mut wakers);
        self.cancel_queued();
        self.foreign.add_completed(UNLINKED.take());
    }

    /// As `drain`, for who ends the runtime, and will not look again.
    pub(crate) fn drain_last(&self) {
        self.last_drain.begin();
        self.drain();
    }

    /// Drains on another thread.
    #[cold]
    pub(super) fn drain_elsewhere(self: &Arc<Self>) {
        let shared = self.clone();
        let thread = thread::Builder::new().name("executor-drain".into());
        if thread.spawn(move || shared.drain_as_asked()).is_err() {
            // Better here than not at all.
            self.drain_as_asked();
        }
    }

    fn drain_as_asked(&self) {
        self.last_drain.start();
        self.drain();
    }

    fn cancel_queued(&self) {
        let queued = || {
            let seats = self.seats.all().iter();
            self.injector.steal().or_else(|| {
                seats.into_iter().find_map(|seat| {
                    if seat.stealer.is_empty() {
                        seat.slot.steal()
                    } else {
                        seat.stealer.steal()
                    }
                })
            })
        };
        while let Some(task) = queued() {
            self.cancel_for_good(task);
        }
    }
}

impl Shared {
    /// Drops a task whose runtime has ended.
    pub(super) fn cancel_for_good(&self, task: Notified) {
        self.note_dropped(task.id(), task.origin());
        task.cancel();
    }
}

/// True in a task that will be dropped when the poll it is in ends, because its runtime has closed meanwhile.
pub(crate) fn is_last_poll() -> bool {
    current::with(|worker| {
        worker.is_some_and(|worker| {
            worker.has_seat() && !worker.in_root.get() && worker.shared.closed.load(Relaxed)
        })
    })
}

impl Worker {
    /// Empties this worker's own queues, while it is still the one who may.
    pub(super) fn drain(&self) {
        while let Some(task) = self.seat().slot.take().or_else(|| self.core.queue.pop()) {
            self.shared.cancel_for_good(task);
        }
    }
}

/// Counts the end of a task that never waited, hence is linked nowhere: for the runtime that this thread drains, or else for the
/// one whose worker it is.
pub(super) fn count_unlinked() {
    if !DRAINING.get().is_null() {
        return UNLINKED.set(UNLINKED.get() + 1);
    }
    current::with(|worker| match worker {
        Some(worker) if worker.has_seat() => worker.seat().counters.completed.add(1),
        Some(worker) => worker.shared.foreign.add_completed(1),
        None => {}
    });
}

/// What is to be done about the panic of a task that is linked nowhere: by the runtime that `count_unlinked` counts its end for.
pub(super) fn failures_of_unlinked() -> Option<Arc<Failures>> {
    // SAFETY: not null means that a `drain` of this thread has not returned, which borrows what it drains.
    if let Some(drained) = unsafe { DRAINING.get().as_ref() } {
        return Some(drained.failures.clone());
    }
    current::with(|worker| worker.map(|worker| worker.shared.failures.clone()))
}

/// What the current thread drains, from `start` until dropped, and what was there before.
pub(super) struct Draining {
    outer: (*const Shared, u64),
}

impl Draining {
    fn start(shared: *const Shared) -> Self {
        let outer = DRAINING.replace(shared);
        // The recursive call counts for its outer one.
        let counted = if std::ptr::eq(outer, shared) {
            UNLINKED.get()
        } else {
            UNLINKED.take()
        };
        Self {
            outer: (outer, counted),
        }
    }

    /// A destructor, called by a drain, begins to drive another runtime on this thread.
    pub(super) fn suspend() -> Self {
        Self::start(std::ptr::null())
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        let (draining, counted) = self.outer;
        if !std::ptr::eq(DRAINING.replace(draining), draining) {
            UNLINKED.set(counted);
        }
    }
}

thread_local! {
    /// The runtime that this thread drains: compared, and followed by `failures_of_unlinked`.
    static DRAINING: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
    /// How many tasks that were linked nowhere it has dropped so far.
    static UNLINKED: Cell<u64> = const { Cell::new(0) };
}
