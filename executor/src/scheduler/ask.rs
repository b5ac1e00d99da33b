//! Asks the tasks of a runtime to end, while it goes on.
//!
//! A task is found in the list of its seat, or, if it has not waited yet, it finds the request when it is linked: list and request have one lock. One that
//! waits for its turn only is not linked as a rule, but is while tasks are asked.

use std::collections::HashSet;

use super::Shared;
use crate::rt_sync::whole::atomic::Ordering::Relaxed;
use crate::task::{Cancelled, Id, TaskRef};

impl Shared {
    /// Asks every task that waits, and each that begins to, be it for its turn.
    pub(crate) fn ask_all(&self, request: &Cancelled) {
        // Relaxed: pairs with the look in `reschedule`. Who links earlier than the request comes to its list is found in that.
        self.asks.store(true, Relaxed);
        for seat in self.seats.all() {
            for task in seat.tasks.ask(request) {
                task.cancel(request);
            }
        }
    }

    /// Aborts every task that waits, or has, but those with one of the ids that `but` gives. Returns them.
    pub(crate) fn abort_all(&self, but: impl FnOnce() -> HashSet<Id>) -> Vec<TaskRef> {
        // All of them before the first abort, and the exceptions after: an abort may begin a finalizer, which waits in a list at once.
        let tasks = self.seats.all().iter().flat_map(|seat| seat.tasks.all());
        let mut tasks: Vec<_> = tasks.collect();
        let but = but();
        tasks.retain(|task| !but.contains(&task.id()) && !task.is_complete());
        for task in &tasks {
            self.note_dropped(task.id(), task.origin());
            task.abort();
        }
        tasks
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: a hint.
        self.closed.load(Relaxed)
    }
}
