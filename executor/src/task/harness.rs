//! Runs, completes and cancels a task: acts on what the state word decided.

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
use super::failure::{UnobservedFailure, Unseen};
use super::raw::{Cell, Header, Schedule, Stage};
use super::state::{Completed, EndPoll, Snapshot, StartPoll};
use super::{JoinError, Notified, TaskRef, memory, waker};

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
        Poll::Pending => unsafe { suspend::<F, S>(task) },
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
    let header = unsafe { task.as_ref() };
    // Also if it was aborted after the request, because it took too long.
    let request = header.origin.try_scope().and_then(Scope::request);
    // SAFETY: the caller's promise.
    unsafe { complete::<F, S>(task, Err(JoinError::dropped(header.id, request))) };
}

/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller holds its token, which this gives away.
pub(super) unsafe fn schedule<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: as in `run`.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    cell.scheduler.schedule(Notified::from_token(task));
}

/// Ends a poll that returned `Pending`. The task may be freed before this returns, so it comes as a pointer: a reference that is an
/// argument must stay good until the end of its function.
///
/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller has set RUNNING.
unsafe fn suspend<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: RUNNING is set, so the task is not complete and the owner's reference keeps it alive.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    // A task that goes straight back into a queue need not be linked.
    let waits = !cell.header.state.is_notified();
    if waits && !cell.scheduler.link(&TaskRef::borrow(task)) {
        // SAFETY: the caller's promise.
        return unsafe { cancel_claimed::<F, S>(task) };
    }
    match cell.header.state.end_poll(waits) {
        // From here on another thread may run, complete and free the task: no further look at it.
        EndPoll::Idle => {}
        EndPoll::Again => cell.scheduler.reschedule(Notified::from_token(task)),
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
    let poll = catch_within(frame, || {
        cell.stage.with_mut(|stage| {
            // SAFETY: RUNNING makes the stage ours alone.
            let Stage::Future(future) = (unsafe { &mut *stage }) else {
                unreachable!("a task is polled after its end")
            };
            // SAFETY: the future lives in the task's allocation, and is dropped there, by `drop_future`.
            unsafe { Pin::new_unchecked(future) }.poll(&mut context)
        })
    });
    match poll {
        Ok(poll) => poll.map(Ok),
        Err(payload) => Poll::Ready(Err(failed(cell, payload))),
    }
}

/// Ends the task in the documented order. As for `suspend`, the task may be freed before this returns.
///
/// # Safety
///
/// - `task` is a `Cell<F, S>`, and the caller has set RUNNING.
unsafe fn complete<F: Future, S: Schedule>(
    task: NonNull<Header>,
    mut output: Result<F::Output, JoinError>,
) {
    // SAFETY: RUNNING is set, so the task is not complete and the owner's reference keeps it alive.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    let frame = Frame::of_end(cell.header.id);
    if let Err(payload) = catch_within(&frame, || drop_future(cell)) {
        // The first panic is the one to report; what it replaces is dropped with its own destructor's panics caught.
        let first = mem::replace(&mut output, Err(JoinError::dropped(cell.header.id, None)));
        output = match first {
            Err(error) if error.is_panic() => {
                drop_quietly(payload);
                Err(error)
            }
            other => {
                drop_quietly(other);
                Err(failed(cell, payload))
            }
        };
    }
    // SAFETY: RUNNING makes the stage ours alone, and `drop_future` left nothing in it to drop.
    cell.stage
        .with_mut(|stage| unsafe { stage.write(Stage::Output(output)) });
    cell.scheduler.release(&TaskRef::borrow(task));

    if cell.header.state.is_sole_owner() {
        // Nobody waits for the output, and nobody can come: the short way.
        // The output is dropped with it, as the task; a panic of its destructor stays there.
        // SAFETY: ours is the last reference.
        return frame.enter(|| unsafe { free::<F, S>(task) });
    }
    if let Some(scope) = cell.header.origin.try_scope() {
        // A scope that keeps the task's waker, and is the task's, would keep the task.
        scope.forget_task();
    }
    if cell.header.state.complete_for_handle() {
        return;
    }
    let snapshot = cell.header.state.complete();
    if !snapshot.has_join_interest() {
        drop_output(cell);
    } else if snapshot.has_join_waker() {
        // SAFETY: JOIN_WAKER was set at completion, so nobody writes the waker until we give it back.
        cell.header
            .join_waker
            .with(|waker| match unsafe { &*waker } {
                Some(waker) => drop_quietly(catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref()))),
                None => unreachable!("JOIN_WAKER without a waker"),
            });
        if cell.header.state.release_join_waker_to_handle() {
            return;
        }
        if !cell.header.state.release_join_waker().has_join_interest() {
            // SAFETY: the handle left while we woke it, so the waker is ours.
            unsafe { drop_join_waker(&cell.header) };
        }
    }
    if cell.header.state.drop_reference() {
        // SAFETY: ours was the last reference.
        unsafe { free::<F, S>(task) };
    }
}

