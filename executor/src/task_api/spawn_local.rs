//! `spawn_local`: a future that need not be `Send` becomes a task of this thread.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::context;
use crate::local::{self, Local};
use crate::task::{JoinHandle, Origin};

/// Runs a future as a task of the current [`LocalSet`](super::LocalSet) or [`LocalRuntime`](crate::runtime::LocalRuntime), and returns a
/// handle to its output.
///
/// Neither future nor output need be `Send`: the future is polled and dropped on this thread only, whoever aborts or wakes the task. The
/// innermost set counts: that whose task or future is being polled, or that was entered last; without any, the current runtime if it
/// is local. A set that was dropped, or a runtime that has been shut down, drops the future, and the handle answers "cancelled".
///
/// # Panics
///
/// Outside of both, and in a local runtime on another thread than the one it belongs to.
///
/// ```
/// # executor::runtime::LocalRuntime::new()?.block_on(async {
/// let shared = std::rc::Rc::new(41);
/// let task = executor::task::spawn_local(async move { *shared + 1 });
/// assert_eq!(task.await.unwrap(), 42);
/// # });
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_at(Location::caller(), future)
}

/// As [`spawn_local`], for functions that are called where the task is spawned, or know its name.
#[track_caller]
pub(super) fn spawn_local_at<F>(origin: impl Into<Origin>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    current().spawn(future, origin)
}

/// The set that the calling code is in.
#[track_caller]
fn current() -> Arc<Local> {
    let of_runtime =
        || context::try_with_current(|state| state.and_then(|state| state.local.clone()));
    let Some(local) = local::current().or_else(of_runtime) else {
        panic!(
            "`spawn_local` was called outside of a local task set: call it inside `LocalSet::run_until` or a `LocalRuntime`, \
             or use `#[executor::main(flavor = \"local\")]`"
        );
    };
    assert!(
        local.is_own_thread(),
        "`spawn_local` was called on another thread than its `LocalRuntime`'s: local tasks can only be spawned where they run. Send \
         the thread a message, or make a `LocalSet` here"
    );
    local
}
