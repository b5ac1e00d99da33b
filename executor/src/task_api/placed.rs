//! A task that knows its place among others.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::FuturesUnordered;

use crate::coop;
use crate::task::{JoinError, JoinHandle};

/// A task, and its place among the arguments of the call that took it.
pub(super) struct Placed<T> {
    place: usize,
    task: JoinHandle<T>,
}

/// Gives each task its place. They are asked in this order the first time, and from then on in the order in which they end.
pub(super) fn placed<T>(
    tasks: impl IntoIterator<Item = JoinHandle<T>>,
) -> FuturesUnordered<Placed<T>> {
    let tasks = tasks.into_iter().enumerate();
    tasks.map(|(place, task)| Placed { place, task }).collect()
}

/// The tasks that have not ended, in the order of their places.
pub(super) fn in_order<T>(tasks: FuturesUnordered<Placed<T>>) -> Vec<JoinHandle<T>> {
    let mut tasks: Vec<_> = tasks.into_iter().collect();
    tasks.sort_unstable_by_key(|task| task.place);
    tasks.into_iter().map(|placed| placed.task).collect()
}

/// Results that are given to the user.
pub(super) fn seen<T>(results: Vec<Result<T, JoinError>>) -> Vec<Result<T, JoinError>> {
    let results = results.into_iter();
    results
        .map(|result| result.map_err(JoinError::seen))
        .collect()
}

/// Why a task is cancelled whose gather was dropped.
pub(super) const GIVEN_UP: &str = "the gather that waited for it was dropped";

impl<T> Placed<T> {
    /// As asyncio does with the children of a gather that is cancelled.
    pub(super) fn cancel(&self) {
        self.task.cancel(GIVEN_UP);
    }
}

/// A panic in the result is told of, if it is dropped before it is [`seen`].
impl<T> Future for Placed<T> {
    type Output = (usize, Result<T, JoinError>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = coop::poll_counted(cx, |cx| self.task.poll_unseen(cx.waker()));
        result.map(|result| (self.place, result))
    }
}
