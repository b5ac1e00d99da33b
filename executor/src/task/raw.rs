//! The allocation of a task: a header every holder of a pointer may read, then what only the future's type can name.

use std::alloc::Layout;
use std::future::Future;
use std::ptr::NonNull;
use std::task::Waker;

use super::id::Id;
use super::list::Links;
use super::origin::Origin;
use super::reference::Notified;
use super::state::State;
use super::{JoinError, Observer, TaskRef, UnobservedFailure, harness, memory};
use crate::rt_sync::UnsafeCell;

/// Where a task goes when it may be polled, and who is told that it is done. One word is best: every task carries it.
pub(crate) trait Schedule: Send + Sync + 'static {
    /// A wake made this token of an idle task.
    fn schedule(&self, task: Notified);

    /// The task was woken while it ran, on this thread: put it behind the others.
    fn reschedule(&self, task: Notified);

    /// The task is about to be idle: link it, if it is not. Called by the thread that runs it. False: its owner is closed, and the
    /// task must be cancelled.
    #[must_use]
    fn link(&self, task: &TaskRef) -> bool;

    /// The task has panicked. Called by the thread that runs it, outside of the task's code; it may run code of others. Returns who is to
    /// hear of it if no handle takes the failure.
    fn failed(&self, failure: &UnobservedFailure) -> Observer;

    /// The task's future is dropped and its output stored: unlink it, if it is linked. Called once, by the thread that runs it.
    fn release(&self, task: &TaskRef);
}

/// The part that does not depend on the future's type. With the scheduler's word, 72 bytes.
#[repr(C)]
pub(crate) struct Header {
    pub(super) state: State,
    pub(super) vtable: &'static Vtable,
    /// Belongs to the owner's list, under its lock.
    pub(super) links: UnsafeCell<Links>,
    pub(super) id: Id,
    pub(super) origin: Origin,
    /// JOIN_WAKER clear: the `JoinHandle`'s alone. Set: the completer and the handle may both read it, nobody writes.
    pub(super) join_waker: UnsafeCell<Option<Waker>>,
}

impl Header {
    /// Of a task that is not linked, its token and two references (see `State::new`) in the caller's hand.
    fn new(vtable: &'static Vtable, id: Id, origin: Origin) -> Self {
        Self {
            state: State::new(),
            vtable,
            links: UnsafeCell::new(Links::default()),
            id,
            origin,
            join_waker: UnsafeCell::new(None),
        }
    }
}

/// `repr(C)`: the header comes first, so a pointer to it is a pointer to the cell.
#[repr(C)]
pub(super) struct Cell<F: Future, S> {
    pub(super) header: Header,
    pub(super) scheduler: S,
    /// Belongs to whoever set RUNNING; once COMPLETE, to the `JoinHandle` or whoever ended its interest.
    pub(super) stage: UnsafeCell<Stage<F>>,
}

pub(super) enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, JoinError>),
    Empty,
}

/// What depends on the future's type. Each function takes the task's header.
pub(super) struct Vtable {
    /// Of the whole task, in bytes.
    pub(super) size: usize,
    /// Spends the caller's token: polls the future, or drops it if the task was cancelled.
    pub(super) run: unsafe fn(NonNull<Header>),
    /// Cancels a task whose right to run the caller took by `State::claim`.
    pub(super) cancel_claimed: unsafe fn(NonNull<Header>),
    /// Gives the caller's token to the scheduler.
    pub(super) schedule: unsafe fn(NonNull<Header>),
    /// Moves the output of a completed task to `*mut Poll<Result<T, JoinError>>`.
    pub(super) take_output: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the output of a completed task, if it is still there.
    pub(super) drop_output: unsafe fn(NonNull<Header>),
    /// Frees the task. No reference is left.
    pub(super) free: unsafe fn(NonNull<Header>),
}

impl<F: Future, S: Schedule> Cell<F, S> {
    const VTABLE: Vtable = Vtable {
        size: size_of::<Self>(),
        run: harness::run::<F, S>,
        cancel_claimed: harness::cancel_claimed::<F, S>,
        schedule: harness::schedule::<F, S>,
        take_output: harness::take_output::<F, S>,
        drop_output: harness::drop_output::<F, S>,
        free: harness::free::<F, S>,
    };

    /// Allocates a task: not linked, its token and two references (see `State::new`) in the caller's hand.
    pub(super) fn allocate(future: F, scheduler: S, id: Id, origin: Origin) -> NonNull<Header> {
        let cell = memory::allocate(Layout::new::<Self>()).cast::<Self>();
        let place = cell.as_ptr();
        // Field by field: a whole one would be made on the stack first, where the compiler is not told to optimize.
        // SAFETY: the memory is new, and of this type's layout.
        unsafe {
            (&raw mut (*place).header).write(Header::new(&Self::VTABLE, id, origin));
            (&raw mut (*place).scheduler).write(scheduler);
            (&raw mut (*place).stage).write(UnsafeCell::new(Stage::Future(future)));
        }
        cell.cast()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Nowhere(#[expect(dead_code, reason = "the size is what counts")] usize);

    impl Schedule for Nowhere {
        fn schedule(&self, _: Notified) {}
        fn reschedule(&self, _: Notified) {}
        fn link(&self, _: &TaskRef) -> bool {
            true
        }
        fn failed(&self, _: &UnobservedFailure) -> Observer {
            Observer::default()
        }
        fn release(&self, _: &TaskRef) {}
    }

    #[test]
    fn a_task_costs_72_bytes_beside_its_future() {
        assert_eq!(size_of::<Header>(), 64);
        // `Pending<()>` is empty; the room of its output holds a JoinError, two words, and what tells the stages apart.
        assert!(size_of::<Cell<std::future::Pending<()>, Nowhere>>() <= 72 + 24);
    }
}
