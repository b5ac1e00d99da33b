//! Closes a runtime: from then on no future is polled, and every one is dropped, once.
//!
//! ```text
//!   closer:  closed = true ; fence ; unpark all ; drain          pusher: push ; fence ; closed? then drain
//! ```
//! `drain` may run on any thread, several times and at once. It finds tasks in two ways, and a task is cancelled by whoever holds
//! the right to run it: those with a token by taking the token out of a queue, idle ones by claiming them (`TaskRef::cancel_if_idle`).
//! A task that is being polled is cancelled by its own thread when the poll ends; one whose token is in the hand of a foreign thread, by
//! that thread's own drain. A worker stuck in a poll thus delays nobody's shutdown but its own.

use std::cell::Cell;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::fence;

use super::worker::Worker;
use super::{Shared, wake_all};

impl Shared {
    /// Stops polling. Threads end after the poll they are in; the caller then drains.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        // Pairs with the fences in `inject`, `Idle::sleep`, `sleep_deeply` and the drop of `Driving`.
        fence(SeqCst);
        for worker in 0..self.seats.len() {
            self.unpark(worker);
        }
        self.guard.unpark();
        self.spares.close();
    }

    /// Cancels every task it can reach, and refuses new ones. Sources and timers that tasks leave behind answer with an error.
    pub(crate) fn drain(&self) {
        // A cancelled task may wake another, whose token comes back here: the outer call finds it, without recursion. Of another
        // runtime, that a destructor drops, there is no outer call.
        let outer = DRAINING.replace(self);
        let _reset = Reset(outer);
        if std::ptr::eq(outer, self) {
            return;
        }
        self.cancel_queued();
        for seat in &self.seats {
            let (tasks, last) = seat.tasks.close();
            for task in tasks {
                task.cancel_if_idle();
            }
            drop(last);
        }
        self.cancel_queued();
        let mut wakers = Vec::new();
        self.driver.close(&mut wakers);
        wake_all(&mut wakers);
        self.cancel_queued();
    }

    fn cancel_queued(&self) {
        let queued = || {
            let seats = self.seats.iter();
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
            task.cancel();
        }
    }
}

impl Worker {
    /// Empties this worker's own queues, while it is still the one who may.
    pub(super) fn drain(&self) {
        while let Some(task) = self.seat().slot.take().or_else(|| self.core.queue.pop()) {
            task.cancel();
        }
    }
}

struct Reset(*const Shared);

impl Drop for Reset {
    fn drop(&mut self) {
        DRAINING.set(self.0);
    }
}

thread_local! {
    /// The runtime that this thread drains. Compared, never followed.
    static DRAINING: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}
