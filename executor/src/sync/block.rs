//! Waits for a future on the calling thread, for the `blocking_` forms: with or without a runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::rt_sync::whole::thread::{self, Thread};
use crate::runtime::Handle;

/// Inside of a runtime this is its `block_on`, so a worker's other tasks go on. Elsewhere the thread sleeps, and no runtime is started.
#[track_caller]
pub(super) fn block<F: Future>(future: F) -> F::Output {
    if let Ok(handle) = Handle::try_current() {
        return handle.block_on(future);
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            // Called by somebody else it returns too early, and the future is asked once more.
            Poll::Pending => thread::park(),
        }
    }
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
