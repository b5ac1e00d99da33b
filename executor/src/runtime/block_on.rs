//! Runs a future on the calling thread, which is no worker.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::context::{self, State};
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
    let waker = Waker::from(Arc::new(ThreadWaker(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // A wake that came since is stored in the thread's token. An early return, which `park` allows, polls once more.
        thread::park();
    }
}

struct ThreadWaker(Thread);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
