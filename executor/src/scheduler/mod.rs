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
//! | `parker` | one thread's sleep |
//! | `worker` | the loop: next task, search, park |
//! | `running` | what a worker polls now, for others who look |
//! | `counters` | what the workers count about themselves |
//! | `hooks` | functions of the user that threads call |
//! | `maintenance` | what a busy worker does for the outside world |
//! | `guard` | the thread that takes the duty when nobody else does |
//! | `hand_over` | another thread goes on with the seat of one that blocks |
//! | `spares` | the threads that wait for a seat |
//! | `stillness` | whether a paused clock may jump, with the proof that no jump overtakes work |
//! | `block_on` | the current-thread flavour: the caller's thread is the worker |
//! | `shutdown` | how everything is dropped once |
//!
//! A *seat* is a worker's place: what thieves and wakers see of it is the `Seat` in the array; what only its thread touches is the
//! `Core`, a value that another thread could be handed. While all workers are busy, spawn, wake, poll and completion write no line
//! that all of them share.

mod block_on;
mod counters;
mod current;
mod guard;
mod hand_over;
mod hooks;
mod idle;
mod maintenance;
mod parker;
mod running;
mod shutdown;
mod spares;
mod stillness;
mod worker;

#[cfg(all(test, loom, feature = "test-util"))]
mod clock_loom_tests;
#[cfg(all(test, loom))]
mod loom_tests;

use std::future::Future;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::driver::{Clock, Driver, MostEvents, Timers};
use crate::queue::{Injector, Local, OneWord, Slot, Stealer};
use crate::rt_sync::whole::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering, fence};
use crate::rt_sync::whole::{processors, thread_number};
use crate::task::{
    self, Id, IdSource, JoinHandle, Notified, Origin, Schedule, TaskList, TaskRef, drop_quietly,
};
use counters::{Counters, ForeignCounters};
use guard::Guard;
use hand_over::Vacancy;
use idle::Idle;
use maintenance::Pace;
use parker::{Parker, Unparked, Unparker};
use running::Running;
use spares::Spares;
use stillness::Holds;
use worker::Worker;

pub(crate) use block_on::CoreSlot;
pub(crate) use current::{drives_current_thread, worker_index};
pub(crate) use hand_over::without_seat;
pub(crate) use hooks::Hook;
#[allow(unused_imports, reason = "the report of a shutdown is to use it")]
pub(crate) use running::Polled;
pub(crate) use shutdown::is_last_poll;
pub(crate) use stillness::{RootState, ThreadHold};

/// What the threads of one runtime share.
pub(crate) struct Shared {
    seats: Box<[CachePadded<Seat>]>,
    injector: CachePadded<Injector<Notified>>,
    idle: Idle,
    driver: Driver,
    guard: Guard,
    spares: Spares,
    start_spare: OnceLock<StartSpare>,
    /// No task is polled any more.
    closed: AtomicBool,
    /// The flavour: the current-thread one is strictly first in, first out, and its thread is whoever calls `block_on`.
    current_thread: Option<CoreSlot>,
    /// A batch of events wakes no more workers once so many are awake: the number of processors, or of workers if that is less.
    processors: usize,
    on_park: Option<Hook>,
    on_unpark: Option<Hook>,
    foreign: CachePadded<ForeignCounters>,
    holds: Holds,
}

/// Starts a thread that runs `Shared::run_spare` with the seat of that number.
pub(crate) type StartSpare = Box<dyn Fn(usize) -> io::Result<()> + Send + Sync>;

/// The public half of a worker's place.
struct Seat {
    slot: Slot<Notified>,
    stealer: Stealer<Notified>,
    unparker: Unparker,
    running: Running,
    counters: Counters,
    /// Tasks linked here that ended on another thread than a worker's: aborted while they waited.
    completed_elsewhere: AtomicU64,
    /// The tasks that first waited here.
    tasks: CachePadded<TaskList<Arc<Shared>>>,
    vacancy: Vacancy<Core>,
    /// Valid while a task is linked here: the list holds the `Arc` (see `TaskList`).
    shared: NonNull<Shared>,
}

