//! `spawn_eager`: a task whose first poll is a part of its spawner's.

use std::future::Future;
use std::panic::Location;

use crate::context;
use crate::task::JoinHandle;

/// As [`spawn`](crate::spawn), and polls the task once before it returns. What does not have to wait has ended by then, and was never in a
/// queue.
///
/// For work that rarely waits, a look into a cache say. What the future does until its first wait keeps the caller: it is a part of the
/// caller's poll, and of its budget. A panic is the task's all the same, and [`task::id`](crate::task::id) is the new one. Tasks that spawn
/// each other eagerly are nested on the stack.
///
/// Only a worker can poll tasks: elsewhere, in the future given to `block_on` on a multi-thread runtime for example, or where
/// the caller is in another runtime than the thread's, this is [`spawn`](crate::spawn).
///
/// # Panics
///
/// As [`spawn`](crate::spawn).
///
/// ```
/// # executor::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use executor::task::spawn_eager;
///
/// let task = spawn_eager(async { 42 });
/// assert!(task.is_finished());
/// assert_eq!(task.await.unwrap(), 42);
/// # });
/// ```
#[doc(alias = "eager_start")]
#[doc(alias = "eager_task_factory")]
#[track_caller]
pub fn spawn_eager<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let origin = Location::caller();
    // Not inside of `with_current`: this runs code of the user.
    let state = context::with_current(|state| state.clone());
    let (handle, closed) = state.scheduler.spawn_eager(future, origin);
    if let Some(closed) = closed {
        closed.drain();
    }
    handle
}
