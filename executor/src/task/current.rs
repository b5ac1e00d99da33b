//! Which task the current thread polls or drops, and what the task asks of it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::Id;
use super::raw::Header;
use crate::rt_sync::thread_local;

/// The id of the task that calls it, also in the closure of a [`spawn_blocking`](super::spawn_blocking).
///
/// # Panics
///
/// Outside of a task. The future given to `block_on` is none. See [`try_id`].
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let task = executor::spawn(async { executor::task::id() });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), id);
/// # });
/// ```
#[doc(alias = "current_task")]
#[track_caller]
pub fn id() -> Id {
    try_id().expect(
        "`task::id` was called outside of a task (the future given to `block_on` is none): spawn what needs an id, or use `task::try_id`",
    )
}

/// The id of the task that calls it, or `None` outside of a task. See [`id`].
pub fn try_id() -> Option<Id> {
    with(|frame| frame.map(Frame::id))
}

/// A stretch of code of a task's user: a poll, or a destructor.
pub(super) struct Frame {
    /// In a poll the task's header. In a destructor, when the header may be gone, the id, twice, with the lowest bit set.
    who: *const (),
    steps_back: Cell<bool>,
}

impl Frame {
    /// Of a poll. The caller runs the task, which keeps it alive while the frame is entered.
    #[inline]
    pub(super) fn of_poll(task: NonNull<Header>) -> Self {
        Self {
            who: task.as_ptr().cast_const().cast(),
            steps_back: Cell::new(false),
        }
    }

    /// Of the destructor of a future or an output.
    #[inline]
    pub(super) fn of_end(id: Id) -> Self {
        // An id is less than 2^63: no process spawns more tasks.
        let who = ptr::without_provenance(((id.to_number() << 1) | 1) as usize);
        Self {
            who,
            steps_back: Cell::new(false),
        }
    }

    /// The task that is being polled.
    #[inline]
    fn task(&self) -> Option<&Header> {
        if self.who.addr() & 1 != 0 {
            return None;
        }
        // SAFETY: it is the header of a task that the maker of the frame runs, for as long as the frame is entered, and only then it is found here.
        unsafe { self.who.cast::<Header>().as_ref() }
    }

    fn id(&self) -> Id {
        match self.task() {
            Some(task) => task.id,
            None => Id::from_number(self.who.addr() as u64 >> 1),
        }
    }

    /// The thread runs code of the task until what is returned is dropped, where it was made. No closure: that would be compiled for each future
    /// of a program.
    #[inline]
    pub(super) fn enter(&self) -> Entered<'_> {
        Entered {
            outer: replace(self),
            _frame: PhantomData,
        }
    }

    /// The task asked to be polled again, behind the others.
    #[inline]
    pub(super) fn steps_back(&self) -> bool {
        self.steps_back.get()
    }
}

/// Asks that the task with this header be polled again once the poll that the caller is in has ended. False: this thread does not poll it.
#[inline]
pub(super) fn step_back(header: *const ()) -> bool {
    with(|frame| {
        // In a destructor it is never so: what `who` is there has its lowest bit set.
        let frame = frame.filter(|frame| ptr::eq(frame.who, header));
        frame.inspect(|frame| frame.steps_back.set(true)).is_some()
    })
}

/// Calls `f` with the task that this thread polls, if it does.
#[inline]
pub(super) fn with_task<R>(f: impl FnOnce(&Header) -> Option<R>) -> Option<R> {
    with(|frame| frame.and_then(Frame::task).and_then(f))
}

/// What tells the innermost frame from those around it. Null outside of all.
#[inline]
pub(super) fn frame() -> *const Frame {
    CURRENT.with(Cell::get)
}

/// Leaves the frame when it is dropped.
pub(super) struct Entered<'a> {
    outer: *const Frame,
    _frame: PhantomData<&'a Frame>,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        replace(self.outer);
    }
}

#[inline]
fn replace(frame: *const Frame) -> *const Frame {
    CURRENT.with(|current| current.replace(frame))
}

#[inline]
fn with<R>(f: impl FnOnce(Option<&Frame>) -> R) -> R {
    // SAFETY: not null means that an `Entered` lives, which borrows the frame: nobody forgets one. `f` cannot keep it.
    f(unsafe { CURRENT.with(Cell::get).as_ref() })
}

// The innermost.
thread_local! {
    static CURRENT: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}
