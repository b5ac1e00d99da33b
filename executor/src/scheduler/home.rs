//! A task's way home: from a wake, wherever it happens, to a queue of the task's scheduler.

use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::seat::Seat;
use super::worker::Worker;
use super::{Shared, current, shutdown};
use crate::ledger::{self, Line};
use crate::rt_sync::whole::atomic::{AtomicPtr, Ordering};
use crate::task::{Insert, Notified, Observer, Schedule, TaskRef, UnobservedFailure};

/// A task's way home: the seat in whose list it is linked, or null while it never waited. One word.
///
/// Written once, by the thread that runs the task, or has its token, before the task is idle for the first time; who schedules an idle task has
/// come by its state word, which orders the accesses.
pub(super) struct Home(AtomicPtr<Seat>);

impl Home {
    /// Of a task that has not waited yet.
    pub(super) fn nowhere() -> Self {
        Self(AtomicPtr::default())
    }

    /// The caller has the token of a task that is linked, or runs it.
    #[inline]
    fn seat(&self) -> Option<&Seat> {
        // Relaxed: see `Home`.
        // SAFETY: not null means linked, and the list of a linked task keeps the seat alive.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
    }
}

impl Home {
    /// Links a task that has not waited yet, and asks it to end if all are asked. False: the runtime has ended.
    fn insert(&self, worker: &Worker, task: &TaskRef) -> bool {
        // Its place in the array is as good as any other if the worker has handed it over in this poll.
        let seat = worker.seat();
        // Set first: the list's lock and the state word order it before anybody's look at it.
        self.0
            .store(ptr::from_ref(seat).cast_mut(), Ordering::Relaxed);
        match seat.tasks.insert(task) {
            Insert::Linked => true,
            Insert::Asked(request) => {
                task.cancel(&request);
                true
            }
            Insert::Refused => {
                self.0.store(ptr::null_mut(), Ordering::Relaxed);
                false
            }
        }
    }

    /// Once for each task, out of the way of the others' polls.
    #[cold]
    fn link_first(&self, task: &TaskRef) -> bool {
        current::with(|worker| {
            let worker = worker.expect("tasks are polled by workers");
            let linked = self.insert(worker, task);
            if !linked {
                // The runtime has ended while it was polled: it is dropped now.
                worker.shared.note_dropped(task.id(), task.origin());
            }
            linked
        })
    }

    /// A task that waits for nothing but its turn is found in no list, and tasks are being asked to end.
    #[cold]
    fn link_token(&self, worker: &Worker, task: &Notified) {
        if self.seat().is_none() {
            // Refused, it is dropped where the queues are emptied.
            self.insert(worker, &task.link());
        }
    }
}

impl Schedule for Home {
    fn schedule(&self, task: Notified) {
        let shared = self
            .seat()
            .expect("a task is linked before it is idle")
            .shared;
        current::with(
            |worker| match worker.filter(|worker| worker.belongs_to(shared.as_ptr())) {
                Some(worker) => worker.push(task),
                None => {
                    // Once pushed the task may complete, and be the last one: `shared` needs a count of its own.
                    // SAFETY: the list of a linked task holds the `Arc`, and the token in our hand keeps the list from emptying.
                    let shared = unsafe { Shared::count(shared) };
                    shared.foreign.add_woken();
                    shared.inject_woken(task);
                }
            },
        );
    }

    fn reschedule(&self, task: Notified) {
        current::with(|worker| {
            let worker = worker.expect("tasks are polled by workers");
            // Relaxed: a task that steps back does so again.
            if worker.shared.asks.load(Ordering::Relaxed) {
                self.link_token(worker, &task);
            }
            if let Some(task) = worker.push_behind(task) {
                worker.shared.inject(task);
            }
        });
    }

    #[inline]
    fn link(&self, task: &TaskRef) -> bool {
        self.seat().is_some() || self.link_first(task)
    }

    fn failed(&self, failure: &UnobservedFailure) -> Observer {
        let failures = match self.seat() {
            // SAFETY: as in `schedule`: the task is linked until `release`.
            Some(seat) => Some(unsafe { seat.shared.as_ref() }.failures.clone()),
            None => shutdown::failures_of_unlinked(),
        };
        failures.map_or_else(Observer::default, |failures| failures.failed(failure))
    }

    fn release(&self, task: &TaskRef) {
        let Some(seat) = self.seat() else {
            return shutdown::count_unlinked();
        };
        current::with(|worker| {
            match worker.filter(|worker| worker.belongs_to(seat.shared.as_ptr())) {
                Some(worker) => {
                    ledger::writes(
                        Line::TaskList,
                        if ptr::eq(worker.seat(), seat) { 0 } else { 2 },
                    );
                    worker.seat().counters.completed.add(1);
                }
                None => {
                    ledger::writes(Line::TaskList, 3);
                    seat.completed_elsewhere.fetch_add(1, Ordering::Release);
                }
            }
        });
        let last = seat.tasks.remove(task);
        // What lived by the list may go now, the seat included.
        drop(last);
    }
}

impl Shared {
    /// A counted reference. Not from a `&Shared`: that may be used for the value alone, not for the counts beside it.
    ///
    /// # Safety
    ///
    /// - `this` is a seat's pointer to its `Shared`, and that is alive.
    unsafe fn count(this: NonNull<Self>) -> Arc<Self> {
        // Counted, and given up.
        ledger::writes(Line::Runtime, 2);
        let this = this.as_ptr().cast_const();
        // SAFETY: the pointer came from the `Arc` that `Shared::new` made, and the caller says that it is alive.
        unsafe { Arc::increment_strong_count(this) };
        // SAFETY: as above, and the count made there is this one's.
        unsafe { Arc::from_raw(this) }
    }
}
