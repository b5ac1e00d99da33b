//! The scheduler: what the workers of one runtime share, and how a token finds one of them.
//!
//! ```text
//!   wake on a worker     ──▶ its next slot ──displaced──▶ its FIFO ◀──half──┐
//!   wake elsewhere       ──▶ injector ───────────────────────▲              │ steal
//!                                                            └── batch ── worker ◀── woken by `idle`
//! ```
//! | file | concept |
//! |---|---|
//! | `idle` | who sleeps and who is woken, with the proof that no task is forgotten |
//! | `allowance` | how many may be woken beyond the processors |
//! | `parker` | one thread's sleep |
//! | `seat` | a worker's place |
//! | `home` | a task's way from a wake to a queue |
//! | `worker` | the loop: next task, park |
//! | `search` | how it finds work at other seats |
//! | `running` | what a worker polls now, for others who look |
//! | `counters` | what the workers count about themselves |
//! | `hooks` | functions of the user that threads call |
//! | `maintenance` | what a busy worker does for the outside world |
//! | `pace` | how often it does, and how long its polls take |
//! | `guard` | the thread that takes the duty when nobody else does, and sees to it that no stuck worker stalls others |
//! | `watch` | which workers are in a poll that does not end |
//! | `kernel` | what the system says a thread does |
//! | `reserve` | the spare workers that stand in for stuck ones |
//! | `stall` | what the user is told of a poll that does not end |
//! | `backtrace` | where a thread is, by a signal |
//! | `errands` | code of the user that the guard must not wait for |
//! | `hand_over` | another thread goes on with the seat of one that blocks |
//! | `spares` | the threads that wait to be called to a seat |
//! | `stillness` | whether a paused clock may jump, with the proof that no jump overtakes work |
//! | `block_on` | the current-thread flavour: the caller's thread is the worker |
//! | `shutdown` | how everything is dropped once |
//! | `last_drain` | who drops what is woken from outside at the very end |
//! | `failures` | what a task that panics leads to |
//! | `debug` | which polls were slow, and what the end has dropped |
//!
//! A *seat* is a worker's place. While all workers are busy, spawn, wake, poll and completion write no line that all of them share.

mod allowance;
mod ask;
#[cfg(feature = "backtrace")]
mod backtrace;
mod batch;
mod block_on;
mod counters;
mod current;
mod debug;
mod errands;
mod failures;
mod guard;
mod hand_over;
mod home;
mod hooks;
mod idle;
mod kernel;
mod last_drain;
mod maintenance;
mod pace;
mod parker;
mod reserve;
mod running;
mod search;
mod seat;
mod shutdown;
mod spares;
mod stall;
mod stillness;
mod watch;
mod worker;

#[cfg(all(test, loom))]
mod announce_loom_tests;
#[cfg(all(test, loom, feature = "test-util"))]
mod clock_loom_tests;
#[cfg(all(test, loom))]
mod guard_loom_tests;
#[cfg(all(test, loom))]
mod hand_over_loom_tests;
#[cfg(all(test, loom))]
mod idle_loom_tests;
#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;

use std::future::Future;
use std::io;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::driver::{Clock, Driver, MostEvents, Timers};
use crate::ledger::{self, Line};
use crate::queue::{Injector, OneWord};
use crate::rt_sync::whole::atomic::{AtomicBool, Ordering, fence};
use crate::rt_sync::whole::{processors, thread_number};
use crate::task::{self, Id, JoinHandle, Notified, Origin};
use allowance::Allowance;
use counters::ForeignCounters;
use errands::Errands;
use guard::Guard;
use hand_over::Call;
use home::Home;
use idle::Idle;
use last_drain::LastDrain;
use parker::Unparked;
use seat::Seats;
use spares::Spares;
use stillness::Holds;
use worker::Worker;

#[cfg(feature = "backtrace")]
pub(crate) use backtrace::prepare as prepare_backtraces;
pub(crate) use block_on::CoreSlot;
pub(crate) use current::{count_polls, drives_current_thread, worker_index};
pub(crate) use debug::{DebugConfig, DebugMode};
pub use debug::{DebugEvent, DroppedTask, SlowPoll};
pub(crate) use failures::Failures;
pub(crate) use hand_over::without_seat;
pub(crate) use hooks::Hook;
pub(crate) use running::{PollUnderWay, Polled};
pub(crate) use seat::Core;
pub(crate) use shutdown::is_last_poll;
pub use stall::{Stall, ThreadActivity};
pub(crate) use stall::{StallConfig, StallHook};
pub(crate) use stillness::{RootState, ThreadHold};

