//! `TaskTracker`: waits until the tasks that it has seen are gone. It keeps no outputs.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::spawn::spawn_at;
use crate::rt_sync::whole::Mutex;
use crate::runtime::Handle;
use crate::task::{JoinHandle, LocalSet, drop_quietly, wake_quietly};

/// Counts tasks, and waits until none is left, for a graceful shutdown. The names are those of `tokio_util::task::TaskTracker`.
///
/// Unlike a [`JoinSet`](super::JoinSet) it keeps no outputs, so it does not grow with tasks that have ended; unlike a [`group`](super::group) it
/// neither cancels nor aborts anything. Clones are handles to the same tracker.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::TaskTracker;
///
/// let tracker = TaskTracker::new();
/// for _ in 0..3 {
///     tracker.spawn(executor::task::yield_now());
/// }
/// tracker.close();
/// tracker.wait().await;
/// assert!(tracker.is_empty());
/// # });
/// ```
#[derive(Clone, Default)]
#[doc(alias = "WaitGroup")]
pub struct TaskTracker {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    closed: bool,
    tracked: usize,
    /// Who waits, by a number of its own.
    waiting: Vec<(u64, Waker)>,
    next: u64,
}

impl TaskTracker {
    /// Without tasks, and not closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the tracker is closed and empty at the same time. Once it waits, a moment at which that is so is enough: it returns also if
    /// the tracker has tasks again by then, or is open.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it does nothing but wait.
    pub async fn wait(&self) {
        let mut place = Place {
            tracker: self,
            number: None,
        };
        poll_fn(|cx| place.poll(cx)).await;
    }

    /// Lets [`wait`](Self::wait) return when no task is left. False if it was closed already. Tasks may still be added.
    pub fn close(&self) -> bool {
        self.change(|inner| !std::mem::replace(&mut inner.closed, true))
    }

    /// Takes `close` back. False if it was not closed.
    pub fn reopen(&self) -> bool {
        std::mem::replace(&mut self.inner.lock().closed, false)
    }

    /// True if it is closed.
    pub fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// How many tasks are tracked: futures that were not dropped yet, and tokens.
    pub fn len(&self) -> usize {
        self.inner.lock().tracked
    }

    /// True if no task is tracked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Spawns a task, as [`spawn`](super::spawn) does, and tracks it.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_at(std::panic::Location::caller(), self.track_future(future))
    }

    /// Spawns a task of another runtime, and tracks it.
    #[track_caller]
    pub fn spawn_on<F>(&self, future: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        handle.spawn(self.track_future(future))
    }

    /// Spawns a task that need not be `Send`, as [`spawn_local`](super::spawn_local) does, and tracks it.
    ///
    /// # Panics
    ///
    /// As [`spawn_local`](super::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        super::spawn_local(self.track_future(future))
    }

    /// Spawns a task of a [`LocalSet`], and tracks it.
    #[track_caller]
    pub fn spawn_local_on<F>(&self, future: F, set: &LocalSet) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        set.spawn_local(self.track_future(future))
    }

    /// Runs a closure that may block, as [`spawn_blocking`](super::spawn_blocking) does, and tracks it.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let token = self.token();
        super::spawn_blocking(move || {
            let result = f();
            drop(token);
            result
        })
    }

    /// Tracks a future, from this call to its drop.
    pub fn track_future<F: Future>(&self, future: F) -> TrackedFuture<F> {
        TrackedFuture {
            future,
            token: self.token(),
        }
    }

    /// Counts as a task until it is dropped.
    pub fn token(&self) -> TaskTrackerToken {
        self.inner.lock().tracked += 1;
        TaskTrackerToken(self.clone())
    }

    /// True if both are handles to the same tracker.
    pub fn ptr_eq(left: &Self, right: &Self) -> bool {
        Arc::ptr_eq(&left.inner, &right.inner)
    }

    /// Wakes who waits if nothing is left to wait for.
    fn change<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let (result, wakers) = {
            let mut inner = self.inner.lock();
            let result = change(&mut inner);
            let wakers = if inner.is_done() {
                std::mem::take(&mut inner.waiting)
            } else {
                Vec::new()
            };
            (result, wakers)
        };
        wakers
            .into_iter()
            .for_each(|(_, waker)| wake_quietly(waker));
        result
    }
}

impl Inner {
    fn is_done(&self) -> bool {
        self.closed && self.tracked == 0
    }
}

impl fmt::Debug for TaskTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        f.debug_struct("TaskTracker")
            .field("len", &inner.tracked)
            .field("is_closed", &inner.closed)
            .finish()
    }
}

/// One that waits.
struct Place<'a> {
    tracker: &'a TaskTracker,
    number: Option<u64>,
}

impl Place<'_> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        // Cloned and dropped without the lock.
        let waker = cx.waker().clone();
        let (poll, old) = {
            let mut inner = self.tracker.inner.lock();
            match self.number {
                None if inner.is_done() => (Poll::Ready(()), Some(waker)),
                None => {
                    let number = inner.next;
                    inner.next += 1;
                    inner.waiting.push((number, waker));
                    self.number = Some(number);
                    (Poll::Pending, None)
                }
                Some(number) => match inner.waiting.iter_mut().find(|(of, _)| *of == number) {
                    Some((_, mine)) => (Poll::Pending, Some(std::mem::replace(mine, waker))),
                    // Taken out when nothing was left to wait for.
                    None => (Poll::Ready(()), Some(waker)),
                },
            }
        };
        drop_quietly(old);
        poll
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mine = {
            let mut inner = self.tracker.inner.lock();
            let at = inner.waiting.iter().position(|(of, _)| *of == number);
            at.map(|at| inner.waiting.swap_remove(at))
        };
        drop_quietly(mine);
    }
}

/// Counts as a task of its [`TaskTracker`] until it is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, it counts nothing"]
pub struct TaskTrackerToken(TaskTracker);

impl TaskTrackerToken {
    /// The tracker.
    pub fn task_tracker(&self) -> &TaskTracker {
        &self.0
    }
}

impl Clone for TaskTrackerToken {
    fn clone(&self) -> Self {
        self.0.token()
    }
}

impl Drop for TaskTrackerToken {
    fn drop(&mut self) {
        self.0.change(|inner| inner.tracked -= 1);
    }
}

pin_project! {
    /// A future that a [`TaskTracker`] counts. Made by [`TaskTracker::track_future`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TrackedFuture<F> {
        // Dropped before it is counted as gone.
        #[pin]
        future: F,
        token: TaskTrackerToken,
    }
}

impl<F: Future> Future for TrackedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}
