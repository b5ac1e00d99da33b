//! Hands a worker's seat to another thread while its own thread blocks in the middle of a poll.
//!
//! ```text
//!                      offer                                  answer, by the thread that was called
//!   giver's `Worker` ─────────▶ the seat's `Vacancy` ──────────────────────────────────────────────▶ a new `Worker`
//!          ▲                          │
//!          └──── take back, once the giver blocks no more: if nobody was quicker
//! ```
//! Invariant: a seat has one owner at any time, and it is never lost. The seat is the `Core`, a value: it is in the hand of one worker or
//! in the vacancy, and moves under the vacancy's lock only, so of the called thread and the returning giver one gets it. While it
//! is in the vacancy, `called` says that a thread is on its way, which answers sooner or later; should the system refuse that thread, the
//! giver takes the core out again and blocks with it. A thread that comes too late for one offer answers the next, so
//! many short ones call one thread, not many. If the new owner blocks in turn there are two givers, and either may get the seat.
//!
//! Nobody else notices. The seat counts as awake throughout: somebody is about to look at its queues. Thieves, wakers and timers only
//! know its public half. After `close` a called thread still comes, finds the runtime closed and drains; a giver that gets its seat back
//! does the same, one that does not leaves the queues to the drains of the others.
//!
//! A `Worker` belongs to one thread from its beginning to its end, also without its core. Its thread is then like any other: what it
//! wakes or spawns goes to the injector, because the worker no longer belongs to the runtime (`belongs_to`). When the poll ends, its thread
//! leaves the loop and stands by (see `spares`).
//!
//! What uses the core after user code has run must have asked for it again. There are few such places, because only a poll may give the
//! core away: not the wakers of a batch, whose frame goes on to use it, and nothing after `close`.

use std::cell::UnsafeCell;
use std::io;
use std::ops::Deref;
use std::ptr;
use std::sync::Arc;

use super::seat::Core;
use super::worker::Worker;
use super::{Shared, ThreadHold, current};
use crate::rt_sync::Mutex;
use crate::rt_sync::whole::now;

/// Where a seat's core is while it changes hands.
#[derive(Debug)]
pub(super) struct Vacancy<C>(Mutex<Offer<C>>);

#[derive(Debug)]
struct Offer<C> {
    core: Option<C>,
    /// A thread is on its way.
    called: bool,
    /// Nobody may take it: the seat is not in use.
    resting: Option<C>,
}

/// What a thread without a seat is called for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// To a vacant seat.
    Seat(usize),
    /// To run code of the user that the guard must not wait for.
    Errands,
}

impl<C> Vacancy<C> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Offer {
            core: None,
            called: false,
            resting: None,
        }))
    }

    /// The seat is not in use from now on: the core stays here.
    pub(super) fn rest(&self, core: C) {
        self.0.lock().resting = Some(core);
    }

    /// The seat is to be in use again.
    pub(super) fn take_resting(&self) -> Option<C> {
        self.0.lock().resting.take()
    }

    /// True: the caller must call a thread, or else `nobody_comes`.
    #[must_use]
    pub(super) fn offer(&self, core: C) -> bool {
        let mut offer = self.0.lock();
        debug_assert!(offer.core.is_none(), "a seat has two owners");
        offer.core = Some(core);
        !std::mem::replace(&mut offer.called, true)
    }

    /// The thread that `offer` asked for could not be called. `None`: another giver, from before, was quicker.
    pub(super) fn nobody_comes(&self) -> Option<C> {
        self.answer()
    }

    /// The giver's: it blocks no more.
    pub(super) fn take_back(&self) -> Option<C> {
        self.0.lock().core.take()
    }

    /// The called thread's, once. `None`: the giver was quicker.
    pub(super) fn answer(&self) -> Option<C> {
        let mut offer = self.0.lock();
        offer.called = false;
        offer.core.take()
    }
}

/// A worker's core, or the place where it was.
pub(super) struct Held(UnsafeCell<Option<Core>>);

impl Held {
    pub(super) fn new(core: Core) -> Self {
        Self(UnsafeCell::new(Some(core)))
    }

