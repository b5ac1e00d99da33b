//! Runs, completes and cancels a task: acts on what the state word decided.
//!
//! This is compiled for each future of a program. What does not ask for the future's type is in `ending`, or takes no more of it than it needs.

use std::alloc::Layout;
use std::any::Any;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::cancel::Scope;
use super::current::Frame;
use super::ending::hand_over_output;
use super::failure::{UnobservedFailure, Unseen};
use super::raw::{Cell, Header, Schedule, Stage};
use super::state::{EndPoll, StartPoll};
use super::{JoinError, Notified, TaskRef, memory, waker};
use crate::rt_sync::UnsafeCell;

/// Spends the caller's token: polls the future, or drops it if the task was cancelled.
///
/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller holds its token.
pub(super) unsafe fn run<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: a token exists, so the task is not complete and the owner's reference keeps it alive.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    let start = cell.header.state.start_poll();
    if start == StartPoll::Cancel {
        // SAFETY: `start_poll` has set RUNNING, for us.
        return unsafe { cancel_claimed::<F, S>(task) };
    }
    let frame = Frame::of_poll(task);
    match poll_future(cell, task, &frame) {
        // SAFETY: as above.
        Poll::Ready(output) => unsafe { complete::<F, S>(task, output) },
        // Somebody has asked it to end, and nothing in it hears of that, or has a shield around it.
        Poll::Pending if start == StartPoll::Requested && !hears(&cell.header, task) => {
            // SAFETY: as above.
            unsafe { cancel_claimed::<F, S>(task) }
        }
        Poll::Pending if frame.steps_back() => {
            cell.header.state.end_poll_again();
            cell.scheduler.reschedule(Notified::from_token(task));
        }
        // SAFETY: as above.
        Poll::Pending => unsafe { suspend(task, NonNull::from(&cell.scheduler)) },
    }
}

/// Whether a region in the task has heard of the request to end, or a shield keeps it off. The caller runs the task.
#[cold]
fn hears(header: &Header, task: NonNull<Header>) -> bool {
    header.origin.scope().spares(&waker::borrowed(task))
}

/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller has set RUNNING, by `State::claim` for example.
pub(super) unsafe fn cancel_claimed<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: RUNNING is set by the caller, so the task is not complete and the owner's reference keeps it alive.
    let error = dropped(unsafe { task.as_ref() });
    // SAFETY: the caller's promise.
    unsafe { complete::<F, S>(task, Err(error)) };
}

/// The error of a task that is dropped before its end.
fn dropped(header: &Header) -> JoinError {
    // Also if it was aborted after the request, because it took too long.
    let request = header.origin.try_scope().and_then(Scope::request);
    JoinError::dropped(header.id, request)
}

/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller holds its token, which this gives away.
pub(super) unsafe fn schedule<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: as in `run`.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    cell.scheduler.schedule(Notified::from_token(task));
}

/// Ends a poll that returned `Pending`. The task may be freed before this returns, so it comes as pointers: a reference that is an
/// argument must stay good until the end of its function.
///
/// # Safety
///
/// - The caller has set the task's RUNNING, and `scheduler` is the task's.
unsafe fn suspend<S: Schedule>(task: NonNull<Header>, scheduler: NonNull<S>) {
    // SAFETY: RUNNING is set, so the task is not complete and the owner's reference keeps it alive.
    let (header, scheduler) = unsafe { (task.as_ref(), scheduler.as_ref()) };
    // A task that goes straight back into a queue need not be linked.
    let waits = !header.state.is_notified();
    if waits && !scheduler.link(&TaskRef::borrow(task)) {
        // SAFETY: the caller's promise.
        return unsafe { (header.vtable.cancel_claimed)(task) };
    }
    match header.state.end_poll(waits) {
        // From here on another thread may run, complete and free the task: no further look at it.
        EndPoll::Idle => {}
        EndPoll::Again => scheduler.reschedule(Notified::from_token(task)),
    }
}

