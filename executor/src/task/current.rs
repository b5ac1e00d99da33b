//! Which task the current thread polls or drops.

use std::cell::Cell;

use super::Id;

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

/// Calls `f`, which runs the user's code for the task `id`.
#[inline]
pub(super) fn within<R>(id: Id, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Id>);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some(id)));
    f()
}

thread_local! {
    static CURRENT: Cell<Option<Id>> = const { Cell::new(None) };
}
