//! Runs a future on the calling thread, which is no worker.

use std::future::Future;
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
    assert!(
        !scheduler::is_worker(),
        "`block_on` was called inside a task: it would stop the thread that runs it, and others with it. Use `.await`, or call \
         `block_on` inside `executor::task::spawn_blocking`"
    );
    let _entered = context::enter(state);
    match state.scheduler.core_slot() {
        Some(slot) => state.scheduler.drive(slot, future),
        None => park_on(future),
    }
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