/// The error of a task that has panicked. RUNNING is set, by us.
#[cold]
fn failed<F: Future, S: Schedule>(cell: &Cell<F, S>, payload: Box<dyn Any + Send>) -> JoinError {
    let failure = UnobservedFailure::new(&cell.header, &*payload);
    let observer = cell.scheduler.failed(&failure);
    JoinError::panicked(cell.header.id, payload, Unseen::new(failure, observer))
}

/// Calls `f`, which is code of the task's user, as the task.
#[inline]
fn catch_within<R>(frame: &Frame, f: impl FnOnce() -> R) -> thread::Result<R> {
    frame.enter(|| catch_unwind(AssertUnwindSafe(f)))
}

/// Drops the future in place, even if it panics leaving an empty stage.
fn drop_future<F: Future, S>(cell: &Cell<F, S>) {
    struct Emptied<F: Future>(*mut Stage<F>);
    impl<F: Future> Drop for Emptied<F> {
        fn drop(&mut self) {
            // SAFETY: the future was dropped, or panicked trying; either way nothing is left to drop.
            unsafe { self.0.write(Stage::Empty) };
        }
    }
    cell.stage.with_mut(|stage| {
        let _emptied = Emptied(stage);
        // SAFETY: RUNNING makes the stage ours alone; `Emptied` sees to it that it is dropped once.
        unsafe { stage.drop_in_place() };
    });
}

/// For whom the output belongs to, see `take_output`.
fn drop_output<F: Future, S>(cell: &Cell<F, S>) {
    take_output(cell, |output| {
        if let Some(output) = output {
            Frame::of_end(cell.header.id).enter(|| drop_quietly(output));
        }
    });
}

fn take_output<F: Future, S, R>(
    cell: &Cell<F, S>,
    then: impl FnOnce(Option<Result<F::Output, JoinError>>) -> R,
) -> R {
    let output = cell.stage.with_mut(|stage| {
        // Not `mem::replace`: that would copy as many bytes as the future had.
        // SAFETY: the caller found COMPLETE and has the JoinHandle's interest, or ended it: the stage is its alone.
        let output = match unsafe { &*stage } {
            // SAFETY: moved out once, because the stage is empty after the next line.
            Stage::Output(output) => Some(unsafe { ptr::read(output) }),
            Stage::Empty => None,
            Stage::Future(_) => unreachable!("COMPLETE with a future"),
        };
        // SAFETY: as above; nothing is left in it to drop.
        unsafe { stage.write(Stage::Empty) };
        output
    });
    then(output)
}

