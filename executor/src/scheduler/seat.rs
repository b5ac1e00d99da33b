//! The seats: a worker's place, what others see of it and what only its owner touches.
//!
//! A `Seat` lies in an array that is fixed when the runtime is built, and outlives the threads that sit there. A `Core` is a value that
//! moves from thread to thread, and with it the right to run tasks at that seat. The first seats are those of the workers, the others are
//! for spare workers, which come and go (see `reserve`).

use std::ops::Index;
use std::ptr::NonNull;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::Shared;
use super::counters::Counters;
use super::hand_over::Vacancy;
use super::kernel::Tid;
use super::pace::Pace;
use super::parker::{Parker, Unparker};
use super::reserve::Post;
use super::running::Running;
use crate::queue::{Local, Slot, Stealer};
use crate::rt_sync::whole::atomic::Ordering::Relaxed;
use crate::rt_sync::whole::atomic::{AtomicU32, AtomicU64, AtomicUsize};
use crate::task::{IdSource, Notified, TaskList};

/// All seats of a runtime.
pub(super) struct Seats {
    all: Box<[CachePadded<Seat>]>,
    workers: usize,
    /// Nobody sits, and no task lies, at this seat or behind it. Written by the guard only.
    in_use: AtomicUsize,
}

/// The public half of a worker's place.
pub(super) struct Seat {
    pub(super) slot: Slot<Notified>,
    pub(super) stealer: Stealer<Notified>,
    pub(super) unparker: Unparker,
    pub(super) running: Running,
    pub(super) counters: Counters,
    /// Tasks linked here that ended on another thread than a worker's: aborted while they waited.
    pub(super) completed_elsewhere: AtomicU64,
    /// The tasks that first waited here.
    pub(super) tasks: CachePadded<TaskList<Arc<Shared>>>,
    pub(super) vacancy: Vacancy<Core>,
    /// Of a spare worker.
    pub(super) post: Post,
    /// The system's number of the thread that sits here, or was the last to.
    pub(super) tid: AtomicU32,
    /// Valid while a task is linked here: the list holds the `Arc` (see `TaskList`).
    pub(super) shared: NonNull<Shared>,
}

// SAFETY: the pointer is followed only as said at the field, and what it points to may be shared.
unsafe impl Send for Seat {}
// SAFETY: as above.
unsafe impl Sync for Seat {}

/// The owner's half.
pub(crate) struct Core {
    pub(super) index: usize,
    pub(super) queue: Local<Notified>,
    pub(super) parker: Parker,
    pub(super) ids: IdSource,
    /// Here, so that many short `block_on` calls get to maintenance as one long call does.
    pub(super) pace: Pace,
}

impl Seats {
    /// Seats for `workers`, whose cores are returned, and for `spares`, whose cores rest in their seats.
    pub(super) fn new(
        workers: usize,
        spares: usize,
        most_polls: u32,
        shared: *const Shared,
    ) -> (Self, Vec<Core>) {
        let cores: Vec<Core> = (0..workers + spares)
            .map(|index| Core::new(index, most_polls))
            .collect();
        let all: Box<[_]> = cores
            .iter()
            .map(|core| CachePadded::new(Seat::new(core, shared)))
            .collect();
        let mut cores = cores;
        for (seat, core) in all[workers..].iter().zip(cores.drain(workers..)) {
            seat.vacancy.rest(core);
        }
        let seats = Self {
            all,
            workers,
            in_use: AtomicUsize::new(workers),
        };
        (seats, cores)
    }

    /// How many there are for workers that are no spares.
    pub(super) fn workers(&self) -> usize {
        self.workers
    }

    /// Those that may have tasks. Relaxed: a spare worker's thread, and so all that it does, comes after its seat was put in use.
    #[inline]
    pub(super) fn in_use(&self) -> &[CachePadded<Seat>] {
        &self.all[..self.in_use.load(Relaxed)]
    }

    /// The guard's call.
    pub(super) fn set_in_use(&self, seats: usize) {
        self.in_use.store(seats, Relaxed);
    }

    pub(super) fn all(&self) -> &[CachePadded<Seat>] {
        &self.all
    }
}

impl Index<usize> for Seats {
    type Output = Seat;

    #[inline]
    fn index(&self, index: usize) -> &Seat {
        &self.all[index]
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
            post: Post::default(),
            tid: AtomicU32::new(Tid::NONE.0),
            shared: NonNull::new(shared.cast_mut()).expect("an Arc's value has an address"),
        }
    }

    /// Nothing waits at this seat. Others may see this a moment late.
    #[inline]
    pub(super) fn has_no_task(&self) -> bool {
        self.slot.is_empty() && self.stealer.is_empty()
    }
}

impl Core {
    fn new(index: usize, most_polls: u32) -> Self {
        Self {
            index,
            queue: Local::new(),
            parker: Parker::new(),
            ids: IdSource::new(),
            pace: Pace::new(most_polls),
        }
    }
}
