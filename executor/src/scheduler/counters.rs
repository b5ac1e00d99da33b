//! What the workers count about themselves, for `RuntimeMetrics`.
//!
//! A worker's numbers lie in its seat and are written by its thread alone, so counting is a load and a store on a line that is its
//! own anyway; readers get a number that was true a moment ago. Only what foreign threads do is counted by read-modify-writes, on a
//! line of their own, at moments at which they meet in the injector or in a lock as well.

use std::time::Duration;

use super::Shared;
use crate::ledger::{self, Line};
use crate::rt_sync::whole::Mutex;
use crate::rt_sync::whole::atomic::AtomicU64;
use crate::rt_sync::whole::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::rt_sync::whole::thread::ThreadId;

/// A number with one writer.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

/// One worker's numbers. Those of every poll come first, beside the seat's own count of polls.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) spawned: Counter,
    pub(super) completed: Counter,
    /// Tokens that its own thread queued here.
    pub(super) scheduled: Counter,
    /// Odd while it sleeps.
    pub(super) parks_and_unparks: Counter,
    /// Sleeps that ended without a poll before the next one.
    pub(super) noops: Counter,
    pub(super) stolen: Counter,
    pub(super) steals: Counter,
    pub(super) busy_nanos: Counter,
    /// Polls that used up their budget.
    pub(super) forced_yields: Counter,
    /// The thread that is, or was last, this worker.
    pub(super) thread: Mutex<Option<ThreadId>>,
}

/// What others than the workers do.
#[derive(Debug, Default)]
pub(super) struct ForeignCounters {
    /// Tasks spawned outside of the workers. Each is injected.
    spawned: AtomicU64,
    /// Tokens of other tasks that were injected.
    woken: AtomicU64,
    /// Tasks that ended outside of the workers: aborted while they waited, or dropped by the end of the runtime.
    completed: AtomicU64,
}

impl Counter {
    /// The owner's call.
    #[inline]
    pub(super) fn add(&self, n: u64) {
        // Release: pairs with the Acquire of `get`, so that who sees a task's end sees its beginning, too.
        self.0.store(self.0.load(Relaxed) + n, Release);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Acquire)
    }
}

impl Counters {
    pub(super) fn add_busy(&self, time: Duration) {
        self.busy_nanos.add(time.as_nanos() as u64);
    }
}

impl ForeignCounters {
    pub(super) fn add_spawned(&self) {
        ledger::write(Line::Foreign);
        self.spawned.fetch_add(1, Release);
    }

    pub(super) fn add_woken(&self) {
        ledger::write(Line::Foreign);
        self.woken.fetch_add(1, Relaxed);
    }

    pub(super) fn add_completed(&self, n: u64) {
        ledger::write(Line::Foreign);
        self.completed.fetch_add(n, Release);
    }
}

/// What the public metrics read. `worker` is a valid index, or the slice panics with the caller's number in the text.
impl Shared {
    pub(crate) fn workers(&self) -> usize {
        self.seats.workers()
    }

    pub(crate) fn spawned_tasks(&self) -> u64 {
        let foreign = self.foreign.spawned.load(Acquire);
        foreign + self.sum(|counters| &counters.spawned)
    }

    pub(crate) fn alive_tasks(&self) -> u64 {
        // Ends first: what began meanwhile may count as alive, but no end comes without its beginning.
        let completed = self.foreign.completed.load(Acquire)
            + self.sum(|counters| &counters.completed)
            + self
                .seats
                .all()
                .iter()
                .map(|seat| seat.completed_elsewhere.load(Acquire))
                .sum::<u64>();
        self.spawned_tasks().saturating_sub(completed)
    }

    pub(crate) fn injected(&self) -> u64 {
        self.foreign.spawned.load(Relaxed) + self.foreign.woken.load(Relaxed)
    }

    pub(crate) fn forced_yields(&self) -> u64 {
        self.sum(|counters| &counters.forced_yields)
    }

    pub(crate) fn injector_depth(&self) -> usize {
        self.injector.len()
    }

    pub(crate) fn queue_depth(&self, worker: usize) -> usize {
        let seat = &self.seats[worker];
        seat.stealer.len() + usize::from(!seat.slot.is_empty())
    }

    pub(crate) fn polls(&self, worker: usize) -> u64 {
        self.seats[worker].running.polls()
    }

    pub(crate) fn scheduled(&self, worker: usize) -> u64 {
        self.seats[worker].counters.scheduled.get()
    }

    pub(crate) fn parks_and_unparks(&self, worker: usize) -> u64 {
        self.seats[worker].counters.parks_and_unparks.get()
    }

    pub(crate) fn noops(&self, worker: usize) -> u64 {
        self.seats[worker].counters.noops.get()
    }

    pub(crate) fn stolen(&self, worker: usize) -> u64 {
        self.seats[worker].counters.stolen.get()
    }

    pub(crate) fn steals(&self, worker: usize) -> u64 {
        self.seats[worker].counters.steals.get()
    }

    pub(crate) fn busy(&self, worker: usize) -> Duration {
        Duration::from_nanos(self.seats[worker].counters.busy_nanos.get())
    }

    pub(crate) fn thread_id(&self, worker: usize) -> Option<ThreadId> {
        *self.seats[worker].counters.thread.lock()
    }

    fn sum(&self, counter: impl Fn(&Counters) -> &Counter) -> u64 {
        self.seats
            .all()
            .iter()
            .map(|seat| counter(&seat.counters).get())
            .sum()
    }
}
