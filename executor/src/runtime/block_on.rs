//! Runs a future on the calling thread, which is no worker: if it is one, another thread goes on with its seat.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::context::{self, State};
use crate::coop;
use crate::scheduler;

/// Runs `future` to completion in the runtime of `state`.
#[track_caller]
pub(super) fn block_on<F: Future>(state: &Arc<State>, future: F) -> F::Output {
    if let Some(slot) = state.scheduler.core_slot() {
        assert!(
            state.scheduler.is_driven_here() || !slot.has_driver_here(),
            "`block_on` was called for a current-thread runtime that this thread drives already, inside `block_on` of another one: \
             it would wait for itself. Use `Handle::spawn` and `.await`, or call it inside `executor::task::spawn_blocking`"
        );
        let _entered = context::enter(state);
        return scheduler::without_seat(|| state.scheduler.drive(slot, future));
    }
    let driven =
        context::try_with_current(|state| state.filter(|s| s.scheduler.is_driven_here()).cloned());
    if let Some(driven) = driven
        && let Some(slot) = driven.scheduler.core_slot()
    {
        // This thread drives a current-thread runtime, which has no other: it goes on with it while it waits for this one.
        let mut future = pin!(future);
        let in_its_runtime = poll_fn(|cx| {
            let _entered = context::enter(state);
            future.as_mut().poll(cx)
        });
        return driven.scheduler.drive(slot, in_its_runtime);
    }
    let _entered = context::enter(state);
    scheduler::without_seat(|| park_on(future))
}

/// Polls `future` on this thread, which sleeps in between. The workers do everything else.
fn park_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let thread = Arc::new(ThreadWaker {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(thread.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = coop::budgeted(|| future.as_mut().poll(&mut context)) {
            return output;
        }
        // The thread's token alone would not do: what the future calls may park the thread as well, and take it.
        // Acquire: pairs with the Release of `wake_by_ref`.
        while !thread.woken.swap(false, Acquire) {
            thread::park();
        }
    }
}

struct ThreadWaker {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire of `park_on`.
        self.woken.store(true, Release);
        self.thread.unpark();
    }
}