/// # Safety
///
/// - `task` is a `Cell<F, S>`; the caller is its `JoinHandle`, with `&mut` access.
/// - `destination` points to a `Poll<Result<F::Output, JoinError>>`.
pub(super) unsafe fn read_output<F: Future, S: Schedule>(
    task: NonNull<Header>,
    destination: *mut (),
    waker: &Waker,
) {
    // SAFETY: the handle's reference keeps the task alive.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    let snapshot = cell.header.state.load();
    if !snapshot.is_complete() && store_join_waker(&cell.header, snapshot, waker).is_ok() {
        return;
    }
    let output = take_output(cell, |output| {
        output
            .expect("a JoinHandle was polled again after it had answered")
            .map_err(JoinError::seen)
    });
    // SAFETY: the caller's promise about `destination`.
    unsafe { *destination.cast() = Poll::Ready(output) };
}

/// Leaves `waker` for the completer, unless the task has completed since the handle took its snapshot. The caller is the `JoinHandle`,
/// with `&mut` access.
pub(super) fn store_join_waker(
    header: &Header,
    snapshot: Snapshot,
    waker: &Waker,
) -> Result<(), Completed> {
    if snapshot.has_join_waker() {
        let is_this_one = |stored: *const Option<Waker>| {
            // SAFETY: JOIN_WAKER is set: shared for reading.
            let stored = unsafe { &*stored };
            stored
                .as_ref()
                .is_some_and(|stored| stored.will_wake(waker))
        };
        if header.join_waker.with(is_this_one) {
            return Ok(());
        }
        header.state.unset_join_waker()?;
    }
    let new = waker.clone();
    // SAFETY: JOIN_WAKER is clear: the waker is the handle's alone, and the caller is the handle.
    let old = header
        .join_waker
        .with_mut(|stored| unsafe { (*stored).replace(new) });
    let result = header.state.set_join_waker();
    drop_quietly(old);
    result
}

/// # Safety
///
/// - `task` is a `Cell<F, S>`; the caller is its `JoinHandle` and gives its reference up.
pub(super) unsafe fn drop_join_handle<F: Future, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the handle's reference keeps the task alive until the end of this function.
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    if cell.header.state.is_handles_alone() {
        // The usual end of a task that was awaited: the short way. The output, if it is still there, is dropped as the task.
        let frame = Frame::of_end(cell.header.id);
        // SAFETY: the handle's is the last reference.
        return frame.enter(|| unsafe { free::<F, S>(task) });
    }
    let left = cell.header.state.drop_join_interest();
    if left.output {
        drop_output(cell);
    }
    if left.waker {
        // SAFETY: JOIN_WAKER is clear, so the waker was the handle's alone.
        unsafe { drop_join_waker(&cell.header) };
    }
    if cell.header.state.drop_reference() {
        // SAFETY: the handle's was the last reference.
        unsafe { free::<F, S>(task) };
    }
}

/// # Safety
///
/// - The join waker is the caller's alone: it is the `JoinHandle` with JOIN_WAKER clear, or the completer after the handle has left.
unsafe fn drop_join_waker(header: &Header) {
    // SAFETY: the caller's promise.
    drop_quietly(
        header
            .join_waker
            .with_mut(|waker| unsafe { (*waker).take() }),
    );
}

/// # Safety
///
/// - `task` is a `Cell<F, S>` and no reference to it is left.
pub(super) unsafe fn free<F: Future, S: Schedule>(task: NonNull<Header>) {
    drop_quietly(Ended::<F, S>(task.cast()));
}

/// A task without references: dropping it drops what is left of it, then frees its memory, also if a destructor panics.
struct Ended<F: Future, S>(NonNull<Cell<F, S>>);

impl<F: Future, S> Drop for Ended<F, S> {
    fn drop(&mut self) {
        struct Memory(NonNull<u8>, Layout);
        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: `Cell::allocate` had the memory from there, with this layout; nobody else can reach it.
                unsafe { memory::free(self.0, self.1) };
            }
        }
        let _memory = Memory(self.0.cast(), Layout::new::<Cell<F, S>>());
        // SAFETY: who made this holds the last reference, and gave it up.
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
