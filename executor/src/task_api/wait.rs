//! `wait`: until one of several tasks has ended, or failed, or all have.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};

use super::into_task::{Caller, IntoTask, into_tasks};
use super::placed::{Placed, in_order, placed, seen};
use crate::task::{JoinError, JoinHandle};
use crate::time::{Sleep, sleep};

/// Waits until one of the tasks has ended, or failed, or all have, and tells those that have from those that have not.
///
/// Gives the results of the tasks that have ended, in the order in which they did, and the handles of the others, in the order of the
/// arguments. That is also the order of tasks that have ended before this is first polled. Futures are spawned by this call; handles of tasks
/// that run already, those that were pending say, come through [`running`](super::running). `wait` aborts none of them. Without tasks it does not wait.
///
/// [`timeout`](Wait::timeout) limits the time. To `select!` over a few handles says which of them it was; where one does not know
/// from the outputs, a [`JoinSet`](super::JoinSet) says so by the tasks' ids.
///
/// # Cancel safety
///
/// Not cancel safe: dropping it drops the handles, and the results of those that have ended. The tasks go on. So use
/// [`Wait::timeout`] rather than [`time::timeout`](crate::time::timeout), which would lose them.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::{ReturnWhen, running, wait};
/// use executor::time::{Duration, sleep};
///
/// let tasks = [20, 1].map(|ms| async move {
///     sleep(Duration::from_millis(ms)).await;
///     ms
/// });
/// let (done, pending) = wait(tasks, ReturnWhen::FirstCompleted).await;
/// assert_eq!(*done[0].as_ref().unwrap(), 1);
/// let (done, pending) = wait(running(pending), ReturnWhen::AllCompleted).await;
/// assert_eq!(*done[0].as_ref().unwrap(), 20);
/// assert!(pending.is_empty());
/// # });
/// ```
#[track_caller]
pub fn wait<I, M, T>(tasks: I, when: ReturnWhen) -> Wait<T>
where
    I: IntoIterator<Item: IntoTask<M, Output = T>>,
{
    let tasks = into_tasks(tasks, Caller::of_others());
    Wait::new(tasks, when, Result::is_err)
}

/// As [`wait`], for tasks that return a `Result`: [`FirstError`](ReturnWhen::FirstError) is also an error that a task returns.
///
/// # Cancel safety
///
/// As [`wait`].
#[doc(alias = "wait")]
#[track_caller]
pub fn try_wait<I, M, T, E>(tasks: I, when: ReturnWhen) -> Wait<Result<T, E>>
where
    I: IntoIterator<Item: IntoTask<M, Output = Result<T, E>>>,
{
    let tasks = into_tasks(tasks, Caller::of_others());
    Wait::new(tasks, when, |result| !matches!(result, Ok(Ok(_))))
}

/// What [`wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnWhen {
    /// A task has ended, in whatever way.
    #[doc(alias = "FIRST_COMPLETED")]
    FirstCompleted,
    /// A task has panicked or was aborted; or all have ended.
    #[doc(alias = "FIRST_EXCEPTION")]
    FirstError,
    /// All have ended.
    #[doc(alias = "ALL_COMPLETED")]
    AllCompleted,
}

/// The future of [`wait`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Wait<T> {
    tasks: FuturesUnordered<Placed<T>>,
    done: Vec<Result<T, JoinError>>,
    when: ReturnWhen,
    is_error: fn(&Result<T, JoinError>) -> bool,
    failed: bool,
    limit: Option<Pin<Box<Sleep>>>,
}

impl<T> Wait<T> {
    fn new(
        tasks: impl IntoIterator<Item = JoinHandle<T>>,
        when: ReturnWhen,
        is_error: fn(&Result<T, JoinError>) -> bool,
    ) -> Self {
        Self {
            tasks: placed(tasks),
            done: Vec::new(),
            when,
            is_error,
            failed: false,
            limit: None,
        }
    }

    /// Waits for so long at most, from this call on. That the time is over is no error: there may be no results then.
    ///
    /// # Panics
    ///
    /// As [`sleep`].
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(Box::pin(sleep(limit)));
        self
    }

    fn is_over(&self) -> bool {
        self.tasks.is_empty()
            || match self.when {
                ReturnWhen::FirstCompleted => !self.done.is_empty(),
                ReturnWhen::FirstError => self.failed,
                ReturnWhen::AllCompleted => false,
            }
    }
}

impl<T> Unpin for Wait<T> {}

impl<T> Future for Wait<T> {
    type Output = (Vec<Result<T, JoinError>>, Vec<JoinHandle<T>>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // All that have ended by now are done, not only the first.
        while let Poll::Ready(Some((_, result))) = this.tasks.poll_next_unpin(cx) {
            this.failed |= (this.is_error)(&result);
            this.done.push(result);
        }
        if !this.is_over() {
            match &mut this.limit {
                Some(limit) => ready!(limit.as_mut().poll(cx)),
                None => return Poll::Pending,
            }
        }
        let pending = in_order(mem::take(&mut this.tasks));
        Poll::Ready((seen(mem::take(&mut this.done)), pending))
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("when", &self.when)
            .field("waiting_for", &self.tasks.len())
            .finish_non_exhaustive()
    }
}