// SAFETY: the pointer is followed only as said at the field, and what it points to may be shared.
unsafe impl Send for Seat {}
// SAFETY: as above.
unsafe impl Sync for Seat {}

/// The owner's half.
pub(crate) struct Core {
    index: usize,
    queue: Local<Notified>,
    parker: Parker,
    ids: IdSource,
    /// Here, so that many short `block_on` calls get to maintenance as one long call does.
    pace: Pace,
}

/// A task's way home: the seat in whose list it is linked, or null while it never waited. One word.
///
/// Written once, by the thread that runs the task, before the task is idle for the first time; who schedules an idle task has
/// come by its state word, which orders the accesses.
struct Home(AtomicPtr<Seat>);

/// What the builder decided.
pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) current_thread: bool,
    pub(crate) start_paused: bool,
    /// How long a thread without a seat waits for one.
    pub(crate) keep_alive: Duration,
    /// The most polls between two looks at the injector, timers and events.
    pub(crate) most_polls: u32,
    pub(crate) most_events: MostEvents,
    pub(crate) on_park: Option<Hook>,
    pub(crate) on_unpark: Option<Hook>,
}

/// A new task on a thread that is no worker: to be injected where user code may run, because a closed runtime drops it there.
#[must_use]
pub(crate) struct Foreign {
    task: Notified,
    shared: Arc<Shared>,
}

impl Shared {
    /// Makes the shared state, and a core for each worker to come.
    pub(crate) fn new(config: Config) -> io::Result<(Arc<Self>, Vec<Core>)> {
        let cores: Vec<Core> = (0..config.workers)
            .map(|index| Core::new(index, config.most_polls))
            .collect();
        let wheels = config.workers
            + if config.current_thread {
                1
            } else {
                FOREIGN_WHEELS
            };
        let clock = Arc::new(Clock::new(config.start_paused));
        let driver = Driver::new(wheels, config.most_events, clock)?;
        let shared = Arc::new_cyclic(|weak: &std::sync::Weak<Self>| Self {
            seats: cores
                .iter()
                .map(|core| CachePadded::new(Seat::new(core, weak.as_ptr())))
                .collect(),
            injector: CachePadded::new(Injector::new()),
            idle: Idle::new(config.workers),
            driver,
            guard: Guard::new(),
            spares: Spares::new(config.keep_alive),
            start_spare: OnceLock::new(),
            closed: AtomicBool::new(false),
            current_thread: config.current_thread.then(CoreSlot::new),
            processors: processors().min(config.workers),
            on_park: config.on_park,
            on_unpark: config.on_unpark,
            foreign: CachePadded::default(),
            holds: Holds::new(),
        });
        for seat in &shared.seats {
            seat.tasks.set_keep_alive(shared.clone());
        }
        Ok((shared, cores))
    }

    /// Says, before the first worker starts, how threads are started. Without it `call_thread` is an error.
    pub(crate) fn set_start_spare(&self, start: StartSpare) {
        let _first = self.start_spare.set(start);
    }

