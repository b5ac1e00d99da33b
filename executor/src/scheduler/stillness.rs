//! Whether anything in the runtime could still happen at this instant: what a paused clock asks before it jumps.
//!
//! A paused clock jumps to the next timer when everything waits. A jump too early is worse than none: a timeout would fire although
//! its message is under way. So whatever can make work is *awake*, and counted, without a gap:
//!
//! | who | awake means | counted in |
//! |---|---|---|
//! | a worker, or a seat that is being handed over | not in `sleepers` | `Idle` |
//! | a thread in `block_on` that is no worker | not parked, or woken and not up yet | `holds`: its own, one however deep calls nest, or the one that its waker took for it |
//! | a closure in the blocking pool | from its submission to its end | `holds` |
//! | a thread that has handed its seat over | until it stands by | `holds` |
//! | the guard with wakers in its hand | from before it gives the duty back | `holds` |
//! | the user's `ClockHold` | while it lives | `holds` |
//! | the duty's holder | it asks the question; with wakers in its hand it leaves `sleepers` before it gives the duty back | itself, `Idle` |
//!
//! Who hands work to another counts that one before it rests itself: a pusher takes a sleeper out of `sleepers`, a waker takes the hold
//! for the root before it wakes it, a spawner that of the closure. And work that lies in a queue has a worker awake or about to be (see `idle`).
//!
//! ```text
//!   the duty's holder                                     whoever falls asleep
//!   J1  look: all asleep, no holds, queues empty          R1  leave the counts
//!   J2  turn the reactor without waiting: nothing         R2  fence(SeqCst)
//!   J3  look again: the same, and no count has moved      R3  the last one, and the clock is paused?
//!   J4  jump                                                  then end the turn of whoever waits
//!       else: turn until somebody ends it, and begin again
//! ```
//! No jump overtakes work. One look reads several words, and activity may walk from one that is not yet read to one that was: a root that
//! looks awake when the workers are counted, wakes one, and parks before the holds are read. But each counter also counts how often
//! somebody became awake. If both looks find everybody asleep, and these numbers the same, then everybody slept from the end of J1 to the
//! beginning of J3. At that time nobody could push, wake or write to a socket, what was pushed before is seen by J3's look at the queues,
//! what was written before by J2, which lies in between. From J3 on only the outside world, and the jump itself, can wake anybody.
//!
//! No jump is forgotten. Let the last one to fall asleep have R1 after J1 read its counter, else J1 sees it asleep. Then R3 comes after
//! the look that saw it awake, and the wake that it sends ends the holder's turn, or the next one at once: the reactor keeps it. It may be
//! J2 that eats it, but after J2 comes J3, which sees everything asleep, or begins again. If the last one finds no holder of the duty, it
//! takes the duty itself. Who pauses the clock ends the turn, too: by the two fences, either R3 sees it paused, or the look after that turn
//! sees R1.
//!
//! While the clock was never paused this costs the last worker to fall asleep one load. Without the feature `test-util` it is not there.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use super::Shared;
use crate::rt_sync::atomic::AtomicU8;
use crate::rt_sync::atomic::Ordering::{AcqRel, Acquire};
use crate::rt_sync::whole::thread_local;

/// A future given to `block_on`, as far as its wakers and the clock are concerned: was it woken, does its thread sleep.
///
/// ```text
///   AWAKE ──try_park──▶ PARKED ──wake──▶ PARKED + WOKEN ──end_park──▶ WOKEN ──begin_poll──▶ AWAKE
/// ```
#[derive(Debug)]
pub(crate) struct RootState(AtomicU8);

const WOKEN: u8 = 1;
const PARKED: u8 = 2;

impl RootState {
    /// To be polled.
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(WOKEN))
    }

    /// True: woken since the last call. A wake that comes at this moment may be missed, as if it came after it: its caller calls the thread afterwards.
    #[inline]
    pub(crate) fn begin_poll(&self) -> bool {
        // Asked first: the driver comes here after every few tasks, and the root was woken seldom.
        // Acquire: pairs with the Release of `wake`.
        self.is_woken() && self.0.fetch_and(!WOKEN, AcqRel) & WOKEN != 0
    }

    #[inline]
    pub(crate) fn is_woken(&self) -> bool {
        // Acquire: as above.
        self.0.load(Acquire) & WOKEN != 0
    }

    /// True: from now on whoever wakes the root is told that it sleeps. False: it was woken already.
    #[must_use]
    pub(crate) fn try_park(&self) -> bool {
        // Release: the next waker, who takes the hold, comes after the sleeper's own.
        self.0.compare_exchange(0, PARKED, AcqRel, Acquire).is_ok()
    }

    /// The thread is up. False: nobody woke the root.
    pub(crate) fn end_park(&self) -> bool {
        self.0.fetch_and(!PARKED, AcqRel) & WOKEN != 0
    }

    /// True: it sleeps, and the caller, who has taken a hold before, leaves that to it.
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        self.0.fetch_or(WOKEN, AcqRel) == PARKED
    }
}

