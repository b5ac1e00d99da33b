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
//! | `maintenance` | what a busy worker does for the outside world |
//! | `guard` | the thread that takes the duty when nobody else does |
//! | `block_on` | the current-thread flavour: the caller's thread is the worker |
//! | `shutdown` | how everything is dropped once |
//!
//! A *seat* is a worker's place: what thieves and wakers see of it is the `Seat` in the array; what only its thread touches is the
//! `Core`, a value that another thread could be handed. While all workers are busy, spawn, wake, poll and completion write no line
//! that all of them share.

mod block_on;
mod current;
mod guard;
mod idle;
mod maintenance;
mod parker;
mod shutdown;
mod worker;

#[cfg(all(test, loom))]
mod loom_tests;

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::task::Waker;

use crossbeam_utils::CachePadded;

use crate::driver::{Clock, Driver, Timers};
use crate::queue::{Injector, Local, OneWord, Slot, Stealer};
use crate::task::{self, Id, IdSource, JoinHandle, Notified, Schedule, TaskList, TaskRef, drop_quietly};
use guard::Guard;
use idle::Idle;
use parker::{Parker, Unparked, Unparker};

pub(crate) use block_on::CoreSlot;
pub(crate) use current::is_worker;

/// What the threads of one runtime share.
pub(crate) struct Shared {
    seats: Box<[CachePadded<Seat>]>,
    /// One per seat, and `FOREIGN_SHARDS` for threads that are no workers.
    shards: Box<[CachePadded<Shard>]>,
    injector: CachePadded<Injector<Notified>>,
    idle: Idle,
    driver: Driver,
    guard: Guard,
    /// No task is polled any more.
    closed: AtomicBool,
    /// The flavour: the current-thread one is strictly first in, first out, and its thread is whoever calls `block_on`.
    current_thread: Option<CoreSlot>,
    /// Not more than this many workers are woken at once for a batch of events.
    processors: usize,
}

/// The public half of a worker's place.
struct Seat {
    slot: Slot<Notified>,
    stealer: Stealer<Notified>,
    unparker: Unparker,
    /// How many polls were begun here. Written by the owner only.
    polls: AtomicU64,
}

/// The owner's half.
pub(crate) struct Core {
    index: usize,
    queue: Local<Notified>,
    parker: Parker,
    ids: IdSource,
}

/// A list of tasks, and the pointer every one of them carries.
struct Shard {
    tasks: TaskList<Arc<Shared>>,
    /// Valid while a task is linked here: the list holds the `Arc` (see `TaskList`).
    shared: NonNull<Shared>,
    index: usize,
}

// SAFETY: the pointer is followed only as said at the field, and what it points to may be shared.
unsafe impl Send for Shard {}
// SAFETY: as above.
unsafe impl Sync for Shard {}

/// A task's way home: one word.
#[derive(Clone, Copy)]
struct Home(NonNull<Shard>);

// SAFETY: a task that is not complete is linked in the shard, whose list keeps the shard alive; a complete task does not look.
unsafe impl Send for Home {}
// SAFETY: as above.
unsafe impl Sync for Home {}

/// What the builder decided.
pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) current_thread: bool,
    pub(crate) start_paused: bool,
}

/// A task that came too late: the runtime is closed. To be cancelled where user code may run.
#[must_use]
pub(crate) struct Refused(Option<Notified>);

impl Shared {
    /// Makes the shared state, and a core for each worker to come.
    pub(crate) fn new(config: &Config) -> io::Result<(Arc<Self>, Vec<Core>)> {
        let cores: Vec<Core> = (0..config.workers).map(Core::new).collect();
        let shards = config.workers + if config.current_thread { 1 } else { FOREIGN_SHARDS };
        let driver = Driver::new(shards, Arc::new(Clock::new(config.start_paused)))?;
        let shared = Arc::new_cyclic(|weak: &std::sync::Weak<Self>| Self {
            seats: cores.iter().map(|core| CachePadded::new(Seat::new(core))).collect(),
            shards: (0..shards).map(|index| CachePadded::new(Shard::new(index, weak.as_ptr()))).collect(),
            injector: CachePadded::new(Injector::new()),
            idle: Idle::new(config.workers),
            driver,
            guard: Guard::new(),
            closed: AtomicBool::new(false),
            current_thread: config.current_thread.then(CoreSlot::new),
            processors: num_cpus::get(),
        });
        for shard in &shared.shards {
            shard.tasks.set_keep_alive(shared.clone());
        }
        Ok((shared, cores))
    }

