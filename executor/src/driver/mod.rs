//! Joins reactor, signals, timer wheels and clock into one duty that one thread at a time may hold.
//!
//! The duty is to wait for the outside world. Whoever holds it may `block` until an event or a deadline, or `look` without waiting;
//! either way it gets a list of wakers and wakes them itself, afterwards. This module never schedules.
//!
//! ```text
//!   worker, idle ── try_duty ──▶ Duty ── block ──▶ reactor.turn(min deadline)  ──┐
//!   worker, busy ── try_duty ──▶ Duty ── look  ──▶ reactor.turn(0)             ──┼──▶ signals ──▶ wheels.turn(now) ──▶ list of wakers
//!   guard        ── try_duty ──▶ Duty ── look  ──▶                             ──┘
//! ```
//!
//! Oversleep. The sleeper must not miss a deadline that is registered while it falls asleep:
//! ```text
//!   sleeper: sleep_until = min(next_wake) ; fence ; re-read next_wake        inserter: next_wake = d ; fence ; read sleep_until
//! ```
//! Of `next_wake` those of wheels are read that were ever used, as their bits say; who sets one does so before its fence, as it sets `next_wake`.
//!
//! With both fences SeqCst, either the sleeper's second look sees `d`, or the inserter sees `sleep_until` and, if `d` is earlier,
//! ends the sleep. Storing after loading, instead of before, loses the timer for ever.

mod bell;
mod clock;
mod crowd;
mod signals;
#[cfg(shuttle)]
mod simulated;

use std::io;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::ledger::{self, Line};
use crate::rt_sync::whole::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::rt_sync::whole::{Mutex, MutexGuard, now};

pub(crate) use clock::Clock;
#[cfg(not(shuttle))]
use reactor as events;
#[cfg(shuttle)]
use simulated as events;

pub(crate) use events::Handle as ReactorHandle;
pub(crate) use reactor::{
    Direction, Interest, ReadyEvent, ReadyFuture, Source, is_shut_down, shut_down,
};
pub(crate) use signals::Listener;
pub(crate) use timer::{Entry, Status, prefetch};

use crowd::Crowd;
use signals::Signals;

/// A timer wheel that knows whom to wake when it gets an earlier deadline.
pub(crate) type Timers = timer::Wheel<Alarm>;

/// The duty's state. One per runtime.
#[derive(Debug)]
pub(crate) struct Driver {
    duty: Mutex<events::Reactor>,
    handle: ReactorHandle,
    /// One wheel per worker, and some for other threads.
    wheels: Box<[Arc<Timers>]>,
    alarm: Alarm,
    clock: Arc<Clock>,
    /// How many turns there were. The guard compares.
    turns: CachePadded<AtomicU64>,
    /// When the last turn was, by the real clock, in nanoseconds since the origin.
    last_turn: CachePadded<AtomicU64>,
    crowd: Crowd,
    /// The holder waits without a limit that a busy thread could prolong.
    blocking: AtomicBool,
    /// Not set: nobody has asked for signals yet. `None`: the runtime has ended before anybody did.
    signals: OnceLock<Option<Arc<Signals>>>,
}

/// How many events are taken from the system at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MostEvents {
    pub(crate) of_a_turn: usize,
    /// Of one that does not wait, if it shall be fewer.
    pub(crate) of_a_look: Option<usize>,
}

/// The right to turn the reactor. Dropping it leaves the duty vacant.
pub(crate) struct Duty<'a> {
    driver: &'a Driver,
    reactor: MutexGuard<'a, events::Reactor>,
}

/// Ends the driver's sleep if a new deadline asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    /// Until when the holder sleeps, in nanoseconds since the origin. 0: it does not.
    sleep_until: Arc<CachePadded<AtomicU64>>,
    handle: ReactorHandle,
    origin: Instant,
    clock: Arc<Clock>,
    /// The wheel it belongs to.
    wheel: usize,
    /// Which wheels have ever had a deadline, a bit for each, modulo 64: there are many more than are used as a rule.
    used: Arc<CachePadded<AtomicU64>>,
}

impl Driver {
    pub(crate) fn new(
        wheels: usize,
        most_events: MostEvents,
        clock: Arc<Clock>,
    ) -> io::Result<Self> {
        let (mut reactor, handle) = events::Reactor::with_capacity(most_events.of_a_turn)?;
        if let Some(most) = most_events.of_a_look {
            reactor.limit_looks(most);
        }
        let origin = clock.now();
        let alarm = Alarm {
            sleep_until: Arc::default(),
            handle: handle.clone(),
            origin,
            clock: clock.clone(),
            wheel: 0,
            used: Arc::default(),
        };
        let wheel = |wheel| {
            let alarm = alarm.clone();
            Arc::new(Timers::new(origin, Alarm { wheel, ..alarm }))
        };
        Ok(Self {
            duty: Mutex::new(reactor),
            handle,
            wheels: (0..wheels).map(wheel).collect(),
            alarm,
            clock,
            turns: CachePadded::default(),
            last_turn: CachePadded::default(),
            crowd: Crowd::default(),
            blocking: AtomicBool::new(false),
            signals: OnceLock::new(),
        })
    }

