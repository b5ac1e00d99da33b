//! Spare workers: they stand in for workers whose poll does not end, and leave when they are needed no more.
//!
//! ```text
//!   RESTING ──guard: enrolls it, calls a thread──▶ WORKING ──guard: asks──▶ LEAVING ──its thread, between two polls──▶ RESTING
//!   the core is in the seat's vacancy            the core is in a worker's hand                                  the core is back
//! ```
//! A stuck worker keeps its seat: its thread may be in the middle of anything, and goes on there when the poll ends. So a spare worker has a
//! seat of its own. It is a worker like any other: it sleeps and is woken, steals and is stolen from, takes the duty, may be stuck itself.
//! Two things are different. It has no wheel of its own, so that drivers need not look at a wheel for each seat that could be used. And it
//! is not among the numbered workers of the metrics.
//!
//! How many: one for each worker that is stuck, spare ones included, so that as many workers as were asked for can go on; at most as many
//! as the builder says. They are started as they are needed, at each look of the guard, and stay for a while (`LINGER`), because who was
//! stuck once is likely to be again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::hand_over::Call;
use super::kernel::Tid;
use super::seat::Core;
use super::{Shared, seat::Seat};
use crate::rt_sync::whole::atomic::AtomicU8;
use crate::rt_sync::whole::atomic::Ordering::{Acquire, Relaxed, Release};

/// What a seat's spare worker is at.
#[derive(Debug, Default)]
pub(super) struct Post(AtomicU8);

const RESTING: u8 = 0;
const WORKING: u8 = 1;
const LEAVING: u8 = 2;

impl Post {
    /// The guard wants the worker to leave.
    #[inline]
    pub(super) fn is_leaving(&self) -> bool {
        // Relaxed: only whether it leaves depends on it, and its thread looks again.
        self.0.load(Relaxed) == LEAVING
    }

    fn is_resting(&self) -> bool {
        // Acquire: pairs with the Release in `retire`, so that the guard finds the core.
        self.0.load(Acquire) == RESTING
    }
}

/// The guard's memory of the spare workers.
#[derive(Debug)]
pub(super) struct Reserve {
    /// The most workers that were stuck at once in this window.
    peak: usize,
    /// When this window ends.
    until: Instant,
}

impl Reserve {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            peak: 0,
            until: now + LINGER,
        }
    }

    /// Starts and retires, so that there are as many as needed. `stuck` says of each seat in use whether its worker is.
    pub(super) fn adjust(&mut self, shared: &Arc<Shared>, stuck: &[bool], now: Instant) {
        let needed = stuck.iter().filter(|&&stuck| stuck).count();
        self.peak = self.peak.max(needed);
        let spares = shared.spare_seats().count_working();
        if spares < needed {
            shared.start_spares(needed - spares);
        }
        if now >= self.until {
            let needed = std::mem::take(&mut self.peak);
            shared.retire_spares(spares.saturating_sub(needed), stuck);
            self.until = now + LINGER;
        }
    }
}

/// The seats of spare workers, from the first one.
struct SpareSeats<'a>(&'a Shared);

impl<'a> SpareSeats<'a> {
    fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &'a Seat)> + use<'a> {
        let (all, first) = (self.0.seats.all(), self.0.seats.workers());
        (first..all.len()).map(|index| (index, &*all[index]))
    }

    fn count_working(&self) -> usize {
        self.iter()
            .filter(|(_, seat)| seat.post.0.load(Relaxed) == WORKING)
            .count()
    }
}

impl Shared {
    fn spare_seats(&self) -> SpareSeats<'_> {
        SpareSeats(self)
    }

    /// How many spare workers there are, those that leave included.
    pub(crate) fn spare_workers(&self) -> usize {
        self.idle.counts().workers() - self.seats.workers()
    }

    #[cold]
    fn start_spares(self: &Arc<Self>, count: usize) {
        let resting = self.spare_seats().iter();
        for (index, seat) in resting
            .filter(|(_, seat)| seat.post.is_resting())
            .take(count)
        {
            // Before its thread is there: whoever falls asleep from now on looks at this seat, too.
            let in_use = self.seats.in_use().len();
            self.seats.set_in_use(in_use.max(index + 1));
            seat.post.0.store(WORKING, Relaxed);
            self.idle.enroll();
            if let Err(core) = self.call_to_rest(index) {
                // The system refuses a thread: those that are stuck are not replaced. The next look tries again.
                self.retire(core, false);
                return;
            }
        }
    }

    /// Asks workers to leave, the last ones first; not those that are stuck, who could not hear it.
    #[cold]
    fn retire_spares(&self, count: usize, stuck: &[bool]) {
        let working = self.spare_seats().iter().rev().filter(|(index, seat)| {
            seat.post.0.load(Relaxed) == WORKING && !stuck.get(*index).is_some_and(|&stuck| stuck)
        });
        for (index, seat) in working.take(count) {
            seat.post.0.store(LEAVING, Relaxed);
            // It may sleep. It need not be taken out of the sleepers: it wakes up as if its own poll had ended.
            self.unpark(index);
        }
        let last = self.spare_seats().iter().rev();
        let in_use = last
            .skip_while(|(_, seat)| seat.post.is_resting())
            .map(|(index, _)| index + 1)
            .next();
        self.seats
            .set_in_use(in_use.unwrap_or(self.seats.workers()));
    }

    /// A spare worker leaves: the caller has its core, and is no worker any more.
    pub(super) fn retire(&self, core: Core, searching: bool) {
        let seat = &self.seats[core.index];
        while let Some(task) = seat.slot.take().or_else(|| core.queue.pop()) {
            self.injector.push(task);
        }
        self.idle.retire(searching);
        seat.running.end();
        seat.tid.store(Tid::NONE.0, Relaxed);
        seat.vacancy.rest(core);
        // Release: pairs with the Acquire in `is_resting`.
        seat.post.0.store(RESTING, Release);
        // As S3 of `idle`: who is awake will find the tasks, and the duty. If nobody is, somebody must be.
        if self.idle.counts().awake() == 0
            || (!self.injector.is_empty() && self.idle.nobody_looks())
        {
            self.wake_one();
        }
    }

    /// Calls a thread to the core that rests in a seat, or gives the core back.
    fn call_to_rest(&self, index: usize) -> Result<(), Core> {
        let vacancy = &self.seats[index].vacancy;
        let core = vacancy
            .take_resting()
            .expect("a seat that rests has its core");
        if vacancy.offer(core)
            && self.call_thread(Call::Seat(index)).is_err()
            && let Some(core) = vacancy.nobody_comes()
        {
            return Err(core);
        }
        Ok(())
    }
}

/// A spare worker stays for one to two of these after it was last needed.
const LINGER: Duration = Duration::from_secs(1);