    /// Makes a task, and schedules it if this thread is a worker. If not, the caller must inject what is returned.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        future: F,
        origin: impl Into<Origin>,
    ) -> (JoinHandle<F::Output>, Option<Foreign>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        current::with(|worker| {
            let worker = worker.filter(|worker| worker.belongs_to(&**self));
            let id = worker.map_or_else(Id::next, Worker::next_id);
            let (task, handle) = task::new(future, Home(AtomicPtr::default()), id, origin);
            match worker {
                Some(worker) => {
                    worker.seat().counters.spawned.add(1);
                    worker.push(task);
                    (handle, None)
                }
                None => {
                    self.foreign.add_spawned();
                    let shared = self.clone();
                    (handle, Some(Foreign { task, shared }))
                }
            }
        })
    }

    /// The wheel that timers made on this thread go to.
    pub(crate) fn timers(&self) -> &Arc<Timers> {
        let index = current::with(|worker| {
            worker
                .filter(|worker| worker.belongs_to(self))
                .map(Worker::index)
        });
        self.driver
            .wheel(index.unwrap_or_else(|| self.foreign_wheel()))
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn is_current_thread(&self) -> bool {
        self.current_thread.is_some()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Queues a token from a thread that is not one of our workers. The caller keeps `self` alive by other means than the token.
    fn inject(&self, task: Notified) {
        self.injector.push(task);
        // Pairs with the fence in `close`: either we see `closed` here, or the closer's drain sees the task. It is also the fence
        // between the push and the look at the counts (see `idle`).
        fence(Ordering::SeqCst);
        if self.closed.load(Ordering::Relaxed) {
            self.drain();
        } else if self.idle.nobody_looks() {
            self.wake_one();
        }
    }

    /// Wakes a worker if nobody is looking for work already.
    #[inline]
    fn wake_for_work(&self) {
        if self.idle.should_wake() {
            self.wake_one();
        }
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
        let workers = self.seats.len();
        workers + thread_number() % (self.driver.wheels() - workers)
    }
}

impl Seat {
    fn new(core: &Core, shared: *const Shared) -> Self {
        Self {
            slot: Slot::new(),
            stealer: core.queue.stealer(),
            unparker: core.parker.unparker(),
            running: Running::new(),
            counters: Counters::default(),
            completed_elsewhere: AtomicU64::new(0),
            tasks: CachePadded::new(TaskList::new()),
            vacancy: Vacancy::new(),
            shared: NonNull::new(shared.cast_mut()).expect("an Arc's value has an address"),
        }
    }
}

impl Core {
    fn new(index: usize, most_polls: u32) -> Self {
        Self {
            index,
            queue: Local::new(),
            parker: Parker::new(),
            ids: IdSource::default(),
            pace: Pace::new(most_polls),
        }
    }
}

impl Foreign {
    pub(crate) fn inject(self) {
        self.shared.inject(self.task);
    }
}

impl Home {
    /// The caller has the token of a task that is linked, or runs it.
    fn seat(&self) -> Option<&Seat> {
        // Relaxed: see `Home`.
        // SAFETY: not null means linked, and the list of a linked task keeps the seat alive.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
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
                    shared.inject(task);
                }
            },
        );
    }

    fn reschedule(&self, task: Notified) {
        current::with(|worker| {
            let worker = worker.expect("tasks are polled by workers");
            if let Some(task) = worker.push_behind(task) {
                worker.shared.inject(task);
            }
        });
    }

    fn link(&self, task: &TaskRef) -> bool {
        if self.seat().is_some() {
            return true;
        }
        current::with(|worker| {
            // Its place in the array is as good as any other if the worker has handed it over in this poll.
            let seat = worker.expect("tasks are polled by workers").seat();
            // Set first: the list's lock and the state word order it before anybody's look at it.
            self.0
                .store(ptr::from_ref(seat).cast_mut(), Ordering::Relaxed);
            let linked = seat.tasks.insert(task);
            if !linked {
                self.0.store(ptr::null_mut(), Ordering::Relaxed);
            }
            linked
        })
    }

    fn release(&self, task: &TaskRef) {
        let Some(seat) = self.seat() else {
            return shutdown::count_unlinked();
        };
        current::with(|worker| {
            match worker.filter(|worker| worker.belongs_to(seat.shared.as_ptr())) {
                Some(worker) => worker.seat().counters.completed.add(1),
                None => {
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
        let this = this.as_ptr().cast_const();
        // SAFETY: the pointer came from the `Arc` that `Shared::new` made, and the caller says that it is alive.
        unsafe { Arc::increment_strong_count(this) };
        // SAFETY: as above, and the count made there is this one's.
        unsafe { Arc::from_raw(this) }
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
            .field("workers", &self.seats.len())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// Wakes everybody. A waker that panics must not keep the others asleep.
fn wake_all(wakers: &mut Vec<Waker>) {
    for waker in wakers.drain(..) {
        drop_quietly(WakeOnDrop(Some(waker)));
    }
}

/// Turns a wake into a drop, so that `drop_quietly` catches what it throws.
struct WakeOnDrop(Option<Waker>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.0.take().expect("dropped once").wake();
    }
}

/// Wheels for timers of threads that are no workers.
const FOREIGN_WHEELS: usize = 4;