    /// The duty, if nobody holds it.
    pub(crate) fn try_duty(&self) -> Option<Duty<'_>> {
        let reactor = self.duty.try_lock()?;
        ledger::lock(Line::Duty);
        Some(Duty {
            driver: self,
            reactor,
        })
    }

    pub(crate) fn handle(&self) -> &ReactorHandle {
        &self.handle
    }

    /// How many descriptors were registered, how many of them no longer are, and how many events came for them.
    pub(crate) fn io_counts(&self) -> (u64, u64, u64) {
        self.handle.counts()
    }

    pub(crate) fn wheel(&self, index: usize) -> &Arc<Timers> {
        &self.wheels[index]
    }

    pub(crate) fn wheels(&self) -> usize {
        self.wheels.len()
    }

    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Listens to a signal from now on. The first call opens the descriptors for it.
    pub(crate) fn listen(&self, signal: i32) -> io::Result<Listener> {
        if self.signals.get().is_none() {
            // If another thread, or `close`, was faster, this is dropped.
            let signals = Signals::new(&self.handle)?;
            let _ = self.signals.set(Some(Arc::new(signals)));
        }
        match self.signals.get() {
            Some(Some(signals)) => signals.listen(signal),
            _ => Err(shut_down()),
        }
    }

    /// Ends a `block`, or makes the next one return at once.
    pub(crate) fn wake(&self) {
        self.handle.wake();
    }

    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// True while the holder is blocked, for the guard that wants to sleep deeply.
    pub(crate) fn is_blocking(&self) -> bool {
        self.blocking.load(Ordering::Relaxed)
    }

    /// True if nobody has turned for a while, by the real clock: time for a busy worker to look. `queued`: what it has to do takes so long, and whom an
    /// event wakes will wait behind that.
    pub(crate) fn is_stale(&self, real: Instant, queued: Duration) -> bool {
        let patience = queued.clamp(STALE, MOST_PATIENCE);
        self.since_origin(real)
            .saturating_sub(self.last_turn.load(Ordering::Relaxed))
            >= patience.as_nanos() as u64
    }

    /// Moves the wakers of what is due in one wheel to `wakers`. Any thread may.
    pub(crate) fn fire_wheel(&self, index: usize, now: Instant, wakers: &mut Vec<Waker>) {
        let wheel = &self.wheels[index];
        // The published bound is a plain load: the common case, nothing due, takes no lock.
        if wheel.next_wake().is_some_and(|due| due <= now) {
            while wheel.turn(now, wakers) && wakers.len() < MOST_WAKERS {}
        }
    }

    /// Moves the wakers of what is due in all wheels to `wakers`.
    pub(crate) fn fire_all(&self, now: Instant, wakers: &mut Vec<Waker>) {
        self.used_wheels()
            .for_each(|index| self.fire_wheel(index, now, wakers));
    }

    /// After this, sources and timers answer that the runtime has shut down.
    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        self.handle.close(wakers);
        if let Some(signals) = self.signals.get_or_init(|| None) {
            signals.close(wakers);
        }
        for wheel in &self.wheels {
            while wheel.close(wakers) {}
        }
    }

    /// The earliest deadline of all wheels, exactly.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.used_wheels()
            .filter_map(|index| self.wheels[index].next_deadline())
            .min()
    }

    fn next_wake(&self) -> Option<Instant> {
        self.used_wheels()
            .filter_map(|index| self.wheels[index].next_wake())
            .min()
    }

    /// The wheels that may have a deadline. One that gets its first at this moment may be missing, as its deadline would be: see the top of
    /// this file.
    fn used_wheels(&self) -> impl Iterator<Item = usize> {
        // Relaxed: who adds a deadline fences between this and its look at who sleeps, and who sleeps between that and this.
        let used = self.alarm.used.load(Ordering::Relaxed);
        let last = if used == 0 { 0 } else { self.wheels.len() };
        (0..last).filter(move |wheel| used & wheel_bit(*wheel) != 0)
    }

    fn since_origin(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.alarm.origin))
    }

    fn record_turn(&self, real: Instant) {
        // Only the duty's holder writes, so load and store need not be one step.
        self.turns
            .store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.last_turn
            .store(self.since_origin(real), Ordering::Relaxed);
    }
}