impl Shared {
    /// One more that is awake and no worker. The caller is counted in some way, or time may jump before.
    pub(crate) fn hold_clock(&self) {
        self.holds.take();
    }

    pub(crate) fn release_clock(&self) {
        if self.holds.give_back() {
            self.nudge();
        }
    }

    /// R3: whoever waits in the driver may let time jump now.
    pub(super) fn nudge(&self) {
        if self.driver.clock().is_paused() {
            self.driver.wake();
        }
    }

    /// J1 and J3: if nothing can happen by itself, a value that changes with whatever does.
    pub(super) fn stillness(&self) -> Option<(u64, u64)> {
        // Workers first: one that has woken a root is seen asleep only together with the hold that it took.
        let left = self.idle.all_asleep()?;
        let holds = self.holds.none()?;
        let mut seats = self.seats.in_use().iter();
        let work = self.has_queued_work() || seats.any(|seat| !seat.slot.is_empty());
        (!work).then_some((left, holds))
    }

    /// Marks a root as woken. True: it slept, and the caller must end that.
    pub(crate) fn wake_root(&self, root: &RootState) -> bool {
        self.hold_clock();
        let slept = root.wake();
        if !slept {
            self.release_clock();
        }
        slept
    }
}

/// While it lives, its thread, which is no worker, holds the clock: it is in `block_on`, or runs a closure that may block.
///
/// A thread holds the clock of one runtime once, however deep such calls are inside each other: if the innermost one waits, all do.
#[derive(Debug)]
pub(crate) struct ThreadHold {
    shared: Arc<Shared>,
    /// What `HELD` was before. The same runtime: the hold is that of a call outside of this.
    outer: *const Shared,
}

impl ThreadHold {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        if !ptr::eq(HELD.get(), Arc::as_ptr(shared)) {
            shared.hold_clock();
        }
        Self::take_over(shared)
    }

    /// Of a hold that was taken before.
    pub(crate) fn take_over(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            outer: HELD.replace(Arc::as_ptr(shared)),
        }
    }

    /// Calls `wait`, for which this thread holds nothing, unless the root was woken.
    pub(crate) fn sleep(&self, root: &RootState, wait: impl FnOnce()) {
        if !root.try_park() {
            return;
        }
        let awake = self.suspend();
        wait();
        // Before the state says that this thread is up: whoever wakes the root after that leaves no hold to it.
        drop(awake);
        if root.end_park() {
            // The waker has taken one for it.
            self.shared.release_clock();
        }
    }

    /// Until it is dropped this thread is counted in another way, as a worker for example.
    pub(crate) fn suspend(&self) -> Suspended<'_> {
        self.shared.release_clock();
        Suspended(&self.shared)
    }
}

impl Drop for ThreadHold {
    fn drop(&mut self) {
        HELD.set(self.outer);
        if !ptr::eq(self.outer, Arc::as_ptr(&self.shared)) {
            self.shared.release_clock();
        }
    }
}

/// While it lives, a `ThreadHold` has no effect.
pub(crate) struct Suspended<'a>(&'a Shared);

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        self.0.hold_clock();
    }
}

thread_local! {
    /// The runtime whose clock this thread holds. Compared, never followed.
    static HELD: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

#[cfg(not(feature = "test-util"))]
pub(crate) use real::Holds;
#[cfg(feature = "test-util")]
pub(crate) use test::Holds;

#[cfg(not(feature = "test-util"))]
mod real {
    /// Nobody asks.
    #[derive(Debug)]
    pub(crate) struct Holds;

    impl Holds {
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn take(&self) {}

        #[inline]
        pub(crate) fn give_back(&self) -> bool {
            false
        }

        pub(crate) fn none(&self) -> Option<u64> {
            None
        }
    }
}

#[cfg(feature = "test-util")]
mod test {
    use crate::rt_sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
    use crate::rt_sync::atomic::{AtomicU64, fence};

    /// How many there are who are awake and no workers, and how many there ever were: the lower and the upper half.
    #[derive(Debug)]
    pub(crate) struct Holds(AtomicU64);

    const ONE: u64 = 1;
    const EVER: u64 = 1 << 32;

    impl Holds {
        pub(crate) fn new() -> Self {
            Self(AtomicU64::new(0))
        }

        pub(crate) fn take(&self) {
            // Relaxed: the taker was counted already, or wakes somebody and is counted until it has done so.
            self.0.fetch_add(EVER + ONE, Relaxed);
        }

        /// True: it was the last, and whoever waits in the driver must look again.
        #[must_use]
        pub(crate) fn give_back(&self) -> bool {
            // Release: pairs with the Acquire of `none`, which then sees what the holder has done.
            let last = self.0.fetch_sub(ONE, Release) as u32 == 1;
            if last {
                // R2, pairs with the fence of whoever pauses the clock.
                fence(SeqCst);
            }
            last
        }

        /// If nobody holds the clock, how many there ever were.
        pub(crate) fn none(&self) -> Option<u64> {
            let holds = self.0.load(Acquire);
            (holds as u32 == 0).then_some(holds)
        }
    }
}
