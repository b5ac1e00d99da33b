//! The guard: a thread that sees to it that no worker which is stuck in a poll stalls the others.
//!
//! | what would wait for a stuck worker | who does it instead |
//! |---|---|
//! | sockets and timers, if no other worker turns the reactor | the guard itself |
//! | the tasks in its queue and its next slot | a sleeper that the guard wakes, who steals them |
//! | the tasks that there is no worker for any more | a spare worker that the guard starts (see `reserve`) |
//!
//! It looks every 5 ms, a millisecond later if it could not tell, and every millisecond for a while after a poll got stuck. A healthy
//! runtime pays for these looks, and a few stores for each poll (see `running`). In an idle process the guard sleeps without a timeout:
//! ```text
//!   guard: deep = true ; fence ; nobody awake, and a worker blocks in the driver? then sleep
//!   the worker that makes "nobody awake" untrue: count itself awake ; fence ; deep? then unpark the guard
//! ```
//! With both fences SeqCst, one of the two sees the other. It is not enough to be woken by whoever leaves the duty: a worker woken
//! by its parker into a stuck poll, while another sits in the driver, would go unseen.
//!
//! The guard never waits for code of the user: see `errands`.

use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use super::Shared;
use super::batch::wake_all;
use super::reserve::Reserve;
use super::stall::{Stall, StallConfig};
use super::watch::Watch;
use crate::rt_sync::whole::atomic::Ordering::{Relaxed, SeqCst};
use crate::rt_sync::whole::atomic::{AtomicBool, AtomicU64, fence};
use crate::rt_sync::whole::now;
use crate::rt_sync::whole::thread::{self, Thread};
use crate::task;

/// The guard's bed.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) deep: AtomicBool,
    /// Not set on the current-thread flavour, which has no guard.
    thread: OnceLock<Thread>,
    stalls: StallConfig,
    /// How many polls were told of.
    stalled: AtomicU64,
}

impl Guard {
    pub(super) fn new(stalls: StallConfig) -> Self {
        Self {
            deep: AtomicBool::new(false),
            thread: OnceLock::new(),
            stalls,
            stalled: AtomicU64::new(0),
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
    pub(crate) fn run_guard(self: &Arc<Self>) {
        self.guard.thread.get_or_init(thread::current);
        let mut wakers = Vec::new();
        let mut turns = self.driver.turns();
        let mut time = now();
        let mut watch = Watch::new(time);
        let mut reserve = Reserve::new(time);
        let mut quick_until = time;
        let mut idle_looks = 0;
        while !self.closed.load(Relaxed) {
            if idle_looks >= IDLE_LOOKS && self.spare_workers() == 0 {
                self.sleep_deeply();
                idle_looks = 0;
                time = now();
                watch.forget(time);
            }
            let pace = if time < quick_until { QUICK } else { LOOK };
            thread::park_timeout(pace);
            time = now();
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
            let seats = self.seats.in_use().iter().map(|seat| &**seat);
            let found = watch.look(seats, time, pace, self.guard.stalls.threshold);
            let calls_were_given_up = !self.allowance.is_full()
                && (found.stuck.contains(&true) || watch.sees_one_block(self.seats.in_use()));
            if calls_were_given_up {
                // Before the call: whom it wakes may call more.
                self.allowance.fill();
            }
            // What was put into the next slot, or behind the others, was announced to nobody.
            let waits = found.work_waits || calls_were_given_up && self.has_queued_work();
            if waits && self.idle.should_wake() {
                self.wake_one();
            }
            if found.news {
                quick_until = time + QUICK_FOR;
            } else if found.unsure {
                quick_until = quick_until.max(time + QUICK);
            }
            reserve.adjust(self, &found.stuck, time);
            self.guard.stalled.fetch_add(found.new_stalls, Relaxed);
            self.tell(found.stalls);
        }
    }

    /// How many polls have lasted so long that the user was told.
    pub(crate) fn stalls(&self) -> u64 {
        self.guard.stalled.load(Relaxed)
    }

    fn tell(self: &Arc<Self>, stalls: Vec<Stall>) {
        for mut stall in stalls {
            let shared = self.clone();
            self.send_on_errand(move || {
                let config = &shared.guard.stalls;
                if config.backtraces {
                    stall.backtrace = shared.backtrace(&stall);
                }
                config.hook.call(&stall);
            });
        }
    }

    /// Where the thread is, if it is still in the same poll, before and after it was asked.
    #[cfg(feature = "backtrace")]
    fn backtrace(&self, stall: &Stall) -> Option<String> {
        let (seat, seq) = stall.poll;
        let lasts = || self.seats[seat].running.seq() == seq;
        lasts()
            .then(|| super::backtrace::of(super::kernel::Tid(stall.tid)))?
            .filter(|_| lasts())
    }

    #[cfg(not(feature = "backtrace"))]
    fn backtrace(&self, _: &Stall) -> Option<String> {
        None
    }

    /// Looks at the outside world if nobody holds the duty.
    pub(super) fn take_vacant_duty(self: &Arc<Self>, wakers: &mut Vec<Waker>) {
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
        let mut others = wakers
            .extract_if(.., |waker| !task::is_task(waker))
            .collect::<Vec<_>>();
        wake_all(wakers);
        if others.is_empty() {
            return self.release_clock();
        }
        let shared = self.clone();
        self.send_on_errand(move || {
            wake_all(&mut others);
            shared.release_clock();
        });
    }

    pub(super) fn sleep_deeply(&self) {
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

/// The same, while polls get stuck.
const QUICK: Duration = Duration::from_millis(1);

/// For so long after a poll got stuck.
const QUICK_FOR: Duration = Duration::from_millis(100);

/// So many looks in a row must find nobody awake before the guard sleeps deeply: light load would wake it for every event.
const IDLE_LOOKS: u32 = 8;