impl Duty<'_> {
    /// Waits for an event, a deadline or `Driver::wake`, and collects whom to wake. For a paused clock, `still` says whether anything
    /// could happen by itself: `None`, or a value that changes when something has. Returns when it ended, by the real clock.
    pub(crate) fn block<S: PartialEq>(
        &mut self,
        wakers: &mut Vec<Waker>,
        still: impl Fn() -> Option<S>,
    ) -> Instant {
        let driver = self.driver;
        let until = driver.alarm.publish(|| driver.next_wake());
        driver.blocking.store(true, Ordering::Relaxed);
        if !driver.clock.is_paused() {
            let timeout = until.map(|until| {
                let now = driver.clock.now();
                let until = until.saturating_duration_since(now);
                driver.crowd.sleep(driver.since_origin(now), until)
            });
            self.turn(timeout, wakers);
        } else {
            self.jump(until, wakers, still);
        }
        driver.blocking.store(false, Ordering::Relaxed);
        driver.alarm.retract();
        self.finish(wakers)
    }

    /// Collects whom to wake now, without waiting.
    pub(crate) fn look(&mut self, wakers: &mut Vec<Waker>) {
        self.turn(Some(Duration::ZERO), wakers);
        self.finish(wakers);
    }

    /// The paused clock's way to wait: if nothing can happen by itself, time jumps to the next deadline. `scheduler::stillness` says why
    /// the steps come in this order.
    fn jump<S: PartialEq>(
        &mut self,
        until: Option<Instant>,
        wakers: &mut Vec<Waker>,
        still: impl Fn() -> Option<S>,
    ) {
        let first = still();
        if first.is_none() || until.is_none() {
            return self.turn(None, wakers);
        }
        // What one end of a connection in this process has written is on its way to the other through the system, which is quick, as a
        // rule, but may do it on another thread of its own.
        let (sources, gone, _) = self.driver.io_counts();
        let grace = if sources > gone {
            GRACE
        } else {
            Duration::ZERO
        };
        self.turn(Some(grace), wakers);
        // The turn may have eaten a wake: without a jump the caller begins again, and does not wait before it has looked.
        if !wakers.is_empty() || still() != first {
            return;
        }
        // The published bound may be too early; the clock must show the deadline itself.
        if let Some(deadline) = self.driver.next_deadline() {
            self.driver.clock.jump_to(deadline);
        }
    }

    fn turn(&mut self, timeout: Option<Duration>, wakers: &mut Vec<Waker>) {
        if let Err(error) = self.reactor.turn(timeout, wakers) {
            // Without its reactor the runtime is deaf for ever; a crash is easier to find.
            eprintln!("executor: the operating system refuses to report events: {error}");
            std::process::abort();
        }
        if let Some(Some(signals)) = self.driver.signals.get() {
            signals.collect(wakers);
        }
    }

    fn finish(&mut self, wakers: &mut Vec<Waker>) -> Instant {
        let real = now();
        let driver = self.driver;
        driver.record_turn(real);
        let before = wakers.len();
        driver.fire_all(driver.clock.at(real), wakers);
        if wakers.len() > before {
            driver.crowd.fired(driver.since_origin(real));
        }
        real
    }
}

impl Alarm {
    /// The time of the clock that the deadlines are meant for, whatever runtime the caller is in.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Whether this time has come, by the same clock. A far one costs no exact look at it.
    #[inline]
    pub(crate) fn has_come(&self, deadline: Instant) -> bool {
        !self.clock.is_far(deadline) && deadline <= self.clock.now()
    }

    /// To be called after a wheel took a deadline that is its earliest.
    pub(crate) fn deadline_added(&self, deadline: Instant) {
        let bit = wheel_bit(self.wheel);
        // Relaxed: see `used_wheels`. Written once for each wheel.
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
        // Pairs with the fence in `publish`: see the top of this file.
        fence(Ordering::SeqCst);
        let deadline = nanos(deadline.saturating_duration_since(self.origin));
        if deadline < self.sleep_until.load(Ordering::Relaxed) {
            self.handle.wake();
        }
    }

    /// Announces a sleep until what `next_wake` says, and returns that.
    fn publish(&self, next_wake: impl Fn() -> Option<Instant>) -> Option<Instant> {
        let mut until = next_wake();
        loop {
            let nanos = until.map_or(u64::MAX, |until| {
                nanos(until.saturating_duration_since(self.origin))
            });
            self.sleep_until.store(nanos, Ordering::Relaxed);
            // Pairs with the fence in `deadline_added`.
            fence(Ordering::SeqCst);
            let again = next_wake();
            if again == until {
                return until;
            }
            until = again;
        }
    }

    fn retract(&self) {
        // Relaxed: an inserter that still sees the old value wakes a driver that is awake, which costs one early return.
        self.sleep_until.store(0, Ordering::Relaxed);
    }
}

/// The locks of wheels that came from another thread.
#[cfg(executor_ledger)]
pub(crate) fn ledger_of_wheels() -> ledger::Entry {
    ledger::Entry {
        line: "other's wheel",
        of_all: false,
        writes: 2 * timer::wheels_handed_over(),
    }
}

fn wheel_bit(wheel: usize) -> u64 {
    1 << (wheel % 64)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A busy worker looks at the outside world this often,
const STALE: Duration = Duration::from_micros(250);

/// or, with so much to do, less often, but not less than this.
const MOST_PATIENCE: Duration = Duration::from_millis(2);

/// A paused clock listens to open sockets for so long, in real time, before it jumps.
const GRACE: Duration = Duration::from_millis(1);

/// Timers are fired until about so many wakers are collected; the rest fires at the next turn, which follows at once.
const MOST_WAKERS: usize = 1024;
