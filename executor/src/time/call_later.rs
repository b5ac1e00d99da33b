//! `call_later`: a function that is called at a point in time.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::task::AtomicWaker;

use super::{Duration, Instant, sleep_until};
use crate::rt_sync::whole::Mutex;

/// Calls a function when so much time has passed, in the runtime that the caller is in. It must not block.
///
/// [`TimerHandle`] takes it back, or puts it off. Functions whose time has come may run at the same time, on several workers; on the
/// current-thread flavour they are called in the order of their times. A panic is that of a task whose handle was dropped, see
/// [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure). A runtime that ends drops the functions that it has not called.
///
/// # Panics
///
/// As [`spawn`](crate::spawn).
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::time::{Duration, call_later};
///
/// let (send, called) = futures::channel::oneshot::channel();
/// call_later(Duration::from_millis(1), move || send.send(42).unwrap());
/// assert_eq!(called.await.unwrap(), 42);
///
/// let never = call_later(Duration::from_secs(60), || unreachable!());
/// assert!(never.cancel());
/// # });
/// ```
#[track_caller]
pub fn call_later<F: FnOnce() + Send + 'static>(delay: Duration, f: F) -> TimerHandle {
    call_at(Instant::after(delay), f)
}

/// Calls a function at `deadline`. See [`call_later`].
///
/// # Panics
///
/// As [`spawn`](crate::spawn).
#[track_caller]
pub fn call_at<F: FnOnce() + Send + 'static>(deadline: Instant, f: F) -> TimerHandle {
    let timer = Arc::new(Timer {
        call: Mutex::new(Call {
            deadline,
            function: Some(Box::new(f)),
        }),
        changed: AtomicWaker::new(),
    });
    drop(crate::spawn(run(Waiting(timer.clone()))));
    TimerHandle(timer)
}

/// A function that is called at a point in time, see [`call_later`]. Dropping it changes nothing.
#[derive(Clone)]
pub struct TimerHandle(Arc<Timer>);

impl TimerHandle {
    /// Drops the function. True: it was not called, and will not be.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }

    /// When the function is, or was to be, called.
    #[doc(alias = "when")]
    pub fn deadline(&self) -> Instant {
        self.0.call.lock().deadline
    }

    /// Sets another time, sooner or later. False: it is too late, the function was called, or taken back.
    pub fn reset(&self, deadline: Instant) -> bool {
        let mut call = self.0.call.lock();
        let waits = call.function.is_some();
        if waits {
            call.deadline = deadline;
        }
        drop(call);
        self.0.changed.wake();
        waits
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

/// What the handle and the task that waits share.
struct Timer {
    call: Mutex<Call>,
    /// Woken when the call was changed.
    changed: AtomicWaker,
}

struct Call {
    deadline: Instant,
    /// Taken by whoever calls it, or takes it back.
    function: Option<Box<dyn FnOnce() + Send>>,
}

impl Timer {
    fn cancel(&self) -> bool {
        let function = self.call.lock().function.take();
        self.changed.wake();
        // Dropped here, without the lock.
        function.is_some()
    }
}

/// The task's. If it ends before the time has come, because the runtime does, the function goes with it.
struct Waiting(Arc<Timer>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn run(waiting: Waiting) {
    let timer = &*waiting.0;
    let deadline = timer.call.lock().deadline;
    let mut sleep = pin!(sleep_until(deadline));
    let function = poll_fn(|cx| {
        // First, so that no change comes between the look at the call and the wait.
        timer.changed.register(cx.waker());
        loop {
            let deadline = {
                let call = timer.call.lock();
                if call.function.is_none() {
                    return Poll::Ready(None);
                }
                call.deadline
            };
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let mut call = timer.call.lock();
            // Put off while we looked at the clock?
            if call.deadline == deadline {
                return Poll::Ready(call.function.take());
            }
        }
    });
    if let Some(function) = function.await {
        function();
    }
}