/// Polls the future. RUNNING is set, by us. A panic becomes the output.
// It has one caller, and is as long as what most tasks do in a poll.
#[inline]
fn poll_future<F: Future, S: Schedule>(
    cell: &Cell<F, S>,
    task: NonNull<Header>,
    frame: &Frame,
) -> Poll<Result<F::Output, JoinError>> {
    let waker = waker::borrowed(task);
    let mut context = Context::from_waker(&waker);
    let entered = frame.enter();
    let poll = catch_unwind(AssertUnwindSafe(|| {
        cell.stage.with_mut(|stage| {
            // SAFETY: RUNNING makes the stage ours alone.
            let Stage::Future(future) = (unsafe { &mut *stage }) else {
                unreachable!("a task is polled after its end")
            };
            // SAFETY: the future lives in the task's allocation, and is dropped there, by `empty`.
            unsafe { Pin::new_unchecked(future) }.poll(&mut context)
        })
    }));
    drop(entered);
    match poll {
        Ok(poll) => poll.map(Ok),
        Err(payload) => Poll::Ready(Err(failed(&cell.header, &cell.scheduler, payload))),
    }
}

/// Ends the task in the documented order. As for `suspend`, the task may be freed before this returns.
///
/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller has set RUNNING.
unsafe fn complete<F: Future, S: Schedule>(
    task: NonNull<Header>,
    output: Result<F::Output, JoinError>,
) {
    // SAFETY: RUNNING is set, so the task is not complete and the owner's reference keeps it alive.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    let frame = Frame::of_end(cell.header.id);
    let entered = frame.enter();
    // SAFETY: RUNNING makes the stage ours alone.
    let dropped = unsafe { empty(&cell.stage) };
    drop(entered);
    // SAFETY: as above, and nothing is left in it to drop.
    unsafe { fill(&cell.stage, output) };
    if let Err(payload) = dropped {
        // SAFETY: the caller's promise.
        unsafe { replace_output(cell, payload) };
    }
    cell.scheduler.release(&TaskRef::borrow(task));

    if cell.header.state.is_sole_owner() {
        // Nobody waits for the output, and nobody can come: the short way.
        // The output is dropped with it, as the task; a panic of its destructor stays there.
        let _entered = frame.enter();
        // SAFETY: ours is the last reference.
        return unsafe { free::<F, S>(task) };
    }
    // SAFETY: RUNNING is set, and the output is stored.
    unsafe { hand_over_output(task) };
}

/// The future's destructor has panicked: that is the output, unless the future itself had. The first panic is the one to report.
///
/// # Safety
///
/// - The caller has set RUNNING, and stored the output.
#[cold]
unsafe fn replace_output<F: Future, S: Schedule>(cell: &Cell<F, S>, payload: Box<dyn Any + Send>) {
    let is_panic = |stage: *const Stage<F>| {
        // SAFETY: RUNNING makes the stage ours alone.
        matches!(unsafe { &*stage }, Stage::Output(Err(error)) if error.is_panic())
    };
    if cell.stage.with(is_panic) {
        return drop_quietly(payload);
    }
    // SAFETY: as above, and `empty` leaves nothing to drop.
    unsafe {
        drop_quietly(empty(&cell.stage));
        let error = failed(&cell.header, &cell.scheduler, payload);
        fill(&cell.stage, Err(error));
    }
}

/// The error of a task that has panicked. RUNNING is set, by us.
#[cold]
fn failed<S: Schedule>(header: &Header, scheduler: &S, payload: Box<dyn Any + Send>) -> JoinError {
    let failure = UnobservedFailure::new(header, &*payload);
    let observer = scheduler.failed(&failure);
    JoinError::panicked(header.id, payload, Unseen::new(failure, observer))
}

/// Drops what is in the stage, and leaves nothing in it even if that panics.
///
/// # Safety
///
/// - The stage is the caller's alone, see `Cell::stage`.
unsafe fn empty<F: Future>(stage: &UnsafeCell<Stage<F>>) -> thread::Result<()> {
    struct Emptied<F: Future>(*mut Stage<F>);
    impl<F: Future> Drop for Emptied<F> {
        fn drop(&mut self) {
            // SAFETY: what was there was dropped, or panicked trying; either way nothing is left to drop.
            unsafe { self.0.write(Stage::Empty) };
        }
    }
    catch_unwind(AssertUnwindSafe(|| {
        stage.with_mut(|stage| {
            let _emptied = Emptied(stage);
            // SAFETY: the caller's promise; `Emptied` sees to it that it is dropped once.
            unsafe { stage.drop_in_place() };
        });
    }))
}