    /// Makes a task and schedules it. The caller cancels what is refused, after it let go of whatever user code must not find held.
    pub(crate) fn spawn<F>(&self, future: F, location: &'static Location<'static>) -> (JoinHandle<F::Output>, Refused)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        current::with(|worker| {
            let worker = worker.filter(|worker| worker.belongs_to(self));
            let (shard, id) = match worker {
                Some(worker) => (&self.shards[worker.index()], worker.next_id()),
                None => (self.foreign_shard(), Id::next()),
            };
            let (token, handle) = task::new(future, Home(NonNull::from(&**shard)), id, location);
            if !shard.tasks.insert(&token) {
                return (handle, Refused(Some(token)));
            }
            match worker {
                Some(worker) => worker.push(token),
                None => self.inject(token),
            }
            (handle, Refused(None))
        })
    }

    /// The wheel that timers made on this thread go to.
    pub(crate) fn timers(&self) -> &Arc<Timers> {
        let index = current::with(|worker| worker.filter(|worker| worker.belongs_to(self)).map(|worker| worker.index()));
        self.driver.wheel(index.unwrap_or_else(|| self.foreign_shard().index))
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn is_current_thread(&self) -> bool {
        self.current_thread.is_some()
    }

    /// How many worker threads this runtime has; the current-thread flavour has one place for its caller.
    pub(crate) fn workers(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// How many tasks are not complete.
    pub(crate) fn tasks(&self) -> usize {
        self.shards.iter().map(|shard| shard.tasks.len()).sum()
    }

    /// Queues a token from a thread that is not one of our workers. The caller keeps `self` alive by other means than the token.
    fn inject(&self, task: Notified) {
        self.injector.push(task);
        // Pairs with the fence in `close`: either we see `closed` here, or the closer's drain sees the task.
        fence(Ordering::SeqCst);
        if self.closed.load(Ordering::Relaxed) {
            self.drain();
        } else {
            self.wake_for_work();
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

    /// A shard for the current thread, the same each time.
    fn foreign_shard(&self) -> &CachePadded<Shard> {
        let foreign = &self.shards[self.seats.len()..];
        &foreign[foreign_thread() % foreign.len()]
    }
}

impl Seat {
    fn new(core: &Core) -> Self {
        Self {
            slot: Slot::new(),
            stealer: core.queue.stealer(),
            unparker: core.parker.unparker(),
            polls: AtomicU64::new(0),
        }
    }
}

impl Core {
    fn new(index: usize) -> Self {
        Self { index, queue: Local::new(), parker: Parker::new(), ids: IdSource::default() }
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

impl Shard {
    fn new(index: usize, shared: *const Shared) -> Self {
        let shared = NonNull::new(shared.cast_mut()).expect("an Arc's value has an address");
        Self { tasks: TaskList::new(), shared, index }
    }
}

impl Home {
    /// The caller holds the token of a task that is linked here, or runs it.
    fn shard(&self) -> &Shard {
        // SAFETY: a linked task's list keeps the shard alive, and a task that has a token, or runs, is linked.
        unsafe { self.0.as_ref() }
    }
}

impl Schedule for Home {
    fn schedule(&self, task: Notified) {
        let shared = self.shard().shared;
        // SAFETY: as in `shard`; the token in our hand is what keeps the list from emptying.
        let shared = unsafe { shared.as_ref() };
        current::with(|worker| match worker.filter(|worker| worker.belongs_to(shared)) {
            Some(worker) => worker.push(task),
            None => {
                // Once pushed the task may complete, and be the last one: `shared` needs a count of its own.
                let shared = shared.count();
                shared.inject(task);
            }
        });
    }

    fn reschedule(&self, task: Notified) {
        // SAFETY: as in `schedule`.
        let shared = unsafe { self.shard().shared.as_ref() };
        current::with(|worker| match worker.filter(|worker| worker.belongs_to(shared)) {
            Some(worker) => worker.push_behind(task),
            None => shared.count().inject(task),
        });
    }

    fn release(&self, task: &TaskRef) {
        let last = self.shard().tasks.remove(task);
        // What lived by the list may go now, the shard included.
        drop(last);
    }
}

impl Shared {
    /// A counted reference, from a borrowed one.
    fn count(&self) -> Arc<Self> {
        let this: *const Self = self;
        // SAFETY: every `Shared` is made by `Shared::new`, in an `Arc`, and `self` shows that it is alive.
        unsafe {
            Arc::increment_strong_count(this);
            Arc::from_raw(this)
        }
    }
}

impl Refused {
    /// Drops the future, on this thread; its handle answers "cancelled".
    pub(crate) fn cancel(self) {
        if let Some(token) = self.0 {
            token.cancel();
        }
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
        f.debug_struct("Shared").field("workers", &self.seats.len()).field("closed", &self.closed).finish_non_exhaustive()
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

/// A number for the current thread, to spread threads over the foreign shards.
fn foreign_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

const FOREIGN_SHARDS: usize = 4;
