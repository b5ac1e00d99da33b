//! `LocalSet`: tasks that need not be `Send`, on any runtime.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::context;
use crate::local::{self, Local};
use crate::runtime::{self, Runtime};
use crate::task::{JoinHandle, Origin};

/// A set of tasks that are polled and dropped on this thread only, so that their futures and outputs need not be `Send`.
///
/// Its tasks run while the set is polled: by [`run_until`](Self::run_until) beside another future, by [`block_on`](Self::block_on), or by
/// awaiting the set itself, which is ready once all tasks have completed. A poll runs a bounded number of them, first in, first out,
/// then lets others run. All of these are futures that stay on this thread, so they are for `block_on` and for other local
/// tasks; to have local tasks beside a multi-thread runtime's, give them a thread.
///
/// Dropping the set drops its tasks' futures, here and now; their handles answer "cancelled". A task that is being polled meanwhile, because
/// it is the one that drops the set, ends with its poll. A task that was aborted is dropped when the set is polled the next time. The end
/// of a runtime does not end the sets that ran on it.
///
/// A [`LocalRuntime`](runtime::LocalRuntime) needs no set.
///
/// ```
/// use executor::task::{LocalSet, spawn_local};
/// use std::rc::Rc;
///
/// let runtime = executor::runtime::Runtime::new()?;
/// let set = LocalSet::new();
/// let sum = set.block_on(&runtime, async {
///     let shared = Rc::new(20);
///     let tasks = [1, 2].map(|n| {
///         let shared = shared.clone();
///         spawn_local(async move { *shared + n })
///     });
///     let mut sum = 0;
///     for task in tasks {
///         sum += task.await.unwrap();
///     }
///     sum
/// });
/// assert_eq!(sum, 43);
/// # std::io::Result::Ok(())
/// ```
pub struct LocalSet {
    local: Arc<Local>,
    id: runtime::Id,
    _not_send: PhantomData<*const ()>,
}

impl LocalSet {
    /// An empty set, of the calling thread.
    pub fn new() -> Self {
        Self {
            local: Local::new(context::HOST),
            id: runtime::Id::next(),
            _not_send: PhantomData,
        }
    }

    /// Makes [`spawn_local`](super::spawn_local) spawn into this set until the guard is dropped.
    ///
    /// The tasks run when the set is polled. A guard that is kept across an await is in force in other tasks of the thread, too.
    pub fn enter(&self) -> LocalEnterGuard {
        LocalEnterGuard {
            _entered: local::enter(&self.local),
        }
    }

    /// Runs a future as a task of this set, whenever the set is polled.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_local_at(Location::caller(), future)
    }

    pub(super) fn spawn_local_at<F>(
        &self,
        origin: impl Into<Origin>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.local.spawn(future, origin)
    }

    /// Runs a future on the calling thread until it completes, and meanwhile the set's tasks.
    ///
    /// # Panics
    ///
    /// As [`Runtime::block_on`].
    #[track_caller]
    pub fn block_on<F: Future>(&self, runtime: &Runtime, future: F) -> F::Output {
        runtime.block_on(self.run_until(future))
    }

    /// Waits for a future, in which [`spawn_local`](super::spawn_local) spawns into this set, and runs the set's tasks meanwhile.
    ///
    /// Tasks that are left when the future is ready stay in the set and go on when it is polled again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the future is: the tasks stay in the set.
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        self.local.run_until(future).await
    }

    /// The set's id, among those of runtimes.
    pub fn id(&self) -> runtime::Id {
        self.id
    }
}

/// Ready once all tasks have completed.
///
/// # Cancel safety
///
/// Awaiting `&mut set` is cancel safe. Awaiting the set by value and giving up drops it.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.local.poll_all(cx)
    }
}

impl Default for LocalSet {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        self.local.close_and_tell();
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Keeps the thread in a [`LocalSet`]. See [`LocalSet::enter`].
#[must_use = "dropping the guard leaves the set at once"]
pub struct LocalEnterGuard {
    _entered: local::Entered,
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish_non_exhaustive()
    }
}
