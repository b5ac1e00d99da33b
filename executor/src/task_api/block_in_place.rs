//! `block_in_place`: blocks inside a task, and lets another thread run the others.

use crate::{coop, scheduler};

/// Runs a closure that may block on this thread, inside the task, while another thread goes on with everything else that this one was
/// there for.
///
/// The closure may borrow from the task, unlike that of [`spawn_blocking`](super::spawn_blocking). But it blocks its *task*: what is
/// joined or selected with the calling code, inside one task, waits too. The thread that takes over is one of the runtime's
/// that has nothing to do, or a new one. It is kept afterwards as those of `spawn_blocking` are, but not counted among them: as many
/// threads are started as closures run at once. If the system refuses one, the closure runs all the same, and its worker does nothing else
/// meanwhile. A closure that is done before the other thread has begun costs little more than waking that one.
///
/// In the closure the thread is in its runtime, but is no worker: it may call [`Handle::block_on`](crate::runtime::Handle::block_on), which
/// does the same hand-over on its own. Outside of a task the closure is just called.
///
/// # Panics
///
/// Inside a current-thread runtime, on the thread that drives it. If the closure panics, so does this.
///
/// ```
/// # executor::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap().block_on(async {
/// # executor::spawn(async {
/// let other = executor::spawn(async { 42 });
/// let answer = executor::task::block_in_place(|| executor::runtime::Handle::current().block_on(other));
/// assert_eq!(answer.unwrap(), 42);
/// # }).await.unwrap();
/// # });
/// ```
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    assert!(
        !scheduler::drives_current_thread(),
        "`block_in_place` was called inside a current-thread runtime: it can block only on a multi-thread one, where another thread \
         goes on. Use `executor::task::spawn_blocking`, or `Builder::new_multi_thread`"
    );
    // It blocks anyway: no operation in it is made to wait for the sake of others.
    scheduler::without_seat(|| coop::unlimited(f))
}
