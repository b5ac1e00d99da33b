//! `gather`: waits for many tasks, and gives their outputs in the order of the arguments.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::into_task::{Caller, IntoTask, into_tasks};
use super::placed::{Placed, placed, seen};
use crate::task::{JoinError, JoinHandle};
use futures::stream::{FuturesUnordered, StreamExt};

/// Waits for tasks, and gives their outputs in the order of the arguments, in whatever order they end.
///
/// Futures are spawned by this call, before it is awaited, as by [`spawn`](crate::spawn); handles of tasks that run already come through
/// [`running`](super::running). For tasks of different types there is [`gather!`](crate::gather!), which takes both as they are.
///
/// The first task that has no output, because it panicked or was aborted, ends the wait with its error, at once. *The others go on*,
/// as they do in asyncio. Where they should not, there are [`JoinSet`](super::JoinSet), which aborts what is left when it is dropped, and
/// [`try_join!`](crate::try_join!) and [`try_join_all`](super::try_join_all), for futures that are no tasks.
/// If the tasks return a `Result` of their own, see [`try_gather`].
///
/// # Errors
///
/// The error of the task that failed first. Of those that failed before this is first polled it is the first one in the order of the arguments.
///
/// # Cancel safety
///
/// Dropping the future before it is ready [cancels](JoinHandle::cancel) the tasks that have not ended, as asyncio does with the children of a
/// gather that is cancelled: a [`timeout`](crate::time::timeout) or a [`CancelScope`](super::CancelScope) around it stops the work, too. Outputs that it has taken are dropped.
///
/// So the tasks that this call spawns are inside of the scopes around it, as their [`effective_deadline`](super::effective_deadline) says. They are asked to end
/// and not waited for; a [`group`](super::group) waits.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::{spawn, task::{gather, running}};
///
/// async fn square(n: u32) -> u32 {
///     n * n
/// }
///
/// assert_eq!(gather([square(1), square(2)]).await.unwrap(), [1, 4]);
///
/// let handles = (3..5).map(|n| spawn(square(n)));
/// assert_eq!(gather(running(handles)).await.unwrap(), [9, 16]);
/// # });
/// ```
#[track_caller]
pub fn gather<I, M, T>(tasks: I) -> Gather<T>
where
    I: IntoIterator<Item: IntoTask<M, Output = T>>,
{
    Gather(Gathering::new(into_tasks(tasks, Caller::of_its_own())))
}

/// As [`gather`], for tasks that return a `Result`: an error that a task *returns* ends the wait as well.
///
/// Gives what `spawn(future).await??` would, for all: so the tasks' type of error must be made from a [`JoinError`]. `io::Error` and
/// `Box<dyn Error + Send + Sync>` are.
///
/// # Errors
///
/// The error of the task that failed first, as for [`gather`]. The others go on.
///
/// # Cancel safety
///
/// As [`gather`].
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use std::io;
/// use executor::task::try_gather;
///
/// let numbers = ["1", "2", "x"].map(|text| async move {
///     text.parse::<u8>().map_err(io::Error::other)
/// });
/// assert!(try_gather(numbers).await.is_err());
/// # });
/// ```
#[doc(alias = "gather")]
#[track_caller]
pub fn try_gather<I, M, T, E>(tasks: I) -> TryGather<T, E>
where
    I: IntoIterator<Item: IntoTask<M, Output = Result<T, E>>>,
    E: From<JoinError>,
{
    TryGather(Gathering::new(into_tasks(tasks, Caller::of_its_own())))
}

/// As [`gather`], and errors are among the results: waits until *all* tasks have ended.
///
/// # Cancel safety
///
/// As [`gather`].
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::{spawn, task::{gather_settled, running}};
///
/// let tasks = [spawn(async { 1 }), spawn(std::future::pending())];
/// tasks[1].abort();
/// let results = gather_settled(running(tasks)).await;
/// assert_eq!(*results[0].as_ref().unwrap(), 1);
/// assert!(results[1].as_ref().unwrap_err().is_cancelled());
/// # });
/// ```
#[doc(alias = "gather")]
#[doc(alias = "return_exceptions")]
#[track_caller]
pub fn gather_settled<I, M, T>(tasks: I) -> GatherSettled<T>
where
    I: IntoIterator<Item: IntoTask<M, Output = T>>,
{
    GatherSettled(Gathering::new(into_tasks(tasks, Caller::of_its_own())))
}

/// The future of [`gather`].
#[must_use = "dropping it cancels the tasks"]
pub struct Gather<T>(Gathering<T, T>);

/// The future of [`try_gather`].
#[must_use = "dropping it cancels the tasks"]
pub struct TryGather<T, E>(Gathering<Result<T, E>, T>);

/// The future of [`gather_settled`].
#[must_use = "dropping it cancels the tasks"]
pub struct GatherSettled<T>(Gathering<T, Result<T, JoinError>>);

// Nothing in them is pinned: the tasks' futures are elsewhere.
impl<T> Unpin for Gather<T> {}
impl<T, E> Unpin for TryGather<T, E> {}
impl<T> Unpin for GatherSettled<T> {}

impl<T> Future for Gather<T> {
    type Output = Result<Vec<T>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx, |result| result.map_err(JoinError::seen))
    }
}

impl<T, E: From<JoinError>> Future for TryGather<T, E> {
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx, |result| result.map_err(JoinError::seen)?)
    }
}

impl<T> Future for GatherSettled<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let all = ready!(self.0.poll(cx, Ok::<_, JoinError>));
        Poll::Ready(seen(all.expect("no result is kept as an error")))
    }
}

/// Tasks with outputs `T`, of each of which a value `V` is kept. Cancels those that have not ended when it is dropped.
struct Gathering<T, V> {
    tasks: FuturesUnordered<Placed<T>>,
    values: Vec<Option<V>>,
}

impl<T, V> Gathering<T, V> {
    fn new(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Self {
        let tasks = placed(tasks);
        let mut values = Vec::new();
        values.resize_with(tasks.len(), || None);
        Self { tasks, values }
    }

    /// Ready with all values, or with the first error that `keep` gives.
    fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        keep: impl Fn(Result<T, JoinError>) -> Result<V, E>,
    ) -> Poll<Result<Vec<V>, E>> {
        while let Some((place, result)) = ready!(self.tasks.poll_next_unpin(cx)) {
            match keep(result) {
                Ok(value) => self.values[place] = Some(value),
                Err(error) => {
                    // Without their handles the others go on.
                    drop(mem::take(&mut self.tasks));
                    return Poll::Ready(Err(error));
                }
            }
        }
        let values = mem::take(&mut self.values).into_iter();
        let values = values.map(|value| value.expect("a gather was polled after it was ready"));
        Poll::Ready(Ok(values.collect()))
    }
}

impl<T, V> Drop for Gathering<T, V> {
    fn drop(&mut self) {
        self.tasks.iter().for_each(Placed::cancel);
    }
}

impl<T, V> fmt::Debug for Gathering<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("waiting_for", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T, E> fmt::Debug for TryGather<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for GatherSettled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