/// What the threads of one runtime share.
pub(crate) struct Shared {
    seats: Seats,
    injector: CachePadded<Injector<Notified>>,
    idle: Idle,
    allowance: CachePadded<Allowance>,
    driver: Driver,
    guard: Guard,
    spares: Spares<Call>,
    errands: Errands,
    start_spare: OnceLock<StartSpare>,
    /// No task is polled any more.
    closed: AtomicBool,
    last_drain: LastDrain,
    /// Tasks are asked to end.
    asks: AtomicBool,
    /// The flavour: the current-thread one is strictly first in, first out, and its thread is whoever calls `block_on`.
    current_thread: Option<CoreSlot>,
    /// A batch of events wakes no more workers once so many are awake, and a worker no more than its allowance: the number of processors, or of
    /// workers if that is less.
    processors: usize,
    on_park: Option<Hook>,
    on_unpark: Option<Hook>,
    foreign: CachePadded<ForeignCounters>,
    holds: Holds,
    failures: Arc<Failures>,
    debug: Option<Arc<DebugMode>>,
}

/// Starts a thread that runs `Shared::run_spare` with the call.
pub(crate) type StartSpare = Box<dyn Fn(Call) -> io::Result<()> + Send + Sync>;

/// What the builder decided.
pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) current_thread: bool,
    pub(crate) start_paused: bool,
    /// The most spare workers at once.
    pub(crate) spare_workers: usize,
    pub(crate) stalls: StallConfig,
    /// How long a thread without a seat waits for one.
    pub(crate) keep_alive: Duration,
    /// The most polls between two looks at the injector, timers and events.
    pub(crate) most_polls: u32,
    pub(crate) most_events: MostEvents,
    pub(crate) on_park: Option<Hook>,
    pub(crate) on_unpark: Option<Hook>,
    pub(crate) failures: Arc<Failures>,
    pub(crate) debug: Option<Arc<DebugMode>>,
}

/// A runtime that has closed while a task was injected: to be drained where user code may run, because that drops tasks.
#[must_use]
pub(crate) struct Closed(Arc<Shared>);

impl Shared {
    /// Makes the shared state, and a core for each worker to come.
    pub(crate) fn new(config: Config) -> io::Result<(Arc<Self>, Vec<Core>)> {
        // The caller of `block_on` is the one worker of the current-thread flavour; nobody could stand in for it.
        let spares = if config.current_thread {
            0
        } else {
            config.spare_workers
        };
        let wheels = config.workers
            + if config.current_thread {
                1
            } else {
                FOREIGN_WHEELS
            };
        let clock = Arc::new(Clock::new(config.start_paused));
        let driver = Driver::new(wheels, config.most_events, clock)?;
        let mut cores = Vec::new();
        let shared = Arc::new_cyclic(|weak: &std::sync::Weak<Self>| Self {
            seats: {
                let (seats, of_workers) =
                    Seats::new(config.workers, spares, config.most_polls, weak.as_ptr());
                cores = of_workers;
                seats
            },
            injector: CachePadded::new(Injector::new()),
            idle: Idle::new(config.workers),
            allowance: CachePadded::new(Allowance::new(config.workers)),
            driver,
            guard: Guard::new(config.stalls),
            spares: Spares::new(config.keep_alive),
            errands: Errands::default(),
            start_spare: OnceLock::new(),
            closed: AtomicBool::new(false),
            last_drain: LastDrain::new(),
            asks: AtomicBool::new(false),
            current_thread: config.current_thread.then(CoreSlot::new),
            processors: processors().min(config.workers),
            on_park: config.on_park,
            on_unpark: config.on_unpark,
            foreign: CachePadded::default(),
            holds: Holds::new(),
            failures: config.failures,
            debug: config.debug,
        });
        for seat in shared.seats.all() {
            seat.tasks.set_keep_alive(shared.clone());
        }
        Ok((shared, cores))
    }

    /// Says, before the first worker starts, how threads are started. Without it `call_thread` is an error.
    pub(crate) fn set_start_spare(&self, start: StartSpare) {
        let _first = self.start_spare.set(start);
    }

