//! The end of a task, as far as it does not ask for the future's type: the completer and the `JoinHandle` settle who drops the output, who wakes whom, and
//! who frees the task. Apart from `harness`, so that it is compiled once, not for each future of a program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::task::Waker;

use super::current::Frame;
use super::harness::drop_quietly;
use super::raw::Header;
use super::state::{Completed, Snapshot};

/// What is left for the completer, once the output is stored. The task may be freed before this returns: so it comes as a pointer.
///
/// # Safety
///
/// - The caller has set RUNNING, and stored the output.
pub(super) unsafe fn hand_over_output(task: NonNull<Header>) {
    // SAFETY: RUNNING is set, so the owner's reference is ours, and keeps the task alive.
    let header = unsafe { task.as_ref() };
    if let Some(scope) = header.origin.try_scope() {
        // A scope that keeps the task's waker, and is the task's, would keep the task.
        scope.forget_task();
    }
    if header.state.complete_for_handle() {
        return;
    }
    let snapshot = header.state.complete();
    if !snapshot.has_join_interest() {
        // SAFETY: it is COMPLETE, and there is no JoinHandle: the output is ours.
        unsafe { drop_output_as_task(task) };
    } else if snapshot.has_join_waker() {
        // SAFETY: JOIN_WAKER was set at completion, so nobody writes the waker until we give it back.
        header.join_waker.with(|waker| match unsafe { &*waker } {
            Some(waker) => drop_quietly(catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref()))),
            None => unreachable!("JOIN_WAKER without a waker"),
        });
        if header.state.release_join_waker_to_handle() {
            return;
        }
        if !header.state.release_join_waker().has_join_interest() {
            // SAFETY: the handle left while we woke it, so the waker is ours.
            unsafe { drop_join_waker(header) };
        }
    }
    if header.state.drop_reference() {
        // SAFETY: ours was the last reference.
        unsafe { (header.vtable.free)(task) };
    }
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
/// - The caller is the task's `JoinHandle` and gives its reference up.
pub(super) unsafe fn drop_join_handle(task: NonNull<Header>) {
    // SAFETY: the handle's reference keeps the task alive until the end of this function.
    let header = unsafe { task.as_ref() };
    if header.state.is_handles_alone() {
        // The usual end of a task that was awaited: the short way. The output, if it is still there, is dropped as the task.
        let frame = Frame::of_end(header.id);
        let _entered = frame.enter();
        // SAFETY: the handle's is the last reference.
        return unsafe { (header.vtable.free)(task) };
    }
    let left = header.state.drop_join_interest();
    if left.output {
        // SAFETY: it is COMPLETE, and the handle's interest was ended here.
        unsafe { drop_output_as_task(task) };
    }
    if left.waker {
        // SAFETY: JOIN_WAKER is clear, so the waker was the handle's alone.
        unsafe { drop_join_waker(header) };
    }
    if header.state.drop_reference() {
        // SAFETY: the handle's was the last reference.
        unsafe { (header.vtable.free)(task) };
    }
}

/// Drops the output as the task.
///
/// # Safety
///
/// - The task is complete, and the caller has the JoinHandle's interest, or ended it.
unsafe fn drop_output_as_task(task: NonNull<Header>) {
    // SAFETY: the caller has a reference.
    let header = unsafe { task.as_ref() };
    let frame = Frame::of_end(header.id);
    let _entered = frame.enter();
    // SAFETY: the caller's promise.
    unsafe { (header.vtable.drop_output)(task) };
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