/// # Safety
///
/// - The stage is the caller's alone, see `Cell::stage`, and there is nothing in it to drop.
unsafe fn fill<F: Future>(stage: &UnsafeCell<Stage<F>>, output: Result<F::Output, JoinError>) {
    // SAFETY: the caller's promise.
    stage.with_mut(|stage| unsafe { stage.write(Stage::Output(output)) });
}

/// # Safety
///
/// - `task` is a `Cell<F, S>` and complete; the caller is its `JoinHandle`, with `&mut` access.
/// - `destination` points to a `Poll<Result<F::Output, JoinError>>` that is pending.
pub(super) unsafe fn take_output<F: Future, S: Schedule>(
    task: NonNull<Header>,
    destination: *mut (),
) {
    // SAFETY: the handle's reference keeps the task alive.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    let output = cell.stage.with_mut(|stage| {
        // Not `mem::replace`: that would copy as many bytes as the future had.
        // SAFETY: COMPLETE and the handle's interest make the stage its alone.
        let output = match unsafe { &*stage } {
            // SAFETY: moved out once, because the stage is empty after the next line.
            Stage::Output(output) => unsafe { ptr::read(output) },
            Stage::Empty => panic!("a JoinHandle was polled again after it had answered"),
            Stage::Future(_) => unreachable!("COMPLETE with a future"),
        };
        // SAFETY: as above; nothing is left in it to drop.
        unsafe { stage.write(Stage::Empty) };
        output
    });
    let answer = Poll::Ready(output);
    // SAFETY: the caller's promise about `destination`; what is pending has nothing to drop.
    unsafe { destination.cast::<Poll<_>>().write(answer) };
}

/// # Safety
///
/// - `task` is a `Cell<F, S>` and complete, and whoever calls has the JoinHandle's interest, or ended it.
pub(super) unsafe fn drop_output<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller has a reference.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    // SAFETY: the caller's promise: the stage is its alone.
    drop_quietly(unsafe { empty(&cell.stage) });
}

/// # Safety
///
/// - `task` is a `Cell<F, S>` and no reference to it is left.
pub(super) unsafe fn free<F: Future, S: Schedule>(task: NonNull<Header>) {
    let cell = task.cast::<Cell<F, S>>();
    // SAFETY: nobody else can reach it.
    let (stage, scheduler) =
        unsafe { (&(*cell.as_ptr()).stage, &raw mut (*cell.as_ptr()).scheduler) };
    // SAFETY: as above. Each part is dropped once, also if the destructor of another panics.
    unsafe {
        drop_quietly(empty(stage));
        if mem::needs_drop::<S>() {
            drop_quietly(InPlace(scheduler));
        }
        drop_header(task);
    }
    // SAFETY: `Cell::allocate` had the memory from there, with this layout, and nothing is left in it.
    unsafe { memory::free(task.cast(), Layout::new::<Cell<F, S>>()) };
}

/// # Safety
///
/// - No reference to the task is left. What is not of its header is dropped already.
unsafe fn drop_header(task: NonNull<Header>) {
    drop_quietly(InPlace(task.as_ptr()));
}

/// A value that is dropped where it lies. Who makes this has it alone, and never uses it again.
struct InPlace<T>(*mut T);

impl<T> Drop for InPlace<T> {
    fn drop(&mut self) {
        // SAFETY: see `InPlace`.
        unsafe { self.0.drop_in_place() };
    }
}

/// Drops a user's value. A panic of its destructor has been reported by the panic hook, and must not take the worker along. Its
/// payload may panic in turn when it is dropped; what that throws is forgotten, or there would be no end.
pub(crate) fn drop_quietly<T>(value: T) {
    if mem::needs_drop::<T>()
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value)))
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        mem::forget(payload);
    }
}

/// Wakes whom others are waiting beside: a waker that panics must not keep those asleep, or take the thread along.
pub(crate) fn wake_quietly(waker: Waker) {
    drop_quietly(catch_unwind(AssertUnwindSafe(|| waker.wake())));
}