    /// Makes a task, and schedules it. The caller must drain what is returned.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        future: F,
        origin: impl Into<Origin>,
    ) -> (JoinHandle<F::Output>, Option<Closed>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = task::new(future, Home::nowhere(), self.new_id(), origin);
        (handle, self.begin(task))
    }

    // These two are apart from `spawn`, which is compiled for each future of a program.

    fn new_id(&self) -> Id {
        current::with(|worker| {
            let worker = worker.filter(|worker| worker.belongs_to(self));
            worker.map_or_else(Id::next, Worker::next_id)
        })
    }

    /// Schedules a new task. The caller must drain what is returned.
    fn begin(self: &Arc<Self>, task: Notified) -> Option<Closed> {
        current::with(
            |worker| match worker.filter(|worker| worker.belongs_to(&**self)) {
                Some(worker) => {
                    worker.seat().counters.spawned.add(1);
                    worker.push(task);
                    None
                }
                None => {
                    self.foreign.add_spawned();
                    self.offer(task).then(|| Closed(self.clone()))
                }
            },
        )
    }

    /// As `spawn`. A worker of this runtime that polls a task polls the new one at once, inside of that poll, as a part of it: with what is
    /// left of its budget.
    pub(crate) fn spawn_eager<F>(
        self: &Arc<Self>,
        future: F,
        origin: impl Into<Origin>,
    ) -> (JoinHandle<F::Output>, Option<Closed>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = current::with(|worker| {
            // Whoever wakes a batch, or drains, is in no poll; and what a poll may do, they may not.
            let worker = worker.filter(|worker| worker.belongs_to(&**self) && worker.polls())?;
            worker.seat().counters.spawned.add(1);
            Some(worker.next_id())
        });
        let Some(id) = id else {
            return self.spawn(future, origin);
        };
        let (task, handle) = task::new(future, Home::nowhere(), id, origin);
        // The seat may be another thread's afterwards: this frame does not ask for it any more.
        task.run();
        (handle, None)
    }

    /// The wheel that timers made on this thread go to.
    pub(crate) fn timers(&self) -> &Arc<Timers> {
        let index = current::with(|worker| {
            let worker = worker.filter(|worker| worker.belongs_to(self));
            worker.and_then(Worker::number)
        });
        // Counted by the timer, and given up.
        ledger::writes(Line::ForeignWheel, if index.is_none() { 2 } else { 0 });
        self.driver
            .wheel(index.unwrap_or_else(|| self.foreign_wheel()))
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    pub(crate) fn is_current_thread(&self) -> bool {
        self.current_thread.is_some()
    }

    /// Queues a token from a thread that is not one of our workers, where user code may run. The caller keeps `self` alive by other means
    /// than the token.
    fn inject(&self, task: Notified) {
        if self.offer(task) {
            self.drain();
        }
    }

    /// As `inject`, for a wake: what calls it may hold a lock that a task's destructor takes.
    fn inject_woken(self: &Arc<Self>, task: Notified) {
        if self.offer(task) && self.last_drain.must_ask() {
            self.drain_elsewhere();
        }
    }

    /// As `inject`, where user code must not run. True: the runtime has closed, and the caller must see to it that it is drained.
    #[must_use]
    fn offer(&self, task: Notified) -> bool {
        self.injector.push(task);
        // Pairs with the fence in `close`: either we see `closed` here, or the closer's drain sees the task. It is also the fence
        // between the push and the look at the counts (see `idle`).
        fence(Ordering::SeqCst);
        let closed = self.closed.load(Ordering::Relaxed);
        if !closed && self.idle.nobody_looks() {
            self.wake_one();
        }
        closed
    }

    /// Wakes a worker if nobody is looking for work already, and it may find a processor: for a worker, who will look itself.
    #[inline]
    fn wake_for_work(&self) {
        if self.idle.should_wake() {
            self.wake_one_more();
        }
    }

    #[cold]
    fn wake_one_more(&self) {
        if self.idle.counts().awake() < self.useful() || self.allowance.take() {
            self.wake_one();
        }
    }

    /// How many workers have a use for a processor at once. Spare ones stand in for some of those that are awake.
    fn useful(&self) -> usize {
        self.processors + self.spare_workers()
    }

    #[cold]
    fn wake_one(&self) {
        if self.idle.wake_one(|worker| self.unpark(worker)) {
            self.guard.somebody_awoke();
        }
    }

    fn unpark(&self, worker: usize) {
        if self.seats[worker].unparker.unpark() == Unparked::EndPoll {
            self.driver.wake();
        }
    }

    /// The number of a wheel for the current thread, which is no worker; the same each time.
    fn foreign_wheel(&self) -> usize {
        let workers = self.seats.workers();
        workers + thread_number() % (self.driver.wheels() - workers)
    }
}

impl Closed {
    pub(crate) fn drain(self) {
        self.0.drain();
    }
}

impl OneWord for Notified {
    fn into_raw(self) -> NonNull<()> {
        Self::into_raw(self)
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::from_raw(raw) }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("workers", &self.seats.workers())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// Wheels for timers of threads that are no workers.
const FOREIGN_WHEELS: usize = 4;