    /// False: this thread has handed its seat over.
    #[inline]
    pub(super) fn is_here(&self) -> bool {
        self.get().is_some()
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&Core> {
        // SAFETY: the cell is this thread's alone; only `take` ends the reference early, with its caller's promise.
        unsafe { &*self.0.get() }.as_ref()
    }

    pub(super) fn into_inner(self) -> Option<Core> {
        self.0.into_inner()
    }

    /// # Safety
    ///
    /// - No reference that `deref` has given is used after this.
    unsafe fn take(&self) -> Option<Core> {
        // SAFETY: the cell is this thread's alone, and the caller says that it is not borrowed.
        unsafe { &mut *self.0.get() }.take()
    }

    fn put_back(&self, core: Core) {
        assert!(!self.is_here(), "a worker has one core");
        // SAFETY: the cell is this thread's alone, and while it is empty there is nothing in it to borrow.
        unsafe { *self.0.get() = Some(core) };
    }
}

impl Deref for Held {
    type Target = Core;

    #[inline]
    fn deref(&self) -> &Core {
        self.get()
            .expect("a worker looks whether its core is here after user code has run")
    }
}

/// While it lives, its thread is no worker.
struct Away<'a>(&'a Worker);

impl Worker {
    fn leave_seat(&self) -> Away<'_> {
        // From here on this thread pushes where others look.
        self.serves.set(ptr::null());
        let away = Away(self);
        if !self.polls() {
            return away;
        }
        // The next owner begins as one who is awake and does not search.
        self.found_work();
        self.away.set(Some(ThreadHold::new(&self.shared)));
        self.count_busy(now());
        // SAFETY: this is called in a poll. Of the frames below it, `run_task` does not touch the core after the poll, and `run` asks
        // whether it is here. The others that run user code, `wake_batch` and `drain`, were excluded above.
        let Some(core) = (unsafe { self.core.take() }) else {
            return away;
        };
        let vacancy = &self.seat().vacancy;
        if vacancy.offer(core)
            && self.shared.call_thread(Call::Seat(self.index())).is_err()
            && let Some(core) = vacancy.nobody_comes()
        {
            // This thread blocks with its seat: thieves and the guard do what they can.
            self.core.put_back(core);
        }
        away
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        let worker = self.0;
        if !worker.core.is_here() {
            let Some(core) = worker.seat().vacancy.take_back() else {
                return;
            };
            worker.core.put_back(core);
            worker.count_return();
        }
        drop(worker.away.take());
        worker.serves.set(Arc::as_ptr(&worker.shared));
    }
}

/// Calls `f`, which may block. If this thread is a worker of a multi-thread runtime, and polls a task, another thread goes on with its
/// seat.
pub(crate) fn without_seat<R>(f: impl FnOnce() -> R) -> R {
    current::with(|worker| {
        let _away = worker
            .filter(|worker| worker.has_seat() && !worker.shared.is_current_thread())
            .map(Worker::leave_seat);
        f()
    })
}

impl Shared {
    /// A worker thread's life.
    pub(crate) fn run_worker(self: &Arc<Self>, core: Core) {
        self.sit(core);
        self.stand_by();
    }

    /// The life of a thread that was started because it was called.
    pub(crate) fn run_spare(self: &Arc<Self>, call: Call) {
        self.answer(call);
        self.stand_by();
    }

    /// Calls a thread: one that stands by, or a new one.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses a thread.
    pub(super) fn call_thread(&self, call: Call) -> io::Result<()> {
        if self.spares.call(call) {
            return Ok(());
        }
        let start = self.start_spare.get();
        start.map_or_else(
            || Err(io::ErrorKind::Unsupported.into()),
            |start| start(call),
        )
    }

    fn answer(self: &Arc<Self>, call: Call) {
        match call {
            Call::Seat(seat) => {
                if let Some(core) = self.seats[seat].vacancy.answer() {
                    self.sit(core);
                }
            }
            Call::Errands => self.run_errands(),
        }
    }

    fn stand_by(self: &Arc<Self>) {
        while let Some(call) = self.spares.wait() {
            self.answer(call);
        }
    }
}
