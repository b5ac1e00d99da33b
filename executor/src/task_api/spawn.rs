//! `spawn`: a future becomes a task of the current runtime.

use std::future::Future;
use std::panic::Location;

use crate::context;
use crate::task::{JoinHandle, Origin};

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
    spawn_at(Location::caller(), future)
}

/// As [`spawn`], for functions that are called where the task is spawned, or know its name.
pub(crate) fn spawn_at<F>(origin: impl Into<Origin>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (handle, closed) = context::with_current(|state| state.scheduler.spawn(future, origin));
    if let Some(closed) = closed {
        closed.drain();
    }
    handle
}
