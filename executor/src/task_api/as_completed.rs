//! `as_completed`: the results of tasks in the order in which they end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{FusedStream, FuturesUnordered, Stream, StreamExt};

use super::into_task::{Caller, IntoTask, into_tasks};
use crate::task::{JoinError, JoinHandle};

/// A stream of the tasks' results, in the order in which they end. Those that have ended before the stream is first polled come first, in the order of
/// the arguments.
///
/// Futures are spawned by this call; handles of tasks that run already come through [`running`](super::running). The stream only waits: dropping it lets those go on that have not ended. [`JoinSet`](super::JoinSet) does
/// the same for tasks that come later, and aborts them.
///
/// # Cancel safety
///
/// Awaiting the next result is cancel safe: a result leaves the stream only when it is returned.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::as_completed;
/// use futures::StreamExt;
///
/// let mut results = as_completed((1..=3).map(|n| async move { n }));
/// let mut sum = 0;
/// while let Some(result) = results.next().await {
///     sum += result.unwrap();
/// }
/// assert_eq!(sum, 6);
/// # });
/// ```
#[track_caller]
pub fn as_completed<I, M, T>(tasks: I) -> AsCompleted<T>
where
    I: IntoIterator<Item: IntoTask<M, Output = T>>,
{
    AsCompleted(into_tasks(tasks, Caller::of_others()).collect())
}

/// The stream of [`as_completed`].
#[must_use = "streams do nothing unless they are polled"]
pub struct AsCompleted<T>(FuturesUnordered<JoinHandle<T>>);

impl<T> Stream for AsCompleted<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T> FusedStream for AsCompleted<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("waiting_for", &self.0.len())
            .finish_non_exhaustive()
    }
}
