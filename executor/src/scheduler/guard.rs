//! The guard: a thread that takes the driver's duty when no worker does, because all are busy or stuck, and calls for thieves when
//! work waits behind a poll that does not end.
//!
//! It costs nothing while it is not needed. Under load it looks every few milliseconds whether somebody has turned the reactor since
//! its last look. In an idle process it sleeps without a timeout:
//! ```text
//!   guard: deep = true ; fence ; nobody awake, and a worker blocks in the driver? then sleep
//!   the worker that makes "nobody awake" untrue: count itself awake ; fence ; deep? then unpark the guard
//! ```
//! With both fences SeqCst, one of the two sees the other. It is not enough to be woken by whoever leaves the duty: a worker woken
//! by its parker into a stuck poll, while another sits in the driver, would go unseen.

use std::sync::OnceLock;
use std::time::Duration;

use super::{Shared, wake_all};
use crate::rt_sync::whole::atomic::Ordering::{Relaxed, SeqCst};
use crate::rt_sync::whole::atomic::{AtomicBool, fence};
use crate::rt_sync::whole::thread::{self, Thread};

/// The guard's bed.
#[derive(Debug)]
pub(super) struct Guard {
    deep: AtomicBool,
    /// Not set on the current-thread flavour, which has no guard.
    thread: OnceLock<Thread>,
}

impl Guard {
    pub(super) fn new() -> Self {
        Self {
            deep: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    /// To be called by whoever made the first worker awake, after it counted it.
    #[inline]
    pub(super) fn somebody_awoke(&self) {
        // Pairs with the fence in `sleep_deeply`: see the top of this file.
        fence(SeqCst);
        if self.deep.load(Relaxed) {
            self.unpark();
        }
    }

    pub(super) fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

impl Shared {
    /// The guard thread's life.
    pub(crate) fn run_guard(&self) {
        self.guard.thread.get_or_init(thread::current);
        let mut wakers = Vec::new();
        let mut turns = self.driver.turns();
        let mut polls: Vec<u64> = self.seats.iter().map(|seat| seat.running.seq()).collect();
        let mut idle_looks = 0;
        while !self.closed.load(Relaxed) {
            if idle_looks >= IDLE_LOOKS {
                self.sleep_deeply();
                idle_looks = 0;
            }
            thread::park_timeout(LOOK);
            idle_looks = if self.idle.counts().awake() == 0 {
                idle_looks + 1
            } else {
                0
            };
            let seen = self.driver.turns();
            if seen == turns {
                self.take_vacant_duty(&mut wakers);
            }
            turns = self.driver.turns();
            self.wake_for_stuck(&mut polls);
        }
    }

    /// Wakes somebody for work that waits behind a poll which has lasted since the last look. What was put into the next slot, or
    /// behind the others, was announced to nobody: its worker was expected to get to it.
    fn wake_for_stuck(&self, polls: &mut [u64]) {
        for (seat, last) in self.seats.iter().zip(polls) {
            let now = seat.running.seq();
            if std::mem::replace(last, now) == now
                && !(seat.slot.is_empty() && seat.stealer.is_empty())
            {
                self.wake_for_work();
            }
        }
    }

    /// Looks at the outside world if nobody holds the duty.
    fn take_vacant_duty(&self, wakers: &mut Vec<std::task::Waker>) {
        let Some(mut duty) = self.driver.try_duty() else {
            return;
        };
        duty.look(wakers);
        // While the wakers are in our hand the clock must not jump.
        self.hold_clock();
        drop(duty);
        // Somebody may have fallen asleep while we held the duty, and left it to us: with this fence, and the one in
        // `Idle::sleep`, either that worker's own try came after our release, or we see it asleep.
        fence(SeqCst);
        if self.idle.counts().awake() == 0 {
            self.wake_one();
        }
        // Not a worker: what these wake goes to the injector, and wakes somebody.
        wake_all(wakers);
        self.release_clock();
    }

    fn sleep_deeply(&self) {
        self.guard.deep.store(true, Relaxed);
        // Pairs with the fence in `somebody_awoke`, and with the one in `close`.
        fence(SeqCst);
        if self.idle.counts().awake() == 0
            && self.driver.is_blocking()
            && !self.closed.load(Relaxed)
        {
            thread::park();
        }
        self.guard.deep.store(false, Relaxed);
    }
}

/// Between two looks of a guard that is not in deep sleep.
const LOOK: Duration = Duration::from_millis(5);

/// So many looks in a row must find nobody awake before the guard sleeps deeply: light load would wake it for every event.
const IDLE_LOOKS: u32 = 8;
