//! The functions of `executor::task` that need to know the current runtime.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::blocking::Pool;
use crate::context;
use crate::task::JoinHandle;

/// Runs a future as a task of the current runtime, concurrently with the caller, and returns a handle to its output.
///
/// The task starts at once, whether or not the handle is awaited. Outside of a runtime it runs on the default one, see
/// [`Handle::current`](crate::runtime::Handle::current). On a runtime that has been shut down the future is dropped and the
/// handle answers "cancelled".
///
/// # Panics
///
/// If the default runtime is needed and cannot be started.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let a = executor::spawn(async { 1 });
/// let b = executor::spawn(async { 2 });
/// assert_eq!(a.await.unwrap() + b.await.unwrap(), 3);
/// # });
/// ```
#[doc(alias = "create_task")]
#[doc(alias = "ensure_future")]
#[doc(alias = "start_soon")]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let location = Location::caller();
    let (handle, foreign) = context::with_current(|state| state.scheduler.spawn(future, location));
    if let Some(foreign) = foreign {
        foreign.inject();
    }
    handle
}

/// Runs a closure that may block, on a thread of its own kind, and returns a handle to its result.
///
/// Threads are started on demand, up to
/// [`max_blocking_threads`](crate::runtime::Builder::max_blocking_threads), and end when they had nothing to do for a while.
/// Aborting the handle stops a closure only before it has started. If the system refuses a thread and there is no other, or
/// the runtime has been shut down, the closure is dropped and the handle answers "cancelled".
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let text = executor::task::spawn_blocking(|| std::fs::read_to_string("/dev/null")).await.unwrap();
/// assert_eq!(text.unwrap(), "");
/// # });
/// ```
#[doc(alias = "to_thread")]
#[doc(alias = "run_in_executor")]
#[doc(alias = "run_sync")]
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (job, handle) = Pool::job(f, Location::caller());
    // A clone, because starting a thread asks the user's function for its name.
    let state = context::with_current(Arc::clone);
    for refused in state.submit_blocking(job) {
        refused.cancel();
    }
    handle
}

/// Lets the other tasks that are ready run first.
///
/// # Cancel safety
///
/// Cancel safe: it does nothing but wait.
#[doc(alias = "sleep0")]
#[doc(alias = "checkpoint")]
pub async fn yield_now() {
    YieldNow { yielded: false }.await;
}

struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        // A wake during the poll puts the task behind all others of its worker.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
