//! `spawn_blocking`: closures that block, off the workers.

use std::io;
use std::panic::Location;
use std::sync::Arc;

use crate::blocking::{AtClose, Pool};
use crate::context;
use crate::task::{JoinError, JoinHandle, Origin};

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
    spawn_blocking_at(Location::caller(), f)
}

/// As [`spawn_blocking`], for functions that are called where the closure is spawned, or know its name.
pub(super) fn spawn_blocking_at<F, R>(origin: impl Into<Origin>, f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    submit(origin, f, AtClose::Cancel)
}

/// As [`spawn_blocking`], for a closure that still runs if the runtime ends before it has started.
#[track_caller]
pub(crate) fn spawn_mandatory<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    submit(Location::caller(), f, AtClose::Run)
}

/// The error of an I/O call that the pool never made. It never panics either: only the standard library's code runs in those.
pub(crate) fn not_carried_out(error: JoinError) -> io::Error {
    io::Error::other(format!(
        "the call was not carried out, because the runtime has ended or the system refuses it a thread: {error}"
    ))
}

fn submit<F, R>(origin: impl Into<Origin>, f: F, at_close: AtClose) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (job, handle) = Pool::job(f, origin);
    // A clone, because starting a thread asks the user's function for its name.
    let state = context::with_current(Arc::clone);
    for refused in state.submit_blocking(job, at_close) {
        refused.cancel();
    }
    handle
}
