//! A task's `Waker`: a counted reference behind the standard table of functions.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::current;
use super::raw::Header;
use super::state::Wake;

/// The waker a poll is given: counts only if it is cloned.
pub(super) struct BorrowedWaker(ManuallyDrop<Waker>);

/// The caller runs the task, which keeps it alive for the time of the poll.
#[inline]
pub(super) fn borrowed(task: NonNull<Header>) -> BorrowedWaker {
    // SAFETY: the table below keeps RawWaker's contract; `ManuallyDrop` because this one counts no reference.
    BorrowedWaker(ManuallyDrop::new(unsafe { Waker::from_raw(raw(task)) }))
}

/// True if to wake it is to queue a task, and no code of the user. Never true by mistake.
pub(crate) fn is_task(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &VTABLE)
}

/// Of all wakers of tasks: to compare it, not to go there.
pub(super) fn table_address() -> usize {
    (&raw const VTABLE).addr()
}

/// For a poll that will return `Pending`: the task is to be polled again, after the others. As `wake_by_ref`, but that the thread which polls the
/// task need not tell itself by the state word, which others share.
#[inline]
pub(crate) fn step_back(waker: &Waker) {
    if !(is_task(waker) && current::step_back(waker.data())) {
        waker.wake_by_ref();
    }
}

impl Deref for BorrowedWaker {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.0
    }
}

fn raw(task: NonNull<Header>) -> RawWaker {
    RawWaker::new(task.as_ptr().cast_const().cast(), &VTABLE)
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// # Safety
///
/// - `data` is the header of a task that is alive: every waker counts a reference, or is borrowed from a poll.
unsafe fn header<'a>(data: *const ()) -> &'a Header {
    // SAFETY: the caller's promise.
    unsafe { &*data.cast::<Header>() }
}

fn pointer(data: *const ()) -> NonNull<Header> {
    NonNull::new(data.cast_mut().cast()).expect("a waker's data is a task")
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called with the data of a live waker.
    unsafe { header(data) }.state.add_reference();
    raw(pointer(data))
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called with the data of a live waker, whose reference we own.
    let header = unsafe { header(data) };
    match header.state.wake_by_value() {
        // SAFETY: the transition gave us the token, which keeps the task alive.
        Wake::Schedule => unsafe { (header.vtable.schedule)(pointer(data)) },
        // SAFETY: ours was the last reference.
        Wake::Free => unsafe { (header.vtable.free)(pointer(data)) },
        Wake::Nothing => {}
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called with the data of a live waker.
    let header = unsafe { header(data) };
    if header.state.wake_by_ref() == Wake::Schedule {
        // SAFETY: the transition gave us the token.
        unsafe { (header.vtable.schedule)(pointer(data)) };
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called with the data of a live waker, whose reference we own.
    let header = unsafe { header(data) };
    if header.state.drop_reference() {
        // SAFETY: ours was the last reference.
        unsafe { (header.vtable.free)(pointer(data)) };
    }
}
