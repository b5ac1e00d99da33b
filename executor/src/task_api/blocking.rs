//! `spawn_blocking`: closures that block, off the workers.

use std::io;
use std::panic::Location;
use std::sync::Arc;

use crate::blocking::{self, AtClose, Lane};
use crate::context;
use crate::task::{JoinError, JoinHandle, Origin};

/// Runs a closure that may block, on a thread of its own kind, and returns a handle to its result.
///
/// Threads are started on demand, up to
/// [`max_blocking_threads`](crate::runtime::Builder::max_blocking_threads) (512), and end when they had nothing to do for
/// [`thread_keep_alive`](crate::runtime::Builder::thread_keep_alive) (10 seconds). What is spawned while all threads are busy waits in a
/// queue, first in, first out, which has no limit: who produces faster than the threads run should count what is under way, with
/// a semaphore for example. Files share these threads; lookups of host names have their own.
///
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
    submit(origin, f, Lane::Closures, AtClose::Cancel)
}

/// As [`spawn_blocking`], for a closure that still runs if the runtime ends before it has started.
#[track_caller]
pub(crate) fn spawn_mandatory<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    submit(Location::caller(), f, Lane::Closures, AtClose::Run)
}

/// As [`spawn_blocking`], for a question to the system's resolver, which closures of the user do not keep waiting.
#[track_caller]
pub(crate) fn spawn_lookup<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    submit(Location::caller(), f, Lane::Lookups, AtClose::Cancel)
}

/// The error of an I/O call that the pool never made. It never panics either: only the standard library's code runs in those.
pub(crate) fn not_carried_out(error: JoinError) -> io::Error {
    io::Error::other(format!(
        "the call was not carried out, because the runtime has ended or the system refuses it a thread: {error}"
    ))
}

fn submit<F, R>(origin: impl Into<Origin>, f: F, lane: Lane, at_close: AtClose) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (job, handle) = blocking::job(f, origin, context::observer);
    // A clone, because starting a thread asks the user's function for its name.
    let state = context::with_current(Arc::clone);
    for refused in state.submit_blocking(lane, job, at_close) {
        refused.cancel();
    }
    handle
}
