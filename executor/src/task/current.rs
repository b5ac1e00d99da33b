//! Which task the current thread polls or drops.

use std::cell::Cell;

use super::Id;
use crate::rt_sync::whole::thread_local;

/// The id of the task that calls it, also in the closure of a [`spawn_blocking`](super::spawn_blocking).
///
/// # Panics
///
/// Outside of a task. The future given to `block_on` is none. See [`try_id`].
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let task = executor::spawn(async { executor::task::id() });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), id);
/// # });
/// ```
#[doc(alias = "current_task")]
#[track_caller]
pub fn id() -> Id {
    try_id().expect(
        "`task::id` was called outside of a task (the future given to `block_on` is none): spawn what needs an id, or use `task::try_id`",
    )
}

/// The id of the task that calls it, or `None` outside of a task. See [`id`].
pub fn try_id() -> Option<Id> {
    CURRENT.get()
}

/// From here on the thread runs code of the task `id`, until `leave` is called with what this returns.
#[inline]
pub(super) fn enter(id: Id) -> Option<Id> {
    CURRENT.replace(Some(id))
}

/// Ends what `enter` began. What lies in between must not panic.
#[inline]
pub(super) fn leave(outer: Option<Id>) {
    CURRENT.set(outer);
}

thread_local! {
    static CURRENT: Cell<Option<Id>> = const { Cell::new(None) };
}
